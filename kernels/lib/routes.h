/* What kernels/scatter.cl takes: where elements of matrices go in a tensor's memory. */
#ifndef FANIN_ROUTES_H
#define FANIN_ROUTES_H

#include "lib/types.h"

/* Rows of elements: `length` of them, steps apart in the matrices and in memory. A row's number unfolds, innermost
 * dimension first. A task is `piece` consecutive elements of a row. */
typedef struct fanin__routes {
  cl_ulong8 extent, matrix_stride, memory_stride; /* of the dimensions over rows */
  cl_ulong from, to;                              /* of the first element: in the matrices, and in the buffer */
  cl_ulong length, matrix_step, memory_step;
  cl_ulong piece, pieces; /* pieces of a row */
  cl_ulong tasks;
  cl_uint rank;
  cl_uint unused[15]; /* fills the struct up to its alignment */
} fanin__routes;

FANIN__SIZE(fanin__routes, 320);
FANIN__OFFSET(fanin__routes, memory_stride, 128);
FANIN__OFFSET(fanin__routes, from, 192);
FANIN__OFFSET(fanin__routes, tasks, 248);
FANIN__OFFSET(fanin__routes, rank, 256);

#endif
