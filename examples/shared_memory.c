/* Shared virtual memory (OpenCL 2.0): weights are initialized where an ordinary pointer sees them, without a copy. Says
 * so and ends well on a device that has none.
 *
 *   cc shared_memory.c $(pkg-config --cflags --libs fanin) -lm -o shared_memory
 */
#define CL_TARGET_OPENCL_VERSION 200 /* clSVMAlloc; fanin itself needs no more than 1.2 */
#include <fanin.h>
#include <fanin/foreign.h>
#include <math.h>
#include <stdio.h>

enum { OUTPUTS = 300, INPUTS = 784, WEIGHTS = OUTPUTS * INPUTS };

static int check(int status, const char *what) {
  if (status != 0) fprintf(stderr, "%s: %s: %s\n", what, fanin_status_name((fanin_status)status), fanin_last_error());
  return status == 0;
}

static int fill(fanin *f, float *weights) {
  const uint64_t shape[] = {OUTPUTS, INPUTS};
  const size_t bytes = WEIGHTS * sizeof *weights;
  const fanin_init he = fanin_he_normal(0, FANIN_MODE_FAN_IN);
  cl_command_queue queue = NULL;
  fanin_tensor described;
  fanin_tensor w = {0};
  fanin_key key;
  cl_event filled = NULL;
  int done = 0;

  if (!check(fanin_queue(f, &queue), "fanin_queue")) return 0;
  if (!check(fanin_key_named(42, "fc1.weight", &key), "fanin_key_named")) return 0;
  if (!check(fanin_tensor_of(NULL, 0, FANIN_DTYPE_F32, "OI", 2, shape, &described), "fanin_tensor_of")) return 0;
  if (!check(fanin_tensor_svm(f, weights, &described, &w), "fanin_tensor_svm")) return 0;
  if (!check(fanin_fill(f, queue, &w, &he, key, 0, NULL, &filled), "fanin_fill")) goto end;

  /* Fine-grained memory would need the event alone; coarse-grained memory is mapped, which copies nothing here. */
  if (!check(clEnqueueSVMMap(queue, CL_TRUE, CL_MAP_READ, weights, bytes, 1, &filled, NULL), "clEnqueueSVMMap"))
    goto end;
  double squares = 0;
  for (size_t i = 0; i < WEIGHTS; i++)
    squares += (double)weights[i] * (double)weights[i];
  printf("fc1.weight: std %.6f, expected %.6f\n", sqrt(squares / WEIGHTS), sqrt(2.0 / INPUTS));
  done = check(clEnqueueSVMUnmap(queue, weights, 0, NULL, NULL), "clEnqueueSVMUnmap") &&
         check(clFinish(queue), "clFinish");
end:
  if (filled) clReleaseEvent(filled);
  fanin_tensor_free(&w);
  return done;
}

int main(void) {
  cl_device_svm_capabilities has = 0;
  cl_context context = NULL;
  cl_device_id device = NULL;
  fanin *f = NULL;
  int failed = 1;
  if (!check(fanin_open(NULL, &f), "fanin_open")) return 1;
  if (!check(fanin_context(f, &context), "fanin_context") || !check(fanin_device(f, &device), "fanin_device")) {
    fanin_release(f);
    return 1;
  }
  if (clGetDeviceInfo(device, CL_DEVICE_SVM_CAPABILITIES, sizeof has, &has, NULL) != CL_SUCCESS || has == 0) {
    printf("this device has no shared virtual memory\n");
    failed = 0;
  } else {
    float *weights = clSVMAlloc(context, CL_MEM_READ_WRITE, WEIGHTS * sizeof *weights, 0);
    failed = !weights || !fill(f, weights);
    if (weights) clSVMFree(context, weights);
  }
  fanin_release(f);
  return failed;
}
