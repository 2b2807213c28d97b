/* fanin inspect: the statistics of a file's tensors, measured on a device, beside what their initialisers promise. */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "check.h"
#include "commands.h"
#include "json.h"
#include "measure_file.h"
#include "progress.h"
#include "table.h"
#include "text.h"

enum { KEY_DEVICE = 0x100, PROGRESS_MS = 100 };

typedef struct request {
  const char *path, *device;
  bool json;
} request;

/* One tensor's row. */
typedef struct row {
  const stored_tensor *tensor;
  bool measured;
  fanin_stats stats;
  expectation expected;
  z_scores z;
  const char *verdict;
} row;

typedef struct report {
  const tensor_file *file;
  const char *device;
  row *rows; /* one a tensor */
  size_t tests, failed;
  double z_bound;
} report;

static const struct argp_option options[] = {
    {.name = "device", .key = KEY_DEVICE, .arg = "SEL", .doc = SESSION_DEVICE_HELP},
    {.name = "json", .key = 'j', .doc = "Print JSON"},
    {0}};

static int take(void *into, int key, const char *value, failure *why) {
  request *r = into;
  switch (key) {
  case 'j':
    r->json = true;
    return STATUS_OK;
  case KEY_DEVICE:
    r->device = value;
    return STATUS_OK;
  default:
    if (r->path) return args_fail(why, "'%s': one file at a time", value);
    r->path = value;
    return STATUS_OK;
  }
}

static const syntax inspect_syntax = {
    .command = "inspect",
    .options = options,
    .arguments = "FILE",
    .doc =
        "Measures every tensor of a .safetensors or .npy file on an OpenCL device. Where the file says which "
        "initialiser "
        "wrote a tensor ('fanin init' keeps that in the metadata), its std and mean are tested in standard errors, and "
        "its values against the initialiser's bounds. Exit status 1 if a test fails or a value is not finite.\v"
        "Example:\n"
        "  fanin inspect lenet.safetensors",
    .take = take,
};

/* ---- Measuring -----------------------------------------------------------------------------------------------------
 */

static int measure_rows(const session *s, report *out, failure *why) {
  measurer m = {0};
  uint64_t shown = 0;
  int status = measurer_make(s, out->file, &m, why);
  for (size_t i = 0; i < out->file->count && status == STATUS_OK; ++i) {
    const stored_tensor *t = &out->file->tensors[i];
    row *r = &out->rows[i];
    r->tensor = t;
    r->expected = expectation_of(out->file, t);
    r->z = (z_scores){NAN, NAN};
    if (!t->type->measurable) continue;
    if (shown == 0 || progress_clock() - shown >= PROGRESS_MS) {
      shown = progress_clock();
      progress_show("measuring tensor %zu of %zu: %s", i + 1, out->file->count, t->name);
    }
    status = measure_stored(&m, out->file, t, &r->stats, why);
    r->measured = status == STATUS_OK;
    if (r->measured) r->z = z_scores_of(&r->expected, &r->stats, t->type->dtype);
    out->tests += z_tests(&r->z);
  }
  progress_clear();
  measurer_free(&m);
  return status;
}

static void judge(report *out) {
  out->z_bound = out->tests > 0 ? fanin_z_bound(out->tests) : NAN;
  for (size_t i = 0; i < out->file->count; ++i) {
    row *r = &out->rows[i];
    r->verdict = r->measured ? check_tensor(&r->expected, &r->stats, r->tensor->type->dtype, &r->z, out->z_bound) : "-";
    out->failed += !check_holds(r->verdict);
  }
}

/* ---- Printing ------------------------------------------------------------------------------------------------------
 */

static void real_cell(table *t, bool there, double value) {
  char text[TEXT_NUMBER];
  table_cell(t, "%s", text_real(there ? value : NAN, text));
}

static void add_row(table *t, const row *r) {
  char text[TEXT_SHAPE], number[TEXT_NUMBER];
  const bool values = r->measured && r->stats.count > r->stats.nonfinite;
  table_cell(t, "%s", r->tensor->name[0] ? r->tensor->name : "(array)");
  table_cell(t, "%s", r->tensor->type->name);
  table_cell(t, "%s", text_shape(r->tensor->shape, r->tensor->rank, text));
  table_cell(t, "%s", text_count(r->tensor->elements, number));
  real_cell(t, values, r->stats.mean);
  real_cell(t, values, r->stats.std);
  real_cell(t, r->expected.known, r->expected.moments.std);
  table_cell(t, "%s", text_z(r->z.std, number));
  table_cell(t, "%s", text_z(r->z.mean, number));
  real_cell(t, values, r->stats.min);
  real_cell(t, values, r->stats.max);
  table_cell(t, "%s", r->verdict);
  table_cell(t, "%s", r->expected.text ? r->expected.text : "-");
}

static void print_notes(const tensor_file *f, const char *device) {
  static const struct {
    const char *key, *before;
  } notes[] = {{"model", "model "}, {"seed", "seed "}, {"stream_version", "stream version "}, {"version", "by fanin "}};
  printf("%s: %s, %zu tensor%s", f->path, f->format, f->count, f->count == 1 ? "" : "s");
  for (size_t i = 0; i < sizeof notes / sizeof *notes; ++i) {
    const char *text = tensor_file_note(f, notes[i].key, NULL);
    if (!text) continue;
    printf(", %s", notes[i].before);
    for (; *text; ++text)
      putchar((unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text);
  }
  printf("\nMeasured on %s\n\n", device);
}

static void print_table(const report *r) {
  static const column columns[] = {{"name", 1, 0},       {"dtype", 1, 5}, {"shape", 1, 4},    {"count", 0, 8},
                                   {"mean", 0, 6},       {"std", 0, 0},   {"expected", 0, 0}, {"z std", 0, 0},
                                   {"z mean", 0, 3},     {"min", 0, 7},   {"max", 0, 7},      {"check", 1, 0},
                                   {"initialiser", 1, 9}};
  table t = table_of(columns, sizeof columns / sizeof *columns);
  for (size_t i = 0; i < r->file->count; ++i)
    add_row(&t, &r->rows[i]);
  print_notes(r->file, r->device);
  table_print(&t, stdout);
  table_free(&t);
  putchar('\n');
  if (r->failed > 0) {
    printf("DOES NOT HOLD: %zu of %zu tensors", r->failed, r->file->count);
  } else if (r->tests > 0) {
    printf("HOLDS: every tensor is what its initialiser makes");
  } else {
    printf("Every value is finite; the file does not say what to expect");
  }
  if (r->tests > 0) printf(" (%zu tests, |z| up to %.2f)", r->tests, r->z_bound);
  putchar('\n');
}

static json_t *row_to_json(const row *r) {
  json_t *o = json_object();
  const bool values = r->measured && r->stats.count > r->stats.nonfinite;
  json_object_set_new(o, "name", json_string(r->tensor->name));
  json_object_set_new(o, "dtype", json_string(r->tensor->type->name));
  json_object_set_new(o, "shape", json_from_shape(r->tensor->shape, r->tensor->rank));
  json_object_set_new(o, "count", json_integer((json_int_t)r->tensor->elements));
  json_object_set_new(o, "nonfinite", r->measured ? json_integer((json_int_t)r->stats.nonfinite) : json_null());
  json_object_set_new(o, "mean", json_from_double(values ? r->stats.mean : NAN));
  json_object_set_new(o, "std", json_from_double(values ? r->stats.std : NAN));
  json_object_set_new(o, "min", json_from_double(values ? r->stats.min : NAN));
  json_object_set_new(o, "max", json_from_double(values ? r->stats.max : NAN));
  json_object_set_new(o, "init", r->expected.text ? json_string(r->expected.text) : json_null());
  json_object_set_new(o, "mean_expected", json_from_double(r->expected.known ? r->expected.moments.mean : NAN));
  json_object_set_new(o, "std_expected", json_from_double(r->expected.known ? r->expected.moments.std : NAN));
  json_object_set_new(o, "z_std", json_from_double(r->z.std));
  json_object_set_new(o, "z_mean", json_from_double(r->z.mean));
  json_object_set_new(o, "check", json_string(r->verdict));
  return o;
}

static int print_json(const report *r, failure *why) {
  json_t *root = json_object(), *tensors = json_array();
  json_object_set_new(root, "file", json_string(r->file->path));
  json_object_set_new(root, "format", json_string(r->file->format));
  json_object_set_new(root, "metadata", r->file->metadata ? json_incref(r->file->metadata) : json_object());
  json_object_set_new(root, "device", json_string(r->device));
  json_object_set_new(root, "tests", json_integer((json_int_t)r->tests));
  json_object_set_new(root, "z_bound", json_from_double(r->z_bound));
  json_object_set_new(root, "holds", json_boolean(r->failed == 0));
  for (size_t i = 0; i < r->file->count; ++i)
    json_array_append_new(tensors, row_to_json(&r->rows[i]));
  json_object_set_new(root, "tensors", tensors);
  return json_print(root, why);
}

int cmd_inspect(int argc, char **argv, failure *why) {
  request r = {0};
  session s = {0};
  tensor_file file = {.fd = -1};
  report out = {.file = &file, .device = s.device_name};
  int status = args_parse(&inspect_syntax, argc, argv, &r, why);
  if (status == STATUS_OK && !r.path) status = args_fail(why, "which file? Give a .safetensors or .npy file");
  if (status == STATUS_OK) status = tensor_file_open(r.path, &file, why);
  if (status == STATUS_OK) status = session_open(r.device, &s, why);
  if (status == STATUS_OK) {
    out.rows = allocate(file.count, sizeof *out.rows);
    status = measure_rows(&s, &out, why);
  }
  if (status == STATUS_OK) {
    judge(&out);
    if (r.json)
      status = print_json(&out, why);
    else
      print_table(&out);
  }
  if (status == STATUS_OK && out.failed > 0) status = STATUS_CHECK;
  free(out.rows);
  session_close(&s);
  tensor_file_close(&file);
  return status;
}
