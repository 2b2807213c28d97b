/* Tables and verdicts of 'fanin probe --widths'. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/table.h"
#include "base/terminal.h"
#include "base/text.h"
#include "probe/widths.h"

/* ---- Tables ------------------------------------------------------------------------------------------------------ */

enum { FIXED = 6, MOST_COLUMNS = FIXED + PROBE_MAX_SIZES };

static void add_row(table *t, const probe_request *r, const probe_scaling *c, size_t l, bool backward) {
  char text[TEXT_NUMBER];
  const moment_scaling *m = backward ? &c->g[l] : &c->q[l];
  table_cell(t, "%zu", l + 1);
  for (size_t k = 0; k < r->n_sizes; ++k) {
    const fanin_probe_layer *y = &c->results[k]->layers[l];
    const double value = backward ? y->g_measured : y->q_measured;
    table_cell(t, isnan(value) ? "-" : "%.4g", value);
  }
  table_cell(t, isnan(m->fit.measured) ? "-" : "%+.3f", m->fit.measured);
  table_cell(t, isnan(m->fit.error) || isnan(m->fit.measured) ? "-" : "%.3f", m->fit.error);
  table_cell(t, isnan(m->fit.theory) ? "-" : "%+.3f", m->fit.theory);
  table_cell(t, "%s", text_z(m->fit.z, text));
  table_cell(t, "%s", scaling_name(m->is));
}

/* Prints one moment at every width. Returns how many layers were shown. */
static size_t print_moment(const probe_request *r, const probe_scaling *c, bool backward) {
  static const column after[] = {{"measured", 0, 0}, {"error", 0, 0}, {"theory", 0, 0}, {"z", 0, 0}, {"", 1, 0}};
  column columns[MOST_COLUMNS] = {{"layer", 0, 0}};
  const char *groups[MOST_COLUMNS] = {""};
  char titles[PROBE_MAX_SIZES][TEXT_NUMBER];
  size_t n = 1, shown = 0;
  for (size_t k = 0; k < r->n_sizes; ++k) {
    snprintf(titles[k], sizeof titles[k], "%" PRIu64, r->sizes[k]);
    groups[n] = backward ? "backward G at width" : "forward q at width";
    columns[n++] = (column){titles[k], 0, k == 0 || k + 1 == r->n_sizes ? 0 : 1};
  }
  for (size_t i = 0; i < sizeof after / sizeof *after; ++i) {
    groups[n] = i < 4 ? "exponent of the width" : "";
    columns[n++] = after[i];
  }
  table t = table_of(columns, n);
  t.groups = groups;
  for (size_t l = 0; l < c->layers; ++l) {
    const double z = backward ? c->g[l].fit.z : c->q[l].fit.z;
    if (!probe_is_shown(r, c->layers, l) && !(fabs(z) > c->bound)) continue;
    add_row(&t, r, c, l, backward);
    ++shown;
  }
  table_print(&t);
  return shown;
}

/* ---- Verdicts ---------------------------------------------------------------------------------------------------- */

static void print_what_fails(const probe_request *r, const probe_scaling *c) {
  terminal_line(stdout, 0,
                "DOES NOT CONFORM: %zu of %zu networks, and %zu of %zu exponents (|z| up to %.2f is accepted)",
                c->n_networks_wrong, r->n_sizes, c->n_wrong, c->n_tests, c->bound);
  for (size_t k = 0; k < r->n_sizes; ++k) {
    const fanin_probe_summary *one = &c->results[k]->summary;
    if (!one->judged || one->conforms) continue;
    terminal_line(stdout, 2, "  the network of width %" PRIu64 " does not: probe it alone, with --seed %" PRIu64,
                  r->sizes[k], r->config.seed + k);
  }
}

static void print_conformity(const probe_request *r, const probe_scaling *c) {
  if (c->n_networks_wrong > 0 || c->n_wrong > 0) {
    print_what_fails(r, c);
  } else if (!c->judged) {
    terminal_line(stdout, 0, "NOT JUDGED: a layer's weights are a fixed pattern, and theory expects nothing of those");
  } else if (c->n_tests == 0) {
    terminal_line(stdout, 0, "CONFORMS: every network does; theory has no standard error of an exponent");
  } else {
    terminal_line(
        stdout, 0,
        "CONFORMS: every network does, and each exponent's |z| is at most %.2f (%zu test%s; false alarms: 1 in "
        "1000 of the exponents, and 1 in 1000 of each network)",
        c->bound, c->n_tests, text_plural(c->n_tests));
  }
}

/* What a run of layers does, as a sentence's end. */
static void say_scaling(const probe_scaling *c, size_t first, size_t last, FILE *to) {
  double low = INFINITY, high = -INFINITY, margin = 0, bend = 0;
  for (size_t l = first; l <= last; ++l) {
    const slope *s = &c->q[l].fit;
    low = fmin(low, s->measured);
    high = fmax(high, s->measured);
    margin = fmax(margin, slope_margin(s, c->bound));
    bend = fmax(bend, s->bend);
  }
  const char *word = c->q[first].is == SCALING_GROWS ? "grows" : "shrinks";
  switch (c->q[first].is) {
  case SCALING_KEEPS:
    fprintf(to, "q keeps its size with the width: the exponent is 0 within %.2f", margin);
    break;
  case SCALING_ZERO:
    fprintf(to, "q is 0 at every width");
    break;
  case SCALING_UNTOLD:
    fprintf(to,
            "cannot be told: the exponent is known within %.2f only; give wider widths, or more, or a larger --batch",
            margin);
    break;
  case SCALING_UNKNOWN:
    fprintf(to, "theory has no standard error, so nothing is said");
    break;
  case SCALING_SHRINKS:
  case SCALING_GROWS:
    if (high - low < 0.005)
      fprintf(to, "q %s as width^%.2f, within %.2f, and a preactivation as width^%.2f", word, low, margin, low / 2);
    else
      fprintf(to, "q %s as width^%.2f to width^%.2f, within %.2f", word, low, high, margin);
    if (bend > 0.1) fprintf(to, "; by theory it is no single power of the width here");
  }
}

/* A line for each run of layers that do the same; the output stands alone. */
static void print_runs(const probe_scaling *c) {
  size_t run;
  for (size_t l = 0; l < c->layers; l += run) {
    char *text = NULL;
    size_t length = 0;
    const bool output = l + 1 == c->layers;
    for (run = 1; l + run + 1 < c->layers && c->q[l + run].is == c->q[l].is;)
      ++run;
    FILE *to = open_memstream(&text, &length);
    if (!to) return;
    if (run > 1)
      fprintf(to, "layers %zu to %zu: ", l + 1, l + run);
    else
      fprintf(to, "layer %zu%s: ", l + 1, output ? ", the output" : "");
    say_scaling(c, l, l + run - 1, to);
    fclose(to);
    terminal_line(stdout, 2, "  %s", text);
    free(text);
  }
}

static void print_stability(const probe_scaling *c) {
  const char *verdict =
      c->stable     ? "STABLE: at initialization the hidden layers keep their size with the width, and the output does "
                      "not grow"
      : c->unstable ? "NOT STABLE: at initialization preactivations do not keep their size with the width"
                    : "NOT TOLD: of some layers it cannot be said whether they keep their size with the width";
  terminal_line(stdout, 0, "%s", verdict);
  print_runs(c);
}

/* What the output's exponent says of the parametrization. */
static void print_parametrization(const probe_scaling *c) {
  if (c->mup) {
    terminal_line(
        stdout, 0,
        "The output's exponent is -1 and not 0, as in muP at initialization; in the standard parametrization it "
        "is 0");
  } else if (c->stable && widths_output_is(c, 0)) {
    terminal_line(
        stdout, 0,
        "The output's exponent is 0 and not -1, as in the standard parametrization at initialization; in muP it "
        "is -1");
  } else if (c->stable && c->q[c->layers - 1].is == SCALING_ZERO) {
    terminal_line(
        stdout, 0,
        "An output of 0 fits muP and the standard parametrization: at initialization nothing tells them apart");
  }
  terminal_line(stdout, 0,
                "No training step was taken: this says nothing of updates, whose sizes follow from learning rates and "
                "multipliers");
}

void widths_print(const probe_request *r, const session *s, const probe_scaling *c) {
  probe_print_heading(r, s);
  print_moment(r, c, false);
  printf("\n");
  const size_t shown = print_moment(r, c, true);
  if (shown < c->layers) printf("(%zu of %zu layers; --all shows every one)\n", shown, c->layers);
  terminal_line(
      stdout, 0,
      "\nexponent: slope of ln q or ln G over ln width; theory: at infinite width; z: in standard errors, of G "
      "given the forward pass");
  print_conformity(r, c);
  print_stability(c);
  print_parametrization(c);
}
