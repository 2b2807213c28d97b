/* Section 2 of docs/stream.md: the elementary functions of f32, f16 and bf16. */
#include "oracle.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

const float oracle_core_limit32 = 0x1.e8b432p-1F;

#define POLY(x, coefficients) poly((x), (coefficients), sizeof(coefficients) / sizeof *(coefficients))

static float poly(float x, const float *c, size_t n) {
  float p = c[n - 1];
  for (size_t k = n - 1; k-- > 0;) {
    p = fmaf(p, x, c[k]);
  }
  return p;
}

static uint32_t bits_of(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

static float from_bits(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

/* Two's complement, without what C leaves to the implementation. */
static int32_t as_signed(uint32_t w) {
  return w < UINT32_C(0x80000000) ? (int32_t)w : -(int32_t)~w - 1;
}

/* n >> shift, keeping the sign. */
static int32_t shift_right(int32_t n, int shift) {
  return n >= 0 ? n >> shift : ~(~n >> shift);
}

float oracle_signed_unit32(uint32_t w) {
  return fmaf((float)as_signed(w), 0x1p-31F, 0x1p-32F);
}

float oracle_positive_unit32(uint32_t w) {
  return fmaf((float)w, 0x1p-32F, 0x1p-33F);
}

static float split(float x, float *s) {
  const uint32_t i = bits_of(x) - UINT32_C(0x3f3504f3);
  *s = from_bits((i & UINT32_C(0x007fffff)) + UINT32_C(0x3f3504f3)) - 1.0F;
  return (float)shift_right(as_signed(i), 23);
}

static float neg2_log1p(float s) {
  static const float c[] = {-0x1.000000p+1F, 0x1.fffff8p-1F,  -0x1.555792p-1F, 0x1.000570p-1F, -0x1.98b744p-2F,
                            0x1.5332bep-2F,  -0x1.323938p-2F, 0x1.263b16p-2F,  -0x1.6541d0p-3F};
  return POLY(s, c) * s;
}

static float join(float e, float s) {
  return fmaf(e, -0x1.62e430p+0F, neg2_log1p(s));
}

float oracle_neg2_log32(float x) {
  float s;
  const float e = split(x, &s);
  return join(e, s);
}

float oracle_neg2_log_unit32(uint32_t w) {
  float s;
  const float e = split(oracle_positive_unit32(w), &s);
  if (e == 0.0F) s = fmaf((float)as_signed(w), 0x1p-32F, 0x1p-33F);
  return join(e, s);
}

float oracle_square_root32(float x) {
  static const float c[] = {0x1.ffff92p-2F, 0x1.7fff2ap-2F, 0x1.41760ep-2F, 0x1.19c818p-2F};
  const float y = from_bits(UINT32_C(0x5f374740) - (bits_of(x) >> 1));
  const float r = x * y;
  const float d = fmaf(-r, y, 1.0F);
  return fmaf(POLY(d, c), r * d, r);
}

static float reciprocal(float x) {
  float y = from_bits(UINT32_C(0x7ef311c7) - bits_of(x));
  for (int k = 0; k < 3; k++) {
    y = fmaf(y, fmaf(-x, y, 1.0F), y);
  }
  return y;
}

/* The quadrant is in the two upper bits of q. */
static void cos_sin_of(float t, uint32_t q, float *c, float *s) {
  static const float even_c[] = {1.0F, -0x1.3bd392p-2F, 0x1.03af5cp-6F, -0x1.4e5ed6p-12F};
  static const float odd_c[] = {0x1.921fb6p-1F, -0x1.4abbbap-4F, 0x1.465e92p-9F, -0x1.2d9302p-15F};
  const float tt = t * t, even = POLY(tt, even_c), odd = POLY(tt, odd_c) * t;
  const uint32_t bit31 = q >> 31, bit30 = (q >> 30) & 1;
  *c = bit30 ? odd : even;
  *s = bit30 ? even : odd;
  if (bit31 != bit30) *c = -*c;
  if (bit31) *s = -*s;
}

void oracle_cos_sin32(uint32_t w, float *c, float *s) {
  const float t = fmaf((float)shift_right(as_signed(w << 2), 2), 0x1p-29F, 0x1p-30F);
  cos_sin_of(t, w + UINT32_C(0x20000000), c, s);
}

void oracle_cos_sin_at32(uint64_t angle, float *c, float *s) {
  const uint64_t middle = angle + (UINT64_C(1) << 61), rest = middle % (UINT64_C(1) << 62);
  const int64_t r = (int64_t)rest - (INT64_C(1) << 61), upper = r >= 0 ? r >> 32 : ~(~r >> 32);
  const float t = fmaf((float)(int32_t)upper, 0x1p-29F, (float)(uint32_t)(r - upper * (INT64_C(1) << 32)) * 0x1p-61F);
  cos_sin_of(t, (uint32_t)(middle >> 32), c, s);
}

float oracle_inverse_core32(float x) {
  static const float c[] = {0x1.72659cp+0F,   0x1.38b0bcp-1F,   0x1.26e8c8p-1F,   0x1.5d2380p-1F,  0x1.bb210cp-1F,
                            0x1.496c7ap+0F,   0x1.de741ep+1F,   0x1.144ba6p+1F,   -0x1.6e9298p+5F, 0x1.28606cp+4F,
                            0x1.7d52ccp+9F,   -0x1.ca1f7cp+6F,  -0x1.9d8222p+12F, 0x1.defc3ep+9F,  0x1.0d4412p+15F,
                            -0x1.b8c22cp+11F, -0x1.79803ap+16F, 0x1.b94e48p+12F,  0x1.c63ec0p+16F};
  return POLY(fmaf(x, x, -0.4375F), c) * x;
}

float oracle_inverse_tail32(float s) {
  static const float c[] = {0x1.4ef492p-1F, -0x1.a07b58p-3F, 0x1.d38ef0p-3F, -0x1.58e55ep-6F, 0x1.970a4ap-11F};
  const float k = oracle_neg2_log32(s * 0x1.921fb6p+2F) * -0.5F;
  const float g = POLY(k, c);
  return oracle_square_root32(fmaf(g, reciprocal(s), s - k));
}

float oracle_exp2_32(float x, int n) {
  static const float c[] = {0x1.000000p+0F, 0x1.62e430p-1F,  0x1.ebfbdap-3F, 0x1.c6aed4p-5F,
                            0x1.3b2dbcp-7F, 0x1.5f456cp-10F, 0x1.41d314p-13F};
  const float b = x + 0x1.8p+23F, r = x - (b - 0x1.8p+23F);
  return from_bits(bits_of(POLY(r, c)) + ((bits_of(b) - UINT32_C(0x4b400000) + (uint32_t)n) << 23));
}

float oracle_inverse_softplus32(float y, float t) {
  static const float c[] = {0x1.55554cp-5F, -0x1.6bf910p-12F, 0x1.64ebccp-18F};
  if (y <= 1) return fmaf(fmaf(POLY(y * y, c), y, 0.5F), y, t);
  const float least = oracle_exp2_32(fminf(y, 64) * -0x1.715476p+0F, 0);
  return fmaf(oracle_neg2_log32(1 - least), -0.5F, y);
}
