/* Tensors cut into shards. */
#include <inttypes.h>

#include "internal.h"

/* Shard `index` of `count` of n things: first .. first + size. */
static fanin_status share(uint64_t n, uint64_t index, uint64_t count, uint64_t *first, uint64_t *size) {
  if (index >= count) {
    return fanin__fail(FANIN_BAD_ARGUMENT, "index = %" PRIu64 " of count = %" PRIu64 "; accepted are less than count",
                       index, count);
  }
  const uint64_t least = n / count, more = n % count;
  *first = least * index + (index < more ? index : more);
  *size = least + (index < more);
  return FANIN_OK;
}

fanin_status fanin_tensor_split(const fanin_tensor *t, int dimension, uint64_t index, uint64_t count,
                                fanin_tensor *out) {
  fanin__roles roles;
  uint64_t start[FANIN_MAX_RANK] = {0}, extent[FANIN_MAX_RANK] = {0}, first = 0;
  FANIN__TRY(fanin__roles_of(t, &roles));
  if (t->part != FANIN_WHOLE && t->part != FANIN_SLAB) {
    return fanin__fail(FANIN_BAD_ARGUMENT, "part is %d; accepted are 0 (whole) and 1 (slab)", (int)t->part);
  }
  if (dimension < 0 || dimension >= t->rank) {
    return fanin__fail(FANIN_BAD_ARGUMENT, "dimension = %d; the tensor has %d, from 0", dimension, t->rank);
  }
  FANIN__TRY(fanin__slab_of(t, start, extent));
  FANIN__TRY(share(extent[dimension], index, count, &first, &extent[dimension]));
  start[dimension] += first;
  *out = fanin_tensor_slab(*t, start, extent);
  return FANIN_OK;
}

fanin_status fanin_tensor_split_range(const fanin_tensor *t, uint64_t index, uint64_t count, fanin_tensor *out) {
  fanin__roles roles;
  uint64_t first = 0, size = 0, skipped = 0;
  FANIN__TRY(fanin__roles_of(t, &roles));
  if (t->part != FANIN_WHOLE && t->part != FANIN_RANGE) {
    return fanin__fail(FANIN_BAD_ARGUMENT, "part is %d; accepted are 0 (whole) and 2 (range)", (int)t->part);
  }
  FANIN__TRY(fanin__range_of(t, &first, &size));
  FANIN__TRY(share(size, index, count, &skipped, &size));
  *out = fanin_tensor_range(*t, first + skipped, size);
  return FANIN_OK;
}
