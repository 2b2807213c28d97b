/* The law of the forward step of a probe.
 *
 * Layer l has z = W h + b with B samples, n_in inputs, n features, and W of variance sigma^2 and kurtosis k4. Given h,
 * features are independent, and samples a and b have the covariance K_ab = sigma^2 h_a . h_b + sigma_b^2. So
 *   q = mean over samples and features of z^2
 * has, given h, the mean p0 = mean_a K_aa and the cumulants
 *   variance = (2 mean_ab K_ab^2 + (k4 - 3) sigma^4 sum_j (mean_a h_aj^2)^2) / n,
 *   third    = 8 tr(K^3) / (B^3 n^2)
 * ("of the weights"). The third is that of Gaussian weights; others get it times the square of the ratio of the two
 * variances, as for sums of gamma variables: at 8 uniform inputs that brings P(z < -3) from 1.4 % to 0.2 %.
 *
 * Orthogonal weights, of extents n and n_in and M = max(n, n_in), have the same sigma^2 = gain^2 / M an entry, and
 * W^T W = sigma^2 M times a projection onto n of M dimensions: the identity for n >= n_in, where sum |W h_a|^2 is
 * exact, else a random one. Its mean is as above. By invariance under rotations, and as a Beta variable has it for one
 * sample, it has for 2 mean_ab S_ab^2, S_ab = sigma^2 h_a . h_b, the variance
 *   2 (1 - n/M) (mean_ab S_ab^2 - (mean_a S_aa)^2 / M) / ((1 - 1/M) (1 + 2/M)).
 * Biases are Gaussian still. The third cumulant is a Beta variable's,
 *   8 (1 - n/M) (1 - 2n/M) / n^2
 * for one sample, at the number of samples that would have the same variance, with Gaussian terms for the biases.
 * Rounding to 16 bits adds errors E to W that are independent from entry to entry, of variance `rounding` W_ij^2. They
 * come into sum |W h_a|^2 as 2 sum_a h_a^T W^T E h_a, with 2 rounding times the variance that independent weights of
 * k4 = 7 would give: W_ij is in it twice; and raise its mean by `excess`.
 *
 * The prediction does not take p0 but goes through the activation, from the q_a measured one layer before:
 *   p = sigma^2 n_in mean_a V(q_a) + sigma_b^2
 * Against it, p0 differs by the mean over features of psi_a = phi(z_a)^2 - V - V' (z_a^2 - q_a): comparing at the
 * measured q_a takes the second Hermite component out. With the coefficients a_k of phi^2 / V (meanfield.h), the
 * relative variance of that ("of the activations") is, by Mehler's formula,
 *   mean_ab of the sum over k >= 1, k != 2 of V_a V_b a_k(q_a) a_k(q_b) c_ab^k / (V^2 n_in),
 * with the correlations c_ab = K_ab / sqrt(K_aa K_bb) of the layer before. Its mean is -V'' Var(q_a) / 2, for the
 * curvature of V, plus g a_4 / sqrt(24), for the excess kurtosis g that z takes from the weights'.
 *
 * Behind a layer norm, q_a is 1 and the mean of y_a is 0, both exactly: the first component goes with the second, and
 * what the curvature was is then the kurtosis 3 - 6 / n of n numbers that were standardised; it comes to the same.
 *
 * All that needs of W is that z, given the q_a, points anywhere alike, so that it is the same for orthogonal weights.
 *
 * The two parts are uncorrelated, and so are the residuals of different layers. The law of gradients has the same
 * second part, of phi'^2 in place of phi^2, with samples weighted by their gradients. */
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

/* What the activation after layer l does, from its values at every K_aa, relative to v0 = mean_a g_a V(K_aa): the part
 * of one sample with itself, the mean, and the coefficients by which pairs add up. */
typedef struct activation_law {
  double v0, own, mean;
} activation_law;

static bool behind_layer_norm(const fanin__probe *p, size_t l) {
  return p->mlp.stages[l].norm == FANIN_NORM_LAYER;
}

/* Whether the mean square moves with Hermite component k, which the comparison does not take out. */
static bool counts(bool layer_norm, int k) {
  return k != 2 && !(layer_norm && k == 1);
}

/* By sample a of the subset: 1 / sqrt(K_aa / p0) and the coefficients of c^1, ..., c^16. */
static void pair_coefficients(const fanin__probe *p, size_t l, const double *values, uint64_t a, double unit,
                              float *coefficients) {
  const uint64_t m = p->mlp.subset;
  const bool layer_norm = behind_layer_norm(p, l);
  for (int k = 1; k <= FANIN__PAIR_POWERS; k++) {
    coefficients[(uint64_t)(k - 1) * m + a] = counts(layer_norm, k) ? (float)(values[k] * unit) : 0;
  }
}

_Static_assert((int)FANIN__PAIR_POWERS == (int)FANIN__CURVE_VALUES - 1, "a power of c for each value but V itself");

/* values: V, V a_1, ..., V rest of every sample in turn; g: its weight. */
static void own_part(const fanin__probe *p, size_t l, const double *values, uint64_t a, double g, activation_law *law) {
  const fanin__trace *const t = &p->trace[l];
  const bool layer_norm = behind_layer_norm(p, l);
  const double n = (double)p->config->widths[l], q = t->expected[a];
  for (int k = 1; k < FANIN__CURVE_VALUES; k++) {
    if (counts(layer_norm, k)) law->own += g * values[k] * g * values[k];
  }
  const double hhhh = p->trace[l - 1].sums.hhhh[a];
  const double excess = q > 0 ? t->excess * t->variance * t->variance * hhhh / (q * q) : 0;
  law->v0 += g * values[0];
  law->mean += g * values[4] * (excess / sqrt(24) - sqrt(1.5) * (1 + 0.5 * excess) / n);
}

/* The curve of layer l's activation over the samples' q. */
static fanin_status curve_of(const fanin__probe *p, size_t l, fanin__function function, const double *q, int values,
                             fanin__curve *out) {
  static const double one = 1;
  const bool normed = p->mlp.stages[l].norm != FANIN_NORM_NONE;
  return fanin__curve_of_square(p->activation, function, p->config->slope, normed ? &one : q,
                                normed ? 1 : (size_t)p->batch, values, out);
}

static void values_at(const fanin__probe *p, size_t l, const fanin__curve *curve, double q, double *values) {
  fanin__curve_at(curve, p->mlp.stages[l].norm != FANIN_NORM_NONE ? 1 : q, values);
}

static fanin_status activation_law_of(const fanin__probe *p, size_t l, fanin__function function, const double *g,
                                      float *coefficients, activation_law *out) {
  fanin__curve curve;
  double values[FANIN__CURVE_VALUES];
  activation_law law = {0, 0, 0};
  const double *const q = p->trace[l].expected;
  FANIN__TRY(curve_of(p, l, function, q, FANIN__CURVE_VALUES, &curve));
  for (uint64_t a = 0; a < p->batch; a++) {
    values_at(p, l, &curve, q[a], values);
    own_part(p, l, values, a, g ? g[a] : 1, &law);
  }
  const double batch = (double)p->batch;
  law.v0 /= batch;
  const double unit = law.v0 > 0 ? 1 / law.v0 : 1;
  law.mean *= unit / batch;
  law.own *= unit * unit / batch;
  for (uint64_t k = 0; k < p->mlp.subset; k++) {
    const uint64_t a = k * p->mlp.step;
    values_at(p, l, &curve, q[a], values);
    pair_coefficients(p, l, values, k, (g ? g[a] : 1) * unit, coefficients);
  }
  fanin__curve_free(&curve);
  *out = law;
  return FANIN_STATUS_OK;
}

/* Means over all pairs and triples of the batch, from those of the subset: pairs a != b and triples of three different
 * samples are averaged over the subset, and weighted as they occur in the batch. */
typedef struct pair_means {
  double sums;    /* mean_ab K_ab / p0 */
  double squares; /* mean_ab K_ab^2 / p0^2 */
  double cubes;   /* tr(K^3) / (B p0)^3 */
  double series;  /* mean of the pairs' series over a != b only */
} pair_means;

static pair_means means_of(const fanin__probe *p, const double *expected, double p0, const fanin__pairs *pairs) {
  const double m = (double)p->mlp.subset, batch = (double)p->batch, other = 1 - 1 / batch;
  double sums = 0, squares = 0, series = 0, cubes = 0, own2 = 0, mixed = 0, own3 = 0;
  for (uint64_t a = 0; a < p->mlp.subset; a++) {
    const double own = expected[a * p->mlp.step] / p0;
    sums += (double)pairs->sums[a];
    squares += (double)pairs->squares[a];
    series += (double)pairs->series[a];
    cubes += pairs->cubes ? (double)pairs->cubes[a] : 0;
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

/* Samples are weighted by gradients that answer to |h_l|^2, which fluctuates with the same features: the mean of
 *   response (psi_a - weighted mean of psi) psi'_a
 * over samples, psi of phi^2 and psi' of phi'^2, with the mean correlation for that of each pair. */
static double weighting(const fanin__probe *p, size_t l, const fanin__expansion *e) {
  const fanin__trace *const t = &p->trace[l];
  const bool layer_norm = behind_layer_norm(p, l);
  double sum = 0, power = 1;
  for (int k = 1; k < FANIN__ORDERS; k++) {
    power *= t->z_correlation;
    if (counts(layer_norm, k)) sum += t->phi[k] * e->a[k] * (1 - power);
  }
  return p->trace[l + 1].response * p->trace[l + 1].share * sum * (1 - 1 / (double)p->batch);
}

/* The third cumulant of the activations' part: exact for one sample and for independent ones, between them by the
 * number of samples that would have the same variance. */
static fanin__cumulants cumulants_of(fanin__probe *p, size_t l, fanin__function function, double p0,
                                     const activation_law *law, double series) {
  fanin__trace *const t = &p->trace[l];
  const double width = (double)p->config->widths[l], variance = law->own / (double)p->batch + series;
  const double q = behind_layer_norm(p, l) ? 1 : p0;
  const fanin__expansion e = fanin__expand_square(p->activation, function, p->config->slope, q);
  const double single = fanin__kappa_residual(&e), sensitivity = behind_layer_norm(p, l) ? 0 : e.a[2] / sqrt(2);
  double mean = law->mean;
  if (function == FANIN__PHI) {
    t->sensitivity = sensitivity;
    memcpy(t->phi, e.a, sizeof t->phi);
  } else {
    t->slope_sensitivity = sensitivity;
    t->slope_ratio = 1 + fanin__kappa(&e, 1);
    mean += weighting(p, l, &e) / width;
  }
  const double share = single > 1e-12 ? variance / single : 0;
  return (fanin__cumulants){mean, fmax(variance, 0) / width, e.third * share * share / (width * width)};
}

/* Runs over the pairs of layer l's z; *law is of the activation after it. */
static fanin_status pass(fanin__probe *p, size_t l, const fanin__function *function, const double *g, double p0,
                         bool cubes, activation_law *law, pair_means *means) {
  const size_t m = (size_t)p->mlp.subset;
  const fanin__trace *const t = &p->trace[l];
  float *const root = p->pairs, *const coefficients = root + m, *const out = coefficients + FANIN__PAIR_POWERS * m;
  const fanin__pairs pairs = {root, coefficients, out, out + m, out + 2 * m, cubes ? out + 3 * m : NULL};
  *law = (activation_law){0, 0, 0};
  for (size_t k = 0; k < FANIN__PAIR_POWERS * m; k++) {
    coefficients[k] = 0;
  }
  for (size_t k = 0; k < m; k++) {
    const double q = t->expected[k * p->mlp.step];
    root[k] = q > 0 ? (float)sqrt(p0 / q) : 0;
  }
  if (function) FANIN__TRY(activation_law_of(p, l, *function, g, coefficients, law));
  const double n_in = (double)p->config->widths[l - 1];
  const double h_rms = sqrt(fanin__mean_of(p->trace[l - 1].sums.hh, p->batch) / n_in);
  const double share = t->variance * h_rms * h_rms / p0; /* of one input's mean square in p0 */
  FANIN__TRY(fanin__mlp_pairs(&p->mlp, l - 1, h_rms, share, p->bias_variance / p0, &pairs));
  *means = means_of(p, t->expected, p0, &pairs);
  return FANIN_STATUS_OK;
}

static const fanin__function phi = FANIN__PHI;

/* sigma^4 sum_j (mean_a h_aj^2)^2 / p0^2 */
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

static fanin_status independent_law(fanin__probe *p, size_t l, double p0, const pair_means *means,
                                    fanin__cumulants *out) {
  const double width = (double)p->config->widths[l], excess = p->trace[l].excess, gaussian = 2 * means->squares;
  double columns = 0;
  if (excess != 0) FANIN__TRY(squares_of_columns(p, l, p0, &columns));
  const double ratio = fmax(gaussian + excess * columns, 0) / gaussian;
  *out = (fanin__cumulants){0, ratio * gaussian / width, 8 * ratio * ratio * means->cubes / (width * width)};
  return FANIN_STATUS_OK;
}

/* All relative to p0, of which biases have the share `bias`. */
static fanin_status orthogonal_law(fanin__probe *p, size_t l, double p0, const pair_means *means,
                                   fanin__cumulants *out) {
  const fanin__ties *const ties = &p->trace[l].ties;
  const double width = (double)p->config->widths[l], bias = p->bias_variance / p0;
  const double inverse = ties->inverse, wide = fmax(1 - width * inverse, 0), own = 1 - bias;
  const double sums = means->sums - bias; /* mean_ab S_ab */
  const double squares = means->squares - 2 * bias * means->sums + bias * bias;
  const double others = 2 * (2 * bias * sums + bias * bias); /* with a bias in them */
  double columns = 0;
  if (ties->rounding > 0) FANIN__TRY(squares_of_columns(p, l, p0, &columns));
  const double rounding = 2 * ties->rounding * (2 * means->squares + 4 * columns);
  *out = (fanin__cumulants){.mean = ties->excess * own,
                            .variance = (others + rounding) / width + ties->floor,
                            .third = 8 * bias * bias * (3 * sums + bias) / (width * width)};
  if (!(wide > 0) || !(own > 0)) return FANIN_STATUS_OK;
  const double centred = fmax(squares - own * own * inverse, 0), single = own * own * (1 - inverse);
  const double samples = centred / single; /* 1 / their effective number */
  out->variance += 2 * wide * centred / ((1 - inverse) * (1 + 2 * inverse)) / width;
  const double third = (1 - 2 * width * inverse) * own * own * own * samples * samples + 3 * bias * sums * sums;
  out->third += 8 * wide * third / (width * width);
  return FANIN_STATUS_OK;
}

double fanin__rms_deviate(const fanin__trace *t, const fanin_stats *stats) {
  const double rounding = t->ties.rounding, n = (double)stats->count;
  const fanin__cumulants law = {0.5 * t->ties.excess, rounding * t->weights.kurtosis / n + t->ties.floor, 0};
  return fanin__deviate(sqrt(stats->second), t->weights.std, &law);
}

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

fanin_status fanin__through(const fanin__probe *p, size_t l, fanin__function function, const double *q, double *out,
                            double *mean) {
  fanin__curve curve;
  FANIN__TRY(curve_of(p, l, function, q, 1, &curve));
  for (uint64_t a = 0; a < p->batch; a++) {
    values_at(p, l, &curve, q[a], &out[a]);
  }
  fanin__curve_free(&curve);
  *mean = fanin__mean_of(out, p->batch);
  return FANIN_STATUS_OK;
}
