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

/* What CLBlast's tuner found for a CPU under PoCL, where its own defaults reach less than half the speed: 20 against 47
 * GFLOP/s. Said once a fanin, because CLBlast then compiles anew. It keeps parameters for the process, and they change
 * nothing but speed. */
static fanin_status tune(fanin *f) {
  static const char *const names[] = {"GEMMK", "KREG", "KWG", "KWI", "MDIMA", "MDIMC", "MWG", "NDIMB",
                                      "NDIMC", "NWG",  "SA",  "SB",  "STRM",  "STRN",  "VWM", "VWN"};
  static const size_t values[] = {0, 1, 32, 2, 8, 8, 64, 8, 8, 64, 1, 1, 0, 0, 4, 4};
  pthread_mutex_lock(&f->lock);
  const bool needed = (f->type & CL_DEVICE_TYPE_CPU) && !f->gemm_tuned;
  f->gemm_tuned = true;
  pthread_mutex_unlock(&f->lock);
  if (!needed) return FANIN_OK;
  const CLBlastStatusCode code = CLBlastOverrideParameters(f->device, "Xgemm", CLBlastPrecisionSingle,
                                                           sizeof names / sizeof *names, (const char **)names, values);
  return code == CLBlastSuccess
             ? FANIN_OK
             : fanin__fail(FANIN_UNSUPPORTED, "CLBlastOverrideParameters answers %d (see clblast_c.h)", (int)code);
}

fanin_status fanin__gemm(fanin *f, cl_command_queue queue, const fanin__matmul *p) {
  FANIN__TRY(fanin__gemm_check(p->m, p->n, p->k));
  FANIN__TRY(tune(f));
  FANIN__TRY(fanin__order(queue));
  const CLBlastTranspose a = p->a_transposed ? CLBlastTransposeYes : CLBlastTransposeNo;
  const CLBlastTranspose b = p->b_transposed ? CLBlastTransposeYes : CLBlastTransposeNo;
  const CLBlastStatusCode code =
      CLBlastSgemm(CLBlastLayoutRowMajor, a, b, (size_t)p->m, (size_t)p->n, (size_t)p->k, p->alpha, p->a, 0,
                   (size_t)(p->a_transposed ? p->m : p->k), p->b, 0, (size_t)(p->b_transposed ? p->k : p->n), p->beta,
                   p->c, 0, (size_t)p->n, &queue, NULL);
  if (code < -1000) {
    return fanin__fail(FANIN_UNSUPPORTED, "CLBlastSgemm of %llu x %llu by %llu x %llu answers %d (see clblast_c.h)",
                       (unsigned long long)p->m, (unsigned long long)p->k, (unsigned long long)p->k,
                       (unsigned long long)p->n, (int)code);
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

fanin_status fanin__gemm(fanin *f, cl_command_queue queue, const fanin__matmul *product) {
  (void)f, (void)queue, (void)product;
  return without();
}

#endif
