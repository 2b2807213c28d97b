/* The report of a probe: made, filled by the other files, and read by the caller. */
#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "core/argument.h"
#include "probe/probe.h"

/* A layer of which nothing is known yet but its widths: every double is NaN, which are those from weight_mean on. */
static fanin_probe_layer unknown_layer(uint64_t fan_in, uint64_t fan_out) {
  const double unknown = NAN;
  fanin_probe_layer layer = {
      .fan_in = fan_in, .fan_out = fan_out, .stream_measured = unknown, .stream_meanfield = unknown};
  for (size_t at = offsetof(fanin_probe_layer, weight_mean); at < offsetof(fanin_probe_layer, tied_rows);) {
    memcpy((char *)&layer + at, &unknown, sizeof unknown);
    at += sizeof unknown;
  }
  return layer;
}

fanin_status fanin__report_create(const fanin_probe_config *config, fanin_probe_report **out) {
  const size_t n = config->n_widths - 1;
  fanin_probe_report *const report = calloc(1, sizeof *report);
  *out = report;
  if (report) report->layers = calloc(n, sizeof *report->layers);
  if (!report || !report->layers) return fanin__fail(FANIN_STATUS_OUT_OF_MEMORY, "a report of %zu layers", n);
  report->summary.n_layers = n;
  for (size_t l = 0; l < n; l++) {
    report->layers[l] = unknown_layer(config->widths[l], fanin__rows_of(config, l + 1));
  }
  return FANIN_STATUS_OK;
}

void fanin_probe_report_release(fanin_probe_report *report) {
  if (!report) return;
  free(report->findings);
  free(report->layers);
  free(report);
}

/* ---- Reading a report -------------------------------------------------------------------------------------------- */

fanin_status fanin_probe_report_summary(const fanin_probe_report *report, fanin_probe_summary *out, size_t size) {
  FANIN__NEED(report);
  return fanin__give(out, size, &report->summary, sizeof report->summary);
}

static fanin_status check_index(const char *what, size_t i, size_t n) {
  if (i < n) return FANIN_STATUS_OK;
  return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "i = %zu; the number of %s is %zu, and they are counted from 0", i,
                     what, n);
}

fanin_status fanin_probe_report_layer(const fanin_probe_report *report, size_t i, fanin_probe_layer *out, size_t size) {
  FANIN__NEED(report);
  FANIN__TRY(check_index("layers", i, report->summary.n_layers));
  return fanin__give(out, size, &report->layers[i], sizeof report->layers[i]);
}

fanin_status fanin_probe_report_finding(const fanin_probe_report *report, size_t i, fanin_finding *out, size_t size) {
  FANIN__NEED(report);
  FANIN__TRY(check_index("findings", i, report->summary.n_findings));
  return fanin__give(out, size, &report->findings[i], sizeof report->findings[i]);
}
