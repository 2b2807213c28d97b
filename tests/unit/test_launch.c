/* Arguments of kernels are set only where they change: a fill's memory always, a plan's once. */
#include "support/support.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "oracle/image.h"

static size_t set, set_to_memory; /* arguments, so far; those as long as a handle that are a buffer of `buffers` */
static cl_mem buffers[2];

cl_int clSetKernelArg(cl_kernel kernel, cl_uint index, size_t size, const void *value) {
  cl_int (*real)(cl_kernel, cl_uint, size_t, const void *);
  *(void **)&real = dlsym(RTLD_NEXT, "clSetKernelArg"); /* POSIX's way to a function */
  if (!real) abort();
  set++;
  for (size_t k = 0; k < 2; k++) {
    set_to_memory += value && size == sizeof(cl_mem) && memcmp(value, &buffers[k], size) == 0;
  }
  return real(kernel, index, size, value);
}

/* Arguments that a call sets: all of them, and those that are the tests' buffers. */
#define ASSERT_SETS(call, arguments, memory)                                                                           \
  do {                                                                                                                 \
    set = set_to_memory = 0;                                                                                           \
    assert_ok(call);                                                                                                   \
    assert_int_equal(set, (arguments));                                                                                \
    assert_int_equal(set_to_memory, (memory));                                                                         \
  } while (0)

enum { ELEMENTS = 1000, PLAN = 4 /* arguments of fill_many */ };
static const fanin_init normal = {.kind = FANIN_KIND_NORMAL, .std = 1};

static fanin_tensor tensor_in(cl_mem buffer) {
  return test_tensor_of(buffer, 0, FANIN_DTYPE_F32, NULL, 1, (const uint64_t[]){ELEMENTS});
}

static int open_with_buffers(void **state) {
  fanin *const f = test_open();
  for (size_t k = 0; k < 2; k++) {
    buffers[k] = test_guarded(f, 0, ELEMENTS * sizeof(float));
  }
  const fanin_tensor t = tensor_in(buffers[0]);
  *state = f;
  return fanin_warmup(f, &t, &normal) == FANIN_STATUS_OK ? 0 : -1; /* with the check of the device */
}

static int close_with_buffers(void **state) {
  for (size_t k = 0; k < 2; k++) {
    clReleaseMemObject(buffers[k]);
  }
  return test_group_close(state);
}

static void test_fills(void **state) {
  fanin *const f = *state;
  const fanin_tensor t = tensor_in(buffers[0]), other = tensor_in(buffers[1]);
  assert_ok(fanin_fill(f, NULL, &t, &normal, (fanin_key){1, 1}, 0, NULL, NULL));
  ASSERT_SETS(fanin_fill(f, NULL, &t, &normal, (fanin_key){1, 1}, 0, NULL, NULL), 1, 1);
  ASSERT_SETS(fanin_fill(f, NULL, &other, &normal, (fanin_key){1, 1}, 0, NULL, NULL), 1, 1);
  ASSERT_SETS(fanin_fill(f, NULL, &other, &normal, (fanin_key){2, 1}, 0, NULL, NULL), 2, 1); /* the seed */
  ASSERT_SETS(fanin_fill(f, NULL, &other, &normal, (fanin_key){2, 5}, 0, NULL, NULL), 2, 1); /* rows with a stream */
  assert_int_equal(clFinish(test_queue(f)), CL_SUCCESS);
  oracle_assert_content(f, buffers[0], &t, &normal, (fanin_key){1, 1});
  oracle_assert_content(f, buffers[1], &other, &normal, (fanin_key){2, 5});
}

/* A plan that follows another one has its kernel, and may have memory of the same name. */
static void test_plans(void **state) {
  fanin *const f = *state;
  for (size_t k = 0; k < 2; k++) {
    const fanin_item item = {.tensor = tensor_in(buffers[k]), .init = normal, .stream = 5};
    fanin_plan *plan = NULL;
    assert_ok(fanin_plan_create(f, &item, 1, &plan));
    ASSERT_SETS(fanin_plan_enqueue(plan, NULL, 1, 0, NULL, NULL), PLAN, 1);
    ASSERT_SETS(fanin_plan_enqueue(plan, NULL, 1, 0, NULL, NULL), 0, 0);
    ASSERT_SETS(fanin_plan_enqueue(plan, NULL, 2 + k, 0, NULL, NULL), 1, 0);
    fanin_plan_release(plan);
    assert_int_equal(clFinish(test_queue(f)), CL_SUCCESS);
    oracle_assert_content(f, buffers[k], &item.tensor, &normal, (fanin_key){2 + k, 5});
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_fills),
      cmocka_unit_test(test_plans),
  };
  return cmocka_run_group_tests(tests, open_with_buffers, close_with_buffers);
}
