/* The limit with AVX-512: vectors for limit_laws.h.
 *
 * A word sits in the lower half of its block's lane, because that is the half that vpmuludq multiplies. So a round is,
 * for each of its two products, one multiplication, one shift that brings the product's upper half down, and one
 * three-way xor.
 *
 * INTERLEAVE vectors go through each step together: a product takes five cycles, and the processor's scheduler does not
 * look far enough ahead to fill them from the next iteration. */
#include "limit_kernels.h"

#if defined(LIMIT_X86)
#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512dq")))
#define INLINE static inline __attribute__((always_inline, target("avx512f,avx512dq")))
#define KERNEL limit_avx512
#define OCTAVE 0x1.62e430p+0f

enum { INTERLEAVE = 4, BLOCKS = 8 };

typedef __m512i words;
typedef __m512 reals;

INLINE words all(uint32_t word) {
  return _mm512_set1_epi32((int)word);
}

INLINE reals real(float x) {
  return _mm512_set1_ps(x);
}

/* ---- Philox ------------------------------------------------------------------------------------------------------ */

INLINE words block_numbers(uint32_t first) {
  return _mm512_add_epi64(_mm512_set1_epi64(first), _mm512_set_epi64(7, 3, 6, 2, 5, 1, 4, 0));
}

INLINE words add_lanes(words a, uint64_t number) {
  return _mm512_add_epi64(a, _mm512_set1_epi64((long long)number));
}

INLINE words times(words a, uint32_t m) {
  return _mm512_mul_epu32(a, all(m));
}

INLINE words down(words a) {
  return _mm512_srli_epi64(a, 32);
}

INLINE words xor2(words a, words b) {
  return _mm512_xor_si512(a, b);
}

/* 0x96 is the truth table of a ^ b ^ c. */
INLINE words xor3(words a, words b, words c) {
  return _mm512_ternarylogic_epi64(a, b, c, 0x96);
}

/* The lower halves of a with those of b above them, and the upper halves of b with those of a below them. */
INLINE words lower_halves(words a, words b) {
  return _mm512_castps_si512(_mm512_mask_moveldup_ps(_mm512_castsi512_ps(a), 0xAAAA, _mm512_castsi512_ps(b)));
}

INLINE words upper_halves(words a, words b) {
  return _mm512_castps_si512(_mm512_mask_movehdup_ps(_mm512_castsi512_ps(b), 0x5555, _mm512_castsi512_ps(a)));
}

INLINE void last_words(words p0, words p1, words c1, words c3, uint32_t k0, uint32_t k1, words *even, words *odd) {
  const words keys = _mm512_set1_epi64((long long)((uint64_t)k1 << 32 | k0));
  *even = xor3(upper_halves(p1, p0), lower_halves(c1, c3), keys);
  *odd = lower_halves(p1, p0);
}

/* ---- Laws -------------------------------------------------------------------------------------------------------- */

INLINE words add_words(words a, uint32_t number) {
  return _mm512_add_epi32(a, all(number));
}

INLINE words times4(words a) {
  return _mm512_slli_epi32(a, 2);
}

INLINE reals signed_real(words a) {
  return _mm512_cvtepi32_ps(a);
}

INLINE reals product(reals a, reals b) {
  return _mm512_mul_ps(a, b);
}

INLINE reals fused(reals a, reals b, reals c) {
  return _mm512_fmadd_ps(a, b, c);
}

INLINE reals negative_fused(reals a, reals b, reals c) {
  return _mm512_fnmadd_ps(a, b, c);
}

/* From b504f281 on, (w + 1/2) 2^-32 is rounded to at least sqrt(1/2): there the exponent is 0, and s is computed from
 * the signed word. Both kinds of words are converted by the same fma. Below, 2^-e is the exponent's bits inverted,
 * after an addition that carries where 1 + s would be below sqrt(1/2); 2^-e u - 1 is exact. -e is what vgetexpps says
 * of it. */
INLINE reals unit_split(words w, reals *s) {
  const __mmask16 is_far = _mm512_cmplt_epu32_mask(w, all(0xb504f281u));
  const reals number = _mm512_mask_cvtepu32_ps(_mm512_cvtepi32_ps(w), is_far, w);
  const reals unit = fused(number, real(0x1p-32f), real(0x1p-33f));
  const words carried = add_words(_mm512_castps_si512(unit), 0x00cafb0du);
  const reals scale = _mm512_castsi512_ps(_mm512_andnot_si512(carried, all(0x7f800000u)));
  *s = _mm512_mask_fmadd_ps(unit, is_far, scale, real(-1.0f));
  return _mm512_maskz_getexp_ps(is_far, scale);
}

/* 0xF8 is the truth table of a | (b & c). */
INLINE reals root_estimate(reals x, words q) {
  const words half = _mm512_srli_epi32(_mm512_castps_si512(x), 1);
  const words with_sign = _mm512_ternarylogic_epi32(half, q, all(0x80000000u), 0xF8);
  return _mm512_castsi512_ps(_mm512_sub_epi32(all(0x5f374740u), with_sign));
}

INLINE void rotate(words q, reals *c, reals *s) {
  const __mmask16 turns = _mm512_test_epi32_mask(q, all(0x40000000u));
  const reals cosine = *c, sine = *s;
  *s = _mm512_mask_blend_ps(turns, sine, cosine);
  *c = _mm512_mask_xor_ps(cosine, turns, sine, real(-0.0f));
}

/* Within symmetric bounds: the smaller magnitude, with the value's sign. */
INLINE reals clamp(reals v, const limit_tensor *t, limit_bounds bounds) {
  if (bounds == LIMIT_SYMMETRIC) return _mm512_range_ps(v, real(t->upper), 2);
  if (bounds == LIMIT_CLAMPED) return _mm512_min_ps(_mm512_max_ps(v, real(t->lower)), real(t->upper));
  return v;
}

/* ---- Stores ------------------------------------------------------------------------------------------------------ */

INLINE void store_blocks(float *out, reals even, reals odd, bool streams) {
  const reals first = _mm512_unpacklo_ps(even, odd), second = _mm512_unpackhi_ps(even, odd);
  if (streams) {
    _mm512_stream_ps(out, first);
    _mm512_stream_ps(out + 16, second);
  } else {
    _mm512_storeu_ps(out, first);
    _mm512_storeu_ps(out + 16, second);
  }
}

INLINE void end_streams(void) {
  _mm_sfence();
}

#include "limit_laws.h"
#endif
