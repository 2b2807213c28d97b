/* Devices: the list, what is refused, which have f64. */
#include "core/context.h"
#include "support/support_answers.h"

#include <string.h>

static fanin_device_info devices[2]; /* "basic" and "pthread" */

static int list_devices(void **state) {
  (void)state;
  return test_two_devices(devices);
}

static int has_half(cl_device_id device) {
  char extensions[8192] = "";
  assert_int_equal(clGetDeviceInfo(device, CL_DEVICE_EXTENSIONS, sizeof extensions, extensions, NULL), CL_SUCCESS);
  return strstr(extensions, "cl_khr_fp16") != NULL;
}

static void test_list(void **state) {
  (void)state;
  size_t count = 99;
  assert_ok(fanin_devices(NULL, 0, 0, &count));
  assert_int_equal(count, 2);
  fanin_device_info one[2] = {{.compute_units = 12345}, {.compute_units = 12345}};
  assert_ok(fanin_devices(one, 1, sizeof *one, &count));
  assert_int_equal(count, 2);
  assert_int_equal(one[1].compute_units, 12345); /* past the capacity */
  assert_memory_equal(&one[0].device, &devices[0].device, sizeof one[0].device);

  for (size_t k = 0; k < 2; k++) {
    const fanin_device_info *const d = &devices[k];
    assert_true(d->usable && d->has_f64);
    assert_int_equal(d->has_f16, has_half(d->device)); /* by the processor and PoCL's release */
    assert_string_equal(d->reason, "");
    assert_true(d->type & CL_DEVICE_TYPE_CPU);
    assert_string_equal(d->platform_name, "Portable Computing Language");
    assert_true(strncmp(d->version, "OpenCL ", 7) == 0);
    assert_true(d->driver[0] != '\0' && d->memory_bytes > 0 && d->max_alloc_bytes > 0);
    assert_in_range(d->native_float_width, 1, 64);
  }
  assert_string_equal(devices[0].name, "basic");
  assert_string_equal(devices[1].name, "pthread");
}

static void test_no_platform_is_no_device(void **state) {
  (void)state;
  test_fail_platforms(-1001);
  size_t count = 99;
  assert_ok(fanin_devices(NULL, 0, 0, &count));
  assert_int_equal(count, 0);
  fanin *f = NULL;
  assert_status(fanin_open(NULL, &f), FANIN_STATUS_NO_DEVICE);
  assert_non_null(strstr(fanin_last_error(), "there is no OpenCL device; driver "));
  test_fail_platforms(CL_OUT_OF_HOST_MEMORY);
  assert_status(fanin_devices(NULL, 0, 0, &count), (fanin_status)CL_OUT_OF_HOST_MEMORY);
}

static void test_broken_device_is_listed(void **state) {
  (void)state;
  test_replace_code(CL_DEVICE_GLOBAL_MEM_SIZE, CL_OUT_OF_RESOURCES);
  fanin_device_info list[2];
  size_t count = 0;
  assert_ok(fanin_devices(list, 2, sizeof *list, &count));
  assert_int_equal(count, 2);
  assert_int_equal(list[0].usable, 0);
  assert_string_equal(list[0].reason, "clGetDeviceInfo: CL_OUT_OF_RESOURCES (-5)");
}

static void test_long_names_are_cut(void **state) {
  (void)state;
  char name[1000];
  memset(name, 'n', sizeof name);
  name[sizeof name - 1] = '\0';
  test_replace_text(CL_DEVICE_NAME, name);
  fanin_device_info list[1];
  size_t count = 0;
  assert_ok(fanin_devices(list, 1, sizeof *list, &count));
  assert_int_equal(strlen(list[0].name), sizeof list[0].name - 1);
}

static void assert_refused(const char *reason) {
  fanin_device_info list[2];
  size_t count = 0;
  assert_ok(fanin_devices(list, 2, sizeof *list, &count));
  assert_int_equal(list[0].usable, 0);
  if (!strstr(list[0].reason, reason)) fail_msg("\"%s\" lacks \"%s\"", list[0].reason, reason);
  fanin *f = NULL;
  assert_status(fanin_open("cpu", &f), FANIN_STATUS_UNSUPPORTED);
  if (!strstr(fanin_last_error(), reason)) fail_msg("\"%s\" lacks \"%s\"", fanin_last_error(), reason);
  assert_null(f);
  test_forget_answers();
}

static void test_refusals(void **state) {
  (void)state;
  test_replace_number(NULL, CL_DEVICE_AVAILABLE, sizeof(cl_bool), CL_FALSE);
  assert_refused("not available");
  test_replace_number(NULL, CL_DEVICE_COMPILER_AVAILABLE, sizeof(cl_bool), CL_FALSE);
  assert_refused("no OpenCL C compiler");
  test_replace_number(NULL, CL_DEVICE_ENDIAN_LITTLE, sizeof(cl_bool), CL_FALSE);
  assert_refused("big-endian");
  test_replace_number(NULL, CL_DEVICE_SINGLE_FP_CONFIG, sizeof(cl_device_fp_config),
                      CL_FP_ROUND_TO_ZERO | CL_FP_INF_NAN | CL_FP_FMA);
  assert_refused("round single precision to nearest");
  test_replace_text(CL_DEVICE_OPENCL_C_VERSION, "OpenCL C 1.1 old");
  assert_refused("older than OpenCL C 1.2");
  test_replace_text(CL_DEVICE_PROFILE, "EMBEDDED_PROFILE");
  test_replace_text(CL_DEVICE_EXTENSIONS, "cl_khr_fp64 xcles_khr_int64 cles_khr_int64x");
  assert_refused("64-bit integers");
}

static void test_accepted(void **state) {
  (void)state;
  fanin_device_info list[1];
  size_t count = 0;
  test_replace_text(CL_DEVICE_PROFILE, "EMBEDDED_PROFILE");
  test_replace_text(CL_DEVICE_EXTENSIONS, "cl_khr_fp16x cles_khr_int64 cl_khr_fp16");
  test_replace_text(CL_DEVICE_OPENCL_C_VERSION, "OpenCL C 3.0 ");
  test_replace_number(NULL, CL_DEVICE_SINGLE_FP_CONFIG, sizeof(cl_device_fp_config), CL_FP_ROUND_TO_NEAREST);
  assert_ok(fanin_devices(list, 1, sizeof *list, &count));
  assert_int_equal(list[0].usable, 1);
  assert_int_equal(list[0].has_f16, 1);
}

static void test_f64_needs_fma_and_nearest(void **state) {
  (void)state;
  static const struct {
    cl_ulong config;
    cl_int code;
    int has_f64;
  } cases[] = {
      {0, CL_SUCCESS, 0},
      {0, CL_INVALID_VALUE, 0},
      {CL_FP_FMA, CL_SUCCESS, 0},
      {CL_FP_ROUND_TO_NEAREST | CL_FP_INF_NAN, CL_SUCCESS, 0},
      {CL_FP_ROUND_TO_NEAREST | CL_FP_FMA, CL_SUCCESS, 1},
  };
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    if (cases[k].code != CL_SUCCESS) test_replace_code(CL_DEVICE_DOUBLE_FP_CONFIG, cases[k].code);
    test_replace_number(NULL, CL_DEVICE_DOUBLE_FP_CONFIG, sizeof(cl_device_fp_config), cases[k].config);
    fanin_device_info list[1];
    size_t count = 0;
    assert_ok(fanin_devices(list, 1, sizeof *list, &count));
    assert_int_equal(list[0].usable, 1);
    assert_int_equal(list[0].has_f64, cases[k].has_f64);
    fanin *const f = test_open();
    assert_int_equal(f->has_f64, cases[k].has_f64);
    test_close(f);
    test_forget_answers();
  }
}

#define TEST(name) cmocka_unit_test_teardown(name, test_restore_answers)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_list),
      TEST(test_no_platform_is_no_device),
      TEST(test_broken_device_is_listed),
      TEST(test_long_names_are_cut),
      TEST(test_refusals),
      TEST(test_accepted),
      TEST(test_f64_needs_fma_and_nearest),
  };
  return cmocka_run_group_tests(tests, list_devices, NULL);
}
