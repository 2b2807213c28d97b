/* Integrals of smooth functions by quadrature in double. */
#ifndef HOST_MATH_QUADRATURE_H
#define HOST_MATH_QUADRATURE_H

#include <stddef.h>

/* The integral of g over [lo, hi], both finite, in so many equal pieces of 16 Gauss-Legendre nodes; 0 if lo >= hi. */
double fanin__integrate(double (*g)(double x, void *context), void *context, double lo, double hi, int pieces);

/* E[g(z)], z ~ N(0,1). Pieces end at 0, at +-3 and at the n distances from 0 where g is not smooth, which ascend. */
double fanin__expectation(double (*g)(double z, void *context), void *context, const double *kinks, size_t n);

#endif
