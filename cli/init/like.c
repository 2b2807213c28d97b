/* fanin init --like: a checkpoint's tensors made anew by rules. */
#include "init/like.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/table.h"
#include "base/text.h"
#include "formats/tensor_text.h"

int like_set(void *to, const char *option, const char *text, failure *why) {
  like *l = to;
  const char *equal = strchr(text, '=');
  double value = 0;
  if (!equal || equal == text) return args_fail(why, "--set '%s': write NAME=NUMBER, as in layers=12", text);
  const int status = args_real(&value, option, equal + 1, why);
  if (status != STATUS_OK) return status;
  if (!l->set) l->set = json_object();
  char *name = copy_text(text, (size_t)(equal - text));
  const bool twice = json_object_get(l->set, name) != NULL;
  const int set = json_object_set_new(l->set, name, json_real(value));
  free(name);
  if (twice) return args_fail(why, "--set '%s': the value is given twice", text);
  return set == 0 ? STATUS_OK : args_fail(why, "--set '%s': the name is not valid UTF-8", text);
}

static void add_rule(like *l, json_t *rule) {
  if (!l->first) l->first = json_array();
  json_array_append_new(l->first, rule);
}

/* The length of "OI" or "OIHW,groups=4" before a colon; 0: the text has no layout there. Initializers have small
 * letters. */
static size_t layout_length(const char *text) {
  const size_t letters = strspn(text, "OIBDHW"), length = strcspn(text, ":");
  return letters > 0 && letters == strcspn(text, ":,") && text[length] == ':' ? length : 0;
}

int like_rule(void *to, const char *option, const char *text, failure *why) {
  const char *equal = strchr(text, '=');
  if (!equal || equal == text || !equal[1]) {
    return args_fail(why, "%s '%s': write PATTERN=INIT, as in '*.head.weight=zeros' or '*.up.weight=OI:he_normal'",
                     option, text);
  }
  const char *init = equal + 1;
  const size_t layout = layout_length(init);
  json_t *rule = json_object();
  json_object_set_new(rule, "match", json_stringn(text, (size_t)(equal - text)));
  if (layout > 0) json_object_set_new(rule, "layout", json_stringn(init, layout));
  json_object_set_new(rule, "init", json_string(layout > 0 ? init + layout + 1 : init));
  if (json_object_size(rule) < (layout > 0 ? 3u : 2u)) {
    json_decref(rule);
    return args_fail(why, "%s: the text is not valid UTF-8", option);
  }
  add_rule(to, rule);
  return STATUS_OK;
}

int like_skip(void *to, const char *option, const char *text, failure *why) {
  json_t *rule = json_object();
  json_object_set_new(rule, "skip", json_string("by --skip"));
  if (!text[0] || json_object_set_new(rule, "match", json_string(text)) != 0) {
    json_decref(rule);
    return args_fail(why, "%s '%s': give a pattern of names, as in '*.mask'", option, text);
  }
  add_rule(to, rule);
  return STATUS_OK;
}

int like_load(like *l, bool shards, const fanin_dtype *dtype, model *out, failure *why) {
  int status = checkpoint_read(l->checkpoint_path, &l->checkpoint, why);
  if (status == STATUS_OK && shards && !l->checkpoint.sharded) {
    status = fail(why, STATUS_INPUT, "--like %s: is one file, so that the output is one: a name in .safetensors",
                  l->checkpoint_path);
  }
  if (status == STATUS_OK) {
    status = init_rules_load_behind(l->first, l->rules_name ? l->rules_name : "pytorch", &l->rules, why);
  }
  if (status != STATUS_OK) return status;
  l->dtype = dtype;
  if (l->keep) status = keep_resize_checkpoint(l->keep, &l->checkpoint, why);
  if (status == STATUS_OK) status = like_assign(l, why);
  if (status == STATUS_OK) status = like_model(l, shards, out, why);
  if (status == STATUS_OK && out->count == 0) {
    status = fail(why, STATUS_INPUT, "rules %s skip every tensor of %s", l->rules.name, l->checkpoint_path);
  }
  out->rules = l->rules.name;
  out->format = l->checkpoint.format;
  return status;
}

int like_expect(like *l, failure *why) {
  if (!l->rules_name) return STATUS_OK;
  l->partial = true;
  const int status = init_rules_load(l->rules_name, &l->rules, why);
  return status == STATUS_OK ? like_assign(l, why) : status;
}

static const assignment *find_assignment(const like *l, const char *name) {
  const checkpoint_tensor *found = l->list ? checkpoint_find(&l->checkpoint, name) : NULL;
  return found ? &l->list[found - l->checkpoint.tensors] : NULL;
}

const assignment *like_expected(const like *l, const char *name) {
  const assignment *a = find_assignment(l, name);
  return a && a->rule && !a->rule->skip ? a : NULL;
}

const char *like_declined(const like *l, const char *name) {
  const assignment *a = find_assignment(l, name);
  return a ? a->declined : NULL;
}

/* ---- Which rule took which tensor, and what it makes of it ------------------------------------------------------- */

enum { TEXT = 512 };

static bool is_skipped(const assignment *t) {
  return !kept_whole(&t->kept) && t->rule->skip;
}

/* Whether there is nothing to be drawn of it. */
static bool is_idle(const assignment *t) {
  return kept_whole(&t->kept) || t->rule->skip;
}

static const char *dtype_of(const assignment *t) {
  const stored_type *kept = kept_whole(&t->kept) ? t->kept.stored->type : NULL;
  if (kept) return kept->measurable ? fanin_dtype_name(kept->dtype) : kept->name;
  if (t->rule->skip) return t->of->stored->type->name;
  return t->stored_dtype ? t->stored_dtype : fanin_dtype_name(t->tensor.dtype);
}

/* "normal:std=0.02", "as shared.weight", "skipped: the causal mask" */
static char *drawn_action(const assignment *t, char out[TEXT]) {
  if (t->rule->skip)
    snprintf(out, TEXT, "skipped: %s", t->rule->skip);
  else if (t->twin)
    snprintf(out, TEXT, "as %s", t->twin->stored->name);
  else
    tensor_parts_text(&t->parts, &t->init, out, TEXT);
  return out;
}

/* The same, or "kept: trained.safetensors", "kept: trained.safetensors, but 0:32000->32064 normal:std=0.02" */
static char *action_of(const assignment *t, char out[TEXT]) {
  char drawn[TEXT], grown[RESIZE_TEXT];
  if (!t->kept.file) return drawn_action(t, out);
  if (kept_whole(&t->kept))
    snprintf(out, TEXT, t->kept.stored->elements > 0 ? "kept: %.400s" : "nothing: it is empty", t->kept.file->path);
  else
    snprintf(out, TEXT, "kept: %.200s, but %s %.200s", t->kept.file->path, kept_resize(&t->kept, &t->tensor, grown),
             drawn_action(t, drawn));
  return out;
}

/* ---- Rules that took nothing ------------------------------------------------------------------------------------- */

bool like_is_first(const like *l, const init_rule *r) {
  return (size_t)(r - l->rules.rules) < json_array_size(l->first);
}

/* Marks the rules that take tensors; the caller frees the marks. */
static bool *used_rules(const like *l) {
  bool *used = allocate(l->rules.count, sizeof *used);
  for (size_t i = 0; i < l->checkpoint.count; ++i) {
    const assignment *a = &l->list[i];
    if (!a->rule || (kept_whole(&a->kept) && like_is_first(l, a->rule))) continue;
    used[a->rule - l->rules.rules] = true; /* files of rules may be about tensors that are kept, too */
  }
  return used;
}

/* Whether a rule is reported when it takes nothing. Sets of the command have rules for models that differ. */
static bool is_reported(const like *l, const bool *used, size_t rule) {
  return !l->rules.shipped && rule < l->rules.own && !used[rule];
}

/* "matches no tensor", "matches tensors that rules before it take" */
static const char *reason_of(const like *l, const init_rule *r) {
  for (size_t i = 0; i < l->checkpoint.count; ++i) {
    if (l->list[i].rule == r) return "what it matches is kept";
    if (init_rule_takes(r, l->checkpoint.tensors[i].stored)) return "what it matches, other rules take";
  }
  return "it matches no tensor";
}

void like_warn(const like *l, const char *program, const char *command) {
  if (!l->list) return;
  bool *used = used_rules(l);
  for (size_t i = 0; i < l->rules.own; ++i) {
    if (!is_reported(l, used, i)) continue;
    const init_rule *r = &l->rules.rules[i];
    char *pattern = init_rule_pattern(r);
    fprintf(stderr, "%s: %s: warning: rules %s: rules[%zu] (%s) takes nothing: %s\n", program, command, r->set,
            r->index, pattern, reason_of(l, r));
    free(pattern);
  }
  free(used);
}

static json_t *unused_json(const like *l) {
  json_t *list = json_array();
  bool *used = used_rules(l);
  for (size_t i = 0; i < l->rules.own; ++i) {
    if (is_reported(l, used, i)) json_array_append_new(list, json_integer((json_int_t)i));
  }
  free(used);
  return list;
}

/* ---- By rule ----------------------------------------------------------------------------------------------------- */

typedef struct taken {
  size_t tensors;
  uint64_t elements;
  const assignment *first;
  bool differ; /* its tensors get different initializers */
} taken;

void like_print_rules(const like *l) {
  static const column columns[] = {{"rule", 0, 3},     {"match", 1, 2},       {"tensors", 0, 0},
                                   {"elements", 0, 0}, {"initializer", 1, 0}, {"such as", 1, 1}};
  table t = table_of(columns, sizeof columns / sizeof *columns);
  taken *by_rule = allocate(l->rules.count, sizeof *by_rule);
  for (size_t i = 0; i < l->checkpoint.count; ++i) {
    char first[TEXT], this[TEXT];
    const assignment *a = &l->list[i];
    if (kept_whole(&a->kept)) continue;
    taken *of = &by_rule[a->rule - l->rules.rules];
    if (!of->first) of->first = a;
    ++of->tensors;
    of->elements += a->of->stored->elements;
    of->differ = of->differ || strcmp(drawn_action(of->first, first), drawn_action(a, this)) != 0;
  }
  for (size_t i = 0; i < l->rules.count; ++i) {
    char number[TEXT_NUMBER], action[TEXT];
    const taken *of = &by_rule[i];
    if (of->tensors == 0) continue;
    char *pattern = init_rule_pattern(&l->rules.rules[i]);
    table_cell(&t, "%zu", i);
    table_cell(&t, "%s", pattern);
    table_cell(&t, "%zu", of->tensors);
    table_cell(&t, "%s", text_count(of->elements, number));
    table_cell(&t, "%s%s", drawn_action(of->first, action), of->differ ? ", ..." : "");
    table_cell(&t, "%s", of->first->of->stored->name);
    free(pattern);
  }
  table_print(&t);
  free(by_rule);
}

/* ---- By tensor --------------------------------------------------------------------------------------------------- */

/* Of all elements together. NaN where nothing is made. */
static fanin_moments moments_of(const assignment *t) {
  fanin_moments m = {.mean = NAN, .std = NAN, .lo = NAN, .hi = NAN};
  tensor_region r = {.init = NULL};
  double second = 0;
  if (!is_idle(t) && t->parts.count == 0) fanin_expect(&t->tensor, &t->init, &m, sizeof m);
  if (is_idle(t) || t->parts.count == 0) return m;
  m = (fanin_moments){.lo = INFINITY, .hi = -INFINITY};
  const double whole = (double)t->tensor.shape[t->parts.dimension];
  while (tensor_parts_next(&t->parts, &t->tensor, &t->init, &r)) {
    fanin_moments one = {.mean = NAN};
    fanin_expect(&r.where, r.init, &one, sizeof one);
    const double share = (double)(r.end - r.first) / whole;
    m.mean += share * one.mean;
    second += share * (one.mean * one.mean + one.std * one.std);
    m.lo = fmin(m.lo, one.lo);
    m.hi = fmax(m.hi, one.hi);
  }
  m.std = sqrt(fmax(second - m.mean * m.mean, 0));
  return m;
}

static void print_tensors(const like *l) {
  static const column columns[] = {{"tensor", 1, 0}, {"shape", 1, 0},       {"dtype", 1, 1}, {"rule", 0, 2},
                                   {"layout", 1, 2}, {"initializer", 1, 0}, {"std", 0, 1}};
  table t = table_of(columns, sizeof columns / sizeof *columns);
  for (size_t i = 0; i < l->checkpoint.count; ++i) {
    char shape[TEXT_SHAPE], layout[LAYOUT_TEXT] = "", action[TEXT], std[TEXT_NUMBER];
    const assignment *a = &l->list[i];
    table_cell(&t, "%s", a->of->stored->name);
    table_cell(&t, "%s", text_shape(a->of->stored->shape, a->of->stored->rank, shape));
    table_cell(&t, "%s", dtype_of(a));
    if (kept_whole(&a->kept))
      table_cell(&t, "-");
    else
      table_cell(&t, "%td", a->rule - l->rules.rules);
    table_cell(&t, "%s", is_idle(a) ? "" : layout_format(&a->tensor, layout));
    table_cell(&t, "%s", action_of(a, action));
    table_cell(&t, "%s", text_real(moments_of(a).std, std));
  }
  table_print(&t);
}

static json_t *tensor_json(const like *l, const assignment *t) {
  char text[TEXT], layout[LAYOUT_TEXT];
  const fanin_moments m = moments_of(t);
  json_t *o = json_object();
  json_object_set_new(o, "name", json_string(t->of->stored->name));
  json_object_set_new(o, "dtype", json_string(dtype_of(t)));
  json_object_set_new(o, "shape", json_from_shape(t->of->stored->shape, t->of->stored->rank));
  if (!kept_whole(&t->kept)) json_object_set_new(o, "rule", json_integer(t->rule - l->rules.rules));
  if (l->checkpoint.sharded) json_object_set_new(o, "file", json_string(l->checkpoint.names[t->of->shard]));
  if (t->kept.file && t->kept.stored->elements > 0) json_object_set_new(o, "kept", json_string(t->kept.file->path));
  if (is_skipped(t)) json_object_set_new(o, "skip", json_string(t->rule->skip));
  if (is_idle(t)) return o;
  if (t->kept.grows) json_object_set_new(o, "resized", json_string(kept_resize(&t->kept, &t->tensor, text)));
  fanin_init_format(&t->init, text, sizeof text, NULL);
  json_object_set_new(o, "init", json_string(text));
  if (t->parts.count > 0) json_object_set_new(o, "parts", tensor_parts_json(&t->parts, &t->tensor, &t->init));
  if (t->tensor.layout[0]) json_object_set_new(o, "layout", json_string(layout_format(&t->tensor, layout)));
  if (t->twin) json_object_set_new(o, "same_as", json_string(t->twin->stored->name));
  JSON_SET_NUMBERS(o, {"mean", m.mean}, {"std", m.std}, {"lo", m.lo}, {"hi", m.hi});
  return o;
}

int like_explain(const like *l, failure *why) {
  if (!l->json) {
    print_tensors(l);
    putchar('\n');
    like_print_rules(l);
    return STATUS_OK;
  }
  json_t *root = json_object(), *tensors = json_array();
  json_object_set_new(root, "checkpoint", json_string(l->checkpoint_path));
  json_object_set_new(root, "rules", json_string(l->rules.name));
  for (size_t i = 0; i < l->checkpoint.count; ++i)
    json_array_append_new(tensors, tensor_json(l, &l->list[i]));
  json_object_set_new(root, "tensors", tensors);
  json_object_set_new(root, "unused_rules", unused_json(l));
  if (l->keep) json_object_set_new(root, "not_in_output", keep_unused_json(l->keep));
  return json_print(root, why);
}

void like_free(like *l) {
  for (size_t i = 0; l->list && i < l->checkpoint.count; ++i) {
    free(l->list[i].declined);
    tensor_parts_free(&l->list[i].parts);
  }
  free(l->list);
  init_rules_free(&l->rules);
  checkpoint_free(&l->checkpoint);
  json_decref(l->first);
  json_decref(l->set);
  free(l->shard_of);
  *l = (like){0};
}
