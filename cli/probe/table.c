/* Reports of probes as text: a row for each layer, the two verdicts, the findings; several initializers side by side.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/table.h"
#include "base/terminal.h"
#include "base/text.h"
#include "probe/report.h"

/* How many layers of a deep network are shown, most of them at its ends. */
enum { MOST_ROWS = 24, END_ROWS = 8, BOTH_ENDS = 16, MAX_SHOWN = 32 };

size_t probe_layers(const probe_result *report) {
  return report->summary.overflow_layer > 0 ? report->summary.overflow_layer - 1 : report->summary.n_layers;
}

/* ---- Rows -------------------------------------------------------------------------------------------------------- */

static void real_cell(table *t, double value) {
  table_cell(t, isnan(value) ? "-" : "%.4g", value);
}

static void cell(table *t, const probe_column *c, const fanin_probe_layer *y) {
  char text[TEXT_NUMBER];
  const double value = probe_number(c, y);
  if (c->kind == KIND_COUNT)
    table_cell(t, "%.0f", value);
  else if (c->kind == KIND_FLAG)
    table_cell(t, "%s", value != 0 ? "ok" : "NO");
  else if (c->kind == KIND_Z)
    table_cell(t, "%s", text_z(value, text));
  else if (c->kind == KIND_PERCENT)
    table_cell(t, isnan(value) ? "-" : "%.3g", 100 * value);
  else
    real_cell(t, value);
}

bool probe_is_shown(const probe_request *r, size_t n, size_t l) {
  if (r->all || n <= MOST_ROWS) return true;
  if (l < END_ROWS || l + END_ROWS >= n) return true;
  const size_t inner = n - BOTH_ENDS, some = MOST_ROWS - BOTH_ENDS, i = l - END_ROWS;
  return (i + 1) * some / inner != i * some / inner;
}

static bool is_in_table(const probe_request *r, const probe_column *c) {
  return c->heading && (!c->of_blocks || r->config.block != FANIN_BLOCK_NONE);
}

void probe_print_report(const probe_request *r, const probe_result *report) {
  column columns[MAX_SHOWN] = {{"layer", 0, 0}};
  const char *groups[MAX_SHOWN] = {""};
  size_t n_columns = 1;
  for (size_t i = 0; i < probe_n_columns && n_columns < MAX_SHOWN; ++i) {
    const probe_column *c = &probe_columns[i];
    if (!is_in_table(r, c)) continue;
    groups[n_columns] = c->group;
    columns[n_columns++] = (column){c->heading, c->kind == KIND_FLAG, c->drop};
  }
  table t = table_of(columns, n_columns);
  t.groups = groups;
  const size_t n = probe_layers(report);
  size_t shown = 0;
  for (size_t l = 0; l < n; ++l) {
    if (!probe_is_shown(r, n, l) && report->layers[l].conforms) continue;
    ++shown;
    table_cell(&t, "%zu", l + 1);
    for (size_t i = 0; i < probe_n_columns; ++i) {
      if (is_in_table(r, &probe_columns[i])) cell(&t, &probe_columns[i], &report->layers[l]);
    }
  }
  table_print(&t);
  if (shown < n) printf("(%zu of %zu layers; --all shows every one)\n", shown, n);
  printf("\nq: mean square of preactivations; G: of their gradients; z: in standard deviations\n");
  if (r->config.block != FANIN_BLOCK_NONE) printf("stream: mean square of what a block's end adds up\n");
}

/* ---- Verdicts and findings --------------------------------------------------------------------------------------- */

static void print_finding(const fanin_finding *f, const char *indent) {
  const char *name = fanin_diagnosis_name(f->diagnosis);
  fanin_verdict verdict = FANIN_VERDICT_CAUSE;
  (void)fanin_diagnosis_verdict(f->diagnosis, &verdict); /* the library's own value */
  const char *kind = verdict == FANIN_VERDICT_WARNING ? " (a warning)" : "";
  if (f->first == f->last)
    terminal_line(stdout, 2, "%s%s%s, layer %zu: %s", indent, name, kind, f->first, f->what);
  else
    terminal_line(stdout, 2, "%s%s%s, layers %zu to %zu: %s", indent, name, kind, f->first, f->last, f->what);
}

/* A verdict's condition as it stands behind the verdict. */
typedef struct condition {
  const char *before, *text;
} condition;

static condition condition_of(const char *text, const char *before) {
  return text ? (condition){before, text} : (condition){"", ""};
}

static void print_conformity(const probe_result *report) {
  const size_t n = report->summary.n_layers;
  size_t failed = 0;
  for (size_t l = 0; l < n; ++l)
    failed += !report->layers[l].conforms;
  if (!report->summary.judged && failed == 0) {
    terminal_line(stdout, 0,
                  "NOT JUDGED: a layer's weights are a fixed pattern, and theory expects nothing of those. What was "
                  "measured is above");
  } else if (report->summary.conforms) {
    const condition c = condition_of(report->summary.conforms_condition, " ");
    terminal_line(stdout, 0, "CONFORMS%s%s: every |z| is at most %.2f (%zu test%s, false alarms 1 in 1000)", c.before,
                  c.text, report->summary.z_bound, report->summary.n_tests, text_plural(report->summary.n_tests));
    if (report->summary.conforms_condition) {
      terminal_line(stdout, 2,
                    "These are sums over whole layers. Whether the weights are independent numbers of that law, 'fanin "
                    "inspect' tests.");
    }
  } else if (report->summary.overflow_layer > 0) {
    printf("DOES NOT CONFORM: the values of layer %zu overflow f32\n", report->summary.overflow_layer);
  } else if (failed > 0) {
    terminal_line(stdout, 0,
                  "DOES NOT CONFORM: %zu of %zu layer%s from theory (|z| up to %.2f is accepted, %zu test%s)", failed,
                  n, failed == 1 ? n == 1 ? " differs" : "s differs" : "s differ", report->summary.z_bound,
                  report->summary.n_tests, text_plural(report->summary.n_tests));
  } else {
    printf("DOES NOT CONFORM: see what was found\n");
  }
}

static bool is_unhealthy(const probe_result *report) {
  bool any = false;
  for (size_t i = 0; i < report->summary.n_findings; ++i) {
    fanin_verdict verdict = FANIN_VERDICT_CAUSE;
    (void)fanin_diagnosis_verdict(report->findings[i].diagnosis, &verdict); /* the library's own value */
    any = any || verdict == FANIN_VERDICT_HEALTH;
  }
  return any;
}

void probe_print_verdicts(const probe_result *report) {
  bool any = false;
  print_conformity(report);
  if (report->summary.healthy) {
    const condition c = condition_of(report->summary.healthy_condition, ", ");
    terminal_line(stdout, 0, "HEALTHY%s%s: by theory, none of the known faults", c.before, c.text);
    return;
  }
  if (!is_unhealthy(report)) {
    terminal_line(stdout, 0,
                  "NOT PREDICTED: no verdict on health, because theory takes weights and biases that are random with "
                  "mean 0");
    return;
  }
  printf("NOT HEALTHY:");
  for (size_t i = 0; i < report->summary.n_findings; ++i) {
    fanin_verdict verdict = FANIN_VERDICT_CAUSE;
    const fanin_diagnosis d = report->findings[i].diagnosis;
    if (fanin_diagnosis_verdict(d, &verdict) != FANIN_STATUS_OK || verdict != FANIN_VERDICT_HEALTH) continue;
    if (i > 0 && d == report->findings[i - 1].diagnosis) continue;
    printf("%s%s", any ? ", " : " ", fanin_diagnosis_name(d));
    any = true;
  }
  putchar('\n');
}

/* A diagnosis may come once for each of many layers. The first few are printed in full, and what to do is printed once.
 */
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

/* ---- Several initializers of one network beside each other ------------------------------------------------------- */

enum { NAMES = 512 };

/* Lists each diagnosis once, with commas between them. */
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

/* The factor for each layer that leads from `from` to `to` in so many steps. */
static double growth(double from, double to, size_t steps) {
  return steps > 0 && from > 0 && to > 0 ? pow(to / from, 1 / (double)steps) : NAN;
}

static void add_comparison(table *t, const char *init, const probe_result *report) {
  char names[NAMES];
  const size_t n = probe_layers(report);
  const fanin_probe_layer none = {.q_measured = NAN, .g_measured = NAN, .spread_measured = NAN};
  const fanin_probe_layer *first = n > 0 ? &report->layers[0] : &none, *last = n > 0 ? &report->layers[n - 1] : &none;
  const size_t steps = n > 0 ? n - 1 : 0;
  table_cell(t, "%s", init);
  table_cell(t, "%s", report->summary.conforms ? "yes" : report->summary.judged ? "NO" : "not judged");
  table_cell(t, "%s", report->summary.healthy ? "yes" : is_unhealthy(report) ? "NO" : "not predicted");
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
    add_comparison(&t, r->init_texts[i], reports[i]);
  table_print(&t);
  printf("\nfirst, last: in that layer; a layer: the factor from layer to layer, for G from the last one back\n"
         "spread: of the singular values of all layers behind the first one's weights; 0 is isometry\n");
  for (size_t i = 0; i < r->n_inits; ++i) {
    printf("\n%s\n", r->init_texts[i]);
    probe_print_verdicts(reports[i]);
    probe_print_findings(reports[i], "  ");
  }
}
