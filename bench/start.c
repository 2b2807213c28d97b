/* What a process takes from its start to a finished 4 MiB tensor: "start fanin" by fanin, "start opencl" by the least
 * OpenCL program that writes one. bench/rotate.py times both from outside, with the driver's cache warm. */
#include <stdio.h>
#include <string.h>

#include "fanin.h"

enum { ELEMENTS = 1 << 20 };

static int by_fanin(void) {
  fanin *f = NULL;
  fanin_tensor t = {0};
  const uint64_t shape[] = {ELEMENTS};
  const fanin_init init = fanin_normal(0.0, 0.02);
  cl_command_queue queue = NULL;
  fanin_status status = fanin_open(NULL, &f);
  if (status == FANIN_STATUS_OK) status = fanin_tensor_alloc(f, FANIN_DTYPE_F32, "", 1, shape, &t);
  if (status == FANIN_STATUS_OK) status = fanin_fill(f, NULL, &t, &init, (fanin_key){1, 2}, 0, NULL, NULL);
  if (status == FANIN_STATUS_OK) status = fanin_queue(f, &queue);
  if (status == FANIN_STATUS_OK) status = (fanin_status)clFinish(queue);
  if (status != FANIN_STATUS_OK) fprintf(stderr, "%s\n", fanin_last_error());
  fanin_tensor_free(&t);
  fanin_release(f);
  return status == FANIN_STATUS_OK ? 0 : 1;
}

static const char SOURCE[] = "kernel void zero(global float *x) { x[get_global_id(0)] = 0.0f; }";

/* Ends without cleaning up: the process does, and only what comes before counts. */
static int by_opencl(void) {
  cl_platform_id platform;
  cl_device_id device;
  cl_int code = clGetPlatformIDs(1, &platform, NULL);
  if (code == CL_SUCCESS) code = clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 1, &device, NULL);
  if (code != CL_SUCCESS) return 1;
  const cl_context context = clCreateContext(NULL, 1, &device, NULL, NULL, &code);
  if (code != CL_SUCCESS) return 1;
  const cl_command_queue queue = clCreateCommandQueue(context, device, 0, &code);
  if (code != CL_SUCCESS) return 1;
  const cl_mem buffer = clCreateBuffer(context, CL_MEM_READ_WRITE, ELEMENTS * sizeof(cl_float), NULL, &code);
  if (code != CL_SUCCESS) return 1;
  const cl_program program = clCreateProgramWithSource(context, 1, (const char *[]){SOURCE}, NULL, &code);
  if (code != CL_SUCCESS || clBuildProgram(program, 1, &device, "", NULL, NULL) != CL_SUCCESS) return 1;
  const cl_kernel kernel = clCreateKernel(program, "zero", &code);
  if (code != CL_SUCCESS || clSetKernelArg(kernel, 0, sizeof buffer, &buffer) != CL_SUCCESS) return 1;
  const size_t global = ELEMENTS, local = 64;
  code = clEnqueueNDRangeKernel(queue, kernel, 1, NULL, &global, &local, 0, NULL, NULL);
  return code == CL_SUCCESS && clFinish(queue) == CL_SUCCESS ? 0 : 1;
}

int main(int argc, char **argv) {
  if (argc == 2 && strcmp(argv[1], "fanin") == 0) return by_fanin();
  if (argc == 2 && strcmp(argv[1], "opencl") == 0) return by_opencl();
  fprintf(stderr, "usage: start fanin|opencl\n");
  return 2;
}
