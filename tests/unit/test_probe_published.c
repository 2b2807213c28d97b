/* Published numbers (reference/meanfield.csv), by the probe's theory and by what it measures. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/support_csv.h"
#include "support/support_probe.h"

enum { LAYERS_MAX = 51 };

/* The initializer that a row of the table is of, in fanin's words. The table's orthogonal matrices have another gain
 * for each activation: the root of sigma_w^2. */
static const char *init_of(const char *published, double variance, char out[64]) {
  if (strncmp(published, "orthogonal", 10) == 0) {
    snprintf(out, 64, "orthogonal:gain=%.9g", sqrt(variance));
  } else {
    snprintf(out, 64, "%s",
             strcmp(published, "lecun_truncnormal") ? published : "lecun_normal:distribution=trunc_normal");
  }
  return out;
}

/* ---- Mean field -------------------------------------------------------------------------------------------------- */

/* Published by reference/meanfield.csv for inputs of mean square 1, to 1e-3 and better. */
static void meanfield_matches_table(void **state) {
  enum { DEPTH = 20 };
  uint64_t widths[DEPTH + 1];
  float input[2 * 32];
  for (size_t k = 0; k <= DEPTH; k++) {
    widths[k] = 32;
  }
  for (size_t k = 0; k < 64; k++) {
    input[k] = k % 3 ? 1 : -1;
  }
  const char *field[24];
  fanin_probe_layer layers[DEPTH] = {0};
  char run[64] = "";
  size_t compared = 0;
  for (test_csv csv = test_csv_open("meanfield.csv"); test_csv_row(&csv, field, 24);) {
    const long depth = strtol(field[3], NULL, 10), layer = strtol(field[4], NULL, 10);
    if (depth != DEPTH) continue;
    char now[64], init[64];
    snprintf(now, sizeof now, "%s %s", field[0], field[1]);
    if (strcmp(now, run) != 0) {
      fanin_probe_config config =
          test_probe_config(widths, DEPTH + 1, field[0], init_of(field[1], strtod(field[2], NULL), init), 2);
      config.input = input;
      memcpy(run, now, sizeof run);
      assert_ok(test_probe_layers(*state, NULL, &config, layers));
    }
    test_assert_relative(layers[layer - 1].q_meanfield, strtod(field[5], NULL), 1e-6, run);
    compared++;
  }
  assert_int_equal(compared, 3 * 4 * 4);
}

/* The table's measured part. Its networks have an activation after the last layer too, and N(0,1) as the gradient of
 * that: one more linear layer here, whose weights' variance divides out. Its columns sd_ln_*_predicted are for these
 * widths and this batch; a network stays within 4.5 of them, and the last step adds 0.02 to g's.
 * Of the mean of ln q, half the variance is below 0. */
typedef struct published {
  long layer;
  double q, q_sd, g, g_sd;
} published;

static void compare_published(fanin *f, const char *activation, const char *init, double variance, size_t depth,
                              const published *rows, size_t n) {
  uint64_t wide[LAYERS_MAX + 1];
  for (size_t k = 0; k <= LAYERS_MAX; k++) {
    wide[k] = 512;
  }
  const fanin_probe_config config = test_probe_config(wide, depth + 2, activation, init, 256);
  fanin_probe_layer layers[LAYERS_MAX];
  assert_ok(test_probe_layers(f, NULL, &config, layers));
  for (size_t k = 0; k < n; k++) {
    const published *const row = &rows[k];
    const fanin_probe_layer *const layer = &layers[row->layer - 1];
    const double q_off = log(layer->q_measured / row->q) + 0.5 * row->q_sd * row->q_sd;
    const double g_off = log(layer->g_measured / variance / row->g) + 0.5 * row->g_sd * row->g_sd;
    if (fabs(q_off) > 4.5 * row->q_sd || fabs(g_off) > 4.5 * hypot(row->g_sd, 0.02)) {
      fail_msg("%s %s, %zu layers, layer %ld: ln q is off by %.4f (sd %.4f), ln g by %.4f (sd %.4f)", activation, init,
               depth, row->layer, q_off, row->q_sd, g_off, row->g_sd);
    }
  }
}

static void measurement_matches_table(void **state) {
  static const char *const names[] = {"he_normal", "xavier_uniform", "lecun_truncnormal", "orthogonal"};
  static const char *const activations[] = {"linear", "tanh", "relu"};
  size_t compared = 0;
  for (size_t k = 0; k < 3 * 4 * 2; k += TEST_DRAWS(1, 5)) {
    const char *const activation = activations[k % 3], *const name = names[k / 3 % 4], *field[24];
    const size_t depth = k < 12 ? 20 : 50;
    char init[64];
    published rows[5];
    size_t n = 0;
    double variance = 0;
    for (test_csv csv = test_csv_open("meanfield.csv"); test_csv_row(&csv, field, 24);) {
      if (strcmp(field[0], activation) != 0 || strncmp(field[1], name, strlen(name)) != 0) continue;
      if (strtol(field[3], NULL, 10) != (long)depth) continue;
      variance = strtod(field[2], NULL);
      rows[n++] = (published){strtol(field[4], NULL, 10), strtod(field[5], NULL), strtod(field[8], NULL),
                              strtod(field[19], NULL), strtod(field[22], NULL)};
    }
    compare_published(*state, activation, init_of(name, variance, init), variance, depth, rows, n);
    compared += n;
  }
  assert_true(compared == TEST_DRAWS(12 * (4 + 5), 3 * 4 + 2 * 5)); /* all of the table */
}

/* ---- Blocks ------------------------------------------------------------------------------------------------------ */

/* Xiong et al. 2020, lemma 2 and its proof: with weights of the variance 1/d, a feed-forward part of ReLU adds half a
 * unit to the mean square of the pre-norm stream, whose input is 1; and in post-norm what is divided has 3/2. */
static void streams_grow_as_published(void **state) {
  enum { WIDE = 512, BLOCKS = 6, DEPTH = 2 * BLOCKS + 1 };
  uint64_t widths[DEPTH + 1];
  static float input[2 * WIDE];
  for (size_t k = 0; k <= DEPTH; k++) {
    widths[k] = WIDE;
  }
  for (size_t k = 0; k < 2 * WIDE; k++) {
    input[k] = k % 3 ? 1 : -1;
  }
  fanin_probe_layer layers[DEPTH];
  fanin_probe_config config = test_probe_config(widths, DEPTH + 1, "relu", "lecun_normal", 2);
  config.input = input;
  for (int block = FANIN_BLOCK_PRE_NORM; block <= FANIN_BLOCK_POST_NORM; block++) {
    config.block = (fanin_block)block;
    assert_ok(test_probe_layers(*state, NULL, &config, layers));
    for (size_t k = 1; k <= BLOCKS; k++) {
      const double stream = block == FANIN_BLOCK_PRE_NORM ? 1 + (double)k / 2 : 1.5;
      test_assert_relative(layers[2 * k - 1].stream_meanfield, stream, 1e-6, "stream");
      test_assert_relative(layers[2 * k - 1].stream_measured, stream, 0.25, "stream, one draw");
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(meanfield_matches_table),
                                     cmocka_unit_test(measurement_matches_table),
                                     cmocka_unit_test(streams_grow_as_published)};
  return cmocka_run_group_tests_name("probe_published", tests, test_group_open, test_group_close);
}
