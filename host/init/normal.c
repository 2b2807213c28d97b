/* normal: the normal law, whose distribution function and moments the truncated and the sparse one share. */
#include "math/normal.h"
#include "core/status.h"
#include "init/initializer.h"
#include "math/quadrature.h"

static const fanin__parameter parameters[] = {FANIN__FINITE(mean), FANIN__NOT_NEGATIVE(std), FANIN__END};

fanin_status fanin__resolve_normal(double mean, double std, fanin__distribution *out) {
  if (std == 0) return fanin__resolve_to(mean, out);
  *out = (fanin__distribution){.law = {.kind = FANIN_LAW_KIND_NORMAL, .mean = mean, .std = std}};
  return FANIN_STATUS_OK;
}

static fanin_status resolve(const fanin_init *init, const fanin__roles *roles, fanin__distribution *out) {
  (void)roles;
  return fanin__resolve_normal(init->mean, init->std, out);
}

static fanin_init explicit(const fanin_init *init) {
  return init->std == 0 ? fanin__everywhere(init->mean) : *init;
}

const fanin__initializer fanin__kind_normal = {
    .description = {"normal", "", "normal with mean and std", "mean=0,std=1", "definition; defaults of torch.nn.init",
                    0, 1, ""},
    .defaults = {.kind = FANIN_KIND_NORMAL, .std = 1},
    .parameters = parameters,
    .resolve = resolve,
    .explicit = explicit,
};

fanin_init fanin_normal(double mean, double std) {
  return fanin__explicit(&(fanin_init){.kind = FANIN_KIND_NORMAL, .mean = mean, .std = std});
}

/* ---- The law ----------------------------------------------------------------------------------------------------- */

static fanin_moments expected(const fanin_law *law) {
  return (fanin_moments){.mean = law->mean, .std = law->std, .kurtosis = 3, .lo = -INFINITY, .hi = INFINITY};
}

double fanin__normal_probability(const fanin_law *law, double x, bool upper) {
  const double z = (x - law->mean) / law->std;
  return fanin__normal_tail_fast(upper ? z : -z);
}

/* Times the density of the law over that at its mode. */
static double integrand(double z, void *context) {
  const fanin__moment *const m = context;
  const double x = m->law->mean + m->law->std * z;
  return pow((x - m->centre) / m->unit, m->power) * fanin__exp(-0.5 * (z - m->mode) * (z + m->mode));
}

void fanin__normal_moments(const fanin_law *law, double centre, double unit, double *moments, int n) {
  const double a = fmax((law->lo - law->mean) / law->std, -1e15), b = fmin((law->hi - law->mean) / law->std, 1e15);
  const double mode = a > 0 ? a : b < 0 ? b : 0;
  const double reach = 400 / (fabs(mode) + sqrt(mode * mode + 400)); /* to e^-200 of the mode's density */
  fanin__moment m = {law, centre, unit, 0, mode};
  double mass = 0;
  for (m.power = 0; m.power < n; m.power++) {
    const double sum = fanin__integrate(integrand, &m, fmax(a, mode - reach), fmin(b, mode + reach), 32);
    if (m.power == 0) mass = sum;
    moments[m.power] = sum / mass;
  }
}

const fanin__law fanin__law_normal = {.values = FANIN_VALUES_INDEPENDENT,
                                      .expected = expected,
                                      .probability = fanin__normal_probability,
                                      .moments = fanin__normal_moments};
