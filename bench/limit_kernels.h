/* What the limit's variants share: the tensor that all of them fill.
 *
 * Of Philox's ten rounds, the first two do half their work on numbers that are the same for every block: the counter's
 * upper three words are constant (a tensor here has fewer than 2^32 blocks), so that of the first round's two products
 * only block * M0 varies, and of the second round's only the one by M1. What stays constant is worked out once. */
#ifndef FANIN_BENCH_LIMIT_KERNELS_H
#define FANIN_BENCH_LIMIT_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "limit.h"

#define LIMIT_M0 0xD2511F53u
#define LIMIT_M1 0xCD9E8D57u

enum { LIMIT_ROUNDS = 8 }; /* after the first two */

/* How values are kept within lower and upper. LIMIT_INSIDE: none reaches past them, so that nothing is done.
 * LIMIT_SYMMETRIC: lower is -upper. */
typedef enum limit_bounds { LIMIT_INSIDE, LIMIT_SYMMETRIC, LIMIT_CLAMPED } limit_bounds;

typedef struct limit_tensor {
  uint32_t c2_round1;        /* c2 after round 1 = hi(block * M0) ^ this; c3 = lo(block * M0) */
  uint32_t c0_round2;        /* c0 after round 2 = hi(c2 * M1) ^ this; c1 = lo(c2 * M1) */
  uint32_t c2_round2;        /* c2 after round 2 = c3 ^ this */
  uint32_t c3_round2;        /* c3 after round 2 */
  uint32_t k0[LIMIT_ROUNDS]; /* the keys of the rounds that remain */
  uint32_t k1[LIMIT_ROUNDS];
  limit_kind kind;
  limit_bounds bounds;
  bool streams;
  float middle, half; /* x = fma(half, signed unit, middle): uniform numbers, or what truncated normals are made of */
  float mean, std;    /* value = fma(std, z, mean) */
  float lower, upper;
} limit_tensor;

limit_tensor limit_tensor_of(uint64_t seed, uint64_t stream, const limit_law *law, bool streams);

/* Blocks first .. first + count to out, four elements each; `count` is a multiple of LIMIT_STEP. */
typedef void limit_kernel(float *out, uint32_t first, size_t count, const limit_tensor *t);

/* Blocks that every variant's loop divides. */
enum { LIMIT_STEP = 32 };

limit_kernel limit_portable;
#if defined(__x86_64__) && defined(__GNUC__)
#define LIMIT_X86
limit_kernel limit_avx2, limit_avx512;
#endif

/* The polynomial of docs/stream.md's inverse_core, from the highest power on, in u = x^2 - 7/16. */
#define LIMIT_CORE                                                                                                     \
  {                                                                                                                    \
    0x1.c63ec0p+16f, 0x1.b94e48p+12f, -0x1.79803ap+16f, -0x1.b8c22cp+11f, 0x1.0d4412p+15f, 0x1.defc3ep+9f,             \
        -0x1.9d8222p+12f, -0x1.ca1f7cp+6f, 0x1.7d52ccp+9f, 0x1.28606cp+4f, -0x1.6e9298p+5f, 0x1.144ba6p+1f,            \
        0x1.de741ep+1f, 0x1.496c7ap+0f, 0x1.bb210cp-1f, 0x1.5d2380p-1f, 0x1.26e8c8p-1f, 0x1.38b0bcp-1f, 0x1.72659cp+0f \
  }

#endif
