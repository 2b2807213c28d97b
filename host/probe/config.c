/* Everything that can be wrong with a probe's configuration is said before anything is allocated or enqueued. */
#include <float.h>
#include <inttypes.h>
#include <math.h>

#include "core/argument.h"
#include "fanin/inspect.h"
#include "init/initializer.h"
#include "math/normal.h"
#include "probe/probe.h"
#include "tensor/dtype.h"
#include "tensor/view.h"

static fanin_status check_numbers(const fanin_probe_config *config) {
  if (config->batch == 0) return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "batch is 0; it must be at least 1");
  fanin_dtype_info dtype = {.name = "unknown", .needs_fp64 = 1};
  (void)fanin_dtype_describe(config->dtype, &dtype, sizeof dtype); /* leaves it where there is no such dtype */
  if (dtype.needs_fp64) {
    char list[FANIN__DTYPE_LIST];
    return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "dtype is %s; a probe takes %s", dtype.name,
                       fanin__float_dtypes(" or ", list));
  }
  if (!(config->bias_std >= 0 && config->bias_std <= 1e15)) {
    return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "bias_std is %g; it must be 0 to 1e15", config->bias_std);
  }
  if (!(fabs(config->slope) <= 1e15)) {
    return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "slope is %g; it must be finite, at most 1e15", config->slope);
  }
  return FANIN_STATUS_OK;
}

static fanin_status check_norm(const fanin_probe_config *config) {
  if (config->norm != FANIN_NORM_NONE && config->norm != FANIN_NORM_LAYER && config->norm != FANIN_NORM_BATCH) {
    return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "norm is %d; FANIN_NORM_NONE, _LAYER and _BATCH are accepted",
                       (int)config->norm);
  }
  if (config->norm == FANIN_NORM_BATCH && config->batch < 2) {
    return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "batch is 1; batch norm needs at least 2 samples");
  }
  for (size_t l = 1; config->norm == FANIN_NORM_LAYER && l + 1 < config->n_widths; l++) {
    if (config->widths[l] < 2) {
      return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "widths[%zu] is 1; layer norm needs at least 2 features", l);
    }
  }
  return FANIN_STATUS_OK;
}

/* Layer l's tensor of the caller's, if there is one. */
static fanin_status check_weight(const fanin *f, const fanin_probe_config *config, size_t l) {
  const fanin_tensor *const t = config->weights ? &config->weights[l - 1] : NULL;
  fanin__view view;
  if (!t || !t->buffer) return FANIN_STATUS_OK;
  const uint64_t rows = fanin__rows_of(config, l);
  if (t->rank != 2 || t->shape[0] != rows || t->shape[1] != config->widths[l - 1]) {
    return fanin__fail(
        FANIN_STATUS_BAD_SHAPE,
        "weights[%zu] has rank %d and begins %" PRIu64 " x %" PRIu64 "; layer %zu needs %" PRIu64 " x %" PRIu64, l - 1,
        t->rank, t->rank > 0 ? t->shape[0] : 0, t->rank > 1 ? t->shape[1] : 0, l, rows, config->widths[l - 1]);
  }
  FANIN__TRY(fanin__view_of(t, &view));
  FANIN__TRY(fanin__check_buffer(f, t, &view));
  if (t->dtype != config->dtype) {
    return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "weights[%zu] is %s and dtype is %s; they must agree", l - 1,
                       fanin_dtype_name(t->dtype), fanin_dtype_name(config->dtype));
  }
  const uint64_t elements = t->shape[0] * t->shape[1];
  if (view.elements != elements || view.bytes != elements * fanin_dtype_size(t->dtype)) {
    return fanin__fail(FANIN_STATUS_BAD_SHAPE, "weights[%zu] is a part or strided; a probe takes dense, whole tensors",
                       l - 1);
  }
  return FANIN_STATUS_OK;
}

/* By how much layer l's weights are larger than the initializer makes them. */
static fanin_status factor_of(const fanin_probe_config *config, size_t l, double *out) {
  *out = 1;
  if (!config->weight_factors || !config->weights || !config->weights[l - 1].buffer) return FANIN_STATUS_OK;
  *out = config->weight_factors[l - 1];
  if (*out > 0 && *out <= 1e15) return FANIN_STATUS_OK;
  return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "weight_factors[%zu] is %g; it must be above 0 and at most 1e15", l - 1,
                     *out);
}

/* What layer l's weights are expected to be. */
typedef struct expectation {
  fanin_tensor t;
  double factor;
  fanin_law law; /* without the factor */
  fanin_values values;
  fanin_moments moments;
} expectation;

/* E66: rounding to a dtype of 8 bits moves the moments by more than wide layers vary. After a calibration, weights were
 * rounded twice. The entries of an orthogonal matrix are taken for normal. */
static fanin_status expect_rounded(expectation *e) {
  enum { MOMENTS = 5 };
  fanin_moments *const out = &e->moments;
  const fanin_init normal = fanin_normal(0, out->std / e->factor);
  fanin_law law = e->law;
  double m[MOMENTS];
  if (fanin_dtype_size(e->t.dtype) != 1 || !(out->std > 0) || e->values == FANIN_VALUES_FIXED) return FANIN_STATUS_OK;
  if (e->values == FANIN_VALUES_DEPENDENT) FANIN__TRY(fanin_law_of(&e->t, &normal, &law));
  FANIN__TRY(fanin__law_moments_rescaled(&law, e->t.dtype, true, e->factor, out->mean, out->std, m, MOMENTS));
  out->mean += m[1] * out->std;
  out->std *= sqrt(m[2] - m[1] * m[1]);
  if (!(out->std > 0)) return FANIN_STATUS_OK;
  FANIN__TRY(fanin__law_moments_rescaled(&law, e->t.dtype, true, e->factor, out->mean, out->std, m, MOMENTS));
  out->kurtosis = m[4];
  return FANIN_STATUS_OK;
}

static fanin_status expect(const fanin_probe_config *config, size_t l, expectation *e) {
  const uint64_t shape[2] = {fanin__rows_of(config, l), config->widths[l - 1]};
  fanin_law_description described;
  FANIN__TRY(fanin_tensor_of(NULL, 0, config->dtype, "OI", 2, shape, &e->t));
  FANIN__TRY(factor_of(config, l, &e->factor));
  FANIN__TRY(fanin_expect(&e->t, fanin__init_of(config, l), &e->moments, sizeof e->moments));
  FANIN__TRY(fanin_law_of(&e->t, fanin__init_of(config, l), &e->law));
  FANIN__TRY(fanin_describe_law(e->law.kind, &described, sizeof described));
  e->values = described.values;
  e->moments.mean *= e->factor;
  e->moments.std *= e->factor;
  e->moments.lo *= e->factor;
  e->moments.hi *= e->factor;
  return expect_rounded(e);
}

/* Of layer l's biases. */
typedef struct bias_moments {
  double mean, second;
} bias_moments;

static bias_moments moments_of_biases(const fanin_probe_config *config, size_t l) {
  const float *const given = fanin__biases_of(config, l);
  const uint64_t n = fanin__rows_of(config, l);
  bias_moments m = {0, given ? 0 : config->bias_std * config->bias_std};
  for (uint64_t j = 0; given && j < n; j++) {
    m.mean += (double)given[j] / (double)n;
    m.second += (double)given[j] * (double)given[j] / (double)n;
  }
  return m;
}

/* The matrices of layer l. */
static fanin_status check_extents(const fanin_probe_config *config, size_t l) {
  const uint64_t n = fanin__rows_of(config, l), n_in = config->widths[l - 1], batch = config->batch;
  const uint64_t most = (uint64_t)1 << 48; /* elements: no memory has more, and their counts do not overflow */
  if (n <= most / n_in && n <= most / batch && n_in <= most / batch) return FANIN_STATUS_OK;
  return fanin__fail(FANIN_STATUS_BAD_SHAPE,
                     "layer %zu has %" PRIu64 " x %" PRIu64 " weights, and the batch is %" PRIu64
                     "; a probe takes matrices of at most 2^48 elements: give smaller widths or a smaller batch",
                     l, n, n_in, batch);
}

double fanin__bias_second(const fanin_probe_config *config, size_t l) {
  return moments_of_biases(config, l).second;
}

static fanin_status check_biases(const fanin_probe_config *config, size_t l) {
  const float *const given = fanin__biases_of(config, l);
  const uint64_t rows = fanin__rows_of(config, l);
  uint64_t bad = 0;
  for (uint64_t j = 0; given && j < rows; j++) {
    if (!isfinite(given[j])) bad++;
  }
  if (bad == 0) return FANIN_STATUS_OK;
  return fanin__fail(FANIN_STATUS_NOT_FINITE, "biases[%zu]: %" PRIu64 " of %" PRIu64 " numbers are infinite or NaN",
                     l - 1, bad, rows);
}

fanin_status fanin__probe_check(const fanin *f, const fanin_probe_config *config) {
  FANIN__TRY(fanin__network_check(config));
  FANIN__TRY(check_numbers(config));
  FANIN__TRY(check_norm(config));
  for (size_t l = 1; l < config->n_widths; l++) {
    expectation e;
    FANIN__TRY(check_extents(config, l));
    FANIN__TRY(expect(config, l, &e));
    FANIN__TRY(check_weight(f, config, l));
    FANIN__TRY(check_biases(config, l));
  }
  return FANIN_STATUS_OK;
}

/* E64: what rounding to fewer digits than f32's does to numbers of N(0, std^2), which the entries of large orthogonal
 * matrices nearly are: the mean square of the errors, h^2 / 12 in gaps of width h, relative to std^2. */
static double rounding_of(fanin_dtype dtype, double std) {
  const fanin_dtype_info *const t = &fanin__dtype_of(dtype)->info;
  const int first = (int)floor(log2(std)) - 20, binades = 24;
  double sum = 0;
  for (int k = first; k < first + binades; k++) {
    const int step = k - t->digits + 1 > t->least ? k - t->digits + 1 : t->least;
    const double lo = ldexp(1 / std, k), hi = 2 * lo, h = ldexp(1 / std, step);
    sum += h * h / 12 * 2 * (fanin__normal_tail_fast(lo) - fanin__normal_tail_fast(hi));
  }
  return sum;
}

/* E23 and E65. Weights that were scaled were rounded once more. */
static fanin__ties ties_of(const fanin_probe_config *config, size_t l, double std, double factor) {
  fanin__ties ties = {.inverse = 0};
  if (fanin__init_of(config, l)->kind != FANIN_KIND_ORTHOGONAL || !(std > 0)) return ties;
  const double m = fmax((double)fanin__rows_of(config, l), (double)config->widths[l - 1]),
               unit = sqrt(fmax(m, 16)) * 0x1p-24;
  const double r = fanin__dtype_of(config->dtype)->info.digits < FLT_MANT_DIG ? rounding_of(config->dtype, std) : 0;
  const bool twice = factor != 1;
  ties.inverse = 1 / m;
  ties.rounding = twice ? 2 * r : r;
  ties.floor = unit * unit;
  ties.overlap = 4 * unit + 16 * sqrt((twice ? 4 * r : r) / m);
  return ties;
}

/* Whether a mean of so many numbers is 0, within five standard errors. One number cannot tell. */
static bool is_centred(const bias_moments *m, uint64_t n) {
  return n < 2 || m->mean * m->mean <= 25 * (m->second - m->mean * m->mean) / (double)n;
}

fanin_status fanin__probe_expect(const fanin_probe_config *config, size_t l, fanin__trace *out) {
  expectation e;
  const bias_moments biases = moments_of_biases(config, l);
  FANIN__TRY(expect(config, l, &e));
  out->weights = e.moments;
  out->ties = ties_of(config, l, out->weights.std, e.factor);
  out->variance = out->weights.std * out->weights.std;
  out->excess = out->weights.std > 0 && out->ties.inverse == 0 ? out->weights.kurtosis - 3 : 0;
  out->drawn = e.values != FANIN_VALUES_FIXED || e.law.kind == FANIN_LAW_KIND_CONSTANT;
  out->bias_variance = biases.second;
  out->given_biases = biases.second > 0 && fanin__biases_of(config, l);
  out->centred_biases = is_centred(&biases, fanin__rows_of(config, l));
  out->lawful = out->drawn && fabs(out->weights.mean) <= 1e-9 * out->weights.std;
  return FANIN_STATUS_OK;
}
