/* The normal distribution in double, from +, -, *, / and sqrt alone, so that hosts agree in bits. */
#ifndef HOST_MATH_NORMAL_H
#define HOST_MATH_NORMAL_H

double fanin__exp(double x);
double fanin__log(double x); /* x > 0 */
double fanin__normal_pdf(double z);
double fanin__normal_tail(double z); /* Q(z) = P(Z > z), full relative accuracy while it is a normal number */
/* Both with fewer operations, for what no weight follows from: relative error 1e-14 up to |z| = 8 and 4e-13 at 38. */
double fanin__normal_pdf_fast(double z);
double fanin__normal_tail_fast(double z);
double fanin__normal_log_tail(double z); /* ln Q(z), for every finite z and +-infinity */

/* Mean, variance and fourth central moment of N(0,1) cut to [a, b], a < b, either may be infinite; accurate where the
 * interval lies far out or is narrow. */
void fanin__truncated_moments(double a, double b, double *mean, double *variance, double *fourth_central);

#endif
