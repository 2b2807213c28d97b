/* Programs: a list a fanin, each built from its source or from an imported binary when it is first needed. */
#ifndef HOST_PROGRAM_H
#define HOST_PROGRAM_H

#include "internal.h"

struct fanin__program {
  const fanin__source *source;
  cl_program program;    /* NULL: not built yet */
  unsigned char *binary; /* imported; NULL: none */
  size_t binary_size;
  fanin__program *next;
  char options[]; /* without those that are always added */
};

/* A node that is in no list yet; NULL with a sentence set where memory is short. */
fanin__program *fanin__program_new(const fanin__source *source, const char *options);
void fanin__program_free(fanin__program *node);

/* f's node for it, or NULL. Under f's lock. */
fanin__program *fanin__program_find(const fanin *f, const fanin__source *source, const char *options);

#endif
