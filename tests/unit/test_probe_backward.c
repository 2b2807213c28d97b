/* The backward pass against finite differences, in double, of a forward pass that knows nothing of fanin's: gradients
 * of every preactivation, of the weights, and what is said of activations, for every activation, norm and dtype. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "math/activation.h"
#include "support/support_answers.h"
#include "support/support_probe.h"

enum { LAYERS = 4, WIDEST = 9, BATCH = 5, ENTRIES = BATCH * WIDEST };

/* widths[1] and [2] agree, so that a residual connection has a place, and so do [2] and [3]. */
static const uint64_t widths[LAYERS + 1] = {7, 9, 9, 9, 4};

typedef struct network {
  const fanin_probe_config *config;
  const fanin__activation *activation;
  double *weight[LAYERS + 1], *bias[LAYERS + 1], *gradient; /* of the output */
  double h[LAYERS + 1][ENTRIES], z[LAYERS + 1][ENTRIES], y[LAYERS + 1][ENTRIES];
} network;

static void network_make(fanin *f, const fanin_probe_config *config, network *net) {
  const fanin_init unit = fanin_normal(0, 1), bias = fanin_normal(0, config->bias_std);
  char name[32];
  *net = (network){.config = config, .activation = fanin__activation_find(config->activation)};
  for (size_t l = 1; l <= LAYERS; l++) {
    snprintf(name, sizeof name, "layer%zu.weight", l);
    net->weight[l] = test_values_of(f, &config->init, config->dtype, name, widths[l], widths[l - 1]);
    snprintf(name, sizeof name, "layer%zu.bias", l);
    net->bias[l] = test_values_of(f, &bias, FANIN_DTYPE_F32, name, widths[l], 1);
  }
  double *const input = test_values_of(f, &unit, FANIN_DTYPE_F32, "input", BATCH, widths[0]);
  memcpy(net->h[0], input, BATCH * widths[0] * sizeof *input);
  free(input);
  net->gradient = test_values_of(f, &unit, FANIN_DTYPE_F32, "gradient", BATCH, widths[LAYERS]);
}

static void network_free(network *net) {
  for (size_t l = 1; l <= LAYERS; l++) {
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

/* y and h of layer l from its z. */
static void finish_layer(network *net, size_t l) {
  const size_t n = widths[l];
  const bool last = l == LAYERS;
  memcpy(net->y[l], net->z[l], sizeof net->z[l]);
  for (size_t k = 0; !last && net->config->norm == FANIN_NORM_LAYER && k < BATCH; k++) {
    standardise(net->z[l] + k * n, net->y[l] + k * n, n, 1);
  }
  for (size_t k = 0; !last && net->config->norm == FANIN_NORM_BATCH && k < n; k++) {
    standardise(net->z[l] + k, net->y[l] + k, BATCH, n);
  }
  for (size_t k = 0; k < BATCH * n; k++) {
    net->h[l][k] = last ? net->y[l][k] : net->activation->f(net->y[l][k], net->config->slope);
    if (!last && net->config->residual && n == widths[l - 1]) net->h[l][k] += net->h[l - 1][k];
  }
}

/* From layer l on, and the loss: the sum of the output times its gradient. */
static double loss_from(network *net, size_t l) {
  for (; l <= LAYERS; l++) {
    const size_t n = widths[l], n_in = widths[l - 1];
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
  for (size_t k = 0; k < BATCH * widths[LAYERS]; k++) {
    loss += net->h[LAYERS][k] * net->gradient[k];
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
  const size_t n = widths[l], n_in = widths[l - 1];
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
  const size_t n = widths[l], entries = BATCH * n;
  double mean = 0;
  size_t saturated = 0, dead = 0;
  double below, above;
  fanin__saturation(net->activation, &below, &above);
  for (size_t k = 0; k < entries; k++) {
    mean += net->h[l][k] / (double)entries;
    saturated += l < LAYERS && (net->y[l][k] < below || net->y[l][k] > above);
  }
  for (size_t i = 0; i < n && l < LAYERS; i++) {
    bool all = true;
    for (size_t a = 0; a < BATCH; a++) {
      all = all && net->y[l][a * n + i] <= fanin__zero_below(net->activation, net->config->slope);
    }
    dead += all;
  }
  const double rms = sqrt(mean_square(net->h[l], entries));
  assert_true(fabs(layer->mean_measured - mean) < 1e-5 * rms);
  assert_true(fabs(layer->correlation_measured - mean_cosine(net->h[l], n)) < 1e-5);
  assert_true(fabs(layer->saturated_measured - (double)saturated / (double)entries) < 1e-6);
  assert_true(fabs(layer->dead_measured - (double)dead / (double)n) < 1e-6);
  assert_f16(net->h[l], entries, layer->f16_overflow, layer->f16_underflow);
}

/* f32 against double: 1e-4 as is asked for; what comes out is below 1e-5. */
static void check(fanin *f, cl_command_queue queue, const fanin_probe_config *config) {
  network net;
  fanin_probe_layer layers[LAYERS];
  char what[96];
  assert_ok(test_probe_layers(f, queue, config, layers));
  network_make(f, config, &net);
  (void)loss_from(&net, 1);
  for (size_t l = 1; l <= LAYERS; l++) {
    const size_t entries = BATCH * widths[l];
    double delta[ENTRIES];
    for (size_t k = 0; k < entries; k++) {
      delta[k] = difference(&net, l, k);
    }
    snprintf(what, sizeof what, "%s, norm %d, residual %d, layer %zu", config->activation, (int)config->norm,
             config->residual, l);
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
      fanin_probe_config config =
          test_probe_config(widths, LAYERS + 1, fanin__activation_at(k)->name, "he_uniform", BATCH);
      config.bias_std = 0.4;
      config.dtype = dtypes[(k + (size_t)variant) % 3];
      config.norm = (fanin_norm)(variant % 3);
      config.residual = variant / 3;
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
      fanin_probe_config config = test_probe_config(widths, LAYERS + 1, "tanh", "he_normal", BATCH);
      config.norm = (fanin_norm)norm;
      config.residual = 1;
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
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_activation_norm_and_dtype),
                                     cmocka_unit_test_teardown(every_queue_and_geometry, test_restore_answers),
                                     cmocka_unit_test(gradients_below_f32)};
  return cmocka_run_group_tests_name("probe_backward", tests, test_group_open, test_group_close);
}
