/* The law of the backward step of a probe: the prediction of g_l, and mean, variance and third cumulant of
 * g_l / predicted - 1. docs/probe-law.md derives it; E32 to E43 and the symbols here are that page's. */
#include <math.h>

#include "core/status.h"
#include "probe/probe.h"

/* The mean of T: its leading terms, which are the first two of E34, and the rest relative to them. */
typedef struct leading {
  double deltas; /* mean_a D_aa */
  double slopes; /* mean_a R_a / n */
  double total;  /* sum_a of sigma^2 D_aa R_a + sum_j (s phi')^2 */
  double mean;   /* of T / total - 1 */
} leading;

/* E_ab, of E36 and E38 */
bool fanin__needs_squares(const fanin__trace *t) {
  return t->excess != 0 || t->ties.rounding > 0;
}

/* E34, and E35 for orthogonal weights: `own` is sigma^2 D_aa, `along` d_a^2, `h_slope` H_a. */
static leading leading_of(const fanin__probe *p, size_t l) {
  const fanin__trace *const after = &p->trace[l + 1], *const t = &p->trace[l];
  const fanin__gradient_sums *const g = &p->gradients;
  const double variance = after->variance, n = (double)p->config->widths[l], inverse = after->ties.inverse;
  double total = 0, mean = 0;
  for (uint64_t a = 0; a < p->batch; a++) {
    const double own = variance * after->dd[a], hh = t->sums.hh[a], dz = after->dz[a];
    total += own * g->slope2[a] + g->skip_slope[a];
    if (!(hh > 0)) continue;
    const double along = dz * dz / hh, h_slope = g->h_slope[a] / hh;
    /* the end of a block takes out what is along h: E74 */
    mean += (p->mlp.stages[l].divided ? -own : along - own) * h_slope - (along - own) * g->slope2[a] * inverse;
  }
  return (leading){.deltas = fanin__mean_of(after->dd, p->batch),
                   .slopes = fanin__mean_of(g->slope2, p->batch) / n,
                   .total = total,
                   .mean = total > 0 ? mean / total : 0};
}

/* Sums over a and b (E15) in units of n (slopes deltas)^2. */
typedef struct sums {
  double tied;   /* (R_ab - R_a R_b / M) (D_ab^2 - D_aa D_bb / M); with 1 / M = 0 for independent weights */
  double untied; /* R_ab D_ab^2 */
  double kurtic; /* R_ab E_ab */
  double skips;  /* R_ab D_ab F_ab, F in units of deltas */
  double fourth; /* mean_a of R_aa */
} sums;

/* E15; D_aa, R_aa and E_aa from the whole batch, the rest from the subset */
static sums sums_of(const fanin__probe *p, size_t l, const leading *lead, const float *pairs) {
  const uint64_t m = p->mlp.subset;
  const fanin__trace *const after = &p->trace[l + 1];
  const fanin__gradient_sums *const g = &p->gradients;
  const double n = (double)p->config->widths[l], batch = (double)p->batch, size = (double)m;
  const double unit = 1 / (n * lead->slopes * lead->slopes), d = 1 / lead->deltas, inverse = after->ties.inverse;
  sums own = {0}, other = {0};
  for (uint64_t a = 0; a < p->batch; a++) {
    const double da = after->dd[a] * d, ra = g->slope4[a] * unit, mean = g->slope2[a] / (n * lead->slopes);
    own.tied += (ra - n * inverse * mean * mean) * da * da * (1 - inverse);
    own.untied += ra * da * da;
    own.kurtic += ra * after->dddd[a] * d * d;
    if (g->slope2[a] > 0) own.skips += ra * da * g->skip_slope[a] / (g->slope2[a] / n) * d;
    own.fourth += ra / batch;
  }
  for (uint64_t k = 0; k < m; k++) {
    other.tied += (double)pairs[k];
    other.kurtic += (double)pairs[m + k];
    other.skips += (double)pairs[2 * m + k];
    other.untied += (double)pairs[3 * m + k];
  }
  const double pair = m > 1 ? batch * (batch - 1) / (size * (size - 1)) : 0;
  return (sums){.tied = fmax(own.tied + pair * other.tied, 0),
                .untied = own.untied + pair * other.untied,
                .kurtic = own.kurtic + pair * other.kurtic,
                .skips = own.skips + pair * other.skips,
                .fourth = own.fourth};
}

/* The cumulants of T / total - 1: E36 to E39. */
static fanin__cumulants weights_law(const fanin__probe *p, size_t l, const leading *lead, const sums *s) {
  const fanin__trace *const after = &p->trace[l + 1];
  const fanin__ties *const ties = &after->ties;
  const double n = (double)p->config->widths[l];
  const double unit = n * lead->slopes * lead->deltas * after->variance / lead->total; /* of T in total */
  const double w = 2 * s->tied / n, skips = 4 * s->skips / (after->variance * n * n);
  const double kurtic = after->excess * s->kurtic / n;
  const double rounding = 2 * ties->rounding * (2 * s->untied + 4 * s->kurtic) / n;
  const double v = (fmax(w + kurtic + skips, 0) + rounding) * unit * unit + ties->floor;
  const double x = n * ties->inverse / s->fourth;
  return fanin__of_squares(lead->mean, v, w * unit * unit, x);
}

/* Y of E43 */
static fanin_status weights_part(fanin__probe *p, size_t l, const leading *lead, fanin__cumulants *out) {
  const fanin__trace *const after = &p->trace[l + 1];
  const double n = (double)p->config->widths[l];
  float *const means = p->pairs.root, *const norms = means + p->mlp.subset, *const pairs = norms + p->mlp.subset;
  for (uint64_t k = 0; k < p->mlp.subset; k++) {
    means[k] = (float)(p->gradients.slope2[k * p->mlp.step] / (n * lead->slopes));
    norms[k] = (float)(after->dd[k * p->mlp.step] / lead->deltas);
  }
  const fanin__gradient_pairs of = {.delta_unit = 1 / lead->deltas,
                                    .slope_unit = 1 / (n * lead->slopes * lead->slopes),
                                    .inverse = after->ties.inverse,
                                    .share = n * after->ties.inverse,
                                    .means = means,
                                    .norms = norms,
                                    .squares = fanin__needs_squares(after),
                                    .skips = p->mlp.stages[l].to > 0};
  FANIN__TRY(fanin__mlp_gradient_pairs(&p->mlp, l, &of, pairs));
  const sums s = sums_of(p, l, lead, pairs);
  *out = weights_law(p, l, lead, &s);
  return FANIN_STATUS_OK;
}

/* U of E40. Where all that comes into the layer is 0, as behind a few features that are all dead, so is z, and phi' is
 * that at 0 itself: the left slope where there is a kink, as the device has it. */
static fanin_status slopes_at(fanin__probe *p, size_t l, double *out) {
  const fanin__trace *const t = &p->trace[l];
  const fanin__stage *const s = &p->mlp.stages[l];
  const double left = pow((s->gate > 0 ? s->activation->f : s->activation->df)(0, p->config->slope), 2);
  double mean = 0;
  FANIN__TRY(fanin__through(p, l, FANIN__SLOPE, t->measured, out, &mean));
  for (uint64_t a = 0; a < p->batch; a++) {
    if (t->measured[a] == 0) out[a] = left;
  }
  return FANIN_STATUS_OK;
}

/* E40, E43 */
fanin_status fanin__gradient_law(fanin__probe *p, size_t l, double *predicted, fanin__cumulants *law, double *noise) {
  const fanin__trace *const after = &p->trace[l + 1], *const t = &p->trace[l];
  const double batch = (double)p->batch, n = (double)p->config->widths[l];
  const leading lead = leading_of(p, l);
  const double rows = (double)p->mlp.stages[l].rows;
  const double dy = fanin__mean_of(p->gradients.dy, p->batch), g = fanin__mean_of(t->dd, p->batch);
  const double norm = dy > 0 ? g / dy : 1; /* what the norm measurably does */
  *law = (fanin__cumulants){0, 0, 0};
  *noise = 0;
  *predicted = lead.total / (batch * rows) * norm;
  if (!(lead.total > 0)) return FANIN_STATUS_OK;
  fanin__cumulants weights = {0, 0, 0}, activations = {0, 0, 0};
  if (lead.deltas > 0 && after->variance > 0) FANIN__TRY(weights_part(p, l, &lead, &weights));
  const fanin__stage *const s = &p->mlp.stages[l];
  const bool apart = s->norm != FANIN_NORM_BATCH && s->to == 0 && !s->divided;
  const bool through = apart && !fanin__begins_measured(p, l);
  if (apart) FANIN__TRY(fanin__activation_law(p, l, FANIN__SLOPE, after->dd, &activations));
  *noise = fanin__product(&activations, &weights).variance;
  if (through) {
    double sum = 0, *const v = p->scratch;
    FANIN__TRY(slopes_at(p, l, v));
    for (uint64_t a = 0; a < p->batch; a++) {
      sum += after->variance * after->dd[a] * v[a];
    }
    *predicted = sum / batch * norm * n / rows;
  }
  *law = through ? fanin__product(&activations, &weights) : weights;
  return FANIN_STATUS_OK;
}
