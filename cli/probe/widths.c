/* 'fanin probe --widths': the networks of all widths, and what their moments say together. */
#include "probe/widths.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "formats/expression.h"
#include "formats/tensor_text.h"

/* ---- The networks ------------------------------------------------------------------------------------------------ */

/* "w" of --mlp is the width. */
static int find_width(const void *state, const char *name, const int64_t *index, double *out, failure *why) {
  if (strcmp(name, "w") != 0) return fail(why, STATUS_INPUT, "--mlp: '%s': the only name in it is w, the width", name);
  *out = (double)*(const uint64_t *)state;
  return tensor_no_index(name, index, "--mlp", why);
}

int probe_request_at(const probe_request *r, size_t k, probe_request *out, failure *why) {
  char *text = NULL;
  const size_t room = strlen(r->network) + (size_t)PROBE_MAX_WIDTHS * TEXT_NUMBER;
  *out = *r;
  out->config.widths = out->widths;
  out->config.seed += k;
  out->n_sizes = 0;
  text = allocate(room, 1);
  int status =
      expression_expand(r->network, &(expression_names){find_width, &r->sizes[k], true}, "--mlp", text, room, why);
  if (status == STATUS_OK) {
    status = probe_read_network("--mlp", text, out->widths, &out->config.n_widths, why);
  }
  free(text);
  return status;
}

/* Whether two widths make networks of one depth that differ. */
static int compare(const probe_request *r, const probe_request *a, const probe_request *b, size_t k, failure *why) {
  const size_t n = a->config.n_widths;
  if (r->sizes[k] <= r->sizes[k - 1]) {
    return args_fail(why, "--widths: %" PRIu64 " comes after %" PRIu64 "; give each once, from the smallest on",
                     r->sizes[k], r->sizes[k - 1]);
  }
  if (memcmp(a->widths, b->widths, n * sizeof *a->widths) == 0) {
    return args_fail(why, "--widths: %" PRIu64 " and %" PRIu64 " make the same network of --mlp '%s'", r->sizes[k - 1],
                     r->sizes[k], r->network);
  }
  if (r->input && a->widths[0] != b->widths[0]) {
    return args_fail(why, "--input %s has the same columns at every width, but --mlp '%s' begins with w", r->input,
                     r->network);
  }
  return STATUS_OK;
}

int probe_take_sizes(probe_request *r, failure *why) {
  const bool braces = r->network && strpbrk(r->network, "{}");
  if (r->n_sizes == 0 && !braces) return STATUS_OK;
  if (r->n_sizes == 0) {
    return args_fail(why,
                     "--mlp '%s': nothing stands for what is in braces; give --widths, as in --widths 128,512,2048",
                     r->network);
  }
  if (!braces) return args_fail(why, "--widths needs a network with {w}, as in --mlp 64,{w},{w},10");
  if (r->n_sizes < 2)
    return args_fail(why, "--widths %" PRIu64 ": give at least two widths, or probe one without it", r->sizes[0]);
  probe_request at[2];
  int status = probe_request_at(r, 0, &at[0], why);
  memcpy(r->widths, at[0].widths, sizeof r->widths);
  r->config.n_widths = at[0].config.n_widths;
  for (size_t k = 1; k < r->n_sizes && status == STATUS_OK; ++k) {
    status = probe_request_at(r, k, &at[k % 2], why);
    if (status == STATUS_OK) status = compare(r, &at[(k - 1) % 2], &at[k % 2], k, why);
  }
  return status;
}

/* ---- What they say together -------------------------------------------------------------------------------------- */

/* What ln x is compared with, where x has this mean over seeds: a normal ln x with a standard deviation sd has a mean
 * that is below the logarithm of x's by sd^2 / 2. */
static double typical(double mean, double sd) {
  return mean * exp(-sd * sd / 2);
}

/* q, beside the recursion from the input on. */
static void take_q(slope_data *d, const probe_result *one, size_t l, size_t k) {
  const fanin_probe_layer *y = &one->layers[l];
  d->measured[k] = y->q_measured;
  d->meanfield[k] = y->q_meanfield;
  d->expected[k] = typical(y->q_meanfield, y->q_sd);
  d->sd[k] = y->q_sd;
}

/* G, beside what the steps from the output back make of it given the forward pass, which is what g_sd is about: the
 * measured one without the steps' own deviations. Where residual connections add gradients up, steps do not multiply.
 */
static void take_g(slope_data *d, const probe_request *r, const probe_result *one, size_t l, size_t k) {
  const fanin_probe_layer *y = &one->layers[l];
  double strayed = r->config.residual || r->config.block != FANIN_BLOCK_NONE ? NAN : 0;
  for (size_t after = l; after < one->summary.n_layers; ++after) {
    const fanin_probe_layer *step = &one->layers[after];
    strayed += isnan(step->g_z) ? NAN : log(step->g_measured / step->g_predicted);
  }
  d->measured[k] = y->g_measured;
  d->meanfield[k] = y->g_meanfield;
  d->expected[k] = typical(y->g_measured * exp(-strayed), y->g_sd);
  d->sd[k] = y->g_sd;
}

static void fit_layer(probe_scaling *c, const probe_request *r, size_t l) {
  slope_data q = {.n = r->n_sizes}, g = {.n = r->n_sizes};
  for (size_t k = 0; k < r->n_sizes; ++k) {
    q.width[k] = g.width[k] = r->sizes[k];
    take_q(&q, c->results[k], l, k);
    take_g(&g, r, c->results[k], l, k);
  }
  c->q[l].fit = slope_fit(&q);
  c->g[l].fit = slope_fit(&g);
  c->n_tests += (size_t)!isnan(c->q[l].fit.z) + (size_t)!isnan(c->g[l].fit.z);
}

bool widths_output_is(const probe_scaling *c, double exponent) {
  const moment_scaling *m = &c->q[c->layers - 1];
  if (m->is != SCALING_KEEPS && m->is != SCALING_SHRINKS && m->is != SCALING_GROWS) return false;
  return fabs(m->fit.measured - exponent) <= slope_margin(&m->fit, c->bound);
}

static void judge_conformity(probe_scaling *c, const probe_request *r) {
  for (size_t l = 0; l < c->layers; ++l)
    c->n_wrong += (size_t)(fabs(c->q[l].fit.z) > c->bound) + (size_t)(fabs(c->g[l].fit.z) > c->bound);
  for (size_t k = 0; k < r->n_sizes; ++k) {
    const fanin_probe_summary *one = &c->results[k]->summary;
    c->n_networks_unjudged += !one->judged;
    c->n_networks_wrong += one->judged && !one->conforms;
  }
  c->judged = c->n_networks_unjudged == 0;
  c->conforms = c->judged && c->n_networks_wrong == 0 && c->n_wrong == 0;
}

static void judge_scaling(probe_scaling *c) {
  bool kept = true, told = true;
  for (size_t l = 0; l < c->layers; ++l) {
    const scaling is = c->q[l].is = slope_scaling(&c->q[l].fit, c->bound);
    const bool output = l + 1 == c->layers;
    c->g[l].is = slope_scaling(&c->g[l].fit, c->bound);
    if (is == SCALING_UNTOLD || is == SCALING_UNKNOWN)
      told = false;
    else if (is != SCALING_KEEPS && !(output && (is == SCALING_SHRINKS || is == SCALING_ZERO)))
      c->unstable = true;
    kept = kept && (output || is == SCALING_KEEPS);
  }
  c->stable = told && !c->unstable;
  c->mup = kept && widths_output_is(c, -1);
}

static int verdict_status(const probe_request *r, const probe_scaling *c) {
  const bool met[] = {[REQUIRE_BOTH] = c->conforms && c->stable,
                      [REQUIRE_CONFORMS] = c->conforms,
                      [REQUIRE_HEALTHY] = false,
                      [REQUIRE_STABLE] = c->stable,
                      [REQUIRE_MUP] = c->mup,
                      [REQUIRE_NONE] = true};
  return met[r->require] ? STATUS_OK : STATUS_CHECK;
}

static int run_all(const probe_request *r, const session *s, probe_scaling *c, failure *why) {
  int status = STATUS_OK;
  for (size_t k = 0; k < r->n_sizes && status == STATUS_OK; ++k) {
    probe_request at;
    char label[2 * TEXT_NUMBER];
    snprintf(label, sizeof label, "width %" PRIu64, r->sizes[k]);
    status = probe_request_at(r, k, &at, why);
    if (status == STATUS_OK) status = probe_run(&at, s, 0, label, &c->results[k], why);
  }
  return status;
}

int probe_widths(const probe_request *r, const session *s, failure *why) {
  probe_scaling c = {.layers = r->config.n_widths - 1};
  c.q = allocate(c.layers, sizeof *c.q);
  c.g = allocate(c.layers, sizeof *c.g);
  int status = run_all(r, s, &c, why);
  if (status == STATUS_OK) {
    for (size_t l = 0; l < c.layers; ++l)
      fit_layer(&c, r, l);
    c.bound = fanin_z_bound(c.n_tests > 0 ? c.n_tests : 1);
    judge_conformity(&c, r);
    judge_scaling(&c);
    if (r->json)
      status = widths_print_json(r, s, &c, why);
    else
      widths_print(r, s, &c);
  }
  if (status == STATUS_OK) status = verdict_status(r, &c);
  for (size_t k = 0; k < r->n_sizes; ++k)
    probe_result_free(c.results[k]);
  free(c.g);
  free(c.q);
  return status;
}
