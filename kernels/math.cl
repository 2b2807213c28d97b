/* The stream's elementary functions in float: logarithm, square root, sine and cosine, inverse normal. Built from
 * correctly rounded +, -, *, fma, conversions and integer operations alone, so that every device computes the same
 * bits. docs/stream.md writes each out operation by operation; tools/fit_polynomials.py finds the coefficients. Arrays
 * are of vectors side by side, which most functions work on in place. */
#ifndef FANIN_MATH_CL
#define FANIN_MATH_CL

#include "store.cl"

/* p = the polynomial of x with the coefficients c, that of the highest power first. */
#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))
#define HORNER(p, x, c)                                                                                                \
  do {                                                                                                                 \
    ALL(i)(p)[i] = (vfloat)((c)[0]);                                                                                   \
    _Pragma("unroll") for (int step = 1; step < COUNT(c); ++step) {                                                    \
      ALL(i)(p)[i] = fma((p)[i], (x)[i], (vfloat)((c)[step]));                                                         \
    }                                                                                                                  \
  } while (0)

/* The word as a number in (-1, 1), odd multiples of 2^-32: (int(w) + 1/2) 2^-31. */
static vfloat signed_unit(vuint w) {
  return fma(TO(float, AS(int, w)), (vfloat)(0x1p-31f), (vfloat)(0x1p-32f));
}

/* The word as a number in (0, 1]: (w + 1/2) 2^-32. */
static vfloat positive_unit(vuint w) {
  return fma(TO(float, w), (vfloat)(0x1p-32f), (vfloat)(0x1p-33f));
}

/* -2 ln(1 + s) / s for sqrt(1/2) <= 1 + s < sqrt(2), relative error 2.6e-8 before rounding. */
constant float LOG1P[] = {-0x1.6541d0p-3f, 0x1.263b16p-2f,  -0x1.323938p-2f, 0x1.5332bep-2f, -0x1.98b744p-2f,
                          0x1.000570p-1f,  -0x1.555792p-1f, 0x1.fffff8p-1f,  -0x1.000000p+1f};

/* -2 ln(2^exponent (1 + s)), to `out`, which may be s. */
static void neg2_log_of(const vfloat exponent[TOGETHER], const vfloat s[TOGETHER], vfloat out[TOGETHER]) {
  vfloat p[TOGETHER];
  HORNER(p, s, LOG1P);
  ALL(i) out[i] = fma(exponent[i], (vfloat)(-0x1.62e430p+0f), p[i] * s[i]);
}

/* x = 2^exponent (1 + s) with sqrt(1/2) <= 1 + s < sqrt(2), for a positive normal x. */
static vfloat split(vfloat x, vfloat *s) {
  const vint i = AS(int, x) - 0x3f3504f3;
  *s = AS(float, (i & 0x007fffff) + 0x3f3504f3) - 1.0f;
  return TO(float, i >> 23);
}

/* x = -2 ln x for positive normal x. */
static void neg2_log(vfloat x[TOGETHER]) {
  vfloat s[TOGETHER], exponent[TOGETHER];
  ALL(i) exponent[i] = split(x[i], &s[i]);
  neg2_log_of(exponent, s, x);
}

/* -2 ln u for u = (w + 1/2) 2^-32. Near u = 1 the logarithm's argument comes from the complement, u - 1, which is exact
 * where u itself would have rounded to 1. */
static void neg2_log_unit(const vuint w[TOGETHER], vfloat out[TOGETHER]) {
  vfloat s[TOGETHER], exponent[TOGETHER];
  ALL(i) {
    exponent[i] = split(positive_unit(w[i]), &s[i]);
    const vfloat complement = fma(TO(float, AS(int, w[i])), (vfloat)(0x1p-32f), (vfloat)(0x1p-33f));
    s[i] = exponent[i] == 0.0f ? complement : s[i];
  }
  neg2_log_of(exponent, s, out);
}

/* sqrt(x) for a positive normal x: an integer estimate of 1 / sqrt(x), 3.5 % off, then one step of fourth order. */
constant float ROOT[] = {0x1.19c818p-2f, 0x1.41760ep-2f, 0x1.7fff2ap-2f, 0x1.ffff92p-2f};

static void square_root(vfloat x[TOGETHER]) {
  vfloat d[TOGETHER], p[TOGETHER];
  ALL(i) {
    const vfloat y = AS(float, 0x5f374740u - (AS(uint, x[i]) >> 1));
    x[i] = x[i] * y;
    d[i] = fma(-x[i], y, (vfloat)(1.0f));
  }
  HORNER(p, d, ROOT);
  ALL(i) x[i] = fma(p[i], x[i] * d[i], x[i]);
}

/* 1 / x for a normal x between 1 and 2^100: an integer estimate, 12 % off, then three Newton steps. */
static vfloat reciprocal(vfloat x) {
  vfloat y = AS(float, 0x7ef311c7u - AS(uint, x));
  y = fma(y, fma(-x, y, (vfloat)(1.0f)), y);
  y = fma(y, fma(-x, y, (vfloat)(1.0f)), y);
  return fma(y, fma(-x, y, (vfloat)(1.0f)), y);
}

constant float COSINE[] = {-0x1.4e5ed6p-12f, 0x1.03af5cp-6f, -0x1.3bd392p-2f, 1.0f};
constant float SINE[] = {-0x1.2d9302p-15f, 0x1.465e92p-9f, -0x1.4abbbap-4f, 0x1.921fb6p-1f};

/* cos and sin of 2 pi (w + 1/2) 2^-32. The quadrant is in the word's upper bits; the rest, t in quarter turns about the
 * quadrant's middle, is exact in integers, so that neither function loses relative accuracy near its zeros. */
static void cos_sin(const vuint w[TOGETHER], vfloat c[TOGETHER], vfloat s[TOGETHER]) {
  vfloat t[TOGETHER], tt[TOGETHER], even[TOGETHER], odd[TOGETHER];
  ALL(i) {
    t[i] = fma(TO(float, AS(int, w[i] << 2) >> 2), (vfloat)(0x1p-29f), (vfloat)(0x1p-30f));
    tt[i] = t[i] * t[i];
  }
  HORNER(even, tt, COSINE);
  HORNER(odd, tt, SINE);
  ALL(i) {
    const vfloat sine = odd[i] * t[i];
    const vuint quadrant = w[i] + 0x20000000u; /* in bits 31 and 30 */
    const vint swap = AS(int, quadrant << 1) < 0;
    const vfloat x = swap ? sine : even[i], y = swap ? even[i] : sine;
    c[i] = AS(float, AS(uint, x) ^ ((quadrant ^ (quadrant << 1)) & 0x80000000u));
    s[i] = AS(float, AS(uint, y) ^ (quadrant & 0x80000000u));
  }
}

/* Box and Muller, "A note on the generation of random normal deviates", 1958: two words, two independent normals. */
static void box_muller(const vuint radius[TOGETHER], const vuint angle[TOGETHER], vfloat z0[TOGETHER],
                       vfloat z1[TOGETHER]) {
  vfloat r[TOGETHER];
  cos_sin(angle, z0, z1);
  neg2_log_unit(radius, r);
  square_root(r);
  ALL(i) {
    z0[i] *= r[i];
    z1[i] *= r[i];
  }
}

/* erf(sqrt(2)) = P(|z| <= 2): the inverse normal's core ends here. */
#define CORE_LIMIT 0x1.e8b432p-1f

constant float CORE[] = {0x1.c63ec0p+16f, 0x1.b94e48p+12f,  -0x1.79803ap+16f, -0x1.b8c22cp+11f, 0x1.0d4412p+15f,
                         0x1.defc3ep+9f,  -0x1.9d8222p+12f, -0x1.ca1f7cp+6f,  0x1.7d52ccp+9f,   0x1.28606cp+4f,
                         -0x1.6e9298p+5f, 0x1.144ba6p+1f,   0x1.de741ep+1f,   0x1.496c7ap+0f,   0x1.bb210cp-1f,
                         0x1.5d2380p-1f,  0x1.26e8c8p-1f,   0x1.38b0bcp-1f,   0x1.72659cp+0f};

/* z with P(|Z| <= |z|) = |x|, the sign of x, for |x| <= CORE_LIMIT: an odd polynomial, relative error 2.1e-7. */
static void inverse_core(const vfloat x[TOGETHER], vfloat z[TOGETHER]) {
  vfloat u[TOGETHER];
  ALL(i) u[i] = fma(x[i], x[i], (vfloat)(-0.4375f));
  HORNER(z, u, CORE);
  ALL(i) z[i] *= x[i];
}

constant float TAIL[] = {0x1.970a4ap-11f, -0x1.58e55ep-6f, 0x1.d38ef0p-3f, -0x1.a07b58p-3f, 0x1.4ef492p-1f};

/* s = z >= 2 with s = -2 ln P(Z > z): z^2 = s - k + g(k) / s with k = ln(2 pi s), which is the asymptotic series of the
 * tail with its remainder as a polynomial in k. Relative error of z 2e-8 before rounding, from 2 to infinity. */
static void inverse_tail(vfloat s[TOGETHER]) {
  vfloat k[TOGETHER], g[TOGETHER];
  ALL(i) k[i] = s[i] * 0x1.921fb6p+2f;
  neg2_log(k);
  ALL(i) k[i] *= -0.5f;
  HORNER(g, k, TAIL);
  ALL(i) s[i] = fma(g[i], reciprocal(s[i]), s[i] - k[i]);
  square_root(s);
}

/* z with P(Z <= z) uniform on the interval that the parameters describe. x: P(|Z| <= |z|) signed like z; w: the word
 * that x was drawn from. In the tails x has lost what tells its values apart, so they start from the tail's own
 * probability, t = P(Z beyond z) / reference = width (rank + 1/2) 2^-32 + low with the word's rank from below, or +
 * high with its rank from above; s_reference = -2 ln reference keeps intervals far out from underflowing. */
static void inverse(const vfloat x[TOGETHER], const vuint w[TOGETHER], float width, float low, float high,
                    float s_reference, vfloat z[TOGETHER]) {
  vfloat tail[TOGETHER];
  ALL(i) {
    const vint above = x[i] > 0.0f;
    const vuint rank = w[i] ^ (above ? (vuint)(0x7fffffffu) : (vuint)(0x80000000u));
    tail[i] = fma((vfloat)(width), positive_unit(rank), above ? (vfloat)(high) : (vfloat)(low));
  }
  neg2_log(tail);
  ALL(i) tail[i] = (vfloat)(s_reference) + tail[i];
  inverse_tail(tail);
  inverse_core(x, z);
  ALL(i) z[i] = fabs(x[i]) <= CORE_LIMIT ? z[i] : copysign(tail[i], x[i]);
}

#endif
