/* Model files: JSON that describes a network's tensors, with repetition. docs/model-files.md is the specification. */
#include "formats/model_file.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"

enum { MAX_REPEAT = MODEL_MAX_TENSORS };

/* The variables of the repetitions around an entry, innermost first. */
typedef struct scope {
  const struct scope *outer;
  const char *variable;
  json_int_t value;
} scope;

typedef struct builder {
  json_check in;
  model *model;
  fanin_dtype dtype;      /* of tensors that name no dtype */
  const json_t *init;     /* of tensors that name no initializer; NULL: they must name one */
  const char *init_where; /* the place of `init` in the file */
} builder;

/* ---- One tensor -------------------------------------------------------------------------------------------------- */

/* Copies the text with {i} replaced by the number of the repetition. */
static int expand_name(const builder *b, const char *where, const char *text, const scope *s, char *out, size_t size) {
  size_t used = 0;
  while (*text) {
    int n;
    const char *close = *text == '{' ? strchr(text, '}') : NULL;
    if (*text == '}' || (*text == '{' && !close)) {
      return json_complain(&b->in, where, "has a brace that does not belong to a {variable}");
    }
    if (close) {
      const size_t length = (size_t)(close - text) - 1;
      const scope *at = s;
      while (at && (strlen(at->variable) != length || strncmp(at->variable, text + 1, length) != 0))
        at = at->outer;
      if (!at)
        return json_complain(&b->in, where, "'{%.*s}' is not a variable of a repetition around it", (int)length,
                             text + 1);
      n = snprintf(out + used, size - used, "%" PRId64, (int64_t)at->value);
      text = close + 1;
    } else {
      n = snprintf(out + used, size - used, "%c", *text++);
    }
    if (n < 0 || (size_t)n >= size - used)
      return json_complain(&b->in, where, "is longer than %d bytes", MODEL_MAX_NAME);
    used += (size_t)n;
  }
  out[used] = '\0';
  return STATUS_OK;
}

static int read_shape(const builder *b, const char *where, const json_t *object, uint64_t *shape, int *rank) {
  const json_t *array = json_object_get(object, "shape");
  char inner[JSON_WHERE];
  if (!array) return json_complain(&b->in, where, "needs a 'shape', an array of whole numbers");
  json_place(inner, where, "shape");
  const int status = json_check_type(&b->in, inner, array, JSON_ARRAY);
  if (status != STATUS_OK) return status;
  if (json_array_size(array) > FANIN_MAX_RANK) {
    return json_complain(&b->in, inner, "has %zu dimensions; at most %d are accepted", json_array_size(array),
                         FANIN_MAX_RANK);
  }
  *rank = (int)json_array_size(array);
  for (int d = 0; d < *rank; ++d) {
    const json_t *value = json_array_get(array, (size_t)d);
    const json_int_t number = json_integer_value(value);
    json_place(inner, where, "shape[%d]", d);
    if (!json_is_integer(value))
      return json_complain(&b->in, inner, "is %s, but must be a whole number", json_type_text(value));
    if (number < 1) return json_complain(&b->in, inner, "is %" PRId64 ", but must be at least 1", (int64_t)number);
    shape[d] = (uint64_t)number;
  }
  return STATUS_OK;
}

/* Reads the tensor's own "init", or else the default. */
static int read_init(const builder *b, const char *where, const json_t *object, fanin_init *out) {
  const json_t *value = json_object_get(object, "init");
  char inner[JSON_WHERE];
  json_place(inner, where, "init");
  if (!value) {
    if (!b->init) return json_complain(&b->in, where, "needs an 'init', because defaults.init is not given");
    value = b->init;
    snprintf(inner, sizeof inner, "%s", b->init_where);
  }
  const int status = json_check_type(&b->in, inner, value, JSON_STRING);
  if (status != STATUS_OK) return status;
  return json_library_status(&b->in, inner, fanin_init_parse(json_string_value(value), out));
}

static int read_dtype(const builder *b, const char *where, const json_t *object, fanin_dtype *out) {
  const char *text = NULL;
  char inner[JSON_WHERE];
  *out = b->dtype;
  const int status = json_get_text(&b->in, where, object, "dtype", false, &text);
  if (status != STATUS_OK || !text) return status;
  json_place(inner, where, "dtype");
  return json_library_status(&b->in, inner, fanin_dtype_parse(text, out));
}

static int build_tensor(builder *b, json_t *object, const scope *s, const char *where) {
  static const char *const known[] = {"name", "shape", "layout", "groups", "splits", "dtype", "init", "comment", NULL};
  char name[MODEL_MAX_NAME + 1], inner[JSON_WHERE], full[JSON_WHERE + 512];
  const char *text = "", *layout = NULL, *comment;
  uint64_t shape[FANIN_MAX_RANK], groups = 1, splits = 1;
  int rank = 0;
  fanin_dtype dtype = b->dtype;
  fanin_init init;

  int status = json_check_keys(&b->in, where, object, known);
  if (status == STATUS_OK) status = json_get_text(&b->in, where, object, "name", true, &text);
  json_place(inner, where, "name");
  if (status == STATUS_OK) status = expand_name(b, inner, text, s, name, sizeof name);
  if (status == STATUS_OK) status = read_shape(b, where, object, shape, &rank);
  if (status == STATUS_OK) status = json_get_text(&b->in, where, object, "layout", false, &layout);
  if (status == STATUS_OK) status = json_get_text(&b->in, where, object, "comment", false, &comment);
  if (status == STATUS_OK) status = json_get_count(&b->in, where, object, "groups", UINT32_MAX, &groups);
  if (status == STATUS_OK) status = json_get_count(&b->in, where, object, "splits", UINT32_MAX, &splits);
  if (status == STATUS_OK) status = read_dtype(b, where, object, &dtype);
  if (status == STATUS_OK) status = read_init(b, where, object, &init);
  if (status != STATUS_OK) return status;

  fanin_tensor tensor;
  snprintf(full, sizeof full, "%s: %s ('%.256s')", b->in.path, where, name);
  const fanin_status made = fanin_tensor_of(NULL, 0, dtype, layout, rank, shape, &tensor);
  if (made != FANIN_STATUS_OK) return library_status(b->in.why, made, full);
  tensor.groups = (uint32_t)groups;
  tensor.splits = (uint32_t)splits;
  return model_add(b->model, name, &tensor, &init, full, b->in.why);
}

/* ---- Lists and repetitions --------------------------------------------------------------------------------------- */

static int build_list(builder *b, const json_t *owner, const scope *s, const char *where);

/* A variable is a name as in C, in small letters. No repetition around this one may use it. */
static int check_variable(const builder *b, const char *where, const char *variable, const scope *outer) {
  static const char first[] = "abcdefghijklmnopqrstuvwxyz_", others[] = "abcdefghijklmnopqrstuvwxyz_0123456789";
  if (!*variable || !strchr(first, variable[0]) || variable[strspn(variable, others)] != '\0') {
    return json_complain(&b->in, where,
                         "'%.64s' is not a variable's name; write small letters, digits and _, a letter or _ first",
                         variable);
  }
  for (; outer; outer = outer->outer) {
    if (strcmp(outer->variable, variable) == 0) {
      return json_complain(&b->in, where, "the variable '%s' is taken by a repetition around this one", variable);
    }
  }
  return STATUS_OK;
}

/* {"i": [first, last]}, both ends included. */
static int read_repeat(const builder *b, const json_t *object, const char *where, const scope *outer,
                       const char **variable, json_int_t *first, json_int_t *last) {
  json_t *repeat = json_object_get(object, "repeat");
  char inner[JSON_WHERE];
  json_place(inner, where, "repeat");
  int status = json_check_type(&b->in, inner, repeat, JSON_OBJECT);
  if (status != STATUS_OK) return status;
  if (json_object_size(repeat) != 1) {
    return json_complain(&b->in, inner, "has %zu variables, but must have one; nest repetitions for more",
                         json_object_size(repeat));
  }
  void *only = json_object_iter(repeat);
  *variable = json_object_iter_key(only);
  const json_t *range = json_object_iter_value(only);
  status = check_variable(b, inner, *variable, outer);
  if (status != STATUS_OK) return status;
  const json_t *from = json_array_get(range, 0), *to = json_array_get(range, 1);
  if (json_array_size(range) != 2 || !json_is_integer(from) || !json_is_integer(to)) {
    return json_complain(&b->in, inner, "'%s' must be [first, last], two whole numbers", *variable);
  }
  *first = json_integer_value(from);
  *last = json_integer_value(to);
  if (*first < 0 || *last < *first || *last - *first >= MAX_REPEAT) {
    return json_complain(&b->in, inner,
                         "'%s' goes from %" PRId64 " to %" PRId64 "; write 0 <= first <= last, at most %d "
                         "times",
                         *variable, (int64_t)*first, (int64_t)*last, MAX_REPEAT);
  }
  return STATUS_OK;
}

static int build_repeat(builder *b, json_t *object, const scope *outer, const char *where) {
  static const char *const known[] = {"repeat", "tensors", "comment", NULL};
  scope inner = {.outer = outer};
  json_int_t last = 0;
  int status = json_check_keys(&b->in, where, object, known);
  if (status == STATUS_OK) status = read_repeat(b, object, where, outer, &inner.variable, &inner.value, &last);
  for (; status == STATUS_OK && inner.value <= last; ++inner.value)
    status = build_list(b, object, &inner, where);
  return status;
}

/* Builds the "tensors" of the file or of a repetition. The list must not be empty: each round of a repetition then adds
 * a tensor, so that the limit on tensors also ends nested repetitions. */
static int build_list(builder *b, const json_t *owner, const scope *s, const char *where) {
  const json_t *list = json_object_get(owner, "tensors");
  char inner[JSON_WHERE];
  json_place(inner, where, "tensors");
  if (!list) return json_complain(&b->in, where[0] ? where : "the file", "needs 'tensors', an array");
  int status = json_check_type(&b->in, inner, list, JSON_ARRAY);
  if (status == STATUS_OK && json_array_size(list) == 0) status = json_complain(&b->in, inner, "is empty");
  for (size_t i = 0; status == STATUS_OK && i < json_array_size(list); ++i) {
    json_t *entry = json_array_get(list, i);
    if (strlen(json_place(inner, where, "tensors[%zu]", i)) > JSON_WHERE - 64) {
      return json_complain(&b->in, "tensors", "repetitions are nested too deeply");
    }
    status = json_check_type(&b->in, inner, entry, JSON_OBJECT);
    if (status != STATUS_OK) break;
    status = json_object_get(entry, "repeat") ? build_repeat(b, entry, s, inner) : build_tensor(b, entry, s, inner);
  }
  return status;
}

/* ---- The file ---------------------------------------------------------------------------------------------------- */

static int read_defaults(builder *b, const json_t *root) {
  static const char *const known[] = {"dtype", "init", "comment", NULL};
  json_t *defaults = json_object_get(root, "defaults");
  if (!defaults) return STATUS_OK;
  int status = json_check_type(&b->in, "defaults", defaults, JSON_OBJECT);
  if (status == STATUS_OK) status = json_check_keys(&b->in, "defaults", defaults, known);
  if (status == STATUS_OK) status = read_dtype(b, "defaults", defaults, &b->dtype);
  if (status != STATUS_OK) return status;
  fanin_init unused;
  b->init = json_object_get(defaults, "init");
  return b->init ? read_init(b, "defaults", defaults, &unused) : STATUS_OK;
}

static int model_build(json_t *root, const char *path, model *out, failure *why) {
  static const char *const known[] = {"name", "source", "comment", "defaults", "tensors", NULL};
  builder b = {.in = {path, why}, .model = out, .dtype = FANIN_DTYPE_F32, .init_where = "defaults.init"};
  const char *name = NULL, *ignored;
  *out = (model){0};
  int status = json_check_type(&b.in, "the file", root, JSON_OBJECT);
  if (status == STATUS_OK) status = json_check_keys(&b.in, "the file", root, known);
  if (status == STATUS_OK) status = json_get_text(&b.in, "", root, "name", false, &name);
  if (status == STATUS_OK) status = json_get_text(&b.in, "", root, "source", false, &ignored);
  if (status == STATUS_OK) status = json_get_text(&b.in, "", root, "comment", false, &ignored);
  if (status == STATUS_OK) status = read_defaults(&b, root);
  if (status == STATUS_OK) status = build_list(&b, root, NULL, "");
  if (status == STATUS_OK) status = model_check(out, path, why);
  if (status == STATUS_OK && name) out->name = copy_text(name, strlen(name));
  if (status != STATUS_OK) model_free(out);
  return status;
}

int model_load(const char *path, model *out, failure *why) {
  json_t *root = NULL;
  *out = (model){0};
  int status = json_load_path(path, &root, why);
  if (status == STATUS_OK) status = model_build(root, path, out, why);
  json_decref(root);
  return status;
}
