/* The dtypes as sets of numbers. */
#ifndef HOST_TENSOR_DTYPE_H
#define HOST_TENSOR_DTYPE_H

#include "fanin/tensor.h"

double fanin__largest(fanin_dtype dtype);
double fanin__most(fanin_dtype dtype, double x);  /* the largest number of the dtype that is <= x; -infinity: none */
double fanin__least(fanin_dtype dtype, double x); /* the smallest that is >= x; infinity: none */

#endif
