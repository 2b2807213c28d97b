/* What kernels/pattern.cl takes: a box of coordinates, and where it lies in memory. */
#ifndef FANIN_PLACES_H
#define FANIN_PLACES_H

#include "lib/types.h"

/* The box is cut into rows along one dimension. Vectors hold (B, O, I, D, H, W, -, -), with extents of 1 where the
 * layout has no such letter. A row's number unfolds, W first. A task is `piece` consecutive elements of a row. */
typedef struct fanin__places {
  cl_ulong8 start;
  cl_ulong8 extent; /* 1 for the dimension of rows */
  cl_ulong8 memory_stride;
  cl_ulong8 along;  /* 1 for the dimension of rows, else 0 */
  cl_ulong8 matrix; /* extents of a matrix: outputs and inputs of a group and a split, and the taps */
  cl_ulong origin;  /* of the element at the start, in the buffer */
  cl_ulong length;  /* of a row */
  cl_ulong piece, pieces, tasks;
  cl_ulong unused[3]; /* fills the struct up to its alignment */
} fanin__places;

FANIN__SIZE(fanin__places, 384);
FANIN__OFFSET(fanin__places, matrix, 256);
FANIN__OFFSET(fanin__places, origin, 320);
FANIN__OFFSET(fanin__places, tasks, 352);

#endif
