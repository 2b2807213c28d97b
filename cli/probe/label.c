/* Class labels among the features: the mistake that a table of data invites. */
#include "probe/label.h"

#include <math.h>
#include <stdbool.h>

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

int label_refuse(const char *path, const matrix *m, size_t columns, failure *why) {
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
