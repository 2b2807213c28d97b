/* fanin_fill: one tensor, which is one launch over rows, what a filler enqueues, or both. */
#include "fill/fill.h"

#include "core/argument.h"
#include "core/launch.h"
#include "core/memory.h"
#include "fanin/fill.h"
#include "math/integer.h"

/* FNV-1a (Fowler, Noll and Vo) in its 64-bit form. */
fanin_status fanin_key_named(uint64_t seed, const char *name, fanin_key *out) {
  FANIN__NEED(name, out);
  uint64_t hash = 0xcbf29ce484222325;
  for (const unsigned char *byte = (const unsigned char *)name; *byte; byte++) {
    hash = (hash ^ *byte) * 0x100000001b3;
  }
  *out = (fanin_key){.seed = seed, .stream = hash};
  return FANIN_STATUS_OK;
}

static fanin_status launch_rows(fanin *f, const fanin__when *when, const fanin__job *job, uint64_t seed,
                                uint64_t groups) {
  double packed[16];
  const size_t size = fanin__pack_parameters(job->dtype, &job->parameters, packed);
  const fanin__launch launch =
      FANIN__LAUNCH(fill, job->parameters.options, fill, fanin__groups(groups, f->fill_group),
                    FANIN__VALUE(job->buffer), FANIN__VALUE(job->rows), FANIN__BYTES(size, packed), FANIN__VALUE(seed));
  return fanin__enqueue(f, when, &launch);
}

fanin_status fanin__fill_rows(fanin *f, const fanin__when *when, const fanin__job *job, uint64_t seed) {
  const uint64_t chunks = job->rows.chunks * job->rows.count;
  return launch_rows(f, when, job, seed, fanin__ceil_div(chunks, fanin__piece(f, &job->rows)));
}

fanin_status fanin__run_filler(fanin *f, const fanin__when *when, const fanin__job *job, uint64_t seed) {
  if (when->n_wait > 0) {
    const cl_int code = clEnqueueBarrierWithWaitList(when->queue, when->n_wait, when->wait_list, NULL);
    if (code != CL_SUCCESS) return fanin__fail_cl(code, "clEnqueueBarrierWithWaitList");
  }
  const fanin__when step = {.queue = when->queue}, end = {.queue = when->queue, .event = when->event};
  if (job->rows.chunks > 0) FANIN__TRY(fanin__fill_rows(f, &step, job, seed));
  FANIN__TRY(fanin__order(when->queue));
  FANIN__TRY(job->filler->fill(f, when->queue, job, seed));
  return fanin__enqueue_marker(&end);
}

fanin_status fanin__fill_job(fanin *f, const fanin__when *when, const fanin__job *job, uint64_t seed) {
  if (job->elements == 0) return fanin__enqueue_marker(when);
  if (job->filler) return fanin__run_filler(f, when, job, seed);
  return fanin__fill_rows(f, when, job, seed);
}

fanin_status fanin_fill(fanin *f, cl_command_queue queue, const fanin_tensor *t, const fanin_init *init, fanin_key key,
                        cl_uint n_wait, const cl_event *wait_list, cl_event *event) {
  fanin__job job;
  fanin__when when = {0};
  FANIN__NEED(f, t, init);
  FANIN__TRY(fanin__job_of(f, t, init, key.stream, true, &job));
  FANIN__TRY(fanin__when_of(f, queue, n_wait, wait_list, event, &when));
  FANIN__TRY(fanin__check_job(f, &job));
  return fanin__fill_job(f, &when, &job, key.seed);
}

/* ---- Warming up -------------------------------------------------------------------------------------------------- */

/* What fill() needs for a small tensor of scratch memory. */
static fanin_status warm_filler(fanin *f, cl_command_queue queue, const fanin__job *job) {
  const uint64_t shape[] = {2, 2, 1};
  fanin__job small = *job;
  FANIN__TRY(fanin_tensor_alloc(f, job->dtype, "OIW", 3, shape, &small.tensor));
  small.buffer = small.tensor.buffer;
  small.distribution.zeros = 1;
  fanin_status status = fanin__matrices_of(&small.tensor, &small.matrices);
  if (status == FANIN_STATUS_OK) status = job->filler->fill(f, queue, &small, 0);
  fanin_tensor_free(&small.tensor);
  return status;
}

/* One chunk of what `job` is, by one group of the same shape as in earnest, which is what drivers specialise for. */
static fanin_status warm(fanin *f, const fanin__when *when, const fanin__job *job, cl_mem scratch) {
  fanin__job small = *job;
  small.buffer = scratch;
  small.rows.rank = 0;
  small.rows.origin = small.rows.first_index = 0;
  small.rows.count = small.rows.chunks = small.rows.stride = 1;
  small.rows.length = fanin__chunk(f, job->dtype);
  if (job->filler && job->filler->of_rows) return job->filler->fill(f, when->queue, &small, 0);
  if (job->filler) FANIN__TRY(warm_filler(f, when->queue, job));
  if (job->rows.chunks == 0) return FANIN_STATUS_OK;
  return launch_rows(f, when, &small, 0, 1);
}

fanin_status fanin_warmup(fanin *f, const fanin_tensor *t, const fanin_init *init) {
  fanin__job job;
  fanin__when when = {0};
  FANIN__NEED(f, t, init);
  FANIN__TRY(fanin__job_of(f, t, init, 0, false, &job));
  FANIN__TRY(fanin_queue(f, &when.queue));
  if (job.elements == 0) return FANIN_STATUS_OK;
  FANIN__TRY(fanin__check_job(f, &job));
  cl_mem scratch = NULL;
  FANIN__TRY(fanin__new_buffer(f, fanin__chunk(f, t->dtype), fanin_dtype_size(t->dtype), "warming up", &scratch));
  fanin_status status = warm(f, &when, &job, scratch);
  const cl_int code = clFinish(when.queue);
  if (status == FANIN_STATUS_OK) status = fanin__check_cl(code, "clFinish");
  fanin__free_buffer(scratch);
  return status;
}
