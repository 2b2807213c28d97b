/* Selectors: which device fanin_open() picks. */
#include "support/support_answers.h"

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

/* Equal in all else, the device with more compute units wins, then that with more memory, then the first. */
static void test_best_of_a_kind(void **state) {
  (void)state;
  static const struct {
    cl_ulong units[2], memory[2];
    int best;
  } cases[] = {
      {{4, 5}, {900, 100}, 1}, {{5, 4}, {100, 900}, 0}, {{4, 4}, {100, 900}, 1},
      {{4, 4}, {900, 100}, 0}, {{4, 4}, {100, 100}, 0},
  };
  static const char *const selectors[] = {"cpu", "CPU", "portable", NULL, ""};
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    for (int d = 0; d < 2; d++) {
      test_replace_number(devices[d].device, CL_DEVICE_MAX_COMPUTE_UNITS, sizeof(cl_uint), cases[k].units[d]);
      test_replace_number(devices[d].device, CL_DEVICE_GLOBAL_MEM_SIZE, sizeof(cl_ulong), cases[k].memory[d]);
    }
    for (size_t s = 0; s < sizeof selectors / sizeof *selectors; s++) {
      assert_opens(selectors[s], cases[k].best);
    }
    test_forget_answers();
  }
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
  assert_selects("", 1, 0, 0); /* not the CPU beside it */
  assert_selects("portable", 2, 1, 0);
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
      TEST(test_best_of_a_kind),
      TEST(test_gpu_before_cpu_before_others),
      TEST(test_usable_before_better),
      TEST(test_environment),
      TEST(test_all_that_answer),
  };
  return cmocka_run_group_tests(tests, list_devices, NULL);
}
