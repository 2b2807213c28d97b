/* From a plan's jobs to what the device needs: tables of rows, parameters and tasks, and a bundle for each launch. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/status.h"
#include "fill/plan.h"
#include "math/integer.h"
#include "tensor/dtype.h"

/* A plan's tables, one behind the other in one buffer. Rows and parameters are indexed by item, tasks by bundle. A 32
 * takes float16s, a 64 double16s. */
typedef enum table_kind { ROWS, PARAMETERS32, PARAMETERS64, TASKS, TABLE_COUNT } table_kind;

typedef struct table {
  size_t begin, entry; /* bytes before it in the buffer, and of an entry */
  size_t used;         /* entries that are there */
} table;

/* A plan's tables and bundles in the making. */
typedef struct builder {
  fanin_plan *plan;
  const fanin__job *jobs;
  const fanin__job **order; /* sorted by compare(), so that bundles are runs */
  table tables[TABLE_COUNT];
  unsigned char *data; /* of all tables */
} builder;

static unsigned char *entry_at(const builder *b, table_kind k, size_t i) {
  return b->data + b->tables[k].begin + i * b->tables[k].entry;
}

static void append(builder *b, table_kind k, const void *entry) {
  memcpy(entry_at(b, k, b->tables[k].used++), entry, b->tables[k].entry);
}

/* ---- Order ------------------------------------------------------------------------------------------------------- */

/* 0 where one launch can fill both, because they share a buffer and a dtype. */
static int compare(const fanin__job *a, const fanin__job *b) {
  if (a->buffer != b->buffer) return (uintptr_t)a->buffer < (uintptr_t)b->buffer ? -1 : 1;
  return (a->dtype > b->dtype) - (a->dtype < b->dtype);
}

/* Jobs of one bundle keep the order of their items. */
static int by_bundle(const void *a, const void *b) {
  const fanin__job *const x = *(const fanin__job *const *)a, *const y = *(const fanin__job *const *)b;
  const int order = compare(x, y);
  return order != 0 ? order : (x > y) - (x < y);
}

static fanin_status sort(builder *b) {
  const size_t n = b->plan->n;
  b->order = fanin__zeroed(n, sizeof *b->order);
  if (!b->order) return FANIN_STATUS_OUT_OF_MEMORY;
  for (size_t i = 0; i < n; i++) {
    b->order[i] = &b->jobs[i];
  }
  if (n > 0) qsort(b->order, n, sizeof *b->order, by_bundle);
  return FANIN_STATUS_OK;
}

/* ---- Tables ------------------------------------------------------------------------------------------------------ */

static uint64_t chunks_of(const fanin__job *job) {
  return job->elements > 0 ? job->rows.chunks * job->rows.count : 0;
}

/* One launch fills many tensors, so that the number of chunks of an item depends on the chunks of all of them. */
static void choose_repeats(const fanin_plan *plan, fanin__job *jobs) {
  uint64_t chunks = 0;
  for (size_t i = 0; i < plan->n; i++) {
    chunks += chunks_of(&jobs[i]);
  }
  for (size_t i = 0; i < plan->n; i++) {
    fanin__set_repeat(plan->f, chunks, &jobs[i].rows);
  }
}

/* Counts entries, so that the tables are allocated once. */
static fanin_status make_tables(builder *b) {
  enum { ALIGNMENT = sizeof(cl_double16) }; /* the strictest of an entry */
  static const size_t entries[TABLE_COUNT] = {[ROWS] = sizeof(fanin__rows),
                                              [PARAMETERS32] = sizeof(cl_float16),
                                              [PARAMETERS64] = sizeof(cl_double16),
                                              [TASKS] = sizeof(cl_ulong2)};
  const size_t n = b->plan->n;
  size_t doubles = 0;
  uint64_t tasks = 0;
  for (size_t i = 0; i < n; i++) {
    const fanin__job *const job = &b->jobs[i];
    tasks += fanin__ceil_div(chunks_of(job), fanin__piece(b->plan->f, &job->rows));
    doubles += fanin__is_double(job->dtype);
  }
  const size_t counts[TABLE_COUNT] = {
      [ROWS] = n, [PARAMETERS32] = doubles < n ? n : 0, [PARAMETERS64] = doubles > 0 ? n : 0, [TASKS] = (size_t)tasks};
  for (int k = 0; k < TABLE_COUNT; k++) {
    b->tables[k] = (table){.begin = b->plan->table_bytes, .entry = entries[k]};
    b->plan->table_bytes += fanin__ceil_div(counts[k] * entries[k], ALIGNMENT) * ALIGNMENT;
  }
  b->data = fanin__zeroed(b->plan->table_bytes, 1);
  return b->data ? FANIN_STATUS_OK : FANIN_STATUS_OUT_OF_MEMORY;
}

/* The table that has a job's parameters. */
static table_kind table_of(const fanin__job *job) {
  return fanin__is_double(job->dtype) ? PARAMETERS64 : PARAMETERS32;
}

/* Rows and parameters of item `i`. */
static void put_item(builder *b, size_t i) {
  const fanin__job *const job = &b->jobs[i];
  (void)fanin__pack_parameters(job->dtype, &job->parameters, entry_at(b, table_of(job), i));
  append(b, ROWS, &job->rows);
}

static void put_tasks(builder *b, const fanin__job *job) {
  const uint64_t chunks = chunks_of(job), piece = fanin__piece(b->plan->f, &job->rows);
  for (uint64_t first = 0; first < chunks; first += piece) {
    const cl_ulong2 task = {{(cl_ulong)(job - b->jobs), first}};
    append(b, TASKS, &task);
  }
}

/* ---- Kernels ----------------------------------------------------------------------------------------------------- */

/* The family of a job's rows, as a bit; 0 for constants, which every kernel makes. */
static unsigned family_of(const fanin__job *job) {
  const bool is_constant = chunks_of(job) == 0 || job->parameters.family == FANIN__FAMILY_CONSTANT;
  return is_constant ? 0 : FANIN__FAMILY_BIT(job->parameters.family);
}

static void options_of(unsigned families, fanin_dtype dtype, char options[FANIN__OPTIONS]) {
  char of_one[FANIN__OPTIONS];
  const unsigned named = families ? families : FANIN__FAMILY_BIT(FANIN__FAMILY_CONSTANT);
  fanin__family_options(named, dtype, of_one, sizeof of_one);
  snprintf(options, FANIN__OPTIONS, "%.*s -D MANY", FANIN__OPTIONS - 9, of_one);
}

/* What to build the kernel for these families with. A program that f has and that makes more than them serves too:
 * compiling takes a thousand times as long as a launch. */
static void choose_options(fanin *f, unsigned families, fanin_dtype dtype, char options[FANIN__OPTIONS]) {
  for (unsigned set = families; set < FANIN__FAMILY_SETS; set++) {
    if ((set & families) != families || set & FANIN__FAMILY_BIT(FANIN__FAMILY_CONSTANT)) continue;
    options_of(set, dtype, options);
    if (fanin__has_program(f, &fanin__source_fill, options)) return;
  }
  options_of(families, dtype, options);
}

/* ---- Bundles ----------------------------------------------------------------------------------------------------- */

/* The bundle of jobs order[from .. to). */
static fanin_status put_bundle(builder *b, size_t from, size_t to) {
  fanin_plan *const plan = b->plan;
  char options[FANIN__OPTIONS];
  unsigned families = 0;
  const fanin__job *const first = b->order[from];
  const table *const parameters = &b->tables[table_of(first)], *const tasks = &b->tables[TASKS];
  fanin__bundle bundle = {.buffer = first->buffer,
                          .places = {{parameters->begin, tasks->begin + tasks->used * tasks->entry}}};
  const size_t first_task = tasks->used;
  for (size_t k = from; k < to; k++) {
    put_tasks(b, b->order[k]);
    families |= family_of(b->order[k]);
  }
  bundle.tasks = tasks->used - first_task;
  if (bundle.tasks == 0) return FANIN_STATUS_OK;
  choose_options(plan->f, families, first->dtype, options);
  FANIN__TRY(fanin__check_arithmetic(plan->f, first->dtype, &fanin__source_fill, options));
  FANIN__TRY(fanin__borrow(plan->f, &fanin__source_fill, options, "fill_many", &bundle.kernel));
  bundle.kernel->kept = 0; /* another plan's memory, which may be gone */
  plan->bundles[plan->n_bundles++] = bundle;
  return FANIN_STATUS_OK;
}

static fanin_status make_bundles(builder *b) {
  fanin_plan *const plan = b->plan;
  plan->bundles = fanin__zeroed(plan->n, sizeof *plan->bundles);
  if (!plan->bundles) return FANIN_STATUS_OUT_OF_MEMORY;
  for (size_t i = 0; i < plan->n; i++) {
    put_item(b, i);
  }
  for (size_t from = 0, to; from < plan->n; from = to) {
    to = from + 1;
    while (to < plan->n && compare(b->order[from], b->order[to]) == 0)
      to++;
    FANIN__TRY(put_bundle(b, from, to));
  }
  return FANIN_STATUS_OK;
}

static fanin_status upload(const builder *b) {
  fanin_plan *const plan = b->plan;
  cl_int code = CL_SUCCESS;
  if (plan->table_bytes == 0) return FANIN_STATUS_OK;
  plan->tables =
      clCreateBuffer(plan->f->context, CL_MEM_READ_ONLY | CL_MEM_COPY_HOST_PTR, plan->table_bytes, b->data, &code);
  return fanin__check_cl(code, "clCreateBuffer of a plan's tables");
}

fanin_status fanin__plan_bundle(fanin_plan *plan, fanin__job *jobs) {
  builder b = {.plan = plan, .jobs = jobs};
  choose_repeats(plan, jobs);
  fanin_status status = sort(&b);
  if (status == FANIN_STATUS_OK) status = make_tables(&b);
  if (status == FANIN_STATUS_OK) status = make_bundles(&b);
  if (status == FANIN_STATUS_OK) status = upload(&b);
  fanin__free_zeroed(b.data);
  fanin__free_zeroed(b.order);
  return status;
}
