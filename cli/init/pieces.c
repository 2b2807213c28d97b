/* Parts of a model's tensors, cut into pieces of bounded size. */
#include "init/pieces.h"

#include <stdlib.h>

/* Code that writes a piece keeps a list of its runs, so their number is limited. */
enum { MOST_RUNS = 16384 };

/* ---- Parts ------------------------------------------------------------------------------------------------------- */

static uint64_t extent_of(const fanin_tensor *t, int d) {
  return t->part == FANIN_PART_SLAB ? t->extent[d] : t->shape[d];
}

uint64_t part_elements(const fanin_tensor *t) {
  uint64_t elements = 1;
  if (t->part == FANIN_PART_RANGE) return t->count;
  for (int d = 0; d < t->rank; ++d)
    elements *= extent_of(t, d);
  return elements;
}

uint64_t part_bytes(const fanin_tensor *t) {
  return part_elements(t) * fanin_dtype_size(t->dtype);
}

uint64_t part_run(const fanin_tensor *t) {
  if (t->part != FANIN_PART_SLAB) return part_elements(t);
  uint64_t run = 1;
  for (int d = t->rank - 1; d >= 0; --d) {
    run *= t->extent[d];
    if (t->extent[d] != t->shape[d]) break;
  }
  return run;
}

static uint64_t least(uint64_t a, uint64_t b) {
  return a < b ? a : b;
}

/* Takes whole dimensions, from the last one on, as long as the cut begins at their start and they fit; then as much of
 * the next dimension as fits. */
static fanin_tensor cut_slab(const fanin_tensor *t, uint64_t done, uint64_t most) {
  uint64_t start[FANIN_MAX_RANK] = {0}, extent[FANIN_MAX_RANK] = {0}, size = 1;
  bool open = true; /* dimension d may have more than one coordinate, because the dimensions behind it are whole */
  for (int d = t->rank - 1; d >= 0; --d) {
    const uint64_t at = done % t->extent[d];
    done /= t->extent[d];
    start[d] = t->start[d] + at;
    extent[d] = open ? least(t->extent[d] - at, most / size) : 1;
    size *= extent[d];
    open = open && extent[d] == t->extent[d];
  }
  fanin_tensor cut = *t;
  fanin_tensor_slab(t, start, extent, &cut); /* a part of what was checked cannot fail */
  return cut;
}

fanin_tensor part_cut(const fanin_tensor *t, uint64_t done, uint64_t most) {
  const uint64_t first = t->part == FANIN_PART_RANGE ? t->first : 0;
  if (t->part == FANIN_PART_SLAB) return cut_slab(t, done, most);
  fanin_tensor cut = *t;
  fanin_tensor_range(t, first + done, least(part_elements(t) - done, most), &cut);
  return cut;
}

fanin_tensor part_slab(const fanin_tensor *t, uint64_t done) {
  const uint64_t zero[FANIN_MAX_RANK] = {0}, left = part_elements(t) - done;
  fanin_tensor all = *t;
  if (t->part == FANIN_PART_SLAB) return cut_slab(t, done, left);
  fanin_tensor_slab(t, zero, t->shape, &all); /* all of it: this cannot fail */
  return cut_slab(&all, (t->part == FANIN_PART_RANGE ? t->first : 0) + done, left);
}

/* ---- Pieces ------------------------------------------------------------------------------------------------------ */

/* Moves on to the next part that is not empty, if the current one is done. */
static bool find_part(cutter *c) {
  while (!c->has_part || c->done == part_elements(&c->part.where)) {
    c->done = 0;
    c->has_part = c->source.next && c->source.next(c->source.state, &c->part);
    if (!c->has_part) {
      c->source.next = NULL;
      return false;
    }
    c->at_once = part_bytes(&c->part.where) <= c->largest && c->model->tensors[c->part.tensor].together;
  }
  return true;
}

/* Adds as much of the part as fits. Returns false when the piece is complete: nothing fits, or elements would not be
 * aligned. */
static bool take_some(cutter *c, piece *p, uint64_t *runs) {
  const size_t size = fanin_dtype_size(c->part.where.dtype);
  const uint64_t run = part_run(&c->part.where), room = (c->most - p->bytes) / size,
                 all = part_elements(&c->part.where);
  const bool whole = c->at_once && (c->done > 0 || all > room || all / run > *runs);
  if (p->bytes % size != 0 || (whole && p->count > 0)) return false;
  if (whole) {
    p->lent = true;
    p->whole = c->part;
    p->offset = c->done * size;
  }
  const uint64_t most = run < room / *runs ? run * *runs : room;
  if (most == 0) return false;
  const fanin_tensor where = part_cut(&c->part.where, c->done, most);
  const uint64_t elements = part_elements(&where);
  p->parts = grow(p->parts, &p->capacity, p->count + 1, sizeof *p->parts);
  p->parts[p->count++] = (model_part){c->part.tensor, where};
  p->bytes += (size_t)elements * size;
  c->done += elements;
  const uint64_t taken = elements / run + (elements % run != 0);
  *runs -= least(*runs, taken);
  return *runs > 0 && !whole;
}

void cutter_next(cutter *c, piece *p) {
  uint64_t runs = MOST_RUNS;
  p->count = 0;
  p->bytes = 0;
  p->lent = false;
  while (find_part(c) && take_some(c, p, &runs))
    continue;
}

bool cutter_at_end(cutter *c) {
  return !find_part(c);
}

void piece_free(piece *p) {
  free(p->parts);
  *p = (piece){0};
}
