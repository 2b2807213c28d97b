/* fanin init --explain: what becomes of each tensor, and which rule said it. */
#include "init/explain.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/table.h"
#include "base/text.h"
#include "formats/tensor_text.h"

enum { TEXT = 512, NO_RULE = -1 };

/* What becomes of one tensor, of a checkpoint or of a model. */
typedef struct fate {
  const char *name, *dtype;
  const uint64_t *shape;
  int rank;
  const char *skip, *twin, *norm_of, *file; /* why it is left out; whose values it has; whose norms; where it goes.
                                               NULL: nothing of that */
  ptrdiff_t rule;
  const kept_tensor *kept;
  const fanin_tensor *tensor; /* NULL: no initializer draws anything of it */
  const fanin_init *init;
  const tensor_parts *parts; /* of what is drawn */
} fate;

/* The new end of a tensor that grows has no parts. */
static const tensor_parts *drawn_parts_of(const kept_tensor *kept, const tensor_parts *parts) {
  static const tensor_parts none = {.count = 0};
  return kept->grows ? &none : parts;
}

static const char *kept_dtype(const kept_tensor *k) {
  return k->stored->type->measurable ? fanin_dtype_name(k->stored->type->dtype) : k->stored->type->name;
}

static fate fate_of_assignment(const like *l, const assignment *t) {
  const stored_tensor *stored = t->of->stored;
  fate out = {.name = stored->name, .shape = stored->shape, .rank = stored->rank, .rule = NO_RULE, .kept = &t->kept};
  if (l->checkpoint.sharded) out.file = l->checkpoint.names[t->of->shard];
  if (kept_without_init(&t->kept)) {
    out.dtype = kept_dtype(&t->kept);
    out.twin = t->kept.law && t->twin ? t->twin->stored->name : NULL;
    return out;
  }
  out.rule = t->rule - l->rules.rules;
  out.skip = t->rule->skip;
  out.dtype = out.skip ? stored->type->name : t->stored_dtype ? t->stored_dtype : fanin_dtype_name(t->tensor.dtype);
  if (out.skip) return out;
  out.norm_of = t->norm_of ? t->norm_of->stored->name : NULL;
  if (out.norm_of) return out;
  out.twin = t->twin ? t->twin->stored->name : NULL;
  out.tensor = &t->tensor;
  out.init = &t->init;
  out.parts = drawn_parts_of(&t->kept, &t->parts);
  return out;
}

static fate fate_of_model(const model_tensor *t) {
  fate out = {.name = t->name, .rule = NO_RULE, .kept = &t->kept};
  if (kept_whole(&t->kept)) {
    out.dtype = kept_dtype(&t->kept);
    out.shape = t->kept.stored->shape;
    out.rank = t->kept.stored->rank;
    return out;
  }
  out.dtype = fanin_dtype_name(t->tensor.dtype);
  out.shape = t->tensor.shape;
  out.rank = t->tensor.rank;
  out.norm_of = t->kept.law ? NULL : t->norm_name;
  if (t->kept.law || out.norm_of) return out;
  out.tensor = &t->tensor;
  out.init = &t->init;
  out.parts = drawn_parts_of(&t->kept, &t->parts);
  return out;
}

/* "normal:std=0.02", "as shared.weight", "norm of conv.weight_v", "skipped: the causal mask" */
static char *drawn_action(const fate *f, char out[TEXT]) {
  if (f->skip)
    snprintf(out, TEXT, "skipped: %s", f->skip);
  else if (f->twin)
    snprintf(out, TEXT, "as %s", f->twin);
  else if (f->norm_of)
    snprintf(out, TEXT, "norm of %s", f->norm_of);
  else
    tensor_parts_text(f->parts, f->init, out, TEXT);
  return out;
}

/* The same, or "kept: trained.safetensors", "kept: trained.safetensors, but 0:32000->32064 normal:std=0.02" */
static char *action_of(const fate *f, char out[TEXT]) {
  char drawn[TEXT], grown[RESIZE_TEXT];
  const kept_tensor *k = f->kept;
  if (!k->file) return drawn_action(f, out);
  if (kept_whole(k))
    snprintf(out, TEXT, k->stored->elements > 0 ? "kept: %.400s" : "nothing: it is empty", k->file->path);
  else
    snprintf(out, TEXT, "kept: %.200s, but %s %.200s", k->file->path, kept_resize(k, f->shape, grown),
             k->law ? k->law : drawn_action(f, drawn));
  return out;
}

/* Of all elements together. NaN where nothing is drawn. */
static fanin_moments moments_of(const fate *f) {
  fanin_moments m = {.mean = NAN, .std = NAN, .lo = NAN, .hi = NAN};
  tensor_region r = {.init = NULL};
  double second = 0;
  if (!f->tensor) return m;
  if (f->parts->count == 0) {
    fanin_expect(f->tensor, f->init, &m, sizeof m);
    return m;
  }
  m = (fanin_moments){.lo = INFINITY, .hi = -INFINITY};
  const double whole = (double)f->tensor->shape[f->parts->dimension];
  while (tensor_parts_next(f->parts, f->tensor, f->init, &r)) {
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

/* ---- By tensor --------------------------------------------------------------------------------------------------- */

typedef struct fates {
  fate *list; /* of a checkpoint, or of a model */
  size_t count;
} fates;

/* The caller frees the list. */
static fates fates_of(const init_request *r) {
  const like *l = &r->like;
  fates out = {.count = l->list ? l->checkpoint.count : r->model.count};
  out.list = allocate(out.count, sizeof *out.list);
  for (size_t i = 0; i < out.count; ++i)
    out.list[i] = l->list ? fate_of_assignment(l, &l->list[i]) : fate_of_model(&r->model.tensors[i]);
  return out;
}

/* The column of rules is left out where there are none. */
static void print_tensors(const fates *all, bool has_rules) {
  static const column columns[] = {{"tensor", 1, 0}, {"shape", 1, 0}, {"dtype", 1, 2},      {"rule", 0, 0},
                                   {"layout", 1, 1}, {"std", 0, 3},   {"initializer", 1, 0}};
  static const column no_rules[] = {{"tensor", 1, 0}, {"shape", 1, 0}, {"dtype", 1, 2},
                                    {"layout", 1, 1}, {"std", 0, 3},   {"initializer", 1, 0}};
  table t = has_rules ? table_of(columns, sizeof columns / sizeof *columns)
                      : table_of(no_rules, sizeof no_rules / sizeof *no_rules);
  for (size_t i = 0; i < all->count; ++i) {
    char shape[TEXT_SHAPE], layout[LAYOUT_TEXT] = "", action[TEXT], std[TEXT_NUMBER];
    const fate *f = &all->list[i];
    table_cell(&t, "%s", f->name);
    table_cell(&t, "%s", text_shape(f->shape, f->rank, shape));
    table_cell(&t, "%s", f->dtype);
    if (has_rules && f->rule == NO_RULE) table_cell(&t, "-");
    if (f->rule != NO_RULE) table_cell(&t, "%td", f->rule);
    table_cell(&t, "%s", f->tensor ? layout_format(f->tensor, layout) : "");
    table_cell(&t, "%s", text_real(moments_of(f).std, std));
    table_cell(&t, "%s", text_short(action_of(f, action)));
  }
  table_print(&t);
}

static json_t *tensor_json(const fate *f) {
  char text[TEXT], layout[LAYOUT_TEXT];
  const fanin_moments m = moments_of(f);
  json_t *o = json_object();
  json_object_set_new(o, "name", json_string(f->name));
  json_object_set_new(o, "dtype", json_string(f->dtype));
  json_object_set_new(o, "shape", json_from_shape(f->shape, f->rank));
  if (f->rule != NO_RULE) json_object_set_new(o, "rule", json_integer(f->rule));
  if (f->file) json_object_set_new(o, "file", json_string(f->file));
  if (f->kept->file && f->kept->stored->elements > 0) json_object_set_new(o, "kept", json_string(f->kept->file->path));
  if (f->skip) json_object_set_new(o, "skip", json_string(f->skip));
  if (f->kept->grows) json_object_set_new(o, "resized", json_string(kept_resize(f->kept, f->shape, text)));
  if (f->kept->law) json_object_set_new(o, "init", json_string(f->kept->law));
  if (f->norm_of) json_object_set_new(o, "norm_of", json_string(f->norm_of));
  if (f->kept->law && f->twin) json_object_set_new(o, "same_as", json_string(f->twin));
  if (!f->tensor) return o;
  fanin_init_format(f->init, text, sizeof text, NULL);
  json_object_set_new(o, "init", json_string(text));
  if (f->parts->count > 0) json_object_set_new(o, "parts", tensor_parts_json(f->parts, f->tensor, f->init));
  if (f->tensor->layout[0]) json_object_set_new(o, "layout", json_string(layout_format(f->tensor, layout)));
  if (f->twin) json_object_set_new(o, "same_as", json_string(f->twin));
  JSON_SET_NUMBERS(o, {"mean", m.mean}, {"std", m.std}, {"lo", m.lo}, {"hi", m.hi});
  return o;
}

/* ---- By rule ----------------------------------------------------------------------------------------------------- */

/* Marks the rules that take tensors; the caller frees the marks. */
static bool *used_rules(const like *l) {
  bool *used = allocate(l->rules.count, sizeof *used);
  for (size_t i = 0; i < l->checkpoint.count; ++i) {
    const assignment *a = &l->list[i];
    if (!a->rule || (kept_without_init(&a->kept) && like_is_first(l, a->rule))) continue;
    used[a->rule - l->rules.rules] = true; /* files of rules may be about tensors that are kept, too */
  }
  return used;
}

/* Whether a rule is reported when it takes nothing. Sets of the command have rules for models that differ. */
static bool is_reported(const like *l, const bool *used, size_t rule) {
  return !l->rules.shipped && rule < l->rules.own && !used[rule];
}

static const char *reason_of(const like *l, const init_rule *r) {
  for (size_t i = 0; i < l->checkpoint.count; ++i) {
    if (l->list[i].rule == r) return "what it matches is kept";
    if (init_rule_takes(r, l->checkpoint.tensors[i].stored)) return "what it matches, other rules take";
  }
  return "it matches no tensor";
}

void explain_unused(const like *l, const char *program) {
  if (!l->list) return;
  bool *used = used_rules(l);
  for (size_t i = 0; i < l->rules.own; ++i) {
    if (!is_reported(l, used, i)) continue;
    const init_rule *r = &l->rules.rules[i];
    char place[RULE_PLACE], *pattern = init_rule_pattern(r);
    fprintf(stderr, "%s: init: warning: %s%s%s%s takes nothing: %s\n", program, init_rule_place(r, place),
            r->option ? "" : " (", r->option ? "" : pattern, r->option ? "" : ")", reason_of(l, r));
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

typedef struct taken {
  size_t tensors;
  uint64_t elements; /* that are drawn */
  fate first;
  bool differ; /* its tensors get different initializers */
} taken;

void explain_rules(const like *l) {
  static const column columns[] = {{"rule", 0, 0},        {"tensors", 0, 0}, {"elements", 0, 2},
                                   {"initializer", 1, 0}, {"such as", 1, 1}, {"match", 1, 0}};
  table t = table_of(columns, sizeof columns / sizeof *columns);
  taken *by_rule = allocate(l->rules.count, sizeof *by_rule);
  for (size_t i = 0; i < l->checkpoint.count; ++i) {
    char first[TEXT], this[TEXT];
    const fate f = fate_of_assignment(l, &l->list[i]);
    if (f.rule == NO_RULE) continue;
    taken *of = &by_rule[f.rule];
    if (of->tensors++ == 0) of->first = f;
    of->elements += l->list[i].of->stored->elements - (f.kept->grows ? f.kept->stored->elements : 0);
    of->differ = of->differ || strcmp(drawn_action(&of->first, first), drawn_action(&f, this)) != 0;
  }
  for (size_t i = 0; i < l->rules.count; ++i) {
    char number[TEXT_NUMBER], action[TEXT];
    const taken *of = &by_rule[i];
    if (of->tensors == 0) continue;
    char *pattern = init_rule_pattern(&l->rules.rules[i]);
    table_cell(&t, "%zu", i);
    table_cell(&t, "%zu", of->tensors);
    table_cell(&t, "%s", text_count(of->elements, number));
    table_cell(&t, "%s%s", text_short(drawn_action(&of->first, action)), of->differ ? ", ..." : "");
    table_cell(&t, "%s", of->first.name);
    table_cell(&t, "%s", pattern);
    free(pattern);
  }
  table_print(&t);
  free(by_rule);
}

/* ---- All of it --------------------------------------------------------------------------------------------------- */

static void print_totals(const model *m) {
  char parameters[TEXT_NUMBER], size[TEXT_NUMBER];
  uint64_t elements, bytes;
  model_totals(m, &elements, &bytes);
  printf("\n%zu tensor%s, %s parameter%s, %s\n", m->count, text_plural(m->count), text_count(elements, parameters),
         text_plural(elements), text_bytes(bytes, size));
}

int explain_request(const init_request *r, failure *why) {
  const like *l = &r->like;
  fates all = fates_of(r);
  if (!r->json) {
    print_tensors(&all, l->list);
    if (l->list) putchar('\n');
    if (l->list) explain_rules(l);
    print_totals(&r->model);
    free(all.list);
    return STATUS_OK;
  }
  json_t *root = json_object(), *tensors = json_array();
  if (r->model_path) json_object_set_new(root, "model", json_string(r->model_path));
  if (l->list) json_object_set_new(root, "checkpoint", json_string(l->checkpoint_path));
  if (l->list) json_object_set_new(root, "rules", json_string(l->rules.name));
  for (size_t i = 0; i < all.count; ++i)
    json_array_append_new(tensors, tensor_json(&all.list[i]));
  json_object_set_new(root, "tensors", tensors);
  if (l->list) json_object_set_new(root, "unused_rules", unused_json(l));
  if (r->keep.paths.count > 0) json_object_set_new(root, "not_in_output", keep_unused_json(&r->keep));
  free(all.list);
  return json_print(root, why);
}
