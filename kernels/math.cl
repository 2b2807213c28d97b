/* The stream's elementary functions in float: logarithm, square root, sine and cosine, inverse normal. Built from
 * correctly rounded +, -, *, fma, conversions and integer operations alone, so that every device computes the same
 * bits. docs/stream.md writes each out operation by operation; tools/fit_polynomials.py finds the coefficients. */
#ifndef FANIN_MATH_CL
#define FANIN_MATH_CL

#include "lanes.cl"

/* The word as a number in (-1, 1), odd multiples of 2^-32: (int(w) + 1/2) 2^-31. */
static vfloat signed_unit(vuint w) {
  return fma(TO(float, AS(int, w)), (vfloat)(0x1p-31f), (vfloat)(0x1p-32f));
}

/* The word as a number in (0, 1]: (w + 1/2) 2^-32. */
static vfloat positive_unit(vuint w) {
  return fma(TO(float, w), (vfloat)(0x1p-32f), (vfloat)(0x1p-33f));
}

/* -2 ln(1 + s) for sqrt(1/2) <= 1 + s < sqrt(2), relative error 2.6e-8 before rounding. */
static vfloat neg2_log1p(vfloat s) {
  vfloat p = (vfloat)(-0x1.6541d0p-3f);
  p = fma(p, s, (vfloat)(0x1.263b16p-2f));
  p = fma(p, s, (vfloat)(-0x1.323938p-2f));
  p = fma(p, s, (vfloat)(0x1.5332bep-2f));
  p = fma(p, s, (vfloat)(-0x1.98b744p-2f));
  p = fma(p, s, (vfloat)(0x1.000570p-1f));
  p = fma(p, s, (vfloat)(-0x1.555792p-1f));
  p = fma(p, s, (vfloat)(0x1.fffff8p-1f));
  p = fma(p, s, (vfloat)(-0x1.000000p+1f));
  return p * s;
}

/* x = 2^exponent (1 + s) with sqrt(1/2) <= 1 + s < sqrt(2), for a positive normal x. */
static vfloat split(vfloat x, vfloat *s) {
  const vint i = AS(int, x) - 0x3f3504f3;
  *s = AS(float, (i & 0x007fffff) + 0x3f3504f3) - 1.0f;
  return TO(float, i >> 23);
}

/* -2 ln x for a positive normal x. */
static vfloat neg2_log(vfloat x) {
  vfloat s;
  const vfloat exponent = split(x, &s);
  return fma(exponent, (vfloat)(-0x1.62e430p+0f), neg2_log1p(s));
}

/* -2 ln u for u = (w + 1/2) 2^-32. Near u = 1 the logarithm's argument comes from the complement, u - 1, which is exact
 * where u itself would have rounded to 1. */
static vfloat neg2_log_unit(vuint w) {
  vfloat s;
  const vfloat exponent = split(positive_unit(w), &s);
  const vfloat complement = fma(TO(float, AS(int, w)), (vfloat)(0x1p-32f), (vfloat)(0x1p-33f));
  return fma(exponent, (vfloat)(-0x1.62e430p+0f), neg2_log1p(select(s, complement, exponent == 0.0f)));
}

/* sqrt(x) for a positive normal x: an integer estimate of 1 / sqrt(x), 3.5 % off, then one step of fourth order. */
static vfloat square_root(vfloat x) {
  const vfloat y = AS(float, 0x5f374740u - (AS(uint, x) >> 1));
  const vfloat r = x * y;
  const vfloat d = fma(-r, y, (vfloat)(1.0f));
  vfloat p = (vfloat)(0x1.19c818p-2f);
  p = fma(p, d, (vfloat)(0x1.41760ep-2f));
  p = fma(p, d, (vfloat)(0x1.7fff2ap-2f));
  p = fma(p, d, (vfloat)(0x1.ffff92p-2f));
  return fma(p, r * d, r);
}

/* 1 / x for a normal x between 1 and 2^100: an integer estimate, 12 % off, then three Newton steps. */
static vfloat reciprocal(vfloat x) {
  vfloat y = AS(float, 0x7ef311c7u - AS(uint, x));
  y = fma(y, fma(-x, y, (vfloat)(1.0f)), y);
  y = fma(y, fma(-x, y, (vfloat)(1.0f)), y);
  return fma(y, fma(-x, y, (vfloat)(1.0f)), y);
}

/* cos and sin of 2 pi (w + 1/2) 2^-32. The quadrant is in the word's upper bits; the rest, t in quarter turns about the
 * quadrant's middle, is exact in integers, so that neither function loses relative accuracy near its zeros. */
static void cos_sin(vuint w, vfloat *c, vfloat *s) {
  const vfloat t = fma(TO(float, AS(int, w << 2) >> 2), (vfloat)(0x1p-29f), (vfloat)(0x1p-30f));
  const vfloat tt = t * t;
  vfloat even = (vfloat)(-0x1.4e5ed6p-12f);
  even = fma(even, tt, (vfloat)(0x1.03af5cp-6f));
  even = fma(even, tt, (vfloat)(-0x1.3bd392p-2f));
  even = fma(even, tt, (vfloat)(1.0f));
  vfloat odd = (vfloat)(-0x1.2d9302p-15f);
  odd = fma(odd, tt, (vfloat)(0x1.465e92p-9f));
  odd = fma(odd, tt, (vfloat)(-0x1.4abbbap-4f));
  odd = fma(odd, tt, (vfloat)(0x1.921fb6p-1f));
  odd = odd * t;
  const vuint quadrant = w + 0x20000000u; /* in bits 31 and 30 */
  const vint swap = AS(int, quadrant << 1) < 0;
  *c = AS(float, AS(uint, select(even, odd, swap)) ^ ((quadrant ^ (quadrant << 1)) & 0x80000000u));
  *s = AS(float, AS(uint, select(odd, even, swap)) ^ (quadrant & 0x80000000u));
}

/* Box and Muller, "A note on the generation of random normal deviates", 1958: two words, two independent normals. */
static void box_muller(vuint radius_word, vuint angle_word, vfloat *z0, vfloat *z1) {
  vfloat c, s;
  const vfloat r = square_root(neg2_log_unit(radius_word));
  cos_sin(angle_word, &c, &s);
  *z0 = r * c;
  *z1 = r * s;
}

/* erf(sqrt(2)) = P(|z| <= 2): the inverse normal's core ends here. */
#define CORE_LIMIT 0x1.e8b432p-1f

/* z with P(|Z| <= |z|) = |x|, the sign of x, for |x| <= CORE_LIMIT: an odd polynomial, relative error 2.1e-7. */
static vfloat inverse_core(vfloat x) {
  const vfloat u = fma(x, x, (vfloat)(-0.4375f));
  vfloat p = (vfloat)(0x1.c63ec0p+16f);
  p = fma(p, u, (vfloat)(0x1.b94e48p+12f));
  p = fma(p, u, (vfloat)(-0x1.79803ap+16f));
  p = fma(p, u, (vfloat)(-0x1.b8c22cp+11f));
  p = fma(p, u, (vfloat)(0x1.0d4412p+15f));
  p = fma(p, u, (vfloat)(0x1.defc3ep+9f));
  p = fma(p, u, (vfloat)(-0x1.9d8222p+12f));
  p = fma(p, u, (vfloat)(-0x1.ca1f7cp+6f));
  p = fma(p, u, (vfloat)(0x1.7d52ccp+9f));
  p = fma(p, u, (vfloat)(0x1.28606cp+4f));
  p = fma(p, u, (vfloat)(-0x1.6e9298p+5f));
  p = fma(p, u, (vfloat)(0x1.144ba6p+1f));
  p = fma(p, u, (vfloat)(0x1.de741ep+1f));
  p = fma(p, u, (vfloat)(0x1.496c7ap+0f));
  p = fma(p, u, (vfloat)(0x1.bb210cp-1f));
  p = fma(p, u, (vfloat)(0x1.5d2380p-1f));
  p = fma(p, u, (vfloat)(0x1.26e8c8p-1f));
  p = fma(p, u, (vfloat)(0x1.38b0bcp-1f));
  p = fma(p, u, (vfloat)(0x1.72659cp+0f));
  return p * x;
}

/* z >= 2 with s = -2 ln P(Z > z): z^2 = s - k + g(k) / s with k = ln(2 pi s), which is the asymptotic series of the
 * tail with its remainder as a polynomial in k. Relative error of z 2e-8 before rounding, from 2 to infinity. */
static vfloat inverse_tail(vfloat s) {
  const vfloat k = neg2_log(s * 0x1.921fb6p+2f) * -0.5f;
  vfloat g = (vfloat)(0x1.970a4ap-11f);
  g = fma(g, k, (vfloat)(-0x1.58e55ep-6f));
  g = fma(g, k, (vfloat)(0x1.d38ef0p-3f));
  g = fma(g, k, (vfloat)(-0x1.a07b58p-3f));
  g = fma(g, k, (vfloat)(0x1.4ef492p-1f));
  return square_root(fma(g, reciprocal(s), s - k));
}

/* z with P(Z <= z) uniform on the interval that the parameters describe. x: P(|Z| <= |z|) signed like z; w: the word
 * that x was drawn from. In the tails x has lost what tells its values apart, so they start from the tail's own
 * probability, t = P(Z beyond z) / reference = width (rank + 1/2) 2^-32 + low with the word's rank from below, or +
 * high with its rank from above; s_reference = -2 ln reference keeps intervals far out from underflowing. */
static vfloat inverse(vfloat x, vuint w, float width, float low, float high, float s_reference) {
  const vint above = x > 0.0f;
  const vuint rank = w ^ select((vuint)(0x80000000u), (vuint)(0x7fffffffu), above);
  const vfloat t = fma((vfloat)(width), positive_unit(rank), select((vfloat)(low), (vfloat)(high), above));
  const vfloat tail = copysign(inverse_tail((vfloat)(s_reference) + neg2_log(t)), x);
  return select(tail, inverse_core(x), fabs(x) <= CORE_LIMIT);
}

#endif
