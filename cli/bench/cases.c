/* fanin bench: the cases, from tables of initializers, dtypes, sizes and a real model's shapes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/dtype.h"
#include "bench/bench.h"

/* ---- Ways to run a case ------------------------------------------------------------------------------------------ */

/* The device's own fill, which the other cases are compared with. */
static int enqueue_device_fill(const session *s, cl_mem memory, const bench_case *c, uint64_t seed, failure *why) {
  const cl_uint pattern = (cl_uint)seed;
  return opencl_status(
      why, clEnqueueFillBuffer(s->queue, memory, &pattern, sizeof pattern, 0, (size_t)c->bytes, 0, NULL, NULL),
      "clEnqueueFillBuffer");
}

static int enqueue_fills(const session *s, cl_mem memory, const bench_case *c, uint64_t seed, failure *why) {
  for (size_t i = 0; i < c->n_items; ++i) {
    const fanin_item *item = &c->items[i];
    fanin_tensor tensor = item->tensor;
    tensor.buffer = memory;
    const fanin_key key = {.seed = seed, .stream = item->stream};
    const fanin_status status = fanin_fill(s->f, s->queue, &tensor, &item->init, key, 0, NULL, NULL);
    if (status != FANIN_STATUS_OK) return library_status(why, status, c->name);
  }
  return STATUS_OK;
}

int bench_enqueue_plan(const session *s, cl_mem memory, const bench_case *c, uint64_t seed, failure *why) {
  (void)memory; /* it is in the plan's items */
  return library_status(why, fanin_plan_enqueue(c->plan, s->queue, seed, 0, NULL, NULL), c->name);
}

/* ---- Adding ------------------------------------------------------------------------------------------------------ */

static bench_case *add(bench_set *set, bench_group group, const char *name, const char *dtype) {
  set->cases = grow(set->cases, &set->capacity, set->count + 1, sizeof *set->cases);
  bench_case *c = &set->cases[set->count++];
  *c = (bench_case){.dtype = dtype, .group = group, .fill = BENCH_NONE, .against = BENCH_NONE};
  snprintf(c->name, sizeof c->name, "%s", name);
  return c;
}

static size_t add_device_fill(bench_set *set, bench_group group, const char *name, uint64_t bytes) {
  bench_case *c = add(set, group, name, "f32");
  c->elements = bytes / sizeof(cl_float);
  c->bytes = bytes;
  c->enqueue = enqueue_device_fill;
  c->fill = set->count - 1;
  return c->fill;
}

/* Adds a case of n items, and takes them over. */
static size_t add_items(bench_set *set, bench_group group, const char *name, size_t fill, fanin_item *items, size_t n) {
  bench_case *c = add(set, group, name, fanin_dtype_name(items[0].tensor.dtype));
  c->enqueue = enqueue_fills;
  c->fill = fill;
  c->items = items;
  c->n_items = n;
  for (size_t i = 0; i < n; ++i) {
    uint64_t elements = 0, bytes;
    (void)fanin_tensor_size(&items[i].tensor, &elements, &bytes); /* if anything is wrong, the fill reports it */
    c->elements += elements;
  }
  c->bytes = c->elements * fanin_dtype_size(items[0].tensor.dtype);
  return set->count - 1;
}

static size_t add_tensor(bench_set *set, bench_group group, const char *name, size_t fill, fanin_tensor tensor,
                         fanin_init init) {
  fanin_item *item = allocate(1, sizeof *item);
  *item = (fanin_item){.tensor = tensor, .init = init};
  return add_items(set, group, name, fill, item, 1);
}

static fanin_tensor vector_of(fanin_dtype dtype, uint64_t elements) {
  return (fanin_tensor){.dtype = dtype, .rank = 1, .shape = {elements}};
}

/* ---- One tensor -------------------------------------------------------------------------------------------------- */

/* Adds every family in every dtype. The other dtypes are compared with the first, f32. Returns the case of uniform
 * f32. */
static size_t add_families(bench_set *set, size_t fill, uint64_t size, bool has_f64) {
  const struct {
    const char *name;
    fanin_init init;
  } families[] = {{"zeros", fanin_zeros()},
                  {"constant", fanin_constant(0.5)},
                  {"uniform", fanin_uniform(-0.1, 0.1)},
                  {"normal", fanin_normal(0, 0.02)},
                  {"trunc_normal", fanin_trunc_normal(0, 0.02, -2, 2)},
                  {"trunc_normal_wide", fanin_trunc_normal(0, 0.02, -3, 3)}};
  size_t uniform = BENCH_NONE;
  for (size_t i = 0; i < sizeof families / sizeof *families; ++i) {
    size_t single = BENCH_NONE;
    for (int d = 0; d < FANIN_DTYPE_COUNT; ++d) {
      const fanin_dtype dtype = (fanin_dtype)d;
      if (dtype_info(dtype).needs_fp64 && !has_f64) continue;
      const fanin_tensor tensor = vector_of(dtype, size / fanin_dtype_size(dtype));
      const size_t added = add_tensor(set, BENCH_MAIN, families[i].name, fill, tensor, families[i].init);
      set->cases[added].against = single;
      if (d == 0) single = added;
    }
    if (families[i].init.kind == FANIN_KIND_UNIFORM) uniform = single;
  }
  return uniform;
}

/* A slab of rows of a matrix that is four times as wide, from column `first` on: its rows have a gap in their indices
 * and none in memory. */
static void add_slab(bench_set *set, size_t fill, size_t contiguous, const char *name, uint64_t rows, uint64_t row,
                     uint64_t first) {
  const fanin_tensor slab = {
      .rank = 2, .shape = {rows, 4 * row}, .part = FANIN_PART_SLAB, .start = {0, first}, .extent = {rows, row}};
  const size_t added = add_tensor(set, BENCH_MAIN, name, fill, slab, fanin_uniform(-0.1, 0.1));
  set->cases[added].against = contiguous;
}

/* Adds rows with a gap after each in memory, as in a padded matrix; and two slabs, of which one begins with a block of
 * the stream and one does not. */
static void add_rows(bench_set *set, size_t fill, size_t contiguous, uint64_t size, uint64_t row) {
  enum { GAP = 16 };
  const uint64_t elements = size / sizeof(cl_float);
  const fanin_tensor strided = {.rank = 2, .shape = {elements / (row + GAP), row}, .strides = {row + GAP, 1}};
  char name[BENCH_NAME];
  snprintf(name, sizeof name, "strided_%d", (int)row);
  const size_t added = add_tensor(set, BENCH_MAIN, name, fill, strided, fanin_uniform(-0.1, 0.1));
  set->cases[added].against = contiguous;
  snprintf(name, sizeof name, "slab_%d", (int)row);
  add_slab(set, fill, contiguous, name, elements / row, row, row);
  snprintf(name, sizeof name, "slab_odd_%d", (int)row);
  add_slab(set, fill, contiguous, name, elements / row, row, row + 1);
}

/* Matrices, and a stack of small ones, that are no larger than `size`. */
static void add_matrices(bench_set *set, uint64_t size) {
  static const struct {
    const char *name, *layout;
    int rank;
    uint64_t shape[3];
  } all[] = {{"512x512", "OI", 2, {512, 512}},     {"1024x1024", "OI", 2, {1024, 1024}},
             {"2048x2048", "OI", 2, {2048, 2048}}, {"4096x4096", "OI", 2, {4096, 4096}},
             {"768x3072", "OI", 2, {768, 3072}},   {"1000x64x64", "BOI", 3, {1000, 64, 64}}};
  for (size_t i = 0; i < sizeof all / sizeof *all; ++i) {
    fanin_tensor t;
    uint64_t elements, bytes;
    char name[BENCH_NAME];
    if (fanin_tensor_of(NULL, 0, FANIN_DTYPE_F32, all[i].layout, all[i].rank, all[i].shape, &t) != FANIN_STATUS_OK ||
        fanin_tensor_size(&t, &elements, &bytes) != FANIN_STATUS_OK || bytes > size)
      continue;
    snprintf(name, sizeof name, "orthogonal_%s", all[i].name);
    add_tensor(set, BENCH_MATRIX, name, BENCH_NONE, t, fanin_orthogonal(1));
  }
}

/* Adds sizes from 1 KiB on: small ones show the cost of a launch, large ones that of an element. */
static void add_linear(bench_set *set, uint64_t size) {
  enum { SMALLEST = 8, COARSE = 2, FINE_FROM = 20, LARGEST = 28 };
  for (int k = SMALLEST; k <= LARGEST; k += k < FINE_FROM ? COARSE : 1) {
    const uint64_t elements = (uint64_t)1 << k;
    if (elements > size / sizeof(cl_float)) break;
    char fill_name[BENCH_NAME], name[BENCH_NAME];
    snprintf(fill_name, sizeof fill_name, "device_fill_linear_%d", k);
    snprintf(name, sizeof name, "linear_%d", k);
    const size_t fill = add_device_fill(set, BENCH_LINEAR, fill_name, elements * sizeof(cl_float));
    add_tensor(set, BENCH_LINEAR, name, fill, vector_of(FANIN_DTYPE_F32, elements), fanin_uniform(-0.1, 0.1));
  }
}

/* ---- Many tensors ------------------------------------------------------------------------------------------------ */

/* A list of items that lie one after another in one buffer. */
typedef struct packed {
  fanin_item *items;
  size_t count, capacity, end; /* bytes */
} packed;

static void pack(packed *p, int rank, const uint64_t *shape, fanin_init init) {
  enum { ALIGNMENT = 128 };
  fanin_tensor tensor = {.offset = p->end, .rank = rank};
  uint64_t elements = 0, bytes = 0;
  memcpy(tensor.shape, shape, (size_t)rank * sizeof *shape);
  (void)fanin_tensor_size(&tensor, &elements, &bytes);
  p->end = (p->end + (size_t)bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  p->items = grow(p->items, &p->capacity, p->count + 1, sizeof *p->items);
  p->items[p->count] = (fanin_item){.tensor = tensor, .init = init, .stream = p->count};
  ++p->count;
}

/* Adds so many tensors of 1,000 elements, one after another and by plan. */
static void add_tensors(bench_set *set, size_t tensors) {
  static const char *const ways[] = {"fills", "plan"};
  const uint64_t shape[1] = {1000};
  char name[BENCH_NAME];
  snprintf(name, sizeof name, "device_fill_%zux1000", tensors);
  const size_t fill = add_device_fill(set, BENCH_MANY, name, tensors * shape[0] * sizeof(cl_float));
  size_t added[2];
  for (int i = 0; i < 2; ++i) {
    packed p = {0};
    for (size_t t = 0; t < tensors; ++t)
      pack(&p, 1, shape, fanin_normal(0, 0.02));
    snprintf(name, sizeof name, "%s_%zux1000", ways[i], tensors);
    added[i] = add_items(set, BENCH_MANY, name, fill, p.items, p.count);
  }
  set->cases[added[1]].enqueue = bench_enqueue_plan;
  set->cases[added[1]].against = added[0];
}

/* GPT-2 124M (Radford et al. 2019): shapes and initializers as in share/models/gpt2-124m.json, projections into the
 * residual stream with std 0.02 / sqrt(2 * 12 layers). */
static packed gpt2_124m(void) {
  enum { WEIGHT, PROJECTION, ZEROS, ONES, BLOCK = 2, BEHIND = 14, LAYERS = 12 };
  /* Embeddings, a block from BLOCK on, and what is behind the last one. A vector has no columns. */
  static const struct {
    int role;
    uint64_t rows, columns;
  } tensors[] = {{WEIGHT, 50257, 768},    {WEIGHT, 1024, 768}, {ONES, 768, 0},         {ZEROS, 768, 0},
                 {WEIGHT, 768, 2304},     {ZEROS, 2304, 0},    {PROJECTION, 768, 768}, {ZEROS, 768, 0},
                 {ONES, 768, 0},          {ZEROS, 768, 0},     {WEIGHT, 768, 3072},    {ZEROS, 3072, 0},
                 {PROJECTION, 3072, 768}, {ZEROS, 768, 0},     {ONES, 768, 0},         {ZEROS, 768, 0}};
  const fanin_init inits[] = {[WEIGHT] = fanin_normal(0, 0.02),
                              [PROJECTION] = fanin_normal(0, 0.004082482904638631),
                              [ZEROS] = fanin_zeros(),
                              [ONES] = fanin_ones()};
  packed p = {0};
  for (size_t i = 0, layer = 1; i < sizeof tensors / sizeof *tensors; ++i) {
    if (i == BEHIND && layer++ < LAYERS) i = BLOCK; /* once more */
    pack(&p, tensors[i].columns > 0 ? 2 : 1, (uint64_t[]){tensors[i].rows, tensors[i].columns}, inits[tensors[i].role]);
  }
  return p;
}

static void add_model(bench_set *set) {
  const packed p = gpt2_124m();
  const size_t plan = add_items(set, BENCH_MODEL, "plan_gpt2", BENCH_NONE, p.items, p.count);
  const uint64_t elements = set->cases[plan].elements, bytes = set->cases[plan].bytes;
  const size_t fill = add_device_fill(set, BENCH_MODEL, "device_fill_gpt2", bytes);
  const size_t one = add_tensor(set, BENCH_MODEL, "one_tensor_gpt2", fill, vector_of(FANIN_DTYPE_F32, elements),
                                fanin_normal(0, 0.02));
  set->cases[plan].enqueue = bench_enqueue_plan;
  set->cases[plan].against = one;
  set->cases[plan].fill = fill;
}

/* ---- All of them ------------------------------------------------------------------------------------------------- */

void bench_add_starts(bench_set *set) {
  static const char *const names[] = {"cold_start_empty", "cold_start", "warm_start_empty", "warm_start"};
  for (size_t i = 0; i < sizeof names / sizeof *names; ++i) {
    const bool empty = i % 2 == 0;
    bench_case *c = add(set, BENCH_START, names[i], empty ? NULL : "f32");
    if (empty) continue;
    c->elements = BENCH_START_BYTES / sizeof(cl_float);
    c->bytes = BENCH_START_BYTES;
    c->against = set->count - 2;
  }
}

void bench_add_fills(bench_set *set, uint64_t size, bool has_f64) {
  const size_t fill = add_device_fill(set, BENCH_MAIN, "device_fill", size);
  const size_t uniform = add_families(set, fill, size, has_f64);
  add_rows(set, fill, uniform, size, 256);
  add_rows(set, fill, uniform, size, 1024);
  for (size_t tensors = 1; tensors <= 10000; tensors *= 10)
    add_tensors(set, tensors);
  add_model(set);
  add_matrices(set, size);
  add_linear(set, size);
}

/* ---- Selecting --------------------------------------------------------------------------------------------------- */

char *bench_label(const bench_case *c, char out[BENCH_LABEL]) {
  snprintf(out, BENCH_LABEL, "%s%s%s", c->name, c->dtype ? " " : "", c->dtype ? c->dtype : "");
  return out;
}

void bench_select(bench_set *set, const regex_t *only) {
  for (size_t i = 0; i < set->count; ++i) {
    char label[BENCH_LABEL];
    bench_case *c = &set->cases[i];
    if (only && regexec(only, bench_label(c, label), 0, NULL, 0) != 0) continue;
    c->selected = true;
    if (c->fill != BENCH_NONE) set->cases[c->fill].selected = true;
    if (c->against != BENCH_NONE) set->cases[c->against].selected = true;
  }
}

bool bench_any_selected(const bench_set *set) {
  for (size_t i = 0; i < set->count; ++i) {
    if (set->cases[i].selected) return true;
  }
  return false;
}

void bench_free(bench_set *set) {
  for (size_t i = 0; i < set->count; ++i) {
    free(set->cases[i].items);
    free(set->cases[i].seconds);
  }
  free(set->cases);
  *set = (bench_set){0};
}
