/* What kernels/sparse.cl takes: lines of weights, of which some become 0. */
#ifndef FANIN_SPARSE_LINES_H
#define FANIN_SPARSE_LINES_H

#include "lib/types.h"

/* Lines (owner, part, matrix) from `first` on, `count` of each, a work-group for each line. A weight has a coordinate
 * in each of four dimensions, of which the first is the longest; one of them, where `cut` is 1, is cut into parts.
 * Indices and places in memory are sums of coordinates times steps. */
typedef struct fanin__sparse_lines {
  cl_ulong4 first, count, line_index, line_memory; /* (owner, part, matrix, -) */
  cl_ulong4 extent, index_stride, memory_stride;   /* of a line's weights */
  cl_ulong4 begin, end;                            /* the coordinates that memory holds: whole dimensions, not parts */
  cl_ulong4 cut;                                   /* 1 for the dimension of parts, else 0 */
  cl_ulong origin;                                 /* where the element with coordinates 0 would be */
  cl_ulong first_index, indices;                   /* memory holds these alone */
  cl_ulong zeros, stream;
  cl_ulong unused[3]; /* fills the struct up to its alignment */
} fanin__sparse_lines;

FANIN__SIZE(fanin__sparse_lines, 384);
FANIN__OFFSET(fanin__sparse_lines, extent, 128);
FANIN__OFFSET(fanin__sparse_lines, cut, 288);
FANIN__OFFSET(fanin__sparse_lines, origin, 320);
FANIN__OFFSET(fanin__sparse_lines, stream, 352);

#endif
