/* fanin_measure_series: powers of a dense tensor's elements, and products of elements some way apart. */
#include <stdlib.h>
#include <string.h>

#include "core/argument.h"
#include "core/context.h"
#include "core/memory.h"
#include "fanin/inspect.h"
#include "math/integer.h"
#include "measure/dense.h"

enum { LAGS = 4, SUMS = 4 + LAGS, GRAIN = 64 };

static void add_up(const fanin__dense *d, const void *reals, size_t lanes, fanin_series *out) {
  for (int sum = 0; sum < SUMS; sum++) {
    double total = 0;
    for (size_t k = 0; k < lanes; k++) {
      total += fanin__real_at(d, reals, (size_t)(2 * sum) * lanes + k) +
               fanin__real_at(d, reals, (size_t)(2 * sum + 1) * lanes + k);
    }
    *(sum < 4 ? &out->powers[sum] : &out->products[sum - 4]) = total;
  }
}

static fanin_status run(const fanin__dense *d, fanin_standard by, const uint64_t *lags, fanin_series *out) {
  const fanin__spread spread =
      fanin__spread_of(d->f, fanin__ceil_div(d->elements, d->f->lanes), GRAIN, UINT64_C(2) * SUMS);
  const size_t lanes = spread.items * d->f->lanes, bytes = lanes * fanin__real_size(d) * 2 * SUMS;
  const fanin__real shift = fanin__real_of(by.shift), scale = fanin__real_of(by.scale);
  const cl_ulong4 lag = {.s = {lags[0], lags[1], lags[2], lags[3]}};
  cl_mem sums = NULL;
  void *const reals = malloc(bytes);
  fanin_status status = FANIN_STATUS_OK;
  if (!reals) status = fanin__fail(FANIN_STATUS_OUT_OF_MEMORY, "%zu bytes of partial sums", bytes);
  if (status == FANIN_STATUS_OK) status = fanin__new_buffer(d->f, bytes, 1, "partial sums", &sums);
  if (status == FANIN_STATUS_OK) {
    const fanin__launch launch =
        FANIN__LAUNCH(measure, d->options, series, spread.grid, FANIN__VALUE(d->buffer), FANIN__VALUE(d->offset),
                      FANIN__VALUE(d->elements), FANIN__SPREAD(spread), FANIN__REAL(d->f64, shift),
                      FANIN__REAL(d->f64, scale), FANIN__VALUE(lag), FANIN__VALUE(sums));
    const fanin__result result = {sums, bytes, reals};
    status = fanin__enqueue_and_read(d->f, d->queue, &launch, &result, 1);
  }
  if (status == FANIN_STATUS_OK) add_up(d, reals, lanes, out);
  fanin__free_buffer(sums);
  free(reals);
  return status;
}

fanin_status fanin_measure_series(fanin *f, cl_command_queue queue, const fanin_tensor *t, fanin_standard by,
                                  const uint64_t *lags, cl_uint n_wait, const cl_event *wait_list, fanin_series *out,
                                  size_t size) {
  fanin__dense d;
  fanin_series series = {0};
  FANIN__NEED(f, t, lags);
  FANIN__NEED_RESULTS(out, 1, size);
  FANIN__TRY(fanin__dense_of(f, queue, t, n_wait, wait_list, &d));
  FANIN__TRY(fanin__wait(n_wait, wait_list));
  if (d.elements > 0) FANIN__TRY(run(&d, by, lags, &series));
  return fanin__give(out, size, &series, sizeof series);
}
