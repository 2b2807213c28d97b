/* Model files: JSON that describes a network's tensors, with repetition. docs/model-files.md is the specification. */
#include "formats/model.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/args.h"
#include "base/json.h"
#include "base/text.h"
#include "formats/expression.h"
#include "formats/tensor_text.h"

enum { MAX_REPEAT = MODEL_MAX_TENSORS };

/* The variables of the repetitions around an entry, innermost first. */
typedef struct scope {
  const struct scope *outer;
  const char *variable;
  uint64_t value;
} scope;

typedef struct builder {
  json_check in;
  model *model;
  const json_t *set; /* values that the caller gives; NULL: none */
  json_t *values;    /* the file's, as numbers; NULL: none */
  fanin_dtype dtype; /* of tensors that name no dtype */
  const char *init;  /* of tensors that name no initializer; NULL: there is none */
} builder;

/* ---- Expressions ------------------------------------------------------------------------------------------------- */

/* What the names of an expression stand for. */
typedef struct number_names {
  const builder *b;
  const scope *scope;
  const tensor_facts *tensor; /* NULL: there is no tensor yet */
  const char *where;
} number_names;

static int unknown(const number_names *n, const char *name, failure *why) {
  enum { MOST = 32 };
  char sentence[TEXT_KNOWN];
  const char *known[MOST + TENSOR_NAMES], *key;
  size_t count = 0;
  json_t *value;
  for (const scope *at = n->scope; at && count < MOST; at = at->outer)
    known[count++] = at->variable;
  json_object_foreach(n->b->values, key, value) {
    if (count < MOST) known[count++] = key;
  }
  for (int i = 0; n->tensor && i < TENSOR_NAMES; ++i)
    known[count++] = tensor_names[i];
  if (count == 0) return fail(why, STATUS_INPUT, "%s: nothing is called '%s' here", n->where, name);
  return fail(why, STATUS_INPUT, "%s: nothing is called '%s' here%s", n->where, name,
              text_known(name, known, count, "there are", sentence));
}

static int find_number(const void *state, const char *name, const int64_t *index, double *out, failure *why) {
  const number_names *n = state;
  for (const scope *at = n->scope; at && !index; at = at->outer) {
    if (strcmp(at->variable, name) != 0) continue;
    *out = (double)at->value;
    return STATUS_OK;
  }
  if (n->tensor && tensor_has_number(name)) return tensor_number(n->tensor, name, index, n->where, out, why);
  const json_t *value = json_object_get(n->b->values, name);
  if (!value) return unknown(n, name, why);
  *out = json_number_value(value);
  return tensor_no_index(name, index, n->where, why);
}

/* Copies a text with its expressions replaced. `where` is a place in the file. */
static int expand(const builder *b, const scope *s, const tensor_facts *tensor, bool whole, const char *where,
                  const char *text, char *out, size_t size) {
  char full[JSON_WHERE + 512];
  snprintf(full, sizeof full, "%.500s: %.500s", b->in.path, where);
  const number_names n = {b, s, tensor, full};
  return expression_expand(text, &(expression_names){find_number, &n, whole}, full, out, size, b->in.why);
}

/* The same for texts of parts: `state` is the names, and `where` begins the sentence of a failure. */
static int expand_part(const void *state, const char *text, bool whole, const char *where, char *out, size_t size,
                       failure *why) {
  number_names n = *(const number_names *)state;
  n.where = where;
  return expression_expand(text, &(expression_names){find_number, &n, whole}, where, out, size, why);
}

/* Reads a whole number of at least `least`, or the text of one, "{4*d}". */
static int read_whole(const builder *b, const scope *s, const char *where, const json_t *value, uint64_t least,
                      uint64_t *out) {
  char text[TEXT_NUMBER];
  if (json_is_string(value)) {
    const int status = expand(b, s, NULL, true, where, json_string_value(value), text, sizeof text);
    if (status != STATUS_OK) return status;
    if (!args_u64(text, strlen(text), out)) {
      return json_complain(&b->in, where, "is '%s', but must be a whole number, or the text of one as in \"{4*d}\"",
                           text);
    }
  } else if (json_is_integer(value) && json_integer_value(value) >= 0) {
    *out = (uint64_t)json_integer_value(value);
  } else if (json_is_integer(value)) {
    return json_complain(&b->in, where, "is %" PRId64 ", but must be at least %" PRIu64,
                         (int64_t)json_integer_value(value), least);
  } else {
    return json_complain(&b->in, where, "is %s, but must be a whole number", json_type_text(value));
  }
  if (*out >= least) return STATUS_OK;
  return json_complain(&b->in, where, "is %" PRIu64 ", but must be at least %" PRIu64, *out, least);
}

/* ---- One tensor -------------------------------------------------------------------------------------------------- */

/* A tensor's name and shape, within repetitions. */
typedef struct expanded {
  const builder *b;
  const scope *scope;
  char name[MODEL_MAX_NAME + 1];
  int rank;
  uint64_t shape[FANIN_MAX_RANK];
} expanded;

/* Copies the text with {i} replaced by the number of the repetition. */
static int read_name(const json_check *in, const char *where, const json_t *value, void *to) {
  expanded *e = to;
  const char *text = "";
  const int status = json_read_text(in, where, value, &text);
  return status == STATUS_OK ? expand(e->b, e->scope, NULL, true, where, text, e->name, sizeof e->name) : status;
}

/* An array of sizes. */
static int read_shape(const json_check *in, const char *where, const json_t *array, void *to) {
  expanded *e = to;
  char inner[JSON_WHERE];
  int status = json_check_type(in, where, array, JSON_ARRAY);
  if (status != STATUS_OK) return status;
  if (json_array_size(array) > FANIN_MAX_RANK) {
    return json_complain(in, where, "has %zu dimensions; at most %d are accepted", json_array_size(array),
                         FANIN_MAX_RANK);
  }
  e->rank = (int)json_array_size(array);
  for (int d = 0; status == STATUS_OK && d < e->rank; ++d) {
    snprintf(inner, sizeof inner, "%.490s[%d]", where, d);
    status = read_whole(e->b, e->scope, inner, json_array_get(array, (size_t)d), 1, &e->shape[d]);
  }
  return status;
}

static int read_dtype(const json_check *in, const char *where, const json_t *value, void *to) {
  const int status = json_check_type(in, where, value, JSON_STRING);
  if (status != STATUS_OK) return status;
  return json_library_status(in, where, fanin_dtype_parse(json_string_value(value), to));
}

/* Checks that a tensor that has the norms of another one has nothing that goes with an initializer. */
static int check_norm(const json_check *in, const char *where, const json_t *object) {
  static const char *const others[] = {"init", "layout", "groups", "splits", "parts"};
  for (size_t i = 0; i < sizeof others / sizeof *others; ++i) {
    if (!json_object_get(object, others[i])) continue;
    return json_complain(in, where, "has '%s' beside 'norm_of', which goes with an initializer only", others[i]);
  }
  return STATUS_OK;
}

/* Adds a tensor that has the norms of another one. */
static int build_norm(builder *b, const expanded *e, const fanin_tensor *tensor, const char *norm_of,
                      const char *full) {
  const fanin_init unused = {.kind = FANIN_KIND_ZEROS};
  const int status = model_add(b->model, e->name, tensor, &unused, full, b->in.why);
  if (status == STATUS_OK) model_set_norm(b->model, norm_of);
  return status;
}

static int build_tensor(builder *b, json_t *object, const scope *s, const char *where) {
  char full[JSON_WHERE + 512], place[JSON_WHERE], expression[EXPRESSION_TEXT];
  const char *layout = NULL;
  expanded e = {.b = b, .scope = s}, norm_of = {.b = b, .scope = s};
  const bool is_norm = json_object_get(object, "norm_of") != NULL;
  uint32_t groups = 1, splits = 1;
  fanin_dtype dtype = b->dtype;
  const char *text = b->init;
  const json_t *list = NULL;
  fanin_init init;
  tensor_parts parts;
  fanin_tensor tensor;
  const json_field fields[] = {
      {"name", read_name, &e, "a 'name'"},
      {"shape", read_shape, &e, "a 'shape', an array of whole numbers"},
      {"layout", json_read_text, &layout, NULL},
      {"groups", json_read_count, &groups, NULL},
      {"splits", json_read_count, &splits, NULL},
      {"dtype", read_dtype, &dtype, NULL},
      {"init", init_text_read, &text, text || is_norm ? NULL : "an 'init', because defaults.init is not given"},
      {"norm_of", read_name, &norm_of, NULL},
      {"parts", tensor_parts_read, &list, NULL},
      {"comment", json_read_comment, NULL, NULL},
      {0}};
  int status = json_read(&b->in, where, object, fields);
  if (status == STATUS_OK && is_norm) status = check_norm(&b->in, where, object);
  if (status != STATUS_OK) return status;
  snprintf(full, sizeof full, "%s: %s ('%.256s')", b->in.path, where, e.name);
  const fanin_status made = fanin_tensor_of(NULL, 0, dtype, layout, e.rank, e.shape, &tensor);
  if (made != FANIN_STATUS_OK) return library_status(b->in.why, made, full);
  if (is_norm) return build_norm(b, &e, &tensor, norm_of.name, full);
  tensor.groups = groups;
  tensor.splits = splits;
  const tensor_facts facts = {e.name, &tensor, &tensor};
  status = expand(b, s, &facts, false, json_place(place, where, "init"), text, expression, sizeof expression);
  if (status == STATUS_OK) status = init_text_parse(expression, &tensor, &init, full, b->in.why);
  if (status != STATUS_OK) return status;
  status = model_add(b->model, e.name, &tensor, &init, full, b->in.why);
  if (status != STATUS_OK || !list) return status;
  const number_names names = {b, s, &facts, full};
  status = tensor_parts_make(list, &tensor, &(part_texts){&tensor, expand_part, &names}, full, &parts, b->in.why);
  if (status == STATUS_OK) return model_divide(b->model, &parts, full, b->in.why);
  tensor_parts_free(&parts);
  return status;
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
  const builder *b;
  scope scope;
  uint64_t last;
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
  if (json_array_size(range) != 2) {
    return json_complain(in, where, "'%s' must be [first, last], two whole numbers", variable);
  }
  char inner[JSON_WHERE];
  uint64_t ends[2] = {0, 0};
  for (size_t i = 0; status == STATUS_OK && i < 2; ++i) {
    status = read_whole(r->b, r->scope.outer, json_place(inner, where, "%.64s[%zu]", variable, i),
                        json_array_get(range, i), 0, &ends[i]);
  }
  if (status != STATUS_OK) return status;
  r->scope.value = ends[0];
  r->last = ends[1];
  if (ends[1] >= ends[0] && ends[1] - ends[0] < MAX_REPEAT) return STATUS_OK;
  return json_complain(in, where,
                       "'%s' goes from %" PRIu64 " to %" PRIu64 "; write 0 <= first <= last, at most %d times",
                       variable, ends[0], ends[1], MAX_REPEAT);
}

static int build_repeat(builder *b, json_t *object, const scope *outer, const char *where) {
  repetition r = {.b = b, .scope = {.outer = outer}};
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
  const json_field fields[] = {{"dtype", read_dtype, &b->dtype, NULL},
                               {"init", init_text_read, &b->init, NULL},
                               {"comment", NULL, NULL, NULL},
                               {0}};
  return json_read(in, where, (json_t *)defaults, fields);
}

/* A number; the text of one, of values before it; or null for one that must be given. `given`: what --set gives. */
static int read_value(const builder *b, const char *where, const char *name, const json_t *value, const json_t *given,
                      double *out) {
  char text[TEXT_NUMBER];
  if (given) value = given;
  *out = json_number_value(value);
  if (json_is_number(value)) return STATUS_OK;
  if (json_is_null(value)) return json_complain(&b->in, where, "must be given by --set %s=NUMBER", name);
  if (!json_is_string(value)) {
    return json_complain(&b->in, where, "is %s, but must be a number, the text of one as in \"{4*d}\", or null",
                         json_type_text(value));
  }
  const int status = expand(b, NULL, NULL, false, where, json_string_value(value), text, sizeof text);
  if (status != STATUS_OK) return status;
  char *end = text;
  *out = strtod(text, &end);
  if (end != text && *end == '\0' && isfinite(*out)) return STATUS_OK;
  return json_complain(&b->in, where, "is '%s', but must be a number, or the text of one as in \"{4*d}\"", text);
}

static int read_values(const json_check *in, const char *where, const json_t *values, void *to) {
  builder *b = to;
  const char *name;
  json_t *value;
  char inner[JSON_WHERE];
  int status = json_check_type(in, where, values, JSON_OBJECT);
  b->values = json_object();
  json_object_foreach((json_t *)values, name, value) {
    double number = 0;
    json_place(inner, where, "%.64s", name);
    if (status == STATUS_OK) status = value_name_check(in, inner, name);
    if (status == STATUS_OK) status = read_value(b, inner, name, value, json_object_get(b->set, name), &number);
    if (status == STATUS_OK) json_object_set_new(b->values, name, json_real(number));
  }
  return status;
}

static int check_set(const builder *b) {
  const char *name;
  json_t *value;
  json_object_foreach((json_t *)b->set, name, value) {
    if (json_object_get(b->values, name)) continue;
    return unknown(&(number_names){.b = b, .where = "--set"}, name, b->in.why);
  }
  return STATUS_OK;
}

int model_load(const char *path, const json_t *set, model *out, failure *why) {
  builder b = {.in = {path, why}, .model = out, .set = set, .dtype = FANIN_DTYPE_F32};
  const char *name = NULL;
  const json_field fields[] = {{"name", json_read_text, &name, NULL},
                               {"source", json_read_comment, NULL, NULL},
                               {"comment", json_read_comment, NULL, NULL},
                               {"values", read_values, &b, NULL},
                               {"defaults", read_defaults, &b, NULL},
                               {"tensors", NULL, NULL, NULL},
                               {0}};
  json_t *root = NULL;
  *out = (model){0};
  int status = json_load_path(path, &root, why);
  if (status == STATUS_OK) status = json_read(&b.in, "", root, fields);
  if (status == STATUS_OK) status = check_set(&b);
  if (status == STATUS_OK) status = build_list(&b, root, NULL, "");
  if (status == STATUS_OK) status = model_check(out, path, why);
  if (status == STATUS_OK && name) out->name = copy_text(name, strlen(name));
  if (status != STATUS_OK) model_free(out);
  json_decref(b.values);
  json_decref(root);
  return status;
}
