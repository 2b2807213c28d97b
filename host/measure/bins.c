/* fanin_measure_bins: how often each stretch of numbers occurs in a dense tensor. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/argument.h"
#include "core/memory.h"
#include "fanin/inspect.h"
#include "measure/dense.h"
#include "tensor/dtype.h"

/* Elements of one launch: what a 32-bit counter cannot overflow by. */
static const uint64_t LAUNCH = UINT64_C(1) << 31;
enum { GRAIN = 4096, COUNTERS = FANIN_BINS * sizeof(cl_uint) };

/* One pass: what its launches share. */
typedef struct pass {
  fanin__dense d;
  cl_uint within;
  cl_mem counters;
  cl_uint *part; /* what comes back of a launch */
  uint64_t *sums;
} pass;

/* One launch, and its counts added. */
static fanin_status count_part(const pass *p, uint64_t first, cl_ulong elements) {
  const cl_ulong offset = p->d.offset + first;
  const fanin__spread spread = fanin__spread_of(p->d.f, elements, GRAIN, 1);
  const fanin__launch launch =
      FANIN__LAUNCH(measure, p->d.options, keys, spread.grid, FANIN__VALUE(p->d.buffer), FANIN__VALUE(offset),
                    FANIN__VALUE(elements), FANIN__SPREAD(spread), FANIN__VALUE(p->within), FANIN__VALUE(p->counters));
  memset(p->part, 0, COUNTERS);
  FANIN__TRY(fanin__write(p->d.queue, p->counters, COUNTERS, p->part));
  const fanin__result result = {p->counters, COUNTERS, p->part};
  FANIN__TRY(fanin__enqueue_and_read(p->d.f, p->d.queue, &launch, &result, 1));
  for (size_t k = 0; k < FANIN_BINS; k++) {
    p->sums[k] += p->part[k];
  }
  return FANIN_STATUS_OK;
}

static fanin_status count_all(pass *p) {
  p->part = malloc(COUNTERS);
  p->sums = calloc(FANIN_BINS, sizeof *p->sums);
  if (!p->part || !p->sums) return fanin__fail(FANIN_STATUS_OUT_OF_MEMORY, "%d counters", (int)FANIN_BINS);
  FANIN__TRY(fanin__new_buffer(p->d.f, FANIN_BINS, sizeof *p->part, "counters", &p->counters));
  for (uint64_t first = 0; first < p->d.elements; first += LAUNCH) {
    const uint64_t left = p->d.elements - first;
    FANIN__TRY(count_part(p, first, left < LAUNCH ? left : LAUNCH));
  }
  return FANIN_STATUS_OK;
}

fanin_status fanin_measure_bins(fanin *f, cl_command_queue queue, const fanin_tensor *t, uint32_t within,
                                cl_uint n_wait, const cl_event *wait_list, uint64_t *counts) {
  pass p = {.within = within};
  FANIN__NEED(f, t, counts);
  FANIN__TRY(fanin__dense_of(f, queue, t, n_wait, wait_list, &p.d));
  FANIN__TRY(fanin__wait(n_wait, wait_list));
  if (p.d.elements == 0) return FANIN_STATUS_OK;
  const fanin_status status = count_all(&p);
  for (size_t k = 0; k < FANIN_BINS && status == FANIN_STATUS_OK; k++) {
    counts[k] += p.sums[k];
  }
  fanin__free_buffer(p.counters);
  free(p.sums);
  free(p.part);
  return status;
}

/* ---- What a bin stands for --------------------------------------------------------------------------------------- */

static double from_f32(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return (double)x;
}

/* The number whose ascending bits these are, the upper half of them for narrow dtypes: ascending() of
 * kernels/measure/bins.clh.
 */
static double number_of(fanin_dtype dtype, uint32_t ascending) {
  const fanin_dtype_info *const t = &fanin__dtype_of(dtype)->info;
  const bool positive = ascending >> 31;
  if (t->bytes > 2) return from_f32(positive ? ascending & 0x7fffffff : ~ascending);
  const uint32_t key = ascending >> 16, magnitude = positive ? key - 0x8000 : 0x7fff - key;
  const uint32_t sign = UINT32_C(1) << (8 * t->bytes - 1);
  return magnitude < sign ? fanin__narrow_number(dtype, positive ? magnitude : magnitude | sign) : NAN;
}

fanin_status fanin_bin_numbers(fanin_dtype dtype, uint32_t bin, double *least, double *most) {
  const uint32_t upper = (bin & 0xffff) << 16;
  FANIN__NEED(least, most);
  FANIN__TRY(fanin__known_dtype(dtype));
  *least = number_of(dtype, upper);
  *most = number_of(dtype, upper | 0xffff);
  return FANIN_STATUS_OK;
}

fanin_status fanin_bin_number(fanin_dtype dtype, uint32_t bin, uint32_t lower, double *out) {
  FANIN__NEED(out);
  FANIN__TRY(fanin__known_dtype(dtype));
  *out = number_of(dtype, (bin & 0xffff) << 16 | (lower & 0xffff));
  return FANIN_STATUS_OK;
}
