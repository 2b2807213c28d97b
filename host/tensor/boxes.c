/* A tensor's part as boxes of coordinates, and the matrices that a tensor consists of: for initializers whose values
 * depend on coordinates, and not on the index alone. */
#include "tensor/boxes.h"

#include <inttypes.h>
#include <string.h>

#include "core/status.h"
#include "math/integer.h"

/* ---- Boxes ------------------------------------------------------------------------------------------------------- */

/* What is not a range is one box. */
static void put_slab(fanin__boxes *out, const fanin_tensor *t) {
  fanin__box *const b = &out->all[out->n++];
  uint64_t dense = 1;
  bool strided = false;
  for (int d = t->rank - 1; d >= 0; d--) {
    b->start[d] = t->part == FANIN_PART_SLAB ? t->start[d] : 0;
    b->extent[d] = t->part == FANIN_PART_SLAB ? t->extent[d] : t->shape[d];
    b->stride[d] = dense;
    dense *= b->extent[d];
    strided = strided || t->strides[d] > 0;
  }
  if (strided) memcpy(b->stride, t->strides, sizeof b->stride);
}

/* A box that `corner` begins, of `extent` along dimension d and of all there is behind it. */
static void put_box(fanin__boxes *out, const fanin_tensor *t, const fanin__roles *roles, const uint64_t *corner, int d,
                    uint64_t extent) {
  fanin__box *const b = &out->all[out->n++];
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
static void put_range(fanin__boxes *out, const fanin_tensor *t, const fanin__roles *roles, uint64_t *corner, int d,
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

void fanin__boxes_of(const fanin_tensor *t, const fanin__roles *roles, fanin__boxes *out) {
  uint64_t corner[FANIN_MAX_RANK] = {0};
  memset(out, 0, sizeof *out);
  if (t->part == FANIN_PART_RANGE) {
    put_range(out, t, roles, corner, 0, t->first, t->first + t->count);
  } else {
    put_slab(out, t);
  }
}

/* ---- Matrices ---------------------------------------------------------------------------------------------------- */

fanin_status fanin__matrices_of(const fanin_tensor *t, fanin__matrices *out) {
  fanin__matrices l = {.stack = -1, .stacked = 1};
  const fanin__roles *const roles = &l.roles;
  FANIN__TRY(fanin__roles_of(t, &l.roles));
  const uint64_t o = t->shape[roles->o], i = t->shape[roles->i];
  if (roles->full_is_i && roles->groups > 1 && roles->splits > 1) {
    return fanin__fail(FANIN_STATUS_BAD_SHAPE,
                       "groups = %" PRIu64 " and splits = %" PRIu64 ": only one of them above 1 is accepted where I is "
                       "the layout's first letter, or G is in its place",
                       roles->groups, roles->splits);
  }
  const bool cut_i = roles->full_is_i && roles->groups > 1;
  l.parts = roles->groups * roles->splits;
  l.outputs = cut_i ? o : o / l.parts;
  l.inputs = cut_i ? i / l.parts : i;
  l.part_o = cut_i || l.parts == 1 ? 0 : l.outputs;
  l.part_i = cut_i ? l.inputs : 0;
  for (int d = 0; d < t->rank; d++) {
    if (t->layout[d] != 'B') continue;
    l.stack = d;
    l.stacked = t->shape[d];
  }
  *out = l;
  return FANIN_STATUS_OK;
}

fanin__sides fanin__sides_of(const fanin__matrices *matrices, bool centre) {
  fanin__sides s = {.taps = centre ? 1 : matrices->roles.spatial};
  const uint64_t columns = matrices->inputs * s.taps;
  s.tall = matrices->outputs > columns;
  s.width = s.tall ? columns : matrices->outputs;
  s.height = s.tall ? matrices->outputs : columns;
  return s;
}
