/* fanin_fill: one tensor, one launch (two for identity and dirac), or what a maker enqueues. */
#include "fill/fill.h"

#include "core/argument.h"
#include "fanin/fill.h"
#include "math/integer.h"

/* FNV-1a (Fowler, Noll and Vo) in its 64-bit form. */
fanin_status fanin_key_named(uint64_t seed, const char *name, fanin_key *out) {
  FANIN__NEED(name);
  FANIN__NEED(out);
  uint64_t hash = 0xcbf29ce484222325;
  for (const unsigned char *byte = (const unsigned char *)name; *byte; byte++) {
    hash = (hash ^ *byte) * 0x100000001b3;
  }
  *out = (fanin_key){.seed = seed, .stream = hash};
  return FANIN_STATUS_OK;
}

/* Sets argument after argument and remembers the first failure. */
typedef struct setter {
  cl_kernel kernel;
  cl_uint next;
  cl_int code;
} setter;

static void set(setter *s, size_t size, const void *value) {
  if (s->code == CL_SUCCESS) s->code = clSetKernelArg(s->kernel, s->next++, size, value);
}

static void set_parameters(setter *s, fanin_dtype dtype, const fanin__parameters *parameters) {
  double packed[16];
  const size_t size = fanin__pack_parameters(dtype, parameters, packed);
  set(s, size, packed);
}

static fanin_status enqueue(const fanin__when *when, const setter *s, uint64_t groups, size_t local) {
  const size_t global = (size_t)groups * local;
  if (s->code != CL_SUCCESS) return fanin__fail_cl(s->code, "clSetKernelArg");
  const cl_int code = clEnqueueNDRangeKernel(when->queue, s->kernel, 1, NULL, &global, &local, when->n_wait,
                                             when->wait_list, when->event);
  return code == CL_SUCCESS ? FANIN_STATUS_OK : fanin__fail_cl(code, "clEnqueueNDRangeKernel");
}

static fanin_status launch_rows(fanin *f, const fanin__when *when, const fanin__job *job, uint64_t seed,
                                uint64_t groups) {
  cl_kernel kernel = NULL;
  FANIN__TRY(fanin__kernel(f, &fanin__source_fill, job->parameters.options, "fill", &kernel));
  const cl_ulong argument = seed;
  setter s = {.kernel = kernel};
  set(&s, sizeof job->buffer, &job->buffer);
  set(&s, sizeof job->rows, &job->rows);
  set_parameters(&s, job->dtype, &job->parameters);
  set(&s, sizeof argument, &argument);
  const fanin_status status = enqueue(when, &s, groups, f->fill_group);
  (void)clReleaseKernel(kernel); /* the runtime holds it while it runs */
  return status;
}

fanin_status fanin__fill_rows(fanin *f, const fanin__when *when, const fanin__job *job, uint64_t seed) {
  const uint64_t chunks = job->rows.chunks * job->rows.count;
  return launch_rows(f, when, job, seed, fanin__ceil_div(chunks, fanin__piece(f, &job->rows)));
}

static fanin_status fill_ones(fanin *f, const fanin__when *when, const fanin__job *job, const fanin__ones *ones) {
  cl_kernel kernel = NULL;
  FANIN__TRY(fanin__kernel(f, &fanin__source_fill, job->one.options, "ones", &kernel));
  const uint64_t groups = fanin__ceil_div(fanin__items_of(ones), f->work_group);
  setter s = {.kernel = kernel};
  set(&s, sizeof job->buffer, &job->buffer);
  set(&s, sizeof *ones, ones);
  set_parameters(&s, job->dtype, &job->one);
  const fanin_status status = enqueue(when, &s, groups, f->work_group);
  (void)clReleaseKernel(kernel);
  return status;
}

/* Zeros, then ones that wait for them. */
static fanin_status fill_both(fanin *f, const fanin__when *when, const fanin__job *job, uint64_t seed) {
  fanin_status status = FANIN_STATUS_OK;
  cl_event zeroed = NULL, done[FANIN__MOST_BOXES] = {NULL};
  const fanin__when first = {when->queue, when->n_wait, when->wait_list, &zeroed};
  FANIN__TRY(fanin__fill_rows(f, &first, job, seed));
  for (int k = 0; k < job->n_ones && status == FANIN_STATUS_OK; k++) {
    const fanin__when next = {when->queue, 1, &zeroed, &done[k]};
    status = fill_ones(f, &next, job, &job->ones[k]);
  }
  const fanin__when all = {when->queue, (cl_uint)job->n_ones, done, when->event};
  if (status == FANIN_STATUS_OK) status = fanin__enqueue_marker(&all);
  for (int k = 0; k < job->n_ones; k++) {
    if (done[k]) (void)clReleaseEvent(done[k]);
  }
  (void)clReleaseEvent(zeroed);
  return status;
}

fanin_status fanin__fill_made(fanin *f, const fanin__when *when, const fanin__job *job, uint64_t seed) {
  if (when->n_wait > 0) {
    const cl_int code = clEnqueueBarrierWithWaitList(when->queue, when->n_wait, when->wait_list, NULL);
    if (code != CL_SUCCESS) return fanin__fail_cl(code, "clEnqueueBarrierWithWaitList");
  }
  const fanin__when step = {.queue = when->queue}, end = {.queue = when->queue, .event = when->event};
  if (job->rows.chunks > 0) FANIN__TRY(fanin__fill_rows(f, &step, job, seed));
  FANIN__TRY(fanin__order(when->queue));
  FANIN__TRY(job->maker->fill(f, when->queue, job, seed));
  return fanin__enqueue_marker(&end);
}

fanin_status fanin__fill_job(fanin *f, const fanin__when *when, const fanin__job *job, uint64_t seed) {
  if (job->elements == 0) return fanin__enqueue_marker(when);
  if (job->maker) return fanin__fill_made(f, when, job, seed);
  return job->n_ones > 0 ? fill_both(f, when, job, seed) : fanin__fill_rows(f, when, job, seed);
}

static fanin_status compile(fanin *f, const char *options, const char *name) {
  cl_kernel kernel = NULL;
  FANIN__TRY(fanin__kernel(f, &fanin__source_fill, options, name, &kernel));
  (void)clReleaseKernel(kernel); /* its program is kept */
  return FANIN_STATUS_OK;
}

fanin_status fanin__compile_job(fanin *f, const fanin__job *job) {
  if (job->elements == 0) return FANIN_STATUS_OK;
  if (job->maker) FANIN__TRY(job->maker->compile(f, job));
  if (job->rows.chunks > 0) FANIN__TRY(compile(f, job->parameters.options, "fill"));
  return job->n_ones > 0 ? compile(f, job->one.options, "ones") : FANIN_STATUS_OK;
}

fanin_status fanin_fill(fanin *f, cl_command_queue queue, const fanin_tensor *t, const fanin_init *init, fanin_key key,
                        cl_uint n_wait, const cl_event *wait_list, cl_event *event) {
  fanin__job job;
  fanin__when when = {0};
  FANIN__NEED(f);
  FANIN__NEED(t);
  FANIN__NEED(init);
  FANIN__TRY(fanin__job_of(f, t, init, key.stream, true, &job));
  FANIN__TRY(fanin__when_of(f, queue, n_wait, wait_list, event, &when));
  return fanin__fill_job(f, &when, &job, key.seed);
}

/* ---- Warming up -------------------------------------------------------------------------------------------------- */

/* One chunk of what `job` is, by one group of the same shape as in earnest, which is what drivers specialise for. */
static fanin_status warm(fanin *f, const fanin__when *when, const fanin__job *job, cl_mem scratch) {
  if (job->maker) FANIN__TRY(job->maker->warm(f, when->queue, job));
  if (job->rows.chunks == 0) return FANIN_STATUS_OK;
  fanin__job small = *job;
  small.buffer = scratch;
  small.rows.rank = 0;
  small.rows.origin = small.rows.first_index = 0;
  small.rows.count = small.rows.chunks = small.rows.stride = 1;
  small.rows.length = fanin__chunk(f, job->dtype);
  FANIN__TRY(launch_rows(f, when, &small, 0, 1));
  if (job->n_ones == 0) return FANIN_STATUS_OK;
  fanin__ones one = job->ones[0];
  one.count = (cl_ulong4){{1, 1, 1, 0}};
  one.extent = (cl_ulong4){{0, 0, 0, 0}}; /* nothing is inside: it only runs */
  return fill_ones(f, when, &small, &one);
}

fanin_status fanin_warmup(fanin *f, const fanin_tensor *t, const fanin_init *init) {
  fanin__job job;
  fanin__when when = {0};
  FANIN__NEED(f);
  FANIN__NEED(t);
  FANIN__NEED(init);
  FANIN__TRY(fanin__job_of(f, t, init, 0, false, &job));
  FANIN__TRY(fanin__resolve_queue(f, NULL, &when.queue));
  if (job.elements == 0) return FANIN_STATUS_OK;
  cl_int code = CL_SUCCESS;
  const cl_mem scratch = clCreateBuffer(f->context, CL_MEM_READ_WRITE,
                                        fanin__chunk(f, t->dtype) * fanin_dtype_size(t->dtype), NULL, &code);
  if (code != CL_SUCCESS) return fanin__fail_cl(code, "clCreateBuffer of scratch memory");
  fanin_status status = warm(f, &when, &job, scratch);
  code = clFinish(when.queue);
  if (status == FANIN_STATUS_OK && code != CL_SUCCESS) status = fanin__fail_cl(code, "clFinish");
  (void)clReleaseMemObject(scratch);
  return status;
}
