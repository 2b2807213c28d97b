/* What operating systems do differently: locks, aligned memory, a clock. The only file of the library with code for one
 * of them alone, beside the OpenCL header's place in fanin/base.h. */
#ifndef HOST_CORE_SYSTEM_H
#define HOST_CORE_SYSTEM_H

#include <stdbool.h>
#include <stddef.h>

#ifdef _WIN32
typedef struct fanin__mutex {
  void *word; /* all that an SRWLOCK has; <windows.h> stays out of headers */
} fanin__mutex;
#else
#include <pthread.h>
typedef pthread_mutex_t fanin__mutex;
#endif

/* A lock that one thread has at a time, and does not take twice. fanin__mutex_init() is false where the system is out
 * of what it needs for one. The others cannot fail. */
bool fanin__mutex_init(fanin__mutex *mutex);
void fanin__mutex_lock(fanin__mutex *mutex);
void fanin__mutex_unlock(fanin__mutex *mutex);
void fanin__mutex_destroy(fanin__mutex *mutex);

/* Memory at a multiple of `alignment`, of which `bytes` is one too; NULL where there is none. The second takes NULL. */
void *fanin__aligned_alloc(size_t alignment, size_t bytes);
void fanin__aligned_free(void *memory);

/* Seconds of a clock that only runs forward. */
double fanin__seconds(void);

#endif
