/* From a plan's jobs to what the device needs: tables of rows, parameters and tasks, and a batch for each launch. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/status.h"
#include "fill/fill.h"
#include "fill/plan.h"
#include "math/integer.h"
#include "tensor/dtype.h"

/* The tables while they are made on the host. */
typedef struct table {
  unsigned char *data;
  size_t entry, capacity, used; /* bytes an entry; entries */
} table;

typedef struct maker {
  fanin_plan *plan;
  const fanin__job *jobs;
  size_t *order; /* items by buffer, then by kernel, so that batches are runs */
  table tables[FANIN__TABLE_COUNT];
} maker;

static void append(table *t, const void *entry) {
  memcpy(t->data + t->used++ * t->entry, entry, t->entry);
}

/* ---- Order ------------------------------------------------------------------------------------------------------- */

/* What qsort()'s comparison sees. */
typedef struct place {
  uintptr_t buffer;
  const char *options;
  size_t item;
} place;

static int by_batch(const void *a, const void *b) {
  const place *const x = a, *const y = b;
  if (x->buffer != y->buffer) return x->buffer < y->buffer ? -1 : 1;
  const int options = strcmp(x->options, y->options);
  if (options != 0) return options;
  return x->item < y->item ? -1 : x->item > y->item;
}

static fanin_status sort(maker *m) {
  const size_t n = m->plan->n;
  m->order = fanin__zeroed(n, sizeof *m->order);
  place *const places = fanin__zeroed(n, sizeof *places);
  if (!m->order || !places) {
    free(places);
    return FANIN_STATUS_OUT_OF_MEMORY;
  }
  for (size_t i = 0; i < n; i++) {
    places[i] = (place){(uintptr_t)m->jobs[i].buffer, m->jobs[i].parameters.options, i};
  }
  if (n > 0) qsort(places, n, sizeof *places, by_batch);
  for (size_t k = 0; k < n; k++) {
    m->order[k] = places[k].item;
  }
  free(places);
  return FANIN_STATUS_OK;
}

/* ---- Tables ------------------------------------------------------------------------------------------------------ */

static uint64_t chunks_of(const fanin__job *job) {
  return job->elements > 0 ? job->rows.chunks * job->rows.count : 0;
}

/* All tensors share the device, small ones with large ones. */
static void choose_repeats(const fanin_plan *plan, fanin__job *jobs) {
  uint64_t chunks = 0;
  for (size_t i = 0; i < plan->n; i++) {
    chunks += chunks_of(&jobs[i]);
  }
  for (size_t i = 0; i < plan->n; i++) {
    fanin__set_repeat(plan->f, chunks, &jobs[i].rows);
  }
}

/* Counts entries, so that each table is allocated once. */
static fanin_status make_tables(maker *m) {
  static const size_t entries[FANIN__TABLE_COUNT] = {
      [FANIN__ROWS] = sizeof(fanin__rows),         [FANIN__PARAMETERS32] = sizeof(cl_float16),
      [FANIN__PARAMETERS64] = sizeof(cl_double16), [FANIN__ONES] = sizeof(fanin__ones),
      [FANIN__ONES32] = sizeof(cl_float16),        [FANIN__ONES64] = sizeof(cl_double16),
      [FANIN__TASKS] = sizeof(cl_ulong2)};
  const size_t n = m->plan->n;
  size_t doubles = 0, ones = 0, double_ones = 0;
  uint64_t tasks = 0;
  for (size_t i = 0; i < n; i++) {
    const fanin__job *const job = &m->jobs[i];
    const bool is_double = fanin__is_double(job->dtype);
    tasks += fanin__ceil_div(chunks_of(job), fanin__piece(m->plan->f, &job->rows));
    for (int box = 0; box < job->n_ones; box++) {
      tasks += fanin__ceil_div(fanin__items_of(&job->ones[box]), m->plan->f->work_group);
    }
    doubles += is_double;
    ones += (size_t)job->n_ones;
    double_ones += is_double ? (size_t)job->n_ones : 0;
  }
  const size_t counts[FANIN__TABLE_COUNT] = {[FANIN__ROWS] = n,
                                             [FANIN__PARAMETERS32] = doubles < n ? n : 0,
                                             [FANIN__PARAMETERS64] = doubles > 0 ? n : 0,
                                             [FANIN__ONES] = ones,
                                             [FANIN__ONES32] = double_ones < ones ? ones : 0,
                                             [FANIN__ONES64] = double_ones > 0 ? ones : 0,
                                             [FANIN__TASKS] = (size_t)tasks};
  for (int k = 0; k < FANIN__TABLE_COUNT; k++) {
    m->tables[k] = (table){.entry = entries[k], .capacity = counts[k]};
    if (counts[k] == 0) continue;
    m->tables[k].data = fanin__zeroed(counts[k], entries[k]);
    if (!m->tables[k].data) return FANIN_STATUS_OUT_OF_MEMORY;
  }
  return FANIN_STATUS_OK;
}

/* Entry `i` of whichever table of the two is for the dtype. */
static void put_parameters(maker *m, fanin__table table32, fanin__table table64, size_t i, fanin_dtype dtype,
                           const fanin__parameters *parameters) {
  double packed[16];
  table *const t = &m->tables[fanin__is_double(dtype) ? table64 : table32];
  memcpy(t->data + i * t->entry, packed, fanin__pack_parameters(dtype, parameters, packed));
}

static void put_tasks(maker *m, uint64_t entry, uint64_t work, uint64_t piece) {
  for (uint64_t first = 0; first < work; first += piece) {
    const cl_ulong2 task = {{entry, first}};
    append(&m->tables[FANIN__TASKS], &task);
  }
}

/* ---- Batches ----------------------------------------------------------------------------------------------------- */

/* The batch of items order[from .. to), which share buffer and kernel: rows, and then ones if there are any. */
static void put_batches(maker *m, size_t from, size_t to) {
  fanin_plan *const plan = m->plan;
  const fanin__job *const first = &m->jobs[m->order[from]];
  const bool is_double = fanin__is_double(first->dtype);
  table *const tasks = &m->tables[FANIN__TASKS];
  fanin__batch rows = {.buffer = first->buffer,
                       .what = FANIN__ROWS,
                       .parameters = is_double ? FANIN__PARAMETERS64 : FANIN__PARAMETERS32,
                       .after = plan->n_batches,
                       .first_task = tasks->used};
  memcpy(rows.options, first->parameters.options, sizeof rows.options);
  for (size_t k = from; k < to; k++) {
    const fanin__job *const job = &m->jobs[m->order[k]];
    put_tasks(m, m->order[k], chunks_of(job), fanin__piece(plan->f, &job->rows));
  }
  rows.tasks = tasks->used - rows.first_task;
  if (rows.tasks == 0) return;
  plan->batches[plan->n_batches++] = rows;

  fanin__batch ones = rows;
  ones.what = FANIN__ONES;
  ones.parameters = is_double ? FANIN__ONES64 : FANIN__ONES32;
  ones.first_task = tasks->used;
  for (size_t k = from; k < to; k++) {
    const fanin__job *const job = &m->jobs[m->order[k]];
    for (int box = 0; box < job->n_ones; box++) {
      const size_t entry = m->tables[FANIN__ONES].used;
      append(&m->tables[FANIN__ONES], &job->ones[box]);
      put_parameters(m, FANIN__ONES32, FANIN__ONES64, entry, job->dtype, &job->one);
      put_tasks(m, entry, fanin__items_of(&job->ones[box]), plan->f->work_group);
    }
  }
  ones.tasks = tasks->used - ones.first_task;
  if (ones.tasks > 0) plan->batches[plan->n_batches++] = ones;
}

static fanin_status make_batches(maker *m) {
  fanin_plan *const plan = m->plan;
  plan->batches = fanin__zeroed(2 * plan->n, sizeof *plan->batches);
  if (!plan->batches) return FANIN_STATUS_OUT_OF_MEMORY;
  for (size_t i = 0; i < plan->n; i++) {
    append(&m->tables[FANIN__ROWS], &m->jobs[i].rows);
    put_parameters(m, FANIN__PARAMETERS32, FANIN__PARAMETERS64, i, m->jobs[i].dtype, &m->jobs[i].parameters);
  }
  for (size_t from = 0, to; from < plan->n; from = to) {
    const fanin__job *const first = &m->jobs[m->order[from]];
    for (to = from + 1; to < plan->n; to++) {
      const fanin__job *const next = &m->jobs[m->order[to]];
      if (next->buffer != first->buffer || strcmp(next->parameters.options, first->parameters.options) != 0) break;
    }
    put_batches(m, from, to);
  }
  return FANIN_STATUS_OK;
}

static fanin_status upload(maker *m) {
  for (int k = 0; k < FANIN__TABLE_COUNT; k++) {
    const table *const t = &m->tables[k];
    const size_t bytes = t->capacity * t->entry;
    if (bytes == 0) continue;
    cl_int code = CL_SUCCESS;
    m->plan->tables[k] =
        clCreateBuffer(m->plan->f->context, CL_MEM_READ_ONLY | CL_MEM_COPY_HOST_PTR, bytes, t->data, &code);
    if (code != CL_SUCCESS) return fanin__fail_cl(code, "clCreateBuffer of a plan's table");
    m->plan->table_bytes += bytes;
  }
  return FANIN_STATUS_OK;
}

/* One kernel for all batches with the same options and work. */
static fanin_status make_kernels(fanin_plan *plan) {
  plan->kernels = fanin__zeroed(plan->n_batches, sizeof(cl_kernel));
  if (!plan->kernels) return FANIN_STATUS_OUT_OF_MEMORY;
  for (size_t k = 0; k < plan->n_batches; k++) {
    fanin__batch *const b = &plan->batches[k];
    for (size_t j = 0; j < k && !b->kernel; j++) {
      const fanin__batch *const earlier = &plan->batches[j];
      if (strcmp(earlier->options, b->options) == 0 && earlier->what == b->what) b->kernel = earlier->kernel;
    }
    if (b->kernel) continue;
    char options[sizeof b->options + sizeof " -D MANY"];
    snprintf(options, sizeof options, "%s -D MANY", b->options);
    FANIN__TRY(fanin__kernel(plan->f, &fanin__source_fill, options, b->what == FANIN__ONES ? "ones_many" : "fill_many",
                             &b->kernel));
    plan->kernels[plan->n_kernels++] = b->kernel;
  }
  return FANIN_STATUS_OK;
}

fanin_status fanin__plan_batch(fanin_plan *plan, fanin__job *jobs) {
  maker m = {.plan = plan, .jobs = jobs};
  choose_repeats(plan, jobs);
  fanin_status status = sort(&m);
  if (status == FANIN_STATUS_OK) status = make_tables(&m);
  if (status == FANIN_STATUS_OK) status = make_batches(&m);
  if (status == FANIN_STATUS_OK) status = upload(&m);
  if (status == FANIN_STATUS_OK) status = make_kernels(plan);
  for (int k = 0; k < FANIN__TABLE_COUNT; k++) {
    free(m.tables[k].data);
  }
  free(m.order);
  return status;
}
