/* Passes over a dense tensor that reduce it: checks, launches and reading back. */
#include "dense.h"

#include <inttypes.h>

fanin_status fanin__dense_of(const fanin *f, const fanin_tensor *t, fanin__dense *out) {
  static const char *const options[FANIN_DTYPE_COUNT] = {[FANIN_F32] = "-D ELEMENT_F32",
                                                         [FANIN_F16] = "-D ELEMENT_F16",
                                                         [FANIN_BF16] = "-D ELEMENT_BF16",
                                                         [FANIN_F64] = "-D ELEMENT_F64"};
  fanin__view view;
  FANIN__TRY(fanin__view_of(t, &view));
  FANIN__TRY(fanin__check_buffer(f, t, &view));
  if (view.elements > 0 && t->dtype == FANIN_F64 && !f->has_f64) {
    return fanin__fail(FANIN_UNSUPPORTED, "the tensor is f64 and the device has no fp64; f32, f16 and bf16 work");
  }
  const size_t size = fanin_dtype_size(t->dtype);
  if (view.bytes != view.elements * size) {
    return fanin__fail(FANIN_UNSUPPORTED,
                       "the tensor's %" PRIu64 " elements are spread over %" PRIu64
                       " bytes; only dense parts, without gaps, can be measured",
                       view.elements, view.bytes);
  }
  *out = (fanin__dense){view.elements, t->offset / size, t->dtype == FANIN_F64, options[t->dtype]};
  return FANIN_OK;
}

size_t fanin__real_size(const fanin__dense *d) {
  return d->f64 ? sizeof(double) : sizeof(float);
}

double fanin__real_at(const fanin__dense *d, const void *reals, size_t k) {
  return d->f64 ? ((const double *)reals)[k] : (double)((const float *)reals)[k];
}

fanin__real fanin__real_of(double value) {
  return (fanin__real){value, (float)value};
}

fanin_status fanin__wait(cl_uint n_wait, const cl_event *wait_list) {
  const cl_int code = n_wait > 0 ? clWaitForEvents(n_wait, wait_list) : CL_SUCCESS;
  return code == CL_SUCCESS ? FANIN_OK : fanin__fail_cl(code, "clWaitForEvents of wait_list");
}

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
  return code == CL_SUCCESS ? FANIN_OK : fanin__fail_cl(code, "clEnqueueNDRangeKernel");
}

fanin_status fanin__new_buffer(fanin *f, size_t bytes, cl_mem *out) {
  cl_int code = CL_SUCCESS;
  *out = clCreateBuffer(f->context, CL_MEM_READ_WRITE, bytes, NULL, &code);
  return code == CL_SUCCESS ? FANIN_OK : fanin__fail_cl(code, "clCreateBuffer for a measurement");
}

void fanin__free_buffer(cl_mem buffer) {
  if (buffer) (void)clReleaseMemObject(buffer);
}

fanin_status fanin__read_back(cl_command_queue queue, cl_mem buffer, size_t bytes, void *host, cl_event after) {
  const cl_int code = clEnqueueReadBuffer(queue, buffer, CL_TRUE, 0, bytes, host, 1, &after, NULL);
  return code == CL_SUCCESS ? FANIN_OK : fanin__fail_cl(code, "clEnqueueReadBuffer of a measurement");
}
