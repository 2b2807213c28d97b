/* Orthogonal tensors of every layout, stack, group and split against the specification; parts, strides, plans, queues
 * and repetitions against the whole. */
#include "support/support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oracle/image.h"

#define LEN(x) (sizeof(x) / sizeof *(x))

static const fanin_key KEY = {.seed = 11, .stream = 12};

typedef struct shaped {
  const char *layout;
  int rank;
  uint64_t shape[5];
  uint32_t groups, splits;
  bool delta; /* delta_orthogonal */
} shaped;

/* Small matrices, then (from LARGE on) ones of several strips or chunks. */
static const shaped cases[] = {
    {"OI", 2, {5, 5}, 0, 0, false},           {"OI", 2, {40, 33}, 0, 0, false},
    {"IO", 2, {33, 40}, 0, 0, false},         {"IO", 2, {64, 12}, 0, 0, false},
    {"OI", 2, {99, 33}, 0, 3, false},         {"OI", 2, {99, 20}, 0, 3, false},
    {"OI", 2, {30, 40}, 0, 3, false},         {"IO", 2, {20, 96}, 0, 3, false},
    {"BOI", 3, {7, 19, 23}, 0, 0, false},     {"OBI", 3, {19, 7, 13}, 0, 0, false},
    {"OIB", 3, {19, 23, 7}, 1, 1, false},     {"OI", 2, {24, 5}, 4, 0, false},
    {"OI", 2, {24, 5}, 2, 3, false},          {"IO", 2, {24, 5}, 4, 0, false},
    {"IO", 2, {24, 9}, 4, 0, false},          {"OIHW", 4, {12, 5, 3, 3}, 0, 0, false},
    {"OIHW", 4, {12, 2, 4, 5}, 3, 0, false},  {"OIHW", 4, {64, 2, 1, 2}, 2, 0, false},
    {"OIHW", 4, {6, 1, 3, 3}, 6, 0, false},   {"HWIO", 4, {3, 5, 4, 11}, 0, 0, false},
    {"HWIO", 4, {1, 2, 4, 50}, 0, 0, false},  {"IOHW", 4, {12, 5, 3, 2}, 4, 0, false},
    {"IOHW", 4, {12, 20, 3, 2}, 4, 0, false}, {"OIDHW", 5, {6, 2, 3, 2, 5}, 2, 0, false},
    {"BOIW", 4, {3, 6, 5, 4}, 0, 0, false},   {"OIW", 3, {10, 8, 7}, 0, 5, false},
    {"OIHW", 4, {0, 4, 3, 3}, 0, 0, false},   {"OI", 2, {4, 0}, 0, 0, false},
    {"HWGO", 4, {3, 5, 7, 4}, 0, 0, false},   {"HWGO", 4, {2, 3, 5, 11}, 0, 0, false},
    {"GOHW", 4, {7, 4, 3, 2}, 0, 0, false},   {"BWGO", 4, {3, 5, 4, 2}, 0, 0, false},
    {"BOI", 3, {700, 60, 64}, 0, 0, false}, /* in pieces */
    {"OI", 2, {150, 90}, 0, 0, false},        {"IO", 2, {150, 90}, 0, 0, false},
    {"BOI", 3, {2, 70, 130}, 0, 0, false},    {"OIHW", 4, {40, 9, 3, 3}, 0, 0, false},
    {"HWIO", 4, {3, 3, 9, 40}, 0, 0, false},  {"OIHW", 4, {80, 9, 3, 3}, 2, 0, false},
    {"IOHW", 4, {18, 90, 2, 3}, 2, 0, false}, {"OI", 2, {300, 80}, 0, 3, false},
    {"OIHW", 4, {9, 5, 3, 3}, 0, 0, true},    {"HWIO", 4, {3, 5, 4, 7}, 0, 0, true},
    {"OIHW", 4, {12, 2, 4, 5}, 3, 0, true},   {"IOHW", 4, {12, 20, 3, 2}, 4, 0, true},
    {"BOIW", 4, {3, 6, 6, 1}, 0, 0, true},    {"OIDHW", 5, {12, 4, 3, 2, 5}, 0, 2, true},
    {"OIHW", 4, {90, 70, 2, 3}, 0, 0, true},  {"HWGO", 4, {3, 5, 7, 4}, 0, 0, true},
};
enum { LARGE = 33 };

static fanin_tensor tensor_of(const shaped *c, fanin_dtype dtype) {
  fanin_tensor t = test_tensor_of(NULL, 3 * fanin_dtype_size(dtype), dtype, c->layout, c->rank, c->shape);
  t.groups = c->groups;
  t.splits = c->splits;
  return t;
}

static fanin_init init_of(const shaped *c) {
  return c->delta ? fanin_delta_orthogonal(1) : fanin_orthogonal(1);
}

/* Fills t in a guarded buffer of its own and returns the buffer's content; free() it. */
static unsigned char *filled(fanin *f, cl_command_queue queue, fanin_tensor t, fanin_init init, size_t *size) {
  uint64_t elements = 0, bytes = 0;
  assert_ok(fanin_tensor_size(&t, &elements, &bytes));
  t.buffer = test_guarded(f, t.offset, (size_t)bytes);
  assert_ok(fanin_fill(f, queue, &t, &init, KEY, 0, NULL, NULL));
  if (queue) assert_int_equal(clFinish(queue), CL_SUCCESS);
  test_assert_guarded(f, t.buffer, t.offset, (size_t)bytes);
  unsigned char *const content = test_content(f, t.buffer, size);
  fanin_tensor_free(&t);
  return content;
}

static void test_layouts(void **state) {
  fanin *const f = *state;
  for (size_t k = 0; k < LEN(cases); k++) {
    const fanin_init init = init_of(&cases[k]);
    oracle_assert_fill(f, NULL, tensor_of(&cases[k], FANIN_DTYPE_F32), &init, KEY);
  }
}

/* A slab's elements one by one, in the part's memory and in the whole's. */
static void assert_slab_of(const unsigned char *part, const unsigned char *whole, const fanin_tensor *t) {
  const size_t size = fanin_dtype_size(t->dtype);
  uint64_t elements = 0, bytes = 0;
  assert_ok(fanin_tensor_size(t, &elements, &bytes));
  for (uint64_t e = 0; e < elements; e++) {
    uint64_t rest = e, index = 0, memory = 0, stride = 1;
    for (int d = t->rank - 1; d >= 0; d--) {
      const uint64_t inside = rest % t->extent[d];
      index += (t->start[d] + inside) * stride;
      memory += inside * t->strides[d];
      stride *= t->shape[d];
      rest /= t->extent[d];
    }
    assert_memory_equal(part + t->offset + memory * size, whole + t->offset + index * size, size);
  }
}

static void test_parts_have_the_bits_of_the_whole(void **state) {
  fanin *const f = *state;
  uint64_t random = 5;
  for (size_t k = 0; k < LEN(cases); k++) {
    const fanin_tensor t = tensor_of(&cases[k], k % 2 ? FANIN_DTYPE_BF16 : FANIN_DTYPE_F32);
    const size_t element = fanin_dtype_size(t.dtype);
    uint64_t elements = 0, bytes = 0;
    size_t size = 0;
    assert_ok(fanin_tensor_size(&t, &elements, &bytes));
    unsigned char *const whole = filled(f, NULL, t, init_of(&cases[k]), &size);
    for (int n = 0; n < 3; n++) {
      const uint64_t first = test_random_below(&random, elements + 1);
      const uint64_t count = test_random_below(&random, elements - first + 1);
      unsigned char *const range = filled(f, NULL, test_tensor_range(t, first, count), init_of(&cases[k]), &size);
      assert_memory_equal(range + t.offset, whole + t.offset + first * element, count * element);
      free(range);
      uint64_t start[FANIN_MAX_RANK], extent[FANIN_MAX_RANK], strides[FANIN_MAX_RANK], step = 1;
      for (int d = 0; d < t.rank; d++) {
        start[d] = test_random_below(&random, t.shape[d] + 1);
        extent[d] = test_random_below(&random, t.shape[d] - start[d] + 1);
        strides[d] = step; /* the first dimension innermost, and gaps */
        step = step * (extent[d] > 0 ? extent[d] : 1) + test_random_below(&random, 3);
      }
      const fanin_tensor part = test_tensor_strided(test_tensor_slab(t, start, extent), strides);
      unsigned char *const slab = filled(f, NULL, part, init_of(&cases[k]), &size);
      assert_slab_of(slab, whole, &part);
      free(slab);
    }
    free(whole);
  }
}

/* One matrix of a stack that nobody has the memory for. */
static void test_part_of_a_huge_stack(void **state) {
  fanin *const f = *state;
  const uint64_t shape[] = {1 << 30, 30, 20}, start[] = {987654321, 0, 0}, extent[] = {1, 30, 20};
  const fanin_tensor huge = test_tensor_of(NULL, 0, FANIN_DTYPE_F32, "BOI", 3, shape);
  size_t size = 0;
  unsigned char *const content = filled(f, NULL, test_tensor_slab(huge, start, extent), fanin_orthogonal(1), &size);
  float q[600];
  memcpy(q, content, sizeof q);
  free(content);
  for (int a = 0; a < 20; a++) {
    double sum = -1;
    for (int j = 0; j < 30; j++)
      sum += (double)q[j * 20 + a] * (double)q[j * 20 + a];
    assert_true(fabs(sum) < 1e-6);
  }
}

/* ---- The same again ---------------------------------------------------------------------------------------------- */

static void test_repetitions_have_the_same_bits(void **state) {
  fanin *const f = *state;
  const cl_command_queue queue = test_out_of_order(f);
  for (size_t k = 0; k < LEN(cases); k += 3) {
    const fanin_tensor t = tensor_of(&cases[k], FANIN_DTYPE_F32);
    size_t size = 0, again = 0;
    unsigned char *const once = filled(f, NULL, t, init_of(&cases[k]), &size);
    unsigned char *const twice = filled(f, queue, t, init_of(&cases[k]), &again);
    assert_int_equal(size, again);
    assert_memory_equal(once, twice, size);
    free(once);
    free(twice);
  }
  assert_int_equal(clReleaseCommandQueue(queue), CL_SUCCESS);
}

/* Waits for its list, and its event comes last: a copy that waits for it sees the matrix, which waited for a user. */
static void test_events(void **state) {
  fanin *const f = *state;
  const cl_command_queue queue = test_out_of_order(f);
  const uint64_t shape[] = {20, 30};
  const fanin_init init = fanin_orthogonal(1);
  fanin_tensor t;
  float q[600], wanted[600];
  assert_ok(fanin_tensor_alloc(f, FANIN_DTYPE_F32, "OI", 2, shape, &t));
  assert_ok(fanin_fill(f, NULL, &t, &init, KEY, 0, NULL, NULL));
  assert_ok(fanin_read(f, NULL, &t, wanted, sizeof wanted, 1, 0, NULL, NULL));
  const cl_float none = 0;
  assert_int_equal(clEnqueueFillBuffer(queue, t.buffer, &none, sizeof none, 0, sizeof q, 0, NULL, NULL), CL_SUCCESS);
  assert_int_equal(clFinish(queue), CL_SUCCESS);
  cl_int code = CL_SUCCESS;
  const cl_event gate = clCreateUserEvent(test_context(f), &code);
  assert_int_equal(code, CL_SUCCESS);
  cl_event done = NULL, read = NULL;
  assert_ok(fanin_fill(f, queue, &t, &init, KEY, 1, &gate, &done));
  assert_ok(fanin_read(f, queue, &t, q, sizeof q, 0, 1, &done, &read));
  assert_int_equal(clFlush(queue), CL_SUCCESS);
  cl_int state_of = CL_COMPLETE;
  assert_int_equal(clGetEventInfo(done, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof state_of, &state_of, NULL),
                   CL_SUCCESS);
  assert_true(state_of > CL_COMPLETE);
  assert_int_equal(clSetUserEventStatus(gate, CL_COMPLETE), CL_SUCCESS);
  assert_int_equal(clWaitForEvents(1, &read), CL_SUCCESS);
  assert_memory_equal(q, wanted, sizeof q);
  clReleaseEvent(gate);
  clReleaseEvent(done);
  clReleaseEvent(read);
  fanin_tensor_free(&t);
  assert_int_equal(clReleaseCommandQueue(queue), CL_SUCCESS);
}

/* A plan of orthogonal tensors among others, some in the plan's memory and some in the caller's. */
static void test_plans(void **state) {
  fanin *const f = *state;
  const size_t chosen[] = {1, 8, 15, LARGE, 26, LEN(cases) - 1};
  fanin_item items[2 * LEN(chosen)];
  for (size_t k = 0; k < LEN(chosen); k++) {
    fanin_tensor t = tensor_of(&cases[chosen[k]], k == 1 ? FANIN_DTYPE_F16 : FANIN_DTYPE_F32);
    t.offset = 0;
    items[2 * k] = (fanin_item){t, init_of(&cases[chosen[k]]), k, {0}};
    items[2 * k + 1] = (fanin_item){t, fanin_normal(0, 1), k, {0}};
  }
  uint64_t elements = 0, bytes = 0;
  assert_ok(fanin_tensor_size(&items[0].tensor, &elements, &bytes));
  items[0].tensor.offset = 40;
  items[0].tensor.buffer = test_guarded(f, 40, (size_t)bytes);
  fanin_plan *plan = NULL;
  assert_ok(fanin_plan_create(f, items, LEN(items), &plan));
  for (uint64_t seed = 1; seed <= 2; seed++) {
    assert_ok(fanin_plan_enqueue(plan, NULL, seed, 0, NULL, NULL));
    for (size_t k = 0; k < LEN(items); k++) {
      fanin_tensor planned, alone = items[k].tensor;
      uint64_t n = 0;
      assert_ok(fanin_plan_tensor(plan, k, &planned));
      assert_ok(fanin_tensor_size(&planned, &n, &bytes));
      if (bytes == 0) continue;
      alone.offset = 0;
      alone.buffer = test_guarded(f, 0, (size_t)bytes);
      assert_ok(fanin_fill(f, NULL, &alone, &items[k].init, (fanin_key){seed, items[k].stream}, 0, NULL, NULL));
      unsigned char *const a = malloc((size_t)bytes), *const b = malloc((size_t)bytes);
      assert_true(a && b);
      assert_ok(fanin_read(f, NULL, &planned, a, (size_t)bytes, 1, 0, NULL, NULL));
      assert_ok(fanin_read(f, NULL, &alone, b, (size_t)bytes, 1, 0, NULL, NULL));
      assert_memory_equal(a, b, (size_t)bytes);
      free(a);
      free(b);
      fanin_tensor_free(&alone);
    }
  }
  test_assert_guarded(f, items[0].tensor.buffer, 40, 4 * (size_t)elements);
  assert_int_equal(test_plan_facts(plan).launches, 5 + 2); /* normals and zeros in f32, normals in f16 */
  fanin_plan_release(plan);
  fanin_tensor_free(&items[0].tensor);
}

static void test_warmup(void **state) {
  fanin *const f = *state;
  for (size_t k = 0; k < LEN(cases); k += LARGE - 1) {
    const fanin_tensor t = tensor_of(&cases[k], FANIN_DTYPE_F32);
    const fanin_init init = init_of(&cases[k]);
    assert_ok(fanin_warmup(f, &t, &init));
  }
}

static void test_refusals(void **state) {
  fanin *const f = *state;
  const uint64_t shape[] = {4, 4}, large[] = {UINT64_C(1) << 31, (UINT64_C(1) << 31) - 1};
  const cl_mem buffer = test_guarded(f, 0, 64);
  fanin_init init = fanin_orthogonal(1);
  fanin_tensor t = test_tensor_of(buffer, 0, FANIN_DTYPE_F32, "", 2, shape);
  assert_status(fanin_fill(f, NULL, &t, &init, KEY, 0, NULL, NULL), FANIN_STATUS_BAD_LAYOUT);
  assert_non_null(strstr(fanin_last_error(), "orthogonal needs a layout with O and I"));
  t = test_tensor_of(buffer, 0, FANIN_DTYPE_F16, "OI", 2, shape);
  init.gain = -1;
  assert_status(fanin_fill(f, NULL, &t, &init, KEY, 0, NULL, NULL), FANIN_STATUS_BAD_ARGUMENT);
  assert_non_null(strstr(fanin_last_error(), "gain is -1"));
  init.gain = 1e5;
  assert_status(fanin_fill(f, NULL, &t, &init, KEY, 0, NULL, NULL), FANIN_STATUS_BAD_ARGUMENT);
  assert_non_null(strstr(fanin_last_error(), "100000 does not fit dtype f16"));
  init.gain = 1;
  t = test_tensor_range(test_tensor_of(buffer, 0, FANIN_DTYPE_F32, "OI", 2, large), 5, 2);
  assert_status(fanin_fill(f, NULL, &t, &init, KEY, 0, NULL, NULL), FANIN_STATUS_UNSUPPORTED);
  assert_non_null(strstr(fanin_last_error(), "2147483648 by 2147483647"));
  t = test_tensor_of(buffer, 0, FANIN_DTYPE_F32, "IO", 2, shape);
  t.groups = t.splits = 2;
  assert_status(fanin_fill(f, NULL, &t, &init, KEY, 0, NULL, NULL), FANIN_STATUS_BAD_SHAPE);
  const fanin_init delta = fanin_delta_orthogonal(1);
  t = test_tensor_of(buffer, 0, FANIN_DTYPE_F32, "OI", 2, shape);
  assert_status(fanin_fill(f, NULL, &t, &delta, KEY, 0, NULL, NULL), FANIN_STATUS_BAD_LAYOUT);
  assert_non_null(strstr(fanin_last_error(), "taps"));
  t = test_tensor_of(buffer, 0, FANIN_DTYPE_F32, "OIW", 3, (const uint64_t[]){1, 2, 2});
  assert_status(fanin_fill(f, NULL, &t, &delta, KEY, 0, NULL, NULL), FANIN_STATUS_BAD_SHAPE);
  assert_non_null(strstr(fanin_last_error(), "fan_in is 4 and fan_out is 2"));
  test_assert_guarded(f, buffer, 0, 0);
  assert_int_equal(clReleaseMemObject(buffer), CL_SUCCESS);
}

/* What Xiao et al. 2018 want it for: a convolution, here 100 of them one after another on a ring of 7 places, that
 * keeps every image's length, through the dense sum that defines it. */
static void test_deep_convolutions_keep_lengths(void **state) {
  fanin *const f = *state;
  enum { DEPTH = 100, CHANNELS = 8, TAPS = 3, PLACES = 7, ELEMENTS = CHANNELS * CHANNELS * TAPS };
  const uint64_t shape[] = {CHANNELS, CHANNELS, TAPS};
  double x[CHANNELS][PLACES], before = 0, after = 0;
  uint64_t random = 3;
  for (int c = 0; c < CHANNELS; c++) {
    for (int p = 0; p < PLACES; p++) {
      x[c][p] = (double)test_random_below(&random, 2001) / 1000 - 1;
      before += x[c][p] * x[c][p];
    }
  }
  const fanin_init init = fanin_delta_orthogonal(1);
  fanin_tensor t;
  assert_ok(fanin_tensor_alloc(f, FANIN_DTYPE_F32, "OIW", 3, shape, &t));
  for (int l = 0; l < DEPTH; l++) {
    float w[ELEMENTS];
    double y[CHANNELS][PLACES] = {{0}};
    assert_ok(fanin_fill(f, NULL, &t, &init, (fanin_key){9, (uint64_t)l}, 0, NULL, NULL));
    assert_ok(fanin_read(f, NULL, &t, w, sizeof w, 1, 0, NULL, NULL));
    for (int e = 0; e < ELEMENTS * PLACES; e++) {
      const int p = e % PLACES, k = e / PLACES, o = k / TAPS / CHANNELS, i = k / TAPS % CHANNELS;
      y[o][p] += (double)w[k] * x[i][(p + k % TAPS + PLACES - TAPS / 2) % PLACES];
    }
    memcpy(x, y, sizeof x);
  }
  fanin_tensor_free(&t);
  for (int c = 0; c < CHANNELS; c++) {
    for (int p = 0; p < PLACES; p++) {
      after += x[c][p] * x[c][p];
    }
  }
  assert_true(fabs(after / before - 1) < 1e-5);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_layouts),
      cmocka_unit_test(test_parts_have_the_bits_of_the_whole),
      cmocka_unit_test(test_refusals),
      cmocka_unit_test(test_part_of_a_huge_stack),
      cmocka_unit_test(test_repetitions_have_the_same_bits),
      cmocka_unit_test(test_events),
      cmocka_unit_test(test_plans),
      cmocka_unit_test(test_warmup),
      cmocka_unit_test(test_deep_convolutions_keep_lengths),
  };
  return cmocka_run_group_tests(tests, test_group_open, test_group_close);
}
