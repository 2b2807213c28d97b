/* The mean-field recursion through a network: forward moments and correlation, backward gradients. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "core/argument.h"
#include "fanin/theory.h"
#include "theory/meanfield.h"

/* ---- Checks ------------------------------------------------------------------------------------------------------ */

static fanin_status check(const fanin_theory_config *config) {
  if (config->n_widths < 2) {
    return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "n_widths is %zu; at least 2 are accepted: the input and a layer",
                       config->n_widths);
  }
  FANIN__NEED(config->widths, config->activation);
  for (size_t l = 0; l < config->n_widths; l++) {
    if (config->widths[l] == 0) return fanin__fail(FANIN_STATUS_BAD_SHAPE, "width %zu is 0; 1 or more is accepted", l);
  }
  FANIN__TRY(fanin__check_variance("sigma_b2", config->sigma_b2));
  FANIN__TRY(fanin__check_variance("second_moment", config->second_moment));
  FANIN__TRY(fanin__check_variance("gradient", config->gradient));
  if (!(fabs(config->correlation) <= 1)) {
    return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "correlation is %g; -1 to 1 is accepted", config->correlation);
  }
  if (config->norm != FANIN_NORM_NONE && config->norm != FANIN_NORM_LAYER && config->norm != FANIN_NORM_BATCH) {
    return fanin__fail(FANIN_STATUS_BAD_ARGUMENT,
                       "norm is %d; FANIN_NORM_NONE, FANIN_NORM_LAYER and FANIN_NORM_BATCH are accepted",
                       (int)config->norm);
  }
  return FANIN_STATUS_OK;
}

/* sigma_w^2 of layer l = 1 .. L. */
static fanin_status weight_variance(const fanin_theory_config *config, size_t l, double *out) {
  if (config->sigma_w2) {
    *out = config->sigma_w2[l - 1];
    if (*out >= 0 && *out < INFINITY) return FANIN_STATUS_OK;
    return fanin__fail(FANIN_STATUS_BAD_ARGUMENT,
                       "sigma_w2 of layer %zu is %g; a finite number of 0 or more is accepted", l, *out);
  }
  const uint64_t shape[2] = {config->widths[l], config->widths[l - 1]};
  fanin_tensor t;
  fanin_moments moments;
  FANIN__TRY(fanin_tensor_of(NULL, 0, FANIN_DTYPE_F32, "OI", 2, shape, &t));
  FANIN__TRY(fanin_expect(&t, &config->init, &moments, sizeof moments));
  if (moments.mean != 0) {
    return fanin__fail(FANIN_STATUS_BAD_ARGUMENT,
                       "init gives layer %zu weights of mean %g; mean-field theory takes those of mean 0", l,
                       moments.mean);
  }
  *out = moments.std * moments.std * (double)shape[1];
  return FANIN_STATUS_OK;
}

/* ---- Forward ----------------------------------------------------------------------------------------------------- */

typedef struct network {
  const fanin_theory_config *config;
  const fanin__activation *activation;
} network;

/* Of h: mean over features, mean square, mean product of two samples. */
typedef struct state {
  double mean, square, product;
} state;

static bool is_activated(const fanin_theory_config *config, size_t l) {
  return l + 1 < config->n_widths || config->activate_last;
}

static bool is_residual(const fanin_theory_config *config, size_t l) {
  return config->residual && is_activated(config, l) && config->widths[l] == config->widths[l - 1];
}

/* What the norm makes of z's: y = z / scale has second moment q and correlation c. Layer norm divides by the standard
 * deviation over features, sqrt(q) as z has mean 0 over the draws of W; batch norm takes away what the samples share
 * and divides by the standard deviation over them, sqrt(q (1 - c)). */
typedef struct normalised {
  double q, c, scale2;
} normalised;

static normalised normalise(fanin_norm norm, double q, double c) {
  switch (norm) {
  case FANIN_NORM_LAYER:
    return (normalised){q > 0 ? 1 : 0, c, q};
  case FANIN_NORM_BATCH:
    return (normalised){q * (1 - c) > 0 ? 1 : 0, 0, q * (1 - c)};
  case FANIN_NORM_NONE:
    break;
  }
  return (normalised){q, c, 1};
}

/* With the residual connection, z of layer l is independent of h_{l-1}'s feature that phi(z) is added to: only means
 * correlate. */
static state next_state(const state *h, bool residual, double mean, double v, double product) {
  if (!residual) return (state){mean, v, product};
  const double cross = 2 * h->mean * mean;
  return (state){h->mean + mean, h->square + v + cross, h->product + product + cross};
}

/* Squares of what phi makes of larger second moments may overflow. */
#define Q_MAX 1e300

static state beyond_range(fanin_theory_layer *out) {
  out->v = out->mean = out->second_moment = out->h_correlation = NAN;
  out->slope_second = out->chi = out->chi_c = out->saturated = out->zero = NAN;
  return (state){NAN, NAN, NAN};
}

/* Everything but g. chi and chi_c are left without the factor sigma_w^2. */
static state forward(const network *net, size_t l, const state *h, fanin_theory_layer *out) {
  const double slope = net->config->slope;
  out->q = out->sigma_w2 * h->square + net->config->sigma_b2;
  const double covariance = out->sigma_w2 * h->product + net->config->sigma_b2;
  out->correlation = out->q > 0 ? fmin(fmax(covariance / out->q, -1), 1) : 1;
  out->slope_second = out->chi = out->chi_c = 1;
  state next = {0, out->q, covariance};
  if (is_activated(net->config, l)) {
    const fanin__activation *const a = net->activation;
    const normalised y = normalise(net->config->norm, out->q, out->correlation);
    if (!(y.q <= Q_MAX)) return beyond_range(out);
    out->v = fanin__v(a, slope, y.q);
    out->slope_second = fanin__mean_square(a, FANIN__SLOPE, slope, y.q);
    out->saturated = fanin__saturated_share(a, y.q);
    out->zero = fanin__zero_share(a, slope, y.q);
    out->chi = out->slope_second / y.scale2;
    out->chi_c = fanin__correlated(a, FANIN__SLOPE, slope, y.q, y.q, y.c) / y.scale2;
    next = next_state(h, is_residual(net->config, l), fanin__mean(a, slope, y.q), out->v,
                      fanin__correlated(a, FANIN__PHI, slope, y.q, y.q, y.c));
  } else {
    out->v = out->q;
  }
  out->mean = next.mean;
  out->second_moment = next.square;
  out->h_correlation = next.square > 0 ? fmin(fmax(next.product / next.square, -1), 1) : 1;
  return next;
}

/* ---- Backward ---------------------------------------------------------------------------------------------------- */

/* Takes the mean square of the gradient of h_l to that of h_{l-1}: W^T spreads fan_out gradients of z with weights of
 * variance sigma_w^2 / fan_in (Schoenholz et al. 2017, section 4; He et al. 2015, section 2.2), and a residual
 * connection passes what came. That takes the weights of the way back as independent of those of the way forth. */
static double backward(const fanin_theory_config *config, size_t l, double gradient, fanin_theory_layer *layer) {
  layer->g = gradient * layer->chi;
  const double spread = layer->sigma_w2 * (double)layer->fan_out / (double)layer->fan_in * layer->g;
  return is_residual(config, l) ? gradient + spread : spread;
}

/* ---- The network ------------------------------------------------------------------------------------------------- */

static fanin_status run(const network *net, fanin_theory_layer *layers) {
  const fanin_theory_config *const config = net->config;
  const size_t last = config->n_widths - 1;
  state h = {0, config->second_moment, config->second_moment * config->correlation};
  for (size_t l = 1; l <= last; l++) {
    fanin_theory_layer *const layer = &layers[l - 1];
    *layer = (fanin_theory_layer){.fan_in = config->widths[l - 1], .fan_out = config->widths[l]};
    FANIN__TRY(weight_variance(config, l, &layer->sigma_w2));
    layer->weight_gradient = h.square;
    h = forward(net, l, &h, layer);
  }
  double gradient = config->gradient;
  for (size_t l = last; l >= 1; l--) {
    fanin_theory_layer *const layer = &layers[l - 1];
    gradient = backward(config, l, gradient, layer);
    layer->weight_gradient *= layer->g;
    const double next = layers[l == last ? l - 1 : l].sigma_w2;
    layer->chi *= next;
    layer->chi_c *= next;
  }
  return FANIN_STATUS_OK;
}

fanin_status fanin_theory(const fanin_theory_config *theirs, fanin_theory_layer *layers, size_t stride) {
  fanin_theory_config config;
  network net = {.config = &config};
  FANIN__TRY(fanin__take_config("config", "FANIN_THEORY_CONFIG_INIT", theirs, &config, sizeof config));
  FANIN__NEED_RESULTS(layers, 1, stride);
  FANIN__TRY(check(&config));
  FANIN__TRY(fanin__activation_of(config.activation, config.slope, &net.activation));
  const size_t n = config.n_widths - 1;
  fanin_theory_layer *const found = calloc(n, sizeof *found);
  if (!found) return fanin__fail(FANIN_STATUS_OUT_OF_MEMORY, "%zu layers", n);
  const fanin_status status = run(&net, found);
  for (size_t l = 0; l < n && status == FANIN_STATUS_OK; l++) {
    fanin__give_at(layers, stride, l, &found[l], sizeof found[l]);
  }
  free(found);
  return status;
}
