/* What initializers come to on a tensor: standard deviations and bounds derived by hand, truncations against
 * tests/data/corrected.csv, moments, and what is refused. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "init/distribution.h"
#include "support/support.h"
#include "support/support_csv.h"

static double relative(double value, double exact) {
  return exact == 0 ? fabs(value) : fabs(value - exact) / fabs(exact);
}

static fanin_tensor tensor(const char *layout, uint64_t a, uint64_t b, uint64_t c, uint64_t d) {
  return test_tensor_of(NULL, 0, FANIN_DTYPE_F32, layout, (int)strlen(layout), (uint64_t[]){a, b, c, d});
}

static fanin_init parsed(const char *text) {
  fanin_init init;
  if (fanin_init_parse(text, &init) != FANIN_STATUS_OK) fail_msg("%s: %s", text, fanin_last_error());
  return init;
}

static fanin__distribution resolved(fanin_tensor t, fanin_init init) {
  fanin__distribution d;
  assert_ok(fanin__resolve(&t, &init, &d));
  return d;
}

static fanin_moments expected(fanin_tensor t, fanin_init init) {
  fanin_moments m;
  assert_ok(fanin_expect(&t, &init, &m, sizeof m));
  return m;
}

/* Linear 200 x 50: in 50, out 200, mean 125, geometric mean 100. Conv2d 64 x 16 x 3 x 3: in 144, out 576. */
static void standard_deviations_are_those_of_the_formulas(void **state) {
  (void)state;
  const struct {
    const char *text;
    double linear_variance, conv_variance;
  } rows[] = {
      {"lecun_normal", 1.0 / 50, 1.0 / 144},
      {"lecun_uniform", 1.0 / 50, 1.0 / 144},
      {"lecun_normal:distribution=trunc_normal", 1.0 / 50, 1.0 / 144},
      {"he_normal", 1.0 / 25, 1.0 / 72},
      {"he_uniform", 1.0 / 25, 1.0 / 72},
      {"he_normal:mode=fan_out", 1.0 / 100, 1.0 / 288},
      {"he_normal:mode=fan_avg,distribution=trunc_normal", 2.0 / 125, 1.0 / 180},
      {"he_uniform:mode=fan_geo,a=3", 1.0 / 500, 1.0 / 1440},
      {"he_normal:a=-1", 1.0 / 50, 1.0 / 144},
      {"pytorch_default", 1.0 / 150, 1.0 / 432},
      {"xavier_normal", 1.0 / 125, 1.0 / 360},
      {"xavier_uniform", 1.0 / 125, 1.0 / 360},
      {"xavier_uniform:gain=3", 9.0 / 125, 9.0 / 360},
      {"xavier_normal:gain=0.5,distribution=trunc_normal", 0.25 / 125, 0.25 / 360},
      {"variance_scaling", 1.0 / 50, 1.0 / 144},
      {"variance_scaling:scale=5", 1.0 / 10, 5.0 / 144},
      {"variance_scaling:scale=5,mode=fan_out,distribution=uniform", 1.0 / 40, 5.0 / 576},
      {"variance_scaling:scale=2,mode=fan_avg,distribution=trunc_normal", 2.0 / 125, 2.0 / 360},
      {"variance_scaling:scale=0.5,mode=fan_geo", 0.5 / 100, 0.5 / 288},
  };
  for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
    const fanin_init init = parsed(rows[k].text);
    const fanin_moments linear = expected(tensor("OI", 200, 50, 0, 0), init);
    const fanin_moments conv = expected(tensor("HWIO", 3, 3, 16, 64), init);
    /* 1e-15: a handful of roundings of 1.1e-16 each. */
    if (!(relative(linear.std, sqrt(rows[k].linear_variance)) < 1e-15)) fail_msg("%s: %.17g", rows[k].text, linear.std);
    if (!(relative(conv.std, sqrt(rows[k].conv_variance)) < 1e-15)) fail_msg("%s: %.17g", rows[k].text, conv.std);
    assert_true(linear.mean == 0 && conv.mean == 0);
  }
}

/* Groups, splits, stacks and transposition change the fans and with them the std. */
static void standard_deviations_follow_the_layout(void **state) {
  (void)state;
  fanin_tensor grouped = tensor("OIHW", 64, 4, 3, 3), transposed = tensor("IOHW", 64, 4, 3, 3);
  fanin_tensor fused = tensor("OI", 2304, 768, 0, 0);
  grouped.groups = transposed.groups = 4;
  fused.splits = 3;
  const struct {
    const char *text;
    fanin_tensor t;
    double variance;
  } rows[] = {
      {"he_normal", grouped, 2.0 / 36},
      {"he_normal:mode=fan_out", grouped, 2.0 / 144},
      {"he_normal", transposed, 2.0 / 144},
      {"he_normal:mode=fan_out", transposed, 2.0 / 36},
      {"xavier_normal", fused, 2.0 / 1536},
      {"xavier_uniform", tensor("BOI", 8, 4096, 1024, 0), 2.0 / 5120},
      {"he_normal", tensor("IO", 1024, 10, 0, 0), 2.0 / 1024},
  };
  for (size_t k = 0; k < sizeof rows / sizeof *rows; k++)
    assert_true(relative(expected(rows[k].t, parsed(rows[k].text)).std, sqrt(rows[k].variance)) < 1e-15);
}

static void families_and_bounds(void **state) {
  (void)state;
  const fanin_tensor t = tensor("OI", 200, 50, 0, 0);
  fanin__distribution d = resolved(t, parsed("he_uniform"));
  assert_int_equal(d.law.kind, FANIN_LAW_KIND_UNIFORM);
  assert_true(relative(d.law.hi, sqrt(3.0 / 25)) < 1e-15 && d.law.lo == -d.law.hi);

  d = resolved(t, parsed("he_normal"));
  assert_int_equal(d.law.kind, FANIN_LAW_KIND_NORMAL);
  assert_true(d.law.mean == 0 && relative(d.law.std, 0.2) < 1e-15);

  /* Keras's and JAX's: the normal that is cut at 2 sigma is wider by 1 / 0.8796256610342398. */
  d = resolved(t, parsed("he_normal:distribution=trunc_normal"));
  assert_int_equal(d.law.kind, FANIN_LAW_KIND_TRUNC_NORMAL);
  assert_true(d.law.mean == 0 && d.law.from == -2 && d.law.to == 2 &&
              relative(d.law.std, 0.2 / 0.8796256610342398) < 1e-15);
  assert_true(d.law.lo == -2 * d.law.std && d.law.hi == 2 * d.law.std);

  const fanin_tensor any = tensor("", 0, 0, 0, 0);
  d = resolved(any, parsed("uniform:lo=-1,hi=3"));
  assert_true(d.law.kind == FANIN_LAW_KIND_UNIFORM && d.law.lo == -1 && d.law.hi == 3);
  d = resolved(any, parsed("normal:mean=5,std=2"));
  assert_true(d.law.kind == FANIN_LAW_KIND_NORMAL && d.law.mean == 5 && d.law.std == 2);
}

static void constants_are_constants(void **state) {
  (void)state;
  const struct {
    const char *text;
    double value;
  } rows[] = {
      {"zeros", 0},
      {"ones", 1},
      {"constant:value=-7", -7},
      {"uniform:lo=2,hi=2", 2},
      {"normal:mean=3,std=0", 3},
      {"trunc_normal:mean=3,std=0", 3},
      {"trunc_normal:mean=3,std=0,bounds=absolute", 2},
      {"trunc_normal:mean=-3,std=0,bounds=absolute,corrected=false", -2},
      {"trunc_normal:mean=0.5,std=0,bounds=absolute", 0.5},
      {"xavier_uniform:gain=0", 0},
      {"variance_scaling:scale=0", 0},
  };
  for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
    const fanin_tensor t = tensor("OI", 20, 5, 0, 0);
    const fanin__distribution d = resolved(t, parsed(rows[k].text));
    if (d.law.kind != FANIN_LAW_KIND_CONSTANT || d.law.value != rows[k].value)
      fail_msg("%s: %g", rows[k].text, d.law.value);
    const fanin_moments m = expected(t, parsed(rows[k].text));
    assert_true(m.mean == d.law.value && m.std == 0 && m.kurtosis == 0 && m.lo == d.law.value && m.hi == d.law.value);
  }
  /* Fields that a kind does not use are ignored. */
  fanin_init ones = fanin_ones();
  ones.value = NAN;
  ones.std = -1;
  assert_true(resolved(tensor("", 0, 0, 0, 0), ones).law.value == 1);
}

/* No element, no fan: nothing is divided by zero. */
static void empty_tensors_resolve(void **state) {
  (void)state;
  const char *const texts[] = {"he_normal",
                               "he_normal:mode=fan_out",
                               "he_normal:mode=fan_geo",
                               "xavier_uniform",
                               "lecun_normal:distribution=trunc_normal",
                               "variance_scaling:mode=fan_avg"};
  for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) {
    for (int shape = 1; shape < 4; shape++) {
      const fanin_moments m = expected(tensor("OI", shape & 1 ? 0 : 5, shape & 2 ? 0 : 5, 0, 0), parsed(texts[k]));
      assert_true(m.mean == 0 && isfinite(m.std) && isfinite(m.kurtosis) && !isnan(m.lo) && !isnan(m.hi));
    }
  }
  assert_true(expected(tensor("OI", 0, 5, 0, 0), parsed("identity")).std == 0);
  assert_true(expected(tensor("OIW", 5, 5, 0, 0), parsed("dirac")).std == 0);
}

static void truncations_keep_the_std(void **state) {
  (void)state;
  const fanin_tensor t = tensor("", 0, 0, 0, 0);
  const struct {
    double k, factor; /* at +-k sigma, from field references */
  } factors[] = {{1, 0.539560}, {2, 0.879626}, {2.5, 0.954597}, {3, 0.986578}};
  for (size_t n = 0; n < 4; n++) {
    fanin_init init = fanin_trunc_normal(0.5, 0.02, -factors[n].k, factors[n].k);
    assert_true(relative(resolved(t, init).law.std, 0.02 / factors[n].factor) < 1e-6);
    assert_true(relative(expected(t, init).std, 0.02) < 1e-15);
    init.uncorrected = 1;
    assert_true(resolved(t, init).law.std == 0.02);
    assert_true(relative(expected(t, init).std, 0.02 * factors[n].factor) < 1e-6);
    assert_true(expected(t, init).mean == 0.5 && expected(t, init).lo == 0.5 - 0.02 * factors[n].k);
  }
  const fanin_moments m = expected(t, fanin_trunc_normal(0, 1, -2, 2));
  assert_true(relative(m.kurtosis, 2.3655) < 1e-4);
  const fanin_moments half = expected(t, parsed("trunc_normal:a=0,b=inf,corrected=false,mean=1,std=3"));
  assert_true(relative(half.mean, 1 + 3 * 0.79788456080286541) < 1e-15 && half.lo == 1 && half.hi == INFINITY);
}

static void corrected_absolute_bounds_match_references(void **state) {
  (void)state;
  const char *field[5];
  test_csv csv = test_csv_open("corrected.csv");
  while (test_csv_row(&csv, field, 5)) {
    double x[5];
    for (size_t k = 0; k < 5; k++)
      x[k] = strtod(field[k], NULL);
    fanin_init init = fanin_trunc_normal(x[2], x[3], x[0], x[1]);
    init.bounds = FANIN_BOUNDS_ABSOLUTE;
    const fanin_tensor t = tensor("", 0, 0, 0, 0);
    const fanin__distribution d = resolved(t, init);
    const fanin_moments m = expected(t, init);
    /* std is flat in sigma near the uniform limit: at 0.288 of 0.288675, by a factor of 430. */
    if (!(relative(d.law.std, x[4]) < 1e-12))
      fail_msg("[%s, %s]: sigma %.17g, not %s", field[0], field[1], d.law.std, field[4]);
    if (!(relative(m.std, x[3]) < 1e-14)) fail_msg("[%s, %s]: std %.17g, not %s", field[0], field[1], m.std, field[3]);
    assert_true(m.lo == x[0] && m.hi == x[1] && d.law.lo == x[0] && d.law.hi == x[1]);
    assert_true(d.law.from == (x[0] - x[2]) / d.law.std && d.law.to == (x[1] - x[2]) / d.law.std);
  }
  assert_int_equal(csv.rows, 15);
}

/* Any std from next to nothing to next to the uniform distribution's is attained, wherever the mean lies. */
static void corrections_reach_any_std(void **state) {
  (void)state;
  uint64_t random = 7;
  for (int n = 0; n < 300; n++) {
    const double mean = ((double)test_random_below(&random, 2001) - 1000) / 250, limit = 2 / sqrt(12);
    const double share = n % 3 == 0   ? 1 - pow(10, -1 - (double)test_random_below(&random, 11))
                         : n % 3 == 1 ? pow(10, -(double)test_random_below(&random, 6))
                                      : ((double)test_random_below(&random, 999) + 0.5) / 1000;
    fanin_init init = fanin_trunc_normal(mean, limit * (share < 1 ? share : 0.5), -1, 1);
    init.bounds = FANIN_BOUNDS_ABSOLUTE;
    const fanin_moments m = expected(tensor("", 0, 0, 0, 0), init);
    if (!(relative(m.std, init.std) < 2e-15)) fail_msg("mean %g: std %.17g, not %.17g", mean, m.std, init.std);
    assert_true(m.mean >= -1 && m.mean <= 1 && m.mean * mean >= 0);
  }
}

static void moments_of_ones_and_zeros(void **state) {
  (void)state;
  fanin_tensor grouped = tensor("OIHW", 64, 4, 3, 5), transposed = tensor("IOW", 6, 5, 3, 0);
  grouped.groups = 8;
  transposed.groups = 2;
  const struct {
    const char *text;
    fanin_tensor t;
    double ones, entries, value;
  } rows[] = {
      {"identity", tensor("OI", 7, 5, 0, 0), 5, 35, 1},
      {"identity:gain=-3", tensor("IO", 4, 9, 0, 0), 4, 36, -3},
      {"identity", tensor("BOI", 3, 2, 8, 0), 6, 48, 1},
      {"identity", tensor("OI", 1, 1, 0, 0), 1, 1, 1},
      {"dirac:gain=2", tensor("OIHW", 8, 6, 3, 3), 6, 432, 2},
      {"dirac", grouped, 8 * 4, 64 * 4 * 15, 1},  /* 8 outputs and 4 inputs a group */
      {"dirac", transposed, 2 * 3, 6 * 5 * 3, 1}, /* 5 outputs and 3 inputs a group */
      {"dirac", tensor("OIDW", 2, 3, 4, 5), 2, 120, 1},
  };
  for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
    const double p = rows[k].ones / rows[k].entries, g = rows[k].value;
    const double mean = p * g, second = p * g * g, variance = second - mean * mean;
    const double fourth = p * pow(g - mean, 4) + (1 - p) * pow(mean, 4);
    const fanin_moments m = expected(rows[k].t, parsed(rows[k].text));
    assert_true(relative(m.mean, mean) < 1e-14 && fabs(m.std - sqrt(variance)) < 1e-14);
    assert_true(variance == 0 ? m.kurtosis == 0 : relative(m.kurtosis, fourth / variance / variance) < 1e-12);
    assert_true(m.lo == fmin(0, g) && m.hi == fmax(0, g));
    const fanin__distribution d = resolved(rows[k].t, parsed(rows[k].text));
    assert_true(d.law.kind == FANIN_LAW_KIND_ONES && d.law.value == g);
  }
}

static void moments_of_simple_families(void **state) {
  (void)state;
  const fanin_tensor t = tensor("", 0, 0, 0, 0);
  fanin_moments m = expected(t, fanin_uniform(-1, 5));
  assert_true(relative(m.mean, 2) < 1e-15 && relative(m.std, sqrt(3)) < 1e-15 && m.kurtosis == 1.8);
  assert_true(m.lo == -1 && m.hi == 5);
  m = expected(t, fanin_normal(-2, 0.5));
  assert_true(m.mean == -2 && m.std == 0.5 && m.kurtosis == 3 && m.lo == -INFINITY && m.hi == INFINITY);
}

static fanin_init with(fanin_init init, double mean, double std) {
  init.mean = mean;
  init.std = std;
  return init;
}

static void bad_arguments_are_named(void **state) {
  (void)state;
  fanin_init mode = fanin_he_normal(0, (fanin_mode)4), kind = fanin_zeros(),
             family = fanin_he_normal(0, FANIN_MODE_FAN_IN);
  fanin_init flag = fanin_trunc_normal(0, 1, -2, 2), unit = flag, wide = flag, close = flag;
  kind.kind = (fanin_kind)99;
  family.distribution = FANIN_DISTRIBUTION_UNIFORM;
  flag.uncorrected = 2;
  unit.bounds = (fanin_bounds)-1;
  wide.bounds = close.bounds = FANIN_BOUNDS_ABSOLUTE;
  close.mean = 1e14;
  const fanin_tensor matrix = tensor("OI", 4, 3, 0, 0),
                     plain = test_tensor_of(NULL, 0, FANIN_DTYPE_F32, "", 2, matrix.shape);
  const fanin_tensor single = tensor("OI", 1, 1, 0, 0), conv = tensor("OIHW", 4, 3, 3, 3),
                     only_o = tensor("O", 4, 0, 0, 0);
  const struct {
    fanin_init init;
    const fanin_tensor *t;
    fanin_status status;
    const char *said[2];
  } rows[] = {
      {kind, &plain, FANIN_STATUS_BAD_ARGUMENT, {"99", "kind"}},
      {fanin_constant(NAN), &plain, FANIN_STATUS_BAD_ARGUMENT, {"constant", "nan"}},
      {fanin_constant(INFINITY), &plain, FANIN_STATUS_BAD_ARGUMENT, {"value", "inf"}},
      {fanin_uniform(NAN, 1), &plain, FANIN_STATUS_BAD_ARGUMENT, {"lo", "nan"}},
      {fanin_uniform(0, INFINITY), &plain, FANIN_STATUS_BAD_ARGUMENT, {"hi", "inf"}},
      {fanin_uniform(1, 0.5), &plain, FANIN_STATUS_BAD_ARGUMENT, {"lo is 1", "hi is 0.5"}},
      {fanin_normal(0, -1), &plain, FANIN_STATUS_BAD_ARGUMENT, {"std", "-1"}},
      {fanin_normal(0, NAN), &plain, FANIN_STATUS_BAD_ARGUMENT, {"std", "nan"}},
      {fanin_normal(-INFINITY, 1), &plain, FANIN_STATUS_BAD_ARGUMENT, {"mean", "-inf"}},
      {fanin_trunc_normal(0, 1, 1, 1), &plain, FANIN_STATUS_BAD_ARGUMENT, {"a is 1", "b is 1"}},
      {fanin_trunc_normal(0, 1, NAN, 1), &plain, FANIN_STATUS_BAD_ARGUMENT, {"a is", "nan"}},
      {fanin_trunc_normal(0, 1, INFINITY, INFINITY), &plain, FANIN_STATUS_BAD_ARGUMENT, {"a is inf", "b is inf"}},
      {fanin_trunc_normal(0, 1, 1e16, INFINITY), &plain, FANIN_STATUS_BAD_ARGUMENT, {"1e+16", "1e15"}},
      {fanin_trunc_normal(0, 1, 0, 1e-50), &plain, FANIN_STATUS_BAD_ARGUMENT, {"1e-50", "1e-40"}},
      {fanin_trunc_normal(0, 1e300, 0, 1e-30), &plain, FANIN_STATUS_BAD_ARGUMENT, {"1e-30", "overflows"}},
      {flag, &plain, FANIN_STATUS_BAD_ARGUMENT, {"corrected is 2", "false, true"}},
      {unit, &plain, FANIN_STATUS_BAD_ARGUMENT, {"bounds is -1", "sigma, absolute"}},
      {with(wide, 0, 2 / sqrt(3)), &plain, FANIN_STATUS_BAD_ARGUMENT, {"1.15470054", "uniform"}},
      {with(wide, 0, 3), &plain, FANIN_STATUS_BAD_ARGUMENT, {"std = 3", "[-2, 2]"}},
      {close, &plain, FANIN_STATUS_BAD_ARGUMENT, {"too close", "1e+14"}},
      {mode, &matrix, FANIN_STATUS_BAD_ARGUMENT, {"mode is 4", "fan_geo"}},
      {family, &matrix, FANIN_STATUS_BAD_ARGUMENT, {"distribution is 1", "normal, trunc_normal"}},
      {fanin_he_normal(NAN, FANIN_MODE_FAN_IN), &matrix, FANIN_STATUS_BAD_ARGUMENT, {"a is", "nan"}},
      {fanin_he_normal(1e200, FANIN_MODE_FAN_IN), &matrix, FANIN_STATUS_BAD_ARGUMENT, {"a is 1e+200", "1e+100"}},
      {fanin_xavier_uniform(-1), &matrix, FANIN_STATUS_BAD_ARGUMENT, {"gain is -1", "0 or more"}},
      {fanin_xavier_uniform(1.7e308), &single, FANIN_STATUS_BAD_ARGUMENT, {"overflows", "1.7e+308"}},
      {fanin_variance_scaling(-1, FANIN_MODE_FAN_IN, FANIN_DISTRIBUTION_NORMAL),
       &matrix,
       FANIN_STATUS_BAD_ARGUMENT,
       {"scale is -1", "0"}},
      {fanin_identity(NAN), &matrix, FANIN_STATUS_BAD_ARGUMENT, {"gain", "nan"}},
      {parsed("he_normal"), &plain, FANIN_STATUS_BAD_LAYOUT, {"he_normal", "O and I"}},
      {parsed("xavier_normal"), &only_o, FANIN_STATUS_BAD_LAYOUT, {"xavier_normal", "\"O\""}},
      {parsed("identity"), &plain, FANIN_STATUS_BAD_LAYOUT, {"identity", "O and I"}},
      {parsed("identity"), &conv, FANIN_STATUS_BAD_LAYOUT, {"identity", "taps"}},
      {parsed("dirac"), &matrix, FANIN_STATUS_BAD_LAYOUT, {"dirac", "taps"}},
  };
  for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
    fanin_moments m = {.mean = 42};
    fanin__distribution d;
    assert_status(fanin_expect(rows[k].t, &rows[k].init, &m, sizeof m), rows[k].status);
    assert_status(fanin__resolve(rows[k].t, &rows[k].init, &d), rows[k].status);
    assert_true(m.mean == 42);
    for (size_t n = 0; n < 2; n++) {
      if (!strstr(fanin_last_error(), rows[k].said[n]))
        fail_msg("row %zu: no \"%s\" in: %s", k, rows[k].said[n], fanin_last_error());
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(standard_deviations_are_those_of_the_formulas),
      cmocka_unit_test(standard_deviations_follow_the_layout),
      cmocka_unit_test(families_and_bounds),
      cmocka_unit_test(constants_are_constants),
      cmocka_unit_test(empty_tensors_resolve),
      cmocka_unit_test(truncations_keep_the_std),
      cmocka_unit_test(corrected_absolute_bounds_match_references),
      cmocka_unit_test(corrections_reach_any_std),
      cmocka_unit_test(moments_of_ones_and_zeros),
      cmocka_unit_test(moments_of_simple_families),
      cmocka_unit_test(bad_arguments_are_named),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
