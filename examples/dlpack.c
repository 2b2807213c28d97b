/* A DLTensor of OpenCL memory, as another program hands it over, is filled where it is: DLPack's fields say where. The
 * producer here is this program itself.
 *
 *   cc dlpack.c $(pkg-config --cflags --libs fanin) -lm -o dlpack
 */
#include <fanin.h>
#include <fanin/dlpack.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { OUTPUTS = 300, INPUTS = 784, WEIGHTS = OUTPUTS * INPUTS, OTHERS = 256 };

static int check(int status, const char *what) {
  if (status != 0) fprintf(stderr, "%s: %s: %s\n", what, fanin_status_name((fanin_status)status), fanin_last_error());
  return status == 0;
}

static void delete_tensor(DLManagedTensor *managed) {
  clReleaseMemObject(managed->dl_tensor.data);
  free(managed);
}

/* What a producer does: the weights are behind 256 bytes of something else's. */
static DLManagedTensor *export_weights(cl_context context) {
  static int64_t shape[] = {OUTPUTS, INPUTS};
  DLManagedTensor *const managed = calloc(1, sizeof *managed);
  if (!managed) return NULL;
  managed->dl_tensor = (DLTensor){.data = clCreateBuffer(context, CL_MEM_READ_WRITE, OTHERS + 4 * WEIGHTS, NULL, NULL),
                                  .device = {kDLOpenCL, 0},
                                  .ndim = 2,
                                  .dtype = {kDLFloat, 32, 1},
                                  .shape = shape,
                                  .byte_offset = OTHERS};
  managed->deleter = delete_tensor;
  return managed;
}

static int fill(fanin *f, cl_command_queue queue, const DLManagedTensor *managed) {
  static float values[WEIGHTS];
  const fanin_init init = fanin_he_normal(0, FANIN_MODE_FAN_IN);
  fanin_key key;
  fanin_tensor t;
  cl_event event = NULL;
  if (!check(fanin_key_named(42, "fc1.weight", &key), "fanin_key_named")) return 0;
  if (!check(fanin_tensor_from_dlpack(&managed->dl_tensor, "OI", &t), "fanin_tensor_from_dlpack")) return 0;
  if (!check(fanin_fill(f, queue, &t, &init, key, 0, NULL, &event), "fanin_fill")) return 0;
  const int read = check(fanin_read(f, queue, &t, values, sizeof values, 1, 1, &event, NULL), "fanin_read");
  clReleaseEvent(event);
  if (!read) return 0;
  double squares = 0;
  for (size_t i = 0; i < WEIGHTS; i++)
    squares += (double)values[i] * (double)values[i];
  const double std = sqrt(squares / WEIGHTS);
  printf("fc1.weight: std %.6f, expected %.6f\n", std, sqrt(2.0 / INPUTS));
  return fabs(std / sqrt(2.0 / INPUTS) - 1) < 0.01; /* a relative standard error is 0.0015 */
}

int main(void) {
  cl_context context = NULL;
  cl_command_queue queue = NULL;
  DLManagedTensor *managed = NULL;
  fanin *f = NULL;
  int failed = 1;
  if (!check(fanin_open(NULL, &f), "fanin_open")) return 1;
  if (!check(fanin_context(f, &context), "fanin_context")) goto done;
  if (!check(fanin_queue(f, &queue), "fanin_queue")) goto done;
  managed = export_weights(context);
  if (!managed) goto done;
  failed = !fill(f, queue, managed);
  managed->deleter(managed);
done:
  fanin_release(f);
  return failed;
}
