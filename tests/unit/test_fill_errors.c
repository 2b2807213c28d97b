/* Whatever fanin_fill() refuses: its status, a sentence with the argument's name and value, and memory as it was. */
#include "core/context.h"
#include "support/support.h"

#include <math.h>
#include <string.h>

#define LEN(x)    (sizeof(x) / sizeof *(x))
#define NORMAL    .kind = FANIN_KIND_NORMAL, .std = 1
#define HE_NORMAL .kind = FANIN_KIND_HE_NORMAL, .distribution = FANIN_DISTRIBUTION_NORMAL
#define TRUNC     .kind = FANIN_KIND_TRUNC_NORMAL

/* The buffer holds BUFFER_ELEMENTS f32 elements and test_guarded()'s guard. */
enum { BUFFER_ELEMENTS = 64 };

typedef struct bad_case {
  fanin_status status;
  const char *words[2]; /* that the sentence must have; NULL: none */
  fanin_tensor t;       /* without its buffer */
  fanin_init init;
} bad_case;

#define HUGE_EXTENT (UINT64_C(1) << 40)

static const bad_case bad_tensors[] = {
    {FANIN_STATUS_BAD_ARGUMENT, {"dtype is 9", "0 to 5"}, {.dtype = (fanin_dtype)9, .rank = 1, .shape = {8}}, {NORMAL}},
    {FANIN_STATUS_BAD_SHAPE, {"rank is -1", "0 to 8"}, {.rank = -1}, {NORMAL}},
    {FANIN_STATUS_BAD_SHAPE, {"rank is 9", "0 to 8"}, {.rank = 9}, {NORMAL}},
    {FANIN_STATUS_BAD_SIZE,
     {"shape[0] = 1099511627776", "2^62"},
     {.rank = 2, .shape = {HUGE_EXTENT, HUGE_EXTENT}},
     {NORMAL}},
    {FANIN_STATUS_BAD_SIZE, {"offset = 0", "516 bytes"}, {.rank = 2, .shape = {3, 43}}, {NORMAL}},
    {FANIN_STATUS_BAD_SIZE, {"offset = 512", "4 bytes"}, {.offset = 512, .rank = 1, .shape = {1}}, {NORMAL}},
    {FANIN_STATUS_BAD_SIZE, {"offset = 4096", "4 bytes"}, {.offset = 4096, .rank = 1, .shape = {1}}, {NORMAL}},
    {FANIN_STATUS_BAD_ARGUMENT, {"offset = 2", "4 bytes"}, {.offset = 2, .rank = 1, .shape = {1}}, {NORMAL}},
    {FANIN_STATUS_BAD_ARGUMENT,
     {"offset = 3", "f16"},
     {.offset = 3, .dtype = FANIN_DTYPE_F16, .rank = 1, .shape = {1}},
     {NORMAL}},
    {FANIN_STATUS_BAD_LAYOUT, {"layout \"OX\"", "'X'"}, {.rank = 2, .shape = {2, 2}, .layout = "OX"}, {NORMAL}},
    {FANIN_STATUS_BAD_LAYOUT, {"layout \"WW\"", "twice"}, {.rank = 2, .shape = {2, 2}, .layout = "WW"}, {NORMAL}},
    {FANIN_STATUS_BAD_LAYOUT,
     {"has 3 letters, and the tensor has 2 dimensions", "or no layout"},
     {.rank = 2, .shape = {2, 2}, .layout = "OIW"},
     {NORMAL}},
    {FANIN_STATUS_BAD_LAYOUT,
     {"\"OI\" has 2 letters, and the tensor has 1 dimension; give one letter for each dimension, or no layout", NULL},
     {.rank = 1, .shape = {2}, .layout = "OI"},
     {NORMAL}},
    {FANIN_STATUS_BAD_LAYOUT,
     {"orthogonal: the layout has the letter B 2 times", "as one"},
     {.rank = 4, .shape = {2, 3, 4, 5}, .layout = "BBOI"},
     {.kind = FANIN_KIND_ORTHOGONAL}},
    {FANIN_STATUS_BAD_LAYOUT,
     {"sparse: the layout has the letter B 2 times", "as one"},
     {.rank = 4, .shape = {2, 3, 4, 5}, .layout = "BBOI"},
     {.kind = FANIN_KIND_SPARSE}},
    {FANIN_STATUS_BAD_LAYOUT,
     {"orthogonal: the layout has the letter O 2 times", "give these dimensions as one"},
     {.rank = 3, .shape = {2, 3, 4}, .layout = "OOI"},
     {.kind = FANIN_KIND_ORTHOGONAL}},
    {FANIN_STATUS_BAD_LAYOUT,
     {"delta_orthogonal: the layout has the letter O 2 times", "give these dimensions as one"},
     {.rank = 4, .shape = {2, 3, 4, 5}, .layout = "OOIW"},
     {.kind = FANIN_KIND_DELTA_ORTHOGONAL}},
    {FANIN_STATUS_BAD_LAYOUT,
     {"sparse: the layout has the letter I 2 times", "give these dimensions as one"},
     {.rank = 3, .shape = {2, 3, 4}, .layout = "OII"},
     {.kind = FANIN_KIND_SPARSE}},
    {FANIN_STATUS_BAD_LAYOUT,
     {"identity: the layout has the letter I 2 times", "give these dimensions as one"},
     {.rank = 3, .shape = {2, 3, 4}, .layout = "IIO"},
     {.kind = FANIN_KIND_IDENTITY}},
    {FANIN_STATUS_BAD_LAYOUT,
     {"dirac: the layout has the letter O 2 times", "give these dimensions as one"},
     {.rank = 4, .shape = {2, 3, 4, 5}, .layout = "OOIW"},
     {.kind = FANIN_KIND_DIRAC}},
    {FANIN_STATUS_BAD_LAYOUT,
     {"bilinear: the layout has the letter I 2 times", "give these dimensions as one"},
     {.rank = 4, .shape = {2, 3, 4, 5}, .layout = "OIIW"},
     {.kind = FANIN_KIND_BILINEAR}},
    {FANIN_STATUS_BAD_LAYOUT,
     {"hadamard: the layout has the letter O 2 times", "give these dimensions as one"},
     {.rank = 3, .shape = {2, 3, 4}, .layout = "OOI"},
     {.kind = FANIN_KIND_HADAMARD}},
    {FANIN_STATUS_BAD_LAYOUT,
     {"layout has more than 8 letters", NULL},
     {.rank = 2, .shape = {2, 2}, .layout = {'O', 'I', 'B', 'D', 'H', 'W', 'O', 'O', 'O'}},
     {NORMAL}},
    {FANIN_STATUS_BAD_SHAPE,
     {"groups = 3", "shape[0] = 8"},
     {.rank = 2, .shape = {8, 2}, .layout = "OI", .groups = 3},
     {NORMAL}},
    {FANIN_STATUS_BAD_LAYOUT,
     {"groups = 2", "O and I"},
     {.rank = 1, .shape = {8}, .layout = "O", .groups = 2},
     {NORMAL}},
    {FANIN_STATUS_BAD_SHAPE,
     {"splits = 3", "shape[1] = 8"},
     {.rank = 2, .shape = {2, 8}, .layout = "IO", .splits = 3},
     {NORMAL}},
    {FANIN_STATUS_BAD_LAYOUT, {"splits = 2", "layout is \"\""}, {.rank = 1, .shape = {8}, .splits = 2}, {NORMAL}},
    {FANIN_STATUS_BAD_ARGUMENT, {"part is 7", "2 (range)"}, {.rank = 1, .shape = {8}, .part = (fanin_part)7}, {NORMAL}},
    {FANIN_STATUS_BAD_SHAPE,
     {"start[1] = 5", "extent[1] = 4"},
     {.rank = 2, .shape = {8, 8}, .part = FANIN_PART_SLAB, .start = {0, 5}, .extent = {1, 4}},
     {NORMAL}},
    {FANIN_STATUS_BAD_SHAPE,
     {"extent[0] = 18446744073709551615", "shape[0] = 8"},
     {.rank = 1, .shape = {8}, .part = FANIN_PART_SLAB, .start = {5}, .extent = {UINT64_MAX}},
     {NORMAL}},
    {FANIN_STATUS_BAD_SHAPE,
     {"first = 7", "count = 2"},
     {.rank = 1, .shape = {8}, .part = FANIN_PART_RANGE, .first = 7, .count = 2},
     {NORMAL}},
    {FANIN_STATUS_BAD_SHAPE,
     {"first = 18446744073709551615", "8 elements"},
     {.rank = 1, .shape = {8}, .part = FANIN_PART_RANGE, .first = UINT64_MAX, .count = 2},
     {NORMAL}},
    {FANIN_STATUS_BAD_SHAPE,
     {"strides", "range"},
     {.rank = 1, .shape = {8}, .strides = {1}, .part = FANIN_PART_RANGE, .count = 2},
     {NORMAL}},
    {FANIN_STATUS_BAD_SHAPE, {"strides[0] = 3", "overlap"}, {.rank = 2, .shape = {4, 4}, .strides = {3, 1}}, {NORMAL}},
    {FANIN_STATUS_BAD_SHAPE, {"strides[1] = 0", "overlap"}, {.rank = 2, .shape = {4, 4}, .strides = {4, 0}}, {NORMAL}},
    {FANIN_STATUS_BAD_SIZE,
     {"strides[0] = 9223372036854775808", "64 bits"},
     {.rank = 2, .shape = {4, 4}, .strides = {UINT64_C(1) << 63, 1}},
     {NORMAL}},
    {FANIN_STATUS_BAD_SIZE,
     {"offset = 0", "4611686018427387908 bytes"},
     {.rank = 2, .shape = {2, 1}, .strides = {UINT64_C(1) << 60, 1}},
     {NORMAL}},
};

#define ANY_TENSOR                                                                                                     \
  { .rank = 2, .shape = {8, 8}, .layout = "OI" }
#define F16_TENSOR                                                                                                     \
  { .dtype = FANIN_DTYPE_F16, .rank = 2, .shape = {8, 8}, .layout = "OI" }
#define BF16_TENSOR                                                                                                    \
  { .dtype = FANIN_DTYPE_BF16, .rank = 2, .shape = {8, 8}, .layout = "OI" }
#define NO_LAYOUT                                                                                                      \
  {                                                                                                                    \
    .rank = 2, .shape = { 8, 8 }                                                                                       \
  }

static const bad_case bad_inits[] = {
    {FANIN_STATUS_BAD_ARGUMENT, {"kind is 99", "0 to 25"}, ANY_TENSOR, {.kind = (fanin_kind)99}},
    {FANIN_STATUS_BAD_ARGUMENT, {"kind is -1", "0 to 25"}, ANY_TENSOR, {.kind = (fanin_kind)-1}},
    {FANIN_STATUS_BAD_ARGUMENT, {"value is nan", "finite"}, ANY_TENSOR, {.kind = FANIN_KIND_CONSTANT, .value = NAN}},
    {FANIN_STATUS_BAD_ARGUMENT,
     {"value is -inf", "finite"},
     ANY_TENSOR,
     {.kind = FANIN_KIND_CONSTANT, .value = -INFINITY}},
    {FANIN_STATUS_BAD_ARGUMENT, {"value = 1e+39", "f32"}, ANY_TENSOR, {.kind = FANIN_KIND_CONSTANT, .value = 1e39}},
    {FANIN_STATUS_BAD_ARGUMENT, {"value = 70000", "f16"}, F16_TENSOR, {.kind = FANIN_KIND_CONSTANT, .value = 70000}},
    {FANIN_STATUS_BAD_ARGUMENT, {"lo is nan", "finite"}, ANY_TENSOR, {.kind = FANIN_KIND_UNIFORM, .lo = NAN, .hi = 1}},
    {FANIN_STATUS_BAD_ARGUMENT,
     {"hi is inf", "finite"},
     ANY_TENSOR,
     {.kind = FANIN_KIND_UNIFORM, .lo = 0, .hi = INFINITY}},
    {FANIN_STATUS_BAD_ARGUMENT, {"lo is 2", "hi is 1"}, ANY_TENSOR, {.kind = FANIN_KIND_UNIFORM, .lo = 2, .hi = 1}},
    {FANIN_STATUS_BAD_ARGUMENT,
     {"lo = -66000", "f16"},
     F16_TENSOR,
     {.kind = FANIN_KIND_UNIFORM, .lo = -66000, .hi = 1}},
    {FANIN_STATUS_BAD_ARGUMENT, {"hi = 1e+300", "f32"}, ANY_TENSOR, {.kind = FANIN_KIND_UNIFORM, .lo = 0, .hi = 1e300}},
    {FANIN_STATUS_BAD_ARGUMENT,
     {"lo = 1.0001", "bf16"},
     BF16_TENSOR,
     {.kind = FANIN_KIND_UNIFORM, .lo = 1.0001, .hi = 1.0002}},
    {FANIN_STATUS_BAD_ARGUMENT,
     {"mean is nan", "finite"},
     ANY_TENSOR,
     {.kind = FANIN_KIND_NORMAL, .mean = NAN, .std = 1}},
    {FANIN_STATUS_BAD_ARGUMENT, {"std is -1", "0 or more"}, ANY_TENSOR, {.kind = FANIN_KIND_NORMAL, .std = -1}},
    {FANIN_STATUS_BAD_ARGUMENT, {"std is inf", "finite"}, ANY_TENSOR, {.kind = FANIN_KIND_NORMAL, .std = INFINITY}},
    {FANIN_STATUS_BAD_ARGUMENT, {"std times", "f16"}, F16_TENSOR, {.kind = FANIN_KIND_NORMAL, .std = 10000}},
    {FANIN_STATUS_BAD_ARGUMENT, {"a is nan", "inf"}, ANY_TENSOR, {TRUNC, .uncorrected = 1, .std = 1, .a = NAN, .b = 2}},
    {FANIN_STATUS_BAD_ARGUMENT, {"a is 2", "b is 2"}, ANY_TENSOR, {TRUNC, .uncorrected = 1, .std = 1, .a = 2, .b = 2}},
    {FANIN_STATUS_BAD_ARGUMENT,
     {"std is -0.1", "0 or more"},
     ANY_TENSOR,
     {TRUNC, .uncorrected = 1, .std = -0.1, .a = -2, .b = 2}},
    {FANIN_STATUS_BAD_ARGUMENT,
     {"corrected is 2", "false, true"},
     ANY_TENSOR,
     {TRUNC, .uncorrected = 2, .std = 1, .a = -2, .b = 2}},
    {FANIN_STATUS_BAD_ARGUMENT,
     {"bounds is 5", "sigma, absolute"},
     ANY_TENSOR,
     {TRUNC, .uncorrected = 1, .std = 1, .a = -2, .b = 2, .bounds = (fanin_bounds)5}},
    {FANIN_STATUS_BAD_ARGUMENT,
     {"std = 0.6", "0.577350269"},
     ANY_TENSOR,
     {TRUNC, .std = 0.6, .a = -1, .b = 1, .bounds = FANIN_BOUNDS_ABSOLUTE}},
    {FANIN_STATUS_BAD_ARGUMENT,
     {"1e+16", "1e15"},
     ANY_TENSOR,
     {TRUNC, .uncorrected = 1, .std = 1, .a = 1e16, .b = INFINITY}},
    {FANIN_STATUS_BAD_ARGUMENT,
     {"lo = 10000000000", "f16"},
     F16_TENSOR,
     {TRUNC, .uncorrected = 1, .std = 1, .a = 1e10, .b = 2e10}},
    {FANIN_STATUS_BAD_ARGUMENT,
     {"mean = 1e+300", "f32"},
     ANY_TENSOR,
     {TRUNC, .uncorrected = 1, .mean = 1e300, .std = 1, .a = -1, .b = 1}},
    {FANIN_STATUS_BAD_ARGUMENT,
     {"gain is nan", "finite"},
     ANY_TENSOR,
     {.kind = FANIN_KIND_XAVIER_UNIFORM, .gain = NAN}},
    {FANIN_STATUS_BAD_ARGUMENT,
     {"gain is -1", "0 or more"},
     ANY_TENSOR,
     {.kind = FANIN_KIND_XAVIER_UNIFORM, .gain = -1}},
    {FANIN_STATUS_BAD_ARGUMENT,
     {"distribution is 1", "normal, trunc_normal"},
     ANY_TENSOR,
     {.kind = FANIN_KIND_XAVIER_NORMAL, .gain = 1, .distribution = FANIN_DISTRIBUTION_UNIFORM}},
    {FANIN_STATUS_BAD_ARGUMENT, {"a is nan", "number"}, ANY_TENSOR, {HE_NORMAL, .a = NAN}},
    {FANIN_STATUS_BAD_ARGUMENT,
     {"mode is 4", "fan_in, fan_out, fan_avg, fan_geo"},
     ANY_TENSOR,
     {HE_NORMAL, .mode = (fanin_mode)4}},
    {FANIN_STATUS_BAD_ARGUMENT,
     {"scale is -2", "0 or more"},
     ANY_TENSOR,
     {.kind = FANIN_KIND_VARIANCE_SCALING, .scale = -2}},
    {FANIN_STATUS_BAD_ARGUMENT,
     {"distribution is 3", "uniform, normal, trunc_normal"},
     ANY_TENSOR,
     {.kind = FANIN_KIND_VARIANCE_SCALING, .scale = 1, .distribution = (fanin_distribution)3}},
    {FANIN_STATUS_BAD_LAYOUT, {"he_normal", "layout is \"\""}, NO_LAYOUT, {HE_NORMAL}},
    {FANIN_STATUS_BAD_LAYOUT, {"lecun_uniform", "layout is \"\""}, NO_LAYOUT, {.kind = FANIN_KIND_LECUN_UNIFORM}},
    {FANIN_STATUS_BAD_LAYOUT, {"identity", "O and I"}, NO_LAYOUT, {.kind = FANIN_KIND_IDENTITY, .gain = 1}},
    {FANIN_STATUS_BAD_ARGUMENT, {"gain is inf", "finite"}, ANY_TENSOR, {.kind = FANIN_KIND_IDENTITY, .gain = INFINITY}},
    {FANIN_STATUS_BAD_ARGUMENT, {"value = 100000", "f16"}, F16_TENSOR, {.kind = FANIN_KIND_IDENTITY, .gain = 100000}},
    {FANIN_STATUS_BAD_LAYOUT, {"dirac", "D, H and W"}, ANY_TENSOR, {.kind = FANIN_KIND_DIRAC, .gain = 1}},
    {FANIN_STATUS_BAD_LAYOUT,
     {"identity", "taps"},
     {.rank = 3, .shape = {2, 2, 2}, .layout = "OIW"},
     {.kind = FANIN_KIND_IDENTITY, .gain = 1}},
    {FANIN_STATUS_BAD_SHAPE,
     {"groups = 2", "splits = 2"},
     {.rank = 2, .shape = {4, 4}, .layout = "IO", .groups = 2, .splits = 2},
     {.kind = FANIN_KIND_IDENTITY, .gain = 1}},
};

static void assert_sentence(const char *word) {
  if (!word || strstr(fanin_last_error(), word)) return;
  fail_msg("\"%s\" does not have \"%s\"", fanin_last_error(), word);
}

static void assert_refused(fanin *f, cl_mem buffer, const bad_case *cases, size_t n) {
  for (size_t k = 0; k < n; k++) {
    fanin_tensor t = cases[k].t;
    t.buffer = buffer;
    cl_event event = NULL;
    const fanin_status status = fanin_fill(f, NULL, &t, &cases[k].init, (fanin_key){1, 2}, 0, NULL, &event);
    if (status != cases[k].status) print_error("case %zu, with \"%s\":\n", k, cases[k].words[0]);
    assert_status(status, cases[k].status);
    assert_sentence(cases[k].words[0]);
    assert_sentence(cases[k].words[1]);
    assert_null(event);
  }
  test_assert_guarded(f, buffer, 0, 0);
}

static cl_mem buffer_of(fanin *f) {
  return test_guarded(f, 0, BUFFER_ELEMENTS * sizeof(float));
}

static void test_bad_tensors(void **state) {
  fanin *const f = *state;
  const cl_mem buffer = buffer_of(f);
  assert_refused(f, buffer, bad_tensors, LEN(bad_tensors));
  clReleaseMemObject(buffer);
}

static void test_bad_initializers(void **state) {
  fanin *const f = *state;
  const cl_mem buffer = buffer_of(f);
  assert_refused(f, buffer, bad_inits, LEN(bad_inits));
  clReleaseMemObject(buffer);
}

/* ---- What is not in the tensor or the initializer ---------------------------------------------------------------- */

static const fanin_init normal = {.kind = FANIN_KIND_NORMAL, .std = 1};

static fanin_tensor tensor_in(cl_mem buffer) {
  const uint64_t shape[] = {BUFFER_ELEMENTS};
  return test_tensor_of(buffer, 0, FANIN_DTYPE_F32, NULL, 1, shape);
}

static void test_null(void **state) {
  fanin *const f = *state;
  const cl_mem buffer = buffer_of(f);
  const fanin_tensor t = tensor_in(buffer), none = tensor_in(NULL);
  const fanin_key key = {1, 2};
  assert_status(fanin_fill(NULL, NULL, &t, &normal, key, 0, NULL, NULL), FANIN_STATUS_BAD_ARGUMENT);
  assert_sentence("f is NULL");
  assert_status(fanin_fill(f, NULL, NULL, &normal, key, 0, NULL, NULL), FANIN_STATUS_BAD_ARGUMENT);
  assert_sentence("t is NULL");
  assert_status(fanin_fill(f, NULL, &t, NULL, key, 0, NULL, NULL), FANIN_STATUS_BAD_ARGUMENT);
  assert_sentence("init is NULL");
  assert_status(fanin_fill(f, NULL, &none, &normal, key, 0, NULL, NULL), FANIN_STATUS_BAD_ARGUMENT);
  assert_sentence("buffer is NULL");
  test_assert_guarded(f, buffer, 0, 0);
  clReleaseMemObject(buffer);
}

static void assert_names(fanin_status status, const char *null) {
  assert_status(status, FANIN_STATUS_BAD_ARGUMENT);
  assert_sentence(null);
}

/* Everything else that takes a fanin, a tensor or an initializer. */
static void test_null_elsewhere(void **state) {
  fanin *const f = *state;
  const cl_mem buffer = buffer_of(f);
  const fanin_tensor t = tensor_in(buffer), none = tensor_in(NULL);
  fanin_tensor out;
  fanin_stats stats;
  fanin_moments moments;
  fanin_init init;
  uint64_t n;
  float values[BUFFER_ELEMENTS];
  assert_names(fanin_read(NULL, NULL, &t, values, sizeof values, 1, 0, NULL, NULL), "f is NULL");
  assert_names(fanin_warmup(NULL, &t, &normal), "f is NULL");
  assert_names(fanin_measure(NULL, NULL, &t, 0, NULL, &stats, sizeof stats), "f is NULL");
  assert_names(fanin_tensor_alloc(NULL, FANIN_DTYPE_F32, NULL, 1, t.shape, &out), "f is NULL");
  assert_names(fanin_tensor_svm(NULL, values, &none, &out), "f is NULL");
  assert_names(fanin_read(f, NULL, NULL, values, sizeof values, 1, 0, NULL, NULL), "t is NULL");
  assert_names(fanin_measure(f, NULL, NULL, 0, NULL, &stats, sizeof stats), "t is NULL");
  assert_names(fanin_tensor_svm(f, values, NULL, &out), "t is NULL");
  assert_names(fanin_tensor_split(NULL, 0, 0, 1, &out), "t is NULL");
  assert_names(fanin_tensor_split_range(NULL, 0, 1, &out), "t is NULL");
  assert_names(fanin_tensor_size(NULL, &n, &n), "t is NULL");
  assert_names(fanin_fans(NULL, &n, &n), "t is NULL");
  assert_names(fanin_expect(&t, NULL, &moments, sizeof moments), "init is NULL");
  assert_names(fanin_init_scaled(NULL, 2, &init), "init is NULL");
  clReleaseMemObject(buffer);
}

/* Of a second context on the same device. */
static void test_other_context(void **state) {
  fanin *const f = *state, *const other = test_open();
  const cl_mem buffer = buffer_of(f), foreign = buffer_of(other);
  const fanin_tensor t = tensor_in(buffer), u = tensor_in(foreign);
  const fanin_key key = {1, 2};
  assert_status(fanin_fill(f, NULL, &u, &normal, key, 0, NULL, NULL), FANIN_STATUS_BAD_ARGUMENT);
  assert_sentence("buffer belongs to another context");
  assert_status(fanin_fill(f, test_queue(other), &t, &normal, key, 0, NULL, NULL), FANIN_STATUS_BAD_ARGUMENT);
  assert_sentence("queue belongs to another context");
  cl_int code = CL_SUCCESS;
  const cl_event gate = clCreateUserEvent(test_context(other), &code);
  assert_int_equal(code, CL_SUCCESS);
  assert_status(fanin_fill(f, NULL, &t, &normal, key, 1, &gate, NULL), FANIN_STATUS_BAD_ARGUMENT);
  assert_sentence("wait_list[0] belongs to another context");
  clReleaseEvent(gate);
  test_assert_guarded(f, buffer, 0, 0);
  test_assert_guarded(other, foreign, 0, 0);
  clReleaseMemObject(buffer);
  clReleaseMemObject(foreign);
  test_close(other);
}

/* PoCL reads such a list instead of refusing it. */
static void test_wait_list(void **state) {
  fanin *const f = *state;
  const cl_mem buffer = buffer_of(f);
  const fanin_tensor t = tensor_in(buffer), empty = test_tensor_range(t, 5, 0);
  const fanin_key key = {1, 2};
  cl_event event = NULL;
  assert_status(fanin_fill(f, NULL, &t, &normal, key, 1, NULL, &event), FANIN_STATUS_BAD_ARGUMENT);
  assert_sentence("wait_list is NULL");
  assert_status(fanin_fill(f, NULL, &empty, &normal, key, 3, NULL, &event), FANIN_STATUS_BAD_ARGUMENT);
  assert_sentence("n_wait");
  assert_null(event);
  test_assert_guarded(f, buffer, 0, 0);
  clReleaseMemObject(buffer);
}

static void test_no_f64(void **state) {
  (void)state;
  fanin *const f = test_open();
  f->has_f64 = false;
  const cl_mem buffer = buffer_of(f);
  fanin_tensor t = tensor_in(buffer);
  t.dtype = FANIN_DTYPE_F64;
  t.shape[0] = 4;
  assert_status(fanin_fill(f, NULL, &t, &normal, (fanin_key){1, 2}, 0, NULL, NULL), FANIN_STATUS_UNSUPPORTED);
  assert_sentence("f64");
  test_assert_guarded(f, buffer, 0, 0);
  clReleaseMemObject(buffer);
  test_close(f);
}

/* Refusals leave nothing behind: the same fanin still fills. */
static void test_fills_after_refusals(void **state) {
  fanin *const f = *state;
  const cl_mem buffer = buffer_of(f);
  const fanin_tensor t = tensor_in(buffer);
  cl_event event = NULL;
  assert_ok(fanin_fill(f, NULL, &t, &normal, (fanin_key){1, 2}, 0, NULL, &event));
  assert_int_equal(clWaitForEvents(1, &event), CL_SUCCESS);
  clReleaseEvent(event);
  test_assert_guarded(f, buffer, 0, BUFFER_ELEMENTS * sizeof(float));
  clReleaseMemObject(buffer);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_bad_tensors),   cmocka_unit_test(test_bad_initializers),
      cmocka_unit_test(test_null),          cmocka_unit_test(test_null_elsewhere),
      cmocka_unit_test(test_other_context), cmocka_unit_test(test_wait_list),
      cmocka_unit_test(test_no_f64),        cmocka_unit_test(test_fills_after_refusals),
  };
  return cmocka_run_group_tests(tests, test_group_open, test_group_close);
}
