/* A probe's forward pass, layer by layer: what is measured there, beside what is expected of it. */
#include <math.h>

#include "core/status.h"
#include "probe/probe.h"

static bool is_finite(const fanin__probe *p, const fanin__trace *t) {
  for (uint64_t a = 0; a < p->batch; a++) {
    const fanin__row_sums *const s = &t->sums;
    if (!isfinite(s->zz[a]) || !isfinite(s->sum[a]) || !isfinite(s->hh[a]) || !isfinite(s->hhhh[a])) return false;
  }
  return true;
}

/* The mean cosine between samples of h_l, c of E52 and E58: the coefficient of c^1 is 1. */
fanin_status fanin__correlate(fanin__probe *p, size_t l) {
  fanin__trace *const t = &p->trace[l];
  const fanin__pairs *const pairs = &p->pairs;
  const size_t m = (size_t)p->mlp.subset;
  const double rms = sqrt(fanin__mean_of(t->sums.hh, p->batch) / (double)p->config->widths[l]);
  double sum = 0;
  t->correlation = 0;
  if (p->batch < 2 || !(rms > 0)) return FANIN_STATUS_OK;
  for (size_t k = 0; k < FANIN__PAIR_POWERS * m; k++) {
    pairs->coefficients[k] = k < m;
  }
  for (size_t k = 0; k < m; k++) {
    const double hh = t->sums.hh[k * p->mlp.step];
    pairs->root[k] = hh > 0 ? (float)(rms / sqrt(hh)) : 0;
  }
  FANIN__TRY(fanin__mlp_pairs(&p->mlp, l, rms, 1, 0, false, pairs));
  for (size_t k = 0; k < m; k++) {
    sum += (double)pairs->series[k];
  }
  t->correlation = sum / ((double)m * ((double)m - 1));
  return FANIN_STATUS_OK;
}

/* E47, and E48 for an orthogonal matrix, whose root mean square is exact but for rounding. */
static double weight_deviate(const fanin__trace *t) {
  const fanin_stats *const stats = &t->facts.stats;
  const double n = (double)stats->count;
  if (t->ties.inverse == 0) return fanin__std_deviate(stats->std, t->weights.std, t->weights.kurtosis, n);
  const fanin__cumulants law = {.variance = t->ties.rounding * t->weights.kurtosis / n + t->ties.floor};
  return fanin__deviate(sqrt(stats->second), t->weights.std, &law);
}

static void report_weights(const fanin__trace *t, fanin_probe_layer *out) {
  const fanin_stats *const stats = &t->facts.stats;
  const double n = (double)stats->count;
  out->weight_mean = stats->mean;
  out->weight_mean_expected = t->weights.mean;
  out->weight_std = stats->std;
  out->weight_std_expected = t->weights.std;
  out->tied_rows = t->facts.tied_rows;
  out->tied_columns = t->facts.tied_columns;
  out->overlap = t->facts.overlap;
  if (!t->drawn) return;
  out->weight_z = weight_deviate(t);
  if (t->weights.std > 0) {
    const double z = (stats->mean - t->weights.mean) / (t->weights.std / sqrt(n));
    out->weight_mean_z = fmin(fmax(z, -FANIN__DEVIATE_MAX), FANIN__DEVIATE_MAX);
  } else { /* a constant, to bfloat16's precision */
    const bool same = fabs(stats->mean - t->weights.mean) <= 0x1p-8 * fabs(t->weights.mean);
    out->weight_mean_z = same ? 0 : FANIN__DEVIATE_MAX;
  }
}

static void report_forward(fanin__probe *p, size_t l) {
  const fanin__trace *const t = &p->trace[l];
  fanin_probe_layer *const out = &p->report->layers[l - 1];
  const double n = (double)p->config->widths[l], elements = n * (double)p->batch;
  out->q_measured = fanin__mean_of(t->measured, p->batch);
  out->q_meanfield = fanin__mean_of(t->meanfield, p->batch);
  out->mean_measured = fanin__mean_of(t->sums.h, p->batch) / n;
  if (p->mlp.stages[l].divided) {
    out->stream_measured = fanin__mean_of(t->sums.sum, p->batch) / n;
    out->stream_meanfield = fanin__mean_of(t->sum_meanfield, p->batch);
  }
  if (p->batch > 1) out->correlation_measured = t->correlation;
  out->saturated_measured = t->sums.saturated / elements;
  out->dead_measured = t->dead;
  out->f16_overflow = t->sums.f16_overflow / elements;
  out->f16_underflow = t->sums.f16_underflow / elements;
}

/* What is expected of z, sample by sample, given the layer before: K_aa of E17. */
static void set_expected(fanin__probe *p, size_t l) {
  const fanin__row_sums *const before = &p->trace[l - 1].sums;
  fanin__trace *const t = &p->trace[l];
  const double mean2 = t->lawful ? 0 : t->weights.mean * t->weights.mean;
  for (uint64_t a = 0; a < p->batch; a++) {
    t->expected[a] = t->variance * before->hh[a] + mean2 * before->h[a] * before->h[a] + t->bias_variance;
  }
}

/* Whether the activation after layer l has a law: not behind a batch norm or beside a residual connection. */
static bool has_law(const fanin__probe *p, size_t l) {
  return l < p->layers && p->mlp.stages[l].norm != FANIN_NORM_BATCH && !p->mlp.stages[l].skip;
}

/* Whether the mean square of h_l is predicted from that of z_l. */
static bool is_predicted(const fanin__probe *p, size_t l) {
  return has_law(p, l) && !fanin__begins_measured(p, l);
}

/* For the step to layer l + 1: what it begins at, V of E25 or the measured mean of h^2. */
static fanin_status begin_next(fanin__probe *p, size_t l, const fanin__cumulants *activations) {
  const fanin__trace *const t = &p->trace[l];
  p->activations = (fanin__cumulants){0, 0, 0};
  p->activation_noise = activations->variance;
  p->v = fanin__mean_of(t->sums.hh, p->batch) / (double)p->config->widths[l];
  if (!is_predicted(p, l) || !t->lawful) return FANIN_STATUS_OK;
  p->activations = *activations;
  return fanin__through(p, l, FANIN__PHI, t->measured, p->scratch, &p->v);
}

/* E25, E31 */
static fanin_status predict_forward(fanin__probe *p, size_t l, double p0, fanin__cumulants *activations) {
  fanin__trace *const t = &p->trace[l];
  fanin_probe_layer *const out = &p->report->layers[l - 1];
  const double predicted = t->variance * (double)p->config->widths[l - 1] * p->v + t->bias_variance;
  const double share = predicted > 0 ? (predicted - t->bias_variance) / predicted : 0;
  fanin__cumulants weights = {0, 0, 0};
  out->q_predicted = predicted;
  if (p0 > 0) FANIN__TRY(fanin__forward_law(p, l, p0, &weights, has_law(p, l) ? activations : NULL));
  const fanin__cumulants before = fanin__scaled(&p->activations, share); /* biases do not fluctuate with it */
  t->step = fanin__product(&before, &weights);
  const fanin__cumulants over_seeds = {.variance = p->activation_noise * share * share};
  t->noise = fanin__product(&over_seeds, &weights).variance;
  return FANIN_STATUS_OK;
}

static fanin_status pass_forward(fanin__probe *p, size_t l, double p0) {
  fanin__trace *const t = &p->trace[l];
  const fanin__stage *const s = &p->mlp.stages[l];
  double hh = fanin__unit_square(p, l, FANIN__PHI, s->norm != FANIN_NORM_NONE ? 1 : p0);
  if (s->skip) hh += fanin__mean_of(p->trace[s->from].sums.sum, p->batch) / (double)s->width;
  FANIN__TRY(fanin__mlp_forward(&p->mlp, l, sqrt(p0), sqrt(hh), &t->sums));
  for (uint64_t a = 0; a < p->batch; a++) {
    t->measured[a] = t->sums.zz[a] / (double)s->rows;
  }
  return FANIN_STATUS_OK;
}

fanin_status fanin__run_forward(fanin__probe *p, size_t l) {
  fanin__trace *const t = &p->trace[l];
  fanin_probe_layer *const out = &p->report->layers[l - 1];
  fanin__cumulants activations = {0, 0, 0};
  fanin__tell_layer(p, "forward", l);
  FANIN__TRY(fanin__probe_expect(p->config, l, t));
  FANIN__TRY(fanin__mlp_load(&p->mlp, l));
  FANIN__TRY(fanin__mlp_weigh(&p->mlp, l, &t->facts));
  report_weights(t, out);
  if (t->facts.stats.nonfinite > 0) {
    p->report->summary.overflow_layer = l;
    return FANIN_STATUS_OK;
  }
  set_expected(p, l);
  FANIN__TRY(fanin__theory_forward(p, l));
  const double p0 = fanin__mean_of(t->expected, p->batch);
  if (t->lawful) FANIN__TRY(predict_forward(p, l, p0, &activations));
  FANIN__TRY(pass_forward(p, l, p0));
  if (!is_finite(p, t)) {
    p->report->summary.overflow_layer = l;
    return FANIN_STATUS_OK;
  }
  const double limit = fanin__zero_below(p->mlp.stages[l].activation, p->config->slope);
  t->dead = 0;
  if (l < p->layers && !isnan(limit)) FANIN__TRY(fanin__mlp_dead(&p->mlp, l, limit, &t->dead));
  FANIN__TRY(fanin__correlate(p, l));
  report_forward(p, l);
  if (t->lawful) out->q_z = fanin__deviate(out->q_measured, out->q_predicted, &t->step);
  if (!t->lawful && t->drawn) out->q_predicted = p0;
  FANIN__TRY(fanin__theory_columns(p, l));
  return begin_next(p, l, &activations);
}
