/* How each law is filled: its numbers for kernels/fill.cl, and the filler of what that kernel cannot do. */
#ifndef HOST_FILL_FILLER_H
#define HOST_FILL_FILLER_H

#include <stdbool.h>

#include "init/distribution.h"
#include "tensor/boxes.h"

/* What kernels/fill.cl is compiled with and called with for a distribution and dtype. */
typedef struct fanin__parameters {
  char options[32]; /* "-D UNIFORM -D F32": the distribution and the dtype */
  double p[16];     /* in the order that the distribution of kernels/fill.cl states */
} fanin__parameters;

typedef struct fanin__job fanin__job;

/* Fills what a launch over rows of one distribution cannot fill, or cannot fill alone: orthogonal.c, sparse.c,
 * pattern.c. */
typedef struct fanin__filler {
  /* Validates what it needs of the tensor besides matrices. NULL: nothing. */
  fanin_status (*check)(const fanin__job *job);
  /* The unit of a matrix that it makes at once, as fanin_tensor_units() describes it: outputs, inputs, and operations
   * for one. NULL: one element, no operations. */
  void (*unit)(const fanin__matrices *m, const fanin__distribution *d, uint64_t *outputs, uint64_t *inputs,
               double *operations);
  /* Enqueues after everything enqueued before on job->tensor's part, and before everything enqueued next. */
  fanin_status (*fill)(fanin *f, cl_command_queue queue, const fanin__job *job, uint64_t seed);
  /* Compiles its kernels. */
  fanin_status (*compile)(fanin *f, const fanin__job *job);
  /* Outputs and inputs of the smallest matrix for which fill() needs what it needs for the job, at least 2. NULL: 2. */
  uint64_t (*least_side)(const fanin__job *job);
} fanin__filler;

typedef struct fanin__filling {
  /* Sets what is not 0. FANIN_STATUS_BAD_ARGUMENT where the dtype cannot hold the distribution's values. */
  fanin_status (*parameters)(const fanin__distribution *d, fanin_dtype dtype, fanin__parameters *out);
  const fanin__filler *filler; /* NULL: one launch over rows does it */
  bool over_rows;              /* the filler writes over what a launch over rows has written: zeros or normals */
} fanin__filling;

/* parameters.c */
const fanin__filling *fanin__filling_of(const fanin__distribution *d);

/* orthogonal.c, sparse.c, pattern.c */
extern const fanin__filler fanin__orthogonal_filler, fanin__sparse_filler, fanin__pattern_filler;

#endif
