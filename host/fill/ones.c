/* Where the ones of identity and dirac are: of every matrix of a stack and every part of it (group or split), the
 * diagonal, at the centre of the taps. What memory holds is cut into boxes of coordinates, and each box knows its
 * stretch of the diagonals, so that the work follows what memory holds and not the whole tensor. */
#include <string.h>

#include "core/status.h"
#include "fill/fill.h"
#include "math/integer.h"

/* ---- Diagonals --------------------------------------------------------------------------------------------------- */

/* lo .. hi of whole numbers, cut to what another such stretch has of it. */
typedef struct stretch {
  uint64_t lo, hi;
} stretch;

static void cut(stretch *s, uint64_t lo, uint64_t hi) {
  if (s->lo < lo) s->lo = lo;
  if (s->hi > hi) s->hi = hi;
}

/* The parts k whose stretch of a dimension, from k part on, meets lo .. hi; and of these the d that can. */
static void cut_parts(stretch *k, stretch *d, uint64_t part, uint64_t lo, uint64_t hi) {
  if (part == 0) {
    cut(d, lo, hi);
    return;
  }
  cut(k, lo / part, fanin__ceil_div(hi, part));
  if (k->lo + 1 == k->hi) cut(d, lo > k->lo * part ? lo - k->lo * part : 0, hi - k->lo * part);
}

/* Ones of each part. */
static uint64_t diagonal_of(const fanin__matrices *l) {
  return l->outputs < l->inputs ? l->outputs : l->inputs;
}

/* The ones of a box; false if it has none. */
static bool ones_in(const fanin__box *b, const fanin_tensor *t, const fanin__roles *roles, const fanin__matrices *l,
                    fanin__ones *out) {
  stretch d = {0, diagonal_of(l)}, k = {0, l->parts}, matrix = {0, l->batches};
  const int dimension[3] = {l->stack, roles->o, roles->i};
  memset(out, 0, sizeof *out);
  out->origin = b->base;
  for (int n = 0; n < roles->n_taps; n++) {
    const int tap = roles->taps[n];
    const uint64_t centre = t->shape[tap] / 2;
    if (centre < b->start[tap] || centre - b->start[tap] >= b->extent[tap]) return false;
    out->origin += (centre - b->start[tap]) * b->stride[tap];
  }
  for (int n = 0; n < 3; n++) {
    out->extent.s[n] = 1; /* without a stack, the one matrix */
    if (dimension[n] < 0) continue;
    out->start.s[n] = b->start[dimension[n]];
    out->extent.s[n] = b->extent[dimension[n]];
    out->memory_stride.s[n] = b->stride[dimension[n]];
  }
  cut(&matrix, out->start.s[0], out->start.s[0] + out->extent.s[0]);
  cut_parts(&k, &d, l->part_o, out->start.s[1], out->start.s[1] + out->extent.s[1]);
  cut_parts(&k, &d, l->part_i, out->start.s[2], out->start.s[2] + out->extent.s[2]);
  if (d.lo >= d.hi || k.lo >= k.hi || matrix.lo >= matrix.hi) return false;
  out->first = (cl_ulong4){{d.lo, k.lo, matrix.lo, 0}};
  out->count = (cl_ulong4){{d.hi - d.lo, k.hi - k.lo, matrix.hi - matrix.lo, 0}};
  out->part = (cl_ulong2){{l->part_o, l->part_i}};
  return true;
}

fanin_status fanin__ones_of(const fanin_tensor *t, fanin__ones *out, int *n) {
  fanin__roles roles;
  fanin__matrices l = {0};
  fanin__boxes cuts;
  FANIN__TRY(fanin__roles_of(t, &roles));
  FANIN__TRY(fanin__matrices_of(t, &roles, &l));
  fanin__boxes_of(t, &roles, &cuts);
  *n = 0;
  for (int k = 0; k < cuts.n; k++) {
    *n += ones_in(&cuts.all[k], t, &roles, &l, &out[*n]);
  }
  return FANIN_STATUS_OK;
}
