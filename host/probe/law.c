/* The law of the forward step of a probe: mean, variance and third cumulant of q_l / predicted - 1. docs/probe-law.md
 * derives it; E17 to E31 and the symbols here are that page's. */
#include <math.h>
#include <string.h>

#include "core/status.h"
#include "probe/probe.h"

double fanin__mean_of(const double *x, uint64_t n) {
  double sum = 0;
  for (uint64_t a = 0; a < n; a++) {
    sum += x[a];
  }
  return sum / (double)n;
}

/* What the activation after layer l does to the mean over samples of g_a V(K_aa), which is v, relative to it. */
typedef struct activation_law {
  double v;
  double own;  /* E27's terms with a = b */
  double mean; /* E28 */
} activation_law;

static bool behind_layer_norm(const fanin__probe *p, size_t l) {
  return p->mlp.stages[l].norm == FANIN_NORM_LAYER;
}

/* What stands before c^k in E27, k = 0 .. 16: V a_k and V rest (E7), without those that are none of psi's (E26; behind
 * a layer norm E30); in E71 the difference of the two parts of order 2, and in `b` what has the second factor's He_2.
 */
typedef struct powers {
  double a[FANIN__CURVE_VALUES], b[FANIN__CURVE_VALUES];
} powers;

static powers powers_of(const fanin__probe *p, size_t l, const fanin__unit_values *values) {
  enum { LAST = FANIN__CURVE_VALUES - 1 };
  powers of;
  memcpy(of.a, values->a, sizeof of.a);
  memset(of.b, 0, sizeof of.b);
  of.a[2] = values->b[0] > 0 ? (values->a[2] - values->b[0]) / sqrt(2) : 0;
  if (behind_layer_norm(p, l)) of.a[1] = 0;
  for (int k = 1; k + 2 < LAST; k++) {
    of.b[k + 2] = values->b[k];
  }
  of.b[LAST] = hypot(values->b[LAST - 2], hypot(values->b[LAST - 1], values->b[LAST]));
  return of;
}

/* Of number a of the subset: the coefficients of c^1, ..., c^16 times `unit`. */
static void pair_coefficients(const fanin__probe *p, const double *of, uint64_t a, double unit, float *coefficients) {
  for (int k = 1; k <= FANIN__PAIR_POWERS; k++) {
    coefficients[(uint64_t)(k - 1) * p->mlp.subset + a] = (float)(of[k] * unit);
  }
}

_Static_assert((int)FANIN__PAIR_POWERS == (int)FANIN__CURVE_VALUES - 1, "a power of c for each value but V itself");

/* Adds sample a to the terms of E27 and E71 with a = b, and to E28; g: its weight. */
static void own_part(const fanin__probe *p, size_t l, const fanin__unit_values *values, uint64_t a, double g,
                     activation_law *law) {
  const fanin__trace *const t = &p->trace[l];
  const double rows = (double)p->mlp.stages[l].rows, q = t->expected[a];
  const powers of = powers_of(p, l, values);
  for (int k = 1; k < FANIN__CURVE_VALUES; k++) {
    law->own += g * g * (of.a[k] * of.a[k] + of.b[k] * of.b[k]);
  }
  const double hhhh = p->trace[l - 1].sums.hhhh[a];
  const double kurtic = q > 0 ? t->excess * t->variance * t->variance * hhhh / (q * q) : 0;
  const double curvature = sqrt(1.5) * values->a[4] + values->b[2]; /* q^2 V'': E5, E70 */
  law->v += g * values->a[0];
  law->mean += g * (values->a[4] * kurtic / sqrt(24) - curvature / rows);
}

/* The terms of E27 with a = b, E28, and the coefficients of the other terms, in two sets: the second is that of a gated
 * unit's b. g: weights of the samples; NULL: 1. */
static fanin_status activation_law_of(const fanin__probe *p, size_t l, fanin__function function, const double *g,
                                      float *const coefficients[2], activation_law *out) {
  fanin__unit_curve curve;
  fanin__unit_values values;
  activation_law law = {0, 0, 0};
  const double *const q = p->trace[l].expected;
  FANIN__TRY(fanin__unit_curve_open(p, l, function, q, FANIN__CURVE_VALUES, &curve));
  for (uint64_t a = 0; a < p->batch; a++) {
    fanin__unit_at(p, l, &curve, q[a], &values);
    own_part(p, l, &values, a, g ? g[a] : 1, &law);
  }
  const double batch = (double)p->batch;
  law.v /= batch;
  const double unit = law.v > 0 ? 1 / law.v : 1;
  law.mean *= unit / batch;
  law.own *= unit * unit / batch;
  for (uint64_t k = 0; k < p->mlp.subset; k++) {
    const uint64_t a = k * p->mlp.step;
    fanin__unit_at(p, l, &curve, q[a], &values);
    const powers of = powers_of(p, l, &values);
    pair_coefficients(p, of.a, k, (g ? g[a] : 1) * unit, coefficients[0]);
    pair_coefficients(p, of.b, k, (g ? g[a] : 1) * unit, coefficients[1]);
  }
  fanin__unit_curve_close(&curve);
  *out = law;
  return FANIN_STATUS_OK;
}

/* Means over all pairs and triples of the batch. */
typedef struct pair_means {
  double sums;    /* mean_ab K_ab / p0 */
  double squares; /* mean_ab K_ab^2 / p0^2 */
  double cubes;   /* tr(K^3) / (B p0)^3 */
  double series;  /* E27's terms with a != b */
} pair_means;

/* E15, E16 */
static pair_means means_of(const fanin__probe *p, const double *expected, double p0) {
  const fanin__pairs *const pairs = &p->pairs;
  const double m = (double)p->mlp.subset, batch = (double)p->batch, other = 1 - 1 / batch;
  double sums = 0, squares = 0, series = 0, cubes = 0, own2 = 0, mixed = 0, own3 = 0;
  for (uint64_t a = 0; a < p->mlp.subset; a++) {
    const double own = expected[a * p->mlp.step] / p0;
    sums += (double)pairs->sums[a];
    squares += (double)pairs->squares[a];
    series += (double)pairs->series[a];
    cubes += (double)pairs->cubes[a];
    mixed += own * (double)pairs->squares[a];
    own3 += own * own * own;
  }
  for (uint64_t a = 0; a < p->batch; a++) {
    own2 += pow(expected[a] / p0, 2);
  }
  const double pair_count = m * (m - 1), triple_count = pair_count * (m - 2);
  pair_means means = {.sums = 1 / batch, .squares = own2 / (batch * batch), .cubes = own3 / (m * batch * batch)};
  if (m > 1) {
    means.sums += other * sums / pair_count;
    means.squares += other * squares / pair_count;
    means.series = other * series / pair_count;
    means.cubes += 3 * other * mixed / (pair_count * batch);
  }
  if (m > 2) means.cubes += other * (1 - 2 / batch) * fmax(cubes - 3 * mixed - own3, 0) / triple_count;
  return means;
}

/* The expansion's coefficients as fanin__unit_at() has them, in units of V. */
static powers powers_in(const fanin__probe *p, size_t l, const fanin__expansion *e) {
  fanin__unit_values values = {.a = {[FANIN__ORDERS] = e->rest}, .b = {[FANIN__ORDERS] = e->b_rest}};
  memcpy(values.a, e->a, sizeof e->a);
  memcpy(values.b, e->b, sizeof e->b);
  return powers_of(p, l, &values);
}

/* E41 times n; e: the expansion of phi'^2, and t->phi that of phi^2. */
static double weighting(const fanin__probe *p, size_t l, const fanin__expansion *e) {
  const fanin__trace *const t = &p->trace[l];
  const powers phi = powers_in(p, l, &t->phi), slope = powers_in(p, l, e);
  double sum = 0, power = 1;
  for (int k = 1; k < FANIN__ORDERS; k++) {
    power *= t->z_correlation;
    sum += (phi.a[k] * slope.a[k] + phi.b[k] * slope.b[k]) * (1 - power);
  }
  return p->trace[l + 1].response * sum;
}

/* The activations' cumulants: E27, E28 and E41, E29. Keeps what E41 and E42 need. */
static fanin__cumulants cumulants_of(fanin__probe *p, size_t l, fanin__function function, double p0,
                                     const activation_law *law, double series) {
  fanin__trace *const t = &p->trace[l];
  const double width = (double)p->config->widths[l], variance = law->own / (double)p->batch + series;
  const double q = behind_layer_norm(p, l) ? 1 : p0;
  const fanin__expansion e = fanin__unit_expand(p, l, function, q);
  const double single = fanin__kappa_residual(&e), sensitivity = behind_layer_norm(p, l) ? 0 : fanin__sensitivity(&e);
  double mean = law->mean;
  if (function == FANIN__PHI) {
    t->sensitivity = sensitivity;
    t->phi = e;
  } else {
    t->slope_sensitivity = sensitivity;
    t->slope_ratio = 1 + fanin__kappa(&e, 1);
    mean += weighting(p, l, &e) / width;
  }
  const double ratio = single > 1e-12 ? variance / single : 0; /* N */
  return (fanin__cumulants){mean, fmax(variance, 0) / width, e.third * ratio * ratio / (width * width)};
}

/* E67: biases that are given, and not drawn, do not vary. `bias` is their mean square's share. */
static void fix_biases(pair_means *means, double bias) {
  means->squares -= bias * bias;
  means->cubes -= bias * bias * (3 * (means->sums - bias) + bias);
}

/* The means over pairs of K_ab (E17) of layer l, and the law of the activation after it. */
static fanin_status pass(fanin__probe *p, size_t l, const fanin__function *function, const double *g, double p0,
                         bool cubes, activation_law *law, pair_means *means) {
  const size_t m = (size_t)p->mlp.subset, size = FANIN__PAIR_POWERS * m;
  const fanin__trace *const t = &p->trace[l];
  const fanin__pairs *const pairs = &p->pairs;
  *law = (activation_law){0, 0, 0};
  memset(pairs->coefficients, 0, 2 * size * sizeof *pairs->coefficients);
  for (size_t k = 0; k < m; k++) {
    const double q = t->expected[k * p->mlp.step];
    pairs->root[k] = q > 0 ? (float)sqrt(p0 / q) : 0;
  }
  float *const coefficients[2] = {pairs->coefficients, pairs->coefficients + size};
  if (function) FANIN__TRY(activation_law_of(p, l, *function, g, coefficients, law));
  const double n_in = (double)p->config->widths[l - 1];
  const double h_rms = sqrt(fanin__mean_of(p->trace[l - 1].sums.hh, p->batch) / n_in);
  const double share = t->variance * h_rms * h_rms / p0; /* of one input's mean square in p0 */
  double gated = 0;
  if (function && p->mlp.stages[l].gate > 0) {
    fanin__pairs of_gate = *pairs;
    of_gate.coefficients = coefficients[1];
    FANIN__TRY(fanin__mlp_pairs(&p->mlp, l - 1, h_rms, share, t->bias_variance / p0, false, &of_gate));
    gated = means_of(p, t->expected, p0).series;
  }
  FANIN__TRY(fanin__mlp_pairs(&p->mlp, l - 1, h_rms, share, t->bias_variance / p0, cubes, pairs));
  *means = means_of(p, t->expected, p0);
  means->series += gated;
  if (t->given_biases) fix_biases(means, t->bias_variance / p0);
  return FANIN_STATUS_OK;
}

static const fanin__function phi = FANIN__PHI;

/* sigma^4 sum_j (mean_a h_aj^2)^2 / p0^2, of E18 and E22 */
static fanin_status squares_of_columns(fanin__probe *p, size_t l, double p0, double *out) {
  const double n_in = (double)p->config->widths[l - 1];
  const double h_rms = sqrt(fanin__mean_of(p->trace[l - 1].sums.hh, p->batch) / n_in);
  const double share = p->trace[l].variance * h_rms * h_rms / p0;
  *out = 0;
  if (!(share > 0)) return FANIN_STATUS_OK;
  FANIN__TRY(fanin__mlp_columns(&p->mlp, l - 1, h_rms, out));
  *out *= share * share;
  return FANIN_STATUS_OK;
}

/* E18, E19 */
static fanin_status independent_law(fanin__probe *p, size_t l, double p0, const pair_means *means,
                                    fanin__cumulants *out) {
  const double width = (double)p->mlp.stages[l].rows, excess = p->trace[l].excess, gaussian = 2 * means->squares;
  double columns = 0;
  if (excess != 0) FANIN__TRY(squares_of_columns(p, l, p0, &columns));
  const double ratio = fmax(gaussian + excess * columns, 0) / gaussian;
  *out = (fanin__cumulants){0, ratio * gaussian / width, 8 * ratio * ratio * means->cubes / (width * width)};
  return FANIN_STATUS_OK;
}

/* E20 to E24. All relative to p0, of which biases have the share `bias`. */
static fanin_status orthogonal_law(fanin__probe *p, size_t l, double p0, const pair_means *means,
                                   fanin__cumulants *out) {
  const fanin__trace *const t = &p->trace[l];
  const fanin__ties *const ties = &t->ties;
  const double drawn = t->given_biases ? 0 : 1, width = (double)p->mlp.stages[l].rows, bias = t->bias_variance / p0,
               own = 1 - bias;
  const double sums = means->sums - bias;                                        /* mean_ab S_ab */
  const double squares = means->squares - 2 * bias * sums - drawn * bias * bias; /* mean_ab S_ab^2 */
  const double x = width * ties->inverse;
  const double w = 2 * (1 - x) * fmax(squares - own * own * ties->inverse, 0) / width;
  const double biases = 2 * (2 * bias * sums + drawn * bias * bias) / width;
  double columns = 0;
  if (ties->rounding > 0) FANIN__TRY(squares_of_columns(p, l, p0, &columns));
  const double rounding = 2 * ties->rounding * (2 * squares + 4 * columns) / width;
  *out = fanin__of_squares(0, w + biases + rounding + ties->floor, w, x);
  return FANIN_STATUS_OK;
}

/* X and A of E31 */
fanin_status fanin__forward_law(fanin__probe *p, size_t l, double p0, fanin__cumulants *weights,
                                fanin__cumulants *activations) {
  activation_law law;
  pair_means means;
  const bool tied = p->trace[l].ties.inverse > 0;
  FANIN__TRY(pass(p, l, activations ? &phi : NULL, NULL, p0, !tied, &law, &means));
  FANIN__TRY(tied ? orthogonal_law(p, l, p0, &means, weights) : independent_law(p, l, p0, &means, weights));
  if (activations) *activations = cumulants_of(p, l, FANIN__PHI, p0, &law, means.series);
  return FANIN_STATUS_OK;
}

/* A of E43 */
fanin_status fanin__activation_law(fanin__probe *p, size_t l, fanin__function function, const double *g,
                                   fanin__cumulants *out) {
  activation_law law;
  pair_means means;
  const double p0 = fanin__mean_of(p->trace[l].expected, p->batch);
  *out = (fanin__cumulants){0, 0, 0};
  if (!(p0 > 0)) return FANIN_STATUS_OK;
  FANIN__TRY(pass(p, l, &function, g, p0, false, &law, &means));
  *out = cumulants_of(p, l, function, p0, &law, means.series);
  return FANIN_STATUS_OK;
}

/* V(q_a) or U(q_a), of E25, E40, E51 and E54 */
fanin_status fanin__through(const fanin__probe *p, size_t l, fanin__function function, const double *q, double *out,
                            double *mean) {
  fanin__unit_curve curve;
  fanin__unit_values values;
  FANIN__TRY(fanin__unit_curve_open(p, l, function, q, 1, &curve));
  for (uint64_t a = 0; a < p->batch; a++) {
    fanin__unit_at(p, l, &curve, q[a], &values);
    out[a] = values.a[0];
  }
  fanin__unit_curve_close(&curve);
  *mean = fanin__mean_of(out, p->batch);
  return FANIN_STATUS_OK;
}

bool fanin__begins_measured(const fanin__probe *p, size_t l) {
  enum { FEW = 10 }; /* 2^-10 is the rate of false alarms */
  return p->trace[l].given_biases || p->config->widths[l] < FEW;
}
