/* Pairs of samples: Gram matrices of a batch's rows and the sums over them from which the laws of a layer's second
 * moments follow. */
#ifndef FANIN_PAIRS_CL
#define FANIN_PAIRS_CL

#pragma OPENCL FP_CONTRACT OFF
#include "activation.cl"

/* Kahan's sum: `error` is what the last addition took too much of. */
static inline float accumulate(const float sum, const float x, float *error) {
  const float y = x - *error;
  const float next = sum + y;
  *error = (next - sum) - y;
  return next;
}

/* Every step-th row of h, scaled: out (rows, width). */
kernel void gather_rows(const ulong width, global const float *h, const ulong step, const float scale,
                        global float *out) {
  const ulong j = get_global_id(0), a = get_global_id(1);
  if (j < width) out[a * width + j] = h[a * step * width + j] * scale;
}

/* The same of squares. */
kernel void gather_squares(const ulong width, global const float *h, const ulong step, const float scale,
                           global float *out) {
  const ulong j = get_global_id(0), a = get_global_id(1);
  if (j >= width) return;
  const float x = h[a * step * width + j] * scale;
  out[a * width + j] = x * x;
}

/* The same of phi'(y)^2. */
kernel void gather_slopes(const ulong width, global const float *y, const ulong step, const float slope,
                          global float *out) {
  const ulong j = get_global_id(0), a = get_global_id(1);
  if (j >= width) return;
  const float d = derivative(y[a * step * width + j], slope);
  out[a * width + j] = d * d;
}

#define POWERS 16 /* FANIN__ORDERS of host/meanfield.h */

/* gram (m, m): G of h's rows on entry; on return the covariances K = G gain + shift of the next preactivations.
 * Item a goes down column a, which is row a. With correlations c = K root[a] root[b]:
 * sums[a] = sum over b != a of K^2; sums[m + a] = sum over b != a and p of coefficient[p][a] coefficient[p][b] c^p,
 * p = 1 .. POWERS, coefficient[p] (m) from `coefficients` (POWERS, m); sums[2 m + a] = sum over b != a of K. */
kernel void pair_sums(const ulong m, global float *gram, const float gain, const float shift, global const float *root,
                      global const float *coefficients, global float *sums) {
  const ulong a = get_global_id(0);
  if (a >= m) return;
  float own[POWERS];
  for (uint p = 0; p < POWERS; p++) {
    own[p] = coefficients[p * m + a];
  }
  float squares = 0, squares_error = 0, series = 0, series_error = 0, plain = 0, plain_error = 0;
  for (ulong b = 0; b < m; b++) {
    const float k = fma(gram[b * m + a], gain, shift);
    gram[b * m + a] = k;
    const float c = b == a ? 0 : clamp(k * root[a] * root[b], -1.0f, 1.0f);
    float value = 0;
    for (uint p = POWERS; p-- > 0;) {
      value = fma(value, c, own[p] * coefficients[p * m + b]);
    }
    squares = accumulate(squares, b == a ? 0 : k * k, &squares_error);
    series = accumulate(series, value * c, &series_error);
    plain = accumulate(plain, b == a ? 0 : k, &plain_error);
  }
  sums[a] = squares;
  sums[m + a] = series;
  sums[2 * m + a] = plain;
}

/* sums[a] = sum over b and c of K[a, b] K[b, c] K[c, a]: their sum is the trace of K^3, K (m, m) symmetric. */
kernel void cube_sums(const ulong m, global const float *k, global float *sums) {
  const ulong a = get_global_id(0);
  if (a >= m) return;
  global const float *row_a = k + a * m;
  float sum = 0, error = 0;
  for (ulong b = 0; b < m; b++) {
    global const float *row_b = k + b * m;
    float8 products = 0;
    for (ulong c = 0; c < m / 8; c++) {
      products = fma(vload8(c, row_a), vload8(c, row_b), products);
    }
    const float4 halves = products.lo + products.hi;
    float product = (halves.x + halves.y) + (halves.z + halves.w);
    for (ulong c = m / 8 * 8; c < m; c++) {
      product = fma(row_a[c], row_b[c], product);
    }
    sum = accumulate(sum, row_a[b] * product, &error);
  }
  sums[a] = sum;
}

/* sums[a] = sum over b != a of gram[a, b] unit root[a] root[b], gram (m, m) */
kernel void cosine_sums(const ulong m, global const float *gram, const float unit, global const float *root,
                        global float *sums) {
  const ulong a = get_global_id(0);
  if (a >= m) return;
  float sum = 0, error = 0;
  for (ulong b = 0; b < m; b++) {
    sum = accumulate(sum, b == a ? 0 : gram[b * m + a] * unit * root[a] * root[b], &error);
  }
  sums[a] = sum;
}

/* Grams (m, m) of deltas, of their squares, of phi'^2 and of what a residual connection adds, as d, e, s and f. With t
 * = s d root[a] root[b], sums[a], sums[m + a], ... are the sums over b != a of s' d'^2, s e, s d f and t^2; on return
 * deltas holds t. s' = s - share / (root[a] root[b])^2, d'^2 = d^2 - inverse norm[a] norm[b], which are s and d^2 for
 * share = inverse = 0. */
kernel void gradient_pairs(const ulong m, global float *deltas, global const float *squares, global const float *slopes,
                           global const float *skips, global const float *root, global const float *norm,
                           const float delta_unit, const float slope_unit, const float inverse, const float share,
                           const uint has_squares, const uint has_skips, global float *sums) {
  const ulong a = get_global_id(0);
  if (a >= m) return;
  float planes[4] = {0}, errors[4] = {0};
  for (ulong b = 0; b < m; b++) {
    const ulong at = b * m + a;
    const float d = deltas[at] * delta_unit, s = slopes[at] * slope_unit;
    const float roots = root[a] * root[b], t = s * d * roots;
    deltas[at] = t;
    if (b == a) continue;
    const float e = has_squares ? squares[at] * delta_unit * delta_unit : 0;
    const float f = has_skips ? skips[at] * delta_unit : 0;
    const float mean = roots > 0 ? share / (roots * roots) : 0;
    const float values[4] = {(s - mean) * (d * d - inverse * norm[a] * norm[b]), s * e, s * d * f, t * t};
    for (uint p = 0; p < 4; p++) {
      planes[p] = accumulate(planes[p], values[p], &errors[p]);
    }
  }
  for (ulong p = 0; p < 4; p++) {
    sums[p * m + a] = planes[p];
  }
}

#endif
