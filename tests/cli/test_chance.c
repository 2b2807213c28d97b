/* chance.c against SciPy and mpmath (tests/data/chance.csv). */
#include "inspect/chance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/support.h"
#include "support/support_csv.h"

static double log_tail(double z, double unused) {
  (void)unused;
  return log_normal_tail(z);
}

static const struct {
  const char *name;
  double (*f)(double, double);
  double absolute, relative;                           /* either may be met */
} functions[] = {{"gamma", gamma_deviate, 1e-6, 1e-9}, /* chance.h's promise for r*; the rest is exact */
                 {"log_lower", log_gamma_lower, 1e-9, 1e-12},
                 {"log_upper", log_gamma_upper, 1e-9, 1e-12},
                 {"chi_square", chi_square_deviate, 1e-6, 1e-9},
                 {"log_poisson", log_poisson_at_least, 1e-6, 1e-9},
                 {"skewed", skewed_deviate, 1e-6, 1e-9},
                 {"correlation", correlation_deviate, 0, 2e-4},
                 {"log_tail", log_tail, 0, 1e-10}};
enum { N_FUNCTIONS = sizeof functions / sizeof *functions };

static void agrees_with_scipy(void **state) {
  (void)state;
  const char *fields[4];
  size_t seen[N_FUNCTIONS] = {0};
  test_csv csv = test_csv_open("chance.csv");
  while (test_csv_row(&csv, fields, 4)) {
    const double a = strtod(fields[1], NULL), b = strtod(fields[2], NULL), expected = strtod(fields[3], NULL);
    for (size_t k = 0; k < N_FUNCTIONS; ++k) {
      if (strcmp(fields[0], functions[k].name) != 0) continue;
      ++seen[k];
      const double value = functions[k].f(a, b), error = fabs(value - expected);
      if (error <= functions[k].absolute || error <= functions[k].relative * fabs(expected)) continue;
      fail_msg("%s(%g, %g) = %.12g, not %.12g", fields[0], a, b, value, expected);
    }
  }
  for (size_t k = 0; k < N_FUNCTIONS; ++k)
    assert_true(seen[k] >= 6);
}

static void deviates_invert_tails(void **state) {
  (void)state;
  for (double z = -8; z < 500; z = z * (z > 1 ? 1.1 : 1) + (z > 1 ? 0 : 0.25)) {
    const double back = deviate_of_log_tail(log_normal_tail(z)); /* 1 - P has no digits far to the left */
    if (fabs(back - z) > 1e-9 * fmax(1, fabs(z)) && z > -6) fail_msg("%.12g came back as %.12g", z, back);
  }
  assert_true(deviate_of_log_tail(-INFINITY) == DEVIATE_MOST);
  assert_true(deviate_of_log_tail(0) == -DEVIATE_MOST);
  assert_true(isnan(deviate_of_log_tail(NAN)));
  assert_true(fabs(deviate_of_tails(log(0.5), log(0.5))) < 1e-12);
  assert_true(gamma_deviate(3, -1) == -DEVIATE_MOST && gamma_deviate(2e4, -1) == -DEVIATE_MOST);
  assert_true(correlation_deviate(1, 300) == DEVIATE_MOST && correlation_deviate(-1, 300) == -DEVIATE_MOST);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(agrees_with_scipy), cmocka_unit_test(deviates_invert_tails)};
  return cmocka_run_group_tests_name("chance", tests, NULL, NULL);
}
