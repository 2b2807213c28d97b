/* What kernels/fill.cl takes: which of a tensor's indices lie where in memory. */
#ifndef FANIN_ROWS_H
#define FANIN_ROWS_H

#include "lib/types.h"

/* Rows of consecutive indices. A row's number unfolds, innermost dimension first, into coordinates of `rank`
 * dimensions. */
typedef struct fanin__rows {
  cl_ulong8 extent, index_stride, memory_stride; /* of the dimensions over rows */
  cl_uint rank;
  cl_uint repeat;       /* chunks that an item makes */
  cl_ulong count;       /* rows */
  cl_ulong origin;      /* where in the buffer the first row is, in elements */
  cl_ulong first_index; /* of the first row, in the whole tensor */
  cl_ulong length;      /* elements of a row */
  cl_ulong stride;      /* from an element of a row to the next, in memory */
  cl_ulong chunks;      /* how many chunks a row touches */
  cl_ulong stream;      /* which random numbers */
} fanin__rows;

FANIN__SIZE(fanin__rows, 256);
FANIN__OFFSET(fanin__rows, index_stride, 64);
FANIN__OFFSET(fanin__rows, memory_stride, 128);
FANIN__OFFSET(fanin__rows, rank, 192);
FANIN__OFFSET(fanin__rows, repeat, 196);
FANIN__OFFSET(fanin__rows, count, 200);
FANIN__OFFSET(fanin__rows, stream, 248);

#endif
