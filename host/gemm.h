/* Matrix products on the device: CLBlast's SGEMM behind checks that CLBlast lacks. */
#ifndef FANIN_GEMM_H
#define FANIN_GEMM_H

#include "internal.h"

/* FANIN_OK, or FANIN_UNSUPPORTED if fanin was built without CLBlast. */
fanin_status fanin__gemm_available(void);

/* Makes what is enqueued next wait for all that was enqueued before, which in-order queues do by themselves. */
fanin_status fanin__order(cl_command_queue queue);

/* FANIN_UNSUPPORTED if CLBlast cannot count the elements of a product (m, k) by (k, n). */
fanin_status fanin__gemm_check(uint64_t m, uint64_t n, uint64_t k);

/* C (m, n) = alpha A B + beta C with A (m, k), or (k, m) if transposed, and B (k, n), or (n, k) if transposed: f32,
 * row-major, dense, from the buffers' start, all extents at least 1. */
typedef struct fanin__matmul {
  uint64_t m, n, k;
  bool a_transposed, b_transposed;
  float alpha, beta;
  cl_mem a, b, c;
} fanin__matmul;

/* Enqueues it. It begins after everything enqueued before, and what is enqueued next begins after it. */
fanin_status fanin__gemm(fanin *f, cl_command_queue queue, const fanin__matmul *product);

#endif
