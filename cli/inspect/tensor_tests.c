/* The tests of one tensor: its values whatever their order (moments, distribution, extremes, values that are too
 * frequent), and its values in their order. */
#include "inspect/inspection.h"

#include <math.h>
#include <stdlib.h>

#include "base/dtype.h"
#include "inspect/bins.h"
#include "inspect/chance.h"

static binned_law law_in_bins(const inspected *t) {
  return (binned_law){&t->law, t->tensor->type->dtype, !t->estimated && !t->expected.rescaled};
}

/* ---- Skewness and kurtosis --------------------------------------------------------------------------------------- */

/* The tests are of the polynomials of degree 3 and 4 that are orthogonal to all lower ones under the law (Hermite's for
 * a normal, Legendre's for a uniform): they do not answer to a wrong mean or std, which have their own tests. The law's
 * moments to the 12th give a sum's variance and third cumulant. */

enum { LEAST_SHAPE = 2000, MOMENTS = 13, DEGREE = 4 };

/* The step between numbers of the dtype near the values, in units of std. Where it is coarse, moments are those of the
 * rounding. */
static double step_of(fanin_dtype dtype, double mean, double std) {
  double below, above;
  rounded_from(dtype, fabs(mean) + 3 * std, &below, &above);
  return (above - below) / std;
}

/* E[p q] of two polynomials given as coefficients. */
static double inner(const double *p, int p_degree, const double *q, int q_degree, const double *moments) {
  double sum = 0;
  for (int i = 0; i <= p_degree; ++i) {
    for (int j = 0; j <= q_degree; ++j)
      sum += p[i] * q[j] * moments[i + j];
  }
  return sum;
}

/* Gram and Schmidt: p[d] of degree d with leading coefficient 1. */
static void make_orthogonal(const double *moments, double p[DEGREE + 1][DEGREE + 1]) {
  for (int d = 0; d <= DEGREE; ++d) {
    const double power[DEGREE + 1] = {[0] = d == 0, [1] = d == 1, [2] = d == 2, [3] = d == 3, [4] = d == 4};
    for (int i = 0; i <= DEGREE; ++i)
      p[d][i] = power[i];
    for (int lower = 0; lower < d; ++lower) {
      const double share = inner(power, d, p[lower], lower, moments) / inner(p[lower], lower, p[lower], lower, moments);
      for (int i = 0; i <= lower; ++i)
        p[d][i] -= share * p[lower][i];
    }
  }
}

/* E[p^3] */
static double third(const double *p, int degree, const double *moments) {
  double square[2 * DEGREE + 1] = {0};
  for (int i = 0; i <= degree; ++i) {
    for (int j = 0; j <= degree; ++j)
      square[i + j] += p[i] * p[j];
  }
  return inner(square, 2 * degree, p, degree, moments);
}

static double shape_deviate(const double *sample, const double *moments, double p[DEGREE + 1][DEGREE + 1], int degree,
                            double n) {
  const double unit[1] = {1};
  const double variance = inner(p[degree], degree, p[degree], degree, moments);
  const double z = inner(p[degree], degree, unit, 0, sample) * sqrt(n / variance);
  return skewed_deviate(z, third(p[degree], degree, moments) / (variance * sqrt(variance)) / sqrt(n));
}

static void test_shape(const survey *s, inspected *t) {
  const double n = (double)s->stats.count, *sums = s->series.powers;
  double d[5] = {1}, sample[5], moments[MOMENTS], p[DEGREE + 1][DEGREE + 1];
  for (int k = 0; k < 4; ++k)
    d[k + 1] = sums[k] / n;
  const double variance = d[2] - d[1] * d[1];
  t->skewness = (d[3] - 3 * d[1] * d[2] + 2 * d[1] * d[1] * d[1]) / (variance * sqrt(variance));
  t->kurtosis =
      (d[4] - 4 * d[1] * d[3] + 6 * d[1] * d[1] * d[2] - 3 * d[1] * d[1] * d[1] * d[1]) / (variance * variance) - 3;
  t->tests[TEST_SKEWNESS].value = t->skewness;
  t->tests[TEST_KURTOSIS].value = t->kurtosis;
  const bool errs = t->fit.slack > 0; /* the error of its std would show */
  if (!t->has_law || errs || n < LEAST_SHAPE || step_of(t->tensor->type->dtype, s->stats.mean, s->stats.std) > 0.05)
    return;
  /* Of narrow dtypes the moments are sums over their numbers, since rounding and bounds that are no numbers show from
   * some 10^7 elements on. */
  const binned_law l = law_in_bins(t);
  const bool rounded = dtype_is_narrow(l.dtype);
  double law[MOMENTS];
  law_moments(&l, rounded, 0, s->stats.std, law);
  const double mean = law[1] * s->stats.std, std = s->stats.std * sqrt(law[2] - law[1] * law[1]);
  law_moments(&l, rounded, mean, std, moments);
  /* A normal's estimated parameters are the sample's own: Hermite's polynomials do not answer to small errors of them.
   */
  const bool own = t->estimated && t->law.std > 0;
  const double ratio = own ? 1 / sqrt(variance) : 1 / (s->by.scale * std);
  const double move = own ? -d[1] * ratio : (s->by.shift - mean) / std;
  sample[0] = 1;
  sample[1] = move + ratio * d[1];
  sample[2] = move * move + 2 * move * ratio * d[1] + ratio * ratio * d[2];
  sample[3] = pow(move, 3) + 3 * move * move * ratio * d[1] + 3 * move * ratio * ratio * d[2] + pow(ratio, 3) * d[3];
  sample[4] = pow(move, 4) + 4 * pow(move, 3) * ratio * d[1] + 6 * move * move * ratio * ratio * d[2] +
              4 * move * pow(ratio, 3) * d[3] + pow(ratio, 4) * d[4];
  make_orthogonal(moments, p);
  t->tests[TEST_SKEWNESS].expected = fabs(moments[3]) < 1e-12 ? 0 : moments[3]; /* 0 of a law that is symmetric */
  t->tests[TEST_KURTOSIS].expected = fabs(moments[4] - 3) < 1e-12 ? 0 : moments[4] - 3;
  t->tests[TEST_SKEWNESS].z = shape_deviate(sample, moments, p, 3, n);
  t->tests[TEST_KURTOSIS].z = shape_deviate(sample, moments, p, 4, n);
}

/* ---- Distribution ------------------------------------------------------------------------------------------------ */

static void test_distribution(const survey *s, inspected *t) {
  test_result *result = &t->tests[TEST_DISTRIBUTION];
  const double n = (double)s->stats.count;
  if (t->estimated) { /* the fit is also the test */
    *result = (test_result){t->fit.chi_square, t->fit.degrees, t->fit.z};
    t->degrees = t->fit.degrees;
    t->distance = t->fit.distance;
    t->most_distance = t->fit.most;
    return;
  }
  const binned_law l = law_in_bins(t);
  classes c;
  classes_make(&l, s->counts, n, &c);
  if (c.count < 4) return;
  t->degrees = c.count - 1;
  t->distance = classes_distance(&c, n, &t->most_distance);
  *result = (test_result){classes_chi_square(&c, n), t->degrees, 0};
  result->z = isfinite(result->value) ? chi_square_deviate(result->value, t->degrees) : DEVIATE_MOST;
}

/* ---- Extremes ---------------------------------------------------------------------------------------------------- */

/* How far above a law's lower end the dtype's numbers for it may be. */
static double end_slack(const inspected *t) {
  double below, above;
  rounded_from(t->tensor->type->dtype, t->law.lo, &below, &above);
  return 2 * (above - below) + 0x1p-23 * fabs(t->law.lo);
}

/* Whether the law gives its lower end itself a probability, as one with a floor does; more than rounding gives it. */
static bool has_its_end(const inspected *t) {
  double at_end = 0;
  return fanin_law_probability(&t->law, t->law.lo, 0, &at_end) == FANIN_STATUS_OK && at_end > 1e-12;
}

static void test_extremes(const survey *s, inspected *t) {
  const fanin_dtype dtype = t->tensor->type->dtype;
  const double n = (double)s->stats.count, slack = 0x1p-23,
               rounding = t->expected.known ? check_slack(&t->expected, dtype) : 0;
  test_result *least = &t->tests[TEST_MINIMUM], *most = &t->tests[TEST_MAXIMUM];
  least->value = s->stats.min;
  most->value = s->stats.max;
  fanin_law law = t->law;
  if (t->fit.ends) return; /* the fit took its ends from these */
  if (t->fit.slack > 0) {  /* the ends are the fit's and err: only what lies far outside is a finding */
    least->expected = law.lo;
    most->expected = law.hi;
    least->z = s->stats.min < law.lo - t->fit.slack ? DEVIATE_MOST : 0;
    most->z = s->stats.max > law.hi + t->fit.slack ? DEVIATE_MOST : 0;
    return;
  }
  law.lo -= slack * fabs(law.lo) + rounding; /* the bounds are rounded to f32 */
  law.hi += slack * fabs(law.hi) + rounding;
  const binned_law l = {&law, dtype, !t->estimated && !t->expected.rescaled};
  least->z = extreme_deviate(&l, fmax(s->stats.min, law.lo), 0, n);
  most->z = extreme_deviate(&l, fmin(s->stats.max, law.hi), 1, n);
  if (s->stats.min < law.lo)
    least->z = DEVIATE_MOST;
  else if (has_its_end(t) && s->stats.min <= t->law.lo + end_slack(t))
    least->z = 0;
  if (s->stats.max > law.hi) most->z = DEVIATE_MOST;
  if (isfinite(law.lo)) least->expected = t->law.lo;
  if (isfinite(law.hi)) most->expected = t->law.hi;
}

/* ---- Values that are too frequent -------------------------------------------------------------------------------- */

/* The least probability that a value may have. A generator has a lattice of its own: with 32-bit words, of which two
 * may round to one value, each value is expected that often. Where the generator is not known, 24-bit uniforms are
 * accepted too. */
static double least_probability(const inspected *t) {
  return t->estimated ? 0x1p-22 : 0x1p-30;
}

/* The deviate of a count: one of `values` numbers, each of which was expected `mean` times, occurs `count` times or
 * more.
 */
static double count_deviate(double count, double mean, double values) {
  const double log_p = log_poisson_at_least(count, mean) + log(values);
  return log_p >= 0 ? 0 : fmax(deviate_of_log_tail(log_p), 0);
}

static void test_zeros(const survey *s, inspected *t) {
  const double n = (double)s->stats.count, zeros = (double)s->counts[0x7fff] + (double)s->counts[0x8000];
  const binned_law l = law_in_bins(t);
  double expected = n * bins_between(&l, 0x7fff, 0x8001);
  expected = fmax(expected, n * least_probability(t));
  t->tests[TEST_ZEROS] = (test_result){zeros, expected, count_deviate(zeros, expected, 1)};
}

/* Whether a bin lies where it is not known how many values to expect: at an end of the law that has a probability of
 * its own, or where the ends of a fitted truncated normal may be. */
static bool is_vague(const inspected *t, uint32_t bin) {
  double least, most;
  fanin_bin_numbers(t->tensor->type->dtype, bin, &least, &most);
  if (has_its_end(t) && least <= t->law.lo + end_slack(t) && most >= t->law.lo - end_slack(t)) return true;
  return t->fit.slack > 0 && (least < t->law.lo + t->fit.slack || most > t->law.hi - t->fit.slack);
}

/* The bin that has most more elements than expected, other than the bins of 0. */
static uint32_t suspect_bin(const survey *s, const inspected *t, double *expected) {
  const double n = (double)s->stats.count;
  const binned_law l = law_in_bins(t);
  double worst = -INFINITY;
  uint32_t suspect = 0;
  for (uint32_t bin = 0; bin < FANIN_BINS; ++bin) {
    if (s->counts[bin] == 0 || bin == 0x7fff || bin == 0x8000 || is_vague(t, bin)) continue;
    const double mean = n * bins_between(&l, bin, bin + 1);
    const double excess = ((double)s->counts[bin] - mean) / sqrt(mean + 1);
    if (excess <= worst) continue;
    worst = excess;
    suspect = bin;
    *expected = mean;
  }
  return suspect;
}

static int test_mode(survey *s, inspected *t, failure *why) {
  const fanin_dtype dtype = t->tensor->type->dtype;
  const bool narrow = dtype_is_narrow(dtype);
  double expected = 0;
  const uint32_t bin = suspect_bin(s, t, &expected);
  uint64_t count = s->counts[bin];
  uint32_t lower = 0;
  if (!narrow) {
    uint64_t *counts = allocate(FANIN_BINS, sizeof *counts);
    const int status = survey_within(s, bin, counts, why);
    for (uint32_t k = 0; k < FANIN_BINS; ++k) {
      if (counts[k] > counts[lower]) lower = k;
    }
    count = counts[lower];
    free(counts);
    if (status != STATUS_OK) return status;
    const double density = expected / FANIN_BINS;
    expected = fmax(density, (double)s->stats.count * least_probability(t));
  }
  fanin_bin_number(dtype, bin, lower, &t->mode);
  t->tests[TEST_MODE] =
      (test_result){(double)count, expected, count_deviate((double)count, expected, narrow ? 0x1p16 : 0x1p32)};
  return STATUS_OK;
}

/* Takes the zeros of a sparse law out of the survey, which leaves normals. More zeros than the law has stay. Returns
 * how many were taken out. */
static double take_zeros_out(survey *s, const inspected *t) {
  const double zeros = t->zeros * (double)s->stats.count, from = -s->by.shift * s->by.scale;
  double left = round(zeros);
  for (uint32_t bin = 0x7fff; bin <= 0x8000; ++bin) {
    const double taken = fmin(left, (double)s->counts[bin]);
    s->counts[bin] -= (uint64_t)taken;
    left -= taken;
  }
  const double taken = round(zeros) - left;
  for (int k = 0; k < 4; ++k)
    s->series.powers[k] -= taken * pow(from, k + 1);
  s->stats.count -= (uint64_t)taken;
  return taken;
}

int test_values(survey *s, inspected *t, failure *why) {
  const double asked = round(t->zeros * (double)s->stats.count);
  const double zeros = t->zeros > 0 ? take_zeros_out(s, t) : 0;
  test_shape(s, t);
  if (!t->has_law) {
    t->tests[TEST_ZEROS].value = (double)s->counts[0x7fff] + (double)s->counts[0x8000];
    t->tests[TEST_MINIMUM].value = s->stats.min;
    t->tests[TEST_MAXIMUM].value = s->stats.max;
    return STATUS_OK;
  }
  test_distribution(s, t);
  test_extremes(s, t);
  test_zeros(s, t);
  t->tests[TEST_ZEROS].value += zeros;
  t->tests[TEST_ZEROS].expected += asked;
  if (zeros < asked) t->tests[TEST_ZEROS].z = -DEVIATE_MOST;
  return test_mode(s, t, why);
}

/* ---- Values in their order: sums of rows and columns, correlation of elements some way apart --------------------- */

enum { LEAST_LENGTH = 16, LEAST_PRODUCTS = 256 };

/* The sum of squared sums of lines about their mean, over the line's length and the variance of all n elements: for
 * normals, (n - 1) times a Beta((lines - 1) / 2, (n - lines) / 2) as in an analysis of variance; its mean and variance
 * are matched by a gamma. Rows of one draw make it large, sums that are held at 0 small. Lines of zeros are left out.
 */
static test_result test_sums(const survey *s, const double *sums, const bool *is_zero, uint64_t all, double lines,
                             double length) {
  if (!sums || lines < 2 || length < LEAST_LENGTH) return (test_result){NAN, NAN, NAN};
  const double n = lines * length, degrees = lines - 1;
  double mean = 0, squares = 0;
  for (size_t k = 0; k < (size_t)all; ++k)
    mean += is_zero && is_zero[k] ? 0 : sums[k] / lines;
  for (size_t k = 0; k < (size_t)all; ++k)
    squares += is_zero && is_zero[k] ? 0 : (sums[k] - mean) * (sums[k] - mean);
  const double std = s->stats.std * s->by.scale; /* 1, but for lines of zeros that were left out */
  const double value = squares / length / (std * std) * ((n - 1) / n);
  const double scale = 2 * (n - lines) / (n + 1); /* variance / mean */
  return (test_result){value, degrees, gamma_deviate(degrees / scale, value / scale)};
}

static test_result test_lag(const survey *s, int k) {
  const double n = (double)s->stats.count, pairs = (double)s->products[k];
  if (s->lags[k] == 0 || pairs < LEAST_PRODUCTS) return (test_result){NAN, NAN, NAN};
  const double r = s->series.products[k] / s->series.powers[1] * (n / pairs);
  const double expected = -1 / n; /* deviations from the sample's mean add up to 0 */
  return (test_result){r, expected, correlation_deviate(r - expected, pairs)};
}

void test_order(const survey *s, inspected *t) {
  static const test lags[SURVEY_LAGS] = {TEST_LAG_1, TEST_LAG_2, TEST_LAG_4, TEST_LAG_ROW};
  const double rows = (double)(s->rows - s->zero_rows), columns = (double)(s->columns - s->zero_columns);
  t->tests[TEST_ROW_SUMS] = test_sums(s, s->lines.row_sums, s->zero_row, s->rows, rows, columns);
  t->tests[TEST_COLUMN_SUMS] = test_sums(s, s->lines.column_sums, s->zero_column, s->columns, columns, rows);
  for (int k = 0; k < SURVEY_LAGS; ++k)
    t->tests[lags[k]] = test_lag(s, k);
}
