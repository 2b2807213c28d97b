/* Tensors in shared virtual memory: the pointer sees a fill's bits after its event, mapped where the memory is
 * coarse-grained, and nothing beside them. Skipped on a device without such memory. */
#undef CL_TARGET_OPENCL_VERSION
#define CL_TARGET_OPENCL_VERSION 200 /* clSVMAlloc */
#include "support/support_answers.h"

#include <stdlib.h>
#include <string.h>

#include "oracle/image.h"

#define NUMBERS(...)                                                                                                   \
  (const uint64_t[]) {                                                                                                 \
    __VA_ARGS__                                                                                                        \
  }

enum { BYTES = 4096 };

static cl_device_svm_capabilities capabilities_of(fanin *f) {
  cl_device_svm_capabilities capabilities = 0;
  const cl_int code =
      clGetDeviceInfo(test_device(f), CL_DEVICE_SVM_CAPABILITIES, sizeof capabilities, &capabilities, NULL);
  return code == CL_SUCCESS ? capabilities : 0;
}

static void map(fanin *f, unsigned char *memory, cl_map_flags flags) {
  assert_int_equal(clEnqueueSVMMap(test_queue(f), CL_TRUE, flags, memory, BYTES, 0, NULL, NULL), CL_SUCCESS);
}

static void unmap(fanin *f, unsigned char *memory) {
  assert_int_equal(clEnqueueSVMUnmap(test_queue(f), memory, 0, NULL, NULL), CL_SUCCESS);
  assert_int_equal(clFinish(test_queue(f)), CL_SUCCESS);
}

/* BYTES guard bytes. */
static unsigned char *allocate(fanin *f, bool fine) {
  const cl_svm_mem_flags flags = CL_MEM_READ_WRITE | (fine ? CL_MEM_SVM_FINE_GRAIN_BUFFER : 0);
  unsigned char *const memory = clSVMAlloc(test_context(f), flags, BYTES, 0);
  assert_non_null(memory);
  if (!fine) map(f, memory, CL_MAP_WRITE);
  for (size_t k = 0; k < BYTES; k++) {
    memory[k] = test_guard_byte(k);
  }
  if (!fine) unmap(f, memory);
  return memory;
}

/* Fills t there, and compares all of the memory, through the pointer, with what the oracle says. */
static void assert_filled(fanin *f, bool fine, fanin_tensor t, const fanin_init *init) {
  unsigned char *const memory = allocate(f, fine);
  unsigned char expected[BYTES];
  const fanin_key key = {11, 12};
  for (size_t k = 0; k < BYTES; k++) {
    expected[k] = test_guard_byte(k);
  }
  oracle_image(&t, init, key, expected);
  cl_event filled = NULL;
  fanin_tensor shared;
  assert_ok(fanin_tensor_svm(f, memory, &t, &shared));
  assert_true(shared.offset == t.offset && shared.part == t.part);
  assert_ok(fanin_fill(f, NULL, &shared, init, key, 0, NULL, &filled));
  assert_int_equal(clWaitForEvents(1, &filled), CL_SUCCESS);
  if (!fine) map(f, memory, CL_MAP_READ);
  assert_memory_equal(memory, expected, BYTES);
  if (!fine) unmap(f, memory);
  assert_int_equal(clReleaseEvent(filled), CL_SUCCESS);
  fanin_tensor_free(&shared);
  clSVMFree(test_context(f), memory);
}

static void test_fills(void **state) {
  fanin *const f = *state;
  const fanin_init normal = fanin_normal(0, 1), identity = fanin_identity(2);
  const fanin_tensor t = test_tensor_of(NULL, 12, FANIN_DTYPE_F32, "OI", 2, NUMBERS(13, 17));
  const fanin_tensor half = test_tensor_of(NULL, 130, FANIN_DTYPE_BF16, "OI", 2, NUMBERS(13, 17));
  const cl_device_svm_capabilities capabilities = capabilities_of(f);
  if (!capabilities) skip();
  for (int fine = 0; fine < 2; fine++) {
    if (fine && !(capabilities & CL_DEVICE_SVM_FINE_GRAIN_BUFFER)) continue;
    assert_filled(f, fine, t, &normal);
    assert_filled(f, fine, half, &normal);
    assert_filled(f, fine, t, &identity);
    assert_filled(f, fine, test_tensor_range(t, 7, 100), &normal);
    assert_filled(f, fine, test_tensor_strided(test_tensor_slab(t, NUMBERS(2, 3), NUMBERS(5, 9)), NUMBERS(1, 6)),
                  &normal);
  }
}

/* Two tensors in one allocation, and a mapping by the buffer, which is the pointer. */
static void test_two_tensors(void **state) {
  fanin *const f = *state;
  if (!capabilities_of(f)) skip();
  const fanin_init ones = fanin_ones(), constant = fanin_constant(2);
  unsigned char *const memory = allocate(f, false);
  fanin_tensor a = test_tensor_of(NULL, 0, FANIN_DTYPE_F32, NULL, 1, NUMBERS(8)), b = a;
  b.offset = 64;
  assert_ok(fanin_tensor_svm(f, memory, &a, &a));
  assert_ok(fanin_tensor_svm(f, memory, &b, &b));
  assert_ok(fanin_fill(f, NULL, &a, &ones, (fanin_key){0, 0}, 0, NULL, NULL));
  assert_ok(fanin_fill(f, NULL, &b, &constant, (fanin_key){0, 0}, 0, NULL, NULL));
  cl_int code = CL_SUCCESS;
  float *const mapped =
      clEnqueueMapBuffer(test_queue(f), b.buffer, CL_TRUE, CL_MAP_READ, 0, 64 + 8 * 4, 0, NULL, NULL, &code);
  assert_int_equal(code, CL_SUCCESS);
  assert_ptr_equal(mapped, memory);
  for (int k = 0; k < 8; k++) {
    assert_true(mapped[k] == 1 && mapped[16 + k] == 2);
  }
  assert_int_equal(clEnqueueUnmapMemObject(test_queue(f), b.buffer, mapped, 0, NULL, NULL), CL_SUCCESS);
  assert_int_equal(clFinish(test_queue(f)), CL_SUCCESS);
  fanin_tensor_free(&a);
  fanin_tensor_free(&b);
  clSVMFree(test_context(f), memory);
}

static void test_empty(void **state) {
  fanin *const f = *state;
  if (!capabilities_of(f)) skip();
  unsigned char *const memory = allocate(f, false);
  fanin_tensor t = test_tensor_of(NULL, 0, FANIN_DTYPE_F32, NULL, 1, NUMBERS(0));
  assert_ok(fanin_tensor_svm(f, memory, &t, &t));
  assert_null(t.buffer);
  clSVMFree(test_context(f), memory);
}

/* ---- Refusals ---------------------------------------------------------------------------------------------------- */

static void assert_refused(fanin *f, void *svm, const fanin_tensor *t, fanin_status expected, const char *sentence) {
  fanin_tensor out = {.rank = 77};
  assert_status(fanin_tensor_svm(f, svm, t, &out), expected);
  if (!strstr(fanin_last_error(), sentence)) fail_msg("\"%s\" lacks \"%s\"", fanin_last_error(), sentence);
  assert_int_equal(out.rank, 77); /* written on success only */
}

static void test_refusals(void **state) {
  fanin *const f = *state;
  if (!capabilities_of(f)) skip();
  const fanin_tensor t = test_tensor_of(NULL, 0, FANIN_DTYPE_F32, NULL, 1, NUMBERS(16));
  const fanin_tensor last = test_tensor_of(NULL, BYTES - 64, FANIN_DTYPE_F32, NULL, 1, NUMBERS(16));
  const fanin_tensor beyond = test_tensor_of(NULL, BYTES - 60, FANIN_DTYPE_F32, NULL, 1, NUMBERS(16));
  const fanin_tensor far = test_tensor_of(NULL, SIZE_MAX - 3, FANIN_DTYPE_F32, NULL, 1, NUMBERS(16));
  const fanin_tensor bad = test_tensor_of(NULL, 2, FANIN_DTYPE_F32, NULL, 1, NUMBERS(16));
  unsigned char *const memory = allocate(f, false), *const ordinary = aligned_alloc(4096, BYTES);
  assert_non_null(ordinary);
  fanin_tensor out, taken = t;
  assert_ok(fanin_tensor_svm(f, memory, &last, &out));
  taken.buffer = out.buffer;
  assert_refused(f, memory, &taken, FANIN_STATUS_BAD_ARGUMENT, "t->buffer is set; accepted is NULL");
  fanin_tensor_free(&out);
  assert_refused(f, NULL, &t, FANIN_STATUS_BAD_ARGUMENT, "svm is NULL");
  assert_refused(f, memory, &bad, FANIN_STATUS_BAD_ARGUMENT, "offset = 2");
  assert_refused(f, memory, &far, FANIN_STATUS_BAD_SIZE, "offset = ");
  if (!(capabilities_of(f) & CL_DEVICE_SVM_FINE_GRAIN_SYSTEM)) {
    assert_refused(f, ordinary, &t, FANIN_STATUS_BAD_ARGUMENT, "svm is not shared virtual memory");
  }
  assert_refused(f, memory, &beyond, (fanin_status)CL_INVALID_BUFFER_SIZE, "clCreateBuffer of 4100 bytes of svm: CL_");
  free(ordinary);
  clSVMFree(test_context(f), memory);
}

/* A device of OpenCL 1.2 does not know the question; one of 3.0 may answer that it has none. */
static void test_devices_without(void **state) {
  fanin *const f = *state;
  const fanin_tensor t = test_tensor_of(NULL, 0, FANIN_DTYPE_F32, NULL, 1, NUMBERS(16));
  unsigned char memory[64];
  test_replace_code(CL_DEVICE_SVM_CAPABILITIES, CL_INVALID_VALUE);
  assert_refused(f, memory, &t, FANIN_STATUS_UNSUPPORTED, "the device has no shared virtual memory");
  test_forget_answers();
  test_replace_number(NULL, CL_DEVICE_SVM_CAPABILITIES, sizeof(cl_device_svm_capabilities), 0);
  assert_refused(f, memory, &t, FANIN_STATUS_UNSUPPORTED, "CL_DEVICE_SVM_CAPABILITIES");
  test_forget_answers();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_fills),    cmocka_unit_test(test_two_tensors),     cmocka_unit_test(test_empty),
      cmocka_unit_test(test_refusals), cmocka_unit_test(test_devices_without),
  };
  return cmocka_run_group_tests(tests, test_group_open, test_group_close);
}
