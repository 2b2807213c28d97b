/* fanin init --like: a checkpoint's tensors made anew by rules. */
#ifndef CLI_INIT_LIKE_H
#define CLI_INIT_LIKE_H

#include "base/args.h"
#include "init/assign.h"

typedef struct like {
  const char *checkpoint_path; /* NULL: --like is not given */
  const char *rules_name;      /* NULL: the default, "pytorch" */
  json_t *set;                 /* the numbers of --set; NULL: none */
  bool explain, json;
  checkpoint checkpoint;
  init_rules rules;
  assignments assigned;
  size_t *shard_of; /* of the model's tensors */
} like;

/* The reader of --set, "NAME=NUMBER", into a like. */
args_reader like_set;

/* Reads checkpoint and rules, and makes the model: with `shards`, file by file. `dtype` may be NULL. */
int like_load(like *l, bool shards, const fanin_dtype *dtype, model *out, failure *why);

/* Prints a row for each rule that takes tensors. */
void like_print_rules(const like *l);

/* Prints a row for each tensor, or JSON. */
int like_explain(const like *l, failure *why);

void like_free(like *l);

#endif
