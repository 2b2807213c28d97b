/* uniform: the uniform law on [lo, hi]. */
#include "core/status.h"
#include "init/initializer.h"
#include "math/quadrature.h"

static const fanin__parameter parameters[] = {FANIN__PAIRED(lo, hi, -DBL_MAX, DBL_MAX),
                                              FANIN__PAIRED(hi, lo, -DBL_MAX, DBL_MAX), FANIN__END};

fanin_status fanin__resolve_uniform(double lo, double hi, fanin__distribution *out) {
  if (lo == hi) return fanin__resolve_to(lo, out);
  *out = (fanin__distribution){.law = {.kind = FANIN_LAW_KIND_UNIFORM, .lo = lo, .hi = hi}};
  return FANIN_STATUS_OK;
}

static fanin_status resolve(const fanin_init *init, const fanin__roles *roles, fanin__distribution *out) {
  (void)roles;
  return fanin__resolve_uniform(init->lo, init->hi, out);
}

static fanin_status check(const fanin_init *init, fanin_status status) {
  if (init->lo <= init->hi) return FANIN_STATUS_OK;
  return fanin__fail(status, "uniform: lo is %g and hi is %g; lo of hi or less is accepted", init->lo, init->hi);
}

static fanin_init explicit(const fanin_init *init) {
  return init->lo == init->hi ? fanin__everywhere(init->lo) : *init;
}

const fanin__initializer fanin__kind_uniform = {
    .description = {"uniform", "", "uniform on [lo, hi]", "lo=0,hi=1", "definition; defaults of torch.nn.init", 0, 1,
                    ""},
    .defaults = {.kind = FANIN_KIND_UNIFORM, .lo = 0, .hi = 1},
    .parameters = parameters,
    .resolve = resolve,
    .check = check,
    .explicit = explicit,
};

fanin_init fanin_uniform(double lo, double hi) {
  return fanin__explicit(&(fanin_init){.kind = FANIN_KIND_UNIFORM, .lo = lo, .hi = hi});
}

/* ---- The law ----------------------------------------------------------------------------------------------------- */

static fanin_moments expected(const fanin_law *law) {
  const double lo = law->lo, hi = law->hi;
  return (fanin_moments){
      .mean = 0.5 * lo + 0.5 * hi, .std = (0.5 * hi - 0.5 * lo) / sqrt(3), .kurtosis = 1.8, .lo = lo, .hi = hi};
}

static double probability(const fanin_law *law, double x, bool upper) {
  return (upper ? law->hi - x : x - law->lo) / (law->hi - law->lo);
}

static double integrand(double x, void *context) {
  const fanin__moment *const m = context;
  return pow((x - m->centre) / m->unit, m->power);
}

/* By quadrature, which is exact for polynomials. */
static void moments(const fanin_law *law, double centre, double unit, double *out, int n) {
  fanin__moment m = {law, centre, unit, 0, 0};
  for (m.power = 0; m.power < n; m.power++)
    out[m.power] = fanin__integrate(integrand, &m, law->lo, law->hi, 1) / (law->hi - law->lo);
}

const fanin__law fanin__law_uniform = {
    .values = FANIN_VALUES_INDEPENDENT, .expected = expected, .probability = probability, .moments = moments};
