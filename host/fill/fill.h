/* A fill, prepared: everything that kernels/fill.cl needs to know about a tensor, checked. Shared by single fills and
 * plans. */
#ifndef HOST_FILL_FILL_H
#define HOST_FILL_FILL_H

#include <stdbool.h>

#include "core/context.h"
#include "core/queue.h"
#include "fill/filler.h"
#include "tensor/boxes.h"

/* The number of elements in the unit of work of the fill kernels: CHUNK of kernels/lib/store.clh. */
uint64_t fanin__chunk(const fanin *f, fanin_dtype dtype);

/* Twin of `rows` in kernels/fill.cl. */
typedef struct fanin__rows {
  cl_ulong8 extent, index_stride, memory_stride;
  cl_uint rank, repeat;
  cl_ulong count, origin, first_index, length, stride, chunks, stream;
} fanin__rows;

/* Twin of `diagonal` in kernels/fill.cl: the ones of identity and dirac in a box of coordinates. `first` and `count`
 * hold (d, k, b, -), the other vectors (B, O, I, -). */
typedef struct fanin__ones {
  cl_ulong4 first, count, start, extent, memory_stride;
  cl_ulong2 part;
  cl_ulong origin, unused;
} fanin__ones;

/* Where the ones in what memory holds of `t` are: at most FANIN__MOST_BOXES, none of them empty. Origins count from the
 * part's first element. */
fanin_status fanin__ones_of(const fanin_tensor *t, fanin__ones *out, int *n);

/* Of one box. */
static inline uint64_t fanin__items_of(const fanin__ones *ones) {
  return ones->count.s[0] * ones->count.s[1] * ones->count.s[2];
}

struct fanin__job {
  cl_mem buffer;
  fanin_dtype dtype;
  uint64_t elements;         /* 0: nothing to do */
  const fanin__maker *maker; /* who makes it, of `tensor` and `distribution`; NULL: nobody but the launches below */
  fanin_tensor tensor;
  fanin__distribution distribution;
  fanin__parameters parameters; /* of the fill of rows; zeros where ones, or a maker's numbers, follow */
  fanin__rows rows;             /* no chunks: a maker does it all */
  fanin__parameters one;        /* of the ones */
  int n_ones;                   /* boxes of them */
  fanin__ones ones[FANIN__MOST_BOXES];
};

/* Validates everything about a fill of `t` except for its queue. Without a buffer (t->buffer NULL, allowed only where
 * `needs_buffer` is false) the origin counts from t->offset all the same. */
fanin_status fanin__job_of(const fanin *f, const fanin_tensor *t, const fanin_init *init, uint64_t stream,
                           bool needs_buffer, fanin__job *out);

/* p as the kernels take it, float16 or double16 by dtype; returns its size. `out` has room for 16 doubles. */
size_t fanin__pack_parameters(fanin_dtype dtype, const fanin__parameters *parameters, void *out);

/* Enqueues one launch for job->rows. */
fanin_status fanin__fill_rows(fanin *f, const fanin__when *when, const fanin__job *job, uint64_t seed);

/* Enqueues a job that has a maker: rows, if there are any, then what the maker makes. */
fanin_status fanin__fill_made(fanin *f, const fanin__when *when, const fanin__job *job, uint64_t seed);

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
