/* The limit without vector instructions: vectors of a single block for limit_laws.h, in C11 alone. */
#include <math.h>
#include <string.h>

#include "limit_kernels.h"

#define TARGET
#define INLINE static inline
#define KERNEL limit_portable
#define OCTAVE -0x1.62e430p+0f

enum { INTERLEAVE = 1, BLOCKS = 1 };

typedef uint64_t words;
typedef struct reals {
  float lower, upper;
} reals;

INLINE words join(uint32_t lower, uint32_t upper) {
  return (words)upper << 32 | lower;
}

INLINE words all(uint32_t word) {
  return join(word, word);
}

INLINE reals real(float x) {
  return (reals){x, x};
}

/* What f makes of each half. */
#define REALS_OF_WORDS(f, a) ((reals){f((uint32_t)(a)), f((uint32_t)((a) >> 32))})
#define REALS_OF(f, a, b, c) ((reals){f((a).lower, (b).lower, (c).lower), f((a).upper, (b).upper, (c).upper)})

/* ---- Philox ------------------------------------------------------------------------------------------------------ */

INLINE words block_numbers(uint32_t first) {
  return first;
}

INLINE words add_lanes(words a, uint64_t number) {
  return a + number;
}

INLINE words times(words a, uint32_t m) {
  return (a & 0xffffffffu) * m;
}

INLINE words down(words a) {
  return a >> 32;
}

INLINE words xor2(words a, words b) {
  return a ^ b;
}

INLINE words xor3(words a, words b, words c) {
  return a ^ b ^ c;
}

INLINE void last_words(words p0, words p1, words c1, words c3, uint32_t k0, uint32_t k1, words *even, words *odd) {
  *even = join((uint32_t)(p1 >> 32) ^ (uint32_t)c1 ^ k0, (uint32_t)(p0 >> 32) ^ (uint32_t)c3 ^ k1);
  *odd = join((uint32_t)p1, (uint32_t)p0);
}

/* ---- Numbers ----------------------------------------------------------------------------------------------------- */

INLINE uint32_t bits(float x) {
  uint32_t word;
  memcpy(&word, &x, sizeof word);
  return word;
}

INLINE float from_bits(uint32_t word) {
  float x;
  memcpy(&x, &word, sizeof x);
  return x;
}

INLINE int32_t as_signed(uint32_t word) {
  int32_t number;
  memcpy(&number, &word, sizeof number);
  return number;
}

INLINE float signed_one(uint32_t word) {
  return (float)as_signed(word);
}

INLINE float product_one(float a, float b, float unused) {
  (void)unused;
  return a * b;
}

INLINE float negative_fused_one(float a, float b, float c) {
  return fmaf(-a, b, c);
}

INLINE float clamp_one(float x, float lower, float upper) {
  return x < lower ? lower : x > upper ? upper : x;
}

INLINE words add_words(words a, uint32_t number) {
  return join((uint32_t)a + number, (uint32_t)(a >> 32) + number);
}

INLINE words times4(words a) {
  return join((uint32_t)a << 2, (uint32_t)(a >> 32) << 2);
}

INLINE reals signed_real(words a) {
  return REALS_OF_WORDS(signed_one, a);
}

INLINE reals product(reals a, reals b) {
  return REALS_OF(product_one, a, b, b);
}

INLINE reals fused(reals a, reals b, reals c) {
  return REALS_OF(fmaf, a, b, c);
}

INLINE reals negative_fused(reals a, reals b, reals c) {
  return REALS_OF(negative_fused_one, a, b, c);
}

/* ---- Laws -------------------------------------------------------------------------------------------------------- */

INLINE float split_one(uint32_t w, float *s) {
  const uint32_t carried = bits(fmaf((float)w, 0x1p-32f, 0x1p-33f)) - 0x3f3504f3u;
  *s = from_bits((carried & 0x007fffffu) + 0x3f3504f3u) - 1.0f;
  if (as_signed(carried) >= 0) *s = fmaf(signed_one(w), 0x1p-32f, 0x1p-33f);
  return (float)as_signed(carried & 0xff800000u) * 0x1p-23f;
}

INLINE reals unit_split(words w, reals *s) {
  const float lower = split_one((uint32_t)w, &s->lower), upper = split_one((uint32_t)(w >> 32), &s->upper);
  return (reals){lower, upper};
}

INLINE float root_one(float x, uint32_t q) {
  return from_bits(0x5f374740u - (bits(x) >> 1 | (q & 0x80000000u)));
}

INLINE reals root_estimate(reals x, words q) {
  return (reals){root_one(x.lower, (uint32_t)q), root_one(x.upper, (uint32_t)(q >> 32))};
}

INLINE void rotate_one(uint32_t q, float *c, float *s) {
  const float cosine = *c, sine = *s;
  if (q & 0x40000000u) *c = -sine, *s = cosine;
}

INLINE void rotate(words q, reals *c, reals *s) {
  rotate_one((uint32_t)q, &c->lower, &s->lower);
  rotate_one((uint32_t)(q >> 32), &c->upper, &s->upper);
}

INLINE reals clamp(reals v, const limit_tensor *t, limit_bounds bounds) {
  return bounds == LIMIT_INSIDE ? v : REALS_OF(clamp_one, v, real(t->lower), real(t->upper));
}

/* ---- Stores ------------------------------------------------------------------------------------------------------ */

/* C has no non-temporal stores, and limit.c asks for none. */
INLINE void store_blocks(float *out, reals even, reals odd, bool streams) {
  (void)streams;
  out[0] = even.lower;
  out[1] = odd.lower;
  out[2] = even.upper;
  out[3] = odd.upper;
}

INLINE void end_streams(void) {}

#include "limit_laws.h"
