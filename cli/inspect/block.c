/* Blocks of a matrix: some of its rows and columns, read on the host, for tests whose cost must not grow with the
 * tensor. */
#include "inspect/block.h"

#include <stdlib.h>

static const double small_mean = 0.1; /* in units of std */

/* The columns of zeros are left out, as the rows are. */
static size_t keep_columns(const survey *s, uint64_t from, size_t width, uint64_t *kept) {
  size_t n = 0;
  for (uint64_t c = from; c < from + width; ++c) {
    if (!s->zero_column || !s->zero_column[c]) kept[n++] = c;
  }
  return n;
}

int block_read(const survey *s, size_t most_rows, size_t most_columns, block *out, failure *why) {
  const fanin_dtype dtype = s->t->type->dtype;
  const size_t size = fanin_dtype_size(dtype);
  const size_t rows = s->rows < most_rows ? (size_t)s->rows : most_rows;
  const size_t width = s->columns < most_columns ? (size_t)s->columns : most_columns;
  const uint64_t from = (s->columns - width) / 2;
  char *bytes = allocate(width, size);
  int status = STATUS_OK;
  *out = (block){.column_numbers = allocate(width + 1, sizeof *out->column_numbers)};
  out->columns = keep_columns(s, from, width, out->column_numbers);
  out->values = allocate(rows * out->columns + 1, sizeof *out->values);
  out->row_numbers = allocate(rows + 1, sizeof *out->row_numbers);
  for (size_t i = 0; i < rows && status == STATUS_OK; ++i) {
    const uint64_t row = i * s->rows / rows; /* at most 2^17 * 2^22 */
    if (s->zero_row && s->zero_row[row]) continue;
    status = tensor_file_read_of(s->f, s->t, (row * s->columns + from) * size, bytes, width * size, why);
    double *to = out->values + out->rows * out->columns;
    for (size_t j = 0; j < out->columns; ++j)
      to[j] = stored_value(dtype, bytes + (out->column_numbers[j] - from) * size);
    out->row_numbers[out->rows++] = row;
  }
  free(bytes);
  return status;
}

void block_centre(block *b, const survey *s, bool always) {
  const double shift = s->by.shift, scale = s->by.scale;
  if (!always && shift * scale < small_mean && shift * scale > -small_mean) return;
  for (size_t k = 0; k < b->rows * b->columns; ++k)
    b->values[k] = (b->values[k] - shift) * scale;
}

void block_transpose(block *b) {
  double *values = allocate(b->rows * b->columns + 1, sizeof *values);
  for (size_t i = 0; i < b->rows; ++i) {
    for (size_t j = 0; j < b->columns; ++j)
      values[j * b->rows + i] = b->values[i * b->columns + j];
  }
  free(b->values);
  *b = (block){values, b->columns, b->rows, b->column_numbers, b->row_numbers};
}

double block_dot(const double *a, const double *b, size_t n) {
  double sum[4] = {0};
  size_t j = 0;
  for (; j + 4 <= n; j += 4) {
    for (size_t k = 0; k < 4; ++k)
      sum[k] += a[j + k] * b[j + k];
  }
  for (; j < n; ++j)
    sum[0] += a[j] * b[j];
  return sum[0] + sum[1] + sum[2] + sum[3];
}

void block_free(block *b) {
  free(b->values);
  free(b->row_numbers);
  free(b->column_numbers);
  *b = (block){0};
}
