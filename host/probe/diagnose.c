/* A probe's verdicts and findings. CONFORMS compares what was measured with what theory expects, by z-scores and a
 * family bound. HEALTHY is about what theory expects: the mean-field columns, the measured ones only where something is
 * beyond doubt. */
#include "probe/diagnose.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/argument.h"
#include "theory/step.h"

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

/* Thresholds of ill health. */
static const double drift = FANIN__DRIFT; /* by theory */
static const double clear_drift = 1e4;    /* the same where only measurement says so */
static const double collapsed = FANIN__MOST_ALIKE;
static const double mean_share = FANIN__MEAN_SHARE;
static const double most = FANIN__MOST_SATURATED; /* also of what is too small for f16 */
static const double mostly_dead = 0.75; /* half of the features are dead where all samples agree, at any health */
static const double noisy = 1;          /* sd of ln q */
static const size_t long_line = 8;      /* weights in a line that 16 bits do not make equal by chance */

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

static const fanin_probe_layer *layer(const fanin__judge *j, size_t l) {
  return &j->p->report->layers[l - 1];
}

/* ---- Health ------------------------------------------------------------------------------------------------------ */

/* q of layer l relative to that of the first, or the gradient's norm^2 relative to that of the last. */
static double relative(const fanin__judge *j, bool forward, bool measured, size_t l) {
  const fanin_probe_layer *const y = layer(j, l), *const base = layer(j, forward ? 1 : j->p->layers);
  if (forward) return measured ? y->q_measured / base->q_measured : y->q_meanfield / base->q_meanfield;
  const double width = (double)y->fan_out / (double)base->fan_out;
  return width * (measured ? y->g_measured / base->g_measured : y->g_meanfield / base->g_meanfield);
}

/* The layers where a number is above a limit; the one where it is largest. */
typedef struct range {
  size_t first, last, worst;
  double most; /* of the worst */
} range;

static void take(range *r, size_t l, double number, double limit) {
  if (!(number > limit)) return;
  if (r->first == 0) r->first = l;
  r->last = l;
  if (r->worst > 0 && number <= r->most) return;
  r->worst = l;
  r->most = number;
}

/* Where the ratio is above `limit`, or its inverse is. */
static range beyond(const fanin__judge *j, bool forward, bool up, bool measured, double limit) {
  range r = {0, 0, 0, 0};
  for (size_t l = 1; l <= j->p->layers; l++) {
    const double ratio = relative(j, forward, measured, l);
    take(&r, l, up ? ratio : 1 / ratio, limit);
  }
  return r;
}

static void find_drift(fanin__judge *j, fanin_diagnosis diagnosis, bool forward, bool up) {
  static const char *const quantity[] = {"the gradient's squared norm", "q"};
  static const char *const reference[] = {"the last layer's", "the first layer's"};
  bool measured = false;
  range r = beyond(j, forward, up, false, drift);
  if (r.first == 0) {
    measured = true;
    r = beyond(j, forward, up, true, clear_drift);
  }
  if (r.first == 0) return;
  fanin__find(j, diagnosis, r.first, r.last, "%s %s in layer %zu is %.3g times %s",
              measured ? "measured," : "by theory,", quantity[forward], r.worst, up ? r.most : 1 / r.most,
              reference[forward]);
}

static void find_overflow(fanin__judge *j) {
  const size_t l = j->p->report->summary.overflow_layer;
  fanin__find(j, FANIN_DIAGNOSIS_FORWARD_EXPLODE, l, j->p->layers, "the values of layer %zu overflow f32", l);
}

/* Lines of drawn weights that are equal. */
static bool is_tied(const fanin__judge *j, size_t l) {
  const fanin_probe_layer *const y = layer(j, l);
  return (y->tied_rows > 0 && y->fan_in >= long_line) || (y->tied_columns > 0 && y->fan_out >= long_line);
}

static void find_symmetry(fanin__judge *j, size_t l) {
  const fanin_probe_layer *const y = layer(j, l);
  if (y->fan_in * y->fan_out == 1 || !j->p->trace[l].drawn) return;
  if (y->weight_std == 0) {
    fanin__find(j, FANIN_DIAGNOSIS_SYMMETRY, l, l, "all weights are %.4g", y->weight_mean);
  } else if (is_tied(j, l)) {
    fanin__find(j, FANIN_DIAGNOSIS_SYMMETRY, l, l, "%llu of %llu rows and %llu of %llu columns equal another one",
                (unsigned long long)y->tied_rows, (unsigned long long)y->fan_out, (unsigned long long)y->tied_columns,
                (unsigned long long)y->fan_in);
  }
}

/* The first `layers` layers in which `number` is above `limit`. */
static range above(const fanin__judge *j, double (*number)(const fanin__judge *j, size_t l), double limit,
                   size_t layers) {
  range r = {0, 0, 0, 0};
  for (size_t l = 1; l <= layers; l++) {
    take(&r, l, number(j, l), limit);
  }
  return r;
}

static double saturated_share(const fanin__judge *j, size_t l) {
  const fanin_probe_layer *const y = layer(j, l);
  return isnan(y->saturated_predicted) ? y->saturated_measured : y->saturated_predicted;
}

static double dead_share(const fanin__judge *j, size_t l) {
  return layer(j, l)->dead_measured;
}

static double cosine(const fanin__judge *j, size_t l) {
  return j->p->trace[0].correlation > collapsed ? 0 /* it came so */ : layer(j, l)->correlation_measured;
}

static double share_of_mean(const fanin__judge *j, size_t l) {
  const fanin__trace *const t = &j->p->trace[l];
  return t->m_meanfield * t->m_meanfield / fanin__mean_of(t->h_meanfield, j->p->batch);
}

/* Of hidden layers: one finding for all. */
static void find_shares(fanin__judge *j) {
  static const struct {
    fanin_diagnosis diagnosis;
    double (*number)(const fanin__judge *j, size_t l);
    double limit;
    const char *format;
  } shares[] = {
      {FANIN_DIAGNOSIS_SATURATED, saturated_share, most, "a share of %.3g of activations is saturated in layer %zu"},
      {FANIN_DIAGNOSIS_DEAD_RELU, dead_share, mostly_dead,
       "a share of %.3g of features is 0 for the whole batch in layer %zu"},
      {FANIN_DIAGNOSIS_RANK_COLLAPSE, cosine, collapsed, "two samples have a mean cosine of %.6g in layer %zu"},
      {FANIN_DIAGNOSIS_MEAN_DRIFT, share_of_mean, mean_share,
       "by theory, the mean makes a share of %.3g of the activations' mean square in layer %zu"}};
  for (size_t k = 0; k < sizeof shares / sizeof *shares; k++) {
    const range r = above(j, shares[k].number, shares[k].limit, j->p->layers - 1);
    if (r.first > 0) fanin__find(j, shares[k].diagnosis, r.first, r.last, shares[k].format, r.most, r.worst);
  }
}

static double f16_share(const fanin__judge *j, size_t l) {
  const fanin_probe_layer *const y = layer(j, l);
  if (y->f16_overflow > 0 || y->f16_gradient_overflow > 0) return 1;
  return fmax(y->f16_underflow, y->f16_gradient_underflow);
}

static void find_f16_range(fanin__judge *j) {
  const range r = above(j, f16_share, most, j->p->layers);
  if (r.first == 0) return;
  const fanin_probe_layer *const y = layer(j, r.first);
  const bool gradients =
      fmax(y->f16_gradient_overflow, y->f16_gradient_underflow) > fmax(y->f16_overflow, y->f16_underflow);
  fanin__find(j, FANIN_DIAGNOSIS_FP16_RANGE, r.first, r.last,
              "in f16, a share of %.3g of the %s of layer %zu would be infinite, and of %.3g subnormal or 0",
              gradients ? y->f16_gradient_overflow : y->f16_overflow, gradients ? "gradients" : "activations", r.first,
              gradients ? y->f16_gradient_underflow : y->f16_underflow);
}

static void find_width_noise(fanin__judge *j) {
  const double sd = j->p->report->summary.sd_ln_q;
  if (!(sd > noisy)) return;
  fanin__find(j, FANIN_DIAGNOSIS_WIDTH_NOISE, 1, j->p->layers,
              "at these widths ln q of layer %zu has a standard deviation of %.3g from seed to seed", j->p->layers, sd);
}

/* ---- Conformity -------------------------------------------------------------------------------------------------- */

bool fanin__is_orthogonal(const fanin__judge *j, size_t l) {
  const fanin__trace *const t = &j->p->trace[l];
  return t->ties.inverse == 0 || isnan(t->facts.overlap) || t->facts.overlap <= t->ties.overlap;
}

static void find_not_orthogonal(fanin__judge *j, size_t l) {
  const fanin_probe_layer *const y = layer(j, l);
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
  const fanin_probe_layer *const y = layer(j, l);
  const double bound = j->p->report->summary.z_bound;
  return fabs(y->weight_z) > bound || fabs(y->weight_mean_z) > bound;
}

static bool has_wrong_weights(const fanin__judge *j, size_t l) {
  return fanin__weights_deviate(j, l) || is_tied(j, l) || !fanin__is_orthogonal(j, l) ||
         j->p->trace[l].facts.wrong_stream;
}

/* Whether another finding says why layer l does not conform: its weights are wrong, its gradient came through wrong
 * ones, or its inputs are copies of one another, whose mean square is no mean of many. */
static bool is_explained(const fanin__judge *j, size_t l) {
  const fanin_probe_report *const report = j->p->report;
  if (report->summary.overflow_layer > 0 && l >= report->summary.overflow_layer) return true;
  if (has_wrong_weights(j, l)) return true;
  const bool q_is_off = fabs(layer(j, l)->q_z) > report->summary.z_bound;
  return (l > 1 && is_tied(j, l - 1)) || (!q_is_off && l < j->p->layers && has_wrong_weights(j, l + 1));
}

static void find_unexplained(fanin__judge *j, size_t l) {
  const fanin_probe_layer *const y = layer(j, l);
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
    tests_of(layer(j, l), z);
    for (size_t k = 0; k < TESTS; k++) {
      if (!isnan(z[k])) report->summary.n_tests++;
    }
  }
  report->summary.z_bound = fanin_z_bound(report->summary.n_tests);
  for (size_t l = 1; l <= report->summary.n_layers; l++) {
    fanin_probe_layer *const y = &report->layers[l - 1];
    const bool meant = y->weight_std_expected == 0 || !j->p->trace[l].drawn; /* that lines are equal */
    tests_of(y, z);
    y->conforms = (meant || !is_tied(j, l)) && fanin__is_orthogonal(j, l) && agrees_exactly(y) &&
                  (report->summary.overflow_layer == 0 || l < report->summary.overflow_layer);
    for (size_t k = 0; k < TESTS; k++) {
      if (fabs(z[k]) > report->summary.z_bound) y->conforms = 0;
    }
  }
}

/* E50 of docs/probe-law.md. The variance of ln q_l is what each step adds, through the sensitivities of the layers
 * after it; of ln g_l, the steps from the last layer back. A step without a law ends either. */
static void add_up_noise(const fanin__probe *p) {
  fanin_probe_layer *const y = p->report->layers;
  double variance = 0;
  for (size_t l = 1; l <= p->layers; l++) {
    const double s = l == 1 ? 0 : p->mlp.stages[l - 1].skip ? 1 : p->trace[l - 1].sensitivity;
    variance = isnan(y[l - 1].q_z) ? NAN : variance * s * s + p->trace[l].noise;
    y[l - 1].q_sd = sqrt(variance);
  }
  variance = 0;
  for (size_t l = p->layers; l >= 1; l--) {
    variance = isnan(y[l - 1].g_z) ? NAN : variance + p->trace[l].back;
    y[l - 1].g_sd = sqrt(variance);
  }
  p->report->summary.sd_ln_q = y[p->layers - 1].q_sd;
}

static void in_each_layer(fanin__judge *j, void (*find)(fanin__judge *j, size_t l)) {
  for (size_t l = 1; l <= j->p->layers; l++) {
    find(j, l);
  }
}

/* In the order of the enumerators. */
static void find_all(fanin__judge *j) {
  find_drift(j, FANIN_DIAGNOSIS_FORWARD_VANISH, true, false);
  if (j->p->report->summary.overflow_layer > 0) {
    find_overflow(j);
  } else {
    find_drift(j, FANIN_DIAGNOSIS_FORWARD_EXPLODE, true, true);
  }
  find_drift(j, FANIN_DIAGNOSIS_BACKWARD_VANISH, false, false);
  find_drift(j, FANIN_DIAGNOSIS_BACKWARD_EXPLODE, false, true);
  in_each_layer(j, find_symmetry);
  find_shares(j);
  find_f16_range(j);
  find_width_noise(j);
  fanin__find_wrong_fan(j);
  fanin__find_gain(j);
  in_each_layer(j, find_not_orthogonal);
  in_each_layer(j, find_wrong_stream);
  in_each_layer(j, find_unexplained);
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
  add_up_noise(p);
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
