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

/* A gated unit has twice as many preactivations as features: h_j = phi(y_j) y_{gate + j}, gate = width. `gate` is 0
 * without one; it has no norm. */

/* y (rows, width + gate), in place: y = (z - shift) scale with a norm, then h = phi(y), plus skip if there is one.
 * Planes: 0: h h_scale, 1: its square, 2: its fourth power, 3: y below `low` or above `high`, 4 and 5: h out of f16's
 * range. */
kernel void activate(const ulong segments, global float *y_matrix, global float *h_matrix, global const float *skip,
                     const uint has_skip, const ulong width, const ulong gate, const float slope, const uint norm,
                     global const float *shift, global const float *scale, const float h_scale, const float low,
                     const float high, global float *sums) {
  const ulong s = get_global_id(0);
  if (s >= segments) return;
  const ulong a = get_global_id(1), rows = get_global_size(1), first = a * width;
  global float *y_row = y_matrix + a * (width + gate);
  float sum = 0, hh = 0, hhhh = 0, beyond = 0, overflow = 0, underflow = 0;
  float sum_error = 0, hh_error = 0, hhhh_error = 0;
  for (ulong j = s; j < width; j += segments) {
    float y = y_row[j];
    if (norm) {
      const ulong line = line_of(norm, a, j);
      y = (y - shift[line]) * scale[line];
      y_row[j] = y;
    }
    float h = activation(y, slope);
    if (gate) h *= y_row[gate + j];
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

/* out (rows, width) = in / rms of its row; scale[row] = 1 / rms, or 0 for a row of zeros. in_scale keeps squares in
 * range. */
kernel void divide_rms(const ulong rows, global const float *in, const ulong width, const float in_scale,
                       global float *out, global float *scale) {
  const ulong row = get_global_id(0);
  if (row >= rows) return;
  global const float *at = in + row * width;
  float squares = 0, error = 0;
  for (ulong j = 0; j < width; j++) {
    const float x = at[j] * in_scale;
    squares = accumulate(squares, x * x, &error);
  }
  const float inverse = squares > 0 ? in_scale / sqrt(squares / (float)width) : 0;
  for (ulong j = 0; j < width; j++) {
    out[row * width + j] = at[j] * inverse;
  }
  scale[row] = inverse;
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

/* dead[j] = 1 if y[row, j] <= limit in every row, else 0; y (rows, width + gate) */
kernel void dead_columns(const ulong width, global const float *y, const ulong gate, const ulong rows,
                         const float limit, global float *dead) {
  const ulong j = get_global_id(0);
  if (j >= width) return;
  float most = -INFINITY;
  for (ulong a = 0; a < rows; a++) {
    most = fmax(most, y[a * (width + gate) + j]);
  }
  dead[j] = most <= limit ? 1 : 0;
}

/* ---- Backward ---------------------------------------------------------------------------------------------------- */

/* out (rows, width + gate) = dh times the derivatives of h by y; dh, h and skip (rows, width). Planes, phi'^2
 * being the sum of the squares of slopes_of(): 0, 1: phi'^2 and its square; 2: (h h_scale phi')^2; 3: (skip phi')^2,
 * skip being what dh has from a residual connection; 4: out^2. */
kernel void derive(const ulong segments, global const float *dh, global const float *y, global const float *h,
                   global const float *skip, const uint has_skip, const ulong width, const ulong gate,
                   const float slope, const float h_scale, global float *out, global float *sums) {
  const ulong s = get_global_id(0);
  if (s >= segments) return;
  const ulong a = get_global_id(1), rows = get_global_size(1), first = a * width;
  float planes[5] = {0}, errors[5] = {0};
  for (ulong j = s; j < width; j += segments) {
    const ulong at = first + j, at_y = at + a * gate;
    const float2 d = slopes_of(y, at_y, gate, slope), x = dh[at] * d;
    const float dd = d.x * d.x + d.y * d.y;
    const float hs = h[at] * h_scale, gs = has_skip ? skip[at] : 0;
    const float values[5] = {dd, dd * dd, hs * hs * dd, gs * gs * dd, x.x * x.x + x.y * x.y};
    out[at_y] = x.x;
    if (gate) out[at_y + gate] = x.y;
    for (uint p = 0; p < 5; p++) {
      planes[p] = accumulate(planes[p], values[p], &errors[p]);
    }
  }
  for (ulong p = 0; p < 5; p++) {
    sums[(p * rows + a) * segments + s] = planes[p];
  }
}

/* Back through a division by the root mean square, x = sum / rms, scale = 1 / rms: v - x mean(x v) of each row, times
 * scale. A gradient `skip` times skip_factor comes from a residual connection: that of the sum (inside 0), or of x
 * (inside 1). */

/* along[row] = mean over the row of x dh, along[rows + row] that of x skip skip_factor */
kernel void row_products(const ulong rows, global const float *x, const ulong width, global const float *dh,
                         global const float *skip, const uint has_skip, const float skip_factor, global float *along) {
  const ulong row = get_global_id(0);
  if (row >= rows) return;
  float own = 0, own_error = 0, other = 0, other_error = 0;
  for (ulong at = row * width; at < (row + 1) * width; at++) {
    own = accumulate(own, x[at] * dh[at], &own_error);
    other = accumulate(other, has_skip ? x[at] * (skip[at] * skip_factor) : 0, &other_error);
  }
  along[row] = own / (float)width;
  along[rows + row] = other / (float)width;
}

/* out (rows, width) from dh, that of x but for skip. The planes are derive's, with scale for phi'; plane 3 is the
 * square of skip's part of out. */
kernel void derive_rms(const ulong segments, global const float *dh, global const float *x, global const float *skip,
                       const uint has_skip, const float skip_factor, const uint inside, const ulong width,
                       global const float *scale, global const float *along, const float x_scale, global float *out,
                       global float *sums) {
  const ulong s = get_global_id(0);
  if (s >= segments) return;
  const ulong a = get_global_id(1), rows = get_global_size(1);
  const float by = scale[a], square = by * by;
  float planes[5] = {0}, errors[5] = {0};
  for (ulong j = s; j < width; j += segments) {
    const ulong at = a * width + j;
    const float xs = x[at] * x_scale;
    float gs = has_skip ? skip[at] * skip_factor : 0;
    if (inside) gs = by * (gs - x[at] * along[rows + a]);
    const float d = by * (dh[at] - x[at] * along[a]) + gs;
    const float values[5] = {square, square * square, xs * xs * square, gs * gs, d * d};
    out[at] = d;
    for (uint p = 0; p < 5; p++) {
      planes[p] = accumulate(planes[p], values[p], &errors[p]);
    }
  }
  for (ulong p = 0; p < 5; p++) {
    sums[(p * rows + a) * segments + s] = planes[p];
  }
}

/* out (rows, width) = in, divided by scale[row] where that is not 0 */
kernel void divide_rows(const ulong width, global const float *in, global const float *scale, global float *out) {
  const ulong j = get_global_id(0), a = get_global_id(1);
  if (j < width) out[a * width + j] = scale[a] > 0 ? in[a * width + j] / scale[a] : 0;
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
