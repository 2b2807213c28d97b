/* A probe's backward pass, from the output to the first layer: what is measured there, beside what is expected of it.
 */
#include <float.h>
#include <math.h>

#include "core/status.h"
#include "probe/probe.h"

/* E62 */
static void report_backward(fanin__probe *p, size_t l) {
  const fanin__trace *const t = &p->trace[l], *const before = &p->trace[l - 1];
  fanin_probe_layer *const out = &p->report->layers[l - 1];
  const double n = (double)p->mlp.stages[l].rows, n_in = (double)p->config->widths[l - 1];
  /* E62. Behind a batch norm, a feature's gradients add up to 0 over the batch: what samples share does not count. */
  const double apart = p->mlp.stages[l].norm == FANIN_NORM_BATCH ? 1 - before->correlation : 1;
  double sum = 0;
  for (uint64_t a = 0; a < p->batch; a++) {
    sum += t->dd[a] / n * (before->sums.hh[a] / n_in) * apart;
  }
  out->g_measured = fanin__mean_of(t->dd, p->batch) / n;
  out->g_meanfield = fanin__mean_of(t->g_meanfield, p->batch);
  out->weight_gradient_predicted = sum / (double)p->batch;
  out->f16_gradient_overflow = p->gradients.f16_overflow / (n * (double)p->batch);
  out->f16_gradient_underflow = p->gradients.f16_underflow / (n * (double)p->batch);
}

static double rms_of(const double *sums, uint64_t batch, uint64_t width) {
  return sqrt(fanin__mean_of(sums, batch) / (double)width);
}

/* The gradient of layer l's weights, which takes their place, and what the step to layer l - 1 needs. */
static fanin_status finish_backward(fanin__probe *p, size_t l) {
  const fanin__trace *const t = &p->trace[l], *const before = &p->trace[l - 1];
  fanin_probe_layer *const out = &p->report->layers[l - 1];
  const double rms = rms_of(t->dd, p->batch, p->mlp.stages[l].rows);
  const double h_rms = rms_of(before->sums.hh, p->batch, p->config->widths[l - 1]);
  report_backward(p, l);
  FANIN__TRY(fanin__mlp_weight_gradient(&p->mlp, l, rms, h_rms, &out->weight_gradient_measured));
  if (l == 1) return FANIN_STATUS_OK;
  return fanin__mlp_keep_deltas(&p->mlp, l, fanin__needs_squares(t));
}

static void keep_sums_in(fanin__probe *p, size_t l) {
  p->gradients.dd = p->trace[l].dd;
  p->gradients.dddd = p->trace[l].dddd;
  p->gradients.dz = p->trace[l].dz;
}

/* The output's gradient is N(0,1): E44. */
fanin_status fanin__run_output(fanin__probe *p) {
  const size_t l = p->layers;
  fanin_probe_layer *const out = &p->report->layers[l - 1];
  const double n = (double)(p->batch * p->config->widths[l]);
  const fanin__cumulants law = fanin__of_squares(0, 2 / n, 0, 0);
  fanin__tell_layer(p, "backward", l);
  keep_sums_in(p, l);
  FANIN__TRY(
      fanin__mlp_output_gradient(&p->mlp, rms_of(p->trace[l].sums.zz, p->batch, p->config->widths[l]), &p->gradients));
  fanin__theory_output(p);
  fanin__spread_output(p);
  out->g_predicted = 1;
  FANIN__TRY(finish_backward(p, l));
  out->g_z = fanin__deviate(out->g_measured, out->g_predicted, &law);
  p->trace[p->layers].back = law.variance;
  return FANIN_STATUS_OK;
}

/* What part of |delta_l|^2 at the end of a block comes from the gradient of the block behind it. */
static double passed_on(const fanin__probe *p, size_t l) {
  const double whole = fanin__mean_of(p->trace[l].dd, p->batch);
  return p->mlp.stages[l].divided && whole > 0 ? fanin__mean_of(p->gradients.skip_slope, p->batch) / whole : 0;
}

/* How |delta_l|^2 answers to q_l: t_l of E42, and of E78 at the end of a block, where q_l is a part of what is divided
 * by, and with pre-norm some of delta_l comes past that. */
static double response_of(const fanin__probe *p, size_t l) {
  const fanin__stage *const s = &p->mlp.stages[l];
  const fanin__trace *const t = &p->trace[l], *const after = &p->trace[l + 1];
  if (!s->divided) return t->slope_sensitivity + t->sensitivity * after->response;
  const double divided = s->carried == s->h ? 1 : 1 - t->passed, sum = fanin__mean_of(t->sums.sum, p->batch);
  return sum > 0 ? -divided * fanin__mean_of(t->sums.zz, p->batch) / sum : 0;
}

/* About the mean square of phi' of layer l, or of what takes its place. */
static double slopes_of(const fanin__probe *p, size_t l) {
  const fanin__stage *const s = &p->mlp.stages[l];
  const fanin__trace *const t = &p->trace[l];
  if (s->divided) return (double)s->width / fmax(fanin__mean_of(t->sums.sum, p->batch), DBL_MIN);
  return fanin__unit_square(p, l, FANIN__SLOPE, s->norm == FANIN_NORM_NONE ? fanin__mean_of(t->measured, p->batch) : 1);
}

fanin_status fanin__run_backward(fanin__probe *p, size_t l) {
  fanin__trace *const t = &p->trace[l];
  const fanin__trace *const after = &p->trace[l + 1];
  fanin_probe_layer *const out = &p->report->layers[l - 1];
  const uint64_t width = p->config->widths[l];
  const bool lawful = t->lawful && after->lawful;
  fanin__cumulants law = {0, 0, 0};
  fanin__tell_layer(p, "backward", l);
  FANIN__TRY(fanin__theory_backward(p, l));
  FANIN__TRY(fanin__mlp_load(&p->mlp, l + 1));
  keep_sums_in(p, l);
  const double second = after->variance + after->weights.mean * after->weights.mean;
  const double rms = sqrt(second * fanin__mean_of(after->dd, p->batch) * slopes_of(p, l));
  FANIN__TRY(fanin__mlp_backward(&p->mlp, l, rms, rms_of(t->sums.hh, p->batch, width),
                                 rms_of(t->sums.zz, p->batch, p->mlp.stages[l].rows), &p->gradients));
  if (lawful) FANIN__TRY(fanin__gradient_law(p, l, &out->g_predicted, &law, &t->back));
  t->passed = passed_on(p, l);
  t->response = response_of(p, l);
  fanin__spread_backward(p, l);
  FANIN__TRY(finish_backward(p, l));
  const bool coupled = p->mlp.stages[l + 1].norm == FANIN_NORM_BATCH; /* no law: see E33 */
  if (lawful && !coupled) out->g_z = fanin__deviate(out->g_measured, out->g_predicted, &law);
  return FANIN_STATUS_OK;
}
