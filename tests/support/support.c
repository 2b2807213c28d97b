/* What the tests share; see support.h. */
#include "support/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void test_assert_status(fanin_status status, fanin_status expected, const char *what, const char *file, int line) {
  if (status == expected) return;
  print_error("%s\n  is %s (%d), not %s; last error: %s\n", what, fanin_status_name(status), (int)status,
              fanin_status_name(expected), fanin_last_error());
  _fail(file, line);
}

void test_assert_close_of(double value, double exact, double tolerance, const char *what, const char *of) {
  if (fabs(value - exact) <= tolerance || value == exact) return;
  fail_msg("%s of %s is %.12g, not %.12g", what, of, value, exact);
}

void test_assert_relative_of(double value, double exact, double tolerance, const char *what, const char *of) {
  test_assert_close_of(value, exact, tolerance * fabs(exact), what, of);
}

fanin *test_open(void) {
  fanin *f = NULL;
  assert_ok(fanin_open(NULL, &f));
  return f;
}

void test_close(fanin *f) {
  fanin_release(f);
}

cl_context test_context(const fanin *f) {
  cl_context context = NULL;
  assert_ok(fanin_context(f, &context));
  return context;
}

cl_device_id test_device(const fanin *f) {
  cl_device_id device = NULL;
  assert_ok(fanin_device(f, &device));
  return device;
}

cl_command_queue test_queue(fanin *f) {
  cl_command_queue queue = NULL;
  assert_ok(fanin_queue(f, &queue));
  return queue;
}

fanin_key test_key(uint64_t seed, const char *name) {
  fanin_key key = {0, 0};
  assert_ok(fanin_key_named(seed, name, &key));
  return key;
}

/* ---- Tensors ----------------------------------------------------------------------------------------------------- */

static void copy_dimensions(uint64_t *out, const uint64_t *in, int rank) {
  if (in && rank > 0 && rank <= FANIN_MAX_RANK) memcpy(out, in, (size_t)rank * sizeof *out);
}

/* What the library made, or what was set by hand where it refused. */
static fanin_tensor agreed(fanin_status status, const fanin_tensor *made, const fanin_tensor *by_hand) {
  uint64_t elements = 0, bytes = 0;
  if (status == FANIN_STATUS_OK) return *made;
  assert_status(fanin_tensor_size(by_hand, &elements, &bytes), status);
  return *by_hand;
}

fanin_tensor test_tensor_of(cl_mem buffer, size_t offset, fanin_dtype dtype, const char *layout, int rank,
                            const uint64_t *shape) {
  fanin_tensor made, by_hand = {.buffer = buffer, .offset = offset, .dtype = dtype, .rank = rank};
  const uint64_t none[FANIN_MAX_RANK + 1] = {0};
  copy_dimensions(by_hand.shape, shape, rank);
  if (layout) memcpy(by_hand.layout, layout, strnlen(layout, FANIN_MAX_RANK));
  const fanin_status status = fanin_tensor_of(buffer, offset, dtype, layout, rank, shape ? shape : none, &made);
  return agreed(status, &made, &by_hand);
}

fanin_tensor test_tensor_slab(fanin_tensor t, const uint64_t *start, const uint64_t *extent) {
  fanin_tensor made, by_hand = t;
  by_hand.part = FANIN_PART_SLAB;
  copy_dimensions(by_hand.start, start, t.rank);
  copy_dimensions(by_hand.extent, extent, t.rank);
  return agreed(fanin_tensor_slab(&t, start, extent, &made), &made, &by_hand);
}

fanin_tensor test_tensor_range(fanin_tensor t, uint64_t first, uint64_t count) {
  fanin_tensor made, by_hand = t;
  by_hand.part = FANIN_PART_RANGE;
  by_hand.first = first;
  by_hand.count = count;
  return agreed(fanin_tensor_range(&t, first, count, &made), &made, &by_hand);
}

fanin_tensor test_tensor_strided(fanin_tensor t, const uint64_t *strides) {
  fanin_tensor made, by_hand = t;
  copy_dimensions(by_hand.strides, strides, t.rank);
  return agreed(fanin_tensor_strided(&t, strides, &made), &made, &by_hand);
}

size_t test_init_format(const fanin_init *init, char *text, size_t capacity) {
  size_t length = 0;
  const fanin_status status = fanin_init_format(init, text, capacity, &length);
  assert_int_equal(status, capacity == 0 || length < capacity ? FANIN_STATUS_OK : FANIN_STATUS_BAD_SIZE);
  return length;
}

double test_law_probability(const fanin_law *law, double x, int upper) {
  double p = NAN;
  assert_ok(fanin_law_probability(law, x, upper, &p));
  return p;
}

fanin_plan_facts test_plan_facts(const fanin_plan *plan) {
  fanin_plan_facts facts = {0};
  assert_ok(fanin_plan_describe(plan, &facts, sizeof facts));
  return facts;
}

cl_command_queue test_out_of_order(fanin *f) {
  cl_int code = CL_SUCCESS;
  const cl_command_queue queue =
      clCreateCommandQueue(test_context(f), test_device(f), CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE, &code);
  assert_int_equal(code, CL_SUCCESS);
  return queue;
}

int test_group_open(void **state) {
  *state = test_open();
  return 0;
}

int test_group_close(void **state) {
  test_close(*state);
  return 0;
}

unsigned char test_guard_byte(size_t at) {
  return (unsigned char)(0x5a + 37 * (at % 251));
}

cl_mem test_guarded(fanin *f, size_t offset, size_t bytes) {
  const size_t size = offset + bytes + TEST_GUARD_BYTES;
  unsigned char *const guard = malloc(size);
  assert_non_null(guard);
  for (size_t k = 0; k < size; k++) {
    guard[k] = test_guard_byte(k);
  }
  cl_int code = CL_SUCCESS;
  const cl_mem buffer = clCreateBuffer(test_context(f), CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR, size, guard, &code);
  assert_int_equal(code, CL_SUCCESS);
  free(guard);
  return buffer;
}

unsigned char *test_content(fanin *f, cl_mem buffer, size_t *size) {
  assert_int_equal(clGetMemObjectInfo(buffer, CL_MEM_SIZE, sizeof *size, size, NULL), CL_SUCCESS);
  unsigned char *const content = malloc(*size);
  assert_non_null(content);
  assert_int_equal(clEnqueueReadBuffer(test_queue(f), buffer, CL_TRUE, 0, *size, content, 0, NULL, NULL), CL_SUCCESS);
  return content;
}

void test_assert_guarded(fanin *f, cl_mem buffer, size_t offset, size_t bytes) {
  size_t size = 0;
  unsigned char *const content = test_content(f, buffer, &size);
  size_t bad = 0;
  while (bad < size && ((bad >= offset && bad - offset < bytes) || content[bad] == test_guard_byte(bad))) {
    bad++;
  }
  free(content);
  if (bad < size) fail_msg("byte %zu was written, outside %zu .. %zu", bad, offset, offset + bytes);
}

uint64_t test_random(uint64_t *state) {
  uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

uint64_t test_random_below(uint64_t *state, uint64_t n) {
  return test_random(state) % n;
}
