/* Powers of a dense array's standardised elements, and products of elements some way apart, summed in one pass. */
#include "lib/elements.clh"

enum { LAGS = 4, SUMS = 4 + LAGS };

/* Vectors summed plainly before they are folded into pairs high + low. */
#define BLOCK 64

/* Of the vectors of LANES elements that make up `count`, the last of which may be incomplete, item i takes i * pitch,
 * i * pitch + step, ... below i * pitch + span. With d = (x - shift) * scale, sums: d, d^2, d^3, d^4, and d of element
 * e times that of element e + lag for four lags (OpenCL's ulong4 keeps them one argument). Two planes, high and low, a
 * sum: SUMS * 2 planes of items * LANES. */
kernel void series(global const element *buffer, const ulong offset, const ulong count, const ulong pitch,
                   const ulong step, const ulong span, const real shift, const real scale, const ulong4 lags,
                   global real *sums) {
  global const element *data = buffer + offset;
  const ulong vectors = (count + LANES - 1) / LANES;
  const ulong item = get_global_id(0);
  const ulong items = get_global_size(0);
  const ulong end = min(item * pitch + span, vectors);
  const ulong lag[LAGS] = {lags.x, lags.y, lags.z, lags.w};
  reals high[SUMS], low[SUMS];
  for (uint k = 0; k < SUMS; k++) {
    high[k] = low[k] = 0;
  }
  for (ulong v = item * pitch; v < end;) {
    reals block[SUMS];
    for (uint k = 0; k < SUMS; k++) {
      block[k] = 0;
    }
    for (uint n = 0; n < BLOCK && v < end; n++, v += step) {
      const reals d = standard(load_at(data, v * LANES, count), shift, scale), square = d * d;
      block[0] += d;
      block[1] += square;
      block[2] += square * d;
      block[3] += square * square;
      for (uint k = 0; k < LAGS; k++) {
        block[4 + k] += d * standard(load_at(data, v * LANES + lag[k], count), shift, scale);
      }
    }
    for (uint k = 0; k < SUMS; k++) {
      high[k] = two_sum(high[k], block[k], &low[k]);
    }
  }
  for (uint k = 0; k < SUMS; k++) {
    VSTORE(high[k], 2 * k * items + item, sums);
    VSTORE(low[k], (2 * k + 1) * items + item, sums);
  }
}
