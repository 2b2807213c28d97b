/* The dtypes as sets of numbers: the largest, and the nearest ones below and above a given double. */
#include "tensor/dtype.h"

#include <float.h>
#include <math.h>

/* Binary floating point: `digits` significant bits, numbers are multiples of 2^least, the largest finite one. */
static const struct {
  int digits, least;
  double largest;
} FORMATS[FANIN_DTYPE_COUNT] = {
    [FANIN_DTYPE_F32] = {24, -149, 0x1.fffffep+127},
    [FANIN_DTYPE_F16] = {11, -24, 65504.0},
    [FANIN_DTYPE_BF16] = {8, -133, 0x1.fep+127},
    [FANIN_DTYPE_F64] = {53, -1074, DBL_MAX},
};

double fanin__largest(fanin_dtype dtype) {
  return FORMATS[dtype].largest;
}

double fanin__most(fanin_dtype dtype, double x) {
  if (x >= FORMATS[dtype].largest) return FORMATS[dtype].largest;
  if (x == 0.0) return 0.0; /* never -0: which of two zeros a clamp gives is the device's choice */
  if (dtype == FANIN_DTYPE_F64 || isinf(x)) return x;
  int exponent = 0;
  (void)frexp(x, &exponent); /* 2^(exponent - 1) <= |x| < 2^exponent */
  const int step =
      exponent - FORMATS[dtype].digits > FORMATS[dtype].least ? exponent - FORMATS[dtype].digits : FORMATS[dtype].least;
  const double below = ldexp(floor(ldexp(x, -step)), step);
  return below < -FORMATS[dtype].largest ? -INFINITY : below;
}

double fanin__least(fanin_dtype dtype, double x) {
  return 0.0 - fanin__most(dtype, -x);
}
