/* fanin_tensor_units(): units are what fills make at once, by what the values of a unit have in common and by how many
 * of them a fill is seen to make; costs of parts of every form. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* RTLD_NEXT */ // NOLINT(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)
#endif
#include "support/support.h"

#include <dlfcn.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define NUMBERS(...)                                                                                                   \
  (const uint64_t[]) {                                                                                                 \
    __VA_ARGS__                                                                                                        \
  }

static fanin *device;

/* ---- What a fill launches ---------------------------------------------------------------------------------------- */

static uint64_t reflectors, lines; /* work-groups of these kernels */

/* Stands between the library and OpenCL. A reflector is a vector of a matrix, and a line is ordered by one group. */
cl_int CL_API_CALL clEnqueueNDRangeKernel(cl_command_queue command_queue, cl_kernel kernel, cl_uint work_dim,
                                          const size_t *global_work_offset, const size_t *global_work_size,
                                          const size_t *local_work_size, cl_uint num_events_in_wait_list,
                                          const cl_event *event_wait_list, cl_event *event) {
  static cl_int (*real)(cl_command_queue, cl_kernel, cl_uint, const size_t *, const size_t *, const size_t *, cl_uint,
                        const cl_event *, cl_event *);
  char name[64] = "";
  if (!real) *(void **)&real = dlsym(RTLD_NEXT, "clEnqueueNDRangeKernel");
  (void)clGetKernelInfo(kernel, CL_KERNEL_FUNCTION_NAME, sizeof name, name, NULL);
  if (strcmp(name, "reflectors") == 0) reflectors += global_work_size[0] / local_work_size[0];
  if (strcmp(name, "sparse") == 0) lines += global_work_size[0] / local_work_size[0];
  return real(command_queue, kernel, work_dim, global_work_offset, global_work_size, local_work_size,
              num_events_in_wait_list, event_wait_list, event);
}

/* ---- Cases ------------------------------------------------------------------------------------------------------- */

typedef struct unit_case {
  const char *layout, *init;
  int rank;
  uint32_t groups, splits;
  uint64_t shape[5], unit[5];
} unit_case;

/* Extents above 64 in a matrix: such ones are made one by one, so that every one can be counted. */
static const unit_case cases[] = {
    {"OI", "orthogonal", 2, 1, 1, {70, 5}, {70, 5}},
    {"BOI", "orthogonal", 3, 1, 1, {3, 4, 66}, {1, 4, 66}},
    {"OBI", "orthogonal", 3, 1, 1, {66, 4, 3}, {66, 1, 3}},
    {"IO", "orthogonal:gain=2", 2, 1, 3, {67, 12}, {67, 4}},
    {"OIHW", "orthogonal", 4, 4, 1, {12, 23, 3, 1}, {3, 23, 3, 1}},
    {"IOW", "orthogonal", 3, 2, 1, {8, 80, 3}, {4, 80, 3}},
    {"OBIW", "orthogonal", 4, 2, 3, {12, 2, 35, 2}, {2, 1, 35, 2}},
    {"HWIO", "delta_orthogonal", 4, 1, 1, {3, 2, 4, 71}, {3, 2, 4, 71}},
    {"OI", "sparse:sparsity=0.4", 2, 1, 1, {13, 7}, {13, 1}},
    {"OI", "sparse:sparsity=0.4,per=output", 2, 1, 1, {13, 7}, {1, 7}},
    {"BIOW", "sparse:sparsity=0.25", 4, 1, 2, {3, 4, 10, 3}, {1, 1, 5, 3}},
    {"IOH", "sparse:sparsity=0.25,per=output", 3, 2, 1, {8, 5, 3}, {4, 1, 3}},
    {"OIHW", "sparse:sparsity=0.3", 4, 2, 1, {8, 3, 2, 2}, {4, 1, 2, 2}},
    {"OI", "he_normal", 2, 1, 1, {13, 7}, {1, 1}},
    {"HWGO", "he_normal", 4, 1, 1, {3, 3, 5, 2}, {1, 1, 1, 1}},
    {"HWGO", "orthogonal", 4, 1, 1, {3, 2, 4, 71}, {3, 2, 1, 71}},
    {"WGO", "sparse:sparsity=0.4", 3, 1, 1, {3, 5, 13}, {3, 1, 13}},
    {"OI", "identity", 2, 1, 1, {6, 7}, {1, 1}},
    {"OIHW", "bilinear", 4, 1, 1, {2, 2, 4, 4}, {1, 1, 1, 1}},
    {"", "trunc_normal:std=0.02", 3, 1, 1, {3, 5, 7}, {1, 1, 1}},
    {"", "zeros", 0, 1, 1, {0}, {0}},
};
enum { N_CASES = sizeof cases / sizeof *cases };

static fanin_tensor tensor_of(const unit_case *c, fanin_init *init) {
  fanin_tensor t = test_tensor_of(NULL, 0, FANIN_DTYPE_F64, c->layout, c->rank, c->shape);
  t.groups = c->groups;
  t.splits = c->splits;
  assert_ok(fanin_init_parse(c->init, init));
  return t;
}

static uint64_t product(const uint64_t *numbers, int n) {
  uint64_t p = 1;
  for (int d = 0; d < n; d++) {
    p *= numbers[d];
  }
  return p;
}

/* Fills the part into memory of its own, and returns its values. */
static double *fill(fanin_tensor t, const fanin_init *init) {
  uint64_t elements = 0, bytes = 0;
  fanin_tensor memory;
  assert_ok(fanin_tensor_size(&t, &elements, &bytes));
  assert_ok(fanin_tensor_alloc(device, t.dtype, NULL, 1, &elements, &memory));
  t.buffer = memory.buffer;
  double *const values = malloc((size_t)bytes + 1);
  assert_non_null(values);
  assert_ok(fanin_fill(device, NULL, &t, init, (fanin_key){5, 77}, 0, NULL, NULL));
  assert_ok(fanin_read(device, NULL, &memory, values, (size_t)bytes, 1, 0, NULL, NULL));
  fanin_tensor_free(&memory);
  return values;
}

/* ---- What the values of a unit have in common -------------------------------------------------------------------- */

/* The k-th unit, in row-major order, as a slab. */
static fanin_tensor unit_of(const fanin_tensor *t, const uint64_t *unit, uint64_t k) {
  uint64_t start[FANIN_MAX_RANK] = {0};
  for (int d = t->rank - 1; d >= 0; d--) {
    const uint64_t n = t->shape[d] / unit[d];
    start[d] = k % n * unit[d];
    k /= n;
  }
  return test_tensor_slab(*t, start, unit);
}

/* Element (o, column) of the matrix in a unit's dense memory, columns being the other dimensions in the order I, taps.
 */
static double element_of(const fanin_tensor *slab, const double *values, uint64_t o, uint64_t column) {
  static const char order[] = "WHDI"; /* the innermost first */
  uint64_t at[FANIN_MAX_RANK] = {0}, index = 0;
  for (int k = 0; k < 4; k++) {
    const char *const letter = strchr(slab->layout, order[k]);
    if (!letter) continue;
    at[letter - slab->layout] = column % slab->extent[letter - slab->layout];
    column /= slab->extent[letter - slab->layout];
  }
  at[strchr(slab->layout, 'O') - slab->layout] = o;
  for (int d = 0; d < slab->rank; d++) {
    index = index * slab->extent[d] + at[d];
  }
  return values[index];
}

/* The rows or the columns, whichever are fewer, are orthogonal and of length `gain`. */
static void assert_orthogonal(const fanin_tensor *slab, const double *values, double gain) {
  const uint64_t outputs = slab->extent[strchr(slab->layout, 'O') - slab->layout];
  const uint64_t columns = product(slab->extent, slab->rank) / outputs;
  const bool tall = outputs > columns;
  const uint64_t vectors = tall ? columns : outputs, length = tall ? outputs : columns;
  for (uint64_t a = 0; a < vectors; a++) {
    for (uint64_t b = 0; b <= a; b++) {
      double sum = 0;
      for (uint64_t l = 0; l < length; l++) {
        sum += tall ? element_of(slab, values, l, a) * element_of(slab, values, l, b)
                    : element_of(slab, values, a, l) * element_of(slab, values, b, l);
      }
      assert_true(fabs(sum - (a == b ? gain * gain : 0)) < 1e-12);
    }
  }
}

/* `zeros` is ceil(sparsity * n) of a line of n, as torch counts. */
static void assert_line(const double *values, uint64_t n, double sparsity) {
  uint64_t zeros = 0;
  for (uint64_t k = 0; k < n; k++) {
    zeros += values[k] == 0;
  }
  assert_int_equal(zeros, (uint64_t)ceil(sparsity * (double)n));
}

static void test_units(void **state) {
  (void)state;
  for (int k = 0; k < N_CASES; k++) {
    const unit_case *const c = &cases[k];
    fanin_init init;
    const fanin_tensor t = tensor_of(c, &init);
    uint64_t unit[FANIN_MAX_RANK] = {0}, elements = 0;
    double operations = -1;
    assert_ok(fanin_tensor_units(&t, &init, unit, &elements, &operations));
    for (int d = 0; d < c->rank; d++) {
      assert_int_equal(unit[d], c->unit[d]);
    }
    assert_int_equal(elements, product(c->shape, c->rank));
    const bool orthogonal = strstr(c->init, "orthogonal") != NULL, sparse = init.kind == FANIN_KIND_SPARSE;
    assert_int_equal(operations > 0, orthogonal);
    for (uint64_t u = 0; (orthogonal || sparse) && u < elements / product(unit, c->rank); u++) {
      const fanin_tensor slab = unit_of(&t, unit, u);
      double *const values = fill(slab, &init);
      if (orthogonal && init.kind == FANIN_KIND_ORTHOGONAL) assert_orthogonal(&slab, values, init.gain);
      if (sparse) assert_line(values, product(unit, c->rank), init.sparsity);
      free(values);
    }
  }
}

/* ---- What a part costs ------------------------------------------------------------------------------------------- */

/* The elements of all units that hold one of the part's, counted one by one. */
static uint64_t count_elements(const fanin_tensor *t, const uint64_t *unit) {
  bool met[2048] = {false};
  const uint64_t all = product(t->shape, t->rank);
  uint64_t n = 0;
  assert_true(all <= sizeof met / sizeof *met);
  for (uint64_t index = 0; index < all; index++) {
    uint64_t rest = index, stride = 1, k = 0;
    bool inside = t->part != FANIN_PART_RANGE || index - t->first < t->count; /* below `first` that is large */
    for (int d = t->rank - 1; d >= 0; d--) {
      const uint64_t at = rest % t->shape[d];
      rest /= t->shape[d];
      k += at / unit[d] * stride;
      stride *= t->shape[d] / unit[d];
      if (t->part == FANIN_PART_SLAB) inside = inside && at - t->start[d] < t->extent[d];
    }
    if (!inside || met[k]) continue;
    met[k] = true;
    n += product(unit, t->rank);
  }
  return n;
}

/* Compares the answer with the count above, and for matrices and lines with what a fill of the part makes. A sparse
 * fill of a range orders the lines of the box around it. */
static void check_part(const unit_case *c, const fanin_tensor *part, const fanin_init *init, double each) {
  uint64_t unit[FANIN_MAX_RANK], elements = 0;
  double operations = -1;
  assert_ok(fanin_tensor_units(part, init, unit, &elements, &operations));
  assert_int_equal(elements, count_elements(part, c->unit));
  const uint64_t units = elements / product(c->unit, c->rank);
  assert_true(fabs(operations - each * (double)units) <= 1e-9 * operations);
  if (units == product(part->shape, part->rank)) return;
  reflectors = lines = 0;
  free(fill(*part, init));
  if (init->kind == FANIN_KIND_ORTHOGONAL) {
    const uint64_t outputs = c->unit[strchr(c->layout, 'O') - c->layout];
    const uint64_t columns = product(c->unit, c->rank) / outputs;
    assert_int_equal(reflectors, units * (((outputs < columns ? outputs : columns) + 15) / 16)); /* 16 a group */
  }
  if (init->kind == FANIN_KIND_SPARSE && part->part == FANIN_PART_SLAB) assert_int_equal(lines, units);
  if (init->kind == FANIN_KIND_SPARSE) assert_true(lines >= units);
}

static void test_costs(void **state) {
  (void)state;
  enum { TIMES = 12 };
  uint64_t random = 1;
  for (int k = 0; k < N_CASES; k++) {
    const unit_case *const c = &cases[k];
    fanin_init init;
    const fanin_tensor t = tensor_of(c, &init);
    const uint64_t all = product(c->shape, c->rank);
    uint64_t unit[FANIN_MAX_RANK], elements = 0;
    double whole = 0;
    assert_ok(fanin_tensor_units(&t, &init, unit, &elements, &whole));
    const double each = whole * (double)product(c->unit, c->rank) / (double)all;
    for (int time = 0; time < TIMES && c->rank > 0; time++) {
      uint64_t start[FANIN_MAX_RANK], extent[FANIN_MAX_RANK];
      for (int d = 0; d < c->rank; d++) {
        start[d] = test_random_below(&random, c->shape[d]);
        extent[d] = 1 + test_random_below(&random, c->shape[d] - start[d]);
      }
      const fanin_tensor slab = test_tensor_slab(t, start, extent);
      check_part(c, &slab, &init, each);
      const uint64_t first = test_random_below(&random, all);
      const fanin_tensor range = test_tensor_range(t, first, 1 + test_random_below(&random, all - first));
      check_part(c, &range, &init, each);
    }
    const fanin_tensor none = test_tensor_range(t, 0, 0);
    assert_ok(fanin_tensor_units(&none, &init, unit, &elements, &whole));
    assert_int_equal(elements, 0);
    assert_true(whole == 0);
  }
}

/* m x n matrices take 2mn^2 - 2n^3/3 operations, n being the smaller extent. */
static void test_operations(void **state) {
  (void)state;
  const fanin_init init = fanin_orthogonal(1);
  const fanin_tensor t = test_tensor_of(NULL, 0, FANIN_DTYPE_F32, "BOI", 3, NUMBERS(5, 300, 1 << 20));
  const fanin_tensor two = test_tensor_slab(t, NUMBERS(1, 7, 3), NUMBERS(2, 1, 1));
  uint64_t unit[3], elements = 0;
  double operations = 0;
  assert_ok(fanin_tensor_units(&two, &init, unit, &elements, &operations));
  assert_int_equal(elements, UINT64_C(2) * 300 << 20);
  const double expected = 2 * (2 * 1048576.0 * 300 * 300 - 2 * 300.0 * 300 * 300 / 3);
  assert_true(fabs(operations / expected - 1) < 1e-12);
}

/* ---- Refusals ---------------------------------------------------------------------------------------------------- */

static void test_refusals(void **state) {
  (void)state;
  const fanin_init init = fanin_orthogonal(1);
  const fanin_tensor t = test_tensor_of(NULL, 0, FANIN_DTYPE_F32, "OI", 2, NUMBERS(5, 4));
  const fanin_tensor scalar = test_tensor_of(NULL, 0, FANIN_DTYPE_F32, NULL, 0, NULL);
  const fanin_tensor outside = test_tensor_range(t, 15, 6), plain = test_tensor_of(NULL, 0, 0, NULL, 2, t.shape);
  const fanin_init zeros = fanin_zeros();
  uint64_t unit[2], n;
  double o;
  assert_int_equal(fanin_tensor_units(NULL, &init, unit, &n, &o), FANIN_STATUS_BAD_ARGUMENT);
  assert_int_equal(fanin_tensor_units(&t, NULL, unit, &n, &o), FANIN_STATUS_BAD_ARGUMENT);
  assert_int_equal(fanin_tensor_units(&t, &init, NULL, &n, &o), FANIN_STATUS_BAD_ARGUMENT);
  assert_int_equal(fanin_tensor_units(&t, &init, unit, NULL, &o), FANIN_STATUS_BAD_ARGUMENT);
  assert_int_equal(fanin_tensor_units(&t, &init, unit, &n, NULL), FANIN_STATUS_BAD_ARGUMENT);
  assert_int_equal(fanin_tensor_units(&outside, &init, unit, &n, &o), FANIN_STATUS_BAD_SHAPE);
  assert_int_equal(fanin_tensor_units(&plain, &init, unit, &n, &o), FANIN_STATUS_BAD_LAYOUT);
  assert_ok(fanin_tensor_units(&scalar, &zeros, NULL, &n, &o));
  assert_int_equal(n, 1);
}

static int setup(void **state) {
  const int status = test_group_open(state);
  device = *state;
  return status;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_units),
      cmocka_unit_test(test_costs),
      cmocka_unit_test(test_operations),
      cmocka_unit_test(test_refusals),
  };
  return cmocka_run_group_tests(tests, setup, test_group_close);
}
