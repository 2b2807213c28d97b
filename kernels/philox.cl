/* Philox4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC'11). */
#ifndef FANIN_PHILOX_CL
#define FANIN_PHILOX_CL

#include "lanes.cl"

#define PHILOX_M0 0xD2511F53u
#define PHILOX_M1 0xCD9E8D57u
#define PHILOX_W0 0x9E3779B9u
#define PHILOX_W1 0xBB67AE85u
#define LOW       0xFFFFFFFFul

#if defined(WIDE)
/* ---- Wide items -------------------------------------------------------------------------------------------------- */

/* A 64-bit lane is a block. A word sits in the lower half of its lane, which is the half that vector units multiply;
 * the upper half holds whatever was left there. */

typedef JOIN(ulong, BLOCK_LANES) words; /* of BLOCK_LANES blocks */

typedef struct blocks {
  words w0, w1, w2, w3;
} blocks;

#define LOWER_TIMES(x, m) (((x)&LOW) * (ulong)(m))

/* Blocks block[g] + lanes for vector g, where block[g] is a multiple of BLOCK_LANES: so all of a vector's blocks have
 * the counter's upper words in common, and of each of the first two rounds all but one product. */
static void philox(const ulong block[ABREAST], words lanes, uint4 key, blocks out[ABREAST]) {
  uint k0 = key.s0, k1 = key.s1;
  const ulong a = LOWER_TIMES((ulong)key.s2, PHILOX_M1);
  const uint c0 = (uint)(a >> 32) ^ k0, c1 = (uint)a, c2 = key.s3 ^ k1;
  k0 += PHILOX_W0;
  k1 += PHILOX_W1;
  EACH(g) {
    const ulong b = LOWER_TIMES((ulong)c0 ^ (block[g] >> 32), PHILOX_M0);
    const words product = LOWER_TIMES(block[g] + lanes, PHILOX_M0);
    out[g].w1 = LOWER_TIMES((product >> 32) ^ (ulong)c2, PHILOX_M1);
    out[g].w0 = (out[g].w1 >> 32) ^ (ulong)(c1 ^ k0);
    out[g].w2 = product ^ (b >> 32) ^ (ulong)k1;
    out[g].w3 = (words)(b);
  }
#pragma unroll
  for (int round = 2; round < 10; ++round) {
    k0 += PHILOX_W0;
    k1 += PHILOX_W1;
    EACH(g) {
      const words p0 = LOWER_TIMES(out[g].w0, PHILOX_M0), p1 = LOWER_TIMES(out[g].w2, PHILOX_M1);
      out[g].w0 = (p1 >> 32) ^ out[g].w1 ^ (ulong)k0;
      out[g].w1 = p1;
      out[g].w2 = (p0 >> 32) ^ out[g].w3 ^ (ulong)k1;
      out[g].w3 = p0;
    }
  }
}

#else
/* ---- Scalar items: each of their blocks by itself ---------------------------------------------------------------- */

/* AMD's compiler multiplies in one instruction if all is kept in 64 bits, of which the upper ones do not count, and
 * NVIDIA's if the halves of a product are taken apart. */
#if defined(__NVPTX__) || defined(__NV_CL_C_VERSION)
typedef uint word;
#define MULTIPLY(hi, lo, a, m)                                                                                         \
  do {                                                                                                                 \
    (lo) = (a) * (m);                                                                                                  \
    (hi) = mul_hi(a, m);                                                                                               \
  } while (0)
#else
typedef ulong word;
#define MULTIPLY(hi, lo, a, m)                                                                                         \
  do {                                                                                                                 \
    (lo) = ((a)&LOW) * (m);                                                                                            \
    (hi) = (lo) >> 32;                                                                                                 \
  } while (0)
#endif

static uint4 philox(ulong block, uint4 key) {
  word c0 = (uint)block, c1 = (uint)(block >> 32), c2 = key.s2, c3 = key.s3;
  uint k0 = key.s0, k1 = key.s1;
#pragma unroll
  for (int round = 0; round < 10; ++round) {
    word hi0, lo0, hi1, lo1;
    MULTIPLY(hi0, lo0, c0, PHILOX_M0);
    MULTIPLY(hi1, lo1, c2, PHILOX_M1);
    c0 = hi1 ^ c1 ^ k0;
    c1 = lo1;
    c2 = hi0 ^ c3 ^ k1;
    c3 = lo0;
    k0 += PHILOX_W0;
    k1 += PHILOX_W1;
  }
  return (uint4)((uint)c0, (uint)c1, (uint)c2, (uint)c3);
}
#endif

#endif
