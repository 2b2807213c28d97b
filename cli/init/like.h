/* fanin init --like: a checkpoint's tensors made anew by rules, which give them their initializers. */
#ifndef CLI_INIT_LIKE_H
#define CLI_INIT_LIKE_H

#include "base/args.h"
#include "formats/checkpoint.h"
#include "formats/model.h"
#include "init/keep.h"
#include "init/rules.h"

/* What becomes of one tensor. */
typedef struct assignment {
  const checkpoint_tensor *of;
  const init_rule *rule;            /* the first that takes it; NULL: none does, and it is copied */
  const checkpoint_tensor *twin;    /* the tensor whose values this one gets; NULL: it has its own */
  const checkpoint_tensor *norm_of; /* the tensor whose norms this one gets, instead of init and parts; NULL: none */
  kept_tensor kept;    /* where it is copied, the fields below are not set; where it has a law, only the next one */
  fanin_tensor tensor; /* without buffer; not set where the rule says skip, like the fields below */
  fanin_init init;
  tensor_parts parts;
  char *declined;           /* why the rules do not say what it should be, where others may; NULL: they do */
  const char *stored_dtype; /* the file's name of a dtype that the library does not have: all zeros; NULL: `tensor`'s */
} assignment;

typedef struct like {
  const char *checkpoint_path; /* NULL: --like is not given */
  const char *rules_name;      /* NULL: the default, "pytorch" */
  option_rules first;          /* --rule and --skip, which go before the others */
  kept_files *keep;            /* of --keep; NULL: it is not given */
  json_t *set;                 /* the numbers of --set, which override the rules' values; NULL: none */
  const fanin_dtype *dtype;    /* replaces every floating-point dtype; NULL: the checkpoint's dtypes stay */
  bool partial; /* tensors that no rule takes, that the rules decline, or of dtypes that the library does not have, are
                   left without a rule */
  checkpoint checkpoint;
  init_rules rules;
  assignment *list; /* in the checkpoint's order, every tensor */
  size_t *shard_of; /* of the model's tensors: the index of the file of each */
} like;

/* The reader of --set, "NAME=NUMBER", into a like. */
args_reader like_set;

/* Those of --rule, "PATTERN=INIT", "PATTERN=LAYOUT:INIT" or "PATTERN=norm_of:FROM->TO", and of --skip, "PATTERN", into
 * a like. */
args_reader like_rule, like_skip;

/* Reads checkpoint and rules, and makes the model: with `shards`, file by file. `dtype` may be NULL. */
int like_load(like *l, bool shards, const fanin_dtype *dtype, model *out, failure *why);

/* Sets a->list from checkpoint, rules, set and dtype (assign.c; the model is made of it in like_model.c). If no rule
 * takes some tensors, the call fails and names them. */
int like_assign(like *a, failure *why);

/* Loads the rules of l->rules_name for the tensors of l->checkpoint, which are there already, and says what these
 * should be. A tensor that no rule takes is left without a rule. Does nothing where no rules are named. */
int like_expect(like *l, failure *why);

/* What the rules say of the tensor of that name; NULL: nothing, that it is skipped, or that it has another's norms. */
const assignment *like_expected(const like *l, const char *name);

/* Why the rules do not say it of that tensor; NULL: they do, or have no rule for it. */
const char *like_declined(const like *l, const char *name);

/* How errors name what a rule says of a tensor. */
enum { LIKE_PLACE = 512 };
char *like_place(const init_rule *r, const stored_tensor *t, char out[LIKE_PLACE]);

/* Makes a model of the tensors that are to be made, and a->shard_of: with `shards` file by file, and larger elements
 * first, because readers want them aligned. */
int like_model(like *a, bool shards, model *out, failure *why);

/* Whether a rule is one of --rule and --skip. */
bool like_is_first(const like *l, const init_rule *r);

void like_free(like *l);

#endif
