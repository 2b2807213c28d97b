/* activation.c: functions against PyTorch's (tests/data/make_torch.py), expectations and gains against 30-digit
 * quadrature (tests/data/make_activation.py). */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "math/activation.h"
#include "math/quadrature.h"
#include "support/support.h"
#include "support/support_csv.h"

static const fanin__activation *found(const char *name) {
  const fanin__activation *activation = fanin__activation_find(name);
  if (!activation) fail_msg("%s", fanin_last_error());
  return activation;
}

static void every_name_is_found(void **state) {
  (void)state;
  for (size_t k = 0; fanin__activation_at(k); k++) {
    assert_string_equal(found(fanin__activation_at(k)->name)->name, fanin__activation_at(k)->name);
  }
}

static void functions_match_torch(void **state) {
  (void)state;
  const char *field[4];
  test_csv csv = test_csv_open("torch_activations.csv");
  while (test_csv_row(&csv, field, 4)) {
    const double x = strtod(field[2], NULL), exact = strtod(field[3], NULL);
    const double value = found(field[0])->f(x, strtod(field[1], NULL));
    /* In double both sides round a few times. PyTorch's softplus is x itself above 20 (2e-9 less), and its gelu_tanh
     * and elu lose the digits of small results: an absolute part of two roundings at 1, or x. */
    const double loose = strcmp(field[0], "softplus") == 0 && x > 20 ? 3e-9 : 0;
    if (!(fabs(value - exact) <= 1e-15 * fabs(exact) + 2.3e-16 * fmax(1, fabs(x)) + loose)) {
      fail_msg("%s(%s) is %.17g, not %s", field[0], field[2], value, field[3]);
    }
  }
  assert_true(csv.rows == 16 * 27);
  assert_true(found("linear")->f(-1.25, 9) == -1.25);
  assert_true(found("relu2")->f(-1.25, 9) == 0 && found("relu2")->f(1.5, 9) == 2.25);
}

/* Where PyTorch rounds to the absolute, ours keep their relative accuracy: e^x - 1, x P(Z < x), ... of tiny x. */
static void functions_are_accurate_near_zero(void **state) {
  (void)state;
  const double x = -1e-9, half_square = 0.5e-18;
  assert_true(fabs(found("elu")->f(x, 0) / (x + half_square) - 1) < 1e-15);
  assert_true(fabs(found("tanh")->f(x, 0) / x - 1) < 1e-15);
  assert_true(fabs(found("gelu")->f(-10, 0) / -7.6198530241605260660e-23 - 1) < 1e-14);
}

static void gains_match_references(void **state) {
  (void)state;
  const char *field[6];
  test_csv csv = test_csv_open("gains.csv");
  while (test_csv_row(&csv, field, 6)) {
    const double slope = strtod(field[1], NULL);
    for (int k = 0; k < 2; k++) {
      const fanin_criterion criterion = k == 0 ? FANIN_CRITERION_SECOND_MOMENT : FANIN_CRITERION_VARIANCE;
      double gain;
      assert_ok(fanin_gain(field[0], slope, criterion, &gain));
      /* The gain is rounded to 40 bits: 2^-40 / 2, and 1e-12 for the quadrature. */
      const double exact = strtod(field[4 + k], NULL);
      if (!(fabs(gain / exact - 1) <= 1e-12 + 0x1p-41)) fail_msg("%s: gain %.17g, not %.17g", field[0], gain, exact);
      assert_true(ldexp(gain, 40) == nearbyint(ldexp(gain, 40)) || gain < 1);
    }
  }
  assert_int_equal(csv.rows, 23);
}

static double plain(double z, void *context) {
  return ((const fanin__activation *)context)->f(z, 0);
}

static double squared(double z, void *context) {
  return plain(z, context) * plain(z, context);
}

static void expectations_match_references(void **state) {
  (void)state;
  const char *field[6];
  for (test_csv csv = test_csv_open("gains.csv"); test_csv_row(&csv, field, 6);) {
    if (strtod(field[1], NULL) != 0) continue;
    fanin__activation activation = *found(field[0]);
    const double mean = strtod(field[2], NULL), second = strtod(field[3], NULL);
    assert_true(fabs(fanin__expectation(plain, &activation, NULL, 0) - mean) < 1e-14);
    assert_true(fabs(fanin__expectation(squared, &activation, NULL, 0) / second - 1) < 1e-14);
  }
}

static void exact_gains_are_exact(void **state) {
  (void)state;
  double gain;
  assert_ok(fanin_gain("linear", 0, FANIN_CRITERION_SECOND_MOMENT, &gain));
  assert_true(gain == 1);
  assert_ok(fanin_gain("linear", 0, FANIN_CRITERION_VARIANCE, &gain));
  assert_true(gain == 1);
  assert_ok(fanin_gain("selu", 0, FANIN_CRITERION_VARIANCE, &gain));
  assert_true(gain == 1);
  assert_ok(fanin_gain("tanh", NAN, FANIN_CRITERION_SECOND_MOMENT, &gain)); /* the slope is nothing to tanh */
}

/* Weights follow from gains, so that every host must have the same bits of them, whatever its C library rounds:
 * FNV-1a-64 of all gains that quadrature gives. */
static void gains_are_the_same_on_every_host(void **state) {
  (void)state;
  uint64_t hash = 0xcbf29ce484222325;
  for (size_t k = 0; fanin__activation_at(k); k++) {
    for (int criterion = FANIN_CRITERION_SECOND_MOMENT; criterion <= FANIN_CRITERION_VARIANCE; criterion++) {
      double gain;
      uint64_t bits;
      assert_ok(fanin_gain(fanin__activation_at(k)->name, 0, (fanin_criterion)criterion, &gain));
      memcpy(&bits, &gain, sizeof bits);
      for (int byte = 0; byte < 8; byte++)
        hash = (hash ^ (bits >> 8 * byte & 0xff)) * 0x100000001b3;
    }
  }
  if (hash != UINT64_C(0x3dce987fbed3de96)) fail_msg("the digest of the gains is %016" PRIx64, hash);
}

static void torch_gains_are_torchs(void **state) {
  (void)state;
  const char *field[3];
  test_csv csv = test_csv_open("torch_gains.csv");
  while (test_csv_row(&csv, field, 3)) {
    double gain;
    assert_ok(fanin_gain(field[0], strtod(field[1], NULL), FANIN_CRITERION_PYTORCH, &gain));
    if (gain != strtod(field[2], NULL)) fail_msg("%s, slope %s: %.17g, not %s", field[0], field[1], gain, field[2]);
  }
  assert_int_equal(csv.rows, 11);
}

static void bad_arguments_are_named(void **state) {
  (void)state;
  const struct {
    const char *name;
    double slope;
    fanin_criterion criterion;
    const char *said;
  } rows[] = {
      {"swich", 0, FANIN_CRITERION_SECOND_MOMENT, "'swich', did you mean swish? There are linear, relu"},
      {"glue", 0, FANIN_CRITERION_SECOND_MOMENT, "gelu_tanh"},
      {"", 0, FANIN_CRITERION_VARIANCE, "''"},
      {"ReLU ", 0, FANIN_CRITERION_VARIANCE, "'ReLU '"},
      {"leaky_relu", NAN, FANIN_CRITERION_VARIANCE, "nan"},
      {"leaky_relu", INFINITY, FANIN_CRITERION_SECOND_MOMENT, "inf"},
      {"leaky_relu", -INFINITY, FANIN_CRITERION_PYTORCH, "inf"},
      {"gelu", 0, FANIN_CRITERION_PYTORCH, "gelu"},
      {"relu2", 0, FANIN_CRITERION_PYTORCH, "calculate_gain"},
      {"relu", 0, (fanin_criterion)7, "7"},
  };
  for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
    double gain = -5;
    assert_status(fanin_gain(rows[k].name, rows[k].slope, rows[k].criterion, &gain), FANIN_STATUS_BAD_ARGUMENT);
    assert_true(gain == -5);
    if (!strstr(fanin_last_error(), rows[k].said)) fail_msg("no %s in: %s", rows[k].said, fanin_last_error());
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_name_is_found),
      cmocka_unit_test(functions_match_torch),
      cmocka_unit_test(functions_are_accurate_near_zero),
      cmocka_unit_test(gains_match_references),
      cmocka_unit_test(expectations_match_references),
      cmocka_unit_test(exact_gains_are_exact),
      cmocka_unit_test(gains_are_the_same_on_every_host),
      cmocka_unit_test(torch_gains_are_torchs),
      cmocka_unit_test(bad_arguments_are_named),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
