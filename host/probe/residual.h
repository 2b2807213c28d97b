/* From a measured ratio and the cumulants that theory gives it to a normal deviate; bounds on deviates. */
#ifndef HOST_PROBE_RESIDUAL_H
#define HOST_PROBE_RESIDUAL_H

/* The first three cumulants of ratio - 1. */
typedef struct fanin__cumulants {
  double mean, variance, third;
} fanin__cumulants;

/* Of (1 + x)(1 + y) - 1, x and y independent with means of a smaller order than their standard deviations: E13. */
fanin__cumulants fanin__product(const fanin__cumulants *x, const fanin__cumulants *y);

/* Of a sum of squares of variance v, as chi-squared has them. The part w of v comes from a rotation that shows a share
 * x of all dimensions: E12. */
fanin__cumulants fanin__of_squares(double mean, double v, double w, double x);

/* Of factor x: E14. */
fanin__cumulants fanin__scaled(const fanin__cumulants *x, double factor);

/* The normal deviate of `measured`, which theory expects to be predicted * (1 + what has these cumulants); both >= 0.
 * Within +-FANIN__DEVIATE_MAX, which stands for what cannot happen by chance: something where there should be nothing,
 * or the reverse. */
#define FANIN__DEVIATE_MAX 38.0 /* beyond it, a normal tail is no normal double */
double fanin__deviate(double measured, double predicted, const fanin__cumulants *cumulants);

/* The deviate of a sample's standard deviation: (measured / expected - 1) in units of its own standard deviation,
 * sqrt((kurtosis - 1) / (4 n)) (Kendall & Stuart, Advanced Theory of Statistics 1, section 10.15). */
double fanin__std_deviate(double measured, double expected, double kurtosis, double n);

#endif
