/* fanin selftest: rates beside the device's own fill and copy. Round by round each is run once, because machines are
 * noisy; what is reported are medians, and medians of the rounds' ratios. 'fanin bench' measures more. */
#include <stdlib.h>
#include <time.h>

#include "base/terminal.h"
#include "selftest/selftest.h"

enum { ROUNDS = 5, QUICK_BYTES = 32 << 20, FULL_BYTES = 256 << 20 };

/* What a run writes, and how. */
typedef struct task {
  cl_mem to, from;
  size_t bytes;
  fanin_init init;
  fanin_dtype dtype;
} task;

typedef int enqueue_task(const session *s, const task *t, uint64_t seed, failure *why);

static int fill_plainly(const session *s, const task *t, uint64_t seed, failure *why) {
  const cl_uint pattern = (cl_uint)seed;
  const cl_int code = clEnqueueFillBuffer(s->queue, t->to, &pattern, sizeof pattern, 0, t->bytes, 0, NULL, NULL);
  return opencl_status(why, code, "rates: clEnqueueFillBuffer");
}

static int copy(const session *s, const task *t, uint64_t seed, failure *why) {
  (void)seed;
  const cl_int code = clEnqueueCopyBuffer(s->queue, t->from, t->to, 0, 0, t->bytes, 0, NULL, NULL);
  return opencl_status(why, code, "rates: clEnqueueCopyBuffer");
}

static int fill_randomly(const session *s, const task *t, uint64_t seed, failure *why) {
  const uint64_t elements = t->bytes / fanin_dtype_size(t->dtype);
  fanin_tensor tensor;
  fanin_status status = fanin_tensor_of(t->to, 0, t->dtype, NULL, 1, &elements, &tensor);
  if (status == FANIN_STATUS_OK)
    status = fanin_fill(s->f, s->queue, &tensor, &t->init, (fanin_key){seed, 0}, 0, NULL, NULL);
  return library_status(why, status, "rates");
}

static double seconds_now(void) {
  struct timespec time = {0};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static int by_value(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median(double values[ROUNDS]) {
  qsort(values, ROUNDS, sizeof *values, by_value);
  return values[ROUNDS / 2];
}

enum { FILL, COPY };

/* Every task once without timing it, so that kernels are compiled and memory has been touched; then the rounds. */
static int run_rounds(const session *s, const task *tasks, enqueue_task *const *ways, size_t n, double times[][ROUNDS],
                      failure *why) {
  for (size_t round = 0; round <= ROUNDS; ++round) {
    progress_show("self-test: rates, round %zu of %d", round, ROUNDS);
    for (size_t i = 0; i < n; ++i) {
      const double begin = seconds_now();
      int status = ways[i](s, &tasks[i], round, why);
      if (status == STATUS_OK) status = opencl_status(why, clFinish(s->queue), "rates: clFinish");
      if (status != STATUS_OK) return status;
      if (round > 0) times[i][round - 1] = seconds_now() - begin;
    }
  }
  return STATUS_OK;
}

static selftest_rate rate_of(const char *name, size_t bytes, double times[][ROUNDS], size_t i) {
  double of_fill[ROUNDS], of_copy[ROUNDS], own[ROUNDS];
  for (size_t round = 0; round < ROUNDS; ++round) {
    own[round] = times[i][round];
    of_fill[round] = times[FILL][round] / own[round];
    of_copy[round] = times[COPY][round] / own[round];
  }
  return (selftest_rate){name, 1e-9 * (double)bytes / median(own), median(of_fill), median(of_copy)};
}

int selftest_measure(const session *s, bool full, selftest_rates *out, failure *why) {
  static const char *const names[SELFTEST_RATES] = {"device's fill", "device's copy", "uniform f32", "normal f32",
                                                    "normal bf16"};
  static enqueue_task *const ways[SELFTEST_RATES] = {fill_plainly, copy, fill_randomly, fill_randomly, fill_randomly};
  double times[SELFTEST_RATES][ROUNDS] = {{0}};
  const uint64_t wanted = full ? FULL_BYTES : QUICK_BYTES, most = s->max_alloc_bytes / 64 * 64;
  const size_t bytes = (size_t)(wanted < most ? wanted : most);
  cl_mem to = NULL, from = NULL;
  int status = session_buffer(s, bytes, &to, why);
  if (status == STATUS_OK) status = session_buffer(s, bytes, &from, why);
  if (status == STATUS_OK) {
    const task plain = {.to = to, .from = from, .bytes = bytes};
    task tasks[SELFTEST_RATES] = {plain, plain, plain, plain, plain};
    tasks[2].init = fanin_uniform(0, 1);
    tasks[3].init = tasks[4].init = fanin_normal(0, 1);
    tasks[4].dtype = FANIN_DTYPE_BF16;
    status = run_rounds(s, tasks, ways, SELFTEST_RATES, times, why);
  }
  for (size_t i = 0; i < SELFTEST_RATES && status == STATUS_OK; ++i)
    out->list[out->count++] = rate_of(names[i], bytes, times, i);
  out->bytes = bytes;
  if (from) clReleaseMemObject(from);
  if (to) clReleaseMemObject(to);
  return status;
}
