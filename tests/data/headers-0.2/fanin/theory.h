/* Experimental: may change in a minor version. Mean-field theory: what a network does at infinite width, and which
 * initializer it suggests for an activation. */
#ifndef FANIN_THEORY_H
#define FANIN_THEORY_H

#include "base.h"
#include "init.h"
#include "probe.h"

FANIN_C_BEGIN

/* ---- Mean-field theory ------------------------------------------------------------------------------------------- */

/* These functions compute in double on the host, without a device, and depend on their arguments only. phi is an
 * activation that fanin_gain() knows; `slope` is leaky_relu's. Weights have mean 0 and variance sigma_w^2 / fan_in,
 * biases have mean 0 and variance sigma_b^2. Then
 *   V(q)    = E[phi(z)^2],          z ~ N(0, q)
 *   q'      = sigma_w^2 V(q) + sigma_b^2         second moment of the next preactivation
 *   C(q, c) = E[phi(z_a) phi(z_b)], of the same variance q and correlation c
 *   c'      = (sigma_w^2 C(q, c) + sigma_b^2) / q'
 *   chi     = sigma_w^2 E[phi'(z)^2],  chi_c = sigma_w^2 E[phi'(z_a) phi'(z_b)]
 * after Poole et al. 2016 (forward) and Schoenholz et al. 2017 (backward, depth scales). */

/* The network of fanin_probe(): layers l = 1 .. L, z_l = W_l h_{l-1} + b_l, h_l = phi(norm(z_l)) [+ h_{l-1}]. Begin
 * with FANIN_THEORY_CONFIG_INIT. */
typedef struct fanin_theory_config {
  size_t size;            /* sizeof(fanin_theory_config) */
  const uint64_t *widths; /* input features, then the features of each layer; none 0 */
  size_t n_widths;        /* at least 2: L + 1 */
  const char *activation;
  double slope;
  int activate_last;      /* 0: h_L = z_L, as in fanin_probe(); 1: the last layer is like the others */
  const double *sigma_w2; /* sigma_w^2 of each layer, L numbers; NULL: fan_in times the variance of `init` */
  fanin_init init;        /* of weights in layout "OI"; must have mean 0 */
  double sigma_b2;        /* variance of the biases */
  fanin_norm norm;        /* FANIN_NORM_BATCH: of a batch so large that its statistics are those of all samples */
  int residual;           /* 1: + h_{l-1} in layers with an activation and fan_in = fan_out (Yang & Schoenholz 2017,
                             reduced residual network) */
  double second_moment;   /* mean of h_0^2, over features and samples; h_0 has mean 0 */
  double correlation;     /* mean of h_0,a h_0,b of two samples, by second_moment; -1 .. 1 */
  double gradient;        /* mean square of the loss's gradient of h_L, independent from feature to feature */
} fanin_theory_config;
/* A fanin_theory_config with its size, and 0 in every other field. */
#define FANIN_THEORY_CONFIG_INIT FANIN_SIZED(fanin_theory_config)

/* A layer of a network. Once q leaves the range of double (or a norm has to divide by 0), what depends on it is
 * infinite or NaN. */
typedef struct fanin_theory_layer {
  uint64_t fan_in, fan_out;
  double sigma_w2;
  double q;             /* of z */
  double correlation;   /* of z_a and z_b, two samples' (1 where q is 0) */
  double mean;          /* of h */
  double v;             /* E[phi(norm(z))^2] */
  double second_moment; /* of h: v, unless residual */
  double h_correlation; /* E[h_a h_b] / second_moment */
  double slope_second;  /* E[phi'(norm(z))^2]; 1 where there is no activation */
  double chi;           /* slope_second times the next layer's sigma_w^2 (the last one's own), through the norm */
  double chi_c;         /* the same of E[phi'(z_a) phi'(z_b)]: of a covariance between two samples */
  double g;             /* mean square of the gradient of z: g_l = chi_l (fan_out_{l+1} / fan_out_l) g_{l+1}, plus what
                           comes along a residual connection */
  double weight_gradient; /* mean square of a weight's gradient, of one sample: g times the second moment of h_{l-1}.
                             Of the mean over B samples with independent gradients: 1 / B of that */
  double saturated, zero; /* shares of norm(z) where phi is saturated (as tanh, relu6: |phi'| < 6 % of its
                             maximum) and where phi = phi' = 0 */
} fanin_theory_layer;

/* Writes n_widths - 1 elements of `stride` bytes each (sizeof(fanin_theory_layer)). The relative error of each step is
 * under 1e-9. FANIN_STATUS_BAD_ARGUMENT names what is wrong. */
FANIN_API fanin_status fanin_theory(const fanin_theory_config *config, fanin_theory_layer *layers, size_t stride);

/* A fixed point of q' (Schoenholz et al. 2017, section 3), and where the correlation goes there. A depth scale xi is
 * the number of layers in which a small distance shrinks by the factor e: -1 / ln of the map's slope. It is negative
 * where the distance grows, and infinite where it does neither. */
typedef struct fanin_fixed_point {
  double q;
  int every;      /* 1: every q is a fixed point, and q = 1 stands for them (homogeneous phi, sigma_b = 0) */
  double q_slope; /* dq' / dq */
  int stable;     /* 1: q returns to it from either side; 0: q leaves it. Where the slope is 1, the map's curvature
                     decides; 1 if `every` is 1 */
  double chi;     /* sigma_w^2 E[phi'^2]; for q > 0 the slope of c' at its fixed point c = 1: above 1 inputs part */
  double c;       /* the stable fixed point of c' in [0, 1]: below 1 where chi > 1 */
  double chi_c;   /* the slope of c' there */
  double xi_q, xi_c;
} fanin_fixed_point;

/* All fixed points from q = 0 to 1e10, ascending. Writes min(capacity, *count) elements of `stride` bytes each
 * (sizeof(fanin_fixed_point)); *count is the number of fixed points. `list` may be NULL when capacity is 0. */
FANIN_API fanin_status fanin_fixed_points(const char *activation, double slope, double sigma_w2, double sigma_b2,
                                          fanin_fixed_point *list, size_t capacity, size_t stride, size_t *count);

/* The edge of chaos: the sigma_w^2 for which chi is 1 at the fixed point, given sigma_b^2. `at` may be NULL, or gets
 * that fixed point; `size` is sizeof *at. For sigma_b = 0 and phi(0) = 0 the point is q = 0, or every q.
 * FANIN_STATUS_BAD_ARGUMENT where there is no such sigma_w^2: homogeneous phi with sigma_b > 0, softplus, and relu2
 * with sigma_b = 0. */
FANIN_API fanin_status fanin_edge_of_chaos(const char *activation, double slope, double sigma_b2, double *sigma_w2,
                                           fanin_fixed_point *at, size_t size);

/* ---- Suggestions ------------------------------------------------------------------------------------------------- */

/* What an initializer is chosen for. FANIN_AIM_COUNT is the number of this header's aims; a newer library may know
 * more. */
typedef enum fanin_aim {
  FANIN_AIM_BOTH,     /* keeps q and the gradients, where one gain does both */
  FANIN_AIM_FORWARD,  /* keeps q at 1: gain 1 / sqrt(E[phi(z)^2]), z ~ N(0,1), mode fan_in */
  FANIN_AIM_BACKWARD, /* keeps gradients where q is 1: gain 1 / sqrt(E[phi'(z)^2]), mode fan_out */
  FANIN_AIM_EDGE, /* fanin_edge_of_chaos(): keeps gradients at q's own fixed point, if q goes there; biases are random
                   */
  FANIN_AIM_PYTORCH, /* not from theory: torch.nn.init.calculate_gain's gain, where it is a different one */
  FANIN_AIM_COUNT
} fanin_aim;

/* "both", "forward", "backward", "edge", "pytorch"; "unknown aim" for any other value. Static storage. */
FANIN_API const char *fanin_aim_name(fanin_aim aim);

/* A choice and its price. What a layer does is said at q = 1 (FANIN_AIM_EDGE: at its fixed point, if that is not 0);
 * what all of them do is that of fanin_theory() and fanin_probe() for a network of `depth` layers on an input of mean
 * square
 * 1. The ratio of fan_in to fan_out is the same in every layer. */
typedef struct fanin_suggestion {
  fanin_aim aim;
  fanin_init init;           /* fanin_init_format() has its text */
  double gain;               /* std = gain / sqrt(n), n by init's mode */
  double sigma_b2;           /* of the biases that belong to it */
  size_t depth;              /* L, as it was asked for */
  double q_growth, q_total;  /* of a layer; of all: q_L / q_1, where q_1 is sigma_w^2 + sigma_b^2 */
  double g_growth, g_total;  /* of a layer; of all: g_1 / g_L. Above 1, gradients grow on their way back */
  double q_limit, chi_limit; /* where q goes in deep networks (0 and infinity are possible), and chi there */
  double sensitivity; /* d ln q' / d ln q at q_limit or, where that is 0 or infinite, at q_1: the factor by which a
                         layer multiplies a small relative deviation of q. Above 1 the fixed point is unstable */
  uint64_t diagnoses; /* what a probe finds by theory: 1 << d for each fanin_diagnosis d of FORWARD_*, BACKWARD_*,
                         SATURATED and MEAN_DRIFT; with a homogeneous activation also RANK_COLLAPSE, of samples that
                         begin at right angles, in the first 1000 layers. DEAD_RELU and FP16_RANGE do not come without
                         one of the first: any sample makes half of the features positive, as weights have mean 0 */
  int recommended;    /* 1 for one choice of the list: that with the fewest diagnoses, then with the least drift */
} fanin_suggestion;

/* What a suggestion is wanted for. Begin with FANIN_SUGGEST_CONFIG_INIT. */
typedef struct fanin_suggest_config {
  size_t size;            /* sizeof(fanin_suggest_config) */
  const char *activation; /* a name that fanin_gain() knows */
  double slope;           /* leaky_relu's */
  double fan_ratio;       /* fan_in / fan_out of every layer; 0: 1, square layers */
  size_t depth;           /* layers, at least 1 */
  double sigma_b2;        /* variance of the biases, for FANIN_AIM_EDGE alone */
} fanin_suggest_config;
/* A fanin_suggest_config with its size, and 0 in every other field. */
#define FANIN_SUGGEST_CONFIG_INIT FANIN_SIZED(fanin_suggest_config)

/* What there is to choose. Writes min(capacity, *count) elements of `stride` bytes each (sizeof(fanin_suggestion)), in
 * the order of the enumerators, each aim at most once: FORWARD and BACKWARD where BOTH does not exist, EDGE where it
 * exists and is none of these. `list` may be NULL when capacity is 0. FANIN_STATUS_BAD_ARGUMENT names what is wrong. */
FANIN_API fanin_status fanin_suggest(const fanin_suggest_config *config, fanin_suggestion *list, size_t capacity,
                                     size_t stride, size_t *count);

/* Writes what a suggestion does in sentences with its numbers. `size` is sizeof *suggestion. `length` may be NULL, or
 * gets the text's length without the final 0. `text` may be NULL when capacity is 0. A text that does not fit is cut,
 * and the status is FANIN_STATUS_BAD_SIZE. */
FANIN_API fanin_status fanin_suggestion_format(const fanin_suggestion *suggestion, size_t size, char *text,
                                               size_t capacity, size_t *length);

FANIN_C_END

#endif
