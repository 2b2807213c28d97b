/* Networks in double on the host. */
#include "support/support_network.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "math/activation.h"

float test_alike(size_t sample, size_t feature) {
  unsigned parity = 0;
  for (size_t bits = sample & feature; bits > 0; bits &= bits - 1) {
    parity ^= 1;
  }
  return parity ? -1.0f : 1.0f;
}

double test_mean_square(const double *values, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) {
    sum += values[i] * values[i];
  }
  return sum / (double)n;
}

test_network_layer *test_network_create(const test_network *net) {
  const size_t n = net->width, size = net->batch * n, lines = net->batch > n ? net->batch : n;
  test_network_layer *const layers = calloc(net->layers + 1, sizeof *layers); /* the last one has no memory */
  assert_non_null(layers);
  for (size_t l = 0; l < net->layers; l++) {
    double *const all = calloc(n * n + 4 * size + lines, sizeof *all);
    assert_non_null(all);
    layers[l] = (test_network_layer){
        all, all + n * n, all + n * n + size, all + n * n + 2 * size, all + n * n + 3 * size, all + n * n + 4 * size};
  }
  return layers;
}

void test_network_free(test_network_layer *layers) {
  for (size_t l = 0; layers && layers[l].w; l++) {
    free(layers[l].w);
  }
  free(layers);
}

/* ---- Weights ----------------------------------------------------------------------------------------------------- */

/* Rows of normals by Gram and Schmidt, twice: a Haar-distributed matrix. */
static void orthonormalise(double *w, size_t n) {
  for (size_t i = 0; i < n; i++) {
    double *const row = w + i * n;
    for (size_t k = 0; k < 2 * i; k++) {
      const double *const before = w + k % i * n;
      double along = 0;
      for (size_t j = 0; j < n; j++) {
        along += row[j] * before[j];
      }
      for (size_t j = 0; j < n; j++) {
        row[j] -= along * before[j];
      }
    }
    const double length = sqrt(test_mean_square(row, n) * (double)n);
    for (size_t j = 0; j < n; j++) {
      row[j] /= length;
    }
  }
}

static void draw_weights(const test_network *net, double *w, uint64_t *random) {
  const size_t n = net->width;
  for (size_t k = 0; k < n * n; k++) {
    w[k] = (double)test_normal(random);
  }
  if (net->orthogonal) orthonormalise(w, n);
  const double factor = sqrt(net->orthogonal ? net->sigma_w2 : net->sigma_w2 / (double)n);
  for (size_t k = 0; k < n * n; k++) {
    w[k] *= factor;
  }
}

/* ---- Norms ------------------------------------------------------------------------------------------------------- */

/* The rows of z (layer norm) or its columns (batch norm). */
typedef struct lines {
  size_t count, size, next, step; /* from one line to the next, and along a line */
} lines;

static lines lines_of(const test_network *net) {
  if (net->norm == FANIN_NORM_LAYER) return (lines){net->batch, net->width, net->width, 1};
  return (lines){net->width, net->batch, 1, net->width};
}

static void normalise(const test_network *net, test_network_layer *l) {
  const lines of = lines_of(net);
  for (size_t i = 0; i < of.count; i++) {
    const double *const z = l->z + i * of.next;
    double *const y = l->y + i * of.next;
    double mean = 0, square = 0;
    for (size_t j = 0; j < of.size; j++) {
      mean += z[j * of.step] / (double)of.size;
    }
    for (size_t j = 0; j < of.size; j++) {
      square += (z[j * of.step] - mean) * (z[j * of.step] - mean) / (double)of.size;
    }
    l->inverse[i] = 1 / sqrt(square);
    for (size_t j = 0; j < of.size; j++) {
      y[j * of.step] = (z[j * of.step] - mean) * l->inverse[i];
    }
  }
}

/* The gradient of y to that of z, in delta. */
static void normalise_backward(const test_network *net, test_network_layer *l) {
  const lines of = lines_of(net);
  for (size_t i = 0; i < of.count; i++) {
    const double *const y = l->y + i * of.next;
    double *const d = l->delta + i * of.next;
    double mean = 0, along = 0;
    for (size_t j = 0; j < of.size; j++) {
      mean += d[j * of.step] / (double)of.size;
      along += d[j * of.step] * y[j * of.step] / (double)of.size;
    }
    for (size_t j = 0; j < of.size; j++) {
      d[j * of.step] = (d[j * of.step] - mean - y[j * of.step] * along) * l->inverse[i];
    }
  }
}

/* ---- Layers ------------------------------------------------------------------------------------------------------ */

static void forward(const test_network *net, test_network_layer *l, bool activated, const double *input,
                    uint64_t *random) {
  const fanin__activation *const a = fanin__activation_find(net->activation);
  const size_t n = net->width;
  draw_weights(net, l->w, random);
  for (size_t i = 0; i < n; i++) {
    const double bias = net->sigma_b2 > 0 ? sqrt(net->sigma_b2) * (double)test_normal(random) : 0;
    for (size_t b = 0; b < net->batch; b++) {
      double sum = bias;
      for (size_t j = 0; j < n; j++) {
        sum += l->w[i * n + j] * input[b * n + j];
      }
      l->z[b * n + i] = sum;
    }
  }
  memcpy(l->y, l->z, net->batch * n * sizeof *l->y);
  if (activated && net->norm != FANIN_NORM_NONE) normalise(net, l);
  for (size_t k = 0; k < net->batch * n; k++) {
    l->h[k] = activated ? a->f(l->y[k], net->slope) + (net->residual ? input[k] : 0) : l->z[k];
  }
}

/* `gradient` of h, which becomes that of the layer's input. */
static void backward(const test_network *net, test_network_layer *l, bool activated, double *gradient) {
  const fanin__activation *const a = fanin__activation_find(net->activation);
  const size_t n = net->width;
  for (size_t k = 0; k < net->batch * n; k++) {
    l->delta[k] = gradient[k] * (activated ? a->df(l->y[k], net->slope) : 1);
  }
  if (activated && net->norm != FANIN_NORM_NONE) normalise_backward(net, l);
  for (size_t b = 0; b < net->batch; b++) {
    double *const to = gradient + b * n;
    if (!net->residual || !activated) memset(to, 0, n * sizeof *to);
    for (size_t i = 0; i < n; i++) {
      const double d = l->delta[b * n + i], *const w = l->w + i * n;
      for (size_t j = 0; j < n; j++) {
        to[j] += w[j] * d;
      }
    }
  }
}

void test_network_run(const test_network *net, test_network_layer *layers, const double *input, double *gradient,
                      uint64_t *random) {
  for (size_t l = 0; l < net->layers; l++) {
    forward(net, &layers[l], l + 1 < net->layers || net->activate_last, l == 0 ? input : layers[l - 1].h, random);
  }
  for (size_t l = net->layers; l-- > 0;) {
    backward(net, &layers[l], l + 1 < net->layers || net->activate_last, gradient);
  }
}
