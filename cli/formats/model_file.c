/* Model files: JSON that describes a network's tensors, with repetition. docs/model-files.md is the specification. */
#include "formats/model.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "formats/tensor_text.h"

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
  fanin_dtype dtype; /* of tensors that name no dtype */
  const char *init;  /* of tensors that name no initializer; NULL: there is none */
} builder;

/* ---- One tensor -------------------------------------------------------------------------------------------------- */

/* A tensor's name, within repetitions. */
typedef struct expanded {
  const scope *scope;
  char name[MODEL_MAX_NAME + 1];
} expanded;

/* Copies the text with {i} replaced by the number of the repetition. */
static int read_name(const json_check *in, const char *where, const json_t *value, void *to) {
  expanded *e = to;
  const char *text = "";
  size_t used = 0;
  const int status = json_read_text(in, where, value, &text);
  while (status == STATUS_OK && *text) {
    int n;
    const size_t room = sizeof e->name - used;
    const char *close = *text == '{' ? strchr(text, '}') : NULL;
    if (*text == '}' || (*text == '{' && !close)) {
      return json_complain(in, where, "has a brace that does not belong to a {variable}");
    }
    if (close) {
      const size_t length = (size_t)(close - text) - 1;
      const scope *at = e->scope;
      while (at && (strlen(at->variable) != length || strncmp(at->variable, text + 1, length) != 0))
        at = at->outer;
      if (!at)
        return json_complain(in, where, "'{%.*s}' is not a variable of a repetition around it", (int)length, text + 1);
      n = snprintf(e->name + used, room, "%" PRId64, (int64_t)at->value);
      text = close + 1;
    } else {
      n = snprintf(e->name + used, room, "%c", *text++);
    }
    if (n < 0 || (size_t)n >= room) return json_complain(in, where, "is longer than %d bytes", MODEL_MAX_NAME);
    used += (size_t)n;
  }
  return status;
}

/* An array of sizes, into the rank and shape of a fanin_tensor. */
static int read_shape(const json_check *in, const char *where, const json_t *array, void *to) {
  fanin_tensor *t = to;
  char inner[JSON_WHERE];
  const int status = json_check_type(in, where, array, JSON_ARRAY);
  if (status != STATUS_OK) return status;
  if (json_array_size(array) > FANIN_MAX_RANK) {
    return json_complain(in, where, "has %zu dimensions; at most %d are accepted", json_array_size(array),
                         FANIN_MAX_RANK);
  }
  t->rank = (int)json_array_size(array);
  for (int d = 0; d < t->rank; ++d) {
    const json_t *value = json_array_get(array, (size_t)d);
    const json_int_t number = json_integer_value(value);
    snprintf(inner, sizeof inner, "%.490s[%d]", where, d);
    if (!json_is_integer(value))
      return json_complain(in, inner, "is %s, but must be a whole number", json_type_text(value));
    if (number < 1) return json_complain(in, inner, "is %" PRId64 ", but must be at least 1", (int64_t)number);
    t->shape[d] = (uint64_t)number;
  }
  return STATUS_OK;
}

static int read_init(const json_check *in, const char *where, const json_t *value, void *to) {
  char context[JSON_WHERE + 512];
  const int status = json_read_text(in, where, value, to);
  snprintf(context, sizeof context, "%.500s: %.500s", in->path, where);
  return status == STATUS_OK ? init_text_check(json_string_value(value), context, in->why) : status;
}

static int read_dtype(const json_check *in, const char *where, const json_t *value, void *to) {
  const int status = json_check_type(in, where, value, JSON_STRING);
  if (status != STATUS_OK) return status;
  return json_library_status(in, where, fanin_dtype_parse(json_string_value(value), to));
}

static int build_tensor(builder *b, json_t *object, const scope *s, const char *where) {
  char full[JSON_WHERE + 512];
  const char *layout = NULL;
  expanded e = {.scope = s};
  uint32_t groups = 1, splits = 1;
  fanin_dtype dtype = b->dtype;
  const char *text = b->init;
  fanin_init init;
  fanin_tensor shape = {0}, tensor;
  const json_field fields[] = {
      {"name", read_name, &e, "a 'name'"},
      {"shape", read_shape, &shape, "a 'shape', an array of whole numbers"},
      {"layout", json_read_text, &layout, NULL},
      {"groups", json_read_count, &groups, NULL},
      {"splits", json_read_count, &splits, NULL},
      {"dtype", read_dtype, &dtype, NULL},
      {"init", read_init, &text, text ? NULL : "an 'init', because defaults.init is not given"},
      {"comment", json_read_comment, NULL, NULL},
      {0}};
  int status = json_read(&b->in, where, object, fields);
  if (status != STATUS_OK) return status;
  snprintf(full, sizeof full, "%s: %s ('%.256s')", b->in.path, where, e.name);
  const fanin_status made = fanin_tensor_of(NULL, 0, dtype, layout, shape.rank, shape.shape, &tensor);
  if (made != FANIN_STATUS_OK) return library_status(b->in.why, made, full);
  tensor.groups = groups;
  tensor.splits = splits;
  status = init_text_parse(text, &tensor, &init, full, b->in.why);
  if (status != STATUS_OK) return status;
  return model_add(b->model, e.name, &tensor, &init, full, b->in.why);
}

/* ---- Lists and repetitions --------------------------------------------------------------------------------------- */

static int build_list(builder *b, const json_t *owner, const scope *s, const char *where);

/* A variable is a name as in C, in small letters. No repetition around this one may use it. */
static int check_variable(const json_check *in, const char *where, const char *variable, const scope *outer) {
  static const char first[] = "abcdefghijklmnopqrstuvwxyz_", others[] = "abcdefghijklmnopqrstuvwxyz_0123456789";
  if (!*variable || !strchr(first, variable[0]) || variable[strspn(variable, others)] != '\0') {
    return json_complain(in, where,
                         "'%.64s' is not a variable's name; write small letters, digits and _, a letter or _ first",
                         variable);
  }
  for (; outer; outer = outer->outer) {
    if (strcmp(outer->variable, variable) == 0) {
      return json_complain(in, where, "the variable '%s' is taken by a repetition around this one", variable);
    }
  }
  return STATUS_OK;
}

typedef struct repetition {
  scope scope;
  json_int_t last;
} repetition;

/* {"i": [first, last]}, both ends included. */
static int read_repeat(const json_check *in, const char *where, const json_t *repeat, void *to) {
  repetition *r = to;
  int status = json_check_type(in, where, repeat, JSON_OBJECT);
  if (status != STATUS_OK) return status;
  if (json_object_size(repeat) != 1) {
    return json_complain(in, where, "has %zu variables, but must have one; nest repetitions for more",
                         json_object_size(repeat));
  }
  void *only = json_object_iter((json_t *)repeat);
  const char *variable = r->scope.variable = json_object_iter_key(only);
  const json_t *range = json_object_iter_value(only);
  status = check_variable(in, where, variable, r->scope.outer);
  if (status != STATUS_OK) return status;
  const json_t *from = json_array_get(range, 0), *upto = json_array_get(range, 1);
  if (json_array_size(range) != 2 || !json_is_integer(from) || !json_is_integer(upto)) {
    return json_complain(in, where, "'%s' must be [first, last], two whole numbers", variable);
  }
  const json_int_t first = r->scope.value = json_integer_value(from), last = r->last = json_integer_value(upto);
  if (first >= 0 && last >= first && last - first < MAX_REPEAT) return STATUS_OK;
  return json_complain(in, where,
                       "'%s' goes from %" PRId64 " to %" PRId64 "; write 0 <= first <= last, at most %d times",
                       variable, (int64_t)first, (int64_t)last, MAX_REPEAT);
}

static int build_repeat(builder *b, json_t *object, const scope *outer, const char *where) {
  repetition r = {.scope = {.outer = outer}};
  const json_field fields[] = {
      {"repeat", read_repeat, &r, NULL}, {"tensors", NULL, NULL, NULL}, {"comment", NULL, NULL, NULL}, {0}};
  int status = json_read(&b->in, where, object, fields);
  for (; status == STATUS_OK && r.scope.value <= r.last; ++r.scope.value)
    status = build_list(b, object, &r.scope, where);
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

static int read_defaults(const json_check *in, const char *where, const json_t *defaults, void *to) {
  builder *b = to;
  const json_field fields[] = {
      {"dtype", read_dtype, &b->dtype, NULL}, {"init", read_init, &b->init, NULL}, {"comment", NULL, NULL, NULL}, {0}};
  return json_read(in, where, (json_t *)defaults, fields);
}

int model_load(const char *path, model *out, failure *why) {
  builder b = {.in = {path, why}, .model = out, .dtype = FANIN_DTYPE_F32};
  const char *name = NULL;
  const json_field fields[] = {{"name", json_read_text, &name, NULL},
                               {"source", json_read_comment, NULL, NULL},
                               {"comment", json_read_comment, NULL, NULL},
                               {"defaults", read_defaults, &b, NULL},
                               {"tensors", NULL, NULL, NULL},
                               {0}};
  json_t *root = NULL;
  *out = (model){0};
  int status = json_load_path(path, &root, why);
  if (status == STATUS_OK) status = json_read(&b.in, "", root, fields);
  if (status == STATUS_OK) status = build_list(&b, root, NULL, "");
  if (status == STATUS_OK) status = model_check(out, path, why);
  if (status == STATUS_OK && name) out->name = copy_text(name, strlen(name));
  if (status != STATUS_OK) model_free(out);
  json_decref(root);
  return status;
}
