/* The limit with AVX2 and FMA: vectors for limit_laws.h, in the form of limit_avx512.c with half as many blocks. There
 * is no three-way xor and no mask here. The states of INTERLEAVE vectors do not fit into sixteen registers; what is
 * kept in memory takes less time than waiting for products: llvm-mca 19, which models Zen 4, counts 1.9 cycles for a
 * uniform number, and 2.7 with two vectors. */
#include "limit_kernels.h"

#if defined(LIMIT_X86)
#include <immintrin.h>

#define TARGET __attribute__((target("avx2,fma")))
#define INLINE static inline __attribute__((always_inline, target("avx2,fma")))
#define KERNEL limit_avx2
#define OCTAVE -0x1.62e430p+0f

enum { INTERLEAVE = 4, BLOCKS = 4 };

typedef __m256i words;
typedef __m256 reals;

INLINE words all(uint32_t word) {
  return _mm256_set1_epi32((int)word);
}

INLINE reals real(float x) {
  return _mm256_set1_ps(x);
}

INLINE words bits(reals x) {
  return _mm256_castps_si256(x);
}

INLINE reals from_bits(words a) {
  return _mm256_castsi256_ps(a);
}

/* ---- Philox ------------------------------------------------------------------------------------------------------ */

INLINE words block_numbers(uint32_t first) {
  return _mm256_add_epi64(_mm256_set1_epi64x(first), _mm256_set_epi64x(3, 1, 2, 0));
}

INLINE words add_lanes(words a, uint64_t number) {
  return _mm256_add_epi64(a, _mm256_set1_epi64x((long long)number));
}

INLINE words times(words a, uint32_t m) {
  return _mm256_mul_epu32(a, all(m));
}

INLINE words down(words a) {
  return _mm256_srli_epi64(a, 32);
}

INLINE words xor2(words a, words b) {
  return _mm256_xor_si256(a, b);
}

INLINE words xor3(words a, words b, words c) {
  return xor2(xor2(a, b), c);
}

/* Of every two lanes the lower halves of a, then those of b; and the upper halves. */
INLINE words lower_halves(words a, words b) {
  return bits(_mm256_shuffle_ps(from_bits(a), from_bits(b), 0x88));
}

INLINE words upper_halves(words a, words b) {
  return bits(_mm256_shuffle_ps(from_bits(a), from_bits(b), 0xDD));
}

INLINE void last_words(words p0, words p1, words c1, words c3, uint32_t k0, uint32_t k1, words *even, words *odd) {
  const words keys = lower_halves(all(k0), all(k1));
  *even = xor3(upper_halves(p1, p0), lower_halves(c1, c3), keys);
  *odd = lower_halves(p1, p0);
}

/* ---- Laws -------------------------------------------------------------------------------------------------------- */

INLINE words add_words(words a, uint32_t number) {
  return _mm256_add_epi32(a, all(number));
}

INLINE words times4(words a) {
  return _mm256_slli_epi32(a, 2);
}

INLINE reals signed_real(words a) {
  return _mm256_cvtepi32_ps(a);
}

INLINE reals product(reals a, reals b) {
  return _mm256_mul_ps(a, b);
}

INLINE reals fused(reals a, reals b, reals c) {
  return _mm256_fmadd_ps(a, b, c);
}

INLINE reals negative_fused(reals a, reals b, reals c) {
  return _mm256_fnmadd_ps(a, b, c);
}

/* Words as numbers, rounded once: the upper and the lower half convert exactly. */
INLINE reals unsigned_real(words w) {
  const words low = _mm256_blend_epi16(w, _mm256_setzero_si256(), 0xAA), high = _mm256_srli_epi32(w, 16);
  return fused(signed_real(high), real(0x1p16f), signed_real(low));
}

/* `carried` is negative where the exponent is: elsewhere s is computed from the signed word. */
INLINE reals unit_split(words w, reals *s) {
  const reals unit = fused(unsigned_real(w), real(0x1p-32f), real(0x1p-33f));
  const words carried = add_words(bits(unit), 0u - 0x3f3504f3u);
  const words digits = _mm256_and_si256(carried, all(0x007fffffu));
  const reals far = _mm256_sub_ps(from_bits(add_words(digits, 0x3f3504f3u)), real(1.0f));
  const reals near = fused(signed_real(w), real(0x1p-32f), real(0x1p-33f));
  *s = _mm256_blendv_ps(near, far, from_bits(carried));
  return signed_real(_mm256_srai_epi32(carried, 23));
}

INLINE reals root_estimate(reals x, words q) {
  const reals minuend = _mm256_blendv_ps(from_bits(all(0x5f374740u)), from_bits(all(0xdf374740u)), from_bits(q));
  return from_bits(_mm256_sub_epi32(bits(minuend), _mm256_srli_epi32(bits(x), 1)));
}

INLINE void rotate(words q, reals *c, reals *s) {
  const reals turns = from_bits(_mm256_slli_epi32(q, 1)), cosine = *c, sine = *s;
  *s = _mm256_blendv_ps(sine, cosine, turns);
  *c = _mm256_blendv_ps(cosine, _mm256_xor_ps(sine, real(-0.0f)), turns);
}

INLINE reals clamp(reals v, const limit_tensor *t, limit_bounds bounds) {
  if (bounds == LIMIT_INSIDE) return v;
  return _mm256_min_ps(_mm256_max_ps(v, real(t->lower)), real(t->upper));
}

/* ---- Stores ------------------------------------------------------------------------------------------------------ */

/* Of every two lanes, the unpacked vectors hold elements 0 and 1 of both blocks, and elements 2 and 3. */
INLINE void store_blocks(float *out, reals even, reals odd, bool streams) {
  const __m256d low = _mm256_castps_pd(_mm256_unpacklo_ps(even, odd));
  const __m256d high = _mm256_castps_pd(_mm256_unpackhi_ps(even, odd));
  const reals first = _mm256_castpd_ps(_mm256_unpacklo_pd(low, high));
  const reals second = _mm256_castpd_ps(_mm256_unpackhi_pd(low, high));
  if (streams) {
    _mm256_stream_ps(out, first);
    _mm256_stream_ps(out + 8, second);
  } else {
    _mm256_storeu_ps(out, first);
    _mm256_storeu_ps(out + 8, second);
  }
}

INLINE void end_streams(void) {
  _mm_sfence();
}

#include "limit_laws.h"
#endif
