/* fixedpoint.c against papers, closed forms, the recursion and SciPy's roots (tests/data/make_fixed_points.py). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/support.h"
#include "support/support_csv.h"

static void fixed_points_match_references(void **state) {
  (void)state;
  const char *field[6];
  test_csv csv = test_csv_open("fixed_points.csv");
  fanin_fixed_point list[8];
  size_t count = 0, met = 0, known = 0;
  double before[2] = {0};
  char name[32] = "";
  while (test_csv_row(&csv, field, 6)) {
    const double sigma_w2 = strtod(field[1], NULL), sigma_b2 = strtod(field[2], NULL), q = strtod(field[3], NULL);
    if (strcmp(name, field[0]) != 0 || before[0] != sigma_w2 || before[1] != sigma_b2) {
      assert_ok(fanin_fixed_points(field[0], 0, sigma_w2, sigma_b2, list, 8, sizeof *list, &count));
      known += count;
      met += count > 0 && list[0].q == 0;
      strncpy(name, field[0], sizeof name - 1);
      before[0] = sigma_w2;
      before[1] = sigma_b2;
    }
    for (size_t k = 0; k < count; k++) {
      if (!(fabs(list[k].q / q - 1) < 1e-8)) continue;
      met++;
      test_assert_relative_of(list[k].chi, strtod(field[4], NULL), 1e-8, "chi", field[0]);
      test_assert_close_of(list[k].c, strtod(field[5], NULL), 1e-7, "c*", field[0]);
    }
  }
  assert_int_equal(csv.rows, 43);
  assert_int_equal(met, known);
  assert_int_equal(
      met, 43 + 5); /* q = 0 has no rows: beside others for tanh, selu, elu, softsign and relu2, at sigma_b = 0 */
}

static void edges_match_references(void **state) {
  (void)state;
  const char *field[4];
  test_csv csv = test_csv_open("edges.csv");
  while (test_csv_row(&csv, field, 4)) {
    double sigma_w2;
    fanin_fixed_point at;
    assert_ok(fanin_edge_of_chaos(field[0], 0, strtod(field[1], NULL), &sigma_w2, &at, sizeof at));
    test_assert_relative_of(sigma_w2, strtod(field[2], NULL), 1e-9, "sigma_w^2", field[0]);
    test_assert_relative_of(at.q, strtod(field[3], NULL), 1e-9, "q*", field[0]);
    test_assert_relative_of(at.chi, 1, 1e-9, "chi", field[0]);
    assert_true(at.c == 1 && isinf(at.xi_c));
  }
  assert_int_equal(csv.rows, 33);
}

/* Schoenholz et al. 2017 have 1.76 for tanh at sigma_b^2 = .05. ReLU: He et al. 2015. relu2: V = 3 q^2 / 2 and E phi'^2
 * = 2 q, so q* = 4 sigma_b^2, sigma_w^2 = 1 / 2 q*. */
static void edges_of_the_literature(void **state) {
  (void)state;
  double sigma_w2;
  fanin_fixed_point at;
  assert_ok(fanin_edge_of_chaos("tanh", 0, 0.05, &sigma_w2, NULL, 0));
  test_assert_close_of(sigma_w2, 1.76, 0.005, "sigma_w^2", "tanh");
  assert_ok(fanin_edge_of_chaos("relu", 0, 0, &sigma_w2, &at, sizeof at));
  test_assert_relative_of(sigma_w2, 2, 1e-12, "sigma_w^2", "relu");
  assert_true(at.every && at.stable && at.q == 1);
  assert_ok(fanin_edge_of_chaos("tanh", 0, 0, &sigma_w2, &at, sizeof at));
  test_assert_relative_of(sigma_w2, 1, 1e-12, "sigma_w^2", "tanh");
  assert_true(at.q == 0 && at.stable);
  assert_ok(fanin_edge_of_chaos("gelu", 0, 0, &sigma_w2, &at, sizeof at));
  test_assert_relative_of(sigma_w2, 4, 1e-12, "sigma_w^2", "gelu");
  assert_true(at.q == 0 && !at.stable);
  assert_ok(fanin_edge_of_chaos("relu2", 0, 0.3, &sigma_w2, &at, sizeof at));
  test_assert_relative_of(sigma_w2, 1 / 2.4, 1e-9, "sigma_w^2", "relu2");
  test_assert_relative_of(at.q_slope, 1.5, 1e-9, "slope", "relu2");
  assert_true(!at.stable);
}

/* A straight line for homogeneous phi. */
static void homogeneous_fixed_points(void **state) {
  (void)state;
  fanin_fixed_point p[2];
  size_t count;
  assert_ok(fanin_fixed_points("relu", 0, 1.5, 0.2, p, 2, sizeof *p, &count));
  assert_int_equal(count, 1);
  test_assert_relative_of(p[0].q, 0.8, 1e-9, "q*", "relu");
  test_assert_relative_of(p[0].q_slope, 0.75, 1e-9, "slope", "relu");
  test_assert_relative_of(p[0].xi_q, -1 / log(0.75), 1e-9, "xi_q", "relu");
  assert_ok(fanin_fixed_points("relu", 0, 2.5, 0.2, p, 2, sizeof *p, &count));
  assert_int_equal(count, 0);
  assert_ok(fanin_fixed_points("leaky_relu", 0.5, 2, 0, p, 2, sizeof *p, &count));
  assert_int_equal(count, 1);
  assert_true(p[0].q == 0 && !p[0].stable);
  test_assert_relative_of(p[0].q_slope, 1.25, 1e-9, "slope", "leaky_relu");
  assert_ok(fanin_fixed_points("linear", 0, 0, 0, NULL, 0, 0, &count));
  assert_int_equal(count, 1);
}

/* In a deep network, distances to the fixed point shrink by e in xi layers. */
static void depth_scales_are_those_of_the_recursion(void **state) {
  (void)state;
  fanin_theory_layer layers[60];
  static const char *const names[] = {"tanh", "silu", "softsign"};
  static const double sigma_w2[] = {2.5, 2.5, 4};
  static const double sigma_b2[] = {0.05, 0.05, 0.5};
  for (int k = 0; k < 3; k++) {
    fanin_fixed_point p[4];
    size_t count;
    assert_ok(fanin_fixed_points(names[k], 0, sigma_w2[k], sigma_b2[k], p, 4, sizeof *p, &count));
    double gains[60];
    uint64_t widths[61] = {512};
    for (int l = 0; l < 60; l++) {
      gains[l] = sigma_w2[k];
      widths[l + 1] = 512;
    }
    fanin_theory_config config = {.size = sizeof config,
                                  .widths = widths,
                                  .n_widths = 61,
                                  .activation = names[k],
                                  .sigma_w2 = gains,
                                  .sigma_b2 = sigma_b2[k],
                                  .second_moment = 1.2 * (p[0].q - sigma_b2[k]) / sigma_w2[k]};
    assert_ok(fanin_theory(&config, layers, sizeof *layers));
    test_assert_relative_of(log((layers[15].q - p[0].q) / (layers[14].q - p[0].q)), -1 / p[0].xi_q, 2e-3, "xi_q",
                            names[k]);
    config.second_moment = (p[0].q - sigma_b2[k]) / sigma_w2[k];
    assert_ok(fanin_theory(&config, layers, sizeof *layers));
    const double near = layers[40].correlation - p[0].c, nearer = layers[41].correlation - p[0].c;
    test_assert_relative_of(log(nearer / near), -1 / p[0].xi_c, 2e-2, "xi_c", names[k]);
  }
}

static void bad_arguments_are_named(void **state) {
  (void)state;
  double sigma_w2 = -5;
  size_t count = 77;
  assert_status(fanin_fixed_points("tanh", 0, -1, 0, NULL, 0, 0, &count), FANIN_STATUS_BAD_ARGUMENT);
  assert_non_null(strstr(fanin_last_error(), "sigma_w2 is -1"));
  assert_status(fanin_fixed_points("tanh", 0, 1, INFINITY, NULL, 0, 0, &count), FANIN_STATUS_BAD_ARGUMENT);
  assert_int_equal(count, 77);
  assert_status(fanin_edge_of_chaos("softplus", 0, 0.1, &sigma_w2, NULL, 0), FANIN_STATUS_BAD_ARGUMENT);
  assert_non_null(strstr(fanin_last_error(), "softplus has no edge of chaos"));
  assert_status(fanin_edge_of_chaos("relu", 0, 0.1, &sigma_w2, NULL, 0), FANIN_STATUS_BAD_ARGUMENT);
  assert_status(fanin_edge_of_chaos("relu2", 0, 0, &sigma_w2, NULL, 0), FANIN_STATUS_BAD_ARGUMENT);
  assert_status(fanin_edge_of_chaos("tanh", 0, NAN, &sigma_w2, NULL, 0), FANIN_STATUS_BAD_ARGUMENT);
  assert_true(sigma_w2 == -5);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(fixed_points_match_references),
                                     cmocka_unit_test(edges_match_references),
                                     cmocka_unit_test(edges_of_the_literature),
                                     cmocka_unit_test(homogeneous_fixed_points),
                                     cmocka_unit_test(depth_scales_are_those_of_the_recursion),
                                     cmocka_unit_test(bad_arguments_are_named)};
  return cmocka_run_group_tests_name("fixedpoint", tests, NULL, NULL);
}
