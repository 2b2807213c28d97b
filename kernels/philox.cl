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

#if LANES == 1
#define MULTIPLY(hi, lo, a, m)                                                                                         \
  do {                                                                                                                 \
    const ulong p = (ulong)(a) * (m);                                                                                  \
    (lo) = (uint)p;                                                                                                    \
    (hi) = (uint)(p >> 32);                                                                                            \
  } while (0)
#else
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

static words philox(vuint c0, vuint c1, vuint c2, vuint c3, uint k0, uint k1) {
#pragma unroll
  for (int round = 0; round < 10; ++round) {
    vuint hi0, lo0, hi1, lo1;
    MULTIPLY(hi0, lo0, c0, PHILOX_M0);
    MULTIPLY(hi1, lo1, c2, PHILOX_M1);
    c0 = hi1 ^ c1 ^ k0;
    c1 = lo1;
    c2 = hi0 ^ c3 ^ k1;
    c3 = lo0;
    k0 += PHILOX_W0;
    k1 += PHILOX_W1;
  }
  words w;
  w.w0 = c0;
  w.w1 = c1;
  w.w2 = c2;
  w.w3 = c3;
  return w;
}

#endif
