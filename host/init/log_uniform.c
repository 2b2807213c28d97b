/* log_uniform: numbers y whose logarithm is uniform (the reciprocal distribution), or the inverse softplus of them,
 * g(y) = ln(e^y - 1), which is how Mamba initializes the bias of its time steps. */
#include "core/status.h"
#include "init/initializer.h"
#include "math/normal.h"
#include "math/quadrature.h"

#define POSITIVE(field) FANIN__NUMBER_IN(field, FANIN__ABOVE_0, DBL_MAX)

static const fanin__choice flags[] = {{"false", 0}, {"true", 1}, {NULL, 0}};
static const fanin__parameter parameters[] = {POSITIVE(lo), POSITIVE(hi), FANIN__NOT_NEGATIVE(floor),
                                              FANIN__CHOICE_OF(inverse_softplus, flags), FANIN__END};

/* ln(e^y - 1). Up to 1 as ln y + y / 2 + ln(sinh(y / 2) / (y / 2)), whose series is of Bernoulli's numbers:
 * B_2k / (2k (2k)!) y^2k. */
static double inverse_softplus(double y) {
  static const double series[] = {1.0 / 24,
                                  -1.0 / 2880,
                                  1.0 / 181440,
                                  -1.0 / 9676800,
                                  1.0 / 479001600.,
                                  -691. / 15692092416000.,
                                  1.0 / 1046139494400.,
                                  -3617. / 170729965486080000.};
  if (y > 1) return y + fanin__log(1 - fanin__exp(-y));
  double sum = 0;
  for (int k = (int)(sizeof series / sizeof *series) - 1; k >= 0; k--)
    sum = (sum + series[k]) * (y * y);
  return fanin__log(y) + 0.5 * y + sum;
}

static fanin_status resolve(const fanin_init *init, const fanin__roles *roles, fanin__distribution *out) {
  (void)roles;
  const double least = fmax(init->lo, init->floor);
  const double lo = init->inverse_softplus ? inverse_softplus(least) : least;
  const double hi = init->inverse_softplus ? inverse_softplus(init->hi) : init->hi;
  if (least == init->hi) return fanin__resolve_to(hi, out);
  const fanin_law_kind kind = init->inverse_softplus ? FANIN_LAW_KIND_SOFTPLUS_LOG_UNIFORM : FANIN_LAW_KIND_LOG_UNIFORM;
  *out = (fanin__distribution){.law = {.kind = kind, .lo = lo, .hi = hi, .from = init->lo, .to = init->hi}};
  return FANIN_STATUS_OK;
}

static fanin_status check(const fanin_init *init, fanin_status status) {
  if (init->lo > init->hi)
    return fanin__fail(status, "log_uniform: lo is %g and hi is %g; lo of hi or less is accepted", init->lo, init->hi);
  if (init->floor <= init->hi) return FANIN_STATUS_OK;
  return fanin__fail(status, "log_uniform: floor is %g and hi is %g; a floor of hi or less is accepted", init->floor,
                     init->hi);
}

static fanin_status scale(fanin_init *init, double factor) {
  if (init->inverse_softplus) {
    return fanin__fail(
        FANIN_STATUS_BAD_ARGUMENT,
        "log_uniform with inverse_softplus=true is no initializer any more when it is multiplied (factor "
        "= %g); inverse_softplus=false is accepted",
        factor);
  }
  init->lo *= factor;
  init->hi *= factor;
  init->floor *= factor;
  return FANIN_STATUS_OK;
}

const fanin__initializer fanin__kind_log_uniform = {
    .description =
        {"log_uniform", "reciprocal",
         "y = exp(U(ln lo, ln hi)), at least floor; with inverse_softplus=true ln(exp(y) - 1), the bias whose "
         "softplus is y",
         "lo=0.001,hi=0.1,floor=0,inverse_softplus=false",
         "Gu & Dao 2023 (Mamba), section 3.6: bias of the time steps; Hamming 1970 (the reciprocal "
         "distribution)",
         0, 1, ""},
    .defaults = {.kind = FANIN_KIND_LOG_UNIFORM, .lo = 0.001, .hi = 0.1},
    .parameters = parameters,
    .resolve = resolve,
    .check = check,
    .scale = scale,
};

fanin_init fanin_log_uniform(double lo, double hi) {
  return (fanin_init){.kind = FANIN_KIND_LOG_UNIFORM, .lo = lo, .hi = hi};
}

/* ---- The law ----------------------------------------------------------------------------------------------------- */

static bool is_inverse(const fanin_law *law) {
  return law->kind == FANIN_LAW_KIND_SOFTPLUS_LOG_UNIFORM;
}

/* The y that a value comes from: softplus is g's inverse. */
static double source_of(const fanin_law *law, double x) {
  if (!is_inverse(law)) return x;
  return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

/* ln(a / b), accurate where both are near each other. */
static double log_ratio(double a, double b) {
  return fabs(a - b) < 0.5 * b ? log1p((a - b) / b) : log(a / b);
}

/* The floor's values have the probability of all that would be below it. */
static double probability(const fanin_law *law, double x, bool upper) {
  const double y = source_of(law, x), all = log_ratio(law->to, law->from);
  return fmin(fmax((upper ? log_ratio(law->to, y) : log_ratio(y, law->from)) / all, 0), 1);
}

/* x = e^t, or g(e^t) */
static double integrand(double t, void *context) {
  const fanin__moment *const m = context;
  const double y = exp(t), x = is_inverse(m->law) ? inverse_softplus(y) : y;
  return pow((x - m->centre) / m->unit, m->power);
}

/* The floor's share, and by quadrature the rest, in pieces of at most half of a unit of ln y. */
static void moments(const fanin_law *law, double centre, double unit, double *out, int n) {
  const double least = source_of(law, law->lo), all = log_ratio(law->to, law->from);
  const double rest = log_ratio(law->to, least), share = fmax(1 - rest / all, 0);
  fanin__moment m = {law, centre, unit, 0, 0};
  for (m.power = 0; m.power < n; m.power++) {
    const double sum = fanin__integrate(integrand, &m, log(law->to) - rest, log(law->to), 1 + (int)(2 * rest));
    out[m.power] = share * pow((law->lo - centre) / unit, m.power) + sum / all;
  }
}

/* With s half of ln(hi / lo) and c = sqrt(lo hi): the mean is c sinh(s) / s, and the variance
 * c^2 sinh(s) / s (cosh(s) - sinh(s) / s), whose difference is s^2 / 3 + s^4 / 30 + ... */
static void in_closed_form(double lo, double hi, double *mean, double *std) {
  const double s = log_ratio(hi, lo) / 2, c = sqrt(lo) * sqrt(hi), ratio = sinh(s) / s, ss = s * s;
  const double difference = s < 0.1 ? ss / 3 * (1 + ss / 10 * (1 + ss / 28 * (1 + ss / 54))) : cosh(s) - ratio;
  *mean = c * ratio;
  *std = c * sqrt(ratio * difference);
}

static fanin_moments expected(const fanin_law *law) {
  double m[5];
  fanin_moments out = {.lo = law->lo, .hi = law->hi};
  const double size = fmax(fabs(law->lo), fabs(law->hi));
  moments(law, 0, size, m, 2);
  out.mean = size * m[1];
  moments(law, out.mean, size, m, 5);
  out.std = size * sqrt(m[2]);
  if (m[2] > 0) out.kurtosis = m[4] / (m[2] * m[2]);
  if (!is_inverse(law) && law->lo == law->from) in_closed_form(law->from, law->to, &out.mean, &out.std);
  return out;
}

const fanin__law fanin__law_log_uniform = {
    .values = FANIN_VALUES_INDEPENDENT, .expected = expected, .probability = probability, .moments = moments};
const fanin__law fanin__law_softplus_log_uniform = {
    .values = FANIN_VALUES_INDEPENDENT, .expected = expected, .probability = probability, .moments = moments};
