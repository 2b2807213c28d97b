/* The rank of a block of a matrix, by Gram and Schmidt's method with pivots. A matrix of low rank has blocks of low
 * rank, and random numbers have none: k lines of k + margin independent values are far from dependent. */
#include <math.h>
#include <stdlib.h>

#include "inspect/block.h"
#include "inspect/chance.h"
#include "inspect/inspection.h"

/* Lines of a block: all of them where a matrix has no more than MOST, else SOME, which cost an eighth of that. */
enum { MOST = 256, SOME = 128, LEAST = 16 };

/* A line counts if at least this share of it, relative to the longest line, is not in the span of the lines before it.
 * Of k random lines with `margin` elements more than k, the last keeps about sqrt(margin / length). The rounding of
 * 16-bit numbers leaves less than 0.01, and that of f32 less than 1e-5. */
typedef struct threshold {
  double counts_from;
  size_t margin;
} threshold;

static threshold threshold_of(fanin_dtype dtype) {
  return fanin_dtype_size(dtype) > 2 ? (threshold){1e-3, 8} : (threshold){0.05, 32};
}

static void swap_lines(double *a, double *b, size_t n) {
  for (size_t j = 0; j < n && a != b; ++j) {
    const double kept = a[j];
    a[j] = b[j];
    b[j] = kept;
  }
}

static size_t longest_from(const double *squares, size_t from, size_t lines) {
  size_t longest = from;
  for (size_t i = from; i < lines; ++i)
    longest = squares[i] > squares[longest] ? i : longest;
  return longest;
}

/* The number of lines, of `length` elements each, that no others make. Takes the block apart. */
static size_t rank_of(double *values, size_t lines, size_t length, double counts_from) {
  double *squares = allocate(lines, sizeof *squares), first = 0;
  size_t rank = 0;
  for (size_t i = 0; i < lines; ++i)
    squares[i] = block_dot(values + i * length, values + i * length, length);
  for (; rank < lines; ++rank) {
    const size_t longest = longest_from(squares, rank, lines);
    double *pivot = values + rank * length;
    swap_lines(pivot, values + longest * length, length);
    squares[longest] = squares[rank];
    const double square = block_dot(pivot, pivot, length);
    if (rank == 0) first = square;
    if (!(square > counts_from * counts_from * first)) break;
    for (size_t i = rank + 1; i < lines; ++i) {
      double *other = values + i * length;
      const double share = block_dot(other, pivot, length) / square;
      for (size_t j = 0; j < length; ++j)
        other[j] -= share * pivot[j];
      squares[i] -= share * share * square;
    }
  }
  free(squares);
  return rank;
}

/* Whether every line of the block must be independent of the others. Lines of laws with heavy tails may consist of one
 * value each. Where no law is known, as of trained weights, a few dependent lines are nothing to speak of. */
static bool is_strict(const inspected *t) {
  return t->has_law && t->kurtosis < HEAVY_TAILS;
}

int test_rank(const survey *s, inspected *t, failure *why) {
  const threshold limit = threshold_of(s->t->type->dtype);
  const bool of_columns = s->columns < s->rows;
  const uint64_t shorter = of_columns ? s->columns : s->rows, longer = of_columns ? s->rows : s->columns;
  if (s->rows < 2 || shorter < LEAST || longer < LEAST + LEAST || fanin_dtype_size(s->t->type->dtype) < 2)
    return STATUS_OK;
  const size_t some = shorter <= MOST ? (size_t)shorter : SOME;
  const size_t wanted = longer < 2 * some ? (size_t)longer : 2 * some;
  const size_t half = wanted / 2, room = wanted > limit.margin ? wanted - limit.margin : 0;
  const size_t most = room > half ? room : half, k = some < most ? some : most;
  block b;
  const int status = block_read(s, of_columns ? wanted : k, of_columns ? k : wanted, &b, why);
  if (of_columns) block_transpose(&b);
  if (status == STATUS_OK && b.rows >= LEAST && b.columns > b.rows) {
    block_centre(&b, s, false); /* a mean would be a direction that all lines have */
    const double rank = (double)rank_of(b.values, b.rows, b.columns, limit.counts_from), all = (double)b.rows;
    t->tests[TEST_RANK] = (test_result){rank, all, rank < (is_strict(t) ? all : 0.9 * all) ? -DEVIATE_MOST : 0};
  }
  block_free(&b);
  return status;
}
