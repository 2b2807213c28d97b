/* fanin_fill_shards(): one tensor over two devices, in one context and in two, has the bits that one device gives; and
 * what is refused on one device leaves nothing enqueued on any. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* RTLD_NEXT */ // NOLINT(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)
#endif
#include "support_answers.h"

#include <dlfcn.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define LEN(x) (sizeof(x) / sizeof *(x))
#define NUMBERS(...)                                                                                                   \
  (const uint64_t[]) {                                                                                                 \
    __VA_ARGS__                                                                                                        \
  }

/* ---- Calls that are counted, and made to fail -------------------------------------------------------------------- */

static int launches, failing_launch; /* counts from 1; 0: none fails */
static cl_device_id failing_build;   /* whose programs do not build */

cl_int CL_API_CALL clEnqueueNDRangeKernel(cl_command_queue command_queue, cl_kernel kernel, cl_uint work_dim,
                                          const size_t *global_work_offset, const size_t *global_work_size,
                                          const size_t *local_work_size, cl_uint num_events_in_wait_list,
                                          const cl_event *event_wait_list, cl_event *event) {
  cl_int(CL_API_CALL * real)(cl_command_queue, cl_kernel, cl_uint, const size_t *, const size_t *, const size_t *,
                             cl_uint, const cl_event *, cl_event *) = NULL;
  if (++launches == failing_launch) return CL_OUT_OF_RESOURCES;
  *(void **)&real = dlsym(RTLD_NEXT, "clEnqueueNDRangeKernel");
  return real(command_queue, kernel, work_dim, global_work_offset, global_work_size, local_work_size,
              num_events_in_wait_list, event_wait_list, event);
}

cl_int CL_API_CALL clBuildProgram(cl_program program, cl_uint num_devices, const cl_device_id *device_list,
                                  const char *options, void(CL_CALLBACK *pfn_notify)(cl_program, void *),
                                  void *user_data) {
  cl_int(CL_API_CALL * real)(cl_program, cl_uint, const cl_device_id *, const char *,
                             void(CL_CALLBACK *)(cl_program, void *), void *) = NULL;
  if (failing_build && device_list[0] == failing_build) return CL_BUILD_PROGRAM_FAILURE;
  *(void **)&real = dlsym(RTLD_NEXT, "clBuildProgram");
  return real(program, num_devices, device_list, options, pfn_notify, user_data);
}

/* ---- Two devices --------------------------------------------------------------------------------------------------
 */

enum { ALONE, TOGETHER, SETUPS, DEVICES = 2 };

static fanin *opened[SETUPS][DEVICES]; /* in contexts of their own; in one context */

static int open_all(void **state) {
  (void)state;
  fanin_device_info devices[DEVICES];
  cl_int code = CL_SUCCESS;
  if (test_two_devices(devices) != 0) return -1;
  const cl_device_id both[] = {devices[0].device, devices[1].device};
  const cl_context shared = clCreateContext(NULL, DEVICES, both, NULL, NULL, &code);
  assert_int_equal(code, CL_SUCCESS);
  for (int d = 0; d < DEVICES; d++) {
    const cl_context own = clCreateContext(NULL, 1, &both[d], NULL, NULL, &code);
    assert_int_equal(code, CL_SUCCESS);
    assert_ok(fanin_create(own, both[d], &opened[ALONE][d]));
    assert_ok(fanin_create(shared, both[d], &opened[TOGETHER][d]));
    assert_int_equal(clReleaseContext(own), CL_SUCCESS);
  }
  return clReleaseContext(shared);
}

static int close_all(void **state) {
  (void)state;
  for (int s = 0; s < SETUPS; s++) {
    for (int d = 0; d < DEVICES; d++) {
      test_close(opened[s][d]);
    }
  }
  return 0;
}

/* ---- One tensor ---------------------------------------------------------------------------------------------------
 */

enum { MOST_SHARDS = 5, OFFSET = 40 };

/* A buffer between guards for what each shard holds, behind OFFSET bytes. */
static void allocate(fanin_shard *shards, size_t n) {
  for (size_t k = 0; k < n; k++) {
    uint64_t elements = 0, bytes = 0;
    assert_ok(fanin_tensor_size(&shards[k].tensor, &elements, &bytes));
    shards[k].tensor.offset = OFFSET;
    shards[k].tensor.buffer = test_guarded(shards[k].f, OFFSET, (size_t)bytes);
  }
}

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

/* Equal in bits; an orthogonal matrix, whose last bits are the device's, to what docs/orthogonal.md promises. */
static void assert_alike(const fanin_tensor *t, const fanin_init *init, const void *got, const void *expected,
                         size_t bytes) {
  if (init->kind != FANIN_ORTHOGONAL && init->kind != FANIN_DELTA_ORTHOGONAL) {
    assert_memory_equal(got, expected, bytes);
    return;
  }
  for (size_t k = 0; k < bytes / fanin_dtype_size(t->dtype); k++) {
    const double difference = t->dtype == FANIN_F64
                                  ? ((const double *)got)[k] - ((const double *)expected)[k]
                                  : (double)((const float *)got)[k] - (double)((const float *)expected)[k];
    assert_true(fabs(difference) <= (t->dtype == FANIN_F64 ? 1e-13 : 1e-5) * init->gain);
  }
}

/* Waits for a shard, and compares what it holds, and that nothing beside it was written. */
static void assert_shard(const fanin_shard *s, const fanin_init *init, const unsigned char *whole) {
  uint64_t elements = 0, bytes = 0;
  assert_ok(fanin_tensor_size(&s->tensor, &elements, &bytes));
  unsigned char *const got = malloc((size_t)bytes + 1), *const expected = malloc((size_t)bytes + 1);
  assert_non_null(got);
  assert_non_null(expected);
  assert_ok(fanin_read(s->f, NULL, &s->tensor, got, (size_t)bytes, 1, 1, s->event, NULL));
  gather(&s->tensor, whole, expected);
  assert_alike(&s->tensor, init, got, expected, (size_t)bytes);
  test_assert_guarded(s->f, s->tensor.buffer, OFFSET, (size_t)bytes);
  free(got);
  free(expected);
}

/* Cuts t along `dimension`, or as ranges if that is -1, deals the shards to the devices in turn, and compares. */
static void assert_cut(fanin *const *devices, const fanin_tensor *t, const fanin_init *init, int dimension, size_t n,
                       const unsigned char *whole, fanin_key key) {
  fanin_shard shards[MOST_SHARDS];
  cl_event events[MOST_SHARDS] = {NULL};
  for (size_t k = 0; k < n; k++) {
    shards[k] = (fanin_shard){.f = devices[k % DEVICES], .event = &events[k]};
    assert_ok(dimension < 0 ? fanin_tensor_split_range(t, k, n, &shards[k].tensor)
                            : fanin_tensor_split(t, dimension, k, n, &shards[k].tensor));
  }
  allocate(shards, n);
  assert_ok(fanin_fill_shards(shards, n, init, key));
  for (size_t k = n; k-- > 0;) {
    assert_shard(&shards[k], init, whole);
    assert_int_equal(clReleaseEvent(events[k]), CL_SUCCESS);
    fanin_tensor_free(&shards[k].tensor);
  }
}

static void assert_every_cut(const fanin_tensor *t, const fanin_init *init, size_t n) {
  static uint64_t seed = 3;
  const fanin_key key = {seed++, 99};
  unsigned char *const whole = fill_alone(opened[ALONE][0], t, init, key);
  for (int s = 0; s < SETUPS; s++) {
    for (int d = -1; d < t->rank; d++) {
      assert_cut(opened[s], t, init, d, n, whole, key);
    }
  }
  free(whole);
}

/* ---- The same bits ------------------------------------------------------------------------------------------------
 */

static void test_every_initialiser(void **state) {
  (void)state;
  const fanin_tensor matrix = fanin_tensor_of(NULL, 0, FANIN_F32, "OI", 2, NUMBERS(70, 41));
  const fanin_tensor filter = fanin_tensor_of(NULL, 0, FANIN_F32, "OIHW", 4, NUMBERS(14, 7, 3, 5));
  for (int kind = 0; kind < FANIN_KIND_COUNT; kind++) {
    fanin_init init = {.kind = (fanin_kind)kind, .value = 0.25, .lo = -1, .hi = 2, .std = 0.5, .gain = 1.5, .scale = 2};
    const bool cut = kind == FANIN_TRUNC_NORMAL;
    init.a = cut ? -1 : 0;
    init.b = cut ? 3 : 0;
    init.distribution = kind == FANIN_VARIANCE_SCALING ? FANIN_DIST_UNIFORM : FANIN_DIST_NORMAL;
    const bool taps = kind == FANIN_DIRAC || kind == FANIN_DELTA_ORTHOGONAL;
    assert_every_cut(taps ? &filter : &matrix, &init, 3);
  }
}

static void test_every_dtype(void **state) {
  (void)state;
  const fanin_init normal = fanin_normal(0, 1);
  for (int dtype = 0; dtype < FANIN_DTYPE_COUNT; dtype++) {
    const fanin_tensor t = fanin_tensor_of(NULL, 0, (fanin_dtype)dtype, NULL, 3, NUMBERS(7, 33, 19));
    assert_every_cut(&t, &normal, 2);
  }
}

/* Grouped and stacked; and more shards than there is to share. */
static void test_layouts(void **state) {
  (void)state;
  const fanin_init he = fanin_he_normal(0, FANIN_FAN_OUT), orthogonal = fanin_orthogonal(2), dirac = fanin_dirac(1);
  fanin_tensor grouped = fanin_tensor_of(NULL, 0, FANIN_F32, "OIHW", 4, NUMBERS(12, 3, 3, 3));
  grouped.groups = 4;
  fanin_tensor fused = fanin_tensor_of(NULL, 0, FANIN_F32, "IO", 2, NUMBERS(20, 60));
  fused.splits = 3;
  const fanin_tensor stack = fanin_tensor_of(NULL, 0, FANIN_F64, "BOI", 3, NUMBERS(3, 9, 11));
  assert_every_cut(&grouped, &he, 5);
  assert_every_cut(&grouped, &dirac, 5);
  assert_every_cut(&fused, &he, 4);
  assert_every_cut(&fused, &orthogonal, 4);
  assert_every_cut(&stack, &orthogonal, 5);
}

/* A matrix that CLBlast makes, on both devices. */
static void test_large_orthogonal(void **state) {
  (void)state;
  const fanin_init orthogonal = fanin_orthogonal(1);
  const fanin_key key = {8, 9};
  const fanin_tensor t = fanin_tensor_of(NULL, 0, FANIN_F32, "OI", 2, NUMBERS(96, 80));
  fanin_tensor probe = t;
  if (fanin_warmup(opened[ALONE][0], &probe, &orthogonal) == FANIN_UNSUPPORTED) skip(); /* no CLBlast */
  unsigned char *const whole = fill_alone(opened[ALONE][0], &t, &orthogonal, key);
  for (int s = 0; s < SETUPS; s++) {
    assert_cut(opened[s], &t, &orthogonal, 0, 2, whole, key);
  }
  free(whole);
}

/* Any parts: the whole on one device, a strided slab in another dtype on the other, and gaps. */
static void test_any_parts(void **state) {
  (void)state;
  const fanin_init normal = fanin_normal(0, 1);
  const fanin_key key = {1, 2};
  const fanin_tensor t = fanin_tensor_of(NULL, 0, FANIN_F32, "OI", 2, NUMBERS(23, 17));
  fanin_tensor half = fanin_tensor_slab(t, NUMBERS(3, 2), NUMBERS(6, 9));
  half.dtype = FANIN_BF16;
  cl_event events[DEVICES] = {NULL};
  fanin_shard shards[] = {{.f = opened[ALONE][0], .tensor = t, .event = &events[0]},
                          {.f = opened[ALONE][1], .tensor = half, .event = &events[1]}};
  unsigned char *const whole = fill_alone(opened[ALONE][0], &t, &normal, key);
  unsigned char *const halves = fill_alone(opened[ALONE][0], &half, &normal, key);
  allocate(shards, 2);
  assert_ok(fanin_fill_shards(shards, 2, &normal, key));
  assert_shard(&shards[0], &normal, whole);
  assert_shard(&shards[1], &normal, halves);
  for (int k = 0; k < DEVICES; k++) {
    assert_int_equal(clReleaseEvent(events[k]), CL_SUCCESS);
    fanin_tensor_free(&shards[k].tensor);
  }
  free(whole);
  free(halves);
}

/* ---- Order --------------------------------------------------------------------------------------------------------
 */

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
  const fanin_tensor t = fanin_tensor_of(NULL, 0, FANIN_F32, NULL, 1, NUMBERS(1000));
  cl_int code = CL_SUCCESS;
  const cl_event gate = clCreateUserEvent(fanin_context(opened[ALONE][1]), &code);
  assert_int_equal(code, CL_SUCCESS);
  cl_event events[DEVICES] = {NULL};
  fanin_shard shards[DEVICES] = {{.f = opened[ALONE][0]}, {.f = opened[ALONE][1], .n_wait = 1, .wait_list = &gate}};
  for (uint64_t k = 0; k < DEVICES; k++) {
    shards[k].event = &events[k];
    assert_ok(fanin_tensor_split_range(&t, k, DEVICES, &shards[k].tensor));
  }
  allocate(shards, DEVICES);
  assert_ok(fanin_fill_shards(shards, DEVICES, &normal, key));
  assert_int_equal(clWaitForEvents(1, &events[0]), CL_SUCCESS);
  assert_true(status_of(events[1]) > CL_RUNNING); /* queued or submitted */
  assert_int_equal(clSetUserEventStatus(gate, CL_COMPLETE), CL_SUCCESS);
  unsigned char *const whole = fill_alone(opened[ALONE][0], &t, &normal, key);
  for (int k = 0; k < DEVICES; k++) {
    assert_shard(&shards[k], &normal, whole);
    assert_int_equal(clReleaseEvent(events[k]), CL_SUCCESS);
    fanin_tensor_free(&shards[k].tensor);
  }
  free(whole);
  assert_int_equal(clReleaseEvent(gate), CL_SUCCESS);
}

/* ---- Refusals -----------------------------------------------------------------------------------------------------
 */

typedef struct scene {
  fanin_shard shards[DEVICES];
  cl_event events[DEVICES];
} scene;

/* Halves of a (16, 8) matrix, all of them good. */
static scene halves(int setup) {
  const fanin_tensor t = fanin_tensor_of(NULL, 0, FANIN_F32, "OI", 2, NUMBERS(16, 8));
  scene s = {.events = {NULL, NULL}};
  for (uint64_t k = 0; k < DEVICES; k++) {
    s.shards[k] = (fanin_shard){.f = opened[setup][k]};
    assert_ok(fanin_tensor_split(&t, 0, k, DEVICES, &s.shards[k].tensor));
  }
  allocate(s.shards, DEVICES);
  return s;
}

/* Refused by this status and sentence, on account of the second shard, with nothing enqueued and nothing written. The
 * buffers are those of `good`. */
static void assert_refused(const scene *good, scene *bad, const fanin_init *init, fanin_status expected,
                           const char *sentence) {
  for (int k = 0; k < DEVICES; k++) {
    bad->shards[k].event = &bad->events[k];
  }
  launches = 0;
  assert_status(fanin_fill_shards(bad->shards, DEVICES, init, (fanin_key){1, 2}), expected);
  if (!strstr(fanin_last_error(), sentence)) fail_msg("\"%s\" lacks \"%s\"", fanin_last_error(), sentence);
  assert_int_equal(launches, 0);
  for (int k = 0; k < DEVICES; k++) {
    assert_null(bad->events[k]);
    test_assert_guarded(good->shards[k].f, good->shards[k].tensor.buffer, 0, 0);
  }
}

static void free_scene(scene *s) {
  for (int k = 0; k < DEVICES; k++) {
    fanin_tensor_free(&s->shards[k].tensor);
  }
}

static void test_bad_tensors(void **state) {
  (void)state;
  const fanin_init normal = fanin_normal(0, 1);
  scene good = halves(ALONE), bad = good;
  fanin_tensor *const t = &bad.shards[1].tensor;
  t->shape[1] = 9;
  assert_refused(&good, &bad, &normal, FANIN_BAD_SHAPE, "shards[1]: shape[1] = 9; shards[0] has 8");
  *t = good.shards[1].tensor;
  memcpy(t->layout, "IO", 2);
  assert_refused(&good, &bad, &normal, FANIN_BAD_LAYOUT, "shards[1]: layout is \"IO\"; shards[0] has \"OI\"");
  *t = good.shards[1].tensor;
  t->groups = 2;
  assert_refused(&good, &bad, &normal, FANIN_BAD_SHAPE, "shards[1]: groups = 2; shards[0] has 0");
  *t = good.shards[1].tensor;
  t->splits = 2;
  assert_refused(&good, &bad, &normal, FANIN_BAD_SHAPE, "shards[1]: splits = 2; shards[0] has 0");
  *t = fanin_tensor_of(t->buffer, OFFSET, FANIN_F32, "O", 1, NUMBERS(16));
  assert_refused(&good, &bad, &normal, FANIN_BAD_SHAPE, "shards[1]: rank is 1; shards[0] has 2");
  *t = good.shards[1].tensor;
  t->offset = 4096;
  assert_refused(&good, &bad, &normal, FANIN_BAD_SIZE, "shards[1]: offset = 4096");
  *t = good.shards[1].tensor;
  t->buffer = good.shards[0].tensor.buffer;
  assert_refused(&good, &bad, &normal, FANIN_BAD_ARGUMENT, "shards[1]: buffer belongs to another context");
  *t = good.shards[1].tensor;
  opened[ALONE][1]->has_f64 = false;
  t->dtype = FANIN_F64;
  t->extent[0] = 1;
  assert_refused(&good, &bad, &normal, FANIN_UNSUPPORTED, "shards[1]: dtype f64");
  opened[ALONE][1]->has_f64 = true;
  free_scene(&good);
}

static void test_bad_queues_and_events(void **state) {
  (void)state;
  const fanin_init normal = fanin_normal(0, 1), bad_init = fanin_normal(0, -1);
  scene good = halves(ALONE), bad = good;
  bad.shards[1].f = NULL;
  assert_refused(&good, &bad, &normal, FANIN_BAD_ARGUMENT, "shards[1]: f is NULL");
  bad = good;
  bad.shards[1].queue = fanin_queue(opened[ALONE][0]);
  assert_refused(&good, &bad, &normal, FANIN_BAD_ARGUMENT, "shards[1]: queue belongs to another context");
  cl_int code = CL_SUCCESS;
  const cl_event gate = clCreateUserEvent(fanin_context(opened[ALONE][0]), &code);
  assert_int_equal(code, CL_SUCCESS);
  bad = good;
  bad.shards[1].n_wait = 1;
  bad.shards[1].wait_list = &gate;
  assert_refused(&good, &bad, &normal, FANIN_BAD_ARGUMENT, "shards[1]: wait_list[0] belongs to another context");
  assert_int_equal(clReleaseEvent(gate), CL_SUCCESS);
  bad = good;
  assert_refused(&good, &bad, &bad_init, FANIN_BAD_ARGUMENT, "shards[0]: normal: std is -1");
  free_scene(&good);

  good = halves(TOGETHER);
  bad = good;
  bad.shards[1].queue = fanin_queue(opened[TOGETHER][0]);
  assert_refused(&good, &bad, &normal, FANIN_BAD_ARGUMENT, "shards[1]: queue belongs to another device");
  free_scene(&good);

  assert_status(fanin_fill_shards(NULL, 2, &normal, (fanin_key){1, 2}), FANIN_BAD_ARGUMENT);
  assert_string_equal(fanin_last_error(), "shards is NULL; it must hold 2 shards");
  assert_ok(fanin_fill_shards(NULL, 0, &normal, (fanin_key){1, 2}));
}

/* The last device's compiler fails: no device has been given work. */
static void test_build_failure(void **state) {
  (void)state;
  const fanin_init uniform = fanin_uniform(0, 1);
  scene good = halves(ALONE), bad = good;
  bad.shards[0].tensor.dtype = bad.shards[1].tensor.dtype = FANIN_F16; /* no other test has built it */
  failing_build = fanin_device(opened[ALONE][1]);
  assert_refused(&good, &bad, &uniform, (fanin_status)CL_BUILD_PROGRAM_FAILURE, "shards[1]: ");
  failing_build = NULL;
  free_scene(&good);
}

/* A driver that refuses the second launch: the first shard is filled, and the sentence says so. */
static void test_launch_failure(void **state) {
  (void)state;
  const fanin_init normal = fanin_normal(0, 1);
  const fanin_key key = {1, 2};
  scene s = halves(ALONE);
  unsigned char *const whole = fill_alone(opened[ALONE][0], &s.shards[0].tensor, &normal, key);
  for (int k = 0; k < DEVICES; k++) {
    s.shards[k].event = &s.events[k];
  }
  launches = 0;
  failing_launch = 2;
  assert_status(fanin_fill_shards(s.shards, DEVICES, &normal, key), (fanin_status)CL_OUT_OF_RESOURCES);
  failing_launch = 0;
  assert_non_null(strstr(fanin_last_error(), "shards[1], those before it being enqueued: clEnqueueNDRangeKernel"));
  assert_non_null(s.events[0]);
  assert_null(s.events[1]);
  assert_shard(&s.shards[0], &normal, whole);
  test_assert_guarded(s.shards[1].f, s.shards[1].tensor.buffer, 0, 0);
  assert_int_equal(clReleaseEvent(s.events[0]), CL_SUCCESS);
  free(whole);
  free_scene(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_initialiser), cmocka_unit_test(test_every_dtype),
      cmocka_unit_test(test_layouts),           cmocka_unit_test(test_large_orthogonal),
      cmocka_unit_test(test_any_parts),         cmocka_unit_test(test_wait_lists),
      cmocka_unit_test(test_bad_tensors),       cmocka_unit_test(test_bad_queues_and_events),
      cmocka_unit_test(test_build_failure),     cmocka_unit_test(test_launch_failure),
  };
  return cmocka_run_group_tests(tests, open_all, close_all);
}
