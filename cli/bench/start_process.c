/* fanin bench: the processes that start.c measures. Each writes a dot to standard output when its device has
 * finished. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/args.h"
#include "bench/bench.h"

/* ---- fanin ------------------------------------------------------------------------------------------------------- */

static int say_finished(failure *why) {
  return write(STDOUT_FILENO, ".", 1) == 1 ? STATUS_OK : fail(why, STATUS_INPUT, "write: %s", strerror(errno));
}

static int run_fanin(const char *device, uint64_t size, failure *why) {
  const uint64_t shape[2] = {1024, BENCH_START_BYTES / sizeof(cl_float) / 1024};
  const fanin_init init = fanin_normal(0, 0.02);
  const fanin_key key = {0, 0};
  session s = {0};
  fanin_tensor tensor = {0};
  fanin_device_info info;
  size_t index = 0;
  int status = session_open(device, &s, why);
  if (status == STATUS_OK) {
    fanin_status done = fanin_tensor_alloc(s.f, FANIN_DTYPE_F32, NULL, 2, shape, &tensor);
    if (done == FANIN_STATUS_OK) done = fanin_fill(s.f, s.queue, &tensor, &init, key, 0, NULL, NULL);
    status = library_status(why, done, NULL);
  }
  if (status == STATUS_OK) status = opencl_status(why, clFinish(s.queue), "clFinish");
  if (status == STATUS_OK) status = say_finished(why);
  /* The time that is measured has ended. The parent wants to know this before it uses OpenCL itself. */
  if (status == STATUS_OK) status = bench_check_size(&s, size, why);
  if (status == STATUS_OK) status = session_describe(&s, &info, &index, why);
  if (status == STATUS_OK) printf("%zu", index); /* so that the other process takes the same device */
  fanin_tensor_free(&tensor);
  session_close(&s);
  return status;
}

/* ---- An OpenCL program that does almost nothing ----------------------------------------------------------------- */

/* Finds the device with that index, without the library. */
static int find_device(uint64_t index, cl_device_id *device, failure *why) {
  enum { MOST = 64 };
  cl_platform_id platforms[MOST];
  cl_uint n_platforms = 0;
  cl_int code = clGetPlatformIDs(MOST, platforms, &n_platforms);
  if (code != CL_SUCCESS) return opencl_status(why, code, "clGetPlatformIDs");
  for (cl_uint i = 0; i < n_platforms && i < MOST; ++i) {
    cl_device_id devices[MOST];
    cl_uint n = 0;
    code = clGetDeviceIDs(platforms[i], CL_DEVICE_TYPE_ALL, MOST, devices, &n);
    if (code != CL_SUCCESS)
      continue; /* a platform without devices, or a broken one: fanin_devices() ignores it as well */
    if (n > MOST) n = MOST;
    if (index < n) {
      *device = devices[index];
      return STATUS_OK;
    }
    index -= n;
  }
  return fail(why, STATUS_DEVICE, "no device has that index");
}

static const char empty_source[] = "kernel void empty(global uint *out) { out[get_global_id(0)] = 0; }";

/* Builds the kernel and runs it with one item. */
static int run_empty(cl_context context, cl_device_id device, cl_command_queue queue, failure *why) {
  const char *source = empty_source;
  const size_t one = 1;
  cl_kernel kernel = NULL;
  cl_mem out = NULL;
  cl_int code;
  cl_program program = clCreateProgramWithSource(context, 1, &source, NULL, &code);
  int status = opencl_status(why, code, "clCreateProgramWithSource");
  if (status == STATUS_OK) {
    status = opencl_status(why, clBuildProgram(program, 1, &device, NULL, NULL, NULL), "clBuildProgram");
  }
  if (status == STATUS_OK) {
    kernel = clCreateKernel(program, "empty", &code);
    status = opencl_status(why, code, "clCreateKernel");
  }
  if (status == STATUS_OK) {
    out = clCreateBuffer(context, CL_MEM_READ_WRITE, sizeof(cl_uint), NULL, &code);
    status = opencl_status(why, code, "clCreateBuffer");
  }
  if (status == STATUS_OK) status = opencl_status(why, clSetKernelArg(kernel, 0, sizeof out, &out), "clSetKernelArg");
  if (status == STATUS_OK) {
    code = clEnqueueNDRangeKernel(queue, kernel, 1, NULL, &one, NULL, 0, NULL, NULL);
    status = opencl_status(why, code, "clEnqueueNDRangeKernel");
  }
  if (status == STATUS_OK) status = opencl_status(why, clFinish(queue), "clFinish");
  if (status == STATUS_OK) status = say_finished(why);
  if (out) clReleaseMemObject(out);
  if (kernel) clReleaseKernel(kernel);
  if (program) clReleaseProgram(program);
  return status;
}

static int run_empty_program(const char *index, failure *why) {
  uint64_t number = 0;
  cl_device_id device = NULL;
  cl_int code;
  int status = index ? args_number(&number, "--device", index, why) : STATUS_OK;
  if (status == STATUS_OK) status = find_device(number, &device, why);
  if (status != STATUS_OK) return status;
  cl_context context = clCreateContext(NULL, 1, &device, NULL, NULL, &code);
  if (code != CL_SUCCESS) return opencl_status(why, code, "clCreateContext");
  cl_command_queue queue = clCreateCommandQueue(context, device, 0, &code);
  status =
      code == CL_SUCCESS ? run_empty(context, device, queue, why) : opencl_status(why, code, "clCreateCommandQueue");
  if (queue) clReleaseCommandQueue(queue);
  clReleaseContext(context);
  return status;
}

int bench_start_process(const char *what, const char *cache, const char *device, uint64_t size, failure *why) {
  /* By these, drivers find their caches: PoCL, NVIDIA, Mesa, Intel. */
  static const char *const variables[] = {"POCL_CACHE_DIR", "CUDA_CACHE_PATH", "MESA_SHADER_CACHE_DIR",
                                          "NEO_CACHE_DIR"};
  for (size_t i = 0; cache && i < sizeof variables / sizeof *variables; ++i)
    setenv(variables[i], cache, 1);
  if (strcmp(what, "fanin") == 0) return run_fanin(device, size, why);
  if (strcmp(what, "empty") == 0) return run_empty_program(device, why);
  return args_fail(why, "--start-process '%s': give fanin or empty", what);
}
