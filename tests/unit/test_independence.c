/* Elements are independent of one another: along a tensor, along rows and columns, across streams and seeds. Fixed
 * seeds; 4.5 standard errors each. */
#include "support/support.h"

#include <math.h>
#include <stdlib.h>

#include "oracle/statistics.h"

#define LEN(x) (sizeof(x) / sizeof *(x))

enum { ROWS = 1024, COLUMNS = 1024, ELEMENTS = ROWS * COLUMNS };

/* Of elements and of their squares, which the two normals of a pair share their radius in. */
static void test_lags(void **state) {
  fanin *const f = *state;
  static const size_t lags[] = {1, 2, 3, 4, 5, 7, 8, 16, 63, 64, 65, 256, COLUMNS - 1, COLUMNS, COLUMNS + 1, 1 << 16};
  const fanin_init inits[] = {fanin_normal(0, 1), fanin_uniform(-sqrt(3), sqrt(3))};
  static const double kurtosis[] = {3, 1.8};
  for (size_t i = 0; i < LEN(inits); i++) {
    size_t n = 0;
    double *const x =
        statistics_fill(f, statistics_vector(FANIN_DTYPE_F32, ELEMENTS), &inits[i], (fanin_key){9, 10}, &n);
    double *const squares = malloc(n * sizeof *squares);
    assert_non_null(squares);
    for (size_t k = 0; k < n; k++) {
      squares[k] = (x[k] * x[k] - 1) / sqrt(kurtosis[i] - 1);
    }
    for (size_t k = 0; k < LEN(lags); k++) {
      const size_t pairs = n - lags[k];
      statistics_assert_z(statistics_correlation(x, x + lags[k], pairs) * sqrt((double)pairs), "lag", "elements",
                          FANIN_DTYPE_F32);
      statistics_assert_z(statistics_correlation(squares, squares + lags[k], pairs) * sqrt((double)pairs), "lag",
                          "squares", FANIN_DTYPE_F32);
    }
    free(squares);
    free(x);
  }
}

/* Sums of rows and of columns vary as those of independent elements: 1024 squares of standard normals, whose sum's
 * cube root is normal. Something that neighbouring rows shared would show in their products. */
static void test_rows_and_columns(void **state) {
  fanin *const f = *state;
  static double rows[ROWS], columns[COLUMNS];
  const fanin_init init = fanin_normal(0, 1);
  size_t n = 0;
  double *const x = statistics_fill(f, statistics_vector(FANIN_DTYPE_F32, ELEMENTS), &init, (fanin_key){11, 12}, &n);
  for (size_t k = 0; k < n; k++) {
    rows[k / COLUMNS] += x[k] / sqrt(COLUMNS);
    columns[k % COLUMNS] += x[k] / sqrt(ROWS);
  }
  free(x);
  const double *const sums[] = {rows, columns};
  for (size_t s = 0; s < 2; s++) {
    const double chi_square = statistics_correlation(sums[s], sums[s], 1024) * 1024, v = 2 / (9 * 1024.);
    statistics_assert_z((cbrt(chi_square / 1024) - (1 - v)) / sqrt(v), "variance of sums", s ? "columns" : "rows",
                        FANIN_DTYPE_F32);
    statistics_assert_z(statistics_correlation(sums[s], sums[s] + 1, 1023) * sqrt(1023), "product of neighbours",
                        s ? "columns" : "rows", FANIN_DTYPE_F32);
  }
}

/* Streams and seeds next to one another, in both of their words. */
static void test_cross_streams(void **state) {
  fanin *const f = *state;
  static const fanin_key keys[] = {{0, 0}, {0, 1}, {1, 0}, {0, UINT64_C(1) << 32}, {UINT64_C(1) << 32, 0},
                                   {1, 1}, {0, 2}, {2, 0}, {0, UINT64_MAX},        {UINT64_MAX, 0}};
  double *x[LEN(keys)];
  const fanin_init init = fanin_normal(0, 1);
  size_t n = 0;
  for (size_t k = 0; k < LEN(keys); k++) {
    x[k] = statistics_fill(f, statistics_vector(FANIN_DTYPE_F32, 1 << 18), &init, keys[k], &n);
  }
  for (size_t k = 0; k < LEN(keys); k++) {
    for (size_t j = 0; j < k; j++) {
      for (size_t lag = 0; lag < 5; lag++) {
        const double r = statistics_correlation(x[k], x[j] + lag, n - lag);
        statistics_assert_z(r * sqrt((double)(n - lag)), "cross-correlation", "streams", FANIN_DTYPE_F32);
      }
    }
  }
  for (size_t k = 0; k < LEN(keys); k++) {
    free(x[k]);
  }
}

static int report_and_close(void **state) {
  statistics_report();
  return test_group_close(state);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_lags),
      cmocka_unit_test(test_rows_and_columns),
      cmocka_unit_test(test_cross_streams),
  };
  return cmocka_run_group_tests(tests, test_group_open, report_and_close);
}
