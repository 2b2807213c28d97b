/* Orthogonal matrices by the specification and, in double, by definition; see orthogonal.h. */
#include "support/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "init/distribution.h"
#include "oracle/orthogonal.h"

/* ---- docs/stream.md, section 8 ----------------------------------------------------------------------------------- */

enum { ORACLE_BLOCK = 128, ORACLE_CHUNK = 64 };

#define REAL       float
#define FMA        fmaf
#define ROOT       sqrtf
#define NAME(name) name##32
#include "oracle/orthonormal.inc"
#undef REAL
#undef FMA
#undef ROOT
#undef NAME

#define REAL       double
#define FMA        fma
#define ROOT       sqrt
#define NAME(name) name##64
#include "oracle/orthonormal.inc"

void oracle_orthonormal(fanin_dtype dtype, double *matrix, size_t height, size_t width, bool fix) {
  (dtype == FANIN_DTYPE_F64 ? make64 : make32)(matrix, height, width, fix);
}

/* ---- By definition, without regard to rounding ------------------------------------------------------------------- */

/* y -= 2 v (v . y) / (v . v) */
static void reflect(const double *v, double *y, size_t n) {
  double vv = 0, vy = 0;
  for (size_t j = 0; j < n; j++) {
    vv += v[j] * v[j];
    vy += v[j] * y[j];
  }
  for (size_t j = 0; j < n && vv > 0; j++) {
    y[j] -= 2 * vy / vv * v[j];
  }
}

static double length(const double *x, size_t n) {
  double sum = 0;
  for (size_t j = 0; j < n; j++) {
    sum += x[j] * x[j];
  }
  return sqrt(sum);
}

void oracle_reflect(fanin_dtype dtype, double *matrix, size_t height, size_t width, bool fix) {
  (void)dtype;
  double *const product = calloc(height * width + 1, sizeof *product);
  assert_non_null(product);
  for (size_t s = 0; s < width; s++) {
    double *const x = matrix + s * height + s;
    const double norm = length(x, height - s);
    product[s * height + s] = fix && norm > 0 ? (x[0] < 0 ? 1 : -1) : 1;
    x[0] += x[0] < 0 ? -norm : norm;
  }
  for (size_t c = 0; c < width; c++) {
    for (size_t s = width; s-- > 0;) {
      reflect(matrix + s * height + s, product + c * height + s, height - s);
    }
  }
  memcpy(matrix, product, height * width * sizeof *product);
  free(product);
}

/* ---- Tensors ----------------------------------------------------------------------------------------------------- */

double *oracle_normals(const fanin_tensor *t, fanin_key key) {
  const fanin__distribution normal = {.law = {.kind = FANIN_LAW_KIND_NORMAL, .std = 1}};
  const oracle_plan plan = oracle_plan_of(&normal, t->dtype, &oracle_host_tails);
  size_t n = 1;
  for (int d = 0; d < t->rank; d++) {
    n *= (size_t)t->shape[d];
  }
  double *const out = malloc((n + 1) * sizeof *out);
  assert_non_null(out);
  for (size_t e = 0; e < n; e++) {
    out[e] = t->dtype == FANIN_DTYPE_F64 ? oracle_value64(&plan, key, e) : (double)oracle_value32(&plan, key, e);
  }
  return out;
}

/* What there is along each letter, and how far apart it is in the row-major order. */
typedef struct letter {
  size_t extent, stride;
} letter;

static letter letter_of(const fanin_tensor *t, char which) {
  letter l = {1, 0};
  size_t stride = 1;
  for (int d = t->rank - 1; d >= 0; d--) {
    if (t->layout[d] == which) l = (letter){(size_t)t->shape[d], stride};
    stride *= (size_t)t->shape[d];
  }
  return l;
}

static letter input_of(const fanin_tensor *t) {
  return letter_of(t, strchr(t->layout, 'G') ? 'G' : 'I');
}

/* One matrix: `rows` outputs from o on, `inputs` from i on, all taps, of which the columns are (input, D, H, W). */
static void make_matrix(const fanin_tensor *t, oracle_maker *make, double *values, size_t first, size_t rows,
                        size_t inputs) {
  const letter o = letter_of(t, 'O'), i = input_of(t);
  const letter taps[] = {letter_of(t, 'D'), letter_of(t, 'H'), letter_of(t, 'W')};
  const size_t columns = inputs * taps[0].extent * taps[1].extent * taps[2].extent, n = rows * columns;
  const size_t width = rows < columns ? rows : columns, height = rows < columns ? columns : rows;
  if (width == 0 || height == 0) return;
  double *const matrix = malloc((n + 1) * sizeof *matrix);
  size_t *const place = malloc((n + 1) * sizeof *place);
  assert_non_null(matrix);
  assert_non_null(place);
  for (size_t e = 0; e < n; e++) {
    const size_t row = rows <= columns ? e / height : e % height, column = rows <= columns ? e % height : e / height;
    size_t rest = column;
    place[e] = first + row * o.stride;
    for (int k = 2; k >= 0; k--) {
      place[e] += rest % taps[k].extent * taps[k].stride;
      rest /= taps[k].extent;
    }
    place[e] += rest * i.stride;
    matrix[e] = values[place[e]];
  }
  make(t->dtype, matrix, height, width, true);
  for (size_t e = 0; e < n; e++) {
    values[place[e]] = matrix[e];
  }
  free(matrix);
  free(place);
}

/* All matrices of a tensor whose normals begin at `values`. */
static void make_matrices(const fanin_tensor *t, oracle_maker *make, double *values) {
  const letter o = letter_of(t, 'O'), i = input_of(t), b = letter_of(t, 'B');
  const oracle_groups groups = oracle_groups_of(t);
  const size_t parts = (size_t)groups.count * (t->splits > 1 ? t->splits : 1);
  const bool cut_i = groups.of_inputs && groups.count > 1;
  const size_t rows = cut_i ? o.extent : o.extent / parts, inputs = cut_i ? i.extent / parts : i.extent;
  for (size_t matrix = 0; matrix < b.extent; matrix++) {
    for (size_t part = 0; part < parts; part++) {
      const size_t first = cut_i ? part * inputs * i.stride : part * rows * o.stride;
      make_matrix(t, make, values, matrix * b.stride + first, rows, inputs);
    }
  }
}

double *oracle_orthogonal(const fanin_tensor *t, oracle_maker *make, fanin_key key) {
  double *const values = oracle_normals(t, key);
  make_matrices(t, make, values);
  return values;
}

double *oracle_delta_orthogonal(const fanin_tensor *t, oracle_maker *make, fanin_key key) {
  static const char letters[] = "DHW";
  size_t n = 1, centre = 0;
  fanin_tensor matrices = *t; /* of the centre tap's elements alone: its layout has no taps */
  for (int k = 0; k < 3; k++) {
    const letter tap = letter_of(t, letters[k]);
    centre += tap.extent / 2 * tap.stride;
  }
  for (int d = 0; d < t->rank; d++) {
    n *= (size_t)t->shape[d];
    if (strchr(letters, matrices.layout[d])) matrices.layout[d] = '-';
  }
  double *const values = oracle_normals(t, key), *const out = calloc(n + 1, sizeof *out);
  assert_non_null(out);
  make_matrices(&matrices, make, values + centre);
  for (size_t e = 0; e < n; e++) {
    bool is_centre = true;
    for (int k = 0; k < 3; k++) {
      const letter tap = letter_of(t, letters[k]);
      is_centre = is_centre && (tap.stride == 0 || e / tap.stride % tap.extent == tap.extent / 2);
    }
    if (is_centre) out[e] = values[e];
  }
  free(values);
  return out;
}
