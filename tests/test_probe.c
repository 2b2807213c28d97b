/* probe.c, forward.c and kernels/mlp.cl: numbers against a forward pass in double, and the law of the residuals by
 * Monte Carlo: right networks pass at the stated rate, wrong ones are caught. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "meanfield.h"
#include "support.h"
#include "support_answers.h"
#include "support_csv.h"

/* forward.c again, with a fill that can be made wrong; the library's own is then not linked. */
typedef enum fault { NO_FAULT, GAIN, SWAPPED_FANS, SQUARED_STD, EQUAL_ROWS } fault;

static fault injected = NO_FAULT;

static fanin_status faulty_fill(fanin *f, cl_command_queue queue, const fanin_tensor *t, const fanin_init *init,
                                fanin_key key, cl_uint n_wait, const cl_event *wait_list, cl_event *event) {
  fanin_init wrong = *init;
  fanin_moments moments;
  if (injected == NO_FAULT || strcmp(t->layout, "OI") != 0) {
    return fanin_fill(f, queue, t, init, key, n_wait, wait_list, event);
  }
  assert_ok(fanin_expect(t, init, &moments));
  if (injected == GAIN) wrong = fanin_normal(0, 1.1 * moments.std);
  if (injected == SQUARED_STD) wrong = fanin_normal(0, moments.std * moments.std);
  if (injected == SWAPPED_FANS) {
    wrong = fanin_normal(0, moments.std * sqrt((double)t->shape[1] / (double)t->shape[0]));
  }
  if (injected != EQUAL_ROWS) return fanin_fill(f, queue, t, &wrong, key, n_wait, wait_list, event);
  for (uint64_t row = 0; row < t->shape[0]; row++) { /* each as if it were the first: one stream for all */
    fanin_tensor first = fanin_tensor_range(*t, 0, t->shape[1]);
    first.offset += row * t->shape[1] * fanin_dtype_size(t->dtype);
    const fanin_status status = fanin_fill(f, queue, &first, init, key, n_wait, wait_list, NULL);
    if (status != FANIN_OK) return status;
  }
  return FANIN_OK;
}

#define fanin_fill faulty_fill
#include "../host/forward.c" // NOLINT(bugprone-suspicious-include)
#undef fanin_fill

enum { LAYERS_MAX = 20 };

static fanin_probe_config config_of(const uint64_t *widths, size_t n, const char *activation, const char *init,
                                    uint64_t batch) {
  fanin_probe_config config = {.widths = widths,
                               .n_widths = n,
                               .activation = activation,
                               .slope = 0.1,
                               .dtype = FANIN_F32,
                               .batch = batch,
                               .seed = 1};
  assert_ok(fanin_init_parse(init, &config.init));
  return config;
}

/* fanin_probe(), with the layers copied out. */
static fanin_status probe_layers(fanin *f, cl_command_queue queue, const fanin_probe_config *config,
                                 fanin_probe_layer *layers) {
  fanin_probe_report *report = NULL;
  const fanin_status status = fanin_probe(f, queue, config, &report);
  if (status == FANIN_OK) memcpy(layers, report->layers, report->n_layers * sizeof *layers);
  fanin_probe_report_free(report);
  return status;
}

static bool have_clblast(fanin *f) {
  const uint64_t widths[2] = {1, 1};
  const fanin_probe_config config = config_of(widths, 2, "relu", "he_normal", 1);
  fanin_probe_layer layer;
  const fanin_status status = probe_layers(f, NULL, &config, &layer);
  if (status != FANIN_UNSUPPORTED) return true;
  assert_non_null(strstr(fanin_last_error(), "without CLBlast"));
  return false;
}

#define NEED_CLBLAST(state)                                                                                            \
  do {                                                                                                                 \
    if (!have_clblast(*(state))) skip();                                                                               \
  } while (0)

static void assert_relative(double value, double exact, double tolerance, const char *what) {
  if (fabs(value - exact) <= tolerance * fabs(exact)) return;
  fail_msg("%s is %.12g, not %.12g", what, value, exact);
}

static double uniform(uint64_t *state) {
  return (double)(test_random(state) >> 11) * 0x1p-53;
}

static float normal(uint64_t *state) {
  const double radius = sqrt(-2 * log(1 - uniform(state)));
  return (float)(radius * cos(6.283185307179586 * uniform(state)));
}

/* ---- Against a forward pass in double ------------------------------------------------------------------------------
 */

/* The tensor that the probe fills, as doubles. */
static double *values_of(fanin *f, const fanin_init *init, fanin_dtype dtype, const char *name, uint64_t rows,
                         uint64_t columns) {
  const size_t n = (size_t)(rows * columns);
  fanin_tensor t;
  assert_ok(fanin_tensor_alloc(f, dtype, "OI", 2, (const uint64_t[]){rows, columns}, &t));
  assert_ok(fanin_fill(f, NULL, &t, init, fanin_key_named(1, name), 0, NULL, NULL));
  uint32_t *const bits = calloc(n, sizeof *bits);
  double *const values = malloc(n * sizeof *values);
  assert_non_null(bits);
  assert_non_null(values);
  assert_ok(fanin_read(f, NULL, &t, bits, n * fanin_dtype_size(dtype), 1, 0, NULL, NULL));
  for (size_t k = 0; k < n; k++) {
    const uint16_t half = ((const uint16_t *)bits)[k];
    uint32_t word = dtype == FANIN_BF16 ? (uint32_t)half << 16 : bits[k];
    float value;
    memcpy(&value, &word, sizeof value);
    values[k] = (double)value;
    if (dtype != FANIN_F16) continue;
    const int exponent = half >> 10 & 31, mantissa = half & 1023;
    const double size = exponent ? ldexp(1024 + mantissa, exponent - 25) : ldexp(mantissa, -24);
    values[k] = half >> 15 ? -size : size;
  }
  free(bits);
  fanin_tensor_free(&t);
  return values;
}

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
  char name[32];
  snprintf(name, sizeof name, "layer%zu.weight", l);
  double *const w = values_of(f, &config->init, config->dtype, name, n, n_in);
  snprintf(name, sizeof name, "layer%zu.bias", l);
  double *const b = values_of(f, &bias_init, FANIN_F32, name, n, 1);
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
  assert_ok(probe_layers(f, NULL, config, layers));
  const fanin_init unit = fanin_normal(0, 1);
  const uint64_t widest = 40;
  net.z = calloc(config->batch * widest, sizeof *net.z);
  net.h = calloc(config->batch * widest, sizeof *net.h);
  double *const input = values_of(f, &unit, FANIN_F32, "input", config->batch, config->widths[0]);
  memcpy(net.h, input, config->batch * config->widths[0] * sizeof *input);
  double v = 0; /* mean square of the input; then mean V of the measured q */
  for (uint64_t k = 0; k < config->batch * config->widths[0]; k++) {
    v += input[k] * input[k] / (double)(config->batch * config->widths[0]);
  }
  for (size_t l = 1; l < config->n_widths; l++) {
    const fanin_probe_layer *const layer = &layers[l - 1];
    const fanin_tensor t =
        fanin_tensor_of(NULL, 0, config->dtype, "OI", 2, (const uint64_t[]){config->widths[l], config->widths[l - 1]});
    fanin_moments moments;
    double weight_std = 0;
    assert_ok(fanin_expect(&t, &config->init, &moments));
    const double gain = moments.std * moments.std * (double)config->widths[l - 1];
    const double q = host_layer(f, &net, l, &weight_std);
    assert_int_equal(layer->fan_in, config->widths[l - 1]);
    assert_int_equal(layer->fan_out, config->widths[l]);
    assert_relative(layer->q_measured, q, 1e-5, config->activation);
    assert_relative(layer->q_predicted, gain * v + config->bias_std * config->bias_std, 1e-5, "q_predicted");
    assert_relative(layer->weight_std, weight_std, 2e-6, "weight_std");
    assert_relative(layer->weight_std_expected, moments.std, 1e-12, "weight_std_expected");
    const double n = (double)(config->widths[l] * config->widths[l - 1]);
    const double z = (weight_std / moments.std - 1) / sqrt((moments.kurtosis - 1) / (4 * n));
    assert_true(fabs(layer->weight_z - z) < 1e-3);
    v = mean_v(&net, config->widths[l], net.z);
  }
  free(input);
  free(net.h);
  free(net.z);
}

static const char *const activations[] = {"linear", "relu",     "leaky_relu", "tanh",      "sigmoid",
                                          "selu",   "elu",      "gelu",       "gelu_tanh", "silu",
                                          "mish",   "softplus", "softsign",   "hardswish", "relu2"};

static void every_activation_and_dtype(void **state) {
  NEED_CLBLAST(state);
  static const uint64_t widths[] = {7, 40, 13, 3};
  static const fanin_dtype dtypes[] = {FANIN_F32, FANIN_F16, FANIN_BF16};
  for (size_t k = 0; k < sizeof activations / sizeof *activations; k++) {
    fanin_probe_config config = config_of(widths, 4, activations[k], "he_uniform", 5);
    config.bias_std = 0.4;
    config.dtype = dtypes[k % 3];
    check_network(*state, &config);
  }
  for (size_t k = 0; k < 3; k++) {
    fanin_probe_config config = config_of(widths, 4, "tanh", "trunc_normal:std=0.5,a=-2,b=2", 1);
    config.dtype = dtypes[k];
    check_network(*state, &config);
  }
}

/* Other paths through the same numbers: out-of-order queues, and the geometry of a GPU. */
static void every_queue_and_geometry(void **state) {
  NEED_CLBLAST(state);
  static const uint64_t widths[] = {33, 65, 30, 4};
  fanin_probe_config config = config_of(widths, 4, "gelu", "he_normal", 19);
  fanin_probe_layer usual[3], other[3];
  assert_ok(probe_layers(*state, NULL, &config, usual));
  for (int gpu = 0; gpu < 2; gpu++) {
    if (gpu) test_replace_number(NULL, CL_DEVICE_TYPE, sizeof(cl_device_type), CL_DEVICE_TYPE_GPU);
    fanin *const f = test_open();
    cl_int code = CL_SUCCESS;
    const cl_command_queue queue =
        clCreateCommandQueue(fanin_context(f), fanin_device(f), CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE, &code);
    assert_int_equal(code, CL_SUCCESS);
    assert_ok(probe_layers(f, queue, &config, other));
    for (size_t l = 0; l < 3; l++) {
      assert_relative(other[l].q_measured, usual[l].q_measured, 1e-6, "q_measured");
      assert_relative(other[l].q_predicted, usual[l].q_predicted, 1e-6, "q_predicted");
      assert_true(fabs(other[l].q_z - usual[l].q_z) < 1e-3);
    }
    clReleaseCommandQueue(queue);
    test_close(f);
    test_forget_answers();
  }
}

/* ---- Mean field ----------------------------------------------------------------------------------------------------
 */

/* Published by reference/meanfield.csv for inputs of mean square 1, to 1e-3 and better. */
static void meanfield_matches_table(void **state) {
  NEED_CLBLAST(state);
  uint64_t widths[LAYERS_MAX + 1];
  float input[2 * 32];
  for (size_t k = 0; k <= LAYERS_MAX; k++) {
    widths[k] = 32;
  }
  for (size_t k = 0; k < 64; k++) {
    input[k] = k % 3 ? 1 : -1;
  }
  const char *field[24];
  fanin_probe_layer layers[LAYERS_MAX] = {0};
  char run[64] = "";
  size_t compared = 0;
  for (test_csv csv = test_csv_open("meanfield.csv"); test_csv_row(&csv, field, 24);) {
    const long depth = strtol(field[3], NULL, 10), layer = strtol(field[4], NULL, 10);
    const bool known = strcmp(field[1], "he_normal") == 0 || strcmp(field[1], "xavier_uniform") == 0;
    if (depth != LAYERS_MAX || !known) continue;
    char now[64];
    snprintf(now, sizeof now, "%s %s", field[0], field[1]);
    if (strcmp(now, run) != 0) {
      fanin_probe_config config = config_of(widths, LAYERS_MAX + 1, field[0], field[1], 2);
      config.input = input;
      memcpy(run, now, sizeof run);
      assert_ok(probe_layers(*state, NULL, &config, layers));
    }
    assert_relative(layers[layer - 1].q_meanfield, strtod(field[5], NULL), 1e-6, run);
    compared++;
  }
  assert_int_equal(compared, 3 * 2 * 4);
}

/* ---- The law of the residual ---------------------------------------------------------------------------------------
 */

typedef struct experiment {
  const char *activation, *init;
  uint64_t widths[4];
  uint64_t batch;
  double bias_std;
  double common; /* correlation of the samples */
  double spread; /* of ln of their norms */
  fanin_dtype dtype;
} experiment;

static const experiment experiments[] = {
    {"relu", "he_normal", {48, 96, 32, 64}, 24, 0, 0, 0, FANIN_F32},
    {"relu", "he_normal", {40, 64, 48, 12}, 1, 0, 0, 0, FANIN_F32},
    {"relu", "he_uniform", {64, 32, 64, 10}, 64, 0.3, 0.5, 0, FANIN_F32},
    {"tanh", "xavier_uniform:gain=1.6", {48, 96, 32, 64}, 100, 0, 0, 0, FANIN_F16},
    {"tanh", "he_normal", {32, 64, 24, 40}, 280, 0, 0.6, 0.5, FANIN_BF16},
    {"gelu", "he_normal:distribution=trunc_normal", {48, 80, 32, 64}, 40, 0, 0.9, 0.3, FANIN_F32},
    {"sigmoid", "normal:mean=0,std=0.3", {30, 60, 40, 24}, 16, 0.2, 0, 0, FANIN_F32},
    {"linear", "lecun_uniform", {64, 48, 96, 32}, 280, 0, 0, 0, FANIN_F32},
    /* narrow before wide: what the activations add shows */
    {"linear", "lecun_normal", {64, 12, 256, 16}, 100, 0, 0, 0, FANIN_F32},
    {"tanh", "he_normal", {64, 12, 256, 16}, 200, 0, 0, 0, FANIN_F32},
    {"tanh", "he_uniform", {8, 32, 512, 16}, 100, 0, 0, 0, FANIN_F32}};

enum { EXPERIMENTS = sizeof experiments / sizeof *experiments, SEEDS = 100 };

/* Samples that share a direction, with norms that differ. */
static void make_input(const experiment *e, uint64_t *state, float *input) {
  const uint64_t n = e->widths[0];
  for (uint64_t a = 0; a < e->batch; a++) {
    const double norm = exp(e->spread * (double)normal(state));
    uint64_t shared = e->widths[1];
    for (uint64_t j = 0; j < n; j++) {
      const double value = sqrt(1 - e->common) * (double)normal(state) + sqrt(e->common) * (double)normal(&shared);
      input[a * n + j] = (float)(norm * value);
    }
  }
}

typedef struct tally {
  double sum[3], squares[3], weight_sum, weight_squares;
  int flagged; /* probes with a layer that does not conform */
} tally;

/* Seeds from `seed` on: experiments that shared them would share their uniform draws. */
static tally run_experiment(fanin *f, const experiment *e, uint64_t seed) {
  tally t = {.flagged = 0};
  uint64_t random = e->batch;
  float *const input = malloc(e->batch * e->widths[0] * sizeof *input);
  assert_non_null(input);
  fanin_probe_config config = config_of(e->widths, 4, e->activation, e->init, e->batch);
  config.bias_std = e->bias_std;
  config.dtype = e->dtype;
  config.input = input;
  for (config.seed = seed; config.seed < seed + SEEDS; config.seed++) {
    fanin_probe_layer layers[3];
    make_input(e, &random, input);
    assert_ok(probe_layers(f, NULL, &config, layers));
    bool conforms = true;
    for (size_t l = 0; l < 3; l++) {
      t.sum[l] += layers[l].q_z;
      t.squares[l] += layers[l].q_z * layers[l].q_z;
      t.weight_sum += layers[l].weight_z;
      t.weight_squares += layers[l].weight_z * layers[l].weight_z;
      if (layers[l].conforms) continue;
      print_message("%s seed %d layer %zu: q_z %.2f, weight_z %.2f\n", e->activation, (int)config.seed, l + 1,
                    layers[l].q_z, layers[l].weight_z);
      conforms = false;
    }
    if (!conforms) t.flagged++;
  }
  free(input);
  return t;
}

/* If the deviates are normal, their mean over 100 seeds has the standard deviation 0.1, and their sum of squares is
 * chi-squared with 100 degrees of freedom, 300 for three layers together. The bounds are 4.5 standard deviations, or
 * the quantiles there, which 77 tests of good networks exceed once in 2,000 choices of seeds (these are fixed); 0.1 is
 * added to the mean's for the theory's next order, 1/n, at widths of 8 to 96. What fails: keeping the second Hermite
 * component; leaving out kurtosis, covariances or the curvature of V. */
static void residuals_are_standard_normal(void **state) {
  NEED_CLBLAST(state);
  int flagged = 0;
  for (size_t k = 0; k < EXPERIMENTS; k++) {
    const tally t = run_experiment(*state, &experiments[k], SEEDS * k);
    double pooled = 0;
    for (size_t l = 0; l < 3; l++) {
      const double mean = t.sum[l] / SEEDS, square = t.squares[l] / SEEDS;
      pooled += square / 3;
      if (fabs(mean) > 0.55 || square < 0.45 || square > 1.85) {
        fail_msg("experiment %zu, layer %zu: mean %.3f, mean square %.3f", k, l + 1, mean, square);
      }
    }
    if (pooled < 0.65 || pooled > 1.45) fail_msg("experiment %zu: mean square %.3f", k, pooled);
    /* 300 of these: 4.5 standard deviations are 0.26 and 0.37 */
    assert_true(fabs(t.weight_sum / (3 * SEEDS)) < 0.26);
    assert_true(fabs(t.weight_squares / (3 * SEEDS) - 1) < 0.37);
    flagged += t.flagged;
  }
  /* 1,100 networks at the rate 1e-3: more than 6 once in 10^4 */
  assert_true(flagged <= 6);
}

/* Each fault at widths where it is not hidden; the second moment alone, without the weights' std, must say so. */
static void wrong_networks_are_flagged(void **state) {
  NEED_CLBLAST(state);
  static const uint64_t widths[] = {64, 256, 96, 128};
  static const fault faults[] = {GAIN, SWAPPED_FANS, SQUARED_STD, EQUAL_ROWS};
  fanin_probe_config config = config_of(widths, 4, "relu", "he_normal", 64);
  const double bound = fanin_z_bound(6);
  for (size_t k = 0; k < sizeof faults / sizeof *faults; k++) {
    for (config.seed = 0; config.seed < 20; config.seed++) {
      fanin_probe_layer layers[3];
      injected = faults[k];
      const fanin_status status = probe_layers(*state, NULL, &config, layers);
      injected = NO_FAULT;
      assert_ok(status);
      bool by_q = false, conforms = true;
      for (size_t l = 0; l < 3; l++) {
        by_q = by_q || fabs(layers[l].q_z) > bound;
        conforms = conforms && layers[l].conforms;
      }
      assert_false(conforms);
      /* with equal rows, q is a multiple of one chi-squared variable, which may be near its mean by chance */
      if (!by_q && faults[k] != EQUAL_ROWS) fail_msg("fault %d, seed %d is not seen", (int)faults[k], (int)config.seed);
    }
  }
}

/* ---- Ranges --------------------------------------------------------------------------------------------------------
 */

/* q from 1e-49 and to 1e+45: its entries are f32 numbers, their squares are not. */
static void squares_beyond_f32(void **state) {
  NEED_CLBLAST(state);
  static const uint64_t widths[] = {64, 64, 64, 64, 64, 64, 64};
  static const char *const inits[] = {"normal:mean=0,std=1e-5", "normal:mean=0,std=4e6"};
  for (size_t k = 0; k < 2; k++) {
    const fanin_probe_config config = config_of(widths, 6, "linear", inits[k], 32);
    fanin_probe_layer layers[6];
    assert_ok(probe_layers(*state, NULL, &config, layers));
    for (size_t l = 0; l < 5; l++) {
      assert_true(layers[l].conforms);
      assert_true(fabs(log(layers[l].q_measured / layers[l].q_meanfield)) < 1);
    }
  }
}

static void overflow_names_the_layer(void **state) {
  NEED_CLBLAST(state);
  static const uint64_t widths[] = {16, 16, 16, 16};
  const fanin_probe_config config = config_of(widths, 4, "relu", "normal:mean=0,std=1e20", 4);
  fanin_probe_report *report = NULL;
  assert_ok(fanin_probe(*state, NULL, &config, &report));
  assert_int_equal(report->overflow_layer, 2);
  assert_false(report->conforms);
  assert_int_equal(report->layers[1].fan_in, 16);
  assert_true(report->layers[0].q_measured > 1e40);
  assert_true(isnan(report->layers[1].q_measured));
  fanin_probe_report_free(report);
}

static void nothing_random(void **state) {
  NEED_CLBLAST(state);
  static const uint64_t widths[] = {20, 30, 10};
  fanin_probe_layer layers[2];
  fanin_probe_config config = config_of(widths, 3, "relu", "zeros", 7);
  assert_ok(probe_layers(*state, NULL, &config, layers));
  for (size_t l = 0; l < 2; l++) {
    assert_true(layers[l].q_measured == 0 && layers[l].q_meanfield == 0 && layers[l].q_predicted == 0);
    assert_true(layers[l].q_z == 0 && layers[l].weight_z == 0 && layers[l].conforms);
  }
  config.bias_std = 0.5; /* then z = b, the same for all samples */
  assert_ok(probe_layers(*state, NULL, &config, layers));
  assert_true(layers[1].q_predicted == 0.25 && layers[1].q_meanfield == 0.25 && layers[1].conforms);

  static const float dark[7 * 20] = {0}; /* an input of zeros, and biases */
  config = config_of(widths, 3, "tanh", "he_normal", 7);
  config.input = dark;
  assert_ok(probe_layers(*state, NULL, &config, layers));
  assert_true(layers[1].q_measured == 0 && layers[1].q_z == 0);
  config.bias_std = 1;
  assert_ok(probe_layers(*state, NULL, &config, layers));
  assert_true(layers[0].q_predicted == 1 && layers[0].conforms && layers[1].conforms);
}

/* ---- Refusals ------------------------------------------------------------------------------------------------------
 */

static void each_bad_argument_has_its_sentence(void **state) {
  NEED_CLBLAST(state);
  static const uint64_t widths[] = {8, 4, 2}, with_zero[] = {8, 0, 2}, vast[] = {1 << 20, 1 << 12};
  static const float nan_input[2 * 8] = {[5] = NAN, [9] = INFINITY};
  const fanin_probe_config good = config_of(widths, 3, "relu", "he_normal", 2);
  struct {
    fanin_status status;
    const char *sentence;
    fanin_probe_config config;
  } rows[] = {{FANIN_BAD_ARGUMENT, "n_widths is 1", good},    {FANIN_BAD_ARGUMENT, "widths[1] is 0", good},
              {FANIN_BAD_ARGUMENT, "batch is 0", good},       {FANIN_BAD_ARGUMENT, "dtype is f64", good},
              {FANIN_BAD_ARGUMENT, "dtype is unknown", good}, {FANIN_BAD_ARGUMENT, "bias_std is -1", good},
              {FANIN_BAD_ARGUMENT, "bias_std is nan", good},  {FANIN_BAD_ARGUMENT, "slope is inf", good},
              {FANIN_BAD_ARGUMENT, "'cube'", good},           {FANIN_UNSUPPORTED, "2^31", good},
              {FANIN_NOT_FINITE, "2 of the input's 16", good}};
  size_t k = 0;
  rows[k++].config.n_widths = 1;
  rows[k++].config.widths = with_zero;
  rows[k++].config.batch = 0;
  rows[k++].config.dtype = FANIN_F64;
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
    assert_status(probe_layers(*state, NULL, &rows[k].config, layers), rows[k].status);
    if (!strstr(fanin_last_error(), rows[k].sentence)) {
      fail_msg("\"%s\" does not say \"%s\"", fanin_last_error(), rows[k].sentence);
    }
  }
}

static void count_calls(void *user, const char *what) {
  assert_true(strlen(what) > 0);
  ++*(int *)user;
}

static void progress_is_told(void **state) {
  NEED_CLBLAST(state);
  static const uint64_t widths[] = {3, 2};
  int calls = 0;
  fanin_probe_layer layer;
  fanin_probe_config config = config_of(widths, 2, "relu", "he_normal", 2);
  config.progress = count_calls;
  config.user = &calls;
  assert_ok(probe_layers(*state, NULL, &config, &layer));
  assert_true(calls > 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_activation_and_dtype),
                                     cmocka_unit_test_teardown(every_queue_and_geometry, test_restore_answers),
                                     cmocka_unit_test(meanfield_matches_table),
                                     cmocka_unit_test(residuals_are_standard_normal),
                                     cmocka_unit_test(wrong_networks_are_flagged),
                                     cmocka_unit_test(squares_beyond_f32),
                                     cmocka_unit_test(overflow_names_the_layer),
                                     cmocka_unit_test(nothing_random),
                                     cmocka_unit_test(each_bad_argument_has_its_sentence),
                                     cmocka_unit_test(progress_is_told)};
  return cmocka_run_group_tests_name("probe", tests, test_group_open, test_group_close);
}
