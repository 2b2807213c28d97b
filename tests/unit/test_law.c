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
    assert_ok(fanin_law_moments(&law, mean, std, moments, 13));
    near(moments[0], 1, 1e-12, cases[k].init);
    near(moments[1], 0, 1e-9, cases[k].init);
    near(moments[2], 1, 1e-9, cases[k].init);
    near(moments[4], kurtosis, 1e-8, cases[k].init);
    for (double z = -4; z <= 4; z += 0.37) {
      const double x = mean + z * std, below = statistics_cdf(&cases[k].law, x);
      near(test_law_probability(&law, x, 0), below, 1e-14, cases[k].init);
      near(test_law_probability(&law, x, 1), 1 - below, 1e-14, cases[k].init);
    }
  }
  /* N(0,1): 1 * 3 * 5 * ... * 11; U(-1,1): 1/13; tails keep their digits. */
  const fanin_law normal = {.kind = FANIN_LAW_KIND_NORMAL, .lo = -INFINITY, .hi = INFINITY, .std = 1};
  const fanin_law uniform_law = {.kind = FANIN_LAW_KIND_UNIFORM, .lo = -1, .hi = 1};
  double moments[13];
  assert_ok(fanin_law_moments(&normal, 0, 1, moments, 13));
  near(moments[12] / 10395, 1, 1e-12, "E z^12");
  near(moments[8] / 105, 1, 1e-12, "E z^8");
  assert_ok(fanin_law_moments(&uniform_law, 0, 1, moments, 13));
  near(moments[12], 1.0 / 13, 1e-14, "E u^12");
  near(test_law_probability(&normal, 20, 1) / 2.7536241186062337e-89, 1, 1e-12, "Q(20)"); /* SciPy */
  near(test_law_probability(&normal, -20, 0) / 2.7536241186062337e-89, 1, 1e-12, "Q(20)");
  const fanin_law constant = {.kind = FANIN_LAW_KIND_CONSTANT, .value = 2, .lo = 2, .hi = 2};
  assert_true(test_law_probability(&constant, 1.9, 0) == 0 && test_law_probability(&constant, 2, 0) == 1);
  assert_true(test_law_probability(&constant, 1.9, 1) == 1 && test_law_probability(&constant, 2, 1) == 0);
}

/* An initializer draws numbers where the values of its law are not fixed. Only laws of independent values have moments.
 */
static void laws_are_described(void **state) {
  (void)state;
  static const char *const names[] = {
      "constant", "uniform",  "normal",      "trunc_normal",         "ones", "orthogonal", "sparse",
      "bilinear", "hadamard", "log_uniform", "softplus_log_uniform", "table"};
  const fanin_tensor t = test_tensor_of(NULL, 0, FANIN_DTYPE_F32, "OIHW", 4, (const uint64_t[]){6, 5, 3, 4});
  fanin_law_description d;
  for (int k = 0; k < FANIN_LAW_KIND_COUNT; k++) {
    assert_ok(fanin_describe_law((fanin_law_kind)k, &d, sizeof d));
    assert_string_equal(d.name, names[k]);
    assert_true(d.text[0] != '\0');
  }
  assert_status(fanin_describe_law(FANIN_LAW_KIND_COUNT, &d, sizeof d), FANIN_STATUS_BAD_ARGUMENT);
  assert_status(fanin_describe_law((fanin_law_kind)-1, &d, sizeof d), FANIN_STATUS_BAD_ARGUMENT);
  assert_status(fanin_describe_law(FANIN_LAW_KIND_NORMAL, NULL, sizeof d), FANIN_STATUS_BAD_ARGUMENT);
  for (int kind = 0; kind < FANIN_KIND_COUNT; kind++) {
    fanin_description kinds;
    fanin_init init;
    fanin_law law;
    double moments[13];
    assert_ok(fanin_describe((fanin_kind)kind, &kinds, sizeof kinds));
    assert_ok(fanin_init_parse(kinds.name, &init));
    if (kind == FANIN_KIND_IDENTITY) continue; /* takes no taps */
    assert_ok(fanin_law_of(&t, &init, &law));
    assert_ok(fanin_describe_law(law.kind, &d, sizeof d));
    assert_int_equal(kinds.draws, d.values != FANIN_VALUES_FIXED);
    assert_status(fanin_law_moments(&law, 0, 1, moments, 13),
                  d.values == FANIN_VALUES_INDEPENDENT ? FANIN_STATUS_OK : FANIN_STATUS_UNSUPPORTED);
  }
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
      {FANIN_DTYPE_F16, true, {.kind = FANIN_LAW_KIND_NORMAL, .lo = -INFINITY, .hi = INFINITY, .std = 1e-7}},
      {FANIN_DTYPE_F16, true, {.kind = FANIN_LAW_KIND_UNIFORM, .lo = -1.3e-7, .hi = 2.9e-7}},
      {FANIN_DTYPE_F16, false, {.kind = FANIN_LAW_KIND_UNIFORM, .lo = -1.6e-7, .hi = 2.9e-7}},
      {FANIN_DTYPE_BF16, true, {.kind = FANIN_LAW_KIND_UNIFORM, .lo = -0.1, .hi = 0.2}},
      {FANIN_DTYPE_BF16, true, {.kind = FANIN_LAW_KIND_NORMAL, .lo = -INFINITY, .hi = INFINITY, .std = 3}},
  };
  for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
    const fanin_law *const law = &cases[c].law;
    const double unit = law->kind == FANIN_LAW_KIND_NORMAL ? law->std : law->hi;
    double moments[13], expected[5];
    assert_ok(fanin_law_moments_rounded(law, cases[c].dtype, cases[c].bounded, 0, unit, moments, 13));
    rounded_sum(law, cases[c].dtype, cases[c].bounded, unit, expected);
    for (int k = 0; k <= 4; k++) {
      near(moments[k], expected[k], 1e-5 * (1 + fabs(expected[k])), fanin_dtype_name(cases[c].dtype));
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(laws_are_the_distributions), cmocka_unit_test(laws_are_described),
                                     cmocka_unit_test(moments_of_rounded_values)};
  return cmocka_run_group_tests_name("law", tests, NULL, NULL);
}
