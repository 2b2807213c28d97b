/* Launching a kernel: its arguments, its geometry, what it waits for, and what comes back. Every launch of fanin goes
 * through here. */
#ifndef HOST_CORE_LAUNCH_H
#define HOST_CORE_LAUNCH_H

#include <stdbool.h>

#include "core/program.h"
#include "core/queue.h"

/* An argument of a kernel: where it is, how large, and whether it names a memory object. */
typedef struct fanin__argument {
  size_t size;
  const void *value;
  bool is_memory;
} fanin__argument;
#define FANIN__VALUE(x)            ((fanin__argument){sizeof(x), &(x), FANIN__IS_MEMORY(x)}) /* uint64_t is a kernel's ulong */
#define FANIN__BYTES(size, values) ((fanin__argument){(size), (values), false})
#define FANIN__LOCAL(bytes)        ((fanin__argument){(bytes), NULL, false}) /* local memory of a work-group */
#define FANIN__IS_MEMORY(x)        _Generic((x), cl_mem : true, default : false)

/* A real number as the kernel takes it: double or float. */
typedef struct fanin__real {
  double f64;
  float f32;
} fanin__real;
fanin__real fanin__real_of(double value);
#define FANIN__REAL(is_f64, x) ((is_f64) ? FANIN__VALUE((x).f64) : FANIN__VALUE((x).f32))

/* How many work-items there are, and how many of them a work-group has. In one dimension, the second number of both is
 * 0. */
typedef struct fanin__grid {
  size_t global[2], local[2];
} fanin__grid;

/* So many work-groups of `local` work-items, in one dimension. */
fanin__grid fanin__groups(uint64_t groups, size_t local);

/* Work-items of a group whose items share its work: one with wide vectors works alone. */
size_t fanin__company(const fanin *f);

/* How tasks are assigned to work-items: item i takes the tasks from i * pitch on in steps of `step`, below
 * i * pitch + span. On CPUs there are a few items for each core, each with a piece of its own, or more where loops
 * would be too long; on GPUs there are many, and neighbours work side by side. Local sizes never depend on the number
 * of tasks, because drivers compile a kernel again for each local size. */
typedef struct fanin__spread {
  fanin__grid grid;
  size_t items;
  cl_ulong pitch, step, span;
} fanin__spread;

/* The passes that an item of a CPU has through all its loops, at most: Mesa 22 ends those of llvmpipe's items after
 * 65,533, without an error. */
enum { FANIN__MOST_PASSES = 60000 };

/* `grain`: the tasks that an item must have to be worth its start. `passes`: those of a task, at most. */
fanin__spread fanin__spread_of(const fanin *f, uint64_t tasks, uint64_t grain, uint64_t passes);
#define FANIN__SPREAD(s) FANIN__VALUE((s).pitch), FANIN__VALUE((s).step), FANIN__VALUE((s).span)

/* A launch. The kernel is borrowed for it, by `source`, `options` and `name`, unless the caller has borrowed `kernel`:
 * then no other thread may use that one meanwhile, and memory that an argument has named lives until it is given back.
 */
typedef struct fanin__launch {
  const fanin__source *source;
  const char *options, *name;
  fanin__kernel *kernel;
  fanin__grid grid;
  const fanin__argument *arguments;
  cl_uint n;
} fanin__launch;

/* The last two members of a fanin__launch, from a list of arguments. */
#define FANIN__ARGUMENTS(...)                                                                                          \
  .arguments = (const fanin__argument[]){__VA_ARGS__},                                                                 \
  .n = sizeof((const fanin__argument[]){__VA_ARGS__}) / sizeof(fanin__argument)

/* One of a kernel of kernels/<program>.cl, with a list of arguments. */
#define FANIN__LAUNCH(program, built_with, kernel_name, of, ...)                                                       \
  {                                                                                                                    \
    .source = &fanin__source_##program, .options = (built_with), .name = #kernel_name, .grid = (of),                   \
    FANIN__ARGUMENTS(__VA_ARGS__)                                                                                      \
  }

/* Enqueues it and waits for nothing. */
fanin_status fanin__enqueue(fanin *f, const fanin__when *when, const fanin__launch *launch);

/* Enqueues it; what is enqueued next begins after it. */
fanin_status fanin__enqueue_in_order(fanin *f, cl_command_queue queue, const fanin__launch *launch);

/* Writes to the first bytes of a buffer; what is enqueued next begins after it. `host` may be used again at once. That
 * is all that OpenCL says of a blocking write: on a queue that runs out of order, a launch behind it may come first. */
fanin_status fanin__write(cl_command_queue queue, cl_mem buffer, size_t bytes, const void *host);

/* What a kernel writes: the first `bytes` of a buffer, which go to `host`. */
typedef struct fanin__result {
  cl_mem buffer;
  size_t bytes;
  void *host;
} fanin__result;

/* Enqueues it and reads its results. Blocking. */
fanin_status fanin__enqueue_and_read(fanin *f, cl_command_queue queue, const fanin__launch *launch,
                                     const fanin__result *results, size_t n);

#endif
