/* Activations: all that is known of each. An activation is a row of activation.c and a row of
 * kernels/lib/activation.clh; everybody else asks here. */
#ifndef HOST_MATH_ACTIVATION_H
#define HOST_MATH_ACTIVATION_H

#include <stdbool.h>
#include <stddef.h>

#include "fanin/base.h"

/* An activation counts as saturated where |phi'| is under this share of its maximum and phi does not go to 0. */
#define FANIN__SATURATED 0.06

enum { FANIN__MAX_KINKS = 2 };

/* What integrals and diagnoses need to know of phi. Whatever is left at 0 does not apply. */
typedef struct fanin__facts {
  bool odd;                                /* phi(-z) = -phi(z) */
  bool homogeneous;                        /* phi(az) = a phi(z) for a > 0 */
  bool sloped;                             /* phi depends on the parameter `slope` */
  bool sinusoid;                           /* phi and phi' are waves of period 2 pi */
  double kinks[FANIN__MAX_KINKS];          /* where phi or phi' is not smooth, besides at 0 */
  double saturated_below, saturated_above; /* phi is saturated below the one and above the other; 0: nowhere */
  bool has_zero;                           /* phi = phi' = 0 for z <= zero; see fanin__zero_below() */
  double zero;
} fanin__facts;

typedef struct fanin__activation {
  const char *name;
  const char *options;                  /* what kernels/mlp.cl is built with: "-D activation=of_relu ..." */
  double (*f)(double x, double slope);  /* phi, in double */
  double (*df)(double x, double slope); /* phi'; at a kink, the slope on the left */
  double torch_gain;                    /* torch.nn.init.calculate_gain; 0: it has none (leaky_relu: from slope) */
  fanin__facts facts;
} fanin__activation;

/* Number k of the table, NULL past its end. Number 0 is the identity, which layers without an activation have. */
const fanin__activation *fanin__activation_at(size_t k);

/* NULL, with a sentence set, if the name is unknown. */
const fanin__activation *fanin__activation_find(const char *name);

/* The same, and checks that the slope is one that the activation takes. */
fanin_status fanin__activation_of(const char *name, double slope, const fanin__activation **out);

/* What a hidden layer makes of its preactivations: h = phi(z), or with a gate h_j = phi(z_j) z_{n+j} of 2n of them
 * (Dauphin et al. 2017; Shazeer 2020, equations 5 and 6). */
typedef struct fanin__unit {
  const fanin__activation *activation;
  bool gated;
} fanin__unit;

/* Of an activation's name, or of a gated unit's: swiglu is gated by silu. Checks the slope, too. */
fanin_status fanin__unit_of(const char *name, double slope, fanin__unit *out);

/* phi = phi' = 0 for z up to this number; NaN: nowhere. A leaky_relu that does not leak has 0. */
double fanin__zero_below(const fanin__activation *activation, double slope);

/* phi is saturated for z below *below and above *above, which are infinite where it is not. */
void fanin__saturation(const fanin__activation *activation, double *below, double *above);

/* The distances of the kinks from 0, ascending, each once, without 0 itself. Returns how many there are. */
size_t fanin__kink_distances(const fanin__activation *activation, double out[FANIN__MAX_KINKS]);

#endif
