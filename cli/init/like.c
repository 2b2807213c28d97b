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

bool like_is_first(const like *l, const init_rule *r) {
  return (size_t)(r - l->rules.rules) < json_array_size(l->first);
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
