/* What 'fanin inspect --json' prints; docs/inspect.md lists the keys. */
#include "inspect/inspection.h"

#include <math.h>

#include "base/json.h"

static json_t *law_to_json(const inspected *t) {
  fanin_law_description described = {.name = ""};
  const bool normal = t->law.std > 0; /* made of a normal */
  json_t *o = json_object();
  if (!t->has_law) {
    json_object_set_new(o, "kind", t->closer ? json_string(t->fit.name) : json_null());
    json_object_set_new(o, "guess", json_true());
    return o;
  }
  (void)fanin_describe_law(t->law.kind, &described, sizeof described);
  json_object_set_new(o, "kind", json_string(described.name));
  json_object_set_new(o, "guess", json_boolean(t->estimated));
  JSON_SET_NUMBERS(o, {"lo", t->law.lo}, {"hi", t->law.hi}, {"mean", normal ? t->law.mean : NAN},
                   {"std", normal ? t->law.std : NAN});
  return o;
}

static json_t *tests_to_json(const inspected *t, double bound) {
  json_t *all = json_object();
  for (int k = 0; k < TEST_COUNT; ++k) {
    const test_result *r = &t->tests[k];
    if (isnan(r->value) && isnan(r->z)) continue;
    json_t *o = json_object();
    JSON_SET_NUMBERS(o, {"value", r->value}, {"expected", r->expected}, {"z", r->z});
    json_object_set_new(o, "holds", json_boolean(!(fabs(r->z) > bound)));
    json_object_set_new(all, test_texts[k].name, o);
  }
  return all;
}

static json_t *tensor_to_json(const inspection *i, const inspected *t) {
  static const char *const by[] = {NULL, "file", "rules", "like", "init"};
  json_t *o = json_object();
  const bool values = t->measured && t->stats.count > t->stats.nonfinite, matrix = t->rows > 1;
  json_object_set_new(o, "name", json_string(t->tensor->name));
  if (t->part) json_object_set_new(o, "part_of", json_string(i->files->tensors[t->of].stored->name));
  json_object_set_new(o, "dtype", json_string(t->tensor->type->name));
  json_object_set_new(o, "shape", json_from_shape(t->tensor->shape, t->tensor->rank));
  json_object_set_new(o, "count", json_integer((json_int_t)t->tensor->elements));
  json_object_set_new(o, "nonfinite", t->measured ? json_integer((json_int_t)t->stats.nonfinite) : json_null());
  JSON_SET_NUMBERS(o, {"mean", values ? t->stats.mean : NAN}, {"std", values ? t->stats.std : NAN},
                   {"min", values ? t->stats.min : NAN}, {"max", values ? t->stats.max : NAN});
  if (i->files->n_files > 1) json_object_set_new(o, "file", json_string(t->file->path));
  json_object_set_new(o, "answer", json_string(answer_texts[t->answer]));
  json_object_set_new(o, "failed", json_from_text(t->failed));
  json_object_set_new(o, "reason", json_from_text(t->expected.reason));
  json_object_set_new(o, "init", json_from_text(t->expected.text));
  json_object_set_new(o, "by", t->expected.text ? json_string(by[t->expected.by]) : json_null());
  json_object_set_new(o, "layout", t->expected.layout[0] ? json_string(t->expected.layout) : json_null());
  json_object_set_new(o, "like", json_from_text(t->like));
  JSON_SET_NUMBERS(o, {"mean_expected", t->expected.known ? t->expected.moments.mean : NAN},
                   {"std_expected", t->expected.known ? t->expected.moments.std : NAN}, {"z_std", t->tests[TEST_STD].z},
                   {"z_mean", t->tests[TEST_MEAN].z});
  json_object_set_new(o, "law", t->closer ? law_to_json(t) : json_null());
  JSON_SET_NUMBERS(o, {"skewness", t->skewness}, {"excess_kurtosis", t->kurtosis}, {"mode", t->mode},
                   {"degrees", t->degrees}, {"ks_distance", t->distance}, {"ks_distance_most", t->most_distance});
  json_object_set_new(o, "rows", matrix ? json_integer((json_int_t)t->rows) : json_null());
  json_object_set_new(o, "columns", matrix ? json_integer((json_int_t)t->columns) : json_null());
  json_object_set_new(o, "tests", tests_to_json(t, i->z_bound));
  return o;
}

static json_t *shared_to_json(const inspection *i, const shared_lines *list, size_t n) {
  json_t *all = json_array();
  for (size_t k = 0; k < n; ++k) {
    const shared_lines *s = &list[k];
    json_t *o = json_object();
    json_object_set_new(o, "a", json_string(i->tensors[s->a].tensor->name));
    json_object_set_new(o, "b", json_string(i->tensors[s->b].tensor->name));
    json_object_set_new(o, "a_lines", json_string(s->a_column ? "columns" : "rows"));
    json_object_set_new(o, "b_lines", json_string(s->b_column ? "columns" : "rows"));
    json_object_set_new(o, "a_first", json_integer((json_int_t)s->a_first));
    json_object_set_new(o, "b_first", json_integer((json_int_t)s->b_first));
    json_object_set_new(o, "count", json_integer((json_int_t)s->count));
    json_array_append_new(all, o);
  }
  return all;
}

static json_t *shuffled_to_json(const inspection *i) {
  json_t *all = json_array();
  for (size_t k = 0; k < i->n_shuffled_pairs; ++k) {
    json_t *o = json_object();
    json_object_set_new(o, "a", json_string(i->tensors[i->shuffled_pairs[k].a].tensor->name));
    json_object_set_new(o, "b", json_string(i->tensors[i->shuffled_pairs[k].b].tensor->name));
    json_array_append_new(all, o);
  }
  return all;
}

static json_t *pair_to_json(const inspection *i, const related_pair *p) {
  json_t *o = json_object();
  json_object_set_new(o, "a", json_string(i->tensors[p->a].tensor->name));
  json_object_set_new(o, "b", json_string(i->tensors[p->b].tensor->name));
  json_object_set_new(o, "count", json_integer((json_int_t)p->count));
  JSON_SET_NUMBERS(o, {"r", p->r}, {"z", p->z});
  return o;
}

static json_t *runs_to_json(const inspection *i) {
  json_t *all = json_array();
  for (size_t k = 0; k < i->n_runs; ++k) {
    const repeated_run *r = &i->runs[k];
    json_t *o = json_object();
    json_object_set_new(o, "a", json_string(i->tensors[r->a].tensor->name));
    json_object_set_new(o, "b", json_string(i->tensors[r->b].tensor->name));
    json_object_set_new(o, "a_first", json_integer((json_int_t)r->a_first));
    json_object_set_new(o, "b_first", json_integer((json_int_t)r->b_first));
    json_object_set_new(o, "count", json_integer((json_int_t)r->count));
    JSON_SET_NUMBERS(o, {"factor", r->factor});
    json_object_set_new(o, "reversed", json_boolean(r->reversed));
    json_array_append_new(all, o);
  }
  return all;
}

static json_t *findings_to_json(const inspection *i, bool failures) {
  json_t *all = json_array();
  for (size_t k = 0; k < i->n_findings; ++k) {
    const finding *f = &i->findings[k];
    if (failures && f->kind != FINDING_FAILURE) continue;
    const char *name = f->tensor == NO_TENSOR ? NULL : i->tensors[f->tensor].tensor->name;
    json_t *o = json_object();
    json_object_set_new(o, "kind", json_string(finding_texts[f->kind]));
    json_object_set_new(o, "tensor", json_from_text(name));
    json_object_set_new(o, "text", json_string(f->text));
    json_array_append_new(all, o);
  }
  return all;
}

static void set_answer(json_t *root, const inspection *i) {
  const answer all = inspection_answer(i);
  json_object_set_new(root, "answer", json_string(answer_texts[all]));
  json_object_set_new(root, "condition", json_from_text(inspection_condition(i)));
  json_object_set_new(root, "holds", all == ANSWER_NOT_JUDGED ? json_null() : json_boolean(all == ANSWER_HOLDS));
  json_object_set_new(root, "hold", json_integer((json_int_t)i->answers[ANSWER_HOLDS]));
  json_object_set_new(root, "fail", json_integer((json_int_t)i->answers[ANSWER_FAILS]));
  json_object_set_new(root, "not_judged", json_integer((json_int_t)i->answers[ANSWER_NOT_JUDGED]));
  json_object_set_new(root, "suspicious", json_integer((json_int_t)i->suspicious));
  json_object_set_new(root, "missing", json_integer((json_int_t)i->missing));
}

static void set_files(json_t *root, const inspection *i) {
  const checkpoint *c = i->files;
  json_t *files = json_array(), *metadata = c->files[0].metadata;
  for (size_t k = 0; k < c->n_files; ++k)
    json_array_append_new(files, json_string(c->paths[k]));
  json_object_set_new(root, "file", json_string(c->path));
  json_object_set_new(root, "files", files);
  json_object_set_new(root, "format", json_string(c->files[0].format));
  json_object_set_new(root, "metadata", metadata ? json_incref(metadata) : json_object());
}

int inspect_print_json(const inspection *i, bool failures, failure *why) {
  json_t *root = json_object(), *tensors = json_array(), *pairs = json_array();
  set_files(root, i);
  json_object_set_new(root, "device", json_string(i->device));
  json_object_set_new(root, "tests", json_integer((json_int_t)i->tests));
  json_object_set_new(root, "z_bound", json_from_double(i->z_bound));
  json_object_set_new(root, "z_largest", json_from_double(i->most_z));
  json_object_set_new(root, "false_alarm_rate", json_real(1e-3));
  set_answer(root, i);
  for (size_t k = 0; k < i->count; ++k) {
    const inspected *t = &i->tensors[k];
    if (!failures || t->answer == ANSWER_FAILS) json_array_append_new(tensors, tensor_to_json(i, t));
  }
  for (size_t k = 0; k < i->compared_pairs; ++k) {
    if (fabs(i->pairs[k].z) > i->z_bound) json_array_append_new(pairs, pair_to_json(i, &i->pairs[k]));
  }
  json_object_set_new(root, "tensors", tensors);
  json_object_set_new(root, "findings", findings_to_json(i, failures));
  json_object_set_new(root, "pairs_compared", json_integer((json_int_t)i->compared_pairs));
  json_object_set_new(root, "closest_pair", i->compared_pairs > 0 ? pair_to_json(i, &i->closest) : json_null());
  json_object_set_new(root, "related", pairs);
  json_object_set_new(root, "shared_lines", shared_to_json(i, i->shared, i->n_shared));
  json_object_set_new(root, "shuffled_lines", shared_to_json(i, i->shuffled, i->n_shuffled));
  json_object_set_new(root, "shuffled", shuffled_to_json(i));
  json_object_set_new(root, "repeated_runs", runs_to_json(i));
  return json_print(root, why);
}
