/* Gives the tensors of a checkpoint their initializers, by rules. */
#ifndef CLI_INIT_ASSIGN_H
#define CLI_INIT_ASSIGN_H

#include "formats/checkpoint.h"
#include "formats/model.h"
#include "init/rules.h"

/* What becomes of one tensor. */
typedef struct assignment {
  const checkpoint_tensor *of;
  const init_rule *rule;         /* the first that takes it */
  const checkpoint_tensor *twin; /* the tensor whose values this one gets; NULL: it has its own */
  fanin_tensor tensor;           /* without buffer; not set where the rule says skip, like the fields below */
  fanin_init init;
  const char *stored_dtype; /* the file's name of a dtype that the library does not have: all zeros; NULL: `tensor`'s */
} assignment;

typedef struct assignments {
  const checkpoint *checkpoint;
  const init_rules *rules;
  const json_t *set;        /* an object of numbers that override the rules' values; NULL: none */
  const fanin_dtype *dtype; /* replaces every floating-point dtype; NULL: the checkpoint's dtypes stay */
  assignment *list;         /* in the checkpoint's order, every tensor */
} assignments;

/* Sets a->list from the other members, which the caller sets and keeps. If no rule takes some tensors, the call fails
 * and names them. Ends with assignments_free(). */
int assign(assignments *a, failure *why);

void assignments_free(assignments *a);

/* Makes a model of the tensors that are to be made: with `shards` file by file, and larger elements first, because
 * readers want them aligned. (*shard_of)[i] is the index of the file of tensor i; the caller frees it. */
int assigned_model(const assignments *a, bool shards, model *out, size_t **shard_of, failure *why);

#endif
