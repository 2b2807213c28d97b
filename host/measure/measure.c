/* fanin_measure: moments and extremes of a dense tensor. The device leaves one partial result a lane; the host combines
 * them in double. */
#include <math.h>
#include <stdlib.h>

#include "core/argument.h"
#include "core/context.h"
#include "core/memory.h"
#include "fanin/inspect.h"
#include "math/integer.h"
#include "measure/dense.h"

/* Planes of partial results, as kernels/measure/moments.clh writes them. */
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

/* One measurement: what its launches share. */
typedef struct pass {
  fanin__dense d;
  fanin__spread spread;  /* of vectors; the last may be incomplete */
  size_t lanes;          /* of all items */
  cl_mem reals, finite;  /* partial results, and on the host: */
  void *host_reals;      /* PLANES x lanes, float or double */
  cl_ulong *host_finite; /* how many were: lanes */
} pass;

static double at(const pass *p, int plane, size_t lane) {
  return fanin__real_at(&p->d, p->host_reals, (size_t)plane * p->lanes + lane);
}

static void combine(const pass *p, double scale, fanin_stats *out) {
  moments all = {0, 0, 0};
  fanin_stats stats = {.count = out->count, .nonfinite = out->count, .min = INFINITY, .max = -INFINITY};
  for (size_t k = 0; k < p->lanes; k++) {
    const double count = (double)p->host_finite[k];
    stats.nonfinite -= p->host_finite[k];
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

static void release(pass *p) {
  free(p->host_finite);
  free(p->host_reals);
  fanin__free_buffer(p->finite);
  fanin__free_buffer(p->reals);
}

static fanin_status prepare(pass *p) {
  enum { GRAIN = 64 }; /* below so many vectors, an item costs more than it sums */
  const uint64_t vectors = fanin__ceil_div(p->d.elements, p->d.f->lanes);
  p->spread = fanin__spread_of(p->d.f, vectors, GRAIN, 2);
  p->lanes = p->spread.items * p->d.f->lanes;
  const size_t size = fanin__real_size(&p->d);
  p->host_reals = malloc(PLANES * p->lanes * size);
  p->host_finite = malloc(p->lanes * sizeof *p->host_finite);
  if (!p->host_reals || !p->host_finite) {
    return fanin__fail(FANIN_STATUS_OUT_OF_MEMORY, "%zu partial sums", p->lanes);
  }
  FANIN__TRY(fanin__new_buffer(p->d.f, PLANES * p->lanes, size, "partial sums", &p->reals));
  return fanin__new_buffer(p->d.f, p->lanes, sizeof(cl_ulong), "partial counts", &p->finite);
}

/* Runs the kernel and combines its results. */
static fanin_status run(pass *p, double factor, fanin_stats *stats) {
  const fanin__real scale = fanin__real_of(factor);
  const fanin__launch launch =
      FANIN__LAUNCH(measure, p->d.options, measure, p->spread.grid, FANIN__VALUE(p->d.buffer),
                    FANIN__VALUE(p->d.offset), FANIN__VALUE(p->d.elements), FANIN__SPREAD(p->spread),
                    FANIN__REAL(p->d.f64, scale), FANIN__VALUE(p->reals), FANIN__VALUE(p->finite));
  const fanin__result results[] = {{p->reals, PLANES * p->lanes * fanin__real_size(&p->d), p->host_reals},
                                   {p->finite, p->lanes * sizeof(cl_ulong), p->host_finite}};
  FANIN__TRY(fanin__enqueue_and_read(p->d.f, p->d.queue, &launch, results, 2));
  combine(p, factor, stats);
  return FANIN_STATUS_OK;
}

static fanin_status measure(pass *p, fanin_stats *stats) {
  stats->count = p->d.elements;
  FANIN__TRY(prepare(p));
  FANIN__TRY(run(p, 1, stats));
  const double scale = scale_for(stats, p->d.f64);
  return scale != 1 ? run(p, scale, stats) : FANIN_STATUS_OK;
}

fanin_status fanin_measure(fanin *f, cl_command_queue queue, const fanin_tensor *t, cl_uint n_wait,
                           const cl_event *wait_list, fanin_stats *out, size_t size) {
  pass p = {0};
  fanin_stats stats = {0};
  FANIN__NEED(f, t);
  FANIN__NEED_RESULTS(out, 1, size);
  FANIN__TRY(fanin__dense_of(f, queue, t, n_wait, wait_list, &p.d));
  FANIN__TRY(fanin__wait(n_wait, wait_list));
  const fanin_status status = p.d.elements > 0 ? measure(&p, &stats) : FANIN_STATUS_OK;
  release(&p);
  return status == FANIN_STATUS_OK ? fanin__give(out, size, &stats, sizeof stats) : status;
}
