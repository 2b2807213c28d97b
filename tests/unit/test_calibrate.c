/* fanin_calibrate: variances on the caller's data, measured again in double from the rescaled tensors; refusals, which
 * leave every tensor as it was. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "math/activation.h"
#include "support/support_probe.h"

enum { LAYERS = 3, BATCH = 50, WIDEST = 48, OFFSET = 10 };

static const uint64_t widths[LAYERS + 1] = {20, 48, 30, 12};
static const fanin_calibrate_options usual = {sizeof(fanin_calibrate_options), FANIN_CRITERION_VARIANCE, 1, 0.01, 10};

/* Tensors at an offset, between guard bytes. */
static void make_weights(fanin *f, const fanin_probe_config *config, fanin_tensor *weights) {
  for (size_t l = 1; l <= LAYERS; l++) {
    const size_t offset = OFFSET * fanin_dtype_size(config->dtype);
    const size_t bytes = (size_t)(widths[l] * widths[l - 1]) * fanin_dtype_size(config->dtype);
    weights[l - 1] = test_tensor_of(test_guarded(f, offset, bytes), offset, config->dtype, "OI", 2,
                                    (const uint64_t[]){widths[l], widths[l - 1]});
    assert_ok(fanin_fill(f, NULL, &weights[l - 1], &config->init, (fanin_key){7, l}, 0, NULL, NULL));
  }
}

static void free_weights(fanin *f, fanin_tensor *weights) {
  for (size_t l = 0; l < LAYERS; l++) {
    const size_t bytes = (size_t)(widths[l + 1] * widths[l]) * fanin_dtype_size(weights[l].dtype);
    test_assert_guarded(f, weights[l].buffer, weights[l].offset, bytes);
    clReleaseMemObject(weights[l].buffer);
  }
}

static void make_input(float *input) {
  uint64_t random = 5;
  for (size_t k = 0; k < BATCH * widths[0]; k++) {
    input[k] = 3 + 2 * test_normal(&random);
  }
}

/* Variance of z about its mean, or about 0, with these f32 weights and no biases, in double. */
static void variances(fanin *f, const fanin_probe_config *config, bool about_mean, double *out) {
  static double h[BATCH * WIDEST], z[BATCH * WIDEST];
  const fanin__activation *const activation = fanin__activation_find(config->activation);
  for (size_t k = 0; k < BATCH * widths[0]; k++) {
    h[k] = (double)config->input[k];
  }
  for (size_t l = 1; l <= LAYERS; l++) {
    const size_t n = widths[l], n_in = widths[l - 1];
    static float w[WIDEST * WIDEST];
    double sum = 0, square = 0;
    assert_ok(fanin_read(f, NULL, &config->weights[l - 1], w, n * n_in * sizeof *w, 1, 0, NULL, NULL));
    for (size_t a = 0; a < BATCH; a++) {
      for (size_t i = 0; i < n; i++) {
        double value = 0;
        for (size_t j = 0; j < n_in; j++) {
          value += (double)w[i * n_in + j] * h[a * n_in + j];
        }
        z[a * n + i] = value;
        sum += value / (double)(BATCH * n);
        square += value * value / (double)(BATCH * n);
      }
    }
    out[l - 1] = about_mean ? square - sum * sum : square;
    for (size_t k = 0; k < BATCH * n; k++) {
      h[k] = activation->f(z[k], config->slope);
    }
  }
}

static void variance_is_the_target(void **state) {
  static float input[BATCH * 20];
  static const char *const activations[] = {"relu", "tanh", "gelu", "sigmoid"};
  make_input(input);
  for (size_t k = 0; k < 4; k++) {
    const bool about_mean = k % 2 == 0;
    fanin_probe_config config = test_probe_config(widths, LAYERS + 1, activations[k], "normal:std=0.02", BATCH);
    fanin_calibrate_options options = usual;
    fanin_tensor weights[LAYERS];
    fanin_calibrated_layer layers[LAYERS], again[LAYERS];
    double variance[LAYERS], before[LAYERS];
    options.criterion = about_mean ? FANIN_CRITERION_VARIANCE : FANIN_CRITERION_SECOND_MOMENT;
    options.target = 1 + (double)k;
    config.input = input;
    make_weights(*state, &config, weights);
    config.weights = weights;
    variances(*state, &config, about_mean, before);
    assert_ok(fanin_calibrate(*state, NULL, &config, &options, layers, sizeof *layers));
    variances(*state, &config, about_mean, variance);
    test_assert_relative(layers[0].before, before[0], 1e-4, "before");
    for (size_t l = 0; l < LAYERS; l++) {
      test_assert_relative(variance[l], options.target, 0.01001, activations[k]);
      test_assert_relative(layers[l].after, variance[l], 1e-4, "after");
      /* z is linear in the weights: one step is exact */
      assert_int_equal(layers[l].iterations, 1);
      test_assert_relative(layers[l].factor, sqrt(options.target / layers[l].before), 1e-6, "factor");
    }
    assert_ok(fanin_calibrate(*state, NULL, &config, &options, again, sizeof *again));
    for (size_t l = 0; l < LAYERS; l++) {
      assert_true(again[l].iterations == 0 && again[l].factor == 1);
    }
    free_weights(*state, weights);
  }
}

/* In 16 bits, with biases that no factor touches, norms and residual connections: the report says what is so. */
static void every_dtype_with_biases(void **state) {
  static const fanin_dtype dtypes[] = {FANIN_DTYPE_F32, FANIN_DTYPE_F16, FANIN_DTYPE_BF16};
  for (size_t k = 0; k < 3; k++) {
    fanin_probe_config config = test_probe_config(widths, LAYERS + 1, "relu", "he_normal", BATCH);
    fanin_tensor weights[LAYERS];
    fanin_calibrated_layer layers[LAYERS];
    fanin_probe_layer probed[LAYERS];
    const fanin_calibrate_options second = {sizeof(fanin_calibrate_options), FANIN_CRITERION_SECOND_MOMENT, 1, 0.02,
                                            20};
    config.dtype = dtypes[k];
    config.bias_std = 0.7;
    config.norm = (fanin_norm)k;
    make_weights(*state, &config, weights);
    config.weights = weights;
    assert_ok(fanin_calibrate(*state, NULL, &config, &second, layers, sizeof *layers));
    assert_ok(test_probe_layers(*state, NULL, &config, probed));
    for (size_t l = 0; l < LAYERS; l++) {
      assert_true(layers[l].iterations >= 1 && fabs(layers[l].after - 1) <= 0.02);
      test_assert_relative(probed[l].q_measured, layers[l].after, 1e-5, "probed");
    }
    free_weights(*state, weights);
  }
}

/* The paper's start, orthonormal weights, whose gain is then another one: they stay orthogonal, and the probe knows
 * them by the factors. Widths grow and shrink. */
static void from_orthonormal_weights(void **state) {
  static const fanin_dtype dtypes[] = {FANIN_DTYPE_F32, FANIN_DTYPE_F16, FANIN_DTYPE_BF16};
  for (size_t k = 0; k < 3; k++) {
    static float input[BATCH * 20];
    fanin_probe_config config = test_probe_config(widths, LAYERS + 1, "relu", "orthogonal", BATCH);
    fanin_calibrate_options options = usual;
    fanin_tensor weights[LAYERS];
    fanin_calibrated_layer layers[LAYERS];
    double variance[LAYERS], factors[LAYERS];
    test_report *report = NULL;
    make_input(input);
    config.input = input;
    config.dtype = dtypes[k];
    options.tolerance = 0.02;
    make_weights(*state, &config, weights);
    config.weights = weights;
    assert_ok(fanin_calibrate(*state, NULL, &config, &options, layers, sizeof *layers));
    if (k == 0) variances(*state, &config, true, variance);
    for (size_t l = 0; l < LAYERS; l++) {
      if (k == 0) test_assert_relative(variance[l], 1, 0.0201, "variance");
      assert_int_equal(layers[l].iterations, 1);
      factors[l] = layers[l].factor;
    }
    config.weight_factors = factors;
    assert_ok(test_probe(*state, NULL, &config, &report));
    for (size_t l = 0; l < LAYERS; l++) {
      const fanin_probe_layer *const layer = &report->layers[l];
      assert_true(layer->conforms && layer->overlap < (k == 0 ? 1e-6 : 0.01));
    }
    assert_true(report->summary.conforms && fabs(report->layers[1].q_z) > 0);
    config.weight_factors = NULL; /* without them the gain is wrong */
    fanin_probe_layer unknown[LAYERS];
    assert_ok(test_probe_layers(*state, NULL, &config, unknown));
    assert_false(unknown[0].conforms || unknown[1].conforms || unknown[2].conforms);
    test_report_free(report);
    free_weights(*state, weights);
  }
}

/* ---- Refusals ---------------------------------------------------------------------------------------------------- */

typedef struct refusal {
  const char *sentence, *init;
  fanin_status status;
  float input; /* of every entry; 0: random ones */
  double bias_std;
  fanin_calibrate_options options;
} refusal;

static void refuse(fanin *f, const refusal *row) {
  static float input[BATCH * 20];
  fanin_probe_config config = test_probe_config(widths, LAYERS + 1, "relu", row->init, BATCH);
  fanin_tensor weights[LAYERS];
  fanin_calibrated_layer layers[LAYERS];
  unsigned char *before[LAYERS];
  size_t size = 0;
  make_input(input);
  for (size_t i = 0; row->input != 0 && i < BATCH * 20; i++) {
    input[i] = row->input;
  }
  config.input = input;
  config.bias_std = row->bias_std;
  make_weights(f, &config, weights);
  config.weights = weights;
  for (size_t l = 0; l < LAYERS; l++) {
    before[l] = test_content(f, weights[l].buffer, &size);
  }
  assert_status(fanin_calibrate(f, NULL, &config, &row->options, layers, sizeof *layers), row->status);
  if (!strstr(fanin_last_error(), row->sentence)) {
    fail_msg("\"%s\" does not say \"%s\"", fanin_last_error(), row->sentence);
  }
  for (size_t l = 0; l < LAYERS; l++) {
    unsigned char *const after = test_content(f, weights[l].buffer, &size);
    assert_memory_equal(before[l], after, size);
    free(after);
    free(before[l]);
  }
  free_weights(f, weights);
}

static void each_refusal_changes_nothing(void **state) {
  const refusal rows[] = {
      {"criterion is 7",
       "he_normal",
       FANIN_STATUS_BAD_ARGUMENT,
       0,
       0,
       {sizeof(fanin_calibrate_options), (fanin_criterion)7, 1, 0.01, 10}},
      {"target is -1",
       "he_normal",
       FANIN_STATUS_BAD_ARGUMENT,
       0,
       0,
       {sizeof(fanin_calibrate_options), FANIN_CRITERION_VARIANCE, -1, 0.01, 10}},
      {"target is nan",
       "he_normal",
       FANIN_STATUS_BAD_ARGUMENT,
       0,
       0,
       {sizeof(fanin_calibrate_options), FANIN_CRITERION_VARIANCE, NAN, 0.01, 10}},
      {"tolerance is -1",
       "he_normal",
       FANIN_STATUS_BAD_ARGUMENT,
       0,
       0,
       {sizeof(fanin_calibrate_options), FANIN_CRITERION_VARIANCE, 1, -1, 10}},
      {"max_iterations is -1",
       "he_normal",
       FANIN_STATUS_BAD_ARGUMENT,
       0,
       0,
       {sizeof(fanin_calibrate_options), FANIN_CRITERION_VARIANCE, 1, 0.01, -1}},
      {"layer 1: all weights are 0", "zeros", FANIN_STATUS_BAD_ARGUMENT, 0, 0, usual},
      {"the preactivations' variance is 0", "constant:value=0.1", FANIN_STATUS_BAD_ARGUMENT, 2, 0, usual},
      {"biases alone have more",
       "he_normal",
       FANIN_STATUS_BAD_ARGUMENT,
       0,
       3,
       {sizeof(fanin_calibrate_options), FANIN_CRITERION_SECOND_MOMENT, 1, 0.01, 10}},
      {"layer 1: after 1 iterations",
       "he_normal",
       FANIN_STATUS_BAD_ARGUMENT,
       0,
       0.9,
       {sizeof(fanin_calibrate_options), FANIN_CRITERION_VARIANCE, 1, 1e-9, 1}},
      {"1000 of the input's 1000", "he_normal", FANIN_STATUS_NOT_FINITE, INFINITY, 0, usual}};
  for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
    refuse(*state, &rows[k]);
  }
}

/* A dead layer: ReLU of negative numbers only leaves nothing to scale in the next, after the first was fine. */
static void a_dead_layer_is_named(void **state) {
  static float input[BATCH * 20];
  fanin_probe_config config = test_probe_config(widths, LAYERS + 1, "relu", "uniform:lo=-1,hi=-0.5", BATCH);
  fanin_tensor weights[LAYERS];
  fanin_calibrated_layer layers[LAYERS];
  make_input(input);
  for (size_t k = 0; k < BATCH * 20; k++) {
    input[k] = fabsf(input[k]);
  }
  config.input = input;
  make_weights(*state, &config, weights);
  config.weights = weights;
  assert_status(fanin_calibrate(*state, NULL, &config, &usual, layers, sizeof *layers), FANIN_STATUS_BAD_ARGUMENT);
  assert_non_null(strstr(fanin_last_error(), "layer 2"));
  fanin_tensor absent[LAYERS] = {weights[0], weights[1], weights[2]};
  absent[1].buffer = NULL;
  config.weights = absent;
  assert_status(fanin_calibrate(*state, NULL, &config, &usual, layers, sizeof *layers), FANIN_STATUS_BAD_ARGUMENT);
  assert_non_null(strstr(fanin_last_error(), "weights[1] has no buffer"));
  config.weights = weights;
  const float nan = NAN;
  assert_int_equal(clEnqueueWriteBuffer(test_queue(*state), weights[2].buffer, CL_TRUE, weights[2].offset, sizeof nan,
                                        &nan, 0, NULL, NULL),
                   CL_SUCCESS);
  config.activation = "tanh";
  assert_status(fanin_calibrate(*state, NULL, &config, &usual, layers, sizeof *layers), FANIN_STATUS_NOT_FINITE);
  assert_non_null(strstr(fanin_last_error(), "layer 3: 1 of 360 weights"));
  free_weights(*state, weights);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(variance_is_the_target), cmocka_unit_test(every_dtype_with_biases),
      cmocka_unit_test(from_orthonormal_weights), cmocka_unit_test(each_refusal_changes_nothing),
      cmocka_unit_test(a_dead_layer_is_named)};
  return cmocka_run_group_tests_name("calibrate", tests, test_group_open, test_group_close);
}
