/* Status codes, and the sentence for a thread's last failure. */
#include "core/status.h"
#include "support/support.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

static void test_own_codes_have_names_and_texts(void **state) {
  (void)state;
  assert_string_equal(fanin_status_name(FANIN_STATUS_OK), "FANIN_STATUS_OK");
  assert_string_equal(fanin_status_name(FANIN_STATUS_NOT_FINITE), "FANIN_STATUS_NOT_FINITE");
  assert_string_equal(fanin_status_text(FANIN_STATUS_OUT_OF_MEMORY), "the host is out of memory");
#define CHECK(name, code, text)                                                                                        \
  assert_int_equal(FANIN_STATUS_##name, code);                                                                         \
  assert_string_equal(fanin_status_name((fanin_status)code), "FANIN_STATUS_" #name);                                   \
  assert_string_equal(fanin_status_text((fanin_status)code), text);
  FANIN_STATUS_MAP(CHECK)
#undef CHECK
}

/* OpenCL 1.2 has -1 to -19 and -30 to -68 and no other; the loader adds -1001. */
static void test_opencl_codes_have_names_and_texts(void **state) {
  (void)state;
  for (int code = -1100; code < 0; code++) {
    const bool known = (code <= -1 && code >= -19) || (code <= -30 && code >= -68) || code == -1001;
    const char *const name = fanin_status_name((fanin_status)code);
    if (known) {
      assert_true(strncmp(name, "CL_", 3) == 0);
      assert_true(strncmp(fanin_status_text((fanin_status)code), "OpenCL: ", 8) == 0);
    } else {
      assert_string_equal(name, "unknown status");
    }
  }
  assert_string_equal(fanin_status_name((fanin_status)-34), "CL_INVALID_CONTEXT");
  assert_string_equal(fanin_status_name((fanin_status)-68), "CL_INVALID_DEVICE_PARTITION_COUNT");
  assert_string_equal(fanin_status_name((fanin_status)-1001), "CL_PLATFORM_NOT_FOUND_KHR");
  assert_string_equal(fanin_status_name((fanin_status)12345), "unknown status");
}

/* A name twice would mean a row copied and not changed. */
static void test_names_differ(void **state) {
  (void)state;
  for (int a = -1001; a < 10; a++) {
    const char *const name = fanin_status_name((fanin_status)a);
    if (strcmp(name, "unknown status") == 0) continue;
    for (int b = a + 1; b < 10; b++) {
      assert_string_not_equal(name, fanin_status_name((fanin_status)b));
    }
  }
}

static void test_sentence_holds_the_arguments(void **state) {
  (void)state;
  assert_int_equal(fanin__fail(FANIN_STATUS_BAD_SHAPE, "rank is %d", 9), FANIN_STATUS_BAD_SHAPE);
  assert_string_equal(fanin_last_error(), "rank is 9");
  assert_int_equal(fanin__fail_cl(CL_OUT_OF_RESOURCES, "clCreateBuffer"), CL_OUT_OF_RESOURCES);
  assert_string_equal(fanin_last_error(), "clCreateBuffer: CL_OUT_OF_RESOURCES (-5)");
  assert_int_equal(fanin__fail_cl(-2045, "Sgemm"), -2045);
  assert_string_equal(fanin_last_error(), "Sgemm: unknown status (-2045)");
}

static void test_sentence_can_wrap_itself(void **state) {
  (void)state;
  (void)fanin__fail(FANIN_STATUS_BAD_TEXT, "inner");
  (void)fanin__fail(FANIN_STATUS_BAD_TEXT, "outer: %s", fanin_last_error());
  assert_string_equal(fanin_last_error(), "outer: inner");
}

static void test_long_sentence_is_cut(void **state) {
  (void)state;
  char text[2000];
  memset(text, 'x', sizeof text);
  text[sizeof text - 1] = '\0';
  (void)fanin__fail(FANIN_STATUS_BAD_TEXT, "%s", text);
  assert_int_equal(strlen(fanin_last_error()), 767);
}

static void *fail_elsewhere(void *seen) {
  snprintf(seen, 64, "[%s]", fanin_last_error());
  (void)fanin__fail(FANIN_STATUS_BAD_TEXT, "of the other thread");
  return NULL;
}

static void test_sentence_is_the_threads_own(void **state) {
  (void)state;
  char seen[64] = "";
  (void)fanin__fail(FANIN_STATUS_BAD_TEXT, "of this thread");
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, fail_elsewhere, seen), 0);
  assert_int_equal(pthread_join(thread, NULL), 0);
  assert_string_equal(seen, "[]");
  assert_string_equal(fanin_last_error(), "of this thread");
}

static void test_version_is_the_headers(void **state) {
  (void)state;
  char version[32];
  snprintf(version, sizeof version, "%d.%d.%d", FANIN_VERSION_MAJOR, FANIN_VERSION_MINOR, FANIN_VERSION_PATCH);
  assert_string_equal(fanin_version(), version);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_own_codes_have_names_and_texts),
      cmocka_unit_test(test_opencl_codes_have_names_and_texts),
      cmocka_unit_test(test_names_differ),
      cmocka_unit_test(test_sentence_holds_the_arguments),
      cmocka_unit_test(test_sentence_can_wrap_itself),
      cmocka_unit_test(test_long_sentence_is_cut),
      cmocka_unit_test(test_sentence_is_the_threads_own),
      cmocka_unit_test(test_version_is_the_headers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
