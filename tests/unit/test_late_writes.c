/* A driver may carry out a blocking write to a buffer after it has returned, once it has a copy of the host's memory;
 * Intel's does so. On a queue that runs out of order, launches behind the write may then come first. Here they always
 * do, unless a barrier stands between. */
#include <dlfcn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "fanin/selftest.h"
#include "support/support.h"

/* ---- The driver -------------------------------------------------------------------------------------------------- */

/* The write that is held back, if `gate` is not NULL. */
static struct {
  cl_event gate, written;
  void *copy;
} held;
static size_t overtaken; /* writes that a launch has come before */

/* Lets the write happen, and waits for it. */
static void let_go(void) {
  if (!held.gate) return;
  const cl_event gate = held.gate;
  held.gate = NULL;
  assert_int_equal(clSetUserEventStatus(gate, CL_COMPLETE), CL_SUCCESS);
  assert_int_equal(clWaitForEvents(1, &held.written), CL_SUCCESS);
  clReleaseEvent(gate);
  clReleaseEvent(held.written);
  free(held.copy);
}

static bool is_out_of_order(cl_command_queue queue) {
  cl_command_queue_properties properties = 0;
  assert_int_equal(clGetCommandQueueInfo(queue, CL_QUEUE_PROPERTIES, sizeof properties, &properties, NULL), CL_SUCCESS);
  return (properties & CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE) != 0;
}

typedef cl_int write_buffer(cl_command_queue, cl_mem, cl_bool, size_t, size_t, const void *, cl_uint, const cl_event *,
                            cl_event *);
typedef cl_int launch(cl_command_queue, cl_kernel, cl_uint, const size_t *, const size_t *, const size_t *, cl_uint,
                      const cl_event *, cl_event *);
typedef cl_int barrier(cl_command_queue, cl_uint, const cl_event *, cl_event *);

/* The driver's own function of a name, into a pointer of its type. */
#define NEXT(type, name)                                                                                               \
  type *real = NULL;                                                                                                   \
  *(void **)&real = dlsym(RTLD_NEXT, #name);                                                                           \
  assert_non_null(real)

cl_int clEnqueueWriteBuffer(cl_command_queue queue, cl_mem buffer, cl_bool blocking, size_t offset, size_t size,
                            const void *ptr, cl_uint num_events_in_wait_list, const cl_event *wait_list,
                            cl_event *event) {
  NEXT(write_buffer, clEnqueueWriteBuffer);
  let_go();
  if (!blocking || event || !is_out_of_order(queue))
    return real(queue, buffer, blocking, offset, size, ptr, num_events_in_wait_list, wait_list, event);
  cl_context context = NULL;
  cl_int code = clGetCommandQueueInfo(queue, CL_QUEUE_CONTEXT, sizeof context, &context, NULL);
  assert_int_equal(code, CL_SUCCESS);
  held.copy = malloc(size);
  assert_non_null(held.copy);
  memcpy(held.copy, ptr, size);
  held.gate = clCreateUserEvent(context, &code);
  assert_int_equal(code, CL_SUCCESS);
  return real(queue, buffer, CL_FALSE, offset, size, held.copy, 1, &held.gate, &held.written);
}

cl_int clEnqueueNDRangeKernel(cl_command_queue queue, cl_kernel kernel, cl_uint work_dim, const size_t *offset,
                              const size_t *global, const size_t *local, cl_uint num_events_in_wait_list,
                              const cl_event *wait_list, cl_event *event) {
  NEXT(launch, clEnqueueNDRangeKernel);
  cl_event own = NULL, *const done = event ? event : &own;
  const cl_int code = real(queue, kernel, work_dim, offset, global, local, num_events_in_wait_list, wait_list, done);
  if (code == CL_SUCCESS && held.gate) {
    assert_int_equal(clWaitForEvents(1, done), CL_SUCCESS);
    overtaken++;
    let_go();
  }
  if (own) clReleaseEvent(own);
  return code;
}

cl_int clEnqueueBarrierWithWaitList(cl_command_queue queue, cl_uint num_events_in_wait_list, const cl_event *wait_list,
                                    cl_event *event) {
  NEXT(barrier, clEnqueueBarrierWithWaitList);
  let_go();
  return real(queue, num_events_in_wait_list, wait_list, event);
}

/* ---- Tests ------------------------------------------------------------------------------------------------------- */

enum { ELEMENTS = 1024, LENGTH = 256 };

/* The driver is as late as it should be: a write without a barrier is overtaken. */
static void a_write_is_overtaken(void **state) {
  fanin *const f = *state;
  const cl_command_queue queue = test_out_of_order(f);
  const fanin_init ones = {.kind = FANIN_KIND_ONES};
  const uint64_t shape[] = {1};
  float value = 7;
  fanin_tensor t;
  cl_event done = NULL;
  assert_ok(fanin_tensor_alloc(f, FANIN_DTYPE_F32, NULL, 1, shape, &t));
  assert_ok(fanin_warmup(f, &t, &ones));
  overtaken = 0;
  assert_int_equal(clEnqueueWriteBuffer(queue, t.buffer, CL_TRUE, 0, sizeof value, &value, 0, NULL, NULL), CL_SUCCESS);
  assert_ok(fanin_fill(f, queue, &t, &ones, (fanin_key){1, 2}, 0, NULL, &done));
  assert_int_equal(overtaken, 1);
  assert_ok(fanin_read(f, queue, &t, &value, sizeof value, 1, 1, &done, NULL));
  assert_true(value == 7);
  clReleaseEvent(done);
  fanin_tensor_free(&t);
  clReleaseCommandQueue(queue);
}

static fanin_tensor normals(fanin *f) {
  const fanin_init init = fanin_normal(0, 1);
  const uint64_t shape[] = {ELEMENTS};
  fanin_tensor t;
  assert_ok(fanin_tensor_alloc(f, FANIN_DTYPE_F32, NULL, 1, shape, &t));
  assert_ok(fanin_fill(f, NULL, &t, &init, (fanin_key){1, 2}, 0, NULL, NULL));
  assert_int_equal(clFinish(test_queue(f)), CL_SUCCESS);
  return t;
}

static void bins_are_counted_from_zero(void **state) {
  static uint64_t in_order[FANIN_BINS], counts[FANIN_BINS];
  fanin *const f = *state;
  const cl_command_queue queue = test_out_of_order(f);
  fanin_tensor t = normals(f);
  assert_ok(fanin_measure_bins(f, NULL, &t, FANIN_ALL_BINS, 0, NULL, in_order));
  overtaken = 0;
  assert_ok(fanin_measure_bins(f, queue, &t, FANIN_ALL_BINS, 0, NULL, counts));
  assert_int_equal(overtaken, 0);
  assert_memory_equal(counts, in_order, sizeof counts);
  fanin_tensor_free(&t);
  clReleaseCommandQueue(queue);
}

static void pairs_are_there_before_their_products(void **state) {
  fanin *const f = *state;
  const cl_command_queue queue = test_out_of_order(f);
  const fanin_pair pairs[] = {{0, 1, LENGTH}, {2, 3, LENGTH}, {1, 3, 16}};
  fanin_products in_order[3], out[3];
  fanin_tensor t = normals(f);
  assert_ok(fanin_measure_pairs(f, NULL, t.buffer, 4, LENGTH, pairs, 3, in_order, sizeof *in_order));
  overtaken = 0;
  assert_ok(fanin_measure_pairs(f, queue, t.buffer, 4, LENGTH, pairs, 3, out, sizeof *out));
  assert_int_equal(overtaken, 0);
  assert_memory_equal(out, in_order, sizeof out);
  fanin_tensor_free(&t);
  clReleaseCommandQueue(queue);
}

static void self_tests_fill_after_their_writes(void **state) {
  fanin_selftest_config config = FANIN_SELFTEST_CONFIG_INIT;
  fanin_selftest_summary summary;
  config.only = "constant";
  overtaken = 0;
  assert_ok(fanin_selftest(*state, &config, &summary, sizeof summary));
  assert_int_equal(overtaken, 0);
  assert_string_equal(summary.first_wrong, "");
  assert_true(summary.wrong == 0 && summary.fills > 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_write_is_overtaken), cmocka_unit_test(bins_are_counted_from_zero),
      cmocka_unit_test(pairs_are_there_before_their_products), cmocka_unit_test(self_tests_fill_after_their_writes)};
  return cmocka_run_group_tests_name("late writes", tests, test_group_open, test_group_close);
}
