/* Pairs of samples on the device: Gram matrices of a subset of the batch, and sums over them. */
#include <math.h>

#include "core/status.h"
#include "probe/mlp.h"

/* out = the Gram matrix of w->rows (subset, width). */
static fanin_status multiply_rows(fanin__mlp *w, uint64_t width, float alpha, cl_mem out) {
  const fanin__matmul product = {.m = w->subset,
                                 .n = w->subset,
                                 .k = width,
                                 .b_transposed = true,
                                 .alpha = alpha,
                                 .a = w->rows,
                                 .b = w->rows,
                                 .c = out};
  return fanin__mlp_multiply(w, &product);
}

/* The Gram matrix of every step-th row of `from`, or of their squares, times scale. */
static fanin_status gram_of(fanin__mlp *w, const char *gather, cl_mem from, uint64_t width, float scale, cl_mem out) {
  FANIN__TRY(FANIN__MLP_RUN(w, NULL, gather, (size_t)width, w->subset, FANIN__VALUE(from), FANIN__VALUE(w->step),
                            FANIN__VALUE(scale), FANIN__VALUE(w->rows)));
  return multiply_rows(w, width, 1, out);
}

/* Sums over pairs of E18, E20, E27 and E16: K_ab^2, the series in c_ab, K_ab, and K_ab K_bc K_ca. */
fanin_status fanin__mlp_pairs(fanin__mlp *w, size_t l, double h_rms, double gain, double shift, bool cubes,
                              const fanin__pairs *pairs) {
  const size_t m = (size_t)w->subset;
  const float scale = fanin__scale_for(h_rms), offset = (float)shift;
  const float factor = h_rms > 0 ? (float)(gain / pow((double)scale * h_rms, 2)) : 0;
  FANIN__TRY(fanin__mlp_send(w, w->root, pairs->root, m));
  FANIN__TRY(fanin__mlp_send(w, w->coefficients, pairs->coefficients, FANIN__PAIR_POWERS * m));
  FANIN__TRY(gram_of(w, "gather_rows", w->stages[l].h, w->stages[l].width, scale, w->gram));
  FANIN__TRY(FANIN__MLP_RUN(w, NULL, "pair_sums", m, 1, FANIN__VALUE(w->gram), FANIN__VALUE(factor),
                            FANIN__VALUE(offset), FANIN__VALUE(w->root), FANIN__VALUE(w->coefficients),
                            FANIN__VALUE(w->sums)));
  FANIN__TRY(fanin__mlp_fetch(w, w->sums, pairs->squares, 3 * m)); /* and series and sums */
  if (!cubes) return FANIN_STATUS_OK;
  FANIN__TRY(FANIN__MLP_RUN(w, NULL, "cube_sums", m, 1, FANIN__VALUE(w->gram), FANIN__VALUE(w->sums)));
  return fanin__mlp_fetch(w, w->sums, pairs->cubes, m);
}

/* What the step to stage `from` has beside W^T delta, in the place of dh_after, where that is another number. */
static fanin_status divide_passed(const fanin__mlp *w, const fanin__stage *from) {
  return FANIN__MLP_RUN(w, NULL, "divide_rows", (size_t)from->width, w->batch, FANIN__VALUE(w->passed),
                        FANIN__VALUE(from->scale), FANIN__VALUE(w->dh_after));
}

fanin_status fanin__mlp_keep_deltas(fanin__mlp *w, size_t l, bool squares) {
  const fanin__stage *const s = &w->stages[l], *const from = &w->stages[s->from];
  const bool outside = s->divided && from->carried != from->h;
  w->kept_unit = w->unit;
  FANIN__TRY(gram_of(w, "gather_rows", w->delta, s->rows, 1, w->deltas));
  if (squares) FANIN__TRY(gram_of(w, "gather_squares", w->delta, s->rows, 1, w->squares));
  if (!s->skip || s->from == 0) return FANIN_STATUS_OK;
  if (outside) FANIN__TRY(divide_passed(w, from));
  w->kept_skip_unit = w->unit;
  return gram_of(w, "gather_rows", outside ? w->dh_after : s->divided ? w->passed : w->dh, s->width, 1, w->skips);
}

/* The squares of phi'(y_l) of the subset, to w->rows. */
static fanin_status gather_slopes(const fanin__mlp *w, size_t l) {
  const fanin__stage *const s = &w->stages[l];
  const float slope = (float)w->config->slope;
  if (s->divided) {
    return FANIN__MLP_RUN(w, NULL, "gather_scales", (size_t)s->width, w->subset, FANIN__VALUE(s->scale),
                          FANIN__VALUE(w->step), FANIN__VALUE(w->rows));
  }
  return FANIN__MLP_RUN(w, s->activation, "gather_slopes", (size_t)s->width, w->subset, FANIN__VALUE(s->y),
                        FANIN__VALUE(w->step), FANIN__VALUE(s->gate), FANIN__VALUE(slope), FANIN__VALUE(w->rows));
}

/* Sums over pairs of E36 to E38. */
fanin_status fanin__mlp_gradient_pairs(fanin__mlp *w, size_t l, const fanin__gradient_pairs *pairs, float *sums) {
  const fanin__stage *const s = &w->stages[l];
  const size_t m = (size_t)w->subset;
  const cl_uint has_squares = pairs->squares, has_skips = pairs->skips;
  const float inverse = (float)pairs->inverse, share = (float)pairs->share;
  const float d_unit = (float)(pairs->delta_unit / w->kept_unit / w->kept_unit);
  const float f_unit = pairs->skips ? (float)(pairs->delta_unit / w->kept_skip_unit / w->kept_skip_unit) : 0;
  const float s_unit = (float)(pairs->slope_unit * (double)s->width);
  FANIN__TRY(fanin__mlp_send(w, w->root, pairs->means, m));
  FANIN__TRY(fanin__mlp_send(w, w->coefficients, pairs->norms, m));
  FANIN__TRY(gather_slopes(w, l));
  FANIN__TRY(multiply_rows(w, s->width, 1 / (float)s->width, w->slopes));
  FANIN__TRY(FANIN__MLP_RUN(w, NULL, "gradient_pairs", m, 1, FANIN__VALUE(w->deltas), FANIN__VALUE(w->squares),
                            FANIN__VALUE(w->slopes), FANIN__VALUE(w->skips), FANIN__VALUE(w->root),
                            FANIN__VALUE(w->coefficients), FANIN__VALUE(d_unit), FANIN__VALUE(s_unit),
                            FANIN__VALUE(f_unit), FANIN__VALUE(inverse), FANIN__VALUE(share), FANIN__VALUE(has_squares),
                            FANIN__VALUE(has_skips), FANIN__VALUE(w->sums)));
  return fanin__mlp_fetch(w, w->sums, sums, 4 * m);
}
