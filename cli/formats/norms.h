/* Norms of the slices of a tensor: what weight normalization calls g, of its v. docs/stream.md, section 10, says
 * how they are summed up. */
#ifndef CLI_FORMATS_NORMS_H
#define CLI_FORMATS_NORMS_H

#include "formats/tensor_file.h"

/* The most norms of a tensor. They bound the memory. */
enum { NORMS_MOST = 1 << 24 };

/* The sums of squares of a tensor whose elements pass by in ascending order. */
typedef struct norms {
  fanin_dtype dtype; /* of the elements */
  double *numbers;   /* stored_numbers() of it */
  int rank; /* one of extent 1 and the tensor's dimensions, but for those that were put together with the one before */
  uint64_t shape[STORED_MAX_RANK + 1], at[STORED_MAX_RANK + 1]; /* `at`: the element that is next */
  size_t step[STORED_MAX_RANK + 1]; /* from one sum to that of the next coordinate; 0: both are in one sum */
  double *sums;
  size_t count;
} norms;

/* Whether a tensor of the first shape has norms of one of the second: it has an extent of 1 in each dimension that is
 * summed over, and else the other's; or it is a vector, with one norm for each index of the other's first dimension; or
 * a scalar, with the norm of all elements. */
bool norms_fit(int rank, const uint64_t *shape, int of_rank, const uint64_t *of_shape);

/* Begins with sums of 0. The shapes must fit, and the first one has at most NORMS_MOST elements. */
void norms_begin(norms *n, int rank, const uint64_t *shape, fanin_dtype dtype, int of_rank, const uint64_t *of_shape);

/* Adds the squares of the next elements. */
void norms_add(norms *n, const char *bytes, uint64_t elements);

/* Adds those of a tensor of an open file. */
int norms_add_stored(norms *n, const tensor_file *f, const stored_tensor *t, failure *why);

/* The norm number k. It is not finite where an element is not, or a sum is too large for a double. */
double norms_number(const norms *n, size_t k);

void norms_free(norms *n);

#endif
