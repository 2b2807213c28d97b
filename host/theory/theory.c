/* The mean-field recursion through a network: forward moments and correlation, backward gradients. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "core/argument.h"
#include "fanin/theory.h"
#include "theory/step.h"

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

/* ---- Layers ------------------------------------------------------------------------------------------------------ */

typedef struct network {
  const fanin_theory_config *config;
  const fanin__activation *activation;
} network;

static bool is_activated(const fanin_theory_config *config, size_t l) {
  return l + 1 < config->n_widths || config->activate_last;
}

static bool is_residual(const fanin_theory_config *config, size_t l) {
  return config->residual && is_activated(config, l) && config->widths[l] == config->widths[l - 1];
}

static fanin__state forward(const network *net, size_t l, const fanin__state *h, fanin_theory_layer *out) {
  const fanin_theory_config *const config = net->config;
  const fanin__step step = {.activation = net->activation,
                            .slope = config->slope,
                            .norm = config->norm,
                            .activated = is_activated(config, l),
                            .residual = is_residual(config, l),
                            .pairs = true};
  return fanin__step_forward(&step, h, config->sigma_b2, out);
}

/* Takes the mean square of the gradient of h_l to that of h_{l-1}. */
static double backward(const fanin_theory_config *config, size_t l, double gradient, fanin_theory_layer *layer) {
  layer->g = gradient * layer->chi;
  return fanin__gradient_before(is_residual(config, l), gradient, layer->g, layer->sigma_w2, (double)layer->fan_out,
                                (double)layer->fan_in);
}

/* ---- The network ------------------------------------------------------------------------------------------------- */

static fanin_status run(const network *net, fanin_theory_layer *layers) {
  const fanin_theory_config *const config = net->config;
  const size_t last = config->n_widths - 1;
  fanin__state h = {0, config->second_moment, config->second_moment * config->correlation};
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
