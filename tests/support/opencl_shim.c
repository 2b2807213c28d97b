/* OpenCL as the tests want it; see opencl_shim.h. */
#include "support/opencl_shim.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <CL/cl.h>

static long fails_at = -1, calls, counted_times;
static const char *failed;
static shim_count counted;

void shim_fail_at(long k, long times) {
  fails_at = k;
  counted_times = times;
  calls = 0;
  failed = NULL;
}

const char *shim_failed(void) {
  return failed;
}

long shim_calls(void) {
  return calls;
}

shim_count shim_counted(void) {
  return counted;
}

const char *shim_kind_name(int kind) {
  static const char *const names[] = {
#define SHIM_NAME(id, name) name,
      SHIM_KINDS(SHIM_NAME)
#undef SHIM_NAME
  };
  return names[kind];
}

/* Where a call comes from: the functions on the stack. */
static uint64_t path_here(void) {
  enum { DEPTH = 24 };
  void *stack[DEPTH];
  uint64_t hash = 0xcbf29ce484222325;
  const int n = backtrace(stack, DEPTH);
  for (int k = 0; k < n; k++) {
    hash = (hash ^ (uint64_t)(uintptr_t)stack[k]) * 0x100000001b3;
  }
  return hash;
}

/* Whether calls have come that way often enough since shim_fail_at(). */
static bool is_repeated(void) {
  static uint64_t seen[4096];
  static size_t n;
  const uint64_t path = path_here();
  long before = 0;
  if (calls == 0) n = 0;
  for (size_t k = 0; k < n; k++) {
    before += seen[k] == path;
  }
  if (before >= counted_times) return true;
  if (n < sizeof seen / sizeof *seen) seen[n++] = path;
  return false;
}

static bool is_due(const char *name) {
  if (calls++ != fails_at) return false;
  failed = name;
  return true;
}

static bool fails(const char *name) {
  return !is_repeated() && is_due(name);
}

/* The function of that name in the OpenCL library. */
static void *next(const char *name) {
  void *const found = dlsym(RTLD_NEXT, name);
  if (!found) {
    fprintf(stderr, "no %s in the OpenCL library\n", name);
    abort();
  }
  return found;
}

/* POSIX's way from dlsym() to a function. */
#define NEXT(type, name, parameters)                                                                                   \
  type(*real) parameters;                                                                                              \
  *(void **)&real = next(#name)

/* A call that answers with a code. */
#define CALL(name, parameters, arguments)                                                                              \
  cl_int name parameters {                                                                                             \
    NEXT(cl_int, name, parameters);                                                                                    \
    return fails(#name) ? SHIM_CODE : real arguments;                                                                  \
  }

/* A command: one event more, where it is wanted. */
#define ENQUEUE(name, parameters, arguments)                                                                           \
  cl_int name parameters {                                                                                             \
    NEXT(cl_int, name, parameters);                                                                                    \
    const cl_int code = fails(#name) ? SHIM_CODE : real arguments;                                                     \
    counted.references[SHIM_EVENT] += code == CL_SUCCESS && event;                                                     \
    return code;                                                                                                       \
  }

/* A new object of a kind. */
#define CREATE(kind, type, name, parameters, arguments)                                                                \
  type name parameters {                                                                                               \
    NEXT(type, name, parameters);                                                                                      \
    if (fails(#name)) {                                                                                                \
      if (code) *code = SHIM_CODE;                                                                                     \
      return NULL;                                                                                                     \
    }                                                                                                                  \
    type const object = real arguments;                                                                                \
    counted.references[SHIM_##kind] += object != NULL;                                                                 \
    return object;                                                                                                     \
  }

#define RETAIN(kind, name, type)                                                                                       \
  cl_int name(type object) {                                                                                           \
    NEXT(cl_int, name, (type));                                                                                        \
    const cl_int code = fails(#name) ? SHIM_CODE : real(object);                                                       \
    counted.references[SHIM_##kind] += code == CL_SUCCESS;                                                             \
    return code;                                                                                                       \
  }

#define RELEASE(kind, name, type)                                                                                      \
  cl_int name(type object) {                                                                                           \
    NEXT(cl_int, name, (type));                                                                                        \
    const cl_int code = real(object);                                                                                  \
    counted.references[SHIM_##kind] -= code == CL_SUCCESS;                                                             \
    return code;                                                                                                       \
  }

/* A query of an object. */
#define INFO(name, object, info)                                                                                       \
  CALL(name, (object o, info what, size_t size, void *value, size_t *needed), (o, what, size, value, needed))

CALL(clGetPlatformIDs, (cl_uint n, cl_platform_id *list, cl_uint *count), (n, list, count))
CALL(clGetDeviceIDs, (cl_platform_id p, cl_device_type type, cl_uint n, cl_device_id *list, cl_uint *count),
     (p, type, n, list, count))
INFO(clGetPlatformInfo, cl_platform_id, cl_platform_info)
INFO(clGetDeviceInfo, cl_device_id, cl_device_info)
INFO(clGetContextInfo, cl_context, cl_context_info)
INFO(clGetCommandQueueInfo, cl_command_queue, cl_command_queue_info)
INFO(clGetMemObjectInfo, cl_mem, cl_mem_info)
INFO(clGetProgramInfo, cl_program, cl_program_info)
CALL(clGetProgramBuildInfo,
     (cl_program p, cl_device_id d, cl_program_build_info what, size_t size, void *value, size_t *needed),
     (p, d, what, size, value, needed))
CALL(clGetKernelWorkGroupInfo,
     (cl_kernel k, cl_device_id d, cl_kernel_work_group_info what, size_t size, void *value, size_t *needed),
     (k, d, what, size, value, needed))
CALL(clBuildProgram,
     (cl_program p, cl_uint n, const cl_device_id *d, const char *options,
      void(CL_CALLBACK *notify)(cl_program program, void *user), void *user),
     (p, n, d, options, notify, user))
CALL(clSetKernelArg, (cl_kernel k, cl_uint index, size_t size, const void *value), (k, index, size, value))
CALL(clFlush, (cl_command_queue q), (q))
CALL(clFinish, (cl_command_queue q), (q))
CALL(clWaitForEvents, (cl_uint n, const cl_event *events), (n, events))

CREATE(CONTEXT, cl_context, clCreateContext,
       (const cl_context_properties *properties, cl_uint n, const cl_device_id *d,
        void(CL_CALLBACK *notify)(const char *text, const void *info, size_t size, void *user), void *user,
        cl_int *code),
       (properties, n, d, notify, user, code))
CREATE(QUEUE, cl_command_queue, clCreateCommandQueue,
       (cl_context c, cl_device_id d, cl_command_queue_properties properties, cl_int *code), (c, d, properties, code))
CREATE(MEMORY, cl_mem, clCreateBuffer, (cl_context c, cl_mem_flags flags, size_t size, void *host, cl_int *code),
       (c, flags, size, host, code))
CREATE(PROGRAM, cl_program, clCreateProgramWithSource,
       (cl_context c, cl_uint n, const char **texts, const size_t *sizes, cl_int *code), (c, n, texts, sizes, code))
CREATE(PROGRAM, cl_program, clCreateProgramWithBinary,
       (cl_context c, cl_uint n, const cl_device_id *d, const size_t *sizes, const unsigned char **binaries,
        cl_int *status, cl_int *code),
       (c, n, d, sizes, binaries, status, code))
CREATE(KERNEL, cl_kernel, clCreateKernel, (cl_program p, const char *name, cl_int *code), (p, name, code))

#define WAIT cl_uint n_wait, const cl_event *wait_list, cl_event *event
ENQUEUE(clEnqueueNDRangeKernel,
        (cl_command_queue q, cl_kernel k, cl_uint dimensions, const size_t *offset, const size_t *global,
         const size_t *local, WAIT),
        (q, k, dimensions, offset, global, local, n_wait, wait_list, event))
ENQUEUE(clEnqueueReadBuffer,
        (cl_command_queue q, cl_mem m, cl_bool blocking, size_t offset, size_t size, void *to, WAIT),
        (q, m, blocking, offset, size, to, n_wait, wait_list, event))
ENQUEUE(clEnqueueReadBufferRect,
        (cl_command_queue q, cl_mem m, cl_bool blocking, const size_t *origin, const size_t *host_origin,
         const size_t *region, size_t row, size_t slice, size_t host_row, size_t host_slice, void *to, WAIT),
        (q, m, blocking, origin, host_origin, region, row, slice, host_row, host_slice, to, n_wait, wait_list, event))
ENQUEUE(clEnqueueWriteBuffer,
        (cl_command_queue q, cl_mem m, cl_bool blocking, size_t offset, size_t size, const void *from, WAIT),
        (q, m, blocking, offset, size, from, n_wait, wait_list, event))
ENQUEUE(clEnqueueCopyBuffer,
        (cl_command_queue q, cl_mem from, cl_mem to, size_t from_offset, size_t to_offset, size_t size, WAIT),
        (q, from, to, from_offset, to_offset, size, n_wait, wait_list, event))
ENQUEUE(clEnqueueMarkerWithWaitList, (cl_command_queue q, WAIT), (q, n_wait, wait_list, event))
ENQUEUE(clEnqueueBarrierWithWaitList, (cl_command_queue q, WAIT), (q, n_wait, wait_list, event))

RETAIN(CONTEXT, clRetainContext, cl_context)
RETAIN(QUEUE, clRetainCommandQueue, cl_command_queue)
RETAIN(MEMORY, clRetainMemObject, cl_mem)
RETAIN(PROGRAM, clRetainProgram, cl_program)
RETAIN(KERNEL, clRetainKernel, cl_kernel)
RETAIN(EVENT, clRetainEvent, cl_event)
RETAIN(DEVICE, clRetainDevice, cl_device_id)
RELEASE(CONTEXT, clReleaseContext, cl_context)
RELEASE(QUEUE, clReleaseCommandQueue, cl_command_queue)
RELEASE(MEMORY, clReleaseMemObject, cl_mem)
RELEASE(PROGRAM, clReleaseProgram, cl_program)
RELEASE(KERNEL, clReleaseKernel, cl_kernel)
RELEASE(EVENT, clReleaseEvent, cl_event)
RELEASE(DEVICE, clReleaseDevice, cl_device_id)
