/* The moments and bounds that an initializer's values have on a tensor, without a device. */
#include <math.h>

#include "core/argument.h"
#include "init/family.h"
#include "math/normal.h"
#include "tensor/boxes.h"
#include "tensor/view.h"

fanin_status fanin__expect_constant(const fanin_tensor *t, const fanin__distribution *d, fanin_moments *out) {
  (void)t;
  *out = (fanin_moments){.mean = d->value, .lo = d->value, .hi = d->value};
  return FANIN_STATUS_OK;
}

fanin_status fanin__expect_uniform(const fanin_tensor *t, const fanin__distribution *d, fanin_moments *out) {
  (void)t;
  *out = (fanin_moments){.mean = 0.5 * d->lo + 0.5 * d->hi,
                         .std = (0.5 * d->hi - 0.5 * d->lo) / sqrt(3),
                         .kurtosis = 1.8,
                         .lo = d->lo,
                         .hi = d->hi};
  return FANIN_STATUS_OK;
}

fanin_status fanin__expect_normal(const fanin_tensor *t, const fanin__distribution *d, fanin_moments *out) {
  (void)t;
  *out = (fanin_moments){.mean = d->mean, .std = d->std, .kurtosis = 3, .lo = -INFINITY, .hi = INFINITY};
  return FANIN_STATUS_OK;
}

fanin_status fanin__expect_trunc_normal(const fanin_tensor *t, const fanin__distribution *d, fanin_moments *out) {
  (void)t;
  double mean, variance, fourth;
  fanin__truncated_moments(d->a, d->b, &mean, &variance, &fourth);
  *out = (fanin_moments){.mean = d->mean + d->std * mean,
                         .std = d->std * sqrt(variance),
                         .kurtosis = fourth / variance / variance,
                         .lo = d->lo,
                         .hi = d->hi};
  return FANIN_STATUS_OK;
}

/* Of the values, a share is not 0, and normal. */
fanin_status fanin__expect_sparse(const fanin_tensor *t, const fanin__distribution *d, fanin_moments *out) {
  (void)t;
  const double share = (double)(d->line - d->zeros) / (double)d->line;
  *out = (fanin_moments){.std = d->std * sqrt(share), .kurtosis = 3 / share, .lo = -INFINITY, .hi = INFINITY};
  return FANIN_STATUS_OK;
}

fanin_status fanin__count_ones(const fanin_tensor *t, double *count) {
  fanin__roles roles;
  fanin__matrices l = {0};
  FANIN__TRY(fanin__roles_of(t, &roles));
  FANIN__TRY(fanin__matrices_of(t, &roles, &l));
  const uint64_t diagonal = l.outputs < l.inputs ? l.outputs : l.inputs;
  *count = (double)diagonal * (double)l.parts * (double)l.batches;
  return FANIN_STATUS_OK;
}

/* Of the whole tensor's entries, identity and dirac set a share. */
fanin_status fanin__expect_delta(const fanin_tensor *t, const fanin__distribution *d, fanin_moments *out) {
  double entries = 1, ones = 0;
  FANIN__TRY(fanin__count_ones(t, &ones));
  for (int k = 0; k < t->rank; k++) {
    entries *= (double)t->shape[k];
  }
  const double share = entries > 0 ? ones / entries : 0;
  const double spread = share * (1 - share), std = fabs(d->value) * sqrt(spread);
  *out = (fanin_moments){.mean = share * d->value,
                         .std = std,
                         .kurtosis = std > 0 ? (1 - 3 * spread) / spread : 0,
                         .lo = fmin(0, d->value),
                         .hi = fmax(0, d->value)};
  return FANIN_STATUS_OK;
}

/* A Haar matrix's rows or columns, whichever are fewer, are uniform on the sphere in n dimensions, n being the longer
 * extent: a coordinate q has E q^2 = 1 / n and E q^4 = 3 / (n (n + 2)). */
fanin_status fanin__expect_orthogonal(const fanin_tensor *t, const fanin__distribution *d, fanin_moments *out) {
  fanin__roles roles;
  fanin__matrices l = {0};
  FANIN__TRY(fanin__roles_of(t, &roles));
  FANIN__TRY(fanin__matrices_of(t, &roles, &l));
  const fanin__sides made = fanin__sides_of(&roles, &l, d->centre), all = fanin__sides_of(&roles, &l, false);
  *out = (fanin_moments){.lo = -d->value, .hi = d->value};
  if (made.width == 0 || all.width == 0) return FANIN_STATUS_OK;
  const double n = (double)made.height, entries = (double)all.width * (double)all.height;
  const double share = n * (double)made.width / entries; /* of entries that are not 0 */
  out->std = d->value * sqrt(share / n);
  out->kurtosis = 3 * n / (n + 2) / share;
  return FANIN_STATUS_OK;
}

fanin_status fanin_expect(const fanin_tensor *t, const fanin_init *init, fanin_moments *out, size_t size) {
  fanin__view view;
  fanin__distribution d;
  fanin_moments moments;
  FANIN__NEED(t);
  FANIN__NEED(init);
  FANIN__NEED(out);
  FANIN__NEED_SIZE(size);
  FANIN__TRY(fanin__view_of(t, &view));
  FANIN__TRY(fanin__resolve(t, init, &d));
  FANIN__TRY(fanin__family_of(&d)->expect(t, &d, &moments));
  fanin__give(out, size, &moments, sizeof moments);
  return FANIN_STATUS_OK;
}
