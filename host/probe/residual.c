/* Cumulants of residuals, normal deviates of measured second moments and standard deviations, and the bound that a
 * family of deviates keeps: E12 to E14 and E45 to E49 of docs/probe-law.md. */
#include "probe/residual.h"

#include <math.h>

#include "fanin/probe.h"
#include "math/normal.h"

/* E13 */
fanin__cumulants fanin__product(const fanin__cumulants *x, const fanin__cumulants *y) {
  return (fanin__cumulants){.mean = x->mean + y->mean,
                            .variance = x->variance + y->variance + x->variance * y->variance,
                            .third = x->third + y->third + 6 * x->variance * y->variance};
}

/* E14 */
fanin__cumulants fanin__scaled(const fanin__cumulants *x, double factor) {
  return (fanin__cumulants){x->mean * factor, x->variance * factor * factor, x->third * factor * factor * factor};
}

/* E12 */
fanin__cumulants fanin__of_squares(double mean, double v, double w, double x) {
  const double rotation = x < 1 ? 2 * x / (1 - x) * w * w : 0;
  return (fanin__cumulants){mean, v, 2 * v * v - rotation};
}

static double clamped(double z) {
  return fmin(fmax(z, -FANIN__DEVIATE_MAX), FANIN__DEVIATE_MAX);
}

/* E46, x being t. A sum of squares is skewed: at a width of 10, -4 standard deviations cannot happen, and +6 do. What a
 * rotation leaves may be skewed downwards. Without skewness this is the standardised ratio itself. */
static double wilson_hilferty(double x, double skewness) {
  if (skewness < 0) return -wilson_hilferty(-x, -skewness);
  if (!(skewness > 1e-6)) return x;
  const double degrees = 8 / (skewness * skewness), spread = 2 / (9 * degrees);
  const double chi_squared = degrees + x * sqrt(2 * degrees);
  return (cbrt(fmax(chi_squared, 0) / degrees) - (1 - spread)) / sqrt(spread);
}

/* E45, E46 */
double fanin__deviate(double measured, double predicted, const fanin__cumulants *c) {
  const double rounding = 0x1p-20; /* of f32 values and their sums: all that is left where large biases stand beside */
  if (measured == predicted || fabs(measured / predicted - 1) <= rounding) return 0;
  if (!(predicted > 0)) return FANIN__DEVIATE_MAX;
  if (!(measured > 0)) return -FANIN__DEVIATE_MAX;
  if (!(c->variance > 0)) return measured > predicted ? FANIN__DEVIATE_MAX : -FANIN__DEVIATE_MAX;
  const double x = (measured / predicted - 1 - c->mean) / sqrt(c->variance);
  return clamped(wilson_hilferty(x, c->third / pow(c->variance, 1.5)));
}

/* E47 */
double fanin__std_deviate(double measured, double expected, double kurtosis, double n) {
  if (measured == expected) return 0;
  if (!(expected > 0) || !(kurtosis > 1)) return measured > expected ? FANIN__DEVIATE_MAX : -FANIN__DEVIATE_MAX;
  return clamped((measured / expected - 1) / sqrt((kurtosis - 1) / (4 * n)));
}

/* E49, by bisection of the tail probability. */
double fanin_z_bound(size_t tests) {
  if (tests == 0) return 0;
  const double tail = -0.5 * expm1(log1p(-1e-3) / (double)tests);
  double lo = 0, hi = FANIN__DEVIATE_MAX;
  for (int k = 0; k < 60; k++) {
    const double middle = 0.5 * (lo + hi);
    if (fanin__normal_tail_fast(middle) > tail) {
      lo = middle;
    } else {
      hi = middle;
    }
  }
  return hi;
}
