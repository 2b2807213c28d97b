/* Tables of numbers: comma-separated text, or a two-dimensional npy file. */
#ifndef CLI_FORMATS_MATRIX_H
#define CLI_FORMATS_MATRIX_H

#include "base/failure.h"

/* rows x columns numbers, row-major. */
typedef struct matrix {
  double *values;
  size_t rows, columns;
} matrix;

/* Reads a file whose name ends in .csv or .npy. All numbers must be finite, all rows equally long, and there must be at
 * least one number. The caller frees `values`. */
int matrix_read(const char *path, matrix *out, failure *why);

#endif
