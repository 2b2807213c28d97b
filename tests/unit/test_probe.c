/* probe.c, forward.c, backward.c and kernels/mlp.cl: numbers against a network in double, paths through them, ranges
 * and refusals. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "math/activation.h"
#include "support/support_answers.h"
#include "support/support_probe.h"
#include "theory/meanfield.h"

enum { LAYERS_MAX = 20 };

/* ---- Against a forward pass in double ---------------------------------------------------------------------------- */

typedef struct network {
  fanin_probe_config config;
  const fanin__activation *activation;
  double *h, *z; /* batch x widest */
} network;

static double mean_v(const network *net, uint64_t width, const double *z) {
  double sum = 0;
  for (uint64_t a = 0; a < net->config.batch; a++) {
    double q = 0;
    for (uint64_t j = 0; j < width; j++) {
      q += z[a * width + j] * z[a * width + j] / (double)width;
    }
    sum += fanin__v(net->activation, net->config.slope, q);
  }
  return sum / (double)net->config.batch;
}

/* h = phi(h W^T + b), or without phi; returns the mean of z^2. */
static double host_layer(fanin *f, network *net, size_t l, double *weight_std) {
  const fanin_probe_config *const config = &net->config;
  const uint64_t n_in = config->widths[l - 1], n = config->widths[l];
  const fanin_init bias_init = fanin_normal(0, config->bias_std);
  char name[48];
  snprintf(name, sizeof name, "layer%zu.weight", l);
  double *const w = test_values_of(f, &config->init, config->dtype, name, n, n_in);
  snprintf(name, sizeof name, "layer%zu.bias", l);
  double *const b = test_values_of(f, &bias_init, FANIN_DTYPE_F32, name, n, 1);
  double sum = 0, mean = 0, square = 0;
  for (uint64_t a = 0; a < config->batch; a++) {
    for (uint64_t i = 0; i < n; i++) {
      double z = b[i];
      for (uint64_t j = 0; j < n_in; j++) {
        z += w[i * n_in + j] * net->h[a * n_in + j];
      }
      net->z[a * n + i] = z;
      sum += z * z;
    }
  }
  for (uint64_t k = 0; k < n * n_in; k++) {
    mean += w[k] / (double)(n * n_in);
    square += w[k] * w[k] / (double)(n * n_in);
  }
  *weight_std = sqrt(square - mean * mean);
  for (uint64_t k = 0; k < config->batch * n; k++) {
    net->h[k] = net->activation->f(net->z[k], config->slope);
  }
  free(b);
  free(w);
  return sum / (double)(config->batch * n);
}

/* f32 sums of up to 40 products, of numbers whose own errors are a few 1e-7: 1e-5 of a sum of squares is ample, and a
 * term left out would be percents. */
static void check_network(fanin *f, const fanin_probe_config *config) {
  network net = {.config = *config, .activation = fanin__activation_find(config->activation)};
  fanin_probe_layer layers[LAYERS_MAX];
  assert_ok(test_probe_layers(f, NULL, config, layers));
  const fanin_init unit = fanin_normal(0, 1);
  const uint64_t widest = 40;
  net.z = calloc(config->batch * widest, sizeof *net.z);
  net.h = calloc(config->batch * widest, sizeof *net.h);
  double *const input = test_values_of(f, &unit, FANIN_DTYPE_F32, "input", config->batch, config->widths[0]);
  memcpy(net.h, input, config->batch * config->widths[0] * sizeof *input);
  double v = 0; /* mean square of the input; then mean V of the measured q */
  for (uint64_t k = 0; k < config->batch * config->widths[0]; k++) {
    v += input[k] * input[k] / (double)(config->batch * config->widths[0]);
  }
  for (size_t l = 1; l < config->n_widths; l++) {
    const fanin_probe_layer *const layer = &layers[l - 1];
    const fanin_tensor t =
        test_tensor_of(NULL, 0, config->dtype, "OI", 2, (const uint64_t[]){config->widths[l], config->widths[l - 1]});
    fanin_moments moments;
    double weight_std = 0;
    assert_ok(fanin_expect(&t, &config->init, &moments, sizeof moments));
    const double gain = moments.std * moments.std * (double)config->widths[l - 1];
    const double q = host_layer(f, &net, l, &weight_std);
    assert_int_equal(layer->fan_in, config->widths[l - 1]);
    assert_int_equal(layer->fan_out, config->widths[l]);
    test_assert_relative(layer->q_measured, q, 1e-5, config->activation);
    test_assert_relative(layer->q_predicted, gain * v + config->bias_std * config->bias_std, 1e-5, "q_predicted");
    test_assert_relative(layer->weight_std, weight_std, 2e-6, "weight_std");
    test_assert_relative(layer->weight_std_expected, moments.std, 1e-12, "weight_std_expected");
    const double n = (double)(config->widths[l] * config->widths[l - 1]);
    const double z = (weight_std / moments.std - 1) / sqrt((moments.kurtosis - 1) / (4 * n));
    assert_true(fabs(layer->weight_z - z) < 1e-3);
    v = mean_v(&net, config->widths[l], net.z);
  }
  free(input);
  free(net.h);
  free(net.z);
}

static void every_activation_and_dtype(void **state) {
  static const uint64_t widths[] = {7, 40, 13, 3};
  static const fanin_dtype dtypes[] = {FANIN_DTYPE_F32, FANIN_DTYPE_F16, FANIN_DTYPE_BF16};
  for (size_t k = 0; fanin__activation_at(k); k++) {
    fanin_probe_config config = test_probe_config(widths, 4, fanin__activation_at(k)->name, "he_uniform", 5);
    config.bias_std = 0.4;
    config.dtype = dtypes[k % 3];
    check_network(*state, &config);
  }
  for (size_t k = 0; k < 3; k++) {
    fanin_probe_config config = test_probe_config(widths, 4, "tanh", "trunc_normal:std=0.5,a=-2,b=2", 1);
    config.dtype = dtypes[k];
    check_network(*state, &config);
  }
}

/* Other paths through the same numbers: out-of-order queues, and the geometry of a GPU. */
static void every_queue_and_geometry(void **state) {
  static const uint64_t widths[] = {33, 65, 30, 4};
  fanin_probe_config config = test_probe_config(widths, 4, "gelu", "he_normal", 19);
  fanin_probe_layer usual[3], other[3];
  assert_ok(test_probe_layers(*state, NULL, &config, usual));
  for (int gpu = 0; gpu < 2; gpu++) {
    fanin *const f = test_open_as(gpu);
    const cl_command_queue queue = test_out_of_order(f);
    assert_ok(test_probe_layers(f, queue, &config, other));
    for (size_t l = 0; l < 3; l++) {
      test_assert_relative(other[l].q_measured, usual[l].q_measured, 1e-6, "q_measured");
      test_assert_relative(other[l].q_predicted, usual[l].q_predicted, 1e-6, "q_predicted");
      assert_true(fabs(other[l].q_z - usual[l].q_z) < 1e-3);
    }
    clReleaseCommandQueue(queue);
    test_close(f);
    test_forget_answers();
  }
}

/* ---- Ranges ------------------------------------------------------------------------------------------------------ */

/* q from 1e-49 and to 1e+45: its entries are f32 numbers, their squares are not. */
static void squares_beyond_f32(void **state) {
  static const uint64_t widths[] = {64, 64, 64, 64, 64, 64, 64};
  static const char *const inits[] = {"normal:mean=0,std=1e-5", "normal:mean=0,std=4e6"};
  for (size_t k = 0; k < 2; k++) {
    const fanin_probe_config config = test_probe_config(widths, 6, "linear", inits[k], 32);
    fanin_probe_layer layers[6];
    assert_ok(test_probe_layers(*state, NULL, &config, layers));
    for (size_t l = 0; l < 5; l++) {
      assert_true(layers[l].conforms);
      assert_true(fabs(log(layers[l].q_measured / layers[l].q_meanfield)) < 1);
    }
  }
}

static void overflow_names_the_layer(void **state) {
  static const uint64_t widths[] = {16, 16, 16, 16};
  const fanin_probe_config config = test_probe_config(widths, 4, "relu", "normal:mean=0,std=1e20", 4);
  test_report *report = NULL;
  assert_ok(test_probe(*state, NULL, &config, &report));
  assert_int_equal(report->summary.overflow_layer, 2);
  assert_false(report->summary.conforms);
  assert_int_equal(report->layers[1].fan_in, 16);
  assert_true(report->layers[0].q_measured > 1e40);
  assert_true(isnan(report->layers[1].q_measured));
  test_report_free(report);
}

static void nothing_random(void **state) {
  static const uint64_t widths[] = {20, 30, 10};
  fanin_probe_layer layers[2];
  fanin_probe_config config = test_probe_config(widths, 3, "relu", "zeros", 7);
  assert_ok(test_probe_layers(*state, NULL, &config, layers));
  for (size_t l = 0; l < 2; l++) {
    assert_true(layers[l].q_measured == 0 && layers[l].q_meanfield == 0 && layers[l].q_predicted == 0);
    assert_true(layers[l].q_z == 0 && layers[l].weight_z == 0 && layers[l].conforms);
  }
  config.bias_std = 0.5; /* then z = b, the same for all samples */
  assert_ok(test_probe_layers(*state, NULL, &config, layers));
  assert_true(layers[1].q_predicted == 0.25 && layers[1].q_meanfield == 0.25 && layers[1].conforms);

  static const float dark[7 * 20] = {0}; /* an input of zeros, and biases */
  config = test_probe_config(widths, 3, "tanh", "he_normal", 7);
  config.input = dark;
  assert_ok(test_probe_layers(*state, NULL, &config, layers));
  assert_true(layers[1].q_measured == 0 && layers[1].q_z == 0);
  config.bias_std = 1;
  assert_ok(test_probe_layers(*state, NULL, &config, layers));
  assert_true(layers[0].q_predicted == 1 && layers[0].conforms && layers[1].conforms);
}

/* ---- Refusals ---------------------------------------------------------------------------------------------------- */

static void each_bad_argument_has_its_sentence(void **state) {
  static const uint64_t widths[] = {8, 4, 2}, with_zero[] = {8, 0, 2}, vast[] = {1 << 20, 1 << 29};
  static const float nan_input[2 * 8] = {[5] = NAN, [9] = INFINITY};
  const fanin_probe_config good = test_probe_config(widths, 3, "relu", "he_normal", 2);
  struct {
    fanin_status status;
    const char *sentence;
    fanin_probe_config config;
  } rows[] = {
      {FANIN_STATUS_BAD_ARGUMENT, "n_widths is 1", good},    {FANIN_STATUS_BAD_ARGUMENT, "widths[1] is 0", good},
      {FANIN_STATUS_BAD_ARGUMENT, "batch is 0", good},       {FANIN_STATUS_BAD_ARGUMENT, "dtype is f64", good},
      {FANIN_STATUS_BAD_ARGUMENT, "dtype is unknown", good}, {FANIN_STATUS_BAD_ARGUMENT, "bias_std is -1", good},
      {FANIN_STATUS_BAD_ARGUMENT, "bias_std is nan", good},  {FANIN_STATUS_BAD_ARGUMENT, "slope is inf", good},
      {FANIN_STATUS_BAD_ARGUMENT, "'cube'", good},           {FANIN_STATUS_BAD_SHAPE, "at most 2^48", good},
      {FANIN_STATUS_NOT_FINITE, "2 of the input's 16", good}};
  size_t k = 0;
  rows[k++].config.n_widths = 1;
  rows[k++].config.widths = with_zero;
  rows[k++].config.batch = 0;
  rows[k++].config.dtype = FANIN_DTYPE_F64;
  rows[k++].config.dtype = FANIN_DTYPE_COUNT;
  rows[k++].config.bias_std = -1;
  rows[k++].config.bias_std = NAN;
  rows[k++].config.slope = INFINITY;
  rows[k++].config.activation = "cube";
  rows[k].config.widths = vast;
  rows[k++].config.n_widths = 2;
  rows[k++].config.input = nan_input;
  assert_int_equal(k, sizeof rows / sizeof *rows);
  for (k = 0; k < sizeof rows / sizeof *rows; k++) {
    fanin_probe_layer layers[2];
    assert_status(test_probe_layers(*state, NULL, &rows[k].config, layers), rows[k].status);
    if (!strstr(fanin_last_error(), rows[k].sentence)) {
      fail_msg("\"%s\" does not say \"%s\"", fanin_last_error(), rows[k].sentence);
    }
  }
}

/* What is wrong with norms and with weights of the caller's. */
static void each_bad_norm_and_weight_has_its_sentence(void **state) {
  static const uint64_t widths[] = {8, 4, 2}, narrow[] = {8, 1, 2};
  fanin_probe_config config = test_probe_config(widths, 3, "relu", "he_normal", 1);
  fanin_tensor good[2];
  fanin_probe_layer layers[2];
  assert_ok(fanin_tensor_alloc(*state, FANIN_DTYPE_F32, "OI", 2, (const uint64_t[]){4, 8}, &good[0]));
  assert_ok(fanin_tensor_alloc(*state, FANIN_DTYPE_F32, "OI", 2, (const uint64_t[]){2, 4}, &good[1]));
  config.norm = (fanin_norm)9;
  assert_status(test_probe(*state, NULL, &config, NULL), FANIN_STATUS_BAD_ARGUMENT);
  assert_non_null(strstr(fanin_last_error(), "norm is 9"));
  config.norm = FANIN_NORM_BATCH;
  assert_status(test_probe(*state, NULL, &config, NULL), FANIN_STATUS_BAD_ARGUMENT);
  assert_non_null(strstr(fanin_last_error(), "batch is 1"));
  config.norm = FANIN_NORM_LAYER;
  config.widths = narrow;
  assert_status(test_probe(*state, NULL, &config, NULL), FANIN_STATUS_BAD_ARGUMENT);
  assert_non_null(strstr(fanin_last_error(), "widths[1] is 1"));

  config = test_probe_config(widths, 3, "relu", "he_normal", 1);
  struct {
    fanin_status status;
    const char *sentence;
    fanin_tensor tensor; /* of layer 2 */
  } rows[] = {{FANIN_STATUS_BAD_SHAPE, "weights[1] has rank 2 and begins 4 x 2; layer 2 needs 2 x 4", good[1]},
              {FANIN_STATUS_BAD_SHAPE, "weights[1] has rank 1", good[1]},
              {FANIN_STATUS_BAD_ARGUMENT, "weights[1] is f16 and dtype is f32", good[1]},
              {FANIN_STATUS_BAD_SHAPE, "weights[1] is a part or strided", test_tensor_range(good[1], 0, 7)},
              {FANIN_STATUS_BAD_SIZE, "", good[1]}};
  rows[0].tensor.shape[0] = 4;
  rows[0].tensor.shape[1] = 2;
  rows[1].tensor.rank = 1;
  rows[2].tensor.dtype = FANIN_DTYPE_F16;
  rows[4].tensor.offset = 4;
  for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
    fanin_tensor weights[2] = {good[0], rows[k].tensor};
    config.weights = weights;
    assert_status(test_probe_layers(*state, NULL, &config, layers), rows[k].status);
    if (!strstr(fanin_last_error(), rows[k].sentence)) {
      fail_msg("\"%s\" does not say \"%s\"", fanin_last_error(), rows[k].sentence);
    }
  }
  fanin_tensor_free(&good[0]);
  fanin_tensor_free(&good[1]);
}

/* Blocks and gates that do not fit, by the probe and by the function that says how many rows there are. */
static void each_bad_block_has_its_sentence(void **state) {
  static const uint64_t even[] = {8, 4, 8, 4, 2}, right[] = {8, 4, 8, 2}, wrong[] = {8, 4, 9, 2}, one[] = {1, 4, 1, 2};
  fanin_probe_config good = test_probe_config(right, 4, "swiglu", "he_normal", 2);
  good.block = FANIN_BLOCK_PRE_NORM;
  struct {
    const char *sentence;
    fanin_probe_config config;
  } rows[] = {{"block is 3; FANIN_BLOCK_NONE", good},
              {"n_widths is 5; with blocks it is even", good},
              {"widths[2] is 9 and widths[0] is 8", good},
              {"widths[0] is 1; what blocks divide by", good},
              {"norm is 1 and the activation is swiglu", good},
              {"norm is 2 and residual is 0", good},
              {"norm is 0 and residual is 1", good},
              {"'swigl', did you mean swiglu?", good}};
  size_t k = 0;
  rows[k++].config.block = (fanin_block)3;
  rows[k].config.widths = even;
  rows[k++].config.n_widths = 5;
  rows[k++].config.widths = wrong;
  rows[k++].config.widths = one;
  rows[k].config.block = FANIN_BLOCK_NONE;
  rows[k++].config.norm = FANIN_NORM_LAYER;
  rows[k].config.activation = "relu";
  rows[k++].config.norm = FANIN_NORM_BATCH;
  rows[k++].config.residual = 1;
  rows[k++].config.activation = "swigl";
  assert_int_equal(k, sizeof rows / sizeof *rows);
  for (k = 0; k < sizeof rows / sizeof *rows; k++) {
    fanin_probe_layer layers[4];
    uint64_t n = 7;
    assert_status(fanin_probe_rows(&rows[k].config, 1, &n), FANIN_STATUS_BAD_ARGUMENT);
    assert_true(n == 7);
    assert_status(test_probe_layers(*state, NULL, &rows[k].config, layers), FANIN_STATUS_BAD_ARGUMENT);
    if (!strstr(fanin_last_error(), rows[k].sentence)) {
      fail_msg("\"%s\" does not say \"%s\"", fanin_last_error(), rows[k].sentence);
    }
  }
}

static void rows_of_layers(void **state) {
  (void)state;
  static const uint64_t widths[] = {8, 4, 8, 2}, gated[] = {0, 8, 16, 2}, in_blocks[] = {0, 8, 8, 2};
  fanin_probe_config config = test_probe_config(widths, 4, "reglu", "he_normal", 2);
  uint64_t n = 0;
  for (size_t l = 1; l < 4; l++) {
    config.block = FANIN_BLOCK_NONE;
    assert_ok(fanin_probe_rows(&config, l, &n));
    assert_true(n == gated[l]);
    config.block = FANIN_BLOCK_POST_NORM;
    assert_ok(fanin_probe_rows(&config, l, &n));
    assert_true(n == in_blocks[l]);
  }
  assert_status(fanin_probe_rows(&config, 0, &n), FANIN_STATUS_BAD_ARGUMENT);
  assert_non_null(strstr(fanin_last_error(), "l is 0; the layers are 1 to 3"));
  assert_status(fanin_probe_rows(&config, 4, &n), FANIN_STATUS_BAD_ARGUMENT);
  assert_status(fanin_probe_rows(NULL, 1, &n), FANIN_STATUS_BAD_ARGUMENT);
  assert_status(fanin_probe_rows(&config, 1, NULL), FANIN_STATUS_BAD_ARGUMENT);
}

/* A weight of 8.4 GB, where no buffer is so large. */
static void out_of_device_memory(void **state) {
  static const uint64_t widths[] = {46000, 46000};
  fanin_probe_layer layer;
  test_limit_buffers(1 << 30);
  const fanin_probe_config config = test_probe_config(widths, 2, "relu", "he_normal", 1);
  assert_status(test_probe_layers(*state, NULL, &config, &layer), (fanin_status)CL_MEM_OBJECT_ALLOCATION_FAILURE);
  assert_string_equal(fanin_last_error(), "clCreateBuffer of 2116000000 elements for weights: "
                                          "CL_MEM_OBJECT_ALLOCATION_FAILURE (-4)");
}

static void count_calls(void *user, const char *what) {
  assert_true(strlen(what) > 0);
  ++*(int *)user;
}

static void progress_is_told(void **state) {
  static const uint64_t widths[] = {3, 2};
  int calls = 0;
  fanin_probe_layer layer;
  fanin_probe_config config = test_probe_config(widths, 2, "relu", "he_normal", 2);
  config.progress = count_calls;
  config.user = &calls;
  assert_ok(test_probe_layers(*state, NULL, &config, &layer));
  assert_true(calls > 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_activation_and_dtype),
                                     cmocka_unit_test_teardown(every_queue_and_geometry, test_restore_answers),
                                     cmocka_unit_test(squares_beyond_f32),
                                     cmocka_unit_test(overflow_names_the_layer),
                                     cmocka_unit_test(nothing_random),
                                     cmocka_unit_test(each_bad_argument_has_its_sentence),
                                     cmocka_unit_test(each_bad_norm_and_weight_has_its_sentence),
                                     cmocka_unit_test(each_bad_block_has_its_sentence),
                                     cmocka_unit_test(rows_of_layers),
                                     cmocka_unit_test_teardown(out_of_device_memory, test_restore_answers),
                                     cmocka_unit_test(progress_is_told)};
  return cmocka_run_group_tests_name("probe", tests, test_group_open, test_group_close);
}
