/* Mean-field theory of a multilayer perceptron: how the second moment q of a preactivation passes an activation. */
#ifndef HOST_THEORY_MEANFIELD_H
#define HOST_THEORY_MEANFIELD_H

#include "math/activation.h"

/* g, of which the functions below take the square. */
typedef enum fanin__function {
  FANIN__PHI,
  FANIN__SLOPE, /* phi' */
  FANIN__BOTH   /* the root of q phi'^2 + phi^2: what the gradients of a gated unit's two parts see, E69 */
} fanin__function;

/* Refuses what is no variance: negative numbers, infinities and NaN. */
fanin_status fanin__check_variance(const char *name, double value);

/* E[phi(sqrt(q) x)], x ~ N(0,1), q >= 0 and finite. Absolute error under 1e-9 sqrt(V(q)). */
double fanin__mean(const fanin__activation *activation, double slope, double q);

/* E[g(sqrt(q) x)^2]: V(q) for phi. For phi', times sigma_w^2, it is chi; at q = 0 its limit. Relative error under 1e-9.
 */
double fanin__mean_square(const fanin__activation *activation, fanin__function function, double slope, double q);

/* The shares of preactivations of variance q that are saturated and that are zero (host/math/activation.c's facts). */
double fanin__saturated_share(const fanin__activation *activation, double q);
double fanin__zero_share(const fanin__activation *activation, double slope, double q);

/* Hermite orders 0 .. FANIN__ORDERS - 1 are kept apart, higher ones are lumped together. */
enum { FANIN__ORDERS = 16 };

/* phi(sqrt(q) x)^2 for x ~ N(0,1), as V * sum over k of a[k] He_k(x) / sqrt(k!): E4 of docs/probe-law.md. What follows
 * from it:
 *   d ln V / d ln q = a[2] / sqrt(2),  q^2 V'' / V = sqrt(3/2) a[4]  (E5),
 *   E[phi_a^2 phi_b^2] / (V_a V_b) = sum over k of a[k](q_a) a[k](q_b) c^k at correlation c  (Mehler's formula, E6).
 * Of a gated unit, whose second factor is sqrt(q) y with y ~ N(0,1), there is also b: E68. */
typedef struct fanin__expansion {
  double v;                /* V(q) = E[phi(sqrt(q) x)^2] */
  double a[FANIN__ORDERS]; /* a[0] = 1; all zero where V is 0 */
  double rest;             /* sqrt of the sum of a[k]^2 over k >= FANIN__ORDERS: rho of E7 */
  double b[FANIN__ORDERS]; /* coefficients of He_k(x) / sqrt(k!) He_2(y) / sqrt(2); all zero without a gate */
  double b_rest;
  double third; /* E[psi^3], psi = phi^2 / V without its orders 0 and 2: of E29, E72 */
} fanin__expansion;

/* V(q), q >= 0 and finite, relative error under 1e-9. */
double fanin__v(const fanin__activation *activation, double slope, double q);

/* Of phi^2, or of phi'^2 for FANIN__SLOPE, where it gives the law of gradients: v = E[phi'^2], 1 + kappa(1) =
 * E[phi'^4] / v^2. */
fanin__expansion fanin__expand_square(const fanin__activation *activation, fanin__function function, double slope,
                                      double q);

/* Of what a gated unit makes of q, E68: of (phi(z_1) z_2)^2, or for FANIN__SLOPE of the sum of the squares of its two
 * derivatives, z_1 and z_2 independent and of the variance q. */
fanin__expansion fanin__expand_gated(const fanin__activation *activation, fanin__function function, double slope,
                                     double q);

/* kappa_c = E[phi_a^2 phi_b^2] / V^2 - 1 of two samples of the same q at correlation c; kappa is that at c = 1. E6. */
double fanin__kappa(const fanin__expansion *e, double c);

/* d ln V / d ln q: E5, E70. */
double fanin__sensitivity(const fanin__expansion *e);

/* The variance of psi, of E29: what is left of kappa when phi^2 is compared with V at the measured q, which follows
 * x^2, or with a gate x^2 + y^2.
 */
double fanin__kappa_residual(const fanin__expansion *e);

/* ---- The same for many q: interpolated between Chebyshev points in ln q ------------------------------------------ */

/* V, V a[1], ..., V a[FANIN__ORDERS - 1], V rest; the first only for a curve of V alone. */
enum { FANIN__CURVE_VALUES = FANIN__ORDERS + 1 };

typedef struct fanin__curve {
  double middle, half; /* of the interval in ln q */
  double zero;         /* V(0) */
  int nodes;
  int values;    /* 1 or FANIN__CURVE_VALUES */
  double *table; /* nodes x values: ln V, a[1], ..., rest */
} fanin__curve;

/* A curve through all of q[0 .. n - 1], each >= 0 and finite; of E[phi'^2] for FANIN__SLOPE. `values` as above. Free it
 * with fanin__curve_free(). */
fanin_status fanin__curve_of_square(const fanin__activation *activation, fanin__function function, double slope,
                                    const double *q, size_t n, int values, fanin__curve *out);

/* The curve's values at q, one of the interval or 0. */
void fanin__curve_at(const fanin__curve *curve, double q, double *values);

void fanin__curve_free(fanin__curve *curve);

/* ---- Two samples: correlation.c ---------------------------------------------------------------------------------- */

/* E[g(u) g(v)] for normal u and v of mean 0, variances q_a and q_b and correlation c of [-1, 1]: for phi the
 * correlation map's C, and E[phi'(u) phi'(v)], which is dC/dc / sqrt(q_a q_b), for phi'. Error under 1e-9 of the root
 * of the two mean squares. */
double fanin__correlated(const fanin__activation *activation, fanin__function function, double slope, double q_a,
                         double q_b, double c);

/* ---- fixedpoint.c ------------------------------------------------------------------------------------------------ */

/* fanin_edge_of_chaos()'s sigma_w^2 and q (0 stands for every q where phi is homogeneous); NaN where there is none. */
double fanin__critical(const fanin__activation *activation, double slope, double sigma_b2, double *q);

#endif
