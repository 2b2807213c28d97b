/* The guarded call of CLBlast's SGEMM: sizes that CLBlast would cut to int are refused, order is kept on out-of-order
 * queues, and its own error codes get a sentence. */
#include <limits.h>

#include "gemm.h"

fanin_status fanin__order(cl_command_queue queue) {
  cl_command_queue_properties properties = 0;
  cl_int code = clGetCommandQueueInfo(queue, CL_QUEUE_PROPERTIES, sizeof properties, &properties, NULL);
  if (code != CL_SUCCESS) return fanin__fail_cl(code, "clGetCommandQueueInfo of queue");
  if (!(properties & CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE)) return FANIN_OK;
  code = clEnqueueBarrierWithWaitList(queue, 0, NULL, NULL);
  return code == CL_SUCCESS ? FANIN_OK : fanin__fail_cl(code, "clEnqueueBarrierWithWaitList");
}

#ifdef FANIN_HAVE_CLBLAST

#include <clblast_c.h>

fanin_status fanin__gemm_available(void) {
  return FANIN_OK;
}

/* CLBlast counts elements in int, and rounds extents up to its tiles, at most 256 wide. */
static bool fits_int(uint64_t rows, uint64_t columns) {
  const uint64_t limit = INT_MAX - 255, padded_rows = rows + 255, padded_columns = columns + 255;
  return rows <= limit && columns <= limit && padded_rows <= INT_MAX / padded_columns;
}

fanin_status fanin__gemm_check(uint64_t m, uint64_t n, uint64_t k) {
  if (fits_int(m, k) && fits_int(n, k) && fits_int(m, n)) return FANIN_OK;
  return fanin__fail(FANIN_UNSUPPORTED,
                     "a product of %llu x %llu by %llu x %llu; CLBlast takes matrices of fewer than 2^31 elements",
                     (unsigned long long)m, (unsigned long long)k, (unsigned long long)k, (unsigned long long)n);
}

fanin_status fanin__gemm(cl_command_queue queue, uint64_t m, uint64_t n, uint64_t k, cl_mem a, cl_mem b, cl_mem c) {
  FANIN__TRY(fanin__gemm_check(m, n, k));
  FANIN__TRY(fanin__order(queue));
  const CLBlastStatusCode code =
      CLBlastSgemm(CLBlastLayoutRowMajor, CLBlastTransposeNo, CLBlastTransposeYes, (size_t)m, (size_t)n, (size_t)k, 1,
                   a, 0, (size_t)k, b, 0, (size_t)k, 0, c, 0, (size_t)n, &queue, NULL);
  if (code < -1000) {
    return fanin__fail(FANIN_UNSUPPORTED, "CLBlastSgemm of %llu x %llu by %llu x %llu answers %d (see clblast_c.h)",
                       (unsigned long long)m, (unsigned long long)k, (unsigned long long)k, (unsigned long long)n,
                       (int)code);
  }
  if (code != CLBlastSuccess) return fanin__fail_cl((cl_int)code, "CLBlastSgemm");
  return fanin__order(queue);
}

#else

static fanin_status without(void) {
  return fanin__fail(FANIN_UNSUPPORTED, "this fanin was built without CLBlast, which fanin_probe needs");
}

fanin_status fanin__gemm_available(void) {
  return without();
}

fanin_status fanin__gemm_check(uint64_t m, uint64_t n, uint64_t k) {
  (void)m, (void)n, (void)k;
  return without();
}

fanin_status fanin__gemm(cl_command_queue queue, uint64_t m, uint64_t n, uint64_t k, cl_mem a, cl_mem b, cl_mem c) {
  (void)queue, (void)m, (void)n, (void)k, (void)a, (void)b, (void)c;
  return without();
}

#endif
