/* The law of an initializer's values: its distribution function and its moments, in closed form or by quadrature. */
#include <math.h>

#include "core/status.h"
#include "init/family.h"
#include "math/normal.h"
#include "math/quadrature.h"
#include "tensor/dtype.h"
#include "tensor/view.h"

fanin_status fanin_law_of(const fanin_tensor *t, const fanin_init *init, fanin_law *out) {
  fanin__view view;
  fanin__distribution d;
  fanin_moments moments;
  FANIN__TRY(fanin__view_of(t, &view));
  FANIN__TRY(fanin__resolve(t, init, &d));
  const fanin__family_facts *const family = fanin__family_of(&d);
  FANIN__TRY(family->expect(t, &d, &moments));
  *out = (fanin_law){.kind = family->law,
                     .value = d.value,
                     .lo = moments.lo,
                     .hi = moments.hi,
                     .mean = d.mean,
                     .std = d.std,
                     .zeros = d.line > 0 ? (double)d.zeros / (double)d.line : 0};
  return FANIN_STATUS_OK;
}

/* P(from < Z <= to), Z ~ N(0,1), without cancellation in either tail. */
static double between(double from, double to) {
  return from > 0 ? fanin__normal_tail(from) - fanin__normal_tail(to)
                  : fanin__normal_tail(-to) - fanin__normal_tail(-from);
}

double fanin_law_probability(const fanin_law *law, double x, int upper) {
  if (law->kind == FANIN_LAW_KIND_CONSTANT || law->kind == FANIN_LAW_KIND_ONES)
    return (x >= law->value) != (upper != 0);
  if (law->kind == FANIN_LAW_KIND_ORTHOGONAL || law->kind == FANIN_LAW_KIND_FIXED) return NAN;
  if (x < law->lo) return upper ? 1 : 0;
  if (x >= law->hi) return upper ? 0 : 1;
  if (law->kind == FANIN_LAW_KIND_UNIFORM) return (upper ? law->hi - x : x - law->lo) / (law->hi - law->lo);
  const double z = (x - law->mean) / law->std;
  if (law->kind == FANIN_LAW_KIND_NORMAL) return fanin__normal_tail(upper ? z : -z);
  if (law->kind == FANIN_LAW_KIND_SPARSE) {
    const double zero_is_there = (x >= 0) != (upper != 0);
    return law->zeros * zero_is_there + (1 - law->zeros) * fanin__normal_tail(upper ? z : -z);
  }
  const double a = (law->lo - law->mean) / law->std, b = (law->hi - law->mean) / law->std;
  return (upper ? between(z, b) : between(a, z)) / between(a, b);
}

/* ((x - centre) / unit)^power times the density of the law over that at its mode. */
typedef struct moment_of {
  const fanin_law *law;
  double mode, centre, unit;
  int power;
} moment_of;

static double integrand(double z, void *context) {
  const moment_of *m = context;
  const double x = m->law->mean + m->law->std * z;
  return pow((x - m->centre) / m->unit, m->power) * fanin__exp(-0.5 * (z - m->mode) * (z + m->mode));
}

static void normal_moments(const fanin_law *law, double centre, double unit, double *moments) {
  const double a = fmax((law->lo - law->mean) / law->std, -1e15), b = fmin((law->hi - law->mean) / law->std, 1e15);
  const double mode = a > 0 ? a : b < 0 ? b : 0;
  const double reach = 400 / (fabs(mode) + sqrt(mode * mode + 400)); /* to e^-200 of the mode's density */
  moment_of m = {law, mode, centre, unit, 0};
  double mass = 0;
  for (m.power = 0; m.power <= 12; m.power++) {
    const double sum = fanin__integrate(integrand, &m, fmax(a, mode - reach), fmin(b, mode + reach), 32);
    if (m.power == 0) mass = sum;
    moments[m.power] = sum / mass;
  }
}

/* The integral of ((x - centre) / unit)^k over [lo, hi] by its length: by quadrature too, exact for polynomials. */
static double power(double x, void *context) {
  const moment_of *m = context;
  return pow((x - m->centre) / m->unit, m->power);
}

void fanin_law_moments(const fanin_law *law, double centre, double unit, double *moments) {
  if (law->kind != FANIN_LAW_KIND_UNIFORM) {
    normal_moments(law, centre, unit, moments);
    for (int k = 0; k <= 12 && law->kind == FANIN_LAW_KIND_SPARSE; k++) {
      moments[k] = law->zeros * pow(-centre / unit, k) + (1 - law->zeros) * moments[k];
    }
    return;
  }
  moment_of m = {law, 0, centre, unit, 0};
  for (m.power = 0; m.power <= 12; m.power++) {
    moments[m.power] = fanin__integrate(power, &m, law->lo, law->hi, 1) / (law->hi - law->lo);
  }
}

/* ---- Rounded to a dtype ------------------------------------------------------------------------------------------ */

/* Number k of a narrow dtype, in ascending order; infinity or NaN before the first and from the last one on. */
static double number_at(fanin_dtype dtype, uint32_t k) {
  const uint32_t sign = UINT32_C(1) << (8 * fanin_dtype_size(dtype) - 1);
  if (k >= 2 * sign) return NAN;
  return fanin__narrow_number(dtype, k < sign ? sign | (sign - 1 - k) : k - sign);
}

/* P(from < X <= to) without cancellation in the upper tail; the ends may be infinite. */
static double mass(const fanin_law *law, double from, double to) {
  const double below = isinf(from) ? 0 : fanin_law_probability(law, from, 0);
  if (below < 0.5) return (isinf(to) ? 1 : fanin_law_probability(law, to, 0)) - below;
  return fanin_law_probability(law, from, 1) - (isinf(to) ? 0 : fanin_law_probability(law, to, 1));
}

/* A number has the values between the midpoints to its neighbours, and the outermost one all beyond. */
void fanin_law_moments_rounded(const fanin_law *law, fanin_dtype dtype, int bounded, double centre, double unit,
                               double *moments) {
  const uint32_t numbers = UINT32_C(1) << 8 * fanin_dtype_size(dtype);
  /* Bounds are numbers of f32. */
  const double lo = bounded ? law->lo - 0x1p-23 * fabs(law->lo) : -INFINITY;
  const double hi = bounded ? law->hi + 0x1p-23 * fabs(law->hi) : INFINITY;
  double from = -INFINITY;
  for (int power = 0; power <= 12; power++) {
    moments[power] = 0;
  }
  for (uint32_t k = 0; k < numbers; k++) {
    const double x = number_at(dtype, k), next = number_at(dtype, k + 1);
    if (!isfinite(x) || x < lo || x > hi) continue;
    const double to = isfinite(next) && next <= hi ? x + (next - x) / 2 : INFINITY;
    double term = mass(law, from, to);
    from = to;
    if (!(term > 0)) continue;
    for (int power = 0; power <= 12; power++, term *= (x - centre) / unit) {
      moments[power] += term;
    }
  }
}
