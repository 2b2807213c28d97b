/* Tensors cut into shards, and shards filled on several devices. Stable. */
#ifndef FANIN_SHARD_H
#define FANIN_SHARD_H

#include "base.h"
#include "device.h"
#include "fill.h"
#include "init.h"
#include "tensor.h"

FANIN_C_BEGIN

/* The two functions below make shard `index` of `count`, as even as it goes: the first n % count shards have one
 * element (or one coordinate of the dimension) more than the others, which have n / count. With more shards than
 * elements the last ones are empty. Only what memory holds changes. Fans and element indices stay those of the whole
 * tensor, so that the shards together have the whole's bits. buffer, offset and strides stay t's: set them to where the
 * shard is. `out` may be `t`. No device is needed. FANIN_STATUS_BAD_ARGUMENT for index >= count, a dimension that t
 * does not have, and a part of the other kind. */

/* Tensor parallelism: shards of one dimension of what memory holds of `t`, the whole or a slab; `out` is a slab. Slabs
 * can be split again, along another dimension too. A dimension is cut as it is stored: where O is a fused projection
 * (splits > 1), split each of its matrices instead, as a slab of its own. */
FANIN_API fanin_status fanin_tensor_split(const fanin_tensor *t, int dimension, uint64_t index, uint64_t count,
                                          fanin_tensor *out);

/* ZeRO and FSDP: shards of the row-major order of what memory holds of `t`, the whole or a range; `out` is a range. */
FANIN_API fanin_status fanin_tensor_split_range(const fanin_tensor *t, uint64_t index, uint64_t count,
                                                fanin_tensor *out);

/* Where to cut a tensor, and what a part of it costs. A unit is a box of coordinates whose elements are made together:
 * one matrix of an orthogonal tensor, with all its taps; one line of weights of a sparse tensor, which shares its
 * zeros; of every other initializer one element. Units tile the whole tensor from its first element on. Any part can be
 * filled, but what it holds of a unit costs as much as the whole unit.
 *   unit        t->rank numbers: the extent of a unit in each dimension
 *   elements    those of all units that the part meets; the part itself has as many if it holds whole units only
 *   operations  additions and multiplications for these units, beyond drawing their elements: 0 but for orthogonal ones
 * Of the arguments only `unit` may have no room, where t->rank is 0. No device needed. */
FANIN_API fanin_status fanin_tensor_units(const fanin_tensor *t, const fanin_init *init, uint64_t *unit,
                                          uint64_t *elements, double *operations);

/* A shard of a tensor on one device, and the arguments of fanin_fill() that are the device's own. */
typedef struct fanin_shard {
  fanin *f;                  /* of the device, in a context of its own or one that devices share */
  cl_command_queue queue;    /* NULL: f's own, see fanin_queue() */
  fanin_tensor tensor;       /* the part that this device's memory holds */
  cl_uint n_wait;            /* events in wait_list */
  const cl_event *wait_list; /* of f's context */
  cl_event *event;           /* NULL: none is wanted */
  uint64_t reserved[4];      /* must be 0 */
} fanin_shard;

/* Fills the n shards of one tensor, each on its device. The bits are those of fanin_fill() on one device. The
 * parts may have different dtypes, may leave gaps, and may overlap in the tensor (data parallelism), but not in memory.
 * All must agree in rank, shape, layout, groups and splits.
 *
 * Everything is validated and every kernel compiled, on all devices, before anything is enqueued on any. Asynchronous.
 * Queues are flushed, so that the devices work at the same time. If a driver refuses a command after all (out of
 * resources), the sentence names the shard: the shards before it are enqueued, with their events, and those after it
 * are not. Errors: as fanin_fill(), with the shard named; FANIN_STATUS_BAD_SHAPE or FANIN_STATUS_BAD_LAYOUT for shards
 * of different tensors. */
FANIN_API fanin_status fanin_fill_shards(const fanin_shard *shards, size_t n, const fanin_init *init, fanin_key key);

FANIN_C_END

#endif
