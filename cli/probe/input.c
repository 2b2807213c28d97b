/* The samples that a probe runs on, from a file. */
#include <math.h>
#include <stdlib.h>

#include "probe/report.h"

/* ---- Class labels among the features: the mistake that a table of data invites ----------------------------------- */

enum { MAX_CLASSES = 1000, ROWS_A_CLASS = 5 };

/* Whether a column has whole numbers from 0 or 1 to K - 1 or K, each at least half and at most twice as often as the
 * mean. *first and *last: the smallest and largest. */
static bool looks_like_label(const matrix *m, size_t column, int *first, int *last) {
  size_t counts[MAX_CLASSES + 1] = {0};
  *first = MAX_CLASSES + 1;
  *last = -1;
  for (size_t r = 0; r < m->rows; ++r) {
    const double value = m->values[r * m->columns + column];
    if (!(value >= 0 && value <= MAX_CLASSES) || value != floor(value)) return false;
    const int class = (int)value;
    ++counts[class];
    if (class < *first) *first = class;
    if (class > *last) *last = class;
  }
  if (*first > 1 || *last <= *first) return false;
  const double mean = (double)m->rows / (*last - *first + 1);
  if (mean < ROWS_A_CLASS) return false;
  for (int class = *first; class <= *last; ++class) {
    if ((double)counts[class] < mean / 2 || (double)counts[class] > 2 * mean) return false;
  }
  return true;
}

int input_refuse_label(const char *path, const matrix *m, size_t columns, failure *why) {
  int first, last, first_class = 0, last_class = 0;
  size_t found = 0, label = 0;
  for (size_t c = 0; c < m->columns; ++c) {
    if (!looks_like_label(m, c, &first, &last)) continue;
    ++found;
    label = c;
    first_class = first;
    last_class = last;
  }
  if (found != 1 || label >= columns || m->columns < 2) return STATUS_OK;
  if (label == 0) {
    return fail(why, STATUS_INPUT,
                "--input %s: column 1 looks like a class label (whole numbers %d to %d): take it out, as with "
                "cut -d, -f2-, or give --keep-label if it is a feature",
                path, first_class, last_class);
  }
  if (label + 1 != columns) return STATUS_OK;
  return fail(why, STATUS_INPUT,
              "--input %s: column %zu looks like a class label (whole numbers %d to %d): begin --mlp with %zu to leave "
              "it out, or give --keep-label if it is a feature",
              path, label + 1, first_class, last_class, columns - 1);
}

/* ---- Samples ----------------------------------------------------------------------------------------------------- */

/* Takes the first rows and columns of `m`, subtracts their mean and divides by their std, so that the mean square is 1.
 */
static int standardise(const char *path, const matrix *m, size_t rows, size_t columns, float *out, failure *why) {
  const size_t n = rows * columns;
  double *x = allocate(n, sizeof *x), mean = 0, squares = 0;
  for (size_t i = 0; i < n; ++i) {
    x[i] = m->values[i / columns * m->columns + i % columns];
    mean += x[i] / (double)n;
  }
  for (size_t i = 0; i < n; ++i)
    squares += (x[i] - mean) * (x[i] - mean) / (double)n;
  const double factor = 1 / sqrt(squares);
  for (size_t i = 0; i < n; ++i)
    out[i] = (float)((x[i] - mean) * factor);
  free(x);
  if (squares > 0 && isfinite(squares)) return STATUS_OK;
  return fail(why, STATUS_INPUT, "%s: its values have std %g and cannot be standardised", path, sqrt(squares));
}

/* The mean cosine of two different rows. The squared norm of the sum of n unit vectors is n plus all their cosines. */
static double mean_cosine(const float *x, size_t rows, size_t columns) {
  double *sum = allocate(columns, sizeof *sum), square = 0, n = 0;
  for (size_t r = 0; r < rows; ++r) {
    const float *row = x + r * columns;
    double norm = 0;
    for (size_t c = 0; c < columns; ++c)
      norm += (double)row[c] * (double)row[c];
    if (!(norm > 0)) continue; /* a row of zeros has no direction */
    ++n;
    for (size_t c = 0; c < columns; ++c)
      sum[c] += (double)row[c] / sqrt(norm);
  }
  for (size_t c = 0; c < columns; ++c)
    square += sum[c] * sum[c];
  free(sum);
  return n > 1 ? (square - n) / (n * (n - 1)) : NAN;
}

int input_load(const char *path, uint64_t columns, uint64_t most, bool keep_label, input *out, failure *why) {
  matrix m;
  *out = (input){0};
  int status = matrix_read(path, &m, why);
  if (status != STATUS_OK) return status;
  if (m.columns < columns) {
    status = fail(why, STATUS_INPUT, "--input %s: has %zu columns, but --mlp begins with %llu features", path,
                  m.columns, (unsigned long long)columns);
  } else if (!keep_label) {
    status = input_refuse_label(path, &m, (size_t)columns, why);
  }
  if (status == STATUS_OK) {
    out->batch = m.rows < most ? m.rows : most;
    out->columns_left = m.columns - columns;
    out->values = allocate((size_t)(out->batch * columns), sizeof *out->values);
    status = standardise(path, &m, (size_t)out->batch, (size_t)columns, out->values, why);
  }
  if (status == STATUS_OK) out->correlation = mean_cosine(out->values, (size_t)out->batch, (size_t)columns);
  free(m.values);
  return status;
}
