/* Tests of a tensor's values in their order: sums of rows and columns, correlation of elements some way apart. */
#include "inspect/order_tests.h"

#include <math.h>

#include "inspect/chance.h"

enum { LEAST_LENGTH = 16, LEAST_PRODUCTS = 256 };

/* The sum of squared sums of lines about their mean, over the line's length and the variance of all n elements: for
 * normals, (n - 1) times a Beta((lines - 1) / 2, (n - lines) / 2) as in an analysis of variance; its mean and variance
 * are matched by a gamma. Rows of one draw make it large, sums that are held at 0 small. */
static test_result test_sums(const double *sums, double lines, double length) {
  if (!sums || lines < 2 || length < LEAST_LENGTH) return (test_result){NAN, NAN, NAN};
  const double n = lines * length, degrees = lines - 1;
  double mean = 0, squares = 0;
  for (size_t k = 0; k < (size_t)lines; ++k)
    mean += sums[k] / lines;
  for (size_t k = 0; k < (size_t)lines; ++k)
    squares += (sums[k] - mean) * (sums[k] - mean);
  const double value = squares / length * ((n - 1) / n);
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
  t->tests[TEST_ROW_SUMS] = test_sums(s->lines.row_sums, (double)s->rows, (double)s->columns);
  t->tests[TEST_COLUMN_SUMS] = test_sums(s->lines.column_sums, (double)s->columns, (double)s->rows);
  for (int k = 0; k < SURVEY_LAGS; ++k)
    t->tests[lags[k]] = test_lag(s, k);
}
