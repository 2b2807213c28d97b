/* Products of Householder reflectors H = I - tau v v^T: the orthogonal factor of Stewart's random matrices, by blocks
 * for CLBlast or whole for small matrices. Built with -D F32 or F64.
 *
 * A matrix (height, width), height >= width, is stored by columns: its column s are the `height` numbers from
 * s * height on, and matrices follow one another. */
#include "lib/elements.clh"

/* The vector from p on, of which only `have` numbers exist; 0 beyond. */
static reals load_some(global const real *p, const ulong have) {
  if (have >= LANES) return VLOAD(0, p);
  real filled[LANES];
  for (uint k = 0; k < LANES; k++) {
    filled[k] = k < have ? p[k] : (real)0;
  }
  return VLOAD(0, filled);
}

static real sum_of(const reals x) {
  real lanes[LANES];
  VSTORE(x, 0, lanes);
  real sum = lanes[0];
  for (uint k = 1; k < LANES; k++) {
    sum += lanes[k];
  }
  return sum;
}

/* The sum over a group's items, the same for each. Every item must come here, `sums` has a place for each. */
static real sum_of_group(const real mine, local real *sums) {
  const uint size = (uint)get_local_size(0);
  barrier(CLK_LOCAL_MEM_FENCE); /* nobody still reads an earlier sum */
  sums[get_local_id(0)] = mine;
  barrier(CLK_LOCAL_MEM_FENCE);
  real sum = 0;
  for (uint k = 0; k < size; k++) {
    sum += sums[k];
  }
  return sum;
}

/* ---- From normals to reflectors ---------------------------------------------------------------------------------- */

/* A group a column. Column s of a matrix becomes zeros and, from row s on, the v of the reflector that sends what was
 * there, x, to a multiple of the first unit vector: v = (x + sign(x_0) |x| e_0) / sqrt(|x| (|x| + |x_0|)), so that
 * |v|^2 = 2 (a v of one number is 1), and tau = 2 / |v|^2 of the v that was stored. sign: that of R's diagonal,
 * -sign(x_0), which makes the product Haar-distributed. Where x is 0 or not finite, v = 0: a reflector that does
 * nothing. */
kernel void reflectors(global real *matrices, const ulong height, const uint width, global real *tau, global real *sign,
                       local real *sums) {
  const ulong column = get_group_id(0);
  const uint s = (uint)(column % width), item = (uint)get_local_id(0), items = (uint)get_local_size(0);
  global real *x = matrices + column * height;
  const ulong count = height - s, vectors = count / LANES;
  for (uint j = item; j < s; j += items) {
    x[j] = 0;
  }
  x += s;
  const real first = x[0];
  reals squares = (reals)(0);
  real rest = 0;
  for (ulong k = item; k < vectors; k += items) {
    const reals z = VLOAD(k, x);
    squares = fma(z, z, squares);
  }
  for (ulong j = vectors * LANES + item; j < count; j += items) {
    rest = fma(x[j], x[j], rest);
  }
  const real total = sum_of_group(sum_of(squares) + rest, sums);
  const real norm = sqrt(total);
  const bool sound = total > 0 && isfinite(total);
  const real scale = sound ? (real)1 / sqrt(norm * (norm + fabs(first))) : (real)0;
  squares = (reals)(0);
  rest = 0;
  for (ulong k = item; k < vectors; k += items) {
    reals z = VLOAD(k, x) * scale;
    if (!sound) z = (reals)(0);
    VSTORE(z, k, x);
    squares = fma(z, z, squares);
  }
  for (ulong j = vectors * LANES + item; j < count; j += items) {
    const real z = sound ? x[j] * scale : (real)0;
    x[j] = z;
    rest = fma(z, z, rest);
  }
  /* The first number is item 0's alone, who takes back what it was among the others. */
  if (item == 0) {
    const real was = x[0];
    real is = sound ? (first + copysign(norm, first)) * scale : (real)0;
    if (sound && count == 1) is = 1; /* alone, any v does: this one without rounding */
    x[0] = is;
    rest += (is - was) * (is + was);
  }
  const real square = sum_of_group(sum_of(squares) + rest, sums);
  if (item == 0) {
    tau[column] = sound ? (real)2 / square : (real)1;
    sign[column] = sound ? -copysign((real)1, first) : (real)1;
  }
}

/* ---- Large matrices, in place ------------------------------------------------------------------------------------ */

/* Columns first .. first + block of a matrix, the reflectors V of the current block, are followed by columns that are
 * already the product's. With S = V^T V, the product of the block's reflectors is I - V T V^T, T upper triangular,
 *   T^-1 = strictly upper part of S + diag(1 / tau)
 * (Joffrain, Low, Quintana-Orti, van de Geijn and Van Zee, "Accumulating Householder transformations, revisited", ACM
 * TOMS 32(2), 2006). */

/* Moves V, from row `first` on, to `panel` (block, height - first), and puts the product's beginning in its place:
 * R's signs on the diagonal. A group a column. */
kernel void take_panel(global real *matrix, const ulong height, const uint first, global real *panel,
                       global const real *sign) {
  const uint k = (uint)get_group_id(0), items = (uint)get_local_size(0);
  const ulong rows = height - first;
  global real *from = matrix + (first + k) * height + first;
  global real *to = panel + k * rows;
  for (ulong j = get_local_id(0); j < rows; j += items) {
    to[j] = from[j];
    from[j] = j == k ? sign[first + k] : (real)0;
  }
}

/* x = T y for each of `columns` columns, by substitution in T^-1 from the last row up. `products`: V^T times the
 * block's and the following columns, before take_panel(): first S, then the ys. The block's own ys are the first rows
 * of V, in the panel, times R's signs. products and x have `pitch` numbers a row; an item makes LANES columns. */
kernel void substitute(global const real *products, global real *x, const ulong pitch, const uint columns,
                       const uint block, global const real *panel, const ulong rows, global const real *tau,
                       global const real *sign, const uint first) {
  const ulong c = get_global_id(0) * LANES;
  if (c >= columns) return;
  tau += first;
  sign += first;
  x += c;
#define Y(k)                                                                                                           \
  (c < block ? load_some(panel + (k)*rows + c, block - c) * load_some(sign + c, block - c)                             \
             : load_some(products + (k)*pitch + c, columns - c))
#define S(k, j) products[(k)*pitch + (j)]
  uint k = block;
  while (k % 4 != 0) {
    k--;
    reals sum = (reals)(0);
    for (uint j = k + 1; j < block; j++) {
      sum = fma((reals)(S(k, j)), VLOAD(0, x + j * pitch), sum);
    }
    const reals made = (Y(k) - sum) * tau[k];
    VSTORE(made, 0, x + k * pitch);
  }
  /* Four rows at a time: as many sums that do not wait for one another. */
  while (k > 0) {
    k -= 4;
    reals a = (reals)(0), b = (reals)(0), d = (reals)(0), e = (reals)(0);
    for (uint j = k + 4; j < block; j++) {
      const reals z = VLOAD(0, x + j * pitch);
      a = fma((reals)(S(k, j)), z, a);
      b = fma((reals)(S(k + 1, j)), z, b);
      d = fma((reals)(S(k + 2, j)), z, d);
      e = fma((reals)(S(k + 3, j)), z, e);
    }
    e = (Y(k + 3) - e) * tau[k + 3];
    d = (Y(k + 2) - fma((reals)(S(k + 2, k + 3)), e, d)) * tau[k + 2];
    b = fma((reals)(S(k + 1, k + 3)), e, b);
    b = (Y(k + 1) - fma((reals)(S(k + 1, k + 2)), d, b)) * tau[k + 1];
    a = fma((reals)(S(k, k + 3)), e, a);
    a = fma((reals)(S(k, k + 2)), d, a);
    a = (Y(k) - fma((reals)(S(k, k + 1)), b, a)) * tau[k];
    VSTORE(e, 0, x + (k + 3) * pitch);
    VSTORE(d, 0, x + (k + 2) * pitch);
    VSTORE(b, 0, x + (k + 1) * pitch);
    VSTORE(a, 0, x + k * pitch);
  }
#undef Y
#undef S
}

/* ---- Small matrices ---------------------------------------------------------------------------------------------- */

/* A group a matrix, an item LANES of the product's columns, which it keeps in local memory and sends through one
 * reflector after another. Items have nothing to do with one another. `columns` has a vector for each row and item. */
kernel void multiply(global const real *reflectors, global const real *tau, global const real *sign,
                     global real *product, const uint height, const uint width, local reals *columns) {
  const ulong matrix = get_group_id(0);
  const uint items = (uint)get_local_size(0), c = (uint)get_local_id(0) * LANES;
  if (c >= width) return;
  reflectors += matrix * height * width;
  product += matrix * height * width;
  tau += matrix * width;
  sign += matrix * width;
  columns += get_local_id(0);
  const uint end = min(c + LANES, width); /* no later reflector reaches these columns */
  for (uint j = 0; j < height; j++) {
    real row[LANES];
    for (uint k = 0; k < LANES; k++) {
      row[k] = c + k == j && j < end ? sign[j] : (real)0;
    }
    columns[j * items] = VLOAD(0, row);
  }
  for (uint s = end; s-- > 0;) {
    global const real *v = reflectors + s * height;
    reals a = (reals)(0), b = (reals)(0);
    uint j = s;
    for (; j + 2 <= height; j += 2) {
      a = fma((reals)(v[j]), columns[j * items], a);
      b = fma((reals)(v[j + 1]), columns[(j + 1) * items], b);
    }
    if (j < height) a = fma((reals)(v[j]), columns[j * items], a);
    const reals w = (a + b) * -tau[s];
    for (j = s; j < height; j++) {
      columns[j * items] = fma((reals)(v[j]), w, columns[j * items]);
    }
  }
  local const real *numbers = (local const real *)columns;
  for (uint k = 0; k < end - c; k++) {
    for (uint j = 0; j < height; j++) {
      product[(c + k) * height + j] = numbers[j * items * LANES + k];
    }
  }
}
