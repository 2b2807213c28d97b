/* What a multilayer perceptron needs beside matrix products: activations with the row sums of a layer, and the pair
 * sums over a batch's Gram matrix from which the law of its second moment follows.
 *
 * Built with -D ACTIVATION=<id of host/activation.c>. Matrices are f32, dense and row-major. Every work-item writes
 * results of its own: no barrier, no local memory. The first argument is the extent in dimension 0; groups may have
 * items past it. */
#pragma OPENCL FP_CONTRACT OFF

/* ---- Activations: the functions of host/activation.c in f32, a few ulp --------------------------------------------
 */

#define SELU_LAMBDA    1.05070098735548f
#define SELU_ALPHA     1.67326324235438f
#define SQRT_2_OVER_PI 0.797884560802865f
#define SQRT_HALF      0.707106781186548f

/* ln(1 + e^x), without overflow */
static inline float softplus(const float x) {
  return fmax(x, 0.0f) + log1p(exp(-fabs(x)));
}

/* 1 / (1 + e^-x) */
static inline float logistic(const float x) {
  return 1.0f / (1.0f + exp(-x));
}

static inline float activation(const float x, const float slope) {
#if ACTIVATION == 0 /* linear */
  return x;
#elif ACTIVATION == 1  /* relu */
  return x > 0 ? x : 0;
#elif ACTIVATION == 2  /* leaky_relu */
  return x > 0 ? x : slope * x;
#elif ACTIVATION == 3  /* tanh */
  return tanh(x);
#elif ACTIVATION == 4  /* sigmoid */
  return logistic(x);
#elif ACTIVATION == 5  /* selu */
  return SELU_LAMBDA * (x > 0 ? x : SELU_ALPHA * expm1(x));
#elif ACTIVATION == 6  /* elu */
  return x > 0 ? x : expm1(x);
#elif ACTIVATION == 7  /* gelu: x P(Z < x); erfc keeps the left tail's digits */
  return 0.5f * x * erfc(-SQRT_HALF * x);
#elif ACTIVATION == 8  /* gelu_tanh: (1 + tanh u) / 2 is the logistic function of 2u */
  return x * logistic(2.0f * SQRT_2_OVER_PI * fma(0.044715f * x * x, x, x));
#elif ACTIVATION == 9  /* silu */
  return x * logistic(x);
#elif ACTIVATION == 10 /* mish */
  return x * tanh(softplus(x));
#elif ACTIVATION == 11 /* softplus */
  return softplus(x);
#elif ACTIVATION == 12 /* softsign */
  return x / (1.0f + fabs(x));
#elif ACTIVATION == 13 /* hardswish */
  return x <= -3 ? 0 : x >= 3 ? x : x * (x + 3.0f) / 6.0f;
#elif ACTIVATION == 14 /* relu2 */
  return x > 0 ? x * x : 0;
#else
#error "ACTIVATION is no known number"
#endif
}

/* ---- The layer ----------------------------------------------------------------------------------------------------
 */

/* Kahan's sum: `error` is what the last addition took too much of. */
static inline float accumulate(const float sum, const float x, float *error) {
  const float y = x - *error;
  const float next = sum + y;
  *error = (next - sum) - y;
  return next;
}

/* z (rows, width), in place: z += bias, then h = phi(z). Item (s, a) takes the elements s, s + segments, ... of row a
 * and writes sums[(p * rows + a) * segments + s]: p = 0 of (z z_scale)^2, 1 of (h h_scale)^2, 2 of (h h_scale)^4. The
 * scales are powers of two that keep the squares inside f32's range. */
kernel void advance(const ulong segments, global float *matrix, global const float *bias, const ulong width,
                    const float slope, const float z_scale, const float h_scale, global float *sums) {
  const ulong s = get_global_id(0);
  if (s >= segments) return;
  const ulong a = get_global_id(1), rows = get_global_size(1);
  global float *row = matrix + a * width;
  float zz = 0, hh = 0, hhhh = 0;
  float zz_error = 0, hh_error = 0, hhhh_error = 0;
  for (ulong j = s; j < width; j += segments) {
    const float z = row[j] + bias[j];
    const float h = activation(z, slope);
    row[j] = h;
    const float z_scaled = z * z_scale, h_scaled = h * h_scale, square = h_scaled * h_scaled;
    zz = accumulate(zz, z_scaled * z_scaled, &zz_error);
    hh = accumulate(hh, square, &hh_error);
    hhhh = accumulate(hhhh, square * square, &hhhh_error);
  }
  sums[a * segments + s] = zz;
  sums[(rows + a) * segments + s] = hh;
  sums[(2 * rows + a) * segments + s] = hhhh;
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

/* Every step-th row of h, scaled: out (rows, width). */
kernel void gather_rows(const ulong width, global const float *h, const ulong step, const float scale,
                        global float *out) {
  const ulong j = get_global_id(0), a = get_global_id(1);
  if (j < width) out[a * width + j] = h[a * step * width + j] * scale;
}

/* ---- Weights of 16 bits -------------------------------------------------------------------------------------------
 */

kernel void widen_f16(const ulong elements, global const half *from, global float *to) {
  const ulong i = get_global_id(0);
  if (i < elements) to[i] = vload_half(i, from);
}

kernel void widen_bf16(const ulong elements, global const ushort *from, global float *to) {
  const ulong i = get_global_id(0);
  if (i < elements) to[i] = as_float((uint)from[i] << 16);
}

/* ---- Pairs of samples ---------------------------------------------------------------------------------------------
 */

#define POWERS 16 /* FANIN__ORDERS of host/meanfield.h */

/* gram (m, m): G of h's rows on entry; on return the covariances K = G gain + shift of the next preactivations.
 * Item a goes down column a, which is row a. With correlations c = K root[a] root[b]:
 * sums[a] = sum over b != a of K^2; sums[m + a] = sum over b != a and p of coefficient[p][a] coefficient[p][b] c^p,
 * p = 1 .. POWERS, coefficient[p] (m) from `coefficients` (POWERS, m). */
kernel void pair_sums(const ulong m, global float *gram, const float gain, const float shift, global const float *root,
                      global const float *coefficients, global float *sums) {
  const ulong a = get_global_id(0);
  if (a >= m) return;
  float own[POWERS];
  for (uint p = 0; p < POWERS; p++) {
    own[p] = coefficients[p * m + a];
  }
  float squares = 0, squares_error = 0, series = 0, series_error = 0;
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
  }
  sums[a] = squares;
  sums[m + a] = series;
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
