/* fanin selftest: the table and the JSON. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/table.h"
#include "base/terminal.h"
#include "base/text.h"
#include "selftest/selftest.h"

/* ---- Text -------------------------------------------------------------------------------------------------------- */

static const selftest_result *find(const selftest_results *r, const char *check, fanin_dtype dtype) {
  for (size_t i = 0; i < r->count; ++i) {
    if (r->list[i].dtype == dtype && strcmp(r->list[i].check, check) == 0) return &r->list[i];
  }
  return NULL;
}

/* How many fills are right; "-" where there are none. */
static void print_cell(table *t, const selftest_result *result) {
  if (!result || result->fills == 0) {
    table_cell(t, "%s", result && result->status != FANIN_STATUS_OK ? "refused" : "-");
  } else if (result->wrong > 0) {
    table_cell(t, "%zu wrong", result->wrong);
  } else {
    table_cell(t, "%zu", result->fills);
  }
}

/* A line for each check, a column for each dtype. */
static void print_checks(const selftest_results *r) {
  column columns[FANIN_DTYPE_COUNT + 1] = {{"fills that are right", 1, 0}};
  for (int d = 0; d < FANIN_DTYPE_COUNT; ++d)
    columns[d + 1] = (column){fanin_dtype_name((fanin_dtype)d), 0, 0};
  table t = table_of(columns, sizeof columns / sizeof *columns);
  const char *last = "";
  for (size_t i = 0; i < r->count; ++i) {
    if (strcmp(r->list[i].check, last) == 0) continue;
    last = r->list[i].check;
    table_cell(&t, "%s", last);
    for (int d = 0; d < FANIN_DTYPE_COUNT; ++d)
      print_cell(&t, find(r, last, (fanin_dtype)d));
  }
  table_print(&t);
}

static void print_rates(const selftest_rates *rates) {
  static const column columns[] = {{"rate", 1, 0}, {"GB/s", 0, 0}, {"of fill", 0, 0}, {"of copy", 0, 0}};
  char bytes[TEXT_NUMBER];
  if (rates->count == 0) return;
  printf("\nRates, %s at once, beside the device's own fill and copy\n", text_memory(rates->bytes, bytes));
  table t = table_of(columns, sizeof columns / sizeof *columns);
  for (size_t i = 0; i < rates->count; ++i) {
    const selftest_rate *rate = &rates->list[i];
    table_cell(&t, "%s", rate->name);
    table_cell(&t, "%.2f", rate->gb_per_s);
    table_cell(&t, "%.2f", rate->of_fill);
    table_cell(&t, "%.2f", rate->of_copy);
  }
  table_print(&t);
}

/* Whether the result's sentence is a refusal's. */
static bool is_refusal(const selftest_result *result) {
  return result->status != FANIN_STATUS_OK && result->wrong == 0;
}

/* Whether no earlier result says so in the same words. */
static bool is_new_refusal(const selftest_results *r, size_t at) {
  if (!is_refusal(&r->list[at])) return false;
  for (size_t i = 0; i < at; ++i) {
    if (is_refusal(&r->list[i]) && strcmp(r->list[i].sentence, r->list[at].sentence) == 0) return false;
  }
  return true;
}

/* What fanin does not fill there, and why. */
static void print_refusals(const selftest_results *r) {
  for (size_t i = 0; i < r->count; ++i) {
    if (is_new_refusal(r, i)) terminal_line(stdout, 2, "Refused: %s", r->list[i].sentence);
  }
}

void selftest_print(const fanin_device_info *device, const selftest_results *r, const selftest_rates *rates) {
  const fanin_selftest_summary *s = &r->summary;
  char fills[TEXT_NUMBER];
  terminal_line(stdout, 2, "Device: %s", device->name);
  terminal_line(stdout, 2, "Driver: %s, %s, %s", device->platform_name, device->driver, device->version);
  putchar('\n');
  print_checks(r);
  print_rates(rates);
  putchar('\n');
  print_refusals(r);
  if (s->wrong > 0) {
    terminal_line(stdout, 2, "First difference: %s", s->first_wrong);
    terminal_line(stdout, 2, "FAILS: %zu of %s fill%s are not stream v%d. Please report this with the lines above.",
                  s->wrong, text_count(s->fills, fills), text_plural(s->fills), fanin_stream_version());
  } else {
    terminal_line(stdout, 2, "HOLDS: %s fill%s, each with the bits of stream v%d%s.", text_count(s->fills, fills),
                  text_plural(s->fills), fanin_stream_version(), s->refused > 0 ? ", but for what is refused" : "");
  }
}

/* ---- JSON -------------------------------------------------------------------------------------------------------- */

static json_t *result_to_json(const selftest_result *r) {
  json_t *o = json_object();
  json_object_set_new(o, "check", json_string(r->check));
  json_object_set_new(o, "dtype", json_string(fanin_dtype_name(r->dtype)));
  json_object_set_new(o, "fills", json_integer((json_int_t)r->fills));
  json_object_set_new(o, "wrong", json_integer((json_int_t)r->wrong));
  json_object_set_new(o, "refused", json_boolean(r->status != FANIN_STATUS_OK));
  json_object_set_new(o, "sentence", r->sentence[0] ? json_string(r->sentence) : json_null());
  return o;
}

static json_t *rate_to_json(const selftest_rate *rate) {
  json_t *o = json_object();
  json_object_set_new(o, "name", json_string(rate->name));
  JSON_SET_NUMBERS(o, {"gb_per_s", rate->gb_per_s}, {"ratio_to_fill", rate->of_fill}, {"ratio_to_copy", rate->of_copy});
  return o;
}

int selftest_print_json(const fanin_device_info *device, const selftest_results *r, const selftest_rates *rates,
                        bool full, failure *why) {
  json_t *root = json_object(), *results = json_array(), *list = json_array();
  for (size_t i = 0; i < r->count; ++i)
    json_array_append_new(results, result_to_json(&r->list[i]));
  for (size_t i = 0; i < rates->count; ++i)
    json_array_append_new(list, rate_to_json(&rates->list[i]));
  json_object_set_new(root, "fanin", json_string(fanin_version()));
  json_object_set_new(root, "stream_version", json_integer(fanin_stream_version()));
  json_object_set_new(root, "device", json_string(device->name));
  json_object_set_new(root, "platform", json_string(device->platform_name));
  json_object_set_new(root, "driver", json_string(device->driver));
  json_object_set_new(root, "version", json_string(device->version));
  json_object_set_new(root, "full", json_boolean(full));
  json_object_set_new(root, "holds", json_boolean(r->summary.wrong == 0));
  json_object_set_new(root, "fills", json_integer((json_int_t)r->summary.fills));
  json_object_set_new(root, "wrong", json_integer((json_int_t)r->summary.wrong));
  json_object_set_new(root, "refused_dtypes", json_integer((json_int_t)r->summary.refused));
  json_object_set_new(root, "results", results);
  json_object_set_new(root, "bytes_of_rates", json_integer((json_int_t)rates->bytes));
  json_object_set_new(root, "rates", list);
  return json_print(root, why);
}
