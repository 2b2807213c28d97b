/* One theory: the recursion of a probe is fanin_theory()'s for every activation, norm, residual connection, bias and
 * initializer, what the device measures agrees with it, and what fanin_suggest() promises of a choice is what a probe
 * of that choice finds. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fanin/theory.h"
#include "math/activation.h"
#include "support/support_sweep.h"

enum { WIDTH = SWEEP_WIDTH, BATCH = 3 * WIDTH / 4, LAYERS = SWEEP_LAYERS, DEEP = 12 };

static const float *alike(void) {
  static float input[BATCH * WIDTH];
  for (size_t k = 0; k < BATCH * WIDTH; k++) {
    input[k] = test_alike(k / WIDTH + 1, k % WIDTH);
  }
  return input;
}

static const uint64_t *equal_widths(void) {
  static uint64_t widths[DEEP + 1];
  for (size_t l = 0; l <= DEEP; l++) {
    widths[l] = WIDTH;
  }
  return widths;
}

static fanin_theory_config theory_of(const fanin_probe_config *probe) {
  return (fanin_theory_config){.size = sizeof(fanin_theory_config),
                               .widths = probe->widths,
                               .n_widths = probe->n_widths,
                               .activation = probe->activation,
                               .slope = probe->slope,
                               .init = probe->init,
                               .sigma_b2 = probe->bias_std * probe->bias_std,
                               .norm = probe->norm,
                               .residual = probe->residual,
                               .second_moment = 1,
                               .gradient = 1};
}

static const char *name_of(const fanin_probe_config *c) {
  const sweep_case named = {
      c->activation, c->init.kind == FANIN_KIND_ORTHOGONAL ? "orthogonal" : "he", 0, c->bias_std, c->norm, c->residual,
      false};
  return sweep_name(&named);
}

static void assert_near(double value, double exact, double tolerance, const char *what, size_t l,
                        const fanin_probe_config *c) {
  if (fabs(value - exact) <= tolerance * fabs(exact) + 1e-300 || (!isfinite(value) && !isfinite(exact))) return;
  fail_msg("%s: %s of layer %zu is %.10g, not %.10g", name_of(c), what, l + 1, value, exact);
}

/* How many standard normals the one-step deviates are in all, and the largest. */
typedef struct tally {
  size_t tests;
  double most;
  char where[160];
} tally;

static void count(tally *t, double z, const char *what, size_t l, const fanin_probe_config *c) {
  if (isnan(z)) return;
  t->tests++;
  if (fabs(z) <= t->most) return;
  t->most = fabs(z);
  snprintf(t->where, sizeof t->where, "%s: %s of layer %zu", name_of(c), what, l + 1);
}

/* How far a group of networks is from the record, in sums of deviates. A single network's q and g are far from normal.
 */
typedef struct groups {
  double sums[64][SWEEP_NUMBERS];
  size_t counts[64];
} groups;

static void add_to(groups *g, size_t group, const fanin_probe_layer *probed, const sweep_record *record) {
  assert_true(group < sizeof g->counts / sizeof *g->counts);
  g->counts[group]++;
  for (size_t k = 0; k < SWEEP_NUMBERS; k++) {
    const double is = k % 2 ? probed[k / 2].g_measured : probed[k / 2].q_measured;
    const double sd = record->error[k] * sqrt(200 - 1) + 1e-5 * record->mean[k]; /* six digits; linear ones are exact */
    g->sums[group][k] += (is - record->mean[k]) / sd;
  }
}

static void compare(fanin *f, const fanin_probe_config *config, fanin_probe_layer probed[LAYERS], tally *t) {
  fanin_theory_layer layers[LAYERS];
  const fanin_theory_config theory = theory_of(config);
  assert_ok(test_probe_layers(f, NULL, config, probed));
  assert_ok(fanin_theory(&theory, layers, sizeof *layers));
  for (size_t l = 0; l < LAYERS; l++) {
    assert_near(probed[l].q_meanfield, layers[l].q, 1e-6, "q", l, config);
    assert_near(probed[l].g_meanfield, layers[l].g, 1e-6, "g", l, config);
    count(t, probed[l].q_z, "q", l, config);
    count(t, probed[l].g_z, "g", l, config);
  }
}

/* The sum of n independent deviates has the variance n. All groups together have a false-alarm rate of 1e-3, if sums of
 * a dozen and more are normal. */
static void assert_as_recorded(const groups *g, const char *what) {
  size_t n = 0;
  while (g->counts[n] > 0) {
    n++;
  }
  for (size_t group = 0; group < n; group++) {
    for (size_t k = 0; k < SWEEP_NUMBERS; k++) {
      const double z = g->sums[group][k] / sqrt((double)g->counts[group]);
      if (fabs(z) > fanin_z_bound(n * SWEEP_NUMBERS)) {
        fail_msg("%s %zu: %c of layer %zu on the device is %.2f standard errors from %s", what, group,
                 k % 2 ? 'g' : 'q', k / 2 + 1, z, SWEEP_FILE);
      }
    }
  }
}

/* The one-step deviates of all networks together have the family's false-alarm rate of 1e-3. What was measured is that
 * of the 200 networks of the record, which test_networks.c holds theory to: by activation, and by variant. Each network
 * has a seed of its own. */
static void probe_and_theory_are_one(void **state) {
  tally t = {0, 0, ""};
  size_t cases = 0;
  sweep_record *const records = sweep_read(&cases);
  groups *const by = calloc(2, sizeof *by);
  assert_non_null(by);
  for (size_t k = 0; fanin__activation_at(k); k++) {
    for (unsigned half = 0; half < SWEEP_VARIANTS / 2; half++) {
      const unsigned odd = (unsigned)(k + half + half / 2 + half / 4) & 1,
                     variant = half + SWEEP_VARIANTS / 2 * odd; /* either init */
      const sweep_case c = sweep_case_of(k, variant);
      fanin_probe_config config = test_probe_config(equal_widths(), LAYERS + 1, c.activation, c.init, BATCH);
      fanin_probe_layer probed[LAYERS];
      config.residual = c.residual;
      config.bias_std = c.bias_std;
      config.norm = c.norm;
      config.input = alike();
      config.seed = k * SWEEP_VARIANTS + variant;
      compare(*state, &config, probed, &t);
      const sweep_record *const record = &records[2 * (k * SWEEP_VARIANTS + variant) + 1];
      add_to(&by[0], k, probed, record);
      add_to(&by[1], half, probed, record);
    }
  }
  assert_true(t.tests > 1000);
  if (t.most > fanin_z_bound(t.tests)) fail_msg("%s: z is %.2f, of %zu", t.where, t.most, t.tests);
  assert_as_recorded(&by[0], "activation");
  assert_as_recorded(&by[1], "variant");
  free(by);
  free(records);
}

/* Closed forms for ReLU and He's variance of 2: behind a batch norm q is 2, 1, 1, ..., and gradients grow by pi / (pi -
 * 1) a layer; with residual connections beside it, q of layer l + 1 is 2 (1 + l / 2 + l (l - 1) / (2 pi)). */
static void batch_norm_in_closed_form(void **state) {
  fanin_probe_layer layers[DEEP];
  const double pi = acos(-1);
  fanin_probe_config config = test_probe_config(equal_widths(), 13, "relu", "he_normal", BATCH);
  config.norm = FANIN_NORM_BATCH;
  config.input = alike();
  assert_ok(test_probe_layers(*state, NULL, &config, layers));
  for (size_t l = 0; l < 12; l++) {
    assert_near(layers[l].q_meanfield, l == 0 ? 2 : 1, 1e-6, "q", l, &config);
    const double growth = l < 2 ? 1 : pi / (pi - 1);
    if (l >= 2) assert_near(layers[l - 1].g_meanfield / layers[l].g_meanfield, growth, 1e-6, "growth", l, &config);
    /* a mean of 48 x 64 numbers that 63 others stand behind: a relative sd of sqrt(5 / 64) in one step at the most */
    assert_near(layers[l].q_measured, layers[l].q_meanfield, 5 * sqrt(5.0 / WIDTH), "measured q", l, &config);
  }
  config.residual = 1;
  assert_ok(test_probe_layers(*state, NULL, &config, layers));
  for (size_t l = 0; l < 11; l++) {
    const double n = (double)l;
    assert_near(layers[l].q_meanfield, 2 * (1 + n / 2 + n * (n - 1) / (2 * pi)), 1e-6, "q", l, &config);
  }
}

/* ---- Suggestions ------------------------------------------------------------------------------------------------- */

/* What the theory of a suggestion can find. */
static const fanin_diagnosis promised[] = {FANIN_DIAGNOSIS_FORWARD_VANISH,  FANIN_DIAGNOSIS_FORWARD_EXPLODE,
                                           FANIN_DIAGNOSIS_BACKWARD_VANISH, FANIN_DIAGNOSIS_BACKWARD_EXPLODE,
                                           FANIN_DIAGNOSIS_SATURATED,       FANIN_DIAGNOSIS_MEAN_DRIFT};

static bool was_found(const test_report *report, fanin_diagnosis diagnosis) {
  for (size_t k = 0; k < report->summary.n_findings; k++) {
    if (report->findings[k].diagnosis == diagnosis && !strstr(report->findings[k].what, "measured,")) return true;
  }
  return false;
}

static void assert_kept(fanin *f, const char *activation, const fanin_suggestion *s) {
  test_report *report = NULL;
  fanin_probe_config config = test_probe_config(equal_widths(), s->depth + 1, activation, "ones", BATCH);
  config.init = s->init;
  config.bias_std = sqrt(s->sigma_b2);
  config.slope = 0.2;
  config.input = alike();
  assert_ok(test_probe(f, NULL, &config, &report));
  if (report->summary.overflow_layer > 0) { /* in f32, so that nothing went backward */
    assert_true(s->diagnoses >> FANIN_DIAGNOSIS_FORWARD_EXPLODE & 1);
    test_report_free(report);
    return;
  }
  const fanin_probe_layer *const first = &report->layers[0], *const last = &report->layers[s->depth - 1];
  assert_near(last->q_meanfield / first->q_meanfield, s->q_total, 1e-5, fanin_aim_name(s->aim), s->depth, &config);
  assert_near(first->g_meanfield / last->g_meanfield, s->g_total, 1e-5, fanin_aim_name(s->aim), 0, &config);
  for (size_t k = 0; k < sizeof promised / sizeof *promised; k++) {
    const bool said = s->diagnoses >> promised[k] & 1, found = was_found(report, promised[k]);
    if (said == found) continue;
    fail_msg("%s, %s, %zu layers: %s is %s by the suggestion, and %s by the probe", activation, fanin_aim_name(s->aim),
             s->depth, fanin_diagnosis_name(promised[k]), said ? "found" : "not found", found ? "found" : "not found");
  }
  if (s->diagnoses >> FANIN_DIAGNOSIS_RANK_COLLAPSE & 1) assert_true(was_found(report, FANIN_DIAGNOSIS_RANK_COLLAPSE));
  if (s->diagnoses == 0) {
    assert_false(was_found(report, FANIN_DIAGNOSIS_FP16_RANGE) || was_found(report, FANIN_DIAGNOSIS_DEAD_RELU));
  }
  test_report_free(report);
}

static void probes_find_what_suggestions_say(void **state) {
  static const size_t depths[] = {3, DEEP};
  for (size_t k = 0; fanin__activation_at(k); k++) {
    const char *const activation = fanin__activation_at(k)->name;
    for (size_t d = 0; d < 2; d++) {
      fanin_suggestion list[FANIN_AIM_COUNT];
      const fanin_suggest_config config = {sizeof config, activation, 0.2, 1, depths[d], 0.05};
      size_t n = 0, recommended = 0;
      assert_ok(fanin_suggest(&config, list, FANIN_AIM_COUNT, sizeof *list, &n));
      for (size_t j = 0; j < n; j++) {
        recommended += list[j].recommended == 1;
        assert_kept(*state, activation, &list[j]);
      }
      assert_int_equal(recommended, 1);
    }
  }
}

/* ReLU networks make all samples alike, with a cosine above 0.999 from a certain layer on: iterated with Cho and Saul's
 * closed form of the map. */
static void samples_become_alike(void **state) {
  (void)state;
  const double pi = acos(-1);
  double c = 0;
  size_t hidden = 0, n = 0;
  while (c <= 0.999) {
    c = (sqrt(1 - c * c) + c * (pi - acos(c))) / pi;
    hidden++;
  }
  for (size_t depth = hidden; depth <= hidden + 1; depth++) {
    fanin_suggestion list[FANIN_AIM_COUNT];
    const fanin_suggest_config config = {sizeof config, "relu", 0, 1, depth, 0};
    assert_ok(fanin_suggest(&config, list, FANIN_AIM_COUNT, sizeof *list, &n));
    const bool said = list[0].diagnoses >> FANIN_DIAGNOSIS_RANK_COLLAPSE & 1;
    if (said != (depth == hidden + 1)) fail_msg("%zu layers, %zu hidden ones become alike: %d", depth, hidden, said);
  }
}

/* GELU at 50 layers: the gain that keeps q at 1 does not keep it from an input of mean square 1. */
static void advice_names_its_price(void **state) {
  (void)state;
  fanin_suggestion list[FANIN_AIM_COUNT];
  const fanin_suggest_config config = {sizeof config, "gelu", 0, 1, 50, 0};
  size_t n = 0;
  char text[1024];
  assert_ok(fanin_suggest(&config, list, FANIN_AIM_COUNT, sizeof *list, &n));
  assert_int_equal(list[0].aim, FANIN_AIM_FORWARD);
  assert_true(list[0].q_total > 1000 && list[0].diagnoses >> FANIN_DIAGNOSIS_FORWARD_EXPLODE & 1);
  assert_ok(fanin_suggestion_format(&list[0], sizeof *list, text, sizeof text, NULL));
  if (!strstr(text, "Theory finds FORWARD_EXPLODE, BACKWARD_EXPLODE in that network.")) fail_msg("%s", text);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(probe_and_theory_are_one),
                                     cmocka_unit_test(batch_norm_in_closed_form),
                                     cmocka_unit_test(probes_find_what_suggestions_say),
                                     cmocka_unit_test(advice_names_its_price), cmocka_unit_test(samples_become_alike)};
  return cmocka_run_group_tests_name("probe_sweep", tests, test_group_open, test_group_close);
}
