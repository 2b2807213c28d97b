/* The real numbers cut into cells at the midpoints between neighbouring keys' numbers. */
#include "inspect/cells.h"

#include <math.h>

#include "base/dtype.h"
#include "inspect/chance.h"

enum { FIRST_FINITE = 0x80, LAST = 0xff7f }; /* of f32 and bf16; the keys of other dtypes lie within */

/* Where the cell of `key` begins: -inf and inf outside of what the law, or the dtype, has. */
static double edge_below(const cells *c, uint32_t key) {
  double lower, least, most;
  if (key <= FIRST_FINITE) return -INFINITY;
  if (key > LAST) return INFINITY;
  fanin_bin_numbers(c->dtype, key - 1, &least, &lower);
  fanin_bin_numbers(c->dtype, key, &least, &most);
  if (isnan(lower) || isinf(lower)) return lower > 0 || key > 0x8000 ? INFINITY : -INFINITY;
  if (isnan(least) || isinf(least)) return key > 0x8000 ? INFINITY : -INFINITY;
  /* Bounds are numbers of f32. */
  if (c->clamped && lower < c->law->lo - 0x1p-23 * fabs(c->law->lo)) return -INFINITY;
  if (c->clamped && least > c->law->hi + 0x1p-23 * fabs(c->law->hi)) return INFINITY;
  return lower + (least - lower) / 2;
}

/* NaN where the law has none in closed form. */
static double probability(const fanin_law *law, double x, int upper) {
  double p = NAN;
  fanin_law_probability(law, x, upper, &p);
  return p;
}

void cells_moments(const fanin_law *law, double centre, double unit, double moments[13]) {
  for (int k = 0; k < 13; ++k)
    moments[k] = NAN;
  fanin_law_moments(law, centre, unit, moments, 13);
}

void cells_moments_rounded(const fanin_law *law, fanin_dtype dtype, bool bounded, double centre, double unit,
                           double moments[13]) {
  for (int k = 0; k < 13; ++k)
    moments[k] = NAN;
  fanin_law_moments_rounded(law, dtype, bounded, centre, unit, moments, 13);
}

double cells_below(const cells *c, uint32_t key, int upper) {
  const double edge = edge_below(c, key);
  if (isinf(edge)) return (edge > 0) != (upper != 0);
  return probability(c->law, edge, upper);
}

double cells_between(const cells *c, uint32_t from, uint32_t to) {
  const double below = cells_below(c, from, 0);
  if (below < 0.5) return cells_below(c, to, 0) - below;
  return cells_below(c, from, 1) - cells_below(c, to, 1);
}

void cells_around(fanin_dtype dtype, double x, double *below, double *above) {
  const fanin_dtype_info info = dtype_info(dtype);
  *below = *above = x;
  if (info.needs_fp64 || isinf(x)) return;
  int exponent = 0;
  const double fraction = frexp(fabs(x), &exponent);
  const int digits = info.digits, least = info.least;
  const int step = x == 0 || exponent - digits < least ? least : exponent - digits;
  const bool halves = fraction == 0.5 && step > least; /* below a power of two, numbers are twice as dense */
  const double outward = ldexp(0.5, step), inward = halves ? outward / 2 : outward;
  *below -= x < 0 ? outward : inward;
  *above += x < 0 ? inward : outward;
}

/* The key whose lower edge is nearest to that quantile. */
static uint32_t key_at(const cells *c, double quantile) {
  uint32_t low = FIRST_FINITE, high = LAST + 1; /* below(low) < quantile <= below(high) */
  while (high - low > 1) {
    const uint32_t middle = low + (high - low) / 2;
    *(cells_below(c, middle, 0) < quantile ? &low : &high) = middle;
  }
  const double under = quantile - cells_below(c, low, 0), over = cells_below(c, high, 0) - quantile;
  return under < over ? low : high;
}

void bins_make(const cells *c, const uint64_t *counts, double n, int wanted, double least, bins *out) {
  *out = (bins){.edges = {0}};
  if (wanted > MOST_BINS) wanted = MOST_BINS;
  double below = 0;
  for (int b = 1; b < wanted; ++b) {
    const uint32_t key = key_at(c, (double)b / wanted);
    const double here = cells_below(c, key, 0);
    if (key <= out->edges[out->count] || (here - below) * n < least) continue;
    if (cells_below(c, key, 1) * n < least) break;
    out->edges[++out->count] = key;
    below = here;
  }
  out->edges[++out->count] = FANIN_BINS;
  if (out->count < 2) out->count = 0;
  for (int b = 0; b < out->count; ++b) {
    for (uint32_t key = out->edges[b]; key < out->edges[b + 1]; ++key)
      out->counted[b] += (double)counts[key];
  }
  bins_expect(c, out);
}

void bins_expect(const cells *c, bins *b) {
  for (int k = 0; k < b->count; ++k)
    b->expected[k] = cells_between(c, b->edges[k], b->edges[k + 1]);
}

double bins_chi_square(const bins *b, double n) {
  double sum = 0;
  for (int k = 0; k < b->count; ++k) {
    const double expected = n * b->expected[k], excess = b->counted[k] - expected;
    if (excess != 0) sum += excess * excess / expected;
  }
  return sum;
}

double bins_distance(const bins *b, double n, double *most) {
  double counted = 0, expected = 0, largest = 0;
  *most = 0;
  for (int k = 0; k < b->count; ++k) {
    const double above = counted + b->counted[k] / n, below = expected + b->expected[k];
    largest = fmax(largest, fabs(above - below));
    *most = fmax(*most, fmax(fabs(above - expected), fabs(below - counted)));
    counted = above;
    expected = below;
  }
  return largest;
}

double extreme_deviate(const cells *c, double x, int largest, double n) {
  double below, above;
  cells_around(c->dtype, x, &below, &above);
  const bool outermost = largest ? 2 * above - x > c->law->hi : 2 * below - x < c->law->lo;
  const double further = outermost && c->clamped ? 0 : probability(c->law, largest ? above : below, largest);
  const double as_far = probability(c->law, largest ? below : above, largest);
  const double log_at_most = n * log1p(-further), log_none = n * log1p(-as_far);
  return deviate_of_tails(log_at_most, log_none > -0.7 ? log(-expm1(log_none)) : log1p(-exp(log_none)));
}
