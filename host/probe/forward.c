/* The forward pass on the device: the input, and layer by layer z = W h + b, its norm and its activation, or the end of
 * its block. */
#include <inttypes.h>
#include <math.h>

#include "core/queue.h"
#include "core/status.h"
#include "fanin/fill.h"
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

static void set_counts(const fanin__mlp *w, fanin__row_sums *sums) {
  sums->saturated = fanin__mlp_plane_sum(w, 3);
  sums->f16_overflow = fanin__mlp_plane_sum(w, 4);
  sums->f16_underflow = fanin__mlp_plane_sum(w, 5);
}

/* From y, in place, to h, which may be the same buffer; the row sums are fetched. */
static fanin_status run_activation(const fanin__mlp *w, const fanin__stage *s, cl_mem y, cl_mem h, bool add,
                                   double h_rms) {
  const cl_mem skip = add ? w->stages[s->from].carried : h;
  const cl_mem shift = s->shift ? s->shift : w->sums, scale = s->scale ? s->scale : w->sums;
  const cl_uint norm = (cl_uint)s->norm, has_skip = add;
  const float slope = (float)w->config->slope, h_scale = fanin__scale_for(h_rms);
  double below, above;
  fanin__saturation(s->activation, &below, &above);
  const float low = (float)below, high = (float)above;
  FANIN__TRY(FANIN__MLP_RUN(w, s->activation, "activate", w->segments, w->batch, FANIN__VALUE(y), FANIN__VALUE(h),
                            FANIN__VALUE(skip), FANIN__VALUE(has_skip), FANIN__VALUE(s->width), FANIN__VALUE(s->gate),
                            FANIN__VALUE(slope), FANIN__VALUE(norm), FANIN__VALUE(shift), FANIN__VALUE(scale),
                            FANIN__VALUE(h_scale), FANIN__VALUE(low), FANIN__VALUE(high), FANIN__VALUE(w->sums)));
  return fanin__mlp_fetch_planes(w, 6);
}

static void set_sums(const fanin__mlp *w, double h_rms, fanin__row_sums *sums) {
  const double unit = (double)fanin__scale_for(h_rms), hh = unit * unit;
  fanin__mlp_plane(w, 0, unit, sums->h);
  fanin__mlp_plane(w, 1, hh, sums->hh);
  fanin__mlp_plane(w, 2, hh * hh, sums->hhhh);
}

/* h of stage l from y, which is normalised in place. At the end of a block, what is counted of f16 is the sum. */
static fanin_status activate(const fanin__mlp *w, size_t l, double h_rms, fanin__row_sums *sums) {
  const fanin__stage *const s = &w->stages[l];
  FANIN__TRY(run_activation(w, s, s->y ? s->y : s->carried, s->carried, s->skip, h_rms));
  set_counts(w, sums);
  set_sums(w, h_rms, sums);
  for (uint64_t a = 0; a < w->batch; a++) {
    sums->sum[a] = sums->hh[a];
  }
  if (!s->divided) return FANIN_STATUS_OK;
  const float scale = fanin__scale_for(h_rms);
  FANIN__TRY(FANIN__MLP_RUN(w, NULL, "divide_rms", (size_t)w->batch, 1, FANIN__VALUE(s->carried),
                            FANIN__VALUE(s->width), FANIN__VALUE(scale), FANIN__VALUE(s->h), FANIN__VALUE(s->scale)));
  FANIN__TRY(run_activation(w, s, s->h, s->h, false, 1));
  set_sums(w, 1, sums);
  return FANIN_STATUS_OK;
}

fanin_status fanin__mlp_input(fanin__mlp *w, fanin__row_sums *sums) {
  const uint64_t width = w->stages[0].width, shape[2] = {w->batch, width};
  const fanin_init unit = fanin_normal(0, 1);
  const cl_mem h = w->stages[0].carried;
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
  return activate(w, 0, sqrt(stats.second), sums);
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
  const float z_scale = fanin__scale_for(z_rms);
  /* z (batch, rows) = h (batch, width before) W^T, W (rows, width before) */
  const fanin__matmul product = {.m = w->batch,
                                 .n = s->rows,
                                 .k = before->width,
                                 .b_transposed = true,
                                 .alpha = 1,
                                 .a = before->h,
                                 .b = w->weight_f32,
                                 .c = s->y};
  FANIN__TRY(fanin__mlp_multiply(w, &product));
  FANIN__TRY(FANIN__MLP_RUN(w, NULL, "add_bias", w->segments, w->batch, FANIN__VALUE(s->y), FANIN__VALUE(w->bias),
                            FANIN__VALUE(s->rows), FANIN__VALUE(z_scale), FANIN__VALUE(w->sums)));
  FANIN__TRY(fanin__mlp_fetch_planes(w, 2));
  fanin__mlp_plane(w, 0, (double)z_scale * (double)z_scale, sums->zz);
  fanin__mlp_plane(w, 1, (double)z_scale, sums->z);
  FANIN__TRY(normalise(w, s));
  return activate(w, l, h_rms, sums);
}

fanin_status fanin__mlp_dead(fanin__mlp *w, size_t l, double limit, double *share) {
  const fanin__stage *const s = &w->stages[l];
  const float bound = (float)limit;
  FANIN__TRY(FANIN__MLP_RUN(w, NULL, "dead_columns", (size_t)s->width, 1, FANIN__VALUE(s->y), FANIN__VALUE(s->gate),
                            FANIN__VALUE(w->batch), FANIN__VALUE(bound), FANIN__VALUE(w->lines)));
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
  const float scale = fanin__scale_for(h_rms);
  FANIN__TRY(FANIN__MLP_RUN(w, NULL, "column_squares", (size_t)s->width, 1, FANIN__VALUE(s->h), FANIN__VALUE(w->batch),
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
