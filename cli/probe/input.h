/* The samples that a probe runs on, from a file. */
#ifndef CLI_PROBE_INPUT_H
#define CLI_PROBE_INPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "formats/matrix.h"

/* The samples of a file. */
typedef struct input {
  float *values; /* batch x columns; free() it */
  uint64_t batch;
  uint64_t columns_left; /* columns of the file that the network does not take */
  double correlation;    /* mean cosine of two different samples; NaN for one */
} input;

/* The first `columns` columns of a .csv or .npy file with a sample a row, at most `most` rows, less their mean and
 * divided by their std, taken over all of them together: the mean square is 1. A column of class labels among them is
 * refused unless `keep_label`. */
int input_load(const char *path, uint64_t columns, uint64_t most, bool keep_label, input *out, failure *why);

/* Fails if the first or the last of the first `columns` columns looks like a class label: the only column of the file
 * with whole numbers 0 .. K-1 or 1 .. K that are about equally frequent. The sentence says what to do. */
int input_refuse_label(const char *path, const matrix *m, size_t columns, failure *why);

#endif
