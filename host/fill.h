/* What filling needs beside internal.h: its parameters, and where the ones of identity and dirac are. */
#ifndef FANIN_FILL_H
#define FANIN_FILL_H

#include "parameters.h"

/* The ones of identity and dirac: diagonal * parts * batches of them, at B = b, O = k part_o + d, I = k part_i + d and
 * the taps' centre. Arrays hold (B, O, I). */
typedef struct fanin__delta {
  bool any;                              /* 0: the part has none */
  uint64_t diagonal, parts, batches;     /* d, k and b run below these */
  uint64_t part_o, part_i;               /* what a part adds to the O and to the I index */
  uint64_t index_stride[3], tap_index;   /* in the whole tensor; the taps' centre */
  uint64_t start[3], extent[3];          /* of what memory holds */
  uint64_t memory_stride[3], tap_memory; /* in memory, in elements; the taps' centre */
} fanin__delta;

fanin_status fanin__delta_of(const fanin_tensor *t, fanin__delta *out);

#endif
