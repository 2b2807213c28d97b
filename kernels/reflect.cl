/* Products of Householder reflectors H = I - tau v v^T: the orthogonal matrices of docs/stream.md, section 8, to the
 * bit. Built with -D F32 or F64, and -D STRIP=columns.
 *
 * A matrix has `height` rows l and `width` columns s, height >= width. Its columns are cut into blocks of BLOCK, of
 * which the last may be narrower. The vectors v of a block are a panel: rows from the block's first column on, each
 * with one number for each column of the block. The panels of a matrix follow one another.
 *
 * Three kernels, one after another, each for a whole stack of matrices: reflectors() makes v, tau and sign of the
 * normals; gram() makes the inner products S of the vectors of each block; apply() takes the product's columns, which
 * do not depend on one another, through all blocks. Work-groups may have any number of items: these share tiles of
 * results. Tiles only decide who computes a number. In which order it is summed up is the specification's. */
#include "lib/roots.clh"
#include "lib/strips.clh"

/* Numbers of a matrix's panels before the block that begins at column `first`. */
static ulong panel_at(const ulong height, const uint first) {
  return first == 0 ? 0 : first * height - (ulong)first * (first - BLOCK) / 2;
}

/* ---- From normals to reflectors ---------------------------------------------------------------------------------- */

#define COLUMNS FANIN__REFLECTED  /* of a group */
#define BESIDE  (COLUMNS / LANES) /* vectors of them */
#define CHUNKS  16                /* that are summed up side by side */

constant int NUMBERS[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

/* x of the columns from s on in a row: 0 above the diagonal. */
static reals from_row_on(const reals x, const uint s, const ulong row) {
#if defined(DOUBLE)
  const integers below = (integers)((long)row - (long)s) < TO(long, VLOAD(0, NUMBERS));
#else
  const integers below = (integers)((int)row - (int)s) < VLOAD(0, NUMBERS);
#endif
  return select(x, (reals)(0), below);
}

/* Adds the squares of x, with what is rounded off in `low`. */
static reals add_squares(const reals sum, const reals x, reals *low) {
  const reals square = x * x;
  *low += fma(x, x, -square);
  return two_sum(sum, square, low);
}

/* Copies rows top .. end of the columns from column s of a block on, `have` of them, to a panel with rows of `block`
 * numbers, with 0 above the diagonal. Returns the sums of their squares. */
static reals take(global const real *from, const ulong row_step, const ulong column_step, global real *to,
                  const uint block, const uint s, const uint have, const ulong top, const ulong end) {
  reals sum = (reals)(0), low = (reals)(0);
  for (ulong l = top; l < end; l += LANES) {
    reals square[LANES];
    load_square(from + l * row_step, row_step, column_step, end - l, have, square);
    for (uint r = 0; r < LANES && l + r < end; r++) {
      reals x = square[r];
      if (l + r < s + LANES) x = from_row_on(x, s, l + r);
      store_some(x, to + (l + r) * block, have);
      sum = add_squares(sum, x, &low);
    }
  }
  return sum + low;
}

/* x with another number in one lane. */
static reals replaced(const reals x, const uint lane, const real number) {
  real lanes[LANES];
  VSTORE(x, 0, lanes);
  lanes[lane] = number;
  return VLOAD(0, lanes);
}

/* Makes vectors v of them, in place: times `factor`, but for the first number of each, on the diagonal. That does not
 * count in the sums of squares. */
static reals scale(global real *to, const uint block, const uint s, const uint have, const ulong top, const ulong end,
                   local const real *factors, local const real *first_numbers) {
  const reals factor = VLOAD(0, factors);
  reals sum = (reals)(0), low = (reals)(0);
  for (ulong l = top; l < end; l++) {
    reals v = select((reals)(0), load_some(to + l * block, have) * factor, (integers)(factor > (reals)(0)));
    if (l >= s && l < s + LANES) v = replaced(v, (uint)l - s, 0);
    sum = add_squares(sum, v, &low);
    if (l >= s && l < s + LANES) v = replaced(v, (uint)l - s, first_numbers[l - s]);
    store_some(v, to + l * block, have);
  }
  return sum + low;
}

/* Adds the sums of CHUNKS chunks, one after another, to those of all chunks before, with what is rounded off in `low`.
 */
static void add_up(local const reals *sums, local reals *total, local reals *low) {
  SHARED_OUT(vector, BESIDE) {
    reals sum = total[vector], rest = low[vector];
    for (uint k = 0; k < CHUNKS; k++) {
      sum = two_sum(sum, sums[k * BESIDE + vector], &rest);
    }
    total[vector] = sum;
    low[vector] = rest;
  }
}

/* A group makes COLUMNS columns of a matrix, whose number (l, s) is at l * row_step + s * column_step; one of the steps
 * is 1. Column s is, from row s on, the x of docs/stream.md. */
kernel void reflectors(global const real *normals, const ulong row_step, const ulong column_step, const ulong height,
                       const uint width, const ulong panel_size, global real *panels, global real *tau,
                       global real *sign) {
  local reals sums[BESIDE * CHUNKS], total[BESIDE], low[BESIDE];
  local real factors[COLUMNS], first_numbers[COLUMNS];
  const uint strips = (width + COLUMNS - 1) / COLUMNS;
  const ulong matrix = get_group_id(0) / strips;
  const uint begin = (uint)(get_group_id(0) - matrix * strips) * COLUMNS, first = begin / BLOCK * BLOCK;
  const uint block = min(width - first, (uint)BLOCK), have = min(width - begin, (uint)COLUMNS), s = begin - first;
  const ulong rows = height - first;
  normals += matrix * height * width + first * row_step + begin * column_step;
  panels += matrix * panel_size + panel_at(height, first) + s;
  tau += matrix * width + begin;
  sign += matrix * width + begin;

  SHARED_OUT(vector, BESIDE) total[vector] = low[vector] = (reals)(0);
  for (ulong from = 0; from < rows; from += CHUNKS * CHUNK) {
    SHARED_OUT(t, BESIDE * CHUNKS) {
      const uint c = t % BESIDE * LANES;
      const ulong top = min(from + t / BESIDE * CHUNK, rows);
      sums[t] = take(normals + c * column_step, row_step, column_step, panels + c, block, s + c,
                     left_of(have, t % BESIDE), top, min(top + CHUNK, rows));
    }
    MEET();
    add_up(sums, total, low);
    MEET();
  }
  SHARED_OUT(c, COLUMNS) {
    const real square = ((local const real *)total)[c] + ((local const real *)low)[c];
    const bool sound = c < have && square > 0 && isfinite(square);
    const real x = sound ? normals[(s + c) * row_step + c * column_step] : (real)1;
    const real norm = sound ? root(square) : (real)1, side = x < 0 ? (real)-1 : (real)1;
    const real factor = quotient((real)1, root(norm * (norm + fabs(x))));
    const bool alone = begin + c + 1 == height; /* any v does: this one without rounding */
    factors[c] = sound ? factor : (real)0;
    first_numbers[c] = !sound ? (real)0 : alone ? (real)1 : (x + side * norm) * factor;
    if (c < have) sign[c] = sound ? -side : (real)1;
  }
  MEET();
  SHARED_OUT(vector, BESIDE) total[vector] = low[vector] = (reals)(0);
  MEET();
  for (ulong from = 0; from < rows; from += CHUNKS * CHUNK) {
    SHARED_OUT(t, BESIDE * CHUNKS) {
      const uint c = t % BESIDE * LANES;
      const ulong top = min(from + t / BESIDE * CHUNK, rows);
      sums[t] = scale(panels + c, block, s + c, left_of(have, t % BESIDE), top, min(top + CHUNK, rows), factors + c,
                      first_numbers + c);
    }
    MEET();
    add_up(sums, total, low);
    MEET();
  }
  SHARED_OUT(c, have) {
    const real rest = ((local const real *)total)[c] + ((local const real *)low)[c];
    const real square = fma(first_numbers[c], first_numbers[c], rest);
    tau[c] = square > 0 ? quotient((real)2, square) : (real)0;
  }
}

/* ---- Products ---------------------------------------------------------------------------------------------------- */

/* sums = V^T Y for the panel `v` with `rows` rows of `block` numbers and a strip of Y, whose rows from the panel's
 * first on are at y, with `pitch` numbers each, of which the strip has `have`: rows `begin` on of Y, which are a
 * multiple of CHUNK, the earlier ones being 0, and rows `top` on of the result. `chunk` has CHUNK rows, sums BLOCK, of
 * ACROSS vectors. Every item must come here. */
static void inner(global const real *v, const uint block, const ulong rows, global const real *y, const ulong pitch,
                  const uint have, const ulong begin, const uint top, local reals *chunk, local reals *sums) {
  SHARED_OUT(t, BLOCK * ACROSS) sums[t] = (reals)(0);
  for (ulong from = begin; from < rows; from += CHUNK) {
    const uint count = (uint)min(rows - from, (ulong)CHUNK);
    MEET(); /* nobody still reads an earlier chunk */
    SHARED_OUT(t, count * ACROSS) {
      const uint vector = t % ACROSS;
      chunk[t] = load_some(y + (from + t / ACROSS) * pitch + vector * LANES, left_of(have, vector));
    }
    MEET();
    SHARED_OUT(t, (block + ROWS - 1) / ROWS * (ACROSS / VECTORS)) {
      const uint k = t / (ACROSS / VECTORS) * ROWS, c = t % (ACROSS / VECTORS) * VECTORS;
      if (k < top || k >= from + CHUNK) continue; /* a vector is 0 in the rows above its own */
      const uint skip = k > from ? k - (uint)from : 0;
      global const real *a[ROWS];
      reals sum[ROWS][VECTORS];
      EACH_ROW(i) {
        a[i] = v + (from + skip) * block + min(k + i, block - 1);
        EACH_VECTOR(j) sum[i][j] = (reals)(0);
      }
      for (uint r = skip; r < count; r++) {
        reals b[VECTORS];
        EACH_VECTOR(j) b[j] = chunk[r * ACROSS + c + j];
        EACH_ROW(i) {
          const reals x = (reals)(a[i][(r - skip) * block]);
          EACH_VECTOR(j) sum[i][j] = fma(x, b[j], sum[i][j]);
        }
      }
      EACH_ROW(i) EACH_VECTOR(j) sums[(k + i) * ACROSS + c + j] += sum[i][j];
    }
  }
  MEET();
}

/* S(j, k) of the vectors j > k of a block, at j * (numbers in a row of the block) + k. A group makes a strip of k's. */
kernel void gram(global const real *panels, const ulong height, const uint width, const ulong panel_size,
                 global real *products, local reals *chunk, local reals *sums) {
  const uint strips = (width + STRIP - 1) / STRIP, most = min(width, (uint)BLOCK);
  const ulong matrix = get_group_id(0) / strips;
  const uint begin = (uint)(get_group_id(0) - matrix * strips) * STRIP, first = begin / BLOCK * BLOCK;
  const uint block = min(width - first, (uint)BLOCK), have = min(width - begin, (uint)STRIP), top = begin - first;
  panels += matrix * panel_size + panel_at(height, first);
  products += (matrix * width + first) * most + top;
  inner(panels, block, height - first, panels + top, block, have, top / CHUNK * CHUNK, top, chunk, sums);
  SHARED_OUT(t, (block - top) * ACROSS) {
    const uint j = top + t / ACROSS, vector = t % ACROSS, left = left_of(have, vector);
    if (left > 0) store_some(sums[j * ACROSS + vector], products + j * block + vector * LANES, left);
  }
}

/* Solves (strictly upper part of S + diag(1 / tau)) x = sums, in place, from the last row up. */
static void solve(global const real *s, global const real *tau, const uint block, local reals *sums) {
  SHARED_OUT(t, ACROSS / SOLVED) {
    local reals *const x = sums + t * SOLVED;
    for (uint k = (block + ROWS - 1) / ROWS * ROWS; k > 0;) {
      k -= ROWS;
      reals sum[ROWS][SOLVED];
      uint at[ROWS];
      EACH_ROW(i) {
        at[i] = min(k + i, block - 1);
        EACH_SOLVED(j) sum[i][j] = x[at[i] * ACROSS + j];
      }
      for (uint row = block; row > k + ROWS;) {
        row--;
        EACH_ROW(i) {
          const reals minus = (reals)(-s[row * block + at[i]]);
          EACH_SOLVED(j) sum[i][j] = fma(minus, x[row * ACROSS + j], sum[i][j]);
        }
      }
      _Pragma("unroll") for (uint i = ROWS; i-- > 0;) {
        if (k + i >= block) continue;
        EACH_SOLVED(j) {
          sum[i][j] *= tau[k + i];
          x[(k + i) * ACROSS + j] = sum[i][j];
        }
        _Pragma("unroll") for (uint above = 0; above < i; above++) {
          const reals minus = (reals)(-s[(k + i) * block + k + above]);
          EACH_SOLVED(j) sum[above][j] = fma(minus, sum[i][j], sum[above][j]);
        }
      }
    }
  }
  MEET();
}

/* Writes rows row .. row + count of a strip to the product. */
static void put_rows(local const reals *chunk, const ulong row, const uint count, const uint have, global real *product,
                     const ulong row_step, const ulong column_step) {
  product += row * row_step;
  if (column_step == 1) {
    SHARED_OUT(t, count * ACROSS) {
      const uint vector = t % ACROSS, left = left_of(have, vector);
      if (left > 0) store_some(chunk[t], product + t / ACROSS * row_step + vector * LANES, left);
    }
  } else {
    SHARED_OUT(t, ACROSS * (CHUNK / LANES)) {
      const uint vector = t / (CHUNK / LANES), left = left_of(have, vector), r = t % (CHUNK / LANES) * LANES;
      reals x[LANES];
      for (uint k = 0; k < LANES; k++) {
        x[k] = chunk[(r + k) * ACROSS + vector];
      }
      transpose(x);
      for (uint c = 0; c < LANES && c < left && r < count; c++) {
        store_some(x[c], product + (vector * LANES + c) * column_step + r, count - r);
      }
    }
  }
}

/* A strip on its way through the blocks: columns begin .. begin + have, of which the block of the first is `own`. */
typedef struct strip {
  uint begin, have, own;
} strip;

/* sums = V^T times the strip where it begins, as R's signs on the diagonal, in its own block. */
static void own_inner(const strip s, global const real *v, const uint block, global const real *sign,
                      local reals *sums) {
  SHARED_OUT(t, (block + LANES - 1) / LANES * ACROSS) {
    const uint vector = t % ACROSS, left = left_of(s.have, vector), k = t / ACROSS * LANES;
    reals x[LANES];
    for (uint c = 0; c < LANES; c++) {
      const uint column = s.begin + vector * LANES + c;
      x[c] = (reals)(0);
      if (c < left) x[c] = load_some(v + (ulong)(column - s.own) * block + k, block - k) * sign[column] + (real)0;
    }
    transpose(x);
    for (uint r = 0; r < LANES && k + r < block; r++) {
      sums[(k + r) * ACROSS + vector] = x[r];
    }
  }
  MEET();
}

/* A tile of V z, from row `row` of the panel on. */
static void outer_tile(global const real *v, const uint block, const ulong rows, const ulong row, local const reals *z,
                       reals sum[ROWS][VECTORS]) {
  const uint end = (uint)min(row + ROWS, (ulong)block); /* a vector is 0 in the rows above its own */
  global const real *a[ROWS];
  EACH_ROW(i) {
    a[i] = v + min(row + i, rows - 1) * block;
    EACH_VECTOR(j) sum[i][j] = (reals)(0);
  }
  for (uint k = 0; k < end; k++) {
    reals x[VECTORS];
    EACH_VECTOR(j) x[j] = z[k * ACROSS + j];
    EACH_ROW(i) {
      const reals factor = (reals)(a[i][k]);
      EACH_VECTOR(j) sum[i][j] = fma(factor, x[j], sum[i][j]);
    }
  }
}

/* A vector of the strip before block `first` is applied, in the block's row `row`: y has what later blocks made. */
static reals before(const strip s, const uint first, const ulong row, const uint vector, global const real *y,
                    global const real *sign) {
  if (first < s.own) {
    return row < BLOCK ? (reals)(0) : load_some(y + row * s.have + vector * LANES, left_of(s.have, vector));
  }
  if (first + row >= s.begin + s.have) return (reals)(0);
  return unit(first + row - s.begin - vector * LANES, sign[first + row]);
}

/* Applies block `first` to rows from .. from + lines: to y, or to `chunk` if it is the last that is applied. */
static void outer(const strip s, const uint first, global const real *v, const uint block, const ulong rows,
                  const ulong from, const uint lines, local const reals *z, global real *y, global const real *sign,
                  local reals *chunk) {
  SHARED_OUT(t, (lines + ROWS - 1) / ROWS * (ACROSS / VECTORS)) {
    const uint r = t / (ACROSS / VECTORS) * ROWS, c = t % (ACROSS / VECTORS) * VECTORS;
    reals sum[ROWS][VECTORS];
    outer_tile(v, block, rows, from + r, z + c, sum);
    EACH_ROW(i) EACH_VECTOR(j) {
      const ulong row = min(from + r + i, rows - 1);
      const reals made = before(s, first, row, c + j, y, sign) - sum[i][j];
      if (first == 0) {
        chunk[(r + i) * ACROSS + c + j] = made;
      } else if (r + i < lines) {
        store_some(made, y + row * s.have + (c + j) * LANES, left_of(s.have, c + j));
      }
    }
  }
  MEET();
}

/* A group a strip of the product's columns, which goes through the blocks from its own to the first. It is 0 above its
 * own block, and so of each block's rows the first BLOCK are 0 before the block is applied. `between` has the strips
 * between blocks, without the first block's columns and rows. */
kernel void apply(global const real *panels, global const real *products, global const real *tau,
                  global const real *sign, const ulong height, const uint width, const ulong panel_size,
                  global real *between, global real *product, const ulong row_step, const ulong column_step,
                  const ulong count, local reals *chunk, local reals *sums) {
  const uint strips = (width + STRIP - 1) / STRIP, most = min(width, (uint)BLOCK);
  const ulong turn = get_group_id(0) / count, matrix = get_group_id(0) - turn * count;
  strip s;
  s.begin = (strips - 1 - (uint)turn) * STRIP; /* the longest first */
  s.have = min(width - s.begin, (uint)STRIP);
  s.own = s.begin / BLOCK * BLOCK;
  panels += matrix * panel_size;
  products += matrix * width * most;
  tau += matrix * width;
  sign += matrix * width;
  product += matrix * height * width + s.begin * column_step;
  if (s.own > 0) between += (matrix * (width - BLOCK) + s.begin - BLOCK) * (height - BLOCK);
  for (uint first = s.own;; first -= BLOCK) {
    const uint block = min(width - first, (uint)BLOCK);
    const ulong rows = height - first;
    global const real *const v = panels + panel_at(height, first);
    global real *const y = between + ((long)first - BLOCK) * s.have; /* of row `first`, where there is one */
    if (first == s.own) {
      own_inner(s, v, block, sign, sums);
    } else {
      inner(v, block, rows, y, s.have, s.have, BLOCK, 0, chunk, sums);
    }
    solve(products + (ulong)first * most, tau + first, block, sums);
    for (ulong from = 0; from < rows; from += CHUNK) {
      const uint lines = (uint)min(rows - from, (ulong)CHUNK);
      outer(s, first, v, block, rows, from, lines, sums, y, sign, chunk);
      if (first > 0) continue;
      put_rows(chunk, from, lines, s.have, product, row_step, column_step);
      MEET();
    }
    if (first == 0) break;
  }
}
