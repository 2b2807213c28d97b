/* fanin_probe: does a network keep its variance? The forward pass layer by layer, each beside what mean-field theory
 * expects of it, and the law of the difference.
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
 * The prediction does not take p0 but goes through the activation, from the q_a measured one layer before:
 *   p = sigma^2 n_in mean_a V(q_a) + sigma_b^2
 * Against it, p0 differs by the mean over features of psi_a = phi(z_a)^2 - V - V' (z_a^2 - q_a): comparing at the
 * measured q_a takes the second Hermite component out. With the coefficients a_k of phi^2 / V (meanfield.h), the
 * relative variance of that ("of the activations") is, by Mehler's formula,
 *   mean_ab of the sum over k >= 1, k != 2 of V_a V_b a_k(q_a) a_k(q_b) c_ab^k / (V^2 n_in),
 * with the correlations c_ab = K_ab / sqrt(K_aa K_bb) of the layer before. Its mean is -V'' Var(q_a) / 2, for the
 * curvature of V, plus g a_4 / sqrt(24), for the excess kurtosis g that z takes from the weights'.
 *
 * The two parts are uncorrelated, and so are the residuals of different layers. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "forward.h"
#include "gemm.h"
#include "meanfield.h"
#include "residual.h"

/* What is known of the layer at hand; all arrays have a number a sample. */
typedef struct probe {
  const fanin_probe_config *config;
  const fanin__activation *activation;
  fanin__forward forward;
  fanin_moments weights;        /* of the layer's distribution */
  double variance;              /* sigma^2 */
  double excess;                /* k4 - 3 */
  double bias_variance;         /* sigma_b^2 */
  fanin__row_sums sums;         /* of the layer's h; zz of its z */
  double *expected;             /* K_aa: q_a given h */
  double *measured;             /* q_a */
  double *meanfield;            /* q_a by recursion from the input on */
  double *v_meanfield;          /* mean square of h by the same */
  float *pairs;                 /* what fanin__pairs points into */
  double v;                     /* mean_a V(q_a) of the layer before; mean square of the input for the first */
  fanin__cumulants activations; /* of (mean square of h) / v - 1 */
} probe;

static double mean_of(const double *x, uint64_t n) {
  double sum = 0;
  for (uint64_t a = 0; a < n; a++) {
    sum += x[a];
  }
  return sum / (double)n;
}

/* ---- Arguments ----------------------------------------------------------------------------------------------------
 */

static fanin_status check_numbers(const fanin_probe_config *config) {
  if (config->n_widths < 2) {
    return fanin__fail(FANIN_BAD_ARGUMENT, "n_widths is %zu; an input and at least one layer make 2", config->n_widths);
  }
  for (size_t l = 0; l < config->n_widths; l++) {
    if (config->widths[l] == 0) return fanin__fail(FANIN_BAD_ARGUMENT, "widths[%zu] is 0; it must be at least 1", l);
  }
  if (config->batch == 0) return fanin__fail(FANIN_BAD_ARGUMENT, "batch is 0; it must be at least 1");
  if (config->dtype != FANIN_F32 && config->dtype != FANIN_F16 && config->dtype != FANIN_BF16) {
    const char *const name = fanin_dtype_name(config->dtype);
    return fanin__fail(FANIN_BAD_ARGUMENT, "dtype is %s; a probe takes f32, f16 or bf16", name ? name : "unknown");
  }
  if (!(config->bias_std >= 0 && config->bias_std <= 1e15)) {
    return fanin__fail(FANIN_BAD_ARGUMENT, "bias_std is %g; it must be 0 to 1e15", config->bias_std);
  }
  if (!(fabs(config->slope) <= 1e15)) {
    return fanin__fail(FANIN_BAD_ARGUMENT, "slope is %g; it must be finite, at most 1e15", config->slope);
  }
  return FANIN_OK;
}

/* The distribution of layer l's weights. Mean-field theory is about independent weights of mean 0. */
static fanin_status expect_weights(const fanin_probe_config *config, size_t l, fanin_moments *out) {
  const uint64_t shape[2] = {config->widths[l], config->widths[l - 1]};
  const fanin_tensor t = fanin_tensor_of(NULL, 0, config->dtype, "OI", 2, shape);
  fanin_moments moments = {0};
  if (config->init.kind == FANIN_IDENTITY || config->init.kind == FANIN_DIRAC) {
    return fanin__fail(FANIN_BAD_ARGUMENT, "init is %s, which is not random; mean-field theory needs random weights",
                       config->init.kind == FANIN_IDENTITY ? "identity" : "dirac");
  }
  FANIN__TRY(fanin_expect(&t, &config->init, &moments));
  if (fabs(moments.mean) > 1e-9 * moments.std) {
    return fanin__fail(FANIN_BAD_ARGUMENT, "init has the mean %g and std %g; mean-field theory needs weights of mean 0",
                       moments.mean, moments.std);
  }
  *out = moments;
  return FANIN_OK;
}

static fanin_status check_config(const fanin_probe_config *config) {
  FANIN__TRY(fanin__gemm_available());
  FANIN__TRY(check_numbers(config));
  for (size_t l = 1; l < config->n_widths; l++) {
    fanin_moments moments;
    FANIN__TRY(expect_weights(config, l, &moments));
    FANIN__TRY(fanin__gemm_check(config->batch, config->widths[l], config->widths[l - 1]));
  }
  return FANIN_OK;
}

/* ---- Memory -------------------------------------------------------------------------------------------------------
 */

static fanin_status allocate(probe *p) {
  double **const arrays[] = {&p->sums.zz,  &p->sums.hh,   &p->sums.hhhh,  &p->expected,
                             &p->measured, &p->meanfield, &p->v_meanfield};
  for (size_t k = 0; k < sizeof arrays / sizeof *arrays; k++) {
    *arrays[k] = calloc((size_t)p->config->batch, sizeof **arrays[k]);
    if (!*arrays[k]) return fanin__fail(FANIN_OUT_OF_MEMORY, "%" PRIu64 " numbers for samples", p->config->batch);
  }
  p->pairs = calloc((FANIN__PAIR_POWERS + 4) * (size_t)FANIN__SUBSET_MAX, sizeof *p->pairs);
  return p->pairs ? FANIN_OK : fanin__fail(FANIN_OUT_OF_MEMORY, "%d samples for pairs", (int)FANIN__SUBSET_MAX);
}

static void release(probe *p) {
  free(p->pairs);
  free(p->v_meanfield);
  free(p->meanfield);
  free(p->measured);
  free(p->expected);
  free(p->sums.hhhh);
  free(p->sums.hh);
  free(p->sums.zz);
  fanin__forward_close(&p->forward);
}

/* ---- The law of a layer -------------------------------------------------------------------------------------------
 */

/* What the activation after this layer does, from its values at every K_aa, relative to v0 = mean_a V(K_aa): the part
 * of one sample with itself, the mean, and the coefficients by which pairs add up. */
typedef struct activation_law {
  double v0, own, mean;
} activation_law;

/* By sample a of the subset: 1 / sqrt(K_aa / p0) and the coefficients of c^1, ..., c^16. */
static void pair_coefficients(const probe *p, const double *values, uint64_t a, double p0, double v0, float *root,
                              float *coefficients) {
  const uint64_t m = p->forward.subset;
  root[a] = p->expected[a * p->forward.step] > 0 ? (float)sqrt(p0 / p->expected[a * p->forward.step]) : 0;
  for (int k = 1; k <= FANIN__PAIR_POWERS; k++) {
    coefficients[(uint64_t)(k - 1) * m + a] = k == 2 ? 0 : (float)(values[k] / v0);
  }
}

_Static_assert((int)FANIN__PAIR_POWERS == (int)FANIN__CURVE_VALUES - 1, "a power of c for each value but V itself");

/* values: V, V a_1, ..., V rest of every sample in turn. */
static void own_part(const probe *p, size_t n, const double *values, uint64_t a, activation_law *law) {
  for (int k = 1; k < FANIN__CURVE_VALUES; k++) {
    if (k != 2) law->own += values[k] * values[k];
  }
  const double q = p->expected[a];
  const double g = q > 0 ? p->excess * p->variance * p->variance * p->sums.hhhh[a] / (q * q) : 0;
  law->v0 += values[0];
  law->mean += values[4] * (g / sqrt(24) - sqrt(1.5) * (1 + 0.5 * g) / (double)n);
}

static fanin_status activation_law_of(const probe *p, size_t n, double p0, float *root, float *coefficients,
                                      activation_law *out) {
  fanin__curve curve;
  double values[FANIN__CURVE_VALUES];
  activation_law law = {0, 0, 0};
  const uint64_t batch = p->config->batch;
  FANIN__TRY(
      fanin__curve_make(p->activation, p->config->slope, p->expected, (size_t)batch, FANIN__CURVE_VALUES, &curve));
  for (uint64_t a = 0; a < batch; a++) {
    fanin__curve_at(&curve, p->expected[a], values);
    own_part(p, n, values, a, &law);
  }
  law.v0 /= (double)batch;
  law.mean /= (double)batch * (law.v0 > 0 ? law.v0 : 1);
  law.own /= (double)batch * (law.v0 > 0 ? law.v0 * law.v0 : 1);
  for (uint64_t a = 0; a < p->forward.subset; a++) {
    fanin__curve_at(&curve, p->expected[a * p->forward.step], values);
    pair_coefficients(p, values, a, p0, law.v0 > 0 ? law.v0 : 1, root, coefficients);
  }
  fanin__curve_free(&curve);
  *out = law;
  return FANIN_OK;
}

/* Means over all pairs and triples of the batch, from those of the subset: pairs a != b and triples of three different
 * samples are averaged over the subset, and weighted as they occur in the batch. */
typedef struct pair_means {
  double squares; /* mean_ab K_ab^2 / p0^2 */
  double cubes;   /* tr(K^3) / (B p0)^3 */
  double series;  /* mean of the pairs' series over a != b only */
} pair_means;

static pair_means means_of(const probe *p, double p0, const fanin__pairs *pairs) {
  const double m = (double)p->forward.subset, batch = (double)p->config->batch, other = 1 - 1 / batch;
  double squares = 0, series = 0, cubes = 0, own2 = 0, mixed = 0, own3 = 0;
  for (uint64_t a = 0; a < p->forward.subset; a++) {
    const double own = p->expected[a * p->forward.step] / p0;
    squares += (double)pairs->squares[a];
    series += (double)pairs->series[a];
    cubes += (double)pairs->cubes[a];
    mixed += own * (double)pairs->squares[a];
    own3 += own * own * own;
  }
  for (uint64_t a = 0; a < p->config->batch; a++) {
    own2 += pow(p->expected[a] / p0, 2);
  }
  const double pair_count = m * (m - 1), triple_count = pair_count * (m - 2);
  pair_means means = {.squares = own2 / (batch * batch), .cubes = own3 / (m * batch * batch)};
  if (m > 1) {
    means.squares += other * squares / pair_count;
    means.series = other * series / pair_count;
    means.cubes += 3 * other * mixed / (pair_count * batch);
  }
  if (m > 2) means.cubes += other * (1 - 2 / batch) * fmax(cubes - 3 * mixed - own3, 0) / triple_count;
  return means;
}

/* The third cumulant of the activations' part: exact for one sample and for independent ones, between them by the
 * number of samples that would have the same variance. */
static fanin__cumulants cumulants_of(const probe *p, size_t n, double p0, const activation_law *law, double series) {
  const double width = (double)n, variance = law->own / (double)p->config->batch + series;
  const fanin__expansion e = fanin__expand(p->activation, p->config->slope, p0);
  const double single = fanin__kappa_residual(&e);
  const double share = single > 1e-12 ? variance / single : 0;
  return (fanin__cumulants){law->mean, fmax(variance, 0) / width, e.third * share * share / (width * width)};
}

/* The cumulants of q / p0 - 1 given h (batch, n_in), and, for the next layer, those of its activations' part. p0 > 0.
 */
static fanin_status laws(probe *p, size_t l, double p0, fanin__cumulants *weights, fanin__cumulants *next) {
  const size_t n_in = (size_t)p->config->widths[l - 1], n = (size_t)p->config->widths[l];
  const size_t m = (size_t)p->forward.subset;
  float *const root = p->pairs, *const coefficients = root + m, *const out = coefficients + FANIN__PAIR_POWERS * m;
  const fanin__pairs pairs = {root, coefficients, out, out + m, out + 2 * m};
  activation_law law;
  FANIN__TRY(activation_law_of(p, n, p0, root, coefficients, &law));

  const double h_rms = sqrt(mean_of(p->sums.hh, p->config->batch) / (double)n_in);
  const double share = p->variance * h_rms * h_rms / p0; /* of one input's mean square in p0 */
  FANIN__TRY(fanin__forward_pairs(&p->forward, n_in, h_rms, share, p->bias_variance / p0, &pairs));
  const pair_means means = means_of(p, p0, &pairs);
  double columns = 0;
  if (share > 0 && p->excess != 0) FANIN__TRY(fanin__forward_columns(&p->forward, n_in, h_rms, &columns));
  const double width = (double)n, gaussian = 2 * means.squares;
  const double ratio = fmax(gaussian + p->excess * share * share * columns, 0) / gaussian;
  *weights = (fanin__cumulants){0, ratio * gaussian / width, 8 * ratio * ratio * means.cubes / (width * width)};
  *next = cumulants_of(p, n, p0, &law, means.series);
  return FANIN_OK;
}

/* ---- Layers -------------------------------------------------------------------------------------------------------
 */

/* out[a] = V(q[a]); the mean of them. */
static fanin_status through_activation(const probe *p, const double *q, double *out, double *mean) {
  fanin__curve curve;
  const uint64_t batch = p->config->batch;
  FANIN__TRY(fanin__curve_make(p->activation, p->config->slope, q, (size_t)batch, 1, &curve));
  for (uint64_t a = 0; a < batch; a++) {
    fanin__curve_at(&curve, q[a], &out[a]);
  }
  fanin__curve_free(&curve);
  *mean = mean_of(out, batch);
  return FANIN_OK;
}

static fanin_status check_finite(const probe *p, size_t l) {
  for (uint64_t a = 0; a < p->config->batch; a++) {
    if (!isfinite(p->sums.zz[a]) || !isfinite(p->sums.hh[a]) || !isfinite(p->sums.hhhh[a])) {
      return fanin__fail(FANIN_NOT_FINITE, "layer %zu: the activations of sample %" PRIu64 " overflow f32", l, a);
    }
  }
  return FANIN_OK;
}

static void set_expected(probe *p) {
  for (uint64_t a = 0; a < p->config->batch; a++) {
    p->expected[a] = p->variance * p->sums.hh[a] + p->bias_variance;
  }
}

static void set_meanfield(probe *p, uint64_t n_in) {
  for (uint64_t a = 0; a < p->config->batch; a++) {
    p->meanfield[a] = p->variance * (double)n_in * p->v_meanfield[a] + p->bias_variance;
  }
}

static void report(const probe *p, size_t l, const fanin_stats *stats, const fanin__cumulants *law,
                   fanin_probe_layer *out) {
  const fanin_probe_config *const config = p->config;
  const uint64_t n_in = config->widths[l - 1];
  const double bound = fanin_z_bound(2 * (config->n_widths - 1));
  fanin_probe_layer layer = *out;
  layer.weight_std = stats->std;
  layer.weight_std_expected = p->weights.std;
  layer.q_measured = mean_of(p->measured, config->batch);
  layer.q_meanfield = mean_of(p->meanfield, config->batch);
  layer.q_predicted = p->variance * (double)n_in * p->v + p->bias_variance;
  layer.weight_z = fanin__std_deviate(stats->std, p->weights.std, p->weights.kurtosis, (double)stats->count);
  layer.q_z = fanin__deviate(layer.q_measured, layer.q_predicted, law);
  layer.conforms = fabs(layer.weight_z) <= bound && fabs(layer.q_z) <= bound;
  *out = layer;
}

/* The activations' part counts by their share in the prediction: biases do not fluctuate with them. */
static fanin__cumulants damped(const fanin__cumulants *c, double share) {
  return (fanin__cumulants){c->mean * share, c->variance * share * share, c->third * share * share * share};
}

static fanin_status run_layer(probe *p, size_t l, fanin_probe_layer *out) {
  const fanin_probe_config *const config = p->config;
  const uint64_t n_in = config->widths[l - 1], n = config->widths[l], batch = config->batch;
  const bool last = l + 1 == config->n_widths;
  fanin_stats stats;
  FANIN__TRY(expect_weights(config, l, &p->weights));
  FANIN__TRY(fanin__forward_weights(&p->forward, l, &stats));
  p->variance = p->weights.std * p->weights.std;
  p->excess = p->weights.std > 0 ? p->weights.kurtosis - 3 : 0;
  set_expected(p);
  set_meanfield(p, n_in);

  fanin__cumulants weights = {0, 0, 0}, next = {0, 0, 0};
  const double p0 = mean_of(p->expected, batch), predicted = p->variance * (double)n_in * p->v + p->bias_variance;
  if (p0 > 0) FANIN__TRY(laws(p, l, p0, &weights, &next));
  const double v0 = fanin__v(p->activation, config->slope, p0);
  FANIN__TRY(
      fanin__forward_layer(&p->forward, l, last ? NULL : p->activation, sqrt(p0), sqrt(last ? p0 : v0), &p->sums));
  FANIN__TRY(check_finite(p, l));
  for (uint64_t a = 0; a < batch; a++) {
    p->measured[a] = p->sums.zz[a] / (double)n;
  }
  const double share = predicted > 0 ? (predicted - p->bias_variance) / predicted : 0;
  const fanin__cumulants activations = damped(&p->activations, share), law = fanin__product(&activations, &weights);
  report(p, l, &stats, &law, out);
  if (last) return FANIN_OK;
  double mean = 0;
  FANIN__TRY(through_activation(p, p->meanfield, p->v_meanfield, &mean));
  p->activations = next;
  return through_activation(p, p->measured, p->expected, &p->v);
}

static void set_nan(fanin_probe_layer *layer, uint64_t fan_in, uint64_t fan_out) {
  double *const numbers = &layer->weight_mean;
  const size_t n = (offsetof(fanin_probe_layer, conforms) - offsetof(fanin_probe_layer, weight_mean)) / sizeof(double);
  for (size_t k = 0; k < n; k++) {
    numbers[k] = NAN;
  }
  layer->fan_in = fan_in;
  layer->fan_out = fan_out;
  layer->conforms = 0;
}

static fanin_status run(probe *p, fanin_probe_report *report) {
  const fanin_probe_config *const config = p->config;
  if (config->progress) {
    config->progress(config->user, "CLBlast compiles its kernels, about ten seconds unless the driver keeps them");
  }
  FANIN__TRY(fanin__forward_input(&p->forward, &p->sums));
  for (uint64_t a = 0; a < config->batch; a++) {
    p->v_meanfield[a] = p->sums.hh[a] / (double)config->widths[0];
  }
  p->v = mean_of(p->v_meanfield, config->batch);
  report->conforms = 1;
  for (size_t l = 1; l < config->n_widths; l++) {
    const fanin_status status = run_layer(p, l, &report->layers[l - 1]);
    if (status == FANIN_NOT_FINITE) {
      report->overflow_layer = l;
      report->conforms = 0;
      return FANIN_OK;
    }
    FANIN__TRY(status);
    report->conforms = report->conforms && report->layers[l - 1].conforms;
  }
  return FANIN_OK;
}

static fanin_status report_new(const fanin_probe_config *config, fanin_probe_report **out) {
  const size_t n = config->n_widths - 1;
  fanin_probe_report *const report = calloc(1, sizeof *report);
  if (!report) return fanin__fail(FANIN_OUT_OF_MEMORY, "a report");
  report->layers = calloc(n, sizeof *report->layers);
  if (!report->layers) {
    free(report);
    return fanin__fail(FANIN_OUT_OF_MEMORY, "a report of %zu layers", n);
  }
  report->n_layers = n;
  report->n_tests = 2 * n;
  report->z_bound = fanin_z_bound(report->n_tests);
  for (size_t l = 0; l < n; l++) {
    set_nan(&report->layers[l], config->widths[l], config->widths[l + 1]);
  }
  *out = report;
  return FANIN_OK;
}

void fanin_probe_report_free(fanin_probe_report *report) {
  if (!report) return;
  free(report->findings);
  free(report->layers);
  free(report);
}

fanin_status fanin_probe(fanin *f, cl_command_queue queue, const fanin_probe_config *config,
                         fanin_probe_report **report) {
  cl_command_queue resolved = NULL;
  fanin_probe_report *result = NULL;
  probe p = {.config = config, .bias_variance = config->bias_std * config->bias_std};
  FANIN__TRY(check_config(config));
  p.activation = fanin__activation_find(config->activation);
  if (!p.activation) return FANIN_BAD_ARGUMENT;
  FANIN__TRY(fanin__resolve_queue(f, queue, &resolved));
  FANIN__TRY(report_new(config, &result));
  fanin_status status = fanin__forward_open(&p.forward, f, resolved, config);
  if (status == FANIN_OK) status = allocate(&p);
  if (status == FANIN_OK) status = run(&p, result);
  (void)clFinish(resolved); /* nothing may still use the buffers, or report to a released event */
  release(&p);
  if (status == FANIN_OK) {
    *report = result;
  } else {
    fanin_probe_report_free(result);
  }
  return status;
}
