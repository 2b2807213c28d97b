/* Writes a model's tensors in the order of the file: those that are drawn come in pieces, what is kept is copied
 * between them, and what follows from others is made there. */
#ifndef CLI_INIT_WEAVE_H
#define CLI_INIT_WEAVE_H

#include "base/output.h"
#include "base/session.h"
#include "init/pieces.h"

/* The parts of the tensors that initializers draw: what a part_source's state is. */
typedef struct drawn_parts {
  const model *model;
  size_t next; /* tensor */
} drawn_parts;

/* A part_source's next(): of a tensor that grows, the slab that is new. */
bool drawn_next(void *state, model_part *out);

/* The bytes of all these parts. */
uint64_t drawn_bytes(const model *m);

typedef struct weaver {
  const session *s; /* and the seed: for what follows from other values */
  uint64_t seed;
  const model *model;
  output *out;
  size_t tensor;     /* the first that is not written completely */
  uint64_t done;     /* bytes of its new part that are written, if it grows */
  tensor_file *open; /* what was copied from last; NULL: nothing */
  char *bytes;       /* what is copied passes through here */
  uint64_t shown;    /* when progress was */
} weaver;

/* A part_sink's write(): writes the piece, and before each of its parts what is not drawn there. */
int weave_write(void *state, const piece *p, const char *bytes, failure *why);

/* Writes what is not drawn behind the last part. */
int weave_finish(weaver *w, failure *why);

void weave_free(weaver *w);

#endif
