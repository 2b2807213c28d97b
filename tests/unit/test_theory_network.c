/* theory.c against networks that are run: small ones in double, forward and backward as a textbook has it, over many
 * draws of the weights. */
#include <math.h>
#include <stdlib.h>

#include "fanin/theory.h"
#include "support/support_network.h"

enum { N = 128, B = 64, L = 5, DRAWS = 24 };

/* Measured, a layer at a time: what fanin_theory_layer has. */
enum { Q, CORRELATION, MEAN, SECOND, G, WEIGHT_GRADIENT, NUMBERS };
static const char *const numbers[NUMBERS] = {"q", "correlation", "mean", "second moment", "g", "weight gradient"};

static void measure(const test_network_layer *l, const double *input, double out[NUMBERS]) {
  double sum = 0, shared = 0, gradient = 0;
  for (size_t i = 0; i < N; i++) {
    double column = 0;
    for (size_t b = 0; b < B; b++) {
      column += l->z[b * N + i];
      sum += l->h[b * N + i];
    }
    shared += column * column;
  }
  for (size_t b = 0; b < B; b++) { /* of one sample: sum over i and j of (delta_i h_j)^2 */
    gradient += test_mean_square(l->delta + b * N, N) * test_mean_square(input + b * N, N) / B;
  }
  out[Q] = test_mean_square(l->z, (size_t)B * N);
  out[CORRELATION] = (shared / N - B * out[Q]) / (B * (B - 1)) / out[Q];
  out[MEAN] = sum / B / N;
  out[SECOND] = test_mean_square(l->h, (size_t)B * N);
  out[G] = test_mean_square(l->delta, (size_t)B * N);
  out[WEIGHT_GRADIENT] = gradient;
}

/* Sums and sums of squares over draws of what was measured. */
static void run(const fanin_theory_config *config, double sums[L][NUMBERS], double squares[L][NUMBERS]) {
  const test_network net = {
      N,     B,   L, config->activation, 0, config->sigma_w2[0], config->sigma_b2, config->norm, config->residual,
      false, true};
  test_network_layer *const layers = test_network_create(&net);
  double *const input = calloc(2 * B * N, sizeof *input), *const gradient = input + B * N;
  assert_non_null(input);
  uint64_t random = 77;
  for (int draw = 0; draw < DRAWS; draw++) {
    for (size_t i = 0; i < N; i++) {
      const double common = sqrt(config->correlation) * (double)test_normal(&random);
      for (size_t b = 0; b < B; b++) {
        input[b * N + i] = common + sqrt(1 - config->correlation) * (double)test_normal(&random);
        gradient[b * N + i] = (double)test_normal(&random);
      }
    }
    test_network_run(&net, layers, input, gradient, &random);
    for (size_t l = 0; l < L; l++) {
      double now[NUMBERS];
      measure(&layers[l], l == 0 ? input : layers[l - 1].h, now);
      for (size_t k = 0; k < NUMBERS; k++) {
        sums[l][k] += now[k];
        squares[l][k] += now[k] * now[k];
      }
    }
  }
  free(input);
  test_network_free(layers);
}

/* Within 5 standard errors, and what finite widths and batches shift: a few 1/N and, for batch norm, 1/B a layer. */
static void check(const char *activation, double sigma_w2, double sigma_b2, fanin_norm norm, int residual) {
  uint64_t widths[L + 1];
  double gains[L], sums[L][NUMBERS] = {{0}}, squares[L][NUMBERS] = {{0}};
  for (int l = 0; l < L; l++) {
    gains[l] = sigma_w2;
    widths[l] = widths[l + 1] = N;
  }
  const fanin_theory_config config = {.size = sizeof config,
                                      .widths = widths,
                                      .n_widths = L + 1,
                                      .activation = activation,
                                      .activate_last = 1,
                                      .sigma_w2 = gains,
                                      .sigma_b2 = sigma_b2,
                                      .norm = norm,
                                      .residual = residual,
                                      .second_moment = 1,
                                      .correlation = 0.3,
                                      .gradient = 1};
  fanin_theory_layer theory[L];
  assert_ok(fanin_theory(&config, theory, sizeof *theory));
  run(&config, sums, squares);
  for (int l = 0; l < L; l++) {
    const fanin_theory_layer *const t = &theory[l];
    const double predicted[NUMBERS] = {t->q, t->correlation, t->mean, t->second_moment, t->g, t->weight_gradient};
    const double unit[NUMBERS] = {t->q, 1, sqrt(t->second_moment), t->second_moment, t->g, t->weight_gradient};
    for (int k = 0; k < NUMBERS; k++) {
      const double mean = sums[l][k] / DRAWS, variance = squares[l][k] / DRAWS - mean * mean;
      const double shift = unit[k] * L * (2.0 / N + (norm == FANIN_NORM_BATCH ? 1.5 / B : 0));
      if (fabs(mean - predicted[k]) <= 5 * sqrt(fmax(variance, 0) / (DRAWS - 1)) + shift) continue;
      fail_msg("%s, norm %d, residual %d, layer %d: %s is %g, theory has %g", activation, (int)norm, residual, l + 1,
               numbers[k], mean, predicted[k]);
    }
  }
}

static void plain(void **state) {
  (void)state;
  check("relu", 2, 0.1, FANIN_NORM_NONE, 0);
  check("tanh", 2.5, 0.2, FANIN_NORM_NONE, 0);
}

static void residual(void **state) {
  (void)state;
  check("relu", 1, 0.1, FANIN_NORM_NONE, 1);
  check("tanh", 2, 0.1, FANIN_NORM_NONE, 1);
}

static void normalised(void **state) {
  (void)state;
  check("gelu", 5, 0.5, FANIN_NORM_LAYER, 0);
  check("relu", 2, 0, FANIN_NORM_BATCH, 0);
}

static void normalised_and_residual(void **state) {
  (void)state;
  check("relu", 3, 0.2, FANIN_NORM_LAYER, 1);
  check("silu", 3, 0.2, FANIN_NORM_BATCH, 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(plain), cmocka_unit_test(residual), cmocka_unit_test(normalised),
                                     cmocka_unit_test(normalised_and_residual)};
  return cmocka_run_group_tests_name("theory_network", tests, NULL, NULL);
}
