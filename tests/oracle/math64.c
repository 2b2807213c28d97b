/* Section 3 of docs/stream.md: the elementary functions of f64. */
#include "oracle.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

const double oracle_core_limit64 = 0.85;

#define POLY(x, coefficients) poly((x), (coefficients), sizeof(coefficients) / sizeof *(coefficients))
#define MINUS_2_LN_2          (-0x1.62e42fefa39efp+0)
#define TWO_PI                0x1.921fb54442d18p+2

static double poly(double x, const double *c, size_t n) {
  double p = c[n - 1];
  for (size_t k = n - 1; k-- > 0;) {
    p = fma(p, x, c[k]);
  }
  return p;
}

static uint64_t bits_of(double x) {
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

static double from_bits(uint64_t bits) {
  double x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

static int64_t as_signed(uint64_t d) {
  return d < UINT64_C(1) << 63 ? (int64_t)d : -(int64_t)~d - 1;
}

static int64_t shift_right(int64_t n, int shift) {
  return n >= 0 ? n >> shift : ~(~n >> shift);
}

double oracle_signed_unit64(uint64_t d) {
  return fma((double)as_signed(d), 0x1p-63, 0x1p-64);
}

double oracle_positive_unit64(uint64_t d) {
  return fma((double)d, 0x1p-64, 0x1p-65);
}

static double split(double x, double *s) {
  const uint64_t i = bits_of(x) - UINT64_C(0x3fe6a09e667f3bcd);
  *s = from_bits((i & UINT64_C(0x000fffffffffffff)) + UINT64_C(0x3fe6a09e667f3bcd)) - 1.0;
  return (double)shift_right(as_signed(i), 52);
}

static double neg2_log1p(double s) {
  static const double c[] = {0x1.5555555555558p-1, 0x1.9999999995230p-2, 0x1.2492492e02a1ep-2, 0x1.c71c62d1cee00p-3,
                             0x1.7462b9b6fac37p-3, 0x1.39fdc7e8bd7ebp-3, 0x1.2b5f0a311ef55p-3};
  const double q = s / (2.0 + s), qq = q * q, p = POLY(qq, c);
  return -2.0 * fma(-q, fma(-p, qq, s), s);
}

static double join(double e, double s) {
  return fma(e, MINUS_2_LN_2, neg2_log1p(s));
}

double oracle_neg2_log64(double x) {
  double s;
  const double e = split(x, &s);
  return join(e, s);
}

double oracle_neg2_log_unit64(uint64_t d) {
  double s;
  const double e = split(oracle_positive_unit64(d), &s);
  if (e == 0.0) s = fma((double)as_signed(d), 0x1p-64, 0x1p-65);
  return join(e, s);
}

/* The quadrant is in the two upper bits of q. */
static void cos_sin_of(double t, uint64_t q, double *c, double *s) {
  static const double even_c[] = {1.0,
                                  -0x1.3bd3cc9be45dep-2,
                                  0x1.03c1f081b5aacp-6,
                                  -0x1.55d3c7e3c90fdp-12,
                                  0x1.e1f50683565a9p-19,
                                  -0x1.a6d1ec795faf9p-26,
                                  0x1.f9cc4154b7f1bp-34,
                                  -0x1.b264cc8f5a8a1p-42};
  static const double odd_c[] = {0x1.921fb54442d18p-1,   -0x1.4abbce625be41p-4, 0x1.466bc67758700p-9,
                                 -0x1.32d2cce2d5418p-15, 0x1.50782fca4376cp-22, -0x1.e30063a95bdb2p-30,
                                 0x1.e3eed8c16e6f1p-38};
  const double tt = t * t, even = POLY(tt, even_c), odd = POLY(tt, odd_c) * t;
  const uint64_t bit63 = q >> 63, bit62 = (q >> 62) & 1;
  *c = bit62 ? odd : even;
  *s = bit62 ? even : odd;
  if (bit63 != bit62) *c = -*c;
  if (bit63) *s = -*s;
}

void oracle_cos_sin64(uint64_t d, double *c, double *s) {
  const double t = fma((double)shift_right(as_signed(d << 2), 2), 0x1p-61, 0x1p-62);
  cos_sin_of(t, d + UINT64_C(0x2000000000000000), c, s);
}

void oracle_cos_sin_at64(uint64_t angle, double *c, double *s) {
  const uint64_t middle = angle + (UINT64_C(1) << 61), rest = middle % (UINT64_C(1) << 62);
  cos_sin_of((double)((int64_t)rest - (INT64_C(1) << 61)) * 0x1p-61, middle, c, s);
}

/* Wichura's PPND16 (AS 241): a and b, c and d, e and f, denominators beginning with 1. */
typedef struct rational_set {
  double numerator[8], denominator[8];
} rational_set;

static const rational_set first_set = {
    {3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4,
     4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3},
    {1.0, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3, 2.1213794301586595867e4,
     3.9307895800092710610e4, 2.8729085735721942674e4, 5.2264952788528545610e3}};
static const rational_set second_set = {
    {1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0, 3.64784832476320460504e0,
     1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4},
    {1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1, 1.48103976427480074590e-1,
     1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9}};
static const rational_set third_set = {
    {6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0, 2.96560571828504891230e-1,
     2.65321895265761230930e-2, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7},
    {1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2, 7.86869131145613259100e-4,
     1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15}};

static double rational(double r, const rational_set *set) {
  return POLY(r, set->numerator) / POLY(r, set->denominator);
}

double oracle_inverse_core64(double x) {
  const double q = x * 0.5;
  return q * rational(fma(-q, q, 0.180625), &first_set);
}

double oracle_inverse_tail64(double s) {
  static const double m_c[] = {-1.0, 5.0 / 2.0, -37.0 / 3.0, 353.0 / 4.0, -4081.0 / 5.0};
  const double r = sqrt(s * 0.5);
  if (r <= 5.0) return rational(r - 1.6, &second_set);
  if (r <= 27.0) return rational(r - 5.0, &third_set);
  double v = s - oracle_neg2_log64(s * TWO_PI) * -0.5;
  for (int k = 0; k < 4; k++) {
    const double y = 1.0 / v, m = POLY(y, m_c);
    v = fma(2.0 * y, m, fma(oracle_neg2_log64(v * TWO_PI), 0.5, s));
  }
  return sqrt(v);
}

double oracle_exp2_64(double x, int n) {
  static const double c[] = {0x1.0000000000000p+0,  0x1.62e42fefa39efp-1,  0x1.ebfbdff82c5adp-3,
                             0x1.c6b08d7049fd1p-5,  0x1.3b2ab6fb9f412p-7,  0x1.5d87fe78cf228p-10,
                             0x1.43091310bf90fp-13, 0x1.ffcbfba7c836cp-17, 0x1.62bfc3c1835ecp-20,
                             0x1.b526787220677p-24, 0x1.e620fbd262ce0p-28, 0x1.e7aa2cb8a3888p-32};
  const double b = x + 0x1.8p+52, r = x - (b - 0x1.8p+52);
  const uint64_t whole = (uint64_t)(int64_t)n;
  return from_bits(bits_of(POLY(r, c)) + ((bits_of(b) - UINT64_C(0x4338000000000000) + whole) << 52));
}

double oracle_inverse_softplus64(double y, double t) {
  static const double c[] = {0x1.555555555554ep-5,   -0x1.6c16c16c10e2ep-12, 0x1.71de3a48a9f08p-18,
                             -0x1.bbd76c0eb0ef3p-24, 0x1.1ee9ef76650bbp-29,  -0x1.823bf072c38aap-35,
                             0x1.ed58e980f8e0ap-41};
  if (y <= 1) return fma(fma(POLY(y * y, c), y, 0.5), y, t);
  const double least = oracle_exp2_64(fmin(y, 700) * -0x1.71547652b82fep+0, 0);
  return fma(oracle_neg2_log64(1 - least), -0.5, y);
}
