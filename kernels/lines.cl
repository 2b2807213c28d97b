/* Sums and fingerprints of a matrix's rows and columns.
 *
 * A fingerprint is the sum of hash(bits) * weight(index) mod 2^64 over
 * a line's elements (multilinear hashing, Carter & Wegman 1979), so that pieces of a line can be added in any order. */
#include "lib/elements.clh"

/* Multiply, fold, multiply, fold; hash() and weight() are two such functions, weights odd. */
static inline counts scramble(counts x, const ulong odd) {
  x *= odd;
  x ^= x >> 32;
  x *= 0xd6e8feb86659fd93ul;
  return x ^ (x >> 32);
}
static inline counts hash(const counts bits) {
  return scramble(bits + 1ul, 0x9e3779b97f4a7c15ul);
}
static inline counts weight(const counts index) {
  return scramble(index + 1ul, 0xc2b2ae3d27d4eb4ful) | 1ul;
}

static inline counts lane_numbers(void) {
  ulong numbers[LANES];
  for (uint k = 0; k < LANES; k++) {
    numbers[k] = k;
  }
  return VLOAD(0, numbers);
}

static inline void sum_lanes(const reals high, const reals low, const counts prints, real *sum, real *rest,
                             ulong *print) {
  real highs[LANES], lows[LANES];
  ulong each[LANES];
  VSTORE(high, 0, highs);
  VSTORE(low, 0, lows);
  VSTORE(prints, 0, each);
  for (uint k = 0; k < LANES; k++) {
    const real next = *sum + highs[k], part = next - *sum;
    *rest += ((*sum - (next - part)) + (highs[k] - part)) + lows[k];
    *sum = next;
    *print += each[k];
  }
}

/* Both kernels: item i takes tasks i * pitch, i * pitch + step, ... below i * pitch + span and `tasks`. Sums are of
 * (x - shift) * scale, in two planes high and low. */

/* Task number t: of row t / parts, the vectors t % parts, t % parts + parts, ... One sum and fingerprint a task. */
kernel void rows(global const element *buffer, const ulong offset, const ulong columns, const ulong parts,
                 const ulong tasks, const ulong pitch, const ulong step, const ulong span, const real shift,
                 const real scale, global real *sums, global ulong *prints) {
  const counts lane = lane_numbers();
  const ulong begin = get_global_id(0) * pitch;
  const ulong end = min(begin + span, tasks);
  for (ulong t = begin; t < end; t += step) {
    global const element *data = buffer + offset + t / parts * columns;
    reals high = 0, low = 0;
    counts print = 0;
    for (ulong e = t % parts * LANES; e < columns; e += parts * LANES) {
      high = two_sum(high, standard(load_at(data, e, columns), shift, scale), &low);
      const counts hashes = hash(load_bits(data, e, columns)) * weight(e + lane);
      print += select((counts)0, hashes, (counts)(e + lane < columns ? (counts)(-1L) : (counts)0));
    }
    real sum = 0, rest = 0;
    ulong line = 0;
    sum_lanes(high, low, print, &sum, &rest, &line);
    sums[t] = sum;
    sums[tasks + t] = rest;
    prints[t] = line;
  }
}

/* Task number t: of vector t % vectors of the columns, the rows from t / vectors * height on, `height` of them. One sum
 * and fingerprint a column in each of the tasks / vectors bands. `first_row`: what row 0 is to fingerprints. */
kernel void columns(global const element *buffer, const ulong offset, const ulong rows, const ulong columns,
                    const ulong first_row, const ulong height, const ulong tasks, const ulong pitch, const ulong step,
                    const ulong span, const real shift, const real scale, global real *sums, global ulong *prints) {
  const ulong vectors = (columns + LANES - 1) / LANES;
  const ulong results = tasks / vectors * columns;
  const ulong begin = get_global_id(0) * pitch;
  const ulong end = min(begin + span, tasks);
  for (ulong t = begin; t < end; t += step) {
    const ulong band = t / vectors, first = t % vectors * LANES;
    const ulong last_row = min((band + 1) * height, rows);
    reals high = 0, low = 0;
    counts print = 0;
    for (ulong r = band * height; r < last_row; r++) {
      global const element *data = buffer + offset + r * columns;
      high = two_sum(high, standard(load_at(data, first, columns), shift, scale), &low);
      print += hash(load_bits(data, first, columns)) * weight((counts)(first_row + r));
    }
    real highs[LANES], lows[LANES];
    ulong each[LANES];
    VSTORE(high, 0, highs);
    VSTORE(low, 0, lows);
    VSTORE(print, 0, each);
    for (uint k = 0; k < LANES && first + k < columns; k++) {
      sums[band * columns + first + k] = highs[k];
      sums[results + band * columns + first + k] = lows[k];
      prints[band * columns + first + k] = each[k];
    }
  }
}
