/* Launching a kernel: makes the kernel object, sets its arguments, enqueues it, releases it, reads its results. */
#include "core/launch.h"

#include "core/context.h"
#include "core/status.h"

fanin__real fanin__real_of(double value) {
  return (fanin__real){value, (float)value};
}

fanin__grid fanin__groups(uint64_t groups, size_t local) {
  return (fanin__grid){.global = {(size_t)groups * local}, .local = {local}};
}

fanin__spread fanin__spread_of(const fanin *f, uint64_t tasks, uint64_t grain) {
  enum { MOST_ITEMS = 4096 };
  if (!(f->type & CL_DEVICE_TYPE_CPU)) {
    const size_t groups = MOST_ITEMS / f->work_group, items = groups * f->work_group;
    return (fanin__spread){fanin__groups(groups, f->work_group), items, .pitch = 1, .step = items, .span = tasks};
  }
  const uint64_t most = f->compute_units < 64 ? 64 * (uint64_t)f->compute_units : MOST_ITEMS;
  const uint64_t useful = tasks / grain + (tasks % grain != 0);
  const size_t items = (size_t)(useful < most ? useful : most);
  const cl_ulong share = tasks / items + (tasks % items != 0);
  return (fanin__spread){fanin__groups(items, 1), items, .pitch = share, .step = 1, .span = share};
}

static fanin_status enqueue(cl_kernel kernel, const fanin__when *when, const fanin__launch *l) {
  const cl_uint dimensions = l->grid.global[1] > 0 ? 2 : 1;
  for (cl_uint k = 0; k < l->n; k++) {
    const cl_int code = clSetKernelArg(kernel, k, l->arguments[k].size, l->arguments[k].value);
    if (code != CL_SUCCESS) return fanin__fail_cl(code, "clSetKernelArg");
  }
  const cl_int code = clEnqueueNDRangeKernel(when->queue, kernel, dimensions, NULL, l->grid.global, l->grid.local,
                                             when->n_wait, when->wait_list, when->event);
  return fanin__check_cl(code, "clEnqueueNDRangeKernel");
}

fanin_status fanin__enqueue(fanin *f, const fanin__when *when, const fanin__launch *launch) {
  if (launch->kernel) return enqueue(launch->kernel, when, launch);
  cl_kernel kernel = NULL;
  FANIN__TRY(fanin__kernel(f, launch->source, launch->options, launch->name, &kernel));
  const fanin_status status = enqueue(kernel, when, launch);
  (void)clReleaseKernel(kernel); /* the runtime holds it while it runs */
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
