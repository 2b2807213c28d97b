/* fanin_measure_bins: how often each stretch of numbers occurs in a dense tensor. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/program.h"
#include "core/queue.h"
#include "core/status.h"
#include "fanin/measure.h"
#include "measure/dense.h"
#include "tensor/dtype.h"

/* Elements of one launch: what a 32-bit counter cannot overflow by. */
static const uint64_t LAUNCH = UINT64_C(1) << 31;
enum { GRAIN = 4096, COUNTERS = FANIN_BINS * sizeof(cl_uint) };

/* One launch, and its counts added. */
static fanin_status count_part(fanin *f, cl_command_queue queue, cl_kernel kernel, const fanin_tensor *t,
                               cl_ulong offset, cl_ulong elements, cl_uint within, cl_mem counters, cl_uint *part,
                               uint64_t *counts) {
  const fanin__spread spread = fanin__spread_of(f, elements, GRAIN);
  const fanin__argument arguments[] = {FANIN__VALUE(t->buffer),    FANIN__VALUE(offset),      FANIN__VALUE(elements),
                                       FANIN__VALUE(spread.pitch), FANIN__VALUE(spread.step), FANIN__VALUE(spread.span),
                                       FANIN__VALUE(within),       FANIN__VALUE(counters)};
  memset(part, 0, COUNTERS);
  const cl_int code = clEnqueueWriteBuffer(queue, counters, CL_TRUE, 0, COUNTERS, part, 0, NULL, NULL);
  if (code != CL_SUCCESS) return fanin__fail_cl(code, "clEnqueueWriteBuffer of counters");
  cl_event done = NULL;
  FANIN__TRY(fanin__launch(queue, kernel, arguments, sizeof arguments / sizeof *arguments, &spread, &done));
  const fanin_status status = fanin__read_back(queue, counters, COUNTERS, part, done);
  (void)clReleaseEvent(done);
  for (size_t k = 0; k < FANIN_BINS && status == FANIN_STATUS_OK; k++) {
    counts[k] += part[k];
  }
  return status;
}

static fanin_status count_all(fanin *f, cl_command_queue queue, const fanin_tensor *t, const fanin__dense *d,
                              cl_uint within, cl_kernel kernel, cl_mem counters, uint64_t *counts) {
  cl_uint *const part = malloc(COUNTERS);
  uint64_t *const sums = calloc(FANIN_BINS, sizeof *sums);
  fanin_status status = FANIN_STATUS_OK;
  if (!part || !sums) status = fanin__fail(FANIN_STATUS_OUT_OF_MEMORY, "%d counters", (int)FANIN_BINS);
  for (uint64_t first = 0; first < d->elements && status == FANIN_STATUS_OK; first += LAUNCH) {
    const uint64_t left = d->elements - first;
    status =
        count_part(f, queue, kernel, t, d->offset + first, left < LAUNCH ? left : LAUNCH, within, counters, part, sums);
  }
  for (size_t k = 0; k < FANIN_BINS && status == FANIN_STATUS_OK; k++) {
    counts[k] += sums[k];
  }
  free(sums);
  free(part);
  return status;
}

fanin_status fanin_measure_bins(fanin *f, cl_command_queue queue, const fanin_tensor *t, uint32_t within,
                                cl_uint n_wait, const cl_event *wait_list, uint64_t *counts) {
  fanin__dense d;
  fanin__when when;
  FANIN__TRY(fanin__dense_of(f, t, &d));
  FANIN__TRY(fanin__when_of(f, queue, n_wait, wait_list, NULL, &when));
  FANIN__TRY(fanin__wait(n_wait, wait_list));
  if (d.elements == 0) return FANIN_STATUS_OK;
  cl_kernel kernel = NULL;
  cl_mem counters = NULL;
  fanin_status status = fanin__kernel(f, &fanin__source_bins, d.options, "keys", &kernel);
  if (status == FANIN_STATUS_OK) status = fanin__new_buffer(f, COUNTERS, &counters);
  if (status == FANIN_STATUS_OK) status = count_all(f, when.queue, t, &d, within, kernel, counters, counts);
  fanin__free_buffer(counters);
  if (kernel) (void)clReleaseKernel(kernel);
  return status;
}

/* ---- What a key stands for --------------------------------------------------------------------------------------- */

static double from_f32(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return (double)x;
}

/* The number whose ascending bits these are, the upper half of them for narrow dtypes: kernels/bins.cl's ascending().
 */
static double number_of(fanin_dtype dtype, uint32_t ascending) {
  const fanin_dtype_info *const t = &fanin__dtype_of(dtype)->info;
  const bool positive = ascending >> 31;
  if (t->bytes > 2) return from_f32(positive ? ascending & 0x7fffffff : ~ascending);
  const uint32_t key = ascending >> 16, magnitude = positive ? key - 0x8000 : 0x7fff - key;
  const uint32_t sign = UINT32_C(1) << (8 * t->bytes - 1);
  return magnitude < sign ? fanin__narrow_number(dtype, positive ? magnitude : magnitude | sign) : NAN;
}

void fanin_bin_numbers(fanin_dtype dtype, uint32_t key, double *least, double *most) {
  const uint32_t upper = (key & 0xffff) << 16;
  *least = number_of(dtype, upper);
  *most = number_of(dtype, upper | 0xffff);
}

double fanin_bin_number(fanin_dtype dtype, uint32_t key, uint32_t lower) {
  return number_of(dtype, (key & 0xffff) << 16 | (lower & 0xffff));
}
