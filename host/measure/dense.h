/* Passes over a dense tensor that reduce it: what their functions check, launch and read back alike. */
#ifndef HOST_MEASURE_DENSE_H
#define HOST_MEASURE_DENSE_H

#include <stdbool.h>

#include "core/launch.h"
#include "fanin/tensor.h"

/* A part in memory without gaps, checked, and where to measure it. */
typedef struct fanin__dense {
  fanin *f;
  cl_command_queue queue;
  cl_mem buffer;
  cl_ulong elements;
  cl_ulong offset;     /* from the buffer's start, in elements */
  bool f64;            /* sums are double, else float */
  const char *options; /* the dtype's, for kernels/lib/dtype.clh */
} fanin__dense;

/* Checks tensor, buffer, density, whether the device has the dtype, the queue and the wait list. */
fanin_status fanin__dense_of(fanin *f, cl_command_queue queue, const fanin_tensor *t, cl_uint n_wait,
                             const cl_event *wait_list, fanin__dense *out);

/* Bytes of one of the kernel's reals. */
size_t fanin__real_size(const fanin__dense *d);
/* Number k of an array of them. */
double fanin__real_at(const fanin__dense *d, const void *reals, size_t k);

#endif
