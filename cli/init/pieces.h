/* Parts of a model's tensors, cut into pieces of bounded size: what passes through memory at once. No device. */
#ifndef CLI_INIT_PIECES_H
#define CLI_INIT_PIECES_H

#include <stdbool.h>

#include "formats/model.h"

typedef struct model_part {
  size_t tensor;      /* index in the model */
  fanin_tensor where; /* FANIN_PART_WHOLE, FANIN_PART_SLAB or FANIN_PART_RANGE, dense; no buffer */
} model_part;

/* The elements and bytes of the part that memory holds. */
uint64_t part_elements(const fanin_tensor *t);
uint64_t part_bytes(const fanin_tensor *t);

/* The length of a run: elements that also lie side by side in the whole tensor's order. A range is one run; a slab has
 * many runs of equal length. */
uint64_t part_run(const fanin_tensor *t);

/* The part of `t` behind its first `done` elements in memory: at least one element and at most `most`, as many as make
 * one range or slab. */
fanin_tensor part_cut(const fanin_tensor *t, uint64_t done, uint64_t most);

/* The largest slab whose elements are those of the part from number `done` on, in this order. A range of a tensor of
 * rank r is at most 2 r - 1 of them. Not of a scalar. */
fanin_tensor part_slab(const fanin_tensor *t, uint64_t done);

/* Gives the parts, one after another; next() returns false when there are no more. */
typedef struct part_source {
  bool (*next)(void *state, model_part *out);
  void *state;
} part_source;

/* Parts of tensors whose elements lie side by side in memory. */
typedef struct piece {
  model_part *parts;
  size_t count, capacity;
  size_t bytes; /* of all parts; 0: there is no piece */
  bool lent;    /* the one part is `offset` bytes into the memory of the part `whole`, which is made at once */
  model_part whole;
  uint64_t offset;
} piece;

typedef struct cutter {
  const model *model;
  part_source source;
  size_t most;      /* bytes of a piece, at least those of one element */
  uint64_t largest; /* bytes of a part that may be made at once where its elements are made together */
  model_part part;  /* the part that is being cut */
  bool has_part, at_once;
  uint64_t done; /* elements of the part that are in pieces */
} cutter;

/* Makes the next piece in *p, whose memory is used again. p->bytes is 0 at the end. A piece has at most 16,384 runs. */
void cutter_next(cutter *c, piece *p);

/* Whether no piece is left. */
bool cutter_at_end(cutter *c);

void piece_free(piece *p);

#endif
