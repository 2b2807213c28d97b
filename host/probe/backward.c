/* The backward pass on the device: dh_l = delta_{l+1} W_{l+1} (+ dh_{l+1} over a residual connection), delta_l = dh_l
 * phi'(y_l) through the norm, and the gradients of weights. Gradients are linear in the output's, so that the buffers
 * hold them times w->unit, a power of two that keeps them near 1 however deep the network is. */
#include <math.h>

#include "core/queue.h"
#include "core/status.h"
#include "probe/mlp.h"

/* Row sums of w->delta. */
static fanin_status sum_gradient(fanin__mlp *w, size_t l, double z_rms, fanin__gradient_sums *sums) {
  const fanin__stage *const s = &w->stages[l];
  const cl_uint norm = (cl_uint)s->norm;
  const cl_mem shift = s->shift ? s->shift : w->sums, scale = s->scale ? s->scale : w->sums;
  const float z_scale = fanin__scale_for(z_rms), infinite = (float)(65520 * w->unit);
  const float normal = (float)(0x1p-14 * w->unit);
  FANIN__TRY(FANIN__MLP_RUN(w, NULL, "gradient_sums", w->segments, w->batch, FANIN__VALUE(w->delta), FANIN__VALUE(s->y),
                            FANIN__VALUE(w->bias), FANIN__VALUE(s->rows), FANIN__VALUE(norm), FANIN__VALUE(shift),
                            FANIN__VALUE(scale), FANIN__VALUE(z_scale), FANIN__VALUE(infinite), FANIN__VALUE(normal),
                            FANIN__VALUE(w->sums)));
  FANIN__TRY(fanin__mlp_fetch_planes(w, 5));
  const double unit = w->unit * w->unit;
  fanin__mlp_plane(w, 0, unit, sums->dd);
  fanin__mlp_plane(w, 1, unit * unit, sums->dddd);
  fanin__mlp_plane(w, 2, w->unit * (double)z_scale, sums->dz);
  sums->f16_overflow = fanin__mlp_plane_sum(w, 3);
  sums->f16_underflow = fanin__mlp_plane_sum(w, 4);
  return FANIN_STATUS_OK;
}

fanin_status fanin__mlp_output_gradient(fanin__mlp *w, double z_rms, fanin__gradient_sums *sums) {
  const uint64_t shape[2] = {w->batch, w->stages[w->layers].width};
  const fanin_init unit = fanin_normal(0, 1);
  w->unit = 1;
  FANIN__TRY(fanin__mlp_fill(w, w->delta, FANIN_DTYPE_F32, NULL, 2, shape, &unit, "gradient"));
  return sum_gradient(w, w->layers, z_rms, sums);
}

static fanin_status copy_gradients(const fanin__mlp *w, cl_mem from, cl_mem to, uint64_t width) {
  const size_t bytes = (size_t)(w->batch * width) * sizeof(float);
  const cl_int code = clEnqueueCopyBuffer(w->queue, from, to, 0, 0, bytes, 0, NULL, NULL);
  return code == CL_SUCCESS ? fanin__order(w->queue) : fanin__fail_cl(code, "clEnqueueCopyBuffer of gradients");
}

/* Whether the layer after l adds h_l to its output, so that dh_l has dh_{l+1} added. */
static bool is_passed_on(const fanin__mlp *w, size_t l) {
  return w->stages[l].to == l + 1;
}

/* dh = delta W, delta (batch, rows after), W (rows after, width). */
static fanin_status through_weights(fanin__mlp *w, size_t l, double rms) {
  const fanin__stage *const s = &w->stages[l], *const after = &w->stages[l + 1];
  const bool skip = is_passed_on(w, l);
  const float alpha = fanin__scale_for(rms * w->unit);
  const cl_mem spent = w->dh_after;
  w->dh_after = w->dh;
  w->dh = spent;
  if (skip) FANIN__TRY(copy_gradients(w, w->dh_after, w->dh, s->width));
  const fanin__matmul product = {.m = w->batch,
                                 .n = s->width,
                                 .k = after->rows,
                                 .alpha = alpha,
                                 .beta = skip ? alpha : 0,
                                 .a = w->delta,
                                 .b = w->weight_f32,
                                 .c = w->dh};
  if (!s->divided) w->skip_unit = w->unit;
  w->unit *= (double)alpha;
  return fanin__mlp_multiply(w, &product);
}

/* The planes of derive and derive_rms; skip_unit: what is in the fourth is the gradient times this. */
static fanin_status fetch_slopes(const fanin__mlp *w, double h_rms, double skip_unit, fanin__gradient_sums *sums) {
  FANIN__TRY(fanin__mlp_fetch_planes(w, 5));
  const double h = (double)fanin__scale_for(h_rms);
  fanin__mlp_plane(w, 0, 1, sums->slope2);
  fanin__mlp_plane(w, 1, 1, sums->slope4);
  fanin__mlp_plane(w, 2, h * h, sums->h_slope);
  fanin__mlp_plane(w, 3, skip_unit * skip_unit, sums->skip_slope);
  fanin__mlp_plane(w, 4, w->unit * w->unit, sums->dy);
  return FANIN_STATUS_OK;
}

static fanin_status through_activation(fanin__mlp *w, size_t l, double h_rms, fanin__gradient_sums *sums) {
  const fanin__stage *const s = &w->stages[l];
  const cl_uint has_skip = is_passed_on(w, l);
  const cl_mem skip = has_skip ? w->dh_after : w->dh;
  const float slope = (float)w->config->slope, h_scale = fanin__scale_for(h_rms);
  FANIN__TRY(FANIN__MLP_RUN(w, s->activation, "derive", w->segments, w->batch, FANIN__VALUE(w->dh), FANIN__VALUE(s->y),
                            FANIN__VALUE(s->h), FANIN__VALUE(skip), FANIN__VALUE(has_skip), FANIN__VALUE(s->width),
                            FANIN__VALUE(s->gate), FANIN__VALUE(slope), FANIN__VALUE(h_scale), FANIN__VALUE(w->delta),
                            FANIN__VALUE(w->sums)));
  return fetch_slopes(w, h_rms, w->skip_unit, sums);
}

/* The gradient of the sum at the end of a block, which is that of z too. What the block behind adds has passed its
 * gradient on, and this one's is kept for the block before. */
static fanin_status through_block(fanin__mlp *w, size_t l, double h_rms, fanin__gradient_sums *sums) {
  const fanin__stage *const s = &w->stages[l];
  const cl_uint has_skip = s->to > 0, inside = s->carried == s->h;
  const float factor = has_skip ? (float)(w->unit / w->skip_unit) : 0, h_scale = fanin__scale_for(h_rms);
  FANIN__TRY(FANIN__MLP_RUN(w, NULL, "row_products", (size_t)w->batch, 1, FANIN__VALUE(s->h), FANIN__VALUE(s->width),
                            FANIN__VALUE(w->dh), FANIN__VALUE(w->passed), FANIN__VALUE(has_skip), FANIN__VALUE(factor),
                            FANIN__VALUE(w->along)));
  FANIN__TRY(FANIN__MLP_RUN(w, NULL, "derive_rms", w->segments, w->batch, FANIN__VALUE(w->dh), FANIN__VALUE(s->h),
                            FANIN__VALUE(w->passed), FANIN__VALUE(has_skip), FANIN__VALUE(factor), FANIN__VALUE(inside),
                            FANIN__VALUE(s->width), FANIN__VALUE(s->scale), FANIN__VALUE(w->along),
                            FANIN__VALUE(h_scale), FANIN__VALUE(w->delta), FANIN__VALUE(w->sums)));
  FANIN__TRY(fetch_slopes(w, h_rms, w->unit, sums));
  w->skip_unit = w->unit;
  return copy_gradients(w, w->delta, w->passed, s->width);
}

static fanin_status through_norm(const fanin__mlp *w, size_t l) {
  const fanin__stage *const s = &w->stages[l];
  if (s->norm == FANIN_NORM_NONE) return FANIN_STATUS_OK;
  const bool rows = s->norm == FANIN_NORM_LAYER;
  const uint64_t lines = rows ? w->batch : s->width;
  const cl_ulong pitch = rows ? s->width : 1, stride = rows ? 1 : s->width, length = rows ? s->width : w->batch;
  return FANIN__MLP_RUN(w, NULL, "derive_norm", (size_t)lines, 1, FANIN__VALUE(w->delta), FANIN__VALUE(s->y),
                        FANIN__VALUE(pitch), FANIN__VALUE(stride), FANIN__VALUE(length), FANIN__VALUE(s->scale));
}

fanin_status fanin__mlp_backward(fanin__mlp *w, size_t l, double rms, double h_rms, double z_rms,
                                 fanin__gradient_sums *sums) {
  FANIN__TRY(through_weights(w, l, rms));
  FANIN__TRY((w->stages[l].divided ? through_block : through_activation)(w, l, h_rms, sums));
  FANIN__TRY(through_norm(w, l));
  FANIN__TRY(fanin__mlp_load_bias(w, l));
  return sum_gradient(w, l, z_rms, sums);
}

fanin_status fanin__mlp_weight_gradient(fanin__mlp *w, size_t l, double rms, double h_rms, double *mean_square) {
  const uint64_t rows = w->stages[l].rows, columns = w->stages[l - 1].width, shape[2] = {rows, columns};
  const double size = rms * w->unit * h_rms * sqrt((double)w->batch);
  const float alpha = fanin__scale_for(size);
  const fanin__matmul product = {.m = rows,
                                 .n = columns,
                                 .k = w->batch,
                                 .a_transposed = true,
                                 .alpha = alpha,
                                 .a = w->delta,
                                 .b = w->stages[l - 1].h,
                                 .c = w->weight_f32};
  FANIN__TRY(fanin__mlp_multiply(w, &product));
  fanin_stats stats = {0};
  FANIN__TRY(fanin__mlp_measure(w, w->weight_f32, shape, &stats));
  const double unit = (double)alpha * w->unit * (double)w->batch;
  *mean_square = stats.nonfinite > 0 ? INFINITY : stats.second / unit / unit * (double)w->batch;
  return FANIN_STATUS_OK;
}
