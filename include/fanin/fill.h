/* Filling tensors, one by one or a whole model by a plan, and how to start quickly. Stable. */
#ifndef FANIN_FILL_H
#define FANIN_FILL_H

#include "base.h"
#include "device.h"
#include "init.h"
#include "tensor.h"

FANIN_C_BEGIN

/* ---- Filling ----------------------------------------------------------------------------------------------------- */

/* Which random numbers: a 64-bit seed, and a 64-bit stream id that differs from tensor to tensor. */
typedef struct fanin_key {
  uint64_t seed, stream;
} fanin_key;

/* The key of a named tensor. Its stream is FNV-1a-64 of the name's bytes and does not depend on the seed. */
FANIN_API fanin_status fanin_key_named(uint64_t seed, const char *name, fanin_key *out);

/* Enqueues the initialization of the part of `t` that memory holds, and never touches a byte outside it. Asynchronous,
 * except that the first fill of a distribution and dtype compiles its kernel, and that the first one in float, with
 * halves and in double waits for a check of the device, some 0.1 ms on a queue of its own
 * (docs/numerics.md). An empty part enqueues nothing but the event. f, queue, buffer and wait list must share a
 * context, and the queue's device must be f's. Errors: FANIN_STATUS_BAD_* with the argument named;
 * FANIN_STATUS_UNSUPPORTED (f64 on a device without it, a device whose arithmetic is wrong for the dtype, or for
 * orthogonal and sparse tensors one that ends long loops early, in a sentence that says how); OpenCL's. */
FANIN_API fanin_status fanin_fill(fanin *f, cl_command_queue queue, const fanin_tensor *t, const fanin_init *init,
                                  fanin_key key, cl_uint n_wait, const cl_event *wait_list, cl_event *event);

/* Copies the part of `t` that memory holds to `host`, dense and row-major. `bytes` must be the number of elements times
 * the size of an element; `host` may be NULL when that is 0. With `blocking` 0, `host` must live until `event`
 * completes. Strided parts are gathered if their innermost stride is 1 and they reduce to at most three dimensions,
 * otherwise they are FANIN_STATUS_UNSUPPORTED. Other errors: as fanin_fill(). */
FANIN_API fanin_status fanin_read(fanin *f, cl_command_queue queue, const fanin_tensor *t, void *host, size_t bytes,
                                  int blocking, cl_uint n_wait, const cl_event *wait_list, cl_event *event);

/* ---- Plans: a whole model, prepared once ------------------------------------------------------------------------- */

/* Many tensors that are filled together, again and again. Everything is validated, compiled and described on the device
 * when the plan is made; an enqueue then only says the seed. Tensors in one buffer go in one launch for each dtype
 * among them, however many tensors there are. A dtype's kernel is compiled once, for all families of distributions
 * (uniform, normal, truncated normal) that the plan has in it; a kernel that f has already, and that makes more, serves
 * too. Every other tensor (identity, dirac, bilinear, hadamard, tables, sparse, orthogonal) is filled by launches of
 * its own, one tensor after another; its zeros or normals, where it has some, are part of the launches before. Tensors
 * in separate buffers go in launches of their own, with no wait in between. Several threads may use a plan at once. */
typedef struct fanin_plan fanin_plan;

/* A tensor of a plan, and what to fill it with. */
typedef struct fanin_item {
  fanin_tensor tensor; /* buffer NULL: the plan allocates dense memory for the part; offset and strides must be 0 */
  fanin_init init;
  uint64_t stream;      /* such as fanin_key_named() makes of a name */
  uint64_t reserved[3]; /* must be 0 */
} fanin_item;

/* Makes a plan of n items (0 is fine). Retains the buffers and f: either may be released first. Items must not share
 * elements: dense parts that do are refused, strided ones are the caller's care. The plan allocates one buffer for the
 * items that have none, or as few as the device's largest allocation allows, with every tensor aligned as sub-buffers
 * must be. Blocking: compiles what is needed and uploads the descriptions. Release *out with fanin_plan_release().
 * Errors: as fanin_fill(), in a sentence that names the item. */
FANIN_API fanin_status fanin_plan_create(fanin *f, const fanin_item *items, size_t n, fanin_plan **out);

/* Waits for nothing: what was enqueued finishes by itself. Memory that the plan allocated goes with it, unless the
 * caller retained the buffers. NULL is ignored. Not while another thread uses the plan. */
FANIN_API void fanin_plan_release(fanin_plan *plan);

/* Enqueues the filling of every item. Asynchronous. The bits are those of fanin_fill() with {seed, item's stream}. */
FANIN_API fanin_status fanin_plan_enqueue(fanin_plan *plan, cl_command_queue queue, uint64_t seed, cl_uint n_wait,
                                          const cl_event *wait_list, cl_event *event);

/* Item i's tensor, with its buffer and offset where the plan allocated them. The buffer is not retained for the caller.
 * FANIN_STATUS_BAD_ARGUMENT where there is no item i, from 0. */
FANIN_API fanin_status fanin_plan_tensor(const fanin_plan *plan, size_t i, fanin_tensor *out);

/* What a plan costs. */
typedef struct fanin_plan_facts {
  size_t items, launches; /* launches of one enqueue; a tensor with launches of its own counts as one more */
  uint64_t elements;      /* that an enqueue writes */
  uint64_t arena_bytes;   /* device memory that the plan allocated for tensors */
  uint64_t table_bytes;   /* device memory for descriptions: about 400 bytes for an item, and 16 for a piece of at most
                             16,320 elements */
} fanin_plan_facts;

/* Counts and bytes of a plan, which do not change. `size` is sizeof *out. */
FANIN_API fanin_status fanin_plan_describe(const fanin_plan *plan, fanin_plan_facts *out, size_t size);

/* ---- Cold starts ------------------------------------------------------------------------------------------------- */

/* A kernel is compiled when it is first needed, which takes seconds on some drivers, and kept with f; many drivers also
 * keep a cache on disk. These functions move that time to where it does no harm. */

/* Compiles and runs once, on scratch memory, what fanin_fill(t, init) will need. `t` needs no buffer. Blocking. */
FANIN_API fanin_status fanin_warmup(fanin *f, const fanin_tensor *t, const fanin_init *init);

/* Writes what f has compiled so far to `data`, for fanin_import() on a host without a driver cache. *size is the number
 * of bytes that it takes. If `capacity` is less, nothing is written, and the status is FANIN_STATUS_OK where data is
 * NULL, otherwise FANIN_STATUS_BAD_SIZE. */
FANIN_API fanin_status fanin_export(fanin *f, void *data, size_t capacity, size_t *size);

/* Takes compiled programs that fanin_export() wrote, which are then used instead of compiling. Copies `data`. Data that
 * is damaged, or of another device, driver or fanin version, is FANIN_STATUS_BAD_BINARY; f is then as before and
 * compiles what it needs, as it does where the driver refuses a binary after all. */
FANIN_API fanin_status fanin_import(fanin *f, const void *data, size_t size);

/* Keeps what f compiles from now on in a directory, for later processes, and takes from there what an earlier one has
 * compiled for the same device, driver and fanin version. The directory is made if it is not there, with the mode 0700.
 * Directories of another user, or that others may write to, are not used, because what is in them will run. Of 64 MiB
 * what was used longest ago is removed. Damaged files are compiled again and replaced. `directory` NULL is $FANIN_CACHE
 * if that is set, else $XDG_CACHE_HOME/fanin or ~/.cache/fanin, but not on PoCL, whose own cache does the same
 * (docs/decisions/kernels.md). With FANIN_CACHE=off, and where the directory cannot be read or written, f compiles what
 * it needs, which is success too. Call it before the first fill. On Windows nothing is kept. */
FANIN_API fanin_status fanin_cache(fanin *f, const char *directory);

FANIN_C_END

#endif
