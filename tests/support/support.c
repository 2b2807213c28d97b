/* What the tests share; see support.h. */
#include "support/support.h"

#include <math.h>
#include <stdlib.h>

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

cl_command_queue test_out_of_order(fanin *f) {
  cl_int code = CL_SUCCESS;
  const cl_command_queue queue =
      clCreateCommandQueue(fanin_context(f), fanin_device(f), CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE, &code);
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
  const cl_mem buffer = clCreateBuffer(fanin_context(f), CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR, size, guard, &code);
  assert_int_equal(code, CL_SUCCESS);
  free(guard);
  return buffer;
}

unsigned char *test_content(fanin *f, cl_mem buffer, size_t *size) {
  assert_int_equal(clGetMemObjectInfo(buffer, CL_MEM_SIZE, sizeof *size, size, NULL), CL_SUCCESS);
  unsigned char *const content = malloc(*size);
  assert_non_null(content);
  assert_int_equal(clEnqueueReadBuffer(fanin_queue(f), buffer, CL_TRUE, 0, *size, content, 0, NULL, NULL), CL_SUCCESS);
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
