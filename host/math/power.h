/* x^y in double, from +, -, *, / alone, so that hosts agree in bits: a C library's pow() differs in the last one. */
#ifndef HOST_MATH_POWER_H
#define HOST_MATH_POWER_H

double fanin__power(double x, double y); /* x >= 0; rounded once but for 1 in 2^40 cases */

#endif
