/* An initializer resolved on a tensor: its law with its numbers, and what a fill needs besides. */
#ifndef HOST_INIT_DISTRIBUTION_H
#define HOST_INIT_DISTRIBUTION_H

#include <stdbool.h>

#include "fanin/inspect.h"

/* The numbers of a ramp, as fanin_init has them. */
typedef struct fanin__ramp {
  double lo, hi, exponent, zigzag, zigzag_exponent;
  uint64_t period, shift;
  bool half_open;
} fanin__ramp;

/* Which table, and its extents. */
typedef struct fanin__tabulated {
  fanin_kind kind;
  fanin_form form;
  double base;
  fanin__ramp ramp;
  uint64_t positions, columns; /* of the last dimension but one, and of the last; of a ramp 1, and all elements */
} fanin__tabulated;

/* All numbers are finite, unless stated, and checked. */
typedef struct fanin__distribution {
  fanin_law law;          /* with lo and hi where the law is cut to them */
  bool centre;            /* orthogonal: at the centre tap alone, 0 elsewhere */
  fanin_per per;          /* sparse: what a line belongs to */
  uint64_t zeros, line;   /* sparse: zeros of a line, and all of its values */
  fanin__tabulated table; /* table */
} fanin__distribution;

/* Checks `init` (NaN, infinities, order, needed fans) and resolves it. fan_avg, modes, gain, corrections all happen
 * here. lo == hi and an std that rounds to 0 become a constant. */
fanin_status fanin__resolve(const fanin_tensor *t, const fanin_init *init, fanin__distribution *out);

#endif
