/* fanin_probe: does a network keep its variance? Two passes over the layers, forward and backward, each layer beside
 * what theory expects of it. */
#include "probe/probe.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/argument.h"
#include "core/queue.h"
#include "core/system.h"

/* ---- Memory ------------------------------------------------------------------------------------------------------ */

enum { TRACE_ARRAYS = 14, SHARED_ARRAYS = 7 };

/* A number a sample each. */
static void point_arrays(fanin__probe *p) {
  const size_t m = (size_t)p->mlp.subset;
  double *next = p->numbers;
  for (size_t l = 0; l <= p->layers; l++) {
    fanin__trace *const t = &p->trace[l];
    double **const arrays[TRACE_ARRAYS] = {&t->sums.zz,  &t->sums.z,   &t->sums.h,      &t->sums.hh,     &t->sums.hhhh,
                                           &t->expected, &t->measured, &t->meanfield,   &t->h_meanfield, &t->dd,
                                           &t->dddd,     &t->dz,       &t->g_meanfield, &t->dh_meanfield};
    for (size_t k = 0; k < TRACE_ARRAYS; k++, next += p->batch) {
      *arrays[k] = next;
    }
  }
  float *const pairs = p->pairs.root + (FANIN__PAIR_POWERS + 1) * m;
  p->pairs = (fanin__pairs){p->pairs.root, p->pairs.root + m, pairs, pairs + m, pairs + 2 * m, pairs + 3 * m};
  fanin__gradient_sums *const g = &p->gradients;
  double **const shared[SHARED_ARRAYS] = {&g->slope2, &g->slope4,  &g->h_slope, &g->skip_slope,
                                          &g->dy,     &p->scratch, &p->travel};
  for (size_t k = 0; k < SHARED_ARRAYS; k++, next += p->batch) {
    *shared[k] = next;
  }
}

static fanin_status allocate(fanin__probe *p) {
  const size_t arrays = TRACE_ARRAYS * (p->layers + 1) + SHARED_ARRAYS;
  p->trace = calloc(p->layers + 1, sizeof *p->trace);
  p->numbers = calloc((size_t)p->batch, arrays * sizeof *p->numbers);
  p->pairs.root = calloc((FANIN__PAIR_POWERS + 5) * (size_t)FANIN__SUBSET_MAX, sizeof *p->pairs.root);
  if (!p->trace || !p->numbers || !p->pairs.root) {
    return fanin__fail(FANIN_STATUS_OUT_OF_MEMORY, "numbers of %" PRIu64 " samples in %zu layers", p->batch, p->layers);
  }
  point_arrays(p);
  return FANIN_STATUS_OK;
}

/* ---- Forward ----------------------------------------------------------------------------------------------------- */

static void tell(const fanin__probe *p, const char *pass, size_t l) {
  char what[96];
  if (!p->config->progress) return;
  snprintf(what, sizeof what, "%s, layer %zu of %zu", pass, l, p->layers);
  p->config->progress(p->config->user, what);
}

static bool is_finite(const fanin__probe *p, const fanin__trace *t) {
  for (uint64_t a = 0; a < p->batch; a++) {
    if (!isfinite(t->sums.zz[a]) || !isfinite(t->sums.hh[a]) || !isfinite(t->sums.hhhh[a])) return false;
  }
  return true;
}

/* The mean cosine between samples of h_l, c of E52 and E58: the coefficient of c^1 is 1. */
static fanin_status correlate(fanin__probe *p, size_t l) {
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

bool fanin__begins_measured(const fanin__probe *p, size_t l) {
  enum { FEW = 10 }; /* 2^-10 is the rate of false alarms */
  return p->trace[l].given_biases || p->config->widths[l] < FEW;
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
  const bool last = l == p->layers, normed = p->mlp.stages[l].norm != FANIN_NORM_NONE;
  double hh = last ? p0 : fanin__v(p->activation, p->config->slope, normed ? 1 : p0);
  if (p->mlp.stages[l].skip) hh += fanin__mean_of(p->trace[l - 1].sums.hh, p->batch) / (double)p->config->widths[l];
  FANIN__TRY(fanin__mlp_forward(&p->mlp, l, sqrt(p0), sqrt(hh), &t->sums));
  for (uint64_t a = 0; a < p->batch; a++) {
    t->measured[a] = t->sums.zz[a] / (double)p->config->widths[l];
  }
  return FANIN_STATUS_OK;
}

static fanin_status run_forward(fanin__probe *p, size_t l) {
  fanin__trace *const t = &p->trace[l];
  fanin_probe_layer *const out = &p->report->layers[l - 1];
  fanin__cumulants activations = {0, 0, 0};
  tell(p, "forward", l);
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
  const double limit = fanin__zero_below(p->activation, p->config->slope);
  t->dead = 0;
  if (l < p->layers && !isnan(limit)) FANIN__TRY(fanin__mlp_dead(&p->mlp, l, limit, &t->dead));
  FANIN__TRY(correlate(p, l));
  report_forward(p, l);
  if (t->lawful) out->q_z = fanin__deviate(out->q_measured, out->q_predicted, &t->step);
  if (!t->lawful && t->drawn) out->q_predicted = p0;
  FANIN__TRY(fanin__theory_columns(p, l));
  return begin_next(p, l, &activations);
}

/* ---- Backward ---------------------------------------------------------------------------------------------------- */

/* E62 */
static void report_backward(fanin__probe *p, size_t l) {
  const fanin__trace *const t = &p->trace[l], *const before = &p->trace[l - 1];
  fanin_probe_layer *const out = &p->report->layers[l - 1];
  const double n = (double)p->config->widths[l], n_in = (double)p->config->widths[l - 1];
  /* E62. Behind a batch norm, a feature's gradients add up to 0 over the batch: what samples share does not count. */
  const double apart = p->mlp.stages[l].norm == FANIN_NORM_BATCH ? 1 - before->correlation : 1;
  double sum = 0;
  for (uint64_t a = 0; a < p->batch; a++) {
    sum += t->dd[a] / n * (before->sums.hh[a] / n_in) * apart;
  }
  out->g_measured = fanin__mean_of(t->dd, p->batch) / n;
  out->g_meanfield = fanin__mean_of(t->g_meanfield, p->batch);
  out->weight_gradient_predicted = sum / (double)p->batch;
  out->f16_gradient_overflow = p->gradients.f16_overflow / (n * (double)p->batch);
  out->f16_gradient_underflow = p->gradients.f16_underflow / (n * (double)p->batch);
}

static double rms_of(const double *sums, uint64_t batch, uint64_t width) {
  return sqrt(fanin__mean_of(sums, batch) / (double)width);
}

/* The gradient of layer l's weights, which takes their place, and what the step to layer l - 1 needs. */
static fanin_status finish_backward(fanin__probe *p, size_t l) {
  const fanin__trace *const t = &p->trace[l], *const before = &p->trace[l - 1];
  fanin_probe_layer *const out = &p->report->layers[l - 1];
  const double rms = rms_of(t->dd, p->batch, p->config->widths[l]);
  const double h_rms = rms_of(before->sums.hh, p->batch, p->config->widths[l - 1]);
  report_backward(p, l);
  FANIN__TRY(fanin__mlp_weight_gradient(&p->mlp, l, rms, h_rms, &out->weight_gradient_measured));
  if (l == 1) return FANIN_STATUS_OK;
  return fanin__mlp_keep_deltas(&p->mlp, l, fanin__needs_squares(t), p->mlp.stages[l].skip);
}

static void keep_sums_in(fanin__probe *p, size_t l) {
  p->gradients.dd = p->trace[l].dd;
  p->gradients.dddd = p->trace[l].dddd;
  p->gradients.dz = p->trace[l].dz;
}

/* The output's gradient is N(0,1): E44. */
static fanin_status run_output(fanin__probe *p) {
  const size_t l = p->layers;
  fanin_probe_layer *const out = &p->report->layers[l - 1];
  const double n = (double)(p->batch * p->config->widths[l]);
  const fanin__cumulants law = fanin__of_squares(0, 2 / n, 0, 0);
  tell(p, "backward", l);
  keep_sums_in(p, l);
  FANIN__TRY(
      fanin__mlp_output_gradient(&p->mlp, rms_of(p->trace[l].sums.zz, p->batch, p->config->widths[l]), &p->gradients));
  fanin__theory_output(p);
  fanin__spread_output(p);
  out->g_predicted = 1;
  FANIN__TRY(finish_backward(p, l));
  out->g_z = fanin__deviate(out->g_measured, out->g_predicted, &law);
  p->trace[p->layers].back = law.variance;
  return FANIN_STATUS_OK;
}

/* How |delta_l|^2 answers to q_l: t_l of E42. */
static double response_of(const fanin__probe *p, size_t l) {
  const fanin__trace *const t = &p->trace[l], *const after = &p->trace[l + 1];
  return t->slope_sensitivity + t->sensitivity * after->response;
}

static fanin_status run_backward(fanin__probe *p, size_t l) {
  fanin__trace *const t = &p->trace[l];
  const fanin__trace *const after = &p->trace[l + 1];
  fanin_probe_layer *const out = &p->report->layers[l - 1];
  const uint64_t width = p->config->widths[l];
  const bool lawful = t->lawful && after->lawful;
  fanin__cumulants law = {0, 0, 0};
  tell(p, "backward", l);
  FANIN__TRY(fanin__theory_backward(p, l));
  FANIN__TRY(fanin__mlp_load(&p->mlp, l + 1));
  keep_sums_in(p, l);
  const double slopes =
      fanin__mean_square(p->activation, FANIN__SLOPE, p->config->slope,
                         p->mlp.stages[l].norm == FANIN_NORM_NONE ? fanin__mean_of(t->measured, p->batch) : 1);
  const double second = after->variance + after->weights.mean * after->weights.mean;
  const double rms = sqrt(second * fanin__mean_of(after->dd, p->batch) * slopes);
  FANIN__TRY(fanin__mlp_backward(&p->mlp, l, rms, rms_of(t->sums.hh, p->batch, width),
                                 rms_of(t->sums.zz, p->batch, width), &p->gradients));
  if (lawful) FANIN__TRY(fanin__gradient_law(p, l, &out->g_predicted, &law, &t->back));
  t->response = response_of(p, l);
  fanin__spread_backward(p, l);
  FANIN__TRY(finish_backward(p, l));
  const bool coupled = p->mlp.stages[l + 1].norm == FANIN_NORM_BATCH; /* no law: see E33 */
  if (lawful && !coupled) out->g_z = fanin__deviate(out->g_measured, out->g_predicted, &law);
  return FANIN_STATUS_OK;
}

/* ---- The whole --------------------------------------------------------------------------------------------------- */

/* The caller's weights, before anything is computed with them. */
static fanin_status check_finite(const fanin__probe *p) {
  const fanin_tensor *const weights = p->config->weights;
  for (size_t l = 1; weights && l <= p->layers; l++) {
    fanin_stats stats = {0};
    if (!weights[l - 1].buffer) continue;
    FANIN__TRY(fanin_measure(p->mlp.f, p->mlp.queue, &weights[l - 1], 0, NULL, &stats, sizeof stats));
    if (stats.nonfinite == 0) continue;
    return fanin__fail(FANIN_STATUS_NOT_FINITE, "weights[%zu]: %" PRIu64 " of %" PRIu64 " numbers are infinite or NaN",
                       l - 1, stats.nonfinite, stats.count);
  }
  return FANIN_STATUS_OK;
}

static fanin_status run(fanin__probe *p) {
  const fanin_probe_config *const config = p->config;
  FANIN__TRY(check_finite(p));
  if (config->progress) {
    config->progress(config->user, "CLBlast compiles its kernels, about ten seconds unless the driver keeps them");
  }
  FANIN__TRY(fanin__mlp_input(&p->mlp, &p->trace[0].sums));
  FANIN__TRY(correlate(p, 0));
  fanin__theory_input(p);
  p->v = fanin__mean_of(p->trace[0].h_meanfield, p->batch);
  for (size_t l = 1; l <= p->layers && p->report->summary.overflow_layer == 0; l++) {
    FANIN__TRY(run_forward(p, l));
  }
  if (p->report->summary.overflow_layer == 0) {
    FANIN__TRY(run_output(p));
    for (size_t l = p->layers - 1; l > 0; l--) {
      FANIN__TRY(run_backward(p, l));
    }
  }
  return fanin__diagnose(p);
}

static void release(fanin__probe *p) {
  free(p->pairs.root);
  free(p->numbers);
  free(p->trace);
  fanin__mlp_close(&p->mlp);
}

fanin_status fanin_probe(fanin *f, cl_command_queue queue, const fanin_probe_config *theirs, fanin_probe_report **out) {
  const double start = fanin__seconds();
  cl_command_queue resolved = NULL;
  fanin_probe_config known;
  const fanin_probe_config *const config = &known;
  fanin__probe p = {.config = config};
  FANIN__NEED(f);
  FANIN__TRY(fanin__take_config("config", "FANIN_PROBE_CONFIG_INIT", theirs, &known, sizeof known));
  FANIN__NEED(out);
  FANIN__TRY(fanin__probe_check(f, config));
  FANIN__TRY(fanin__activation_of(config->activation, config->slope, &p.activation));
  FANIN__TRY(fanin__resolve_queue(f, queue, &resolved));
  p.layers = config->n_widths - 1;
  p.batch = config->batch;
  fanin_status status = fanin__report_create(config, &p.report);
  if (status == FANIN_STATUS_OK) status = fanin__mlp_open(&p.mlp, f, resolved, config, p.activation, true);
  if (status == FANIN_STATUS_OK) status = allocate(&p);
  if (status == FANIN_STATUS_OK) status = run(&p);
  (void)clFinish(resolved); /* nothing may still use the buffers, or report to a released event */
  if (status == FANIN_STATUS_OK) {
    fanin_probe_summary *const summary = &p.report->summary;
    summary->gemm_seconds = p.mlp.gemm_seconds;
    summary->startup_seconds = p.mlp.startup_seconds;
    summary->other_seconds = fanin__seconds() - start - p.mlp.gemm_seconds - p.mlp.startup_seconds;
    summary->device_bytes = p.mlp.bytes;
    *out = p.report;
  } else {
    fanin_probe_report_release(p.report);
  }
  release(&p);
  return status;
}
