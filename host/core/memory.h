/* Memory: zeroed arrays on the host, buffers on the device. */
#ifndef HOST_CORE_MEMORY_H
#define HOST_CORE_MEMORY_H

#include "fanin/device.h"

/* A zeroed array aligned for cl_ulong8. NULL, with a sentence set, where memory is short. Free it with
 * fanin__free_zeroed(), which takes NULL: Windows' free() does not take aligned memory. */
void *fanin__zeroed(size_t count, size_t size);
void fanin__free_zeroed(void *memory);

/* A buffer of fanin's own, of `count` elements of `size` bytes. The error sentence says that it is for `what`. Release
 * it with fanin__free_buffer(), which takes NULL. */
fanin_status fanin__new_buffer(fanin *f, uint64_t count, size_t size, const char *what, cl_mem *out);
void fanin__free_buffer(cl_mem buffer);

#endif
