/* Ill health: about what theory expects, the mean-field columns; the measured ones only where something is beyond
 * doubt. */
#include <math.h>

#include "probe/diagnose.h"
#include "theory/step.h"

/* Thresholds of ill health. */
static const double drift = FANIN__DRIFT; /* by theory */
static const double clear_drift = 1e4;    /* the same where only measurement says so */
static const double collapsed = FANIN__MOST_ALIKE;
static const double mean_share = FANIN__MEAN_SHARE;
static const double most = FANIN__MOST_SATURATED; /* also of what is too small for f16 */
static const double mostly_dead = 0.75; /* half of the features are dead where all samples agree, at any health */
static const double noisy = 1;          /* sd of ln q */

/* ---- Ranges of layers -------------------------------------------------------------------------------------------- */

/* The same for blocks, which have norms where they begin: of the stream at the end of a block relative to the input's,
 * or of its gradient's norm^2 relative to that at the last end. The layers inside blocks are not compared. */
static double relative_in_stream(const fanin__judge *j, bool forward, bool measured, size_t l) {
  const fanin__probe *const p = j->p;
  const double input = fanin__mean_of(p->trace[0].sums.sum, p->batch) / (double)p->config->widths[0];
  if (!p->mlp.stages[l].divided) return 1;
  const fanin_probe_layer *const y = fanin__layer(j, l), *const end = fanin__layer(j, p->layers - 1);
  if (forward) return (measured ? y->stream_measured : y->stream_meanfield) / input;
  return measured ? y->g_measured / end->g_measured : y->g_meanfield / end->g_meanfield;
}

/* q of layer l relative to that of the first, or the gradient's norm^2 relative to that of the last. */
static double relative(const fanin__judge *j, bool forward, bool measured, size_t l) {
  if (j->p->mlp.stages[0].divided) return relative_in_stream(j, forward, measured, l);
  const fanin_probe_layer *const y = fanin__layer(j, l), *const base = fanin__layer(j, forward ? 1 : j->p->layers);
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
  static const char *const quantities[2][2] = {{"the gradient's squared norm", "q"},
                                               {"the stream's gradient's squared norm", "the stream's mean square"}};
  static const char *const references[2][2] = {{"the last layer's", "the first layer's"},
                                               {"what it is behind the last block", "the input's"}};
  const bool blocks = j->p->mlp.stages[0].divided;
  const char *const *const quantity = quantities[blocks], *const *const reference = references[blocks];
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

static void find_symmetry(fanin__judge *j, size_t l) {
  const fanin_probe_layer *const y = fanin__layer(j, l);
  if (y->fan_in * y->fan_out == 1 || !j->p->trace[l].drawn) return;
  if (y->weight_std == 0) {
    fanin__find(j, FANIN_DIAGNOSIS_SYMMETRY, l, l, "all weights are %.4g", y->weight_mean);
  } else if (fanin__is_tied(j, l)) {
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
  const fanin_probe_layer *const y = fanin__layer(j, l);
  return isnan(y->saturated_predicted) ? y->saturated_measured : y->saturated_predicted;
}

static double dead_share(const fanin__judge *j, size_t l) {
  return fanin__layer(j, l)->dead_measured;
}

static double cosine(const fanin__judge *j, size_t l) {
  return j->p->trace[0].correlation > collapsed ? 0 /* it came so */ : fanin__layer(j, l)->correlation_measured;
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
  const fanin_probe_layer *const y = fanin__layer(j, l);
  if (y->f16_overflow > 0 || y->f16_gradient_overflow > 0) return 1;
  return fmax(y->f16_underflow, y->f16_gradient_underflow);
}

static void find_f16_range(fanin__judge *j) {
  const range r = above(j, f16_share, most, j->p->layers);
  if (r.first == 0) return;
  const fanin_probe_layer *const y = fanin__layer(j, r.first);
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

void fanin__find_health(fanin__judge *j) {
  find_drift(j, FANIN_DIAGNOSIS_FORWARD_VANISH, true, false);
  if (j->p->report->summary.overflow_layer > 0) {
    find_overflow(j);
  } else {
    find_drift(j, FANIN_DIAGNOSIS_FORWARD_EXPLODE, true, true);
  }
  find_drift(j, FANIN_DIAGNOSIS_BACKWARD_VANISH, false, false);
  find_drift(j, FANIN_DIAGNOSIS_BACKWARD_EXPLODE, false, true);
  for (size_t l = 1; l <= j->p->layers; l++) {
    find_symmetry(j, l);
  }
  find_shares(j);
  find_f16_range(j);
  find_width_noise(j);
}
