/* The guarded call of CLBlast's GEMM: sizes that CLBlast would cut to int are refused, order is kept on out-of-order
 * queues, and its own error codes get a sentence. */
#include "core/gemm.h"

#include <limits.h>

#include "core/context.h"
#include "core/memory.h"
#include "core/queue.h"
#include "core/status.h"

#ifdef FANIN_HAVE_CLBLAST

#include <clblast_c.h>

fanin_status fanin__gemm_available(void) {
  return FANIN_STATUS_OK;
}

/* CLBlast counts elements in int, and rounds extents up to its tiles, at most 256 wide. */
static bool fits_int(uint64_t rows, uint64_t columns) {
  const uint64_t limit = INT_MAX - 255, padded_rows = rows + 255, padded_columns = columns + 255;
  return rows <= limit && columns <= limit && padded_rows <= INT_MAX / padded_columns;
}

fanin_status fanin__gemm_check(uint64_t m, uint64_t n, uint64_t k) {
  if (fits_int(m, k) && fits_int(n, k) && fits_int(m, n)) return FANIN_STATUS_OK;
  return fanin__fail(FANIN_STATUS_UNSUPPORTED,
                     "a product of %llu x %llu by %llu x %llu; CLBlast takes matrices of fewer than 2^31 elements",
                     (unsigned long long)m, (unsigned long long)k, (unsigned long long)k, (unsigned long long)n);
}

/* What CLBlast's tuner found for a CPU under PoCL, where its own defaults reach less than half the speed: 20 against 47
 * GFLOP/s; and its kernel for matrices that it takes for small reaches 5. Said once a fanin, because CLBlast then
 * compiles anew. It keeps parameters for the process, and they change nothing but speed. */
static CLBlastStatusCode override(cl_device_id device) {
  static const char *const names[] = {"GEMMK", "KREG", "KWG", "KWI", "MDIMA", "MDIMC", "MWG", "NDIMB",
                                      "NDIMC", "NWG",  "SA",  "SB",  "STRM",  "STRN",  "VWM", "VWN"};
  static const size_t values[] = {0, 1, 32, 2, 8, 8, 64, 8, 8, 64, 1, 1, 0, 0, 4, 4};
  static const char *const routine_names[] = {"XGEMM_MIN_INDIRECT_SIZE"};
  static const size_t routine_values[] = {1};
  const CLBlastStatusCode code = CLBlastOverrideParameters(device, "Xgemm", CLBlastPrecisionSingle,
                                                           sizeof names / sizeof *names, (const char **)names, values);
  if (code != CLBlastSuccess) return code;
  return CLBlastOverrideParameters(device, "GemmRoutine", CLBlastPrecisionSingle, 1, (const char **)routine_names,
                                   routine_values);
}

static fanin_status tune(fanin *f) {
  fanin__mutex_lock(&f->lock);
  const bool needed = (f->type & CL_DEVICE_TYPE_CPU) && !f->gemm_tuned;
  f->gemm_tuned = true;
  fanin__mutex_unlock(&f->lock);
  if (!needed) return FANIN_STATUS_OK;
  const CLBlastStatusCode code = override(f->device);
  return code == CLBlastSuccess ? FANIN_STATUS_OK
                                : fanin__fail(FANIN_STATUS_UNSUPPORTED,
                                              "CLBlastOverrideParameters answers %d (see clblast_c.h)", (int)code);
}

static fanin_status fail(const fanin__matmul *p, const char *call, CLBlastStatusCode code) {
  if (code >= -1000) return fanin__fail_cl((cl_int)code, call);
  return fanin__fail(FANIN_STATUS_UNSUPPORTED, "%s of %llu x %llu by %llu x %llu answers %d (see clblast_c.h)", call,
                     (unsigned long long)p->m, (unsigned long long)p->k, (unsigned long long)p->k,
                     (unsigned long long)p->n, (int)code);
}

/* What both calls take alike: transpositions, extents and elements from row to row. */
typedef struct arguments {
  CLBlastTranspose a, b;
  size_t m, n, k, a_pitch, b_pitch, c_pitch;
} arguments;

static arguments arguments_of(const fanin__matmul *p) {
  const uint64_t a_row = p->a_transposed ? p->m : p->k, b_row = p->b_transposed ? p->k : p->n;
  return (arguments){.a = p->a_transposed ? CLBlastTransposeYes : CLBlastTransposeNo,
                     .b = p->b_transposed ? CLBlastTransposeYes : CLBlastTransposeNo,
                     .m = (size_t)p->m,
                     .n = (size_t)p->n,
                     .k = (size_t)p->k,
                     .a_pitch = (size_t)a_row,
                     .b_pitch = (size_t)b_row,
                     .c_pitch = (size_t)p->n};
}

/* Bytes of scratch memory that CLBlast wants, 0 for none. */
static fanin_status scratch_of(cl_command_queue queue, const fanin__matmul *p, size_t *bytes) {
  const arguments s = arguments_of(p);
  const CLBlastStatusCode code = CLBlastSGemmTempBufferSize(CLBlastLayoutRowMajor, s.a, s.b, s.m, s.n, s.k, 0,
                                                            s.a_pitch, 0, s.b_pitch, 0, s.c_pitch, &queue, bytes);
  return code == CLBlastSuccess ? FANIN_STATUS_OK : fail(p, "CLBlast's GemmTempBufferSize", code);
}

static fanin_status enqueue(cl_command_queue queue, const fanin__matmul *p, cl_mem scratch) {
  FANIN__TRY(fanin__order(queue));
  const arguments s = arguments_of(p);
  const CLBlastStatusCode code =
      CLBlastSgemmWithTempBuffer(CLBlastLayoutRowMajor, s.a, s.b, s.m, s.n, s.k, p->alpha, p->a, 0, s.a_pitch, p->b, 0,
                                 s.b_pitch, p->beta, p->c, 0, s.c_pitch, &queue, NULL, scratch);
  if (code != CLBlastSuccess) return fail(p, "CLBlast's GEMM", code);
  return fanin__order(queue);
}

/* CLBlast never allocates: where it cannot, it ends the process. */
fanin_status fanin__gemm(fanin *f, cl_command_queue queue, const fanin__matmul *p) {
  size_t bytes = 0;
  cl_mem scratch = NULL;
  FANIN__TRY(fanin__gemm_check(p->m, p->n, p->k));
  FANIN__TRY(tune(f));
  FANIN__TRY(scratch_of(queue, p, &bytes));
  if (bytes > 0) FANIN__TRY(fanin__new_buffer(f, bytes, 1, "a product's scratch memory", &scratch));
  const fanin_status status = enqueue(queue, p, scratch);
  fanin__free_buffer(scratch); /* the product keeps it until it is done */
  return status;
}

#else

static fanin_status without(void) {
  return fanin__fail(FANIN_STATUS_UNSUPPORTED, "this fanin was built without CLBlast, which fanin_probe needs");
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
