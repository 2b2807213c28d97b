/* The digests of share/data/stream-v1.json, as cmake/embed_digests.cmake writes them for C. */
#ifndef HOST_SELFTEST_DIGESTS_H
#define HOST_SELFTEST_DIGESTS_H

#include "fanin/tensor.h"

/* A tensor, what memory holds of it, and the stream of its random numbers. */
typedef struct fanin__digest_tensor {
  const char *layout;
  uint32_t groups, splits;
  int rank;
  uint64_t shape[FANIN_MAX_RANK];
  fanin_part part;
  uint64_t first, count, start[FANIN_MAX_RANK], extent[FANIN_MAX_RANK], stream;
} fanin__digest_tensor;

/* What a fill must leave in memory. */
enum { FANIN__DIGEST_VALUES = 8 };
typedef struct fanin__digest {
  const char *init;
  size_t tensor;
  fanin_dtype dtype;
  uint64_t count;                        /* of elements */
  uint64_t digest;                       /* of their bytes: FNV-1a-64 */
  uint64_t values[FANIN__DIGEST_VALUES]; /* the bits of the first elements */
} fanin__digest;

extern const uint64_t fanin__digest_seed;
extern const fanin__digest_tensor fanin__digest_tensors[];
extern const fanin__digest fanin__digests[];
extern const size_t fanin__digest_count;

#endif
