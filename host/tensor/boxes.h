/* A tensor's part as boxes of coordinates, and the matrices that a tensor consists of. */
#ifndef HOST_TENSOR_BOXES_H
#define HOST_TENSOR_BOXES_H

#include <stdbool.h>

#include "tensor/layout.h"

/* A slab is one box; a range of the row-major order is at most this many. */
enum { FANIN__MOST_BOXES = 2 * FANIN_MAX_RANK };

/* Coordinates start .. start + extent of every dimension; the one at the start is `base` elements into memory. */
typedef struct fanin__box {
  uint64_t start[FANIN_MAX_RANK], extent[FANIN_MAX_RANK];
  uint64_t stride[FANIN_MAX_RANK]; /* in memory */
  uint64_t base;
} fanin__box;

typedef struct fanin__boxes {
  fanin__box all[FANIN__MOST_BOXES];
  int n;
} fanin__boxes;

/* What memory holds of `t`. */
void fanin__boxes_of(const fanin_tensor *t, const fanin__roles *roles, fanin__boxes *out);

/* A stack of matrices, each of parts (groups, splits) that lie one after another along the dimension that counts them
 * all, each with the whole of the other. */
typedef struct fanin__matrices {
  fanin__roles roles;
  int stack;                /* dimension B, or -1 */
  uint64_t stacked, parts;  /* matrices, parts of each */
  uint64_t outputs, inputs; /* of a part */
  uint64_t part_o, part_i;  /* where part k begins: at k part_o, k part_i; 0 along a dimension that is not cut */
} fanin__matrices;

/* The layout has O and I. FANIN_STATUS_BAD_SHAPE where groups and splits cut different dimensions. */
fanin_status fanin__matrices_of(const fanin_tensor *t, fanin__matrices *out);

/* A part of a matrix as vectors: as many as its shorter side counts, of as many numbers as its longer side. */
typedef struct fanin__sides {
  uint64_t taps;          /* that a matrix spans */
  uint64_t width, height; /* how many vectors, of how many numbers */
  bool tall;              /* more outputs than columns (inputs * taps): the columns are the vectors */
} fanin__sides;

/* `centre`: of the centre tap alone. */
fanin__sides fanin__sides_of(const fanin__matrices *matrices, bool centre);

#endif
