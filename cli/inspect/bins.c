/* A law seen through the bins of a dtype's numbers, and classes of bins. */
#include "inspect/bins.h"

#include <math.h>

#include "base/dtype.h"
#include "inspect/chance.h"

enum { FIRST_FINITE = 0x80, LAST = 0xff7f }; /* bins of f32 and bf16; those of other dtypes lie within */

/* The lower edge of a bin. It is -inf or inf where the law, or the dtype, has no numbers. */
static double edge_below(const binned_law *l, uint32_t bin) {
  double lower, least, most;
  if (bin <= FIRST_FINITE) return -INFINITY;
  if (bin > LAST) return INFINITY;
  fanin_bin_numbers(l->dtype, bin - 1, &least, &lower);
  fanin_bin_numbers(l->dtype, bin, &least, &most);
  if (isnan(lower) || isinf(lower)) return lower > 0 || bin > 0x8000 ? INFINITY : -INFINITY;
  if (isnan(least) || isinf(least)) return bin > 0x8000 ? INFINITY : -INFINITY;
  /* The bounds of a law are numbers of f32. */
  if (l->clamped && lower < l->law->lo - 0x1p-23 * fabs(l->law->lo)) return -INFINITY;
  if (l->clamped && least > l->law->hi + 0x1p-23 * fabs(l->law->hi)) return INFINITY;
  return lower + (least - lower) / 2;
}

/* NaN where the law has none in closed form. */
static double probability(const fanin_law *law, double x, int upper) {
  double p = NAN;
  fanin_law_probability(law, x, upper, &p);
  return p;
}

void law_moments(const binned_law *l, bool rounded, double centre, double unit, double moments[13]) {
  for (int k = 0; k < 13; ++k)
    moments[k] = NAN;
  if (rounded)
    fanin_law_moments_rounded(l->law, l->dtype, l->clamped, centre, unit, moments, 13);
  else
    fanin_law_moments(l->law, centre, unit, moments, 13);
}

/* The probability that a rounded value lies below that bin; with `upper`, that it does not. */
static double bins_below(const binned_law *l, uint32_t bin, int upper) {
  const double edge = edge_below(l, bin);
  if (isinf(edge)) return (edge > 0) != (upper != 0);
  return probability(l->law, edge, upper);
}

double bins_between(const binned_law *l, uint32_t from, uint32_t to) {
  const double below = bins_below(l, from, 0);
  if (below < 0.5) return bins_below(l, to, 0) - below;
  return bins_below(l, from, 1) - bins_below(l, to, 1);
}

void rounded_from(fanin_dtype dtype, double x, double *below, double *above) {
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

/* The bin whose lower edge is nearest to that quantile. */
static uint32_t bin_at(const binned_law *l, double quantile) {
  uint32_t low = FIRST_FINITE, high = LAST + 1; /* below(low) < quantile <= below(high) */
  while (high - low > 1) {
    const uint32_t middle = low + (high - low) / 2;
    *(bins_below(l, middle, 0) < quantile ? &low : &high) = middle;
  }
  const double under = quantile - bins_below(l, low, 0), over = bins_below(l, high, 0) - quantile;
  return under < over ? low : high;
}

void classes_make(const binned_law *l, const uint64_t *counts, double n, classes *out) {
  enum { WANTED = 50, LEAST = 25 }; /* elements of a class */
  const int wanted = n / WANTED < MOST_CLASSES ? (int)(n / WANTED) : MOST_CLASSES;
  double below = 0;
  *out = (classes){.edges = {0}};
  for (int b = 1; b < wanted; ++b) {
    const uint32_t bin = bin_at(l, (double)b / wanted);
    const double here = bins_below(l, bin, 0);
    if (bin <= out->edges[out->count] || (here - below) * n < LEAST) continue;
    if (bins_below(l, bin, 1) * n < LEAST) break;
    out->edges[++out->count] = bin;
    below = here;
  }
  out->edges[++out->count] = FANIN_BINS;
  if (out->count < 2) out->count = 0;
  for (int b = 0; b < out->count; ++b) {
    for (uint32_t bin = out->edges[b]; bin < out->edges[b + 1]; ++bin)
      out->counted[b] += (double)counts[bin];
  }
  classes_expect(l, out);
}

void classes_expect(const binned_law *l, classes *c) {
  for (int k = 0; k < c->count; ++k)
    c->expected[k] = bins_between(l, c->edges[k], c->edges[k + 1]);
}

double classes_chi_square(const classes *c, double n) {
  double sum = 0;
  for (int k = 0; k < c->count; ++k) {
    const double expected = n * c->expected[k], excess = c->counted[k] - expected;
    if (excess != 0) sum += excess * excess / expected;
  }
  return sum;
}

double classes_distance(const classes *c, double n, double *most) {
  double counted = 0, expected = 0, largest = 0;
  *most = 0;
  for (int k = 0; k < c->count; ++k) {
    const double above = counted + c->counted[k] / n, below = expected + c->expected[k];
    largest = fmax(largest, fabs(above - below));
    *most = fmax(*most, fmax(fabs(above - expected), fabs(below - counted)));
    counted = above;
    expected = below;
  }
  return largest;
}

double extreme_deviate(const binned_law *l, double x, int largest, double n) {
  double below, above;
  rounded_from(l->dtype, x, &below, &above);
  const bool outermost = largest ? 2 * above - x > l->law->hi : 2 * below - x < l->law->lo;
  const double further = outermost && l->clamped ? 0 : probability(l->law, largest ? above : below, largest);
  const double as_far = probability(l->law, largest ? below : above, largest);
  const double log_at_most = n * log1p(-further), log_none = n * log1p(-as_far);
  return deviate_of_tails(log_at_most, log_complement(log_none));
}
