/* Mean-field moments of an activation by quadrature in double: V(q), its Hermite expansion, and curves of both. */
#include <math.h>
#include <stdlib.h>

#include "meanfield.h"

#define PI 3.14159265358979323846

/* ---- Expectations at a given q ------------------------------------------------------------------------------------
 */

typedef struct integrand {
  const fanin__activation *activation;
  double slope, root; /* sqrt(q) */
  int order;          /* k: times He_k(x) / sqrt(k!) */
  double v, s;        /* of psi */
} integrand;

static double squared(double x, const integrand *g) {
  const double value = g->activation->f(g->root * x, g->slope);
  return value * value;
}

/* He_k(x) / sqrt(k!) by its three-term recurrence. */
static double hermite(int k, double x) {
  double before = 0, now = 1;
  for (int j = 0; j < k; j++) {
    const double next = (x * now - sqrt((double)j) * before) / sqrt(j + 1.0);
    before = now;
    now = next;
  }
  return now;
}

static double projection(double x, void *context) {
  const integrand *g = context;
  return squared(x, g) * hermite(g->order, x) * fanin__normal_pdf(x);
}

static double square_of_ratio(double x, void *context) {
  const integrand *g = context;
  const double ratio = squared(x, g) / g->v;
  return ratio * ratio * fanin__normal_pdf(x);
}

static double psi_cubed(double x, void *context) {
  const integrand *g = context;
  const double psi = squared(x, g) / g->v - 1 - g->s * (x * x - 1);
  return psi * psi * psi * fanin__normal_pdf(x);
}

/* Where an activation bends: kinks at 0 and +-3 (hardswish), else on the scale of 1; with x = z / sqrt(q), pieces grow
 * from there in proportion to |x|, up to the scale 1 of the density. Beyond |x| = 12 lies 1e-32 of the mass; 16 nodes
 * a piece are then exact to 1e-10 even for the eighth powers of kurtosis. */
static double expectation(double (*g)(double x, void *context), integrand *context) {
  const double scale = 1 / context->root, kink = 3 * scale;
  double sum = 0;
  for (double lo = 0, hi; lo < 12; lo = hi) {
    hi = lo + fmin(fmax(lo, 0.75 * scale), 1);
    if (lo < kink && kink < hi) hi = kink;
    sum += fanin__integrate(g, context, lo, hi, 1) + fanin__integrate(g, context, -hi, -lo, 1);
  }
  return sum;
}

double fanin__v(const fanin__activation *activation, double slope, double q) {
  integrand g = {.activation = activation, .slope = slope, .root = sqrt(q)};
  return q > 0 ? expectation(projection, &g) : squared(0, &g);
}

fanin__expansion fanin__expand(const fanin__activation *activation, double slope, double q) {
  integrand g = {.activation = activation, .slope = slope, .root = sqrt(q)};
  fanin__expansion e = {.v = fanin__v(activation, slope, q)};
  if (!(e.v > 0)) return e;
  e.a[0] = 1;
  if (!(q > 0)) return e;
  double kept = 1;
  for (g.order = 1; g.order < FANIN__ORDERS; g.order++) {
    e.a[g.order] = expectation(projection, &g) / e.v;
    kept += e.a[g.order] * e.a[g.order];
  }
  g.v = e.v;
  g.s = e.a[2] / sqrt(2);
  e.rest = sqrt(fmax(expectation(square_of_ratio, &g) - kept, 0));
  e.third = expectation(psi_cubed, &g);
  return e;
}

double fanin__kappa(const fanin__expansion *e, double c) {
  double sum = e->rest * e->rest;
  for (int k = FANIN__ORDERS - 1; k > 0; k--) {
    sum = sum * c + e->a[k] * e->a[k];
  }
  return sum * c;
}

double fanin__kappa_residual(const fanin__expansion *e) {
  return fanin__kappa(e, 1) - e->a[2] * e->a[2];
}

/* ---- Curves -------------------------------------------------------------------------------------------------------
 */

/* V is analytic in ln q while Re(1/q) > 0, a strip of half-width pi/2: the interpolation's error falls by the factor
 * rho = b + sqrt(1 + b^2), b = (pi/2) / half, a node. Nodes for 1e-10; the cap takes ranges beyond e^60. */
static int nodes_for(double half) {
  if (!(half > 1e-12)) return 1;
  const double b = 0.5 * PI / half;
  const double nodes = ceil(23 / log(b + sqrt(1 + b * b)));
  return (int)fmin(fmax(nodes, 4), 512);
}

/* Chebyshev points of the first kind on [-1, 1]. */
static double node(int k, int nodes) {
  return cos(PI * (k + 0.5) / nodes);
}

fanin_status fanin__curve_make(const fanin__activation *activation, double slope, const double *q, size_t n, int values,
                               fanin__curve *out) {
  double lo = INFINITY, hi = 0;
  for (size_t k = 0; k < n; k++) {
    if (q[k] > 0) lo = fmin(lo, q[k]);
    hi = fmax(hi, q[k]);
  }
  if (!(hi > 0)) lo = hi = 1; /* every q is 0: any interval will do */
  fanin__curve curve = {
      .middle = 0.5 * (log(lo) + log(hi)), .half = 0.5 * (log(hi) - log(lo)), .zero = fanin__v(activation, slope, 0)};
  curve.nodes = nodes_for(curve.half);
  curve.values = values;
  curve.table = malloc((size_t)curve.nodes * (size_t)values * sizeof *curve.table);
  if (!curve.table) return fanin__fail(FANIN_OUT_OF_MEMORY, "%d x %d numbers for a curve", curve.nodes, values);
  for (int k = 0; k < curve.nodes; k++) {
    const double at = exp(curve.middle + curve.half * node(k, curve.nodes));
    double *const row = curve.table + (size_t)k * (size_t)values;
    if (values == 1) {
      row[0] = fanin__v(activation, slope, at);
      continue;
    }
    const fanin__expansion e = fanin__expand(activation, slope, at);
    for (int j = 0; j < FANIN__ORDERS; j++) {
      row[j] = e.v * e.a[j];
    }
    row[FANIN__ORDERS] = e.v * e.rest;
  }
  *out = curve;
  return FANIN_OK;
}

/* Barycentric interpolation (Berrut & Trefethen 2004, equation 5.3). */
void fanin__curve_at(const fanin__curve *curve, double q, double *values) {
  for (int j = 0; j < curve->values; j++) {
    values[j] = 0;
  }
  if (!(q > 0)) {
    values[0] = curve->zero;
    return;
  }
  const double x = curve->half > 0 ? (log(q) - curve->middle) / curve->half : 0;
  double total = 0;
  for (int k = 0; k < curve->nodes; k++) {
    const double angle = PI * (k + 0.5) / curve->nodes, distance = x - cos(angle);
    const double *const row = curve->table + (size_t)k * (size_t)curve->values;
    if (distance == 0 || curve->nodes == 1) {
      for (int j = 0; j < curve->values; j++) {
        values[j] = row[j];
      }
      return;
    }
    const double weight = (k % 2 ? -1 : 1) * sin(angle) / distance;
    total += weight;
    for (int j = 0; j < curve->values; j++) {
      values[j] += weight * row[j];
    }
  }
  for (int j = 0; j < curve->values; j++) {
    values[j] /= total;
  }
}

void fanin__curve_free(fanin__curve *curve) {
  free(curve->table);
  *curve = (fanin__curve){0};
}
