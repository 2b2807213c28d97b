/* Installed drivers that give no device, with the reason that the loader does not tell. */
#ifndef HOST_CORE_DRIVER_H
#define HOST_CORE_DRIVER_H

#include <stddef.h>

/* Writes "; driver FILE (LIBRARY) gives no device: REASON" for each such driver to a text of `size` bytes, cut to what
 * fits, and answers how many drivers are registered. Nothing is written where all of them give devices. */
size_t fanin__driver_failures(char *text, size_t size);

/* Writes "; PoCL's kernel cache DIRECTORY cannot be written: REASON", or "" where it can. PoCL says neither: without a
 * cache it finds no device, or builds no program. */
void fanin__pocl_cache_failure(char *text, size_t size);

#endif
