/* fanin_selftest(): fills of every initializer and dtype, in each way that there is to fill, held to digests of the
 * stream. */
#include "fanin/selftest.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/argument.h"
#include "core/context.h"
#include "core/launch.h"
#include "core/memory.h"
#include "fanin/fill.h"
#include "fill/fill.h"
#include "selftest/digests.h"

/* Bytes before and after a tensor's own that no fill may touch, and the most that one takes with gaps. */
enum { GUARD = 64, MOST_BYTES = 1 << 16, SENTENCE = sizeof((fanin_selftest_summary){.fills = 0}).first_wrong };

/* What a self-test works with. */
typedef struct selftest {
  const fanin_selftest_config *config;
  fanin_selftest_summary summary;
  bool is_refused[FANIN_DTYPE_COUNT];
  fanin *f;               /* the device at the geometry of the check */
  cl_command_queue queue; /* what is filled on */
  cl_mem buffer;          /* of MOST_BYTES */
  unsigned char *memory;  /* what it is given before a fill, and then what it has after it */
  size_t used;            /* bytes that a fill is given, guards included */
  char sentence[SENTENCE];
  size_t done, total;
} selftest;

/* ---- Tensors and their memory ------------------------------------------------------------------------------------ */

/* No period of an element's size, so that a shifted write shows too. */
static unsigned char guard_byte(size_t at) {
  return (unsigned char)(at * 37 + (at >> 8) + 113);
}

/* The tensor of a digest, densely from an odd element on. */
static fanin_status tensor_of(const selftest *s, const fanin__digest *d, fanin_tensor *out) {
  const fanin__digest_tensor *const at = &fanin__digest_tensors[d->tensor];
  const size_t offset = GUARD + 3 * fanin_dtype_size(d->dtype);
  fanin_tensor t;
  FANIN__TRY(fanin_tensor_of(s->buffer, offset, d->dtype, at->layout, at->rank, at->shape, &t));
  t.groups = at->groups;
  t.splits = at->splits;
  if (at->part == FANIN_PART_RANGE) return fanin_tensor_range(&t, at->first, at->count, out);
  if (at->part == FANIN_PART_SLAB) return fanin_tensor_slab(&t, at->start, at->extent, out);
  *out = t;
  return FANIN_STATUS_OK;
}

/* How far the part goes in each dimension. */
static const uint64_t *extent_of(const fanin_tensor *t) {
  return t->part == FANIN_PART_SLAB ? t->extent : t->shape;
}

/* Where element e of the part's row-major order is, in bytes. */
static size_t place_of(const fanin_tensor *t, uint64_t e) {
  uint64_t elements = 0;
  bool is_dense = true;
  for (int d = 0; d < t->rank; d++) {
    is_dense = is_dense && t->strides[d] == 0;
  }
  if (is_dense) elements = e;
  for (int d = t->rank - 1; d >= 0 && !is_dense; d--) {
    elements += e % extent_of(t)[d] * t->strides[d];
    e /= extent_of(t)[d];
  }
  return t->offset + (size_t)elements * fanin_dtype_size(t->dtype);
}

/* The first dimension innermost in memory, and gaps along every dimension. */
static fanin_status spread_out(const fanin_tensor *t, fanin_tensor *out) {
  uint64_t strides[FANIN_MAX_RANK] = {0}, stride = 2;
  for (int d = 0; d < t->rank; d++) {
    strides[d] = stride;
    stride = stride * extent_of(t)[d] + 1;
  }
  return fanin_tensor_strided(t, strides, out);
}

/* ---- Comparing --------------------------------------------------------------------------------------------------- */

static uint64_t bits_at(const unsigned char *bytes, size_t size) {
  uint64_t bits = 0;
  memcpy(&bits, bytes, size); /* little-endian, as devices have to be */
  return bits;
}

/* FNV-1a in its 64-bit form, of the part's elements in row-major order, which are replaced by guard bytes. */
static uint64_t take_digest(const selftest *s, const fanin_tensor *t, uint64_t count) {
  const size_t size = fanin_dtype_size(t->dtype);
  uint64_t hash = 0xcbf29ce484222325;
  for (uint64_t e = 0; e < count; e++) {
    const size_t at = place_of(t, e);
    for (size_t k = at; k < at + size; k++) {
      hash = (hash ^ s->memory[k]) * 0x100000001b3;
      s->memory[k] = guard_byte(k);
    }
  }
  return hash;
}

/* "OIHW 9x5x3x3, elements 101 to 303" */
static void say_tensor(const fanin__digest *d, char *out, size_t size) {
  const fanin__digest_tensor *const at = &fanin__digest_tensors[d->tensor];
  size_t used = (size_t)snprintf(out, size, "%s%s", at->layout, at->layout[0] ? " " : "");
  for (int k = 0; k < at->rank; k++) {
    used += (size_t)snprintf(out + used, size - used, "%s%" PRIu64, k > 0 ? "x" : "", at->shape[k]);
  }
  if (at->part == FANIN_PART_RANGE)
    (void)snprintf(out + used, size - used, ", elements from %" PRIu64 " on", at->first);
  else if (at->part == FANIN_PART_SLAB)
    (void)snprintf(out + used, size - used, ", a slab");
}

/* What the kernel that writes rows of it is built with. */
static void say_options(const selftest *s, const fanin_tensor *t, const fanin_init *init, char *out, size_t size) {
  fanin__job job;
  const bool known = fanin__job_of(s->f, t, init, 0, true, &job) == FANIN_STATUS_OK;
  (void)snprintf(out, size, "-cl-std=CL1.2 -D LANES=%zu %s", s->f->lanes, known ? job.parameters.options : "");
}

/* Keeps a sentence about a fill that is wrong: "normal, f32, OI 37x29: element 3 is 3f800000 and must be 3f800001
 * (...)".
 */
static void say_wrong(selftest *s, const fanin__digest *d, const fanin_tensor *t, const fanin_init *init,
                      const char *what) {
  char tensor[128], options[96];
  if (s->sentence[0]) return; /* an earlier one is kept */
  say_tensor(d, tensor, sizeof tensor);
  say_options(s, t, init, options, sizeof options);
  (void)snprintf(s->sentence, sizeof s->sentence, "%s, %s, %s: %s (built with %s)", d->init, fanin_dtype_name(d->dtype),
                 tensor, what, options);
}

/* Whether what memory has is what the digest says. */
static bool is_right(selftest *s, const fanin__digest *d, const fanin_tensor *t, const fanin_init *init) {
  const size_t size = fanin_dtype_size(d->dtype);
  const int digits = (int)(2 * size);
  char what[256];
  for (uint64_t e = 0; e < FANIN__DIGEST_VALUES && e < d->count; e++) {
    const uint64_t bits = bits_at(s->memory + place_of(t, e), size);
    if (bits == d->values[e]) continue;
    (void)snprintf(what, sizeof what, "element %" PRIu64 " is %0*" PRIx64 " and must be %0*" PRIx64, e, digits, bits,
                   digits, d->values[e]);
    say_wrong(s, d, t, init, what);
    return false;
  }
  const uint64_t hash = take_digest(s, t, d->count);
  if (hash != d->digest) {
    (void)snprintf(what, sizeof what,
                   "the first %d elements are right, and not all of the %" PRIu64 ": their digest is %016" PRIx64
                   " and must be %016" PRIx64,
                   FANIN__DIGEST_VALUES, d->count, hash, d->digest);
    say_wrong(s, d, t, init, what);
    return false;
  }
  for (size_t k = 0; k < s->used; k++) {
    if (s->memory[k] == guard_byte(k)) continue;
    (void)snprintf(what, sizeof what, "byte %zu of the buffer was written, which is outside of the tensor", k);
    say_wrong(s, d, t, init, what);
    return false;
  }
  return true;
}

/* ---- Ways to fill ------------------------------------------------------------------------------------------------ */

/* Enqueues the fill of `t` on s->queue. */
typedef fanin_status fill_way(selftest *s, const fanin_tensor *t, const fanin_init *init, fanin_key key);

static fanin_status at_once(selftest *s, const fanin_tensor *t, const fanin_init *init, fanin_key key) {
  return fanin_fill(s->f, s->queue, t, init, key, 0, NULL, NULL);
}

static fanin_status by_plan(selftest *s, const fanin_tensor *t, const fanin_init *init, fanin_key key) {
  fanin_plan *plan = NULL;
  const fanin_item item = {.tensor = *t, .init = *init, .stream = key.stream};
  FANIN__TRY(fanin_plan_create(s->f, &item, 1, &plan));
  const fanin_status status = fanin_plan_enqueue(plan, s->queue, key.seed, 0, NULL, NULL);
  fanin_plan_release(plan);
  return status;
}

/* Ranges of growing odd lengths, of what is whole or a range. */
static fanin_status in_pieces(selftest *s, const fanin_tensor *t, const fanin_init *init, fanin_key key) {
  uint64_t count = 0, bytes = 0;
  fanin_tensor whole = *t;
  FANIN__TRY(fanin_tensor_size(t, &count, &bytes));
  whole.part = FANIN_PART_WHOLE;
  const uint64_t first = t->part == FANIN_PART_RANGE ? t->first : 0;
  for (uint64_t from = 0, length = 1; from < count; from += length, length = 2 * length + 3) {
    fanin_tensor piece;
    FANIN__TRY(fanin_tensor_range(&whole, first + from, length < count - from ? length : count - from, &piece));
    piece.offset = t->offset + (size_t)from * fanin_dtype_size(t->dtype);
    FANIN__TRY(fanin_fill(s->f, s->queue, &piece, init, key, 0, NULL, NULL));
  }
  return FANIN_STATUS_OK;
}

/* Fills by `way` and reads the buffer back. */
static fanin_status fill_and_read(selftest *s, fill_way *way, const fanin_tensor *t, const fanin_init *init,
                                  fanin_key key) {
  uint64_t elements = 0, bytes = 0;
  FANIN__TRY(fanin_tensor_size(t, &elements, &bytes));
  s->used = t->offset + (size_t)bytes + GUARD;
  if (s->used > MOST_BYTES)
    return fanin__fail(FANIN_STATUS_BAD_SIZE, "the self-test has no room for %zu bytes", s->used);
  for (size_t k = 0; k < s->used; k++) {
    s->memory[k] = guard_byte(k);
  }
  FANIN__TRY(fanin__write(s->queue, s->buffer, s->used, s->memory));
  const fanin_status status = way(s, t, init, key);
  cl_int code = clFinish(s->queue);
  if (status != FANIN_STATUS_OK) return status;
  if (code != CL_SUCCESS) return fanin__fail_cl(code, "clFinish");
  code = clEnqueueReadBuffer(s->queue, s->buffer, CL_TRUE, 0, s->used, s->memory, 0, NULL, NULL);
  return fanin__check_cl(code, "clEnqueueReadBuffer");
}

/* ---- Checks ------------------------------------------------------------------------------------------------------ */

/* Which digests a check takes: those of an initializer's name, or all where that is NULL; with gaps in memory; those
 * that pieces can make. */
typedef struct check {
  const char *name, *init;
  fill_way *way;
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
  return c->way != in_pieces || part != FANIN_PART_SLAB;
}

/* One fill; `result` counts it. A refusal ends the check. */
static void check_one(selftest *s, const check *c, const fanin__digest *d, fanin_selftest_result *result) {
  fanin_tensor t;
  fanin_init init = {.kind = FANIN_KIND_ZEROS};
  const fanin_key key = {fanin__digest_seed, fanin__digest_tensors[d->tensor].stream};
  fanin_status status = fanin_init_parse(d->init, &init);
  if (status == FANIN_STATUS_OK) status = tensor_of(s, d, &t);
  if (status == FANIN_STATUS_OK && c->has_gaps) status = spread_out(&t, &t);
  if (status == FANIN_STATUS_OK) status = fill_and_read(s, c->way, &t, &init, key);
  if (status == FANIN_STATUS_UNSUPPORTED) {
    result->status = status;
    (void)snprintf(s->sentence, sizeof s->sentence, "%s", fanin_last_error());
    return;
  }
  result->fills++;
  if (status != FANIN_STATUS_OK) {
    result->wrong++;
    say_wrong(s, d, &t, &init, fanin_last_error());
  } else {
    result->wrong += !is_right(s, d, &t, &init);
  }
}

static void report(selftest *s, fanin_selftest_result *result) {
  result->sentence = s->sentence;
  result->done = ++s->done;
  result->total = s->total;
  s->summary.fills += result->fills;
  s->summary.wrong += result->wrong;
  char *first = NULL;
  if (result->status == FANIN_STATUS_UNSUPPORTED) {
    s->summary.refused += !s->is_refused[result->dtype];
    s->is_refused[result->dtype] = true;
    first = s->summary.first_refused;
  } else if (result->wrong > 0) {
    first = s->summary.first_wrong;
  }
  if (first && !first[0]) memcpy(first, s->sentence, SENTENCE);
  if (s->config->report) s->config->report(result, s->config->user);
}

/* A check of every dtype, as far as the device has it and there are digests for it. */
static void run_check(selftest *s, const check *c) {
  for (int dtype = 0; dtype < FANIN_DTYPE_COUNT; dtype++) {
    fanin_selftest_result result = {.check = c->name, .dtype = (fanin_dtype)dtype};
    if (dtype == FANIN_DTYPE_F64 && !s->f->has_f64) continue;
    s->sentence[0] = '\0';
    for (size_t k = 0; k < fanin__digest_count && result.status == FANIN_STATUS_OK; k++) {
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
    if (name) run_check(s, &(check){.name = name, .init = name, .way = at_once});
  }
}

/* A queue that may run what it is given in any order: in turn is one of them. False where the device has none. */
static bool has_out_of_order(const selftest *s) {
  cl_command_queue_properties properties = 0;
  return clGetDeviceInfo(s->f->device, CL_DEVICE_QUEUE_PROPERTIES, sizeof properties, &properties, NULL) ==
             CL_SUCCESS &&
         (properties & CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE) != 0;
}

static fanin_status check_out_of_order(selftest *s) {
  cl_int code = CL_SUCCESS;
  const cl_command_queue own = s->queue;
  s->queue = clCreateCommandQueue(s->f->context, s->f->device, CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE, &code);
  if (code == CL_SUCCESS) {
    run_check(s, &(check){.name = "out of order", .way = in_pieces});
    (void)clReleaseCommandQueue(s->queue);
  }
  s->queue = own;
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
  fanin *const own = s->f;
  fanin *other = NULL;
  FANIN__TRY(fanin_create(own->context, own->device, &other));
  other->lanes = g->lanes;
  if (g->group < other->work_group) other->work_group = g->group;
  other->fill_group = other->work_group;
  s->f = other;
  run_check(s, &(check){.name = g->name, .way = at_once});
  s->f = own;
  fanin_release(other);
  return FANIN_STATUS_OK;
}

static fanin_status check_all(selftest *s) {
  check_initializers(s);
  run_check(s, &(check){.name = "plan", .way = by_plan});
  run_check(s, &(check){.name = "gaps", .way = at_once, .has_gaps = true});
  run_check(s, &(check){.name = "pieces", .way = in_pieces});
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
  return checks * (size_t)(FANIN_DTYPE_COUNT - !s->f->has_f64);
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
  *s = (selftest){.config = &known, .f = f, .memory = fanin__zeroed(MOST_BYTES, 1)};
  if (!s->memory) goto done;
  status = check_name(s);
  if (status == FANIN_STATUS_OK) status = fanin__new_buffer(f, MOST_BYTES, 1, "a self-test", &s->buffer);
  if (status != FANIN_STATUS_OK) goto done;
  s->total = count_results(s);
  cl_int code = CL_SUCCESS;
  s->queue = clCreateCommandQueue(f->context, f->device, 0, &code);
  status = fanin__check_cl(code, "clCreateCommandQueue");
  if (status != FANIN_STATUS_OK) goto done;
  status = check_all(s);
  (void)clReleaseCommandQueue(s->queue);
  if (status == FANIN_STATUS_OK) status = fanin__give(out, size, &s->summary, sizeof s->summary);

done:
  fanin__free_buffer(s->buffer);
  free(s->memory);
  free(s);
  return status;
}
