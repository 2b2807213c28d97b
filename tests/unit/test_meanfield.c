/* meanfield.c and residual.c against published tables, brute-force integrals and exact quantiles. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "math/activation.h"
#include "probe/residual.h"
#include "support/support.h"
#include "support/support_csv.h"
#include "theory/meanfield.h"

static void assert_near(double value, double exact, double tolerance, const char *what) {
  if (fabs(value - exact) <= tolerance * fmax(1, fabs(exact))) return;
  fail_msg("%s is %.12g, not %.12g", what, value, exact);
}

static void assert_relative(double value, double exact, double tolerance, const char *what) {
  if (fabs(value - exact) <= tolerance * fabs(exact)) return;
  fail_msg("%s is %.12g, not %.12g", what, value, exact);
}

static const double slope = 0.2; /* leaky_relu's */

/* ---- Reference tables -------------------------------------------------------------------------------------------- */

/* The table has ten significant digits. */
static void constants_at_unit_variance(void **state) {
  (void)state;
  const char *field[12];
  test_csv csv = test_csv_open("activation_constants.csv");
  while (test_csv_row(&csv, field, 12)) {
    const fanin__expansion e = fanin__expand_square(fanin__activation_find(field[0]), FANIN__PHI, 0, 1);
    assert_near(e.v, strtod(field[2], NULL), 1e-9, "V");
    assert_near(e.a[2] / sqrt(2), strtod(field[6], NULL), 1e-9, "s");
    assert_near(fanin__kappa(&e, 1), strtod(field[7], NULL), 2e-9, "kappa");
    assert_near(fanin__kappa_residual(&e), strtod(field[8], NULL), 2e-9, "kappa of the residual");
  }
  assert_int_equal(csv.rows, 3);
}

/* q of layer l by the recursion q_1 = sigma_w^2, q_(l+1) = sigma_w^2 V(q_l), its moments beside it. The table has
 * eight digits of q and six of s and kappa. */
static void recursion_matches_table(void **state) {
  (void)state;
  const char *field[24];
  test_csv csv = test_csv_open("meanfield.csv");
  while (test_csv_row(&csv, field, 24)) {
    const fanin__activation *const activation = fanin__activation_find(field[0]);
    const double gain = strtod(field[2], NULL);
    double q = gain;
    for (long l = 1; l < strtol(field[4], NULL, 10); l++) {
      q = gain * fanin__v(activation, 0, q);
    }
    const fanin__expansion e = fanin__expand_square(activation, FANIN__PHI, 0, q);
    assert_relative(q, strtod(field[5], NULL), 1e-6, "q");
    assert_relative(e.v, strtod(field[10], NULL), 1e-6, "V");
    assert_relative(e.a[2] / sqrt(2), strtod(field[17], NULL), 1e-5, "s");
    assert_relative(fanin__kappa(&e, 1), strtod(field[18], NULL), 1e-5, "kappa");
  }
  assert_int_equal(csv.rows, 108);
}

/* ---- Brute force ------------------------------------------------------------------------------------------------- */

/* E[phi(sqrt(q) x)^(2 power)] by 400,000 trapezoids on +-12: kinks cost (24/400000)^2 of the second derivative, 1e-7.
 */
static double trapezoid(const fanin__activation *activation, double q, int power) {
  const int n = 400000;
  double sum = 0;
  for (int k = -n / 2; k <= n / 2; k++) {
    const double x = 24.0 * k / n;
    sum += pow(activation->f(sqrt(q) * x, slope), 2 * power) * exp(-0.5 * x * x);
  }
  return sum * 24 / n / sqrt(2 * 3.14159265358979323846);
}

static void every_activation_at_small_and_large_q(void **state) {
  (void)state;
  static const double q[] = {0.003, 1, 2.5, 60};
  for (size_t k = 0; fanin__activation_at(k); k++) {
    const fanin__activation *const activation = fanin__activation_at(k);
    for (size_t j = 0; j < sizeof q / sizeof *q; j++) {
      const fanin__expansion e = fanin__expand_square(activation, FANIN__PHI, slope, q[j]);
      const double v = trapezoid(activation, q[j], 1), fourth = trapezoid(activation, q[j], 2);
      assert_relative(fanin__v(activation, slope, q[j]), v, 1e-7, fanin__activation_at(k)->name);
      assert_relative(e.v, v, 1e-7, fanin__activation_at(k)->name);
      assert_near(1 + fanin__kappa(&e, 1), fourth / (v * v), 1e-6, fanin__activation_at(k)->name);
    }
  }
}

static void derivatives_come_from_the_expansion(void **state) {
  (void)state;
  const double q = 1.7, step = 1e-3;
  for (size_t k = 0; fanin__activation_at(k); k++) {
    const fanin__activation *const activation = fanin__activation_at(k);
    const fanin__expansion e = fanin__expand_square(activation, FANIN__PHI, slope, q);
    const double below = fanin__v(activation, slope, q - step), above = fanin__v(activation, slope, q + step);
    /* central differences: errors of the order step^2 V''' and 1e-10 / step^2 */
    assert_near(e.a[2] / sqrt(2), (above - below) / (2 * step) * q / e.v, 1e-5, fanin__activation_at(k)->name);
    assert_near(sqrt(1.5) * e.a[4], (above - 2 * e.v + below) / (step * step) * q * q / e.v, 1e-3,
                fanin__activation_at(k)->name);
  }
}

/* E[psi^3] of relu: psi is +-z^2/2 - ... odd, so 0; of linear psi is 0; and of tanh by the trapezoid. */
static void third_moment_of_the_residual(void **state) {
  (void)state;
  assert_near(fanin__expand_square(fanin__activation_find("relu"), FANIN__PHI, 0, 3).third, 0, 1e-9, "relu");
  assert_near(fanin__expand_square(fanin__activation_find("linear"), FANIN__PHI, 0, 3).third, 0, 1e-9, "linear");
  const fanin__expansion e = fanin__expand_square(fanin__activation_find("tanh"), FANIN__PHI, 0, 2);
  double sum = 0;
  for (int k = -60000; k <= 60000; k++) {
    const double x = k / 5000.0, psi = pow(tanh(sqrt(2) * x), 2) / e.v - 1 - e.a[2] / sqrt(2) * (x * x - 1);
    sum += psi * psi * psi * exp(-0.5 * x * x) / 5000;
  }
  assert_near(e.third, sum / sqrt(2 * 3.14159265358979323846), 1e-8, "tanh");
}

/* E[phi(sqrt(q) x)^2 phi(sqrt(q) y)^2] at correlation c, by trapezoids in two dimensions. */
static double correlated(const fanin__activation *activation, double q, double c) {
  const int n = 800;
  const double step = 20.0 / n, root = sqrt(q), rest = sqrt(1 - c * c);
  double sum = 0;
  for (int j = -n / 2; j <= n / 2; j++) {
    for (int k = -n / 2; k <= n / 2; k++) {
      const double x = j * step, w = k * step, y = c * x + rest * w;
      sum += pow(activation->f(root * x, slope) * activation->f(root * y, slope), 2) * exp(-0.5 * (x * x + w * w));
    }
  }
  return sum * step * step / (2 * 3.14159265358979323846);
}

/* The orders from 16 on, which are lumped together, make up rest^2: what is wrong with them is no more than that. */
static void mehler_agrees_with_two_dimensions(void **state) {
  (void)state;
  static const char *const some[] = {"relu", "tanh", "gelu", "sigmoid", "hardswish"};
  static const double c[] = {-0.8, -0.1, 0.3, 0.9};
  for (size_t k = 0; k < sizeof some / sizeof *some; k++) {
    const fanin__activation *const activation = fanin__activation_find(some[k]);
    const fanin__expansion e = fanin__expand_square(activation, FANIN__PHI, slope, 2);
    for (size_t j = 0; j < sizeof c / sizeof *c; j++) {
      assert_near(fanin__kappa(&e, c[j]), correlated(activation, 2, c[j]) / (e.v * e.v) - 1,
                  1e-5 + e.rest * e.rest * pow(fabs(c[j]), FANIN__ORDERS), some[k]);
    }
  }
}

/* ---- Gated units ------------------------------------------------------------------------------------------------- */

/* What is squared of a gated unit at z = sqrt(q) (x, y): h^2, or the sum of the squares of its two derivatives. */
static double gated_square(const fanin__activation *activation, fanin__function function, double q, double x,
                           double y) {
  const double z = sqrt(q) * x, other = sqrt(q) * y, h = activation->f(z, 0);
  if (function == FANIN__PHI) return h * h * other * other;
  const double d = activation->df(z, 0) * other;
  return d * d + h * h;
}

/* The mean over independent normal x and y of that, times He_k(x) / sqrt(k!), times He_2(y) / sqrt(2) where `gate`; by
 * the trapezoidal rule, which is exact to all digits for smooth functions. */
static double gated_moment(const fanin__activation *activation, fanin__function function, double q, int k, bool gate) {
  const double step = 0.1, end = 10;
  double sum = 0;
  for (double x = -end; x < end; x += step) {
    double before = 0, hermite = 1;
    for (int j = 0; j < k; j++) {
      const double next = (x * hermite - sqrt(j) * before) / sqrt(j + 1);
      before = hermite;
      hermite = next;
    }
    for (double y = -end; y < end; y += step) {
      const double of_y = gate ? (y * y - 1) / sqrt(2) : 1,
                   density = exp(-(x * x + y * y) / 2) / (2 * 3.14159265358979);
      sum += gated_square(activation, function, q, x, y) * hermite * of_y * density * step * step;
    }
  }
  return sum;
}

/* E F^2 / V^2, E psi^2 and E psi^3, psi = F / V - 1 - s / 2 (x^2 + y^2 - 2). */
static void gated_powers(const fanin__activation *activation, fanin__function function, double q, double v, double s,
                         double out[3]) {
  const double step = 0.1, end = 11;
  out[0] = out[1] = out[2] = 0;
  for (double x = -end; x < end; x += step) {
    for (double y = -end; y < end; y += step) {
      const double f = gated_square(activation, function, q, x, y) / v, psi = f - 1 - s / 2 * (x * x + y * y - 2);
      const double mass = exp(-(x * x + y * y) / 2) / (2 * 3.14159265358979) * step * step;
      out[0] += f * f * mass;
      out[1] += psi * psi * mass;
      out[2] += psi * psi * psi * mass;
    }
  }
}

/* Every number of the expansion by sums over two dimensions and by differences in q. */
static void gates_agree_with_two_dimensions(void **state) {
  (void)state;
  static const char *const gates[] = {"silu", "tanh", "linear", "gelu_tanh"};
  static const fanin__function functions[] = {FANIN__PHI, FANIN__SLOPE};
  for (size_t i = 0; i < 16; i++) {
    const fanin__activation *const activation = fanin__activation_find(gates[i / 4]);
    const fanin__function function = functions[i % 2];
    const double q = i / 2 % 2 ? 1.7 : 0.3, step = 1e-3;
    const fanin__expansion e = fanin__expand_gated(activation, function, 0, q);
    const double v = gated_moment(activation, function, q, 0, false);
    const double below = gated_moment(activation, function, q * (1 - step), 0, false);
    const double above = gated_moment(activation, function, q * (1 + step), 0, false);
    const double s = (above - below) / (2 * step) / v, curvature = (above + below - 2 * v) / (step * step) / v;
    double powers[3];
    assert_relative(e.v, v, 1e-9, gates[i / 4]);
    for (int k = 0; k < 8; k++) {
      assert_near(e.a[k], gated_moment(activation, function, q, k, false) / v, 1e-8, gates[i / 4]);
      assert_near(e.b[k], gated_moment(activation, function, q, k, true) / v, 1e-8, gates[i / 4]);
    }
    assert_near(fanin__sensitivity(&e), s, 1e-5, "sensitivity");
    assert_near(sqrt(1.5) * e.a[4] + e.b[2], curvature, 1e-4, "curvature");
    gated_powers(activation, function, q, v, fanin__sensitivity(&e), powers);
    assert_relative(fanin__kappa(&e, 1), powers[0] - 1, 1e-7, "kappa");
    assert_near(fanin__kappa_residual(&e), powers[1], 1e-7 * (1 + powers[1]), "the residual's variance");
    assert_near(e.third, powers[2], 1e-7 * (1 + fabs(powers[2])), "third");
  }
}

/* ---- Limits ------------------------------------------------------------------------------------------------------ */

static void extreme_second_moments(void **state) {
  (void)state;
  const fanin__activation *const relu = fanin__activation_find("relu"), *const bounded = fanin__activation_find("tanh");
  static const double q[] = {1e-60, 1e-12, 1e12, 1e17, 1e60};
  for (size_t k = 0; k < sizeof q / sizeof *q; k++) {
    const fanin__expansion e = fanin__expand_square(relu, FANIN__PHI, 0, q[k]);
    assert_relative(e.v, 0.5 * q[k], 1e-9, "relu");
    assert_near(fanin__kappa(&e, 1), 5, 1e-7, "relu's kappa");
  }
  assert_relative(fanin__v(bounded, 0, 1e-12), 1e-12, 1e-9, "tanh at small q"); /* V = q - 2 q^2 + ... */
  /* 1 - E[1 - tanh^2] = 1 - 2 / sqrt(2 pi q) as the density is flat where tanh changes */
  assert_near(fanin__v(bounded, 0, 1e8), 1 - 2 / sqrt(2 * 3.14159265358979323846 * 1e8), 1e-9, "tanh at large q");
  assert_near(fanin__v(fanin__activation_find("sigmoid"), 0, 0), 0.25, 1e-15, "sigmoid at 0");
  assert_true(fanin__expand_square(relu, FANIN__PHI, 0, 0).v == 0);
  assert_true(fanin__kappa_residual(&(fanin__expansion){0}) == 0);
}

static void curves_follow_the_function(void **state) {
  (void)state;
  static const double spreads[] = {1, 1.001, 3, 1e4, 1e12};
  double values[FANIN__CURVE_VALUES], alone;
  for (size_t k = 0; fanin__activation_at(k); k++) {
    const fanin__activation *const activation = fanin__activation_at(k);
    for (size_t s = 0; s < sizeof spreads / sizeof *spreads; s++) {
      double q[20] = {0};
      for (int j = 1; j < 20; j++) {
        q[j] = 0.01 * pow(spreads[s], (j - 1) / 18.0);
      }
      fanin__curve full, short_curve;
      assert_ok(fanin__curve_of_square(activation, FANIN__PHI, slope, q, 20, FANIN__CURVE_VALUES, &full));
      assert_ok(fanin__curve_of_square(activation, FANIN__PHI, slope, q, 20, 1, &short_curve));
      for (int j = 0; j < 20; j++) {
        const fanin__expansion e = fanin__expand_square(activation, FANIN__PHI, slope, q[j]);
        fanin__curve_at(&full, q[j], values);
        fanin__curve_at(&short_curve, q[j], &alone);
        assert_relative(values[0], e.v, 1e-8, fanin__activation_at(k)->name);
        assert_relative(alone, e.v, 1e-8, fanin__activation_at(k)->name);
        /* with rounding in quantities of this size that are small differences */
        assert_true(fabs(values[4] - e.v * e.a[4]) <= 1e-6 * e.v);
        assert_true(q[j] > 0 || values[4] == 0);
      }
      fanin__curve_free(&full);
      fanin__curve_free(&short_curve);
    }
  }
}

/* ---- Deviates ---------------------------------------------------------------------------------------------------- */

/* Quantiles of chi-squared / degrees, at normal deviates z (SciPy 1.10 chi2.ppf and isf). Wilson and Hilferty's cube
 * root is within 0.1 of them, but for the far lower tail of few degrees. */
static void chi_squared_quantiles(void **state) {
  (void)state;
  static const struct {
    double degrees, z, quantile, tolerance;
  } rows[] = {{10, -4.5, 0.04353276728423471, 1.2},  {10, -3, 0.15837200938833138, 0.08},
              {10, 0, 0.9341817765591969, 0.02},     {10, 3, 2.878498865156606, 0.02},
              {10, 4.5, 4.392334499627671, 0.1},     {50, -4.5, 0.34043504236606104, 0.08},
              {50, -3, 0.5046909830623639, 0.02},    {50, 0, 0.9866987346795366, 0.01},
              {50, 3, 1.7074858621731794, 0.01},     {50, 4.5, 2.167538001631405, 0.03},
              {300, -4.5, 0.6743748205253047, 0.02}, {300, 3, 1.2628022639267449, 0.01},
              {300, 4.5, 1.411031890899656, 0.01}};
  for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
    const double n = rows[k].degrees;
    const fanin__cumulants law = {0, 2 / n, 8 / (n * n)};
    const double z = fanin__deviate(7 * rows[k].quantile, 7, &law);
    if (!(fabs(z - rows[k].z) <= rows[k].tolerance)) {
      fail_msg("chi-squared with %g degrees: %g instead of %g", n, z, rows[k].z);
    }
  }
}

static void deviates_without_spread(void **state) {
  (void)state;
  const fanin__cumulants none = {0, 0, 0}, symmetric = {0.01, 0.0004, 0};
  assert_true(fanin__deviate(0, 0, &none) == 0);
  assert_true(fanin__deviate(2, 2, &none) == 0);
  assert_true(fanin__deviate(2, 1, &none) == FANIN__DEVIATE_MAX);
  assert_true(fanin__deviate(1, 2, &none) == -FANIN__DEVIATE_MAX);
  assert_true(fanin__deviate(1, 0, &symmetric) == FANIN__DEVIATE_MAX);
  assert_true(fanin__deviate(0, 1, &symmetric) == -FANIN__DEVIATE_MAX);
  assert_true(fanin__deviate(1e9, 1, &symmetric) == FANIN__DEVIATE_MAX);
  assert_near(fanin__deviate(3 * 1.05, 3, &symmetric), 2, 1e-12, "a symmetric law's deviate");
  assert_true(fanin__std_deviate(0, 0, 0, 100) == 0);
  assert_true(fanin__std_deviate(1, 0, 0, 100) == FANIN__DEVIATE_MAX);
  assert_true(fanin__std_deviate(0.5, 1, 1, 100) == -FANIN__DEVIATE_MAX);
  /* 2 % at 10,000 normal values, whose std has the relative standard deviation sqrt(2 / 40000) */
  assert_near(fanin__std_deviate(1.02 * 5, 5, 3, 10000), 0.02 / sqrt(0.5e-4), 1e-9, "a std's deviate");
}

static double square(double x) {
  return x * x;
}

static void product_of_independent_factors(void **state) {
  (void)state;
  const fanin__cumulants x = {0.1, 0.2, 0.3}, y = {0.01, 0.02, 0.03}, p = fanin__product(&x, &y);
  assert_near(p.mean, 0.11, 1e-15, "mean");
  assert_near(p.variance, 1.2 * 1.02 - 1, 1e-15, "variance"); /* of (1 + x)(1 + y), both of mean 1 */
  /* of two such factors that are lognormal: E[w^3] = (1 + v)^3, so third = v^2 (3 + v) */
  const double a = 1e-3, b = 2e-3, v = (1 + a) * (1 + b) - 1;
  const fanin__cumulants u = {0, a, square(a) * (3 + a)}, w = {0, b, square(b) * (3 + b)}, q = fanin__product(&u, &w);
  assert_relative(q.third, square(v) * (3 + v), 1e-2, "third");
}

/* SciPy 1.10: norm.isf(-0.5 * expm1(log1p(-1e-3) / tests)). */
static void family_bounds(void **state) {
  (void)state;
  assert_near(fanin_z_bound(1), 3.2905267314918945, 1e-12, "1 test");
  assert_near(fanin_z_bound(2), 3.4806894128305363, 1e-12, "2 tests");
  assert_near(fanin_z_bound(200), 4.564683314092412, 1e-12, "200 tests");
  assert_near(fanin_z_bound(1000000), 6.109330366660903, 1e-12, "10^6 tests");
  assert_true(fanin_z_bound(0) == 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(constants_at_unit_variance),
                                     cmocka_unit_test(recursion_matches_table),
                                     cmocka_unit_test(every_activation_at_small_and_large_q),
                                     cmocka_unit_test(derivatives_come_from_the_expansion),
                                     cmocka_unit_test(third_moment_of_the_residual),
                                     cmocka_unit_test(mehler_agrees_with_two_dimensions),
                                     cmocka_unit_test(gates_agree_with_two_dimensions),
                                     cmocka_unit_test(extreme_second_moments),
                                     cmocka_unit_test(curves_follow_the_function),
                                     cmocka_unit_test(chi_squared_quantiles),
                                     cmocka_unit_test(deviates_without_spread),
                                     cmocka_unit_test(product_of_independent_factors),
                                     cmocka_unit_test(family_bounds)};
  return cmocka_run_group_tests_name("meanfield", tests, NULL, NULL);
}
