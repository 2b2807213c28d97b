/* fanin: initializes neural-network weights where they live.
 *
 * OpenCL kernels write random weights straight into device buffers. A value is a function of (seed, stream, element
 * index, initializer) and of nothing else: the same call gives the same bits on every device, for every launch
 * geometry, shard and order (docs/stream.md is the specification).
 *
 * Conventions of its headers
 *   - Every function that can fail returns a fanin_status. Results come through pointers, which are written only on
 *     success unless said otherwise. fanin_last_error() has the sentence for the calling thread's last failure.
 *   - A pointer must not be NULL unless the comment says what NULL means: FANIN_STATUS_BAD_ARGUMENT names it, and
 *     nothing else happens. `wait_list` is NULL when n_wait is 0.
 *   - Values (fanin_tensor, fanin_init, fanin_key) are plain data: copy them freely. They own nothing, except where
 *     fanin_tensor_alloc() says so. A field that is 0 has its documented default. base.h says how structs grow.
 *   - Enqueueing functions validate everything before they enqueue anything, do not block (but for the first fill of a
 *     kind, which compiles and checks: fanin_fill()), and work on in-order and out-of-order queues. `queue` NULL means
 *     f's own, see fanin_queue(). `event` may be NULL; one that is returned is the caller's to release.
 *   - Every function may be called from several threads at once on one fanin.
 *   - Nothing prints, exits or keeps global state.
 *
 * The headers below are stable: after 0.2 they only grow. The experimental ones may change in a minor version. Include
 * those by name, or define FANIN_EXPERIMENTAL before this header to have them all.
 */
#ifndef FANIN_H
#define FANIN_H

#include "fanin/base.h"   /* versions, status codes, how structs grow */
#include "fanin/device.h" /* devices, a fanin */
#include "fanin/fill.h"   /* filling, plans, cold starts */
#include "fanin/init.h"   /* gains, initializers, what to expect of them */
#include "fanin/shard.h"  /* tensors cut into shards, on several devices */
#include "fanin/tensor.h" /* dtypes, tensors, parts */

#ifdef FANIN_EXPERIMENTAL
#include "fanin/foreign.h"  /* tensors of DLPack and of shared virtual memory */
#include "fanin/inspect.h"  /* moments of a tensor, a closer look, laws */
#include "fanin/probe.h"    /* a network's variance, layer by layer; calibrating */
#include "fanin/scheme.h"   /* factors in front of an initializer, by depth, width or role */
#include "fanin/selftest.h" /* whether a device gives the bits of the stream */
#include "fanin/theory.h"   /* mean-field theory, suggestions */
#endif

#endif
