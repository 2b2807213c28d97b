/* How each law is filled: its numbers for kernels/fill.cl, and the filler of what that kernel cannot do. */
#ifndef HOST_FILL_FILLER_H
#define HOST_FILL_FILLER_H

#include <stdbool.h>

#include "fill/parameters.h"

typedef struct fanin__job fanin__job;

/* Fills what a launch over rows of one distribution cannot fill, or cannot fill alone: orthogonal.c, sparse.c,
 * pattern.c. */
typedef struct fanin__filler {
  /* Whether it writes over what a launch over rows has written, which is zeros or normals. */
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
} fanin__filler;

typedef struct fanin__filling {
  fanin_status (*parameters)(const fanin__distribution *d, fanin_dtype dtype, fanin__parameters *out);
  const fanin__filler *filler; /* NULL: one launch over rows does it */
} fanin__filling;

/* parameters.c */
const fanin__filling *fanin__filling_of(const fanin__distribution *d);

/* orthogonal.c, sparse.c, pattern.c */
extern const fanin__filler fanin__orthogonal_filler, fanin__sparse_filler, fanin__pattern_filler;

#endif
