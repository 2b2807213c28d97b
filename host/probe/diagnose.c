/* A probe's verdicts, and the findings that make it not conform. CONFORMS compares what was measured with what theory
 * expects, by z-scores and a family bound. HEALTHY is health.c's. */
#include "probe/diagnose.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/argument.h"

/* ---- Names ------------------------------------------------------------------------------------------------------- */

#define HEALTH                     FANIN_VERDICT_HEALTH
#define CONFORMITY                 FANIN_VERDICT_CONFORMITY
#define CAUSE                      FANIN_VERDICT_CAUSE
#define WARNING                    FANIN_VERDICT_WARNING
#define ROW(name, verdict, remedy) {#name, verdict, remedy},

static const struct {
  const char *name;
  fanin_verdict verdict;
  const char *remedy;
} rows[FANIN_DIAGNOSIS_COUNT] = {FANIN_DIAGNOSIS_MAP(ROW)};

static bool known(fanin_diagnosis diagnosis) {
  return (unsigned)diagnosis < FANIN_DIAGNOSIS_COUNT;
}

const char *fanin_diagnosis_name(fanin_diagnosis diagnosis) {
  return known(diagnosis) ? rows[diagnosis].name : "unknown diagnosis";
}

const char *fanin_diagnosis_remedy(fanin_diagnosis diagnosis) {
  return known(diagnosis) ? rows[diagnosis].remedy : "unknown diagnosis";
}

fanin_status fanin_diagnosis_verdict(fanin_diagnosis diagnosis, fanin_verdict *out) {
  FANIN__NEED(out);
  if (!known(diagnosis)) {
    return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "diagnosis is %d; there are 0 to %d", (int)diagnosis,
                       (int)FANIN_DIAGNOSIS_COUNT - 1);
  }
  *out = rows[diagnosis].verdict;
  return FANIN_STATUS_OK;
}

/* ---- Findings ---------------------------------------------------------------------------------------------------- */

void fanin__find(fanin__judge *j, fanin_diagnosis diagnosis, size_t first, size_t last, const char *format, ...) {
  fanin_finding *const list = realloc(j->list, (j->n + 1) * sizeof *list);
  if (!list) {
    j->status = fanin__fail(FANIN_STATUS_OUT_OF_MEMORY, "%zu findings", j->n + 1);
    return;
  }
  j->list = list;
  fanin_finding *const f = &list[j->n++];
  *f = (fanin_finding){diagnosis, first, last, "", fanin_diagnosis_remedy(diagnosis)};
  va_list arguments;
  va_start(arguments, format);
  (void)vsnprintf(f->what, sizeof f->what, format, arguments);
  va_end(arguments);
}

/* ---- Conformity -------------------------------------------------------------------------------------------------- */

/* Lines of drawn weights that are equal. */
bool fanin__is_tied(const fanin__judge *j, size_t l) {
  enum { LONG_LINE = 8 }; /* weights that 16 bits do not make equal by chance */
  const fanin_probe_layer *const y = fanin__layer(j, l);
  return (y->tied_rows > 0 && y->fan_in >= LONG_LINE) || (y->tied_columns > 0 && y->fan_out >= LONG_LINE);
}

bool fanin__is_orthogonal(const fanin__judge *j, size_t l) {
  const fanin__trace *const t = &j->p->trace[l];
  return t->ties.inverse == 0 || isnan(t->facts.overlap) || t->facts.overlap <= t->ties.overlap;
}

static void find_not_orthogonal(fanin__judge *j, size_t l) {
  const fanin_probe_layer *const y = fanin__layer(j, l);
  if (fanin__is_orthogonal(j, l)) return;
  fanin__find(j, FANIN_DIAGNOSIS_NOT_ORTHOGONAL, l, l,
              "the products of its %s, of length 1, differ by up to %.3g from orthonormal ones; %.3g is accepted",
              y->fan_out > y->fan_in ? "columns" : "rows", y->overlap, j->p->trace[l].ties.overlap);
}

static void find_wrong_stream(fanin__judge *j, size_t l) {
  if (!j->p->trace[l].facts.wrong_stream) return;
  fanin__find(j, FANIN_DIAGNOSIS_WRONG_STREAM, l, l, "the weights' signs are not those of the seed's random numbers");
}

bool fanin__weights_deviate(const fanin__judge *j, size_t l) {
  const fanin_probe_layer *const y = fanin__layer(j, l);
  const double bound = j->p->report->summary.z_bound;
  return fabs(y->weight_z) > bound || fabs(y->weight_mean_z) > bound;
}

static bool has_wrong_weights(const fanin__judge *j, size_t l) {
  return fanin__weights_deviate(j, l) || fanin__is_tied(j, l) || !fanin__is_orthogonal(j, l) ||
         j->p->trace[l].facts.wrong_stream;
}

/* Whether another finding says why layer l does not conform: its weights are wrong, its gradient came through wrong
 * ones, or its inputs are copies of one another, whose mean square is no mean of many. */
static bool is_explained(const fanin__judge *j, size_t l) {
  const fanin_probe_report *const report = j->p->report;
  if (report->summary.overflow_layer > 0 && l >= report->summary.overflow_layer) return true;
  if (has_wrong_weights(j, l)) return true;
  const bool q_is_off = fabs(fanin__layer(j, l)->q_z) > report->summary.z_bound;
  return (l > 1 && fanin__is_tied(j, l - 1)) || (!q_is_off && l < j->p->layers && has_wrong_weights(j, l + 1));
}

static void find_unexplained(fanin__judge *j, size_t l) {
  const fanin_probe_layer *const y = fanin__layer(j, l);
  char of_g[96] = ""; /* there is no g behind values that overflow, and no law of it beside a batch norm */
  if (y->conforms || is_explained(j, l)) return;
  if (!isnan(y->g_z))
    snprintf(of_g, sizeof of_g, " and g %.4g for %.4g (z %.1f)", y->g_measured, y->g_predicted, y->g_z);
  fanin__find(j, FANIN_DIAGNOSIS_UNEXPLAINED, l, l,
              "the weights' mean and std are as expected, but q is %.4g for %.4g (z %.1f)%s", y->q_measured,
              y->q_predicted, y->q_z, of_g);
}

/* ---- Verdicts ---------------------------------------------------------------------------------------------------- */

enum { TESTS = 4 };

static void tests_of(const fanin_probe_layer *y, double z[TESTS]) {
  z[0] = y->weight_mean_z;
  z[1] = y->weight_z;
  z[2] = y->q_z;
  z[3] = y->g_z;
}

/* Weights that are one constant give numbers without a law, but exact ones. */
static bool agrees_exactly(const fanin_probe_layer *y) {
  if (y->weight_std_expected > 0 || !isnan(y->q_z) || isnan(y->q_predicted)) return true;
  return fabs(y->q_measured - y->q_predicted) <= 0.02 * y->q_predicted;
}

static void judge_layers(fanin__judge *j) {
  fanin_probe_report *const report = j->p->report;
  double z[TESTS];
  for (size_t l = 1; l <= report->summary.n_layers; l++) {
    tests_of(fanin__layer(j, l), z);
    for (size_t k = 0; k < TESTS; k++) {
      if (!isnan(z[k])) report->summary.n_tests++;
    }
  }
  report->summary.z_bound = fanin_z_bound(report->summary.n_tests);
  for (size_t l = 1; l <= report->summary.n_layers; l++) {
    fanin_probe_layer *const y = &report->layers[l - 1];
    const bool meant = y->weight_std_expected == 0 || !j->p->trace[l].drawn; /* that lines are equal */
    tests_of(y, z);
    y->conforms = (meant || !fanin__is_tied(j, l)) && fanin__is_orthogonal(j, l) && agrees_exactly(y) &&
                  (report->summary.overflow_layer == 0 || l < report->summary.overflow_layer);
    for (size_t k = 0; k < TESTS; k++) {
      if (fabs(z[k]) > report->summary.z_bound) y->conforms = 0;
    }
  }
}

/* E50 of docs/probe-law.md. The variance of ln q_l is what each step adds, through the sensitivities of the layers
 * after it, and none comes past the norm of a block. A step without a law ends it. */
static void add_up_q(const fanin__probe *p) {
  fanin_probe_layer *const y = p->report->layers;
  double variance = 0;
  for (size_t l = 1; l <= p->layers; l++) {
    const fanin__stage *const before = &p->mlp.stages[l - 1];
    const double s = l == 1 || before->divided ? 0 : before->skip ? 1 : p->trace[l - 1].sensitivity;
    variance = isnan(y[l - 1].q_z) ? NAN : variance * s * s + p->trace[l].noise;
    y[l - 1].q_sd = sqrt(variance);
  }
  p->report->summary.sd_ln_q = y[p->layers - 1].q_sd;
}

/* The same of ln g_l, from the last layer back; E79 at the end of a block. `behind` is the variance at the next end. */
static void add_up_g(const fanin__probe *p) {
  fanin_probe_layer *const y = p->report->layers;
  double variance = 0, behind = 0;
  for (size_t l = p->layers; l >= 1; l--) {
    const fanin__trace *const t = &p->trace[l];
    const bool end = p->mlp.stages[l].divided;
    if (end) variance = behind + (1 - t->passed) * (1 - t->passed) * (variance - behind);
    variance = isnan(y[l - 1].g_z) ? NAN : variance + t->back;
    y[l - 1].g_sd = sqrt(variance);
    if (end) behind = variance;
  }
}

/* In the order of the enumerators. */
static void find_all(fanin__judge *j) {
  static void (*const of_layer[])(fanin__judge *, size_t) = {find_not_orthogonal, find_wrong_stream, find_unexplained};
  fanin__find_health(j);
  fanin__find_wrong_fan(j);
  fanin__find_gain(j);
  for (size_t k = 0; k < sizeof of_layer / sizeof *of_layer; k++) {
    for (size_t l = 1; l <= j->p->layers; l++) {
      of_layer[k](j, l);
    }
  }
}

/* What can be judged at all. Layers that were not reached, as values overflowed before them, change nothing. */
static void take_scope(fanin__probe *p) {
  fanin_probe_summary *const s = &p->report->summary;
  const size_t reached = s->overflow_layer > 0 ? s->overflow_layer : p->layers;
  s->judged = s->predicted = 1;
  for (size_t l = 1; l <= reached; l++) {
    const fanin__trace *const t = &p->trace[l];
    if (!t->drawn) s->judged = 0;
    if (!t->lawful || !t->centred_biases) s->predicted = 0;
  }
}

/* Verdicts on weights and biases that the caller brings have a condition: a verdict looks at sums over layers, and
 * theory knows only random numbers. */
static void take_conditions(fanin__probe *p) {
  static const char *const healthy_if[2][2] = {
      {NULL, "if the biases are random numbers of mean 0"},
      {"if the weights are the random numbers that they are judged as",
       "if the weights are the random numbers that they are judged as, and the biases random ones of mean 0"}};
  const fanin_probe_config *const config = p->config;
  fanin_probe_summary *const s = &p->report->summary;
  bool weights = false, biases = false;
  for (size_t l = 1; l <= p->layers; l++) {
    weights = weights || (config->weights && config->weights[l - 1].buffer);
    biases = biases || p->trace[l].given_biases;
  }
  s->conforms_condition = s->conforms && weights ? "in mean, std, q and G" : NULL;
  s->healthy_condition = s->healthy ? healthy_if[weights][biases] : NULL;
}

fanin_status fanin__diagnose(fanin__probe *p) {
  fanin_probe_report *const report = p->report;
  fanin__judge j = {.p = p, .status = FANIN_STATUS_OK};
  add_up_q(p);
  add_up_g(p);
  judge_layers(&j);
  find_all(&j);
  report->findings = j.list;
  report->summary.n_findings = j.n;
  take_scope(p);
  report->summary.conforms = report->summary.judged;
  report->summary.healthy = report->summary.predicted;
  for (size_t l = 0; l < report->summary.n_layers; l++) {
    if (!report->layers[l].conforms) report->summary.conforms = 0;
  }
  for (size_t k = 0; k < j.n; k++) {
    const fanin_verdict verdict = rows[j.list[k].diagnosis].verdict;
    if (verdict == FANIN_VERDICT_CONFORMITY) report->summary.conforms = 0;
    if (verdict == FANIN_VERDICT_HEALTH) report->summary.healthy = 0;
  }
  take_conditions(p);
  return j.status;
}
