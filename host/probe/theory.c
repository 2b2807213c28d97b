/* What theory says of a probe at infinite width: the recursions of q from the input and of g from the output, and the
 * one-step predictions that have no law; E51 to E61 of docs/probe-law.md. Layers are those of theory/step.h, as
 * fanin_theory()'s are; here they are taken sample by sample, at the samples' own norms, where fanin_theory() has one q
 * and one correlation. Samples of equal norms and correlations give fanin_theory()'s numbers. */
#include <math.h>

#include "core/status.h"
#include "math/normal.h"
#include "math/quadrature.h"
#include "probe/probe.h"
#include "theory/step.h"

static double slope_of(const fanin__probe *p) {
  return p->config->slope;
}

/* E52 */
void fanin__theory_input(fanin__probe *p) {
  fanin__trace *const t = &p->trace[0];
  const double n = (double)p->config->widths[0];
  for (uint64_t a = 0; a < p->batch; a++) {
    t->h_meanfield[a] = t->sums.hh[a] / n;
  }
  t->m_meanfield = fanin__mean_of(t->sums.h, p->batch) / n;
  const double c = p->batch > 1 ? t->correlation : 1;
  t->centred_meanfield = fanin__mean_of(t->h_meanfield, p->batch) * (1 - c);
}

/* E51, E53 */
fanin_status fanin__theory_forward(fanin__probe *p, size_t l) {
  fanin__trace *const t = &p->trace[l];
  const fanin__trace *const before = &p->trace[l - 1];
  const fanin__stage *const s = &p->mlp.stages[l];
  const double n_in = (double)p->config->widths[l - 1];
  for (uint64_t a = 0; a < p->batch; a++) {
    t->meanfield[a] =
        t->lawful && t->centred_biases ? t->variance * n_in * before->h_meanfield[a] + t->bias_variance : NAN;
  }
  const double q = fanin__mean_of(t->meanfield, p->batch);
  if (l == p->layers || !isfinite(q)) {
    for (uint64_t a = 0; a < p->batch; a++) {
      t->h_meanfield[a] = t->meanfield[a];
    }
    return FANIN_STATUS_OK;
  }
  double v = 0;
  FANIN__TRY(fanin__through(p, l, FANIN__PHI, t->meanfield, t->h_meanfield, &v));
  const double mean = fanin__mean(p->activation, slope_of(p), s->norm == FANIN_NORM_NONE ? q : 1);
  const double product = mean * mean; /* behind a batch norm, the only place that asks for it */
  fanin__state h = {0, 0, 0};
  double square = 0, shared = 0;
  for (uint64_t a = 0; a < p->batch; a++) {
    const double own = before->h_meanfield[a];
    const fanin__state from = {before->m_meanfield, own, own - before->centred_meanfield};
    h = fanin__next_state(&from, s->skip, mean, t->h_meanfield[a], product);
    t->h_meanfield[a] = h.square;
    square += h.square / (double)p->batch;
    shared += h.product / (double)p->batch;
  }
  t->m_meanfield = h.mean;
  t->centred_meanfield = square - shared;
  return FANIN_STATUS_OK;
}

/* g_L of E54 */
void fanin__theory_output(fanin__probe *p) {
  for (uint64_t a = 0; a < p->batch; a++) {
    p->trace[p->layers].g_meanfield[a] = 1;
  }
}

/* E54 */
fanin_status fanin__theory_backward(fanin__probe *p, size_t l) {
  fanin__trace *const t = &p->trace[l];
  const fanin__trace *const after = &p->trace[l + 1], *const before = &p->trace[l - 1];
  const fanin__stage *const s = &p->mlp.stages[l];
  const double n_in = (double)p->config->widths[l - 1], n = (double)p->config->widths[l];
  const double n_after = (double)p->config->widths[l + 1];
  double mean = 0, *const slopes = p->scratch;
  const bool known = t->lawful && after->lawful && isfinite(fanin__mean_of(t->meanfield, p->batch));
  if (known) FANIN__TRY(fanin__through(p, l, FANIN__SLOPE, t->meanfield, slopes, &mean));
  for (uint64_t a = 0; a < p->batch; a++) {
    const double apart = t->variance * n_in * before->centred_meanfield;
    const double variance = fanin__normalise(s->norm, t->meanfield[a], 0, apart).scale2;
    const double dh = fanin__gradient_before(p->mlp.stages[l + 1].skip, after->dh_meanfield[a], after->g_meanfield[a],
                                             after->variance * n, n_after, n);
    t->dh_meanfield[a] = known ? dh : NAN;
    t->g_meanfield[a] = known && variance > 0 ? dh * slopes[a] / variance : NAN;
  }
  return FANIN_STATUS_OK;
}

/* ---- The spread of singular values ------------------------------------------------------------------------------- */

/* E55 to E57; p->spread is e_l, and p->travel the ratio whose variance E55 gives. */

/* E55, measured over the batch */
static double spread_over(const double *x, uint64_t batch) {
  const double mean = fanin__mean_of(x, batch);
  double sum = 0;
  for (uint64_t a = 0; a < batch; a++) {
    sum += pow(x[a] / mean - 1, 2);
  }
  return sum / ((double)batch - 1);
}

/* e_L of E57 */
void fanin__spread_output(fanin__probe *p) {
  fanin_probe_layer *const out = &p->report->layers[p->layers - 1];
  for (uint64_t a = 0; a < p->batch; a++) {
    p->travel[a] = 1;
  }
  p->spread = 0;
  p->rank = (double)p->config->widths[p->layers];
  if (p->batch > 1) out->spread_measured = out->spread_predicted = 0;
}

/* E56, E57 */
void fanin__spread_backward(fanin__probe *p, size_t l) {
  const fanin__trace *const t = &p->trace[l], *const after = &p->trace[l + 1];
  fanin_probe_layer *const out = &p->report->layers[l - 1];
  const double n = (double)p->config->widths[p->layers], width = (double)p->config->widths[l];
  const bool plain = p->mlp.stages[l].norm == FANIN_NORM_NONE && !p->mlp.stages[l + 1].skip;
  p->spread =
      plain && t->lawful && after->lawful ? p->spread + n * (t->slope_ratio / width - after->ties.inverse) : NAN;
  if (isnan(p->spread) || p->batch < 2) return;
  for (uint64_t a = 0; a < p->batch; a++) {
    p->travel[a] *= t->dd[a] / (after->variance * after->dd[a] * p->gradients.slope2[a]);
  }
  /* of the eigenvalues that are not 0 whatever the weights are */
  p->rank = fmin(p->rank, width);
  out->spread_measured = p->rank / n * (1 + 0.5 * (n + 2) * spread_over(p->travel, p->batch)) - 1;
  out->spread_predicted = p->rank / n * (1 + p->spread) - 1;
}

/* ---- Columns without a law --------------------------------------------------------------------------------------- */

/* E61: `limit` is t / sqrt(q), `common` is xi. */
typedef struct one_factor {
  double limit, c, batch;
} one_factor;

static double all_below(double common, void *context) {
  const one_factor *const f = context;
  const double own = (f->limit - sqrt(f->c) * common) / sqrt(1 - f->c);
  return pow(fanin__normal_tail_fast(-own), f->batch);
}

/* E61 */
static double dead_share(double limit, double q, double c, uint64_t batch) {
  if (isnan(limit)) return 0;
  if (!(q > 0)) return limit >= 0 ? 1 : 0;
  one_factor f = {limit / sqrt(q), fmin(fmax(c, 0), 1 - 1e-6), (double)batch};
  return fanin__expectation(all_below, &f, NULL, 0);
}

/* E58: the correlation about 0 of two samples' z, from the measured one of h before. */
static double z_correlation(const fanin__probe *p, size_t l) {
  const fanin__trace *const t = &p->trace[l], *const before = &p->trace[l - 1];
  const double k = fanin__mean_of(t->expected, p->batch);
  if (!(k > 0)) return 0;
  const double hh = fanin__mean_of(before->sums.hh, p->batch);
  return fmin(fmax((t->variance * hh * before->correlation + t->bias_variance) / k, -1), 1);
}

/* E58 to E61 */
fanin_status fanin__theory_columns(fanin__probe *p, size_t l) {
  fanin__trace *const t = &p->trace[l];
  const fanin__trace *const before = &p->trace[l - 1];
  const fanin__stage *const s = &p->mlp.stages[l];
  fanin_probe_layer *const out = &p->report->layers[l - 1];
  if (!t->lawful || !t->centred_biases) return FANIN_STATUS_OK;
  const double n_in = (double)p->config->widths[l - 1];
  double c = p->batch > 1 ? z_correlation(p, l) : 1;
  t->z_correlation = c;
  if (l == p->layers) {
    out->mean_predicted = 0;
    if (p->batch > 1) out->correlation_predicted = c;
    out->saturated_predicted = out->dead_predicted = 0;
    return FANIN_STATUS_OK;
  }
  const double q = s->norm == FANIN_NORM_NONE ? fanin__mean_of(t->measured, p->batch) : 1;
  if (s->norm == FANIN_NORM_BATCH && p->batch > 1) c = -1 / (double)(p->batch - 1);
  const double mean = fanin__mean(p->activation, slope_of(p), q), m = fanin__mean_of(before->sums.h, p->batch) / n_in;
  const double hh = fanin__mean_of(before->sums.hh, p->batch) / n_in;
  double square = fanin__v(p->activation, slope_of(p), q);
  double product = fanin__correlated(p->activation, FANIN__PHI, slope_of(p), q, q, c);
  out->mean_predicted = mean;
  if (s->skip) {
    out->mean_predicted += m;
    product += 2 * m * mean + hh * before->correlation;
    square += 2 * m * mean + hh;
  }
  if (p->batch > 1) out->correlation_predicted = square > 0 ? product / square : 0;
  out->saturated_predicted = fanin__saturated_share(p->activation, q);
  out->dead_predicted = dead_share(fanin__zero_below(p->activation, slope_of(p)), q, c, p->batch);
  return FANIN_STATUS_OK;
}
