/* Matrix products on the device: CLBlast's GEMM behind checks that CLBlast lacks. */
#ifndef HOST_CORE_GEMM_H
#define HOST_CORE_GEMM_H

#include <stdbool.h>

#include "fanin/device.h"

/* FANIN_STATUS_OK, or FANIN_STATUS_UNSUPPORTED if fanin was built without CLBlast. */
fanin_status fanin__gemm_available(void);

/* FANIN_STATUS_UNSUPPORTED if CLBlast cannot count the elements of a product (m, k) by (k, n). */
fanin_status fanin__gemm_check(uint64_t m, uint64_t n, uint64_t k);

/* C (m, n) = alpha A B + beta C with A (m, k), or (k, m) if transposed, and B (k, n), or (n, k) if transposed: f32,
 * row-major, dense, all extents at least 1. */
typedef struct fanin__matmul {
  uint64_t m, n, k;
  bool a_transposed, b_transposed;
  float alpha, beta;
  cl_mem a, b, c;
} fanin__matmul;

/* Enqueues it. It begins after everything enqueued before, and what is enqueued next begins after it. */
fanin_status fanin__gemm(fanin *f, cl_command_queue queue, const fanin__matmul *product);

#endif
