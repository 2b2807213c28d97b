/* Plans: the bits of single fills, in few launches, wherever the tensors are; and what they refuse. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/support.h"

#define SEED 20260101u

/* A model with every family, every dtype, an odd size, a slab, a range, an empty tensor, identity and dirac. */
enum { MODEL = 14 };

static fanin_item item(fanin_dtype dtype, const char *layout, int rank, const uint64_t *shape, const char *init,
                       uint64_t stream) {
  fanin_item out = {.tensor = test_tensor_of(NULL, 0, dtype, layout, rank, shape), .stream = stream};
  assert_ok(fanin_init_parse(init, &out.init));
  return out;
}

static void make_model(fanin_item items[MODEL]) {
  const uint64_t matrix[] = {65, 37}, stack[] = {3, 8, 5}, taps[] = {6, 4, 3, 3}, one[] = {1}, none[] = {0, 7};
  const uint64_t large[] = {300, 257}, start[] = {3, 5}, extent[] = {33, 21};
  items[0] = item(FANIN_DTYPE_F32, "OI", 2, matrix, "he_normal", 1);
  items[1] = item(FANIN_DTYPE_F32, "OI", 2, large, "xavier_uniform", 2);
  items[2] = item(FANIN_DTYPE_F16, "OI", 2, matrix, "trunc_normal:std=0.02", 3);
  items[3] = item(FANIN_DTYPE_BF16, "OI", 2, large, "lecun_normal", 4);
  items[4] = item(FANIN_DTYPE_F32, "O", 1, one, "ones", 5);
  items[5] = item(FANIN_DTYPE_F32, "OI", 2, none, "he_uniform", 6);
  items[6] = item(FANIN_DTYPE_F32, "OI", 2, matrix, "identity:gain=0.5", 7);
  items[7] = item(FANIN_DTYPE_F16, "BOI", 3, stack, "identity", 8);
  items[8] = item(FANIN_DTYPE_F32, "OIHW", 4, taps, "dirac", 9);
  items[9] = item(FANIN_DTYPE_F32, "OI", 2, large, "trunc_normal:std=1,a=-3,b=5", 10);
  items[10] = item(FANIN_DTYPE_F32, "OI", 2, large, "normal:std=0.1", 11);
  items[10].tensor = test_tensor_slab(items[10].tensor, start, extent);
  items[11] = item(FANIN_DTYPE_F32, "OI", 2, large, "normal:std=0.2", 12);
  items[11].tensor = test_tensor_range(items[11].tensor, 1001, 5003);
  items[12] = item(FANIN_DTYPE_F32, "OI", 2, large, "he_normal", 13);
  items[13] = item(FANIN_DTYPE_F32, "OI", 2, matrix, "constant:value=3", 14);
}

static size_t bytes_of(const fanin_tensor *t) {
  uint64_t elements = 0, bytes = 0;
  assert_ok(fanin_tensor_size(t, &elements, &bytes));
  return (size_t)elements * fanin_dtype_size(t->dtype);
}

static unsigned char *read_back(fanin *f, const fanin_tensor *t, size_t bytes) {
  unsigned char *const host = malloc(bytes + 1);
  assert_non_null(host);
  if (bytes > 0) assert_ok(fanin_read(f, NULL, t, host, bytes, 1, 0, NULL, NULL));
  return host;
}

/* The plan's tensor i has the bits that fanin_fill() makes for it in a buffer of its own. */
static void assert_like_fill(fanin *f, const fanin_plan *plan, size_t i, const fanin_item *it, uint64_t seed) {
  fanin_tensor planned;
  assert_ok(fanin_plan_tensor(plan, i, &planned));
  const size_t bytes = bytes_of(&it->tensor);
  if (bytes == 0) return;
  fanin_tensor alone = it->tensor;
  alone.buffer = test_guarded(f, 0, bytes);
  alone.offset = 0;
  assert_ok(fanin_fill(f, NULL, &alone, &it->init, (fanin_key){seed, it->stream}, 0, NULL, NULL));
  unsigned char *const got = read_back(f, &planned, bytes), *const wanted = read_back(f, &alone, bytes);
  if (memcmp(got, wanted, bytes) != 0) fail_msg("item %zu differs from its fill", i);
  free(got);
  free(wanted);
  assert_int_equal(clReleaseMemObject(alone.buffer), CL_SUCCESS);
}

static void assert_all_like_fill(fanin *f, fanin_plan *plan, const fanin_item *items, size_t n, uint64_t seed) {
  assert_ok(fanin_plan_enqueue(plan, NULL, seed, 0, NULL, NULL));
  assert_int_equal(clFinish(test_queue(f)), CL_SUCCESS);
  for (size_t i = 0; i < n; i++) {
    assert_like_fill(f, plan, i, &items[i], seed);
  }
}

static void arena_has_the_bits_of_fills(void **state) {
  fanin *const f = *state;
  fanin_item items[MODEL];
  make_model(items);
  fanin_plan *plan = NULL;
  assert_ok(fanin_plan_create(f, items, MODEL, &plan));
  assert_all_like_fill(f, plan, items, MODEL, SEED);
  assert_all_like_fill(f, plan, items, MODEL, SEED + 1); /* a plan is used again with another seed */
  const fanin_plan_facts facts = test_plan_facts(plan);
  assert_int_equal(facts.items, MODEL);
  assert_int_equal(facts.launches, 3 + 3); /* f32, f16, bf16; identity twice, dirac */
  fanin_plan_release(plan);
}

/* The caller's buffer: tensors between guard words, at offsets that are no multiple of a vector. */
static void own_buffer_keeps_its_other_bytes(void **state) {
  fanin *const f = *state;
  fanin_item items[MODEL];
  make_model(items);
  size_t offset = 0, begin[MODEL];
  for (size_t i = 0; i < MODEL; i++) {
    offset += 24; /* a gap of guard bytes */
    begin[i] = offset;
    offset += (bytes_of(&items[i].tensor) + 7) / 8 * 8;
  }
  const cl_mem buffer = test_guarded(f, 0, offset);
  for (size_t i = 0; i < MODEL; i++) {
    items[i].tensor.buffer = buffer;
    items[i].tensor.offset = begin[i];
  }
  fanin_plan *plan = NULL;
  assert_ok(fanin_plan_create(f, items, MODEL, &plan));
  assert_int_equal(clReleaseMemObject(buffer), CL_SUCCESS); /* the plan retained it */
  assert_all_like_fill(f, plan, items, MODEL, SEED);
  size_t size = 0, at = 0;
  unsigned char *const content = test_content(f, buffer, &size);
  for (size_t i = 0; i <= MODEL; i++) {
    const size_t end = i < MODEL ? begin[i] : size;
    for (; at < end; at++) {
      if (content[at] != test_guard_byte(at)) fail_msg("byte %zu before item %zu was written", at, i);
    }
    if (i < MODEL) at += bytes_of(&items[i].tensor);
  }
  free(content);
  fanin_plan_release(plan);
}

static void separate_buffers_each_have_a_launch(void **state) {
  fanin *const f = *state;
  const uint64_t shape[] = {33, 9};
  enum { N = 20 };
  fanin_item items[N];
  for (size_t i = 0; i < N; i++) {
    items[i] = item(FANIN_DTYPE_F32, "OI", 2, shape, "normal", i);
    items[i].tensor.buffer = test_guarded(f, 0, bytes_of(&items[i].tensor));
  }
  fanin_plan *plan = NULL;
  assert_ok(fanin_plan_create(f, items, N, &plan));
  assert_all_like_fill(f, plan, items, N, SEED);
  assert_int_equal(test_plan_facts(plan).launches, N);
  assert_int_equal(test_plan_facts(plan).arena_bytes, 0);
  fanin_plan_release(plan);
  for (size_t i = 0; i < N; i++) {
    test_assert_guarded(f, items[i].tensor.buffer, 0, bytes_of(&items[i].tensor));
    assert_int_equal(clReleaseMemObject(items[i].tensor.buffer), CL_SUCCESS);
  }
}

/* The number of launches does not grow with the number of tensors. */
static void thousand_tensors_are_one_launch(void **state) {
  fanin *const f = *state;
  enum { N = 1000 };
  fanin_item *const items = calloc(N, sizeof *items);
  assert_non_null(items);
  for (size_t i = 0; i < N; i++) {
    const uint64_t shape[] = {i % 7 + 1, i % 11 + 1};
    items[i] = item(FANIN_DTYPE_F32, "OI", 2, shape, "he_normal", i);
  }
  fanin_plan *plan = NULL;
  assert_ok(fanin_plan_create(f, items, N, &plan));
  assert_int_equal(test_plan_facts(plan).launches, 1);
  assert_ok(fanin_plan_enqueue(plan, NULL, SEED, 0, NULL, NULL));
  for (size_t i = 0; i < N; i += 97) {
    assert_like_fill(f, plan, i, &items[i], SEED);
  }
  fanin_plan_release(plan);
  free(items);
}

/* On an out-of-order queue nothing begins before the wait list, and the event comes after every launch. */
static void order_follows_the_events(void **state) {
  fanin *const f = *state;
  cl_int code = CL_SUCCESS;
  const cl_command_queue queue =
      clCreateCommandQueue(test_context(f), test_device(f), CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE, &code);
  if (code != CL_SUCCESS) skip();
  fanin_item items[MODEL];
  make_model(items);
  fanin_plan *plan = NULL;
  assert_ok(fanin_plan_create(f, items, MODEL, &plan));
  const cl_event gate = clCreateUserEvent(test_context(f), &code);
  assert_int_equal(code, CL_SUCCESS);
  cl_event done = NULL;
  assert_ok(fanin_plan_enqueue(plan, queue, SEED, 1, &gate, &done));
  cl_int progress = CL_COMPLETE;
  assert_int_equal(clGetEventInfo(done, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof progress, &progress, NULL), 0);
  assert_int_not_equal(progress, CL_COMPLETE);
  assert_int_equal(clSetUserEventStatus(gate, CL_COMPLETE), CL_SUCCESS);
  assert_int_equal(clWaitForEvents(1, &done), CL_SUCCESS);
  for (size_t i = 0; i < MODEL; i++) {
    assert_like_fill(f, plan, i, &items[i], SEED);
  }
  assert_int_equal(clReleaseEvent(done), CL_SUCCESS);
  assert_int_equal(clReleaseEvent(gate), CL_SUCCESS);
  fanin_plan_release(plan);
  assert_int_equal(clReleaseCommandQueue(queue), CL_SUCCESS);
}

static void empty_plans_still_have_events(void **state) {
  fanin *const f = *state;
  fanin_plan *plan = NULL;
  assert_ok(fanin_plan_create(f, NULL, 0, &plan));
  cl_event done = NULL;
  assert_ok(fanin_plan_enqueue(plan, NULL, SEED, 0, NULL, &done));
  assert_int_equal(clWaitForEvents(1, &done), CL_SUCCESS);
  assert_int_equal(clReleaseEvent(done), CL_SUCCESS);
  assert_int_equal(test_plan_facts(plan).launches, 0);
  fanin_plan_release(plan);
  fanin_plan_release(NULL);
}

static void assert_refused(fanin *f, const fanin_item *items, size_t n, fanin_status expected, const char *word) {
  fanin_plan *plan = NULL;
  assert_status(fanin_plan_create(f, items, n, &plan), expected);
  assert_null(plan);
  if (!strstr(fanin_last_error(), word)) fail_msg("\"%s\" does not say \"%s\"", fanin_last_error(), word);
}

static void bad_items_are_named(void **state) {
  fanin *const f = *state;
  const uint64_t shape[] = {4, 4}, strides[] = {9, 1};
  fanin_item good = item(FANIN_DTYPE_F32, "OI", 2, shape, "normal", 1), items[3] = {good, good, good};
  assert_refused(NULL, items, 1, FANIN_STATUS_BAD_ARGUMENT, "f is NULL");
  assert_refused(f, NULL, 1, FANIN_STATUS_BAD_ARGUMENT, "items is NULL");
  items[1].init.std = -1;
  assert_refused(f, items, 3, FANIN_STATUS_BAD_ARGUMENT, "items[1]");
  items[1] = good;
  items[2].tensor.layout[1] = 'X';
  items[2].init = fanin_he_normal(0, FANIN_MODE_FAN_IN);
  assert_refused(f, items, 3, FANIN_STATUS_BAD_LAYOUT, "items[2]");
  items[2] = good;
  items[1].tensor.offset = 8;
  assert_refused(f, items, 3, FANIN_STATUS_BAD_ARGUMENT, "items[1]: offset = 8");
  items[1] = good;
  items[2].tensor = test_tensor_strided(good.tensor, strides);
  assert_refused(f, items, 3, FANIN_STATUS_BAD_SHAPE, "items[2]: strides");

  const cl_mem buffer = test_guarded(f, 0, 256);
  for (size_t i = 0; i < 3; i++) {
    items[i] = good;
    items[i].tensor.buffer = buffer;
    items[i].tensor.offset = 60 * i; /* 64 bytes each */
  }
  assert_refused(f, items, 3, FANIN_STATUS_BAD_SIZE, "items[0] and items[1] overlap");
  items[1].tensor.offset = 64;
  items[2].tensor.offset = 256 + TEST_GUARD_BYTES;
  assert_refused(f, items, 3, FANIN_STATUS_BAD_SIZE, "items[2]");
  test_assert_guarded(f, buffer, 0, 0);
  assert_int_equal(clReleaseMemObject(buffer), CL_SUCCESS);

  fanin_plan *plan = NULL;
  fanin_tensor t;
  assert_ok(fanin_plan_create(f, &good, 1, &plan));
  assert_status(fanin_plan_tensor(plan, 1, &t), FANIN_STATUS_BAD_ARGUMENT);
  fanin_plan_release(plan);
  assert_status(fanin_plan_enqueue(NULL, NULL, 0, 0, NULL, NULL), FANIN_STATUS_BAD_ARGUMENT);
}

/* A plan holds its fanin, so that either may go first. */
static void test_retains_its_fanin(void **state) {
  (void)state;
  fanin *const f = test_open();
  const uint64_t shape[] = {7};
  const fanin_item item = {.tensor = test_tensor_of(NULL, 0, FANIN_DTYPE_F32, NULL, 1, shape),
                           .init = fanin_normal(0, 1)};
  fanin_plan *plan = NULL;
  fanin_tensor t;
  float values[7] = {0};
  const cl_command_queue queue = test_queue(f);
  assert_int_equal(clRetainCommandQueue(queue), CL_SUCCESS);
  assert_ok(fanin_plan_create(f, &item, 1, &plan));
  fanin_release(f);
  assert_ok(fanin_plan_enqueue(plan, NULL, 1, 0, NULL, NULL));
  assert_ok(fanin_plan_tensor(plan, 0, &t));
  assert_int_equal(clEnqueueReadBuffer(queue, t.buffer, CL_TRUE, t.offset, sizeof values, values, 0, NULL, NULL),
                   CL_SUCCESS);
  assert_true(values[0] != 0 && values[6] != 0);
  fanin_plan_release(plan);
  assert_int_equal(clReleaseCommandQueue(queue), CL_SUCCESS);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_retains_its_fanin),           cmocka_unit_test(arena_has_the_bits_of_fills),
      cmocka_unit_test(own_buffer_keeps_its_other_bytes), cmocka_unit_test(separate_buffers_each_have_a_launch),
      cmocka_unit_test(thousand_tensors_are_one_launch),  cmocka_unit_test(order_follows_the_events),
      cmocka_unit_test(empty_plans_still_have_events),    cmocka_unit_test(bad_items_are_named),
  };
  return cmocka_run_group_tests(tests, test_group_open, test_group_close);
}
