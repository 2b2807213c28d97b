/* Where the ones of identity and dirac are: of every matrix of a stack and every part of it (group or split), the
 * diagonal, at the centre of the taps. What memory holds is cut into boxes of coordinates, and each box knows its
 * stretch of the diagonals, so that the work follows what memory holds and not the whole tensor. */
#include <inttypes.h>
#include <string.h>

#include "fill.h"

/* ---- Boxes ------------------------------------------------------------------------------------------------------- */

/* Coordinates start .. start + extent of every dimension; the one at the start is `base` elements into memory. */
typedef struct box {
  uint64_t start[FANIN_MAX_RANK], extent[FANIN_MAX_RANK];
  uint64_t stride[FANIN_MAX_RANK]; /* in memory */
  uint64_t base;
} box;

typedef struct boxes {
  box all[FANIN__MOST_BOXES];
  int n;
} boxes;

/* What is not a range is one box. */
static void put_slab(boxes *out, const fanin_tensor *t) {
  box *const b = &out->all[out->n++];
  uint64_t dense = 1;
  bool strided = false;
  for (int d = t->rank - 1; d >= 0; d--) {
    b->start[d] = t->part == FANIN_SLAB ? t->start[d] : 0;
    b->extent[d] = t->part == FANIN_SLAB ? t->extent[d] : t->shape[d];
    b->stride[d] = dense;
    dense *= b->extent[d];
    strided = strided || t->strides[d] > 0;
  }
  if (strided) memcpy(b->stride, t->strides, sizeof b->stride);
}

/* A box that `corner` begins, of `extent` along dimension d and of all there is behind it. */
static void put_box(boxes *out, const fanin_tensor *t, const fanin__roles *roles, const uint64_t *corner, int d,
                    uint64_t extent) {
  box *const b = &out->all[out->n++];
  b->base = 0 - t->first; /* modulo 2^64, like the sums that it begins */
  for (int k = 0; k < t->rank; k++) {
    b->start[k] = k <= d ? corner[k] : 0;
    b->extent[k] = k < d ? 1 : k == d ? extent : t->shape[k];
    b->stride[k] = roles->stride[k];
    b->base += b->start[k] * b->stride[k];
  }
}

/* Indices from .. to of the tensor behind `corner`'s first d coordinates: what begins in the midst of a step along d,
 * whole steps, what ends in the midst of one. Only one of two neighbours can begin and end in the midst, so that there
 * are at most two boxes a dimension. */
static void put_range(boxes *out, const fanin_tensor *t, const fanin__roles *roles, uint64_t *corner, int d,
                      uint64_t from, uint64_t to) {
  for (; from < to && d < t->rank; d++) {
    const uint64_t step = roles->stride[d], last = (to - 1) / step;
    corner[d] = from / step;
    if (corner[d] != last) break;
    from -= last * step; /* all within one step: look inside */
    to -= last * step;
  }
  if (from >= to) return;
  if (d == t->rank) { /* a single element */
    put_box(out, t, roles, corner, t->rank - 1, 1);
    return;
  }
  const uint64_t step = roles->stride[d], begin = fanin__ceil_div(from, step), end = to / step;
  if (from % step != 0) put_range(out, t, roles, corner, d + 1, from % step, step);
  if (begin < end) {
    corner[d] = begin;
    put_box(out, t, roles, corner, d, end - begin);
  }
  if (to % step != 0) {
    corner[d] = end;
    put_range(out, t, roles, corner, d + 1, 0, to % step);
  }
}

/* ---- Diagonals --------------------------------------------------------------------------------------------------- */

/* A matrix's parts lie one after another along the dimension that counts them all, each with the whole of the other. */
typedef struct layout {
  int stack;                         /* dimension B, or -1 */
  uint64_t batches, parts, diagonal; /* matrices, parts of each, ones of each part */
  uint64_t part_o, part_i;           /* where part k begins: at k part_o, k part_i */
} layout;

static fanin_status layout_of(const fanin_tensor *t, const fanin__roles *roles, layout *out) {
  const uint64_t o = t->shape[roles->o], i = t->shape[roles->i];
  if (roles->full_is_i && roles->groups > 1 && roles->splits > 1) {
    return fanin__fail(FANIN_BAD_SHAPE,
                       "groups = %" PRIu64 " and splits = %" PRIu64 ": identity and dirac accept only one of them "
                       "above 1 where I is the layout's first letter",
                       roles->groups, roles->splits);
  }
  const bool cut_i = roles->full_is_i && roles->groups > 1;
  layout l = {.stack = -1, .batches = 1, .parts = roles->groups * roles->splits};
  const uint64_t outputs = cut_i ? o : o / l.parts, inputs = cut_i ? i / l.parts : i;
  l.diagonal = outputs < inputs ? outputs : inputs;
  l.part_o = cut_i || l.parts == 1 ? 0 : outputs;
  l.part_i = cut_i ? inputs : 0;
  for (int d = 0; d < t->rank; d++) {
    if (t->layout[d] != 'B') continue;
    l.stack = d;
    l.batches = t->shape[d];
  }
  *out = l;
  return FANIN_OK;
}

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

/* The ones of a box; false if it has none. */
static bool ones_in(const box *b, const fanin_tensor *t, const fanin__roles *roles, const layout *l, fanin__ones *out) {
  stretch d = {0, l->diagonal}, k = {0, l->parts}, matrix = {0, l->batches};
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
  layout l = {0};
  boxes cuts = {.n = 0};
  uint64_t corner[FANIN_MAX_RANK] = {0};
  FANIN__TRY(fanin__roles_of(t, &roles));
  FANIN__TRY(layout_of(t, &roles, &l));
  if (t->part == FANIN_RANGE) {
    put_range(&cuts, t, &roles, corner, 0, t->first, t->first + t->count);
  } else {
    put_slab(&cuts, t);
  }
  *n = 0;
  for (int k = 0; k < cuts.n; k++) {
    *n += ones_in(&cuts.all[k], t, &roles, &l, &out[*n]);
  }
  return FANIN_OK;
}

fanin_status fanin__count_ones(const fanin_tensor *t, double *count) {
  fanin__roles roles;
  layout l = {0};
  FANIN__TRY(fanin__roles_of(t, &roles));
  FANIN__TRY(layout_of(t, &roles, &l));
  *count = (double)l.diagonal * (double)l.parts * (double)l.batches;
  return FANIN_OK;
}
