/* Tensors cut into shards. */
#ifndef FANIN_SHARD_H
#define FANIN_SHARD_H

#include "base.h"
#include "tensor.h"

FANIN_C_BEGIN

/* Both functions: shard `index` of `count`, as even as it goes. The first n % count shards have one element (or one
 * coordinate of the dimension) more than the others, which have n / count, so that with more shards than there is to
 * share the last ones are empty. Only what memory holds changes; fans and element indices stay the whole tensor's, so
 * that the shards together have the whole's bits. buffer, offset and strides stay t's: set them to where the shard is.
 * FANIN_BAD_ARGUMENT for index >= count, a dimension that t has not, and a part of the other kind. No device needed. */

/* Tensor parallelism: shards of one dimension of what memory holds of `t`, the whole or a slab; `out` is a slab. Slabs
 * can be split again, along another dimension too. A dimension is cut as it is stored: where O is a fused projection
 * (splits > 1), split each of its matrices instead, as a slab of its own. */
FANIN_API fanin_status fanin_tensor_split(const fanin_tensor *t, int dimension, uint64_t index, uint64_t count,
                                          fanin_tensor *out);

/* ZeRO and FSDP: shards of the row-major order of what memory holds of `t`, the whole or a range; `out` is a range. */
FANIN_API fanin_status fanin_tensor_split_range(const fanin_tensor *t, uint64_t index, uint64_t count,
                                                fanin_tensor *out);

FANIN_C_END

#endif
