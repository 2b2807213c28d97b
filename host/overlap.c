/* Whether a layer's weights are orthogonal: the products of their rows, or columns, with one another on the device. */
#include <math.h>

#include "mlp.h"

fanin_status fanin__mlp_overlap(fanin__mlp *w, size_t l, double second, double *most) {
  const uint64_t rows = w->stages[l].width, columns = w->stages[l - 1].width;
  const bool tall = rows > columns;
  const uint64_t n = tall ? columns : rows, length = tall ? rows : columns, shape[2] = {n, n};
  const fanin_init identity = fanin_identity(1);
  const double square = second * (double)length; /* of a vector, on average */
  FANIN__TRY(fanin__mlp_fill(w, w->overlap, FANIN_F32, "OI", 2, shape, &identity, "identity"));
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
  const fanin_tensor t = fanin_tensor_of(w->overlap, 0, FANIN_F32, NULL, 2, shape);
  fanin_stats stats = {0};
  FANIN__TRY(fanin_measure(w->f, w->queue, &t, 0, NULL, &stats));
  *most = stats.nonfinite > 0 ? INFINITY : fmax(fabs(stats.min), fabs(stats.max));
  return FANIN_OK;
}
