/* Every pointer argument of every public function: NULL is refused in a sentence that names the argument, and nothing
 * else happens; or NULL has a meaning, which the headers say. The public headers themselves are read to see that no
 * argument is left out here. */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/support.h"

enum { MOST = 512, NAME = 96 };

/* "fanin_fill.t": what was tried so far. */
static char tried[MOST][NAME];
static size_t n_tried;

static void note(const char *function, const char *argument) {
  assert_true(n_tried < MOST);
  snprintf(tried[n_tried++], NAME, "%s.%s", function, argument);
}

/* Where results would go: no byte of it may change. */
static struct {
  fanin *f;
  fanin_plan *plan;
  fanin_probe_report *report;
  cl_context context;
  cl_device_id device;
  cl_command_queue queue;
  cl_event event;
  size_t size, indices[4];
  uint64_t u64, counts[16];
  double x, moments13[13];
  char text[64];
  fanin_dtype dtype;
  fanin_dtype_info dtype_info;
  fanin_tensor tensor;
  fanin_key key;
  fanin_init init;
  fanin_description description;
  fanin_moments moments;
  fanin_plan_facts facts;
  fanin_device_info info;
  fanin_stats stats;
  fanin_series series;
  fanin_products products;
  fanin_law law;
  fanin_law_description described;
  fanin_scheme_description scheme;
  fanin_probe_summary summary;
  fanin_probe_layer layer;
  fanin_finding finding;
  fanin_verdict verdict;
  fanin_calibrated_layer calibrated;
  fanin_theory_layer theory;
  fanin_fixed_point point;
  fanin_suggestion suggestion;
  fanin_selftest_summary checked;
} out, before;

static void refuses(const char *function, const char *argument, fanin_status status) {
  char said[NAME];
  note(function, argument);
  if (status != FANIN_STATUS_BAD_ARGUMENT)
    fail_msg("%s: NULL for %s is %s", function, argument, fanin_status_name(status));
  snprintf(said, sizeof said, "%s is NULL; ", argument);
  if (strncmp(fanin_last_error(), said, strlen(said)) != 0)
    fail_msg("%s: of %s it says \"%s\"", function, argument, fanin_last_error());
  if (memcmp(&out, &before, sizeof out) != 0) fail_msg("%s: something was written in spite of %s", function, argument);
}

#define REFUSES(function, argument, ...) refuses(#function, #argument, function(__VA_ARGS__))

/* NULL has a meaning. */
#define TAKES(function, argument) note(#function, #argument)

/* NULL is nothing to release. */
#define IGNORES(function, argument) (function(NULL), note(#function, #argument))

/* ---- The calls --------------------------------------------------------------------------------------------------- */

static const uint64_t numbers[4] = {2, 3, 4, 5};

static void devices(fanin *f) {
  REFUSES(fanin_devices, list, NULL, 1, sizeof out.info, &out.size);
  REFUSES(fanin_devices, count, &out.info, 1, sizeof out.info, NULL);
  TAKES(fanin_select, selector);
  REFUSES(fanin_select, indices, NULL, NULL, 1, &out.size);
  REFUSES(fanin_select, count, NULL, out.indices, 1, NULL);
  TAKES(fanin_select_reason, selector);
  REFUSES(fanin_select_reason, text, NULL, NULL, 1, &out.size);
  TAKES(fanin_select_reason, length);
  REFUSES(fanin_drivers, list, NULL, 1, sizeof(fanin_driver_info), &out.size);
  REFUSES(fanin_drivers, count, NULL, 0, 0, NULL);
  TAKES(fanin_open, selector);
  REFUSES(fanin_open, out, NULL, NULL);
  REFUSES(fanin_create, context, NULL, test_device(f), &out.f);
  REFUSES(fanin_create, device, test_context(f), NULL, &out.f);
  REFUSES(fanin_create, out, test_context(f), test_device(f), NULL);
  REFUSES(fanin_create_for_queue, queue, NULL, &out.f);
  REFUSES(fanin_create_for_queue, out, test_queue(f), NULL);
  IGNORES(fanin_release, f);
  REFUSES(fanin_context, f, NULL, &out.context);
  REFUSES(fanin_context, out, f, NULL);
  REFUSES(fanin_device, f, NULL, &out.device);
  REFUSES(fanin_device, out, f, NULL);
  REFUSES(fanin_queue, f, NULL, &out.queue);
  REFUSES(fanin_queue, out, f, NULL);
}

static void tensors(fanin *f, const fanin_tensor *t) {
  REFUSES(fanin_dtype_parse, text, NULL, &out.dtype);
  REFUSES(fanin_dtype_parse, out, "f32", NULL);
  REFUSES(fanin_dtype_describe, out, FANIN_DTYPE_F32, NULL, sizeof out.dtype_info);
  TAKES(fanin_tensor_of, buffer);
  TAKES(fanin_tensor_of, layout);
  REFUSES(fanin_tensor_of, shape, NULL, 0, FANIN_DTYPE_F32, NULL, 2, NULL, &out.tensor);
  REFUSES(fanin_tensor_of, out, NULL, 0, FANIN_DTYPE_F32, NULL, 2, numbers, NULL);
  TAKES(fanin_tensor_alloc, layout);
  REFUSES(fanin_tensor_alloc, f, NULL, FANIN_DTYPE_F32, NULL, 2, numbers, &out.tensor);
  REFUSES(fanin_tensor_alloc, shape, f, FANIN_DTYPE_F32, NULL, 2, NULL, &out.tensor);
  REFUSES(fanin_tensor_alloc, out, f, FANIN_DTYPE_F32, NULL, 2, numbers, NULL);
  IGNORES(fanin_tensor_free, t);
  REFUSES(fanin_tensor_slab, t, NULL, numbers, numbers, &out.tensor);
  REFUSES(fanin_tensor_slab, start, t, NULL, numbers, &out.tensor);
  REFUSES(fanin_tensor_slab, extent, t, numbers, NULL, &out.tensor);
  REFUSES(fanin_tensor_slab, out, t, numbers, numbers, NULL);
  REFUSES(fanin_tensor_range, t, NULL, 0, 1, &out.tensor);
  REFUSES(fanin_tensor_range, out, t, 0, 1, NULL);
  REFUSES(fanin_tensor_strided, t, NULL, numbers, &out.tensor);
  REFUSES(fanin_tensor_strided, strides, t, NULL, &out.tensor);
  REFUSES(fanin_tensor_strided, out, t, numbers, NULL);
  REFUSES(fanin_tensor_size, t, NULL, &out.u64, &out.u64);
  REFUSES(fanin_tensor_size, elements, t, NULL, &out.u64);
  REFUSES(fanin_tensor_size, bytes, t, &out.u64, NULL);
  REFUSES(fanin_fans, t, NULL, &out.u64, &out.u64);
  REFUSES(fanin_fans, fan_in, t, NULL, &out.u64);
  REFUSES(fanin_fans, fan_out, t, &out.u64, NULL);
  REFUSES(fanin_tensor_split, t, NULL, 0, 0, 2, &out.tensor);
  REFUSES(fanin_tensor_split, out, t, 0, 0, 2, NULL);
  REFUSES(fanin_tensor_split_range, t, NULL, 0, 2, &out.tensor);
  REFUSES(fanin_tensor_split_range, out, t, 0, 2, NULL);
  const fanin_init init = fanin_normal(0, 1);
  REFUSES(fanin_tensor_units, t, NULL, &init, out.counts, &out.u64, &out.x);
  REFUSES(fanin_tensor_units, init, t, NULL, out.counts, &out.u64, &out.x);
  REFUSES(fanin_tensor_units, unit, t, &init, NULL, &out.u64, &out.x);
  REFUSES(fanin_tensor_units, elements, t, &init, out.counts, NULL, &out.x);
  REFUSES(fanin_tensor_units, operations, t, &init, out.counts, &out.u64, NULL);
  const fanin_dlpack fields = {.data = t->buffer, .device_type = 4, .code = 2, .bits = 32, .lanes = 1};
  TAKES(fanin_tensor_of_dlpack, layout);
  REFUSES(fanin_tensor_of_dlpack, fields, NULL, NULL, &out.tensor);
  REFUSES(fanin_tensor_of_dlpack, out, &fields, NULL, NULL);
  REFUSES(fanin_tensor_svm, f, NULL, &out, t, &out.tensor);
  REFUSES(fanin_tensor_svm, svm, f, NULL, t, &out.tensor);
  REFUSES(fanin_tensor_svm, t, f, &out, NULL, &out.tensor);
  REFUSES(fanin_tensor_svm, out, f, &out, t, NULL);
}

static void initializers(const fanin_tensor *t, const fanin_init *init) {
  REFUSES(fanin_gain, activation, NULL, 0, FANIN_CRITERION_VARIANCE, &out.x);
  REFUSES(fanin_gain, gain, "relu", 0, FANIN_CRITERION_VARIANCE, NULL);
  REFUSES(fanin_init_parse, text, NULL, &out.init);
  REFUSES(fanin_init_parse, out, "ones", NULL);
  REFUSES(fanin_init_format, init, NULL, out.text, sizeof out.text, &out.size);
  REFUSES(fanin_init_format, text, init, NULL, 1, &out.size);
  TAKES(fanin_init_format, length);
  REFUSES(fanin_describe, out, FANIN_KIND_ONES, NULL, sizeof out.description);
  REFUSES(fanin_expect, t, NULL, init, &out.moments, sizeof out.moments);
  REFUSES(fanin_expect, init, t, NULL, &out.moments, sizeof out.moments);
  REFUSES(fanin_expect, out, t, init, NULL, sizeof out.moments);
  REFUSES(fanin_law_of, t, NULL, init, &out.law);
  REFUSES(fanin_law_of, init, t, NULL, &out.law);
  REFUSES(fanin_law_of, out, t, init, NULL);
  const fanin_law law = {.kind = FANIN_LAW_KIND_UNIFORM, .hi = 1};
  REFUSES(fanin_law_probability, law, NULL, 0, 0, &out.x);
  REFUSES(fanin_law_probability, out, &law, 0, 0, NULL);
  REFUSES(fanin_law_moments, law, NULL, 0, 1, out.moments13, 13);
  REFUSES(fanin_law_moments, moments, &law, 0, 1, NULL, 13);
  REFUSES(fanin_law_moments_rounded, law, NULL, FANIN_DTYPE_F16, 1, 0, 1, out.moments13, 13);
  REFUSES(fanin_law_moments_rounded, moments, &law, FANIN_DTYPE_F16, 1, 0, 1, NULL, 13);
  REFUSES(fanin_describe_law, out, FANIN_LAW_KIND_NORMAL, NULL, sizeof out.described);
  REFUSES(fanin_describe_scheme, out, 0, NULL, sizeof out.scheme);
  const char *const names[] = {"relu"};
  REFUSES(fanin_nearest_name, name, NULL, names, 1, &out.size);
  REFUSES(fanin_nearest_name, names, "relu", NULL, 1, &out.size);
  REFUSES(fanin_nearest_name, nearest, "relu", names, 1, NULL);
  REFUSES(fanin_scheme_factor, text, NULL, t, &out.x);
  REFUSES(fanin_scheme_factor, t, "fan_in", NULL, &out.x); /* a scheme without fans takes it */
  REFUSES(fanin_scheme_factor, factor, "fan_in", t, NULL);
  REFUSES(fanin_init_parse_for, text, NULL, t, &out.init);
  REFUSES(fanin_init_parse_for, t, "fan_in normal", NULL, &out.init);
  REFUSES(fanin_init_parse_for, out, "fan_in normal", t, NULL);
  REFUSES(fanin_init_scaled, init, NULL, 2, &out.init);
  REFUSES(fanin_init_scaled, out, init, 2, NULL);
  REFUSES(fanin_bin_numbers, least, FANIN_DTYPE_F32, 0, NULL, &out.x);
  REFUSES(fanin_bin_numbers, most, FANIN_DTYPE_F32, 0, &out.x, NULL);
  REFUSES(fanin_bin_number, out, FANIN_DTYPE_F32, 0, 0, NULL);
}

static void fills(fanin *f, const fanin_tensor *t, const fanin_init *init) {
  const fanin_key key = {1, 2};
  const fanin_item item = {.tensor = *t, .init = *init};
  const fanin_shard shard = {.f = f, .tensor = *t};
  fanin_plan *plan = NULL;
  REFUSES(fanin_key_named, name, 1, NULL, &out.key);
  REFUSES(fanin_key_named, out, 1, "w", NULL);
  REFUSES(fanin_fill, f, NULL, NULL, t, init, key, 0, NULL, &out.event);
  REFUSES(fanin_fill, t, f, NULL, NULL, init, key, 0, NULL, &out.event);
  REFUSES(fanin_fill, init, f, NULL, t, NULL, key, 0, NULL, &out.event);
  REFUSES(fanin_fill, wait_list, f, NULL, t, init, key, 1, NULL, &out.event);
  REFUSES(fanin_read, f, NULL, NULL, t, &out, 24, 1, 0, NULL, &out.event);
  REFUSES(fanin_read, t, f, NULL, NULL, &out, 24, 1, 0, NULL, &out.event);
  REFUSES(fanin_read, host, f, NULL, t, NULL, 24, 1, 0, NULL, &out.event);
  REFUSES(fanin_read, wait_list, f, NULL, t, &out, 24, 1, 1, NULL, &out.event);
  REFUSES(fanin_plan_create, f, NULL, &item, 1, &out.plan);
  REFUSES(fanin_plan_create, items, f, NULL, 1, &out.plan);
  REFUSES(fanin_plan_create, out, f, &item, 1, NULL);
  IGNORES(fanin_plan_release, plan);
  assert_ok(fanin_plan_create(f, &item, 1, &plan));
  REFUSES(fanin_plan_enqueue, plan, NULL, NULL, 1, 0, NULL, &out.event);
  REFUSES(fanin_plan_enqueue, wait_list, plan, NULL, 1, 1, NULL, &out.event);
  REFUSES(fanin_plan_tensor, plan, NULL, 0, &out.tensor);
  REFUSES(fanin_plan_tensor, out, plan, 0, NULL);
  REFUSES(fanin_plan_describe, plan, NULL, &out.facts, sizeof out.facts);
  REFUSES(fanin_plan_describe, out, plan, NULL, sizeof out.facts);
  fanin_plan_release(plan);
  REFUSES(fanin_warmup, f, NULL, t, init);
  REFUSES(fanin_warmup, t, f, NULL, init);
  REFUSES(fanin_warmup, init, f, t, NULL);
  REFUSES(fanin_export, f, NULL, &out, sizeof out, &out.size);
  TAKES(fanin_export, data);
  REFUSES(fanin_export, size, f, NULL, 0, NULL);
  REFUSES(fanin_import, f, NULL, &out, sizeof out);
  REFUSES(fanin_import, data, f, NULL, 0);
  REFUSES(fanin_cache, f, NULL, NULL);
  TAKES(fanin_cache, directory);
  REFUSES(fanin_fill_shards, shards, NULL, 1, init, key);
  REFUSES(fanin_fill_shards, init, &shard, 1, NULL, key);
}

static void measurements(fanin *f, const fanin_tensor *t) {
  const fanin_standard by = {0, 1};
  const fanin_pair pair = {0, 1, 0};
  fanin_lines lines = {.row_sums = &out.x, .row_prints = &out.u64};
  REFUSES(fanin_measure, f, NULL, NULL, t, 0, NULL, &out.stats, sizeof out.stats);
  REFUSES(fanin_measure, t, f, NULL, NULL, 0, NULL, &out.stats, sizeof out.stats);
  REFUSES(fanin_measure, wait_list, f, NULL, t, 1, NULL, &out.stats, sizeof out.stats);
  REFUSES(fanin_measure, out, f, NULL, t, 0, NULL, NULL, sizeof out.stats);
  REFUSES(fanin_measure_bins, f, NULL, NULL, t, FANIN_ALL_BINS, 0, NULL, out.counts);
  REFUSES(fanin_measure_bins, t, f, NULL, NULL, FANIN_ALL_BINS, 0, NULL, out.counts);
  REFUSES(fanin_measure_bins, wait_list, f, NULL, t, FANIN_ALL_BINS, 1, NULL, out.counts);
  REFUSES(fanin_measure_bins, counts, f, NULL, t, FANIN_ALL_BINS, 0, NULL, NULL);
  REFUSES(fanin_measure_series, f, NULL, NULL, t, by, numbers, 0, NULL, &out.series, sizeof out.series);
  REFUSES(fanin_measure_series, t, f, NULL, NULL, by, numbers, 0, NULL, &out.series, sizeof out.series);
  REFUSES(fanin_measure_series, lags, f, NULL, t, by, NULL, 0, NULL, &out.series, sizeof out.series);
  REFUSES(fanin_measure_series, wait_list, f, NULL, t, by, numbers, 1, NULL, &out.series, sizeof out.series);
  REFUSES(fanin_measure_series, out, f, NULL, t, by, numbers, 0, NULL, NULL, sizeof out.series);
  REFUSES(fanin_measure_lines, f, NULL, NULL, t, 2, 0, by, 0, NULL, &lines);
  REFUSES(fanin_measure_lines, t, f, NULL, NULL, 2, 0, by, 0, NULL, &lines);
  REFUSES(fanin_measure_lines, wait_list, f, NULL, t, 2, 0, by, 1, NULL, &lines);
  REFUSES(fanin_measure_lines, out, f, NULL, t, 2, 0, by, 0, NULL, NULL);
  REFUSES(fanin_measure_sample, f, NULL, NULL, t, by, t->buffer, 0, 0, NULL);
  REFUSES(fanin_measure_sample, t, f, NULL, NULL, by, t->buffer, 0, 0, NULL);
  REFUSES(fanin_measure_sample, samples, f, NULL, t, by, NULL, 0, 0, NULL);
  REFUSES(fanin_measure_sample, wait_list, f, NULL, t, by, t->buffer, 0, 1, NULL);
  REFUSES(fanin_measure_pairs, f, NULL, NULL, t->buffer, 2, 3, &pair, 1, &out.products, sizeof out.products);
  REFUSES(fanin_measure_pairs, samples, f, NULL, NULL, 2, 3, &pair, 1, &out.products, sizeof out.products);
  REFUSES(fanin_measure_pairs, pairs, f, NULL, t->buffer, 2, 3, NULL, 1, &out.products, sizeof out.products);
  REFUSES(fanin_measure_pairs, out, f, NULL, t->buffer, 2, 3, &pair, 1, NULL, sizeof out.products);
}

static void self_tests(fanin *f) {
  const fanin_selftest_config config = FANIN_SELFTEST_CONFIG_INIT;
  REFUSES(fanin_selftest, f, NULL, &config, &out.checked, sizeof out.checked);
  REFUSES(fanin_selftest, config, f, NULL, &out.checked, sizeof out.checked);
  REFUSES(fanin_selftest, out, f, &config, NULL, sizeof out.checked);
}

static void networks(fanin *f) {
  const fanin_probe_config probe = {
      .size = sizeof probe, .widths = numbers, .n_widths = 2, .activation = "relu", .batch = 1};
  const fanin_theory_config theory = {.size = sizeof theory, .widths = numbers, .n_widths = 2, .activation = "relu"};
  const fanin_calibrate_options options = FANIN_CALIBRATE_OPTIONS_INIT;
  const fanin_suggest_config suggest = {.size = sizeof suggest, .activation = "relu", .depth = 2};
  const fanin_suggestion suggestion = {.depth = 2};
  const fanin_probe_report *const some = (const void *)&out; /* never looked at */
  REFUSES(fanin_diagnosis_verdict, out, FANIN_DIAGNOSIS_SATURATED, NULL);
  REFUSES(fanin_probe_rows, config, NULL, 1, &out.u64);
  REFUSES(fanin_probe_rows, rows, &probe, 1, NULL);
  REFUSES(fanin_probe_report_summary, report, NULL, &out.summary, sizeof out.summary);
  REFUSES(fanin_probe_report_summary, out, some, NULL, sizeof out.summary);
  REFUSES(fanin_probe_report_layer, report, NULL, 0, &out.layer, sizeof out.layer);
  REFUSES(fanin_probe_report_layer, out, some, 0, NULL, sizeof out.layer);
  REFUSES(fanin_probe_report_finding, report, NULL, 0, &out.finding, sizeof out.finding);
  REFUSES(fanin_probe_report_finding, out, some, 0, NULL, sizeof out.finding);
  REFUSES(fanin_probe, f, NULL, NULL, &probe, &out.report);
  REFUSES(fanin_probe, config, f, NULL, NULL, &out.report);
  REFUSES(fanin_probe, out, f, NULL, &probe, NULL);
  IGNORES(fanin_probe_report_release, report);
  REFUSES(fanin_calibrate, f, NULL, NULL, &probe, &options, &out.calibrated, sizeof out.calibrated);
  REFUSES(fanin_calibrate, config, f, NULL, NULL, &options, &out.calibrated, sizeof out.calibrated);
  REFUSES(fanin_calibrate, options, f, NULL, &probe, NULL, &out.calibrated, sizeof out.calibrated);
  REFUSES(fanin_calibrate, layers, f, NULL, &probe, &options, NULL, sizeof out.calibrated);
  REFUSES(fanin_theory, config, NULL, &out.theory, sizeof out.theory);
  REFUSES(fanin_theory, layers, &theory, NULL, sizeof out.theory);
  REFUSES(fanin_fixed_points, activation, NULL, 0, 1, 0, &out.point, 1, sizeof out.point, &out.size);
  REFUSES(fanin_fixed_points, list, "relu", 0, 1, 0, NULL, 1, sizeof out.point, &out.size);
  REFUSES(fanin_fixed_points, count, "relu", 0, 1, 0, &out.point, 1, sizeof out.point, NULL);
  REFUSES(fanin_edge_of_chaos, activation, NULL, 0, 0, &out.x, &out.point, sizeof out.point);
  REFUSES(fanin_edge_of_chaos, sigma_w2, "relu", 0, 0, NULL, &out.point, sizeof out.point);
  TAKES(fanin_edge_of_chaos, at);
  REFUSES(fanin_suggest, config, NULL, &out.suggestion, 1, sizeof out.suggestion, &out.size);
  REFUSES(fanin_suggest, list, &suggest, NULL, 1, sizeof out.suggestion, &out.size);
  REFUSES(fanin_suggest, count, &suggest, &out.suggestion, 1, sizeof out.suggestion, NULL);
  REFUSES(fanin_suggestion_format, suggestion, NULL, sizeof suggestion, out.text, sizeof out.text, &out.size);
  REFUSES(fanin_suggestion_format, text, &suggestion, sizeof suggestion, NULL, 1, &out.size);
  TAKES(fanin_suggestion_format, length);
}

/* ---- The headers ------------------------------------------------------------------------------------------------- */

/* A header without its comments; free() it. */
static char *read_header(const char *name) {
  const char *const source = getenv("SRC");
  char path[1024];
  snprintf(path, sizeof path, "%s/include/fanin/%s.h", source ? source : ".", name);
  FILE *const file = fopen(path, "rb");
  if (!file) fail_msg("%s cannot be read", path);
  char *const text = calloc(1, 1 << 20);
  assert_non_null(text);
  assert_in_range(fread(text, 1, (1 << 20) - 1, file), 1, (1 << 20) - 2);
  assert_int_equal(fclose(file), 0);
  for (char *at = strstr(text, "/*"); at; at = strstr(at, "/*")) {
    char *const end = strstr(at, "*/");
    assert_non_null(end);
    memset(at, ' ', (size_t)(end + 2 - at));
  }
  return text;
}

static bool was_tried(const char *name) {
  for (size_t k = 0; k < n_tried; k++) {
    if (strcmp(tried[k], name) == 0) return true;
  }
  return false;
}

/* An argument that is NULL for its default in every function that has it. */
static bool has_common_default(const char *argument) {
  return strcmp(argument, "queue") == 0 || strcmp(argument, "event") == 0;
}

/* One parameter, "const fanin_tensor *t": pointers and OpenCL's handles are looked for in what was tried. */
static int check_parameter(const char *function, const char *parameter, size_t length) {
  static const char *const handles[] = {"cl_mem ", "cl_context ", "cl_device_id ", "cl_command_queue "};
  char text[256], name[NAME + sizeof text];
  snprintf(text, sizeof text, "%.*s", (int)length, parameter);
  bool pointer = strchr(text, '*') || strchr(text, '[');
  for (size_t k = 0; k < sizeof handles / sizeof *handles; k++) {
    pointer = pointer || strstr(text, handles[k]);
  }
  if (!pointer) return 0;
  const char *end = text + strcspn(text, "[");
  while (end > text && !(isalnum((unsigned char)end[-1]) || end[-1] == '_'))
    end--;
  const char *begin = end;
  while (begin > text && (isalnum((unsigned char)begin[-1]) || begin[-1] == '_'))
    begin--;
  snprintf(name, sizeof name, "%s.%.*s", function, (int)(end - begin), begin);
  if (!was_tried(name) && !has_common_default(name + strlen(function) + 1)) fail_msg("NULL was not tried for %s", name);
  return 1;
}

/* The parameters of every declaration that begins at a FANIN_API; returns how many are pointers. */
static int check_header(const char *name) {
  char *const text = read_header(name);
  int pointers = 0;
  for (char *at = strstr(text, "\nFANIN_API "); at; at = strstr(at, "\nFANIN_API ")) {
    char *const open = strchr(at, '(');
    assert_non_null(open);
    char *const close = strchr(open, ')');
    assert_non_null(close);
    char function[NAME];
    char *begin = open;
    while (isalnum((unsigned char)begin[-1]) || begin[-1] == '_')
      begin--;
    snprintf(function, sizeof function, "%.*s", (int)(open - begin), begin);
    assert_true(strncmp(function, "fanin_", 6) == 0);
    for (char *from = open + 1; from < close;) {
      const size_t length = strcspn(from, ",)");
      pointers += check_parameter(function, from, length);
      from += length + 1;
    }
    at = close;
  }
  free(text);
  return pointers;
}

static void null_is_refused_everywhere(void **state) {
  static const char *const headers[] = {"base",    "device", "tensor",  "init",  "fill",   "shard",
                                        "inspect", "scheme", "foreign", "probe", "theory", "selftest"};
  fanin *const f = *state;
  const fanin_init init = fanin_he_normal(0, FANIN_MODE_FAN_IN);
  fanin_tensor t;
  int pointers = 0;
  assert_ok(fanin_tensor_alloc(f, FANIN_DTYPE_F32, "OI", 2, numbers, &t));
  memset(&out, 0x5a, sizeof out);
  memcpy(&before, &out, sizeof out);
  devices(f);
  tensors(f, &t);
  initializers(&t, &init);
  fills(f, &t, &init);
  measurements(f, &t);
  networks(f);
  self_tests(f);
  for (size_t k = 0; k < sizeof headers / sizeof *headers; k++) {
    pointers += check_header(headers[k]);
  }
  assert_true(pointers >= 180); /* the headers were understood */
  fanin_tensor_free(&t);
}

/* Pointers within structs. */
static void null_in_structs(void **state) {
  fanin *const f = *state;
  fanin_probe_config probe = {.size = sizeof probe, .n_widths = 2, .activation = "relu", .batch = 1};
  fanin_theory_config theory = {.size = sizeof theory, .widths = numbers, .n_widths = 2};
  fanin_suggest_config suggest = {.size = sizeof suggest, .depth = 2};
  fanin_shard shard = {.tensor = {.rank = 1, .shape = {4}}};
  const fanin_init init = fanin_ones();
  memset(&out, 0x5a, sizeof out);
  memcpy(&before, &out, sizeof out);
  refuses("fanin_theory", "config->activation", fanin_theory(&theory, &out.theory, sizeof out.theory));
  theory.widths = NULL;
  refuses("fanin_theory", "config->widths", fanin_theory(&theory, &out.theory, sizeof out.theory));
  refuses("fanin_suggest", "config->activation",
          fanin_suggest(&suggest, &out.suggestion, 1, sizeof out.suggestion, &out.size));
  refuses("fanin_probe", "config->widths", fanin_probe(f, NULL, &probe, &out.report));
  assert_status(fanin_fill_shards(&shard, 1, &init, (fanin_key){0, 0}), FANIN_STATUS_BAD_ARGUMENT);
  assert_non_null(strstr(fanin_last_error(), "shards[0]: f is NULL; "));
}

/* Sizes of 0 are refused as well: nothing could be written. */
static void zero_sizes_are_refused(void **state) {
  fanin *const f = *state;
  fanin_probe_config probe = {.widths = numbers, .n_widths = 2, .activation = "relu", .batch = 1};
  memset(&out, 0x5a, sizeof out);
  memcpy(&before, &out, sizeof out);
  assert_status(fanin_devices(&out.info, 1, 0, &out.size), FANIN_STATUS_BAD_ARGUMENT);
  assert_non_null(strstr(fanin_last_error(), "stride is 0; "));
  assert_status(fanin_describe(FANIN_KIND_ONES, &out.description, 0), FANIN_STATUS_BAD_ARGUMENT);
  assert_status(fanin_describe_law(FANIN_LAW_KIND_NORMAL, &out.described, 0), FANIN_STATUS_BAD_ARGUMENT);
  assert_non_null(strstr(fanin_last_error(), "size is 0; "));
  assert_status(fanin_probe(f, NULL, &probe, &out.report), FANIN_STATUS_BAD_ARGUMENT);
  assert_non_null(strstr(fanin_last_error(), "begin with FANIN_PROBE_CONFIG_INIT"));
  assert_memory_equal(&out, &before, sizeof out);
}

static void says_newer_header(fanin_status status) {
  assert_status(status, FANIN_STATUS_BAD_ARGUMENT);
  assert_non_null(strstr(fanin_last_error(), "newer header"));
}

/* Words that a newer header may give a meaning, which this library cannot know. */
static void reserved_words_are_refused(void **state) {
  fanin *const f = *state;
  const fanin_tensor good = {.rank = 1, .shape = {4}};
  const fanin_init init = fanin_ones();
  fanin_tensor t = good;
  fanin_item item = {.tensor = good, .init = init};
  fanin_shard shard = {.f = f, .tensor = good};
  fanin_law law = {.kind = FANIN_LAW_KIND_UNIFORM, .hi = 1};
  t.reserved[3] = item.reserved[0] = shard.reserved[1] = law.reserved[2] = 1;
  memset(&out, 0x5a, sizeof out);
  memcpy(&before, &out, sizeof out);
  says_newer_header(fanin_tensor_size(&t, &out.u64, &out.u64));
  says_newer_header(fanin_plan_create(f, &item, 1, &out.plan));
  says_newer_header(fanin_fill_shards(&shard, 1, &init, (fanin_key){0, 0}));
  says_newer_header(fanin_law_probability(&law, 0.5, 0, &out.x));
  assert_memory_equal(&out, &before, sizeof out);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(null_is_refused_everywhere), cmocka_unit_test(null_in_structs),
                                     cmocka_unit_test(zero_sizes_are_refused),
                                     cmocka_unit_test(reserved_words_are_refused)};
  return cmocka_run_group_tests(tests, test_group_open, test_group_close);
}
