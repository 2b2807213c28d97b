/* trunc_normal: the normal law cut to an interval, and what makes a normal keep an std when it is cut. */
#include "core/status.h"
#include "init/initializer.h"
#include "math/normal.h"

_Static_assert(sizeof(fanin_bounds) == sizeof(int), "enums have int's size");

static const fanin__choice units[] = {{"sigma", FANIN_BOUNDS_SIGMA}, {"absolute", FANIN_BOUNDS_ABSOLUTE}, {NULL, 0}};
static const fanin__choice corrections[] = {{"false", 1}, {"true", 0}, {NULL, 0}}; /* of `uncorrected` */
static const fanin__parameter parameters[] = {
    FANIN__FINITE(mean),
    FANIN__NOT_NEGATIVE(std),
    FANIN__PAIRED(a, b, -INFINITY, INFINITY),
    FANIN__PAIRED(b, a, -INFINITY, INFINITY),
    FANIN__CHOICE_OF(bounds, units),
    {"corrected", offsetof(fanin_init, uncorrected), FANIN__CHOICE, 0, 0, corrections, {0}},
    FANIN__END};

/* ---- Resolving --------------------------------------------------------------------------------------------------- */

/* The standard deviation of N(0, sigma^2) cut to [lo, hi]; 0 where that is too far out to matter here. */
static double truncated_std(double sigma, double lo, double hi) {
  const double a = lo / sigma, b = hi / sigma;
  if (a > 1e100 || b < -1e100) return 0;
  double mean, variance, fourth;
  fanin__truncated_moments(a, b, &mean, &variance, &fourth);
  return sigma * sqrt(variance);
}

/* The sigma with truncated_std(sigma, lo, hi) = std. That rises with sigma, is never above sigma, and tends to the
 * uniform distribution's (hi - lo) / sqrt(12), which std is below. Regula falsi in its Illinois form. */
static double sigma_before_truncation(double lo, double hi, double std) {
  /* From here on a bounded interval is as good as uniform. */
  const double farthest = fmax(fabs(lo), fabs(hi)), most = farthest < INFINITY ? 1e8 * farthest : DBL_MAX / 4;
  double low = std, high = std, low_excess = -std, high_excess = truncated_std(std, lo, hi) - std;
  while (high_excess < 0) {
    if (high >= most) return high;
    low = high;
    low_excess = high_excess;
    high *= 2;
    high_excess = truncated_std(high, lo, hi) - std;
  }
  double sigma = high;
  for (int step = 0, side = 0; step < 100; step++) {
    const double next = high - high_excess * ((high - low) / (high_excess - low_excess));
    if (!(next > low && next < high)) break;
    sigma = next;
    const double excess = truncated_std(sigma, lo, hi) - std;
    if (fabs(excess) <= 2e-16 * std) break;
    if (excess > 0) {
      if (side > 0) low_excess /= 2;
      high = sigma;
      high_excess = excess;
      side = 1;
    } else {
      if (side < 0) high_excess /= 2;
      low = sigma;
      low_excess = excess;
      side = -1;
    }
  }
  return sigma;
}

/* N(mean, sigma^2) cut to [a, b] in units of sigma, where double can tell its values apart. */
static fanin_status truncated(double mean, double sigma, double a, double b, fanin__distribution *out) {
  if (!(a <= 1e15 && b >= -1e15 && b - a >= 1e-40)) {
    return fanin__fail(FANIN_STATUS_BAD_ARGUMENT,
                       "the bounds are %g and %g standard deviations from the mean of the normal that is cut; at least "
                       "one within 1e15 and a distance of at least 1e-40 are accepted",
                       a, b);
  }
  if (!(sigma < INFINITY)) {
    return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "the normal that is cut to [%g, %g] has an std that overflows", a, b);
  }
  *out = (fanin__distribution){.law = {.kind = FANIN_LAW_KIND_TRUNC_NORMAL,
                                       .lo = mean + sigma * a,
                                       .hi = mean + sigma * b,
                                       .mean = mean,
                                       .std = sigma,
                                       .from = a,
                                       .to = b}};
  return FANIN_STATUS_OK;
}

fanin_status fanin__resolve_truncated(double mean, double std, double a, double b, fanin__distribution *out) {
  return truncated(mean, std / truncated_std(1, a, b), a, b, out);
}

static fanin_status resolve_absolute(const fanin_init *init, fanin__distribution *out) {
  const double lo = init->a - init->mean, hi = init->b - init->mean;
  const double uniform_std = (hi - lo) / sqrt(12);
  if (hi - lo < INFINITY && hi - lo <= 1e-12 * fmin(fabs(lo), fabs(hi))) {
    return fanin__fail(FANIN_STATUS_BAD_ARGUMENT,
                       "trunc_normal: a = %.17g and b = %.17g are too close at a mean of %g; a distance of more than "
                       "1e-12 of the one from the mean is accepted",
                       init->a, init->b, init->mean);
  }
  if (!init->uncorrected && init->std >= uniform_std) {
    return fanin__fail(
        FANIN_STATUS_BAD_ARGUMENT,
        "trunc_normal: no normal cut to [%g, %g] has std = %g; less than the uniform distribution's %.9g "
        "is accepted",
        init->a, init->b, init->std, uniform_std);
  }
  const double sigma = init->uncorrected ? init->std : sigma_before_truncation(lo, hi, init->std);
  FANIN__TRY(truncated(init->mean, sigma, lo / sigma, hi / sigma, out));
  out->law.lo = init->a; /* what was asked for, not what a division by sigma leaves of it */
  out->law.hi = init->b;
  return FANIN_STATUS_OK;
}

static fanin_status resolve(const fanin_init *init, const fanin__roles *roles, fanin__distribution *out) {
  (void)roles;
  if (init->bounds == FANIN_BOUNDS_ABSOLUTE) return resolve_absolute(init, out);
  if (init->uncorrected) return truncated(init->mean, init->std, init->a, init->b, out);
  return fanin__resolve_truncated(init->mean, init->std, init->a, init->b, out);
}

static fanin_status check(const fanin_init *init, fanin_status status) {
  if (init->a < init->b) return FANIN_STATUS_OK;
  return fanin__fail(status, "trunc_normal: a is %g and b is %g; a of less than b is accepted", init->a, init->b);
}

static fanin_init explicit(const fanin_init *init) {
  const bool absolute = init->bounds == FANIN_BOUNDS_ABSOLUTE;
  if (init->std == 0) return fanin__everywhere(absolute ? fmin(fmax(init->mean, init->a), init->b) : init->mean);
  return fanin__used_fields(&fanin__kind_trunc_normal, init);
}

static fanin_status scale(fanin_init *init, double factor) {
  init->mean *= factor;
  init->std *= factor;
  if (init->bounds == FANIN_BOUNDS_ABSOLUTE) {
    init->a *= factor;
    init->b *= factor;
  }
  return FANIN_STATUS_OK;
}

const fanin__initializer fanin__kind_trunc_normal = {
    .description =
        {"trunc_normal", "",
         "normal of mean and s, cut to [a, b], in units of s (bounds=sigma) or values (bounds=absolute); s = "
         "std, or such that the result has std (corrected=true)",
         "mean=0,std=1,a=-2,b=2,bounds=sigma,corrected=true",
         "Johnson, Kotz & Balakrishnan 1994, chapter 13, section 10.1", 0, 1, ""},
    .defaults = {.kind = FANIN_KIND_TRUNC_NORMAL, .std = 1, .a = -2, .b = 2},
    .parameters = parameters,
    .resolve = resolve,
    .check = check,
    .explicit = explicit,
    .scale = scale,
};

fanin_init fanin_trunc_normal(double mean, double std, double a, double b) {
  return fanin__explicit(&(fanin_init){.kind = FANIN_KIND_TRUNC_NORMAL, .mean = mean, .std = std, .a = a, .b = b});
}

/* ---- The law ----------------------------------------------------------------------------------------------------- */

static fanin_moments expected(const fanin_law *law) {
  double mean, variance, fourth;
  fanin__truncated_moments(law->from, law->to, &mean, &variance, &fourth);
  return (fanin_moments){.mean = law->mean + law->std * mean,
                         .std = law->std * sqrt(variance),
                         .kurtosis = fourth / variance / variance,
                         .lo = law->lo,
                         .hi = law->hi};
}

/* P(from < Z <= to), Z ~ N(0,1), without cancellation in either tail. */
static double between(double from, double to) {
  return from > 0 ? fanin__normal_tail_fast(from) - fanin__normal_tail_fast(to)
                  : fanin__normal_tail_fast(-to) - fanin__normal_tail_fast(-from);
}

static double probability(const fanin_law *law, double x, bool upper) {
  const double z = (x - law->mean) / law->std;
  const double a = (law->lo - law->mean) / law->std, b = (law->hi - law->mean) / law->std;
  return (upper ? between(z, b) : between(a, z)) / between(a, b);
}

const fanin__law fanin__law_trunc_normal = {.values = FANIN_VALUES_INDEPENDENT,
                                            .expected = expected,
                                            .probability = probability,
                                            .moments = fanin__normal_moments};
