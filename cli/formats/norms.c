/* Norms of the slices of a tensor. */
#include "formats/norms.h"

#include <math.h>
#include <stdlib.h>

#include "base/dtype.h"

bool norms_fit(int rank, const uint64_t *shape, int of_rank, const uint64_t *of_shape) {
  if (rank == 1 && of_rank > 1) return shape[0] == of_shape[0];
  bool fits = rank == 0 || rank == of_rank;
  for (int d = 0; d < rank && fits; ++d)
    fits = shape[d] == 1 || shape[d] == of_shape[d];
  return fits;
}

/* Whether dimension d of the other tensor is summed over: of a vector, all but the first are. */
static bool is_summed(int rank, const uint64_t *shape, int of_rank, int d) {
  return rank == of_rank ? shape[d] == 1 : rank == 0 || d > 0;
}

/* Dimensions that lie side by side and are summed over become one, so that long runs go into one sum. */
void norms_begin(norms *n, int rank, const uint64_t *shape, fanin_dtype dtype, int of_rank, const uint64_t *of_shape) {
  *n = (norms){.dtype = dtype, .numbers = stored_numbers(dtype), .rank = 1, .shape = {1}, .count = 1};
  for (int d = 0; d < of_rank; ++d) {
    const bool summed = is_summed(rank, shape, of_rank, d);
    const int last = n->rank - 1;
    if (summed && n->step[last] == 0) {
      n->shape[last] *= of_shape[d];
    } else {
      n->shape[n->rank] = of_shape[d];
      n->step[n->rank++] = !summed;
    }
  }
  for (int d = n->rank - 1; d >= 0; --d) {
    if (n->step[d] == 0) continue;
    n->step[d] = n->count;
    n->count *= (size_t)n->shape[d];
  }
  n->sums = allocate(n->count, sizeof *n->sums);
}

/* Adds some elements of one run of the last dimension. */
static void add_run(norms *n, const char *bytes, uint64_t elements) {
  const size_t size = fanin_dtype_size(n->dtype), step = n->step[n->rank - 1];
  size_t first = 0;
  for (int d = 0; d < n->rank; ++d)
    first += (size_t)n->at[d] * n->step[d];
  double *sum = n->sums + first;
  for (uint64_t k = 0; k < elements; ++k, sum += step) {
    const double x = stored_number(n->numbers, n->dtype, bytes + k * size);
    *sum += x * x;
  }
}

void norms_add(norms *n, const char *bytes, uint64_t elements) {
  const int last = n->rank - 1;
  while (elements > 0) {
    const uint64_t left = n->shape[last] - n->at[last], some = left < elements ? left : elements;
    add_run(n, bytes, some);
    bytes += some * fanin_dtype_size(n->dtype);
    elements -= some;
    n->at[last] += some;
    for (int d = last; d > 0 && n->at[d] == n->shape[d]; --d) {
      n->at[d] = 0;
      ++n->at[d - 1];
    }
  }
}

int norms_add_stored(norms *n, const tensor_file *f, const stored_tensor *t, failure *why) {
  enum { PIECE = 1 << 20 };
  char *bytes = allocate(PIECE, 1);
  int status = STATUS_OK;
  for (uint64_t at = 0; at < t->bytes && status == STATUS_OK; at += PIECE) {
    const size_t size = t->bytes - at < PIECE ? (size_t)(t->bytes - at) : PIECE;
    status = tensor_file_read_of(f, t, at, bytes, size, why);
    if (status == STATUS_OK) norms_add(n, bytes, size / fanin_dtype_size(n->dtype));
  }
  free(bytes);
  return status;
}

double norms_number(const norms *n, size_t k) {
  return sqrt(n->sums[k]);
}

void norms_free(norms *n) {
  free(n->numbers);
  free(n->sums);
  *n = (norms){.count = 0};
}
