/* The beginnings of many tensors side by side, and how they correlate. `correlate` does not depend on the dtype. */
#include "lib/elements.clh"

/* Writes (x - shift) * scale of `count` elements; 0 where x is not finite. */
kernel void standardise(global const element *buffer, const ulong offset, const ulong count, const real shift,
                        const real scale, global float *samples, const ulong first) {
  for (ulong e = get_global_id(0); e < count; e += get_global_size(0)) {
    const real x = LOAD_ONE(offset + e, buffer);
    samples[first + e] = isfinite(x) ? (float)((x - shift) * scale) : 0.0f;
  }
}

typedef V(float) floats;

static inline float sum_lanes(const floats x) {
  float each[LANES], sum = 0;
  VSTORE(x, 0, each);
  for (uint k = 0; k < LANES; k++) {
    sum += each[k];
  }
  return sum;
}

/* Pair number p is of samples pairs[p].x and .y, whose first `pairs[p].z` numbers count, a multiple of LANES; a sample
 * has `length` places. Sums of xy, xx, yy, x and y: five planes. */
kernel void correlate(global const float *samples, const ulong length, const ulong count, global const uint4 *pairs,
                      global float *sums) {
  for (ulong p = get_global_id(0); p < count; p += get_global_size(0)) {
    global const float *x = samples + pairs[p].x * length;
    global const float *y = samples + pairs[p].y * length;
    floats xy = 0, xx = 0, yy = 0, only_x = 0, only_y = 0;
    for (ulong v = 0; v < pairs[p].z / LANES; v++) {
      const floats a = VLOAD(v, x), b = VLOAD(v, y);
      xy += a * b;
      xx += a * a;
      yy += b * b;
      only_x += a;
      only_y += b;
    }
    sums[p] = sum_lanes(xy);
    sums[count + p] = sum_lanes(xx);
    sums[2 * count + p] = sum_lanes(yy);
    sums[3 * count + p] = sum_lanes(only_x);
    sums[4 * count + p] = sum_lanes(only_y);
  }
}
