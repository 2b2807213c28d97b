/* The real numbers cut into cells at the midpoints between neighbouring keys' numbers (fanin_measure_bins()): what a
 * law gives to a cell is what it gives to the numbers of the dtype in it once values are rounded to them. */
#ifndef CLI_INSPECT_CELLS_H
#define CLI_INSPECT_CELLS_H

#include <stdbool.h>
#include <stdint.h>

#include "fanin/inspect.h"

typedef struct cells {
  const fanin_law *law;
  fanin_dtype dtype;
  bool
      clamped; /* values that would round across a bound of the law become the outermost number inside, as fanin's do */
} cells;

/* fanin_law_moments(), NaN where the law has none in closed form. */
void cells_moments(const fanin_law *law, double centre, double unit, double moments[13]);
/* The same of fanin_law_moments_rounded(). */
void cells_moments_rounded(const fanin_law *law, fanin_dtype dtype, bool bounded, double centre, double unit,
                           double moments[13]);

/* The probability of rounded values below that key's numbers; with `upper`, of all others. Values that would round
 * across a bound of the law are clamped to the outermost number inside. */
double cells_below(const cells *c, uint32_t key, int upper);

/* Of keys from <= k < to, accurate in both tails. */
double cells_between(const cells *c, uint32_t from, uint32_t to);

/* The real numbers that round to x: *below and *above, both x itself for f64. */
void cells_around(fanin_dtype dtype, double x, double *below, double *above);

/* Cells put together to bins of nearly equal probability. Bin b has keys edges[b] <= k < edges[b + 1]. */
enum { MOST_BINS = 256 };
typedef struct bins {
  int count;
  uint32_t edges[MOST_BINS + 1];
  double expected[MOST_BINS], counted[MOST_BINS]; /* probabilities; elements */
} bins;

/* At most `wanted` bins of at least `least` expected elements each; 0 bins where the law is that narrow. */
void bins_make(const cells *c, const uint64_t *counts, double n, int wanted, double least, bins *out);
/* Expected probabilities anew, for another law. */
void bins_expect(const cells *c, bins *b);
/* Pearson's X^2 of n elements. */
double bins_chi_square(const bins *b, double n);
/* The largest distance of the two distribution functions at the edges; *most: what it can be between them. */
double bins_distance(const bins *b, double n, double *most);

/* The deviate of the largest, or least, of n values, positive where it lies too far out: P(all <= x) = F(x)^n, of the
 * real numbers that round to x. */
double extreme_deviate(const cells *c, double x, int largest, double n);

#endif
