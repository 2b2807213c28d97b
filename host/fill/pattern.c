/* Fills with numbers that follow from coordinates: bilinear and hadamard. */
#include <stdio.h>
#include <string.h>

#include "core/context.h"
#include "core/queue.h"
#include "core/status.h"
#include "fill/fill.h"
#include "fill/filler.h"
#include "math/integer.h"
#include "measure/dense.h"
#include "tensor/boxes.h"
#include "tensor/dtype.h"

/* Twin of `places` in kernels/pattern.cl. */
typedef struct places {
  cl_ulong8 start, extent, memory_stride, along, matrix;
  cl_ulong origin, length, piece, pieces, tasks, unused[3];
} places;

/* Indices into the vectors. */
enum { AT_B, AT_O, AT_I, AT_D, AT_H, AT_W, LETTERS };
static const char letters[] = "BOIDHW";

/* The dimension of rows: the one with the smallest step in memory that has more than one index. */
static int innermost(const fanin__box *b, int rank) {
  int inner = -1;
  for (int d = 0; d < rank; d++) {
    if (b->extent[d] > 1 && (inner < 0 || b->stride[d] < b->stride[inner])) inner = d;
  }
  return inner < 0 ? rank - 1 : inner;
}

/* A box that is not empty. */
static places places_of(const fanin *f, const fanin_tensor *t, const fanin__box *b, const fanin__matrices *m) {
  const int inner = innermost(b, t->rank);
  places p;
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
  p.piece = f->type & CL_DEVICE_TYPE_CPU ? (p.length < 4096 ? p.length : 4096) : 1;
  p.pieces = fanin__ceil_div(p.length, p.piece);
  p.tasks *= p.pieces;
  return p;
}

static fanin_status kernel_of(fanin *f, const fanin__job *job, cl_kernel *out) {
  char options[64];
  snprintf(options, sizeof options, "-D %s %s", job->distribution.family == FANIN__BILINEAR ? "BILINEAR" : "HADAMARD",
           fanin__dtype_of(job->dtype)->option);
  return fanin__kernel(f, &fanin__source_pattern, options, "pattern", out);
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

static fanin_status launch(fanin *f, cl_command_queue queue, cl_kernel kernel, const fanin__job *job, const places *p,
                           double scale) {
  const bool f64 = fanin__is_double(job->dtype);
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
    const places p = places_of(f, t, &boxes.all[k], &m);
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

const fanin__maker fanin__pattern_maker = {.check = check, .fill = fill, .compile = compile, .warm = warm};
