/* All that the library knows of a dtype, in one table. */
#ifndef HOST_TENSOR_DTYPE_H
#define HOST_TENSOR_DTYPE_H

#include <stdbool.h>

#include "fanin/tensor.h"

typedef struct fanin__dtype {
  fanin_dtype_info info;
  const char *aliases; /* further names that fanin_dtype_parse() takes: "float32, fp32" */
  const char *option;  /* "-D F16": what kernels/lib/dtype.clh is compiled with */
  bool device_rounds;  /* to the dtype by a conversion of the device's own; else by integers, or not at all */
} fanin__dtype;

/* Refuses a value that is no dtype. */
fanin_status fanin__known_dtype(fanin_dtype dtype);

/* The row of a valid dtype. */
const fanin__dtype *fanin__dtype_of(fanin_dtype dtype);

/* Whether values are computed in double before they are stored; else they are computed in float and rounded once. */
static inline bool fanin__is_double(fanin_dtype dtype) {
  return fanin__dtype_of(dtype)->info.needs_fp64;
}

/* "f32, f16 or bf16": the dtypes that are computed in float, with a word before the last one. Returns `out`. */
enum { FANIN__DTYPE_LIST = 256 };
const char *fanin__float_dtypes(const char *word, char out[FANIN__DTYPE_LIST]);

double fanin__most(fanin_dtype dtype, double x);  /* the largest number of the dtype that is <= x; -infinity: none */
double fanin__least(fanin_dtype dtype, double x); /* the smallest that is >= x; infinity: none */

/* The number with these bits, of a dtype of at most 16 bits. */
double fanin__narrow_number(fanin_dtype dtype, uint32_t bits);

#endif
