/* An initializer resolved on a tensor: its law with its numbers, and what a fill needs besides. */
#ifndef HOST_INIT_DISTRIBUTION_H
#define HOST_INIT_DISTRIBUTION_H

#include <stdbool.h>

#include "fanin/init.h"

/* All numbers are finite, unless stated, and checked. */
typedef struct fanin__distribution {
  fanin_law law;        /* lo and hi: where the law is uniform or trunc_normal. orthogonal: `value` is the length of
                           rows or columns; bilinear: the gain; hadamard: the magnitude */
  bool centre;          /* orthogonal: at the centre tap alone, 0 elsewhere */
  double a, b;          /* trunc_normal: in sigma of the normal that is cut, a < b, may be infinite */
  fanin_per per;        /* sparse: what a line belongs to */
  uint64_t zeros, line; /* sparse: zeros of a line, and all of its values */
} fanin__distribution;

/* Checks `init` (NaN, infinities, order, needed fans) and resolves it. fan_avg, modes, gain, corrections all happen
 * here; std 0 and lo == hi become a constant. */
fanin_status fanin__resolve(const fanin_tensor *t, const fanin_init *init, fanin__distribution *out);

#endif
