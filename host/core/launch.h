/* Launching a kernel: its arguments and its geometry. */
#ifndef HOST_CORE_LAUNCH_H
#define HOST_CORE_LAUNCH_H

#include "fanin/device.h"

/* How tasks are assigned to work-items: item i takes the tasks from i * pitch on in steps of `step`, below
 * i * pitch + span. On CPUs there are a few items for each core, each with a piece of its own; on GPUs there are many,
 * and neighbours work side by side. Local sizes never depend on the number of tasks, because drivers compile a kernel
 * again for each local size. */
typedef struct fanin__spread {
  size_t items, local;
  cl_ulong pitch, step, span;
} fanin__spread;

/* `grain`: the tasks that an item must have to be worth its start. */
fanin__spread fanin__spread_of(const fanin *f, uint64_t tasks, uint64_t grain);

/* An argument of a kernel: where it is and how large. */
typedef struct fanin__argument {
  size_t size;
  const void *value;
} fanin__argument;
#define FANIN__VALUE(x) ((fanin__argument){sizeof(x), &(x)})

/* Enqueues the kernel with these arguments and waits for nothing. *done is the caller's to release; done may be NULL.
 */
fanin_status fanin__launch(cl_command_queue queue, cl_kernel kernel, const fanin__argument *arguments, cl_uint n,
                           const fanin__spread *spread, cl_event *done);

#endif
