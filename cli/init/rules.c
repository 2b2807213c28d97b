/* Rules that give the tensors of a checkpoint their initializers: a JSON file, or a set of those in the command. */
#include "init/rules.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "formats/tensor_parts.h"
#include "formats/tensor_text.h"

/* ---- One rule ---------------------------------------------------------------------------------------------------- */

/* A text, or an array of texts that is not empty. */
static int read_texts(const json_check *in, const char *where, const json_t *value, void *to) {
  char inner[JSON_WHERE];
  *(const json_t **)to = value;
  if (json_is_string(value)) return STATUS_OK;
  if (!json_is_array(value) || json_array_size(value) == 0) {
    return json_complain(in, where, "is %s, but must be a text \"...\" or an array of texts", json_type_text(value));
  }
  for (size_t i = 0; i < json_array_size(value); ++i) {
    snprintf(inner, sizeof inner, "%.400s[%zu]", where, i);
    const int status = json_check_type(in, inner, json_array_get(value, i), JSON_STRING);
    if (status != STATUS_OK) return status;
  }
  return STATUS_OK;
}

static int read_rank(const json_check *in, const char *where, const json_t *value, void *to) {
  const int status = json_check_type(in, where, value, JSON_INTEGER);
  if (status != STATUS_OK) return status;
  const json_int_t rank = json_integer_value(value);
  if (rank < 0 || rank > FANIN_MAX_RANK) {
    return json_complain(in, where, "is %" PRId64 ", but must be from 0 to %d", (int64_t)rank, FANIN_MAX_RANK);
  }
  *(int *)to = (int)rank;
  return STATUS_OK;
}

/* An array of sizes and nulls. */
static int read_sizes(const json_check *in, const char *where, const json_t *value) {
  char inner[JSON_WHERE];
  int status = json_check_type(in, where, value, JSON_ARRAY);
  for (size_t d = 0; status == STATUS_OK && d < json_array_size(value); ++d) {
    const json_t *size = json_array_get(value, d);
    if (json_is_null(size) || (json_is_integer(size) && json_integer_value(size) >= 0)) continue;
    snprintf(inner, sizeof inner, "%.400s[%zu]", where, d);
    status = json_complain(in, inner, "is %s; a size is accepted, or null for any", json_type_text(size));
  }
  return status;
}

/* A shape, or an array of shapes. */
static int read_shape(const json_check *in, const char *where, const json_t *value, void *to) {
  char inner[JSON_WHERE];
  *(const json_t **)to = value;
  if (!json_is_array(json_array_get(value, 0))) return read_sizes(in, where, value);
  int status = STATUS_OK;
  for (size_t i = 0; status == STATUS_OK && i < json_array_size(value); ++i) {
    snprintf(inner, sizeof inner, "%.400s[%zu]", where, i);
    status = read_sizes(in, inner, json_array_get(value, i));
  }
  return status;
}

/* An array of whole numbers. */
static int read_ratio(const json_check *in, const char *where, const json_t *value, void *to) {
  *(const json_t **)to = value;
  bool good = json_array_size(value) > 0;
  for (size_t i = 0; i < json_array_size(value); ++i)
    good = good && json_integer_value(json_array_get(value, i)) > 0;
  return good ? STATUS_OK : json_complain(in, where, "must be an array of whole numbers of at least 1");
}

/* ["bias", "weight"] */
static int read_partner(const json_check *in, const char *where, const json_t *pair, void *to) {
  init_partner *out = to;
  out->from = json_string_value(json_array_get(pair, 0));
  out->to = json_string_value(json_array_get(pair, 1));
  if (json_array_size(pair) == 2 && out->from && out->to && out->from[0]) return STATUS_OK;
  return json_complain(in, where, "must be [\"a part of the name\", \"what it becomes in the other tensor's name\"]");
}

/* The same, or ["kernel", "bias", 1], with the number of dimensions that the other tensor has. */
static int read_neighbour(const json_check *in, const char *where, const json_t *value, void *to) {
  if (json_array_size(value) == 2) return read_partner(in, where, value, to);
  if (json_array_size(value) != 3) {
    return json_complain(in, where,
                         "must be two texts, as [\"kernel\", \"bias\"], or two texts and a number of dimensions");
  }
  char inner[JSON_WHERE];
  init_partner *out = to;
  json_t *pair = json_copy((json_t *)value);
  json_array_remove(pair, 2);
  int status = read_partner(in, where, pair, to);
  json_decref(pair);
  snprintf(inner, sizeof inner, "%.400s[2]", where);
  if (status == STATUS_OK) status = read_rank(in, inner, json_array_get(value, 2), &out->rank);
  return status;
}

/* The dtype that a rule's tensors are written in. */
static int read_dtype(const json_check *in, const char *where, const json_t *value, void *to) {
  init_rule *out = to;
  const char *text = NULL;
  const int status = json_read_text(in, where, value, &text);
  if (status != STATUS_OK) return status;
  out->has_dtype = true;
  return json_library_status(in, where, fanin_dtype_parse(text, &out->dtype));
}

/* Checks that a rule says one thing that is to be done. */
static int check_action(const json_check *in, const char *where, const init_rule *r) {
  if (!!r->init + !!r->same_as + !!r->norm_of.from + !!r->skip + !!r->refuse != 1) {
    return json_complain(in, where,
                         "needs an 'init', a 'same_as', a 'norm_of', a 'skip' or a 'refuse', and one of them only");
  }
  if (!r->init && (r->layout || r->scale || r->fans_of.from || r->parts)) {
    return json_complain(in, where, "layout, scale, fans_of and parts go with 'init' only");
  }
  if (r->has_dtype && (r->skip || r->refuse)) {
    return json_complain(in, where, "dtype goes with 'init', 'same_as' and 'norm_of' only");
  }
  return STATUS_OK;
}

static int read_rule(const json_check *in, const char *where, json_t *rule, init_rule *out) {
  const json_field fields[] = {{"match", read_texts, &out->match, "a 'match', a pattern of names"},
                               {"rank", read_rank, &out->rank, NULL},
                               {"shape", read_shape, &out->shape, NULL},
                               {"ratio", read_ratio, &out->ratio, NULL},
                               {"stored_dtype", read_texts, &out->stored_dtype, NULL},
                               {"beside", read_neighbour, &out->beside, NULL},
                               {"with", read_texts, &out->with, NULL},
                               {"without", read_texts, &out->without, NULL},
                               {"dtype", read_dtype, out, NULL},
                               {"layout", json_read_text, &out->layout, NULL},
                               {"init", init_text_read, &out->init, NULL},
                               {"scale", read_texts, &out->scale, NULL},
                               {"parts", tensor_parts_read, &out->parts, NULL},
                               {"fans_of", read_partner, &out->fans_of, NULL},
                               {"same_as", json_read_text, &out->same_as, NULL},
                               {"norm_of", read_partner, &out->norm_of, NULL},
                               {"skip", json_read_text, &out->skip, NULL},
                               {"refuse", json_read_text, &out->refuse, NULL},
                               {"comment", json_read_comment, NULL, NULL},
                               {0}};
  *out = (init_rule){.rank = -1, .beside.rank = -1};
  const int status = json_read(in, where, rule, fields);
  return status == STATUS_OK ? check_action(in, where, out) : status;
}

/* ---- The file ---------------------------------------------------------------------------------------------------- */

/* [pattern, dimension] */
static int read_size(const json_check *in, const char *where, const json_t *size, void *to) {
  if (json_array_size(size) != 2 || !json_is_integer(json_array_get(size, 1))) {
    return json_complain(in, where, "must be [PATTERN, DIMENSION], dimensions from 0");
  }
  return read_texts(in, where, json_array_get(size, 0), to);
}

/* {key: {text: number, ...}}, of a config.json beside the checkpoint. */
static int read_config(const json_check *in, const char *where, const json_t *config, void *to) {
  const char *text;
  json_t *number, *texts = json_object_iter_value(json_object_iter((json_t *)config));
  bool good = json_object_size(config) == 1 && json_object_size(texts) > 0;
  json_object_foreach(texts, text, number) {
    good = good && json_is_number(number);
  }
  *(const json_t **)to = config;
  return good ? STATUS_OK : json_complain(in, where, "must be {KEY: {TEXT: NUMBER, ...}}");
}

/* A number, null for one that must be given, {"ask": question}, {"count": pattern, "whole": patterns}, or
 * {"size": [pattern, dimension]}. "ask" may have a "config" beside it. */
static int check_value(const json_check *in, const char *where, json_t *value) {
  const json_t *count = NULL, *size = NULL, *whole = NULL, *config = NULL;
  const char *ask = NULL;
  const json_field fields[] = {{"count", read_texts, &count, NULL},    {"whole", read_texts, &whole, NULL},
                               {"size", read_size, &size, NULL},       {"ask", json_read_text, &ask, NULL},
                               {"config", read_config, &config, NULL}, {0}};
  if (json_is_number(value) || json_is_null(value)) return STATUS_OK;
  const int status = json_is_object(value) ? json_read(in, where, value, fields) : STATUS_OK;
  if (status != STATUS_OK || (!!count + !!size + !!ask == 1 && (count || !whole) && (ask || !config))) return status;
  return json_complain(in, where,
                       "must be a number, null, {\"ask\": QUESTION} (with a \"config\" or without), {\"count\": "
                       "PATTERN, \"whole\": PATTERNS} or "
                       "{\"size\": [PATTERN, DIMENSION]}");
}

static int read_values(const json_check *in, const char *where, const json_t *values, void *to) {
  const char *name;
  json_t *value;
  char inner[JSON_WHERE];
  *(const json_t **)to = values;
  int status = json_check_type(in, where, values, JSON_OBJECT);
  json_object_foreach((json_t *)values, name, value) {
    json_place(inner, where, "%.64s", name);
    if (status == STATUS_OK) status = value_name_check(in, inner, name);
    if (status == STATUS_OK) status = check_value(in, inner, value);
  }
  return status;
}

static int read_list(const json_check *in, const char *where, const json_t *rules, void *to) {
  init_rules *out = to;
  char inner[JSON_WHERE];
  int status = STATUS_OK;
  out->count = json_array_size(rules);
  if (out->count == 0) return json_complain(in, "the file", "needs 'rules', an array that is not empty");
  out->rules = allocate(out->count, sizeof *out->rules);
  for (size_t i = 0; status == STATUS_OK && i < out->count; ++i) {
    snprintf(inner, sizeof inner, "%s[%zu]", where, i);
    status = read_rule(in, inner, json_array_get(rules, i), &out->rules[i]);
    out->rules[i].set = out->name;
    out->rules[i].index = i;
  }
  out->own = out->count;
  return status;
}

/* Puts other rules behind those that are there, and their values beside them. */
static int append(const char *name, init_rules *out, failure *why) {
  out->included = allocate(1, sizeof *out->included);
  const int status = init_rules_load(name, out->included, why);
  if (status != STATUS_OK) return status;
  const init_rules *base = out->included;
  size_t capacity = out->count;
  out->rules = grow(out->rules, &capacity, out->count + base->count, sizeof *out->rules);
  memcpy(out->rules + out->count, base->rules, base->count * sizeof *base->rules);
  out->count += base->count;
  if (!out->values)
    out->values = base->values;
  else if (base->values)
    json_object_update_missing(out->values, base->values);
  return STATUS_OK;
}

static int include(const json_check *in, init_rules *out) {
  if (!out->include) return STATUS_OK;
  if (has_ending(out->include, ".json")) {
    return json_complain(in, "include", "is '%.200s'; the name of a set is accepted, as in \"pytorch\"", out->include);
  }
  return append(out->include, out, in->why);
}

/* Takes `root` over. */
static int build(const char *name, json_t *root, init_rules *out, failure *why) {
  const json_check in = {name, why};
  const json_field fields[] = {{"name", json_read_comment, NULL, NULL},
                               {"source", json_read_comment, NULL, NULL},
                               {"comment", json_read_comment, NULL, NULL},
                               {"include", json_read_text, &out->include, NULL},
                               {"values", read_values, &out->values, NULL},
                               {"rules", read_list, out, "'rules', an array that is not empty"},
                               {0}};
  *out = (init_rules){.name = copy_text(name, strlen(name)), .root = root};
  int status = json_read(&in, "", root, fields);
  if (status == STATUS_OK) status = include(&in, out);
  if (status != STATUS_OK) init_rules_free(out);
  return status;
}

int init_rules_parse(const char *name, const char *bytes, size_t size, init_rules *out, failure *why) {
  json_t *root = NULL;
  const int status = json_load_bytes(name, bytes, size, &root, why);
  return status == STATUS_OK ? build(name, root, out, why) : status;
}

enum { MOST_SETS = 64 };

static int no_such_set(const char *name, failure *why) {
  char known[TEXT_KNOWN];
  const char *names[MOST_SETS];
  size_t n = 0;
  for (const rule_set *s = rule_sets; s->name && n < MOST_SETS; ++s)
    names[n++] = s->name;
  return fail(why, STATUS_INPUT, "--rules: no set of rules is called '%s'%s; a file's name must end in .json", name,
              text_known(name, names, n, "there are", known));
}

int init_rules_load(const char *name, init_rules *out, failure *why) {
  json_t *root = NULL;
  if (has_ending(name, ".json")) {
    const int status = json_load_path(name, &root, why);
    return status == STATUS_OK ? build(name, root, out, why) : status;
  }
  const rule_set *s = rule_sets;
  while (s->name && strcmp(s->name, name) != 0)
    ++s;
  if (!s->name) return no_such_set(name, why);
  const int status = init_rules_parse(name, s->json, s->size, out, why);
  out->shipped = status == STATUS_OK;
  return status;
}

int init_rules_load_behind(const option_rules *first, const char *name, init_rules *out, failure *why) {
  if (!first->list) return init_rules_load(name, out, why);
  json_t *root = json_object();
  json_object_set(root, "rules", first->list);
  int status = build("--rule", root, out, why);
  if (status != STATUS_OK) return status;
  for (size_t i = 0; i < out->own; ++i)
    out->rules[i].option = first->texts[i];
  status = append(name, out, why);
  if (status == STATUS_OK) {
    const size_t size = sizeof "--rule and " + strlen(name);
    if (!out->included->shipped) out->own += out->included->own;
    char *both = allocate(size, 1);
    snprintf(both, size, "--rule and %s", name);
    free(out->name); /* the rules that it is the name of are options */
    out->name = both;
  } else {
    init_rules_free(out);
  }
  return status;
}

void init_rules_free(init_rules *r) {
  if (r->included) init_rules_free(r->included);
  free(r->included);
  free(r->name);
  free(r->rules);
  json_decref(r->root);
  *r = (init_rules){0};
}
