/* A compiled program as bytes, for cache.c. */
#ifndef HOST_CORE_BINARY_H
#define HOST_CORE_BINARY_H

#include <stdint.h>

#include "core/context.h"

/* Of everything that decides what the program's binary is. */
fanin_status fanin__program_hash(const fanin *f, const fanin__program *node, uint64_t *out);

/* What fanin_export() would write if f had this program alone. free() *data. */
fanin_status fanin__program_pack(const fanin *f, const fanin__program *node, unsigned char **data, size_t *size);

/* Sets node->binary from such bytes; false where they are damaged, or of another program, device, driver or version. */
bool fanin__program_unpack(const fanin *f, fanin__program *node, const void *data, size_t size);

#endif
