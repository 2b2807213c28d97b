/* fanin init --like: a checkpoint's tensors made anew by rules. */
#include "init/like.h"

#include <stdlib.h>
#include <string.h>

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

int like_load(like *l, bool shards, const fanin_dtype *dtype, model *out, failure *why) {
  int status = checkpoint_read(l->checkpoint_path, &l->checkpoint, why);
  if (status == STATUS_OK && shards && !l->checkpoint.sharded) {
    status = fail(why, STATUS_INPUT, "--like %s: is one file, so that the output is one: a name in .safetensors",
                  l->checkpoint_path);
  }
  if (status == STATUS_OK) status = init_rules_load(l->rules_name ? l->rules_name : "pytorch", &l->rules, why);
  if (status != STATUS_OK) return status;
  l->assigned = (assignments){.checkpoint = &l->checkpoint, .rules = &l->rules, .set = l->set, .dtype = dtype};
  status = assign(&l->assigned, why);
  if (status == STATUS_OK) status = assigned_model(&l->assigned, shards, out, &l->shard_of, why);
  if (status == STATUS_OK && out->count == 0) {
    status = fail(why, STATUS_INPUT, "rules %s skip every tensor of %s", l->rules.name, l->checkpoint_path);
  }
  out->rules = l->rules.name;
  out->format = l->checkpoint.format;
  return status;
}

void like_free(like *l) {
  assignments_free(&l->assigned);
  init_rules_free(&l->rules);
  checkpoint_free(&l->checkpoint);
  json_decref(l->set);
  free(l->shard_of);
  *l = (like){0};
}
