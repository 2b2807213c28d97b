/* Bring your own context, queue and buffer: a layer's weight and bias go into one buffer of the program's own, behind
 * 256 bytes that are something else's. The queue is out of order, so events say what waits for what.
 *
 *   cc bring_your_own.c $(pkg-config --cflags --libs fanin) -lm -o bring_your_own
 */
#define CL_TARGET_OPENCL_VERSION 120 /* clCreateCommandQueue() */
#include <fanin.h>
#include <math.h>
#include <stdio.h>

enum { OUTPUTS = 300, INPUTS = 784, WEIGHTS = OUTPUTS * INPUTS, OTHERS = 256 };

static int check(int status, const char *what) {
  if (status != 0) fprintf(stderr, "%s: %s: %s\n", what, fanin_status_name((fanin_status)status), fanin_last_error());
  return status == 0;
}

/* A GPU if there is one, else whatever the first platform has. */
static int pick_device(cl_device_id *device) {
  cl_platform_id platform;
  if (!check(clGetPlatformIDs(1, &platform, NULL), "clGetPlatformIDs")) return 0;
  if (clGetDeviceIDs(platform, CL_DEVICE_TYPE_GPU, 1, device, NULL) == CL_SUCCESS) return 1;
  return check(clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 1, device, NULL), "clGetDeviceIDs");
}

static void print_moments(const char *name, const float *values, size_t n) {
  double sum = 0;
  double squares = 0;
  for (size_t i = 0; i < n; i++)
    sum += (double)values[i];
  const double mean = sum / (double)n;
  for (size_t i = 0; i < n; i++)
    squares += ((double)values[i] - mean) * ((double)values[i] - mean);
  printf("%-12s %6zu values, mean %+.6f, std %.6f\n", name, n, mean, sqrt(squares / (double)n));
}

int main(void) {
  static float weight[WEIGHTS];
  static float bias[OUTPUTS];
  const uint64_t weight_shape[] = {OUTPUTS, INPUTS};
  const uint64_t bias_shape[] = {OUTPUTS};
  const size_t bytes = OTHERS + sizeof weight + sizeof bias;
  cl_device_id device = NULL;
  cl_context context = NULL;
  cl_command_queue queue = NULL;
  cl_mem buffer = NULL;
  fanin *f = NULL;
  cl_event filled[2] = {NULL, NULL};
  cl_int error = CL_SUCCESS;
  int failed = 1;

  if (!pick_device(&device)) goto done;
  context = clCreateContext(NULL, 1, &device, NULL, NULL, &error);
  if (!check(error, "clCreateContext")) goto done;
  queue = clCreateCommandQueue(context, device, CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE, &error);
  if (!check(error, "clCreateCommandQueue")) goto done;
  buffer = clCreateBuffer(context, CL_MEM_READ_WRITE, bytes, NULL, &error);
  if (!check(error, "clCreateBuffer")) goto done;
  if (!check(fanin_create_for_queue(queue, &f), "fanin_create_for_queue")) goto done;

  /* PyTorch's order: each row belongs to an output feature. The key's stream follows from the tensor's name. */
  fanin_tensor w;
  fanin_tensor b;
  if (!check(fanin_tensor_of(buffer, OTHERS, FANIN_DTYPE_F32, "OI", 2, weight_shape, &w), "weight")) goto done;
  if (!check(fanin_tensor_of(buffer, OTHERS + sizeof weight, FANIN_DTYPE_F32, "O", 1, bias_shape, &b), "bias"))
    goto done;
  fanin_key w_key;
  fanin_key b_key;
  if (!check(fanin_key_named(42, "fc1.weight", &w_key), "weight")) goto done;
  if (!check(fanin_key_named(42, "fc1.bias", &b_key), "bias")) goto done;
  const fanin_init he = fanin_he_normal(0, FANIN_MODE_FAN_IN);
  const fanin_init small = fanin_uniform(-0.01, 0.01);
  if (!check(fanin_fill(f, queue, &w, &he, w_key, 0, NULL, &filled[0]), "weight")) goto done;
  if (!check(fanin_fill(f, queue, &b, &small, b_key, 0, NULL, &filled[1]), "bias")) goto done;
  if (!check(fanin_read(f, queue, &w, weight, sizeof weight, 1, 1, &filled[0], NULL), "read weight")) goto done;
  if (!check(fanin_read(f, queue, &b, bias, sizeof bias, 1, 1, &filled[1], NULL), "read bias")) goto done;

  print_moments("fc1.weight", weight, WEIGHTS);
  print_moments("fc1.bias", bias, OUTPUTS);
  printf("%-12s std %.6f expected, sqrt(2 / %d)\n", "fc1.weight", sqrt(2.0 / INPUTS), INPUTS);
  failed = 0;
done:
  for (int i = 0; i < 2; i++)
    if (filled[i]) clReleaseEvent(filled[i]);
  fanin_release(f);
  if (buffer) clReleaseMemObject(buffer);
  if (queue) clReleaseCommandQueue(queue);
  if (context) clReleaseContext(context);
  return failed;
}
