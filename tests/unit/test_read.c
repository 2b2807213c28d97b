/* Reading parts back: odd offsets, strides, events, queues. */
#include "support/support.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define NUMBERS(...)                                                                                                   \
  (const uint64_t[]) {                                                                                                 \
    __VA_ARGS__                                                                                                        \
  }

typedef struct read_case {
  const char *what;
  size_t offset;
  fanin_dtype dtype;
  int rank;
  uint64_t shape[FANIN_MAX_RANK], strides[FANIN_MAX_RANK];
  fanin_part part;
  uint64_t start[FANIN_MAX_RANK], extent[FANIN_MAX_RANK]; /* FANIN_PART_RANGE: first and count in [0] */
} read_case;

static const read_case cases[] = {
    {"scalar", 12, FANIN_DTYPE_F32, 0, {0}, {0}, FANIN_PART_WHOLE, {0}, {0}},
    {"odd offset", 6, FANIN_DTYPE_F16, 2, {5, 7}, {0}, FANIN_PART_WHOLE, {0}, {0}},
    {"f64", 24, FANIN_DTYPE_F64, 2, {5, 7}, {0}, FANIN_PART_WHOLE, {0}, {0}},
    {"range", 4, FANIN_DTYPE_F32, 2, {5, 7}, {0}, FANIN_PART_RANGE, {33}, {2}},
    {"dense slab", 4, FANIN_DTYPE_F32, 2, {500, 700}, {0}, FANIN_PART_SLAB, {3, 5}, {4, 3}},
    {"row pitch", 4, FANIN_DTYPE_F32, 2, {5, 7}, {10, 1}, FANIN_PART_WHOLE, {0}, {0}},
    {"row pitch, offset past a row", 100, FANIN_DTYPE_BF16, 2, {5, 7}, {10, 1}, FANIN_PART_WHOLE, {0}, {0}},
    {"one column of a pitch", 4, FANIN_DTYPE_F32, 2, {5, 7}, {10, 1}, FANIN_PART_SLAB, {0, 2}, {5, 1}},
    {"slices of whole rows", 8, FANIN_DTYPE_F32, 3, {3, 4, 5}, {42, 7, 1}, FANIN_PART_WHOLE, {0}, {0}},
    {"slices with a gap that is no row", 8, FANIN_DTYPE_F32, 3, {3, 4, 5}, {40, 7, 1}, FANIN_PART_WHOLE, {0}, {0}},
    {"slices between rows", 8, FANIN_DTYPE_F16, 3, {3, 4, 5}, {6, 18, 1}, FANIN_PART_WHOLE, {0}, {0}},
    {"slices shorter than a row's pitch",
     8,
     FANIN_DTYPE_F64,
     3,
     {2, 4, 5},
     {5, 13, 1},
     FANIN_PART_SLAB,
     {0, 1, 0},
     {2, 3, 5}},
    {"five dimensions that merge to two",
     2,
     FANIN_DTYPE_BF16,
     5,
     {2, 3, 2, 3, 2},
     {60, 20, 6, 2, 1},
     FANIN_PART_WHOLE,
     {0},
     {0}},
    {"columns of slices", 4, FANIN_DTYPE_F32, 3, {3, 4, 5}, {42, 7, 1}, FANIN_PART_SLAB, {0, 0, 4}, {3, 4, 1}},
};

static fanin_tensor tensor_of_case(const read_case *c, cl_mem buffer) {
  fanin_tensor t = test_tensor_of(buffer, c->offset, c->dtype, NULL, c->rank, c->shape);
  t = test_tensor_strided(t, c->strides);
  if (c->part == FANIN_PART_SLAB) t = test_tensor_slab(t, c->start, c->extent);
  if (c->part == FANIN_PART_RANGE) t = test_tensor_range(t, c->start[0], c->extent[0]);
  return t;
}

/* What the copy must be, from the buffer's bytes: memory k of the row-major order by repeated division, as the header
 * defines strides. */
static void gather(const fanin_tensor *t, const unsigned char *memory, uint64_t elements, unsigned char *out) {
  const size_t size = fanin_dtype_size(t->dtype);
  bool dense = true;
  for (int d = 0; d < t->rank; d++) {
    dense = dense && t->strides[d] == 0;
  }
  for (uint64_t k = 0; k < elements; k++) {
    uint64_t at = dense ? k : 0, rest = k;
    for (int d = t->rank - 1; d >= 0 && !dense; d--) {
      const uint64_t extent = t->part == FANIN_PART_SLAB ? t->extent[d] : t->shape[d];
      at += rest % extent * t->strides[d];
      rest /= extent;
    }
    memcpy(out + k * size, memory + t->offset + at * size, size);
  }
}

enum { HOST_GUARD = 16 };

static void read_and_compare(fanin *f, cl_command_queue queue, const read_case *c, int blocking) {
  /* The buffer ends where the part ends: a copy that reads on would be refused. */
  fanin_tensor t = tensor_of_case(c, NULL);
  uint64_t elements = 0, span = 0;
  assert_ok(fanin_tensor_size(&t, &elements, &span));
  const size_t memory_size = c->offset + (size_t)span, bytes = (size_t)elements * fanin_dtype_size(c->dtype);
  unsigned char *const memory = malloc(memory_size), *const expected = malloc(bytes);
  unsigned char *const host = malloc(bytes + HOST_GUARD);
  assert_true(memory && expected && host);
  uint64_t seed = memory_size;
  for (size_t k = 0; k < memory_size; k++) {
    memory[k] = (unsigned char)test_random(&seed);
  }
  memset(host, 0x5a, bytes + HOST_GUARD);
  cl_int code = CL_SUCCESS;
  t.buffer = clCreateBuffer(test_context(f), CL_MEM_READ_ONLY | CL_MEM_COPY_HOST_PTR, memory_size, memory, &code);
  assert_int_equal(code, CL_SUCCESS);
  gather(&t, memory, elements, expected);

  cl_event event = NULL;
  assert_ok(fanin_read(f, queue, &t, host, bytes, blocking, 0, NULL, blocking ? NULL : &event));
  if (!blocking) {
    assert_int_equal(clWaitForEvents(1, &event), CL_SUCCESS);
    assert_int_equal(clReleaseEvent(event), CL_SUCCESS);
  }
  if (memcmp(host, expected, bytes) != 0) fail_msg("%s: wrong bytes", c->what);
  for (size_t k = bytes; k < bytes + HOST_GUARD; k++) {
    assert_int_equal(host[k], 0x5a);
  }
  fanin_tensor_free(&t);
  free(host);
  free(expected);
  free(memory);
}

static void test_parts(void **state) {
  fanin *const f = *state;
  const cl_command_queue out_of_order = test_out_of_order(f);
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    for (int blocking = 0; blocking < 2; blocking++) {
      read_and_compare(f, NULL, &cases[k], blocking);
      read_and_compare(f, out_of_order, &cases[k], blocking);
    }
  }
  assert_int_equal(clReleaseCommandQueue(out_of_order), CL_SUCCESS);
}

/* Nothing may begin before the wait list is done: the buffer is written only after the read was enqueued. */
static void read_after_user_event(fanin *f, const read_case *c) {
  fanin_tensor t = tensor_of_case(c, NULL);
  uint64_t elements = 0, span = 0;
  assert_ok(fanin_tensor_size(&t, &elements, &span));
  const size_t bytes = (size_t)elements * fanin_dtype_size(c->dtype);
  t.buffer = test_guarded(f, c->offset, (size_t)span);
  unsigned char *const host = calloc(bytes + 1, 1);
  assert_non_null(host);
  cl_int code = CL_SUCCESS;
  const cl_event gate = clCreateUserEvent(test_context(f), &code);
  assert_int_equal(code, CL_SUCCESS);
  const cl_command_queue queue = test_out_of_order(f);

  cl_event event = NULL;
  assert_ok(fanin_read(f, queue, &t, host, bytes, 0, 1, &gate, &event));
  assert_int_equal(clFlush(queue), CL_SUCCESS);
  cl_int execution = CL_COMPLETE;
  assert_int_equal(clGetEventInfo(event, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof execution, &execution, NULL),
                   CL_SUCCESS);
  assert_int_not_equal(execution, CL_COMPLETE);
  const unsigned char pattern = 0xc3;
  assert_int_equal(clEnqueueFillBuffer(test_queue(f), t.buffer, &pattern, 1, 0,
                                       c->offset + (size_t)span + TEST_GUARD_BYTES, 0, NULL, NULL),
                   CL_SUCCESS);
  assert_int_equal(clFinish(test_queue(f)), CL_SUCCESS);
  assert_int_equal(clSetUserEventStatus(gate, CL_COMPLETE), CL_SUCCESS);
  assert_int_equal(clWaitForEvents(1, &event), CL_SUCCESS);
  for (size_t k = 0; k < bytes; k++) {
    assert_int_equal(host[k], pattern);
  }
  assert_int_equal(clReleaseEvent(event), CL_SUCCESS);
  assert_int_equal(clReleaseEvent(gate), CL_SUCCESS);
  assert_int_equal(clReleaseCommandQueue(queue), CL_SUCCESS);
  fanin_tensor_free(&t);
  free(host);
}

static void test_reading_waits(void **state) {
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    read_after_user_event(*state, &cases[k]);
  }
}

static void test_empty_part_is_an_event(void **state) {
  fanin *const f = *state;
  const fanin_tensor t = test_tensor_of(NULL, 0, FANIN_DTYPE_F32, "OI", 2, NUMBERS(0, 7));
  assert_ok(fanin_read(f, NULL, &t, NULL, 0, 1, 0, NULL, NULL));

  cl_int code = CL_SUCCESS;
  const cl_event gate = clCreateUserEvent(test_context(f), &code);
  assert_int_equal(code, CL_SUCCESS);
  cl_event event = NULL;
  assert_ok(fanin_read(f, NULL, &t, NULL, 0, 0, 1, &gate, &event));
  cl_int execution = CL_COMPLETE;
  assert_int_equal(clGetEventInfo(event, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof execution, &execution, NULL),
                   CL_SUCCESS);
  assert_int_not_equal(execution, CL_COMPLETE);
  assert_int_equal(clSetUserEventStatus(gate, CL_COMPLETE), CL_SUCCESS);
  assert_int_equal(clWaitForEvents(1, &event), CL_SUCCESS);
  assert_int_equal(clReleaseEvent(event), CL_SUCCESS);
  assert_int_equal(clReleaseEvent(gate), CL_SUCCESS);
}

static void test_bad_reads_have_their_sentence(void **state) {
  fanin *const f = *state;
  fanin *const other = test_open();
  fanin_tensor t, cube;
  assert_ok(fanin_tensor_alloc(f, FANIN_DTYPE_F32, "OI", 2, NUMBERS(5, 7), &t));
  assert_ok(fanin_tensor_alloc(f, FANIN_DTYPE_F32, NULL, 1, NUMBERS(4096), &cube));
  cube = test_tensor_of(cube.buffer, 0, FANIN_DTYPE_F32, NULL, 4, NUMBERS(2, 2, 2, 2));
  fanin_tensor no_buffer = t;
  no_buffer.buffer = NULL;
  unsigned char host[140] = {0};
  const struct {
    fanin_tensor t;
    void *host;
    size_t bytes;
    cl_command_queue queue;
    fanin_status status;
    const char *sentence;
  } bad[] = {
      {t, host, 139, NULL, FANIN_STATUS_BAD_SIZE, "bytes = 139; the part has 35 elements, so that 140 is accepted"},
      {t, host, 0, NULL, FANIN_STATUS_BAD_SIZE, "bytes = 0"},
      {test_tensor_range(t, 0, 3), host, 140, NULL, FANIN_STATUS_BAD_SIZE, "bytes = 140"},
      {t, NULL, 140, NULL, FANIN_STATUS_BAD_ARGUMENT, "host is NULL"},
      {no_buffer, host, 140, NULL, FANIN_STATUS_BAD_ARGUMENT, "buffer is NULL"},
      {t, host, 140, test_queue(other), FANIN_STATUS_BAD_ARGUMENT, "queue belongs to another context"},
      {test_tensor_strided(t, NUMBERS(100, 1)), host, 140, NULL, FANIN_STATUS_BAD_SIZE, "do not fit into buffer"},
      {test_tensor_strided(t, NUMBERS(1, 5)), host, 140, NULL, FANIN_STATUS_UNSUPPORTED, "strides: the innermost is 5"},
      {test_tensor_strided(cube, NUMBERS(90, 30, 10, 1)), host, 64, NULL, FANIN_STATUS_UNSUPPORTED, "4 dimensions"},
  };
  for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
    cl_event event = NULL;
    assert_status(fanin_read(f, bad[k].queue, &bad[k].t, bad[k].host, bad[k].bytes, 1, 0, NULL, &event), bad[k].status);
    if (!strstr(fanin_last_error(), bad[k].sentence))
      fail_msg("\"%s\" lacks \"%s\"", fanin_last_error(), bad[k].sentence);
    assert_null(event);
  }
  fanin_tensor_free(&cube);
  fanin_tensor_free(&t);
  test_close(other);
}

/* OpenCL's own refusals come through unchanged. */
static void test_bad_wait_list(void **state) {
  fanin *const f = *state;
  fanin_tensor t;
  assert_ok(fanin_tensor_alloc(f, FANIN_DTYPE_F32, "OI", 2, NUMBERS(5, 7), &t));
  unsigned char host[140];
  assert_status(fanin_read(f, NULL, &t, host, sizeof host, 1, 1, NULL, NULL), FANIN_STATUS_BAD_ARGUMENT);
  assert_string_equal(fanin_last_error(), "wait_list is NULL; pass n_wait events");
  fanin_tensor_free(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_parts),
      cmocka_unit_test(test_reading_waits),
      cmocka_unit_test(test_empty_part_is_an_event),
      cmocka_unit_test(test_bad_reads_have_their_sentence),
      cmocka_unit_test(test_bad_wait_list),
  };
  return cmocka_run_group_tests(tests, test_group_open, test_group_close);
}
