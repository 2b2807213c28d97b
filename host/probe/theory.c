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

/* Whether blocks carry what was divided: post-norm. */
static bool is_inside(const fanin__probe *p) {
  return p->config->block == FANIN_BLOCK_POST_NORM;
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
  if (!p->mlp.stages[0].divided) return;
  for (uint64_t a = 0; a < p->batch; a++) {
    t->carried_meanfield[a] = is_inside(p) ? t->h_meanfield[a] : t->sums.sum[a] / n;
  }
  t->m_carried = is_inside(p) ? t->m_meanfield : t->m_meanfield * sqrt(fanin__mean_of(t->carried_meanfield, p->batch));
}

/* E75: the sum at the end of a block, which is divided by its root mean square. */
static void end_block(fanin__probe *p, size_t l) {
  fanin__trace *const t = &p->trace[l];
  const fanin__trace *const from = &p->trace[p->mlp.stages[l].from];
  double sum = 0;
  for (uint64_t a = 0; a < p->batch; a++) {
    const double square = from->carried_meanfield[a] + t->meanfield[a];
    t->h_meanfield[a] = square > 0 ? 1 : square;
    t->carried_meanfield[a] = is_inside(p) ? t->h_meanfield[a] : square;
    t->sum_meanfield[a] = square;
    sum += square / (double)p->batch;
  }
  t->m_meanfield = sum > 0 ? from->m_carried / sqrt(sum) : 0;
  t->m_carried = is_inside(p) ? t->m_meanfield : from->m_carried;
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
  if (s->divided) {
    end_block(p, l);
    return FANIN_STATUS_OK;
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
  const double mean = fanin__unit_mean(p, l, s->norm == FANIN_NORM_NONE ? q : 1);
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

/* E76: the gradient of the sum at the end of a block. */
static void begin_block(fanin__probe *p, size_t l, bool known) {
  fanin__trace *const t = &p->trace[l];
  const fanin__trace *const after = &p->trace[l + 1];
  const fanin__stage *const s = &p->mlp.stages[l];
  for (uint64_t a = 0; a < p->batch; a++) {
    const double square = t->sum_meanfield[a], passed = s->to > 0 ? p->trace[s->to].g_meanfield[a] : 0;
    const double dh = after->variance * (double)p->mlp.stages[l + 1].rows * after->g_meanfield[a];
    const double g = is_inside(p) ? (dh + passed) / square : dh / square + passed;
    t->dh_meanfield[a] = known ? dh : NAN;
    t->g_meanfield[a] = known && square > 0 ? g : NAN;
  }
}

/* E54 */
fanin_status fanin__theory_backward(fanin__probe *p, size_t l) {
  fanin__trace *const t = &p->trace[l];
  const fanin__trace *const after = &p->trace[l + 1], *const before = &p->trace[l - 1];
  const fanin__stage *const s = &p->mlp.stages[l];
  const double n_in = (double)p->config->widths[l - 1], n = (double)p->config->widths[l];
  const double n_after = (double)p->mlp.stages[l + 1].rows, share = n / (double)s->rows;
  double mean = 0, *const slopes = p->scratch;
  const bool known = t->lawful && after->lawful && isfinite(fanin__mean_of(t->meanfield, p->batch));
  if (s->divided) {
    begin_block(p, l, known);
    return FANIN_STATUS_OK;
  }
  if (known) FANIN__TRY(fanin__through(p, l, FANIN__SLOPE, t->meanfield, slopes, &mean));
  for (uint64_t a = 0; a < p->batch; a++) {
    const double apart = t->variance * n_in * before->centred_meanfield;
    const double variance = fanin__normalise(s->norm, t->meanfield[a], 0, apart).scale2;
    const double dh = fanin__gradient_before(s->to == l + 1, after->dh_meanfield[a], after->g_meanfield[a],
                                             after->variance * n, n_after, n);
    t->dh_meanfield[a] = known ? dh : NAN;
    t->g_meanfield[a] = known && variance > 0 ? dh * slopes[a] * share / variance : NAN;
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
  const fanin__stage *const s = &p->mlp.stages[l];
  const bool plain = s->norm == FANIN_NORM_NONE && s->to == 0 && !s->divided;
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

/* E77: at the end of a block, of what was divided; c: the correlation of two samples' z. */
static void block_columns(fanin__probe *p, size_t l, double c) {
  const fanin__trace *const t = &p->trace[l], *const from = &p->trace[p->mlp.stages[l].from];
  fanin_probe_layer *const out = &p->report->layers[l - 1];
  const double n = (double)p->config->widths[l], q = fanin__mean_of(t->measured, p->batch);
  const double carried = fanin__mean_of(is_inside(p) ? from->sums.hh : from->sums.sum, p->batch) / n;
  const double mean = fanin__mean_of(from->sums.h, p->batch) / n * (is_inside(p) ? 1 : sqrt(carried));
  out->mean_predicted = carried + q > 0 ? mean / sqrt(carried + q) : 0;
  out->saturated_predicted = out->dead_predicted = 0;
  if (p->batch > 1 && carried + q > 0) {
    out->correlation_predicted = (carried * from->correlation + q * c) / (carried + q);
  }
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
  if (s->divided) {
    block_columns(p, l, c);
    return FANIN_STATUS_OK;
  }
  const double q = s->norm == FANIN_NORM_NONE ? fanin__mean_of(t->measured, p->batch) : 1;
  if (s->norm == FANIN_NORM_BATCH && p->batch > 1) c = -1 / (double)(p->batch - 1);
  const double mean = fanin__unit_mean(p, l, q), m = fanin__mean_of(before->sums.h, p->batch) / n_in;
  const double hh = fanin__mean_of(before->sums.hh, p->batch) / n_in;
  double square = fanin__unit_square(p, l, FANIN__PHI, q), product = fanin__unit_product(p, l, q, c);
  out->mean_predicted = mean;
  if (s->skip) {
    out->mean_predicted += m;
    product += 2 * m * mean + hh * before->correlation;
    square += 2 * m * mean + hh;
  }
  if (p->batch > 1) out->correlation_predicted = square > 0 ? product / square : 0;
  out->saturated_predicted = fanin__saturated_share(s->activation, q);
  out->dead_predicted = dead_share(fanin__zero_below(s->activation, p->config->slope), q, c, p->batch);
  return FANIN_STATUS_OK;
}
