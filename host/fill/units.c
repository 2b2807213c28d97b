/* Units: the boxes of a tensor that are made at once, and how many of them a part meets. */
#include <string.h>

#include "core/argument.h"
#include "fanin/shard.h"
#include "fill/fill.h"
#include "math/integer.h"
#include "tensor/view.h"

/* Units begin .. end of each dimension. */
typedef struct grid {
  uint64_t begin[FANIN_MAX_RANK], end[FANIN_MAX_RANK];
} grid;

/* The units that a box meets. */
static grid grid_of(const fanin__box *b, const uint64_t *unit, int rank) {
  grid g = {{0}, {0}};
  for (int d = 0; d < rank; d++) {
    g.begin[d] = b->start[d] / unit[d];
    g.end[d] = fanin__ceil_div(b->start[d] + b->extent[d], unit[d]);
  }
  return g;
}

static grid intersection(const grid *a, const grid *b, int rank) {
  grid g = *a;
  for (int d = 0; d < rank; d++) {
    if (b->begin[d] > g.begin[d]) g.begin[d] = b->begin[d];
    if (b->end[d] < g.end[d]) g.end[d] = b->end[d];
  }
  return g;
}

static uint64_t units_in(const grid *g, int rank) {
  uint64_t n = 1;
  for (int d = 0; d < rank; d++) {
    n *= g->end[d] > g->begin[d] ? g->end[d] - g->begin[d] : 0;
  }
  return n;
}

/* How many units of `g` are in none of the first n of `others`: those that are in none of the first n - 1, less those
 * among them that the last one has as well. */
static uint64_t units_outside(const grid *g, const grid *others, int n, int rank) {
  const uint64_t all = units_in(g, rank);
  if (n == 0 || all == 0) return all;
  const grid shared = intersection(g, &others[n - 1], rank);
  return units_outside(g, others, n - 1, rank) - units_outside(&shared, others, n - 1, rank);
}

/* A part is several boxes, and two of them may meet the same unit. */
static uint64_t units_met(const fanin_tensor *t, const fanin__roles *roles, const uint64_t *unit) {
  fanin__boxes boxes;
  grid grids[FANIN__MOST_BOXES];
  uint64_t n = 0;
  fanin__boxes_of(t, roles, &boxes);
  for (int k = 0; k < boxes.n; k++) {
    grids[k] = grid_of(&boxes.all[k], unit, t->rank);
    n += units_outside(&grids[k], grids, k, t->rank);
  }
  return n;
}

fanin_status fanin_tensor_units(const fanin_tensor *t, const fanin_init *init, uint64_t *unit, uint64_t *elements,
                                double *operations) {
  fanin__view view;
  fanin__roles roles;
  fanin__matrices m;
  fanin__distribution distribution;
  fanin__parameters unused;
  uint64_t extent[FANIN_MAX_RANK], volume = 1;
  double each = 0;
  FANIN__NEED(t, init, elements, operations);
  FANIN__NEED_ARRAY(unit, t->rank);
  FANIN__TRY(fanin__view_of(t, &view));
  FANIN__TRY(fanin__roles_of(t, &roles));
  FANIN__TRY(fanin__resolve(t, init, &distribution));
  for (int d = 0; d < FANIN_MAX_RANK; d++) {
    extent[d] = 1;
  }
  const fanin__filling *const filling = fanin__filling_of(&distribution);
  FANIN__TRY(filling->parameters(&distribution, t->dtype, &unused)); /* refuses values that the dtype does not have */
  const fanin__filler *const filler = filling->filler;
  if (filler && filler->check) {
    fanin__job job = {.tensor = *t, .dtype = t->dtype, .distribution = distribution};
    FANIN__TRY(fanin__matrices_of(t, &job.matrices));
    FANIN__TRY(filler->check(&job));
  }
  if (filler && filler->unit) {
    FANIN__TRY(fanin__matrices_of(t, &m));
    memcpy(extent, t->shape, sizeof t->shape);
    if (m.stack >= 0) extent[m.stack] = 1;
    filler->unit(&m, &distribution, &extent[roles.o], &extent[roles.i], &each);
  }
  for (int d = 0; d < t->rank; d++) {
    if (extent[d] == 0) extent[d] = 1; /* of a tensor without elements */
    unit[d] = extent[d];
    volume *= extent[d];
  }
  const uint64_t n = view.elements > 0 ? units_met(t, &roles, extent) : 0;
  *elements = n * volume;
  *operations = (double)n * each;
  return FANIN_STATUS_OK;
}
