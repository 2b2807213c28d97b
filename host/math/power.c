/* x^y = e^(y ln x) in pairs of doubles, which carry some 100 bits: what is rounded at the end is that much nearer to
 * the power than to the middle between two doubles in all but a few cases. Dekker 1971, "A floating-point technique for
 * extending the available precision", has the sums and products. */
#include "math/power.h"

#include <float.h>
#include <math.h>

/* The number high + low, |low| <= ulp(high) / 2. */
typedef struct pair {
  double high, low;
} pair;

static const pair ln_2 = {0x1.62e42fefa39efp-1, 0x1.abc9e3b39803fp-56};

/* |a| >= |b| */
static pair normalized(double a, double b) {
  const double sum = a + b;
  return (pair){sum, b - (sum - a)};
}

/* a + b without an error. */
static pair sum_of(double a, double b) {
  const double sum = a + b, from_b = sum - a;
  return (pair){sum, (a - (sum - from_b)) + (b - from_b)};
}

/* a * b without an error: halves of 26 bits have exact products. */
static pair product_of(double a, double b) {
  const double product = a * b, wide_a = a * 0x1.0000002p+27, wide_b = b * 0x1.0000002p+27;
  const double a1 = wide_a - (wide_a - a), a2 = a - a1, b1 = wide_b - (wide_b - b), b2 = b - b1;
  return (pair){product, ((a1 * b1 - product) + a1 * b2 + a2 * b1) + a2 * b2};
}

static pair plus(pair a, pair b) {
  const pair s = sum_of(a.high, b.high);
  return normalized(s.high, s.low + (a.low + b.low));
}

static pair times(pair a, pair b) {
  const pair p = product_of(a.high, b.high);
  return normalized(p.high, p.low + (a.high * b.low + a.low * b.high));
}

static pair over(pair a, pair b) {
  const double first = a.high / b.high;
  const pair taken = times(b, (pair){first, 0});
  const double rest = ((a.high - taken.high) - taken.low) + a.low;
  return normalized(first, rest / b.high);
}

/* ln x = e ln 2 + 2 artanh((m - 1) / (m + 1)), x = 2^e m, sqrt(1/2) <= m < sqrt(2), by the series s + s^3 / 3 + ... */
static pair log_of(double x) {
  int e;
  double m = frexp(x, &e);
  if (m < 0.70710678118654752440) {
    m *= 2;
    e--;
  }
  const pair s = over((pair){m - 1, 0}, sum_of(m, 1)), z = times(s, s);
  pair series = {0, 0};
  for (int n = 41; n >= 1; n -= 2)
    series = plus(times(series, z), over((pair){2, 0}, (pair){n, 0}));
  return plus(times(ln_2, (pair){e, 0}), times(series, s));
}

/* e^x = 2^k e^r, |r| <= ln 2 / 2, e^r = 1 + r (1 + r / 2 (1 + r / 3 (...))). */
static pair exp_of(pair x, int *exponent) {
  const double k = floor(x.high / ln_2.high + 0.5);
  const pair r = plus(x, times(ln_2, (pair){-k, 0})), one = {1, 0};
  pair series = one;
  for (int n = 25; n >= 1; n--)
    series = plus(one, over(times(r, series), (pair){n, 0}));
  *exponent = (int)k;
  return series;
}

double fanin__power(double x, double y) {
  if (x == 1 || y == 0) return 1;
  if (x == 0 || x > DBL_MAX) return (x > 0) == (y < 0) ? 0 : INFINITY;
  const pair log_x = log_of(x);
  const double nearly = y * log_x.high;
  if (nearly == 0) return 1;
  if (nearly < -746) return 0;
  if (nearly > 710) return INFINITY;
  int exponent;
  const pair power = exp_of(times(log_x, (pair){y, 0}), &exponent);
  return ldexp(power.high, exponent);
}

/* 2^63 x for 1 <= x <= 2, modulo 2^64: 2^64 is 0. */
static uint64_t whole_of(pair x) {
  const double low = floor(x.low * 0x1p63 + 0.5);
  const uint64_t high = (UINT64_C(1) << 63) + (uint64_t)((x.high - 1) * 0x1p63);
  return low < 0 ? high - (uint64_t)-low : high + (uint64_t)low;
}

int fanin__wide_power(double base, uint64_t numerator, uint64_t denominator, uint64_t *significand) {
  const pair y = over((pair){-(double)numerator, 0}, (pair){(double)denominator, 0});
  int exponent;
  pair power = exp_of(times(log_of(base), y), &exponent);
  if (power.high < 1 || (power.high == 1 && power.low < 0)) {
    power = (pair){2 * power.high, 2 * power.low};
    exponent--;
  }
  *significand = whole_of(power);
  if (*significand == 0) { /* rounded up to 2 */
    *significand = UINT64_C(1) << 63;
    exponent++;
  }
  return -exponent;
}
