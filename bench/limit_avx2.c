/* The limit with AVX2 and FMA: the form of limit_avx512.c with four blocks a vector. There is no three-way xor and no
 * masked one here, and sixteen registers hold no more than two vectors' states. */
#include "limit_kernels.h"

#if defined(LIMIT_X86)
#include <immintrin.h>

#define INLINE static inline __attribute__((always_inline, target("avx2,fma")))

enum { INTERLEAVE = 2, BLOCKS = 4 };

typedef struct state {
  __m256i c0, c1, c2, c3; /* of four blocks, in the lower halves of 64-bit lanes */
} state;

INLINE __m256i all(uint32_t word) {
  return _mm256_set1_epi32((int)word);
}

INLINE __m256i xor3(__m256i a, __m256i b, __m256i c) {
  return _mm256_xor_si256(_mm256_xor_si256(a, b), c);
}

/* The state after two rounds; product is block * M0. */
INLINE state start(__m256i product, const limit_tensor *t) {
  const __m256i c2 = _mm256_xor_si256(_mm256_srli_epi64(product, 32), all(t->c2_round1));
  const __m256i p1 = _mm256_mul_epu32(c2, all(LIMIT_M1));
  return (state){.c0 = _mm256_xor_si256(_mm256_srli_epi64(p1, 32), all(t->c0_round2)),
                 .c1 = p1,
                 .c2 = _mm256_xor_si256(product, all(t->c2_round2)),
                 .c3 = all(t->c3_round2)};
}

INLINE state round_of(state s, uint32_t k0, uint32_t k1) {
  const __m256i p0 = _mm256_mul_epu32(s.c0, all(LIMIT_M0)), p1 = _mm256_mul_epu32(s.c2, all(LIMIT_M1));
  return (state){.c0 = xor3(_mm256_srli_epi64(p1, 32), s.c1, all(k0)),
                 .c1 = p1,
                 .c2 = xor3(_mm256_srli_epi64(p0, 32), s.c3, all(k1)),
                 .c3 = p0};
}

/* Half of the last round: (word, low word of the product) as a lane in memory's order. */
INLINE __m256i last(__m256i product, __m256i c, uint32_t k) {
  const __m256i swapped = _mm256_shuffle_epi32(product, 0xB1);
  return _mm256_blend_epi32(swapped, xor3(swapped, c, all(k)), 0x55);
}

INLINE __m256d values(__m256i words, const limit_tensor *t, int clamps) {
  const __m256 unit = _mm256_fmadd_ps(_mm256_cvtepi32_ps(words), _mm256_set1_ps(0x1p-31f), _mm256_set1_ps(0x1p-32f));
  __m256 v = _mm256_fmadd_ps(_mm256_set1_ps(t->half), unit, _mm256_set1_ps(t->middle));
  if (clamps) v = _mm256_min_ps(_mm256_max_ps(v, _mm256_set1_ps(t->lower)), _mm256_set1_ps(t->upper));
  return _mm256_castps_pd(v);
}

INLINE void finish(float *out, state s, const limit_tensor *t, int clamps) {
  const __m256i p0 = _mm256_mul_epu32(s.c0, all(LIMIT_M0)), p1 = _mm256_mul_epu32(s.c2, all(LIMIT_M1));
  const __m256d w01 = values(last(p1, s.c1, t->k0[LIMIT_ROUNDS - 1]), t, clamps);
  const __m256d w23 = values(last(p0, s.c3, t->k1[LIMIT_ROUNDS - 1]), t, clamps);
  _mm256_storeu_ps(out, _mm256_castpd_ps(_mm256_unpacklo_pd(w01, w23)));     /* blocks 0 and 1 */
  _mm256_storeu_ps(out + 8, _mm256_castpd_ps(_mm256_unpackhi_pd(w01, w23))); /* blocks 2 and 3 */
}

INLINE void fill(float *restrict out, uint32_t first, size_t count, const limit_tensor *restrict t, int clamps) {
  const __m256i lane_block = _mm256_set_epi64x(3, 1, 2, 0);
  __m256i product = _mm256_mul_epu32(_mm256_add_epi64(_mm256_set1_epi64x(first), lane_block), all(LIMIT_M0));
  const __m256i step = _mm256_set1_epi64x((long long)((uint64_t)LIMIT_M0 * BLOCKS));
  for (size_t k = 0; k < count; k += INTERLEAVE * BLOCKS) {
    state s[INTERLEAVE];
#pragma GCC unroll 2
    for (int u = 0; u < INTERLEAVE; u++) {
      s[u] = start(product, t);
      product = _mm256_add_epi64(product, step);
    }
#pragma GCC unroll 8
    for (int r = 0; r < LIMIT_ROUNDS - 1; r++) {
#pragma GCC unroll 2
      for (int u = 0; u < INTERLEAVE; u++)
        s[u] = round_of(s[u], t->k0[r], t->k1[r]);
    }
#pragma GCC unroll 2
    for (int u = 0; u < INTERLEAVE; u++)
      finish(out + 4 * (k + (size_t)u * BLOCKS), s[u], t, clamps);
  }
}

__attribute__((target("avx2,fma"))) void limit_avx2(float *out, uint32_t first, size_t count, const limit_tensor *t) {
  if (t->clamps) {
    fill(out, first, count, t, 1);
  } else {
    fill(out, first, count, t, 0);
  }
}
#endif
