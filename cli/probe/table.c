/* A probe's report as text: a row a layer, the two verdicts, the findings. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/table.h"
#include "base/terminal.h"
#include "base/text.h"
#include "probe/report.h"

/* Of a deeper network so many layers are shown, most of them at its ends. */
enum { MOST_ROWS = 24, END_ROWS = 8, BOTH_ENDS = 16, MAX_SHOWN = 32 };

size_t probe_layers(const probe_result *report) {
  return report->summary.overflow_layer > 0 ? report->summary.overflow_layer - 1 : report->summary.n_layers;
}

/* ---- Rows -------------------------------------------------------------------------------------------------------- */

static void cell(table *t, const probe_column *c, const fanin_probe_layer *y) {
  char text[TEXT_NUMBER];
  switch (c->kind) {
  case KIND_COUNT:
    table_cell(t, "%llu", (unsigned long long)probe_count(c, y));
    return;
  case KIND_FLAG:
    table_cell(t, "%s", probe_flag(c, y) ? "ok" : "NO");
    return;
  case KIND_Z:
    table_cell(t, "%s", text_z(probe_real(c, y), text));
    return;
  default:
    break;
  }
  const double value = probe_real(c, y);
  if (isnan(value))
    table_cell(t, "-");
  else if (c->kind == KIND_PERCENT)
    table_cell(t, "%.3g", 100 * value);
  else
    table_cell(t, "%.4g", value);
}

/* Whether layer l of n is shown: the ends, some at equal distances in between, and what does not conform. */
static bool is_shown(const probe_request *r, const fanin_probe_layer *layers, size_t n, size_t l) {
  if (r->all || n <= MOST_ROWS) return true;
  if (l < END_ROWS || l + END_ROWS >= n || !layers[l].conforms) return true;
  const size_t inner = n - BOTH_ENDS, some = MOST_ROWS - BOTH_ENDS, i = l - END_ROWS;
  return (i + 1) * some / inner != i * some / inner;
}

static size_t fill_table(const probe_request *r, const probe_result *report, table *t) {
  size_t shown = 0;
  const size_t n = probe_layers(report);
  for (size_t l = 0; l < n; ++l) {
    if (!is_shown(r, report->layers, n, l)) continue;
    ++shown;
    table_cell(t, "%zu", l + 1);
    for (size_t i = 0; i < probe_n_columns; ++i) {
      if (probe_columns[i].heading) cell(t, &probe_columns[i], &report->layers[l]);
    }
  }
  return shown;
}

void probe_print_report(const probe_request *r, const probe_result *report) {
  column columns[MAX_SHOWN] = {{"layer", 0, 0}};
  const char *groups[MAX_SHOWN] = {""};
  size_t n_columns = 1;
  for (size_t i = 0; i < probe_n_columns && n_columns < MAX_SHOWN; ++i) {
    const probe_column *c = &probe_columns[i];
    if (!c->heading) continue;
    groups[n_columns] = c->group;
    columns[n_columns++] = (column){c->heading, c->kind == KIND_FLAG, c->drop};
  }
  table t = table_of(columns, n_columns);
  t.groups = groups;
  const size_t shown = fill_table(r, report, &t);
  table_print(&t, stdout);
  table_free(&t);
  if (shown < probe_layers(report)) {
    printf("(%zu of %zu layers; --all shows every one)\n", shown, probe_layers(report));
  }
  printf("\nq: mean square of preactivations; G: of their gradients; z: in standard deviations\n");
}

/* ---- Verdicts and findings --------------------------------------------------------------------------------------- */

static void print_finding(const fanin_finding *f, const char *indent) {
  const char *name = fanin_diagnosis_name(f->diagnosis);
  if (f->first == f->last)
    terminal_line(stdout, 2, "%s%s, layer %zu: %s", indent, name, f->first, f->what);
  else
    terminal_line(stdout, 2, "%s%s, layers %zu to %zu: %s", indent, name, f->first, f->last, f->what);
}

static void print_conformity(const probe_result *report) {
  const size_t n = report->summary.n_layers;
  size_t failed = 0;
  for (size_t l = 0; l < n; ++l)
    failed += !report->layers[l].conforms;
  if (report->summary.conforms) {
    printf("CONFORMS: every |z| is at most %.2f (%zu tests, false alarms 1 in 1000)\n", report->summary.z_bound,
           report->summary.n_tests);
  } else if (report->summary.overflow_layer > 0) {
    printf("DOES NOT CONFORM: the values of layer %zu overflow f32\n", report->summary.overflow_layer);
  } else if (failed > 0) {
    terminal_line(stdout, 0,
                  "DOES NOT CONFORM: %zu of %zu layers differ from theory (|z| up to %.2f is accepted, %zu tests)",
                  failed, n, report->summary.z_bound, report->summary.n_tests);
  } else {
    printf("DOES NOT CONFORM: see what was found\n");
  }
}

static void print_health(const probe_result *report) {
  bool any = false;
  printf("%s", report->summary.healthy ? "HEALTHY: theory expects it to train" : "NOT HEALTHY:");
  for (size_t i = 0; i < report->summary.n_findings && !report->summary.healthy; ++i) {
    fanin_verdict verdict = FANIN_VERDICT_CAUSE;
    const fanin_diagnosis d = report->findings[i].diagnosis;
    if (fanin_diagnosis_verdict(d, &verdict) != FANIN_STATUS_OK || verdict != FANIN_VERDICT_HEALTH) continue;
    if (i > 0 && d == report->findings[i - 1].diagnosis) continue;
    printf("%s%s", any ? ", " : " ", fanin_diagnosis_name(d));
    any = true;
  }
  putchar('\n');
}

void probe_print_verdicts(const probe_result *report) {
  print_conformity(report);
  print_health(report);
}

/* A diagnosis may come once for each of many layers: the first few in full, and what to do once. */
void probe_print_findings(const probe_result *report, const char *indent) {
  enum { MOST = 3 };
  for (size_t i = 0, same; i < report->summary.n_findings; i += same) {
    const fanin_finding *f = &report->findings[i];
    for (same = 1; i + same < report->summary.n_findings && f[same].diagnosis == f->diagnosis;)
      ++same;
    for (size_t k = 0; k < same && k < MOST; ++k)
      print_finding(&f[k], indent);
    if (same > MOST) printf("%s  and %zu more, up to layer %zu\n", indent, same - MOST, f[same - 1].last);
    terminal_line(stdout, 0, "%s  do: %s", indent, f->remedy);
  }
}
