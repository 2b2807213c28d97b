/* Expectations over two correlated normals: the correlation map C(c), of E59 in docs/probe-law.md, and its slope. */
#include <math.h>
#include <stdlib.h>

#include "math/quadrature.h"
#include "theory/meanfield.h"

#define PI 3.14159265358979323846

/* With u = sqrt(q_a) r cos t and v = sqrt(q_b) r cos(t - alpha), cos alpha = c, the density is r e^(-r^2/2) dr dt / 2
 * pi whatever c is. u = 0 and v = 0 are rays, so that what bends at 0 is smooth within four sectors, however narrow;
 * other kinks are crossed by a ray at known radii. */
typedef struct plane {
  double (*g)(double z, double slope);
  double slope;
  double kinks[FANIN__MAX_KINKS]; /* distances from 0 */
  size_t n_kinks;
  double widest;           /* piece, in u or v, whichever is faster; infinite but for waves */
  double root_a, root_b;   /* sqrt(q_a), sqrt(q_b) */
  double alpha;            /* arc cosine of c */
  double along_a, along_b; /* at the present angle: u / r, v / r */
} plane;

static double at_radius(double r, void *context) {
  const plane *const p = context;
  return p->g(p->along_a * r, p->slope) * p->g(p->along_b * r, p->slope) * r * exp(-0.5 * r * r);
}

/* Beyond r = 10 lies 2e-22 of the mass. Pieces grow in proportion to r, from where the faster of u and v is below 1, up
 * to the scale of the density; a piece ends at a kink. */
static double at_angle(double t, void *context) {
  plane *const p = context;
  p->along_a = p->root_a * cos(t);
  p->along_b = p->root_b * cos(t - p->alpha);
  const double fastest = fmax(fabs(p->along_a), fabs(p->along_b));
  const double scale = fmax(1 / fastest, 1e-9);
  double sum = 0;
  for (double lo = 0, hi; lo < 10; lo = hi) {
    hi = fmin(lo + fmin(fmin(fmax(lo, scale), 3), p->widest * scale), 10);
    for (size_t k = 0; k < p->n_kinks; k++) {
      const double at_a = p->kinks[k] / fabs(p->along_a), at_b = p->kinks[k] / fabs(p->along_b);
      if (lo < at_a && at_a < hi) hi = at_a;
      if (lo < at_b && at_b < hi) hi = at_b;
    }
    sum += fanin__integrate(at_radius, p, lo, hi, 1);
  }
  return sum;
}

/* Over [from, from + width], within which neither u nor v changes its sign: pieces grow from both ends, where one of
 * them is small. What bends away from 0 makes F(t) steeper there. */
static double sector(plane *p, double from, double width) {
  const double fastest = fmax(p->root_a, p->root_b), first = p->n_kinks > 0 ? 0.2 : 0.4;
  const double least = first * fmin(1, fmax(1 / fastest, 1e-9));
  double sum = 0;
  for (double lo = 0, hi; lo < 0.5 * width; lo = hi) {
    hi = fmin(lo + fmin(fmin(fmax(lo, least), 0.8), p->widest / fastest), 0.5 * width);
    sum += fanin__integrate(at_angle, p, from + lo, from + hi, 1);
    sum += fanin__integrate(at_angle, p, from + width - hi, from + width - lo, 1);
  }
  return sum;
}

static int ascending(const void *x, const void *y) {
  const double a = *(const double *)x, b = *(const double *)y;
  return (a > b) - (a < b);
}

enum { MAX_BREAKS = 4 + 4 * FANIN__MAX_KINKS * FANIN__MAX_KINKS };

/* Where F(t), the integral over r, is not smooth: where u or v is 0, and where kinks j of u and k of v cross, |u| /
 * kink_j = |v| / kink_k. Ascending, in [0, 2 pi). */
static size_t breaks(const plane *p, double out[MAX_BREAKS]) {
  size_t n = 0;
  for (int side = 0; side < 2; side++) {
    out[n++] = 0.5 * PI + side * PI;
    out[n++] = p->alpha + 0.5 * PI + side * PI;
    for (size_t pair = 0; pair < p->n_kinks * p->n_kinks; pair++) {
      const double a = p->root_a / p->kinks[pair / p->n_kinks], b = p->root_b / p->kinks[pair % p->n_kinks];
      const double x = b * cos(p->alpha), y = b * sin(p->alpha);
      out[n++] = atan2(a - x, y) + side * PI;
      out[n++] = atan2(a + x, -y) + side * PI;
    }
  }
  for (size_t k = 0; k < n; k++) {
    out[k] -= 2 * PI * floor(out[k] / (2 * PI));
  }
  qsort(out, n, sizeof *out, ascending);
  return n;
}

/* Waves of period 2 pi: a product of two is a sum of waves of u - v and of u + v, of which a variance of 80 leaves
 * nothing (1e-17). Where q_a or q_b is large, smaller ones that leave the same take their place. Returns false where
 * nothing is left of either. */
static bool shorten(double *q_a, double *q_b, double *c) {
  if (fmax(*q_a, *q_b) < 200) return true;
  const double product = 2 * *c * sqrt(*q_a) * sqrt(*q_b);
  const double apart = fmin(fmax(*q_a + *q_b - product, 0), 80), together = fmin(fmax(*q_a + *q_b + product, 0), 80);
  *q_a = *q_b = 0.25 * (apart + together);
  *c = (together - apart) / (together + apart);
  return apart < 80 || together < 80;
}

double fanin__correlated(const fanin__activation *activation, fanin__function function, double slope, double q_a,
                         double q_b, double c) {
  const bool wave = activation->facts.sinusoid;
  if (wave && !shorten(&q_a, &q_b, &c)) return 0;
  plane p = {.g = function == FANIN__PHI ? activation->f : activation->df,
             .slope = slope,
             .widest = wave ? 0.5 * PI : INFINITY,
             .root_a = sqrt(fmax(q_a, 1e-300)),
             .root_b = sqrt(fmax(q_b, 1e-300)),
             .alpha = acos(fmin(fmax(c, -1), 1))};
  p.n_kinks = fanin__kink_distances(activation, p.kinks);
  double angle[MAX_BREAKS], sum = 0;
  const size_t n = breaks(&p, angle);
  for (size_t k = 0; k < n; k++) {
    const double next = k + 1 < n ? angle[k + 1] : angle[0] + 2 * PI;
    sum += sector(&p, angle[k], next - angle[k]);
  }
  return sum / (2 * PI);
}
