/* Probabilities as normal deviates, so that tests of every kind share one bound. */
#include "inspect/chance.h"

#include <float.h>
#include <math.h>

static const double log_sqrt_2pi = 0.91893853320467274178, sqrt_half = 0.70710678118654752440;

double log_complement(double log_p) {
  return log_p > -0.7 ? log(-expm1(log_p)) : log1p(-exp(log_p));
}

/* ---- The normal distribution ------------------------------------------------------------------------------------- */

double log_normal_tail(double z) {
  if (z < -3) return log1p(-erfc(-z * sqrt_half) / 2);
  if (z < 25) return log(erfc(z * sqrt_half) / 2);
  const double s = 1 / (z * z); /* asymptotic: 1 - s + 3 s^2 - 15 s^3 + 105 s^4 */
  return -z * z / 2 - log_sqrt_2pi - log(z) + log1p(-s * (1 - s * (3 - s * (15 - 105 * s))));
}

/* Newton's method on ln P(Z > z), which is concave: from the right of the root it does not overshoot. */
double deviate_of_log_tail(double log_tail) {
  if (isnan(log_tail)) return NAN;
  if (log_tail < log_normal_tail(DEVIATE_MOST)) return DEVIATE_MOST;
  if (log_tail >= 0) return -DEVIATE_MOST;
  if (log_tail > -log(2.0)) return -deviate_of_log_tail(log_complement(log_tail));
  double z = sqrt(-2 * log_tail);
  for (int step = 0; step < 60; ++step) {
    const double excess = log_normal_tail(z) - log_tail;
    const double slope = -exp(-z * z / 2 - log_sqrt_2pi - log_normal_tail(z));
    const double next = z - excess / slope;
    if (fabs(next - z) <= 1e-13 * (1 + fabs(z))) return next;
    z = next;
  }
  return z;
}

double deviate_of_tails(double log_at_most, double log_at_least) {
  return log_at_least <= log_at_most ? fmax(deviate_of_log_tail(log_at_least), 0)
                                     : fmin(-deviate_of_log_tail(log_at_most), 0);
}

/* ---- The gamma distribution -------------------------------------------------------------------------------------- */

/* ln of x^a e^-x / Gamma(a) */
static double log_front(double a, double x) {
  return a * log(x) - x - lgamma(a);
}

/* ln P(a, x), for x < a + 1 */
static double log_series(double a, double x) {
  double term = 1 / a, sum = term;
  for (double n = a + 1; term > sum * 1e-17; ++n) {
    term *= x / n;
    sum += term;
  }
  return log_front(a, x) + log(sum);
}

/* ln Q(a, x), for x >= a + 1, by Lentz's method. */
static double log_fraction(double a, double x) {
  double b = x + 1 - a, c = 1 / DBL_MIN, d = 1 / b, h = d;
  for (int n = 1; n < 100000; ++n) {
    const double an = -n * (n - a);
    b += 2;
    d = an * d + b;
    if (fabs(d) < DBL_MIN) d = DBL_MIN;
    c = b + an / c;
    if (fabs(c) < DBL_MIN) c = DBL_MIN;
    d = 1 / d;
    h *= d * c;
    if (fabs(d * c - 1) < 1e-16) break;
  }
  return log_front(a, x) + log(h);
}

double log_gamma_lower(double shape, double x) {
  if (x <= 0) return -INFINITY;
  return x < shape + 1 ? log_series(shape, x) : log_complement(log_fraction(shape, x));
}

double log_gamma_upper(double shape, double x) {
  if (x <= 0) return 0;
  return x < shape + 1 ? log_complement(log_series(shape, x)) : log_fraction(shape, x);
}

/* Barndorff-Nielsen 1986 for the mean of exponentials: w^2 / 2 = a (d - ln(1 + d)), v = sqrt(a) d. Near d = 0 both are
 * their Taylor series: w = sqrt(a) d (1 - d/3 + 7 d^2/36 - ...), ln(v / w) / w = (1 - 5 d/12...) / (3 sqrt(a)). */
static double large_gamma_deviate(double a, double x) {
  const double d = x / a - 1, root = sqrt(a);
  if (!(d > -1)) return -DEVIATE_MOST;
  if (fabs(d) < 1e-3)
    return root * d * (1 - d / 3 + 7 * d * d / 36 - 73 * d * d * d / 540) + (1 - 5 * d / 12) / (3 * root);
  const double w = copysign(sqrt(2 * a * (d - log1p(d))), d);
  return fmax(fmin(w + log(root * d / w) / w, DEVIATE_MOST), -DEVIATE_MOST);
}

double gamma_deviate(double shape, double x) {
  if (isnan(shape) || isnan(x)) return NAN;
  if (shape >= 1e4) return large_gamma_deviate(shape, x);
  return deviate_of_tails(log_gamma_lower(shape, x), log_gamma_upper(shape, x));
}

double chi_square_deviate(double x, double degrees) {
  return gamma_deviate(degrees / 2, x / 2);
}

/* P(N >= n) = P(G <= mean), G ~ Gamma(n): the n-th event of a Poisson process comes that early. */
double log_poisson_at_least(double count, double mean) {
  if (count <= 0) return 0;
  if (mean <= 0) return -INFINITY;
  if (count < 1e4) return log_gamma_lower(count, mean);
  return log_normal_tail(-large_gamma_deviate(count, mean));
}

double skewed_deviate(double z, double skewness) {
  if (fabs(skewness) < 1e-6) return fmax(fmin(z, DEVIATE_MOST), -DEVIATE_MOST);
  const double shape = 4 / (skewness * skewness), root = sqrt(shape);
  return skewness > 0 ? gamma_deviate(shape, shape + root * z) : -gamma_deviate(shape, shape - root * z);
}

double correlation_deviate(double r, double n) {
  const double degrees = n - 1;
  if (fabs(r) >= 1) return copysign(DEVIATE_MOST, r);
  const double z = copysign(sqrt(-degrees * log1p(-r * r)) * (8 * degrees + 1) / (8 * degrees + 3), r);
  return fmax(fmin(z, DEVIATE_MOST), -DEVIATE_MOST);
}
