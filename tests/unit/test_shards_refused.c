/* fanin_fill_shards(): what one device refuses leaves nothing enqueued on any; and what is said when a driver fails
 * after others have work. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* RTLD_NEXT */ // NOLINT(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)
#endif
#include "core/context.h"
#include "support/support_shards.h"

#include <dlfcn.h>
#include <string.h>

#include "oracle/image.h"

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
  char name[64] = "";
  (void)clGetKernelInfo(kernel, CL_KERNEL_FUNCTION_NAME, sizeof name, name, NULL);
  const bool fills = strcmp(name, "check") != 0; /* the device's arithmetic is looked at before, once */
  if (fills && ++launches == failing_launch) return CL_OUT_OF_RESOURCES;
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

/* ---- Refusals ---------------------------------------------------------------------------------------------------- */

typedef struct scene {
  fanin_shard shards[SHARD_DEVICES];
  cl_event events[SHARD_DEVICES];
} scene;

/* Halves of a (16, 8) matrix, all of them good. */
static scene halves(int setup) {
  const fanin_tensor t = test_tensor_of(NULL, 0, FANIN_DTYPE_F32, "OI", 2, NUMBERS(16, 8));
  scene s = {.events = {NULL, NULL}};
  for (uint64_t k = 0; k < SHARD_DEVICES; k++) {
    s.shards[k] = (fanin_shard){.f = shard_devices[setup][k]};
    assert_ok(fanin_tensor_split(&t, 0, k, SHARD_DEVICES, &s.shards[k].tensor));
  }
  shards_allocate(s.shards, SHARD_DEVICES);
  return s;
}

/* Refused by this status and sentence, on account of the second shard, with nothing enqueued and nothing written. The
 * buffers are those of `good`. */
static void assert_refused(const scene *good, scene *bad, const fanin_init *init, fanin_status expected,
                           const char *sentence) {
  for (int k = 0; k < SHARD_DEVICES; k++) {
    bad->shards[k].event = &bad->events[k];
  }
  launches = 0;
  assert_status(fanin_fill_shards(bad->shards, SHARD_DEVICES, init, (fanin_key){1, 2}), expected);
  if (!strstr(fanin_last_error(), sentence)) fail_msg("\"%s\" lacks \"%s\"", fanin_last_error(), sentence);
  assert_int_equal(launches, 0);
  for (int k = 0; k < SHARD_DEVICES; k++) {
    assert_null(bad->events[k]);
    test_assert_guarded(good->shards[k].f, good->shards[k].tensor.buffer, 0, 0);
  }
}

static void free_scene(scene *s) {
  for (int k = 0; k < SHARD_DEVICES; k++) {
    fanin_tensor_free(&s->shards[k].tensor);
  }
}

static void test_bad_tensors(void **state) {
  (void)state;
  const fanin_init normal = fanin_normal(0, 1);
  scene good = halves(SHARDS_ALONE), bad = good;
  fanin_tensor *const t = &bad.shards[1].tensor;
  t->shape[1] = 9;
  assert_refused(&good, &bad, &normal, FANIN_STATUS_BAD_SHAPE, "shards[1]: shape[1] = 9; shards[0] has 8");
  *t = good.shards[1].tensor;
  memcpy(t->layout, "IO", 2);
  assert_refused(&good, &bad, &normal, FANIN_STATUS_BAD_LAYOUT, "shards[1]: layout is \"IO\"; shards[0] has \"OI\"");
  *t = good.shards[1].tensor;
  t->groups = 2;
  assert_refused(&good, &bad, &normal, FANIN_STATUS_BAD_SHAPE, "shards[1]: groups = 2; shards[0] has 0");
  *t = good.shards[1].tensor;
  t->splits = 2;
  assert_refused(&good, &bad, &normal, FANIN_STATUS_BAD_SHAPE, "shards[1]: splits = 2; shards[0] has 0");
  *t = test_tensor_of(t->buffer, SHARD_OFFSET, FANIN_DTYPE_F32, "O", 1, NUMBERS(16));
  assert_refused(&good, &bad, &normal, FANIN_STATUS_BAD_SHAPE, "shards[1]: rank is 1; shards[0] has 2");
  *t = good.shards[1].tensor;
  t->offset = 4096;
  assert_refused(&good, &bad, &normal, FANIN_STATUS_BAD_SIZE, "shards[1]: offset = 4096");
  *t = good.shards[1].tensor;
  t->buffer = good.shards[0].tensor.buffer;
  assert_refused(&good, &bad, &normal, FANIN_STATUS_BAD_ARGUMENT, "shards[1]: buffer belongs to another context");
  *t = good.shards[1].tensor;
  shard_devices[SHARDS_ALONE][1]->has_f64 = false;
  t->dtype = FANIN_DTYPE_F64;
  t->extent[0] = 1;
  assert_refused(&good, &bad, &normal, FANIN_STATUS_UNSUPPORTED, "shards[1]: dtype f64");
  shard_devices[SHARDS_ALONE][1]->has_f64 = true;
  free_scene(&good);
}

static void test_bad_queues_and_events(void **state) {
  (void)state;
  const fanin_init normal = fanin_normal(0, 1), bad_init = fanin_normal(0, -1);
  scene good = halves(SHARDS_ALONE), bad = good;
  bad.shards[1].f = NULL;
  assert_refused(&good, &bad, &normal, FANIN_STATUS_BAD_ARGUMENT, "shards[1]: f is NULL");
  bad = good;
  bad.shards[1].queue = test_queue(shard_devices[SHARDS_ALONE][0]);
  assert_refused(&good, &bad, &normal, FANIN_STATUS_BAD_ARGUMENT, "shards[1]: queue belongs to another context");
  cl_int code = CL_SUCCESS;
  const cl_event gate = clCreateUserEvent(test_context(shard_devices[SHARDS_ALONE][0]), &code);
  assert_int_equal(code, CL_SUCCESS);
  bad = good;
  bad.shards[1].n_wait = 1;
  bad.shards[1].wait_list = &gate;
  assert_refused(&good, &bad, &normal, FANIN_STATUS_BAD_ARGUMENT, "shards[1]: wait_list[0] belongs to another context");
  assert_int_equal(clReleaseEvent(gate), CL_SUCCESS);
  bad = good;
  assert_refused(&good, &bad, &bad_init, FANIN_STATUS_BAD_ARGUMENT, "shards[0]: normal: std is -1");
  free_scene(&good);

  good = halves(SHARDS_TOGETHER);
  bad = good;
  bad.shards[1].queue = test_queue(shard_devices[SHARDS_TOGETHER][0]);
  assert_refused(&good, &bad, &normal, FANIN_STATUS_BAD_ARGUMENT, "shards[1]: queue belongs to another device");
  free_scene(&good);

  assert_status(fanin_fill_shards(NULL, 2, &normal, (fanin_key){1, 2}), FANIN_STATUS_BAD_ARGUMENT);
  assert_string_equal(fanin_last_error(), "shards is NULL; pass an array of n shards");
  assert_ok(fanin_fill_shards(NULL, 0, &normal, (fanin_key){1, 2}));
}

/* The last device's compiler fails: no device has been given work. */
static void test_build_failure(void **state) {
  (void)state;
  const fanin_init uniform = fanin_uniform(0, 1);
  scene good = halves(SHARDS_ALONE), bad = good;
  bad.shards[0].tensor.dtype = bad.shards[1].tensor.dtype = FANIN_DTYPE_F16; /* no other test has built it */
  failing_build = test_device(shard_devices[SHARDS_ALONE][1]);
  assert_refused(&good, &bad, &uniform, (fanin_status)CL_BUILD_PROGRAM_FAILURE, "shards[1]: ");
  failing_build = NULL;
  free_scene(&good);
}

/* A driver that refuses the second launch: the first shard is filled, and the sentence says so. */
static void test_launch_failure(void **state) {
  (void)state;
  const fanin_init normal = fanin_normal(0, 1);
  const fanin_key key = {1, 2};
  scene s = halves(SHARDS_ALONE);
  for (int k = 0; k < SHARD_DEVICES; k++) {
    s.shards[k].event = &s.events[k];
  }
  launches = 0;
  failing_launch = 2;
  assert_status(fanin_fill_shards(s.shards, SHARD_DEVICES, &normal, key), (fanin_status)CL_OUT_OF_RESOURCES);
  failing_launch = 0;
  assert_non_null(strstr(fanin_last_error(), "shards[1], those before it being enqueued: clEnqueueNDRangeKernel"));
  assert_non_null(s.events[0]);
  assert_null(s.events[1]);
  assert_int_equal(clWaitForEvents(1, &s.events[0]), CL_SUCCESS);
  oracle_assert_content(s.shards[0].f, s.shards[0].tensor.buffer, &s.shards[0].tensor, &normal, key);
  test_assert_guarded(s.shards[1].f, s.shards[1].tensor.buffer, 0, 0);
  assert_int_equal(clReleaseEvent(s.events[0]), CL_SUCCESS);
  free_scene(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_bad_tensors),
      cmocka_unit_test(test_bad_queues_and_events),
      cmocka_unit_test(test_build_failure),
      cmocka_unit_test(test_launch_failure),
  };
  return cmocka_run_group_tests(tests, shards_open, shards_close);
}
