/* Random orthogonal matrices for a tensor: draws the normals of each matrix from the tensor's own stream into dense
 * memory, has them made orthogonal (reflect.c), and copies what memory holds of the result to its places. */
#include <stdio.h>
#include <string.h>

#include "core/launch.h"
#include "core/status.h"
#include "fanin/fill.h"
#include "fill/fill.h"
#include "fill/reflect.h"
#include "math/integer.h"
#include "tensor/dtype.h"

/* Matrices that are smaller than this go together, by pieces of at most so many elements. */
enum { PIECE = 1 << 20 };

/* The matrices of a job's tensor: `outputs` rows of inputs * taps columns each. The shorter side's vectors are made
 * orthonormal: number l of vector s is element (s, l) of the matrix or, if it is taller than wide, element (l, s). */
typedef struct family {
  const fanin__job *job;
  const fanin_tensor *t;
  const fanin__matrices *matrices;
  fanin__sides sides;
  bool outputs_inside; /* a matrix is made with its outputs innermost, as the tensor has them */
  bool joins;          /* a matrix's parts continue one another where they are stored one after another */
} family;

static family family_of(const fanin__job *job) {
  family m = {job,   &job->tensor, &job->matrices, fanin__sides_of(&job->matrices, job->distribution.centre),
              false, false};
  m.outputs_inside = m.matrices->roles.o == m.t->rank - 1;
  m.joins = (m.matrices->part_i > 0) == m.outputs_inside;
  return m;
}

static fanin_status check(const fanin__job *job) {
  const fanin__sides sides = family_of(job).sides;
  return sides.width > 0 ? fanin__stack_check(sides.height, sides.width) : FANIN_STATUS_OK;
}

/* One matrix with all its taps, whose reflectors take 2mn^2 - 2n^3/3 operations (docs/orthogonal.md). */
static void unit(const fanin__matrices *m, const fanin__distribution *d, uint64_t *outputs, uint64_t *inputs,
                 double *operations) {
  const fanin__sides sides = fanin__sides_of(m, d->centre);
  const double height = (double)sides.height, width = (double)sides.width;
  *outputs = m->outputs;
  *inputs = m->inputs;
  *operations = 2 * height * width * width - 2 * width * width * width / 3;
}

/* ---- Pieces: matrices that are made together --------------------------------------------------------------------- */

/* Coordinates of the tensor, start .. start + extent, and how far apart they are in a stack's memory. */
typedef struct piece {
  uint64_t start[FANIN_MAX_RANK], extent[FANIN_MAX_RANK], stride[FANIN_MAX_RANK];
  uint64_t count; /* matrices */
} piece;

static uint64_t least(uint64_t a, uint64_t b) {
  return a < b ? a : b;
}

/* How many matrices of a tensor, and parts of each, are made together at most. */
static void steps_of(const family *m, uint64_t *matrices, uint64_t *parts) {
  const uint64_t fit = m->sides.height < PIECE / m->sides.width ? PIECE / (m->sides.width * m->sides.height) : 1;
  const uint64_t most = fit > 1 ? fit : 1;
  const uint64_t together = m->joins && m->matrices->parts > 1 ? least(m->matrices->parts, most) : 1;
  *parts = together;
  *matrices = least(most / together, m->matrices->stacked);
}

/* Parts part .. part + parts of matrices matrix .. matrix + matrices. */
static piece piece_of(const family *m, uint64_t matrix, uint64_t matrices, uint64_t part, uint64_t parts) {
  const fanin__matrices *const l = m->matrices;
  const int o = l->roles.o, i = l->roles.i;
  piece p = {.count = matrices * parts};
  memcpy(p.extent, m->t->shape, sizeof p.extent);
  if (l->stack >= 0) {
    p.start[l->stack] = matrix;
    p.extent[l->stack] = matrices;
    p.stride[l->stack] = parts * m->sides.width * m->sides.height;
  }
  p.start[o] = part * l->part_o;
  p.extent[o] = l->outputs * (l->part_o > 0 ? parts : 1);
  p.start[i] = part * l->part_i;
  p.extent[i] = l->inputs * (l->part_i > 0 ? parts : 1);
  p.stride[o] = m->outputs_inside ? 1 : m->sides.width * m->sides.height / l->outputs;
  uint64_t step = m->outputs_inside ? l->outputs : 1; /* taps first, then inputs */
  for (int k = l->roles.n_taps; k-- > 0;) {
    const int tap = l->roles.taps[k];
    p.stride[tap] = step;
    if (m->job->distribution.centre) {
      p.start[tap] = m->t->shape[tap] / 2;
      p.extent[tap] = 1;
    } else {
      step *= m->t->shape[tap];
    }
  }
  p.stride[i] = step;
  return p;
}

/* The piece's share of a box; false if they have nothing in common. */
static bool meet(const fanin__box *b, const piece *p, int rank, uint64_t *start, uint64_t *extent) {
  for (int d = 0; d < rank; d++) {
    const uint64_t end = least(b->start[d] + b->extent[d], p->start[d] + p->extent[d]);
    start[d] = b->start[d] > p->start[d] ? b->start[d] : p->start[d];
    if (start[d] >= end) return false;
    extent[d] = end - start[d];
  }
  return true;
}

/* Draws: element for element the normals that a normal tensor of the same shape has there. */
static fanin_status draw(fanin *f, cl_command_queue queue, const family *m, const piece *p, const fanin__stack *s,
                         uint64_t seed) {
  fanin_tensor t = *m->t;
  const fanin_init normal = fanin_normal(0, 1);
  fanin__job job;
  t.buffer = s->matrices;
  t.offset = 0;
  t.dtype = s->f64 ? FANIN_DTYPE_F64 : FANIN_DTYPE_F32;
  memset(t.strides, 0, sizeof t.strides); /* the caller's need not fit the piece */
  FANIN__TRY(fanin_tensor_slab(&t, p->start, p->extent, &t));
  FANIN__TRY(fanin_tensor_strided(&t, p->stride, &t));
  FANIN__TRY(fanin__job_of(f, &t, &normal, m->job->rows.stream, true, &job));
  FANIN__TRY(fanin__fill_rows(f, &(fanin__when){.queue = queue}, &job, seed));
  return fanin__order(queue);
}

/* ---- Scattering -------------------------------------------------------------------------------------------------- */

/* Coordinates start .. start + extent, which a box and a piece share. Dimensions that continue one another both in the
 * stack and in memory become one; the innermost is the row. */
static fanin__routes routes_of(const fanin_tensor *t, const fanin__box *b, const piece *p, const uint64_t *start,
                               const uint64_t *extent) {
  fanin__routes r;
  uint64_t extents[FANIN_MAX_RANK + 1] = {1}, from[FANIN_MAX_RANK + 1] = {1}, to[FANIN_MAX_RANK + 1] = {1};
  int n = 0;
  memset(&r, 0, sizeof r);
  r.to = b->base + t->offset / fanin_dtype_size(t->dtype);
  for (int d = t->rank - 1; d >= 0; d--) {
    r.from += (start[d] - p->start[d]) * p->stride[d];
    r.to += (start[d] - b->start[d]) * b->stride[d];
    if (extent[d] == 1) continue;
    if (n > 0 && p->stride[d] == from[n - 1] * extents[n - 1] && b->stride[d] == to[n - 1] * extents[n - 1]) {
      extents[n - 1] *= extent[d];
      continue;
    }
    extents[n] = extent[d];
    from[n] = p->stride[d];
    to[n++] = b->stride[d];
  }
  r.length = extents[0];
  r.matrix_step = from[0];
  r.memory_step = to[0];
  r.tasks = 1;
  for (int k = 1; k < n; k++) {
    r.extent.s[k - 1] = extents[k];
    r.matrix_stride.s[k - 1] = from[k];
    r.memory_stride.s[k - 1] = to[k];
    r.tasks *= extents[k];
    r.rank++;
  }
  return r;
}

static fanin_status scatter(fanin *f, cl_command_queue queue, const fanin__job *job, const fanin__stack *s,
                            fanin__routes *r) {
  r->piece = f->type & CL_DEVICE_TYPE_CPU ? least(r->length, 4096) : 1;
  r->pieces = fanin__ceil_div(r->length, r->piece);
  r->tasks *= r->pieces;
  const fanin__spread spread = fanin__spread_of(f, r->tasks, fanin__ceil_div(1024, r->piece), r->piece + r->rank + 1);
  const fanin__real factor = fanin__real_of(job->distribution.law.value);
  const fanin__launch launch =
      FANIN__LAUNCH(scatter, fanin__dtype_of(job->dtype)->option, scatter, spread.grid, FANIN__VALUE(s->matrices),
                    FANIN__VALUE(job->buffer), FANIN__VALUE(*r), FANIN__REAL(s->f64, factor), FANIN__SPREAD(spread));
  return fanin__enqueue_in_order(f, queue, &launch);
}

/* Makes a piece, if memory holds any of it. */
static fanin_status fill_piece(fanin *f, cl_command_queue queue, const family *m, const fanin__boxes *boxes,
                               const piece *p, const fanin__stack *s, uint64_t seed) {
  bool made = false;
  for (int k = 0; k < boxes->n; k++) {
    uint64_t start[FANIN_MAX_RANK] = {0}, extent[FANIN_MAX_RANK] = {0};
    if (!meet(&boxes->all[k], p, m->t->rank, start, extent)) continue;
    if (!made) {
      FANIN__TRY(draw(f, queue, m, p, s, seed));
      FANIN__TRY(fanin__reflect(f, queue, s, p->count));
      made = true;
    }
    fanin__routes r = routes_of(m->t, &boxes->all[k], p, start, extent);
    FANIN__TRY(scatter(f, queue, m->job, s, &r));
  }
  return FANIN_STATUS_OK;
}

/* ---- Fills ------------------------------------------------------------------------------------------------------- */

typedef struct span {
  uint64_t first, end;
} span;

/* What memory may hold along a dimension, in steps. There is one step where the dimension is not there or not cut. */
static span span_of(const fanin__boxes *boxes, int dimension, uint64_t step) {
  if (dimension < 0 || step == 0) return (span){0, 1};
  span s = {UINT64_MAX, 0};
  for (int k = 0; k < boxes->n; k++) {
    const fanin__box *const b = &boxes->all[k];
    const uint64_t first = b->start[dimension] / step;
    const uint64_t end = fanin__ceil_div(b->start[dimension] + b->extent[dimension], step);
    if (first < s.first) s.first = first;
    if (end > s.end) s.end = end;
  }
  return s;
}

/* How many matrices from `matrix` on, at most `most`, memory holds something of, in the parts part .. part + parts. */
static uint64_t run_of(const family *m, const fanin__boxes *boxes, uint64_t matrix, uint64_t most, uint64_t part,
                       uint64_t parts) {
  uint64_t n = 0;
  for (bool met = true; met && n < most; n += met) {
    const piece p = piece_of(m, matrix + n, 1, part, parts);
    uint64_t start[FANIN_MAX_RANK], extent[FANIN_MAX_RANK];
    met = false;
    for (int k = 0; k < boxes->n && !met; k++) {
      met = meet(&boxes->all[k], &p, m->t->rank, start, extent);
    }
  }
  return n;
}

static fanin_status fill_all(fanin *f, cl_command_queue queue, const family *m, const fanin__stack *s, uint64_t seed) {
  const fanin__matrices *const l = m->matrices;
  fanin__boxes boxes;
  uint64_t matrices = 0, parts = 0;
  steps_of(m, &matrices, &parts);
  fanin__boxes_of(m->t, &l->roles, &boxes);
  const span stack = span_of(&boxes, l->stack, 1);
  const span cut = l->part_i > 0 ? span_of(&boxes, l->roles.i, l->part_i) : span_of(&boxes, l->roles.o, l->part_o);
  if (boxes.n > 1) parts = 1; /* some parts of a matrix may be held, and not the same of the next */
  for (uint64_t part = cut.first; part < cut.end; part += parts) {
    const uint64_t joined = least(parts, cut.end - part);
    for (uint64_t matrix = stack.first, n; matrix<stack.end; matrix += n> 0 ? n : 1) {
      n = run_of(m, &boxes, matrix, least(matrices, stack.end - matrix), part, joined);
      const piece p = piece_of(m, matrix, n, part, joined);
      if (n > 0) FANIN__TRY(fill_piece(f, queue, m, &boxes, &p, s, seed));
    }
  }
  return FANIN_STATUS_OK;
}

static fanin_status fill(fanin *f, cl_command_queue queue, const fanin__job *job, uint64_t seed) {
  const family m = family_of(job);
  fanin__stack s = {.width = m.sides.width, .height = m.sides.height, .f64 = fanin__is_double(job->dtype)};
  const bool rows_inside = m.sides.tall == m.outputs_inside;
  s.row_step = rows_inside ? 1 : s.width;
  s.column_step = rows_inside ? s.height : 1;
  uint64_t matrices = 0, parts = 0;
  steps_of(&m, &matrices, &parts);
  s.count = matrices * parts;
  FANIN__TRY(fanin__stack_make(f, &s));
  const fanin_status status = fill_all(f, queue, &m, &s, seed);
  fanin__stack_release(&s);
  return status;
}

/* ---- Cold starts ------------------------------------------------------------------------------------------------- */

static fanin_status compile(fanin *f, const fanin__job *job) {
  return fanin__reflect_compile(f, fanin__is_double(job->dtype));
}

static const fanin__source *writer(const fanin__job *job, char options[FANIN__OPTIONS]) {
  snprintf(options, FANIN__OPTIONS, "%s", fanin__dtype_of(job->dtype)->option);
  return &fanin__source_scatter;
}

const fanin__filler fanin__orthogonal_filler = {
    .check = check, .unit = unit, .fill = fill, .compile = compile, .writer = writer, .long_loops = "orthogonal"};
