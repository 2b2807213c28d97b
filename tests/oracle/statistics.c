/* Statistical tests; see statistics.h. */
#include "support/support.h"

#include <math.h>
#include <stdlib.h>

#include "oracle/statistics.h"

static size_t tests_done;
static double largest_z;

void statistics_assert_z(double z, const char *what, const char *which, fanin_dtype dtype) {
  tests_done++;
  if (fabs(z) > largest_z) largest_z = fabs(z);
  if (fabs(z) <= STATISTICS_BOUND) return;
  fail_msg("%s of %s in %s: z = %.2f", what, which, fanin_dtype_name(dtype), z);
}

void statistics_report(void) {
  print_message("%zu tests at %.1f standard errors, largest %.2f; false alarm of any of them: %.1e of seeds\n",
                tests_done, STATISTICS_BOUND, largest_z, (double)tests_done * 6.8e-6);
}

fanin_tensor statistics_vector(fanin_dtype dtype, size_t n) {
  const uint64_t shape[] = {n};
  return test_tensor_of(NULL, 0, dtype, NULL, 1, shape);
}

static double *values_of(fanin_dtype dtype, const void *elements, size_t n) {
  static double narrow[0x10000];
  double *const x = malloc(n * sizeof *x);
  assert_non_null(x);
  for (uint32_t bits = 0; bits < 0x10000; bits++) {
    narrow[bits] = oracle_number(dtype, bits);
  }
  for (size_t k = 0; k < n; k++) {
    x[k] = dtype == FANIN_DTYPE_F64       ? ((const double *)elements)[k]
           : dtype == FANIN_DTYPE_F32     ? (double)((const float *)elements)[k]
           : fanin_dtype_size(dtype) == 1 ? narrow[((const uint8_t *)elements)[k]]
                                          : narrow[((const uint16_t *)elements)[k]];
  }
  return x;
}

double *statistics_fill(fanin *f, fanin_tensor t, const fanin_init *init, fanin_key key, size_t *n) {
  uint64_t elements = 0, bytes = 0;
  assert_ok(fanin_tensor_size(&t, &elements, &bytes));
  t.buffer = test_guarded(f, 0, (size_t)bytes);
  void *const host = malloc((size_t)bytes);
  assert_non_null(host);
  assert_ok(fanin_fill(f, NULL, &t, init, key, 0, NULL, NULL));
  assert_ok(fanin_read(f, NULL, &t, host, (size_t)bytes, 1, 0, NULL, NULL));
  fanin_tensor_free(&t);
  *n = (size_t)elements;
  double *const x = values_of(t.dtype, host, *n);
  free(host);
  return x;
}

/* ---- Laws -------------------------------------------------------------------------------------------------------- */

static double tail(double z) {
  return erfc(z * 0.70710678118654752440) / 2;
}

/* P(from < Z <= to) without cancellation in either tail. */
static double between(double from, double to) {
  return from > 0 ? tail(from) - tail(to) : tail(-to) - tail(-from);
}

double statistics_cdf(const statistics_law *law, double x) {
  if (law->uniform) return fmin(fmax((x - law->lo) / (law->hi - law->lo), 0), 1);
  const double z = fmin(fmax((x - law->mean) / law->std, law->a), law->b);
  return between(law->a, z) / between(law->a, law->b);
}

/* Simpson's rule on 20,000 pieces of where there is any density to speak of. */
void statistics_moments(const statistics_law *law, double *mean, double *std, double *kurtosis) {
  enum { PIECES = 20000 };
  const double from = law->uniform ? law->lo : fmax(law->a, -12), to = law->uniform ? law->hi : fmin(law->b, 12);
  double sums[5] = {0};
  for (int k = 0; k <= PIECES; k++) {
    const double t = from + (to - from) * k / PIECES;
    double term = k == 0 || k == PIECES ? 1 : k % 2 ? 4 : 2;
    if (!law->uniform) term *= exp(-(t * t - from * from * (from > 0)) / 2);
    for (int power = 0; power < 5; power++, term *= t) {
      sums[power] += term;
    }
  }
  const double m = sums[1] / sums[0], m2 = sums[2] / sums[0], m3 = sums[3] / sums[0], m4 = sums[4] / sums[0];
  const double variance = m2 - m * m;
  *kurtosis = (m4 - 4 * m * m3 + 6 * m * m * m2 - 3 * m * m * m * m) / (variance * variance);
  *mean = law->uniform ? m : law->mean + law->std * m;
  *std = law->uniform ? sqrt(variance) : law->std * sqrt(variance);
}

/* ---- Tests ------------------------------------------------------------------------------------------------------- */

void statistics_location(const double *x, size_t n, double mean, double std, double kurtosis, double z[2]) {
  double sum = 0, squares = 0;
  for (size_t k = 0; k < n; k++) {
    const double d = (x[k] - mean) / std;
    sum += d;
    squares += d * d;
  }
  const double count = (double)n, average = sum / count;
  z[0] = average * sqrt(count);
  z[1] = (sqrt(squares / count - average * average) - 1) / sqrt((kurtosis - 1) / (4 * count));
}

static int by_value(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* The ends of cells, of which a value belongs to the one whose end is the first above it: quantiles need no inverse, as
 * cells of equal width in the distribution function are. For dtypes of one or two bytes the middles between numbers. */
static size_t cell_ends(fanin_dtype dtype, double *ends) {
  size_t n = 0;
  for (uint32_t bits = 0; bits < 1u << 8 * fanin_dtype_size(dtype); bits++) {
    const double number = oracle_number(dtype, bits);
    if (isfinite(number)) ends[n++] = number;
  }
  qsort(ends, n, sizeof *ends, by_value);
  for (size_t k = 0; k + 1 < n; k++) {
    ends[k] = (ends[k] + ends[k + 1]) / 2;
  }
  ends[n - 1] = INFINITY;
  return n;
}

static double wilson_hilferty(double chi_square, double freedom) {
  return (cbrt(chi_square / freedom) - (1 - 2 / (9 * freedom))) / sqrt(2 / (9 * freedom));
}

/* Of cells in order, joined until each has 50 expected; the last takes what is left. */
static double joined_chi_square(const double *expected, const double *observed, size_t cells) {
  double chi_square = 0, e = 0, o = 0, rest = 0, groups = 0;
  for (size_t k = 0; k < cells; k++) {
    rest += expected[k];
  }
  for (size_t k = 0; k < cells; k++) {
    e += expected[k];
    o += observed[k];
    rest -= expected[k];
    if (k + 1 < cells && (e < 50 || rest < 50)) continue;
    chi_square += (o - e) * (o - e) / e;
    groups++;
    e = o = 0;
  }
  return wilson_hilferty(chi_square, groups - 1);
}

double statistics_chi_square(const statistics_law *law, fanin_dtype dtype, const double *x, size_t n) {
  enum { EQUAL = 1024, MOST = 0x10000 };
  static double ends[MOST], expected[MOST], observed[MOST];
  const bool narrow = fanin_dtype_size(dtype) <= 2;
  const size_t cells = narrow ? cell_ends(dtype, ends) : EQUAL;
  double before = 0;
  for (size_t k = 0; k < cells; k++) {
    const double cumulated = narrow ? statistics_cdf(law, ends[k]) : (double)(k + 1) / EQUAL;
    expected[k] = (cumulated - before) * (double)n;
    observed[k] = 0;
    before = cumulated;
  }
  for (size_t k = 0; k < n; k++) {
    size_t low = 0, high = cells - 1; /* the first end above x */
    if (!narrow) low = high = (size_t)fmin(statistics_cdf(law, x[k]) * EQUAL, EQUAL - 1);
    while (low < high) {
      const size_t middle = (low + high) / 2;
      if (ends[middle] > x[k]) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    observed[low]++;
  }
  return joined_chi_square(expected, observed, cells);
}

double statistics_kolmogorov(const statistics_law *law, double *x, size_t n) {
  qsort(x, n, sizeof *x, by_value);
  double worst = 0;
  for (size_t k = 0; k < n; k++) {
    const double p = statistics_cdf(law, x[k]);
    worst = fmax(worst, fmax((double)(k + 1) / (double)n - p, p - (double)k / (double)n));
  }
  return worst * sqrt((double)n);
}

double statistics_correlation(const double *x, const double *y, size_t n) {
  double sum = 0;
  for (size_t k = 0; k < n; k++) {
    sum += x[k] * y[k];
  }
  return sum / (double)n;
}
