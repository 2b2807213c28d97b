/* Writes the zeros of sparse over normals: so many of each line of weights. */
#include <inttypes.h>
#include <string.h>

#include "core/context.h"
#include "core/launch.h"
#include "core/status.h"
#include "fill/fill.h"
#include "math/integer.h"
#include "tensor/dtype.h"

enum { OWNER, PART, MATRIX };

/* Of each dimension, which coordinates memory may hold, and the step in memory. */
typedef struct bounds {
  uint64_t begin[FANIN_MAX_RANK], end[FANIN_MAX_RANK], stride[FANIN_MAX_RANK];
  uint64_t origin; /* where the element with coordinates 0 would be, modulo 2^64 */
} bounds;

/* The box around all boxes. */
static bounds bounds_of(const fanin_tensor *t, const fanin__roles *roles) {
  fanin__boxes boxes;
  bounds out = {.origin = t->offset / fanin_dtype_size(t->dtype)};
  fanin__boxes_of(t, roles, &boxes);
  const fanin__box *const first = &boxes.all[0];
  memcpy(out.stride, first->stride, sizeof out.stride);
  out.origin += first->base;
  for (int d = 0; d < t->rank; d++) {
    out.begin[d] = first->start[d];
    for (int k = 0; k < boxes.n; k++) {
      const fanin__box *const b = &boxes.all[k];
      if (b->start[d] < out.begin[d]) out.begin[d] = b->start[d];
      if (b->start[d] + b->extent[d] > out.end[d]) out.end[d] = b->start[d] + b->extent[d];
    }
    out.origin -= first->start[d] * out.stride[d];
  }
  return out;
}

/* Dimension d of the lines' weights as component k. */
static void put_weights(fanin__sparse_lines *l, int k, const fanin__roles *roles, const bounds *b, int d,
                        uint64_t extent) {
  l->extent.s[k] = extent;
  l->index_stride.s[k] = roles->stride[d];
  l->memory_stride.s[k] = b->stride[d];
  l->begin.s[k] = b->begin[d];
  l->end.s[k] = b->end[d];
}

static void swap_weights(fanin__sparse_lines *l, int a, int b) {
  cl_ulong4 *const all[] = {&l->extent, &l->index_stride, &l->memory_stride, &l->begin, &l->end, &l->cut};
  for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
    const cl_ulong kept = all[k]->s[a];
    all[k]->s[a] = all[k]->s[b];
    all[k]->s[b] = kept;
  }
}

static void put_lines(fanin__sparse_lines *l, int k, uint64_t index_step, uint64_t memory_step, uint64_t from,
                      uint64_t to) {
  l->first.s[k] = from;
  l->count.s[k] = to - from;
  l->line_index.s[k] = index_step;
  l->line_memory.s[k] = memory_step;
}

/* A line belongs to an owner: an input (then its weights are those of all outputs of a part) or an output. Parts count
 * where they cut the dimension that the weights span; where they cut the owners', each owner has its part. */
static fanin__sparse_lines lines_of(const fanin__job *job) {
  const fanin_tensor *const t = &job->tensor;
  const fanin__matrices *const m = &job->matrices;
  const fanin__roles *const roles = &m->roles;
  const bool per_input = job->distribution.per == FANIN_PER_INPUT;
  const int owner = per_input ? roles->i : roles->o, span = per_input ? roles->o : roles->i;
  const uint64_t part = per_input ? m->part_o : m->part_i;
  const bounds b = bounds_of(t, roles);
  fanin__sparse_lines l;
  memset(&l, 0, sizeof l);
  put_lines(&l, OWNER, roles->stride[owner], b.stride[owner], b.begin[owner], b.end[owner]);
  put_lines(&l, PART, part * roles->stride[span], part * b.stride[span], part > 0 ? b.begin[span] / part : 0,
            part > 0 ? fanin__ceil_div(b.end[span], part) : 1);
  put_lines(&l, MATRIX, 0, 0, 0, 1);
  if (m->stack >= 0) {
    put_lines(&l, MATRIX, roles->stride[m->stack], b.stride[m->stack], b.begin[m->stack], b.end[m->stack]);
  }
  for (int k = 0; k < 4; k++) {
    l.extent.s[k] = l.end.s[k] = 1;
  }
  put_weights(&l, 0, roles, &b, span, per_input ? m->outputs : m->inputs);
  l.cut.s[0] = part > 0;
  for (int k = 0; k < roles->n_taps; k++) {
    put_weights(&l, k + 1, roles, &b, roles->taps[k], t->shape[roles->taps[k]]);
  }
  for (int k = 1; k < 4; k++) {
    if (l.extent.s[k] > l.extent.s[0]) swap_weights(&l, 0, k);
  }
  l.origin = b.origin;
  l.first_index = t->part == FANIN_PART_RANGE ? t->first : 0;
  l.indices = t->part == FANIN_PART_RANGE ? t->count : UINT64_MAX;
  l.zeros = job->distribution.zeros;
  l.stream = job->rows.stream;
  return l;
}

static const char *options_of(const fanin__job *job) {
  return fanin__dtype_of(job->dtype)->option;
}

static fanin_status fill(fanin *f, cl_command_queue queue, const fanin__job *job, uint64_t seed) {
  const fanin__sparse_lines l = lines_of(job);
  const fanin__launch launch = FANIN__LAUNCH(sparse, options_of(job), sparse,
                                             fanin__groups(l.count.s[OWNER] * l.count.s[PART] * l.count.s[MATRIX],
                                                           f->type & CL_DEVICE_TYPE_CPU ? 1 : f->work_group),
                                             FANIN__VALUE(job->buffer), FANIN__VALUE(l), FANIN__VALUE(seed));
  return fanin__enqueue_in_order(f, queue, &launch);
}

static fanin_status check(const fanin__job *job) {
  const uint64_t line = job->distribution.line;
  if (line <= UINT32_MAX) return FANIN_STATUS_OK;
  return fanin__fail(FANIN_STATUS_UNSUPPORTED,
                     "sparse: a line has %" PRIu64
                     " weights, which are ordered to choose the zeros; less than 2^32 are "
                     "accepted",
                     line);
}

/* One line: the weights that are put in order together. */
static void unit(const fanin__matrices *m, const fanin__distribution *d, uint64_t *outputs, uint64_t *inputs,
                 double *operations) {
  *outputs = d->per == FANIN_PER_INPUT ? m->outputs : 1;
  *inputs = d->per == FANIN_PER_INPUT ? 1 : m->inputs;
  *operations = 0;
}

static fanin_status compile(fanin *f, const fanin__job *job) {
  return fanin__compile(f, &fanin__source_sparse, options_of(job), "sparse");
}

const fanin__filler fanin__sparse_filler = {
    .check = check, .unit = unit, .fill = fill, .compile = compile, .long_loops = "sparse"};
