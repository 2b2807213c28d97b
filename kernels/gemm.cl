/* The matrix product C = alpha A B + beta C in f32, for the probe. Built with -D F32 -D STRIP=columns.
 *
 * The bits of C are the same on every device that keeps subnormal numbers: of each number, the products of CHUNK values
 * of k are summed up by fma, in ascending order from 0 on; alpha times such a sum is added to what is in C already by
 * fma, in ascending order too, where that is at first beta C, or 0 if beta is 0, whatever is in C then.
 *
 * A work-group makes a strip of C, `tall` rows by STRIP columns. It takes A and B through local memory in parts: CHUNK
 * values of k by CHUNK rows of A, or by the strip's columns of B. Work-groups may have any number of items, which share
 * tiles of results. */
#include "lib/strips.clh"

/* Numbers in a row of a part of A. Items that read one column of it are to meet different banks of local memory. */
#define PITCH (CHUNK + (LANES == 1 ? 1 : 0))

/* Copies a part of a matrix, `rows` by `columns` of `from`, filled up with 0 to height by width, to rows of `pitch`
 * numbers. Items side by side read numbers side by side. */
static void pack(global const real *from, const ulong row_step, const ulong column_step, const ulong rows,
                 const ulong columns, const uint height, const uint width, const uint pitch, local real *to) {
  const uint high = height / LANES, wide = width / LANES;
  SHARED_OUT(t, high * wide) {
    const uint row = (column_step == 1 ? t / wide : t % high) * LANES;
    const uint column = (column_step == 1 ? t % wide : t / high) * LANES;
    reals square[LANES];
    load_square(from + row * row_step + column * column_step, row_step, column_step, rows > row ? rows - row : 0,
                (uint)(columns > column ? columns - column : 0), square);
    for (uint r = 0; r < LANES; r++) {
      VSTORE(square[r], 0, to + (row + r) * pitch + column);
    }
  }
}

/* c = alpha times the product of two parts + kept times c, in a strip with `rows` rows and `have` columns. */
static void add_product(local const real *a, const uint a_row, const uint a_column, local const reals *b,
                        const uint count, const real alpha, const real kept, const uint rows, const uint have,
                        global real *c, const ulong pitch) {
  SHARED_OUT(t, (rows + ROWS - 1) / ROWS * (ACROSS / VECTORS)) {
    const uint row = t / (ACROSS / VECTORS) * ROWS, column = t % (ACROSS / VECTORS) * VECTORS;
    reals sum[ROWS][VECTORS];
    EACH_ROW(i) EACH_VECTOR(j) sum[i][j] = (reals)(0);
    for (uint k = 0; k < count; k++) {
      reals x[VECTORS];
      EACH_VECTOR(j) x[j] = b[k * ACROSS + column + j];
      EACH_ROW(i) {
        const reals factor = (reals)(a[(row + i) * a_row + k * a_column]);
        EACH_VECTOR(j) sum[i][j] = fma(factor, x[j], sum[i][j]);
      }
    }
    EACH_ROW(i) {
      if (row + i >= rows) break;
      EACH_VECTOR(j) {
        const uint left = left_of(have, column + j);
        global real *const to = c + (row + i) * pitch + (column + j) * LANES;
        const reals old = kept == 0 ? (reals)(0) : load_some(to, left) * kept;
        store_some(fma((reals)(alpha), sum[i][j], old), to, left);
      }
    }
  }
}

/* Number (i, k) of A (m, k) is at i * a_row + k * a_column, number (k, j) of B (k, n) at k * b_row + j * b_column; one
 * step of each is 1. C is dense. `tall` is a multiple of CHUNK. */
kernel void multiply(global const real *a, const ulong a_row, const ulong a_column, global const real *b,
                     const ulong b_row, const ulong b_column, global real *c, const ulong m, const ulong n,
                     const ulong k, const ulong tall, const real alpha, const real beta, local real *a_part,
                     local reals *b_part) {
  const ulong strips = (n + STRIP - 1) / STRIP, down = get_group_id(0) / strips;
  const ulong left = (get_group_id(0) - down * strips) * STRIP, begin = down * tall, end = min(begin + tall, m);
  const uint have = (uint)min(n - left, (ulong)STRIP);
  const bool by_row = a_column == 1; /* a part of A lies as A does, by rows or by columns */
  const ulong down_step = by_row ? a_row : a_column;
  for (ulong from = 0; from < k; from += CHUNK) {
    const uint count = (uint)min(k - from, (ulong)CHUNK);
    MEET(); /* nobody still reads the parts before */
    pack(b + from * b_row + left * b_column, b_row, b_column, count, have, CHUNK, STRIP, STRIP, (local real *)b_part);
    for (ulong top = begin; top < end; top += CHUNK) {
      const uint rows = (uint)min(end - top, (ulong)CHUNK);
      if (top > begin) MEET();
      pack(a + top * a_row + from * a_column, down_step, 1, by_row ? rows : count, by_row ? count : rows, CHUNK, CHUNK,
           PITCH, a_part);
      MEET();
      add_product(a_part, by_row ? PITCH : 1, by_row ? 1 : PITCH, b_part, count, alpha, from > 0 ? (real)1 : beta, rows,
                  have, c + top * n + left, n);
    }
  }
}
