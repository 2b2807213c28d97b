/* Resolves an initializer on a tensor: from fans, gains, modes and truncations to a distribution with its numbers. */
#include <float.h>
#include <math.h>

#include "core/status.h"
#include "init/initializer.h"
#include "math/normal.h"

fanin_status fanin__resolve(const fanin_tensor *t, const fanin_init *init, fanin__distribution *out) {
  FANIN__TRY(fanin__check_init(init, FANIN_STATUS_BAD_ARGUMENT));
  const fanin__initializer *const initializer = fanin__initializer_of(init->kind);
  const fanin_description *const description = &initializer->description;
  fanin__roles roles = {.o = -1, .i = -1};
  if (description->needs_fans) {
    FANIN__TRY(fanin__roles_of(t, &roles));
    if (roles.o < 0 || roles.i < 0) {
      return fanin__fail(FANIN_STATUS_BAD_LAYOUT, "%s needs a layout with O and I; layout is \"%s\"", description->name,
                         t->layout);
    }
  }
  const fanin_init used = fanin__used_fields(initializer, init);
  return initializer->resolve(&used, &roles, out);
}

static fanin_status constant(double value, fanin__distribution *out) {
  *out = (fanin__distribution){.family = FANIN__CONSTANT, .value = value};
  return FANIN_STATUS_OK;
}

fanin_status fanin__resolve_constant(const fanin_init *init, const fanin__roles *roles, fanin__distribution *out) {
  (void)roles;
  return constant(init->value, out);
}

fanin_status fanin__resolve_uniform(const fanin_init *init, const fanin__roles *roles, fanin__distribution *out) {
  (void)roles;
  if (init->lo == init->hi) return constant(init->lo, out);
  *out = (fanin__distribution){.family = FANIN__UNIFORM, .lo = init->lo, .hi = init->hi};
  return FANIN_STATUS_OK;
}

fanin_status fanin__resolve_normal(const fanin_init *init, const fanin__roles *roles, fanin__distribution *out) {
  (void)roles;
  *out = (fanin__distribution){.family = FANIN__NORMAL, .mean = init->mean, .std = init->std};
  return FANIN_STATUS_OK;
}

/* ---- Truncation -------------------------------------------------------------------------------------------------- */

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
  *out = (fanin__distribution){.family = FANIN__TRUNC_NORMAL,
                               .lo = mean + sigma * a,
                               .hi = mean + sigma * b,
                               .mean = mean,
                               .std = sigma,
                               .a = a,
                               .b = b};
  return FANIN_STATUS_OK;
}

/* N(mean, sigma^2) cut to [a, b] in units of sigma, sigma such that std is what is left. */
static fanin_status truncated_to_std(double mean, double std, double a, double b, fanin__distribution *out) {
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
  out->lo = init->a; /* what was asked for, not what a division by sigma leaves of it */
  out->hi = init->b;
  return FANIN_STATUS_OK;
}

fanin_status fanin__resolve_trunc_normal(const fanin_init *init, const fanin__roles *roles, fanin__distribution *out) {
  (void)roles;
  if (init->bounds == FANIN_BOUNDS_ABSOLUTE) return resolve_absolute(init, out);
  if (init->uncorrected) return truncated(init->mean, init->std, init->a, init->b, out);
  return truncated_to_std(init->mean, init->std, init->a, init->b, out);
}

/* ---- Fans -------------------------------------------------------------------------------------------------------- */

static double fan_of(fanin_mode mode, const fanin__roles *roles) {
  const double in = (double)roles->fan_in, out = (double)roles->fan_out;
  const double by_mode[] = {[FANIN_MODE_FAN_IN] = in,
                            [FANIN_MODE_FAN_OUT] = out,
                            [FANIN_MODE_FAN_AVG] = 0.5 * (in + out),
                            [FANIN_MODE_FAN_GEO] = sqrt(in * out)};
  return by_mode[mode];
}

/* Xavier, He, LeCun and variance_scaling: they differ in the fields that the table fixes. No fan: an empty tensor. */
fanin_status fanin__resolve_fans(const fanin_init *init, const fanin__roles *roles, fanin__distribution *out) {
  const double n = fan_of(init->mode, roles);
  const double std = n > 0 ? init->gain * sqrt(init->scale / (1 + init->a * init->a) / n) : 0;
  const double bound = sqrt(3) * std;
  if (!(bound < INFINITY)) {
    return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "gain = %g and scale = %g give an std that overflows", init->gain,
                       init->scale);
  }
  if (std == 0) return constant(0, out);
  if (init->distribution == FANIN_DISTRIBUTION_TRUNC_NORMAL) return truncated_to_std(0, std, -2, 2, out);
  if (init->distribution == FANIN_DISTRIBUTION_NORMAL) {
    *out = (fanin__distribution){.family = FANIN__NORMAL, .std = std};
  } else {
    *out = (fanin__distribution){.family = FANIN__UNIFORM, .lo = -bound, .hi = bound};
  }
  return FANIN_STATUS_OK;
}

/* ---- Ones and zeros by index ------------------------------------------------------------------------------------- */

static fanin_status delta(const fanin_init *init, fanin__distribution *out) {
  *out = (fanin__distribution){.family = FANIN__DELTA, .value = init->gain};
  return FANIN_STATUS_OK;
}

fanin_status fanin__resolve_identity(const fanin_init *init, const fanin__roles *roles, fanin__distribution *out) {
  if (roles->n_taps > 0) {
    return fanin__fail(FANIN_STATUS_BAD_LAYOUT,
                       "identity takes a layout of O, I and B; this one has taps too (dirac's are O, "
                       "I and at least one of D, H and W)");
  }
  return delta(init, out);
}

fanin_status fanin__resolve_dirac(const fanin_init *init, const fanin__roles *roles, fanin__distribution *out) {
  if (roles->n_taps == 0) {
    return fanin__fail(FANIN_STATUS_BAD_LAYOUT,
                       "dirac takes a layout of O, I and at least one of D, H and W; this one has no "
                       "taps (identity's is O and I)");
  }
  return delta(init, out);
}

fanin_status fanin__resolve_orthogonal(const fanin_init *init, const fanin__roles *roles, fanin__distribution *out) {
  (void)roles;
  *out = (fanin__distribution){.family = FANIN__ORTHOGONAL, .value = init->gain};
  return FANIN_STATUS_OK;
}

/* Shorter inputs could not all keep their length. */
fanin_status fanin__resolve_delta_orthogonal(const fanin_init *init, const fanin__roles *roles,
                                             fanin__distribution *out) {
  if (roles->n_taps == 0) {
    return fanin__fail(FANIN_STATUS_BAD_LAYOUT,
                       "delta_orthogonal takes a layout of O, I and at least one of D, H and W; this "
                       "one has no taps (orthogonal's is O and I)");
  }
  if (roles->fan_in > roles->fan_out) {
    return fanin__fail(FANIN_STATUS_BAD_SHAPE,
                       "delta_orthogonal: fan_in is %llu and fan_out is %llu; a fan_in of fan_out or less is accepted, "
                       "since fewer outputs cannot keep a length",
                       (unsigned long long)roles->fan_in, (unsigned long long)roles->fan_out);
  }
  FANIN__TRY(fanin__resolve_orthogonal(init, roles, out));
  out->centre = true;
  return FANIN_STATUS_OK;
}

/* ---- Zeros at random, and numbers by index ----------------------------------------------------------------------- */

/* Zeros of a line, as torch.nn.init.sparse_ counts them: in double, rounded up. */
static uint64_t zeros_of(const fanin_init *init, uint64_t line) {
  if (init->connections > 0) return init->connections < (double)line ? line - (uint64_t)init->connections : 0;
  const double zeros = ceil(init->sparsity * (double)line);
  return zeros < (double)line ? (uint64_t)zeros : line;
}

fanin_status fanin__resolve_sparse(const fanin_init *init, const fanin__roles *roles, fanin__distribution *out) {
  const uint64_t line = init->per == FANIN_PER_OUTPUT ? roles->fan_in : roles->fan_out, zeros = zeros_of(init, line);
  if (zeros == line) return constant(0, out);
  *out = (fanin__distribution){.family = zeros > 0 ? FANIN__SPARSE : FANIN__NORMAL,
                               .std = init->std,
                               .per = init->per,
                               .zeros = zeros,
                               .line = line};
  return FANIN_STATUS_OK;
}

fanin_status fanin__resolve_bilinear(const fanin_init *init, const fanin__roles *roles, fanin__distribution *out) {
  if (roles->n_taps == 0) {
    return fanin__fail(FANIN_STATUS_BAD_LAYOUT,
                       "bilinear takes a layout of O, I and at least one of D, H and W; this one has "
                       "no taps");
  }
  *out = (fanin__distribution){.family = FANIN__BILINEAR, .value = init->gain};
  return FANIN_STATUS_OK;
}

/* 2^(-(m-1)/2), m = ceil(log2 outputs). */
static double hadamard_magnitude(uint64_t outputs) {
  int m = 0;
  while (m < 63 && UINT64_C(1) << m < outputs)
    m++;
  const double whole = ldexp(1, -((m - 1) / 2));
  return (m - 1) % 2 == 0 ? whole : whole * sqrt(0.5);
}

/* `roles` count taps in both fans: their order is that of the channels. */
fanin_status fanin__resolve_hadamard(const fanin_init *init, const fanin__roles *roles, fanin__distribution *out) {
  if (roles->fan_out <= roles->fan_in) return delta(init, out);
  const double magnitude = hadamard_magnitude(roles->fan_out / roles->spatial);
  *out = (fanin__distribution){.family = FANIN__HADAMARD, .value = init->gain * magnitude};
  return FANIN_STATUS_OK;
}
