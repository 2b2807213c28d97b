/* The rank of a block of a matrix, by Gram and Schmidt's method with pivots. A matrix of low rank has blocks of low
 * rank, and random numbers have none: the rows of a block of k x 2k independent values are far from dependent. */
#include "inspect/inspection.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/chance.h"

enum { MOST = 128, LEAST = 16 }; /* rows of the block, which has twice as many columns */

/* A row counts if at least this share of it, relative to the longest row, is not in the span of rows before it. Of k
 * random rows of 2k elements the last keeps about 0.7. The rounding of 16-bit numbers leaves less than 0.01. */
static const double counts_from = 0.05;

/* Reads 2k elements from the middle of each of k rows, which are spread over the matrix and not all zeros. Returns how
 * many rows it has found. */
static int read_block(const survey *s, size_t k, double *block, size_t *rows, failure *why) {
  const fanin_dtype dtype = s->t->type->dtype;
  const size_t size = fanin_dtype_size(dtype), width = 2 * k;
  const uint64_t from = (s->columns - width) / 2;
  char *bytes = allocate(width, size);
  int status = STATUS_OK;
  *rows = 0;
  for (size_t i = 0; i < k && status == STATUS_OK; ++i) {
    const uint64_t row = (uint64_t)((double)i / (double)k * (double)s->rows);
    if (s->zero_row && s->zero_row[row]) continue;
    status = tensor_file_read(s->f, s->t->offset + (row * s->columns + from) * size, bytes, width * size, why);
    for (size_t j = 0; j < width; ++j)
      block[*rows * width + j] = stored_value(dtype, bytes + j * size);
    ++*rows;
  }
  free(bytes);
  return status;
}

static double dot(const double *a, const double *b, size_t n) {
  double sum = 0;
  for (size_t j = 0; j < n; ++j)
    sum += a[j] * b[j];
  return sum;
}

/* Takes the mean of all elements away, which would be a direction that all rows have. */
static void centre(double *block, size_t n) {
  double mean = 0;
  for (size_t j = 0; j < n; ++j)
    mean += block[j] / (double)n;
  for (size_t j = 0; j < n; ++j)
    block[j] -= mean;
}

static size_t longest_from(const double *block, size_t from, size_t rows, size_t width) {
  size_t longest = from;
  double most = -1;
  for (size_t i = from; i < rows; ++i) {
    const double length = dot(block + i * width, block + i * width, width);
    if (length <= most) continue;
    most = length;
    longest = i;
  }
  return longest;
}

static size_t rank_of(double *block, size_t rows, size_t width) {
  double first = 0;
  for (size_t r = 0; r < rows; ++r) {
    double *pivot = block + r * width, *longest = block + longest_from(block, r, rows, width) * width;
    for (size_t j = 0; j < width && longest != pivot; ++j) {
      const double kept = pivot[j];
      pivot[j] = longest[j];
      longest[j] = kept;
    }
    const double length = dot(pivot, pivot, width);
    if (r == 0) first = length;
    if (!(length > counts_from * counts_from * first)) return r;
    for (size_t i = r + 1; i < rows; ++i) {
      double *row = block + i * width;
      const double share = dot(row, pivot, width) / length;
      for (size_t j = 0; j < width; ++j)
        row[j] -= share * pivot[j];
    }
  }
  return rows;
}

int test_rank(const survey *s, inspected *t, failure *why) {
  uint64_t k = s->rows < s->columns / 2 ? s->rows : s->columns / 2;
  if (k > MOST) k = MOST;
  if (s->rows < 2 || k < LEAST || fanin_dtype_size(s->t->type->dtype) < 2) return STATUS_OK;
  double *block = allocate((size_t)(2 * k * k), sizeof *block);
  size_t rows = 0;
  const int status = read_block(s, (size_t)k, block, &rows, why);
  if (status == STATUS_OK && rows >= LEAST) {
    centre(block, rows * 2 * (size_t)k);
    const double rank = (double)rank_of(block, rows, 2 * (size_t)k), all = (double)rows;
    t->tests[TEST_RANK] = (test_result){rank, all, rank < 0.9 * all ? -DEVIATE_MOST : 0};
  }
  free(block);
  return status;
}
