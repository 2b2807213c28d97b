/* Laws from the inside: what is known of each kind of laws, one row for each, in the file of its initializers. How it
 * is made on a device is known to fill/parameters.c. */
#ifndef HOST_INIT_LAW_H
#define HOST_INIT_LAW_H

#include "init/distribution.h"

/* The most moments that are asked for. */
enum { FANIN__MOMENTS = 13 };

typedef struct fanin__law {
  fanin_values values;
  /* The moments and bounds of the values on a tensor. */
  fanin_status (*expect)(const fanin_tensor *t, const fanin__distribution *d, fanin_moments *out);
  /* P(X <= x), or P(X > x), for law->lo <= x < law->hi. NULL: there is none in closed form. */
  double (*probability)(const fanin_law *law, double x, bool upper);
  /* E[((X - centre) / unit)^k], k = 0 .. n - 1. NULL: there are none in closed form. */
  void (*moments)(const fanin_law *law, double centre, double unit, double *moments, int n);
} fanin__law;

#define FANIN__LAW(id, name, text) extern const fanin__law fanin__law_##name;
FANIN_LAW_MAP(FANIN__LAW)
#undef FANIN__LAW

/* NULL with a sentence set if `kind` is none. */
const fanin__law *fanin__law_of(fanin_law_kind kind);

/* normal.c: the normal with law->mean and law->std, which laws that are made of one share. */
double fanin__normal_probability(const fanin_law *law, double x, bool upper);
void fanin__normal_moments(const fanin_law *law, double centre, double unit, double *moments, int n);

/* fanin_law_moments_rounded() of values that were multiplied by `factor` once they were rounded, and were rounded
 * again.
 */
fanin_status fanin__law_moments_rescaled(const fanin_law *law, fanin_dtype dtype, bool bounded, double factor,
                                         double centre, double unit, double *moments, size_t n);

/* The elements of a whole tensor. */
double fanin__elements_of(const fanin_tensor *t);

#endif
