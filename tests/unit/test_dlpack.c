/* DLTensors, from Debian's dlpack.h: filled as the tensors that they describe, and refused where they describe none. */
#include "support/support.h"

#include <stdlib.h>
#include <string.h>

#include "fanin/dlpack.h"
#include "oracle/image.h"

#define LEN(x) (sizeof(x) / sizeof *(x))
#define NUMBERS(...)                                                                                                   \
  (int64_t[]) {                                                                                                        \
    __VA_ARGS__                                                                                                        \
  }

static DLTensor dl_tensor(cl_mem data, uint8_t code, uint8_t bits, int ndim, int64_t *shape, int64_t *strides) {
  return (DLTensor){.data = data,
                    .device = {kDLOpenCL, 0},
                    .ndim = ndim,
                    .dtype = {code, bits, 1},
                    .shape = shape,
                    .strides = strides};
}

/* ---- What is accepted -------------------------------------------------------------------------------------------- */

typedef struct good_case {
  const char *what;
  fanin_dtype dtype; /* that is expected */
  uint8_t code, bits;
  int ndim;
  int64_t shape[4];
  int64_t strides[4];
  bool no_strides;
  uint64_t byte_offset;
  uint64_t memory_strides[4]; /* that are expected; all zero: dense */
} good_case;

static const good_case good[] = {
    {"f32", FANIN_DTYPE_F32, kDLFloat, 32, 2, {5, 7}, {7, 1}, false, 0, {0}},
    {"f16", FANIN_DTYPE_F16, kDLFloat, 16, 2, {5, 7}, {7, 1}, false, 6, {0}},
    {"bf16", FANIN_DTYPE_BF16, kDLBfloat, 16, 2, {5, 7}, {7, 1}, false, 256, {0}},
    {"f64", FANIN_DTYPE_F64, kDLFloat, 64, 2, {5, 7}, {7, 1}, false, 8, {0}},
    {"f8_e4m3", FANIN_DTYPE_F8_E4M3, 10, 8, 2, {5, 7}, {7, 1}, false, 3, {0}}, /* codes of DLPack 1.1 */
    {"f8_e5m2", FANIN_DTYPE_F8_E5M2, 12, 8, 2, {5, 7}, {7, 1}, false, 5, {0}},
    {"no strides", FANIN_DTYPE_F32, kDLFloat, 32, 3, {2, 3, 4}, {0}, true, 12, {0}},
    {"transposed", FANIN_DTYPE_F32, kDLFloat, 32, 2, {5, 7}, {1, 5}, false, 4, {1, 5}},
    {"row pitch", FANIN_DTYPE_F16, kDLFloat, 16, 2, {5, 7}, {9, 1}, false, 2, {9, 1}},
    {"every second", FANIN_DTYPE_F32, kDLFloat, 32, 1, {9}, {2}, false, 0, {2}},
    {"a scalar", FANIN_DTYPE_F32, kDLFloat, 32, 0, {0}, {0}, true, 4, {0}},
    {"strides of one index", FANIN_DTYPE_F32, kDLFloat, 32, 3, {1, 4, 1}, {-3, 1, 0}, false, 0, {0}},
    {"one index in a pitch", FANIN_DTYPE_F32, kDLFloat, 32, 3, {3, 1, 4}, {6, 0, 1}, false, 0, {6, 4, 1}},
    {"empty", FANIN_DTYPE_F32, kDLFloat, 32, 2, {0, 7}, {-1, 0}, false, 0, {0}},
};

/* The same as test_tensor_of() says by hand, and filled alike: the oracle knows nothing of DLPack. */
static void test_descriptions(void **state) {
  fanin *const f = *state;
  const fanin_init normal = fanin_normal(0, 1);
  for (size_t k = 0; k < LEN(good); k++) {
    const good_case *const c = &good[k];
    uint64_t shape[4] = {0}, elements = 0, bytes = 0;
    for (int d = 0; d < c->ndim; d++) {
      shape[d] = (uint64_t)c->shape[d];
    }
    fanin_tensor expected = test_tensor_of(NULL, (size_t)c->byte_offset, c->dtype, NULL, c->ndim, shape);
    expected = test_tensor_strided(expected, c->memory_strides);
    assert_ok(fanin_tensor_size(&expected, &elements, &bytes));
    const cl_mem buffer = test_guarded(f, expected.offset, (size_t)bytes);
    good_case copy = *c;
    DLTensor dl = dl_tensor(buffer, c->code, c->bits, c->ndim, copy.shape, c->no_strides ? NULL : copy.strides);
    dl.byte_offset = c->byte_offset;
    fanin_tensor t;
    print_message("%s\n", c->what);
    assert_ok(fanin_tensor_from_dlpack(&dl, NULL, &t));
    memset(copy.shape, 0xff, sizeof copy.shape); /* t has copied them */
    memset(copy.strides, 0xff, sizeof copy.strides);
    assert_true(t.buffer == buffer && t.offset == expected.offset && t.dtype == c->dtype && t.rank == c->ndim);
    assert_memory_equal(t.shape, expected.shape, sizeof t.shape);
    assert_memory_equal(t.strides, expected.strides, sizeof t.strides);
    assert_ok(fanin_fill(f, NULL, &t, &normal, (fanin_key){3, k}, 0, NULL, NULL));
    oracle_assert_content(f, buffer, &expected, &normal, (fanin_key){3, k});
    assert_int_equal(clReleaseMemObject(buffer), CL_SUCCESS);
  }
}

/* Fans come from the layout, and compact strides do not forbid a range. */
static void test_layout_and_range(void **state) {
  fanin *const f = *state;
  const cl_mem buffer = test_guarded(f, 0, 35 * sizeof(float));
  const DLTensor dl = dl_tensor(buffer, kDLFloat, 32, 2, NUMBERS(5, 7), NUMBERS(7, 1));
  fanin_tensor t, part;
  uint64_t fan_in = 0, fan_out = 0, elements = 0, bytes = 0;
  assert_ok(fanin_tensor_from_dlpack(&dl, "OI", &t));
  assert_ok(fanin_fans(&t, &fan_in, &fan_out));
  assert_true(fan_in == 7 && fan_out == 5);
  assert_ok(fanin_tensor_split_range(&t, 1, 3, &part));
  assert_ok(fanin_tensor_size(&part, &elements, &bytes));
  assert_true(elements == 12 && bytes == 48);
  assert_int_equal(clReleaseMemObject(buffer), CL_SUCCESS);
}

/* An empty tensor's data is NULL in DLPack. */
static void test_empty_without_data(void **state) {
  fanin *const f = *state;
  const DLTensor dl = dl_tensor(NULL, kDLFloat, 32, 2, NUMBERS(3, 0), NUMBERS(1, 1));
  const fanin_init zeros = fanin_zeros();
  fanin_tensor t;
  assert_ok(fanin_tensor_from_dlpack(&dl, NULL, &t));
  assert_ok(fanin_fill(f, NULL, &t, &zeros, (fanin_key){0, 0}, 0, NULL, NULL));
}

/* ---- What is refused --------------------------------------------------------------------------------------------- */

typedef struct bad_case {
  fanin_status status;
  const char *sentence;
  int device, ndim;
  uint8_t code, bits;
  uint16_t lanes;
  int64_t shape[2], strides[2];
  uint64_t byte_offset;
  const char *layout;
} bad_case;

#define F32 kDLFloat, 32, 1

static const bad_case bad[] = {
    {FANIN_STATUS_UNSUPPORTED, "device_type is 1; accepted is 4 (kDLOpenCL)", kDLCPU, 1, F32, {5}, {1}, 0, NULL},
    {FANIN_STATUS_UNSUPPORTED, "device_type is 2;", kDLCUDA, 1, F32, {5}, {1}, 0, NULL},
    {FANIN_STATUS_UNSUPPORTED, "dtype.lanes is 4; accepted is 1", kDLOpenCL, 1, kDLFloat, 32, 4, {5}, {1}, 0, NULL},
    {FANIN_STATUS_UNSUPPORTED, "dtype.lanes is 0", kDLOpenCL, 1, kDLFloat, 32, 0, {5}, {1}, 0, NULL},
    {FANIN_STATUS_UNSUPPORTED, "dtype.code is 0 with 32 bits", kDLOpenCL, 1, kDLInt, 32, 1, {5}, {1}, 0, NULL},
    {FANIN_STATUS_UNSUPPORTED, "dtype.code is 5 with 64 bits", kDLOpenCL, 1, kDLComplex, 64, 1, {5}, {1}, 0, NULL},
    {FANIN_STATUS_UNSUPPORTED, "dtype.code is 2 with 8 bits", kDLOpenCL, 1, kDLFloat, 8, 1, {5}, {1}, 0, NULL},
    {FANIN_STATUS_UNSUPPORTED, "dtype.code is 4 with 32 bits", kDLOpenCL, 1, kDLBfloat, 32, 1, {5}, {1}, 0, NULL},
    {FANIN_STATUS_BAD_SHAPE, "ndim is -1; accepted are 0 to 8", kDLOpenCL, -1, F32, {5}, {1}, 0, NULL},
    {FANIN_STATUS_BAD_SHAPE, "ndim is 9", kDLOpenCL, 9, F32, {5}, {1}, 0, NULL},
    {FANIN_STATUS_BAD_SHAPE, "shape[1] = -7", kDLOpenCL, 2, F32, {5, -7}, {7, 1}, 0, NULL},
    {FANIN_STATUS_BAD_SIZE,
     "shape[0] = 4611686018427387904",
     kDLOpenCL,
     2,
     F32,
     {INT64_C(1) << 62, 4},
     {4, 1},
     0,
     NULL},
    {FANIN_STATUS_BAD_SHAPE,
     "strides[0] = -7 for shape[0] = 5; accepted are 1",
     kDLOpenCL,
     2,
     F32,
     {5, 7},
     {-7, 1},
     0,
     NULL},
    {FANIN_STATUS_BAD_SHAPE, "strides[1] = 0 for shape[1] = 7", kDLOpenCL, 2, F32, {5, 7}, {7, 0}, 0, NULL},
    {FANIN_STATUS_BAD_SHAPE, "strides[0] = 0 for shape[0] = 5", kDLOpenCL, 2, F32, {5, 1}, {0, 0}, 0, NULL},
    {FANIN_STATUS_BAD_SHAPE, "strides[0] = 6 lets elements overlap", kDLOpenCL, 2, F32, {5, 7}, {6, 1}, 0, NULL},
    {FANIN_STATUS_BAD_SHAPE, "lets elements overlap", kDLOpenCL, 2, F32, {5, 7}, {1, 1}, 0, NULL},
    {FANIN_STATUS_BAD_ARGUMENT, "byte_offset = 2 is not a multiple of f32's 4", kDLOpenCL, 1, F32, {5}, {1}, 2, NULL},
    {FANIN_STATUS_BAD_ARGUMENT, "byte_offset = 9 is", kDLOpenCL, 1, kDLBfloat, 16, 1, {5}, {1}, 9, NULL},
    {FANIN_STATUS_BAD_LAYOUT, "layout \"OX\"", kDLOpenCL, 2, F32, {5, 7}, {7, 1}, 0, "OX"},
    {FANIN_STATUS_BAD_LAYOUT, "layout \"OI\"", kDLOpenCL, 1, F32, {5}, {1}, 0, "OI"},
};

static void assert_refused(const DLTensor *dl, const char *layout, fanin_status status, const char *sentence) {
  fanin_tensor t = {.rank = 77};
  assert_status(fanin_tensor_from_dlpack(dl, layout, &t), status);
  if (!strstr(fanin_last_error(), sentence)) fail_msg("\"%s\" lacks \"%s\"", fanin_last_error(), sentence);
  assert_int_equal(t.rank, 77); /* written on success only */
}

static void test_refusals(void **state) {
  fanin *const f = *state;
  const cl_mem buffer = test_guarded(f, 0, 35 * sizeof(float));
  for (size_t k = 0; k < LEN(bad); k++) {
    bad_case c = bad[k];
    DLTensor dl = dl_tensor(buffer, c.code, c.bits, c.ndim, c.shape, c.strides);
    dl.device.device_type = (DLDeviceType)c.device;
    dl.dtype.lanes = c.lanes;
    dl.byte_offset = c.byte_offset;
    assert_refused(&dl, c.layout, c.status, c.sentence);
  }
  DLTensor dl = dl_tensor(buffer, kDLFloat, 32, 2, NULL, NULL);
  assert_refused(&dl, NULL, FANIN_STATUS_BAD_ARGUMENT, "shape is NULL; pass rank numbers");
  dl = dl_tensor(NULL, kDLFloat, 32, 2, NUMBERS(5, 7), NULL);
  assert_refused(&dl, NULL, FANIN_STATUS_BAD_ARGUMENT, "data is NULL; pass the cl_mem of 35 elements");
  assert_refused(NULL, NULL, FANIN_STATUS_BAD_ARGUMENT, "fields is NULL");
  test_assert_guarded(f, buffer, 0, 0);
  assert_int_equal(clReleaseMemObject(buffer), CL_SUCCESS);
}

/* What DLPack cannot say, the buffer's size, is found when the tensor is used. */
static void test_size_of_the_buffer(void **state) {
  fanin *const f = *state;
  const fanin_init normal = fanin_normal(0, 1);
  const cl_mem buffer = test_guarded(f, 0, 0);
  const DLTensor dl = dl_tensor(buffer, kDLFloat, 32, 1, NUMBERS(TEST_GUARD_BYTES), NULL);
  fanin_tensor t;
  assert_ok(fanin_tensor_from_dlpack(&dl, NULL, &t));
  assert_status(fanin_fill(f, NULL, &t, &normal, (fanin_key){0, 0}, 0, NULL, NULL), FANIN_STATUS_BAD_SIZE);
  test_assert_guarded(f, buffer, 0, 0);
  assert_int_equal(clReleaseMemObject(buffer), CL_SUCCESS);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_descriptions),       cmocka_unit_test(test_layout_and_range),
      cmocka_unit_test(test_empty_without_data), cmocka_unit_test(test_refusals),
      cmocka_unit_test(test_size_of_the_buffer),
  };
  return cmocka_run_group_tests(tests, test_group_open, test_group_close);
}
