/* Normal tails, their inverse and Box-Muller in long double; see reference.h. */
#include "oracle/reference.h"

#include <math.h>

#define HALF_LOG_2PI 0.918938533204672741780329736405617640L
#define SQRT_HALF    0.707106781186547524400844362104849039L
#define TWO_PI       6.283185307179586476925286766559005768L

/* pdf(z) / Q(z) for z >= 12, by Laplace's continued fraction, of which 60 terms are far more than enough there. */
static long double far_hazard(long double z) {
  long double fraction = z;
  for (int n = 60; n >= 1; n--) {
    fraction = z + (long double)n / fraction;
  }
  return fraction;
}

long double reference_log_tail(long double z) {
  if (isinf(z)) return z > 0 ? -INFINITY : 0;
  if (z >= 12) return -(z * z / 2 + HALF_LOG_2PI + logl(far_hazard(z)));
  if (z < 0) return log1pl(-erfcl(-z * SQRT_HALF) / 2);
  return logl(erfcl(z * SQRT_HALF) / 2);
}

static long double hazard(long double z) {
  if (z >= 12) return far_hazard(z);
  return expl(-(z * z / 2 + HALF_LOG_2PI) - reference_log_tail(z));
}

static double tail(double z) {
  return (double)(erfcl((long double)z * SQRT_HALF) / 2);
}

static double log_tail(double z) {
  return (double)reference_log_tail((long double)z);
}

static double exponential(double x) {
  return (double)expl((long double)x);
}

static double logarithm(double x) {
  return (double)logl((long double)x);
}

const oracle_tails reference_tails = {tail, log_tail, exponential, logarithm};

/* The z with ln Q(z) = target by Newton's method, which climbs from z = 0 (ln Q is concave); only target <= ln 1/2. */
static long double inverse_log_tail(long double target) {
  long double z = 0;
  for (int step = 0; step < 200; step++) {
    const long double change = (reference_log_tail(z) - target) / hazard(z);
    z += change;
    if (fabsl(change) <= 1e-18L * z) break;
  }
  return z;
}

/* ln(Q(a) complement + Q(b) u), a < b: the tail above the answer. */
static long double log_mixture(long double a, long double b, long double u, long double complement) {
  const long double log_a = reference_log_tail(a);
  return log_a + logl(complement + u * expl(reference_log_tail(b) - log_a));
}

long double reference_truncated(long double a, long double b, long double u, long double complement) {
  const long double above = log_mixture(a, b, u, complement);
  if (above <= -0.693147180559945309417L) return inverse_log_tail(above);
  return -inverse_log_tail(log_mixture(-b, -a, complement, u));
}

/* (d + 1/2) 2^-64, and that less 1, both exact. */
static long double unit(uint64_t d) {
  return ldexpl((long double)d + 0.5L, -64);
}

void reference_box_muller(uint64_t radius, uint64_t angle, long double *c, long double *s) {
  const long double complement = ldexpl((long double)~radius + 0.5L, -64);
  const long double log_u = radius >> 63 ? log1pl(-complement) : logl(unit(radius));
  const long double r = sqrtl(-2 * log_u);
  *c = r * cosl(TWO_PI * unit(angle));
  *s = r * sinl(TWO_PI * unit(angle));
}
