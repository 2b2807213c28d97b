/* A law seen through the bins of fanin_measure_bins(). A bin ends in the middle between its last number and the first
 * number of the next bin, so that what the law gives to it is what it gives to its numbers once values are rounded to
 * them. Many bins are put together to few classes of nearly equal probability. */
#ifndef CLI_INSPECT_BINS_H
#define CLI_INSPECT_BINS_H

#include <stdbool.h>
#include <stdint.h>

#include "fanin/inspect.h"

typedef struct binned_law {
  const fanin_law *law;
  fanin_dtype dtype;
  bool clamped; /* a value that rounds across a bound of the law becomes the outermost number inside, as fanin's do */
} binned_law;

/* fanin_law_moments(), or with `rounded` fanin_law_moments_rounded(); NaN where the law has none in closed form. */
void law_moments(const binned_law *l, bool rounded, double centre, double unit, double moments[13]);

/* The probability of the bins from <= bin < to, accurate in both tails. */
double bins_between(const binned_law *l, uint32_t from, uint32_t to);

/* The ends of the real numbers that round to x. Both are x itself for f64. */
void rounded_from(fanin_dtype dtype, double x, double *below, double *above);

/* Class k has the bins edges[k] <= bin < edges[k + 1]. */
enum { MOST_CLASSES = 256 };
typedef struct classes {
  int count;
  uint32_t edges[MOST_CLASSES + 1];
  double expected[MOST_CLASSES], counted[MOST_CLASSES]; /* probabilities; elements */
} classes;

/* Classes for n elements, of which `counts` has those of each bin: one for 50 elements or fewer, each with at least 25
 * expected ones. There are 0 classes where the law is so narrow that two cannot be made. */
void classes_make(const binned_law *l, const uint64_t *counts, double n, classes *out);
/* Sets the expected probabilities again, for another law. */
void classes_expect(const binned_law *l, classes *c);
/* Pearson's X^2 of n elements. */
double classes_chi_square(const classes *c, double n);
/* The largest distance between the two distribution functions at the edges. *most: what it can be between edges. */
double classes_distance(const classes *c, double n, double *most);

/* The deviate of the largest, or least, of n values. It is positive where the value lies too far out. It follows from
 * P(all <= x) = F(x)^n, where x stands for all real numbers that round to it. */
double extreme_deviate(const binned_law *l, double x, int largest, double n);

#endif
