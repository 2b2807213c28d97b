/* fanin_measure_sample, fanin_measure_pairs: how the beginnings of many tensors correlate with one another. */
#include <inttypes.h>
#include <stdlib.h>

#include "core/argument.h"
#include "core/memory.h"
#include "fanin/inspect.h"
#include "fill/fill.h"
#include "measure/dense.h"

enum { MOST_PAIRS = 1 << 18, GRAIN = 16, SUMS = 5 };

fanin_status fanin_measure_sample(fanin *f, cl_command_queue queue, const fanin_tensor *t, fanin_standard by,
                                  cl_mem samples, uint64_t first, cl_uint n_wait, const cl_event *wait_list) {
  fanin__dense d, into;
  fanin_tensor room;
  FANIN__NEED(f, t, samples);
  FANIN__TRY(fanin__dense_of(f, queue, t, n_wait, wait_list, &d));
  FANIN__TRY(fanin_tensor_of(samples, (size_t)first * sizeof(float), FANIN_DTYPE_F32, NULL, 1, &d.elements, &room));
  FANIN__TRY(fanin__dense_of(f, queue, &room, 0, NULL, &into));
  FANIN__TRY(fanin__wait(n_wait, wait_list));
  if (d.elements == 0) return FANIN_STATUS_OK;
  const fanin__spread spread = fanin__spread_of(f, d.elements, GRAIN, 1);
  const fanin__real shift = fanin__real_of(by.shift), scale = fanin__real_of(by.scale);
  const fanin__launch launch =
      FANIN__LAUNCH(measure, d.options, standardise, spread.grid, FANIN__VALUE(t->buffer), FANIN__VALUE(d.offset),
                    FANIN__VALUE(d.elements), FANIN__REAL(d.f64, shift), FANIN__REAL(d.f64, scale),
                    FANIN__VALUE(samples), FANIN__VALUE(first));
  cl_event done = NULL;
  FANIN__TRY(fanin__enqueue(f, &(fanin__when){.queue = d.queue, .event = &done}, &launch));
  const fanin_status status = fanin__wait(1, &done);
  (void)clReleaseEvent(done);
  return status;
}

/* One measurement of pairs: what its launches share. */
typedef struct pass {
  fanin__dense d; /* the samples, `length` numbers each */
  cl_ulong length;
  uint64_t longest;       /* vectors of the pair that compares most */
  cl_mem pairs, products; /* of MOST_PAIRS at most; and what goes there and comes from there: */
  cl_uint4 *list;
  float *sums;
} pass;

/* Up to MOST_PAIRS pairs: uploads them, runs, reads the sums of products. */
static fanin_status run(const pass *p, const fanin_pair *pairs, cl_ulong n) {
  for (size_t k = 0; k < n; k++) {
    p->list[k] = (cl_uint4){.s = {pairs[k].a, pairs[k].b, pairs[k].count, 0}};
  }
  FANIN__TRY(fanin__write(p->d.queue, p->pairs, (size_t)n * sizeof *p->list, p->list));
  const fanin__spread spread = fanin__spread_of(p->d.f, n, GRAIN, p->longest + 1 + SUMS * p->d.f->lanes);
  const fanin__launch launch =
      FANIN__LAUNCH(measure, p->d.options, correlate, spread.grid, FANIN__VALUE(p->d.buffer), FANIN__VALUE(p->length),
                    FANIN__VALUE(n), FANIN__VALUE(p->pairs), FANIN__VALUE(p->products));
  const fanin__result result = {p->products, SUMS * (size_t)n * sizeof *p->sums, p->sums};
  return fanin__enqueue_and_read(p->d.f, p->d.queue, &launch, &result, 1);
}

static fanin_status run_all(pass *p, const fanin_pair *pairs, size_t n, fanin_products *out, size_t stride) {
  const size_t most = n < MOST_PAIRS ? n : MOST_PAIRS;
  p->sums = malloc(SUMS * most * sizeof *p->sums);
  p->list = malloc(most * sizeof *p->list);
  if (!p->sums || !p->list) return fanin__fail(FANIN_STATUS_OUT_OF_MEMORY, "%zu pairs", most);
  FANIN__TRY(fanin__new_buffer(p->d.f, most, sizeof *p->list, "pairs", &p->pairs));
  FANIN__TRY(fanin__new_buffer(p->d.f, SUMS * most, sizeof *p->sums, "products of pairs", &p->products));
  for (size_t first = 0; first < n; first += most) {
    const size_t block = n - first < most ? n - first : most;
    FANIN__TRY(run(p, pairs + first, block));
    for (size_t k = 0; k < block; k++) {
      const float *const sums = p->sums + k;
      const fanin_products products = {(double)sums[0], (double)sums[block], (double)sums[2 * block],
                                       (double)sums[3 * block], (double)sums[4 * block]};
      fanin__give_at(out, stride, first + k, &products, sizeof products);
    }
  }
  return FANIN_STATUS_OK;
}

static fanin_status check_pairs(uint64_t tensors, uint64_t length, const fanin_pair *pairs, size_t n) {
  for (size_t k = 0; k < n; k++) {
    if (pairs[k].a < tensors && pairs[k].b < tensors && pairs[k].count <= length && pairs[k].count % 16 == 0) continue;
    return fanin__fail(FANIN_STATUS_BAD_ARGUMENT,
                       "pairs[%zu] = {%" PRIu32 ", %" PRIu32 ", %" PRIu32 "}; accepted are samples below %" PRIu64
                       " and a count up to %" PRIu64 " that 16 divides",
                       k, pairs[k].a, pairs[k].b, pairs[k].count, tensors, length);
  }
  return FANIN_STATUS_OK;
}

static uint32_t longest_of(const fanin_pair *pairs, size_t n) {
  uint32_t longest = 0;
  for (size_t k = 0; k < n; k++) {
    if (pairs[k].count > longest) longest = pairs[k].count;
  }
  return longest;
}

fanin_status fanin_measure_pairs(fanin *f, cl_command_queue queue, cl_mem samples, uint64_t tensors, uint64_t length,
                                 const fanin_pair *pairs, size_t n, fanin_products *out, size_t stride) {
  pass p = {.length = length};
  fanin_tensor all;
  FANIN__NEED(f, samples);
  FANIN__NEED_ARRAY(pairs, n);
  FANIN__NEED_RESULTS(out, n, stride);
  FANIN__TRY(fanin_tensor_of(samples, 0, FANIN_DTYPE_F32, NULL, 2, (const uint64_t[]){tensors, length}, &all));
  FANIN__TRY(fanin__dense_of(f, queue, &all, 0, NULL, &p.d));
  FANIN__TRY(check_pairs(tensors, length, pairs, n));
  if (n == 0) return FANIN_STATUS_OK;
  p.longest = longest_of(pairs, n) / f->lanes;
  if (p.longest > FANIN__MOST_PASSES) FANIN__TRY(fanin__check_loops(f, "a correlation of long samples"));
  const fanin_status status = run_all(&p, pairs, n, out, stride);
  fanin__free_buffer(p.products);
  fanin__free_buffer(p.pairs);
  free(p.list);
  free(p.sums);
  return status;
}
