/* Model files: JSON that describes a network's tensors, with repetition. docs/model-files.md is the specification. */
#include "model_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { MAX_WHERE = 512, MAX_REPEAT = MODEL_MAX_TENSORS };

/* The variables of the repetitions around an entry, innermost first. */
typedef struct scope {
  const struct scope *outer;
  const char *variable;
  json_int_t value;
} scope;

typedef struct builder {
  model *model;
  const char *path;
  fanin_dtype dtype;      /* of tensors that say none */
  const json_t *init;     /* of tensors that say none; NULL: they must */
  const char *init_where; /* where the file says so */
  failure *why;
} builder;

/* "models/x.json: tensors[3].shape: " and the sentence. */
static int complain(const builder *b, const char *where, const char *format, ...) __attribute__((format(printf, 3, 4)));

static int complain(const builder *b, const char *where, const char *format, ...) {
  char sentence[512];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(sentence, sizeof sentence, format, arguments);
  va_end(arguments);
  fail(b->why, STATUS_INPUT, "%s: %s: %s", b->path, where, sentence);
  return STATUS_INPUT;
}

static int complain_library(const builder *b, const char *where, fanin_status status) {
  char context[MAX_WHERE + 256];
  snprintf(context, sizeof context, "%s: %s", b->path, where);
  return fail_library(b->why, status, context);
}

/* "tensors[3]" and "shape[0]" make "tensors[3].shape[0]"; nests little enough not to be cut (build_list()). */
static char *place(char out[MAX_WHERE], const char *where, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static char *place(char out[MAX_WHERE], const char *where, const char *format, ...) {
  va_list arguments;
  int used = 0;
  if (where[0]) used = snprintf(out, MAX_WHERE, "%.*s.", MAX_WHERE - 2, where);
  va_start(arguments, format);
  vsnprintf(out + used, (size_t)(MAX_WHERE - used), format, arguments);
  va_end(arguments);
  return out;
}

/* ---- JSON with a place: each of these says where it is when it fails -----------------------------------------------
 */

static const char *type_name(const json_t *value) {
  static const char *const names[] = {[JSON_OBJECT] = "an object",
                                      [JSON_ARRAY] = "an array",
                                      [JSON_STRING] = "a text",
                                      [JSON_INTEGER] = "a whole number",
                                      [JSON_REAL] = "a number with a fraction",
                                      [JSON_TRUE] = "true",
                                      [JSON_FALSE] = "false",
                                      [JSON_NULL] = "null"};
  return names[json_typeof(value)];
}

static int check_type(const builder *b, const char *where, const json_t *value, json_type type) {
  static const char *const wanted[] = {[JSON_OBJECT] = "an object {...}",
                                       [JSON_ARRAY] = "an array [...]",
                                       [JSON_STRING] = "a text \"...\"",
                                       [JSON_INTEGER] = "a whole number"};
  if (json_typeof(value) == type) return STATUS_OK;
  return complain(b, where, "is %s, but must be %s", type_name(value), wanted[type]);
}

/* Every key of `object` is one of `known` (ends with NULL). */
static int check_keys(const builder *b, const char *where, json_t *object, const char *const *known) {
  const char *key;
  json_t *value;
  json_object_foreach(object, key, value) {
    size_t k = 0;
    while (known[k] && strcmp(known[k], key) != 0)
      ++k;
    if (known[k]) continue;
    char list[160] = "";
    for (k = 0; known[k]; ++k) {
      const size_t used = strlen(list);
      snprintf(list + used, sizeof list - used, "%s%s", k > 0 ? ", " : "", known[k]);
    }
    return complain(b, where, "unknown key '%.64s'; known here: %s", key, list);
  }
  return STATUS_OK;
}

/* A number of at least 1 and at most `most` under an optional key; *out stays as it is without the key. */
static int get_count(const builder *b, const char *where, const json_t *object, const char *key, uint64_t most,
                     uint64_t *out) {
  const json_t *value = json_object_get(object, key);
  char inner[MAX_WHERE];
  if (!value) return STATUS_OK;
  place(inner, where, "%s", key);
  const int status = check_type(b, inner, value, JSON_INTEGER);
  if (status != STATUS_OK) return status;
  const json_int_t number = json_integer_value(value);
  if (number < 1 || (uint64_t)number > most) {
    return complain(b, inner, "is %" PRId64 ", but must be from 1 to %" PRIu64, (int64_t)number, most);
  }
  *out = (uint64_t)number;
  return STATUS_OK;
}

/* A text under a key; *out stays as it is without the key, which is a failure if it is required. */
static int get_text(const builder *b, const char *where, const json_t *object, const char *key, bool required,
                    const char **out) {
  const json_t *value = json_object_get(object, key);
  char inner[MAX_WHERE];
  if (!value) return required ? complain(b, where, "needs a '%s'", key) : STATUS_OK;
  place(inner, where, "%s", key);
  const char *text = json_string_value(value);
  if (!text) return complain(b, inner, "is %s, but must be a text \"...\"", type_name(value));
  *out = text;
  return STATUS_OK;
}

/* ---- One tensor ----------------------------------------------------------------------------------------------------
 */

/* The text with {i} replaced by the repetition's number. */
static int expand_name(const builder *b, const char *where, const char *text, const scope *s, char *out, size_t size) {
  size_t used = 0;
  while (*text) {
    int n;
    const char *close = *text == '{' ? strchr(text, '}') : NULL;
    if (*text == '}' || (*text == '{' && !close)) {
      return complain(b, where, "has a brace that is no {variable}");
    }
    if (close) {
      const size_t length = (size_t)(close - text) - 1;
      const scope *at = s;
      while (at && (strlen(at->variable) != length || strncmp(at->variable, text + 1, length) != 0))
        at = at->outer;
      if (!at) return complain(b, where, "'{%.*s}' is no variable of a repetition around it", (int)length, text + 1);
      n = snprintf(out + used, size - used, "%" PRId64, (int64_t)at->value);
      text = close + 1;
    } else {
      n = snprintf(out + used, size - used, "%c", *text++);
    }
    if (n < 0 || (size_t)n >= size - used) return complain(b, where, "is longer than %d bytes", MODEL_MAX_NAME);
    used += (size_t)n;
  }
  out[used] = '\0';
  return STATUS_OK;
}

static int read_shape(const builder *b, const char *where, const json_t *object, uint64_t *shape, int *rank) {
  const json_t *array = json_object_get(object, "shape");
  char inner[MAX_WHERE];
  if (!array) return complain(b, where, "needs a 'shape', an array of whole numbers");
  place(inner, where, "shape");
  const int status = check_type(b, inner, array, JSON_ARRAY);
  if (status != STATUS_OK) return status;
  if (json_array_size(array) > FANIN_MAX_RANK) {
    return complain(b, inner, "has %zu dimensions; at most %d are accepted", json_array_size(array), FANIN_MAX_RANK);
  }
  *rank = (int)json_array_size(array);
  for (int d = 0; d < *rank; ++d) {
    const json_t *value = json_array_get(array, (size_t)d);
    const json_int_t number = json_integer_value(value);
    place(inner, where, "shape[%d]", d);
    if (!json_is_integer(value)) return complain(b, inner, "is %s, but must be a whole number", type_name(value));
    if (number < 1) return complain(b, inner, "is %" PRId64 ", but must be at least 1", (int64_t)number);
    shape[d] = (uint64_t)number;
  }
  return STATUS_OK;
}

/* Its own "init", else the default. */
static int read_init(const builder *b, const char *where, const json_t *object, fanin_init *out) {
  const json_t *value = json_object_get(object, "init");
  char inner[MAX_WHERE];
  place(inner, where, "init");
  if (!value) {
    if (!b->init) return complain(b, where, "needs an 'init', because defaults.init is not given");
    value = b->init;
    snprintf(inner, sizeof inner, "%s", b->init_where);
  }
  const int status = check_type(b, inner, value, JSON_STRING);
  if (status != STATUS_OK) return status;
  const fanin_status parsed = fanin_init_parse(json_string_value(value), out);
  return parsed == FANIN_OK ? STATUS_OK : complain_library(b, inner, parsed);
}

static int read_dtype(const builder *b, const char *where, const json_t *object, fanin_dtype *out) {
  const char *text = NULL;
  char inner[MAX_WHERE];
  *out = b->dtype;
  const int status = get_text(b, where, object, "dtype", false, &text);
  if (status != STATUS_OK || !text) return status;
  place(inner, where, "dtype");
  const fanin_status parsed = fanin_dtype_parse(text, out);
  return parsed == FANIN_OK ? STATUS_OK : complain_library(b, inner, parsed);
}

static int build_tensor(builder *b, json_t *object, const scope *s, const char *where) {
  static const char *const known[] = {"name", "shape", "layout", "groups", "splits", "dtype", "init", "comment", NULL};
  char name[MODEL_MAX_NAME + 1], inner[MAX_WHERE], full[MAX_WHERE + 512];
  const char *text = "", *layout = NULL, *comment;
  uint64_t shape[FANIN_MAX_RANK], groups = 1, splits = 1;
  int rank = 0;
  fanin_dtype dtype = b->dtype;
  fanin_init init;

  int status = check_keys(b, where, object, known);
  if (status == STATUS_OK) status = get_text(b, where, object, "name", true, &text);
  place(inner, where, "name");
  if (status == STATUS_OK) status = expand_name(b, inner, text, s, name, sizeof name);
  if (status == STATUS_OK) status = read_shape(b, where, object, shape, &rank);
  if (status == STATUS_OK) status = get_text(b, where, object, "layout", false, &layout);
  if (status == STATUS_OK) status = get_text(b, where, object, "comment", false, &comment);
  if (status == STATUS_OK) status = get_count(b, where, object, "groups", UINT32_MAX, &groups);
  if (status == STATUS_OK) status = get_count(b, where, object, "splits", UINT32_MAX, &splits);
  if (status == STATUS_OK) status = read_dtype(b, where, object, &dtype);
  if (status == STATUS_OK) status = read_init(b, where, object, &init);
  if (status != STATUS_OK) return status;

  fanin_tensor tensor = fanin_tensor_of(NULL, 0, dtype, layout, rank, shape);
  tensor.groups = (uint32_t)groups;
  tensor.splits = (uint32_t)splits;
  snprintf(full, sizeof full, "%s: %s ('%.256s')", b->path, where, name);
  return model_add(b->model, name, &tensor, &init, full, b->why);
}

/* ---- Lists and repetitions -----------------------------------------------------------------------------------------
 */

static int build_list(builder *b, const json_t *owner, const scope *s, const char *where);

/* A name as in C, in small letters, that no repetition around it has. */
static int check_variable(const builder *b, const char *where, const char *variable, const scope *outer) {
  static const char first[] = "abcdefghijklmnopqrstuvwxyz_", others[] = "abcdefghijklmnopqrstuvwxyz_0123456789";
  if (!*variable || !strchr(first, variable[0]) || variable[strspn(variable, others)] != '\0') {
    return complain(b, where, "'%.64s' is no variable: small letters, digits and _, a letter first", variable);
  }
  for (; outer; outer = outer->outer) {
    if (strcmp(outer->variable, variable) == 0) {
      return complain(b, where, "the variable '%s' is taken by a repetition around this one", variable);
    }
  }
  return STATUS_OK;
}

/* {"i": [first, last]}, both ends included. */
static int read_repeat(const builder *b, const json_t *object, const char *where, const scope *outer,
                       const char **variable, json_int_t *first, json_int_t *last) {
  json_t *repeat = json_object_get(object, "repeat");
  char inner[MAX_WHERE];
  place(inner, where, "repeat");
  int status = check_type(b, inner, repeat, JSON_OBJECT);
  if (status != STATUS_OK) return status;
  if (json_object_size(repeat) != 1) {
    return complain(b, inner, "has %zu variables, but must have one; nest repetitions for more",
                    json_object_size(repeat));
  }
  void *only = json_object_iter(repeat);
  *variable = json_object_iter_key(only);
  const json_t *range = json_object_iter_value(only);
  status = check_variable(b, inner, *variable, outer);
  if (status != STATUS_OK) return status;
  const json_t *from = json_array_get(range, 0), *to = json_array_get(range, 1);
  if (json_array_size(range) != 2 || !json_is_integer(from) || !json_is_integer(to)) {
    return complain(b, inner, "'%s' must be [first, last], two whole numbers", *variable);
  }
  *first = json_integer_value(from);
  *last = json_integer_value(to);
  if (*first < 0 || *last < *first || *last - *first >= MAX_REPEAT) {
    return complain(b, inner,
                    "'%s' goes from %" PRId64 " to %" PRId64 "; accepted is 0 <= first <= last, at most %d "
                    "times",
                    *variable, (int64_t)*first, (int64_t)*last, MAX_REPEAT);
  }
  return STATUS_OK;
}

static int build_repeat(builder *b, json_t *object, const scope *outer, const char *where) {
  static const char *const known[] = {"repeat", "tensors", "comment", NULL};
  scope inner = {.outer = outer};
  json_int_t last = 0;
  int status = check_keys(b, where, object, known);
  if (status == STATUS_OK) status = read_repeat(b, object, where, outer, &inner.variable, &inner.value, &last);
  for (; status == STATUS_OK && inner.value <= last; ++inner.value)
    status = build_list(b, object, &inner, where);
  return status;
}

/* The "tensors" of the file or of a repetition. Never empty, so that each round of a repetition adds a tensor and the
 * limit on tensors also ends nested repetitions. */
static int build_list(builder *b, const json_t *owner, const scope *s, const char *where) {
  const json_t *list = json_object_get(owner, "tensors");
  char inner[MAX_WHERE];
  place(inner, where, "tensors");
  if (!list) return complain(b, where[0] ? where : "the file", "needs 'tensors', an array");
  int status = check_type(b, inner, list, JSON_ARRAY);
  if (status == STATUS_OK && json_array_size(list) == 0) status = complain(b, inner, "is empty");
  for (size_t i = 0; status == STATUS_OK && i < json_array_size(list); ++i) {
    json_t *entry = json_array_get(list, i);
    if (strlen(place(inner, where, "tensors[%zu]", i)) > MAX_WHERE - 64) {
      return complain(b, "tensors", "repetitions are nested too deeply");
    }
    status = check_type(b, inner, entry, JSON_OBJECT);
    if (status != STATUS_OK) break;
    status = json_object_get(entry, "repeat") ? build_repeat(b, entry, s, inner) : build_tensor(b, entry, s, inner);
  }
  return status;
}

/* ---- The file ------------------------------------------------------------------------------------------------------
 */

static int read_defaults(builder *b, const json_t *root) {
  static const char *const known[] = {"dtype", "init", "comment", NULL};
  json_t *defaults = json_object_get(root, "defaults");
  if (!defaults) return STATUS_OK;
  int status = check_type(b, "defaults", defaults, JSON_OBJECT);
  if (status == STATUS_OK) status = check_keys(b, "defaults", defaults, known);
  if (status == STATUS_OK) status = read_dtype(b, "defaults", defaults, &b->dtype);
  if (status != STATUS_OK) return status;
  fanin_init unused;
  b->init = json_object_get(defaults, "init");
  return b->init ? read_init(b, "defaults", defaults, &unused) : STATUS_OK;
}

int model_build(json_t *root, const char *path, model *out, failure *why) {
  static const char *const known[] = {"name", "source", "comment", "defaults", "tensors", NULL};
  builder b = {.model = out, .path = path, .dtype = FANIN_F32, .init_where = "defaults.init", .why = why};
  const char *name = NULL, *ignored;
  *out = (model){0};
  int status = check_type(&b, "the file", root, JSON_OBJECT);
  if (status == STATUS_OK) status = check_keys(&b, "the file", root, known);
  if (status == STATUS_OK) status = get_text(&b, "", root, "name", false, &name);
  if (status == STATUS_OK) status = get_text(&b, "", root, "source", false, &ignored);
  if (status == STATUS_OK) status = get_text(&b, "", root, "comment", false, &ignored);
  if (status == STATUS_OK) status = read_defaults(&b, root);
  if (status == STATUS_OK) status = build_list(&b, root, NULL, "");
  if (status == STATUS_OK) status = model_check(out, path, why);
  if (status == STATUS_OK && name) out->name = copy_text(name, strlen(name));
  if (status != STATUS_OK) model_free(out);
  return status;
}

int model_load(const char *path, model *out, failure *why) {
  json_error_t error;
  *out = (model){0};
  FILE *file = fopen(path, "rbe");
  if (!file) return fail(why, STATUS_INPUT, "%s: cannot open it: %s", path, strerror(errno));
  json_t *root = json_loadf(file, JSON_REJECT_DUPLICATES, &error);
  const int unreadable = ferror(file) ? errno : 0; /* a directory, for one: jansson calls that the end of the file */
  fclose(file);
  if (unreadable) {
    json_decref(root);
    return fail(why, STATUS_INPUT, "%s: cannot read it: %s", path, strerror(unreadable));
  }
  if (!root) return fail(why, STATUS_INPUT, "%s: line %d, column %d: %s", path, error.line, error.column, error.text);
  const int status = model_build(root, path, out, why);
  json_decref(root);
  return status;
}
