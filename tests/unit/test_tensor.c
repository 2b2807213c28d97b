/* Element types, tensors as values, their sizes and checks, and their buffers. */
#include "support/support.h"
#include "tensor/view.h"

#include <float.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#define NUMBERS(...)                                                                                                   \
  (const uint64_t[]) {                                                                                                 \
    __VA_ARGS__                                                                                                        \
  }

/* A dtype's names, those that are understood, and its numbers. */
typedef struct dtype_case {
  fanin_dtype dtype;
  const char *name, *understood[6], *safetensors, *npy, *python;
  size_t size;
  int dlpack_code, digits, infinities;
  double smallest, largest;
} dtype_case;

static const dtype_case dtype_cases[] = {
    {FANIN_DTYPE_F32,
     "f32",
     {"F32", "float32", "Float32", "fp32"},
     "F32",
     "<f4",
     "float32",
     4,
     2,
     24,
     1,
     0x1p-149,
     (double)FLT_MAX},
    {FANIN_DTYPE_F16,
     "f16",
     {"F16", "float16", "FP16", "half", "HALF"},
     "F16",
     "<f2",
     "float16",
     2,
     2,
     11,
     1,
     0x1p-24,
     65504},
    {FANIN_DTYPE_BF16,
     "bf16",
     {"BF16", "bfloat16", "BFloat16"},
     "BF16",
     NULL,
     "bfloat16",
     2,
     4,
     8,
     1,
     0x1p-133,
     0x1.fep127},
    {FANIN_DTYPE_F64,
     "f64",
     {"F64", "float64", "fp64", "double"},
     "F64",
     "<f8",
     "float64",
     8,
     2,
     53,
     1,
     0x1p-1074,
     DBL_MAX},
    {FANIN_DTYPE_F8_E4M3,
     "f8_e4m3",
     {"F8_E4M3", "float8_e4m3fn", "fp8_e4m3"},
     "F8_E4M3",
     NULL,
     "float8_e4m3fn",
     1,
     10,
     4,
     0,
     0x1p-9,
     448},
    {FANIN_DTYPE_F8_E5M2,
     "f8_e5m2",
     {"F8_E5M2", "float8_e5m2", "FP8_E5M2"},
     "F8_E5M2",
     NULL,
     "float8_e5m2",
     1,
     12,
     3,
     1,
     0x1p-16,
     57344},
};
enum { N_DTYPES = sizeof dtype_cases / sizeof *dtype_cases };

static void test_dtypes(void **state) {
  (void)state;
  assert_int_equal(FANIN_DTYPE_COUNT, N_DTYPES);
  for (size_t k = 0; k < N_DTYPES; k++) {
    const dtype_case *const c = &dtype_cases[k];
    assert_int_equal(c->dtype, k);
    assert_string_equal(fanin_dtype_name(c->dtype), c->name);
    assert_int_equal(fanin_dtype_size(c->dtype), c->size);
    fanin_dtype parsed = FANIN_DTYPE_COUNT;
    assert_ok(fanin_dtype_parse(c->name, &parsed));
    assert_int_equal(parsed, c->dtype);
    for (size_t n = 0; c->understood[n]; n++) {
      parsed = FANIN_DTYPE_COUNT;
      assert_ok(fanin_dtype_parse(c->understood[n], &parsed));
      assert_int_equal(parsed, c->dtype);
    }
  }
  assert_string_equal(fanin_dtype_name(FANIN_DTYPE_COUNT), "unknown dtype");
  assert_string_equal(fanin_dtype_name((fanin_dtype)-1), "unknown dtype");
  assert_int_equal(fanin_dtype_size(FANIN_DTYPE_COUNT), 0);
  assert_int_equal(fanin_dtype_size((fanin_dtype)-1), 0);
}

static void test_dtypes_described(void **state) {
  (void)state;
  fanin_dtype_info info;
  for (size_t k = 0; k < N_DTYPES; k++) {
    const dtype_case *const c = &dtype_cases[k];
    assert_ok(fanin_dtype_describe(c->dtype, &info, sizeof info));
    assert_string_equal(info.name, c->name);
    assert_string_equal(info.safetensors, c->safetensors);
    assert_true(info.npy == c->npy || strcmp(info.npy, c->npy) == 0);
    assert_string_equal(info.python, c->python);
    assert_int_equal(info.bytes, c->size);
    assert_int_equal(info.dlpack_code, c->dlpack_code);
    assert_int_equal(info.digits, c->digits);
    assert_true(ldexp(1, info.least) == c->smallest);
    assert_true(info.largest == c->largest);
    assert_int_equal(info.has_infinities, c->infinities);
    assert_int_equal(info.needs_fp64, c->size == 8);
  }
  assert_status(fanin_dtype_describe(FANIN_DTYPE_COUNT, &info, sizeof info), FANIN_STATUS_BAD_ARGUMENT);
  assert_status(fanin_dtype_describe((fanin_dtype)-1, &info, sizeof info), FANIN_STATUS_BAD_ARGUMENT);
  assert_status(fanin_dtype_describe(FANIN_DTYPE_F32, NULL, sizeof info), FANIN_STATUS_BAD_ARGUMENT);
}

/* Of a struct that is smaller or larger than the library's, what both have is written, and nothing past its end. */
static void test_dtype_descriptions_of_other_sizes(void **state) {
  (void)state;
  struct {
    fanin_dtype_info info;
    char after[16];
  } larger;
  memset(&larger, 0x55, sizeof larger);
  assert_ok(fanin_dtype_describe(FANIN_DTYPE_F16, &larger.info, offsetof(fanin_dtype_info, largest)));
  assert_int_equal(larger.info.digits, 11);
  for (size_t k = offsetof(fanin_dtype_info, largest); k < sizeof larger; k++) {
    assert_int_equal(((const unsigned char *)&larger)[k], 0x55);
  }
  assert_ok(fanin_dtype_describe(FANIN_DTYPE_F16, &larger.info, sizeof larger));
  assert_true(larger.info.largest == 65504.0);
  for (size_t k = 0; k < sizeof larger.after; k++) {
    assert_int_equal(larger.after[k], 0x55);
  }
}

static void test_unknown_dtype_names_the_known(void **state) {
  (void)state;
  static const char *const texts[] = {"", "f8", "float", "f32 ", "float32x", "fp32 float32"};
  for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) {
    fanin_dtype parsed = FANIN_DTYPE_BF16;
    assert_status(fanin_dtype_parse(texts[k], &parsed), FANIN_STATUS_BAD_TEXT);
    assert_int_equal(parsed, FANIN_DTYPE_BF16);
    assert_non_null(strstr(fanin_last_error(), "ccepted are f32, f16, bf16, f64, f8_e4m3, f8_e5m2"));
    assert_non_null(strstr(fanin_last_error(), texts[k]));
  }
}

/* Elements, and the bytes from the first to past the last; those of steps only in between. */
static void test_sizes(void **state) {
  (void)state;
  const fanin_tensor scalar = test_tensor_of(NULL, 0, FANIN_DTYPE_F64, NULL, 0, NULL);
  const fanin_tensor t = test_tensor_of(NULL, 12, FANIN_DTYPE_F32, "OI", 2, NUMBERS(5, 7));
  const fanin_tensor half = test_tensor_of(NULL, 6, FANIN_DTYPE_BF16, "OI", 2, NUMBERS(5, 7));
  const fanin_tensor empty = test_tensor_of(NULL, 0, FANIN_DTYPE_F32, "OI", 2, NUMBERS(0, 7));
  const uint64_t most = UINT64_C(1) << 61;
  const struct {
    fanin_tensor t;
    uint64_t elements, bytes;
  } cases[] = {
      {scalar, 1, 8},
      {test_tensor_range(scalar, 0, 1), 1, 8},
      {test_tensor_range(scalar, 1, 0), 0, 0},
      {t, 35, 140},
      {half, 35, 70},
      {empty, 0, 0},
      {test_tensor_slab(empty, NUMBERS(0, 2), NUMBERS(0, 3)), 0, 0},
      {test_tensor_range(empty, 0, 0), 0, 0},
      {test_tensor_slab(t, NUMBERS(2, 3), NUMBERS(2, 3)), 6, 24},
      {test_tensor_slab(t, NUMBERS(5, 7), NUMBERS(0, 0)), 0, 0},
      {test_tensor_range(t, 35, 0), 0, 0},
      {test_tensor_range(t, 30, 5), 5, 20},
      {test_tensor_strided(t, NUMBERS(10, 1)), 35, (40 + 7) * 4},
      {test_tensor_strided(t, NUMBERS(1, 6)), 35, (4 + 36 + 1) * 4},
      {test_tensor_strided(test_tensor_slab(t, NUMBERS(2, 3), NUMBERS(2, 3)), NUMBERS(16, 2)), 6, (16 + 4 + 1) * 4},
      {test_tensor_strided(empty, NUMBERS(0, 1)), 0, 0}, /* nothing overlaps */
      {test_tensor_of(NULL, 0, FANIN_DTYPE_F32, "O", 1, NUMBERS(most)), most, most * 4},
  };
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    uint64_t elements = 99, bytes = 99;
    assert_ok(fanin_tensor_size(&cases[k].t, &elements, &bytes));
    assert_true(elements == cases[k].elements);
    assert_true(bytes == cases[k].bytes);
  }
}

/* ---- Bad input --------------------------------------------------------------------------------------------------- */

static fanin_tensor with_layout_groups_splits(fanin_tensor t, const char *layout, uint32_t groups, uint32_t splits) {
  t = test_tensor_of(t.buffer, t.offset, t.dtype, layout, t.rank, t.shape);
  t.groups = groups;
  t.splits = splits;
  return t;
}

static fanin_tensor with_part(fanin_tensor t, int part) {
  t.part = (fanin_part)part;
  return t;
}

static void test_bad_tensors_have_their_sentence(void **state) {
  (void)state;
  const fanin_tensor t = test_tensor_of(NULL, 0, FANIN_DTYPE_F32, "OI", 2, NUMBERS(5, 7));
  const fanin_tensor cube = test_tensor_of(NULL, 0, FANIN_DTYPE_F32, NULL, 3, NUMBERS(3, 4, 5));
  const fanin_tensor pairs = test_tensor_of(NULL, 0, FANIN_DTYPE_F64, NULL, 2, NUMBERS(2, 2));
  const uint64_t big = UINT64_C(1) << 61, top = UINT64_MAX;
  const struct {
    fanin_tensor t;
    fanin_status status;
    const char *sentence;
  } cases[] = {
      {test_tensor_of(NULL, 0, FANIN_DTYPE_COUNT, "O", 1, NUMBERS(5)), FANIN_STATUS_BAD_ARGUMENT, "dtype is 6"},
      {test_tensor_of(NULL, 2, FANIN_DTYPE_F32, "O", 1, NUMBERS(5)), FANIN_STATUS_BAD_ARGUMENT, "offset = 2"},
      {test_tensor_of(NULL, 4, FANIN_DTYPE_F64, "O", 1, NUMBERS(5)), FANIN_STATUS_BAD_ARGUMENT, "offset = 4"},
      {test_tensor_of(NULL, 1, FANIN_DTYPE_F16, "O", 1, NUMBERS(5)), FANIN_STATUS_BAD_ARGUMENT, "offset = 1"},
      {test_tensor_of(NULL, 0, FANIN_DTYPE_F32, NULL, -1, NULL), FANIN_STATUS_BAD_SHAPE, "rank is -1"},
      {test_tensor_of(NULL, 0, FANIN_DTYPE_F32, NULL, 9, NULL), FANIN_STATUS_BAD_SHAPE, "rank is 9"},
      {test_tensor_of(NULL, 0, FANIN_DTYPE_F32, "OIHW", 2, NUMBERS(5, 7)), FANIN_STATUS_BAD_LAYOUT, "layout \"OIHW\""},
      {with_layout_groups_splits(t, "OI", 2, 0), FANIN_STATUS_BAD_SHAPE, "groups = 2"},
      {with_layout_groups_splits(t, "OI", 0, 2), FANIN_STATUS_BAD_SHAPE, "splits = 2"},
      {with_part(t, 3), FANIN_STATUS_BAD_ARGUMENT, "part is 3"},
      {with_part(t, -1), FANIN_STATUS_BAD_ARGUMENT, "part is -1"},
      {test_tensor_slab(t, NUMBERS(0, 1), NUMBERS(5, 7)), FANIN_STATUS_BAD_SHAPE, "start[1] = 1, extent[1] = 7"},
      {test_tensor_slab(t, NUMBERS(6, 0), NUMBERS(0, 7)), FANIN_STATUS_BAD_SHAPE, "start[0] = 6, extent[0] = 0"},
      {test_tensor_slab(t, NUMBERS(2, 0), NUMBERS(top, 7)), FANIN_STATUS_BAD_SHAPE, "start[0] = 2"},
      {test_tensor_slab(t, NUMBERS(top, 0), NUMBERS(2, 7)), FANIN_STATUS_BAD_SHAPE, "start[0] = 18446744073709551615"},
      {test_tensor_range(t, 36, 0), FANIN_STATUS_BAD_SHAPE, "first = 36"},
      {test_tensor_range(t, 30, 6), FANIN_STATUS_BAD_SHAPE, "count = 6"},
      {test_tensor_range(t, 2, top), FANIN_STATUS_BAD_SHAPE, "first = 2"},
      {test_tensor_range(test_tensor_strided(t, NUMBERS(8, 1)), 0, 5), FANIN_STATUS_BAD_SHAPE, "strides"},
      {test_tensor_strided(t, NUMBERS(6, 1)), FANIN_STATUS_BAD_SHAPE,
       "strides[0] = 6 lets elements overlap; accepted are 7"},
      {test_tensor_strided(t, NUMBERS(1, 4)), FANIN_STATUS_BAD_SHAPE,
       "strides[1] = 4 lets elements overlap; accepted are 5"},
      {test_tensor_strided(t, NUMBERS(1, 1)), FANIN_STATUS_BAD_SHAPE, "lets elements overlap"},
      {test_tensor_strided(t, NUMBERS(7, 0)), FANIN_STATUS_BAD_SHAPE, "strides[1] = 0"},
      {test_tensor_strided(t, NUMBERS(0, 1)), FANIN_STATUS_BAD_SHAPE, "strides[0] = 0"},
      {test_tensor_strided(cube, NUMBERS(1, 14, 3)), FANIN_STATUS_BAD_SHAPE, "strides[1] = 14"},
      {test_tensor_strided(cube, NUMBERS(20, 4, 1)), FANIN_STATUS_BAD_SHAPE, "strides[1] = 4"},
      {test_tensor_strided(cube, NUMBERS(19, 5, 1)), FANIN_STATUS_BAD_SHAPE, "strides[0] = 19"},
      {test_tensor_strided(t, NUMBERS(big, 1)), FANIN_STATUS_BAD_SIZE, "strides[0] = 2305843009213693952"},
      {test_tensor_strided(t, NUMBERS(top, 1)), FANIN_STATUS_BAD_SIZE, "strides[0]"},
      {test_tensor_of(NULL, 0, FANIN_DTYPE_F64, "O", 1, NUMBERS(big)), FANIN_STATUS_BAD_SIZE, "bytes overflow"},
      {test_tensor_strided(pairs, NUMBERS(big / 2 + 1, big / 2)), FANIN_STATUS_BAD_SIZE, "strides[0]"}, /* together */
      {test_tensor_range(test_tensor_of(NULL, 0, FANIN_DTYPE_F64, "O", 1, NUMBERS(big)), 0, big), FANIN_STATUS_BAD_SIZE,
       "count"},
      {test_tensor_of(NULL, 0, FANIN_DTYPE_F16, "O", 1, NUMBERS(2 * big)), FANIN_STATUS_BAD_SIZE, "shape[0]"},
  };
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    uint64_t elements = 99, bytes = 99;
    const fanin_status status = fanin_tensor_size(&cases[k].t, &elements, &bytes);
    if (status != cases[k].status || !strstr(fanin_last_error(), cases[k].sentence)) {
      fail_msg("case %zu: %s, \"%s\"; wanted %s, \"%s\"", k, fanin_status_name(status), fanin_last_error(),
               fanin_status_name(cases[k].status), cases[k].sentence);
    }
    assert_int_equal(elements, 99);
    assert_int_equal(bytes, 99);
  }
}

/* ---- Buffers ----------------------------------------------------------------------------------------------------- */

static void test_alloc_has_the_tensors_size(void **state) {
  fanin *const f = *state;
  fanin_tensor t;
  assert_ok(fanin_tensor_alloc(f, FANIN_DTYPE_F16, "OI", 2, NUMBERS(3, 7), &t));
  size_t size = 0;
  assert_int_equal(clGetMemObjectInfo(t.buffer, CL_MEM_SIZE, sizeof size, &size, NULL), CL_SUCCESS);
  assert_int_equal(size, 42);
  cl_mem_flags flags = 0;
  assert_int_equal(clGetMemObjectInfo(t.buffer, CL_MEM_FLAGS, sizeof flags, &flags, NULL), CL_SUCCESS);
  assert_true(flags & CL_MEM_READ_WRITE);
  assert_int_equal(t.dtype, FANIN_DTYPE_F16);
  assert_int_equal(t.part, FANIN_PART_WHOLE);
  assert_string_equal(t.layout, "OI");
  assert_true(t.rank == 2 && t.shape[0] == 3 && t.shape[1] == 7);

  assert_int_equal(clRetainMemObject(t.buffer), CL_SUCCESS); /* to see that free releases */
  const cl_mem buffer = t.buffer;
  fanin_tensor_free(&t);
  assert_null(t.buffer);
  fanin_tensor_free(&t);
  fanin_tensor_free(NULL);
  cl_uint references = 0;
  assert_int_equal(clGetMemObjectInfo(buffer, CL_MEM_REFERENCE_COUNT, sizeof references, &references, NULL),
                   CL_SUCCESS);
  assert_int_equal(references, 1);
  assert_int_equal(clReleaseMemObject(buffer), CL_SUCCESS);
}

static void test_alloc_of_an_empty_tensor(void **state) {
  fanin *const f = *state;
  fanin_tensor t;
  assert_ok(fanin_tensor_alloc(f, FANIN_DTYPE_F32, "OI", 2, NUMBERS(0, 7), &t));
  assert_null(t.buffer);
  fanin__view view;
  assert_ok(fanin__view_of(&t, &view));
  assert_ok(fanin__check_buffer(f, &t, &view));
}

static void test_alloc_failures(void **state) {
  fanin *const f = *state;
  fanin_tensor t = {.rank = 77};
  assert_status(fanin_tensor_alloc(f, FANIN_DTYPE_F32, "OX", 2, NUMBERS(3, 7), &t), FANIN_STATUS_BAD_LAYOUT);
  /* Larger than any device's memory; platforms differ in the code. */
  assert_true(fanin_tensor_alloc(f, FANIN_DTYPE_F32, "OI", 2, NUMBERS(1 << 24, 1 << 24), &t) < 0);
  assert_non_null(strstr(fanin_last_error(), "clCreateBuffer of 1125899906842624 bytes: CL_"));
  assert_int_equal(t.rank, 77); /* written on success only */
}

static fanin_status check(const fanin *f, cl_mem buffer, size_t offset, uint64_t count) {
  const fanin_tensor t = test_tensor_of(buffer, offset, FANIN_DTYPE_F32, NULL, 1, &count);
  fanin__view view;
  assert_ok(fanin__view_of(&t, &view));
  return fanin__check_buffer(f, &t, &view);
}

static void assert_bad_buffer(fanin_status status, fanin_status expected, const char *sentence) {
  assert_status(status, expected);
  if (!strstr(fanin_last_error(), sentence)) fail_msg("\"%s\" lacks \"%s\"", fanin_last_error(), sentence);
}

static void test_buffer_must_hold_the_part(void **state) {
  fanin *const f = *state;
  fanin_tensor t;
  assert_ok(fanin_tensor_alloc(f, FANIN_DTYPE_F32, "O", 1, NUMBERS(10), &t));
  assert_ok(check(f, t.buffer, 0, 10));
  assert_ok(check(f, t.buffer, 12, 7));
  assert_ok(check(f, t.buffer, 40, 0));
  assert_bad_buffer(check(f, t.buffer, 0, 11), FANIN_STATUS_BAD_SIZE, "44 bytes do not fit into buffer's 40");
  assert_bad_buffer(check(f, t.buffer, 12, 8), FANIN_STATUS_BAD_SIZE, "offset = 12");
  assert_bad_buffer(check(f, t.buffer, 44, 0), FANIN_STATUS_BAD_SIZE, "offset = 44");
  assert_bad_buffer(check(f, t.buffer, SIZE_MAX - 3, 1), FANIN_STATUS_BAD_SIZE, "offset = ");
  assert_bad_buffer(check(f, NULL, 0, 1), FANIN_STATUS_BAD_ARGUMENT, "buffer is NULL");
  assert_ok(check(f, NULL, 0, 0));
  fanin_tensor_free(&t);
}

static void test_buffer_must_be_a_buffer_of_the_context(void **state) {
  fanin *const f = *state;
  fanin *const other = test_open();
  fanin_tensor t;
  assert_ok(fanin_tensor_alloc(other, FANIN_DTYPE_F32, "O", 1, NUMBERS(10), &t));
  assert_bad_buffer(check(f, t.buffer, 0, 10), FANIN_STATUS_BAD_ARGUMENT, "buffer belongs to another context");
  fanin_tensor_free(&t);
  test_close(other);

  cl_int code = CL_SUCCESS;
  const cl_image_format format = {CL_RGBA, CL_FLOAT};
  const cl_image_desc desc = {.image_type = CL_MEM_OBJECT_IMAGE2D, .image_width = 8, .image_height = 8};
  const cl_mem image = clCreateImage(test_context(f), CL_MEM_READ_WRITE, &format, &desc, NULL, &code);
  assert_int_equal(code, CL_SUCCESS);
  assert_bad_buffer(check(f, image, 0, 10), FANIN_STATUS_BAD_ARGUMENT, "buffer is an image");
  assert_int_equal(clReleaseMemObject(image), CL_SUCCESS);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_dtypes),
      cmocka_unit_test(test_dtypes_described),
      cmocka_unit_test(test_dtype_descriptions_of_other_sizes),
      cmocka_unit_test(test_unknown_dtype_names_the_known),
      cmocka_unit_test(test_sizes),
      cmocka_unit_test(test_bad_tensors_have_their_sentence),
      cmocka_unit_test(test_alloc_has_the_tensors_size),
      cmocka_unit_test(test_alloc_of_an_empty_tensor),
      cmocka_unit_test(test_alloc_failures),
      cmocka_unit_test(test_buffer_must_hold_the_part),
      cmocka_unit_test(test_buffer_must_be_a_buffer_of_the_context),
  };
  return cmocka_run_group_tests(tests, test_group_open, test_group_close);
}
