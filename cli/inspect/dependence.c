/* Whether elements depend on one another through their rows and columns: sums of products of elements that are
 * independent of one another, whose mean and variance docs/inspect.md derives, and sums of squares of lines. */
#include <math.h>
#include <stdlib.h>

#include "inspect/block.h"
#include "inspect/chance.h"
#include "inspect/inspection.h"

enum { MOST_ROWS = 256, MOST_COLUMNS = 512, LEAST_LINES = 16, LEAST_ELEMENTS = 1024, LEAST_PAIRS = 256 };

/* ---- Rectangles -------------------------------------------------------------------------------------------------- */

/* The sum over ordered pairs of different rows i, k and different columns j, l of w[i][j] w[i][l] w[k][j] w[k][l]: all
 * squared products of two rows, without the terms of equal columns (docs/inspect.md, equation 2). */
static double sum_of_rectangles(const block *b) {
  double sum = 0;
  for (size_t i = 0; i < b->rows; ++i) {
    for (size_t k = 0; k < i; ++k) {
      const double product = block_dot(b->values + i * b->columns, b->values + k * b->columns, b->columns);
      sum += 2 * product * product;
    }
  }
  for (size_t j = 0; j < b->columns; ++j) {
    double squares = 0, fourths = 0;
    for (size_t i = 0; i < b->rows; ++i) {
      const double x = b->values[i * b->columns + j];
      squares += x * x;
      fourths += x * x * x * x;
    }
    sum -= squares * squares - fourths;
  }
  return sum;
}

/* The skewness of that sum (equation 4). */
static double skewness_of(double rows, double columns) {
  const double three = (rows - 2) / 6 + (columns - 2) / 6, pairs = rows * (rows - 1) * columns * (columns - 1);
  return 64 * 6 * pairs / 2 * three / pow(4 * pairs, 1.5);
}

/* ---- Sizes of lines ---------------------------------------------------------------------------------------------- */

/* An analysis of variance of the squares of elements, by lines: as test_sums() of the elements. Because their own
 * variance is the measure, it hardly depends on the law's higher moments. Lines that differ in size make it large, and
 * lines that were made equally long small. */
static test_result test_squares(const block *b) {
  const double lines = (double)b->rows, length = (double)b->columns, n = lines * length;
  double sum = 0, squares = 0, between = 0;
  for (size_t i = 0; i < b->rows; ++i) {
    double of_line = 0;
    for (size_t j = 0; j < b->columns; ++j) {
      const double x = b->values[i * b->columns + j] * b->values[i * b->columns + j];
      of_line += x;
      squares += x * x;
    }
    sum += of_line;
    between += of_line * of_line;
  }
  const double variance = (squares - sum * sum / n) / n, degrees = lines - 1;
  if (!(variance > 0)) return (test_result){NAN, NAN, NAN};
  const double value = (between - sum * sum / lines) / length / variance * ((n - 1) / n);
  const double scale = 2 * (n - lines) / (n + 1); /* variance / mean */
  return (test_result){value, degrees, gamma_deviate(degrees / scale, fmax(value, 0) / scale)};
}

/* Takes the block apart. */
static void test_sizes(block *b, inspected *t) {
  enum { LEAST_LENGTH = 128 }; /* sums of fewer squares are too skewed */
  const double most = 1;       /* excess kurtosis: the same */
  if (!t->has_law || t->kurtosis > most) return;
  if (b->columns >= LEAST_LENGTH) t->tests[TEST_ROW_SQUARES] = test_squares(b);
  if (b->rows < LEAST_LENGTH) return;
  block_transpose(b);
  t->tests[TEST_COLUMN_SQUARES] = test_squares(b);
}

/* ---- Both -------------------------------------------------------------------------------------------------------- */

int test_dependence(const survey *s, inspected *t, failure *why) {
  block b;
  if (s->rows < LEAST_LINES || s->columns < LEAST_LINES || t->kurtosis > HEAVY_TAILS) return STATUS_OK;
  const int status = block_read(s, MOST_ROWS, MOST_COLUMNS, &b, why);
  if (status == STATUS_OK && b.rows >= LEAST_LINES && b.columns >= LEAST_LINES &&
      b.rows * b.columns >= LEAST_ELEMENTS) {
    const double rows = (double)b.rows, columns = (double)b.columns;
    const double std = s->stats.std * s->by.scale; /* 1, but for lines of zeros that were left out */
    block_centre(&b, s, true);
    const double sum = sum_of_rectangles(&b) / pow(std, 4), pairs = rows * (rows - 1) * columns * (columns - 1);
    t->tests[TEST_DEPENDENCE] =
        (test_result){sum / pairs, 0, skewed_deviate(sum / (2 * sqrt(pairs)), skewness_of(rows, columns))};
    test_sizes(&b, t);
  }
  block_free(&b);
  return status;
}

/* ---- Pairs across a diagonal ------------------------------------------------------------------------------------- */

/* A tensor as a stack of square matrices, whose elements are `inner` numbers each. */
typedef struct squares {
  uint64_t stack, side, inner;
} squares;

/* The first two neighbouring dimensions of equal extent. False: there are none. */
static bool find_squares(const survey *s, squares *out) {
  const stored_tensor *t = s->t;
  for (int d = 0; d + 1 < t->rank; ++d) {
    if (t->shape[d] < 2 || t->shape[d] != t->shape[d + 1]) continue;
    *out = (squares){1, t->shape[d], 1};
    for (int before = 0; before < d; ++before)
      out->stack *= t->shape[before];
    for (int after = d + 2; after < t->rank; ++after)
      out->inner *= t->shape[after];
    return !(s->f->fortran_order && t->rank > 2);
  }
  return false;
}

typedef struct sums {
  double ab, aa, bb, pairs;
} sums;

/* Adds the pairs of one square: `k` lines of it, k x inner numbers each. */
static void add_pairs(const double *square, size_t k, size_t inner, sums *to) {
  for (size_t i = 0; i < k; ++i) {
    for (size_t j = 0; j < i; ++j) {
      const double *a = square + (i * k + j) * inner, *b = square + (j * k + i) * inner;
      for (size_t n = 0; n < inner; ++n) {
        to->ab += a[n] * b[n];
        to->aa += a[n] * a[n];
        to->bb += b[n] * b[n];
      }
    }
  }
  to->pairs += (double)(k * (k - 1) * inner) / 2;
}

/* Reads k x k elements from the middle of the diagonal of one matrix of the stack. */
static int read_square(const survey *s, const squares *q, uint64_t which, size_t k, double *to, failure *why) {
  const fanin_dtype dtype = s->t->type->dtype;
  const size_t size = fanin_dtype_size(dtype), length = k * (size_t)q->inner;
  const uint64_t from = (q->side - k) / 2;
  char *bytes = allocate(length, size);
  int status = STATUS_OK;
  for (size_t i = 0; i < k && status == STATUS_OK; ++i) {
    const uint64_t first = ((which * q->side + from + i) * q->side + from) * q->inner;
    status = tensor_file_read_of(s->f, s->t, first * size, bytes, length * size, why);
    for (size_t j = 0; j < length; ++j)
      to[i * length + j] = (stored_value(dtype, bytes + j * size) - s->by.shift) * s->by.scale;
  }
  free(bytes);
  return status;
}

int test_transpose(const survey *s, inspected *t, failure *why) {
  enum { MOST = 1 << 18 }; /* elements that are read */
  squares q;
  sums all = {0};
  if (!find_squares(s, &q) || q.inner > MOST / 4) return STATUS_OK;
  const uint64_t wide = (uint64_t)sqrt((double)MOST / (double)q.inner);
  const size_t k = (size_t)(q.side < wide ? q.side : wide);
  const uint64_t room = MOST / ((uint64_t)k * k * q.inner), wanted = room > 0 ? room : 1;
  const uint64_t many = q.stack < wanted ? q.stack : wanted;
  double *square = allocate(k * k * (size_t)q.inner, sizeof *square);
  int status = STATUS_OK;
  for (uint64_t n = 0; n < many && status == STATUS_OK; ++n) {
    const uint64_t which = q.stack / many * n; /* spread over the stack */
    status = read_square(s, &q, which, k, square, why);
    add_pairs(square, k, (size_t)q.inner, &all);
  }
  free(square);
  if (status != STATUS_OK || all.pairs < LEAST_PAIRS || !(all.aa > 0 && all.bb > 0)) return status;
  const double r = all.ab / sqrt(all.aa * all.bb);
  if (!t->has_law && fabs(r) < 0.99) return status; /* training may have made them alike */
  t->tests[TEST_TRANSPOSE] = (test_result){r, 0, correlation_deviate(r, all.pairs)};
  return status;
}
