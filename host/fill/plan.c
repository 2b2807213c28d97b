/* The life of a plan, and its enqueue. */
#include "fill/plan.h"

#include <string.h>

#include "core/argument.h"
#include "core/launch.h"
#include "core/memory.h"

/* ---- Making ------------------------------------------------------------------------------------------------------ */

static fanin_status check_items(fanin_plan *plan, const fanin_item *items, size_t n, fanin__job *jobs) {
  for (size_t i = 0; i < n; i++) {
    fanin_status status = fanin__check_reserved("item", items[i].reserved, sizeof items[i].reserved / sizeof(uint64_t));
    if (status == FANIN_STATUS_OK)
      status = fanin__job_of(plan->f, &items[i].tensor, &items[i].init, items[i].stream, false, &jobs[i]);
    if (status != FANIN_STATUS_OK) return fanin__fail(status, "items[%zu]: %s", i, fanin_last_error());
    plan->tensors[i] = items[i].tensor;
    plan->elements += jobs[i].elements;
  }
  return FANIN_STATUS_OK;
}

/* The jobs were checked without the buffers that the plan has made since. */
static void adopt_places(const fanin_plan *plan, const fanin_item *items, size_t n, fanin__job *jobs) {
  for (size_t i = 0; i < n; i++) {
    if (items[i].tensor.buffer) continue;
    jobs[i].tensor = plan->tensors[i];
    jobs[i].buffer = plan->tensors[i].buffer;
    jobs[i].rows.origin += plan->tensors[i].offset / fanin_dtype_size(plan->tensors[i].dtype);
  }
}

/* Keeps the jobs that have a filler, and compiles their kernels. */
static fanin_status set_apart(fanin_plan *plan, const fanin__job *jobs) {
  plan->apart = fanin__zeroed(plan->n, sizeof *plan->apart);
  if (!plan->apart) return FANIN_STATUS_OUT_OF_MEMORY;
  for (size_t i = 0; i < plan->n; i++) {
    if (!jobs[i].filler || jobs[i].elements == 0) continue;
    fanin__job *const apart = &plan->apart[plan->n_apart++];
    *apart = jobs[i];
    apart->rows.chunks = 0; /* the bundles write its rows, where it has some */
    FANIN__TRY(jobs[i].filler->compile(plan->f, &jobs[i]));
    FANIN__TRY(fanin__check_job(plan->f, &jobs[i]));
  }
  return FANIN_STATUS_OK;
}

fanin_status fanin_plan_create(fanin *f, const fanin_item *items, size_t n, fanin_plan **out) {
  fanin_status status = FANIN_STATUS_OUT_OF_MEMORY;
  FANIN__NEED(f, out);
  FANIN__NEED_ARRAY(items, n);
  fanin__job *const jobs = fanin__zeroed(n, sizeof *jobs);
  fanin_plan *plan = fanin__zeroed(1, sizeof *plan);
  if (!jobs || !plan) goto fail_memory;
  plan->f = f;
  plan->n = n;
  if (!fanin__mutex_init(&plan->lock)) {
    status = fanin__fail(FANIN_STATUS_OUT_OF_MEMORY, "the system is out of locks");
    goto fail_memory;
  }
  (void)atomic_fetch_add(&f->references, 1);

  plan->tensors = fanin__zeroed(n, sizeof *plan->tensors);
  if (!plan->tensors) goto fail_plan;
  status = check_items(plan, items, n, jobs);
  if (status != FANIN_STATUS_OK) {
    plan->n = 0; /* nothing is retained yet */
    goto fail_plan;
  }
  status = fanin__plan_place(plan);
  if (status != FANIN_STATUS_OK) goto fail_plan;
  adopt_places(plan, items, n, jobs);
  status = fanin__plan_bundle(plan, jobs);
  if (status == FANIN_STATUS_OK) status = set_apart(plan, jobs);
  if (status != FANIN_STATUS_OK) goto fail_plan;
  fanin__free_zeroed(jobs);
  *out = plan;
  return FANIN_STATUS_OK;

fail_plan:
  fanin_plan_release(plan);
  plan = NULL;
fail_memory:
  fanin__free_zeroed(plan);
  fanin__free_zeroed(jobs);
  return status;
}

void fanin_plan_release(fanin_plan *plan) {
  if (!plan) return;
  for (size_t k = 0; k < plan->n_bundles; k++) {
    fanin__give_back(plan->f, plan->bundles[k].kernel);
  }
  fanin__free_buffer(plan->tables);
  for (size_t i = 0; i < plan->n && plan->tensors; i++) {
    fanin__free_buffer(plan->tensors[i].buffer);
  }
  fanin__free_zeroed(plan->apart);
  fanin__free_zeroed(plan->bundles);
  fanin__free_zeroed(plan->tensors);
  fanin__mutex_destroy(&plan->lock);
  fanin_release(plan->f);
  fanin__free_zeroed(plan);
}

/* ---- Asking ------------------------------------------------------------------------------------------------------ */

fanin_status fanin_plan_tensor(const fanin_plan *plan, size_t i, fanin_tensor *out) {
  FANIN__NEED(plan, out);
  if (i >= plan->n)
    return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "i = %zu; the plan has %zu items, from 0", i, plan->n);
  *out = plan->tensors[i];
  return FANIN_STATUS_OK;
}

fanin_status fanin_plan_describe(const fanin_plan *plan, fanin_plan_facts *out, size_t size) {
  FANIN__NEED(plan);
  const fanin_plan_facts facts = {.items = plan->n,
                                  .launches = plan->n_bundles + plan->n_apart,
                                  .elements = plan->elements,
                                  .arena_bytes = plan->arena_bytes,
                                  .table_bytes = plan->table_bytes};
  return fanin__give(out, size, &facts, sizeof facts);
}

/* ---- Enqueueing -------------------------------------------------------------------------------------------------- */

static fanin_status launch_bundle(fanin_plan *plan, const fanin__bundle *b, uint64_t seed, const fanin__when *when) {
  const fanin__launch launch = {.kernel = b->kernel,
                                .grid = fanin__groups(b->tasks, plan->f->fill_group),
                                FANIN__ARGUMENTS(FANIN__VALUE(b->buffer), FANIN__VALUE(plan->tables),
                                                 FANIN__VALUE(b->places), FANIN__VALUE(seed))};
  fanin__mutex_lock(&plan->lock);
  const fanin_status status = fanin__enqueue(plan->f, when, &launch);
  fanin__mutex_unlock(&plan->lock);
  return status;
}

/* Every bundle and then every job apart, each with an event, and each after the wait list. */
static fanin_status launch_all(fanin_plan *plan, uint64_t seed, const fanin__when *when, cl_event *events,
                               cl_uint *launched) {
  for (size_t k = 0; k < plan->n_bundles; k++) {
    const fanin__when each = {when->queue, when->n_wait, when->wait_list, &events[k]};
    FANIN__TRY(launch_bundle(plan, &plan->bundles[k], seed, &each));
    ++*launched;
  }
  for (size_t k = 0; k < plan->n_apart; k++) {
    const fanin__when each = {when->queue, when->n_wait, when->wait_list, &events[*launched]};
    FANIN__TRY(fanin__run_filler(plan->f, &each, &plan->apart[k], seed));
    ++*launched;
  }
  const fanin__when all = {when->queue, *launched, events, when->event};
  return fanin__enqueue_marker(&all);
}

fanin_status fanin_plan_enqueue(fanin_plan *plan, cl_command_queue queue, uint64_t seed, cl_uint n_wait,
                                const cl_event *wait_list, cl_event *event) {
  fanin__when when = {0};
  FANIN__NEED(plan);
  FANIN__TRY(fanin__when_of(plan->f, queue, n_wait, wait_list, event, &when));
  const size_t n = plan->n_bundles + plan->n_apart;
  if (n == 0) return fanin__enqueue_marker(&when);
  if (n == 1 && plan->n_bundles == 1) return launch_bundle(plan, &plan->bundles[0], seed, &when);

  cl_event *const events = fanin__zeroed(n, sizeof(cl_event));
  if (!events) return FANIN_STATUS_OUT_OF_MEMORY;
  cl_uint launched = 0;
  const fanin_status status = launch_all(plan, seed, &when, events, &launched);
  for (cl_uint k = 0; k < launched; k++) {
    (void)clReleaseEvent(events[k]);
  }
  fanin__free_zeroed(events);
  return status;
}
