/* 'fanin probe --suggest': which initializers keep q and G with an activation, by theory alone. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/json.h"
#include "base/table.h"
#include "base/terminal.h"
#include "base/text.h"
#include "fanin/theory.h"
#include "probe/report.h"

enum { INIT_TEXT = 256, SENTENCES = 1024 };

static const char *init_text(const fanin_suggestion *s, char out[INIT_TEXT]) {
  fanin_init_format(&s->init, out, INIT_TEXT, NULL);
  return out;
}

/* ---- Text -------------------------------------------------------------------------------------------------------- */

/* "FORWARD_EXPLODE, MEAN_DRIFT", or "-" */
static const char *diagnoses_of(const fanin_suggestion *s, char out[SENTENCES]) {
  size_t used = 0;
  snprintf(out, SENTENCES, "-");
  for (int d = 0; d < FANIN_DIAGNOSIS_COUNT; ++d) {
    if (!(s->diagnoses >> d & 1)) continue;
    used += (size_t)snprintf(out + used, SENTENCES - used, "%s%s", used > 0 ? ", " : "",
                             fanin_diagnosis_name((fanin_diagnosis)d));
  }
  return out;
}

/* The options of 'fanin probe' that run a choice. */
static const char *options_of(const fanin_suggestion *s, char out[SENTENCES]) {
  char init[INIT_TEXT];
  const int used = snprintf(out, SENTENCES, "--init %s", init_text(s, init));
  if (s->sigma_b2 > 0) snprintf(out + used, SENTENCES - (size_t)used, " --bias-std %.6g", sqrt(s->sigma_b2));
  return out;
}

static void print_recommended(const fanin_suggestion *list, size_t n) {
  char options[SENTENCES], names[SENTENCES];
  for (const fanin_suggestion *s = list; s < list + n; ++s) {
    if (!s->recommended) continue;
    putchar('\n');
    if (s->diagnoses == 0)
      terminal_line(
          stdout, 2,
          "* recommended at this depth: %s, with which q and gradients neither vanish nor explode, and no layer "
          "saturates or has a mean that drifts, by theory",
          options_of(s, options));
    else
      terminal_line(stdout, 2,
                    "* recommended at this depth: %s, although theory finds %s; fewer layers, a norm or residual "
                    "connections help",
                    options_of(s, options), diagnoses_of(s, names));
  }
}

static void print_text(const probe_request *r, const fanin_suggestion *list, size_t n) {
  static const column columns[] = {{"aim", 1, 0},         {"--init", 1, 0},   {"gain", 0, 3},    {"bias std", 0, 3},
                                   {"a layer", 0, 0},     {"in all", 0, 0},   {"a layer", 0, 0}, {"in all", 0, 0},
                                   {"sensitivity", 0, 4}, {"diagnoses", 1, 0}};
  static const char *const groups[] = {"", "", "", "", "forward q", "forward q", "backward G", "backward G", "", ""};
  table t = table_of(columns, sizeof columns / sizeof *columns);
  t.groups = groups;
  for (const fanin_suggestion *s = list; s < list + n; ++s) {
    char init[INIT_TEXT];
    char names[SENTENCES];
    table_cell(&t, "%s%s", fanin_aim_name(s->aim), s->recommended ? " *" : "");
    table_cell(&t, "%s", init_text(s, init));
    table_cell(&t, "%.6g", s->gain);
    table_cell(&t, "%.4g", sqrt(s->sigma_b2));
    table_cell(&t, "%.4g", s->q_growth);
    table_cell(&t, "%.4g", s->q_total);
    table_cell(&t, "%.4g", s->g_growth);
    table_cell(&t, "%.4g", s->g_total);
    table_cell(&t, "%.3g", s->sensitivity);
    table_cell(&t, "%s", diagnoses_of(s, names));
  }
  printf("%s", r->suggest);
  if (r->has_slope) printf(" with slope %g", r->config.slope);
  printf(", %" PRIu64 " layer%s of equal widths\n\n", r->depth, text_plural(r->depth));
  table_print(&t);
  putchar('\n');
  terminal_line(stdout, 2,
                "a layer: the factor by which a layer multiplies q where it is 1, and G on its way back; in all: over "
                "these layers, "
                "on an input of mean square 1, as fanin probe has it");
  terminal_line(stdout, 2,
                "sensitivity: what a small relative deviation of q is multiplied by in a layer; above 1 it grows");
  terminal_line(
      stdout, 2,
      "diagnoses: of theory; whether samples become alike (RANK_COLLAPSE) is looked at with relu, leaky_relu and "
      "linear only");
  print_recommended(list, n);
  for (size_t i = 0; i < n; ++i) {
    char text[SENTENCES];
    fanin_suggestion_format(&list[i], sizeof list[i], text, sizeof text, NULL);
    putchar('\n');
    terminal_line(stdout, 2, "%s: %s", fanin_aim_name(list[i].aim), text);
  }
}

/* ---- JSON -------------------------------------------------------------------------------------------------------- */

static json_t *diagnoses_to_json(uint64_t diagnoses) {
  json_t *list = json_array();
  for (int d = 0; d < FANIN_DIAGNOSIS_COUNT; ++d) {
    if (diagnoses >> d & 1) json_array_append_new(list, json_string(fanin_diagnosis_name((fanin_diagnosis)d)));
  }
  return list;
}

static json_t *to_json(const fanin_suggestion *s) {
  char init[INIT_TEXT], text[SENTENCES];
  json_t *o = json_object();
  fanin_suggestion_format(s, sizeof *s, text, sizeof text, NULL);
  json_object_set_new(o, "aim", json_string(fanin_aim_name(s->aim)));
  json_object_set_new(o, "init", json_string(init_text(s, init)));
  JSON_SET_NUMBERS(o, {"gain", s->gain}, {"sigma_b2", s->sigma_b2}, {"q_growth", s->q_growth}, {"q_total", s->q_total},
                   {"g_growth", s->g_growth}, {"g_total", s->g_total}, {"q_limit", s->q_limit},
                   {"chi_limit", s->chi_limit}, {"sensitivity", s->sensitivity});
  json_object_set_new(o, "diagnoses", diagnoses_to_json(s->diagnoses));
  json_object_set_new(o, "recommended", json_boolean(s->recommended));
  json_object_set_new(o, "text", json_string(text));
  return o;
}

int probe_suggest(const probe_request *r, failure *why) {
  enum { MOST = FANIN_AIM_COUNT }; /* aims that a newer library knows are left out */
  fanin_suggestion list[MOST];
  size_t n = 0;
  const fanin_suggest_config config = {.size = sizeof config,
                                       .activation = r->suggest,
                                       .slope = r->config.slope,
                                       .depth = (size_t)r->depth,
                                       .sigma_b2 = r->config.bias_std * r->config.bias_std};
  const fanin_status status = fanin_suggest(&config, list, MOST, sizeof *list, &n);
  if (n > MOST) n = MOST;
  if (status != FANIN_STATUS_OK) return library_status(why, status, "--suggest");
  if (!r->json) {
    print_text(r, list, n);
    return STATUS_OK;
  }
  json_t *array = json_array();
  for (size_t i = 0; i < n; ++i)
    json_array_append_new(array, to_json(&list[i]));
  return json_print(
      json_pack("{s:s, s:I, s:o}", "activation", r->suggest, "depth", (json_int_t)r->depth, "suggestions", array), why);
}
