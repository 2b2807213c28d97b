/* fanin bench: medians, spreads and ratios, as a table and as JSON. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/table.h"
#include "base/text.h"
#include "bench/bench.h"

/* ---- Statistics -------------------------------------------------------------------------------------------------- */

typedef struct timing {
  double median, min, max;
} timing;

static int by_value(const void *left, const void *right) {
  const double *l = left, *r = right;
  return (*l > *r) - (*l < *r);
}

/* Sorts the values. */
static timing timing_of(double *values, size_t n) {
  qsort(values, n, sizeof *values, by_value);
  return (timing){(values[(n - 1) / 2] + values[n / 2]) / 2, values[0], values[n - 1]};
}

static timing times_of(const bench_set *set, const bench_case *c) {
  double *sorted = allocate(set->rounds, sizeof *sorted);
  memcpy(sorted, c->seconds, set->rounds * sizeof *sorted);
  const timing times = timing_of(sorted, set->rounds);
  free(sorted);
  return times;
}

/* How many times as much the case does in a second as case `reference`. It is the median of the rounds' ratios, in
 * which whatever slows both cancels. `done` and `reference_done` are what each does in a run. NaN if there is no
 * reference. */
static double ratio_to(const bench_set *set, const bench_case *c, uint64_t done, size_t reference,
                       uint64_t reference_done) {
  if (reference == BENCH_NONE || !set->cases[reference].seconds) return NAN;
  double *ratios = allocate(set->rounds, sizeof *ratios);
  for (size_t i = 0; i < set->rounds; ++i) {
    ratios[i] = (double)done / c->seconds[i] / ((double)reference_done / set->cases[reference].seconds[i]);
  }
  const double median = timing_of(ratios, set->rounds).median;
  free(ratios);
  return median;
}

/* The ratio of bytes per second. */
static double ratio_to_fill(const bench_set *set, const bench_case *c) {
  return ratio_to(set, c, c->bytes, c->fill, c->fill == BENCH_NONE ? 0 : set->cases[c->fill].bytes);
}

/* The ratio of elements per second; of starts, the ratio of processes per second. */
static double ratio_to_other(const bench_set *set, const bench_case *c) {
  if (c->against == BENCH_NONE || c->group == BENCH_START) return ratio_to(set, c, 1, c->against, 1);
  return ratio_to(set, c, c->elements, c->against, set->cases[c->against].elements);
}

/* What is done per second; NaN where the case does more than writing. */
static double rate(const bench_case *c, uint64_t done, double seconds) {
  return c->group == BENCH_START ? NAN : (double)done / seconds;
}

/* ---- Table ------------------------------------------------------------------------------------------------------- */

static char *text_seconds(double seconds, char out[TEXT_NUMBER]) {
  static const struct {
    double step;
    const char *format;
  } units[] = {{1, "%.3f s"}, {1e-3, "%.3f ms"}, {1e-6, "%.1f us"}};
  size_t unit = 0;
  while (unit + 1 < sizeof units / sizeof *units && seconds < units[unit].step)
    ++unit;
  snprintf(out, TEXT_NUMBER, units[unit].format, seconds / units[unit].step);
  return out;
}

/* "12.3 x fills_1000x1000 f32" */
static void cell_against(const bench_set *set, const bench_case *c, table *t) {
  const double ratio = ratio_to_other(set, c);
  const bench_case *other = isnan(ratio) ? NULL : &set->cases[c->against];
  if (!other) {
    table_cell(t, "%s", "");
  } else if (c->group == BENCH_START) {
    table_cell(t, "%.2f x the time of %s", 1 / ratio, other->name);
  } else {
    const bool same_name = strcmp(other->name, c->name) == 0;
    table_cell(t, "%.2f x %s", ratio, same_name ? other->dtype : other->name);
  }
}

static void cell_number(table *t, const char *format, double value) {
  char text[TEXT_NUMBER];
  snprintf(text, sizeof text, format, value);
  table_cell(t, "%s", isnan(value) ? "" : text);
}

static void add_row(const bench_set *set, const bench_case *c, table *t) {
  char text[TEXT_NUMBER];
  const timing times = times_of(set, c);
  table_cell(t, "%s", c->name);
  table_cell(t, "%s", c->dtype ? c->dtype : "");
  table_cell(t, "%s", c->elements > 0 ? text_count(c->elements, text) : "");
  table_cell(t, "%s", text_seconds(times.median, text));
  table_cell(t, "%s", text_seconds(times.min, text));
  table_cell(t, "%s", text_seconds(times.max, text));
  cell_number(t, "%.3f", 1e-9 * rate(c, c->elements, times.median));
  cell_number(t, "%.2f", 1e-9 * rate(c, c->bytes, times.median));
  cell_number(t, "%.2f", ratio_to_fill(set, c));
  cell_against(set, c, t);
}

/* Whether the case is a device fill that is only there for comparison. */
static bool is_only_reference(const bench_set *set, const bench_case *c) {
  return c->group != BENCH_MAIN && c->fill != BENCH_NONE && &set->cases[c->fill] == c;
}

void bench_print_table(const bench_set *set) {
  static const column columns[] = {{"case", 1, 0},    {"dtype", 1, 0},   {"elements", 0, 1}, {"median", 0, 0},
                                   {"min", 0, 2},     {"max", 0, 2},     {"G elem/s", 0, 0}, {"GB/s", 0, 0},
                                   {"of fill", 0, 0}, {"compared", 1, 3}};
  table t = table_of(columns, sizeof columns / sizeof *columns);
  for (size_t i = 0; i < set->count; ++i) {
    const bench_case *c = &set->cases[i];
    if (c->selected && !is_only_reference(set, c)) add_row(set, c, &t);
  }
  table_print(&t);
  bool any = false;
  for (size_t i = 0; i < set->count; ++i) {
    if (!set->cases[i].left_out) continue;
    printf("%s%s", any ? ", " : "Left out, because the device cannot do it: ", set->cases[i].name);
    any = true;
  }
  if (any) putchar('\n');
}

/* ---- JSON -------------------------------------------------------------------------------------------------------- */

static json_t *case_to_json(const bench_set *set, const bench_case *c) {
  char label[BENCH_LABEL];
  const timing times = times_of(set, c);
  json_t *o = json_object();
  json_object_set_new(o, "name", json_string(c->name));
  json_object_set_new(o, "dtype", json_from_text(c->dtype));
  json_object_set_new(o, "elements", json_integer((json_int_t)c->elements));
  json_object_set_new(o, "bytes", json_integer((json_int_t)c->bytes));
  JSON_SET_NUMBERS(o, {"seconds_median", times.median}, {"seconds_min", times.min}, {"seconds_max", times.max},
                   {"elements_per_s", rate(c, c->elements, times.median)},
                   {"gb_per_s", 1e-9 * rate(c, c->bytes, times.median)}, {"ratio_to_fill", ratio_to_fill(set, c)},
                   {"ratio", ratio_to_other(set, c)});
  const bench_case *other = c->against == BENCH_NONE ? NULL : &set->cases[c->against];
  json_object_set_new(o, "ratio_of", other ? json_string(bench_label(other, label)) : json_null());
  return o;
}

int bench_print_json(json_t *root, const bench_set *set, failure *why) {
  json_t *results = json_array(), *left_out = json_array();
  for (const bench_case *c = set->cases; c < set->cases + set->count; ++c) {
    if (c->selected) json_array_append_new(results, case_to_json(set, c));
    if (c->left_out) json_array_append_new(left_out, json_string(c->name));
  }
  json_object_set_new(root, "results", results);
  json_object_set_new(root, "left_out", left_out);
  return json_print(root, why);
}
