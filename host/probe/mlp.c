/* What the passes of a probe share: buffers, kernels, products with a clock. */
#include "probe/mlp.h"

#include <math.h>
#include <stdlib.h>

#include "core/context.h"
#include "core/memory.h"
#include "core/status.h"
#include "core/system.h"
#include "fill/fill.h"
#include "tensor/dtype.h"

float fanin__scale_for(double rms) {
  if (!(rms > 0)) return 1;
  return (float)exp2(fmin(fmax(-round(log2(rms)), -120), 120));
}

/* ---- Memory ------------------------------------------------------------------------------------------------------ */

static uint64_t larger(uint64_t a, uint64_t b) {
  return a > b ? a : b;
}

static fanin_status allocate(fanin__mlp *w, cl_mem *buffer, uint64_t elements, size_t element, const char *what) {
  FANIN__TRY(fanin__new_buffer(w->f, elements, element, what, buffer));
  w->bytes += elements * element;
  return FANIN_STATUS_OK;
}

static fanin_status allocate_stage(fanin__mlp *w, size_t l) {
  fanin__stage *const s = &w->stages[l];
  const bool last = l == w->layers;
  const uint64_t lines = s->norm == FANIN_NORM_BATCH ? s->width : w->batch;
  FANIN__TRY(allocate(w, &s->h, w->batch * s->width, sizeof(float), "activations"));
  s->carried = s->h;
  if (last) {
    s->y = s->h;
  } else if (l > 0) {
    FANIN__TRY(allocate(w, &s->y, w->batch * s->rows, sizeof(float), "preactivations"));
  }
  if (s->divided && w->config->block == FANIN_BLOCK_PRE_NORM) {
    FANIN__TRY(allocate(w, &s->carried, w->batch * s->width, sizeof(float), "sums of blocks"));
  }
  if (s->norm != FANIN_NORM_NONE) FANIN__TRY(allocate(w, &s->shift, lines, sizeof(float), "means of a norm"));
  if (s->norm == FANIN_NORM_NONE && !s->divided) return FANIN_STATUS_OK;
  return allocate(w, &s->scale, lines, sizeof(float), "factors of a norm");
}

static fanin_status allocate_backward(fanin__mlp *w, uint64_t widest) {
  const uint64_t m = w->subset;
  cl_mem *const matrices[] = {&w->dh, &w->dh_after, &w->delta};
  cl_mem *const grams[] = {&w->gram, &w->deltas, &w->squares, &w->slopes, &w->skips};
  for (size_t k = 0; k < sizeof matrices / sizeof *matrices; k++) {
    FANIN__TRY(allocate(w, matrices[k], w->batch * widest, sizeof(float), "gradients"));
  }
  for (size_t k = 0; k < sizeof grams / sizeof *grams; k++) {
    FANIN__TRY(allocate(w, grams[k], m * m, sizeof(float), "a Gram matrix"));
  }
  if (w->stages[0].divided) {
    FANIN__TRY(allocate(w, &w->passed, w->batch * w->stages[0].width, sizeof(float), "gradients of sums"));
    FANIN__TRY(allocate(w, &w->along, 2 * w->batch, sizeof(float), "products of gradients"));
  }
  FANIN__TRY(allocate(w, &w->rows, m * widest, sizeof(float), "samples of pairs"));
  FANIN__TRY(allocate(w, &w->root, m, sizeof(float), "norms"));
  return allocate(w, &w->coefficients, FANIN__PAIR_POWERS * m, sizeof(float), "coefficients of pairs");
}

static fanin_status allocate_all(fanin__mlp *w, bool backward) {
  const fanin_probe_config *const config = w->config;
  uint64_t widest = 1, weights = 1, narrowest = 1;
  for (size_t l = 0; l <= w->layers; l++) {
    FANIN__TRY(allocate_stage(w, l));
    widest = larger(widest, w->stages[l].rows);
    if (l == 0) continue;
    const uint64_t n = w->stages[l].rows, n_in = w->stages[l - 1].width;
    weights = larger(weights, n * n_in);
    if (fanin__init_of(config, l)->kind == FANIN_KIND_ORTHOGONAL) narrowest = larger(narrowest, n < n_in ? n : n_in);
  }
  const uint64_t sums = larger(6 * w->batch * w->segments, 4 * w->subset), lines = 2 * widest;
  FANIN__TRY(allocate(w, &w->weight, weights, fanin_dtype_size(config->dtype), "weights"));
  if (fanin_dtype_size(config->dtype) == sizeof(float)) { /* of dtypes computed in float, f32 alone */
    w->weight_f32 = w->weight;
  } else {
    FANIN__TRY(allocate(w, &w->weight_f32, weights, sizeof(float), "weights in f32"));
  }
  FANIN__TRY(allocate(w, &w->bias, widest, sizeof(float), "biases"));
  FANIN__TRY(allocate(w, &w->sums, sums, sizeof(float), "row sums"));
  FANIN__TRY(allocate(w, &w->lines, lines, sizeof(float), "sums of features"));
  if (backward) FANIN__TRY(allocate_backward(w, widest));
  if (backward && narrowest > 0) {
    FANIN__TRY(allocate(w, &w->overlap, narrowest * narrowest, sizeof(float), "products of weights"));
  }
  const size_t numbers = (size_t)larger(sums, lines);
  w->host = malloc(numbers * sizeof *w->host);
  return w->host ? FANIN_STATUS_OK : fanin__fail(FANIN_STATUS_OUT_OF_MEMORY, "%zu numbers for row sums", numbers);
}

fanin_status fanin__mlp_open(fanin__mlp *w, fanin *f, cl_command_queue queue, const fanin_probe_config *config,
                             bool backward) {
  const uint64_t m = config->batch < FANIN__SUBSET_MAX ? config->batch : FANIN__SUBSET_MAX;
  const size_t layers = config->n_widths - 1;
  FANIN__TRY(fanin__check_loops(f, "a pass through a network"));
  *w = (fanin__mlp){.f = f,
                    .queue = queue,
                    .config = config,
                    .layers = layers,
                    .batch = config->batch,
                    .subset = m,
                    .step = config->batch / m,
                    .segments = f->type & CL_DEVICE_TYPE_CPU ? 1 : 32,
                    .unit = 1};
  w->stages = calloc(layers + 1, sizeof *w->stages);
  if (!w->stages) return fanin__fail(FANIN_STATUS_OUT_OF_MEMORY, "%zu layers", layers);
  fanin__network_of(config, w->stages);
  return allocate_all(w, backward);
}

void fanin__mlp_close(fanin__mlp *w) {
  free(w->host);
  for (size_t l = 0; w->stages && l <= w->layers; l++) {
    fanin__stage *const s = &w->stages[l];
    fanin__free_buffer(s->scale);
    fanin__free_buffer(s->shift);
    if (s->carried != s->h) fanin__free_buffer(s->carried);
    if (s->y != s->h) fanin__free_buffer(s->y);
    fanin__free_buffer(s->h);
  }
  free(w->stages);
  if (w->weight_f32 != w->weight) fanin__free_buffer(w->weight_f32);
  const cl_mem buffers[] = {w->overlap, w->weight,       w->bias,   w->dh,      w->dh_after, w->delta,
                            w->rows,    w->gram,         w->deltas, w->squares, w->slopes,   w->skips,
                            w->root,    w->coefficients, w->sums,   w->lines,   w->passed,   w->along};
  for (size_t k = 0; k < sizeof buffers / sizeof *buffers; k++) {
    fanin__free_buffer(buffers[k]);
  }
  *w = (fanin__mlp){0};
}

/* ---- Steps ------------------------------------------------------------------------------------------------------- */

/* Groups have the same size whatever the extent, because PoCL compiles a kernel anew for each; kernels ignore the items
 * past the end, which their first argument is. */
static fanin_status run(const fanin__mlp *w, const fanin__launch *launch, const fanin__source *source,
                        const char *options) {
  const size_t group = w->f->work_group, items = launch->grid.global[0], rows = launch->grid.global[1];
  fanin__launch whole = *launch;
  whole.source = source;
  whole.options = options;
  whole.grid = (fanin__grid){.global = {(items + group - 1) / group * group, rows}, .local = {group, 1}};
  return fanin__enqueue_in_order(w->f, w->queue, &whole);
}

fanin_status fanin__mlp_run(const fanin__mlp *w, const fanin__activation *activation, const fanin__launch *launch) {
  return run(w, launch, &fanin__source_mlp, (activation ? activation : fanin__activation_at(0))->options);
}

fanin_status fanin__mlp_run_weights(const fanin__mlp *w, const fanin__launch *launch) {
  return run(w, launch, &fanin__source_weights, fanin__dtype_of(w->config->dtype)->option);
}

fanin_status fanin__mlp_send(const fanin__mlp *w, cl_mem buffer, const float *from, size_t n) {
  return fanin__write(w->queue, buffer, n * sizeof *from, from);
}

fanin_status fanin__mlp_fetch(const fanin__mlp *w, cl_mem buffer, float *to, size_t n) {
  const cl_int code = clEnqueueReadBuffer(w->queue, buffer, CL_TRUE, 0, n * sizeof *to, to, 0, NULL, NULL);
  return code == CL_SUCCESS ? fanin__order(w->queue) : fanin__fail_cl(code, "clEnqueueReadBuffer");
}

fanin_status fanin__mlp_fetch_planes(const fanin__mlp *w, size_t planes) {
  return fanin__mlp_fetch(w, w->sums, w->host, planes * (size_t)w->batch * w->segments);
}

void fanin__mlp_plane(const fanin__mlp *w, size_t plane, double unit, double *out) {
  const float *from = w->host + plane * (size_t)w->batch * w->segments;
  for (uint64_t a = 0; a < w->batch; a++) {
    double sum = 0;
    for (size_t s = 0; s < w->segments; s++) {
      sum += (double)*from++;
    }
    out[a] = sum / unit;
  }
}

double fanin__mlp_plane_sum(const fanin__mlp *w, size_t plane) {
  const size_t n = (size_t)w->batch * w->segments;
  double sum = 0;
  for (size_t k = 0; k < n; k++) {
    sum += (double)w->host[plane * n + k];
  }
  return sum;
}

fanin_status fanin__mlp_multiply(fanin__mlp *w, const fanin__matmul *product) {
  cl_int code = clFinish(w->queue);
  const double start = fanin__seconds();
  if (code == CL_SUCCESS) {
    FANIN__TRY(fanin__gemm(w->f, w->queue, product));
    code = clFinish(w->queue);
  }
  const double seconds = fanin__seconds() - start;
  if (w->warm) {
    w->gemm_seconds += seconds;
  } else {
    w->startup_seconds += seconds;
    w->warm = true;
  }
  return code == CL_SUCCESS ? FANIN_STATUS_OK : fanin__fail_cl(code, "clFinish");
}
