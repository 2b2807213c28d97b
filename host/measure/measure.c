/* fanin_measure: moments and extremes of a dense tensor. The device leaves one partial result a lane; the host combines
 * them in double. */
#include <math.h>
#include <stdlib.h>

#include "core/argument.h"
#include "core/context.h"
#include "core/memory.h"
#include "core/queue.h"
#include "core/status.h"
#include "fanin/inspect.h"
#include "math/integer.h"
#include "measure/dense.h"

/* Planes of partial results, as kernels/measure.cl writes them. */
enum { SHIFT, D, D_LOW, DD, DD_LOW, LEAST, MOST, PLANES };

/* What one lane or all lanes so far say; values times the pass's scale, except for the extremes. */
typedef struct moments {
  double count, mean, squares; /* squares: the sum of (x - mean)^2 */
} moments;

/* Chan, Golub & LeVeque 1983, equation 1.5. */
static moments merged(moments a, moments b) {
  if (b.count == 0) return a;
  if (a.count == 0) return b;
  const double count = a.count + b.count, delta = b.mean - a.mean;
  return (moments){count, a.mean + delta * (b.count / count),
                   a.squares + b.squares + delta * delta * (a.count * (b.count / count))};
}

/* The partial results, and how to read them. */
typedef struct partials {
  size_t lanes; /* of all items */
  const fanin__dense *dense;
  void *reals;      /* PLANES x lanes, float or double */
  cl_ulong *finite; /* how many were: lanes */
} partials;

static double at(const partials *p, int plane, size_t lane) {
  return fanin__real_at(p->dense, p->reals, (size_t)plane * p->lanes + lane);
}

static void combine(const partials *p, double scale, fanin_stats *out) {
  moments all = {0, 0, 0};
  fanin_stats stats = {.count = out->count, .nonfinite = out->count, .min = INFINITY, .max = -INFINITY};
  for (size_t k = 0; k < p->lanes; k++) {
    const double count = (double)p->finite[k];
    stats.nonfinite -= p->finite[k];
    if (count == 0) continue;
    const double d = at(p, D, k) + at(p, D_LOW, k), dd = at(p, DD, k) + at(p, DD_LOW, k);
    all = merged(all, (moments){count, at(p, SHIFT, k) + d / count, fmax(dd - d * (d / count), 0)});
    stats.min = fmin(stats.min, at(p, LEAST, k));
    stats.max = fmax(stats.max, at(p, MOST, k));
  }
  if (all.count == 0) {
    stats.min = stats.max = 0;
  } else if (stats.min == stats.max) { /* constant: exactly, whatever the sums lost */
    stats.mean = stats.min;
    stats.second = stats.min * stats.min;
  } else {
    const double variance = all.squares / all.count;
    stats.mean = all.mean / scale;
    stats.std = sqrt(variance) / scale;
    stats.second = (variance + all.mean * all.mean) / scale / scale;
  }
  *out = stats;
}

/* A power of two that brings values of this size near 1, where their squares neither overflow nor vanish. */
static double scale_for(const fanin_stats *stats, bool f64) {
  const double most = fmax(fabs(stats->min), fabs(stats->max));
  if (most == 0 || (most > 0x1p-40 && most < 0x1p50)) return 1;
  const double limit = f64 ? 1000 : 126;
  return exp2(fmin(fmax(-floor(log2(most)), -limit), limit));
}

/* One measurement: what its launches share. */
typedef struct pass {
  fanin *f;
  const fanin_tensor *t;
  const fanin__dense *dense;
  fanin__spread spread; /* of vectors; the last may be incomplete */
  cl_mem reals, finite;
  partials partials;
} pass;

static void release(pass *p) {
  free(p->partials.finite);
  free(p->partials.reals);
  fanin__free_buffer(p->finite);
  fanin__free_buffer(p->reals);
}

static fanin_status prepare(pass *p) {
  enum { GRAIN = 64 }; /* below so many vectors, an item costs more than it sums */
  const uint64_t vectors = fanin__ceil_div(p->dense->elements, p->f->lanes);
  p->spread = fanin__spread_of(p->f, vectors, GRAIN);
  p->partials = (partials){.lanes = p->spread.items * p->f->lanes, .dense = p->dense};
  const size_t lanes = p->partials.lanes, size = fanin__real_size(p->dense);
  p->partials.reals = malloc(PLANES * lanes * size);
  p->partials.finite = malloc(lanes * sizeof *p->partials.finite);
  if (!p->partials.reals || !p->partials.finite) {
    return fanin__fail(FANIN_STATUS_OUT_OF_MEMORY, "%zu partial sums", lanes);
  }
  FANIN__TRY(fanin__new_buffer(p->f, PLANES * lanes, size, "partial sums", &p->reals));
  return fanin__new_buffer(p->f, lanes, sizeof(cl_ulong), "partial counts", &p->finite);
}

/* Runs the kernel after the wait list of `when` and combines its results. */
static fanin_status run(pass *p, const fanin__when *when, double factor, fanin_stats *stats) {
  const size_t lanes = p->partials.lanes;
  const cl_ulong elements = p->dense->elements;
  const fanin__real scale = fanin__real_of(factor);
  const fanin__launch launch = {.source = &fanin__source_measure,
                                .options = p->dense->options,
                                .name = "measure",
                                .grid = p->spread.grid,
                                FANIN__ARGUMENTS(FANIN__VALUE(p->t->buffer), FANIN__VALUE(p->dense->offset),
                                                 FANIN__VALUE(elements), FANIN__SPREAD(p->spread),
                                                 FANIN__REAL(p->dense->f64, scale), FANIN__VALUE(p->reals),
                                                 FANIN__VALUE(p->finite))};
  const fanin__result results[] = {{p->reals, PLANES * lanes * fanin__real_size(p->dense), p->partials.reals},
                                   {p->finite, lanes * sizeof(cl_ulong), p->partials.finite}};
  FANIN__TRY(fanin__enqueue_and_read(p->f, when, &launch, results, 2));
  combine(&p->partials, factor, stats);
  return FANIN_STATUS_OK;
}

static fanin_status measure(pass *p, const fanin__when *when, fanin_stats *out) {
  const fanin__when again = {.queue = when->queue};
  fanin_stats stats = {.count = p->dense->elements};
  FANIN__TRY(prepare(p));
  FANIN__TRY(run(p, when, 1, &stats));
  const double scale = scale_for(&stats, p->dense->f64);
  if (scale != 1) FANIN__TRY(run(p, &again, scale, &stats));
  *out = stats;
  return FANIN_STATUS_OK;
}

fanin_status fanin_measure(fanin *f, cl_command_queue queue, const fanin_tensor *t, cl_uint n_wait,
                           const cl_event *wait_list, fanin_stats *out, size_t size) {
  fanin__dense dense;
  fanin__when when;
  fanin_stats stats = {0};
  FANIN__NEED(f, t);
  FANIN__NEED_RESULTS(out, 1, size);
  FANIN__TRY(fanin__dense_of(f, t, &dense));
  FANIN__TRY(fanin__when_of(f, queue, n_wait, wait_list, NULL, &when));
  fanin_status status = FANIN_STATUS_OK;
  if (dense.elements == 0) {
    status = fanin__wait(n_wait, wait_list);
  } else {
    pass p = {.f = f, .t = t, .dense = &dense};
    status = measure(&p, &when, &stats);
    release(&p);
  }
  if (status == FANIN_STATUS_OK) fanin__give(out, size, &stats, sizeof stats);
  return status;
}
