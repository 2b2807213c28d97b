/* The cases of the contest: fanin's own, the device's fill and the limit. */
#include <stdlib.h>
#include <string.h>

#include "contest.h"

static const fanin_key KEY = {.seed = 1, .stream = 2};

static void end_nothing(const arena *a, work *w) {
  (void)a;
  free(w->tensors);
}

static fanin_status finish(const arena *a, fanin_status status) {
  const cl_int code = clFinish(a->queue);
  return status != FANIN_STATUS_OK ? status : (fanin_status)code;
}

/* ---- Fills ------------------------------------------------------------------------------------------------------- */

static fanin_status run_fills(const arena *a, const work *w) {
  fanin_status status = FANIN_STATUS_OK;
  for (size_t k = 0; k < w->n_tensors && status == FANIN_STATUS_OK; k++) {
    status = fanin_fill(a->f, a->queue, &w->tensors[k], &w->init, (fanin_key){KEY.seed, k}, 0, NULL, NULL);
  }
  return finish(a, status);
}

static fanin_status fills(const request *r, work *w, const fanin_tensor *tensors, size_t n) {
  w->run = run_fills;
  w->tensors = calloc(n, sizeof *tensors);
  if (!w->tensors) return FANIN_STATUS_OUT_OF_MEMORY;
  memcpy(w->tensors, tensors, n * sizeof *tensors);
  w->n_tensors = n;
  return fanin_init_parse(r->init, &w->init);
}

static fanin_status fill(const arena *a, const request *r, work *w) {
  const fanin_tensor t = {.buffer = a->buffer, .dtype = r->dtype, .rank = 1, .shape = {r->elements}};
  return fills(r, w, &t, 1);
}

/* The shape is in place of the initializer: "768x3072", or a stack "1000x64x64". */
static fanin_status orthogonal(const arena *a, const request *r, work *w) {
  uint64_t shape[3] = {0};
  int rank = 0;
  for (const char *at = r->init; *at && rank < 3; rank++) {
    char *end = NULL;
    shape[rank] = strtoull(at, &end, 10);
    at = *end == 'x' ? end + 1 : end;
  }
  request like = *r;
  memcpy(like.init, "orthogonal", sizeof "orthogonal");
  fanin_tensor t;
  const fanin_status status = fanin_tensor_of(a->buffer, 0, r->dtype, rank == 3 ? "BOI" : "OI", rank, shape, &t);
  return status == FANIN_STATUS_OK ? fills(&like, w, &t, 1) : status;
}

enum { ROW = 256 };

/* Rows of ROW elements out of a matrix of four times as many columns, from column `first` on; dense in memory. */
static fanin_status slab_from(const arena *a, const request *r, work *w, uint64_t first) {
  const uint64_t rows = r->elements / ROW;
  const fanin_tensor t = {.buffer = a->buffer,
                          .dtype = r->dtype,
                          .rank = 2,
                          .shape = {rows, 4 * ROW},
                          .part = FANIN_PART_SLAB,
                          .start = {0, first},
                          .extent = {rows, ROW}};
  return fills(r, w, &t, 1);
}

static fanin_status slab(const arena *a, const request *r, work *w) {
  return slab_from(a, r, w, ROW);
}

/* The same from a column that does not begin a block of the stream. */
static fanin_status odd_slab(const arena *a, const request *r, work *w) {
  return slab_from(a, r, w, ROW + 1);
}

/* A matrix with rows of ROW elements and a quarter of that between them in memory. */
static fanin_status pitched(const arena *a, const request *r, work *w) {
  const fanin_tensor t = {.buffer = a->buffer,
                          .dtype = r->dtype,
                          .rank = 2,
                          .shape = {r->elements / ROW, ROW},
                          .strides = {ROW + ROW / 4, 1}};
  return fills(r, w, &t, 1);
}

/* ---- Many tensors ------------------------------------------------------------------------------------------------ */

static fanin_status run_plan(const arena *a, const work *w) {
  return finish(a, fanin_plan_enqueue(w->plan, a->queue, KEY.seed, 0, NULL, NULL));
}

static void end_plan(const arena *a, work *w) {
  (void)a;
  fanin_plan_release(w->plan);
}

static fanin_status plan(const arena *a, work *w, const fanin_item *items, size_t n) {
  w->run = run_plan;
  w->end = end_plan;
  return fanin_plan_create(a->f, items, n, &w->plan);
}

enum { THOUSAND = 1000 };

static void thousand_tensors(const arena *a, const request *r, fanin_tensor tensors[THOUSAND]) {
  for (size_t k = 0; k < THOUSAND; k++) {
    tensors[k] = (fanin_tensor){.buffer = a->buffer,
                                .offset = k * THOUSAND * fanin_dtype_size(r->dtype),
                                .dtype = r->dtype,
                                .rank = 1,
                                .shape = {THOUSAND}};
  }
}

static fanin_status thousand_fills(const arena *a, const request *r, work *w) {
  fanin_tensor tensors[THOUSAND];
  thousand_tensors(a, r, tensors);
  return fills(r, w, tensors, THOUSAND);
}

static fanin_status thousand_plan(const arena *a, const request *r, work *w) {
  fanin_tensor tensors[THOUSAND];
  fanin_init init;
  const fanin_status status = fanin_init_parse(r->init, &init);
  fanin_item *const items = calloc(THOUSAND, sizeof *items);
  if (!items || status != FANIN_STATUS_OK) {
    free(items);
    return items ? status : FANIN_STATUS_OUT_OF_MEMORY;
  }
  thousand_tensors(a, r, tensors);
  for (size_t k = 0; k < THOUSAND; k++) {
    items[k] = (fanin_item){.tensor = tensors[k], .init = init, .stream = k};
  }
  const fanin_status made = plan(a, w, items, THOUSAND);
  free(items);
  return made;
}

/* GPT-2 124M as its model file has it: weights N(0, 0.02), residual projections narrower, biases 0, gains 1. */
static fanin_status gpt2(const arena *a, const request *r, work *w) {
  enum { LAYERS = 12, WIDTH = 768, CONTEXT = 1024, VOCABULARY = 50257, A_LAYER = 12, ITEMS = 4 + LAYERS * A_LAYER };
  static const struct {
    uint64_t rows, columns; /* rows 1: a vector */
    const char *init;
  } layer[A_LAYER] = {
      {1, WIDTH, "ones"},
      {1, WIDTH, "zeros"},
      {WIDTH, 3 * WIDTH, "normal:std=0.02"},
      {1, 3 * WIDTH, "zeros"},
      {WIDTH, WIDTH, "normal:std=0.00408248290463863"},
      {1, WIDTH, "zeros"},
      {1, WIDTH, "ones"},
      {1, WIDTH, "zeros"},
      {WIDTH, 4 * WIDTH, "normal:std=0.02"},
      {1, 4 * WIDTH, "zeros"},
      {4 * WIDTH, WIDTH, "normal:std=0.00408248290463863"},
      {1, WIDTH, "zeros"},
  };
  static const uint64_t outer[4][2] = {{VOCABULARY, WIDTH}, {CONTEXT, WIDTH}, {1, WIDTH}, {1, WIDTH}};
  static const char *const outer_init[4] = {"normal:std=0.02", "normal:std=0.02", "ones", "zeros"};
  fanin_item items[ITEMS];
  w->elements = 0;
  for (size_t k = 0; k < ITEMS; k++) {
    const bool is_outer = k < 4;
    const size_t in_layer = is_outer ? 0 : (k - 4) % A_LAYER;
    const uint64_t shape[] = {is_outer ? outer[k][0] : layer[in_layer].rows,
                              is_outer ? outer[k][1] : layer[in_layer].columns};
    items[k] = (fanin_item){.tensor = {.dtype = r->dtype, .rank = 2, .shape = {shape[0], shape[1]}}, .stream = k};
    const fanin_status status = fanin_init_parse(is_outer ? outer_init[k] : layer[in_layer].init, &items[k].init);
    if (status != FANIN_STATUS_OK) return status;
    w->elements += shape[0] * shape[1];
  }
  return plan(a, w, items, ITEMS);
}

/* ---- What fanin is measured against ------------------------------------------------------------------------------ */

static fanin_status run_device(const arena *a, const work *w) {
  return finish(a, (fanin_status)clEnqueueFillBuffer(a->queue, a->buffer, &w->pattern, sizeof w->pattern, 0,
                                                     (size_t)w->elements * sizeof w->pattern, 0, NULL, NULL));
}

static fanin_status device(const arena *a, const request *r, work *w) {
  (void)a;
  w->run = run_device;
  w->pattern = strtof(r->init, NULL);
  return FANIN_STATUS_OK;
}

static fanin_status run_limit(const arena *a, const work *w) {
  limit_uniform(a->l, w->mapped, (size_t)w->elements, KEY.seed, 0, w->init.lo, w->init.hi);
  return FANIN_STATUS_OK;
}

static void end_limit(const arena *a, work *w) {
  if (clEnqueueUnmapMemObject(a->queue, a->buffer, w->mapped, 0, NULL, NULL) == CL_SUCCESS) (void)clFinish(a->queue);
}

/* On the buffer that fanin fills too, so that both write to the same pages. */
static fanin_status limit_of(const arena *a, const request *r, work *w) {
  cl_int code = CL_SUCCESS;
  w->run = run_limit;
  const fanin_status status = fanin_init_parse(r->init, &w->init);
  if (status != FANIN_STATUS_OK) return status;
  w->mapped = clEnqueueMapBuffer(a->queue, a->buffer, CL_TRUE, CL_MAP_READ | CL_MAP_WRITE, 0,
                                 (size_t)r->elements * sizeof(float), 0, NULL, NULL, &code);
  if (code == CL_SUCCESS) w->end = end_limit;
  return (fanin_status)code;
}

/* ---- All of them ------------------------------------------------------------------------------------------------- */

static const struct {
  const char *name;
  fanin_status (*prepare)(const arena *a, const request *r, work *w);
} CASES[] = {
    {"fill", fill},
    {"orthogonal", orthogonal},
    {"slab", slab},
    {"odd-slab", odd_slab},
    {"pitched", pitched},
    {"gpt2", gpt2},
    {"1000-fills", thousand_fills},
    {"1000-plan", thousand_plan},
    {"device", device},
    {"limit", limit_of},
};

enum { CASE_COUNT = sizeof CASES / sizeof *CASES };

static size_t find_case(const char *what) {
  size_t k = 0;
  while (k < CASE_COUNT && strcmp(what, CASES[k].name) != 0)
    k++;
  return k;
}

bool work_known(const char *what) {
  return find_case(what) < CASE_COUNT;
}

fanin_status work_of(const arena *a, const request *r, work *out) {
  *out = (work){.end = end_nothing, .elements = r->elements};
  const fanin_status status = CASES[find_case(r->what)].prepare(a, r, out);
  if (status != FANIN_STATUS_OK) out->end(a, out);
  return status;
}
