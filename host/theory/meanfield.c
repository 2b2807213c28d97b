/* Mean-field moments of an activation and of its derivative by quadrature in double: means, mean squares, their Hermite
 * expansions, and curves of these. */
#include "theory/meanfield.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/status.h"
#include "math/normal.h"
#include "math/quadrature.h"

#define PI 3.14159265358979323846

fanin_status fanin__check_variance(const char *name, double value) {
  if (value >= 0 && value < INFINITY) return FANIN_STATUS_OK;
  return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "%s is %g; a finite number of 0 or more is accepted", name, value);
}

/* ---- Expectations at a given q ----------------------------------------------------------------------------------- */

/* What an integral over x visits: g(sqrt(q) x)^2 times the density, g being a function of fanin__function, tabulated in
 * the first integral, because the later ones, which ask for the same nodes in the same order, differ by their
 * polynomial only. */
enum { NODES_MAX = 2048 };

typedef struct integrand {
  const fanin__activation *activation;
  fanin__function function;
  double q, slope, root;          /* sqrt(q), within bounds */
  double kinks[FANIN__MAX_KINKS]; /* distances from 0 where phi is not smooth */
  size_t n_kinks;
  double widest;      /* a piece, in z; infinite but for waves */
  double v, s;        /* for psi: E psi^2 = V, and the part of x^2 - 1 that is taken out */
  double up, down;    /* sqrt(k + 1) and sqrt(k) for the order k of He_k(x) / sqrt(k!) */
  size_t next, known; /* nodes */
  double density[NODES_MAX], square[NODES_MAX], hermite[NODES_MAX], hermite_before[NODES_MAX];
} integrand;

static double square_at(const integrand *g, fanin__function function, double z) {
  if (function == FANIN__BOTH) return g->q * square_at(g, FANIN__SLOPE, z) + square_at(g, FANIN__PHI, z);
  const double value = (function == FANIN__PHI ? g->activation->f : g->activation->df)(z, g->slope);
  return value * value;
}

static size_t visit(integrand *g, double x) {
  const size_t k = g->next++;
  if (k < g->known) return k;
  g->square[k] = square_at(g, g->function, g->root * x);
  g->density[k] = fanin__normal_pdf_fast(x);
  g->hermite[k] = 1;
  g->hermite_before[k] = 0;
  g->known = g->next;
  return k;
}

/* For the orders 0, 1, 2, ... in turn: moves on to the next one by the three-term recurrence, E63 of docs/probe-law.md.
 */
static double projection(double x, void *context) {
  integrand *const g = context;
  const size_t k = visit(g, x);
  const double now = g->hermite[k];
  g->hermite[k] = (x * now - g->down * g->hermite_before[k]) / g->up;
  g->hermite_before[k] = now;
  return g->square[k] * now * g->density[k];
}

static double square_of_ratio(double x, void *context) {
  integrand *const g = context;
  const size_t k = visit(g, x);
  const double ratio = g->square[k] / g->v;
  return ratio * ratio * g->density[k];
}

static double psi_cubed(double x, void *context) {
  integrand *const g = context;
  const size_t k = visit(g, x);
  const double psi = g->square[k] / g->v - 1 - g->s * (x * x - 1);
  return psi * psi * psi * g->density[k];
}

/* The same for a gate, integrated over y: psi is `gate` y^2 and what has no y in it, and y^2, y^4, y^6 have the means
 * 1, 3 and 15. */
static double gated_psi_cubed(double x, void *context) {
  const integrand *const g = context;
  const double z = g->root * x;
  const bool derivatives = g->function == FANIN__BOTH;
  const double with_y = g->q * square_at(g, derivatives ? FANIN__SLOPE : FANIN__PHI, z) / g->v;
  const double without = derivatives ? square_at(g, FANIN__PHI, z) / g->v : 0;
  const double gate = with_y - g->s, rest = without - 1 - g->s * (x * x - 1) + g->s;
  const double cubed = 15 * gate * gate * gate + 9 * gate * gate * rest + 3 * gate * rest * rest + rest * rest * rest;
  return cubed * fanin__normal_pdf_fast(x);
}

static double first_power(double x, void *context) {
  const integrand *const g = context;
  return g->activation->f(g->root * x, g->slope) * fanin__normal_pdf_fast(x);
}

/* Where an activation bends: at 0 and at its kinks, else on the scale of 1. With x = z / sqrt(q), pieces grow from
 * there in proportion to |x|, up to the scale 1 of the density; a wave's pieces stay a quarter of its period wide.
 * Beyond |x| = 12 lies 1e-32 of the mass, so that 16 nodes a piece are exact to 1e-10 even for eighth powers. From q =
 * 1e18 on, all that bends lies in 1e-9 of the mass: at most 2 x 46 pieces, and 2 x 50 of a wave. */
static double expectation(double (*f)(double x, void *context), integrand *g) {
  const double scale = fmax(1 / g->root, 1e-9);
  double sum = 0;
  g->next = 0;
  for (double lo = 0, hi; lo < 12; lo = hi) {
    hi = lo + fmin(fmin(fmax(lo, 0.75 * scale), 1), g->widest * scale);
    for (size_t k = 0; k < g->n_kinks; k++) {
      const double kink = g->kinks[k] * scale;
      if (lo < kink && kink < hi) hi = kink;
    }
    sum += fanin__integrate(f, g, lo, hi, 1) + fanin__integrate(f, g, -hi, -lo, 1);
  }
  return sum;
}

/* A wave's moments are those of its period from q = 40 on, to 1e-17. */
#define WAVE_LIMIT 40.0

/* phi and phi' are constant where q is 0, but for a kink at 0, which the least q sees. */
static void prepare(integrand *g, const fanin__activation *activation, fanin__function function, double slope,
                    double q) {
  g->activation = activation;
  g->function = function;
  g->q = q;
  g->slope = slope;
  g->root = sqrt(fmax(activation->facts.sinusoid ? fmin(q, WAVE_LIMIT) : q, DBL_MIN));
  g->n_kinks = fanin__kink_distances(activation, g->kinks);
  g->widest = activation->facts.sinusoid ? 0.5 * PI : INFINITY;
  g->up = 1;
  g->down = 0;
  g->known = 0;
}

double fanin__mean(const fanin__activation *activation, double slope, double q) {
  if (!(q > 0)) return activation->f(0, slope);
  if (activation->facts.odd) return 0;
  integrand g;
  prepare(&g, activation, FANIN__PHI, slope, q);
  return expectation(first_power, &g);
}

double fanin__mean_square(const fanin__activation *activation, fanin__function function, double slope, double q) {
  if (!(q > 0) && function != FANIN__SLOPE) return pow(activation->f(0, slope), 2);
  integrand g;
  prepare(&g, activation, function, slope, q);
  return expectation(projection, &g);
}

double fanin__v(const fanin__activation *activation, double slope, double q) {
  return fanin__mean_square(activation, FANIN__PHI, slope, q);
}

fanin__expansion fanin__expand_square(const fanin__activation *activation, fanin__function function, double slope,
                                      double q) {
  if (!(q > 0) && function != FANIN__SLOPE) {
    const double v = fanin__mean_square(activation, function, slope, q);
    return (fanin__expansion){.v = v, .a = {v > 0 ? 1 : 0}};
  }
  integrand g;
  prepare(&g, activation, function, slope, q);
  fanin__expansion e = {.v = expectation(projection, &g)};
  if (!(e.v > 0)) return e;
  double kept = 1;
  e.a[0] = 1;
  for (int k = 1; k < FANIN__ORDERS; k++) {
    g.down = sqrt((double)k);
    g.up = sqrt(k + 1.0);
    e.a[k] = expectation(projection, &g) / e.v;
    kept += e.a[k] * e.a[k];
  }
  g.v = e.v;
  g.s = e.a[2] / sqrt(2);
  e.rest = sqrt(fmax(expectation(square_of_ratio, &g) - kept, 0));
  e.third = expectation(psi_cubed, &g);
  return e;
}

/* E68, E69 */
fanin__expansion fanin__expand_gated(const fanin__activation *activation, fanin__function function, double slope,
                                     double q) {
  const bool derivatives = function == FANIN__SLOPE;
  const fanin__expansion factor = fanin__expand_square(activation, function, slope, q); /* of y^2 */
  fanin__expansion e = derivatives ? fanin__expand_square(activation, FANIN__BOTH, slope, q) : factor;
  if (!derivatives) e.v *= q;
  e.third = 0;
  if (!(e.v > 0) || !(q > 0)) return e;
  const double share = sqrt(2) * q * factor.v / e.v;
  for (int k = 0; k < FANIN__ORDERS; k++) {
    e.b[k] = share * factor.a[k];
  }
  e.b_rest = share * factor.rest;
  integrand g;
  prepare(&g, activation, derivatives ? FANIN__BOTH : FANIN__PHI, slope, q);
  g.v = e.v;
  g.s = fanin__sensitivity(&e) / 2;
  e.third = expectation(gated_psi_cubed, &g);
  return e;
}

static double series(const double *a, double rest, int first, double c) {
  double sum = rest * rest;
  for (int k = FANIN__ORDERS - 1; k >= first; k--) {
    sum = sum * c + a[k] * a[k];
  }
  return sum;
}

/* E6, E71 */
double fanin__kappa(const fanin__expansion *e, double c) {
  return c * series(e->a, e->rest, 1, c) + c * c * series(e->b, e->b_rest, 0, c);
}

double fanin__sensitivity(const fanin__expansion *e) {
  return (e->a[2] + e->b[0]) / sqrt(2);
}

double fanin__kappa_residual(const fanin__expansion *e) {
  const double along = e->a[2] + e->b[0];
  return fanin__kappa(e, 1) - along * along / (e->b[0] > 0 ? 2 : 1);
}

/* ---- Shares ------------------------------------------------------------------------------------------------------ */

/* P(z < bound), z ~ N(0, q); 0 where the bound is NaN. */
static double share_below(double bound, double q) {
  if (isnan(bound)) return 0;
  return q > 0 ? fanin__normal_tail_fast(-bound / sqrt(q)) : bound >= 0;
}

double fanin__saturated_share(const fanin__activation *activation, double q) {
  double below, above;
  fanin__saturation(activation, &below, &above);
  return share_below(below, q) + share_below(-above, q);
}

double fanin__zero_share(const fanin__activation *activation, double slope, double q) {
  return share_below(fanin__zero_below(activation, slope), q);
}

/* ---- Curves ------------------------------------------------------------------------------------------------------ */

/* V is analytic in ln q while Re(1/q) > 0, a strip of half-width pi/2: the error of interpolating ln V and a[k] falls
 * by the factor rho = b + sqrt(1 + b^2), b = (pi/2) / half, a node. Nodes for 1e-10; the cap takes ranges beyond e^60.
 */
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

fanin_status fanin__curve_of_square(const fanin__activation *activation, fanin__function function, double slope,
                                    const double *q, size_t n, int values, fanin__curve *out) {
  double lo = INFINITY, hi = 0;
  for (size_t k = 0; k < n; k++) {
    if (q[k] > 0) lo = fmin(lo, q[k]);
    hi = fmax(hi, q[k]);
  }
  if (!(hi > 0)) lo = hi = 1; /* every q is 0: any interval will do */
  fanin__curve curve = {.middle = 0.5 * (log(lo) + log(hi)),
                        .half = 0.5 * (log(hi) - log(lo)),
                        .zero = fanin__mean_square(activation, function, slope, 0)};
  curve.nodes = nodes_for(curve.half);
  curve.values = values;
  curve.table = malloc((size_t)curve.nodes * (size_t)values * sizeof *curve.table);
  if (!curve.table) return fanin__fail(FANIN_STATUS_OUT_OF_MEMORY, "%d x %d numbers for a curve", curve.nodes, values);
  for (int k = 0; k < curve.nodes; k++) {
    const double at = exp(curve.middle + curve.half * node(k, curve.nodes));
    double *const row = curve.table + (size_t)k * (size_t)values;
    if (values == 1) {
      row[0] = log(fmax(fanin__mean_square(activation, function, slope, at), DBL_MIN));
      continue;
    }
    const fanin__expansion e = fanin__expand_square(activation, function, slope, at);
    memcpy(row, e.a, sizeof e.a);
    row[0] = log(fmax(e.v, DBL_MIN));
    row[FANIN__ORDERS] = e.rest;
  }
  *out = curve;
  return FANIN_STATUS_OK;
}

/* Barycentric interpolation (Berrut & Trefethen 2004, equation 5.3) of the table at x of [-1, 1]. */
static void interpolate(const fanin__curve *curve, double x, double *values) {
  const size_t size = (size_t)curve->values;
  double total = 0;
  memset(values, 0, size * sizeof *values);
  for (int k = 0; k < curve->nodes; k++) {
    const double angle = PI * (k + 0.5) / curve->nodes, distance = x - cos(angle);
    const double *const row = curve->table + (size_t)k * size;
    if (distance == 0 || curve->nodes == 1) {
      memcpy(values, row, size * sizeof *values);
      return;
    }
    const double weight = (k % 2 ? -1 : 1) * sin(angle) / distance;
    total += weight;
    for (size_t j = 0; j < size; j++) {
      values[j] += weight * row[j];
    }
  }
  for (size_t j = 0; j < size; j++) {
    values[j] /= total;
  }
}

void fanin__curve_at(const fanin__curve *curve, double q, double *values) {
  if (!(q > 0)) {
    memset(values, 0, (size_t)curve->values * sizeof *values);
    values[0] = curve->zero;
    return;
  }
  interpolate(curve, curve->half > 0 ? (log(q) - curve->middle) / curve->half : 0, values);
  values[0] = exp(values[0]);
  for (int j = 1; j < curve->values; j++) {
    values[j] *= values[0];
  }
}

void fanin__curve_free(fanin__curve *curve) {
  free(curve->table);
  *curve = (fanin__curve){0};
}
