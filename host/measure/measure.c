/* fanin_measure: moments and extremes of a dense tensor. The device leaves one partial result a lane; the host combines
 * them in double. */
#include <math.h>
#include <stdlib.h>

#include "core/argument.h"
#include "core/context.h"
#include "core/queue.h"
#include "fanin/inspect.h"
#include "measure/dense.h"

/* Planes of partial results, as kernels/measure.cl writes them. */
enum { SHIFT, D, D_LOW, DD, DD_LOW, LEAST, MOST, PLANES };

/* Who takes which vectors; see kernels/measure.cl. */
typedef struct geometry {
  uint64_t vectors; /* of `lanes` elements, the last may be incomplete */
  size_t items, local;
  cl_ulong pitch, step, span;
} geometry;

/* CPUs: a few items a core, each on a piece of its own, in vectors. GPUs: so many items that memory is busy, neighbours
 * side by side. */
static geometry choose_geometry(const fanin *f, uint64_t elements) {
  geometry g = {.vectors = (elements + f->lanes - 1) / f->lanes};
  if (f->type & CL_DEVICE_TYPE_CPU) {
    const uint64_t most = f->compute_units < 64 ? 64 * (uint64_t)f->compute_units : 4096;
    const uint64_t useful = (g.vectors + 63) / 64; /* below 64 vectors, an item costs more than it sums */
    g.local = 1;
    g.items = (size_t)(useful < most ? useful : most);
    g.step = 1;
    g.pitch = g.span = (g.vectors + g.items - 1) / g.items;
  } else {
    g.local = f->work_group;
    g.items = 4096 / g.local * g.local;
    g.step = g.items;
    g.pitch = 1;
    g.span = g.vectors;
  }
  return g;
}

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
  bool f64;
  void *reals;      /* PLANES x lanes, float or double */
  cl_ulong *finite; /* how many were: lanes */
} partials;

static double at(const partials *p, int plane, size_t lane) {
  const size_t k = (size_t)plane * p->lanes + lane;
  return p->f64 ? ((const double *)p->reals)[k] : (double)((const float *)p->reals)[k];
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

/* One measurement: what is enqueued, and what is released at the end. */
typedef struct pass {
  fanin *f;
  cl_command_queue queue;
  cl_kernel kernel;
  cl_mem reals, finite;
  geometry geometry;
  partials partials;
} pass;

static void release(pass *p) {
  free(p->partials.finite);
  free(p->partials.reals);
  if (p->finite) (void)clReleaseMemObject(p->finite);
  if (p->reals) (void)clReleaseMemObject(p->reals);
  if (p->kernel) (void)clReleaseKernel(p->kernel);
}

static size_t real_size(const partials *p) {
  return p->f64 ? sizeof(double) : sizeof(float);
}

static fanin_status prepare(pass *p, const fanin__dense *dense) {
  p->geometry = choose_geometry(p->f, dense->elements);
  p->partials = (partials){.lanes = p->geometry.items * p->f->lanes, .f64 = dense->f64};
  const size_t lanes = p->partials.lanes, reals = PLANES * lanes * real_size(&p->partials);
  p->partials.reals = malloc(reals);
  p->partials.finite = malloc(lanes * sizeof *p->partials.finite);
  if (!p->partials.reals || !p->partials.finite) {
    return fanin__fail(FANIN_STATUS_OUT_OF_MEMORY, "%zu partial sums", lanes);
  }
  FANIN__TRY(fanin__kernel(p->f, &fanin__source_measure, dense->options, "measure", &p->kernel));
  cl_int code = CL_SUCCESS;
  p->reals = clCreateBuffer(p->f->context, CL_MEM_WRITE_ONLY, reals, NULL, &code);
  if (code == CL_SUCCESS) {
    p->finite = clCreateBuffer(p->f->context, CL_MEM_WRITE_ONLY, lanes * sizeof(cl_ulong), NULL, &code);
  }
  return code == CL_SUCCESS ? FANIN_STATUS_OK : fanin__fail_cl(code, "clCreateBuffer for partial sums");
}

static cl_int set_arguments(const pass *p, const fanin_tensor *t, uint64_t elements, double scale) {
  const cl_ulong offset = t->offset / fanin_dtype_size(t->dtype), count = elements;
  const float scale_f32 = (float)scale;
  const struct {
    size_t size;
    const void *value;
  } arguments[] = {{sizeof t->buffer, &t->buffer},
                   {sizeof offset, &offset},
                   {sizeof count, &count},
                   {sizeof p->geometry.pitch, &p->geometry.pitch},
                   {sizeof p->geometry.step, &p->geometry.step},
                   {sizeof p->geometry.span, &p->geometry.span},
                   {real_size(&p->partials), p->partials.f64 ? (const void *)&scale : &scale_f32},
                   {sizeof p->reals, &p->reals},
                   {sizeof p->finite, &p->finite}};
  cl_int code = CL_SUCCESS;
  for (cl_uint k = 0; k < sizeof arguments / sizeof *arguments && code == CL_SUCCESS; k++) {
    code = clSetKernelArg(p->kernel, k, arguments[k].size, arguments[k].value);
  }
  return code;
}

/* Runs the kernel and reads its results; `wait_list` as for an enqueue. */
static fanin_status run(pass *p, const fanin_tensor *t, uint64_t elements, double scale, cl_uint n_wait,
                        const cl_event *wait_list, fanin_stats *stats) {
  cl_int code = set_arguments(p, t, elements, scale);
  if (code != CL_SUCCESS) return fanin__fail_cl(code, "clSetKernelArg of measure");
  cl_event done = NULL;
  code = clEnqueueNDRangeKernel(p->queue, p->kernel, 1, NULL, &p->geometry.items, &p->geometry.local, n_wait, wait_list,
                                &done);
  if (code != CL_SUCCESS) return fanin__fail_cl(code, "clEnqueueNDRangeKernel of measure");
  const size_t lanes = p->partials.lanes;
  code = clEnqueueReadBuffer(p->queue, p->reals, CL_TRUE, 0, PLANES * lanes * real_size(&p->partials),
                             p->partials.reals, 1, &done, NULL);
  if (code == CL_SUCCESS) {
    code = clEnqueueReadBuffer(p->queue, p->finite, CL_TRUE, 0, lanes * sizeof(cl_ulong), p->partials.finite, 1, &done,
                               NULL);
  }
  (void)clReleaseEvent(done);
  if (code != CL_SUCCESS) return fanin__fail_cl(code, "clEnqueueReadBuffer of partial sums");
  combine(&p->partials, scale, stats);
  return FANIN_STATUS_OK;
}

static fanin_status measure(pass *p, const fanin_tensor *t, const fanin__dense *dense, cl_uint n_wait,
                            const cl_event *wait_list, fanin_stats *out) {
  const uint64_t elements = dense->elements;
  fanin_stats stats = {.count = elements};
  FANIN__TRY(prepare(p, dense));
  FANIN__TRY(run(p, t, elements, 1, n_wait, wait_list, &stats));
  const double scale = scale_for(&stats, p->partials.f64);
  if (scale != 1) FANIN__TRY(run(p, t, elements, scale, 0, NULL, &stats));
  *out = stats;
  return FANIN_STATUS_OK;
}

fanin_status fanin_measure(fanin *f, cl_command_queue queue, const fanin_tensor *t, cl_uint n_wait,
                           const cl_event *wait_list, fanin_stats *out, size_t size) {
  fanin__dense dense;
  fanin__when when;
  fanin_stats stats = {0};
  FANIN__NEED(f);
  FANIN__NEED(t);
  FANIN__NEED(out);
  FANIN__NEED_SIZE(size);
  FANIN__TRY(fanin__dense_of(f, t, &dense));
  FANIN__TRY(fanin__when_of(f, queue, n_wait, wait_list, NULL, &when));
  fanin_status status = FANIN_STATUS_OK;
  if (dense.elements == 0) {
    status = fanin__wait(n_wait, wait_list);
  } else {
    pass p = {.f = f, .queue = when.queue};
    status = measure(&p, t, &dense, n_wait, wait_list, &stats);
    release(&p);
  }
  if (status == FANIN_STATUS_OK) fanin__give(out, size, &stats, sizeof stats);
  return status;
}
