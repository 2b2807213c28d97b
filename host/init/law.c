/* The law of an initializer's values: its distribution function and its moments, in closed form or by quadrature. */
#include <math.h>

#include "core/argument.h"
#include "init/family.h"
#include "math/normal.h"
#include "math/quadrature.h"
#include "tensor/view.h"

fanin_status fanin_law_of(const fanin_tensor *t, const fanin_init *init, fanin_law *out) {
  fanin__view view;
  fanin__distribution d;
  fanin_moments moments;
  FANIN__NEED(t);
  FANIN__NEED(init);
  FANIN__NEED(out);
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

static double probability(const fanin_law *law, double x, int upper) {
  if (law->kind == FANIN_LAW_KIND_CONSTANT || law->kind == FANIN_LAW_KIND_ONES)
    return (x >= law->value) != (upper != 0);

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

/* Which questions a law answers. */
enum { A_PROBABILITY = 1, MOMENTS = 2, MOST_MOMENTS = 13 };
static const struct {
  const char *name;
  int answers;
} KINDS[] = {
    [FANIN_LAW_KIND_CONSTANT] = {"constant", A_PROBABILITY},
    [FANIN_LAW_KIND_UNIFORM] = {"uniform", A_PROBABILITY | MOMENTS},
    [FANIN_LAW_KIND_NORMAL] = {"normal", A_PROBABILITY | MOMENTS},
    [FANIN_LAW_KIND_TRUNC_NORMAL] = {"truncated normal", A_PROBABILITY | MOMENTS},
    [FANIN_LAW_KIND_ONES] = {"ones", A_PROBABILITY},
    [FANIN_LAW_KIND_ORTHOGONAL] = {"orthogonal", 0},
    [FANIN_LAW_KIND_SPARSE] = {"sparse", A_PROBABILITY | MOMENTS},
    [FANIN_LAW_KIND_FIXED] = {"fixed", 0},
};

static fanin_status check_law(const fanin_law *law, int question) {
  if ((size_t)law->kind >= sizeof KINDS / sizeof *KINDS) {
    return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "law->kind is %d; pass the law that fanin_law_of() wrote",
                       (int)law->kind);
  }
  FANIN__NEED_RESERVED("law", law->reserved);
  if (KINDS[law->kind].answers & question) return FANIN_STATUS_OK;
  return fanin__fail(FANIN_STATUS_UNSUPPORTED, "a law of kind \"%s\" has no %s in closed form", KINDS[law->kind].name,
                     question == MOMENTS ? "moments" : "distribution function");
}

fanin_status fanin_law_probability(const fanin_law *law, double x, int upper, double *out) {
  FANIN__NEED(law);
  FANIN__NEED(out);
  FANIN__TRY(check_law(law, A_PROBABILITY));
  *out = probability(law, x, upper);
  return FANIN_STATUS_OK;
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

static void normal_moments(const fanin_law *law, double centre, double unit, double *moments, int n) {
  const double a = fmax((law->lo - law->mean) / law->std, -1e15), b = fmin((law->hi - law->mean) / law->std, 1e15);
  const double mode = a > 0 ? a : b < 0 ? b : 0;
  const double reach = 400 / (fabs(mode) + sqrt(mode * mode + 400)); /* to e^-200 of the mode's density */
  moment_of m = {law, mode, centre, unit, 0};
  double mass = 0;
  for (m.power = 0; m.power < n; m.power++) {
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

static void uniform_moments(const fanin_law *law, double centre, double unit, double *moments, int n) {
  moment_of m = {law, 0, centre, unit, 0};
  for (m.power = 0; m.power < n; m.power++) {
    moments[m.power] = fanin__integrate(power, &m, law->lo, law->hi, 1) / (law->hi - law->lo);
  }
}

fanin_status fanin_law_moments(const fanin_law *law, double centre, double unit, double *moments, size_t n) {
  FANIN__NEED(law);
  FANIN__NEED_ARRAY(moments, n);
  if (n > MOST_MOMENTS)
    return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "n is %zu; 0 to %d are accepted", n, MOST_MOMENTS);
  FANIN__TRY(check_law(law, MOMENTS));
  if (law->kind == FANIN_LAW_KIND_UNIFORM) {
    uniform_moments(law, centre, unit, moments, (int)n);
    return FANIN_STATUS_OK;
  }
  normal_moments(law, centre, unit, moments, (int)n);
  for (size_t k = 0; k < n && law->kind == FANIN_LAW_KIND_SPARSE; k++) {
    moments[k] = law->zeros * pow(-centre / unit, (double)k) + (1 - law->zeros) * moments[k];
  }
  return FANIN_STATUS_OK;
}
