/* Where the ones of identity and dirac are: of every matrix of a stack and every part of it (group or split), the
 * diagonal, at the centre of the taps. */
#include <inttypes.h>
#include <string.h>

#include "fill.h"

/* One dimension of the tensor as memory has it. */
typedef struct axis {
  uint64_t start, extent, index_stride, memory_stride;
} axis;

static axis axis_of(const fanin_tensor *t, const fanin__roles *roles, int d) {
  if (d < 0) return (axis){.extent = 1};
  const uint64_t extent = t->part == FANIN_SLAB ? t->extent[d] : t->shape[d];
  axis a = {.start = t->part == FANIN_SLAB ? t->start[d] : 0, .extent = extent, .index_stride = roles->stride[d]};
  bool dense = true;
  for (int k = 0; k < t->rank; k++)
    dense = dense && t->strides[k] == 0;
  if (!dense) {
    a.memory_stride = t->strides[d];
    return a;
  }
  a.memory_stride = 1;
  for (int k = d + 1; k < t->rank; k++)
    a.memory_stride *= t->part == FANIN_SLAB ? t->extent[k] : t->shape[k];
  return a;
}

static int stack_of(const fanin_tensor *t) {
  for (int d = 0; d < t->rank; d++) {
    if (t->layout[d] == 'B') return d;
  }
  return -1;
}

/* The parts lie one after another along the dimension that counts them all, each with the whole of the other. */
static fanin_status cut_into_parts(const fanin_tensor *t, const fanin__roles *roles, fanin__ones *ones) {
  const uint64_t o = t->shape[roles->o], i = t->shape[roles->i];
  if (roles->full_is_i && roles->groups > 1 && roles->splits > 1) {
    return fanin__fail(FANIN_BAD_SHAPE,
                       "groups = %" PRIu64 " and splits = %" PRIu64 ": identity and dirac accept only one of them "
                       "above 1 where I is the layout's first letter",
                       roles->groups, roles->splits);
  }
  const bool cut_i = roles->full_is_i && roles->groups > 1;
  const uint64_t parts = roles->groups * roles->splits;
  const uint64_t part_o = cut_i ? o : o / parts, part_i = cut_i ? i / parts : i;
  ones->count.s[0] = part_o < part_i ? part_o : part_i;
  ones->count.s[1] = parts;
  ones->part.s[0] = cut_i ? 0 : part_o;
  ones->part.s[1] = cut_i ? part_i : 0;
  return FANIN_OK;
}

fanin_status fanin__ones_of(const fanin_tensor *t, fanin__ones *out, bool *any) {
  fanin__roles roles;
  FANIN__TRY(fanin__roles_of(t, &roles));
  fanin__ones ones;
  memset(&ones, 0, sizeof ones);
  FANIN__TRY(cut_into_parts(t, &roles, &ones));
  const int dimension[3] = {stack_of(t), roles.o, roles.i};
  for (int k = 0; k < 3; k++) {
    const axis a = axis_of(t, &roles, dimension[k]);
    ones.start.s[k] = a.start;
    ones.extent.s[k] = a.extent;
    ones.index_stride.s[k] = a.index_stride;
    ones.memory_stride.s[k] = a.memory_stride;
  }
  ones.count.s[2] = dimension[0] < 0 ? 1 : t->shape[dimension[0]];
  if (t->part == FANIN_RANGE) {
    ones.first_range = t->first;
    ones.range = t->count;
  }
  bool inside = true;
  for (int k = 0; k < roles.n_taps; k++) {
    const axis a = axis_of(t, &roles, roles.taps[k]);
    const uint64_t centre = t->shape[roles.taps[k]] / 2;
    ones.first_index += centre * a.index_stride;
    if (t->part == FANIN_RANGE) continue;
    inside = inside && centre >= a.start && centre - a.start < a.extent;
    if (inside) ones.origin += (centre - a.start) * a.memory_stride;
  }
  *any = inside && ones.count.s[0] > 0 && ones.count.s[1] > 0 && ones.count.s[2] > 0;
  *out = ones;
  return FANIN_OK;
}
