/* Blocks of a matrix: some of its rows and columns, read on the host, for tests whose cost must not grow with the
 * tensor. */
#ifndef CLI_INSPECT_BLOCK_H
#define CLI_INSPECT_BLOCK_H

#include "inspect/survey.h"

typedef struct block {
  double *values;                         /* [rows][columns] */
  size_t rows, columns;                   /* without those that are all zeros */
  uint64_t *row_numbers, *column_numbers; /* of the matrix */
} block;

/* Reads at most so many rows, which are spread over the matrix, and of each at most so many elements from its middle.
 * The dtype is one that is measured. Ends with block_free(), also after a failure. */
int block_read(const survey *s, size_t most_rows, size_t most_columns, block *out, failure *why);

/* Standardises the values by the tensor's mean and std. With `always` false, only where the mean is not near 0. */
void block_centre(block *b, const survey *s, bool always);

/* Makes columns of rows, and rows of columns. */
void block_transpose(block *b);

/* The sum of the products of two lines of n numbers. */
double block_dot(const double *a, const double *b, size_t n);

void block_free(block *b);

#endif
