/* Networks in double on the host, forward and backward as a textbook has it: what theory and the probe are held to. */
#ifndef FANIN_TESTS_SUPPORT_NETWORK_H
#define FANIN_TESTS_SUPPORT_NETWORK_H

#include "support/support_probe.h"

/* z_l = W_l h_{l-1} + b_l, h_l = phi(norm(z_l)) [+ h_{l-1}], all layers of one width. */
typedef struct test_network {
  size_t width, batch, layers;
  const char *activation;
  double slope, sigma_w2, sigma_b2;
  fanin_norm norm;
  bool residual, orthogonal, activate_last; /* without the last: h_L = z_L, as in a probe */
} test_network;

/* A layer's values. w is (width, width), out by in; the others are (batch, width). */
typedef struct test_network_layer {
  double *w, *z, *y, *h, *delta;
  double *inverse; /* 1 / what z is divided by: of each row (layer norm) or column (batch norm) */
} test_network_layer;

/* layers of them; test_network_free() it. */
test_network_layer *test_network_create(const test_network *net);
void test_network_free(test_network_layer *layers);

/* Draws weights and biases, and runs forward from `input` and backward from `gradient`, that of the last h. Both are
 * (batch, width), and `gradient` becomes that of the input. */
void test_network_run(const test_network *net, test_network_layer *layers, const double *input, double *gradient,
                      uint64_t *random);

double test_mean_square(const double *values, size_t n);

/* Sample 1 .. batch of a Hadamard matrix: each row has mean 0 and mean square 1, and two of them are orthogonal, so
 * that all samples are the one that fanin_theory() has. `width` is a power of 2 above `batch`. */
float test_alike(size_t sample, size_t feature);

#endif
