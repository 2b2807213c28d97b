/* An initializer resolved on a tensor: a distribution with its numbers. */
#ifndef HOST_INIT_DISTRIBUTION_H
#define HOST_INIT_DISTRIBUTION_H

#include <stdbool.h>

#include "fanin/init.h"

/* What there is to know of each family is a row of family.c. */
typedef enum fanin__family {
  FANIN__CONSTANT,
  FANIN__UNIFORM,
  FANIN__NORMAL,
  FANIN__TRUNC_NORMAL,
  FANIN__DELTA,
  FANIN__ORTHOGONAL,
  FANIN__SPARSE,
  FANIN__BILINEAR,
  FANIN__HADAMARD,
  FANIN__FAMILY_COUNT
} fanin__family;

/* All numbers are finite, unless stated, and checked. */
typedef struct fanin__distribution {
  fanin__family family;
  double value;     /* FANIN__CONSTANT; FANIN__DELTA: the value of the ones (identity, dirac);
                       FANIN__ORTHOGONAL: the length of the rows or columns; FANIN__BILINEAR: the gain;
                       FANIN__HADAMARD: the magnitude */
  bool centre;      /* FANIN__ORTHOGONAL: at the centre tap alone, 0 elsewhere */
  double lo, hi;    /* FANIN__UNIFORM, FANIN__TRUNC_NORMAL: no value is outside; the latter's may be infinite */
  double mean, std; /* FANIN__NORMAL, FANIN__SPARSE; FANIN__TRUNC_NORMAL: of the normal that is cut */
  double a, b;      /* FANIN__TRUNC_NORMAL: in sigma of the normal that is cut, a < b, may be infinite */
  fanin_per per;    /* FANIN__SPARSE: what a line belongs to; how many zeros it has, of how many values */
  uint64_t zeros, line;
} fanin__distribution;

/* Checks `init` (NaN, infinities, order, needed fans) and resolves it. fan_avg, modes, gain, corrections all happen
 * here. lo == hi and an std that rounds to 0 become FANIN__CONSTANT. */
fanin_status fanin__resolve(const fanin_tensor *t, const fanin_init *init, fanin__distribution *out);

#endif
