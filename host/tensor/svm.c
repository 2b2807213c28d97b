/* Tensors in shared virtual memory: a buffer over it, by calls that OpenCL 1.2 has. */
#include <inttypes.h>

#include "core/argument.h"
#include "core/context.h"
#include "fanin/foreign.h"
#include "tensor/view.h"

/* Of OpenCL 2.0's cl.h, which a target of 1.2 hides. */
#ifndef CL_DEVICE_SVM_CAPABILITIES
#define CL_DEVICE_SVM_CAPABILITIES 0x1053
#endif
#ifndef CL_MEM_USES_SVM_POINTER
#define CL_MEM_USES_SVM_POINTER 0x1109
#endif

/* A device before 2.0 does not know the query. */
static bool has_svm(cl_device_id device) {
  cl_bitfield capabilities = 0;
  const cl_int code = clGetDeviceInfo(device, CL_DEVICE_SVM_CAPABILITIES, sizeof capabilities, &capabilities, NULL);
  return code == CL_SUCCESS && capabilities != 0;
}

/* With any other pointer the buffer would be a copy that the device may keep to itself. */
static fanin_status check_shared(cl_mem buffer) {
  cl_bool shared = CL_FALSE;
  const cl_int code = clGetMemObjectInfo(buffer, CL_MEM_USES_SVM_POINTER, sizeof shared, &shared, NULL);
  if (code != CL_SUCCESS) return fanin__fail_cl(code, "clGetMemObjectInfo(CL_MEM_USES_SVM_POINTER)");
  if (shared) return FANIN_STATUS_OK;
  return fanin__fail(FANIN_STATUS_BAD_ARGUMENT,
                     "svm is not shared virtual memory; accepted is what clSVMAlloc() returned for f's context");
}

fanin_status fanin_tensor_svm(fanin *f, void *svm, const fanin_tensor *t, fanin_tensor *out) {
  fanin__view view;
  FANIN__NEED(f, svm, t, out);
  FANIN__TRY(fanin__view_of(t, &view));
  if (t->buffer)
    return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "t->buffer is set; accepted is NULL, the memory being svm's");

  if (!has_svm(f->device)) {
    return fanin__fail(FANIN_STATUS_UNSUPPORTED,
                       "the device has no shared virtual memory (CL_DEVICE_SVM_CAPABILITIES)");
  }
  if (view.bytes > SIZE_MAX - t->offset) {
    return fanin__fail(FANIN_STATUS_BAD_SIZE,
                       "offset = %zu and the part's %" PRIu64 " bytes are more than a pointer reaches", t->offset,
                       view.bytes);
  }
  fanin_tensor shared = *t;
  if (view.elements > 0) { /* OpenCL has no empty buffers */
    const size_t size = t->offset + (size_t)view.bytes;
    cl_int code = CL_SUCCESS;
    shared.buffer = clCreateBuffer(f->context, CL_MEM_READ_WRITE | CL_MEM_USE_HOST_PTR, size, svm, &code);
    if (code != CL_SUCCESS) {
      return fanin__fail((fanin_status)code, "clCreateBuffer of %zu bytes of svm: %s (%d)", size,
                         fanin_status_name((fanin_status)code), (int)code);
    }
    const fanin_status status = check_shared(shared.buffer);
    if (status != FANIN_STATUS_OK) {
      (void)clReleaseMemObject(shared.buffer);
      return status;
    }
  }
  *out = shared;
  return FANIN_STATUS_OK;
}
