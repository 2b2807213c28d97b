/* theory.c against networks that are run: small ones in double, forward and backward as a textbook has it, over many
 * draws of the weights. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "math/activation.h"
#include "support/support.h"

enum { N = 128, B = 64, L = 5, DRAWS = 24 };

typedef double matrix[B][N];

/* A layer's values. y = norm(z); ry, per row (layer norm) or per column (batch norm), is 1 / what z is divided by. */
typedef struct layer {
  double w[N][N];
  matrix z, y, h, delta;
  double inverse[B > N ? B : N];
} layer;

/* Measured, a layer at a time: what fanin_theory_layer has. */
enum { Q, CORRELATION, MEAN, SECOND, G, WEIGHT_GRADIENT, NUMBERS };
static const char *const numbers[NUMBERS] = {"q", "correlation", "mean", "second moment", "g", "weight gradient"};

static double normal(uint64_t *random) {
  const double u = ((double)(test_random(random) >> 11) + 0.5) * 0x1p-53;
  const double v = (double)(test_random(random) >> 11) * 0x1p-53;
  return sqrt(-2 * log(u)) * cos(2 * 3.14159265358979323846 * v);
}

static double *at(matrix m, bool by_row, int i, int j) {
  return by_row ? &m[i][j] : &m[j][i];
}

/* Rows of z (layer norm) or columns (batch norm) to mean 0 and variance 1. */
static void normalise(layer *l, fanin_norm norm) {
  const bool by_row = norm == FANIN_NORM_LAYER;
  const int groups = by_row ? B : N, size = by_row ? N : B;
  memcpy(l->y, l->z, sizeof l->y);
  if (norm == FANIN_NORM_NONE) return;
  for (int i = 0; i < groups; i++) {
    double mean = 0, square = 0;
    for (int j = 0; j < size; j++) {
      mean += *at(l->z, by_row, i, j) / size;
    }
    for (int j = 0; j < size; j++) {
      square += pow(*at(l->z, by_row, i, j) - mean, 2) / size;
    }
    l->inverse[i] = 1 / sqrt(square);
    for (int j = 0; j < size; j++) {
      *at(l->y, by_row, i, j) = (*at(l->z, by_row, i, j) - mean) * l->inverse[i];
    }
  }
}

/* The gradient of y to that of z, in delta. */
static void normalise_backward(layer *l, fanin_norm norm) {
  const bool by_row = norm == FANIN_NORM_LAYER;
  const int groups = by_row ? B : N, size = by_row ? N : B;
  if (norm == FANIN_NORM_NONE) return;
  for (int i = 0; i < groups; i++) {
    double mean = 0, along = 0;
    for (int j = 0; j < size; j++) {
      mean += *at(l->delta, by_row, i, j) / size;
      along += *at(l->delta, by_row, i, j) * *at(l->y, by_row, i, j) / size;
    }
    for (int j = 0; j < size; j++) {
      double *const d = at(l->delta, by_row, i, j);
      *d = (*d - mean - *at(l->y, by_row, i, j) * along) * l->inverse[i];
    }
  }
}

static void forward(const fanin_theory_config *config, layer *l, matrix input, uint64_t *random) {
  const fanin__activation *const a = fanin__activation_find(config->activation);
  const double std = sqrt(config->sigma_w2[0] / N);
  for (int i = 0; i < N; i++) {
    for (int j = 0; j < N; j++) {
      l->w[i][j] = std * normal(random);
    }
    const double bias = sqrt(config->sigma_b2) * normal(random);
    for (int b = 0; b < B; b++) {
      l->z[b][i] = bias;
      for (int j = 0; j < N; j++) {
        l->z[b][i] += l->w[i][j] * input[b][j];
      }
    }
  }
  normalise(l, config->norm);
  for (int b = 0; b < B; b++) {
    for (int i = 0; i < N; i++) {
      l->h[b][i] = a->f(l->y[b][i], 0) + (config->residual ? input[b][i] : 0);
    }
  }
}

/* `gradient` of h, which becomes that of the layer's input. */
static void backward(const fanin_theory_config *config, layer *l, matrix gradient) {
  const fanin__activation *const a = fanin__activation_find(config->activation);
  for (int b = 0; b < B; b++) {
    for (int i = 0; i < N; i++) {
      l->delta[b][i] = gradient[b][i] * a->df(l->y[b][i], 0);
    }
  }
  normalise_backward(l, config->norm);
  for (int b = 0; b < B; b++) {
    if (!config->residual) memset(gradient[b], 0, sizeof gradient[b]);
    for (int i = 0; i < N; i++) {
      for (int j = 0; j < N; j++) {
        gradient[b][j] += l->w[i][j] * l->delta[b][i];
      }
    }
  }
}

static double mean_square(matrix m) {
  double sum = 0;
  for (int b = 0; b < B; b++) {
    for (int i = 0; i < N; i++) {
      sum += m[b][i] * m[b][i];
    }
  }
  return sum / B / N;
}

static void measure(layer *l, matrix input, double out[NUMBERS]) {
  double sum = 0, shared = 0, gradient = 0;
  for (int i = 0; i < N; i++) {
    double column = 0;
    for (int b = 0; b < B; b++) {
      column += l->z[b][i];
      sum += l->h[b][i];
    }
    shared += column * column;
  }
  for (int b = 0; b < B; b++) { /* of one sample: sum over i and j of (delta_i h_j)^2 */
    double d = 0, h = 0;
    for (int i = 0; i < N; i++) {
      d += l->delta[b][i] * l->delta[b][i] / N;
      h += input[b][i] * input[b][i] / N;
    }
    gradient += d * h / B;
  }
  out[Q] = mean_square(l->z);
  out[CORRELATION] = (shared / N - B * out[Q]) / (B * (B - 1)) / out[Q];
  out[MEAN] = sum / B / N;
  out[SECOND] = mean_square(l->h);
  out[G] = mean_square(l->delta);
  out[WEIGHT_GRADIENT] = gradient;
}

/* Sums and sums of squares over draws of what was measured. */
static void run(const fanin_theory_config *config, double sums[L][NUMBERS], double squares[L][NUMBERS]) {
  layer *const layers = calloc(L, sizeof *layers);
  matrix *const edges = calloc(2, sizeof *edges); /* input, gradient */
  assert_true(layers && edges);
  uint64_t random = 77;
  for (int draw = 0; draw < DRAWS; draw++) {
    for (int i = 0; i < N; i++) {
      const double common = sqrt(config->correlation) * normal(&random);
      for (int b = 0; b < B; b++) {
        edges[0][b][i] = common + sqrt(1 - config->correlation) * normal(&random);
        edges[1][b][i] = normal(&random);
      }
    }
    for (int l = 0; l < L; l++) {
      forward(config, &layers[l], l == 0 ? edges[0] : layers[l - 1].h, &random);
    }
    for (int l = L - 1; l >= 0; l--) {
      backward(config, &layers[l], edges[1]);
    }
    for (int l = 0; l < L; l++) {
      double numbers_now[NUMBERS];
      measure(&layers[l], l == 0 ? edges[0] : layers[l - 1].h, numbers_now);
      for (int k = 0; k < NUMBERS; k++) {
        sums[l][k] += numbers_now[k];
        squares[l][k] += numbers_now[k] * numbers_now[k];
      }
    }
  }
  free(edges);
  free(layers);
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
