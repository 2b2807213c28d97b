/* Memory: zeroed arrays on the host, buffers on the device. */
#ifndef HOST_CORE_MEMORY_H
#define HOST_CORE_MEMORY_H

#include "fanin/device.h"

/* A zeroed array aligned for cl_ulong8; the caller frees it with free(). NULL, with a sentence set, where memory is
 * short. */
void *fanin__zeroed(size_t count, size_t size);

/* A buffer for results. Release it with fanin__free_buffer(), which takes NULL. */
fanin_status fanin__new_buffer(fanin *f, size_t bytes, cl_mem *out);
void fanin__free_buffer(cl_mem buffer);

/* Reads `bytes` from the start of a buffer after the event `after`. Blocking. */
fanin_status fanin__read_back(cl_command_queue queue, cl_mem buffer, size_t bytes, void *host, cl_event after);

#endif
