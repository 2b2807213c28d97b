/* Fixed points of the mean-field maps of q and c, depth scales, and the edge of chaos. */
#include <float.h>
#include <math.h>

#include "core/argument.h"
#include "fanin/theory.h"
#include "theory/meanfield.h"

/* ---- The map of q ------------------------------------------------------------------------------------------------ */

typedef struct map {
  const fanin__activation *activation;
  double slope, sigma_w2, sigma_b2;
} map;

/* ln (q' / q), of whose sign only what rounding leaves is kept. */
static double rise(double q, const void *context) {
  const map *const m = context;
  const double ratio = (m->sigma_w2 * fanin__v(m->activation, m->slope, q) + m->sigma_b2) / q;
  return fabs(ratio - 1) < 1e-12 ? 0 : log(ratio);
}

/* sigma_w^2 V'(q) = sigma_w^2 V / q * d ln V / d ln q, the derivative from phi^2's second Hermite coefficient. */
static double slope_of_q(const map *m, double q) {
  const fanin__expansion e = fanin__expand_square(m->activation, FANIN__PHI, m->slope, q);
  return m->sigma_w2 * e.v / q * e.a[2] / sqrt(2);
}

/* A root of f in [lo, hi], where f has opposite signs: bisection in ln q, as f may be flat within rounding. */
static double root(double (*f)(double q, const void *context), const void *context, double lo, double hi) {
  const bool rising = f(lo, context) < 0;
  for (int k = 0; k < 60 && hi > lo * (1 + 1e-15); k++) {
    const double middle = sqrt(lo) * sqrt(hi), value = f(middle, context);
    if (value == 0) return middle;
    if ((value < 0) == rising) {
      lo = middle;
    } else {
      hi = middle;
    }
  }
  return sqrt(lo) * sqrt(hi);
}

/* ---- The map of c ------------------------------------------------------------------------------------------------ */

static double chi_at(const map *m, double q, double c) {
  return m->sigma_w2 * fanin__correlated(m->activation, FANIN__SLOPE, m->slope, q, q, c);
}

/* c' - c at q*. c' is a power series in c without negative coefficients (Daniely et al. 2016, dual activations), so
 * convex on [0, 1]: besides c = 1 there is at most one fixed point, and that only if the slope at 1 is above 1.
 * Newton's steps from c = 0 then go up to it and never past it. */
static double stable_correlation(const map *m, double q, double chi) {
  if (!(chi > 1 + 1e-9)) return 1;
  if (m->activation->facts.odd && m->sigma_b2 == 0) return 0;
  double c = 0;
  for (int k = 0; k < 100; k++) {
    const double product = fanin__correlated(m->activation, FANIN__PHI, m->slope, q, q, c);
    const double step = ((m->sigma_w2 * product + m->sigma_b2) / q - c) / (1 - chi_at(m, q, c));
    if (!(step > 1e-15)) break;
    c += step;
  }
  return fmin(c, 1);
}

static double depth_scale(double slope) {
  return fabs(slope - 1) < 1e-9 ? INFINITY : -1 / log(fabs(slope));
}

/* Everything but stability in q, q > 0. */
static fanin_fixed_point describe(const map *m, double q) {
  fanin_fixed_point p = {.q = q, .q_slope = slope_of_q(m, q)};
  p.chi = m->sigma_w2 * fanin__mean_square(m->activation, FANIN__SLOPE, m->slope, q);
  p.c = stable_correlation(m, q, p.chi);
  p.chi_c = p.c < 1 ? chi_at(m, q, p.c) : p.chi;
  p.xi_q = depth_scale(p.q_slope);
  p.xi_c = depth_scale(p.chi_c);
  p.stable = fabs(p.q_slope) < 1;
  return p;
}

/* ---- All of them ------------------------------------------------------------------------------------------------- */

#define Q_LEAST 1e-10
#define Q_MOST  1e10

typedef struct found {
  fanin_fixed_point *list;
  size_t capacity, stride, count;
} found;

static void add(found *f, const fanin_fixed_point *p) {
  if (f->count < f->capacity) fanin__give_at(f->list, f->stride, f->count, p, sizeof *p);
  f->count++;
}

/* q = 0 maps to sigma_w^2 phi(0)^2 + sigma_b^2. Near it V(q) is q E[phi'^2], and c' / c or, at kinks, the slope at c =
 * 1 goes to 1. `after` is the sign of q' - q next to it. */
static void add_zero(found *f, const map *m, double after) {
  if (m->sigma_b2 > 0 || m->activation->f(0, m->slope) != 0) return;
  const double chi = m->sigma_w2 * fanin__mean_square(m->activation, FANIN__SLOPE, m->slope, 0);
  const fanin_fixed_point p = {
      .q_slope = chi, .chi = chi, .stable = after < 0, .c = 1, .chi_c = 1, .xi_q = depth_scale(chi), .xi_c = INFINITY};
  add(f, &p);
}

/* Of phi(az) = a phi(z), V is q V(1): a straight line. */
static void add_homogeneous(found *f, const map *m) {
  const double slope = m->sigma_w2 * fanin__v(m->activation, m->slope, 1);
  if (fabs(slope - 1) < 1e-12 && m->sigma_b2 == 0) {
    fanin_fixed_point p = describe(m, 1);
    p.every = p.stable = 1;
    add(f, &p);
    return;
  }
  add_zero(f, m, slope - 1);
  if (!(slope < 1) || m->sigma_b2 == 0) return;
  const fanin_fixed_point p = describe(m, m->sigma_b2 / (1 - slope));
  add(f, &p);
}

/* Between neighbours on a grid of 20 points a decade whose q' - q has opposite signs. */
static void add_all(found *f, const map *m) {
  double before = 0, sign = 0;
  for (int k = 0; k <= 400; k++) {
    const double q = Q_LEAST * pow(Q_MOST / Q_LEAST, k / 400.0), now = rise(q, m);
    if (now == 0) continue;
    if (sign == 0) add_zero(f, m, now);
    if (sign * now < 0) {
      fanin_fixed_point p = describe(m, root(rise, m, before, q));
      if (fabs(p.q_slope - 1) < 1e-9) p.stable = sign > 0;
      add(f, &p);
    }
    before = q;
    sign = now;
  }
}

fanin_status fanin_fixed_points(const char *activation, double slope, double sigma_w2, double sigma_b2,
                                fanin_fixed_point *list, size_t capacity, size_t stride, size_t *count) {
  FANIN__NEED(activation, count);
  FANIN__NEED_RESULTS(list, capacity, stride);
  map m = {.slope = slope, .sigma_w2 = sigma_w2, .sigma_b2 = sigma_b2};
  FANIN__TRY(fanin__activation_of(activation, slope, &m.activation));
  FANIN__TRY(fanin__check_variance("sigma_w2", sigma_w2));
  FANIN__TRY(fanin__check_variance("sigma_b2", sigma_b2));
  found f = {list, capacity, stride, 0};
  if (m.activation->facts.homogeneous) {
    add_homogeneous(&f, &m);
  } else {
    add_all(&f, &m);
  }
  *count = f.count;
  return FANIN_STATUS_OK;
}

/* ---- The edge of chaos ------------------------------------------------------------------------------------------- */

/* sigma_w^2 = 1 / E[phi'^2](q) makes chi 1 at q; q is its fixed point where this is 0. */
static double excess(double q, const void *context) {
  const map *const m = context;
  const double square = fanin__mean_square(m->activation, FANIN__SLOPE, m->slope, q);
  return (q - m->sigma_b2) * square - fanin__v(m->activation, m->slope, q);
}

/* The q of that fixed point; NaN: there is none. */
static double critical_q(const map *m) {
  if (m->sigma_b2 == 0 && m->activation->f(0, m->slope) == 0) return 0;
  if (m->activation->facts.homogeneous) return NAN;
  if (!(excess(Q_LEAST, m) < 0 && excess(Q_MOST, m) > 0)) return NAN;
  return root(excess, m, Q_LEAST, Q_MOST);
}

double fanin__critical(const fanin__activation *activation, double slope, double sigma_b2, double *q) {
  const map m = {.activation = activation, .slope = slope, .sigma_b2 = sigma_b2};
  *q = critical_q(&m);
  const double square = isnan(*q) ? 0 : fanin__mean_square(activation, FANIN__SLOPE, slope, *q);
  return square > 100 * DBL_MIN ? 1 / square : NAN; /* relu2's is twice the least q */
}

fanin_status fanin_edge_of_chaos(const char *activation, double slope, double sigma_b2, double *sigma_w2,
                                 fanin_fixed_point *at, size_t size) {
  FANIN__NEED(activation, sigma_w2);
  if (at) FANIN__NEED_SIZE(size);
  map m = {.slope = slope, .sigma_b2 = sigma_b2};
  FANIN__TRY(fanin__activation_of(activation, slope, &m.activation));
  FANIN__TRY(fanin__check_variance("sigma_b2", sigma_b2));
  double q;
  m.sigma_w2 = fanin__critical(m.activation, slope, sigma_b2, &q);
  if (isnan(m.sigma_w2)) {
    return fanin__fail(FANIN_STATUS_BAD_ARGUMENT,
                       "%s has no edge of chaos at sigma_b2 = %g: chi is 1 at no fixed point of q", m.activation->name,
                       sigma_b2);
  }
  if (at && q > 0) {
    const fanin_fixed_point p = describe(&m, q);
    fanin__give(at, size, &p, sizeof p);
  } else if (at) {
    size_t count = 0;
    FANIN__TRY(fanin_fixed_points(activation, slope, m.sigma_w2, 0, at, 1, size, &count));
  }
  *sigma_w2 = m.sigma_w2;
  return FANIN_STATUS_OK;
}
