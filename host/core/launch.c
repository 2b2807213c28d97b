/* Launching a kernel: borrows the kernel object, sets its arguments, enqueues it, gives it back, reads its results. */
#include "core/launch.h"

#include <string.h>

#include "core/context.h"
#include "core/status.h"

fanin__real fanin__real_of(double value) {
  return (fanin__real){value, (float)value};
}

fanin__grid fanin__groups(uint64_t groups, size_t local) {
  return (fanin__grid){.global = {(size_t)groups * local}, .local = {local}};
}

size_t fanin__company(const fanin *f) {
  enum { ITEMS = 128 };
  const size_t shared = f->work_group < ITEMS ? f->work_group : ITEMS;
  return f->lanes == 1 ? shared : 1;
}

static uint64_t rounded_up(uint64_t a, uint64_t b) {
  return a / b + (a % b != 0);
}

fanin__spread fanin__spread_of(const fanin *f, uint64_t tasks, uint64_t grain, uint64_t passes) {
  enum { MOST_ITEMS = 4096 };
  if (!(f->type & CL_DEVICE_TYPE_CPU)) {
    const size_t groups = MOST_ITEMS / f->work_group, items = groups * f->work_group;
    return (fanin__spread){fanin__groups(groups, f->work_group), items, .pitch = 1, .step = items, .span = tasks};
  }
  const uint64_t most = f->compute_units < 64 ? 64 * (uint64_t)f->compute_units : MOST_ITEMS;
  const uint64_t useful = tasks > grain ? rounded_up(tasks, grain) : 1, few = useful < most ? useful : most;
  const uint64_t bound = passes < FANIN__MOST_PASSES ? FANIN__MOST_PASSES / passes : 1;
  const cl_ulong fair = rounded_up(tasks, few), share = fair > 0 && fair < bound ? fair : bound;
  const size_t items = (size_t)rounded_up(tasks, share);
  return (fanin__spread){fanin__groups(items, 1), items, .pitch = share, .step = 1, .span = share};
}

/* Sets an argument, unless the object has this very value: drivers take memory for every one that is set. What names
 * memory is always set, unless `memory_lives`: another memory object may come to have the name of one that was
 * released. `at` is the value's place among the kept: a kernel's arguments have the same sizes every time. */
static fanin_status set_argument(fanin__kernel *kernel, cl_uint k, const fanin__argument *a, bool memory_lives,
                                 size_t *at) {
  const bool can_keep = a->value && (memory_lives || !a->is_memory) && *at + a->size <= FANIN__KEPT_BYTES;
  unsigned char *const value = kernel->values + *at;
  const uint32_t bit = UINT32_C(1) << k;
  if (can_keep) *at += a->size;
  if (can_keep && (kernel->kept & bit) && memcmp(value, a->value, a->size) == 0) return FANIN_STATUS_OK;
  kernel->kept &= ~bit;
  const cl_int code = clSetKernelArg(kernel->object, k, a->size, a->value);
  if (code != CL_SUCCESS) return fanin__fail_cl(code, "clSetKernelArg");
  if (can_keep) {
    memcpy(value, a->value, a->size);
    kernel->kept |= bit;
  }
  return FANIN_STATUS_OK;
}

static fanin_status enqueue(fanin__kernel *kernel, const fanin__when *when, const fanin__launch *l) {
  const cl_uint dimensions = l->grid.global[1] > 0 ? 2 : 1;
  size_t at = 0;
  for (cl_uint k = 0; k < l->n; k++) {
    FANIN__TRY(set_argument(kernel, k, &l->arguments[k], l->kernel != NULL, &at));
  }
  const cl_int code = clEnqueueNDRangeKernel(when->queue, kernel->object, dimensions, NULL, l->grid.global,
                                             l->grid.local, when->n_wait, when->wait_list, when->event);
  return fanin__check_cl(code, "clEnqueueNDRangeKernel");
}

fanin_status fanin__enqueue(fanin *f, const fanin__when *when, const fanin__launch *launch) {
  fanin__kernel *kernel = launch->kernel;
  if (!kernel) FANIN__TRY(fanin__borrow(f, launch->source, launch->options, launch->name, &kernel));
  const fanin_status status = enqueue(kernel, when, launch);
  if (!launch->kernel) fanin__give_back(f, kernel);
  return status;
}

fanin_status fanin__enqueue_in_order(fanin *f, cl_command_queue queue, const fanin__launch *launch) {
  FANIN__TRY(fanin__enqueue(f, &(fanin__when){.queue = queue}, launch));
  return fanin__order(queue);
}

fanin_status fanin__write(cl_command_queue queue, cl_mem buffer, size_t bytes, const void *host) {
  const cl_int code = clEnqueueWriteBuffer(queue, buffer, CL_TRUE, 0, bytes, host, 0, NULL, NULL);
  return code == CL_SUCCESS ? fanin__order(queue) : fanin__fail_cl(code, "clEnqueueWriteBuffer");
}

fanin_status fanin__enqueue_and_read(fanin *f, cl_command_queue queue, const fanin__launch *launch,
                                     const fanin__result *results, size_t n) {
  cl_event done = NULL;
  FANIN__TRY(fanin__enqueue(f, &(fanin__when){.queue = queue, .event = &done}, launch));
  cl_int code = CL_SUCCESS;
  for (size_t k = 0; k < n && code == CL_SUCCESS; k++) {
    code = clEnqueueReadBuffer(queue, results[k].buffer, CL_TRUE, 0, results[k].bytes, results[k].host, 1, &done, NULL);
  }
  (void)clReleaseEvent(done);
  return fanin__check_cl(code, "clEnqueueReadBuffer of results");
}
