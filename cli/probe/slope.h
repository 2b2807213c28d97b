/* How a measured number grows with the width: the slope of its logarithm over that of the width. */
#ifndef CLI_PROBE_SLOPE_H
#define CLI_PROBE_SLOPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SLOPE_MOST = 8 };

/* A number at each width. */
typedef struct slope_data {
  size_t n;
  uint64_t width[SLOPE_MOST];
  double measured[SLOPE_MOST];
  double meanfield[SLOPE_MOST]; /* of theory at infinite width */
  double expected[SLOPE_MOST];  /* what `measured` is a deviate from; NaN: there is no law */
  double sd[SLOPE_MOST];        /* standard deviation of ln measured about ln expected, over seeds */
} slope_data;

/* The exponent e of width^e. A number that does not exist is NaN. */
typedef struct slope {
  bool zero;                      /* what was measured is 0 at every width */
  double measured, error, theory; /* fitted to what is measured, its standard error, and fitted to theory */
  double bend;                    /* how far theory is from one power of the width: the largest |ln| of their ratio */
  double z;                       /* of what was measured about what was expected */
} slope;

/* Fits all of it by least squares, each width counting the same. */
slope slope_fit(const slope_data *d);

/* What can be said of an exponent that may be wrong by `bound` standard errors. */
typedef enum scaling {
  SCALING_KEEPS,
  SCALING_SHRINKS,
  SCALING_GROWS,
  SCALING_ZERO,
  SCALING_UNTOLD,
  SCALING_UNKNOWN
} scaling;

/* How far the exponent may be from the measured one: `bound` standard errors, and not less than what corrections to
 * theory of the order 1 / width make. NaN where there is no standard error. */
double slope_margin(const slope *s, double bound);
scaling slope_scaling(const slope *s, double bound);
/* "keeps", "shrinks", "grows", "zero", "untold", "unknown" */
const char *scaling_name(scaling of);

#endif
