/* What to expect of bilinear and hadamard: the moments of numbers that indices decide, in closed form. */
#include <math.h>

#include "core/status.h"
#include "init/family.h"
#include "tensor/boxes.h"

/* From E x, E x^2, E x^3 and E x^4. */
static fanin_moments of_powers(const double power[5], double lo, double hi) {
  const double mean = power[1], variance = fmax(power[2] - mean * mean, 0);
  const double fourth = power[4] - 4 * mean * power[3] + 6 * mean * mean * power[2] - 3 * mean * mean * mean * mean;
  fanin_moments out = {.mean = mean, .std = sqrt(variance), .lo = lo, .hi = hi};
  if (variance > 1e-12 * power[2]) out.kurtosis = fourth / (variance * variance);
  return out;
}

static double entries_of(const fanin_tensor *t) {
  double entries = 1;
  for (int d = 0; d < t->rank; d++) {
    entries *= (double)t->shape[d];
  }
  return entries;
}

/* ---- Bilinear ---------------------------------------------------------------------------------------------------- */

/* Multiplies sums of powers 1 to 4 by those of w(t) = 1 - |t - (k - 1) / 2| / f, t = 0 .. k - 1: by the sums of powers
 * of odd numbers where k = 2 f, else of all numbers. And `most` by the largest w. */
static void take_tap(double k, double power[5], double *most) {
  const double f = ceil(k / 2), ff = f * f;
  const bool even = k == 2 * f;
  power[1] *= f;
  power[2] *= even ? (4 * ff - 1) / (6 * f) : (2 * ff + 1) / (3 * f);
  power[3] *= even ? (2 * ff - 1) / (4 * f) : 1 + (f - 1) * (f - 1) / (2 * f);
  power[4] *= even ? (4 * ff - 1) * (12 * ff - 7) / (120 * ff * f)
                   : 1 + (f - 1) * (2 * f - 1) * (3 * (f - 1) * f - 1) / (15 * ff * f);
  *most *= even ? (2 * f - 1) / (2 * f) : 1;
}

fanin_status fanin__expect_bilinear(const fanin_tensor *t, const fanin__distribution *d, fanin_moments *out) {
  fanin__roles roles;
  double diagonals = 0, power[5] = {1, 1, 1, 1, 1}, most = d->value;
  FANIN__TRY(fanin__roles_of(t, &roles));
  FANIN__TRY(fanin__count_ones(t, &diagonals));
  const double entries = entries_of(t);
  *out = (fanin_moments){0};
  if (entries == 0) return FANIN_STATUS_OK;
  for (int k = 0; k < roles.n_taps; k++) {
    take_tap((double)t->shape[roles.taps[k]], power, &most);
  }
  for (int n = 1; n <= 4; n++) {
    power[n] *= pow(d->value, n) * diagonals / entries;
  }
  *out = of_powers(power, fmin(0, most), fmax(0, most));
  return FANIN_STATUS_OK;
}

/* ---- Hadamard ---------------------------------------------------------------------------------------------------- */

/* The sum of (-1)^ones(o & i) over o < rows, i < columns. With h the largest power of two up to the longer side, whole
 * rows of h signs add up to 0 but for the first; what lies beyond h along both sides has the other sign. */
static double sum_of_signs(uint64_t rows, uint64_t columns) {
  double sum = 0, sign = 1;
  while (rows > 0 && columns > 0) {
    uint64_t h = 1;
    while (h <= (rows > columns ? rows : columns) / 2)
      h *= 2;
    const bool low = rows > h, right = columns > h; /* something lies below, and to the right */
    if (low && right) {
      sum += 3 * sign * (double)h;
      sign = -sign;
      rows -= h;
      columns -= h;
    } else {
      sum += sign * (double)h;
      rows = low ? rows - h : right ? rows : 0;
      columns = right ? columns - h : low ? columns : 0;
    }
  }
  return sum;
}

fanin_status fanin__expect_hadamard(const fanin_tensor *t, const fanin__distribution *d, fanin_moments *out) {
  fanin__roles roles;
  fanin__matrices m = {0};
  FANIN__TRY(fanin__roles_of(t, &roles));
  FANIN__TRY(fanin__matrices_of(t, &roles, &m));
  *out = (fanin_moments){0};
  if (entries_of(t) == 0) return FANIN_STATUS_OK;
  const double share = 1 / (double)roles.spatial, c = d->value;
  const double tilt = sum_of_signs(m.outputs, m.inputs) / ((double)m.outputs * (double)m.inputs);
  const double power[5] = {1, share * tilt * c, share * c * c, share * tilt * c * c * c, share * c * c * c * c};
  *out = of_powers(power, -fabs(c), fabs(c));
  return FANIN_STATUS_OK;
}
