/* Where the ones of identity and dirac are: of every matrix of a stack and every part of it (group or split), the
 * diagonal, at the centre of the taps. */
#include <inttypes.h>

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
static fanin_status cut_into_parts(const fanin_tensor *t, const fanin__roles *roles, fanin__delta *delta) {
  const uint64_t o = t->shape[roles->o], i = t->shape[roles->i];
  if (roles->full_is_i && roles->groups > 1 && roles->splits > 1) {
    return fanin__fail(FANIN_BAD_SHAPE,
                       "groups = %" PRIu64 " and splits = %" PRIu64
                       ": identity and dirac accept only one of them above 1 "
                       "where I is the layout's first letter",
                       roles->groups, roles->splits);
  }
  const bool cut_i = roles->full_is_i && roles->groups > 1;
  delta->parts = roles->groups * roles->splits;
  delta->part_o = cut_i ? 0 : o / delta->parts;
  delta->part_i = cut_i ? i / delta->parts : 0;
  const uint64_t outputs = cut_i ? o : delta->part_o, inputs = cut_i ? delta->part_i : i;
  delta->diagonal = outputs < inputs ? outputs : inputs;
  return FANIN_OK;
}

fanin_status fanin__delta_of(const fanin_tensor *t, fanin__delta *out) {
  fanin__roles roles;
  FANIN__TRY(fanin__roles_of(t, &roles));
  const int stack = stack_of(t);
  const int dimension[3] = {stack, roles.o, roles.i};
  fanin__delta delta = {.any = true, .batches = stack < 0 ? 1 : t->shape[stack]};
  FANIN__TRY(cut_into_parts(t, &roles, &delta));
  for (int k = 0; k < 3; k++) {
    const axis a = axis_of(t, &roles, dimension[k]);
    delta.start[k] = a.start;
    delta.extent[k] = a.extent;
    delta.index_stride[k] = a.index_stride;
    delta.memory_stride[k] = a.memory_stride;
  }
  for (int k = 0; k < roles.n_taps; k++) {
    const axis a = axis_of(t, &roles, roles.taps[k]);
    const uint64_t centre = t->shape[roles.taps[k]] / 2;
    delta.tap_index += centre * a.index_stride;
    if (t->part == FANIN_RANGE) continue;
    delta.any = delta.any && centre >= a.start && centre - a.start < a.extent;
    if (delta.any) delta.tap_memory += (centre - a.start) * a.memory_stride;
  }
  delta.any = delta.any && delta.diagonal > 0 && delta.parts > 0 && delta.batches > 0;
  *out = delta;
  return FANIN_OK;
}
