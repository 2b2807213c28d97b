/* normal.c and quadrature.c against 50-digit references (tests/data/make_normal.py). */
#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "math/normal.h"
#include "math/quadrature.h"
#include "support/support.h"
#include "support/support_csv.h"

/* |value - exact| in units of the last place of `exact`. */
static double ulps(double value, double exact) {
  const double magnitude = fabs(exact);
  return fabs(value - exact) / (nextafter(magnitude, INFINITY) - magnitude);
}

static double relative(double value, double exact) {
  return exact == 0 ? fabs(value) : fabs(value - exact) / fabs(exact);
}

typedef struct checked {
  const char *name;
  double (*f)(double x);
  double (*distance)(double value, double exact);
  double tolerance, most; /* of |x| that it holds for; 0: all */
  size_t seen;
} checked;

static void functions_match_references(void **state) {
  (void)state;
  /* Promised: 2 ulp, and 1e-14 relative. exp and log keep below 1 ulp, to which the reference adds half a one; the
   * others amount to a handful of roundings of 1.1e-16 each. */
  checked functions[] = {{"exp", fanin__exp, ulps, 1.5, 0, 0},
                         {"log", fanin__log, ulps, 1.5, 0, 0},
                         {"pdf", fanin__normal_pdf, relative, 1e-15, 0, 0},
                         {"tail", fanin__normal_tail, relative, 5e-15, 0, 0},
                         {"pdf", fanin__normal_pdf_fast, relative, 1e-14, 8, 0},
                         {"pdf", fanin__normal_pdf_fast, relative, 4e-13, 38, 0},
                         {"tail", fanin__normal_tail_fast, relative, 1e-14, 8, 0},
                         {"tail", fanin__normal_tail_fast, relative, 4e-13, 0, 0},
                         {"log_tail", fanin__normal_log_tail, relative, 5e-15, 0, 0}};
  const size_t n = sizeof functions / sizeof *functions;
  const char *field[3];
  for (test_csv csv = test_csv_open("normal.csv"); test_csv_row(&csv, field, 3);) {
    const double x = strtod(field[1], NULL), exact = strtod(field[2], NULL);
    bool known = false;
    for (size_t k = 0; k < n; k++) {
      if (strcmp(functions[k].name, field[0]) != 0) continue;
      if (functions[k].most > 0 && fabs(x) > functions[k].most) continue;
      const double value = functions[k].f(x);
      if (!(functions[k].distance(value, exact) <= functions[k].tolerance)) {
        fail_msg("%s(%s) is %.17g, not %s", field[0], field[1], value, field[2]);
      }
      functions[k].seen++;
      known = true;
    }
    if (!known) fail_msg("no function is called %s", field[0]);
  }
  for (size_t k = 0; k < n; k++)
    assert_true(functions[k].seen > (functions[k].most == 8 ? 80 : 150));
}

static void functions_at_their_ends(void **state) {
  (void)state;
  const struct {
    double (*f)(double x);
    double x, value;
  } rows[] = {
      {fanin__exp, INFINITY, INFINITY},
      {fanin__exp, -INFINITY, 0},
      {fanin__exp, 0, 1},
      {fanin__exp, -0.0, 1},
      {fanin__exp, 710, INFINITY},
      {fanin__exp, -746, 0},
      {fanin__exp, -745.1, 4.9406564584124654e-324},
      {fanin__log, INFINITY, INFINITY},
      {fanin__log, 0, -INFINITY},
      {fanin__log, 1, 0},
      {fanin__log, DBL_MAX, 709.78271289338397},
      {fanin__normal_pdf, INFINITY, 0},
      {fanin__normal_pdf, -INFINITY, 0},
      {fanin__normal_pdf, 1e300, 0},
      {fanin__normal_tail, INFINITY, 0},
      {fanin__normal_tail, -INFINITY, 1},
      {fanin__normal_tail, 0, 0.5},
      {fanin__normal_tail, 40, 0},
      {fanin__normal_tail, -40, 1},
      {fanin__normal_tail_fast, INFINITY, 0},
      {fanin__normal_tail_fast, -INFINITY, 1},
      {fanin__normal_pdf_fast, INFINITY, 0},
      {fanin__normal_pdf_fast, -INFINITY, 0},
      {fanin__normal_log_tail, INFINITY, -INFINITY},
      {fanin__normal_log_tail, -INFINITY, 0},
      {fanin__normal_log_tail, 1e200, -INFINITY},
  };
  for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
    const double value = rows[k].f(rows[k].x);
    if (!(value == rows[k].value)) fail_msg("row %zu: f(%g) is %.17g", k, rows[k].x, value);
  }
  double (*const each[])(double) = {fanin__exp,
                                    fanin__log,
                                    fanin__normal_pdf,
                                    fanin__normal_tail,
                                    fanin__normal_pdf_fast,
                                    fanin__normal_tail_fast,
                                    fanin__normal_log_tail};
  for (size_t k = 0; k < sizeof each / sizeof *each; k++)
    assert_true(isnan(each[k](NAN)));
  assert_true(isnan(fanin__log(-1)));
}

static void truncated_moments_match_references(void **state) {
  (void)state;
  const char *field[5];
  test_csv csv = test_csv_open("truncated.csv");
  while (test_csv_row(&csv, field, 5)) {
    double exact[5], mean, variance, fourth;
    for (size_t k = 0; k < 5; k++)
      exact[k] = strtod(field[k], NULL);
    fanin__truncated_moments(exact[0], exact[1], &mean, &variance, &fourth);
    /* A mean near 0 is a difference of two sides of up to 0.8. */
    const double mean_error = fabs(mean - exact[2]) / fmax(fabs(exact[2]), 0.1);
    if (!(mean_error < 1e-14 && relative(variance, exact[3]) < 1e-13 && relative(fourth, exact[4]) < 1e-13)) {
      fail_msg("[%s, %s]: %.17g %.17g %.17g, not %s %s %s", field[0], field[1], mean, variance, fourth, field[2],
               field[3], field[4]);
    }
    double mirrored_mean, mirrored_variance, mirrored_fourth;
    fanin__truncated_moments(-exact[1], -exact[0], &mirrored_mean, &mirrored_variance, &mirrored_fourth);
    assert_true(mirrored_mean == -mean && mirrored_variance == variance && mirrored_fourth == fourth);
  }
  assert_true(csv.rows >= 45);
}

static double power_of(double x, void *context) {
  double product = 1;
  for (int n = 0; n < *(const int *)context; n++)
    product *= x;
  return product;
}

/* 16 nodes integrate every polynomial up to degree 31 exactly, and degree 32 not: nodes and weights are right. */
static void quadrature_is_of_degree_31(void **state) {
  (void)state;
  /* A node's rounding of 1.1e-16 counts 31 times in x^31. */
  for (int degree = 0; degree <= 31; degree++) {
    const double exact = 1.0 / (degree + 1);
    assert_true(relative(fanin__integrate(power_of, &degree, 0, 1, 1), exact) < 1e-14);
    assert_true(relative(fanin__integrate(power_of, &degree, 0, 1, 3), exact) < 1e-14);
  }
  int degree = 32;
  /* The rule's error term, 2^33 (16!)^4 / (33 (32!)^3) times the 32nd derivative, which is 32!. */
  const double lost = 2.0 / 33 - fanin__integrate(power_of, &degree, -1, 1, 1);
  assert_true(relative(lost, 7.20461533238862e-10) < 1e-6);
  assert_true(fanin__integrate(power_of, &degree, 1, 1, 4) == 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(functions_match_references),
      cmocka_unit_test(functions_at_their_ends),
      cmocka_unit_test(truncated_moments_match_references),
      cmocka_unit_test(quadrature_is_of_degree_31),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
