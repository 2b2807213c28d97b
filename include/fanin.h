/* fanin: initializes neural-network weights where they live.
 *
 * OpenCL kernels write random weights straight into device buffers. A value is a function of (seed, stream, element
 * index, initializer) and of nothing else: the same call gives the same bits on every device, for every launch
 * geometry, shard and order (docs/stream.md is the specification).
 *
 * Conventions of its headers
 *   - Every function that can fail returns a fanin_status; results come through pointers, which are written only on
 *     success unless said otherwise. fanin_last_error() has the sentence for the calling thread's last failure.
 *   - Pointers must not be NULL unless the comment says so. Values (fanin_tensor, fanin_init, fanin_key) are plain
 *     data: copy them freely; they own nothing except where fanin_tensor_alloc() says so.
 *   - Enqueueing functions validate everything before they enqueue anything, do not block, and work on in-order and
 *     out-of-order queues. `queue` NULL means fanin_queue(f). `event` may be NULL; one that is returned is the
 *     caller's to release.
 *   - Every function may be called from several threads at once on one fanin.
 *   - Nothing prints, exits or keeps global state.
 */
#ifndef FANIN_H
#define FANIN_H

#include "fanin/base.h"    /* versions, status codes */
#include "fanin/device.h"  /* devices, a fanin */
#include "fanin/fill.h"    /* filling, plans, cold starts */
#include "fanin/foreign.h" /* tensors of DLPack and of shared virtual memory */
#include "fanin/init.h"    /* gains, initializers, what they make one expect */
#include "fanin/measure.h" /* moments of a tensor, and a closer look */
#include "fanin/probe.h"   /* a network's variance, layer by layer; calibrating */
#include "fanin/scheme.h"  /* factors in front of an initializer, by depth, width or role */
#include "fanin/shard.h"   /* tensors cut into shards, on several devices */
#include "fanin/tensor.h"  /* dtypes, tensors, parts */
#include "fanin/theory.h"  /* mean-field theory, suggestions */

#endif
