/* Locks, aligned memory and a clock, of Windows and of POSIX. */
#include "core/system.h"

/* Devices are little-endian, or refused (device.c), and what is copied from one to the other is not turned around. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "fanin needs a little-endian host");

#ifdef _WIN32

#define WIN32_LEAN_AND_MEAN
#include <malloc.h>
#include <windows.h>

_Static_assert(sizeof(fanin__mutex) == sizeof(SRWLOCK), "a lock's word is Windows' lock");

static SRWLOCK *lock_of(fanin__mutex *mutex) {
  return (SRWLOCK *)&mutex->word;
}

bool fanin__mutex_init(fanin__mutex *mutex) {
  InitializeSRWLock(lock_of(mutex));
  return true;
}

void fanin__mutex_lock(fanin__mutex *mutex) {
  AcquireSRWLockExclusive(lock_of(mutex));
}

void fanin__mutex_unlock(fanin__mutex *mutex) {
  ReleaseSRWLockExclusive(lock_of(mutex));
}

void fanin__mutex_destroy(fanin__mutex *mutex) {
  (void)mutex; /* these locks hold nothing */
}

void *fanin__aligned_alloc(size_t alignment, size_t bytes) {
  return _aligned_malloc(bytes, alignment);
}

void fanin__aligned_free(void *memory) {
  _aligned_free(memory);
}

double fanin__seconds(void) {
  LARGE_INTEGER ticks, frequency;
  (void)QueryPerformanceCounter(&ticks);
  (void)QueryPerformanceFrequency(&frequency);
  return (double)ticks.QuadPart / (double)frequency.QuadPart;
}

#else

#include <stdlib.h>
#include <time.h>

bool fanin__mutex_init(fanin__mutex *mutex) {
  return pthread_mutex_init(mutex, NULL) == 0;
}

/* These fail only for locks that are not initialized or that check for recursion. */
void fanin__mutex_lock(fanin__mutex *mutex) {
  (void)pthread_mutex_lock(mutex);
}

void fanin__mutex_unlock(fanin__mutex *mutex) {
  (void)pthread_mutex_unlock(mutex);
}

void fanin__mutex_destroy(fanin__mutex *mutex) {
  (void)pthread_mutex_destroy(mutex);
}

void *fanin__aligned_alloc(size_t alignment, size_t bytes) {
  return aligned_alloc(alignment, bytes);
}

void fanin__aligned_free(void *memory) {
  free(memory);
}

double fanin__seconds(void) {
  struct timespec now;
  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

#endif
