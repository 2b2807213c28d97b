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
  const checkpoint_tensor *twin; /* whose values it gets; NULL: its own */
  fanin_tensor tensor;           /* no buffer; meaningless where the rule says skip, as is what follows */
  fanin_init init;
  const char *stored_dtype; /* the file's name of a dtype that the library does not have: all zeros; NULL: `tensor`'s */
} assignment;

typedef struct assignments {
  const checkpoint *checkpoint;
  const init_rules *rules;
  const json_t *set;        /* an object of numbers, that go before the rules' values; NULL: none */
  const fanin_dtype *dtype; /* instead of every floating-point dtype; NULL: the checkpoint's */
  assignment *list;         /* in the checkpoint's order, every tensor */
} assignments;

/* Sets a->list; the other members are the caller's to set and to keep. Fails, with their names, where no rule takes
 * tensors. assignments_free() it. */
int assign(assignments *a, failure *why);

void assignments_free(assignments *a);

/* The tensors that are to be made, by `shards` file by file, and larger elements first, as readers want them aligned.
 * (*shard_of)[i] is the index of the file of tensor i; free() it. */
int assigned_model(const assignments *a, bool shards, model *out, size_t **shard_of, failure *why);

#endif
