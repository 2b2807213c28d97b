/* Memory for a plan's tensors: one buffer, or as few as the device's largest allocation allows; and the check that no
 * two tensors share elements. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/context.h"
#include "core/memory.h"
#include "core/status.h"
#include "fill/plan.h"
#include "math/integer.h"

/* A dense part's bytes in its buffer. */
typedef struct extent {
  cl_mem buffer;
  uint64_t begin, end;
  size_t item;
} extent;

static int by_place(const void *a, const void *b) {
  const extent *const x = a, *const y = b;
  if (x->buffer != y->buffer) return (uintptr_t)x->buffer < (uintptr_t)y->buffer ? -1 : 1;
  if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
  return 0;
}

static fanin_status check_overlap(const fanin_plan *plan) {
  extent *const extents = fanin__zeroed(plan->n, sizeof *extents);
  if (!extents) return FANIN_STATUS_OUT_OF_MEMORY;
  fanin_status status = FANIN_STATUS_OK;
  size_t n = 0;
  for (size_t i = 0; i < plan->n && status == FANIN_STATUS_OK; i++) {
    const fanin_tensor *const t = &plan->tensors[i];
    uint64_t elements = 0, bytes = 0;
    status = fanin_tensor_size(t, &elements, &bytes);
    const bool dense = bytes == elements * fanin_dtype_size(t->dtype);
    if (elements > 0 && dense) extents[n++] = (extent){t->buffer, t->offset, t->offset + bytes, i};
  }
  if (n > 0) qsort(extents, n, sizeof *extents, by_place);
  for (size_t k = 1; k < n && status == FANIN_STATUS_OK; k++) {
    const extent *const a = &extents[k - 1], *const b = &extents[k];
    if (a->buffer == b->buffer && b->begin < a->end) {
      status = fanin__fail(FANIN_STATUS_BAD_SIZE,
                           "items[%zu] and items[%zu] overlap: the bytes %" PRIu64 " to %" PRIu64 " and %" PRIu64
                           " to %" PRIu64 " of one buffer; accepted are tensors that share none",
                           a->item, b->item, a->begin, a->end, b->begin, b->end);
    }
  }
  fanin__free_zeroed(extents);
  return status;
}

/* ---- Placing ----------------------------------------------------------------------------------------------------- */

/* Items from .. to share a buffer of `bytes`; their offsets are set. */
typedef struct arena {
  size_t from, to;
  uint64_t bytes;
} arena;

static fanin_status needed_bytes(const fanin_tensor *t, size_t i, uint64_t *bytes) {
  uint64_t elements = 0;
  if (t->offset != 0) {
    return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "items[%zu]: offset = %zu without a buffer; accepted is 0", i,
                       t->offset);
  }
  FANIN__TRY(fanin_tensor_size(t, &elements, bytes));
  if (*bytes == elements * fanin_dtype_size(t->dtype)) return FANIN_STATUS_OK;
  return fanin__fail(FANIN_STATUS_BAD_SHAPE, "items[%zu]: strides without a buffer; accepted are dense parts", i);
}

/* The longest run of items from `a->from` on that fits into `most` bytes. A single larger one has an arena of its own,
 * so that the device says what it thinks of it. */
static fanin_status pack(fanin_plan *plan, uint64_t alignment, uint64_t most, arena *a) {
  a->bytes = 0;
  for (a->to = a->from; a->to < plan->n; a->to++) {
    fanin_tensor *const t = &plan->tensors[a->to];
    uint64_t bytes = 0;
    if (t->buffer) continue;
    FANIN__TRY(needed_bytes(t, a->to, &bytes));
    const uint64_t begin = fanin__ceil_div(a->bytes, alignment) * alignment;
    if (a->bytes > 0 && (bytes > most || begin > most - bytes)) return FANIN_STATUS_OK;
    if (bytes == 0) continue;
    t->offset = (size_t)begin;
    a->bytes = begin + bytes;
  }
  return FANIN_STATUS_OK;
}

/* Makes the arena's buffer and gives each of its tensors a reference. */
static fanin_status allocate(fanin_plan *plan, const arena *a) {
  char what[64];
  cl_mem buffer = NULL;
  cl_int code = CL_SUCCESS;
  snprintf(what, sizeof what, "items[%zu] to items[%zu]", a->from, a->to - 1);
  FANIN__TRY(fanin__new_buffer(plan->f, a->bytes, 1, what, &buffer));
  for (size_t i = a->from; i < a->to && code == CL_SUCCESS; i++) {
    fanin_tensor *const t = &plan->tensors[i];
    uint64_t elements = 0, bytes = 0;
    if (t->buffer || fanin_tensor_size(t, &elements, &bytes) != FANIN_STATUS_OK || bytes == 0) continue;
    code = clRetainMemObject(buffer);
    if (code == CL_SUCCESS) t->buffer = buffer;
  }
  (void)clReleaseMemObject(buffer);
  plan->arena_bytes += a->bytes;
  return fanin__check_cl(code, "clRetainMemObject");
}

/* The caller's buffers. On failure those from the failing one on are forgotten, not released. */
static fanin_status retain_all(fanin_plan *plan) {
  for (size_t i = 0; i < plan->n; i++) {
    if (!plan->tensors[i].buffer) continue;
    const cl_int code = clRetainMemObject(plan->tensors[i].buffer);
    if (code == CL_SUCCESS) continue;
    plan->n = i;
    return fanin__fail_cl(code, "clRetainMemObject");
  }
  return FANIN_STATUS_OK;
}

fanin_status fanin__plan_place(fanin_plan *plan) {
  cl_uint alignment_bits = 0;
  cl_ulong most = 0;
  FANIN__TRY(retain_all(plan));
  cl_int code =
      clGetDeviceInfo(plan->f->device, CL_DEVICE_MEM_BASE_ADDR_ALIGN, sizeof alignment_bits, &alignment_bits, NULL);
  if (code == CL_SUCCESS) {
    code = clGetDeviceInfo(plan->f->device, CL_DEVICE_MAX_MEM_ALLOC_SIZE, sizeof most, &most, NULL);
  }
  if (code != CL_SUCCESS) return fanin__fail_cl(code, "clGetDeviceInfo");
  const uint64_t alignment = alignment_bits / 8 > 128 ? alignment_bits / 8 : 128;
  for (arena a = {0}; a.from < plan->n; a.from = a.to) {
    FANIN__TRY(pack(plan, alignment, most, &a));
    if (a.bytes > 0) FANIN__TRY(allocate(plan, &a));
  }
  return check_overlap(plan);
}
