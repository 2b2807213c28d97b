/* Initialize, then multiply with CLBlast: Z = H W^T for He-initialized weights W and inputs H ~ N(0,1), all of it on
 * the device. Each z is a sum of `inputs` products of variance 2 / inputs, so the mean of z^2 is 2 (which ReLU would
 * halve).
 *
 *   cc init_then_gemm.c $(pkg-config --cflags --libs fanin clblast) -lm -o init_then_gemm
 */
#define CL_TARGET_OPENCL_VERSION 120
#include <clblast_c.h>
#include <fanin.h>
#include <fanin/inspect.h> /* fanin_measure() */
#include <math.h>
#include <stdio.h>

enum { BATCH = 256, INPUTS = 512, OUTPUTS = 512 };

static int check(int status, const char *what) {
  if (status != 0) fprintf(stderr, "%s: %d: %s\n", what, status, fanin_last_error());
  return status == 0;
}

int main(void) {
  const uint64_t input_shape[] = {BATCH, INPUTS};
  const uint64_t weight_shape[] = {OUTPUTS, INPUTS};
  const uint64_t output_shape[] = {BATCH, OUTPUTS};
  fanin *f = NULL;
  fanin_tensor h = {0}; /* (BATCH, INPUTS) */
  fanin_tensor w = {0}; /* (OUTPUTS, INPUTS) */
  fanin_tensor z = {0}; /* (BATCH, OUTPUTS) */
  fanin_stats stats;
  int failed = 1;

  if (!check(fanin_open(NULL, &f), "fanin_open")) goto done;
  if (!check(fanin_tensor_alloc(f, FANIN_DTYPE_F32, "", 2, input_shape, &h), "inputs")) goto done;
  if (!check(fanin_tensor_alloc(f, FANIN_DTYPE_F32, "OI", 2, weight_shape, &w), "weights")) goto done;
  if (!check(fanin_tensor_alloc(f, FANIN_DTYPE_F32, "", 2, output_shape, &z), "outputs")) goto done;

  /* fanin's queue is in order: no events are needed. */
  const fanin_init standard = fanin_normal(0, 1);
  const fanin_init he = fanin_he_normal(0, FANIN_MODE_FAN_IN);
  fanin_key h_key;
  fanin_key w_key;
  cl_command_queue queue = NULL;
  if (!check(fanin_key_named(1, "input", &h_key), "key") || !check(fanin_key_named(1, "weight", &w_key), "key"))
    goto done;
  if (!check(fanin_fill(f, NULL, &h, &standard, h_key, 0, NULL, NULL), "fill inputs")) goto done;
  if (!check(fanin_fill(f, NULL, &w, &he, w_key, 0, NULL, NULL), "fill weights")) goto done;

  if (!check(fanin_queue(f, &queue), "fanin_queue")) goto done;
  const CLBlastStatusCode gemm =
      CLBlastSgemm(CLBlastLayoutRowMajor, CLBlastTransposeNo, CLBlastTransposeYes, BATCH, OUTPUTS, INPUTS, 1.0F,
                   h.buffer, 0, INPUTS, w.buffer, 0, INPUTS, 0.0F, z.buffer, 0, OUTPUTS, &queue, NULL);
  if (!check((int)gemm, "CLBlastSgemm")) goto done;
  if (!check(fanin_measure(f, NULL, &z, 0, NULL, &stats, sizeof stats), "measure")) goto done;

  /* sum z^2 = tr(H'H W'W), a trace of two independent Wishart matrices: their moments give the mean's variance as
   * 8 (inputs + outputs + batch + 1) / (inputs outputs batch). */
  const double deviation =
      sqrt(8.0 * (INPUTS + OUTPUTS + BATCH + 1) / ((double)INPUTS * (double)OUTPUTS * (double)BATCH));
  printf("mean of z^2: %.4f measured, 2 expected, within %.4f (5 standard deviations)\n", stats.second, 5 * deviation);
  failed = fabs(stats.second - 2) > 5 * deviation;
done:
  fanin_tensor_free(&z);
  fanin_tensor_free(&w);
  fanin_tensor_free(&h);
  fanin_release(f);
  return failed;
}
