/* Memory: zeroed arrays on the host, buffers on the device. */
#ifndef HOST_CORE_MEMORY_H
#define HOST_CORE_MEMORY_H

#include "fanin/device.h"

/* A zeroed array aligned for cl_ulong8; the caller frees it with free(). NULL, with a sentence set, where memory is
 * short. */
void *fanin__zeroed(size_t count, size_t size);

/* A buffer of fanin's own, of `count` elements of `size` bytes. The error sentence says that it is for `what`. Release
 * it with fanin__free_buffer(), which takes NULL. */
fanin_status fanin__new_buffer(fanin *f, uint64_t count, size_t size, const char *what, cl_mem *out);
void fanin__free_buffer(cl_mem buffer);

#endif
