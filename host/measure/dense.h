/* Passes over a dense tensor that reduce it: what their functions check, launch and read back alike. */
#ifndef HOST_MEASURE_DENSE_H
#define HOST_MEASURE_DENSE_H

#include <stdbool.h>

#include "core/launch.h"
#include "fanin/tensor.h"

/* A part in memory without gaps, checked. */
typedef struct fanin__dense {
  uint64_t elements;
  cl_ulong offset;     /* from the buffer's start, in elements */
  bool f64;            /* sums are double, else float */
  const char *options; /* the dtype's, for kernels/lib/dtype.clh */
} fanin__dense;

/* Checks tensor, buffer, density and whether the device has the dtype. */
fanin_status fanin__dense_of(const fanin *f, const fanin_tensor *t, fanin__dense *out);

/* Bytes of one of the kernel's reals. */
size_t fanin__real_size(const fanin__dense *d);
/* Number k of an array of them. */
double fanin__real_at(const fanin__dense *d, const void *reals, size_t k);

#endif
