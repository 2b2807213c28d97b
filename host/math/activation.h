/* Activations: what is known of each, for the device's kernels as for the theory. */
#ifndef HOST_MATH_ACTIVATION_H
#define HOST_MATH_ACTIVATION_H

#include <stdbool.h>

#include "fanin/base.h"

/* An activation that is bounded counts as saturated where |phi'| is under this share of its maximum. */
#define FANIN__SATURATED 0.06

/* A bound of NaN holds for no z. */
typedef struct fanin__facts {
  bool odd;         /* phi(-z) = -phi(z) */
  bool homogeneous; /* phi(az) = a phi(z) for a > 0 */
  double kink;      /* phi and phi' are smooth but at 0 and at +-kink */
  double saturated; /* |z| beyond which phi is saturated; NaN for activations that are not bounded */
  double zero;      /* up to here phi = phi' = 0; see fanin__zero_below() */
} fanin__facts;

typedef struct fanin__activation {
  const char *name;
  int id;                               /* what kernels/mlp.cl calls it: -D ACTIVATION=id */
  double (*f)(double x, double slope);  /* phi, in double */
  double (*df)(double x, double slope); /* phi'; at a kink, the slope on the left */
  double torch_gain;                    /* torch.nn.init.calculate_gain; 0: it has none (leaky_relu: from slope) */
  fanin__facts facts;
} fanin__activation;

/* Up to where phi = phi' = 0, NaN if nowhere: facts.zero, and 0 for a leaky_relu that does not leak. */
double fanin__zero_below(const fanin__activation *activation, double slope);

/* NULL with a sentence set if unknown. */
const fanin__activation *fanin__activation_find(const char *name);

/* The same, and that the slope is one that it takes. */
fanin_status fanin__activation_of(const char *name, double slope, const fanin__activation **out);

#endif
