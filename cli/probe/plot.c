/* The picture of a probe: q and G over the layers on logarithmic axes, or of blocks the stream and its gradient over
 * their ends. Points are measured, and lines are theory. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "probe/report.h"

/* Pixels. */
enum {
  WIDTH = 860,
  LEFT = 84,
  RIGHT = 24,
  TOP = 84,
  PANEL = 236,
  BETWEEN = 62,
  BELOW = 60,
  LEGEND_ROW = 21,
  NOTE = 26
};
enum { MAX_TITLE = 100, BAND = 2 /* standard deviations */ };

/* Okabe and Ito's colours, which colour-blind people can tell apart, each with its own mark. */
static const struct {
  const char *colour;
  int mark;
} looks[PROBE_MAX_INITS] = {{"#0072B2", 7}, {"#D55E00", 5}, {"#009E73", 9}, {"#CC79A7", 13},
                            {"#E69F00", 6}, {"#56B4E9", 4}, {"#000000", 8}, {"#B2A800", 12}};

/* What one of the two panels shows. */
typedef struct panel {
  const char *title, *symbol;
  size_t measured, meanfield, sd; /* offsets in fanin_probe_layer; sd 0: no band */
} panel;

enum { N_PANELS = 2 };
static const panel of_layers[N_PANELS] = {
    {"Forward: q, mean square of the preactivations", "q", offsetof(fanin_probe_layer, q_measured),
     offsetof(fanin_probe_layer, q_meanfield), offsetof(fanin_probe_layer, q_sd)},
    {"Backward: G, mean square of their gradients", "G", offsetof(fanin_probe_layer, g_measured),
     offsetof(fanin_probe_layer, g_meanfield), offsetof(fanin_probe_layer, g_sd)},
};
static const panel of_blocks[N_PANELS] = {
    {"Forward: mean square of the stream, where blocks end", "stream", offsetof(fanin_probe_layer, stream_measured),
     offsetof(fanin_probe_layer, stream_meanfield), 0},
    {"Backward: G, mean square of its gradient", "G", offsetof(fanin_probe_layer, g_measured),
     offsetof(fanin_probe_layer, g_meanfield), offsetof(fanin_probe_layer, g_sd)},
};

/* The network of a plot. */
typedef struct plot {
  FILE *script;
  const probe_request *request;
  probe_result *const *reports;
  size_t layers; /* of the network */
  int height;
  const panel *panels;
} plot;

/* Of blocks, only their ends. */
static bool has_point(const plot *p, const fanin_probe_layer *y) {
  return p->panels == of_layers || !isnan(y->stream_measured);
}

static double field(const fanin_probe_layer *y, size_t offset) {
  return *(const double *)((const char *)y + offset);
}

enum { MEASURED, THEORY, BAND_LOW, BAND_HIGH, N_VALUES };

/* A layer's values in a panel, of which those that are not above 0 are NaN. */
static void values_of(const panel *which, const fanin_probe_layer *y, double out[N_VALUES]) {
  const double theory = field(y, which->meanfield), band = which->sd > 0 ? BAND * field(y, which->sd) : NAN;
  const double values[] = {field(y, which->measured), theory, theory * exp(-band), theory * exp(band)};
  for (int k = 0; k < N_VALUES; ++k)
    out[k] = isfinite(values[k]) && values[k] > 0 ? values[k] : NAN;
}

/* ---- Axes -------------------------------------------------------------------------------------------------------- */

typedef struct range {
  double low, high; /* decades: log10 */
} range;

/* The range of all values, with a margin. It is at least a decade, so that noise looks like noise. Where there is no
 * value, low > high. */
static range range_of(const plot *p, const panel *which) {
  range r = {INFINITY, -INFINITY};
  for (size_t i = 0; i < p->request->n_inits; ++i) {
    for (size_t l = 0; l < probe_layers(p->reports[i]); ++l) {
      double values[N_VALUES];
      if (!has_point(p, &p->reports[i]->layers[l])) continue;
      values_of(which, &p->reports[i]->layers[l], values);
      for (int k = 0; k < N_VALUES; ++k) { /* fmin() and fmax() leave NaN out */
        r.low = fmin(r.low, log10(values[k]));
        r.high = fmax(r.high, log10(values[k]));
      }
    }
  }
  if (r.low > r.high) return r;
  const double span = fmax(1.12 * (r.high - r.low), 1), middle = (r.low + r.high) / 2;
  return (range){middle - span / 2, middle + span / 2};
}

/* Powers of ten where there are several, else 1, 2, 5. */
static void write_y_axis(const plot *p, range r) {
  static const int steps[] = {1, 2, 3, 5, 10, 20, 30, 50};
  fprintf(p->script, "set yrange [%.6g:%.6g]\nset ytics (", pow(10, r.low), pow(10, r.high));
  const char *comma = "";
  if (r.high - r.low < 2.5) {
    for (int decade = (int)floor(r.low); decade <= (int)floor(r.high); ++decade) {
      for (int digit = 1; digit <= 5; digit += digit == 1 ? 1 : 3) {
        fprintf(p->script, "%s'%.6g' %de%d", comma, digit * pow(10, decade), digit, decade);
        comma = ", ";
      }
    }
  } else {
    size_t i = 0;
    while (i + 1 < sizeof steps / sizeof *steps && (r.high - r.low) / steps[i] > 6)
      ++i;
    for (int decade = (int)floor(r.low / steps[i]) * steps[i]; decade <= (int)r.high + 1; decade += steps[i]) {
      fprintf(p->script, "%s'10^{%d}' 1e%d", comma, decade, decade);
      comma = ", ";
    }
  }
  fputs(")\n", p->script);
}

static void write_x_axis(const plot *p) {
  static const size_t steps[] = {1, 2, 5, 10, 20, 50, 100, 200};
  const double margin = 0.2 + 0.015 * (double)p->layers;
  size_t i = 0;
  while (i + 1 < sizeof steps / sizeof *steps && p->layers / steps[i] > 12)
    ++i;
  fprintf(p->script, "set xrange [%g:%g]\nset xtics %zu, %zu\n", 1 - margin, (double)p->layers + margin, steps[i],
          steps[i]);
  if (steps[i] > 1) fprintf(p->script, "set xtics add (1)\n");
}

/* ---- Texts ------------------------------------------------------------------------------------------------------- */

/* gnuplot's quoted text: quotes are doubled, nothing else has a meaning. */
static void write_quoted(FILE *to, const char *text, size_t most) {
  const size_t length = strlen(text);
  fputc('\'', to);
  for (size_t i = 0; i < length && i < most; ++i) {
    if (text[i] == '\'') fputc('\'', to);
    fputc((unsigned char)text[i] < 0x20 || text[i] == 0x7f ? '?' : text[i], to);
  }
  fputs(length > most ? "...'" : "'", to);
}

static void write_label(const plot *p, int id, double y, int size, const char *text) {
  fprintf(p->script, "set label %d ", id);
  write_quoted(p->script, text, MAX_TITLE);
  fprintf(p->script, " at screen 0.5, screen %.4f center font ',%d' noenhanced\n", 1 - y / p->height, size);
}

static void write_titles(const plot *p) {
  const probe_request *r = p->request;
  char text[2 * PROBE_TEXT], part[PROBE_TEXT], *inits = probe_inits_text(r);
  snprintf(text, sizeof text, "MLP %s, ", probe_network_text(r, part));
  snprintf(text + strlen(text), sizeof text - strlen(text), "%s", probe_activation_text(r, part));
  write_label(p, 1, 20, 15, text);
  snprintf(text, sizeof text, "%.*s%s, input of %" PRIu64 " %s%s of %s, seed %" PRIu64, PROBE_TEXT,
           r->n_inits > 1 || !inits ? "initializers compared" : inits,
           r->weights ? " expected of the file's weights" : "", r->config.batch, r->input ? "row" : "sample",
           text_plural(r->config.batch), r->input ? "data" : "N(0,1)", r->config.seed);
  write_label(p, 2, 44, 12, text);
  free(inits);
}

/* ---- Panels ------------------------------------------------------------------------------------------------------ */

/* Columns: layer, then the values of each panel. */
static void write_data(const plot *p) {
  for (size_t i = 0; i < p->request->n_inits; ++i) {
    fprintf(p->script, "$init%zu << END\n", i);
    for (size_t l = 0; l < probe_layers(p->reports[i]); ++l) {
      if (!has_point(p, &p->reports[i]->layers[l])) continue;
      fprintf(p->script, "%zu", l + 1);
      for (size_t k = 0; k < N_PANELS; ++k) {
        double values[N_VALUES];
        values_of(&p->panels[k], &p->reports[i]->layers[l], values);
        for (int v = 0; v < N_VALUES; ++v)
          fprintf(p->script, isnan(values[v]) ? " NaN" : " %.9g", values[v]);
      }
      fputc('\n', p->script);
    }
    fputs("END\n", p->script);
  }
}

/* Draws bands, then lines, then points, so that no line covers a point. The columns of the k-th panel begin after those
 * of the panels before it. */
static void write_curves(const plot *p, size_t k) {
  const size_t first = 2 + N_VALUES * k, n = p->request->n_inits;
  const char *comma = "plot ";
  for (int pass = 0; pass < 3; ++pass) {
    for (size_t i = 0; i < n; ++i) {
      if (probe_layers(p->reports[i]) == 0) continue;
      fprintf(p->script, "%s$init%zu using ", comma, i);
      if (pass == 0)
        fprintf(p->script, "1:%zu:%zu with filledcurves fs transparent solid 0.18 noborder", first + 2, first + 3);
      else if (pass == 1)
        fprintf(p->script, "1:%zu with lines lw 2", first + 1);
      else
        fprintf(p->script, "1:%zu with points pt %d ps %g", first, looks[i].mark, p->layers > 30 ? 0.6 : 0.9);
      fprintf(p->script, " lc rgb '%s' notitle", looks[i].colour);
      comma = ", ";
    }
  }
  for (size_t i = 0; i < n && k == 0; ++i) { /* the legend, once for all panels */
    fprintf(p->script, "%sNaN with linespoints lw 2 pt %d lc rgb '%s' title ", comma, looks[i].mark, looks[i].colour);
    write_quoted(p->script, p->request->init_texts[i], MAX_TITLE);
    fputs(" noenhanced", p->script);
    comma = ", ";
  }
  fputs(comma[0] == ',' ? "\n" : "plot NaN notitle\n", p->script);
}

static void write_panel(const plot *p, size_t k) {
  const int top = TOP + (int)k * (PANEL + BETWEEN), height = p->height;
  range r = range_of(p, &p->panels[k]);
  fprintf(p->script, "set tmargin at screen %.5f\nset bmargin at screen %.5f\n", 1 - (double)top / height,
          1 - (double)(top + PANEL) / height);
  fprintf(p->script, "set title '%s'\nset ylabel '%s' norotate\n", p->panels[k].title, p->panels[k].symbol);
  fputs(k + 1 == N_PANELS ? "set xlabel 'layer'\n" : "unset xlabel\n", p->script);
  if (r.low > r.high) {
    fprintf(p->script, "set label 3 'nothing above 0 to show' at graph 0.5, graph 0.5 center\n");
    r = (range){-1, 1};
  }
  write_y_axis(p, r);
  write_curves(p, k);
  fputs("unset label\nunset key\n", p->script);
}

static void write_script(const plot *p) {
  const int legend = p->height - NOTE - (int)p->request->n_inits * LEGEND_ROW;
  write_data(p);
  fprintf(p->script,
          "set multiplot\nset lmargin at screen %.5f\nset rmargin at screen %.5f\n"
          "set logscale y\nset grid back lc rgb '#dddddd' lt 1\nset border 3 lc rgb '#444444'\n"
          "set tics nomirror scale 0.6\nset title offset 0,-0.5\n",
          (double)LEFT / WIDTH, 1 - (double)RIGHT / WIDTH);
  fprintf(p->script, "set key at screen 0.5, screen %.5f center top vertical maxrows %zu Left reverse samplen 3\n",
          1 - (double)legend / p->height, p->request->n_inits);
  write_x_axis(p);
  write_titles(p);
  write_label(p, 4, p->height - NOTE / 2.0, 10,
              "points: measured; lines: theory at infinite width; bands: two standard deviations over seeds");
  for (size_t k = 0; k < N_PANELS; ++k)
    write_panel(p, k);
  fputs("unset multiplot\n", p->script);
}

int probe_plot(const probe_request *r, probe_result *const *reports, failure *why) {
  char *script = NULL;
  size_t size = 0;
  const int height = TOP + N_PANELS * PANEL + BETWEEN + BELOW + (int)r->n_inits * LEGEND_ROW + NOTE;
  FILE *memory = open_memstream(&script, &size);
  if (!memory) return fail(why, STATUS_DEVICE, "out of memory for --plot");
  const panel *panels = r->config.block == FANIN_BLOCK_NONE ? of_layers : of_blocks;
  const plot p = {memory, r, reports, r->config.n_widths - 1, height, panels};
  write_script(&p);
  int status = STATUS_OK;
  if (fclose(memory) != 0) status = fail(why, STATUS_DEVICE, "out of memory for --plot");
  if (status == STATUS_OK) status = gnuplot_draw(r->plot, WIDTH, height, script, size, why);
  free(script);
  return status;
}
