/* fanin bench: rounds of timed runs in one buffer. A time is that of the wall clock, from before the enqueue to after
 * the clFinish() that follows it. */
#include "bench/bench.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "base/terminal.h"

int bench_check_size(const session *s, uint64_t size, failure *why) {
  if (size <= s->max_alloc_bytes) return STATUS_OK;
  return fail(why, STATUS_INPUT, "--size %" PRIu64 ": %s gives at most %" PRIu64 " bytes at once", size, s->device_name,
              s->max_alloc_bytes);
}

/* ---- Memory and plans -------------------------------------------------------------------------------------------- */

/* How far into the buffer the case writes, in bytes. */
static uint64_t span(const bench_case *c) {
  uint64_t end = c->bytes;
  for (size_t i = 0; i < c->n_items; ++i) {
    uint64_t elements, bytes = 0;
    const fanin_tensor *t = &c->items[i].tensor;
    if (fanin_tensor_size(t, &elements, &bytes) == FANIN_STATUS_OK && t->offset + bytes > end) end = t->offset + bytes;
  }
  return end;
}

/* Whether the device has no buffer as large, or the library needs for large matrices what it was built without. */
static bool is_impossible(const session *s, const bench_case *c, uint64_t bytes) {
  if (bytes > s->max_alloc_bytes) return true;
  return c->group == BENCH_MATRIX &&
         fanin_warmup(s->f, &c->items[0].tensor, &c->items[0].init) == FANIN_STATUS_UNSUPPORTED;
}

/* The memory that all selected cases share. */
static int make_memory(bench_set *set, const session *s, cl_mem *memory, failure *why) {
  uint64_t most = 0;
  for (size_t i = 0; i < set->count; ++i) {
    bench_case *c = &set->cases[i];
    if (!c->selected || c->group == BENCH_START) continue;
    const uint64_t bytes = span(c);
    if (is_impossible(s, c, bytes)) {
      c->left_out = true;
      c->selected = false;
    } else if (bytes > most) {
      most = bytes;
    }
  }
  return most > 0 ? session_buffer(s, (size_t)most, memory, why) : STATUS_OK;
}

static int make_plan(const session *s, cl_mem memory, bench_case *c, failure *why) {
  for (size_t i = 0; i < c->n_items; ++i)
    c->items[i].tensor.buffer = memory;
  return library_status(why, fanin_plan_create(s->f, c->items, c->n_items, &c->plan), c->name);
}

/* ---- Rounds ------------------------------------------------------------------------------------------------------ */

double bench_clock(void) {
  struct timespec time = {0};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static int time_run(const session *s, cl_mem memory, const bench_case *c, uint64_t seed, double *seconds,
                    failure *why) {
  const double begin = bench_clock();
  const int status = c->enqueue(s, memory, c, seed, why);
  const cl_int code = clFinish(s->queue);
  *seconds = bench_clock() - begin;
  if (status != STATUS_OK) return status;
  return opencl_status(why, code, c->name);
}

/* The selected cases of a group. */
typedef struct turns {
  bench_case **cases;
  size_t count;
} turns;

static turns turns_of(const bench_set *set, bench_group group) {
  turns t = {.cases = allocate(set->count, sizeof(bench_case *))};
  for (size_t i = 0; i < set->count; ++i) {
    if (set->cases[i].selected && set->cases[i].group == group) t.cases[t.count++] = &set->cases[i];
  }
  return t;
}

/* Prepares each case and runs it once without timing it, so that kernels are compiled and memory has been touched. */
static int prepare(const turns *t, size_t rounds, const session *s, cl_mem memory, failure *why) {
  int status = STATUS_OK;
  for (size_t i = 0; i < t->count && status == STATUS_OK; ++i) {
    bench_case *c = t->cases[i];
    double seconds;
    progress_show("preparing %s %s (compiling kernels, once a device)", c->name, c->dtype);
    c->seconds = allocate(rounds, sizeof *c->seconds);
    if (c->enqueue == bench_enqueue_plan) status = make_plan(s, memory, c, why);
    if (status == STATUS_OK) status = time_run(s, memory, c, 0, &seconds, why);
  }
  return status;
}

/* Runs each case once. Every round begins with another case, so that no case is always the first. */
static int run_round(const turns *t, size_t round, size_t rounds, const session *s, cl_mem memory, failure *why) {
  uint64_t shown = 0;
  int status = STATUS_OK;
  for (size_t i = 0; i < t->count && status == STATUS_OK; ++i) {
    const bench_case *c = t->cases[(i + round) % t->count];
    if (progress_is_due(&shown)) progress_show("round %zu of %zu: %s %s", round + 1, rounds, c->name, c->dtype);
    status = time_run(s, memory, c, round + 1, &c->seconds[round], why);
  }
  return status;
}

static int measure_group(const bench_set *set, const session *s, cl_mem memory, bench_group group, failure *why) {
  turns t = turns_of(set, group);
  int status = prepare(&t, set->rounds, s, memory, why);
  for (size_t round = 0; round < set->rounds && status == STATUS_OK; ++round)
    status = run_round(&t, round, set->rounds, s, memory, why);
  for (size_t i = 0; i < t.count; ++i) {
    fanin_plan_release(t.cases[i]->plan);
    t.cases[i]->plan = NULL;
  }
  free(t.cases);
  return status;
}

int bench_measure(bench_set *set, const session *s, failure *why) {
  cl_mem memory = NULL;
  int status = make_memory(set, s, &memory, why);
  for (int group = BENCH_MAIN; group < BENCH_GROUPS && status == STATUS_OK; ++group)
    status = measure_group(set, s, memory, (bench_group)group, why);
  progress_clear();
  if (memory) clReleaseMemObject(memory);
  return status;
}
