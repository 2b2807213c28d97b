/* The samples that a probe runs on, from a file. */
#include "input.h"

#include <math.h>
#include <stdlib.h>

#include "matrix.h"

/* The first rows and columns of `m`, less their mean and divided by their std, so that the mean square is 1. */
static int standardise(const char *path, const matrix *m, size_t rows, size_t columns, float *out, failure *why) {
  const double n = (double)rows * (double)columns;
  double mean = 0, squares = 0;
  for (size_t r = 0; r < rows; ++r) {
    for (size_t c = 0; c < columns; ++c)
      mean += m->values[r * m->columns + c] / n;
  }
  for (size_t r = 0; r < rows; ++r) {
    for (size_t c = 0; c < columns; ++c) {
      const double d = m->values[r * m->columns + c] - mean;
      squares += d * d / n;
    }
  }
  if (!(squares > 0) || !isfinite(squares)) {
    return fail(why, STATUS_INPUT, "%s: its values have std %g and cannot be standardised", path, sqrt(squares));
  }
  const double factor = 1 / sqrt(squares);
  for (size_t r = 0; r < rows; ++r) {
    for (size_t c = 0; c < columns; ++c) {
      out[r * columns + c] = (float)((m->values[r * m->columns + c] - mean) * factor);
    }
  }
  return STATUS_OK;
}

int input_load(const char *path, uint64_t columns, uint64_t *batch, float **out, failure *why) {
  matrix m;
  int status = matrix_read(path, &m, why);
  if (status != STATUS_OK) return status;
  if (m.columns < columns) {
    status = fail(why, STATUS_INPUT, "--input %s: has %zu columns, but --mlp begins with %llu features", path,
                  m.columns, (unsigned long long)columns);
  } else {
    if (m.rows < *batch) *batch = m.rows;
    float *samples = allocate((size_t)(*batch * columns), sizeof *samples);
    status = standardise(path, &m, (size_t)*batch, (size_t)columns, samples, why);
    if (status == STATUS_OK)
      *out = samples;
    else
      free(samples);
  }
  free(m.values);
  return status;
}
