/* fanin_fill_shards(): one tensor over two devices, in one context and in two, has the bits that one device gives. */
#include "support/support_shards.h"
#include "tensor/view.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define NUMBERS(...)                                                                                                   \
  (const uint64_t[]) {                                                                                                 \
    __VA_ARGS__                                                                                                        \
  }

/* ---- One tensor -------------------------------------------------------------------------------------------------- */

enum { MOST_SHARDS = 5 };

/* The elements of a dense part, from all elements of the whole. */
static void gather(const fanin_tensor *t, const unsigned char *whole, unsigned char *out) {
  const size_t size = fanin_dtype_size(t->dtype);
  fanin__view v;
  assert_ok(fanin__view_of(t, &v));
  for (uint64_t row = 0; v.elements > 0 && row < v.rows; row++) {
    uint64_t index = v.first_index, rest = row;
    for (int d = 0; d < v.row_rank; d++) {
      index += rest % v.row_extent[d] * v.row_index_stride[d];
      rest /= v.row_extent[d];
    }
    memcpy(out, whole + index * size, v.row_length * size);
    out += v.row_length * size;
  }
}

/* The whole tensor as one device fills it. */
static unsigned char *fill_alone(fanin *f, const fanin_tensor *t, const fanin_init *init, fanin_key key) {
  fanin_tensor whole;
  uint64_t elements = 0, bytes = 0;
  assert_ok(fanin_tensor_alloc(f, t->dtype, t->layout, t->rank, t->shape, &whole));
  whole.groups = t->groups;
  whole.splits = t->splits;
  assert_ok(fanin_tensor_size(&whole, &elements, &bytes));
  unsigned char *const out = malloc((size_t)bytes);
  assert_non_null(out);
  assert_ok(fanin_fill(f, NULL, &whole, init, key, 0, NULL, NULL));
  assert_ok(fanin_read(f, NULL, &whole, out, (size_t)bytes, 1, 0, NULL, NULL));
  fanin_tensor_free(&whole);
  return out;
}

/* Waits for a shard, and compares what it holds, and that nothing beside it was written. */
static void assert_shard(const fanin_shard *s, const unsigned char *whole) {
  uint64_t elements = 0, bytes = 0;
  assert_ok(fanin_tensor_size(&s->tensor, &elements, &bytes));
  unsigned char *const got = malloc((size_t)bytes + 1), *const expected = malloc((size_t)bytes + 1);
  assert_non_null(got);
  assert_non_null(expected);
  assert_ok(fanin_read(s->f, NULL, &s->tensor, got, (size_t)bytes, 1, 1, s->event, NULL));
  gather(&s->tensor, whole, expected);
  assert_memory_equal(got, expected, (size_t)bytes);
  test_assert_guarded(s->f, s->tensor.buffer, SHARD_OFFSET, (size_t)bytes);
  free(got);
  free(expected);
}

/* Cuts t along `dimension`, or as ranges if that is -1, deals the shards to the devices in turn, and compares. */
static void assert_cut(fanin *const *devices, const fanin_tensor *t, const fanin_init *init, int dimension, size_t n,
                       const unsigned char *whole, fanin_key key) {
  fanin_shard shards[MOST_SHARDS];
  cl_event events[MOST_SHARDS] = {NULL};
  for (size_t k = 0; k < n; k++) {
    shards[k] = (fanin_shard){.f = devices[k % SHARD_DEVICES], .event = &events[k]};
    assert_ok(dimension < 0 ? fanin_tensor_split_range(t, k, n, &shards[k].tensor)
                            : fanin_tensor_split(t, dimension, k, n, &shards[k].tensor));
  }
  shards_allocate(shards, n);
  assert_ok(fanin_fill_shards(shards, n, init, key));
  for (size_t k = n; k-- > 0;) {
    assert_shard(&shards[k], whole);
    assert_int_equal(clReleaseEvent(events[k]), CL_SUCCESS);
    fanin_tensor_free(&shards[k].tensor);
  }
}

static void assert_every_cut(const fanin_tensor *t, const fanin_init *init, size_t n) {
  static uint64_t seed = 3;
  const fanin_key key = {seed++, 99};
  unsigned char *const whole = fill_alone(shard_devices[SHARDS_ALONE][0], t, init, key);
  for (int s = 0; s < SHARD_SETUPS; s++) {
    for (int d = -1; d < t->rank; d++) {
      assert_cut(shard_devices[s], t, init, d, n, whole, key);
    }
  }
  free(whole);
}

/* ---- The same bits ----------------------------------------------------------------------------------------------- */

static void test_every_initializer(void **state) {
  (void)state;
  const fanin_tensor matrix = test_tensor_of(NULL, 0, FANIN_DTYPE_F32, "OI", 2, NUMBERS(70, 41));
  const fanin_tensor filter = test_tensor_of(NULL, 0, FANIN_DTYPE_F32, "OIHW", 4, NUMBERS(14, 7, 3, 5));
  const fanin_tensor even = test_tensor_of(NULL, 0, FANIN_DTYPE_F32, NULL, 2, NUMBERS(41, 70));
  for (int kind = 0; kind < FANIN_KIND_COUNT; kind++) {
    fanin_init init = {.kind = (fanin_kind)kind,
                       .value = 0.25,
                       .lo = kind == FANIN_KIND_LOG_UNIFORM ? 0.5 : -1,
                       .hi = 2,
                       .std = 0.5,
                       .gain = 1.5,
                       .scale = 2,
                       .sparsity = 0.3};
    const bool cut = kind == FANIN_KIND_TRUNC_NORMAL;
    init.a = cut ? -1 : 0;
    init.b = cut ? 3 : 0;
    init.distribution = kind == FANIN_KIND_VARIANCE_SCALING ? FANIN_DISTRIBUTION_UNIFORM : FANIN_DISTRIBUTION_NORMAL;
    const bool taps = kind == FANIN_KIND_DIRAC || kind == FANIN_KIND_DELTA_ORTHOGONAL || kind == FANIN_KIND_BILINEAR;
    assert_every_cut(kind == FANIN_KIND_SINUSOIDAL ? &even : taps ? &filter : &matrix, &init, 3);
  }
}

static void test_every_dtype(void **state) {
  (void)state;
  const fanin_init normal = fanin_normal(0, 1);
  for (int dtype = 0; dtype < FANIN_DTYPE_COUNT; dtype++) {
    const fanin_tensor t = test_tensor_of(NULL, 0, (fanin_dtype)dtype, NULL, 3, NUMBERS(7, 33, 19));
    assert_every_cut(&t, &normal, 2);
  }
}

/* Grouped and stacked; and more shards than there is to share. */
static void test_layouts(void **state) {
  (void)state;
  const fanin_init he = fanin_he_normal(0, FANIN_MODE_FAN_OUT), orthogonal = fanin_orthogonal(2),
                   dirac = fanin_dirac(1);
  fanin_tensor grouped = test_tensor_of(NULL, 0, FANIN_DTYPE_F32, "OIHW", 4, NUMBERS(12, 3, 3, 3));
  grouped.groups = 4;
  fanin_tensor fused = test_tensor_of(NULL, 0, FANIN_DTYPE_F32, "IO", 2, NUMBERS(20, 60));
  fused.splits = 3;
  const fanin_tensor stack = test_tensor_of(NULL, 0, FANIN_DTYPE_F64, "BOI", 3, NUMBERS(3, 9, 11));
  assert_every_cut(&grouped, &he, 5);
  assert_every_cut(&grouped, &dirac, 5);
  assert_every_cut(&fused, &he, 4);
  assert_every_cut(&fused, &orthogonal, 4);
  assert_every_cut(&stack, &orthogonal, 5);
}

/* A matrix of several strips and chunks, on both devices. */
static void test_large_orthogonal(void **state) {
  (void)state;
  const fanin_init orthogonal = fanin_orthogonal(1);
  const fanin_key key = {8, 9};
  const fanin_tensor t = test_tensor_of(NULL, 0, FANIN_DTYPE_F32, "OI", 2, NUMBERS(96, 80));
  unsigned char *const whole = fill_alone(shard_devices[SHARDS_ALONE][0], &t, &orthogonal, key);
  for (int s = 0; s < SHARD_SETUPS; s++) {
    assert_cut(shard_devices[s], &t, &orthogonal, 0, 2, whole, key);
  }
  free(whole);
}

/* Any parts: the whole on one device, a strided slab in another dtype on the other, and gaps. */
static void test_any_parts(void **state) {
  (void)state;
  const fanin_init normal = fanin_normal(0, 1);
  const fanin_key key = {1, 2};
  const fanin_tensor t = test_tensor_of(NULL, 0, FANIN_DTYPE_F32, "OI", 2, NUMBERS(23, 17));
  fanin_tensor half = test_tensor_slab(t, NUMBERS(3, 2), NUMBERS(6, 9));
  half.dtype = FANIN_DTYPE_BF16;
  cl_event events[SHARD_DEVICES] = {NULL};
  fanin_shard shards[] = {{.f = shard_devices[SHARDS_ALONE][0], .tensor = t, .event = &events[0]},
                          {.f = shard_devices[SHARDS_ALONE][1], .tensor = half, .event = &events[1]}};
  unsigned char *const whole = fill_alone(shard_devices[SHARDS_ALONE][0], &t, &normal, key);
  unsigned char *const halves = fill_alone(shard_devices[SHARDS_ALONE][0], &half, &normal, key);
  shards_allocate(shards, 2);
  assert_ok(fanin_fill_shards(shards, 2, &normal, key));
  assert_shard(&shards[0], whole);
  assert_shard(&shards[1], halves);
  for (int k = 0; k < SHARD_DEVICES; k++) {
    assert_int_equal(clReleaseEvent(events[k]), CL_SUCCESS);
    fanin_tensor_free(&shards[k].tensor);
  }
  free(whole);
  free(halves);
}

/* ---- Order ------------------------------------------------------------------------------------------------------- */

static cl_int status_of(cl_event event) {
  cl_int status = CL_QUEUED;
  assert_int_equal(clGetEventInfo(event, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof status, &status, NULL), CL_SUCCESS);
  return status;
}

/* Each shard waits for its own list: the first is done while the second still waits. (PoCL 3.1
 * hangs where a user event releases "basic", the first device.) */
static void test_wait_lists(void **state) {
  (void)state;
  const fanin_init normal = fanin_normal(0, 1);
  const fanin_key key = {5, 6};
  const fanin_tensor t = test_tensor_of(NULL, 0, FANIN_DTYPE_F32, NULL, 1, NUMBERS(1000));
  cl_int code = CL_SUCCESS;
  const cl_event gate = clCreateUserEvent(test_context(shard_devices[SHARDS_ALONE][1]), &code);
  assert_int_equal(code, CL_SUCCESS);
  cl_event events[SHARD_DEVICES] = {NULL};
  fanin_shard shards[SHARD_DEVICES] = {{.f = shard_devices[SHARDS_ALONE][0]},
                                       {.f = shard_devices[SHARDS_ALONE][1], .n_wait = 1, .wait_list = &gate}};
  for (uint64_t k = 0; k < SHARD_DEVICES; k++) {
    shards[k].event = &events[k];
    assert_ok(fanin_tensor_split_range(&t, k, SHARD_DEVICES, &shards[k].tensor));
  }
  shards_allocate(shards, SHARD_DEVICES);
  assert_ok(fanin_fill_shards(shards, SHARD_DEVICES, &normal, key));
  assert_int_equal(clWaitForEvents(1, &events[0]), CL_SUCCESS);
  assert_true(status_of(events[1]) > CL_RUNNING); /* queued or submitted */
  assert_int_equal(clSetUserEventStatus(gate, CL_COMPLETE), CL_SUCCESS);
  unsigned char *const whole = fill_alone(shard_devices[SHARDS_ALONE][0], &t, &normal, key);
  for (int k = 0; k < SHARD_DEVICES; k++) {
    assert_shard(&shards[k], whole);
    assert_int_equal(clReleaseEvent(events[k]), CL_SUCCESS);
    fanin_tensor_free(&shards[k].tensor);
  }
  free(whole);
  assert_int_equal(clReleaseEvent(gate), CL_SUCCESS);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_initializer), cmocka_unit_test(test_every_dtype), cmocka_unit_test(test_layouts),
      cmocka_unit_test(test_large_orthogonal),  cmocka_unit_test(test_any_parts),   cmocka_unit_test(test_wait_lists),
  };
  return cmocka_run_group_tests(tests, shards_open, shards_close);
}
