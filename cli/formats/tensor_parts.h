/* Parts of a tensor that have an initializer of their own: their text in model files, rules and metadata, and the slabs
 * that they divide a tensor into. docs/model-files.md is the specification. */
#ifndef CLI_FORMATS_TENSOR_PARTS_H
#define CLI_FORMATS_TENSOR_PARTS_H

#include <stdbool.h>

#include "base/json.h"

/* Coordinates first .. end of a dimension; at least one. */
typedef struct tensor_part {
  uint64_t first, end;
  fanin_init init;
} tensor_part;

/* The parts of one tensor, in order and apart from one another. Parts along two dimensions would overlap, so that all
 * lie along one. */
typedef struct tensor_parts {
  int dimension;
  size_t count; /* 0: the tensor has one initializer */
  tensor_part *list;
} tensor_parts;

tensor_parts tensor_parts_copy(const tensor_parts *p);
void tensor_parts_free(tensor_parts *p);

/* A json_reader into a const json_t *: checks an array of parts as far as that goes without a tensor. An initializer
 * that contains an {expression} is not looked at. */
json_reader tensor_parts_read;

/* What texts of parts are read with. */
typedef struct part_texts {
  const fanin_tensor *fans; /* schemes see the fans of this tensor */
  /* Copies a text with each {expression} replaced by its value, `whole`: a whole number. NULL: texts are taken as they
   * are. */
  int (*expand)(const void *state, const char *text, bool whole, const char *where, char *out, size_t size,
                failure *why);
  const void *state;
} part_texts;

/* Makes the parts of `t` from an array that tensor_parts_read() has checked. `where` begins the sentence of a failure.
 * Ends with tensor_parts_free(), also after a failure. */
int tensor_parts_make(const json_t *array, const fanin_tensor *t, const part_texts *texts, const char *where,
                      tensor_parts *out, failure *why);

/* A slab of a tensor, and what fills it. Its values are those that it would have if the whole tensor were filled by
 * that initializer. */
typedef struct tensor_region {
  fanin_tensor where;     /* a slab of the whole; the whole if there are no parts */
  const fanin_init *init; /* the part's, or the tensor's own between parts */
  uint64_t first, end;    /* along the parts' dimension */
  size_t next;            /* the first part that is not behind us */
} tensor_region;

/* Moves *r, which begins as {0}, to the next slab: they are disjoint, go along the parts' dimension, and are the whole
 * tensor together. Without parts there is one. Returns false behind the last. `own` is the tensor's initializer. */
bool tensor_parts_next(const tensor_parts *p, const fanin_tensor *t, const fanin_init *own, tensor_region *r);

/* All slabs as an array of parts, which tensor_parts_read() reads. */
json_t *tensor_parts_json(const tensor_parts *p, const fanin_tensor *t, const fanin_init *own);

/* For people: "zeros; 256..512: ones". `own` NULL: the parts are all of the tensor. Returns `out`. What does not fit is
 * "...". */
char *tensor_parts_text(const tensor_parts *p, const fanin_init *own, char *out, size_t size);

#endif
