/* What the limit's variants share: the tensor that all of them fill, and Philox in the form that they compute it.
 *
 * Of ten rounds, the first two do half their work on numbers that are the same for every block: the counter's upper
 * three words are constant (a tensor here has fewer than 2^32 blocks), so that of the first round's two products only
 * block * M0 varies, and of the second round's only the one by M1. What stays constant is worked out once. */
#ifndef FANIN_BENCH_LIMIT_KERNELS_H
#define FANIN_BENCH_LIMIT_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#define LIMIT_M0 0xD2511F53u
#define LIMIT_M1 0xCD9E8D57u

enum { LIMIT_ROUNDS = 8 }; /* after the first two */

typedef struct limit_tensor {
  uint32_t c2_round1;        /* c2 after round 1 = hi(block * M0) ^ this; c3 = lo(block * M0) */
  uint32_t c0_round2;        /* c0 after round 2 = hi(c2 * M1) ^ this; c1 = lo(c2 * M1) */
  uint32_t c2_round2;        /* c2 after round 2 = c3 ^ this */
  uint32_t c3_round2;        /* c3 after round 2 */
  uint32_t k0[LIMIT_ROUNDS]; /* the keys of the rounds that remain */
  uint32_t k1[LIMIT_ROUNDS];
  float middle, half, lower, upper; /* value = clamp(fma(half, signed unit, middle), lower, upper) */
  int clamps;                       /* 0: no value reaches past its bounds, so that the clamp is left out */
} limit_tensor;

/* Blocks first .. first + count to out, four elements each; `count` is a multiple of LIMIT_STEP. */
typedef void limit_kernel(float *out, uint32_t first, size_t count, const limit_tensor *t);

/* Blocks that every variant's loop divides. */
enum { LIMIT_STEP = 32 };

limit_kernel limit_portable;
#if defined(__x86_64__) && defined(__GNUC__)
#define LIMIT_X86
limit_kernel limit_avx2, limit_avx512;
#endif

#endif
