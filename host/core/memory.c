/* Memory: zeroed arrays on the host, buffers on the device. */
#include "core/memory.h"

#include <stdlib.h>
#include <string.h>

#include "core/context.h"
#include "core/status.h"

void *fanin__zeroed(size_t count, size_t size) {
  enum { ALIGNMENT = 64 };
  const size_t bytes = count <= SIZE_MAX / 2 / size ? (count * size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT : 0;
  void *const memory = bytes > 0 || count == 0 ? aligned_alloc(ALIGNMENT, bytes > 0 ? bytes : ALIGNMENT) : NULL;
  if (!memory) {
    (void)fanin__fail(FANIN_STATUS_OUT_OF_MEMORY, "%zu times %zu bytes", count, size);
    return NULL;
  }
  return memset(memory, 0, bytes > 0 ? bytes : ALIGNMENT);
}

fanin_status fanin__new_buffer(fanin *f, size_t bytes, cl_mem *out) {
  cl_int code = CL_SUCCESS;
  *out = clCreateBuffer(f->context, CL_MEM_READ_WRITE, bytes, NULL, &code);
  return code == CL_SUCCESS ? FANIN_STATUS_OK : fanin__fail_cl(code, "clCreateBuffer for a measurement");
}

void fanin__free_buffer(cl_mem buffer) {
  if (buffer) (void)clReleaseMemObject(buffer);
}

fanin_status fanin__read_back(cl_command_queue queue, cl_mem buffer, size_t bytes, void *host, cl_event after) {
  const cl_int code = clEnqueueReadBuffer(queue, buffer, CL_TRUE, 0, bytes, host, 1, &after, NULL);
  return code == CL_SUCCESS ? FANIN_STATUS_OK : fanin__fail_cl(code, "clEnqueueReadBuffer of a measurement");
}
