/* The device side of a probe: buffers, fills, CLBlast's products and the kernels of kernels/mlp.cl. Every step is
 * ordered after the one before it, on any kind of queue. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forward.h"
#include "gemm.h"

/* ---- Kernels ------------------------------------------------------------------------------------------------------
 */

typedef struct argument {
  size_t size;
  const void *value;
} argument;

#define ARGUMENT(variable)                                                                                             \
  { sizeof(variable), &(variable) }
#define COUNT(array) ((cl_uint)(sizeof(array) / sizeof *(array)))

/* Items in rows: a kernel's second dimension, and so many in its first. */
typedef struct extent {
  size_t items, rows;
} extent;

/* Enqueues kernels/mlp.cl's `name`, built for an activation's number. Groups have the same size whatever the extent,
 * because PoCL compiles a kernel anew for each; kernels ignore the items past the end, which their first argument is.
 */
static fanin_status enqueue(const fanin__forward *w, int activation, const char *name, extent over,
                            const argument *arguments, cl_uint n) {
  char options[32];
  snprintf(options, sizeof options, "-D ACTIVATION=%d", activation);
  cl_kernel kernel = NULL;
  FANIN__TRY(fanin__kernel(w->f, &fanin__source_mlp, options, name, &kernel));
  const cl_ulong items = over.items;
  cl_int code = clSetKernelArg(kernel, 0, sizeof items, &items);
  for (cl_uint k = 0; k < n && code == CL_SUCCESS; k++) {
    code = clSetKernelArg(kernel, k + 1, arguments[k].size, arguments[k].value);
  }
  fanin_status status = code == CL_SUCCESS ? FANIN_OK : fanin__fail_cl(code, "clSetKernelArg");
  if (status == FANIN_OK) {
    const size_t group = w->f->work_group;
    const size_t local[2] = {group, 1}, global[2] = {(over.items + group - 1) / group * group, over.rows};
    code = clEnqueueNDRangeKernel(w->queue, kernel, 2, NULL, global, local, 0, NULL, NULL);
    status = code == CL_SUCCESS ? fanin__order(w->queue) : fanin__fail_cl(code, "clEnqueueNDRangeKernel");
  }
  (void)clReleaseKernel(kernel);
  return status;
}

/* linear: also what the kernels without an activation are built for. */
enum { LINEAR = 0 };

static fanin_status send(const fanin__forward *w, cl_mem buffer, const float *from, size_t n) {
  const cl_int code = clEnqueueWriteBuffer(w->queue, buffer, CL_TRUE, 0, n * sizeof *from, from, 0, NULL, NULL);
  return code == CL_SUCCESS ? fanin__order(w->queue) : fanin__fail_cl(code, "clEnqueueWriteBuffer");
}

static fanin_status fetch(const fanin__forward *w, cl_mem buffer, float *to, size_t n) {
  const cl_int code = clEnqueueReadBuffer(w->queue, buffer, CL_TRUE, 0, n * sizeof *to, to, 0, NULL, NULL);
  return code == CL_SUCCESS ? fanin__order(w->queue) : fanin__fail_cl(code, "clEnqueueReadBuffer");
}

/* A power of two near 1 / rms, within f32's normal numbers. */
static float scale_for(double rms) {
  if (!(rms > 0)) return 1;
  return (float)exp2(fmin(fmax(-round(log2(rms)), -120), 120));
}

/* ---- Memory -------------------------------------------------------------------------------------------------------
 */

static uint64_t larger(uint64_t a, uint64_t b) {
  return a > b ? a : b;
}

static fanin_status allocate(fanin__forward *w, cl_mem *buffer, uint64_t elements, size_t element, const char *what) {
  if (elements > SIZE_MAX / element) {
    return fanin__fail(FANIN_BAD_SIZE, "%s: %" PRIu64 " elements are more than memory can have", what, elements);
  }
  cl_int code = CL_SUCCESS;
  *buffer = clCreateBuffer(w->f->context, CL_MEM_READ_WRITE, (size_t)elements * element, NULL, &code);
  if (code == CL_SUCCESS) return FANIN_OK;
  return fanin__fail((fanin_status)code, "clCreateBuffer of %" PRIu64 " elements for %s: %s (%d)", elements, what,
                     fanin_status_name((fanin_status)code), (int)code);
}

static fanin_status allocate_all(fanin__forward *w) {
  const fanin_probe_config *const config = w->config;
  uint64_t widest = 1, weights = 1, widest_input = 1;
  for (size_t l = 0; l < config->n_widths; l++) {
    widest = larger(widest, config->widths[l]);
    if (l + 1 == config->n_widths) continue;
    widest_input = larger(widest_input, config->widths[l]);
    weights = larger(weights, config->widths[l] * config->widths[l + 1]);
  }
  const uint64_t m = w->subset, sums = larger(3 * w->batch * w->segments, 2 * m);
  FANIN__TRY(allocate(w, &w->h, w->batch * widest, sizeof(float), "activations"));
  FANIN__TRY(allocate(w, &w->z, w->batch * widest, sizeof(float), "preactivations"));
  FANIN__TRY(allocate(w, &w->weight, weights, fanin_dtype_size(config->dtype), "weights"));
  if (config->dtype == FANIN_F32) {
    w->weight_f32 = w->weight;
  } else {
    FANIN__TRY(allocate(w, &w->weight_f32, weights, sizeof(float), "weights in f32"));
  }
  FANIN__TRY(allocate(w, &w->bias, widest, sizeof(float), "biases"));
  FANIN__TRY(allocate(w, &w->rows, m * widest_input, sizeof(float), "samples of pairs"));
  FANIN__TRY(allocate(w, &w->gram, m * m, sizeof(float), "the Gram matrix"));
  FANIN__TRY(allocate(w, &w->root, m, sizeof(float), "norms"));
  FANIN__TRY(allocate(w, &w->coefficients, FANIN__PAIR_POWERS * m, sizeof(float), "coefficients of pairs"));
  FANIN__TRY(allocate(w, &w->sums, sums, sizeof(float), "row sums"));
  FANIN__TRY(allocate(w, &w->means, widest, sizeof(float), "column means"));
  const size_t numbers = (size_t)larger(sums, widest);
  w->host = malloc(numbers * sizeof *w->host);
  return w->host ? FANIN_OK : fanin__fail(FANIN_OUT_OF_MEMORY, "%zu numbers for row sums", numbers);
}

fanin_status fanin__forward_open(fanin__forward *w, fanin *f, cl_command_queue queue,
                                 const fanin_probe_config *config) {
  const uint64_t m = config->batch < FANIN__SUBSET_MAX ? config->batch : FANIN__SUBSET_MAX;
  *w = (fanin__forward){.f = f,
                        .queue = queue,
                        .config = config,
                        .batch = config->batch,
                        .subset = m,
                        .step = config->batch / m,
                        .segments = f->type & CL_DEVICE_TYPE_CPU ? 1 : 32};
  return allocate_all(w);
}

static void release(cl_mem buffer) {
  if (buffer) (void)clReleaseMemObject(buffer);
}

void fanin__forward_close(fanin__forward *w) {
  free(w->host);
  release(w->means);
  release(w->sums);
  release(w->coefficients);
  release(w->root);
  release(w->gram);
  release(w->rows);
  release(w->bias);
  if (w->weight_f32 != w->weight) release(w->weight_f32);
  release(w->weight);
  release(w->z);
  release(w->h);
  *w = (fanin__forward){0};
}

/* ---- Passes -------------------------------------------------------------------------------------------------------
 */

static fanin_status fill(const fanin__forward *w, cl_mem buffer, fanin_dtype dtype, const char *layout, int rank,
                         const uint64_t *shape, const fanin_init *init, const char *name) {
  const fanin_tensor t = fanin_tensor_of(buffer, 0, dtype, layout, rank, shape);
  FANIN__TRY(fanin_fill(w->f, w->queue, &t, init, fanin_key_named(w->config->seed, name), 0, NULL, NULL));
  return fanin__order(w->queue);
}

/* The sums of `plane`, over segments, without the scale. */
static void unscale(const fanin__forward *w, size_t plane, double unit, double *out) {
  const float *from = w->host + plane * (size_t)w->batch * w->segments;
  for (uint64_t a = 0; a < w->batch; a++) {
    double sum = 0;
    for (size_t s = 0; s < w->segments; s++) {
      sum += (double)*from++;
    }
    out[a] = sum / unit;
  }
}

/* In place on `matrix` (batch, width). */
static fanin_status advance(const fanin__forward *w, cl_mem matrix, uint64_t width, const fanin__activation *activation,
                            double z_rms, double h_rms, const fanin__row_sums *sums) {
  const cl_ulong columns = width;
  const float slope = (float)w->config->slope, z_scale = scale_for(z_rms), h_scale = scale_for(h_rms);
  const argument arguments[] = {ARGUMENT(matrix),  ARGUMENT(w->bias), ARGUMENT(columns), ARGUMENT(slope),
                                ARGUMENT(z_scale), ARGUMENT(h_scale), ARGUMENT(w->sums)};
  FANIN__TRY(enqueue(w, activation ? activation->id : LINEAR, "advance", (extent){w->segments, (size_t)w->batch},
                     arguments, COUNT(arguments)));
  FANIN__TRY(fetch(w, w->sums, w->host, 3 * (size_t)w->batch * w->segments));
  const double zz = (double)z_scale * (double)z_scale, hh = (double)h_scale * (double)h_scale;
  unscale(w, 0, zz, sums->zz);
  unscale(w, 1, hh, sums->hh);
  unscale(w, 2, hh * hh, sums->hhhh);
  return FANIN_OK;
}

fanin_status fanin__forward_input(fanin__forward *w, const fanin__row_sums *sums) {
  const uint64_t width = w->config->widths[0], shape[2] = {w->batch, width};
  const fanin_init unit = fanin_normal(0, 1), none = fanin_zeros();
  if (w->config->input) {
    FANIN__TRY(send(w, w->h, w->config->input, (size_t)(w->batch * width)));
  } else {
    FANIN__TRY(fill(w, w->h, FANIN_F32, NULL, 2, shape, &unit, "input"));
  }
  fanin_stats stats = {0};
  const fanin_tensor t = fanin_tensor_of(w->h, 0, FANIN_F32, NULL, 2, shape);
  FANIN__TRY(fanin_measure(w->f, w->queue, &t, 0, NULL, &stats));
  if (stats.nonfinite > 0) {
    return fanin__fail(FANIN_NOT_FINITE, "%" PRIu64 " of the input's %" PRIu64 " numbers are infinite or NaN",
                       stats.nonfinite, stats.count);
  }
  FANIN__TRY(fill(w, w->bias, FANIN_F32, NULL, 1, &width, &none, "input"));
  const double rms = sqrt(stats.second);
  return advance(w, w->h, width, NULL, rms, rms, sums);
}

/* To f32, which the products are in. */
static fanin_status widen(const fanin__forward *w, uint64_t elements) {
  static const char *const kernels[FANIN_DTYPE_COUNT] = {[FANIN_F16] = "widen_f16", [FANIN_BF16] = "widen_bf16"};
  const char *const kernel = kernels[w->config->dtype];
  if (!kernel) return FANIN_OK;
  const argument arguments[] = {ARGUMENT(w->weight), ARGUMENT(w->weight_f32)};
  return enqueue(w, LINEAR, kernel, (extent){(size_t)elements, 1}, arguments, COUNT(arguments));
}

fanin_status fanin__forward_weights(fanin__forward *w, size_t l, fanin_stats *stats) {
  const fanin_probe_config *const config = w->config;
  const uint64_t shape[2] = {config->widths[l], config->widths[l - 1]};
  const fanin_init bias = fanin_normal(0, config->bias_std);
  char name[48];
  snprintf(name, sizeof name, "layer%zu.weight", l);
  FANIN__TRY(fill(w, w->weight, config->dtype, "OI", 2, shape, &config->init, name));
  snprintf(name, sizeof name, "layer%zu.bias", l);
  FANIN__TRY(fill(w, w->bias, FANIN_F32, NULL, 1, shape, &bias, name));
  const fanin_tensor t = fanin_tensor_of(w->weight, 0, config->dtype, "OI", 2, shape);
  FANIN__TRY(fanin_measure(w->f, w->queue, &t, 0, NULL, stats));
  return widen(w, shape[0] * shape[1]);
}

fanin_status fanin__forward_layer(fanin__forward *w, size_t l, const fanin__activation *activation, double z_rms,
                                  double h_rms, const fanin__row_sums *sums) {
  const uint64_t n_in = w->config->widths[l - 1], n_out = w->config->widths[l];
  /* z (batch, n_out) = h (batch, n_in) W^T, W (n_out, n_in) */
  FANIN__TRY(fanin__gemm(w->queue, w->batch, n_out, n_in, w->h, w->weight_f32, w->z));
  FANIN__TRY(advance(w, w->z, n_out, activation, z_rms, h_rms, sums));
  const cl_mem spent = w->h;
  w->h = w->z;
  w->z = spent;
  return FANIN_OK;
}

fanin_status fanin__forward_columns(fanin__forward *w, uint64_t width, double h_rms, double *sum) {
  const cl_ulong rows = w->batch;
  const float scale = scale_for(h_rms);
  const argument arguments[] = {ARGUMENT(w->h), ARGUMENT(rows), ARGUMENT(scale), ARGUMENT(w->means)};
  FANIN__TRY(enqueue(w, LINEAR, "column_squares", (extent){(size_t)width, 1}, arguments, COUNT(arguments)));
  FANIN__TRY(fetch(w, w->means, w->host, (size_t)width));
  const double unit = pow((double)scale * h_rms, 2);
  double total = 0;
  for (uint64_t j = 0; j < width; j++) {
    total += pow((double)w->host[j] / unit, 2);
  }
  *sum = total;
  return FANIN_OK;
}

fanin_status fanin__forward_pairs(fanin__forward *w, uint64_t width, double h_rms, double gain, double shift,
                                  const fanin__pairs *pairs) {
  const size_t m = (size_t)w->subset;
  const cl_ulong step = w->step;
  const float scale = scale_for(h_rms), offset = (float)shift;
  const float factor = h_rms > 0 ? (float)(gain / pow((double)scale * h_rms, 2)) : 0;
  const argument gather[] = {ARGUMENT(w->h), ARGUMENT(step), ARGUMENT(scale), ARGUMENT(w->rows)};
  const argument sum[] = {ARGUMENT(w->gram), ARGUMENT(factor),          ARGUMENT(offset),
                          ARGUMENT(w->root), ARGUMENT(w->coefficients), ARGUMENT(w->sums)};
  const argument cube[] = {ARGUMENT(w->gram), ARGUMENT(w->sums)};
  FANIN__TRY(send(w, w->root, pairs->root, m));
  FANIN__TRY(send(w, w->coefficients, pairs->coefficients, FANIN__PAIR_POWERS * m));
  FANIN__TRY(enqueue(w, LINEAR, "gather_rows", (extent){(size_t)width, m}, gather, COUNT(gather)));
  FANIN__TRY(fanin__gemm(w->queue, m, m, width, w->rows, w->rows, w->gram));
  FANIN__TRY(enqueue(w, LINEAR, "pair_sums", (extent){m, 1}, sum, COUNT(sum)));
  FANIN__TRY(fetch(w, w->sums, w->host, 2 * m));
  memcpy(pairs->squares, w->host, m * sizeof *w->host);
  memcpy(pairs->series, w->host + m, m * sizeof *w->host);
  FANIN__TRY(enqueue(w, LINEAR, "cube_sums", (extent){m, 1}, cube, COUNT(cube)));
  return fetch(w, w->sums, pairs->cubes, m);
}
