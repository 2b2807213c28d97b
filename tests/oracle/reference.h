/* What stream v1's functions approximate, in long double: the normal distribution's tails and their inverse, and
 * Box-Muller. */
#ifndef FANIN_TESTS_REFERENCE_H
#define FANIN_TESTS_REFERENCE_H

#include "oracle/oracle.h"

/* ln Q(z), Q(z) = P(Z > z); z may be infinite. */
long double reference_log_tail(long double z);

/* Q, ln Q and e^x rounded once to f64. */
extern const oracle_tails reference_tails;

/* The z below which lies the fraction u of N(0,1) cut to [a, b], 0 < u < 1; `complement` is 1 - u with all its digits.
 */
long double reference_truncated(long double a, long double b, long double u, long double complement);

/* Both normals of Box and Muller for u = (radius + 1/2) 2^-64 and the angle 2 pi (angle + 1/2) 2^-64. */
void reference_box_muller(uint64_t radius, uint64_t angle, long double *c, long double *s);

#endif
