/* A multilayer perceptron's layers, forward and backward, beside the matrix products: biases, norms, activations,
 * derivatives, and the row sums from which the host says how it goes.
 *
 * Built with the options of lib/activation.clh. Matrices are f32, dense and row-major. Every work-item writes
 * results of its own: no barrier, no local memory. The first argument is the extent in dimension 0; groups may have
 * items past it. Kernels that sum over rows have items (s, a) that take the elements s, s + segments, ... of row a and
 * write sums[(p * rows + a) * segments + s] for each plane p. Scales are powers of two that keep squares inside f32's
 * range. */
#pragma OPENCL FP_CONTRACT OFF
#include "lib/activation.clh"
#include "lib/pairs.clh"

/* ---- Forward ----------------------------------------------------------------------------------------------------- */

/* z (rows, width) += bias. Plane 0: (z z_scale)^2, 1: z z_scale. */
kernel void add_bias(const ulong segments, global float *matrix, global const float *bias, const ulong width,
                     const float z_scale, global float *sums) {
  const ulong s = get_global_id(0);
  if (s >= segments) return;
  const ulong a = get_global_id(1), rows = get_global_size(1);
  global float *row = matrix + a * width;
  float zz = 0, zz_error = 0, sum = 0, sum_error = 0;
  for (ulong j = s; j < width; j += segments) {
    const float z = row[j] + bias[j], scaled = z * z_scale;
    row[j] = z;
    zz = accumulate(zz, scaled * scaled, &zz_error);
    sum = accumulate(sum, scaled, &sum_error);
  }
  sums[a * segments + s] = zz;
  sums[(rows + a) * segments + s] = sum;
}

/* Norms go along lines: rows for layer norm, columns for batch norm. Element k of a line is matrix[line * pitch + k *
 * stride]. */

/* shift[line] = mean, scale[line] = 1 / standard deviation, or 0 for a line that does not vary */
kernel void line_moments(const ulong lines, global const float *matrix, const ulong pitch, const ulong stride,
                         const ulong length, global float *shift, global float *scale) {
  const ulong line = get_global_id(0);
  if (line >= lines) return;
  global const float *at = matrix + line * pitch;
  float sum = 0, error = 0, squares = 0, squares_error = 0;
  for (ulong k = 0; k < length; k++) {
    sum = accumulate(sum, at[k * stride], &error);
  }
  const float mean = sum / (float)length;
  for (ulong k = 0; k < length; k++) {
    const float d = at[k * stride] - mean;
    squares = accumulate(squares, d * d, &squares_error);
  }
  shift[line] = mean;
  scale[line] = squares > 0 ? 1.0f / sqrt(squares / (float)length) : 0;
}

/* Which line an element is on; the numbers are fanin_norm's. */
#define NORM_LAYER 1
#define NORM_BATCH 2

static inline ulong line_of(const uint norm, const ulong row, const ulong column) {
  return norm == NORM_LAYER ? row : column;
}

/* Shares of f16: the smallest number that rounds to infinity and the smallest normal one. */
#define F16_INFINITE 65520.0f
#define F16_NORMAL   6.103515625e-5f

static inline float f16_overflows(const float x) {
  return fabs(x) >= F16_INFINITE ? 1 : 0;
}

static inline float f16_underflows(const float x) {
  return x != 0 && fabs(x) < F16_NORMAL ? 1 : 0;
}

/* y (rows, width), in place: y = (z - shift) scale with a norm, then h = phi(y), plus skip if there is one. Planes: 0:
 * h h_scale, 1: its square, 2: its fourth power, 3: y below `low` or above `high`, 4 and 5: h out of f16's range. */
kernel void activate(const ulong segments, global float *y_matrix, global float *h_matrix, global const float *skip,
                     const uint has_skip, const ulong width, const float slope, const uint norm,
                     global const float *shift, global const float *scale, const float h_scale, const float low,
                     const float high, global float *sums) {
  const ulong s = get_global_id(0);
  if (s >= segments) return;
  const ulong a = get_global_id(1), rows = get_global_size(1), first = a * width;
  float sum = 0, hh = 0, hhhh = 0, beyond = 0, overflow = 0, underflow = 0;
  float sum_error = 0, hh_error = 0, hhhh_error = 0;
  for (ulong j = s; j < width; j += segments) {
    float y = y_matrix[first + j];
    if (norm) {
      const ulong line = line_of(norm, a, j);
      y = (y - shift[line]) * scale[line];
      y_matrix[first + j] = y;
    }
    float h = activation(y, slope);
    if (has_skip) h += skip[first + j];
    h_matrix[first + j] = h;
    const float scaled = h * h_scale, square = scaled * scaled;
    sum = accumulate(sum, scaled, &sum_error);
    hh = accumulate(hh, square, &hh_error);
    hhhh = accumulate(hhhh, square * square, &hhhh_error);
    beyond += y < low || y > high ? 1 : 0;
    overflow += f16_overflows(h);
    underflow += f16_underflows(h);
  }
  const float planes[6] = {sum, hh, hhhh, beyond, overflow, underflow};
  for (ulong p = 0; p < 6; p++) {
    sums[(p * rows + a) * segments + s] = planes[p];
  }
}

/* means[j] = mean over the rows of (h[row, j] scale)^2 */
kernel void column_squares(const ulong width, global const float *h, const ulong rows, const float scale,
                           global float *means) {
  const ulong j = get_global_id(0);
  if (j >= width) return;
  float sum = 0, error = 0;
  for (ulong a = 0; a < rows; a++) {
    const float x = h[a * width + j] * scale;
    sum = accumulate(sum, x * x, &error);
  }
  means[j] = sum / (float)rows;
}

/* dead[j] = 1 if y[row, j] <= limit in every row, else 0 */
kernel void dead_columns(const ulong width, global const float *y, const ulong rows, const float limit,
                         global float *dead) {
  const ulong j = get_global_id(0);
  if (j >= width) return;
  float most = -INFINITY;
  for (ulong a = 0; a < rows; a++) {
    most = fmax(most, y[a * width + j]);
  }
  dead[j] = most <= limit ? 1 : 0;
}

/* ---- Backward ---------------------------------------------------------------------------------------------------- */

/* out = dh phi'(y), all (rows, width). Planes: 0, 1: phi'^2 and its square; 2: (h h_scale phi')^2; 3: (skip phi')^2,
 * skip being what dh has from a residual connection; 4: out^2. */
kernel void derive(const ulong segments, global const float *dh, global const float *y, global const float *h,
                   global const float *skip, const uint has_skip, const ulong width, const float slope,
                   const float h_scale, global float *out, global float *sums) {
  const ulong s = get_global_id(0);
  if (s >= segments) return;
  const ulong a = get_global_id(1), rows = get_global_size(1), first = a * width;
  float planes[5] = {0}, errors[5] = {0};
  for (ulong j = s; j < width; j += segments) {
    const ulong at = first + j;
    const float d = derivative(y[at], slope), dd = d * d;
    const float hs = h[at] * h_scale, gs = has_skip ? skip[at] : 0;
    const float x = dh[at] * d;
    const float values[5] = {dd, dd * dd, hs * hs * dd, gs * gs * dd, x * x};
    out[at] = x;
    for (uint p = 0; p < 5; p++) {
      planes[p] = accumulate(planes[p], values[p], &errors[p]);
    }
  }
  for (ulong p = 0; p < 5; p++) {
    sums[(p * rows + a) * segments + s] = planes[p];
  }
}

/* delta, in place: the gradient of a norm's output becomes that of its input, scale (d - mean d - y mean(d y)) along
 * each line. */
kernel void derive_norm(const ulong lines, global float *delta, global const float *y, const ulong pitch,
                        const ulong stride, const ulong length, global const float *scale) {
  const ulong line = get_global_id(0);
  if (line >= lines) return;
  global float *at = delta + line * pitch;
  global const float *y_at = y + line * pitch;
  float sum = 0, sum_error = 0, product = 0, product_error = 0;
  for (ulong k = 0; k < length; k++) {
    const float d = at[k * stride];
    sum = accumulate(sum, d, &sum_error);
    product = accumulate(product, d * y_at[k * stride], &product_error);
  }
  const float mean = sum / (float)length, along = product / (float)length;
  for (ulong k = 0; k < length; k++) {
    at[k * stride] = scale[line] * (at[k * stride] - mean - y_at[k * stride] * along);
  }
}

/* Planes: 0: delta^2, 1: its square, 2: delta (z - b) z_scale, 3 and 4: delta out of f16's range, from `infinite` and
 * below `normal`. */
kernel void gradient_sums(const ulong segments, global const float *delta, global const float *y,
                          global const float *bias, const ulong width, const uint norm, global const float *shift,
                          global const float *scale, const float z_scale, const float infinite, const float normal,
                          global float *sums) {
  const ulong s = get_global_id(0);
  if (s >= segments) return;
  const ulong a = get_global_id(1), rows = get_global_size(1), first = a * width;
  float dd = 0, dddd = 0, dz = 0, overflow = 0, underflow = 0;
  float dd_error = 0, dddd_error = 0, dz_error = 0;
  for (ulong j = s; j < width; j += segments) {
    const float d = delta[first + j], square = d * d;
    float z = y[first + j];
    if (norm) {
      const ulong line = line_of(norm, a, j);
      z = scale[line] > 0 ? z / scale[line] + shift[line] : shift[line];
    }
    dd = accumulate(dd, square, &dd_error);
    dddd = accumulate(dddd, square * square, &dddd_error);
    dz = accumulate(dz, d * ((z - bias[j]) * z_scale), &dz_error);
    overflow += fabs(d) >= infinite ? 1 : 0;
    underflow += d != 0 && fabs(d) < normal ? 1 : 0;
  }
  const float planes[5] = {dd, dddd, dz, overflow, underflow};
  for (ulong p = 0; p < 5; p++) {
    sums[(p * rows + a) * segments + s] = planes[p];
  }
}

/* ---- Weights ----------------------------------------------------------------------------------------------------- */

/* prints[2 line] and prints[2 line + 1]: two sums of a line of the weights that tell lines apart: of the elements, and
 * of the elements times factors of their own. Equal lines have equal bits. */
kernel void fingerprints(const ulong lines, global const float *matrix, const ulong pitch, const ulong stride,
                         const ulong length, global float *prints) {
  const ulong line = get_global_id(0);
  if (line >= lines) return;
  global const float *at = matrix + line * pitch;
  float sum = 0, weighted = 0;
  uint factor = 0x9e3779b9u;
  for (ulong k = 0; k < length; k++) {
    const float x = at[k * stride];
    factor = factor * 1664525u + 1013904223u;
    sum += x;
    weighted += x * (float)(factor >> 16);
  }
  prints[2 * line] = sum;
  prints[2 * line + 1] = weighted;
}
