/* Values of rules: numbers with names in their texts, "{2*layers}", which are given, or read off a checkpoint's names
 * and shapes. */
#include "init/rule_values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "formats/expression.h"

enum { TEXT = 512 };

bool rule_values_match(const like *a, const json_t *patterns) {
  for (size_t i = 0; i < a->checkpoint.count; ++i) {
    if (init_rules_match(patterns, a->checkpoint.tensors[i].stored->name)) return true;
  }
  return false;
}

int rules_decline(failure *why, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fail_with(why, STATUS_INPUT, format, arguments);
  va_end(arguments);
  why->declined = 1;
  return STATUS_INPUT;
}

enum { MOST_VALUES = 32 };

static int unknown(const like *a, const char *where, const char *name, failure *why) {
  char known[TEXT_KNOWN];
  const char *names[MOST_VALUES], *key;
  size_t n = 0;
  json_t *value;
  json_object_foreach((json_t *)a->rules.values, key, value) {
    if (n < MOST_VALUES) names[n++] = key;
  }
  return fail(why, STATUS_INPUT, "%s: rules %.128s have no value '%s'%s", where, a->rules.name, name,
              n > 0 ? text_known(name, names, n, "they have", known) : " and no other");
}

int rule_values_check(const like *a, failure *why) {
  const char *name;
  json_t *value;
  json_object_foreach((json_t *)a->set, name, value) {
    if (!json_object_get(a->rules.values, name)) return unknown(a, "--set", name, why);
  }
  return STATUS_OK;
}

/* The k-th run of digits in a name, as a number; -1: there are fewer, or it is too long. */
static int64_t number_in(const char *name, int k) {
  for (const char *at = name;;) {
    at += strcspn(at, "0123456789");
    const size_t length = strspn(at, "0123456789");
    if (length == 0 || length > 9) return -1;
    if (k-- == 0) return strtol(at, NULL, 10);
    at += length;
  }
}

static int by_number(const void *left, const void *right) {
  const int64_t l = *(const int64_t *)left, r = *(const int64_t *)right;
  return (l > r) - (l < r);
}

/* Writes the k-th number of every name that matches, in order. Returns whether each name has one and no two are equal:
 * then these are the numbers of layers. */
static bool read_layers(const like *a, const json_t *patterns, int k, int64_t *out, size_t count) {
  size_t n = 0;
  for (size_t i = 0; i < a->checkpoint.count; ++i) {
    const char *name = a->checkpoint.tensors[i].stored->name;
    if (init_rules_match(patterns, name)) out[n++] = number_in(name, k);
  }
  qsort(out, n, sizeof *out, by_number);
  for (size_t i = 1; i < n; ++i) {
    if (out[i] == out[i - 1]) return false;
  }
  return n == count && out[0] >= 0;
}

/* A whole checkpoint has layers from 0 up. Returns the first that is missing before one that is there; -1: none is, or
 * the names do not have numbers that tell. */
static int64_t missing_layer(const like *a, const json_t *patterns, size_t count) {
  enum { MOST_NUMBERS = 8 }; /* in a name */
  int64_t missing = -1, *layers = allocate(count, sizeof *layers);
  int k = 0;
  while (k < MOST_NUMBERS && !read_layers(a, patterns, k, layers, count))
    ++k;
  for (size_t i = 0; k < MOST_NUMBERS && missing < 0 && i < count; ++i) {
    if (layers[i] != (int64_t)i) missing = (int64_t)i;
  }
  free(layers);
  return missing;
}

/* Whether a file is called as one of several are: "model-00001-of-00002.safetensors". */
static bool is_one_of_several(const char *path) {
  static const char digits[] = "0123456789";
  const char *slash = strrchr(path, '/'), *of = strstr(slash ? slash : path, "-of-");
  return of && of > path && strchr(digits, of[-1]) && of[4] && strchr(digits, of[4]);
}

static int not_whole(const char *name, double count, const char *where, const char *sign, failure *why) {
  return rules_decline(
      why,
      "%s: the value '%s' would be %g, counted from names, but %s: this seems to be a part of a checkpoint; give "
      "--set %s=NUMBER",
      where, name, count, sign, name);
}

/* Counts the tensors that match: 0 where none does. A part of a checkpoint, whose count would be wrong, is refused: one
 * that lacks layers, or what the rules say that a whole one has. */
static int count_of(const like *a, const char *name, const json_t *value, const char *where, double *out,
                    failure *why) {
  const json_t *patterns = json_object_get(value, "count"), *whole = json_object_get(value, "whole");
  const char *needed;
  char sign[TEXT];
  size_t count = 0;
  for (size_t i = 0; i < a->checkpoint.count; ++i)
    count += init_rules_match(patterns, a->checkpoint.tensors[i].stored->name);
  *out = (double)count;
  if (count == 0) return STATUS_OK;
  const int64_t missing = missing_layer(a, patterns, count);
  if (missing >= 0) {
    snprintf(sign, sizeof sign, "number %lld is missing and later ones are there", (long long)missing);
    return not_whole(name, *out, where, sign, why);
  }
  for (size_t i = 0; (needed = init_rules_text(whole, i)); ++i) {
    json_t *pattern = json_string(needed);
    const bool there = rule_values_match(a, pattern);
    json_decref(pattern);
    snprintf(sign, sizeof sign, "no tensor is called %.200s", needed);
    if (!there) return not_whole(name, *out, where, sign, why);
  }
  if (!a->checkpoint.sharded && is_one_of_several(a->checkpoint.path)) {
    return not_whole(name, *out, where, "the file's name says that it is one of several (give their index)", why);
  }
  return STATUS_OK;
}

/* An extent of the tensors that match, in which they agree; 0: no tensor matches, or they do not agree. */
static double size_of(const like *a, const json_t *pair) {
  const json_t *patterns = json_array_get(pair, 0);
  const json_int_t dimension = json_integer_value(json_array_get(pair, 1));
  uint64_t size = 0;
  for (size_t i = 0; i < a->checkpoint.count; ++i) {
    const stored_tensor *t = a->checkpoint.tensors[i].stored;
    if (!init_rules_match(patterns, t->name)) continue;
    const uint64_t here = dimension >= 0 && dimension < t->rank ? t->shape[dimension] : 0;
    if (here == 0 || (size > 0 && here != size)) return 0;
    size = here;
  }
  return (double)size;
}

/* The number that config.json, in the folder of the checkpoint, has for a value: models of Hugging Face have such a
 * file, whose model_type tells what names and shapes do not. False where it does not say. */
static bool config_value(const like *a, const json_t *value, double *out) {
  json_t *of = json_object_get(value, "config");
  void *at = json_object_iter(of);
  const char *path = a->checkpoint.path, *slash = strrchr(path, '/');
  const int folder = slash ? (int)(slash + 1 - path) : 0;
  char name[4096];
  if (!at || snprintf(name, sizeof name, "%.*sconfig.json", folder, path) >= (int)sizeof name) return false;
  json_t *config = json_load_file(name, 0, NULL);
  const char *text = json_string_value(json_object_get(config, json_object_iter_key(at)));
  const json_t *number = text ? json_object_get(json_object_iter_value(at), text) : NULL;
  if (number) *out = json_number_value(number);
  json_decref(config);
  return number != NULL;
}

static int find_value(const like *a, const char *name, const char *where, double *out, failure *why) {
  const json_t *given = json_object_get(a->set, name), *value = json_object_get(a->rules.values, name);
  if (given) value = given;
  if (!value) return unknown(a, where, name, why);
  if (json_is_number(value)) {
    *out = json_number_value(value);
    return STATUS_OK;
  }
  if (config_value(a, value, out)) return STATUS_OK;
  const char *ask = json_string_value(json_object_get(value, "ask"));
  if (ask) {
    return rules_decline(why, "%s: the value '%s' must be given by --set %s=NUMBER: %.400s", where, name, name, ask);
  }
  const json_t *size = json_object_get(value, "size");
  int status = STATUS_OK;
  *out = size ? size_of(a, size) : 0;
  if (json_object_get(value, "count")) status = count_of(a, name, value, where, out, why);
  if (status != STATUS_OK || *out > 0) return status;
  return rules_decline(why, "%s: the value '%s' %s; give --set %s=NUMBER", where, name,
                       json_is_null(value) ? "must be given" : "cannot be read off the checkpoint's names and shapes",
                       name);
}

/* What the names of a rule's text stand for. */
typedef struct scope {
  const like *of;
  const tensor_facts *tensor;
  const char *where;
} scope;

static int find_number(const void *state, const char *name, const int64_t *index, double *out, failure *why) {
  const scope *s = state;
  if (tensor_has_number(name)) return tensor_number(s->tensor, name, index, s->where, out, why);
  const int status = tensor_no_index(name, index, s->where, why);
  return status == STATUS_OK ? find_value(s->of, name, s->where, out, why) : status;
}

int rule_values_text(const like *a, const tensor_facts *tensor, const char *text, const char *where, char *out,
                     size_t size, failure *why) {
  const scope s = {a, tensor, where};
  return expression_expand(text, &(expression_names){find_number, &s, false}, where, out, size, why);
}
