/* Exponents of the width: docs/probe.md, "Widths side by side". */
#include "probe/slope.h"

#include <math.h>

/* A sum in f32 is right to about this much of itself, which is what is left where theory knows a number exactly. */
static const double rounding = 1e-5;
/* Exponents are told from 0 to within this much at best, because theory leaves out terms of the order 1 / width. */
static const double least_margin = 0.05;
/* With a larger margin, an exponent of 1 could not be told from 0 and from 2. */
static const double most_margin = 0.5;

/* The weights of numbers in a slope over ln width, by least squares. */
static void coefficients(const slope_data *d, double out[SLOPE_MOST]) {
  double mean = 0, squares = 0;
  for (size_t k = 0; k < d->n; ++k)
    mean += log((double)d->width[k]) / (double)d->n;
  for (size_t k = 0; k < d->n; ++k) {
    out[k] = log((double)d->width[k]) - mean;
    squares += out[k] * out[k];
  }
  for (size_t k = 0; k < d->n; ++k)
    out[k] /= squares;
}

/* NaN where a number is not above 0, too. */
static double logarithm(double x) {
  return x > 0 ? log(x) : NAN;
}

static double bend_of(const slope_data *d, double theory) {
  double x = 0, y = 0, most = 0;
  for (size_t k = 0; k < d->n; ++k) {
    x += log((double)d->width[k]) / (double)d->n;
    y += logarithm(d->meanfield[k]) / (double)d->n;
  }
  for (size_t k = 0; k < d->n; ++k)
    most = fmax(most, fabs(logarithm(d->meanfield[k]) - y - theory * (log((double)d->width[k]) - x)));
  return isnan(theory) ? NAN : most;
}

slope slope_fit(const slope_data *d) {
  double a[SLOPE_MOST], square = 0, deviation = 0;
  slope s = {.zero = true};
  coefficients(d, a);
  for (size_t k = 0; k < d->n; ++k) {
    s.zero = s.zero && d->measured[k] == 0;
    s.measured += a[k] * logarithm(d->measured[k]);
    s.theory += a[k] * logarithm(d->meanfield[k]);
    square += a[k] * a[k] * (d->sd[k] * d->sd[k] + rounding * rounding);
    deviation += a[k] * (logarithm(d->measured[k]) - logarithm(d->expected[k]));
  }
  s.error = sqrt(square);
  s.z = deviation / s.error;
  s.bend = bend_of(d, s.theory);
  return s;
}

double slope_margin(const slope *s, double bound) {
  return isnan(s->error) ? NAN : fmax(bound * s->error, least_margin);
}

scaling slope_scaling(const slope *s, double bound) {
  const double margin = slope_margin(s, bound);
  if (s->zero) return SCALING_ZERO;
  if (isnan(s->measured) || isnan(margin)) return SCALING_UNKNOWN;
  if (margin > most_margin) return SCALING_UNTOLD;
  if (fabs(s->measured) <= margin) return SCALING_KEEPS;
  return s->measured < 0 ? SCALING_SHRINKS : SCALING_GROWS;
}

const char *scaling_name(scaling of) {
  static const char *const names[] = {
      [SCALING_KEEPS] = "keeps", [SCALING_SHRINKS] = "shrinks", [SCALING_GROWS] = "grows",
      [SCALING_ZERO] = "zero",   [SCALING_UNTOLD] = "untold",   [SCALING_UNKNOWN] = "unknown"};
  return names[of];
}
