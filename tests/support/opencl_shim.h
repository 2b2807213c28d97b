/* OpenCL as the tests want it: every call can be made to fail, and what is retained is counted. Linked into a program,
 * it stands between it and the OpenCL library. */
#ifndef FANIN_TESTS_OPENCL_SHIM_H
#define FANIN_TESTS_OPENCL_SHIM_H

/* No code of OpenCL's, so that it cannot come from anywhere else. */
enum { SHIM_CODE = -999 };

/* The k-th call from now on fails, counted from 0; k < 0: none. Not counted are releases, which never fail, and calls
 * that come by a way by which `times` have come already, as in a loop. */
void shim_fail_at(long k, long times);

/* The name of the call that failed since then, or NULL. */
const char *shim_failed(void);

/* Calls since then. */
long shim_calls(void);

/* References less releases since the program began, of one kind of object. */
#define SHIM_KINDS(row)                                                                                                \
  row(CONTEXT, "contexts") row(QUEUE, "queues") row(MEMORY, "buffers") row(PROGRAM, "programs") row(KERNEL, "kernels") \
      row(EVENT, "events") row(DEVICE, "devices")
#define SHIM_ID(id, name) SHIM_##id,
enum { SHIM_KINDS(SHIM_ID) SHIM_KIND_COUNT };
#undef SHIM_ID

typedef struct shim_count {
  long references[SHIM_KIND_COUNT];
} shim_count;

shim_count shim_counted(void);
const char *shim_kind_name(int kind);

#endif
