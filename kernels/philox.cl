/* Philox4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC'11), one block a
 * lane.
 *
 * The products are taken as 64-bit multiplications of the even and of the odd 32-bit lanes: each is one instruction on
 * vector units that multiply 32 x 32 -> 64 (docs/decisions.md). */
#ifndef FANIN_PHILOX_CL
#define FANIN_PHILOX_CL

#include "lanes.cl"

#define PHILOX_M0 0xD2511F53u
#define PHILOX_M1 0xCD9E8D57u
#define PHILOX_W0 0x9E3779B9u
#define PHILOX_W1 0xBB67AE85u

typedef struct words {
  vuint w0, w1, w2, w3;
} words;

/* What the rounds work on: of scalar items each block by itself. AMD's compiler multiplies in one instruction if all is
 * kept in 64 bits, of which the upper ones do not count, and NVIDIA's if the halves of a product are taken apart. */
#if LANES <= 2 && (defined(__NVPTX__) || defined(__NV_CL_C_VERSION))
typedef uint word;
#define MULTIPLY(hi, lo, a, m)                                                                                         \
  do {                                                                                                                 \
    (lo) = (a) * (m);                                                                                                  \
    (hi) = mul_hi(a, m);                                                                                               \
  } while (0)
#elif LANES <= 2
typedef ulong word;
#define MULTIPLY(hi, lo, a, m)                                                                                         \
  do {                                                                                                                 \
    (lo) = ((a)&0xFFFFFFFFul) * (m);                                                                                   \
    (hi) = (lo) >> 32;                                                                                                 \
  } while (0)
#else
typedef vuint word;
#if LANES == 4
typedef ulong2 vpair;
#define AS_PAIR(x) as_ulong2(x)
#elif LANES == 8
typedef ulong4 vpair;
#define AS_PAIR(x) as_ulong4(x)
#else
typedef ulong8 vpair;
#define AS_PAIR(x) as_ulong8(x)
#endif
#define LOW 0xFFFFFFFFul
#define MULTIPLY(hi, lo, a, m)                                                                                         \
  do {                                                                                                                 \
    const vpair pair = AS_PAIR(a);                                                                                     \
    const vpair even = (pair & LOW) * (ulong)(m);                                                                      \
    const vpair odd = (pair >> 32) * (ulong)(m);                                                                       \
    (lo) = AS(uint, (even & LOW) | (odd << 32));                                                                       \
    (hi) = AS(uint, (even >> 32) | (odd & ~LOW));                                                                      \
  } while (0)
#endif

static void rounds(word *x0, word *x1, word *x2, word *x3, uint k0, uint k1) {
  word c0 = *x0, c1 = *x1, c2 = *x2, c3 = *x3;
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
  *x0 = c0;
  *x1 = c1;
  *x2 = c2;
  *x3 = c3;
}

static words philox(vuint c0, vuint c1, vuint c2, vuint c3, uint k0, uint k1) {
  words w;
#if LANES == 2
  word a0 = c0.x, a1 = c1.x, a2 = c2.x, a3 = c3.x, b0 = c0.y, b1 = c1.y, b2 = c2.y, b3 = c3.y;
  rounds(&a0, &a1, &a2, &a3, k0, k1);
  rounds(&b0, &b1, &b2, &b3, k0, k1);
  w.w0 = (uint2)((uint)a0, (uint)b0);
  w.w1 = (uint2)((uint)a1, (uint)b1);
  w.w2 = (uint2)((uint)a2, (uint)b2);
  w.w3 = (uint2)((uint)a3, (uint)b3);
#else
  word x0 = c0, x1 = c1, x2 = c2, x3 = c3;
  rounds(&x0, &x1, &x2, &x3, k0, k1);
  w.w0 = (vuint)x0;
  w.w1 = (vuint)x1;
  w.w2 = (vuint)x2;
  w.w3 = (vuint)x3;
#endif
  return w;
}

#endif
