/* A fill, prepared: everything that kernels/fill.cl needs to know about a tensor, checked. Shared by single fills and
 * plans. */
#ifndef HOST_FILL_FILL_H
#define HOST_FILL_FILL_H

#include <stdbool.h>

#include "core/context.h"
#include "core/queue.h"
#include "init/distribution.h"
#include "lib/structs.h"
#include "tensor/boxes.h"

/* ---- How each law is filled -------------------------------------------------------------------------------------- */

/* What kernels/fill.cl is compiled with and called with for a distribution and dtype. */
typedef struct fanin__parameters {
  char options[32]; /* "-D UNIFORM -D F32": the family and the dtype */
  enum fanin__family family;
  double p[16]; /* in the order that the distribution of kernels/fill.cl states; the last is the family */
} fanin__parameters;

typedef struct fanin__job fanin__job;

/* Room for the build options of a program that fills. */
enum { FANIN__OPTIONS = 128 };

/* Fills what a launch over rows of one distribution cannot fill, or cannot fill alone: orthogonal.c, sparse.c,
 * pattern.c, table.c. */
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
  /* The program that writes its elements, and what that is built with, where it writes all of them. */
  const fanin__source *(*writer)(const fanin__job *job, char options[FANIN__OPTIONS]);
  bool of_rows; /* it works on job->rows alone, and the tensor needs no layout; else job->matrices are there */
  const char *long_loops; /* its name, where an item's loops grow with the tensor; NULL: they do not */
} fanin__filler;

typedef struct fanin__filling {
  /* Sets what is not 0. FANIN_STATUS_BAD_ARGUMENT where the dtype cannot hold the distribution's values. */
  fanin_status (*parameters)(const fanin__distribution *d, fanin_dtype dtype, fanin__parameters *out);
  const fanin__filler *filler; /* NULL: one launch over rows does it */
  bool over_rows;              /* the filler writes over what a launch over rows has written: zeros or normals */
} fanin__filling;

/* parameters.c */
const fanin__filling *fanin__filling_of(const fanin__distribution *d);

/* Bits of families. Every kernel for many tensors makes constants too, so that theirs is not needed beside others. */
#define FANIN__FAMILY_BIT(family) (1u << (family))
enum { FANIN__FAMILY_SETS = 1 << FANIN__FAMILY_COUNT };

/* The build options of kernels/fill.cl for these families: "-D UNIFORM -D NORMAL -D F32". */
void fanin__family_options(unsigned families, fanin_dtype dtype, char *out, size_t size);

/* orthogonal.c, sparse.c, pattern.c, table.c */
extern const fanin__filler fanin__orthogonal_filler, fanin__sparse_filler, fanin__pattern_filler, fanin__table_filler;

/* ---- Jobs -------------------------------------------------------------------------------------------------------- */

/* The number of elements in the unit of work of the fill kernels: CHUNK of kernels/lib/store.clh. */
uint64_t fanin__chunk(const fanin *f, fanin_dtype dtype);

struct fanin__job {
  cl_mem buffer;
  fanin_dtype dtype;
  uint64_t elements;           /* 0: nothing to do */
  const fanin__filler *filler; /* NULL: the launch over rows does it all; else it uses the next three */
  fanin_tensor tensor;
  fanin__matrices matrices;
  fanin__distribution distribution;
  fanin__parameters parameters; /* of the launch over rows; zeros where a filler's numbers follow */
  fanin__rows rows;             /* no chunks: the filler does it all */
};

/* Validates everything about a fill of `t` except for its queue. Without a buffer (t->buffer NULL, allowed only where
 * `needs_buffer` is false) the origin counts from t->offset all the same. */
fanin_status fanin__job_of(const fanin *f, const fanin_tensor *t, const fanin_init *init, uint64_t stream,
                           bool needs_buffer, fanin__job *out);

/* p as the kernels take it, float16 or double16 by dtype; returns its size. `out` has room for 16 doubles. */
size_t fanin__pack_parameters(fanin_dtype dtype, const fanin__parameters *parameters, void *out);

/* Enqueues one launch for job->rows. */
fanin_status fanin__fill_rows(fanin *f, const fanin__when *when, const fanin__job *job, uint64_t seed);

/* Enqueues a job that has a filler: first the rows, if it has any, then what the filler writes. */
fanin_status fanin__run_filler(fanin *f, const fanin__when *when, const fanin__job *job, uint64_t seed);

/* Enqueues all of a job that has a buffer. */
fanin_status fanin__fill_job(fanin *f, const fanin__when *when, const fanin__job *job, uint64_t seed);

/* Sets how many chunks an item makes of these rows, in a launch of `chunks` in all. */
void fanin__set_repeat(const fanin *f, uint64_t chunks, fanin__rows *rows);

/* Chunks that a group makes. */
static inline uint64_t fanin__piece(const fanin *f, const fanin__rows *rows) {
  return (uint64_t)f->fill_group * rows->repeat;
}

/* ---- What a device says of itself (check.c) ---------------------------------------------------------------------- */

/* Runs the kernel `check` of a program that writes elements of `dtype`, and refuses a device whose arithmetic is not
 * what the stream needs: FANIN_STATUS_UNSUPPORTED. Blocking, once for each kind of arithmetic. Nothing is remembered of
 * a device that fails, or if the check could not be run. */
fanin_status fanin__check_arithmetic(fanin *f, fanin_dtype dtype, const fanin__source *source, const char *options);

/* The same, by a program that fills the job. A device that ends long loops early is refused for what has them. Call it
 * before anything is enqueued for the job. */
fanin_status fanin__check_job(fanin *f, const fanin__job *job);

/* The same for kernels that do not fill, and have long loops: `what` is what needs them. */
fanin_status fanin__check_loops(fanin *f, const char *what);

#endif
