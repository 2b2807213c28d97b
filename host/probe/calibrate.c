/* fanin_calibrate: layer-sequential unit variance (Mishkin & Matas 2016, algorithm 1). Each layer's weights are
 * rescaled in scratch memory until its preactivations' variance on the given data is right; what was found is written
 * to the caller's tensors when all layers are done, so that a failure leaves them as they were. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/argument.h"
#include "core/queue.h"
#include "probe/probe.h"

typedef struct calibration {
  const fanin_probe_config *config;
  const fanin_calibrate_options *options;
  fanin__mlp mlp;
  fanin__row_sums sums; /* of the layer at hand */
  double *numbers;      /* what its arrays point into */
} calibration;

enum { ARRAYS = 6 };

static fanin_status check_options(const fanin_calibrate_options *options) {
  if (options->criterion != FANIN_CRITERION_SECOND_MOMENT && options->criterion != FANIN_CRITERION_VARIANCE) {
    return fanin__fail(FANIN_STATUS_BAD_ARGUMENT,
                       "criterion is %d; FANIN_CRITERION_SECOND_MOMENT and FANIN_CRITERION_VARIANCE are accepted",
                       (int)options->criterion);
  }
  if (!(options->target >= 1e-30 && options->target <= 1e30)) {
    return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "target is %g; it must be 1e-30 to 1e30", options->target);
  }
  if (!(options->tolerance > 0 && options->tolerance < 1)) {
    return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "tolerance is %g; it must be above 0 and below 1",
                       options->tolerance);
  }
  if (options->max_iterations < 1) {
    return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "max_iterations is %d; it must be at least 1",
                       options->max_iterations);
  }
  return FANIN_STATUS_OK;
}

static fanin_status check_weights(const fanin_probe_config *config) {
  for (size_t l = 0; l + 1 < config->n_widths; l++) {
    if (config->weights && config->weights[l].buffer) continue;
    return fanin__fail(FANIN_STATUS_BAD_ARGUMENT,
                       "weights[%zu] has no buffer; calibration rescales tensors of the caller's", l);
  }
  return FANIN_STATUS_OK;
}

static uint64_t elements_of(const fanin_tensor *t) {
  return t->shape[0] * t->shape[1];
}

/* to[i] = from[from_offset + i] factor, rounded to the weights' dtype; a buffer that is scaled in place keeps its
 * offset.
 */
static fanin_status scale_weights(const calibration *c, cl_mem from, size_t from_offset, cl_mem to, uint64_t n,
                                  double factor) {
  const size_t element = fanin_dtype_size(c->config->dtype);
  const cl_ulong first_from = from_offset / element, first_to = to == from ? first_from : 0;
  const float by = (float)factor;
  return FANIN__MLP_WEIGHTS(&c->mlp, "scale_weights", (size_t)n, FANIN__VALUE(from), FANIN__VALUE(first_from),
                            FANIN__VALUE(by), FANIN__VALUE(to), FANIN__VALUE(first_to));
}

/* What there is to scale in layer l: the rms of its weights, which must be numbers and not all 0. */
static fanin_status weigh(const calibration *c, size_t l, double *rms) {
  fanin_stats stats = {0};
  FANIN__TRY(fanin_measure(c->mlp.f, c->mlp.queue, &c->config->weights[l - 1], 0, NULL, &stats, sizeof stats));
  if (stats.nonfinite > 0) {
    return fanin__fail(FANIN_STATUS_NOT_FINITE, "layer %zu: %" PRIu64 " of %" PRIu64 " weights are infinite or NaN", l,
                       stats.nonfinite, stats.count);
  }
  if (stats.second == 0) {
    return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "layer %zu: all weights are 0; no factor changes the variance", l);
  }
  *rms = sqrt(stats.second);
  return FANIN_STATUS_OK;
}

static double total(const double *x, uint64_t n) {
  return fanin__mean_of(x, n) * (double)n;
}

/* Forward through layer l with its weights times `factor`; the variance or second moment of z. z_rms: about z's size.
 */
static fanin_status measure(calibration *c, size_t l, double factor, double z_rms, double *moment) {
  const fanin_tensor *const t = &c->config->weights[l - 1];
  const uint64_t batch = c->mlp.batch;
  const double elements = (double)batch * (double)c->mlp.stages[l].rows;
  FANIN__TRY(scale_weights(c, t->buffer, t->offset, c->mlp.weight, elements_of(t), factor));
  FANIN__TRY(fanin__mlp_widen(&c->mlp, elements_of(t)));
  FANIN__TRY(fanin__mlp_forward(&c->mlp, l, z_rms, z_rms, &c->sums));
  const double second = total(c->sums.zz, batch) / elements, mean = total(c->sums.z, batch) / elements;
  *moment = c->options->criterion == FANIN_CRITERION_VARIANCE ? second - mean * mean : second;
  if (!isfinite(*moment) || !isfinite(total(c->sums.hh, batch))) {
    return fanin__fail(FANIN_STATUS_NOT_FINITE, "layer %zu: with the weights times %g, activations overflow f32", l,
                       factor);
  }
  if (!(*moment > 1e-10 * second)) { /* what f32's rounding could make */
    return fanin__fail(FANIN_STATUS_BAD_ARGUMENT,
                       "layer %zu: the preactivations' variance is %g at a mean of %g; these data "
                       "cannot be calibrated on",
                       l, fmax(*moment, 0), mean);
  }
  return FANIN_STATUS_OK;
}

static fanin_status calibrate_layer(calibration *c, size_t l, fanin_calibrated_layer *out) {
  const fanin_calibrate_options *const o = c->options;
  fanin_calibrated_layer layer = {.factor = 1};
  double weight_rms = 0, moment = 0;
  FANIN__TRY(weigh(c, l, &weight_rms));
  FANIN__TRY(fanin__mlp_load_bias(&c->mlp, l));
  const double hh = total(c->sums.hh, c->mlp.batch) / (double)c->mlp.batch, bias2 = fanin__bias_second(c->config, l);
  const double z_rms = sqrt(weight_rms * weight_rms * hh + bias2);
  FANIN__TRY(measure(c, l, 1, z_rms, &moment));
  layer.before = moment;
  while (!(fabs(moment / o->target - 1) <= o->tolerance)) {
    if (layer.iterations == o->max_iterations) {
      return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "layer %zu: after %d iterations %s is %g, not within %g of %g%s", l,
                         layer.iterations,
                         o->criterion == FANIN_CRITERION_VARIANCE ? "the variance" : "the second moment", moment,
                         o->tolerance, o->target, bias2 >= o->target ? "; the biases alone have more" : "");
    }
    layer.factor *= sqrt(o->target / moment);
    layer.iterations++;
    FANIN__TRY(measure(c, l, layer.factor, sqrt(o->target), &moment));
  }
  layer.after = moment;
  *out = layer;
  return FANIN_STATUS_OK;
}

static fanin_status run(calibration *c, fanin_calibrated_layer *layers) {
  const fanin_probe_config *const config = c->config;
  const size_t n = config->n_widths - 1;
  FANIN__TRY(fanin__mlp_input(&c->mlp, &c->sums));
  for (size_t l = 1; l <= n; l++) {
    char what[64];
    snprintf(what, sizeof what, "calibrates layer %zu of %zu", l, n);
    if (config->progress) config->progress(config->user, what);
    FANIN__TRY(calibrate_layer(c, l, &layers[l - 1]));
  }
  for (size_t l = 1; l <= n; l++) {
    const fanin_tensor *const t = &config->weights[l - 1];
    if (layers[l - 1].iterations == 0) continue;
    FANIN__TRY(scale_weights(c, t->buffer, t->offset, t->buffer, elements_of(t), layers[l - 1].factor));
  }
  const cl_int code = clFinish(c->mlp.queue);
  return code == CL_SUCCESS ? FANIN_STATUS_OK : fanin__fail_cl(code, "clFinish");
}

static fanin_status allocate(calibration *c) {
  const size_t batch = (size_t)c->config->batch;
  c->numbers = calloc(batch, ARRAYS * sizeof *c->numbers);
  if (!c->numbers) return fanin__fail(FANIN_STATUS_OUT_OF_MEMORY, "numbers of %zu samples", batch);
  double **const arrays[ARRAYS] = {&c->sums.zz, &c->sums.z, &c->sums.h, &c->sums.hh, &c->sums.hhhh, &c->sums.sum};
  for (size_t k = 0; k < ARRAYS; k++) {
    *arrays[k] = c->numbers + k * batch;
  }
  return FANIN_STATUS_OK;
}

/* The caller's options, with the defaults of fields that are 0. */
static fanin_status take_options(const fanin_calibrate_options *theirs, fanin_calibrate_options *options) {
  FANIN__TRY(fanin__take_config("options", "FANIN_CALIBRATE_OPTIONS_INIT", theirs, options, sizeof *options));
  if (options->target == 0) options->target = 1;
  if (options->tolerance == 0) options->tolerance = 0.01;
  if (options->max_iterations == 0) options->max_iterations = 10;
  return check_options(options);
}

fanin_status fanin_calibrate(fanin *f, cl_command_queue queue, const fanin_probe_config *their_config,
                             const fanin_calibrate_options *their_options, fanin_calibrated_layer *layers,
                             size_t stride) {
  cl_command_queue resolved = NULL;
  fanin_probe_config known;
  fanin_calibrate_options options;
  const fanin_probe_config *const config = &known;
  calibration c = {.config = config, .options = &options};
  FANIN__NEED(f);
  FANIN__TRY(fanin__take_config("config", "FANIN_PROBE_CONFIG_INIT", their_config, &known, sizeof known));
  FANIN__TRY(take_options(their_options, &options));
  FANIN__NEED(layers);
  FANIN__NEED_SIZE(stride);
  FANIN__TRY(fanin__probe_check(f, config));
  FANIN__TRY(check_weights(config));
  FANIN__TRY(fanin__resolve_queue(f, queue, &resolved));
  fanin_calibrated_layer *const result = calloc(config->n_widths - 1, sizeof *result);
  fanin_status status =
      result ? FANIN_STATUS_OK : fanin__fail(FANIN_STATUS_OUT_OF_MEMORY, "%zu layers", config->n_widths - 1);
  if (status == FANIN_STATUS_OK) status = fanin__mlp_open(&c.mlp, f, resolved, config, false);
  if (status == FANIN_STATUS_OK) status = allocate(&c);
  if (status == FANIN_STATUS_OK) status = run(&c, result);
  (void)clFinish(resolved); /* nothing may still use the buffers */
  for (size_t l = 0; status == FANIN_STATUS_OK && l + 1 < config->n_widths; l++) {
    fanin__give_at(layers, stride, l, &result[l], sizeof result[l]);
  }
  fanin__mlp_close(&c.mlp);
  free(c.numbers);
  free(result);
  return status;
}
