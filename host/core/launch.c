/* Launching a kernel: sets its arguments, chooses its geometry, enqueues it. */
#include "core/launch.h"

#include "core/context.h"
#include "core/status.h"

fanin__spread fanin__spread_of(const fanin *f, uint64_t tasks, uint64_t grain) {
  fanin__spread s = {0};
  if (f->type & CL_DEVICE_TYPE_CPU) {
    const uint64_t most = f->compute_units < 64 ? 64 * (uint64_t)f->compute_units : 4096;
    const uint64_t useful = tasks / grain + (tasks % grain != 0);
    s.local = 1;
    s.items = (size_t)(useful < most ? useful : most);
    s.step = 1;
    s.pitch = s.span = tasks / s.items + (tasks % s.items != 0);
  } else {
    s.local = f->work_group;
    s.items = 4096 / s.local * s.local;
    s.step = s.items;
    s.pitch = 1;
    s.span = tasks;
  }
  return s;
}

fanin_status fanin__launch(cl_command_queue queue, cl_kernel kernel, const fanin__argument *arguments, cl_uint n,
                           const fanin__spread *spread, cl_event *done) {
  cl_int code = CL_SUCCESS;
  for (cl_uint k = 0; k < n && code == CL_SUCCESS; k++) {
    code = clSetKernelArg(kernel, k, arguments[k].size, arguments[k].value);
  }
  if (code != CL_SUCCESS) return fanin__fail_cl(code, "clSetKernelArg");
  code = clEnqueueNDRangeKernel(queue, kernel, 1, NULL, &spread->items, &spread->local, 0, NULL, done);
  return code == CL_SUCCESS ? FANIN_STATUS_OK : fanin__fail_cl(code, "clEnqueueNDRangeKernel");
}
