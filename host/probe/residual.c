/* Normal deviates of measured second moments and standard deviations, and the bound that a family of them keeps. */
#include "probe/residual.h"

#include <math.h>

#include "fanin/probe.h"
#include "math/normal.h"

fanin__cumulants fanin__product(const fanin__cumulants *x, const fanin__cumulants *y) {
  return (fanin__cumulants){.mean = x->mean + y->mean,
                            .variance = x->variance + y->variance + x->variance * y->variance,
                            .third = x->third + y->third + 6 * x->variance * y->variance};
}

fanin__cumulants fanin__scaled(const fanin__cumulants *x, double factor) {
  return (fanin__cumulants){x->mean * factor, x->variance * factor * factor, x->third * factor * factor * factor};
}

static double clamped(double z) {
  return fmin(fmax(z, -FANIN__DEVIATE_MAX), FANIN__DEVIATE_MAX);
}

/* A sum of squares is skewed: at a width of 10, -4 standard deviations cannot happen, and +6 do. So the ratio is taken
 * for a shifted and scaled chi-squared variable with the same three cumulants (Pearson 1959; Imhof 1961, section 5),
 * and that is made normal by its cube root (Wilson & Hilferty 1931). In the limit of no skewness that is the plain
 * standardised ratio. */
static double wilson_hilferty(double x, double skewness) {
  if (!(skewness > 1e-6)) return x;
  const double degrees = 8 / (skewness * skewness), spread = 2 / (9 * degrees);
  const double chi_squared = degrees + x * sqrt(2 * degrees);
  return (cbrt(fmax(chi_squared, 0) / degrees) - (1 - spread)) / sqrt(spread);
}

double fanin__deviate(double measured, double predicted, const fanin__cumulants *c) {
  if (measured == predicted) return 0;
  if (!(predicted > 0)) return FANIN__DEVIATE_MAX;
  if (!(measured > 0)) return -FANIN__DEVIATE_MAX;
  if (!(c->variance > 0)) return measured > predicted ? FANIN__DEVIATE_MAX : -FANIN__DEVIATE_MAX;
  const double x = (measured / predicted - 1 - c->mean) / sqrt(c->variance);
  return clamped(wilson_hilferty(x, c->third / pow(c->variance, 1.5)));
}

double fanin__std_deviate(double measured, double expected, double kurtosis, double n) {
  if (measured == expected) return 0;
  if (!(expected > 0) || !(kurtosis > 1)) return measured > expected ? FANIN__DEVIATE_MAX : -FANIN__DEVIATE_MAX;
  return clamped((measured / expected - 1) / sqrt((kurtosis - 1) / (4 * n)));
}

/* Sidak: each of `tests` independent tests at 1 - (1 - 1e-3)^(1 / tests), split over two tails; the deviate by
 * bisection of the tail probability. */
double fanin_z_bound(size_t tests) {
  if (tests == 0) return 0;
  const double tail = -0.5 * expm1(log1p(-1e-3) / (double)tests);
  double lo = 0, hi = FANIN__DEVIATE_MAX;
  for (int k = 0; k < 60; k++) {
    const double middle = 0.5 * (lo + hi);
    if (fanin__normal_tail(middle) > tail) {
      lo = middle;
    } else {
      hi = middle;
    }
  }
  return hi;
}
