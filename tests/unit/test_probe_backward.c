/* The backward pass against finite differences, in double, of a forward pass that knows nothing of fanin's: gradients
 * of every preactivation, of the weights, and what is said of activations, for every activation, gate, norm, block and
 * dtype. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "math/activation.h"
#include "support/support_answers.h"
#include "support/support_probe.h"

enum { LAYERS_MAX = 5, WIDEST = 9, BATCH = 5, ENTRIES = BATCH * 2 * WIDEST };

/* widths[1] and [2] agree, so that a residual connection has a place, and so do [2] and [3]. */
static const uint64_t widths[] = {7, 9, 9, 9, 4}, of_blocks[] = {9, 7, 9, 6, 9, 4};

typedef struct network {
  const fanin_probe_config *config;
  const uint64_t *widths;
  size_t layers;
  const fanin__activation *activation;
  bool gated;
  double *weight[LAYERS_MAX + 1], *bias[LAYERS_MAX + 1], *gradient; /* of the output */
  double h[LAYERS_MAX + 1][ENTRIES], z[LAYERS_MAX + 1][ENTRIES], y[LAYERS_MAX + 1][ENTRIES];
  double sum[LAYERS_MAX + 1][ENTRIES]; /* at the ends of blocks */
} network;

/* Whether a block begins or ends behind layer l. */
static bool is_end(const network *net, size_t l) {
  return net->config->block != FANIN_BLOCK_NONE && l % 2 == 0 && l < net->layers;
}

/* Layer l's activation is a gate's. */
static bool has_gate(const network *net, size_t l) {
  return net->gated && l > 0 && l < net->layers && !is_end(net, l);
}

static size_t rows_of(const network *net, size_t l) {
  return net->widths[l] * (has_gate(net, l) ? 2 : 1);
}

/* What a gated unit's gate is. */
static const char *const gates[][2] = {{"glu", "sigmoid"}, {"bilinear", "linear"},      {"reglu", "relu"},
                                       {"geglu", "gelu"},  {"geglu_tanh", "gelu_tanh"}, {"swiglu", "silu"}};
enum { GATES = sizeof gates / sizeof *gates };

/* h = sum / its root mean square over the features of each sample. */
static void divide(network *net, size_t l) {
  const size_t n = net->widths[l];
  for (size_t a = 0; a < BATCH; a++) {
    double square = 0;
    for (size_t k = 0; k < n; k++) {
      square += pow(net->sum[l][a * n + k], 2) / (double)n;
    }
    for (size_t k = 0; k < n; k++) {
      net->h[l][a * n + k] = net->sum[l][a * n + k] / sqrt(square);
    }
  }
}

static void network_make(fanin *f, const fanin_probe_config *config, network *net) {
  const fanin_init unit = fanin_normal(0, 1), bias = fanin_normal(0, config->bias_std);
  char name[32];
  const char *activation = config->activation;
  *net = (network){.config = config, .widths = config->widths, .layers = config->n_widths - 1};
  for (size_t k = 0; k < GATES; k++) {
    if (strcmp(gates[k][0], config->activation) != 0) continue;
    net->gated = true;
    activation = gates[k][1];
  }
  net->activation = fanin__activation_find(activation);
  for (size_t l = 1; l <= net->layers; l++) {
    snprintf(name, sizeof name, "layer%zu.weight", l);
    net->weight[l] = test_values_of(f, &config->init, config->dtype, name, rows_of(net, l), net->widths[l - 1]);
    snprintf(name, sizeof name, "layer%zu.bias", l);
    net->bias[l] = test_values_of(f, &bias, FANIN_DTYPE_F32, name, rows_of(net, l), 1);
  }
  double *const input = test_values_of(f, &unit, FANIN_DTYPE_F32, "input", BATCH, net->widths[0]);
  memcpy(is_end(net, 0) ? net->sum[0] : net->h[0], input, BATCH * net->widths[0] * sizeof *input);
  if (is_end(net, 0)) divide(net, 0);
  free(input);
  net->gradient = test_values_of(f, &unit, FANIN_DTYPE_F32, "gradient", BATCH, net->widths[net->layers]);
}

static void network_free(network *net) {
  for (size_t l = 1; l <= net->layers; l++) {
    free(net->weight[l]);
    free(net->bias[l]);
  }
  free(net->gradient);
}

/* y = z to mean 0 and variance 1 over n numbers that are `stride` apart. */
static void standardise(const double *z, double *y, size_t n, size_t stride) {
  double mean = 0, square = 0;
  for (size_t k = 0; k < n; k++) {
    mean += z[k * stride] / (double)n;
  }
  for (size_t k = 0; k < n; k++) {
    square += pow(z[k * stride] - mean, 2) / (double)n;
  }
  for (size_t k = 0; k < n; k++) {
    y[k * stride] = (z[k * stride] - mean) / sqrt(square);
  }
}

/* z is added to what came into the block: before the norm, or behind it. */
static void end_block(network *net, size_t l) {
  const double *const carried = net->config->block == FANIN_BLOCK_PRE_NORM ? net->sum[l - 2] : net->h[l - 2];
  for (size_t k = 0; k < BATCH * net->widths[l]; k++) {
    net->sum[l][k] = net->z[l][k] + carried[k];
  }
  divide(net, l);
}

/* y and h of layer l from its z. */
static void finish_layer(network *net, size_t l) {
  const size_t n = net->widths[l];
  const bool last = l == net->layers;
  memcpy(net->y[l], net->z[l], sizeof net->z[l]);
  if (is_end(net, l)) {
    end_block(net, l);
    return;
  }
  for (size_t k = 0; !last && net->config->norm == FANIN_NORM_LAYER && k < BATCH; k++) {
    standardise(net->z[l] + k * n, net->y[l] + k * n, n, 1);
  }
  for (size_t k = 0; !last && net->config->norm == FANIN_NORM_BATCH && k < n; k++) {
    standardise(net->z[l] + k, net->y[l] + k, BATCH, n);
  }
  for (size_t k = 0; k < BATCH * n; k++) {
    const double *const y = net->y[l] + k + (has_gate(net, l) ? k / n * n : 0);
    net->h[l][k] = last ? *y : net->activation->f(*y, net->config->slope);
    if (has_gate(net, l)) net->h[l][k] *= y[n];
    if (!last && net->config->residual && n == net->widths[l - 1]) net->h[l][k] += net->h[l - 1][k];
  }
}

/* From layer l on, and the loss: the sum of the output times its gradient. */
static double loss_from(network *net, size_t l) {
  for (; l <= net->layers; l++) {
    const size_t n = rows_of(net, l), n_in = net->widths[l - 1];
    for (size_t a = 0; a < BATCH; a++) {
      for (size_t i = 0; i < n; i++) {
        double z = net->bias[l][i];
        for (size_t j = 0; j < n_in; j++) {
          z += net->weight[l][i * n_in + j] * net->h[l - 1][a * n_in + j];
        }
        net->z[l][a * n + i] = z;
      }
    }
    finish_layer(net, l);
  }
  double loss = 0;
  for (size_t k = 0; k < BATCH * net->widths[net->layers]; k++) {
    loss += net->h[net->layers][k] * net->gradient[k];
  }
  return loss;
}

/* d loss / d z_l[k] by a central difference. */
static double difference(network *net, size_t l, size_t k) {
  const double step = 1e-5, z = net->z[l][k];
  double loss[2];
  for (int side = 0; side < 2; side++) {
    net->z[l][k] = side ? z + step : z - step;
    finish_layer(net, l);
    loss[side] = loss_from(net, l + 1);
  }
  net->z[l][k] = z;
  finish_layer(net, l);
  (void)loss_from(net, l + 1);
  return (loss[1] - loss[0]) / (2 * step);
}

static double mean_square(const double *x, size_t n) {
  double sum = 0;
  for (size_t k = 0; k < n; k++) {
    sum += x[k] * x[k];
  }
  return sum / (double)n;
}

/* Of delta^T h, divided by the batch as the report has it. */
static double weight_gradient(const network *net, size_t l, const double *delta) {
  const size_t n = rows_of(net, l), n_in = net->widths[l - 1];
  double total = 0;
  for (size_t i = 0; i < n; i++) {
    for (size_t j = 0; j < n_in; j++) {
      double sum = 0;
      for (size_t a = 0; a < BATCH; a++) {
        sum += delta[a * n + i] * net->h[l - 1][a * n_in + j];
      }
      total += sum * sum;
    }
  }
  return total / (double)(n * n_in) / BATCH;
}

static double mean_cosine(const double *h, size_t n) {
  double sum = 0;
  for (size_t a = 0; a < BATCH; a++) {
    for (size_t b = 0; b < BATCH; b++) {
      double ab = 0;
      for (size_t k = 0; k < n; k++) {
        ab += h[a * n + k] * h[b * n + k];
      }
      const double norms = (double)n * sqrt(mean_square(h + a * n, n) * mean_square(h + b * n, n));
      if (a != b && norms > 0) sum += ab / norms;
    }
  }
  return sum / (BATCH * (BATCH - 1));
}

/* Shares of f16: bounds from IEEE 754's binary16. */
static void assert_f16(const double *x, size_t n, double overflow, double underflow) {
  size_t over = 0, under = 0;
  for (size_t k = 0; k < n; k++) {
    over += fabs(x[k]) >= 65520;
    under += x[k] != 0 && fabs(x[k]) < 6.103515625e-5;
  }
  assert_true(fabs(overflow - (double)over / (double)n) < 1e-6);
  assert_true(fabs(underflow - (double)under / (double)n) < 1e-6);
}

static void assert_activations(const network *net, size_t l, const fanin_probe_layer *layer) {
  const size_t n = net->widths[l], rows = rows_of(net, l), entries = BATCH * n;
  const bool active = l < net->layers && !is_end(net, l);
  double mean = 0;
  size_t saturated = 0, dead = 0;
  double below, above;
  fanin__saturation(net->activation, &below, &above);
  for (size_t k = 0; k < entries; k++) {
    mean += net->h[l][k] / (double)entries;
    const double y = net->y[l][k / n * rows + k % n];
    saturated += active && (y < below || y > above);
  }
  for (size_t i = 0; i < n && active; i++) {
    bool all = true;
    for (size_t a = 0; a < BATCH; a++) {
      all = all && net->y[l][a * rows + i] <= fanin__zero_below(net->activation, net->config->slope);
    }
    dead += all;
  }
  const double rms = sqrt(mean_square(net->h[l], entries));
  assert_true(fabs(layer->mean_measured - mean) < 1e-5 * rms);
  assert_true(fabs(layer->correlation_measured - mean_cosine(net->h[l], n)) < 1e-5);
  assert_true(fabs(layer->saturated_measured - (double)saturated / (double)entries) < 1e-6);
  assert_true(fabs(layer->dead_measured - (double)dead / (double)n) < 1e-6);
  assert_f16(is_end(net, l) ? net->sum[l] : net->h[l], entries, layer->f16_overflow, layer->f16_underflow);
  assert_int_equal(isnan(layer->stream_measured), !is_end(net, l));
  if (is_end(net, l)) test_assert_relative(layer->stream_measured, mean_square(net->sum[l], entries), 1e-5, "stream");
}

/* f32 against double: 1e-4 as is asked for; what comes out is below 1e-5. */
static void check(fanin *f, cl_command_queue queue, const fanin_probe_config *config) {
  network net;
  fanin_probe_layer layers[LAYERS_MAX];
  char what[96];
  assert_ok(test_probe_layers(f, queue, config, layers));
  network_make(f, config, &net);
  (void)loss_from(&net, 1);
  for (size_t l = 1; l <= net.layers; l++) {
    const size_t entries = BATCH * rows_of(&net, l);
    uint64_t rows = 0;
    assert_ok(fanin_probe_rows(config, l, &rows));
    assert_int_equal(rows, rows_of(&net, l));
    assert_int_equal(layers[l - 1].fan_out, rows);
    double delta[ENTRIES] = {0};
    for (size_t k = 0; k < entries; k++) {
      delta[k] = difference(&net, l, k);
    }
    snprintf(what, sizeof what, "%s, norm %d, residual %d, block %d, layer %zu", config->activation, (int)config->norm,
             config->residual, (int)config->block, l);
    test_assert_relative(layers[l - 1].q_measured, mean_square(net.z[l], entries), 1e-4, what);
    test_assert_relative(layers[l - 1].g_measured, mean_square(delta, entries), 1e-4, what);
    test_assert_relative(layers[l - 1].weight_gradient_measured, weight_gradient(&net, l, delta), 1e-4, what);
    assert_activations(&net, l, &layers[l - 1]);
    assert_f16(delta, entries, layers[l - 1].f16_gradient_overflow, layers[l - 1].f16_gradient_underflow);
  }
  network_free(&net);
}

static void every_activation_norm_and_dtype(void **state) {
  static const fanin_dtype dtypes[] = {FANIN_DTYPE_F32, FANIN_DTYPE_F16, FANIN_DTYPE_BF16};
  for (size_t k = 0; fanin__activation_at(k); k++) {
    for (int variant = 0; variant < 6; variant++) {
      fanin_probe_config config = test_probe_config(widths, 5, fanin__activation_at(k)->name, "he_uniform", BATCH);
      config.bias_std = 0.4;
      config.dtype = dtypes[(k + (size_t)variant) % 3];
      config.norm = (fanin_norm)(variant % 3);
      config.residual = variant / 3;
      check(*state, NULL, &config);
    }
  }
}

/* Plain, with residual connections, and in blocks of both kinds. Weights are small: gelu' at a gate of -8, which comes
 * from products of large numbers, is beyond what differences of the loss can tell from 0. */
static fanin_probe_config variant_of(const char *activation, int variant) {
  const bool blocks = variant >= 2;
  fanin_probe_config config =
      test_probe_config(blocks ? of_blocks : widths, blocks ? 6 : 5, activation, "lecun_uniform", BATCH);
  config.bias_std = 0.4;
  config.residual = variant == 1;
  config.block = blocks ? (fanin_block)(variant - 1) : FANIN_BLOCK_NONE;
  return config;
}

static void every_gate_and_block(void **state) {
  static const char *const others[] = {"relu", "tanh", "gelu", "linear"};
  for (size_t k = 0; k < GATES + 4; k++) {
    for (int variant = k < GATES ? 0 : 2; variant < 4; variant++) {
      fanin_probe_config config = variant_of(k < GATES ? gates[k][0] : others[k - GATES], variant);
      if (k % 2) config.dtype = FANIN_DTYPE_BF16;
      check(*state, NULL, &config);
    }
  }
}

/* Out-of-order queues and a GPU's geometry, where rows are summed in pieces. */
static void every_queue_and_geometry(void **state) {
  (void)state;
  for (int gpu = 0; gpu < 2; gpu++) {
    fanin *const f = test_open_as(gpu);
    const cl_command_queue queue = test_out_of_order(f);
    for (int norm = 0; norm < 3; norm++) {
      fanin_probe_config config = test_probe_config(widths, 5, "tanh", "he_normal", BATCH);
      config.norm = (fanin_norm)norm;
      config.residual = 1;
      check(f, queue, &config);
    }
    for (int variant = 1; variant < 4; variant++) {
      const fanin_probe_config config = variant_of("swiglu", variant);
      check(f, queue, &config);
    }
    clReleaseCommandQueue(queue);
    test_close(f);
    test_forget_answers();
  }
}

/* Gradients of 1e-50 and less at the first layer: the scaling keeps their digits. */
static void gradients_below_f32(void **state) {
  uint64_t deep[31];
  for (size_t k = 0; k < 31; k++) {
    deep[k] = 32;
  }
  fanin_probe_layer layers[30];
  const fanin_probe_config config = test_probe_config(deep, 31, "sigmoid", "xavier_normal", 8);
  assert_ok(test_probe_layers(*state, NULL, &config, layers));
  for (size_t l = 0; l < 30; l++) {
    assert_true(fabs(layers[l].g_z) < 6);
    assert_true(fabs(log(layers[l].g_measured / layers[l].g_meanfield)) < 5);
  }
  assert_true(layers[0].g_measured < 1e-33 && layers[0].g_measured > 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_activation_norm_and_dtype), cmocka_unit_test(every_gate_and_block),
      cmocka_unit_test_teardown(every_queue_and_geometry, test_restore_answers), cmocka_unit_test(gradients_below_f32)};
  return cmocka_run_group_tests_name("probe_backward", tests, test_group_open, test_group_close);
}
