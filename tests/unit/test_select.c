/* Selectors: which device fanin_open() picks. */
#include "support/support_answers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static fanin_device_info devices[2]; /* "basic" and "pthread" */

static int list_devices(void **state) {
  (void)state;
  return test_two_devices(devices);
}

/* The index of the device that a selector opens, or -1 with the status kept. */
static int opened(const char *selector, fanin_status *status) {
  fanin *f = NULL;
  *status = fanin_open(selector, &f);
  if (*status != FANIN_STATUS_OK) return -1;
  const int index = test_device(f) == devices[1].device;
  assert_true(test_device(f) == devices[index].device);
  cl_uint n = 0;
  assert_int_equal(clGetContextInfo(test_context(f), CL_CONTEXT_NUM_DEVICES, sizeof n, &n, NULL), CL_SUCCESS);
  assert_int_equal(n, 1);
  fanin_release(f);
  return index;
}

static void assert_opens(const char *selector, int index) {
  fanin_status status = FANIN_STATUS_OK;
  const int got = opened(selector, &status);
  if (got != index) {
    fail_msg("selector \"%s\" opens %d, not %d: %s", selector ? selector : "(NULL)", got, index, fanin_last_error());
  }
}

static void assert_opens_none(const char *selector, fanin_status expected, const char *sentence) {
  fanin_status status = FANIN_STATUS_OK;
  assert_int_equal(opened(selector, &status), -1);
  assert_status(status, expected);
  if (!strstr(fanin_last_error(), sentence)) fail_msg("\"%s\" lacks \"%s\"", fanin_last_error(), sentence);
}

static void test_selectors(void **state) {
  (void)state;
  assert_opens("0", 0);
  assert_opens("1", 1);
  assert_opens("01", 1);
  assert_opens("basic", 0);
  assert_opens("PThread", 1);
  assert_opens_none("2", FANIN_STATUS_NO_DEVICE, "no device answers the selector \"2\"; by index, 0 is basic");
  assert_opens_none("99999999999999999999999999", FANIN_STATUS_NO_DEVICE, ", 1 is pthread");
  assert_opens_none("gpu", FANIN_STATUS_NO_DEVICE, "selector \"gpu\"");
  assert_opens_none("no such", FANIN_STATUS_NO_DEVICE, "(Portable Computing Language)");
  assert_opens_none("-1", FANIN_STATUS_NO_DEVICE, "selector \"-1\"");
}

/* What a device says of itself, as far as it counts for which is the best. */
typedef struct facts {
  cl_ulong type, shares_memory, width, units, f64, memory;
} facts;

static void describe_as(int d, const facts *f) {
  const struct {
    cl_device_info what;
    size_t size;
    cl_ulong number;
  } answers[] = {
      {CL_DEVICE_TYPE, sizeof(cl_device_type), f->type},
      {CL_DEVICE_HOST_UNIFIED_MEMORY, sizeof(cl_bool), f->shares_memory},
      {CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT, sizeof(cl_uint), f->width},
      {CL_DEVICE_MAX_COMPUTE_UNITS, sizeof(cl_uint), f->units},
      {CL_DEVICE_DOUBLE_FP_CONFIG, sizeof(cl_device_fp_config), f->f64 ? 63 : 0},
      {CL_DEVICE_GLOBAL_MEM_SIZE, sizeof(cl_ulong), f->memory},
  };
  for (size_t k = 0; k < sizeof answers / sizeof *answers; k++) {
    test_replace_number(devices[d].device, answers[k].what, answers[k].size, answers[k].number);
  }
}

static void assert_reason(const char *selector, const char *expected) {
  char reason[256] = "";
  size_t length = 0;
  assert_status(fanin_select_reason(selector, reason, sizeof reason, &length), FANIN_STATUS_OK);
  assert_string_equal(reason, expected);
  assert_int_equal(length, strlen(expected));
  length = 0;
  assert_status(fanin_select_reason(selector, NULL, 0, &length), FANIN_STATUS_OK);
  assert_int_equal(length, strlen(expected));
}

/* Each criterion decides against all that come after it, whichever device is listed first. */
static void test_best(void **state) {
  (void)state;
  enum { GPU = CL_DEVICE_TYPE_GPU, CPU = CL_DEVICE_TYPE_CPU, ACCELERATOR = CL_DEVICE_TYPE_ACCELERATOR };
  static const struct {
    facts better, worse;
    const char *reason; /* with %d for the worse device */
  } cases[] = {
      {{GPU, 1, 1, 1, 0, 100},
       {CPU, 0, 16, 64, 1, 900},
       "GPUs come before CPUs, and CPUs before others, and device %d is of a later type"},
      {{CPU, 1, 1, 1, 0, 100},
       {ACCELERATOR, 0, 16, 10000, 1, 900},
       "GPUs come before CPUs, and CPUs before others, and device %d is of a later type"},
      /* a card beside the processor's own GPU, whose units are smaller ones */
      {{GPU, 0, 1, 28, 0, 100}, {GPU, 1, 1, 96, 1, 900}, "it has memory of its own, and device %d shares the host's"},
      /* llvmpipe beside PoCL on two cores with AVX-512 */
      {{CPU, 1, 16, 2, 0, 100},
       {CPU, 1, 1, 8, 1, 900},
       "its 16 x 2 lanes (vector times compute units) are more than the 1 x 8 of device %d"},
      {{CPU, 1, 8, 5, 0, 100},
       {CPU, 1, 8, 4, 1, 900},
       "its 8 x 5 lanes (vector times compute units) are more than the 8 x 4 of device %d"},
      /* GPUs run one scalar item a lane, whatever they say of vectors */
      {{GPU, 0, 1, 25, 0, 100},
       {GPU, 0, 8, 24, 1, 900},
       "its 1 x 25 lanes (vector times compute units) are more than the 1 x 24 of device %d"},
      {{CPU, 1, 4, 4, 1, 100}, {CPU, 1, 8, 2, 0, 900}, "it has f64, and device %d does not"},
      {{CPU, 1, 8, 4, 1, 900}, {CPU, 1, 8, 4, 1, 100}, "it has more memory than device %d"},
  };
  static const char *const selectors[] = {"portable", NULL, ""};
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    for (int d = 0; d < 2; d++) {
      char reason[128];
      const char *const mark = strstr(cases[k].reason, "%d");
      assert_non_null(mark);
      snprintf(reason, sizeof reason, "%.*s%d%s", (int)(mark - cases[k].reason), cases[k].reason, !d, mark + 2);
      describe_as(d, &cases[k].better);
      describe_as(!d, &cases[k].worse);
      for (size_t s = 0; s < sizeof selectors / sizeof *selectors; s++) {
        assert_opens(selectors[s], d);
      }
      assert_reason("portable", reason);
      test_forget_answers();
    }
  }
  const facts equal = {CPU, 1, 4, 4, 1, 100};
  describe_as(0, &equal);
  describe_as(1, &equal);
  assert_opens("CPU", 0);
  assert_reason(NULL, "it comes before device 1, which is as good");
}

static void test_reason_without_a_rival(void **state) {
  (void)state;
  char text[8] = "";
  size_t length = 0;
  assert_reason("basic", "no other device answers the selector");
  assert_reason("1", "no other device answers the selector");
  assert_status(fanin_select_reason("basic", text, sizeof text, &length), FANIN_STATUS_BAD_SIZE);
  assert_string_equal(text, "no othe");
  assert_int_equal(length, strlen("no other device answers the selector"));
  assert_status(fanin_select_reason("nobody", text, sizeof text, &length), FANIN_STATUS_NO_DEVICE);
  test_replace_number(devices[1].device, CL_DEVICE_ENDIAN_LITTLE, sizeof(cl_bool), CL_FALSE);
  assert_reason(NULL, "device 1 cannot be used");
}

static void make_gpu(int d, cl_ulong units) {
  test_replace_number(devices[d].device, CL_DEVICE_TYPE, sizeof(cl_device_type), CL_DEVICE_TYPE_GPU);
  test_replace_number(devices[d].device, CL_DEVICE_MAX_COMPUTE_UNITS, sizeof(cl_uint), units);
}

static void test_gpu_before_cpu_before_others(void **state) {
  (void)state;
  for (int gpu = 0; gpu < 2; gpu++) {
    make_gpu(gpu, 1); /* fewer units than the CPU's */
    assert_opens(NULL, gpu);
    assert_opens("gpu", gpu);
    assert_opens("cpu", !gpu);
    test_forget_answers();
    test_replace_number(devices[gpu].device, CL_DEVICE_TYPE, sizeof(cl_device_type), CL_DEVICE_TYPE_ACCELERATOR);
    test_replace_number(devices[gpu].device, CL_DEVICE_MAX_COMPUTE_UNITS, sizeof(cl_uint), 10000);
    assert_opens(NULL, !gpu);
    test_forget_answers();
  }
}

static void test_usable_before_better(void **state) {
  (void)state;
  make_gpu(1, 1000);
  test_replace_number(devices[1].device, CL_DEVICE_ENDIAN_LITTLE, sizeof(cl_bool), CL_FALSE);
  assert_opens(NULL, 0);
  assert_opens("portable", 0);
  assert_opens_none("gpu", FANIN_STATUS_UNSUPPORTED, "device \"pthread");
  assert_opens_none("1", FANIN_STATUS_UNSUPPORTED, "big-endian");
}

static void test_environment(void **state) {
  (void)state;
  for (int d = 0; d < 2; d++) {
    assert_int_equal(setenv("FANIN_DEVICE", d ? "pthread" : "0", 1), 0);
    assert_opens(NULL, d);
    assert_opens("", d);
    assert_opens("basic", 0); /* an argument comes first */
  }
  assert_int_equal(setenv("FANIN_DEVICE", "nobody", 1), 0);
  assert_opens_none(NULL, FANIN_STATUS_NO_DEVICE, "the selector $FANIN_DEVICE \"nobody\"");
  assert_int_equal(setenv("FANIN_DEVICE", "", 1), 0);
  make_gpu(1, 1);
  assert_opens(NULL, 1);
}

static void assert_selects(const char *selector, size_t n, size_t first, size_t second) {
  size_t indices[2] = {9, 9}, count = 0;
  assert_status(fanin_select(selector, NULL, 0, &count), FANIN_STATUS_OK);
  assert_int_equal(count, n);
  assert_status(fanin_select(selector, indices, 2, &count), FANIN_STATUS_OK);
  assert_int_equal(count, n);
  assert_int_equal(indices[0], first);
  assert_int_equal(indices[1], n > 1 ? second : 9);
}

static void test_all_that_answer(void **state) {
  (void)state;
  size_t count = 0;
  for (int d = 0; d < 2; d++) {
    test_replace_number(devices[d].device, CL_DEVICE_MAX_COMPUTE_UNITS, sizeof(cl_uint), 4);
    test_replace_number(devices[d].device, CL_DEVICE_GLOBAL_MEM_SIZE, sizeof(cl_ulong), 100);
  }
  assert_selects("cpu", 2, 0, 1);
  assert_selects(NULL, 2, 0, 1);
  assert_selects("basic", 1, 0, 0);
  assert_selects("1", 1, 1, 0);
  test_forget_answers();
  test_replace_number(devices[1].device, CL_DEVICE_MAX_COMPUTE_UNITS, sizeof(cl_uint), 10000);
  assert_selects("portable", 2, 1, 0); /* the best first */
  make_gpu(0, 1);
  assert_selects("", 1, 0, 0);         /* not the CPU beside it */
  assert_selects("portable", 2, 0, 1); /* GPUs first here too, and the CPU as well */
  test_replace_number(devices[1].device, CL_DEVICE_ENDIAN_LITTLE, sizeof(cl_bool), CL_FALSE);
  assert_selects("portable", 1, 0, 0);
  assert_status(fanin_select("cpu", NULL, 0, &count), FANIN_STATUS_UNSUPPORTED);
  assert_status(fanin_select("nobody", NULL, 0, &count), FANIN_STATUS_NO_DEVICE);
  assert_status(fanin_select("cpu", NULL, 0, NULL), FANIN_STATUS_BAD_ARGUMENT);
  assert_status(fanin_select("cpu", NULL, 1, &count), FANIN_STATUS_BAD_ARGUMENT);
}

#define TEST(name) cmocka_unit_test_teardown(name, test_restore_answers)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_selectors),
      TEST(test_best),
      TEST(test_reason_without_a_rival),
      TEST(test_gpu_before_cpu_before_others),
      TEST(test_usable_before_better),
      TEST(test_environment),
      TEST(test_all_that_answer),
  };
  return cmocka_run_group_tests(tests, list_devices, NULL);
}
