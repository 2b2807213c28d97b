/* fanin_probe: does a network keep its variance? Two passes over the layers, forward and backward, each layer beside
 * what theory expects of it. */
#include "probe/probe.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/argument.h"
#include "core/queue.h"
#include "core/system.h"

/* ---- Memory ------------------------------------------------------------------------------------------------------ */

enum { TRACE_ARRAYS = 17, SHARED_ARRAYS = 7 };

/* A number a sample each. */
static void point_arrays(fanin__probe *p) {
  const size_t m = (size_t)p->mlp.subset;
  double *next = p->numbers;
  for (size_t l = 0; l <= p->layers; l++) {
    fanin__trace *const t = &p->trace[l];
    double **const arrays[TRACE_ARRAYS] = {&t->sums.zz,          &t->sums.z,       &t->sums.h,   &t->sums.hh,
                                           &t->sums.hhhh,        &t->expected,     &t->measured, &t->meanfield,
                                           &t->h_meanfield,      &t->dd,           &t->dddd,     &t->dz,
                                           &t->g_meanfield,      &t->dh_meanfield, &t->sums.sum, &t->sum_meanfield,
                                           &t->carried_meanfield};
    for (size_t k = 0; k < TRACE_ARRAYS; k++, next += p->batch) {
      *arrays[k] = next;
    }
  }
  float *const pairs = p->pairs.root + (2 * FANIN__PAIR_POWERS + 1) * m; /* behind two sets of coefficients */
  p->pairs = (fanin__pairs){p->pairs.root, p->pairs.root + m, pairs, pairs + m, pairs + 2 * m, pairs + 3 * m};
  fanin__gradient_sums *const g = &p->gradients;
  double **const shared[SHARED_ARRAYS] = {&g->slope2, &g->slope4,  &g->h_slope, &g->skip_slope,
                                          &g->dy,     &p->scratch, &p->travel};
  for (size_t k = 0; k < SHARED_ARRAYS; k++, next += p->batch) {
    *shared[k] = next;
  }
}

static fanin_status allocate(fanin__probe *p) {
  const size_t arrays = TRACE_ARRAYS * (p->layers + 1) + SHARED_ARRAYS;
  p->trace = calloc(p->layers + 1, sizeof *p->trace);
  p->numbers = calloc((size_t)p->batch, arrays * sizeof *p->numbers);
  p->pairs.root = calloc((2 * FANIN__PAIR_POWERS + 5) * (size_t)FANIN__SUBSET_MAX, sizeof *p->pairs.root);
  if (!p->trace || !p->numbers || !p->pairs.root) {
    return fanin__fail(FANIN_STATUS_OUT_OF_MEMORY, "numbers of %" PRIu64 " samples in %zu layers", p->batch, p->layers);
  }
  point_arrays(p);
  return FANIN_STATUS_OK;
}

/* ---- The whole --------------------------------------------------------------------------------------------------- */

void fanin__tell_layer(const fanin__probe *p, const char *pass, size_t l) {
  char what[96];
  if (!p->config->progress) return;
  snprintf(what, sizeof what, "%s, layer %zu of %zu", pass, l, p->layers);
  p->config->progress(p->config->user, what);
}

/* The caller's weights, before anything is computed with them. */
static fanin_status check_finite(const fanin__probe *p) {
  const fanin_tensor *const weights = p->config->weights;
  for (size_t l = 1; weights && l <= p->layers; l++) {
    fanin_stats stats = {0};
    if (!weights[l - 1].buffer) continue;
    FANIN__TRY(fanin_measure(p->mlp.f, p->mlp.queue, &weights[l - 1], 0, NULL, &stats, sizeof stats));
    if (stats.nonfinite == 0) continue;
    return fanin__fail(FANIN_STATUS_NOT_FINITE, "weights[%zu]: %" PRIu64 " of %" PRIu64 " numbers are infinite or NaN",
                       l - 1, stats.nonfinite, stats.count);
  }
  return FANIN_STATUS_OK;
}

static fanin_status run(fanin__probe *p) {
  const fanin_probe_config *const config = p->config;
  FANIN__TRY(check_finite(p));
  if (config->progress) {
    config->progress(config->user, "compiling kernels, which takes seconds unless the driver keeps them");
  }
  FANIN__TRY(fanin__mlp_input(&p->mlp, &p->trace[0].sums));
  FANIN__TRY(fanin__correlate(p, 0));
  fanin__theory_input(p);
  p->v = fanin__mean_of(p->trace[0].h_meanfield, p->batch);
  for (size_t l = 1; l <= p->layers && p->report->summary.overflow_layer == 0; l++) {
    FANIN__TRY(fanin__run_forward(p, l));
  }
  if (p->report->summary.overflow_layer == 0) {
    FANIN__TRY(fanin__run_output(p));
    for (size_t l = p->layers - 1; l > 0; l--) {
      FANIN__TRY(fanin__run_backward(p, l));
    }
  }
  return fanin__diagnose(p);
}

static void release(fanin__probe *p) {
  free(p->pairs.root);
  free(p->numbers);
  free(p->trace);
  fanin__mlp_close(&p->mlp);
}

fanin_status fanin_probe(fanin *f, cl_command_queue queue, const fanin_probe_config *theirs, fanin_probe_report **out) {
  const double start = fanin__seconds();
  cl_command_queue resolved = NULL;
  fanin_probe_config known;
  const fanin_probe_config *const config = &known;
  fanin__probe p = {.config = config};
  FANIN__NEED(f);
  FANIN__TRY(fanin__take_config("config", "FANIN_PROBE_CONFIG_INIT", theirs, &known, sizeof known));
  FANIN__NEED(out);
  FANIN__TRY(fanin__probe_check(f, config));
  FANIN__TRY(fanin__resolve_queue(f, queue, &resolved));
  p.layers = config->n_widths - 1;
  p.batch = config->batch;
  fanin_status status = fanin__report_create(config, &p.report);
  if (status == FANIN_STATUS_OK) status = fanin__mlp_open(&p.mlp, f, resolved, config, true);
  if (status == FANIN_STATUS_OK) status = allocate(&p);
  if (status == FANIN_STATUS_OK) status = run(&p);
  (void)clFinish(resolved); /* nothing may still use the buffers, or report to a released event */
  if (status == FANIN_STATUS_OK) {
    fanin_probe_summary *const summary = &p.report->summary;
    summary->gemm_seconds = p.mlp.gemm_seconds;
    summary->startup_seconds = p.mlp.startup_seconds;
    summary->other_seconds = fanin__seconds() - start - p.mlp.gemm_seconds - p.mlp.startup_seconds;
    summary->device_bytes = p.mlp.bytes;
    *out = p.report;
  } else {
    fanin_probe_report_release(p.report);
  }
  release(&p);
  return status;
}
