/* Weights and biases of the caller's: each layer is judged by its own initializer, biases count, and numbers that are
 * not finite are refused; and what theory does not predict has no verdict. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/support_probe.h"

enum { LAYERS = 4, SEEDS = TEST_DRAWS(60, 6) };
static const uint64_t widths[LAYERS + 1] = {64, 96, 80, 72, 40};

static fanin_init parsed(const char *text) {
  fanin_init init;
  assert_ok(fanin_init_parse(text, &init));
  return init;
}

/* Four initializers, one of them orthogonal, drawn and judged layer by layer; the same weights judged as one are not.
 */
static void each_layer_by_its_own(void **state) {
  static const char *const texts[LAYERS] = {"normal:std=0.0625", "orthogonal", "he_uniform", "normal:std=0.25"};
  static const double std[LAYERS] = {0.0625, 0.102062073, 0.158113883, 0.25};
  fanin_init inits[LAYERS];
  test_report *report = NULL;
  for (size_t l = 0; l < LAYERS; l++) {
    inits[l] = parsed(texts[l]);
  }
  fanin_probe_config config = test_probe_config(widths, LAYERS + 1, "tanh", "zeros", 64);
  config.inits = inits;
  assert_ok(test_probe(*state, NULL, &config, &report));
  assert_true(report->summary.conforms && report->summary.judged && report->summary.predicted);
  for (size_t l = 0; l < LAYERS; l++) {
    test_assert_relative(report->layers[l].weight_std_expected, std[l], 1e-8, texts[l]);
    assert_true(isnan(report->layers[l].overlap) == (l != 1));
  }
  test_report_free(report);
}

/* The law of a step with the caller's biases: z of many networks is standard normal, with biases that are large beside
 * W h, neither normal nor of one size, so that a law that drew them, or took phi of them for that of normals, would
 * show. The bounds are 4.5 standard errors of a mean and of a mean square. */
static void biases_count(void **state) {
  double sum[2] = {0, 0}, squares[2] = {0, 0}, n[2] = {0, 0};
  static float numbers[LAYERS][96];
  const float *biases[LAYERS];
  uint64_t random = 5;
  for (size_t l = 0; l < LAYERS; l++) {
    for (size_t j = 0; j < 96; j++) {
      numbers[l][j] = (j % 2 ? -1.0f : 1.0f) * (j % 8 == 0 ? 2.5f : 0.5f);
    }
    biases[l] = numbers[l];
  }
  fanin_probe_config config = test_probe_config(widths, LAYERS + 1, "relu", "he_normal", 32);
  config.biases = biases;
  for (config.seed = 0; config.seed < SEEDS; config.seed++) {
    fanin_probe_layer layers[LAYERS];
    static float input[32 * 64];
    for (size_t k = 0; k < 32 * 64; k++) {
      input[k] = test_normal(&random);
    }
    config.input = input;
    assert_ok(test_probe_layers(*state, NULL, &config, layers));
    for (size_t l = 0; l < LAYERS; l++) {
      const double z[2] = {layers[l].q_z, layers[l].g_z};
      assert_true(isfinite(layers[l].q_sd) && layers[l].q_sd > 0);
      for (int k = 0; k < 2; k++) {
        sum[k] += z[k];
        squares[k] += z[k] * z[k];
        n[k]++;
      }
    }
  }
  for (int k = 0; k < 2; k++) {
    const double mean = sum[k] / n[k], square = squares[k] / n[k];
    if (fabs(mean) <= 0.1 + 4.5 / sqrt(n[k]) && fabs(square - 1) <= 0.15 + 4.5 * sqrt(2 / n[k])) continue;
    fail_msg("%s: z has mean %.3f and mean square %.3f over %.0f steps", k == 0 ? "q" : "g", mean, square, n[k]);
  }
}

/* Biases that are nearly all of q, which has no noise from them (E67, and of orthogonal weights E20). A sum of n
 * squares is chi-squared, by Wilson and Hilferty within 4.5 standard deviations, and the third moment has sqrt(6 / n).
 * What fails: to count them as drawn, in the variance or in the third cumulant. */
static void given_biases_do_not_vary(void **state) {
  enum { N = 48, OUT = 12, DRAWS = TEST_DRAWS(400, 20) };
  static const char *const inits[] = {"lecun_normal", "orthogonal"};
  static const uint64_t one[] = {N, OUT};
  const float numbers[OUT] = {3, -3, 3, -3, 3, -3, 3, -3, 3, -3, 3, -3}, *biases[] = {numbers};
  uint64_t random = 7;
  for (size_t k = 0; k < sizeof inits / sizeof *inits; k++) {
    double sum = 0, squares = 0, cubes = 0;
    fanin_probe_config config = test_probe_config(one, 2, "linear", inits[k], 2);
    config.biases = biases;
    for (config.seed = 0; config.seed < DRAWS; config.seed++) {
      fanin_probe_layer layer;
      float input[2 * N];
      for (size_t i = 0; i < 2 * N; i++) {
        input[i] = test_normal(&random);
      }
      config.input = input;
      assert_ok(test_probe_layers(*state, NULL, &config, &layer));
      sum += layer.q_z / DRAWS;
      squares += pow(layer.q_z, 2) / DRAWS;
      cubes += pow(layer.q_z, 3) / DRAWS;
    }
    const double variance = squares - sum * sum, third = cubes - 3 * sum * squares + 2 * pow(sum, 3);
    const double root = (cbrt(variance) - 1 + 2.0 / 9 / DRAWS) / sqrt(2.0 / 9 / DRAWS);
    print_message("%s: mean %.3f, variance %.3f, third moment %.3f\n", inits[k], sum, variance, third);
    assert_true(fabs(sum) <= 4.5 / sqrt(DRAWS));
    assert_true(fabs(root) <= 4.5);
    assert_true(fabs(third) <= 0.05 + 4.5 * sqrt(6.0 / DRAWS));
  }
}

/* q of the first layer by hand: He's variance of 2 / 64 times 64 ones, and the biases' mean square. */
static void biases_are_expected_exactly(void **state) {
  static float ones[64], bias[96];
  static const uint64_t two[] = {64, 96};
  const float *biases[1] = {bias};
  fanin_probe_layer layer;
  test_report *report = NULL;
  for (size_t j = 0; j < 96; j++) {
    ones[j % 64] = 1;
    bias[j] = j % 2 ? -3.0f : 3.0f;
  }
  fanin_probe_config config = test_probe_config(two, 2, "relu", "he_normal", 1);
  config.input = ones;
  config.biases = biases;
  assert_ok(test_probe_layers(*state, NULL, &config, &layer));
  test_assert_relative(layer.q_predicted, 11, 1e-6, "q");
  test_assert_relative(layer.q_meanfield, 11, 1e-6, "q by the recursion");
  assert_true(layer.conforms);
  for (size_t j = 0; j < 96; j++) {
    bias[j] = 3; /* of mean 3: theory takes those of mean 0 */
  }
  assert_ok(test_probe(*state, NULL, &config, &report));
  assert_true(isnan(report->layers[0].q_meanfield) && report->layers[0].conforms);
  assert_true(report->summary.conforms && !report->summary.predicted && !report->summary.healthy);
  test_report_free(report);
}

static void numbers_that_are_not_finite(void **state) {
  static float bias[96] = {[7] = NAN, [9] = INFINITY};
  const float *biases[LAYERS] = {NULL, NULL, bias, NULL};
  fanin_tensor weights[LAYERS] = {{0}};
  fanin_probe_layer layers[LAYERS];
  const float nan = NAN;
  fanin_probe_config config = test_probe_config(widths, LAYERS + 1, "relu", "he_normal", 2);
  config.biases = biases;
  assert_status(test_probe_layers(*state, NULL, &config, layers), FANIN_STATUS_NOT_FINITE);
  assert_non_null(strstr(fanin_last_error(), "biases[2]: 2 of 72 numbers"));
  config.biases = NULL;
  config.weights = weights;
  const fanin_init init = parsed("he_normal");
  assert_ok(fanin_tensor_alloc(*state, FANIN_DTYPE_F32, "OI", 2, (const uint64_t[]){80, 96}, &weights[1]));
  assert_ok(fanin_fill(*state, NULL, &weights[1], &init, (fanin_key){1, 2}, 0, NULL, NULL));
  cl_command_queue queue;
  assert_ok(fanin_queue(*state, &queue));
  assert_int_equal(
      clEnqueueWriteBuffer(queue, weights[1].buffer, CL_TRUE, weights[1].offset + 4, 4, &nan, 0, NULL, NULL),
      CL_SUCCESS);
  assert_status(test_probe_layers(*state, NULL, &config, layers), FANIN_STATUS_NOT_FINITE);
  assert_non_null(strstr(fanin_last_error(), "weights[1]: 1 of 7680 numbers"));
  fanin_tensor_free(&weights[1]);
}

/* Patterns are not judged, and what is not predicted is not called healthy; a fault that was measured still is one. */
static void no_verdict_without_a_theory(void **state) {
  static const uint64_t square[] = {64, 64, 64, 64};
  static const struct {
    const char *init;
    int judged, predicted, conforms, healthy, faults;
  } rows[] = {{"hadamard", 0, 0, 0, 0, 0},
              {"identity", 0, 0, 0, 0, 0},
              {"normal:mean=0.01,std=0.125", 1, 0, 1, 0, 0},
              {"constant:value=0.01", 1, 0, 1, 0, 1},
              {"he_normal", 1, 1, 1, 1, 0}};
  for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
    test_report *report = NULL;
    const fanin_probe_config config = test_probe_config(square, 4, "relu", rows[k].init, 64);
    assert_ok(test_probe(*state, NULL, &config, &report));
    const fanin_probe_summary *const s = &report->summary;
    if (s->judged != rows[k].judged || s->predicted != rows[k].predicted || s->conforms != rows[k].conforms ||
        s->healthy != rows[k].healthy || (s->n_findings > 0) != rows[k].faults) {
      fail_msg("%s: judged %d, predicted %d, conforms %d, healthy %d, %zu findings", rows[k].init, s->judged,
               s->predicted, s->conforms, s->healthy, s->n_findings);
    }
    test_report_free(report);
  }
}

static void check_conditions(const fanin_probe_summary *s, const char *conforms, const char *healthy) {
  const char *const is[] = {s->conforms_condition, s->healthy_condition}, *const should_be[] = {conforms, healthy};
  for (int k = 0; k < 2; k++) {
    if (should_be[k] ? is[k] && strcmp(is[k], should_be[k]) == 0 : !is[k]) continue;
    fail_msg("condition of %s: %s", k == 0 ? "conforms" : "healthy", is[k] ? is[k] : "none");
  }
}

/* Verdicts on the caller's numbers have a condition, those on drawn ones have none, and what is not given has none. */
static void verdicts_on_given_numbers_have_a_condition(void **state) {
  static const uint64_t two[] = {64, 96, 96};
  static const char *const random = "if the weights are the random numbers that they are judged as";
  static float bias[96];
  const float *biases[2] = {NULL, bias};
  fanin_tensor weights[2] = {{0}};
  test_report *report = NULL;
  fanin_probe_config config = test_probe_config(two, 3, "relu", "he_normal", 64);
  for (size_t j = 0; j < 96; j++) {
    bias[j] = j % 2 ? -0.25f : 0.25f;
  }
  config.weights = weights; /* without buffers: both are drawn */
  assert_ok(test_probe(*state, NULL, &config, &report));
  assert_true(report->summary.conforms && report->summary.healthy);
  check_conditions(&report->summary, NULL, NULL);
  test_report_free(report);
  config.biases = biases;
  assert_ok(test_probe(*state, NULL, &config, &report));
  check_conditions(&report->summary, NULL, "if the biases are random numbers of mean 0");
  test_report_free(report);
  config.biases = NULL;
  assert_ok(fanin_tensor_alloc(*state, FANIN_DTYPE_F32, "OI", 2, (const uint64_t[]){96, 96}, &weights[1]));
  assert_ok(fanin_fill(*state, NULL, &weights[1], &config.init, (fanin_key){1, 2}, 0, NULL, NULL));
  assert_ok(test_probe(*state, NULL, &config, &report));
  check_conditions(&report->summary, "in mean, std, q and G", random);
  test_report_free(report);
  config.biases = biases;
  assert_ok(test_probe(*state, NULL, &config, &report));
  check_conditions(&report->summary, "in mean, std, q and G",
                   "if the weights are the random numbers that they are judged as, and the biases random ones of mean "
                   "0");
  test_report_free(report);
  config.init = parsed("xavier_normal:gain=3"); /* what was filled is not that */
  assert_ok(test_probe(*state, NULL, &config, &report));
  assert_true(!report->summary.conforms);
  assert_null(report->summary.conforms_condition);
  test_report_free(report);
  fanin_tensor_free(&weights[1]);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(each_layer_by_its_own),
                                     cmocka_unit_test(biases_count),
                                     cmocka_unit_test(given_biases_do_not_vary),
                                     cmocka_unit_test(biases_are_expected_exactly),
                                     cmocka_unit_test(numbers_that_are_not_finite),
                                     cmocka_unit_test(no_verdict_without_a_theory),
                                     cmocka_unit_test(verdicts_on_given_numbers_have_a_condition)};
  return cmocka_run_group_tests_name("probe_given", tests, test_group_open, test_group_close);
}
