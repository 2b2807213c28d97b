/* Orthogonal matrices as products of Householder reflectors, on the device: the linear algebra behind `orthogonal`. */
#ifndef HOST_FILL_REFLECT_H
#define HOST_FILL_REFLECT_H

#include <stdbool.h>

#include "fanin/device.h"

/* `count` matrices of height >= width >= 1. Number (l, s) of matrix k is at k * height * width + l * row_step + s *
 * column_step. */
typedef struct fanin__stack {
  uint64_t count, height, width, row_step, column_step;
  bool f64;
  cl_mem matrices; /* the normals, which the product replaces */
  cl_mem panels;   /* the reflectors' vectors */
  cl_mem products; /* of those with one another */
  cl_mem between;  /* columns of the product on their way */
  cl_mem tau, sign;
  size_t bytes; /* of all that */
} fanin__stack;

/* FANIN_STATUS_UNSUPPORTED if the extents are out of reach. */
fanin_status fanin__stack_check(uint64_t height, uint64_t width);

/* Allocates for s->count, height, width and f64, the buffers being NULL. On failure nothing is left. */
fanin_status fanin__stack_make(fanin *f, fanin__stack *s);
/* Right after enqueueing too: what is enqueued keeps the memory that it needs. */
void fanin__stack_release(fanin__stack *s);

/* Enqueues, after everything enqueued before and before everything enqueued next: of each of the first `count` matrices
 * of s->matrices, column s from row s on is the vector x of docs/stream.md, section 8; the matrix that is made of them
 * there takes their place. */
fanin_status fanin__reflect(fanin *f, cl_command_queue queue, const fanin__stack *s, uint64_t count);

/* Compiles the kernels. */
fanin_status fanin__reflect_compile(fanin *f, bool f64);

#endif
