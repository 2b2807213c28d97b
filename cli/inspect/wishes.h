/* What the user names: --init, --like, --rules and --set of 'fanin inspect'. */
#ifndef CLI_INSPECT_WISHES_H
#define CLI_INSPECT_WISHES_H

#include "base/args.h"
#include "init/like.h"

/* An --init: of one tensor, or of all that nobody else says anything of. */
typedef struct named_init {
  char *tensor;     /* NULL: of all */
  const char *text; /* an initializer, with schemes before it or none */
} named_init;

typedef struct wishes {
  args_list texts;        /* of --init */
  const char *model_path; /* --like; NULL: it is not given */
  like like;              /* the checkpoint under inspection, and --rules and --set for it */
  named_init *inits;
  size_t n_inits;
  model model;
  const model_tensor **of_model; /* of each of the checkpoint's tensors; NULL: the model has none of that name */
} wishes;

/* Reads what the options name. like.checkpoint must have been read. Ends with wishes_free(), also after a failure. */
int wishes_load(wishes *w, failure *why);
void wishes_free(wishes *w);

/* The model's tensors that the checkpoint lacks: the next one from *at on, which moves behind it; NULL: there is none.
 */
const char *wishes_missing(const wishes *w, size_t *at);

#endif
