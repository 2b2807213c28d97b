/* The forward pass on the device: input, weights, and layer by layer z = W h + b, its norm and its activation. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/queue.h"
#include "core/status.h"
#include "probe/known_answers.h"
#include "probe/mlp.h"

fanin_status fanin__mlp_fill(const fanin__mlp *w, cl_mem buffer, fanin_dtype dtype, const char *layout, int rank,
                             const uint64_t *shape, const fanin_init *init, const char *name) {
  fanin_tensor t;
  fanin_key key;
  FANIN__TRY(fanin_tensor_of(buffer, 0, dtype, layout, rank, shape, &t));
  FANIN__TRY(fanin_key_named(w->config->seed, name, &key));
  FANIN__TRY(fanin_fill(w->f, w->queue, &t, init, key, 0, NULL, NULL));
  return fanin__order(w->queue);
}

fanin_status fanin__mlp_measure(const fanin__mlp *w, cl_mem matrix, const uint64_t shape[2], fanin_stats *out) {
  fanin_tensor t;
  FANIN__TRY(fanin_tensor_of(matrix, 0, FANIN_DTYPE_F32, NULL, 2, shape, &t));
  return fanin_measure(w->f, w->queue, &t, 0, NULL, out, sizeof *out);
}

/* ---- Weights ----------------------------------------------------------------------------------------------------- */

/* To f32, which the products are in. */
fanin_status fanin__mlp_widen(const fanin__mlp *w, uint64_t elements) {
  if (w->weight == w->weight_f32) return FANIN_STATUS_OK;
  return FANIN__MLP_WEIGHTS(w, "widen_weights", (size_t)elements, FANIN__VALUE(w->weight), FANIN__VALUE(w->weight_f32));
}

static fanin_status copy_weights(const fanin__mlp *w, const fanin_tensor *from, uint64_t elements) {
  const size_t bytes = (size_t)elements * fanin_dtype_size(from->dtype);
  const cl_int code = clEnqueueCopyBuffer(w->queue, from->buffer, w->weight, from->offset, 0, bytes, 0, NULL, NULL);
  return code == CL_SUCCESS ? fanin__order(w->queue) : fanin__fail_cl(code, "clEnqueueCopyBuffer of weights");
}

fanin_status fanin__mlp_load_bias(fanin__mlp *w, size_t l) {
  const fanin_init init = fanin_normal(0, w->config->bias_std);
  char name[48];
  snprintf(name, sizeof name, "layer%zu.bias", l);
  return fanin__mlp_fill(w, w->bias, FANIN_DTYPE_F32, NULL, 1, &w->stages[l].width, &init, name);
}

fanin_status fanin__mlp_load(fanin__mlp *w, size_t l) {
  const fanin_probe_config *const config = w->config;
  const uint64_t shape[2] = {config->widths[l], config->widths[l - 1]};
  const fanin_tensor *const given = config->weights ? &config->weights[l - 1] : NULL;
  char name[48];
  snprintf(name, sizeof name, "layer%zu.weight", l);
  if (given && given->buffer) {
    FANIN__TRY(copy_weights(w, given, shape[0] * shape[1]));
  } else {
    FANIN__TRY(fanin__mlp_fill(w, w->weight, config->dtype, "OI", 2, shape, &config->init, name));
  }
  FANIN__TRY(fanin__mlp_load_bias(w, l));
  return fanin__mlp_widen(w, shape[0] * shape[1]);
}

static uint64_t larger(uint64_t a, uint64_t b) {
  return a > b ? a : b;
}

typedef struct print {
  uint32_t bits[2];
} print;

static int compare(const void *a, const void *b) {
  return memcmp(a, b, sizeof(print));
}

/* Lines of the weights that are equal to one before; rows or columns. */
static fanin_status count_tied(fanin__mlp *w, uint64_t lines, cl_ulong pitch, cl_ulong stride, cl_ulong length,
                               uint64_t *count) {
  FANIN__TRY(FANIN__MLP_RUN(w, NULL, "fingerprints", (size_t)lines, 1, FANIN__VALUE(w->weight_f32), FANIN__VALUE(pitch),
                            FANIN__VALUE(stride), FANIN__VALUE(length), FANIN__VALUE(w->lines)));
  FANIN__TRY(fanin__mlp_fetch(w, w->lines, w->host, 2 * (size_t)lines));
  qsort(w->host, (size_t)lines, sizeof(print), compare);
  const print *const prints = (const print *)(const void *)w->host;
  *count = 0;
  for (uint64_t k = 1; k < lines; k++) {
    *count += compare(&prints[k - 1], &prints[k]) == 0;
  }
  return FANIN_STATUS_OK;
}

/* The first few thousand signs; nothing is said of weights that the caller gave. */
static fanin_status check_stream(fanin__mlp *w, size_t l, const fanin_tensor *t, bool *wrong) {
  enum { SIGNS = 4096 };
  const fanin_tensor *const given = w->config->weights ? &w->config->weights[l - 1] : NULL;
  const uint64_t elements = t->shape[0] * t->shape[1], room = 2 * larger(t->shape[0], t->shape[1]);
  fanin__distribution distribution;
  fanin_key key;
  char name[48];
  *wrong = false;
  if (given && given->buffer) return FANIN_STATUS_OK;
  FANIN__TRY(fanin__resolve(t, &w->config->init, &distribution));
  uint64_t n = elements < SIGNS ? elements : SIGNS;
  if (n > room) n = room;
  FANIN__TRY(fanin__mlp_fetch(w, w->weight_f32, w->host, (size_t)n));
  snprintf(name, sizeof name, "layer%zu.weight", l);
  FANIN__TRY(fanin_key_named(w->config->seed, name, &key));
  *wrong = !fanin__signs_agree(&distribution, key, w->host, n);
  return FANIN_STATUS_OK;
}

fanin_status fanin__mlp_weigh(fanin__mlp *w, size_t l, fanin__weight_facts *facts) {
  const uint64_t rows = w->stages[l].width, columns = w->stages[l - 1].width, shape[2] = {rows, columns};
  fanin_tensor t;
  FANIN__TRY(fanin_tensor_of(w->weight, 0, w->config->dtype, "OI", 2, shape, &t));
  FANIN__TRY(fanin_measure(w->f, w->queue, &t, 0, NULL, &facts->stats, sizeof facts->stats));
  facts->overlap = NAN;
  if (w->overlap && facts->stats.nonfinite == 0) {
    FANIN__TRY(fanin__mlp_overlap(w, l, facts->stats.second, &facts->overlap));
  }
  FANIN__TRY(count_tied(w, rows, columns, 1, columns, &facts->tied_rows));
  FANIN__TRY(count_tied(w, columns, 1, columns, rows, &facts->tied_columns));
  return check_stream(w, l, &t, &facts->wrong_stream);
}

/* ---- Layers ------------------------------------------------------------------------------------------------------ */

static void set_counts(const fanin__mlp *w, fanin__row_sums *sums) {
  sums->saturated = fanin__mlp_plane_sum(w, 3);
  sums->f16_overflow = fanin__mlp_plane_sum(w, 4);
  sums->f16_underflow = fanin__mlp_plane_sum(w, 5);
}

/* y, in place, and h of stage l. */
static fanin_status activate(const fanin__mlp *w, size_t l, const fanin__activation *activation, double h_rms,
                             fanin__row_sums *sums) {
  const fanin__stage *const s = &w->stages[l];
  const cl_ulong width = s->width;
  const cl_mem y = s->y ? s->y : s->h, skip = s->skip ? w->stages[l - 1].h : s->h;
  const cl_mem shift = s->shift ? s->shift : w->sums, scale = s->scale ? s->scale : w->sums;
  const cl_uint norm = (cl_uint)s->norm, has_skip = s->skip;
  const float slope = (float)w->config->slope, h_scale = fanin__scale_for(h_rms);
  double below, above;
  fanin__saturation(activation, &below, &above);
  const float low = (float)below, high = (float)above;
  FANIN__TRY(FANIN__MLP_RUN(w, activation, "activate", w->segments, w->batch, FANIN__VALUE(y), FANIN__VALUE(s->h),
                            FANIN__VALUE(skip), FANIN__VALUE(has_skip), FANIN__VALUE(width), FANIN__VALUE(slope),
                            FANIN__VALUE(norm), FANIN__VALUE(shift), FANIN__VALUE(scale), FANIN__VALUE(h_scale),
                            FANIN__VALUE(low), FANIN__VALUE(high), FANIN__VALUE(w->sums)));
  FANIN__TRY(fanin__mlp_fetch_planes(w, 6));
  const double unit = (double)h_scale, hh = unit * unit;
  fanin__mlp_plane(w, 0, unit, sums->h);
  fanin__mlp_plane(w, 1, hh, sums->hh);
  fanin__mlp_plane(w, 2, hh * hh, sums->hhhh);
  set_counts(w, sums);
  return FANIN_STATUS_OK;
}

fanin_status fanin__mlp_input(fanin__mlp *w, fanin__row_sums *sums) {
  const uint64_t width = w->stages[0].width, shape[2] = {w->batch, width};
  const fanin_init unit = fanin_normal(0, 1);
  const cl_mem h = w->stages[0].h;
  if (w->config->input) {
    FANIN__TRY(fanin__mlp_send(w, h, w->config->input, (size_t)(w->batch * width)));
  } else {
    FANIN__TRY(fanin__mlp_fill(w, h, FANIN_DTYPE_F32, NULL, 2, shape, &unit, "input"));
  }
  fanin_stats stats = {0};
  FANIN__TRY(fanin__mlp_measure(w, h, shape, &stats));
  if (stats.nonfinite > 0) {
    return fanin__fail(FANIN_STATUS_NOT_FINITE, "%" PRIu64 " of the input's %" PRIu64 " numbers are infinite or NaN",
                       stats.nonfinite, stats.count);
  }
  return activate(w, 0, fanin__activation_at(0), sqrt(stats.second), sums);
}

static fanin_status normalise(const fanin__mlp *w, const fanin__stage *s) {
  if (s->norm == FANIN_NORM_NONE) return FANIN_STATUS_OK;
  const bool rows = s->norm == FANIN_NORM_LAYER;
  const uint64_t lines = rows ? w->batch : s->width;
  const cl_ulong pitch = rows ? s->width : 1, stride = rows ? 1 : s->width, length = rows ? s->width : w->batch;
  return FANIN__MLP_RUN(w, NULL, "line_moments", (size_t)lines, 1, FANIN__VALUE(s->y), FANIN__VALUE(pitch),
                        FANIN__VALUE(stride), FANIN__VALUE(length), FANIN__VALUE(s->shift), FANIN__VALUE(s->scale));
}

fanin_status fanin__mlp_forward(fanin__mlp *w, size_t l, double z_rms, double h_rms, fanin__row_sums *sums) {
  const fanin__stage *const s = &w->stages[l], *const before = &w->stages[l - 1];
  const cl_ulong width = s->width;
  const float z_scale = fanin__scale_for(z_rms);
  /* z (batch, width) = h (batch, width before) W^T, W (width, width before) */
  const fanin__matmul product = {.m = w->batch,
                                 .n = s->width,
                                 .k = before->width,
                                 .b_transposed = true,
                                 .alpha = 1,
                                 .a = before->h,
                                 .b = w->weight_f32,
                                 .c = s->y};
  FANIN__TRY(fanin__mlp_multiply(w, &product));
  FANIN__TRY(FANIN__MLP_RUN(w, NULL, "add_bias", w->segments, w->batch, FANIN__VALUE(s->y), FANIN__VALUE(w->bias),
                            FANIN__VALUE(width), FANIN__VALUE(z_scale), FANIN__VALUE(w->sums)));
  FANIN__TRY(fanin__mlp_fetch_planes(w, 2));
  fanin__mlp_plane(w, 0, (double)z_scale * (double)z_scale, sums->zz);
  fanin__mlp_plane(w, 1, (double)z_scale, sums->z);
  FANIN__TRY(normalise(w, s));
  return activate(w, l, l == w->layers ? fanin__activation_at(0) : w->activation, h_rms, sums);
}

fanin_status fanin__mlp_dead(fanin__mlp *w, size_t l, double limit, double *share) {
  const fanin__stage *const s = &w->stages[l];
  const cl_ulong rows = w->batch;
  const float bound = (float)limit;
  FANIN__TRY(FANIN__MLP_RUN(w, NULL, "dead_columns", (size_t)s->width, 1, FANIN__VALUE(s->y), FANIN__VALUE(rows),
                            FANIN__VALUE(bound), FANIN__VALUE(w->lines)));
  FANIN__TRY(fanin__mlp_fetch(w, w->lines, w->host, (size_t)s->width));
  double dead = 0;
  for (uint64_t j = 0; j < s->width; j++) {
    dead += (double)w->host[j];
  }
  *share = dead / (double)s->width;
  return FANIN_STATUS_OK;
}

fanin_status fanin__mlp_columns(fanin__mlp *w, size_t l, double h_rms, double *sum) {
  const fanin__stage *const s = &w->stages[l];
  const cl_ulong rows = w->batch;
  const float scale = fanin__scale_for(h_rms);
  FANIN__TRY(FANIN__MLP_RUN(w, NULL, "column_squares", (size_t)s->width, 1, FANIN__VALUE(s->h), FANIN__VALUE(rows),
                            FANIN__VALUE(scale), FANIN__VALUE(w->lines)));
  FANIN__TRY(fanin__mlp_fetch(w, w->lines, w->host, (size_t)s->width));
  const double unit = pow((double)scale * h_rms, 2);
  double total = 0;
  for (uint64_t j = 0; j < s->width; j++) {
    total += pow((double)w->host[j] / unit, 2);
  }
  *sum = total;
  return FANIN_STATUS_OK;
}

/* ---- How orthogonal weights are: the products of their rows, or columns, with one another -------------------------
 */

fanin_status fanin__mlp_overlap(fanin__mlp *w, size_t l, double second, double *most) {
  const uint64_t rows = w->stages[l].width, columns = w->stages[l - 1].width;
  const bool tall = rows > columns;
  const uint64_t n = tall ? columns : rows, length = tall ? rows : columns, shape[2] = {n, n};
  const fanin_init identity = fanin_identity(1);
  const double square = second * (double)length; /* of a vector, on average */
  FANIN__TRY(fanin__mlp_fill(w, w->overlap, FANIN_DTYPE_F32, "OI", 2, shape, &identity, "identity"));
  /* c (n, n) = W W^T / square - I, or W^T W for a tall one, W (rows, columns) */
  const fanin__matmul product = {.m = n,
                                 .n = n,
                                 .k = length,
                                 .a_transposed = tall,
                                 .b_transposed = !tall,
                                 .alpha = square > 0 ? (float)(1 / square) : 0,
                                 .beta = -1,
                                 .a = w->weight_f32,
                                 .b = w->weight_f32,
                                 .c = w->overlap};
  FANIN__TRY(fanin__mlp_multiply(w, &product));
  fanin_stats stats = {0};
  FANIN__TRY(fanin__mlp_measure(w, w->overlap, shape, &stats));
  *most = stats.nonfinite > 0 ? INFINITY : fmax(fabs(stats.min), fabs(stats.max));
  return FANIN_STATUS_OK;
}
