/* When fills happen: wait lists, events, in-order and out-of-order queues, several threads on one fanin, and any order
 * of tensors. */
#include "support/support.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/context.h"
#include "oracle/image.h"

#define LEN(x) (sizeof(x) / sizeof *(x))

/* Launches of one kernel, of two that depend on each other, and of none. */
typedef struct order_case {
  const char *what;
  fanin_init init;
  uint64_t shape[2];
} order_case;

static order_case cases[] = {
    {"normal", {.kind = FANIN_KIND_NORMAL, .std = 1}, {70, 113}},
    {"identity", {.kind = FANIN_KIND_IDENTITY, .gain = 3}, {70, 113}},
    {"sparse", {.kind = FANIN_KIND_SPARSE, .std = 2, .sparsity = 0.4}, {70, 113}},
    {"zeros", {.kind = FANIN_KIND_ZEROS}, {70, 113}},
    {"empty", {.kind = FANIN_KIND_NORMAL, .std = 1}, {70, 0}},
};

/* Where sparse is refused, for its long loops, another identity stands in for it. */
static int open_with_cases(void **state) {
  order_case *const sparse = &cases[2];
  fanin *const f = test_open();
  const fanin_tensor t = test_tensor_of(NULL, 0, FANIN_DTYPE_F32, "OI", 2, sparse->shape);
  const fanin_status status = fanin_warmup(f, &t, &sparse->init);
  if (status == FANIN_STATUS_UNSUPPORTED) {
    print_message("%s\n", fanin_last_error());
    *sparse = (order_case){"identity", {.kind = FANIN_KIND_IDENTITY, .gain = 2}, {70, 113}};
  } else {
    assert_ok(status);
  }
  *state = f;
  return 0;
}

static fanin_tensor tensor_of_case(fanin *f, const order_case *c, fanin_dtype dtype) {
  fanin_tensor t = test_tensor_of(NULL, 24, dtype, "OI", 2, c->shape);
  uint64_t elements = 0, bytes = 0;
  assert_ok(fanin_tensor_size(&t, &elements, &bytes));
  t.buffer = test_guarded(f, t.offset, (size_t)bytes);
  return t;
}

/* A queue of f's device; NULL where the device has no such queues. */
static cl_command_queue queue_of(const fanin *f, cl_command_queue_properties properties) {
  cl_command_queue_properties has = 0;
  assert_int_equal(clGetDeviceInfo(f->device, CL_DEVICE_QUEUE_PROPERTIES, sizeof has, &has, NULL), CL_SUCCESS);
  if ((properties & has) != properties) return NULL;
  cl_int code = CL_SUCCESS;
  const cl_command_queue queue = clCreateCommandQueue(f->context, f->device, properties, &code);
  assert_int_equal(code, CL_SUCCESS);
  return queue;
}

static cl_int status_of(cl_event event) {
  cl_int status = 0;
  assert_int_equal(clGetEventInfo(event, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof status, &status, NULL), CL_SUCCESS);
  return status;
}

static void sleep_milliseconds(long n) {
  const struct timespec time = {.tv_sec = 0, .tv_nsec = n * 1000000};
  nanosleep(&time, NULL);
}

/* ---- Events ------------------------------------------------------------------------------------------------------ */

/* Nothing happens before the wait list is complete; the event comes after everything. Memory is read by f's own queue,
 * which orders nothing with `queue`. */
static void gate(fanin *f, cl_command_queue queue, const order_case *c) {
  fanin_tensor t = tensor_of_case(f, c, FANIN_DTYPE_F32);
  const fanin_key key = {1, 2};
  cl_int code = CL_SUCCESS;
  cl_event done = NULL, gates[2] = {clCreateUserEvent(f->context, &code), NULL};
  assert_int_equal(code, CL_SUCCESS);
  gates[1] = clCreateUserEvent(f->context, &code);
  assert_int_equal(code, CL_SUCCESS);
  assert_ok(fanin_fill(f, queue, &t, &c->init, key, 2, gates, &done));
  assert_non_null(done);
  assert_int_equal(clFlush(queue), CL_SUCCESS);
  assert_int_equal(clSetUserEventStatus(gates[1], CL_COMPLETE), CL_SUCCESS);
  sleep_milliseconds(50);
  assert_true(status_of(done) > CL_COMPLETE);
  test_assert_guarded(f, t.buffer, 0, 0);
  assert_int_equal(clSetUserEventStatus(gates[0], CL_COMPLETE), CL_SUCCESS);
  assert_int_equal(clWaitForEvents(1, &done), CL_SUCCESS);
  assert_int_equal(status_of(done), CL_COMPLETE);
  oracle_assert_content(f, t.buffer, &t, &c->init, key);
  clReleaseEvent(done);
  clReleaseEvent(gates[0]);
  clReleaseEvent(gates[1]);
  fanin_tensor_free(&t);
}

/* Fills of one buffer chained by events, then a read that waits: the last fill is what is read. */
static void chain(fanin *f, cl_command_queue queue) {
  fanin_tensor t = tensor_of_case(f, &cases[0], FANIN_DTYPE_F32);
  static float values[70 * 113];
  cl_event before = NULL;
  enum { FILLS = 12 };
  for (uint64_t k = 0; k < FILLS; k++) {
    cl_event done = NULL;
    const fanin_init *const init = &cases[k % 3].init;
    assert_ok(fanin_fill(f, queue, &t, init, (fanin_key){k, 0}, k > 0, k > 0 ? &before : NULL, &done));
    if (before) clReleaseEvent(before);
    before = done;
  }
  assert_ok(fanin_read(f, queue, &t, values, sizeof values, 1, 1, &before, NULL));
  clReleaseEvent(before);
  const order_case *const last = &cases[(FILLS - 1) % 3];
  oracle_assert_content(f, t.buffer, &t, &last->init, (fanin_key){FILLS - 1, 0});
  unsigned char image[24 + sizeof values];
  oracle_image(&t, &last->init, (fanin_key){FILLS - 1, 0}, image);
  assert_memory_equal(values, image + 24, sizeof values);
  fanin_tensor_free(&t);
}

static void test_events(void **state) {
  fanin *const f = *state;
  const cl_command_queue_properties kinds[] = {0, CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE};
  for (size_t k = 0; k < LEN(kinds); k++) {
    const cl_command_queue queue = queue_of(f, kinds[k]);
    if (!queue) {
      print_message("no out-of-order queues here\n");
      continue;
    }
    for (size_t c = 0; c < LEN(cases); c++) {
      gate(f, queue, &cases[c]);
    }
    chain(f, queue);
    clReleaseCommandQueue(queue);
  }
}

/* Without a wait list, an in-order queue orders; without an event, clFinish tells. */
static void test_in_order(void **state) {
  fanin *const f = *state;
  for (size_t c = 0; c < LEN(cases); c++) {
    fanin_tensor t = tensor_of_case(f, &cases[c], FANIN_DTYPE_F16);
    for (uint64_t k = 0; k < 5; k++) {
      const fanin_init *const init = &cases[(c + 4 - k) % 3].init;
      assert_ok(fanin_fill(f, NULL, &t, init, (fanin_key){k, 3}, 0, NULL, NULL));
    }
    assert_int_equal(clFinish(test_queue(f)), CL_SUCCESS);
    oracle_assert_content(f, t.buffer, &t, &cases[c % 3].init, (fanin_key){4, 3});
    fanin_tensor_free(&t);
  }
}

/* ---- Order ------------------------------------------------------------------------------------------------------- */

/* What was filled before changes nothing: every tensor alone, in both orders, and twice. */
static void test_any_order(void **state) {
  fanin *const f = *state;
  enum { TENSORS = 9 };
  fanin_tensor t[TENSORS];
  for (int k = 0; k < TENSORS; k++) {
    t[k] = tensor_of_case(f, &cases[k % 3], (fanin_dtype)(k % FANIN_DTYPE_F64));
  }
  for (int pass = 0; pass < 2; pass++) {
    for (int n = 0; n < TENSORS; n++) {
      const int k = pass == 0 ? n * 4 % TENSORS : TENSORS - 1 - n;
      assert_ok(fanin_fill(f, NULL, &t[k], &cases[k % 3].init, (fanin_key){5, (uint64_t)k}, 0, NULL, NULL));
    }
    for (int k = 0; k < TENSORS; k++) {
      oracle_assert_content(f, t[k].buffer, &t[k], &cases[k % 3].init, (fanin_key){5, (uint64_t)k});
    }
  }
  for (int k = 0; k < TENSORS; k++) {
    fanin_tensor_free(&t[k]);
  }
}

/* ---- Threads ----------------------------------------------------------------------------------------------------- */

enum { THREADS = 4, TENSORS_EACH = 12 };

/* cmocka's assertions may fail in the main thread only: threads fill and keep their status. */
typedef struct worker {
  fanin *f;
  cl_command_queue queue;
  uint64_t number;
  fanin_tensor tensors[TENSORS_EACH];
  fanin_status status;
  char sentence[256]; /* of the failure that each thread makes on purpose */
} worker;

static const order_case *case_of(uint64_t number, uint64_t k) {
  return &cases[(number + k) % LEN(cases)];
}

static void *fill_all(void *argument) {
  worker *const w = argument;
  for (uint64_t k = 0; k < TENSORS_EACH && w->status == FANIN_STATUS_OK; k++) {
    const fanin_key key = {w->number, k};
    w->status = fanin_fill(w->f, w->queue, &w->tensors[k], &case_of(w->number, k)->init, key, 0, NULL, NULL);
  }
  fanin_tensor bad = w->tensors[0];
  bad.shape[1] = 1000 + w->number; /* does not fit into its buffer */
  if (fanin_fill(w->f, w->queue, &bad, &cases[0].init, (fanin_key){0, 0}, 0, NULL, NULL) != FANIN_STATUS_BAD_SIZE) {
    w->status = FANIN_STATUS_BAD_SIZE;
  }
  strncpy(w->sentence, fanin_last_error(), sizeof w->sentence - 1);
  if (w->queue && clFinish(w->queue) != CL_SUCCESS) w->status = FANIN_STATUS_BAD_ARGUMENT;
  return NULL;
}

/* Tensors that do not exist yet for anybody, kernels that nobody built yet: on one queue, or on a queue each. */
static void fill_by_threads(bool own_queues) {
  fanin *const f = test_open();
  static worker workers[THREADS];
  pthread_t threads[THREADS];
  for (uint64_t n = 0; n < THREADS; n++) {
    workers[n] = (worker){.f = f, .queue = own_queues ? queue_of(f, 0) : NULL, .number = n};
    for (uint64_t k = 0; k < TENSORS_EACH; k++) {
      workers[n].tensors[k] = tensor_of_case(f, case_of(n, k), (fanin_dtype)((n + k / 3) % FANIN_DTYPE_F64));
    }
  }
  for (int n = 0; n < THREADS; n++) {
    assert_int_equal(pthread_create(&threads[n], NULL, fill_all, &workers[n]), 0);
  }
  for (int n = 0; n < THREADS; n++) {
    assert_int_equal(pthread_join(threads[n], NULL), 0);
  }
  for (uint64_t n = 0; n < THREADS; n++) {
    worker *const w = &workers[n];
    assert_ok(w->status);
    char bytes[32];
    const size_t element = fanin_dtype_size(w->tensors[0].dtype);
    (void)snprintf(bytes, sizeof bytes, "%zu bytes", 70 * (1000 + (size_t)n) * element);
    assert_non_null(strstr(w->sentence, bytes));
    for (uint64_t k = 0; k < TENSORS_EACH; k++) {
      fanin_tensor *const t = &w->tensors[k];
      oracle_assert_content(f, t->buffer, t, &case_of(n, k)->init, (fanin_key){n, k});
      fanin_tensor_free(t);
    }
    if (w->queue) clReleaseCommandQueue(w->queue);
  }
  test_close(f);
}

static void test_threads(void **state) {
  (void)state;
  fill_by_threads(false);
  fill_by_threads(true);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_events),
      cmocka_unit_test(test_in_order),
      cmocka_unit_test(test_any_order),
      cmocka_unit_test(test_threads),
  };
  return cmocka_run_group_tests(tests, open_with_cases, test_group_close);
}
