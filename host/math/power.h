/* x^y in double, from +, -, *, / alone, so that hosts agree in bits: a C library's pow() differs in the last one. */
#ifndef HOST_MATH_POWER_H
#define HOST_MATH_POWER_H

#include <stdint.h>

double fanin__power(double x, double y); /* x >= 0; rounded once but for 1 in 2^40 cases */

/* base^(-numerator / denominator) <= 1 as significand 2^(-63 - exponent), 2^63 <= significand < 2^64, rounded to the
 * nearest but for 1 in 2^30 cases; base from 1 to 2^64, numerator and denominator below 2^53, the exponent is returned.
 */
int fanin__wide_power(double base, uint64_t numerator, uint64_t denominator, uint64_t *significand);

#endif
