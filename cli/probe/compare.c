/* Several initializers of one network beside each other. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/table.h"
#include "base/text.h"
#include "probe/report.h"

enum { NAMES = 512 };

/* Each diagnosis once, with commas. */
static char *diagnoses(const probe_result *report, char out[NAMES]) {
  snprintf(out, NAMES, "%s", report->summary.n_findings > 0 ? "" : "-");
  for (size_t i = 0; i < report->summary.n_findings; ++i) {
    const fanin_diagnosis d = report->findings[i].diagnosis;
    if (i > 0 && d == report->findings[i - 1].diagnosis) continue;
    const size_t used = strlen(out);
    snprintf(out + used, NAMES - used, "%s%s", used > 0 ? ", " : "", fanin_diagnosis_name(d));
  }
  return out;
}

/* The factor a layer that leads from the first to the last of `steps` steps. */
static double growth(double from, double to, size_t steps) {
  return steps > 0 && from > 0 && to > 0 ? pow(to / from, 1 / (double)steps) : NAN;
}

static void real_cell(table *t, double value) {
  if (isnan(value))
    table_cell(t, "-");
  else
    table_cell(t, "%.4g", value);
}

static void add_row(table *t, const char *init, const probe_result *report) {
  char names[NAMES];
  const size_t n = probe_layers(report);
  const fanin_probe_layer none = {.q_measured = NAN, .g_measured = NAN, .spread_measured = NAN};
  const fanin_probe_layer *first = n > 0 ? &report->layers[0] : &none, *last = n > 0 ? &report->layers[n - 1] : &none;
  const size_t steps = n > 0 ? n - 1 : 0;
  table_cell(t, "%s", init);
  table_cell(t, "%s", report->summary.conforms ? "yes" : "NO");
  table_cell(t, "%s", report->summary.healthy ? "yes" : "NO");
  real_cell(t, first->q_measured);
  real_cell(t, last->q_measured);
  real_cell(t, growth(first->q_measured, last->q_measured, steps));
  real_cell(t, first->g_measured);
  real_cell(t, last->g_measured);
  real_cell(t, growth(last->g_measured, first->g_measured, steps));
  real_cell(t, first->spread_measured);
  table_cell(t, "%s", diagnoses(report, names));
}

void probe_print_comparison(const probe_request *r, probe_result *const *reports) {
  static const column columns[] = {{"initializer", 1, 0}, {"conforms", 1, 0}, {"healthy", 1, 0},  {"first", 0, 2},
                                   {"last", 0, 2},        {"a layer", 0, 0},  {"first", 0, 2},    {"last", 0, 2},
                                   {"a layer", 0, 0},     {"spread", 0, 3},   {"diagnoses", 1, 1}};
  static const char *const groups[] = {"",           "",           "",           "forward q", "forward q", "forward q",
                                       "backward G", "backward G", "backward G", "",          ""};
  table t = table_of(columns, sizeof columns / sizeof *columns);
  t.groups = groups;
  for (size_t i = 0; i < r->n_inits; ++i)
    add_row(&t, r->init_texts[i], reports[i]);
  table_print(&t, stdout);
  table_free(&t);
  printf("\nfirst, last: in that layer; a layer: the factor from layer to layer, for G from the last one back\n"
         "spread: of the singular values of all layers behind the first one's weights; 0 is isometry\n");
  for (size_t i = 0; i < r->n_inits; ++i) {
    printf("\n%s\n", r->init_texts[i]);
    probe_print_verdicts(reports[i]);
    probe_print_findings(reports[i], "  ");
  }
}
