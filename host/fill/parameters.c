/* How each law is filled: the numbers that kernels/fill.cl takes (section 4 of docs/stream.md), and the filler of what
 * that kernel cannot do. */
#include "fill/fill.h"

#include <math.h>

#include "core/status.h"
#include "math/normal.h"
#include "tensor/dtype.h"

/* Appends what there is room for, and returns the new length. snprintf would be a tenth of a small fill. */
static size_t append(char *out, size_t size, size_t used, const char *text) {
  while (*text && used + 1 < size) {
    out[used++] = *text++;
  }
  out[used] = '\0';
  return used;
}

void fanin__family_options(unsigned families, fanin_dtype dtype, char *out, size_t size) {
  static const char *const names[FANIN__FAMILY_COUNT] = {[FANIN__FAMILY_CONSTANT] = "-D CONSTANT ",
                                                         [FANIN__FAMILY_UNIFORM] = "-D UNIFORM ",
                                                         [FANIN__FAMILY_NORMAL] = "-D NORMAL ",
                                                         [FANIN__FAMILY_TRUNC_CORE] = "-D TRUNC_CORE ",
                                                         [FANIN__FAMILY_TRUNC] = "-D TRUNC ",
                                                         [FANIN__FAMILY_LOG_UNIFORM] = "-D LOG_UNIFORM ",
                                                         [FANIN__FAMILY_INVERSE_SOFTPLUS] = "-D INVERSE_SOFTPLUS "};
  size_t used = 0;
  for (int k = 0; k < FANIN__FAMILY_COUNT; k++) {
    if (families & FANIN__FAMILY_BIT(k)) used = append(out, size, used, names[k]);
  }
  (void)append(out, size, used, fanin__dtype_of(dtype)->option);
}

static void set_family(fanin__parameters *out, enum fanin__family family, fanin_dtype dtype) {
  out->family = family;
  out->p[15] = family;
  fanin__family_options(FANIN__FAMILY_BIT(family), dtype, out->options, sizeof out->options);
}

/* Largest magnitudes of a standard normal that the stream can draw: sqrt(2 * 33 ln 2) and sqrt(2 * 65 ln 2), rounded
 * up. */
static double normal_reach(fanin_dtype dtype) {
  return fanin__is_double(dtype) ? 9.5 : 6.77;
}

/* The type that a dtype's values are worked out in before they are rounded to it. */
static double to_real(fanin_dtype dtype, double x) {
  return fanin__is_double(dtype) ? x : (double)(float)x;
}

static fanin_status check_reach(fanin_dtype dtype, const char *what, double x) {
  const double largest = fanin__dtype_of(dtype)->info.largest;
  if (fabs(x) <= largest) return FANIN_STATUS_OK;
  return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "%s = %.9g does not fit dtype %s, whose largest number is %.9g", what,
                     x, fanin_dtype_name(dtype), largest);
}

/* Bounds that hold after rounding: the outermost numbers of the dtype inside [lo, hi]. */
static fanin_status inner_bounds(fanin_dtype dtype, double lo, double hi, double *lower, double *upper) {
  const double largest = fanin__dtype_of(dtype)->info.largest;
  *lower = fmax(fanin__least(dtype, lo), -largest);
  *upper = fmin(fanin__most(dtype, hi), largest);
  if (*lower <= *upper) return FANIN_STATUS_OK;
  return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "no %s number lies between the bounds lo = %.17g and hi = %.17g",
                     fanin_dtype_name(dtype), lo, hi);
}

static fanin_status of_constant(const fanin__distribution *d, fanin_dtype dtype, fanin__parameters *out) {
  set_family(out, FANIN__FAMILY_CONSTANT, dtype);
  out->p[0] = to_real(dtype, d->law.value);
  return check_reach(dtype, "value", d->law.value);
}

/* Zeros, under a filler's numbers, which reach the law's value. */
static fanin_status of_zeros(const fanin__distribution *d, fanin_dtype dtype, fanin__parameters *out) {
  set_family(out, FANIN__FAMILY_CONSTANT, dtype);
  return check_reach(dtype, "value", d->law.value);
}

static fanin_status of_uniform(const fanin__distribution *d, fanin_dtype dtype, fanin__parameters *out) {
  set_family(out, FANIN__FAMILY_UNIFORM, dtype);
  FANIN__TRY(check_reach(dtype, "lo", d->law.lo));
  FANIN__TRY(check_reach(dtype, "hi", d->law.hi));
  FANIN__TRY(inner_bounds(dtype, d->law.lo, d->law.hi, &out->p[2], &out->p[3]));
  out->p[0] = d->law.lo * 0.5 + d->law.hi * 0.5;
  out->p[1] = d->law.hi * 0.5 - d->law.lo * 0.5;
  return FANIN_STATUS_OK;
}

static fanin_status of_normal(const fanin__distribution *d, fanin_dtype dtype, fanin__parameters *out) {
  set_family(out, FANIN__FAMILY_NORMAL, dtype);
  out->p[0] = d->law.mean;
  out->p[1] = d->law.std;
  return check_reach(dtype, "|mean| + std times the largest draw",
                     fabs(d->law.mean) + d->law.std * normal_reach(dtype));
}

/* X(z) = P(|Z| <= |z|) with the sign of z. */
static double central(double z) {
  return z < 0.0 ? -(1.0 - 2.0 * fanin__normal_tail(-z)) : 1.0 - 2.0 * fanin__normal_tail(z);
}

static fanin_status of_trunc_normal(const fanin__distribution *d, fanin_dtype dtype, fanin__parameters *out) {
  const double a = d->law.from, b = d->law.to;
  FANIN__TRY(check_reach(dtype, "mean", d->law.mean));
  FANIN__TRY(check_reach(dtype, "std", d->law.std));
  FANIN__TRY(inner_bounds(dtype, d->law.lo, d->law.hi, &out->p[2], &out->p[3]));
  out->p[0] = d->law.mean;
  out->p[1] = d->law.std;
  const double x_a = central(a), x_b = central(b);
  out->p[4] = (x_a + x_b) * 0.5;
  out->p[5] = (x_b - x_a) * 0.5;

  double *const width = &out->p[6], *const low = &out->p[7], *const high = &out->p[8], *const s_reference = &out->p[9];
  if (a >= 0.0) {
    *s_reference = -2.0 * fanin__normal_log_tail(a);
    *high = fanin__exp(fanin__normal_log_tail(b) - fanin__normal_log_tail(a));
    *width = 1.0 - *high;
  } else if (b <= 0.0) {
    *s_reference = -2.0 * fanin__normal_log_tail(-b);
    *low = fanin__exp(fanin__normal_log_tail(-a) - fanin__normal_log_tail(-b));
    *width = 1.0 - *low;
  } else {
    *low = fanin__normal_tail(-a);
    *high = fanin__normal_tail(b);
    *width = 1.0 - *low - *high;
  }
  /* Where no draw reaches the tails, the kernel without them gives the same bits sooner. */
  const double limit = fanin__is_double(dtype) ? 0.85 : 0x1.e8b432p-1;
  const double middle = to_real(dtype, out->p[4]), half = to_real(dtype, out->p[5]);
  const bool is_core = to_real(dtype, fabs(middle) + half) <= limit;
  set_family(out, is_core ? FANIN__FAMILY_TRUNC_CORE : FANIN__FAMILY_TRUNC, dtype);
  return FANIN_STATUS_OK;
}

/* Exponents have to fit those of the type that values are worked out in. */
static fanin_status check_octaves(fanin_dtype dtype, double from, double to) {
  const int most = dtype == FANIN_DTYPE_F64 ? 1000 : 100;
  if (from >= ldexp(1, -most) && to <= ldexp(1, most)) return FANIN_STATUS_OK;
  return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "log_uniform: lo is %g and hi is %g; 2^-%d to 2^%d are accepted for %s",
                     from, to, most, most, fanin_dtype_name(dtype));
}

static fanin_status of_log_uniform(const fanin__distribution *d, fanin_dtype dtype, fanin__parameters *out) {
  const double log2_e = 0x1.71547652b82fep+0, a = fanin__log(d->law.from), b = fanin__log(d->law.to);
  const double middle = a * 0.5 + b * 0.5, half = b * 0.5 - a * 0.5, octave = middle * log2_e;
  const bool inverse = d->law.kind == FANIN_LAW_KIND_SOFTPLUS_LOG_UNIFORM;
  set_family(out, inverse ? FANIN__FAMILY_INVERSE_SOFTPLUS : FANIN__FAMILY_LOG_UNIFORM, dtype);
  FANIN__TRY(check_octaves(dtype, d->law.from, d->law.to));
  FANIN__TRY(check_reach(dtype, "lo", d->law.lo));
  FANIN__TRY(check_reach(dtype, "hi", d->law.hi));
  FANIN__TRY(inner_bounds(dtype, d->law.lo, d->law.hi, &out->p[2], &out->p[3]));
  out->p[4] = floor(octave + 0.5);
  out->p[0] = octave - out->p[4];
  out->p[1] = half * log2_e;
  out->p[5] = middle;
  out->p[6] = half;
  return FANIN_STATUS_OK;
}

/* Nothing is made by fill.cl. */
static fanin_status of_table(const fanin__distribution *d, fanin_dtype dtype, fanin__parameters *out) {
  set_family(out, FANIN__FAMILY_CONSTANT, dtype);
  FANIN__TRY(check_reach(dtype, "the least number of the table", d->law.lo));
  return check_reach(dtype, "the largest number of the table", d->law.hi);
}

/* ---- The table --------------------------------------------------------------------------------------------------- */

const fanin__filling *fanin__filling_of(const fanin__distribution *d) {
  static const fanin__filling table[FANIN_LAW_KIND_COUNT] = {
      [FANIN_LAW_KIND_CONSTANT] = {of_constant, NULL, false},
      [FANIN_LAW_KIND_UNIFORM] = {of_uniform, NULL, false},
      [FANIN_LAW_KIND_NORMAL] = {of_normal, NULL, false},
      [FANIN_LAW_KIND_TRUNC_NORMAL] = {of_trunc_normal, NULL, false},
      [FANIN_LAW_KIND_ONES] = {of_zeros, &fanin__pattern_filler, true},
      [FANIN_LAW_KIND_ORTHOGONAL] = {of_zeros, &fanin__orthogonal_filler, false},
      [FANIN_LAW_KIND_SPARSE] = {of_normal, &fanin__sparse_filler, true},
      [FANIN_LAW_KIND_BILINEAR] = {of_zeros, &fanin__pattern_filler, false},
      [FANIN_LAW_KIND_HADAMARD] = {of_zeros, &fanin__pattern_filler, false},
      [FANIN_LAW_KIND_LOG_UNIFORM] = {of_log_uniform, NULL, false},
      [FANIN_LAW_KIND_SOFTPLUS_LOG_UNIFORM] = {of_log_uniform, NULL, false},
      [FANIN_LAW_KIND_TABLE] = {of_table, &fanin__table_filler, false},
  };
  return &table[d->law.kind];
}
