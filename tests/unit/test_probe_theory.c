/* A probe's predictions that have no law: the recursion at infinite width and the columns beside it, compared with the
 * means over many seeds, in networks where each of their terms is felt; and how much they vary over seeds. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/support_probe.h"

enum { LAYERS = 4, LAYERS_MAX = 5, SEEDS = TEST_DRAWS(50, 8) };

typedef struct network {
  const char *activation, *init;
  uint64_t batch;
  double bias_std;
  double common; /* correlation of the samples */
  double spread; /* of ln of their norms */
  fanin_norm norm;
  int residual;
  fanin_block block;
} network;

static const uint64_t widths[LAYERS + 1] = {64, 128, 128, 128, 48}, of_blocks[] = {64, 192, 64, 96, 64, 48},
                                      of_a_gate[] = {64, 256, 48};

/* tanh at large q, and samples of different norms: V and <phi'^2> are far from linear in q. sigmoid, and relu behind a
 * layer norm: means that residual connections add up. relu with few samples: features that are 0 for all of them. */
static const network networks[] = {
    {"tanh", "normal:mean=0,std=0.25", 48, 0.3, 0.4, 0.8, FANIN_NORM_NONE, 0, FANIN_BLOCK_NONE},
    {"sigmoid", "normal:mean=0,std=0.2", 48, 0.5, 0, 0, FANIN_NORM_NONE, 1, FANIN_BLOCK_NONE},
    {"relu", "normal:mean=0,std=0.03", 48, 0.05, 0.5, 0, FANIN_NORM_LAYER, 1, FANIN_BLOCK_NONE},
    {"tanh", "normal:mean=0,std=0.2", 128, 0.2, 0.5, 0, FANIN_NORM_BATCH, 1, FANIN_BLOCK_NONE},
    {"relu", "orthogonal:gain=1.4", 128, 0, 0.3, 0, FANIN_NORM_BATCH, 0, FANIN_BLOCK_NONE},
    {"relu", "he_uniform", 4, 0.3, 0.3, 0, FANIN_NORM_NONE, 0, FANIN_BLOCK_NONE},
    /* gates: one layer without a residual connection, since each more than doubles the noise of every sample's q */
    {"swiglu", "normal:std=0.12", 48, 0.2, 0.4, 0, FANIN_NORM_NONE, 0, FANIN_BLOCK_NONE},
    {"glu", "normal:std=0.2", 48, 0.3, 0.3, 0, FANIN_NORM_NONE, 1, FANIN_BLOCK_NONE},
    {"reglu", "he_uniform", 4, 0.3, 0.3, 0, FANIN_NORM_NONE, 0, FANIN_BLOCK_NONE},
    /* blocks: an input that is not of size 1 counts in the stream of pre-norm alone */
    {"gelu", "he_normal", 48, 0.3, 0.4, 0.3, FANIN_NORM_NONE, 0, FANIN_BLOCK_PRE_NORM},
    {"sigmoid", "normal:std=0.2", 48, 0.3, 0.5, 0, FANIN_NORM_NONE, 0, FANIN_BLOCK_POST_NORM},
    {"swiglu", "normal:std=0.15", 48, 0, 0.5, 0, FANIN_NORM_NONE, 0, FANIN_BLOCK_PRE_NORM},
    {"reglu", "orthogonal:gain=1.4", 48, 0.2, 0.3, 0, FANIN_NORM_NONE, 0, FANIN_BLOCK_POST_NORM}};

static void make_input(const network *e, uint64_t *state, float *input) {
  const uint64_t n = widths[0];
  float shared[64];
  for (uint64_t j = 0; j < n; j++) {
    shared[j] = test_normal(state);
  }
  for (uint64_t a = 0; a < e->batch; a++) {
    const double norm = exp(e->spread * (double)test_normal(state));
    for (uint64_t j = 0; j < n; j++) {
      const double own = sqrt(1 - e->common) * (double)test_normal(state);
      const double shift = e->block == FANIN_BLOCK_NONE ? 0 : 0.3; /* a mean, which blocks carry on */
      input[a * n + j] = (float)(norm * (own + sqrt(e->common) * (double)shared[j] + shift));
    }
  }
}

/* What is compared: measured less predicted, for q, g and the gradient of weights divided by the prediction. */
enum { Q, G, WEIGHT_GRADIENT, STREAM, MEAN, CORRELATION, SATURATED, DEAD, COLUMNS };
static const char *const names[COLUMNS] = {"q",    "g",           "weight gradient", "stream",
                                           "mean", "correlation", "saturated",       "dead"};

/* Beside 4.5 standard errors: what is left out is of the order of 1 / width and, behind a batch norm, of 1 / batch. */
static const double allowance[COLUMNS] = {[Q] = 0.01,          [G] = 0.04,     [WEIGHT_GRADIENT] = 0.02,
                                          [STREAM] = 0.01,     [MEAN] = 0.002, [CORRELATION] = 0.005,
                                          [SATURATED] = 0.003, [DEAD] = 0.003};

static void deviations_of(const fanin_probe_layer *y, double out[COLUMNS]) {
  out[Q] = y->q_measured / y->q_meanfield - 1;
  out[G] = y->g_measured / y->g_meanfield - 1;
  out[WEIGHT_GRADIENT] = y->weight_gradient_measured / y->weight_gradient_predicted - 1;
  out[STREAM] = isnan(y->stream_measured) ? 0 : y->stream_measured / y->stream_meanfield - 1;
  out[MEAN] = y->mean_measured - y->mean_predicted;
  out[CORRELATION] = y->correlation_measured - y->correlation_predicted;
  out[SATURATED] = y->saturated_measured - y->saturated_predicted;
  out[DEAD] = y->dead_measured - y->dead_predicted;
}

/* Means and mean squares over the seeds. */
typedef struct tally {
  double sum[LAYERS_MAX][COLUMNS], squares[LAYERS_MAX][COLUMNS];
} tally;

static void add(tally *t, const fanin_probe_layer *layers, size_t n) {
  for (size_t l = 0; l < n; l++) {
    double deviations[COLUMNS];
    deviations_of(&layers[l], deviations);
    for (int c = 0; c < COLUMNS; c++) {
      t->sum[l][c] += deviations[c] / SEEDS;
      t->squares[l][c] += deviations[c] * deviations[c] / SEEDS;
    }
  }
}

/* Blocks have five layers, and a gate by itself two. */
static const uint64_t *widths_of(const network *e, size_t *layers) {
  const bool blocks = e->block != FANIN_BLOCK_NONE, gate = strstr(e->activation, "glu") && !e->residual;
  *layers = blocks ? LAYERS_MAX : gate ? 2 : LAYERS;
  return blocks ? of_blocks : gate ? of_a_gate : widths;
}

static tally run_network(fanin *f, const network *e, uint64_t random) {
  tally t = {{{0}}, {{0}}};
  float *const input = malloc(e->batch * widths[0] * sizeof *input);
  assert_non_null(input);
  size_t n;
  const uint64_t *const of = widths_of(e, &n);
  fanin_probe_config config = test_probe_config(of, n + 1, e->activation, e->init, e->batch);
  config.bias_std = e->bias_std;
  config.block = e->block;
  config.norm = e->norm;
  config.residual = e->residual;
  config.input = input;
  for (config.seed = 0; config.seed < SEEDS; config.seed++) {
    fanin_probe_layer layers[LAYERS_MAX];
    make_input(e, &random, input);
    assert_ok(test_probe_layers(f, NULL, &config, layers));
    add(&t, layers, n);
  }
  free(input);
  return t;
}

/* Whether samples differ in q, of which some columns take the mean for that of every sample: from their input on, or
 * behind gates. */
static bool have_own_q(const network *e, size_t l) {
  return e->spread > 0 || (strstr(e->activation, "glu") && e->block == FANIN_BLOCK_NONE && l > 0);
}

static void predictions_without_a_law(void **state) {
  for (size_t k = 0; k < sizeof networks / sizeof *networks; k++) {
    const tally t = run_network(*state, &networks[k], k);
    size_t layers;
    (void)widths_of(&networks[k], &layers);
    for (size_t l = 0; l < layers; l++) {
      for (int c = 0; c < COLUMNS; c++) {
        const double mean = t.sum[l][c], error = sqrt(fmax(t.squares[l][c] - mean * mean, 0) / (SEEDS - 1));
        if (c >= MEAN && have_own_q(&networks[k], l)) continue;
        if (fabs(mean) <= 4.5 * error + allowance[c]) continue;
        fail_msg("network %zu, layer %zu: %s is off by %.4f, with a standard error of %.4f", k, l + 1, names[c], mean,
                 error);
      }
    }
  }
}

/* ---- Noise from seed to seed ------------------------------------------------------------------------------------- */

enum { DEPTH = 5, DRAWS = TEST_DRAWS(400, 20) };

/* tanh takes most of q's noise away in each layer, a residual connection keeps it, and a block's norm ends it. In a
 * stream that grows by little, most of the gradient's noise is that of the next end. Where blocks add much, what the
 * stream is divided by varies with the seed too, which ln g given the forward pass leaves out. */
static const struct {
  const char *activation, *init;
  int residual;
  fanin_block block;
  bool q_alone;
} noisy[] = {{"tanh", "normal:mean=0,std=0.4", 0, FANIN_BLOCK_NONE, false},
             {"relu", "lecun_normal", 1, FANIN_BLOCK_NONE, false},
             {"relu", "normal:std=0.04", 0, FANIN_BLOCK_PRE_NORM, false},
             {"swiglu", "he_normal", 0, FANIN_BLOCK_POST_NORM, true},
             {"bilinear", "lecun_normal", 0, FANIN_BLOCK_PRE_NORM, true}};

/* The variance over the seeds of a layer's ln q or ln g, beside the mean of what was predicted. It is off by a relative
 * sqrt(2 / DRAWS) in one standard deviation. 0.2 is for what E50 leaves out: that slopes answer to q, and what
 * a residual connection adds beside phi. */
static void assert_noise(const double *logs, const double *predicted, const char *activation, const char *what,
                         size_t l) {
  double mean = 0, square = 0, expected = 0;
  for (size_t k = 0; k < DRAWS; k++) {
    mean += logs[k] / DRAWS;
    square += logs[k] * logs[k] / DRAWS;
    expected += predicted[k] * predicted[k] / DRAWS;
  }
  const double ratio = (square - mean * mean) / expected;
  if (fabs(ratio - 1) <= 0.2 + 4.5 * sqrt(2.0 / DRAWS)) return;
  fail_msg("%s, layer %zu: ln %s has %.3f times the predicted variance", activation, l + 1, what, ratio);
}

static void noise_over_seeds(void **state) {
  enum { N = 48, SAMPLES = 32 };
  static const uint64_t narrow[DEPTH + 1] = {N, N, N, N, N, N};
  static double q[DEPTH][DRAWS], g[DEPTH][DRAWS], q_sd[DEPTH][DRAWS], g_sd[DEPTH][DRAWS];
  static float input[SAMPLES * N];
  uint64_t random = 1;
  for (size_t k = 0; k < SAMPLES * N; k++) {
    input[k] = test_normal(&random);
  }
  for (size_t k = 0; k < sizeof noisy / sizeof *noisy; k++) {
    fanin_probe_config config = test_probe_config(narrow, DEPTH + 1, noisy[k].activation, noisy[k].init, SAMPLES);
    config.residual = noisy[k].residual;
    config.block = noisy[k].block;
    config.input = input;
    for (config.seed = 0; config.seed < DRAWS; config.seed++) {
      fanin_probe_layer layers[DEPTH];
      assert_ok(test_probe_layers(*state, NULL, &config, layers));
      for (size_t l = 0; l < DEPTH; l++) {
        q[l][config.seed] = log(layers[l].q_measured);
        g[l][config.seed] = log(layers[l].g_measured);
        q_sd[l][config.seed] = layers[l].q_sd;
        g_sd[l][config.seed] = layers[l].g_sd;
      }
    }
    for (size_t l = 0; l < DEPTH; l++) {
      assert_noise(q[l], q_sd[l], noisy[k].activation, "q", l);
      if (!noisy[k].q_alone) assert_noise(g[l], g_sd[l], noisy[k].activation, "g", l);
    }
  }
}

/* There every sample's gradient depends on the others' preactivations. */
static void no_law_of_gradients_before_a_batch_norm(void **state) {
  fanin_probe_layer layers[LAYERS];
  fanin_probe_config config = test_probe_config(widths, LAYERS + 1, "relu", "he_normal", 16);
  config.norm = FANIN_NORM_BATCH;
  assert_ok(test_probe_layers(*state, NULL, &config, layers));
  for (size_t l = 0; l < LAYERS; l++) {
    assert_true(isnan(layers[l].g_z) == (l + 2 < LAYERS));
    assert_true(isfinite(layers[l].q_z));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(predictions_without_a_law), cmocka_unit_test(noise_over_seeds),
                                     cmocka_unit_test(no_law_of_gradients_before_a_batch_norm)};
  return cmocka_run_group_tests_name("probe_theory", tests, test_group_open, test_group_close);
}
