/* The life of a fanin: what it retains, its lanes, its queue. */
#include "core/context.h"
#include "core/queue.h"
#include "support/support_answers.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static fanin_device_info devices[2]; /* "basic" and "pthread" */

static int list_devices(void **state) {
  (void)state;
  return test_two_devices(devices);
}

static cl_context make_context(cl_device_id device) {
  cl_int code = CL_SUCCESS;
  const cl_context context = clCreateContext(NULL, 1, &device, NULL, NULL, &code);
  assert_int_equal(code, CL_SUCCESS);
  return context;
}

static cl_uint references(cl_context context) {
  cl_uint count = 0;
  assert_int_equal(clGetContextInfo(context, CL_CONTEXT_REFERENCE_COUNT, sizeof count, &count, NULL), CL_SUCCESS);
  return count;
}

static void test_create_retains_and_release_releases(void **state) {
  (void)state;
  const cl_context context = make_context(devices[1].device);
  const cl_uint before = references(context);
  fanin *f = NULL;
  assert_ok(fanin_create(context, devices[1].device, &f));
  assert_true(references(context) > before);
  assert_true(test_context(f) == context);
  assert_true(test_device(f) == devices[1].device);
  assert_non_null(test_queue(f));
  fanin_release(f);
  assert_int_equal(references(context), before);
  assert_int_equal(clReleaseContext(context), CL_SUCCESS);
  fanin_release(NULL);
}

static void test_create_on_a_sub_device(void **state) {
  (void)state;
  const cl_device_partition_property by_one[] = {CL_DEVICE_PARTITION_EQUALLY, 1, 0};
  cl_device_id parts[256];
  cl_uint n = 0;
  assert_int_equal(clCreateSubDevices(devices[1].device, by_one, 256, parts, &n), CL_SUCCESS);
  const cl_context context = make_context(parts[0]);
  cl_uint before = 0, during = 0, after = 0;
  assert_int_equal(clGetDeviceInfo(parts[0], CL_DEVICE_REFERENCE_COUNT, sizeof before, &before, NULL), CL_SUCCESS);
  fanin *f = NULL;
  assert_ok(fanin_create(context, parts[0], &f));
  assert_int_equal(clGetDeviceInfo(parts[0], CL_DEVICE_REFERENCE_COUNT, sizeof during, &during, NULL), CL_SUCCESS);
  fanin_release(f);
  assert_int_equal(clGetDeviceInfo(parts[0], CL_DEVICE_REFERENCE_COUNT, sizeof after, &after, NULL), CL_SUCCESS);
  assert_int_equal(during, before + 1);
  assert_int_equal(after, before);
  assert_int_equal(clReleaseContext(context), CL_SUCCESS);
  for (cl_uint k = 0; k < n; k++) {
    assert_int_equal(clReleaseDevice(parts[k]), CL_SUCCESS);
  }
}

static void test_create_refuses(void **state) {
  (void)state;
  const cl_context context = make_context(devices[0].device);
  const cl_uint before = references(context);
  fanin *f = NULL;
  assert_status(fanin_create(context, devices[1].device, &f), FANIN_STATUS_BAD_ARGUMENT);
  assert_string_equal(fanin_last_error(), "device is not one of context's devices");
  assert_status(fanin_create(NULL, devices[0].device, &f), FANIN_STATUS_BAD_ARGUMENT);
  assert_string_equal(fanin_last_error(), "context is NULL; pass an OpenCL context");
  assert_status(fanin_create(context, NULL, &f), FANIN_STATUS_BAD_ARGUMENT);
  assert_string_equal(fanin_last_error(), "device is NULL; pass an OpenCL device of the context");
  test_replace_number(NULL, CL_DEVICE_ENDIAN_LITTLE, sizeof(cl_bool), CL_FALSE);
  assert_status(fanin_create(context, devices[0].device, &f), FANIN_STATUS_UNSUPPORTED);
  test_forget_answers();
  test_replace_code(CL_DEVICE_MAX_WORK_GROUP_SIZE, CL_OUT_OF_RESOURCES);
  assert_status(fanin_create(context, devices[0].device, &f), (fanin_status)CL_OUT_OF_RESOURCES);
  assert_null(f);
  assert_int_equal(references(context), before);
  assert_int_equal(clReleaseContext(context), CL_SUCCESS);
}

/* Of a queue, its context and device; of nothing, a sentence. */
static void test_create_for_queue(void **state) {
  (void)state;
  const cl_context context = make_context(devices[0].device);
  cl_int code = CL_SUCCESS;
  const cl_command_queue queue = clCreateCommandQueue(context, devices[0].device, 0, &code);
  assert_int_equal(code, CL_SUCCESS);
  fanin *f = NULL;
  assert_ok(fanin_create_for_queue(queue, &f));
  assert_true(test_context(f) == context && test_device(f) == devices[0].device && test_queue(f) != queue);
  fanin_release(f);
  assert_int_equal(clReleaseCommandQueue(queue), CL_SUCCESS);
  assert_int_equal(references(context), 1);
  assert_int_equal(clReleaseContext(context), CL_SUCCESS);
}

/* ---- Lanes ------------------------------------------------------------------------------------------------------- */

static size_t lanes_of(cl_device_type type, cl_ulong width) {
  test_forget_answers();
  test_replace_number(NULL, CL_DEVICE_TYPE, sizeof type, type);
  test_replace_number(NULL, CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT, sizeof(cl_uint), width);
  fanin *const f = test_open();
  const size_t lanes = f->lanes;
  test_close(f);
  return lanes;
}

static void test_lanes_follow_the_device(void **state) {
  (void)state;
  static const unsigned cpu[][2] = {{0, 4}, {1, 1}, {2, 4}, {4, 4}, {8, 8}, {16, 16}, {32, 16}, {64, 16}};
  for (size_t k = 0; k < sizeof cpu / sizeof *cpu; k++) {
    assert_int_equal(lanes_of(CL_DEVICE_TYPE_CPU, cpu[k][0]), cpu[k][1]);
  }
  assert_int_equal(lanes_of(CL_DEVICE_TYPE_GPU, 4), 1);
  assert_int_equal(lanes_of(CL_DEVICE_TYPE_ACCELERATOR, 16), 1);
}

static void test_lanes_from_the_environment(void **state) {
  (void)state;
  static const unsigned accepted[] = {1, 4, 8, 16};
  static const char *const refused[] = {"2", "0", "32", "8x", " 8", "08", "lots"};
  for (size_t k = 0; k < sizeof accepted / sizeof *accepted; k++) {
    char text[8];
    snprintf(text, sizeof text, "%u", accepted[k]);
    assert_int_equal(setenv("FANIN_LANES", text, 1), 0);
    assert_int_equal(lanes_of(CL_DEVICE_TYPE_GPU, 1), accepted[k]);
  }
  for (size_t k = 0; k < sizeof refused / sizeof *refused; k++) {
    assert_int_equal(setenv("FANIN_LANES", refused[k], 1), 0);
    fanin *f = NULL;
    assert_status(fanin_open(NULL, &f), FANIN_STATUS_BAD_ARGUMENT);
    assert_null(f);
    assert_non_null(strstr(fanin_last_error(), refused[k]));
    assert_non_null(strstr(fanin_last_error(), "accepted are 1 4 8 16"));
  }
  assert_int_equal(setenv("FANIN_LANES", "", 1), 0);
  assert_int_equal(lanes_of(CL_DEVICE_TYPE_CPU, 8), 8);
}

/* ---- Queues ------------------------------------------------------------------------------------------------------ */

static void *ask_for_queue(void *f) {
  return test_queue(f);
}

static void test_queue_is_made_once_and_in_order(void **state) {
  (void)state;
  fanin *const f = test_open();
  pthread_t threads[8];
  void *queues[8] = {NULL};
  for (int k = 0; k < 8; k++) {
    assert_int_equal(pthread_create(&threads[k], NULL, ask_for_queue, f), 0);
  }
  for (int k = 0; k < 8; k++) {
    assert_int_equal(pthread_join(threads[k], &queues[k]), 0);
  }
  for (int k = 0; k < 8; k++) {
    assert_non_null(queues[k]);
    assert_ptr_equal(queues[k], test_queue(f));
  }
  cl_command_queue_properties properties = CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE;
  assert_int_equal(clGetCommandQueueInfo(test_queue(f), CL_QUEUE_PROPERTIES, sizeof properties, &properties, NULL),
                   CL_SUCCESS);
  assert_false(properties & CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE);
  test_close(f);
}

static void test_callers_queue_is_checked(void **state) {
  (void)state;
  const cl_device_id both[] = {devices[0].device, devices[1].device};
  cl_int code = CL_SUCCESS;
  const cl_context context = clCreateContext(NULL, 2, both, NULL, NULL, &code);
  assert_int_equal(code, CL_SUCCESS);
  const cl_command_queue own = clCreateCommandQueue(context, both[0], 0, &code);
  assert_int_equal(code, CL_SUCCESS);
  const cl_command_queue other_device = clCreateCommandQueue(context, both[1], 0, &code);
  assert_int_equal(code, CL_SUCCESS);
  fanin *f = NULL;
  assert_ok(fanin_create(context, both[0], &f));
  fanin *const other = test_open();

  cl_command_queue resolved = NULL;
  assert_status(fanin__resolve_queue(f, other_device, &resolved), FANIN_STATUS_BAD_ARGUMENT);
  assert_string_equal(fanin_last_error(), "queue belongs to another device than f");
  assert_status(fanin__resolve_queue(f, test_queue(other), &resolved), FANIN_STATUS_BAD_ARGUMENT);
  assert_string_equal(fanin_last_error(), "queue belongs to another context than f");
  assert_null(resolved);
  assert_ok(fanin__resolve_queue(f, own, &resolved));
  assert_ptr_equal(resolved, own);
  assert_ok(fanin__resolve_queue(f, NULL, &resolved));
  assert_ptr_equal(resolved, test_queue(f));

  test_close(other);
  test_close(f);
  assert_int_equal(clReleaseCommandQueue(own), CL_SUCCESS);
  assert_int_equal(clReleaseCommandQueue(other_device), CL_SUCCESS);
  assert_int_equal(clReleaseContext(context), CL_SUCCESS);
}

#define TEST(name) cmocka_unit_test_teardown(name, test_restore_answers)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_create_retains_and_release_releases),
      TEST(test_create_on_a_sub_device),
      TEST(test_create_refuses),
      TEST(test_create_for_queue),
      TEST(test_lanes_follow_the_device),
      TEST(test_lanes_from_the_environment),
      TEST(test_queue_is_made_once_and_in_order),
      TEST(test_callers_queue_is_checked),
  };
  return cmocka_run_group_tests(tests, list_devices, NULL);
}
