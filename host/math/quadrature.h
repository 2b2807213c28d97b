/* Integrals of smooth functions by quadrature in double. */
#ifndef HOST_MATH_QUADRATURE_H
#define HOST_MATH_QUADRATURE_H

/* The integral of g over [lo, hi], both finite, in so many equal pieces of 16 Gauss-Legendre nodes; 0 if lo >= hi. */
double fanin__integrate(double (*g)(double x, void *context), void *context, double lo, double hi, int pieces);

/* E[g(z)], z ~ N(0,1), on pieces split at 0 and at +-3 (the kinks of relu and hardswish). */
double fanin__expectation(double (*g)(double z, void *context), void *context);

#endif
