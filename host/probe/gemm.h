/* Matrix products on the device, by kernels/gemm.cl, in an order that does not depend on the device. */
#ifndef HOST_PROBE_GEMM_H
#define HOST_PROBE_GEMM_H

#include <stdbool.h>

#include "fanin/device.h"

/* C (m, n) = alpha A B + beta C with A (m, k), or (k, m) if transposed, and B (k, n), or (n, k) if transposed: f32,
 * row-major, dense, all extents at least 1. With beta 0, what is in C before does not count. */
typedef struct fanin__matmul {
  uint64_t m, n, k;
  bool a_transposed, b_transposed;
  float alpha, beta;
  cl_mem a, b, c;
} fanin__matmul;

/* Enqueues it. It begins after everything enqueued before, and what is enqueued next begins after it. */
fanin_status fanin__gemm(fanin *f, cl_command_queue queue, const fanin__matmul *product);

#endif
