/* How each family of distributions is filled: its numbers for kernels/fill.cl, and who makes what that kernel cannot.
 */
#ifndef HOST_FILL_FILLER_H
#define HOST_FILL_FILLER_H

#include <stdbool.h>

#include "fill/parameters.h"

typedef struct fanin__job fanin__job;

/* Who fills what launches over rows of one distribution cannot fill, or not alone: orthogonal.c, sparse.c, pattern.c.
 */
typedef struct fanin__maker {
  /* Whether it writes over what launches over rows have written, zeros or normals. NULL: it does not. */
  bool (*over_rows)(const fanin__distribution *d);
  /* Validates what it needs of the tensor. */
  fanin_status (*check)(const fanin_tensor *t, const fanin__distribution *d);
  /* The unit that it makes at once, as fanin_tensor_units() describes it: extents, and operations for one. NULL: one
   * element, no operations. */
  fanin_status (*unit)(const fanin_tensor *t, const fanin__distribution *d, uint64_t *extent, double *operations);
  /* Enqueues after everything enqueued before on job->tensor's part, and before everything enqueued next. */
  fanin_status (*fill)(fanin *f, cl_command_queue queue, const fanin__job *job, uint64_t seed);
  /* Compiles its kernels. */
  fanin_status (*compile)(fanin *f, const fanin__job *job);
  /* Runs what fill() needs on scratch memory. */
  fanin_status (*warm)(fanin *f, cl_command_queue queue, const fanin__job *job);
} fanin__maker;

typedef struct fanin__filling {
  fanin_status (*parameters)(const fanin__distribution *d, fanin_dtype dtype, fanin__parameters *out);
  const fanin__maker *maker; /* NULL: one launch does it, and for ones a second */
} fanin__filling;

const fanin__filling *fanin__filling_of(const fanin__distribution *d);

/* orthogonal.c, sparse.c, pattern.c */
extern const fanin__maker fanin__orthogonal_maker, fanin__sparse_maker, fanin__pattern_maker;

/* parameters.c */
fanin_status fanin__parameters_constant(const fanin__distribution *d, fanin_dtype dtype, fanin__parameters *out);
fanin_status fanin__parameters_uniform(const fanin__distribution *d, fanin_dtype dtype, fanin__parameters *out);
fanin_status fanin__parameters_normal(const fanin__distribution *d, fanin_dtype dtype, fanin__parameters *out);
fanin_status fanin__parameters_trunc_normal(const fanin__distribution *d, fanin_dtype dtype, fanin__parameters *out);
/* Zeros, for a maker to write over numbers up to d->value. */
fanin_status fanin__parameters_zeros(const fanin__distribution *d, fanin_dtype dtype, fanin__parameters *out);

#endif
