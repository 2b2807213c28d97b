/* fanin probe: an MLP forward and backward on a device, layer by layer beside theory. This file runs it; the other
 * files of this folder are its parts. */
#include <stdlib.h>
#include <string.h>

#include "base/commands.h"
#include "base/output.h"
#include "base/terminal.h"
#include "probe/report.h"

void probe_progress(void *user, const char *what) {
  const char *init = user;
  progress_show("%s%s%s", init ? init : "", init ? ": " : "", what);
}

void probe_result_free(probe_result *result) {
  if (!result) return;
  free(result->findings);
  free(result->layers);
  free(result);
}

/* Free *out with probe_result_free() also after a failure. */
static fanin_status read_report(const fanin_probe_report *report, probe_result **out) {
  probe_result *result = *out = allocate(1, sizeof *result);
  fanin_probe_summary *summary = &result->summary;
  fanin_status status = fanin_probe_report_summary(report, summary, sizeof *summary);
  result->layers = allocate(summary->n_layers, sizeof *result->layers);
  result->findings = allocate(summary->n_findings, sizeof *result->findings);
  for (size_t i = 0; status == FANIN_STATUS_OK && i < summary->n_layers; ++i)
    status = fanin_probe_report_layer(report, i, &result->layers[i], sizeof *result->layers);
  for (size_t i = 0; status == FANIN_STATUS_OK && i < summary->n_findings; ++i)
    status = fanin_probe_report_finding(report, i, &result->findings[i], sizeof *result->findings);
  return status;
}

int probe_run(const probe_request *r, const session *s, size_t i, const char *label, probe_result **out, failure *why) {
  fanin_probe_config config = r->config;
  fanin_probe_report *report = NULL;
  fanin_init *inits = allocate(config.n_widths, sizeof *inits);
  int status = STATUS_OK;
  for (size_t l = 0; !config.inits && l + 1 < config.n_widths && status == STATUS_OK; ++l)
    status = probe_init_of(r, i, l, &inits[l], why);
  if (!config.inits) config.inits = inits;
  config.progress = probe_progress;
  config.user = (void *)label;
  if (status == STATUS_OK) {
    fanin_status probed = fanin_probe(s->f, s->queue, &config, &report);
    if (probed == FANIN_STATUS_OK) probed = read_report(report, out);
    fanin_probe_report_release(report);
    progress_clear();
    status = library_status(why, probed, label);
  }
  free(inits);
  return status;
}

/* Probes each initializer; reports[i] is that of the i-th one. */
static int run(const probe_request *r, const session *s, probe_result **reports, failure *why) {
  int status = STATUS_OK;
  for (size_t i = 0; i < r->n_inits && status == STATUS_OK; ++i)
    status = probe_run(r, s, i, r->n_inits > 1 ? r->init_texts[i] : NULL, &reports[i], why);
  return status;
}

/* ---- What came of it --------------------------------------------------------------------------------------------- */

static int show(const probe_request *r, const session *s, probe_result *const *reports, failure *why) {
  int status = STATUS_OK;
  if (r->plot) status = probe_plot(r, reports, why);
  if (status == STATUS_OK && r->csv) status = probe_write_csv(r, reports, why);
  if (status != STATUS_OK) return status;
  if (r->json) return probe_print_json(r, s, reports, why);
  if (r->csv && strcmp(r->csv, "-") == 0) return STATUS_OK;
  probe_print_heading(r, s);
  if (r->n_inits > 1) {
    probe_print_comparison(r, reports);
  } else {
    probe_print_report(r, reports[0]);
    probe_print_verdicts(reports[0]);
    probe_print_findings(reports[0], "");
  }
  return STATUS_OK;
}

static int judge(const probe_request *r, probe_result *const *reports) {
  const bool want_conforms = r->require == REQUIRE_BOTH || r->require == REQUIRE_CONFORMS;
  const bool want_healthy = r->require == REQUIRE_BOTH || r->require == REQUIRE_HEALTHY;
  for (size_t i = 0; i < r->n_inits && reports[i]; ++i) {
    if ((want_conforms && !reports[i]->summary.conforms) || (want_healthy && !reports[i]->summary.healthy))
      return STATUS_CHECK;
  }
  return STATUS_OK;
}

static int probe(probe_request *r, const session *s, failure *why) {
  probe_result *reports[PROBE_MAX_INITS] = {NULL};
  int status = run(r, s, reports, why);
  if (status == STATUS_OK) status = show(r, s, reports, why);
  if (status == STATUS_OK) status = judge(r, reports);
  for (size_t i = 0; i < r->n_inits; ++i)
    probe_result_free(reports[i]);
  return status;
}

/* Checks the places where results are to go, before they are computed. */
static int check_outputs(const probe_request *r, failure *why) {
  int status = r->output ? output_check(r->output, why) : STATUS_OK;
  if (status == STATUS_OK && r->csv && strcmp(r->csv, "-") != 0) status = output_check(r->csv, why);
  if (status == STATUS_OK && r->plot) status = output_check(r->plot, why);
  return status;
}

/* Schemes and expressions see the fans of each layer: what they refuse is found before a device is opened. */
static int check_inits(const probe_request *r, failure *why) {
  int status = probe_check_inits(r, why);
  for (size_t k = 1; k < r->n_sizes && status == STATUS_OK; ++k) {
    probe_request wider;
    status = probe_request_at(r, k, &wider, why);
    if (status == STATUS_OK) status = probe_check_inits(&wider, why);
  }
  return status;
}

/* What was asked for, on an open device. */
static int run_request(probe_request *r, const session *s, const probe_weights *w, failure *why) {
  if (r->calibrate) return probe_calibrate(r, s, w, why);
  return r->n_sizes > 0 ? probe_widths(r, s, why) : probe(r, s, why);
}

/* From the files and the device to the report. */
static int run_on_device(probe_request *r, failure *why) {
  session s = {0};
  probe_weights weights = {0};
  input samples = {0};
  int status = check_outputs(r, why);
  if (status == STATUS_OK && r->weights) status = probe_weights_describe(r, &weights, why);
  if (status == STATUS_OK) status = check_inits(r, why);
  if (status == STATUS_OK && r->calibrate) status = probe_calibrate_space(r, &weights, why);
  if (status == STATUS_OK && r->input) {
    status = input_load(r->input, r->widths[0], r->config.batch, r->keep_label, &samples, why);
    r->config.input = samples.values;
    r->config.batch = samples.batch;
    r->input_correlation = samples.correlation;
    r->columns_left = samples.columns_left;
  }
  if (status == STATUS_OK) status = session_open(r->device, &s, why);
  if (status == STATUS_OK && r->weights) status = probe_weights_read(r, &s, &weights, why);
  if (status == STATUS_OK && r->calibrate && !r->weights) status = probe_weights_draw(r, &s, &weights, why);
  if (status == STATUS_OK) status = run_request(r, &s, &weights, why);
  probe_weights_free(&weights);
  session_close(&s);
  free(samples.values);
  return status;
}

int cmd_probe(int argc, char **argv, failure *why) {
  probe_request r;
  int status = probe_options(argc, argv, &r, why);
  if (status == STATUS_OK) status = r.suggest ? probe_suggest(&r, why) : run_on_device(&r, why);
  like_free(&r.like);
  free(r.layer_inits.texts);
  return status;
}
