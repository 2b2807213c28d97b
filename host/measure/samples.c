/* fanin_measure_sample, fanin_measure_pairs: how the beginnings of many tensors correlate with one another. */
#include <inttypes.h>
#include <stdlib.h>

#include "core/argument.h"
#include "core/memory.h"
#include "core/program.h"
#include "core/queue.h"
#include "fanin/inspect.h"
#include "measure/dense.h"

enum { MOST_PAIRS = 1 << 18, GRAIN = 16, SUMS = 5 };

fanin_status fanin_measure_sample(fanin *f, cl_command_queue queue, const fanin_tensor *t, fanin_standard by,
                                  cl_mem samples, uint64_t first, cl_uint n_wait, const cl_event *wait_list) {
  fanin__dense d;
  fanin__when when;
  FANIN__NEED(f);
  FANIN__NEED(t);
  FANIN__NEED(samples);
  FANIN__TRY(fanin__dense_of(f, t, &d));
  FANIN__TRY(fanin__when_of(f, queue, n_wait, wait_list, NULL, &when));
  fanin_tensor room;
  fanin__dense into;
  FANIN__TRY(fanin_tensor_of(samples, (size_t)first * sizeof(float), FANIN_DTYPE_F32, NULL, 1, &d.elements, &room));
  FANIN__TRY(fanin__dense_of(f, &room, &into));
  FANIN__TRY(fanin__wait(n_wait, wait_list));
  if (d.elements == 0) return FANIN_STATUS_OK;
  const fanin__spread spread = fanin__spread_of(f, d.elements, GRAIN);
  const fanin__real shift = fanin__real_of(by.shift), scale = fanin__real_of(by.scale);
  const cl_ulong elements = d.elements, at = first;
  const fanin__argument arguments[] = {FANIN__VALUE(t->buffer), FANIN__VALUE(d.offset), FANIN__VALUE(elements),
                                       FANIN__REAL(&d, shift),  FANIN__REAL(&d, scale), FANIN__VALUE(samples),
                                       FANIN__VALUE(at)};
  cl_kernel kernel = NULL;
  cl_event done = NULL;
  fanin_status status = fanin__kernel(f, &fanin__source_samples, d.options, "standardise", &kernel);
  if (status == FANIN_STATUS_OK) {
    status = fanin__launch(when.queue, kernel, arguments, sizeof arguments / sizeof *arguments, &spread, &done);
  }
  if (status == FANIN_STATUS_OK) status = fanin__wait(1, &done);
  if (done) (void)clReleaseEvent(done);
  if (kernel) (void)clReleaseKernel(kernel);
  return status;
}

/* Up to MOST_PAIRS pairs: uploads them, runs, reads the sums of products. */
static fanin_status run(fanin *f, cl_command_queue queue, cl_kernel kernel, cl_mem samples, cl_ulong length,
                        const fanin_pair *pairs, cl_ulong n, const cl_mem memory[2], float *host, cl_uint4 *list) {
  for (size_t k = 0; k < n; k++) {
    list[k] = (cl_uint4){.s = {pairs[k].a, pairs[k].b, pairs[k].count, 0}};
  }
  cl_int code = clEnqueueWriteBuffer(queue, memory[0], CL_TRUE, 0, (size_t)n * sizeof *list, list, 0, NULL, NULL);
  if (code != CL_SUCCESS) return fanin__fail_cl(code, "clEnqueueWriteBuffer of pairs");
  const fanin__spread spread = fanin__spread_of(f, n, GRAIN);
  const fanin__argument arguments[] = {FANIN__VALUE(samples), FANIN__VALUE(length), FANIN__VALUE(n),
                                       FANIN__VALUE(memory[0]), FANIN__VALUE(memory[1])};
  cl_event done = NULL;
  FANIN__TRY(fanin__launch(queue, kernel, arguments, sizeof arguments / sizeof *arguments, &spread, &done));
  const fanin_status status = fanin__read_back(queue, memory[1], SUMS * (size_t)n * sizeof *host, host, done);
  (void)clReleaseEvent(done);
  return status;
}

static fanin_status check_pairs(uint64_t tensors, uint64_t length, const fanin_pair *pairs, size_t n) {
  for (size_t k = 0; k < n; k++) {
    if (pairs[k].a < tensors && pairs[k].b < tensors && pairs[k].count <= length && pairs[k].count % 16 == 0) continue;
    return fanin__fail(FANIN_STATUS_BAD_ARGUMENT,
                       "pairs[%zu] = {%" PRIu32 ", %" PRIu32 ", %" PRIu32 "}; accepted are samples below %" PRIu64
                       " and a count up to %" PRIu64 " that 16 divides",
                       k, pairs[k].a, pairs[k].b, pairs[k].count, tensors, length);
  }
  return FANIN_STATUS_OK;
}

fanin_status fanin_measure_pairs(fanin *f, cl_command_queue queue, cl_mem samples, uint64_t tensors, uint64_t length,
                                 const fanin_pair *pairs, size_t n, fanin_products *out, size_t stride) {
  fanin__dense d;
  fanin__when when;
  fanin_tensor all;
  FANIN__NEED(f);
  FANIN__NEED(samples);
  FANIN__NEED_ARRAY(pairs, n);
  FANIN__NEED_ARRAY(out, n);
  if (n > 0) FANIN__NEED_SIZE(stride);
  FANIN__TRY(fanin_tensor_of(samples, 0, FANIN_DTYPE_F32, NULL, 2, (const uint64_t[]){tensors, length}, &all));
  FANIN__TRY(fanin__dense_of(f, &all, &d));
  FANIN__TRY(fanin__when_of(f, queue, 0, NULL, NULL, &when));
  FANIN__TRY(check_pairs(tensors, length, pairs, n));
  if (n == 0) return FANIN_STATUS_OK;
  const size_t most = n < MOST_PAIRS ? n : MOST_PAIRS;
  float *const host = malloc(SUMS * most * sizeof *host);
  cl_uint4 *const list = malloc(most * sizeof *list);
  cl_mem memory[2] = {NULL, NULL};
  cl_kernel kernel = NULL;
  fanin_status status = FANIN_STATUS_OK;
  if (!host || !list) status = fanin__fail(FANIN_STATUS_OUT_OF_MEMORY, "%zu pairs", most);
  if (status == FANIN_STATUS_OK) status = fanin__kernel(f, &fanin__source_samples, d.options, "correlate", &kernel);
  if (status == FANIN_STATUS_OK) status = fanin__new_buffer(f, most * sizeof *list, &memory[0]);
  if (status == FANIN_STATUS_OK) status = fanin__new_buffer(f, SUMS * most * sizeof *host, &memory[1]);
  for (size_t first = 0; first < n && status == FANIN_STATUS_OK; first += most) {
    const size_t block = n - first < most ? n - first : most;
    status = run(f, when.queue, kernel, samples, length, pairs + first, block, memory, host, list);
    for (size_t k = 0; k < block && status == FANIN_STATUS_OK; k++) {
      const float *const sums = host + k;
      const fanin_products products = {(double)sums[0], (double)sums[block], (double)sums[2 * block],
                                       (double)sums[3 * block], (double)sums[4 * block]};
      fanin__give_at(out, stride, first + k, &products, sizeof products);
    }
  }
  fanin__free_buffer(memory[1]);
  fanin__free_buffer(memory[0]);
  if (kernel) (void)clReleaseKernel(kernel);
  free(list);
  free(host);
  return status;
}
