/* Matrix products on the device: CLBlast's GEMM behind checks that CLBlast lacks. */
#ifndef HOST_CORE_GEMM_H
#define HOST_CORE_GEMM_H

#include <stdbool.h>

#include "fanin/device.h"

/* FANIN_STATUS_OK, or FANIN_STATUS_UNSUPPORTED if fanin was built without CLBlast. */
fanin_status fanin__gemm_available(void);

/* FANIN_STATUS_UNSUPPORTED if CLBlast cannot count the elements of a product (m, k) by (k, n). */
fanin_status fanin__gemm_check(uint64_t m, uint64_t n, uint64_t k);

/* C (m, n) = alpha A B + beta C with A (m, k), or (k, m) if transposed, and B (k, n), or (n, k) if transposed: f32 or
 * f64, row-major, all extents at least 1. Left at 0, matrices are f32, dense, and begin at their buffers' start. */
typedef struct fanin__matmul {
  uint64_t m, n, k;
  bool a_transposed, b_transposed;
  float alpha, beta;
  cl_mem a, b, c;
  bool f64;
  uint64_t a_offset, b_offset, c_offset; /* of the first element, in elements */
  uint64_t a_pitch, b_pitch, c_pitch;    /* elements from row to row; 0: dense */
  cl_mem scratch; /* of fanin__gemm_scratch() bytes; NULL: fanin__gemm() allocates, for each product */
} fanin__matmul;

/* Bytes of scratch memory that CLBlast wants for it, 0 for none. */
fanin_status fanin__gemm_scratch(fanin *f, cl_command_queue queue, const fanin__matmul *product, size_t *bytes);

/* Enqueues it. It begins after everything enqueued before, and what is enqueued next begins after it. */
fanin_status fanin__gemm(fanin *f, cl_command_queue queue, const fanin__matmul *product);

#endif
