/* Whether a tensor's moments and bounds are as they should be. */
#include "inspect/check.h"

#include <float.h>
#include <math.h>

#include "base/dtype.h"
#include "inspect/bins.h"
#include "inspect/chance.h"

/* Half a step between neighbouring numbers: relative to the number, and absolute near 0. */
typedef struct half_step {
  double relative, absolute;
} half_step;

/* f64 is computed to f32's accuracy at least (docs/stream.md). */
static half_step half_step_of(fanin_dtype dtype) {
  const fanin_dtype_info info = dtype_info(dtype);
  return (half_step){ldexp(1, -(info.digits < FLT_MANT_DIG ? info.digits : FLT_MANT_DIG)), ldexp(0.5, info.least)};
}

static const double measuring = 1e-6; /* fanin_measure()'s relative error */
static const double pi = 3.14159265358979323846;

/* How the values come about; the law is one that fanin_law_of() made. */
static fanin_values values_of(const expectation *e) {
  fanin_law_description described = {.values = FANIN_VALUES_FIXED};
  (void)fanin_describe_law(e->law.kind, &described, sizeof described);
  return described.values;
}

bool check_is_fixed(const expectation *e) {
  return values_of(e) == FANIN_VALUES_FIXED || !(e->moments.std > 0);
}

bool check_is_dependent(const expectation *e) {
  return values_of(e) == FANIN_VALUES_DEPENDENT;
}

bool check_is_random(const expectation *e) {
  return e->known && !e->twin && !check_is_fixed(e);
}

/* The deviate of a sample's std over the law's. The unbiased variance of n values, over the law's, has the variance
 * (kurtosis - (n - 3) / (n - 1)) / n; its skewness, that of the sum of squares about the mean, makes its tails those of
 * a gamma, exactly so for normals. `m`: moments of the law about its mean, in units of its std. `error`: of the ratio,
 * by rounding and measuring. */
static double std_deviate(const double *m, double ratio, double n, double error) {
  const double third = m[6] - 3 * m[4] + 2 - 6 * m[3] * m[3], second = m[4] - 1;
  const double skewness = third / (second * sqrt(second)) / sqrt(n - 1);
  const double excess = ratio * ratio * (n / (n - 1)) - 1;
  return skewed_deviate(excess / sqrt((m[4] - (n - 3) / (n - 1)) / n + 4 * error * error), skewness);
}

/* The law of the values that a dtype has. A coarse one changes the moments by more than a bound can allow for. For
 * others, rounding to steps adds step^2 / 12 to a variance (Sheppard), half of that relative to a std, and at the ends
 * of a uniform as much again. It moves a normal's mean by at most step / 2 exp(-2 pi^2 (std / step)^2). Standard errors
 * shrink with the number of elements and these do not, so that both are allowed for. The sum of an orthogonal matrix's
 * entries has the variance that independent entries would give it. */
static z_scores z_scores_of_random(const expectation *e, const fanin_stats *measured, fanin_dtype dtype) {
  const double n = (double)(measured->count - measured->nonfinite);
  const bool dependent = check_is_dependent(e), coarse = fanin_dtype_size(dtype) == 1 && !dependent;
  const binned_law law = {&e->law, dtype, true};
  double m[13], mean = e->moments.mean, std = e->moments.std, std_error = measuring, mean_error = measuring;
  z_scores z = {NAN, NAN};
  if (coarse) {
    law_moments(&law, true, mean, std, m);
    mean += m[1] * std;
    std *= sqrt(m[2] - m[1] * m[1]);
  } else {
    const half_step half = half_step_of(dtype);
    const double step = 2 * (half.relative * (fabs(mean) + std) + half.absolute) / std;
    std_error += step * step / 12;
    mean_error = std_error + step / 2 * exp(-2 * pi * pi / (step * step));
  }
  if (!(std > 0)) return z;
  if (!dependent) {
    law_moments(&law, coarse, mean, std, m);
    z.std = std_deviate(m, measured->std / std, n, std_error);
  }
  z.mean = (measured->mean - mean) / std / sqrt(1 / n + mean_error * mean_error);
  return z;
}

/* The z scores of a sparse tensor: those of its values that are not 0, which are normal with mean 0. */
static z_scores z_scores_of_sparse(const expectation *e, const fanin_stats *measured, fanin_dtype dtype) {
  const double share = 1 - e->law.zeros;
  expectation others = {.known = true, .init = fanin_normal(0, e->law.std), .law = e->law};
  others.moments = (fanin_moments){.std = e->law.std, .kurtosis = 3, .lo = -INFINITY, .hi = INFINITY};
  others.law.zeros = 0;
  fanin_stats s = *measured;
  s.count = (uint64_t)llround(share * (double)measured->count);
  s.mean /= share;
  s.second /= share;
  s.std = sqrt(fmax(s.second - s.mean * s.mean, 0));
  return z_scores_of(&others, &s, dtype);
}

/* The deviate of one value; NaN where the law has no probabilities. */
static double single_deviate(const fanin_law *law, double x) {
  double below = NAN, above = NAN;
  if (fanin_law_probability(law, x, 0, &below) != FANIN_STATUS_OK) return NAN;
  if (fanin_law_probability(law, x, 1, &above) != FANIN_STATUS_OK) return NAN;
  return deviate_of_tails(log(below), log(above));
}

z_scores z_scores_of(const expectation *e, const fanin_stats *measured, fanin_dtype dtype) {
  const double n = (double)(measured->count - measured->nonfinite);
  if (!e->known || check_is_fixed(e) || n < 1) return (z_scores){NAN, NAN};
  if (n < 2) return (z_scores){NAN, e->law.zeros > 0 ? NAN : single_deviate(&e->law, measured->mean)};
  return e->law.zeros > 0 ? z_scores_of_sparse(e, measured, dtype) : z_scores_of_random(e, measured, dtype);
}

/* How far a number of about that size may be off by rounding and measuring. */
static double allowed(fanin_dtype dtype, double size) {
  const half_step half = half_step_of(dtype);
  return (half.relative + 2e-6) * size + half.absolute;
}

/* The rows or columns of an orthogonal matrix have exact lengths, and so its root mean square is exact. */
static bool has_length(const expectation *e, const fanin_stats *measured, fanin_dtype dtype) {
  return fabs(sqrt(measured->second) - e->moments.std) <= allowed(dtype, e->moments.std);
}

/* Random values are never rounded across a bound, but the bound itself is an f32. The values of an orthogonal matrix
 * may be rounded across it, and those of a calibrated tensor twice. */
double check_slack(const expectation *e, fanin_dtype dtype) {
  const half_step half = half_step_of(dtype);
  const double largest = fmax(fabs(e->moments.lo), fabs(e->moments.hi));
  const double roundings = e->rescaled ? 3 : check_is_fixed(e) || check_is_dependent(e) ? 1 : 0;
  return isinf(largest) ? 0 : roundings * (half.relative * largest + half.absolute);
}

static bool within_bounds(const expectation *e, const fanin_stats *measured, fanin_dtype dtype) {
  const double largest = fmax(fabs(e->moments.lo), fabs(e->moments.hi));
  const double slack = isinf(largest) ? 0 : 0x1p-23 * largest + check_slack(e, dtype);
  return measured->min >= e->moments.lo - slack && measured->max <= e->moments.hi + slack;
}

/* For values that are not random: "std" or "mean" if that differs by more than is allowed, else NULL. */
static const char *compare_fixed(const expectation *e, const fanin_stats *measured, fanin_dtype dtype) {
  const double most = allowed(dtype, fabs(e->moments.mean) + e->moments.std);
  if (fabs(measured->std - e->moments.std) > most) return "std";
  return fabs(measured->mean - e->moments.mean) > most ? "mean" : NULL;
}

const char *check_tensor(const expectation *e, const fanin_stats *measured, fanin_dtype dtype, const z_scores *z,
                         double z_bound) {
  if (measured->nonfinite > 0) return "non-finite";
  if (!e->known || measured->count == 0) return NULL;
  if (fabs(z->std) > z_bound) return "std"; /* false for NaN: nothing to test */
  if (fabs(z->mean) > z_bound) return "mean";
  const char *differs = check_is_fixed(e) ? compare_fixed(e, measured, dtype) : NULL;
  if (differs) return differs;
  if (check_is_dependent(e) && !has_length(e, measured, dtype)) return "std";
  return within_bounds(e, measured, dtype) ? NULL : "bounds";
}
