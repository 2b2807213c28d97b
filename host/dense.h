/* Passes over a dense tensor that reduce it: what their functions check, launch and read back alike. */
#ifndef HOST_DENSE_H
#define HOST_DENSE_H

#include "internal.h"

/* A part in memory without gaps, checked. */
typedef struct fanin__dense {
  uint64_t elements;
  cl_ulong offset;     /* from the buffer's start, in elements */
  bool f64;            /* sums are double, else float */
  const char *options; /* -D ELEMENT_F32 and so on, for kernels/elements.cl */
} fanin__dense;

/* Checks tensor, buffer, density and whether the device has the dtype. */
fanin_status fanin__dense_of(const fanin *f, const fanin_tensor *t, fanin__dense *out);

/* Bytes of one of the kernel's reals. */
size_t fanin__real_size(const fanin__dense *d);
/* Number k of an array of them. */
double fanin__real_at(const fanin__dense *d, const void *reals, size_t k);

/* Blocks until what the caller wants to wait for is done. */
fanin_status fanin__wait(cl_uint n_wait, const cl_event *wait_list);

/* Who takes which of some tasks: item i those from i * pitch on in steps of `step`, below i * pitch + span. On CPUs a
 * few items a core, each with a piece of its own; on GPUs many, neighbours side by side. Local sizes never depend on
 * the number of tasks: drivers compile a kernel again for each. */
typedef struct fanin__spread {
  size_t items, local;
  cl_ulong pitch, step, span;
} fanin__spread;

/* `grain`: tasks that an item must have to be worth its start. */
fanin__spread fanin__spread_of(const fanin *f, uint64_t tasks, uint64_t grain);

/* An argument of a kernel: where it is and how large. */
typedef struct fanin__argument {
  size_t size;
  const void *value;
} fanin__argument;
#define FANIN__VALUE(x) ((fanin__argument){sizeof(x), &(x)})

/* A real of the kernel's type, to be passed by FANIN__REAL(). */
typedef struct fanin__real {
  double f64;
  float f32;
} fanin__real;
fanin__real fanin__real_of(double value);
#define FANIN__REAL(dense, x) ((dense)->f64 ? FANIN__VALUE((x).f64) : FANIN__VALUE((x).f32))

/* Enqueues the kernel with these arguments and waits for nothing. *done is the caller's to release; done may be NULL.
 */
fanin_status fanin__launch(cl_command_queue queue, cl_kernel kernel, const fanin__argument *arguments, cl_uint n,
                           const fanin__spread *spread, cl_event *done);

/* A buffer for results, released by fanin__free_buffer(), which takes NULL. */
fanin_status fanin__new_buffer(fanin *f, size_t bytes, cl_mem *out);
void fanin__free_buffer(cl_mem buffer);

/* Reads `bytes` from the start of a buffer after `after`, blocking. */
fanin_status fanin__read_back(cl_command_queue queue, cl_mem buffer, size_t bytes, void *host, cl_event after);

#endif
