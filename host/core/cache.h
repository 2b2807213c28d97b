/* Compiled programs on disk, for drivers that keep none: fanin_cache(). */
#ifndef HOST_CORE_CACHE_H
#define HOST_CORE_CACHE_H

#include "core/context.h"

/* Sets node->binary from f's directory, if it has the program for this device, driver and version. What cannot be read,
 * or is damaged, is left alone. The caller holds f's lock, here and below. */
void fanin__cache_load(const fanin *f, fanin__program *node);

/* Puts the program, which was built from source, into f's directory. What cannot be written is left out. */
void fanin__cache_store(const fanin *f, const fanin__program *node);

#endif
