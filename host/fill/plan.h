/* A plan from the inside: jobs, what they are on the device, and the launches that do them. */
#ifndef HOST_FILL_PLAN_H
#define HOST_FILL_PLAN_H

#include "core/system.h"
#include "fanin/fill.h"
#include "fill/fill.h"

/* One launch: tasks of one buffer that share a compiled kernel. */
typedef struct fanin__bundle {
  cl_mem buffer; /* the plan's tensors hold it */
  fanin__kernel *kernel;
  cl_ulong2 places; /* bytes of the plan's tables before its parameters, and before its tasks */
  cl_ulong tasks;
} fanin__bundle;

struct fanin_plan {
  fanin *f;
  fanin__mutex lock; /* held while a kernel gets its arguments and is enqueued */
  size_t n;
  fanin_tensor *tensors; /* as the items say, with the arenas' buffers; each buffer retained */
  uint64_t elements, arena_bytes, table_bytes;
  cl_mem tables; /* bundle.c says what is in it; NULL where nothing is */
  fanin__bundle *bundles;
  size_t n_bundles;
  fanin__job *apart; /* those that have a filler; they follow the bundles */
  size_t n_apart;
};

/* arena.c: gives every item without a buffer its place, in as few buffers as the device allows. Sets and retains the
 * buffer of every tensor that has elements. */
fanin_status fanin__plan_place(fanin_plan *plan);

/* bundle.c: from checked jobs, one a tensor, to tables, bundles and kernels. */
fanin_status fanin__plan_bundle(fanin_plan *plan, fanin__job *jobs);

#endif
