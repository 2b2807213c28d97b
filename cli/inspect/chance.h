/* Probabilities as normal deviates, so that tests of every kind share one bound. */
#ifndef CLI_INSPECT_CHANCE_H
#define CLI_INSPECT_CHANCE_H

/* The largest deviate: a p-value below 10^-217000 says nothing more. */
#define DEVIATE_MOST 1000.0

/* ln(1 - p) of ln p. */
double log_complement(double log_p);

/* ln P(Z > z) and its inverse, Z ~ N(0,1). */
double log_normal_tail(double z);
double deviate_of_log_tail(double log_tail);

/* The deviate of a result, from ln of the probabilities of at most and at least as much. It is positive where the
 * result is large. */
double deviate_of_tails(double log_at_most, double log_at_least);

/* ln P(G <= x) and ln P(G > x), G ~ Gamma(shape, 1): the regularised incomplete gamma functions, by series and
 * continued fraction (Abramowitz & Stegun 6.5.29 and 6.5.31). Relative error of the probability under 1e-9 up to shape
 * 10^4, where gamma_deviate() leaves them. */
double log_gamma_lower(double shape, double x);
double log_gamma_upper(double shape, double x);

/* The deviate of x under Gamma(shape, 1); from shape 10^4 on by Barndorff-Nielsen's r* = w + ln(v / w) / w, whose error
 * in z is under 1e-6 there. */
double gamma_deviate(double shape, double x);

/* The deviate of a chi-square, and ln P(N >= count) for a Poisson variable N with that mean. */
double chi_square_deviate(double x, double degrees);
double log_poisson_at_least(double count, double mean);

/* The deviate of a sum in standard errors, given its skewness: Pearson's type III, exact for a gamma. */
double skewed_deviate(double z, double skewness);

/* The deviate of a correlation about known means of n pairs, exact for normals but for Wallace's (1959) approximation
 * of Student's t, whose relative error is under 2e-4 from n = 100 on. */
double correlation_deviate(double r, double n);

#endif
