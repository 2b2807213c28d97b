/* Tables of numbers: comma-separated text, or a two-dimensional npy file. */
#ifndef CLI_FORMATS_MATRIX_H
#define CLI_FORMATS_MATRIX_H

#include "base/failure.h"

/* rows x columns numbers, row-major. */
typedef struct matrix {
  double *values;
  size_t rows, columns;
} matrix;

/* Reads by the name's ending, .csv or .npy. All numbers are finite, every row has as many, and there is at least one.
 * free() values. */
int matrix_read(const char *path, matrix *out, failure *why);

#endif
