/* Memory: zeroed arrays on the host, buffers on the device. */
#include "core/memory.h"

#include <inttypes.h>
#include <string.h>

#include "core/context.h"
#include "core/status.h"
#include "core/system.h"

void *fanin__zeroed(size_t count, size_t size) {
  enum { ALIGNMENT = 64 };
  const size_t bytes = count <= SIZE_MAX / 2 / size ? (count * size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT : 0;
  void *const memory = bytes > 0 || count == 0 ? fanin__aligned_alloc(ALIGNMENT, bytes > 0 ? bytes : ALIGNMENT) : NULL;
  if (!memory) {
    (void)fanin__fail(FANIN_STATUS_OUT_OF_MEMORY, "%zu times %zu bytes", count, size);
    return NULL;
  }
  return memset(memory, 0, bytes > 0 ? bytes : ALIGNMENT);
}

void fanin__free_zeroed(void *memory) {
  fanin__aligned_free(memory);
}

fanin_status fanin__new_buffer(fanin *f, uint64_t count, size_t size, const char *what, cl_mem *out) {
  const char *const unit = size == 1 ? "bytes" : "elements";
  if (count > SIZE_MAX / size) {
    return fanin__fail(FANIN_STATUS_BAD_SIZE, "%s: %" PRIu64 " %s are more than memory can have", what, count, unit);
  }
  cl_int code = CL_SUCCESS;
  *out = clCreateBuffer(f->context, CL_MEM_READ_WRITE, (size_t)count * size, NULL, &code);
  if (code == CL_SUCCESS) return FANIN_STATUS_OK;
  return fanin__fail((fanin_status)code, "clCreateBuffer of %" PRIu64 " %s for %s: %s (%d)", count, unit, what,
                     fanin_status_name((fanin_status)code), (int)code);
}

void fanin__free_buffer(cl_mem buffer) {
  if (buffer) (void)clReleaseMemObject(buffer);
}
