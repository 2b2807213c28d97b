/* activation.c's derivatives and facts, and the moments of meanfield.c and correlation.c, against mpmath and SciPy
 * (tests/data/make_moments.py) and against closed forms. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "math/activation.h"
#include "support/support.h"
#include "support/support_csv.h"
#include "theory/meanfield.h"

#define PI 3.14159265358979323846

static void assert_close(double value, double exact, double tolerance, const char *what, const char *of) {
  if (fabs(value - exact) <= tolerance) return;
  fail_msg("%s of %s is %.16g, not %.16g", what, of, value, exact);
}

/* ---- Derivatives and facts --------------------------------------------------------------------------------------- */

static void slopes_match_derivatives(void **state) {
  (void)state;
  const char *field[4];
  test_csv csv = test_csv_open("slopes.csv");
  while (test_csv_row(&csv, field, 4)) {
    const double value = fanin__activation_find(field[0])->df(strtod(field[2], NULL), strtod(field[1], NULL));
    const double exact = strtod(field[3], NULL);
    assert_close(value, exact, 4e-15 * fabs(exact) + 1e-16, field[2], field[0]);
  }
  assert_int_equal(csv.rows, 19 * 13 - 1);
}

static void facts_hold(void **state) {
  (void)state;
  static const double points[] = {0.01, 0.3, 1, 2.9, 3.1, 7};
  for (size_t k = 0; fanin__activation_at(k); k++) {
    const fanin__activation *const a = fanin__activation_at(k);
    const double slope = 0.2;
    bool odd = true, homogeneous = true;
    for (size_t j = 0; j < sizeof points / sizeof *points; j++) {
      const double x = points[j], left = a->f(-x, slope), right = a->f(x, slope);
      odd = odd && fabs(left + right) < 1e-15;
      homogeneous =
          homogeneous && fabs(a->f(2 * x, slope) - 2 * right) < 1e-15 && fabs(a->f(-2 * x, slope) - 2 * left) < 1e-15;
    }
    assert_int_equal(a->facts.odd, odd);
    assert_int_equal(a->facts.homogeneous, homogeneous);
  }
}

/* The largest |phi'| on a grid. */
static double steepest(const fanin__activation *a) {
  double most = 0;
  for (double z = -8; z <= 8; z += 1.0 / 128)
    most = fmax(most, fabs(a->df(z, 0.2)));
  return most;
}

/* Just inside the bounds |phi'| is above the stated share of its maximum, beyond them it is below. */
static void saturation_is_a_share_of_the_slope(void **state) {
  (void)state;
  size_t bounded = 0;
  for (size_t k = 0; fanin__activation_at(k); k++) {
    const fanin__activation *const a = fanin__activation_at(k);
    const double share = FANIN__SATURATED * steepest(a);
    double below, above;
    fanin__saturation(a, &below, &above);
    if (!isinf(below)) {
      assert_true(fabs(a->df(below - 1e-9, 0)) < share * (1 + 1e-8) && fabs(a->df(below - 3, 0)) < share);
      assert_true(fabs(a->df(below + 1e-9, 0)) > share * (1 - 1e-8));
    }
    if (!isinf(above)) {
      assert_true(fabs(a->df(above + 1e-9, 0)) < share * (1 + 1e-8) && fabs(a->df(above + 3, 0)) < share);
      assert_true(fabs(a->df(above - 1e-9, 0)) > share * (1 - 1e-8));
    }
    bounded += !isinf(below) || !isinf(above);
  }
  assert_int_equal(bounded, 5);
  /* activation_constants.csv has .037034461883945984 for tanh: the indicator of |z| > t summed over 24 Gauss-Legendre
   * nodes on pieces of 2, two of which are neighbours of t. */
  assert_true(fanin__activation_find("tanh")->facts.saturated_above > 2.0617254479972673);
  assert_true(fanin__activation_find("tanh")->facts.saturated_above < 2.113584472995599);
}

static void zero_where_nothing_passes(void **state) {
  (void)state;
  for (size_t k = 0; fanin__activation_at(k); k++) {
    const fanin__activation *const a = fanin__activation_at(k);
    const double bound = fanin__zero_below(a, 0.2);
    for (double z = -3.5; z < 4; z += 0.5) {
      const bool zero = a->f(z, 0.2) == 0 && a->df(z, 0.2) == 0;
      assert_int_equal(zero, z <= bound);
    }
  }
  assert_true(fanin__zero_below(fanin__activation_find("leaky_relu"), 0) == 0);
}

static void shares_of_a_normal(void **state) {
  (void)state;
  const fanin__activation *const bounded = fanin__activation_find("tanh");
  const fanin__activation *const relu = fanin__activation_find("relu"), *const hard =
                                                                            fanin__activation_find("hardswish");
  const double q[] = {0.3, 1, 9};
  for (size_t k = 0; k < 3; k++) {
    assert_close(fanin__saturated_share(bounded, q[k]), erfc(2.0845033259138294 / sqrt(2 * q[k])), 1e-15, "share",
                 "tanh");
    assert_close(fanin__zero_share(relu, 0, q[k]), 0.5, 1e-15, "zero share", "relu");
    assert_close(fanin__zero_share(hard, 0, q[k]), 0.5 * erfc(3 / sqrt(2 * q[k])), 1e-15, "zero share", "hardswish");
    assert_true(fanin__saturated_share(relu, q[k]) == 0 && fanin__zero_share(bounded, 0, q[k]) == 0);
  }
  assert_true(fanin__saturated_share(bounded, 0) == 0 && fanin__zero_share(relu, 0, 0) == 1);
  assert_true(fanin__zero_share(hard, 0, 0) == 0);
}

/* ---- One normal -------------------------------------------------------------------------------------------------- */

static void moments_match_references(void **state) {
  (void)state;
  const char *field[7];
  test_csv csv = test_csv_open("moments.csv");
  while (test_csv_row(&csv, field, 7)) {
    const fanin__activation *const a = fanin__activation_find(field[0]);
    const double slope = strtod(field[1], NULL), q = strtod(field[2], NULL), v = strtod(field[4], NULL);
    const double square = strtod(field[5], NULL), fourth = strtod(field[6], NULL);
    assert_close(fanin__mean(a, slope, q), strtod(field[3], NULL), 1e-11 * sqrt(v), "mean", field[0]);
    assert_close(fanin__v(a, slope, q), v, 1e-11 * v, "V", field[0]);
    assert_close(fanin__mean_square(a, FANIN__SLOPE, slope, q), square, 1e-11 * square, "E slope^2", field[0]);
    const fanin__expansion e = fanin__expand_square(a, FANIN__SLOPE, slope, q);
    assert_close(e.v, square, 1e-11 * square, "E slope^2", field[0]);
    assert_close(1 + fanin__kappa(&e, 1), fourth / (square * square), 1e-9 * fourth / (square * square), "kappa",
                 field[0]);
  }
  assert_int_equal(csv.rows, 76);
}

/* activation_constants.csv: E phi'^2 and kappa of gradients, 3 E phi'^4 / (E phi'^2)^2 - 1. */
static void gradient_constants(void **state) {
  (void)state;
  const char *field[12];
  test_csv csv = test_csv_open("activation_constants.csv");
  while (test_csv_row(&csv, field, 12)) {
    const fanin__expansion e = fanin__expand_square(fanin__activation_find(field[0]), FANIN__SLOPE, 0, 1);
    assert_close(e.v, strtod(field[3], NULL), 1e-9, "E slope^2", field[0]);
    assert_close(3 * (1 + fanin__kappa(&e, 1)) - 1, strtod(field[9], NULL), 3e-9, "kappa of gradients", field[0]);
  }
  assert_int_equal(csv.rows, 3);
}

/* E[z Phi(z)] = q / sqrt(2 pi (1 + q)) by Stein's lemma, for gelu. */
static void closed_means(void **state) {
  (void)state;
  const double q[] = {1e-4, 0.3, 1, 30, 1e5};
  for (size_t k = 0; k < sizeof q / sizeof *q; k++) {
    const double gelu = q[k] / sqrt(2 * PI * (1 + q[k])), relu = sqrt(q[k] / (2 * PI));
    assert_close(fanin__mean(fanin__activation_find("gelu"), 0, q[k]), gelu, 1e-11 * gelu, "mean", "gelu");
    assert_close(fanin__mean(fanin__activation_find("relu"), 0, q[k]), relu, 1e-11 * relu, "mean", "relu");
    assert_close(fanin__mean(fanin__activation_find("sigmoid"), 0, q[k]), 0.5, 1e-11, "mean", "sigmoid");
  }
  assert_true(fanin__mean(fanin__activation_find("sigmoid"), 0, 0) == 0.5);
}

static void slope_at_small_and_large_q(void **state) {
  (void)state;
  const fanin__activation *const relu = fanin__activation_find("relu"), *const bounded = fanin__activation_find("tanh");
  const double q[] = {0, 1e-60, 1e-9, 1e9, 1e60};
  for (size_t k = 0; k < sizeof q / sizeof *q; k++) {
    assert_close(fanin__mean_square(relu, FANIN__SLOPE, 0, q[k]), 0.5, 1e-9, "E slope^2", "relu");
  }
  assert_close(fanin__mean_square(bounded, FANIN__SLOPE, 0, 0), 1, 1e-12, "E slope^2 at 0", "tanh");
  /* the integral of sech^4 is 4/3, the density is flat over it */
  const double far = 4.0 / 3 / sqrt(2 * PI * 1e8);
  assert_close(fanin__mean_square(bounded, FANIN__SLOPE, 0, 1e8), far, 1e-6 * far, "E slope^2 at 1e8", "tanh");
}

static void slope_curves_follow_the_function(void **state) {
  (void)state;
  double q[12] = {0}, values[FANIN__CURVE_VALUES];
  for (int j = 1; j < 12; j++) {
    q[j] = 0.01 * pow(1e4, (j - 1) / 10.0);
  }
  for (size_t k = 0; fanin__activation_at(k); k++) {
    const fanin__activation *const a = fanin__activation_at(k);
    fanin__curve curve;
    assert_ok(fanin__curve_of_square(a, FANIN__SLOPE, 0.2, q, 12, FANIN__CURVE_VALUES, &curve));
    for (int j = 0; j < 12; j++) {
      const fanin__expansion e = fanin__expand_square(a, FANIN__SLOPE, 0.2, q[j]);
      fanin__curve_at(&curve, q[j], values);
      assert_close(values[0], e.v, 1e-8 * e.v, "curve", fanin__activation_at(k)->name);
      if (j > 0) assert_close(values[2], e.v * e.a[2], 1e-6 * e.v, "second order", fanin__activation_at(k)->name);
    }
    fanin__curve_free(&curve);
  }
}

/* ---- Two normals ------------------------------------------------------------------------------------------------- */

static void correlations_match_references(void **state) {
  (void)state;
  const char *field[7];
  test_csv csv = test_csv_open("correlations.csv");
  while (test_csv_row(&csv, field, 7)) {
    const fanin__activation *const a = fanin__activation_find(field[0]);
    const double slope = strtod(field[1], NULL), c = strtod(field[4], NULL);
    const double q_a = strtod(field[2], NULL), q_b = strtod(field[3], NULL);
    const double size = sqrt(fanin__v(a, slope, q_a) * fanin__v(a, slope, q_b));
    const double slope_size =
        sqrt(fanin__mean_square(a, FANIN__SLOPE, slope, q_a) * fanin__mean_square(a, FANIN__SLOPE, slope, q_b));
    assert_close(fanin__correlated(a, FANIN__PHI, slope, q_a, q_b, c), strtod(field[5], NULL), 1e-11 * size, "C",
                 field[0]);
    assert_close(fanin__correlated(a, FANIN__SLOPE, slope, q_a, q_b, c), strtod(field[6], NULL), 1e-11 * slope_size,
                 "C of slopes", field[0]);
  }
  assert_int_equal(csv.rows, 228);
}

/* Cho & Saul 2009, arc-cosine kernels of order 0 and 1: with t = arccos c, E[relu(u) relu(v)] = (sin t +
 * (pi - t) cos t) / 2 pi times the two standard deviations, E[relu'(u) relu'(v)] = (pi - t) / 2 pi. */
static void relu_is_the_arc_cosine_kernel(void **state) {
  (void)state;
  static const double c[] = {-1, -0.999999, -0.4, 0, 0.5, 0.99, 1 - 1e-6, 1 - 1e-12, 1};
  const fanin__activation *const relu = fanin__activation_find("relu");
  for (size_t k = 0; k < sizeof c / sizeof *c; k++) {
    const double t = acos(c[k]), kernel = (sin(t) + (PI - t) * c[k]) / (2 * PI);
    assert_close(fanin__correlated(relu, FANIN__PHI, 0, 4, 9, c[k]), 6 * kernel, 1e-12, "C", "relu");
    assert_close(fanin__correlated(relu, FANIN__SLOPE, 0, 4, 9, c[k]), (PI - t) / (2 * PI), 1e-12, "slopes", "relu");
  }
}

/* At c = 1 the product is a square, at 0 one of means, at -1 with an odd function minus the square. */
static void correlation_at_its_ends(void **state) {
  (void)state;
  static const double q[] = {0, 1e-12, 0.5, 40, 1e6};
  for (size_t k = 0; fanin__activation_at(k); k++) {
    const fanin__activation *const a = fanin__activation_at(k);
    for (size_t j = 0; j < sizeof q / sizeof *q; j++) {
      const double v = fanin__v(a, 0.2, q[j]), square = fanin__mean_square(a, FANIN__SLOPE, 0.2, q[j]);
      const double mean = fanin__mean(a, 0.2, q[j]), mean_2 = fanin__mean(a, 0.2, 2), v_2 = fanin__v(a, 0.2, 2);
      assert_close(fanin__correlated(a, FANIN__PHI, 0.2, q[j], q[j], 1), v, 1e-10 * v + 1e-299, "C(1)",
                   fanin__activation_at(k)->name);
      assert_close(fanin__correlated(a, FANIN__SLOPE, 0.2, q[j], q[j], 1), square, 1e-10 * square + 1e-299, "slopes",
                   fanin__activation_at(k)->name);
      assert_close(fanin__correlated(a, FANIN__PHI, 0.2, q[j], 2, 0), mean * mean_2, 1e-10 * sqrt(v * v_2) + 1e-149,
                   "C(0)", fanin__activation_at(k)->name);
      if (!a->facts.odd) continue;
      assert_close(fanin__correlated(a, FANIN__PHI, 0.2, q[j], q[j], -1), -v, 1e-10 * v + 1e-299, "C(-1)",
                   fanin__activation_at(k)->name);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(slopes_match_derivatives),
      cmocka_unit_test(facts_hold),
      cmocka_unit_test(saturation_is_a_share_of_the_slope),
      cmocka_unit_test(zero_where_nothing_passes),
      cmocka_unit_test(shares_of_a_normal),
      cmocka_unit_test(moments_match_references),
      cmocka_unit_test(gradient_constants),
      cmocka_unit_test(closed_means),
      cmocka_unit_test(slope_at_small_and_large_q),
      cmocka_unit_test(slope_curves_follow_the_function),
      cmocka_unit_test(correlations_match_references),
      cmocka_unit_test(relu_is_the_arc_cosine_kernel),
      cmocka_unit_test(correlation_at_its_ends),
  };
  return cmocka_run_group_tests_name("moments", tests, NULL, NULL);
}
