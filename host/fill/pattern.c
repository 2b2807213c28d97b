/* Fills with numbers that follow from coordinates: identity and dirac, bilinear, and hadamard. */
#include <string.h>

#include "core/context.h"
#include "core/queue.h"
#include "core/status.h"
#include "fill/fill.h"
#include "fill/filler.h"
#include "lib/places.h"
#include "math/integer.h"
#include "measure/dense.h"
#include "tensor/boxes.h"

/* Indices into the vectors. */
enum { AT_B, AT_O, AT_I, AT_D, AT_H, AT_W, LETTERS };
static const char letters[] = "BOIDHW";

/* Of identity and dirac only the ones are written, over zeros. The others are written in full. */
static bool is_delta(const fanin__distribution *d) {
  return d->family == FANIN__DELTA;
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
static fanin__places places_of(const fanin *f, const fanin__job *job, const fanin__box *b, const fanin__roles *roles,
                               const fanin__matrices *m) {
  const fanin_tensor *const t = &job->tensor;
  const bool delta = is_delta(&job->distribution), long_pieces = delta || f->type & CL_DEVICE_TYPE_CPU;
  const int inner = delta ? roles->i : innermost(b, t->rank);
  fanin__places p;
  memset(&p, 0, sizeof p); /* with its padding, which goes to the device */
  for (int k = 0; k < LETTERS; k++) {
    p.extent.s[k] = p.matrix.s[k] = 1;
  }
  p.tasks = 1;
  for (int d = 0; d < t->rank; d++) {
    const size_t k = (size_t)(strchr(letters, t->layout[d]) - letters);
    p.start.s[k] = b->start[d];
    p.extent.s[k] = d == inner ? 1 : b->extent[d];
    p.memory_stride.s[k] = b->stride[d];
    p.along.s[k] = d == inner;
    p.matrix.s[k] = t->shape[d];
    p.tasks *= p.extent.s[k];
  }
  p.matrix.s[AT_O] = m->outputs;
  p.matrix.s[AT_I] = m->inputs;
  p.origin = t->offset / fanin_dtype_size(t->dtype) + b->base;
  p.length = b->extent[inner];
  p.piece = long_pieces ? (p.length < 4096 ? p.length : 4096) : 1;
  p.pieces = fanin__ceil_div(p.length, p.piece);
  p.tasks *= p.pieces;
  return p;
}

static const char *options_of(const fanin__job *job) {
#define OPTIONS(pattern)                                                                                               \
  {                                                                                                                    \
    [FANIN_DTYPE_F32] = "-D " pattern " -D F32", [FANIN_DTYPE_F16] = "-D " pattern " -D F16",                          \
    [FANIN_DTYPE_BF16] = "-D " pattern " -D BF16", [FANIN_DTYPE_F64] = "-D " pattern " -D F64"                         \
  }
  static const char *const options[FANIN__FAMILY_COUNT][FANIN_DTYPE_COUNT] = {[FANIN__DELTA] = OPTIONS("DELTA"),
                                                                              [FANIN__BILINEAR] = OPTIONS("BILINEAR"),
                                                                              [FANIN__HADAMARD] = OPTIONS("HADAMARD")};
#undef OPTIONS
  return options[job->distribution.family][job->dtype];
}

static fanin_status kernel_of(fanin *f, const fanin__job *job, cl_kernel *out) {
  return fanin__kernel(f, &fanin__source_pattern, options_of(job), "pattern", out);
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

static fanin_status launch(fanin *f, cl_command_queue queue, cl_kernel kernel, const fanin__job *job,
                           const fanin__places *p, double scale) {
  const bool f64 = job->dtype == FANIN_DTYPE_F64;
  const fanin__real numbers[3] = {fanin__real_of(job->distribution.value), fanin__real_of(scale),
                                  fanin__real_of(1 / scale)};
  const fanin__spread spread = fanin__spread_of(f, p->tasks, fanin__ceil_div(1024, p->piece));
#define NUMBER(k) (f64 ? FANIN__VALUE(numbers[k].f64) : FANIN__VALUE(numbers[k].f32))
  const fanin__argument arguments[] = {
      FANIN__VALUE(job->buffer), FANIN__VALUE(*p),         NUMBER(0), NUMBER(1), NUMBER(2), FANIN__VALUE(spread.pitch),
      FANIN__VALUE(spread.step), FANIN__VALUE(spread.span)};
#undef NUMBER
  return fanin__launch(queue, kernel, arguments, sizeof arguments / sizeof *arguments, &spread, NULL);
}

static fanin_status fill(fanin *f, cl_command_queue queue, const fanin__job *job, uint64_t seed) {
  (void)seed;
  const fanin_tensor *const t = &job->tensor;
  fanin__roles roles;
  fanin__matrices m = {0};
  fanin__boxes boxes;
  cl_kernel kernel = NULL;
  FANIN__TRY(fanin__roles_of(t, &roles));
  FANIN__TRY(fanin__matrices_of(t, &roles, &m));
  fanin__boxes_of(t, &roles, &boxes);
  FANIN__TRY(kernel_of(f, job, &kernel));
  const double scale = scale_of(t, &roles);
  fanin_status status = FANIN_STATUS_OK;
  for (int k = 0; k < boxes.n && status == FANIN_STATUS_OK; k++) {
    if (is_delta(&job->distribution) && !cut_to_centre(&boxes.all[k], t, &roles)) continue;
    const fanin__places p = places_of(f, job, &boxes.all[k], &roles, &m);
    status = launch(f, queue, kernel, job, &p, scale);
  }
  (void)clReleaseKernel(kernel);
  return status == FANIN_STATUS_OK ? fanin__order(queue) : status;
}

static fanin_status check(const fanin_tensor *t, const fanin__distribution *d) {
  (void)d;
  fanin__roles roles;
  fanin__matrices m = {0};
  FANIN__TRY(fanin__roles_of(t, &roles));
  return fanin__matrices_of(t, &roles, &m);
}

static fanin_status compile(fanin *f, const fanin__job *job) {
  cl_kernel kernel = NULL;
  FANIN__TRY(kernel_of(f, job, &kernel));
  (void)clReleaseKernel(kernel);
  return FANIN_STATUS_OK;
}

static fanin_status warm(fanin *f, cl_command_queue queue, const fanin__job *job) {
  const uint64_t shape[] = {1, 1, 1};
  fanin__job small = *job;
  FANIN__TRY(fanin_tensor_alloc(f, job->dtype, "OIW", 3, shape, &small.tensor));
  small.buffer = small.tensor.buffer;
  const fanin_status status = fill(f, queue, &small, 0);
  fanin_tensor_free(&small.tensor);
  return status;
}

const fanin__maker fanin__pattern_maker = {
    .over_rows = is_delta, .check = check, .fill = fill, .compile = compile, .warm = warm};
