/* One layer of mean-field theory. */
#include "theory/step.h"

#include <math.h>

fanin__normalised fanin__normalise(fanin_norm norm, double q, double c, double apart) {
  switch (norm) {
  case FANIN_NORM_LAYER:
    return (fanin__normalised){q > 0 ? 1 : 0, c, q};
  case FANIN_NORM_BATCH:
    return (fanin__normalised){apart > 0 ? 1 : 0, 0, apart};
  case FANIN_NORM_NONE:
    break;
  }
  return (fanin__normalised){q, c, 1};
}

fanin__state fanin__next_state(const fanin__state *h, bool residual, double mean, double v, double product) {
  if (!residual) return (fanin__state){mean, v, product};
  const double cross = 2 * h->mean * mean;
  return (fanin__state){h->mean + mean, h->square + v + cross, h->product + product + cross};
}

double fanin__gradient_before(bool residual, double gradient, double g, double sigma_w2, double fan_out,
                              double fan_in) {
  const double spread = sigma_w2 * fan_out / fan_in * g;
  return residual ? gradient + spread : spread;
}

/* Squares of what phi makes of larger second moments may overflow. */
#define Q_MAX 1e300

static fanin__state beyond_range(fanin_theory_layer *out) {
  out->v = out->mean = out->second_moment = out->h_correlation = NAN;
  out->slope_second = out->chi = out->chi_c = out->saturated = out->zero = NAN;
  return (fanin__state){NAN, NAN, NAN};
}

fanin__state fanin__step_forward(const fanin__step *step, const fanin__state *h, double sigma_b2,
                                 fanin_theory_layer *out) {
  const double slope = step->slope;
  out->q = out->sigma_w2 * h->square + sigma_b2;
  const double covariance = out->sigma_w2 * h->product + sigma_b2;
  out->correlation = out->q > 0 ? fmin(fmax(covariance / out->q, -1), 1) : 1;
  out->slope_second = out->chi = out->chi_c = 1;
  fanin__state next = {0, out->q, covariance};
  if (step->activated) {
    const fanin__activation *const a = step->activation;
    const fanin__normalised y = fanin__normalise(step->norm, out->q, out->correlation, out->q * (1 - out->correlation));
    if (!(y.q <= Q_MAX)) return beyond_range(out);
    out->v = fanin__v(a, slope, y.q);
    out->slope_second = fanin__mean_square(a, FANIN__SLOPE, slope, y.q);
    out->saturated = fanin__saturated_share(a, y.q);
    out->zero = fanin__zero_share(a, slope, y.q);
    out->chi = out->slope_second / y.scale2;
    out->chi_c = step->pairs ? fanin__correlated(a, FANIN__SLOPE, slope, y.q, y.q, y.c) / y.scale2 : NAN;
    const double product = step->pairs ? fanin__correlated(a, FANIN__PHI, slope, y.q, y.q, y.c) : NAN;
    next = fanin__next_state(h, step->residual, fanin__mean(a, slope, y.q), out->v, product);
  } else {
    out->v = out->q;
  }
  out->mean = next.mean;
  out->second_moment = next.square;
  out->h_correlation = next.square > 0 ? fmin(fmax(next.product / next.square, -1), 1) : 1;
  return next;
}
