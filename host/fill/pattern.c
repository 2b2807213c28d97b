/* Fills with numbers that follow from coordinates: identity and dirac, bilinear, and hadamard. */
#include <stdio.h>
#include <string.h>

#include "core/context.h"
#include "core/launch.h"
#include "core/status.h"
#include "fill/fill.h"
#include "math/integer.h"
#include "tensor/dtype.h"

/* Indices into the vectors. */
enum { AT_B, AT_O, AT_I, AT_D, AT_H, AT_W, LETTERS };
static const char letters[] = "BOIDHW";

/* Of identity and dirac only the ones are written, over zeros. The others are written in full. */
static bool is_delta(const fanin__distribution *d) {
  return d->law.kind == FANIN_LAW_KIND_ONES;
}

/* Cuts a box to the taps' centre. False if it has none of it. */
static bool cut_to_centre(fanin__box *b, const fanin_tensor *t, const fanin__roles *roles) {
  for (int k = 0; k < roles->n_taps; k++) {
    const int tap = roles->taps[k];
    const uint64_t inside = t->shape[tap] / 2 - b->start[tap]; /* wraps below the box to a large number */
    if (inside >= b->extent[tap]) return false;
    b->base += inside * b->stride[tap];
    b->start[tap] += inside;
    b->extent[tap] = 1;
  }
  return true;
}

/* The dimension with the smallest step in memory of those that have more than one index. */
static int innermost(const fanin__box *b, int rank) {
  int inner = -1;
  for (int d = 0; d < rank; d++) {
    if (b->extent[d] > 1 && (inner < 0 || b->stride[d] < b->stride[inner])) inner = d;
  }
  return inner < 0 ? rank - 1 : inner;
}

/* A box that is not empty. Rows run along I where only ones are written, because a row's ones are then found without a
 * search; else along memory. */
static fanin__places places_of(const fanin *f, const fanin__job *job, const fanin__box *b) {
  const fanin_tensor *const t = &job->tensor;
  const bool delta = is_delta(&job->distribution), long_pieces = delta || f->type & CL_DEVICE_TYPE_CPU;
  const int inner = delta ? job->matrices.roles.i : innermost(b, t->rank);
  fanin__places p;
  memset(&p, 0, sizeof p); /* with its padding, which goes to the device */
  for (int k = 0; k < LETTERS; k++) {
    p.extent.s[k] = p.matrix.s[k] = 1;
  }
  p.tasks = 1;
  for (int d = 0; d < t->rank; d++) {
    const size_t k = d == job->matrices.roles.i ? AT_I : (size_t)(strchr(letters, t->layout[d]) - letters);
    p.start.s[k] = b->start[d];
    p.extent.s[k] = d == inner ? 1 : b->extent[d];
    p.memory_stride.s[k] = b->stride[d];
    p.along.s[k] = d == inner;
    p.matrix.s[k] = t->shape[d];
    p.tasks *= p.extent.s[k];
  }
  p.matrix.s[AT_O] = job->matrices.outputs;
  p.matrix.s[AT_I] = job->matrices.inputs;
  p.origin = t->offset / fanin_dtype_size(t->dtype) + b->base;
  p.length = b->extent[inner];
  p.piece = long_pieces ? (p.length < 4096 ? p.length : 4096) : 1;
  p.pieces = fanin__ceil_div(p.length, p.piece);
  p.tasks *= p.pieces;
  return p;
}

/* What kernels/pattern.cl is built with. */
static const char *options_of(const fanin__job *job, char out[FANIN__OPTIONS]) {
  static const char *const patterns[FANIN_LAW_KIND_COUNT] = {
      [FANIN_LAW_KIND_ONES] = "DELTA", [FANIN_LAW_KIND_BILINEAR] = "BILINEAR", [FANIN_LAW_KIND_HADAMARD] = "HADAMARD"};
  snprintf(out, FANIN__OPTIONS, "-D %s %s", patterns[job->distribution.law.kind], fanin__dtype_of(job->dtype)->option);
  return out;
}

/* The product of 2 f over the taps, f = ceil(k / 2) of the extent k. */
static double scale_of(const fanin_tensor *t, const fanin__roles *roles) {
  double scale = 8; /* 2 for each of three dimensions; one that is not there has k = f = 1 */
  for (int k = 0; k < roles->n_taps; k++) {
    const uint64_t extent = t->shape[roles->taps[k]], half = extent / 2 + extent % 2;
    scale *= (double)half;
  }
  return scale;
}

/* One box of the tensor. */
static fanin_status fill_box(fanin *f, cl_command_queue queue, const fanin__job *job, const fanin__places *p,
                             double scale) {
  const bool f64 = fanin__is_double(job->dtype);
  char options[FANIN__OPTIONS];
  const fanin__real value = fanin__real_of(job->distribution.law.value), up = fanin__real_of(scale),
                    down = fanin__real_of(1 / scale);
  const fanin__spread spread = fanin__spread_of(f, p->tasks, fanin__ceil_div(1024, p->piece), p->piece + 1);
  const fanin__launch launch = FANIN__LAUNCH(pattern, options_of(job, options), pattern, spread.grid,
                                             FANIN__VALUE(job->buffer), FANIN__VALUE(*p), FANIN__REAL(f64, value),
                                             FANIN__REAL(f64, up), FANIN__REAL(f64, down), FANIN__SPREAD(spread));
  return fanin__enqueue(f, &(fanin__when){.queue = queue}, &launch);
}

static fanin_status fill(fanin *f, cl_command_queue queue, const fanin__job *job, uint64_t seed) {
  (void)seed;
  const fanin_tensor *const t = &job->tensor;
  const fanin__roles *const roles = &job->matrices.roles;
  fanin__boxes boxes;
  fanin__boxes_of(t, roles, &boxes);
  const double scale = scale_of(t, roles);
  for (int k = 0; k < boxes.n; k++) {
    if (is_delta(&job->distribution) && !cut_to_centre(&boxes.all[k], t, roles)) continue;
    const fanin__places p = places_of(f, job, &boxes.all[k]);
    FANIN__TRY(fill_box(f, queue, job, &p, scale));
  }
  return fanin__order(queue);
}

static fanin_status compile(fanin *f, const fanin__job *job) {
  char options[FANIN__OPTIONS];
  return fanin__compile(f, &fanin__source_pattern, options_of(job, options), "pattern");
}

static const fanin__source *writer(const fanin__job *job, char options[FANIN__OPTIONS]) {
  (void)options_of(job, options);
  return &fanin__source_pattern;
}

const fanin__filler fanin__pattern_filler = {.fill = fill, .compile = compile, .writer = writer};
