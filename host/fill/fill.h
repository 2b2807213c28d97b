/* A fill, prepared: everything that kernels/fill.cl needs to know about a tensor, checked. Shared by single fills and
 * plans. */
#ifndef HOST_FILL_FILL_H
#define HOST_FILL_FILL_H

#include <stdbool.h>

#include "core/context.h"
#include "core/queue.h"
#include "fill/filler.h"
#include "lib/structs.h"

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

/* Compiles what that needs. */
fanin_status fanin__compile_job(fanin *f, const fanin__job *job);

/* Sets how many chunks an item makes of these rows, in a launch of `chunks` in all. */
void fanin__set_repeat(const fanin *f, uint64_t chunks, fanin__rows *rows);

/* Chunks that a group makes. */
static inline uint64_t fanin__piece(const fanin *f, const fanin__rows *rows) {
  return (uint64_t)f->fill_group * rows->repeat;
}

#endif
