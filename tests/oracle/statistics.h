/* Statistical tests of filled tensors against distributions, each as a z value that is standard normal if the tensor
 * follows its distribution. */
#ifndef FANIN_TESTS_STATISTICS_H
#define FANIN_TESTS_STATISTICS_H

#include "oracle/oracle.h"

/* No |z| may be larger. Of one test, 6.8e-6 of all seeds give a larger one; seeds being fixed, a test that passed keeps
 * passing. */
#define STATISTICS_BOUND 4.5

/* Fails the calling test if |z| is too large or NaN. Counts. */
void statistics_assert_z(double z, const char *what, const char *which, fanin_dtype dtype);

/* Says how many z there were, the largest |z|, and the false-alarm rate of all together. */
void statistics_report(void);

/* A dense vector of n elements, without memory. */
fanin_tensor statistics_vector(fanin_dtype dtype, size_t n);

/* Fills t, which is dense, in a buffer of its own, and returns the *n elements as double; free() them. */
double *statistics_fill(fanin *f, fanin_tensor t, const fanin_init *init, fanin_key key, size_t *n);

/* Uniform on [lo, hi], or N(mean, std^2), uncut where a and b are infinite. */
typedef struct statistics_law {
  bool uniform;
  double lo, hi;
  double mean, std, a, b;
} statistics_law;

/* P(X <= x), mean, std and kurtosis, the latter three by integration of the density. */
double statistics_cdf(const statistics_law *law, double x);
void statistics_moments(const statistics_law *law, double *mean, double *std, double *kurtosis);

/* Mean and std in their standard errors. */
void statistics_location(const double *x, size_t n, double mean, double std, double kurtosis, double z[2]);

/* Pearson's chi-square over cells of equal probability (f32, f64) or of a dtype's numbers, at least 50 expected in
 * each, by Wilson and Hilferty's cube root. */
double statistics_chi_square(const statistics_law *law, fanin_dtype dtype, const double *x, size_t n);

/* sqrt(n) sup |F_n - F|; 2.5 is exceeded with probability 2 e^-12.5 = 7.5e-6. Sorts x. */
double statistics_kolmogorov(const statistics_law *law, double *x, size_t n);

/* The correlation of x[k] and y[k], means and variances being 0 and 1. */
double statistics_correlation(const double *x, const double *y, size_t n);

#endif
