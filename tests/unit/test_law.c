/* law.c against an integrated density and libm. */
#include <math.h>

#include "oracle/oracle.h"
#include "oracle/statistics.h"
#include "support/support.h"

static void near(double value, double expected, double tolerance, const char *what) {
  if (!(fabs(value - expected) <= tolerance)) fail_msg("%s: %.17g is not %.17g", what, value, expected);
}

static void laws_are_the_distributions(void **state) {
  (void)state;
  static const struct {
    const char *init;
    statistics_law law;
  } cases[] = {
      {"uniform:lo=-0.3,hi=0.7", {.uniform = true, .lo = -0.3, .hi = 0.7}},
      {"normal:mean=1,std=0.5", {.mean = 1, .std = 0.5, .a = -INFINITY, .b = INFINITY}},
      {"trunc_normal:mean=-1,std=2,a=-2,b=2,corrected=false", {.mean = -1, .std = 2, .a = -2, .b = 2}},
      {"trunc_normal:std=1,a=0.5,b=3,corrected=false", {.std = 1, .a = 0.5, .b = 3}},
  };
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    fanin_init init;
    fanin_law law;
    double mean, std, kurtosis, moments[13];
    const fanin_tensor t = statistics_vector(FANIN_DTYPE_F32, 10);
    assert_ok(fanin_init_parse(cases[k].init, &init));
    assert_ok(fanin_law_of(&t, &init, &law));
    statistics_moments(&cases[k].law, &mean, &std, &kurtosis);
    fanin_law_moments(&law, mean, std, moments);
    near(moments[0], 1, 1e-12, cases[k].init);
    near(moments[1], 0, 1e-9, cases[k].init);
    near(moments[2], 1, 1e-9, cases[k].init);
    near(moments[4], kurtosis, 1e-8, cases[k].init);
    for (double z = -4; z <= 4; z += 0.37) {
      const double x = mean + z * std, below = statistics_cdf(&cases[k].law, x);
      near(fanin_law_probability(&law, x, 0), below, 1e-14, cases[k].init);
      near(fanin_law_probability(&law, x, 1), 1 - below, 1e-14, cases[k].init);
    }
  }
  /* N(0,1): 1 * 3 * 5 * ... * 11; U(-1,1): 1/13; tails keep their digits. */
  const fanin_law normal = {FANIN_LAW_KIND_NORMAL, 0, -INFINITY, INFINITY, 0, 1, 0};
  const fanin_law uniform_law = {FANIN_LAW_KIND_UNIFORM, 0, -1, 1, 0, 0, 0};
  double moments[13];
  fanin_law_moments(&normal, 0, 1, moments);
  near(moments[12] / 10395, 1, 1e-12, "E z^12");
  near(moments[8] / 105, 1, 1e-12, "E z^8");
  fanin_law_moments(&uniform_law, 0, 1, moments);
  near(moments[12], 1.0 / 13, 1e-14, "E u^12");
  near(fanin_law_probability(&normal, 20, 1) / 2.7536241186062337e-89, 1, 1e-12, "Q(20)"); /* SciPy */
  near(fanin_law_probability(&normal, -20, 0) / 2.7536241186062337e-89, 1, 1e-12, "Q(20)");
  const fanin_law constant = {FANIN_LAW_KIND_CONSTANT, 2, 2, 2, 0, 0, 0};
  assert_true(fanin_law_probability(&constant, 1.9, 0) == 0 && fanin_law_probability(&constant, 2, 0) == 1);
  assert_true(fanin_law_probability(&constant, 1.9, 1) == 1 && fanin_law_probability(&constant, 2, 1) == 0);
}

/* E[x^k] of values of the law, rounded by the oracle, as a sum over a fine grid. */
static void rounded_sum(const fanin_law *law, fanin_dtype dtype, bool bounded, double unit, double *moments) {
  enum { STEPS = 1 << 21 };
  const double lower = bounded ? oracle_least(dtype, law->lo) : -INFINITY;
  const double upper = bounded ? oracle_most(dtype, law->hi) : INFINITY;
  const bool normal = law->kind == FANIN_LAW_KIND_NORMAL;
  const double from = normal ? -9 * law->std : law->lo, to = normal ? 9 * law->std : law->hi;
  for (int k = 0; k <= 4; k++) {
    moments[k] = 0;
  }
  double total = 0;
  for (int s = 0; s < STEPS; s++) {
    const double x = from + (to - from) * (s + 0.5) / STEPS, z = x / law->std;
    const double weight = normal ? exp(-0.5 * z * z) : 1, value = fmin(fmax(x, lower), upper);
    double term = weight;
    total += weight;
    for (int k = 0; k <= 4; k++, term *= oracle_number(dtype, oracle_bits_of(dtype, (float)value)) / unit) {
      moments[k] += term;
    }
  }
  for (int k = 0; k <= 4; k++) {
    moments[k] /= total;
  }
}

/* Where a dtype is coarse, rounding and the bounds move moments by percents. */
static void moments_of_rounded_values(void **state) {
  (void)state;
  static const struct {
    fanin_dtype dtype;
    bool bounded;
    fanin_law law;
  } cases[] = {
      {FANIN_DTYPE_F16, true, {FANIN_LAW_KIND_NORMAL, 0, -INFINITY, INFINITY, 0, 1e-7, 0}},
      {FANIN_DTYPE_F16, true, {FANIN_LAW_KIND_UNIFORM, 0, -1.3e-7, 2.9e-7, 0, 0, 0}},
      {FANIN_DTYPE_F16, false, {FANIN_LAW_KIND_UNIFORM, 0, -1.6e-7, 2.9e-7, 0, 0, 0}},
      {FANIN_DTYPE_BF16, true, {FANIN_LAW_KIND_UNIFORM, 0, -0.1, 0.2, 0, 0, 0}},
      {FANIN_DTYPE_BF16, true, {FANIN_LAW_KIND_NORMAL, 0, -INFINITY, INFINITY, 0, 3, 0}},
  };
  for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
    const fanin_law *const law = &cases[c].law;
    const double unit = law->kind == FANIN_LAW_KIND_NORMAL ? law->std : law->hi;
    double moments[13], expected[5];
    fanin_law_moments_rounded(law, cases[c].dtype, cases[c].bounded, 0, unit, moments);
    rounded_sum(law, cases[c].dtype, cases[c].bounded, unit, expected);
    for (int k = 0; k <= 4; k++) {
      near(moments[k], expected[k], 1e-5 * (1 + fabs(expected[k])), fanin_dtype_name(cases[c].dtype));
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(laws_are_the_distributions),
                                     cmocka_unit_test(moments_of_rounded_values)};
  return cmocka_run_group_tests_name("law", tests, NULL, NULL);
}
