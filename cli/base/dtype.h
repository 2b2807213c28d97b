/* What the command asks the library about dtypes. */
#ifndef CLI_BASE_DTYPE_H
#define CLI_BASE_DTYPE_H

#include <stdbool.h>

#include "fanin.h"

/* The description of a dtype that the library has. */
static inline fanin_dtype_info dtype_info(fanin_dtype dtype) {
  fanin_dtype_info info = {.name = NULL};
  (void)fanin_dtype_describe(dtype, &info, sizeof info);
  return info;
}

/* Whether every number of the dtype is a bin of its own of fanin_measure_bins(). */
static inline bool dtype_is_narrow(fanin_dtype dtype) {
  return fanin_dtype_size(dtype) <= 2;
}

#endif
