/* Theory against measured networks: for each activation, norm, residual connection, bias and initializer, 200 networks
 * that support_network.c runs in double, at two widths n. They take minutes, so that their means are recorded in
 * tests/data/networks.csv; FANIN_RECORD=1 records them anew. test_probe_sweep.c holds networks on the device to the
 * same record.
 *
 * Theory is of infinite width. What a step adds up are means of phi^2, or of phi'^2, over n features (and over a batch
 * of 3n/4, behind a batch norm), whose relative variance is kappa / n with kappa = E phi^4 / (E phi^2)^2 - 1. A smooth
 * function of them has a mean that differs from its value at infinite width by a relative a/n + b/n^2 + ..., with a of
 * the order of kappa, and b of kappa^2. Twice the mean at 2n less that at n is free of a, and is held to theory in its
 * standard errors and 2 (kappa / 2n)^2. That matters for relu2 alone, whose kappa is 22: tanh's is 0.6, ReLU's 5. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fanin/inspect.h"
#include "fanin/theory.h"
#include "math/activation.h"
#include "support/support_csv.h"
#include "support/support_network.h"
#include "support/support_sweep.h"

enum { NETWORKS = 200, WIDTHS = 2 };
#define ROUNDING 1e-5 /* of the record, which has six digits */
static const size_t widths[WIDTHS] = {SWEEP_WIDTH / 2, SWEEP_WIDTH};

/* ---- Recording --------------------------------------------------------------------------------------------------- */

static void record(FILE *to, size_t activation, unsigned variant, size_t width) {
  const sweep_case c = sweep_case_of(activation, variant);
  const test_network net = {.width = width,
                            .batch = width * 3 / 4,
                            .layers = SWEEP_LAYERS,
                            .activation = c.activation,
                            .slope = SWEEP_SLOPE,
                            .sigma_w2 = c.sigma_w2,
                            .sigma_b2 = c.bias_std * c.bias_std,
                            .norm = c.norm,
                            .residual = c.residual,
                            .orthogonal = c.orthogonal};
  const size_t size = net.batch * width;
  test_network_layer *const layers = test_network_create(&net);
  double *const input = calloc(2 * size, sizeof *input), *const gradient = input + size;
  double sums[SWEEP_NUMBERS] = {0}, squares[SWEEP_NUMBERS] = {0};
  uint64_t random = 1 + activation * 1000 + variant * 10 + (width == SWEEP_WIDTH);
  assert_non_null(input);
  for (size_t k = 0; k < size; k++) {
    input[k] = (double)test_alike(k / width + 1, k % width);
  }
  for (int draw = 0; draw < NETWORKS; draw++) {
    for (size_t k = 0; k < size; k++) {
      gradient[k] = (double)test_normal(&random);
    }
    test_network_run(&net, layers, input, gradient, &random);
    for (size_t k = 0; k < SWEEP_NUMBERS; k++) {
      const test_network_layer *const l = &layers[k / 2];
      const double x = test_mean_square(k % 2 ? l->delta : l->z, size);
      sums[k] += x;
      squares[k] += x * x;
    }
  }
  fprintf(to, "%s,%u,%zu", c.activation, variant, width);
  for (size_t k = 0; k < SWEEP_NUMBERS; k++) {
    const double mean = sums[k] / NETWORKS, variance = squares[k] / NETWORKS - mean * mean;
    fprintf(to, ",%.6g,%.3g", mean, sqrt(fmax(variance, 0) / (NETWORKS - 1)));
  }
  fprintf(to, "\n");
  free(input);
  test_network_free(layers);
}

static void record_all(void) {
  FILE *const to = fopen(test_data_path(SWEEP_FILE), "w");
  assert_non_null(to);
  fprintf(to, "# tests/unit/test_networks.c made these by FANIN_RECORD=1: %d networks each\n", NETWORKS);
  fprintf(to, "activation,variant,width");
  for (size_t l = 1; l <= SWEEP_LAYERS; l++) {
    fprintf(to, ",q%zu,se,g%zu,se", l, l);
  }
  fprintf(to, "\n");
  for (size_t k = 0; fanin__activation_at(k); k++) {
    for (unsigned variant = 0; variant < SWEEP_VARIANTS; variant++) {
      for (size_t w = 0; w < WIDTHS; w++) {
        record(to, k, variant, widths[w]);
      }
    }
  }
  assert_int_equal(fclose(to), 0);
}

/* ---- Theory ------------------------------------------------------------------------------------------------------ */

static void theory_of(const sweep_case *c, double out[SWEEP_NUMBERS]) {
  uint64_t extents[SWEEP_LAYERS + 1];
  double sigma_w2[SWEEP_LAYERS];
  fanin_theory_layer layers[SWEEP_LAYERS];
  for (size_t l = 0; l <= SWEEP_LAYERS; l++) {
    extents[l] = SWEEP_WIDTH;
    if (l > 0) sigma_w2[l - 1] = c->sigma_w2;
  }
  const fanin_theory_config config = {.size = sizeof config,
                                      .widths = extents,
                                      .n_widths = SWEEP_LAYERS + 1,
                                      .activation = c->activation,
                                      .slope = SWEEP_SLOPE,
                                      .sigma_w2 = sigma_w2,
                                      .sigma_b2 = c->bias_std * c->bias_std,
                                      .norm = c->norm,
                                      .residual = c->residual,
                                      .second_moment = 1,
                                      .gradient = 1};
  assert_ok(fanin_theory(&config, layers, sizeof *layers));
  for (size_t k = 0; k < SWEEP_NUMBERS; k++) {
    out[k] = k % 2 ? layers[k / 2].g : layers[k / 2].q;
  }
}

/* E x^4 / (E x^2)^2 - 1 of phi or phi' at N(0,1), whichever is more. */
static double kappa_of(const char *activation) {
  const fanin__activation *const a = fanin__activation_find(activation);
  double square[2] = {0}, fourth[2] = {0}, total = 0;
  for (int k = -9000; k <= 9000; k++) {
    const double x = (k + 0.5) * 1e-3, weight = exp(-x * x / 2);
    total += weight;
    for (int which = 0; which < 2; which++) {
      const double y = which ? a->df(x, SWEEP_SLOPE) : a->f(x, SWEEP_SLOPE);
      square[which] += weight * y * y;
      fourth[which] += weight * y * y * y * y;
    }
  }
  return fmax(fourth[0] / square[0] / square[0], fourth[1] / square[1] / square[1]) * total - 1;
}

/* What the record has of a number, and what theory has. */
typedef struct number {
  sweep_case of;
  size_t k; /* q_1, g_1, q_2, ... */
  double theory, kappa;
  double mean[WIDTHS], error[WIDTHS];
} number;

/* All of them, and the bound that makes one false alarm in 1000 records. */
static number *numbers;
static size_t n_numbers;
static double bound;

static int read_numbers(void **state) {
  (void)state;
  size_t cases = 0;
  sweep_record *const records = sweep_read(&cases);
  double kappa = 0, theory[SWEEP_NUMBERS];
  assert_true(cases >= 400);
  n_numbers = cases * SWEEP_NUMBERS;
  bound = fanin_z_bound(n_numbers);
  numbers = calloc(n_numbers, sizeof *numbers);
  assert_non_null(numbers);
  for (size_t i = 0; i < n_numbers; i++) {
    const size_t k = i % SWEEP_NUMBERS, of = i / SWEEP_NUMBERS;
    const sweep_case c = sweep_case_of(of / SWEEP_VARIANTS, (unsigned)(of % SWEEP_VARIANTS));
    if (of % SWEEP_VARIANTS == 0 && k == 0) kappa = kappa_of(c.activation);
    if (k == 0) theory_of(&c, theory);
    numbers[i] = (number){.of = c, .k = k, .theory = theory[k], .kappa = kappa};
    for (size_t w = 0; w < WIDTHS; w++) {
      numbers[i].mean[w] = records[WIDTHS * of + w].mean[k];
      numbers[i].error[w] = records[WIDTHS * of + w].error[k];
    }
  }
  free(records);
  return 0;
}

static int free_numbers(void **state) {
  (void)state;
  free(numbers);
  return 0;
}

static void fail_number(const number *x, const char *what, double is, double band) {
  fail_msg("%s: %s %c of layer %zu is %.6g and theory's %.6g, with a band of %.2g", sweep_name(&x->of), what,
           x->k % 2 ? 'g' : 'q', x->k / 2 + 1, is, x->theory, band);
}

static void theory_is_the_limit(void **state) {
  (void)state;
  for (const number *x = numbers; x < numbers + n_numbers; x++) {
    const double limit = 2 * x->mean[1] - x->mean[0], error = sqrt(4 * pow(x->error[1], 2) + pow(x->error[0], 2));
    const double band = bound * error + x->theory * (2 * pow(x->kappa / SWEEP_WIDTH, 2) + ROUNDING);
    if (!(fabs(limit - x->theory) <= band)) fail_number(x, "in the limit", limit, band);
  }
}

/* a is at most 2 (kappa + 2), b at most 2 kappa^2. */
static void networks_stray_by_one_over_the_width(void **state) {
  (void)state;
  for (size_t i = 0; i < n_numbers * WIDTHS; i++) {
    const number *const x = &numbers[i / WIDTHS];
    const size_t w = i % WIDTHS;
    const double n = (double)widths[w], shift = 2 * (x->kappa + 2) / n + 2 * pow(x->kappa / n, 2) + ROUNDING;
    const double band = bound * x->error[w] + x->theory * shift;
    if (!(fabs(x->mean[w] - x->theory) <= band))
      fail_number(x, w ? "at the width" : "at half the width", x->mean[w], band);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(theory_is_the_limit),
                                     cmocka_unit_test(networks_stray_by_one_over_the_width)};
  if (getenv("FANIN_RECORD")) record_all();
  return cmocka_run_group_tests_name("networks", tests, read_numbers, free_numbers);
}
