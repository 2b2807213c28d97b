/* fanin init --like: a checkpoint's tensors made anew by rules. */
#include "init/like.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
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

/* Takes `rule` over. `pairs` is how many members it should have: fewer, or NULL, where a text is not valid UTF-8. */
static int add_rule(like *l, const char *option, const char *text, json_t *rule, size_t pairs, failure *why) {
  option_rules *first = &l->first;
  const size_t size = strlen(option) + strlen(text) + sizeof " ''";
  if (json_object_size(rule) != pairs) {
    json_decref(rule);
    return args_fail(why, "%s: the text is not valid UTF-8", option);
  }
  if (!first->list) first->list = json_array();
  json_array_append_new(first->list, rule);
  first->texts = grow(first->texts, &first->capacity, first->count + 1, sizeof *first->texts);
  char *place = first->texts[first->count++] = allocate(size, 1);
  snprintf(place, size, "%s '%s'", option, text);
  return STATUS_OK;
}

/* The length of "OI" or "OIHW,groups=4" before a colon; 0: the text has no layout there. No initializer has a name of
 * these letters only. */
static size_t layout_length(const char *text) {
  const size_t letters = strspn(text, LAYOUT_LETTERS "oibgdhw"), length = strcspn(text, ":");
  return letters > 0 && letters == strcspn(text, ":,") && text[length] == ':' ? length : 0;
}

/* Adds a rule by the norms of another tensor, for the names that match the first `length` bytes of `text`. `pair` is
 * "weight_g->weight_v", of which a file makes two texts. */
static int add_norm(like *l, const char *option, const char *text, size_t length, const char *pair, failure *why) {
  const char *arrow = strstr(pair, "->");
  if (!arrow || arrow == pair) {
    return args_fail(why, "%s '%s': write PATTERN=norm_of:FROM->TO, as in '*.weight_g=norm_of:weight_g->weight_v'",
                     option, text);
  }
  json_t *rule =
      json_pack("{s: s%, s: [s%, s]}", "match", text, length, "norm_of", pair, (size_t)(arrow - pair), arrow + 2);
  return add_rule(l, option, text, rule, 2, why);
}

int like_rule(void *to, const char *option, const char *text, failure *why) {
  static const char norm[] = "norm_of:";
  const char *equal = strchr(text, '=');
  if (!equal || equal == text || !equal[1]) {
    return args_fail(why, "%s '%s': write PATTERN=INIT, as in '*.head.weight=zeros' or '*.up.weight=OI:he_normal'",
                     option, text);
  }
  const char *init = equal + 1;
  const size_t layout = layout_length(init);
  const char *initializer = layout > 0 ? init + layout + 1 : init;
  const bool is_norm = strncmp(initializer, norm, sizeof norm - 1) == 0;
  if (is_norm && layout > 0) return args_fail(why, "%s '%s': a layout goes with an initializer only", option, text);
  const size_t pattern = (size_t)(equal - text);
  if (is_norm) return add_norm(to, option, text, pattern, initializer + sizeof norm - 1, why);
  json_t *rule = json_object();
  json_object_set_new(rule, "match", json_stringn(text, pattern));
  if (layout > 0) json_object_set_new(rule, "layout", json_stringn(init, layout));
  json_object_set_new(rule, "init", json_string(initializer));
  const int status = add_rule(to, option, text, rule, layout > 0 ? 3 : 2, why);
  const option_rules *first = &((like *)to)->first;
  return status == STATUS_OK ? init_text_check(initializer, first->texts[first->count - 1], why) : status;
}

int like_skip(void *to, const char *option, const char *text, failure *why) {
  if (!text[0]) return args_fail(why, "%s '%s': give a pattern of names, as in '*.mask'", option, text);
  json_t *rule = json_object();
  json_object_set_new(rule, "skip", json_string("by --skip"));
  json_object_set_new(rule, "match", json_string(text));
  return add_rule(to, option, text, rule, 2, why);
}

static bool has_match(const like *l, const json_t *patterns) {
  for (size_t i = 0; i < l->checkpoint.count; ++i) {
    if (init_rules_match(patterns, l->checkpoint.tensors[i].stored->name)) return true;
  }
  return false;
}

/* Checks that --rule and --skip match tensors. Who leaves out the beginning of a name is shown what to write. */
static int check_first(const like *l, failure *why) {
  for (size_t i = 0; i < l->first.count; ++i) {
    const init_rule *r = &l->rules.rules[i];
    char place[RULE_PLACE], *pattern = init_rule_pattern(r);
    const bool matches = has_match(l, r->match);
    json_t *wider = json_sprintf("*%s", pattern);
    const bool is_meant = has_match(l, wider);
    json_decref(wider);
    const int status = matches
                           ? STATUS_OK
                           : fail(why, STATUS_INPUT, "%s: no tensor of %s has a name like '%.128s'%s%.128s%s",
                                  init_rule_place(r, place), l->checkpoint_path, pattern,
                                  is_meant ? "; did you mean '*" : "", is_meant ? pattern : "", is_meant ? "'?" : "");
    free(pattern);
    if (status != STATUS_OK) return status;
  }
  return STATUS_OK;
}

int like_load(like *l, bool shards, const fanin_dtype *dtype, model *out, failure *why) {
  int status = checkpoint_read(l->checkpoint_path, &l->checkpoint, why);
  if (status == STATUS_OK && shards && !l->checkpoint.sharded) {
    status = fail(why, STATUS_INPUT, "--like %s: is one file, so that the output is one: a name in .safetensors",
                  l->checkpoint_path);
  }
  if (status == STATUS_OK) {
    status = init_rules_load_behind(&l->first, l->rules_name ? l->rules_name : "pytorch", &l->rules, why);
  }
  if (status != STATUS_OK) return status;
  l->dtype = dtype;
  status = check_first(l, why);
  if (status == STATUS_OK && l->keep) status = keep_resize_checkpoint(l->keep, &l->checkpoint, why);
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
  return a && a->rule && !a->rule->skip && !a->norm_of ? a : NULL;
}

const char *like_declined(const like *l, const char *name) {
  const assignment *a = find_assignment(l, name);
  return a ? a->declined : NULL;
}

bool like_is_first(const like *l, const init_rule *r) {
  return (size_t)(r - l->rules.rules) < l->first.count;
}

void like_free(like *l) {
  for (size_t i = 0; l->list && i < l->checkpoint.count; ++i) {
    free(l->list[i].declined);
    tensor_parts_free(&l->list[i].parts);
  }
  free(l->list);
  init_rules_free(&l->rules);
  checkpoint_free(&l->checkpoint);
  for (size_t i = 0; i < l->first.count; ++i)
    free(l->first.texts[i]);
  free(l->first.texts);
  json_decref(l->first.list);
  json_decref(l->set);
  free(l->shard_of);
  *l = (like){0};
}
