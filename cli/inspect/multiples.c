/* Rows and columns that are multiples of another. Each line is given two keys: the signs of 32 random combinations of
 * some of its elements, which do not change when the line is multiplied by a number. Lines that share a key are
 * compared. */
#include <math.h>
#include <stdlib.h>

#include "base/dtype.h"
#include "inspect/block.h"
#include "inspect/chance.h"
#include "inspect/inspection.h"

/* MOST_LINES bounds the cost: 64 combinations of LENGTH elements for each line. */
enum { LENGTH = 32, LEAST = 16, MOST_LINES = 1 << 17, KEYS = 2, BITS = 32 };

typedef struct keyed {
  uint32_t key;
  uint32_t line;
} keyed;

/* A bit for each element and combination: the upper bits of a multiplied Weyl sequence. */
static double sign_of(size_t bit, size_t element) {
  uint64_t x = (uint64_t)(bit * LENGTH + element + 1) * UINT64_C(0x9e3779b97f4a7c15);
  x ^= x >> 32;
  x *= UINT64_C(0xd6e8feb86659fd93);
  return x >> 63 ? 1 : -1;
}

/* Lines of opposite signs get the same key: that whose first bit is 0. */
static uint32_t key_of(const double *values, size_t length, const double *signs) {
  uint32_t key = 0;
  for (int b = 0; b < BITS; ++b)
    key = key << 1 | (block_dot(values, signs + (size_t)b * LENGTH, length) < 0);
  return key >> (BITS - 1) ? ~key : key;
}

static int by_key(const void *a, const void *b) {
  const keyed *x = a, *y = b;
  if (x->key != y->key) return x->key < y->key ? -1 : 1;
  return x->line < y->line ? -1 : x->line > y->line;
}

/* Whether line y is a multiple of line x: their correlation, about 0, is 1 up to the rounding of both. NaN where it is
 * not, or where the two are equal, which is another test's. */
static double factor_of(const double *x, const double *y, size_t length, double rounding) {
  const double xx = block_dot(x, x, length), yy = block_dot(y, y, length), xy = block_dot(x, y, length);
  bool equal = true;
  for (size_t k = 0; k < length && equal; ++k)
    equal = x[k] == y[k];
  if (equal || !(xx > 0 && yy > 0)) return NAN;
  return 1 - xy * xy / (xx * yy) <= 8 * rounding * rounding + 1e-12 ? xy / xx : NAN;
}

/* Marks the lines that are multiples of an earlier one with the same key. */
static void mark(const block *b, const keyed *list, double rounding, bool *marked, double first[3]) {
  enum { LOOK_BACK = 8 }; /* lines that share a key by chance come between others */
  for (size_t k = 1; k < b->rows; ++k) {
    const size_t here = list[k].line;
    for (size_t back = 1; back <= LOOK_BACK && back <= k && list[k - back].key == list[k].key; ++back) {
      const size_t other = list[k - back].line;
      const double factor =
          factor_of(b->values + other * b->columns, b->values + here * b->columns, b->columns, rounding);
      if (isnan(factor)) continue;
      if (isnan(first[0]) || (double)b->row_numbers[here] < first[0]) {
        first[0] = (double)b->row_numbers[here];
        first[1] = (double)b->row_numbers[other];
        first[2] = factor;
      }
      marked[here] = true;
      break;
    }
  }
}

static double count_multiples(const block *b, double rounding, double first[3]) {
  double *signs = allocate((size_t)KEYS * BITS * LENGTH, sizeof *signs), count = 0;
  keyed *list = allocate(b->rows, sizeof *list);
  bool *marked = allocate(b->rows, sizeof *marked);
  for (size_t k = 0; k < (size_t)KEYS * BITS * LENGTH; ++k)
    signs[k] = sign_of(k / LENGTH, k % LENGTH);
  first[0] = NAN;
  for (size_t key = 0; key < KEYS; ++key) { /* a sign that rounding decides may spoil one of them */
    for (size_t i = 0; i < b->rows; ++i)
      list[i] = (keyed){key_of(b->values + i * b->columns, b->columns, signs + key * BITS * LENGTH), (uint32_t)i};
    qsort(list, b->rows, sizeof *list, by_key);
    mark(b, list, rounding, marked, first);
  }
  for (size_t i = 0; i < b->rows; ++i)
    count += marked[i];
  free(marked);
  free(list);
  free(signs);
  return count;
}

static int test_lines(const survey *s, inspected *t, bool columns, failure *why) {
  const int digits = dtype_info(s->t->type->dtype).digits;
  const double rounding = ldexp(1, -(digits < 24 ? digits : 24));
  block b;
  const int status = block_read(s, columns ? LENGTH : MOST_LINES, columns ? MOST_LINES : LENGTH, &b, why);
  if (columns) block_transpose(&b);
  const double log_equal = (double)b.columns * t->log_repeat + 2 * log((double)b.rows + 1); /* of laws of few values */
  if (status == STATUS_OK && b.columns >= LEAST && b.rows > 1 && log_equal < LOG_BY_CHANCE) {
    block_centre(&b, s, false);
    const double count = count_multiples(&b, rounding, t->first_scaled[columns]);
    t->tests[columns ? TEST_SCALED_COLUMNS : TEST_SCALED_ROWS] =
        (test_result){count, 0, count > 0 ? deviate_of_log_tail(LOG_BY_CHANCE) : 0};
  }
  block_free(&b);
  return status;
}

int test_multiples(const survey *s, inspected *t, failure *why) {
  if (s->rows < 2 || t->kurtosis > HEAVY_TAILS || fanin_dtype_size(s->t->type->dtype) < 2) return STATUS_OK;
  const int status = test_lines(s, t, false, why);
  return status == STATUS_OK ? test_lines(s, t, true, why) : status;
}
