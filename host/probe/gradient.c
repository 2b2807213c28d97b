/* The law of the backward step of a probe.
 *
 * With delta = delta_{l+1}, W = W_{l+1} of variance sigma^2 and kurtosis k4, phi' = phi'(y_l) and s what a residual
 * connection adds, delta_l is dy = phi' (W^T delta + s), behind a norm some linear function of it. What is compared is
 *   T = sum over samples and features of dy^2   with   p = sigma^2 sum_a |delta_a|^2 n E[phi'(q_a)^2],
 * or, behind a batch norm or with s, with the same at the measured phi'. G_l is T times what the norm measurably does.
 *
 * Of the weights. The forward pass used the same W. But given z_a = W h_a, what is left of W is independent of delta_a,
 * which depends on W through z_a alone (output gradients and later weights are independent). So W^T delta_a is
 * h_a (delta_a . z_a) / |h_a|^2 plus a part orthogonal to h_a that has variance sigma^2 |delta_a|^2 in each of n - 1
 * directions, and T has exactly the mean
 *   sum_a [ sigma^2 |delta_a|^2 sum_j phi'_aj^2 + sum_j (s_aj phi'_aj)^2
 *           + ((delta_a . z_a)^2 / |h_a|^2 - sigma^2 |delta_a|^2) sum_j (h_aj phi'_aj)^2 / |h_a|^2
 *           + 2 (delta_a . z_a) sum_j h_aj s_aj phi'_aj^2 / |h_a|^2 ].
 * The last two lines are of relative order 1/n, as is the standard deviation of T where samples are many; all their
 * numbers are measured. To leading order the variance is that of a fresh W: features are independent, so with
 * D_ab = delta_a . delta_b, E_ab = sum_i delta_ai^2 delta_bi^2, S_ab = sum_j phi'_aj^2 phi'_bj^2 and F_ab = s_a . s_b
 *   variance = sum_ab [2 sigma^4 S_ab D_ab^2 + (k4 - 3) sigma^4 S_ab E_ab + 4 sigma^2 S_ab D_ab F_ab / n],
 *   third    = 8 sigma^6 sum_abc (sum_j phi'_aj^2 phi'_bj^2 phi'_cj^2) D_ab D_bc D_ca,
 * the last sum over j by n s_ab s_bc s_ca / (s_a s_b s_c), with S_ab = n s_ab and sum_j phi'_aj^2 = n s_a, which is
 * exact for independent samples, except where a = b = c, or a = b, where it is n s_aa s_ac / s_a. If z_{l+1} goes into
 * a batch norm, delta_a depends on every sample's z: no law.
 *
 * Orthogonal weights, sigma^2 = gain^2 / M an entry, M the larger extent: given z_a = W h_a, what is left of W turns
 * the rest of delta_a into any of n - 1 directions alike. With S_a = sum_j phi'_aj^2, H_a = sum_j (h_aj phi'_aj)^2 /
 * |h_a|^2 and d_a^2 = (delta_a . z_a)^2 / |h_a|^2, the mean has for the terms without s
 *   d_a^2 H_a + (sigma^2 |delta_a|^2 - d_a^2 / M) (S_a - H_a) / (1 - 1/M).
 * In the variance, what rotations keep takes from D_ab^2 and from S_ab:
 *   2 sigma^4 (S_ab - S_a S_b / M) (D_ab^2 - D_aa D_bb / M),
 * which leaves nothing where phi' is constant and W has as few rows as columns, or fewer. For one sample T is the sum
 * of phi'_j^2 x_j^2, x uniform on a sphere in M dimensions, and so, phi' being 0 beyond n,
 *   third = 8 sigma^6 |delta|^6 sum over j = 1 .. M of (phi'_j^2 - S / M)^3;
 * more samples have it at the number of independent ones that would have their variance. Rounding is as in
 * law.c.
 *
 * Of the activations: the mean over features of phi'^2 against its expectation at the measured q_a, as in law.c,
 * samples weighted by |delta_a|^2. */
#include <math.h>

#include "core/status.h"
#include "probe/probe.h"

/* sum_a of the mean of T as above, relative to its leading terms. */
typedef struct leading {
  double deltas; /* mean_a |delta_a|^2 */
  double slopes; /* mean over samples and features of phi'^2 */
  double total;  /* sum_a sigma^2 |delta_a|^2 sum_j phi'^2 + sum_j (s phi')^2 */
  double mean;   /* of T / total - 1 */
} leading;

bool fanin__needs_squares(const fanin__trace *t) {
  return t->excess != 0 || t->ties.rounding > 0;
}

static leading leading_of(const fanin__probe *p, size_t l) {
  const fanin__trace *const after = &p->trace[l + 1], *const t = &p->trace[l];
  const fanin__gradient_sums *const g = &p->gradients;
  const double variance = after->variance, n = (double)p->config->widths[l], inverse = after->ties.inverse;
  double total = 0, mean = 0;
  for (uint64_t a = 0; a < p->batch; a++) {
    const double own = variance * after->dd[a], hh = t->sums.hh[a], dz = after->dz[a];
    total += own * g->slope2[a] + g->skip_slope[a];
    mean += after->ties.excess * own * g->slope2[a];
    if (!(hh > 0)) continue;
    const double along = dz * dz / hh, h_slope = g->h_slope[a] / hh;
    mean += (along - own) * h_slope + 2 * dz * g->mixed_slope[a] / hh;
    if (inverse > 0 && inverse < 1) mean += (own - along) * (g->slope2[a] - h_slope) * inverse / (1 - inverse);
  }
  return (leading){.deltas = fanin__mean_of(after->dd, p->batch),
                   .slopes = fanin__mean_of(g->slope2, p->batch) / n,
                   .total = total,
                   .mean = total > 0 ? mean / total : 0};
}

/* Sums over a, b and c in units of (n slopes deltas)^2 or ^3, diagonal terms from the whole batch, others from the
 * subset. */
typedef struct sums {
  double gaussian, kurtic, skips, cubes;
  double untied;        /* gaussian without what orthogonal weights take away, s_ab^2 / (s_a s_b) for s_ab */
  double second, third; /* means over the batch of what the sum for one sample has */
} sums;

static sums sums_of(const fanin__probe *p, size_t l, const leading *lead, const float *pairs) {
  const uint64_t m = p->mlp.subset;
  const fanin__trace *const after = &p->trace[l + 1];
  const fanin__gradient_sums *const g = &p->gradients;
  const double n = (double)p->config->widths[l], batch = (double)p->batch, size = (double)m;
  const double s2 = 1 / (n * lead->slopes * lead->slopes), s3 = s2 / lead->slopes, d = 1 / lead->deltas;
  const double inverse = after->ties.inverse;
  sums own = {0}, other = {0};
  for (uint64_t a = 0; a < p->batch; a++) {
    const double da = after->dd[a] * d, sa = g->slope4[a] * s2, slope2 = g->slope2[a], at = slope2 * inverse;
    const double mean = slope2 / (n * lead->slopes), tied = sa - n * inverse * mean * mean;
    own.gaussian += tied * da * da * (1 - inverse);
    own.untied += sa * da * da;
    own.second += tied / batch;
    own.third += (g->slope6[a] - 3 * at * g->slope4[a] + 2 * at * at * slope2) * s3 / batch;
    own.kurtic += sa * after->dddd[a] * d * d;
    if (g->slope2[a] > 0) own.skips += sa * da * g->skip_slope[a] / (g->slope2[a] / n) * d;
    own.cubes += g->slope6[a] * s3 * da * da * da;
  }
  double mixed = 0, counted = 0; /* where two or three of a, b and c agree: as it is, and as t has it */
  for (uint64_t k = 0; k < m; k++) {
    const uint64_t a = k * p->mlp.step;
    const double share = g->slope2[a] / (n * lead->slopes);
    const double diagonal = share > 0 ? g->slope4[a] * s2 * after->dd[a] * d / share : 0;
    other.gaussian += (double)pairs[k];
    other.kurtic += (double)pairs[m + k];
    other.skips += (double)pairs[2 * m + k];
    mixed += diagonal * (double)pairs[k];
    counted += 3 * diagonal * (double)pairs[3 * m + k] + diagonal * diagonal * diagonal;
    other.untied += (double)pairs[3 * m + k];
    other.cubes += (double)pairs[4 * m + k];
  }
  const double pair = m > 1 ? batch * (batch - 1) / (size * (size - 1)) : 0;
  const double triple = m > 2 ? pair * (batch - 2) / (size - 2) : 0;
  return (sums){.gaussian = own.gaussian + pair * other.gaussian,
                .untied = own.untied + pair * other.untied,
                .second = own.second,
                .third = own.third,
                .kurtic = own.kurtic + pair * other.kurtic,
                .skips = own.skips + pair * other.skips,
                .cubes = own.cubes + 3 * pair * mixed + triple * fmax(other.cubes - counted, 0)};
}

/* Variance and third cumulant of T in units of (n slopes deltas sigma^2)^2 and ^3. */
static fanin__cumulants independent_law(const fanin__probe *p, size_t l, const sums *s) {
  const fanin__trace *const after = &p->trace[l + 1];
  const double n = (double)p->config->widths[l];
  const double gaussian = 2 * s->gaussian / n + 4 * s->skips / (after->variance * n * n);
  const double ratio = fmax(gaussian + after->excess * s->kurtic / n, 0) / gaussian;
  return (fanin__cumulants){0, ratio * gaussian, 8 * ratio * ratio * s->cubes / (n * n)};
}

static fanin__cumulants orthogonal_law(const fanin__probe *p, size_t l, const sums *s) {
  const fanin__ties *const ties = &p->trace[l + 1].ties;
  const double n = (double)p->config->widths[l], batch = (double)p->batch, inverse = ties->inverse;
  const double tied = fmax(s->gaussian, 0), samples = s->second > 0 ? tied / s->second : 0;
  const double exact = inverse < 1 ? 1 / ((1 - inverse) * (1 + 2 * inverse)) : 1;
  const double skips = 4 * s->skips / (p->trace[l + 1].variance * n * n);
  const double rounding = 2 * ties->rounding * (2 * s->untied + 4 * s->kurtic) / n;
  return (fanin__cumulants){.mean = 0,
                            .variance = 2 * tied * exact / n + skips + rounding + ties->floor * batch * batch,
                            .third = 8 * s->third * samples * samples / (n * n) / batch};
}

/* The cumulants of T / total - 1. */
static fanin_status weights_law(fanin__probe *p, size_t l, const leading *lead, fanin__cumulants *out) {
  const fanin__trace *const after = &p->trace[l + 1];
  const double n = (double)p->config->widths[l];
  float *const roots = p->pairs, *const norms = roots + p->mlp.subset, *const pairs = norms + p->mlp.subset;
  for (uint64_t k = 0; k < p->mlp.subset; k++) {
    const double slopes = p->gradients.slope2[k * p->mlp.step];
    roots[k] = slopes > 0 ? (float)sqrt(n * lead->slopes / slopes) : 0;
    norms[k] = (float)(after->dd[k * p->mlp.step] / lead->deltas);
  }
  const fanin__gradient_pairs of = {.delta_unit = 1 / lead->deltas,
                                    .slope_unit = 1 / (n * lead->slopes * lead->slopes),
                                    .inverse = after->ties.inverse,
                                    .share = n * after->ties.inverse,
                                    .roots = roots,
                                    .norms = norms,
                                    .squares = fanin__needs_squares(after),
                                    .skips = p->mlp.stages[l + 1].skip};
  FANIN__TRY(fanin__mlp_gradient_pairs(&p->mlp, l, &of, pairs));
  const sums s = sums_of(p, l, lead, pairs);
  const double unit = n * lead->slopes * lead->deltas * after->variance / lead->total; /* of T in total */
  const fanin__cumulants law = after->ties.inverse > 0 ? orthogonal_law(p, l, &s) : independent_law(p, l, &s);
  *out = (fanin__cumulants){lead->mean, law.variance * unit * unit, law.third * unit * unit * unit};
  return FANIN_STATUS_OK;
}

fanin_status fanin__gradient_law(fanin__probe *p, size_t l, double *predicted, fanin__cumulants *law) {
  const fanin__trace *const after = &p->trace[l + 1], *const t = &p->trace[l];
  const double batch = (double)p->batch, n = (double)p->config->widths[l];
  const leading lead = leading_of(p, l);
  const double dy = fanin__mean_of(p->gradients.dy, p->batch) / n, g = fanin__mean_of(t->dd, p->batch) / n;
  const double norm = dy > 0 ? g / dy : 1; /* what the norm measurably does */
  *law = (fanin__cumulants){0, 0, 0};
  *predicted = lead.total / (batch * n) * norm;
  if (!(lead.total > 0)) return FANIN_STATUS_OK;
  fanin__cumulants weights = {0, 0, 0}, activations = {0, 0, 0};
  if (lead.deltas > 0 && after->variance > 0) FANIN__TRY(weights_law(p, l, &lead, &weights));
  const bool through = p->mlp.stages[l].norm != FANIN_NORM_BATCH && !p->mlp.stages[l + 1].skip;
  if (through) {
    double mean = 0, *const v = p->scratch;
    FANIN__TRY(fanin__through(p, l, FANIN__SLOPE, t->measured, v, &mean));
    double sum = 0;
    for (uint64_t a = 0; a < p->batch; a++) {
      sum += after->variance * after->dd[a] * v[a];
    }
    *predicted = sum / batch * norm;
    FANIN__TRY(fanin__activation_law(p, l, FANIN__SLOPE, after->dd, &activations));
    const double shift = activations.mean;
    activations = fanin__scaled(&activations, 1 + lead.mean); /* all of T's mean fluctuates with it */
    activations.mean = shift;
  }
  *law = fanin__product(&activations, &weights);
  return FANIN_STATUS_OK;
}
