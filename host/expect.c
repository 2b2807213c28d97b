/* The moments and bounds that an initialiser's values have on a tensor, without a device. */
#include <math.h>

#include "orthogonal.h"

static fanin_moments of_constant(double value) {
  return (fanin_moments){.mean = value, .lo = value, .hi = value};
}

static fanin_moments of_uniform(const fanin__distribution *d) {
  return (fanin_moments){.mean = 0.5 * d->lo + 0.5 * d->hi,
                         .std = (0.5 * d->hi - 0.5 * d->lo) / sqrt(3),
                         .kurtosis = 1.8,
                         .lo = d->lo,
                         .hi = d->hi};
}

static fanin_moments of_normal(const fanin__distribution *d) {
  return (fanin_moments){.mean = d->mean, .std = d->std, .kurtosis = 3, .lo = -INFINITY, .hi = INFINITY};
}

static fanin_moments of_truncated(const fanin__distribution *d) {
  double mean, variance, fourth;
  fanin__truncated_moments(d->a, d->b, &mean, &variance, &fourth);
  return (fanin_moments){.mean = d->mean + d->std * mean,
                         .std = d->std * sqrt(variance),
                         .kurtosis = fourth / variance / variance,
                         .lo = d->lo,
                         .hi = d->hi};
}

/* The share of the whole tensor's entries that identity and dirac set. */
static fanin_status share_of_ones(const fanin_tensor *t, double *share) {
  double entries = 1, ones = 0;
  FANIN__TRY(fanin__count_ones(t, &ones));
  for (int d = 0; d < t->rank; d++) {
    entries *= (double)t->shape[d];
  }
  *share = entries > 0 ? ones / entries : 0;
  return FANIN_OK;
}

static fanin_moments of_delta(const fanin__distribution *d, double share) {
  const double spread = share * (1 - share), std = fabs(d->value) * sqrt(spread);
  return (fanin_moments){.mean = share * d->value,
                         .std = std,
                         .kurtosis = std > 0 ? (1 - 3 * spread) / spread : 0,
                         .lo = fmin(0, d->value),
                         .hi = fmax(0, d->value)};
}

/* A Haar matrix's rows or columns, whichever are fewer, are uniform on the sphere in n dimensions, n being the longer
 * extent: a coordinate q has E q^2 = 1 / n and E q^4 = 3 / (n (n + 2)). */
static fanin_status of_orthogonal(const fanin_tensor *t, const fanin__distribution *d, fanin_moments *out) {
  uint64_t width = 0, height = 0, a = 0, b = 0;
  FANIN__TRY(fanin__orthogonal_extents(t, d->centre, &width, &height));
  FANIN__TRY(fanin__orthogonal_extents(t, false, &a, &b));
  *out = (fanin_moments){.lo = -d->value, .hi = d->value};
  if (width == 0 || a == 0) return FANIN_OK;
  const double n = (double)height, share = n * (double)width / ((double)a * (double)b); /* of entries that are not 0 */
  out->std = d->value * sqrt(share / n);
  out->kurtosis = 3 * n / (n + 2) / share;
  return FANIN_OK;
}

fanin_status fanin_expect(const fanin_tensor *t, const fanin_init *init, fanin_moments *out) {
  fanin__view view;
  FANIN__TRY(fanin__view_of(t, &view));
  fanin__distribution d;
  FANIN__TRY(fanin__resolve(t, init, &d));
  switch (d.family) {
  case FANIN__CONSTANT:
    *out = of_constant(d.value);
    break;
  case FANIN__UNIFORM:
    *out = of_uniform(&d);
    break;
  case FANIN__NORMAL:
    *out = of_normal(&d);
    break;
  case FANIN__TRUNC_NORMAL:
    *out = of_truncated(&d);
    break;
  case FANIN__DELTA: {
    double share = 0;
    FANIN__TRY(share_of_ones(t, &share));
    *out = of_delta(&d, share);
    break;
  }
  case FANIN__ORTHOGONAL:
    return of_orthogonal(t, &d, out);
  }
  return FANIN_OK;
}
