/* Filling: from a checked tensor and a resolved initialiser to kernel launches. */
#include "fill.h"

#include <string.h>

/* ---- Arguments --------------------------------------------------------------------------------------------------- */

/* Sets argument after argument and remembers the first failure. */
typedef struct setter {
  cl_kernel kernel;
  cl_uint next;
  cl_int code;
} setter;

static void set(setter *s, size_t size, const void *value) {
  if (s->code == CL_SUCCESS) s->code = clSetKernelArg(s->kernel, s->next++, size, value);
}

static void set_ulong(setter *s, uint64_t value) {
  const cl_ulong argument = value;
  set(s, sizeof argument, &argument);
}

static void set_uint(setter *s, uint32_t value) {
  const cl_uint argument = value;
  set(s, sizeof argument, &argument);
}

static void set_ulong8(setter *s, const uint64_t *values, int n) {
  cl_ulong8 argument = {{0}};
  for (int k = 0; k < n; k++)
    argument.s[k] = values[k];
  set(s, sizeof argument, &argument);
}

static void set_ulong4(setter *s, const uint64_t values[3]) {
  const cl_ulong4 argument = {{values[0], values[1], values[2], 0}};
  set(s, sizeof argument, &argument);
}

static void set_key(setter *s, fanin_key key) {
  const cl_uint4 argument = {
      {(cl_uint)key.seed, (cl_uint)(key.seed >> 32), (cl_uint)key.stream, (cl_uint)(key.stream >> 32)}};
  set(s, sizeof argument, &argument);
}

static void set_parameters(setter *s, fanin_dtype dtype, const double p[16]) {
  cl_float16 single;
  for (int k = 0; k < 16; k++)
    single.s[k] = (float)p[k];
  if (dtype == FANIN_F64) {
    set(s, 16 * sizeof *p, p);
  } else {
    set(s, sizeof single, &single);
  }
}

/* ---- Launches ---------------------------------------------------------------------------------------------------- */

typedef struct launch {
  cl_uint rank;
  size_t global[3], local[3];
} launch;

static fanin_status enqueue(const fanin__when *order, setter *s, const launch *shape) {
  if (s->code != CL_SUCCESS) return fanin__fail_cl(s->code, "clSetKernelArg");
  const cl_int code =
      clEnqueueNDRangeKernel(order->queue, s->kernel, shape->rank, NULL, shape->global,
                             shape->local[0] ? shape->local : NULL, order->n_wait, order->wait_list, order->event);
  return code == CL_SUCCESS ? FANIN_OK : fanin__fail_cl(code, "clEnqueueNDRangeKernel");
}

static uint64_t ceil_div(uint64_t a, uint64_t b) {
  return a / b + (a % b != 0);
}

/* Rows by chunks: groups as wide as a row needs, and as many rows high as makes them full. An item repeats where there
 * is more than enough work for every unit. */
static launch fill_shape(const fanin *f, uint64_t chunks, uint64_t rows, uint32_t *repeat) {
  enum { MOST_REPEATS = 4, GROUPS_A_UNIT = 8 };
  size_t wide = 1;
  while (wide < f->work_group && wide < chunks)
    wide *= 2;
  size_t high = 1;
  while (wide * high * 2 <= f->work_group && high < rows)
    high *= 2;
  const uint64_t spare = ceil_div(chunks, wide) * ceil_div(rows, high) / ((uint64_t)f->compute_units * GROUPS_A_UNIT);
  *repeat = spare >= MOST_REPEATS ? MOST_REPEATS : spare > 1 ? (uint32_t)spare : 1;
  if (*repeat > ceil_div(chunks, wide)) *repeat = (uint32_t)ceil_div(chunks, wide);
  return (launch){.rank = 2,
                  .global = {(size_t)ceil_div(chunks, wide * *repeat) * wide, (size_t)ceil_div(rows, high) * high, 1},
                  .local = {wide, high, 1}};
}

/* Every element of the part. */
static fanin_status fill_part(fanin *f, const fanin__when *order, const fanin_tensor *t, const fanin__view *view,
                              const fanin__parameters *parameters, fanin_key key) {
  cl_kernel kernel = NULL;
  FANIN__TRY(fanin__kernel(f, &fanin__source_fill, parameters->options, "fill", &kernel));
  const uint64_t chunk = 4 * f->lanes; /* elements */
  /* A row begins up to 3 elements into its first block. */
  const uint64_t chunks = ceil_div(view->row_length + (view->row_rank > 0 ? 3 : view->first_index % 4), chunk);
  uint32_t repeat = 1;
  const launch shape = fill_shape(f, chunks, view->rows, &repeat);
  setter s = {.kernel = kernel};
  set(&s, sizeof t->buffer, &t->buffer);
  set_ulong(&s, t->offset / fanin_dtype_size(t->dtype));
  set_ulong(&s, view->first_index);
  set_ulong(&s, view->row_length);
  set_ulong(&s, view->memory_stride);
  set_ulong(&s, chunks);
  set_uint(&s, repeat);
  set_ulong(&s, view->rows);
  set_uint(&s, (uint32_t)view->row_rank);
  set_ulong8(&s, view->row_extent, view->row_rank);
  set_ulong8(&s, view->row_index_stride, view->row_rank);
  set_ulong8(&s, view->row_stride, view->row_rank);
  set_key(&s, key);
  set_parameters(&s, t->dtype, parameters->p);
  const fanin_status status = enqueue(order, &s, &shape);
  (void)clReleaseKernel(kernel); /* the runtime holds it while it runs */
  return status;
}

/* The ones of identity and dirac, in memory that is zero. */
static fanin_status fill_ones(fanin *f, const fanin__when *order, const fanin_tensor *t, const fanin__delta *delta,
                              const fanin__parameters *parameters) {
  cl_kernel kernel = NULL;
  FANIN__TRY(fanin__kernel(f, &fanin__source_fill, parameters->options, "ones", &kernel));
  const launch shape = {.rank = 3, .global = {(size_t)delta->diagonal, (size_t)delta->parts, (size_t)delta->batches}};
  const cl_ulong2 part = {{delta->part_o, delta->part_i}};
  setter s = {.kernel = kernel};
  set(&s, sizeof t->buffer, &t->buffer);
  set_ulong(&s, t->offset / fanin_dtype_size(t->dtype) + delta->tap_memory);
  set(&s, sizeof part, &part);
  set_ulong4(&s, delta->start);
  set_ulong4(&s, delta->extent);
  set_ulong4(&s, delta->memory_stride);
  set_ulong4(&s, delta->index_stride);
  set_ulong(&s, delta->tap_index);
  set_ulong(&s, t->first);
  set_ulong(&s, t->part == FANIN_RANGE ? t->count : 0);
  set_parameters(&s, t->dtype, parameters->p);
  const fanin_status status = enqueue(order, &s, &shape);
  (void)clReleaseKernel(kernel);
  return status;
}

/* Zeros, then ones that wait for them. */
static fanin_status fill_delta(fanin *f, const fanin__when *order, const fanin_tensor *t, const fanin__view *view,
                               const fanin__parameters *ones, fanin_key key) {
  fanin__delta delta;
  FANIN__TRY(fanin__delta_of(t, &delta));
  fanin__parameters zeros = *ones;
  memset(zeros.p, 0, sizeof zeros.p);
  if (!delta.any) return fill_part(f, order, t, view, &zeros, key);

  cl_event zeroed = NULL;
  const fanin__when first = {order->queue, order->n_wait, order->wait_list, &zeroed};
  FANIN__TRY(fill_part(f, &first, t, view, &zeros, key));
  const fanin__when second = {order->queue, 1, &zeroed, order->event};
  const fanin_status status = fill_ones(f, &second, t, &delta, ones);
  (void)clReleaseEvent(zeroed);
  return status;
}

/* ---- The calls --------------------------------------------------------------------------------------------------- */

/* FNV-1a (Fowler, Noll and Vo) in its 64-bit form. */
fanin_key fanin_key_named(uint64_t seed, const char *name) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const unsigned char *byte = (const unsigned char *)name; *byte; byte++)
    hash = (hash ^ *byte) * 0x100000001b3;
  return (fanin_key){.seed = seed, .stream = hash};
}

fanin_status fanin_fill(fanin *f, cl_command_queue queue, const fanin_tensor *t, const fanin_init *init, fanin_key key,
                        cl_uint n_wait, const cl_event *wait_list, cl_event *event) {
  fanin__view view;
  fanin__distribution distribution;
  fanin__parameters parameters;
  fanin__when order = {.n_wait = n_wait, .wait_list = wait_list, .event = event};
  if (!f) return fanin__fail(FANIN_BAD_ARGUMENT, "f is NULL");
  if (!t) return fanin__fail(FANIN_BAD_ARGUMENT, "t is NULL");
  if (!init) return fanin__fail(FANIN_BAD_ARGUMENT, "init is NULL");
  FANIN__TRY(fanin__view_of(t, &view));
  FANIN__TRY(fanin__resolve(t, init, &distribution));
  if (t->dtype == FANIN_F64 && !f->has_f64) {
    return fanin__fail(FANIN_UNSUPPORTED, "dtype f64: the device has no double precision; accepted are f32, f16, bf16");
  }
  FANIN__TRY(fanin__parameters_of(&distribution, t->dtype, &parameters));
  FANIN__TRY(fanin__check_buffer(f, t, &view));
  FANIN__TRY(fanin__resolve_queue(f, queue, &order.queue));
  if (view.elements == 0) return fanin__enqueue_marker(&order);
  if (distribution.family == FANIN__DELTA) return fill_delta(f, &order, t, &view, &parameters, key);
  return fill_part(f, &order, t, &view, &parameters, key);
}
