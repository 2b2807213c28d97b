/* fanin_selftest(): fills of every initializer and dtype, in each way that there is to fill, held to digests of the
 * stream. */
#include "fanin/selftest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/argument.h"
#include "core/context.h"
#include "core/memory.h"
#include "selftest/trial.h"

/* What a self-test works with. */
typedef struct selftest {
  const fanin_selftest_config *config;
  fanin_selftest_summary summary;
  bool is_refused[FANIN_DTYPE_COUNT];
  fanin__trial trial;
  size_t done, total;
} selftest;

/* ---- Checks ------------------------------------------------------------------------------------------------------ */

/* Which digests a check takes: those of an initializer's name, or all where that is NULL; with gaps in memory; those
 * that pieces can make. */
typedef struct check {
  const char *name, *init;
  fanin__fill_way *way;
  bool has_gaps;
} check;

/* Whether a text is of an initializer: "normal:std=1" is of "normal". */
static bool is_of(const char *text, const char *init) {
  const size_t length = strcspn(text, ":");
  return strlen(init) == length && strncmp(text, init, length) == 0;
}

/* Whether the caller wants it. */
static bool is_wanted(const selftest *s, const fanin__digest *d) {
  return !s->config->only || is_of(d->init, s->config->only);
}

static bool takes(const selftest *s, const check *c, const fanin__digest *d, fanin_dtype dtype) {
  const fanin_part part = fanin__digest_tensors[d->tensor].part;
  if (d->dtype != dtype || !is_wanted(s, d) || (c->init && !is_of(d->init, c->init))) return false;
  if (c->has_gaps) return part != FANIN_PART_RANGE;
  return c->way != fanin__fill_in_pieces || part != FANIN_PART_SLAB;
}

/* One fill; `result` counts it, or has the status of a refusal. */
static void check_one(selftest *s, const check *c, const fanin__digest *d, fanin_selftest_result *result) {
  bool is_right = false;
  if (fanin__try_digest(&s->trial, c->way, d, c->has_gaps, &is_right) == FANIN_STATUS_UNSUPPORTED) {
    result->status = FANIN_STATUS_UNSUPPORTED;
    return;
  }
  result->fills++;
  result->wrong += !is_right;
}

/* Keeps the first sentence of all checks. */
static void keep(char first[FANIN__SENTENCE], const char sentence[FANIN__SENTENCE]) {
  if (!first[0]) memcpy(first, sentence, FANIN__SENTENCE);
}

static void report(selftest *s, fanin_selftest_result *result) {
  result->sentence = result->wrong > 0 ? s->trial.difference : s->trial.refusal;
  result->done = ++s->done;
  result->total = s->total;
  s->summary.fills += result->fills;
  s->summary.wrong += result->wrong;
  if (result->status == FANIN_STATUS_UNSUPPORTED) {
    s->summary.refused += !s->is_refused[result->dtype];
    s->is_refused[result->dtype] = true;
  }
  keep(s->summary.first_refused, s->trial.refusal);
  keep(s->summary.first_wrong, s->trial.difference);
  if (s->config->report) s->config->report(result, s->config->user);
}

/* A check of every dtype, as far as the device has it and there are digests for it. Of a dtype whose first fill is
 * refused no other is tried: each would compile a program. */
static void run_check(selftest *s, const check *c) {
  for (int dtype = 0; dtype < FANIN_DTYPE_COUNT; dtype++) {
    fanin_selftest_result result = {.check = c->name, .dtype = (fanin_dtype)dtype};
    if (dtype == FANIN_DTYPE_F64 && !s->trial.f->has_f64) continue;
    s->trial.difference[0] = s->trial.refusal[0] = '\0';
    for (size_t k = 0; k < fanin__digest_count && (result.status == FANIN_STATUS_OK || result.fills > 0); k++) {
      if (takes(s, c, &fanin__digests[k], (fanin_dtype)dtype)) check_one(s, c, &fanin__digests[k], &result);
    }
    report(s, &result);
  }
}

/* ---- All of it --------------------------------------------------------------------------------------------------- */

/* The name of initializer number `kind` if there are digests of it that are wanted, else NULL. */
static const char *checked_name(const selftest *s, int kind) {
  fanin_description about;
  if (fanin_describe((fanin_kind)kind, &about, sizeof about) != FANIN_STATUS_OK) return NULL;
  for (size_t k = 0; k < fanin__digest_count; k++) {
    if (is_wanted(s, &fanin__digests[k]) && is_of(fanin__digests[k].init, about.name)) return about.name;
  }
  return NULL;
}

/* Every initializer by itself, one by one. */
static void check_initializers(selftest *s) {
  for (int kind = 0; kind < FANIN_KIND_COUNT; kind++) {
    const char *const name = checked_name(s, kind);
    if (name) run_check(s, &(check){.name = name, .init = name, .way = fanin__fill_at_once});
  }
}

/* A queue that may run what it is given in any order: in turn is one of them. False where the device has none. */
static bool has_out_of_order(const selftest *s) {
  cl_command_queue_properties properties = 0;
  return clGetDeviceInfo(s->trial.f->device, CL_DEVICE_QUEUE_PROPERTIES, sizeof properties, &properties, NULL) ==
             CL_SUCCESS &&
         (properties & CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE) != 0;
}

static fanin_status check_out_of_order(selftest *s) {
  cl_int code = CL_SUCCESS;
  const cl_command_queue own = s->trial.queue;
  s->trial.queue =
      clCreateCommandQueue(s->trial.f->context, s->trial.f->device, CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE, &code);
  if (code == CL_SUCCESS) {
    run_check(s, &(check){.name = "out of order", .way = fanin__fill_in_pieces});
    (void)clReleaseCommandQueue(s->trial.queue);
  }
  s->trial.queue = own;
  return fanin__check_cl(code, "clCreateCommandQueue, out of order");
}

/* Vector widths and sizes of work-groups, beside the device's own. */
typedef struct geometry {
  size_t lanes, group;
  const char *name;
} geometry;
static const geometry geometries[] = {{1, 1, "1 lane, groups of 1"},    {1, 64, "1 lane, groups of 64"},
                                      {4, 1, "4 lanes, groups of 1"},   {8, 1, "8 lanes, groups of 1"},
                                      {16, 1, "16 lanes, groups of 1"}, {4, 8, "4 lanes, groups of 8"}};

static fanin_status check_geometry(selftest *s, const geometry *g) {
  fanin *const own = s->trial.f;
  fanin *other = NULL;
  FANIN__TRY(fanin_create(own->context, own->device, &other));
  other->lanes = g->lanes;
  if (g->group < other->work_group) other->work_group = g->group;
  other->fill_group = other->work_group;
  s->trial.f = other;
  run_check(s, &(check){.name = g->name, .way = fanin__fill_at_once});
  s->trial.f = own;
  fanin_release(other);
  return FANIN_STATUS_OK;
}

static fanin_status check_all(selftest *s) {
  check_initializers(s);
  run_check(s, &(check){.name = "plan", .way = fanin__fill_by_plan});
  run_check(s, &(check){.name = "gaps", .way = fanin__fill_at_once, .has_gaps = true});
  run_check(s, &(check){.name = "pieces", .way = fanin__fill_in_pieces});
  if (has_out_of_order(s)) FANIN__TRY(check_out_of_order(s));
  for (size_t k = 0; s->config->full && k < sizeof geometries / sizeof *geometries; k++) {
    FANIN__TRY(check_geometry(s, &geometries[k]));
  }
  return FANIN_STATUS_OK;
}

/* Results that there will be. */
static size_t count_results(const selftest *s) {
  size_t checks = 3 + has_out_of_order(s) + (s->config->full ? sizeof geometries / sizeof *geometries : 0);
  for (int kind = 0; kind < FANIN_KIND_COUNT; kind++) {
    checks += checked_name(s, kind) != NULL;
  }
  return checks * (size_t)(FANIN_DTYPE_COUNT - !s->trial.f->has_f64);
}

static fanin_status check_name(const selftest *s) {
  for (int kind = 0; kind < FANIN_KIND_COUNT; kind++) {
    if (checked_name(s, kind)) return FANIN_STATUS_OK;
  }
  return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "only is \"%.40s\"; there are digests of no initializer of that name",
                     s->config->only);
}

fanin_status fanin_selftest(fanin *f, const fanin_selftest_config *config, fanin_selftest_summary *out, size_t size) {
  fanin_selftest_config known;
  FANIN__NEED(f, config, out);
  FANIN__NEED_SIZE(size);
  FANIN__TRY(fanin__take_config("config", "FANIN_SELFTEST_CONFIG_INIT", config, &known, sizeof known));
  selftest *const s = fanin__zeroed(1, sizeof *s);
  if (!s) return FANIN_STATUS_OUT_OF_MEMORY;
  fanin_status status = FANIN_STATUS_OUT_OF_MEMORY;
  *s = (selftest){.config = &known, .trial = {.f = f, .memory = fanin__zeroed(FANIN__MOST_BYTES, 1)}};
  if (!s->trial.memory) goto done;
  status = check_name(s);
  if (status == FANIN_STATUS_OK) status = fanin__new_buffer(f, FANIN__MOST_BYTES, 1, "a self-test", &s->trial.buffer);
  if (status != FANIN_STATUS_OK) goto done;
  s->total = count_results(s);
  cl_int code = CL_SUCCESS;
  s->trial.queue = clCreateCommandQueue(f->context, f->device, 0, &code);
  status = fanin__check_cl(code, "clCreateCommandQueue");
  if (status != FANIN_STATUS_OK) goto done;
  status = check_all(s);
  (void)clReleaseCommandQueue(s->trial.queue);
  if (status == FANIN_STATUS_OK) status = fanin__give(out, size, &s->summary, sizeof s->summary);

done:
  fanin__free_buffer(s->trial.buffer);
  fanin__free_zeroed(s->trial.memory);
  fanin__free_zeroed(s);
  return status;
}
