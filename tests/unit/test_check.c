/* Devices that lie: a driver is simulated that compiles something else than what it is given, in each of the ways that
 * host/fill/check.c looks for. Every lie is refused by every call that fills, in a sentence of its own, before anything
 * is written; and what a lie does not concern is filled right. */
#include "support/support.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "core/context.h"
#include "oracle/image.h"

/* ---- The driver -------------------------------------------------------------------------------------------------- */

/* What is put before a source, and what is written in it instead of what: NULL: nothing. */
typedef struct lie {
  fanin_dtype dtype;
  size_t lanes;
  const char *before, *from, *to;
  const char *sentence;
} lie;

static const lie *told;     /* NULL: the truth */
static size_t replacements; /* of `from`, in all sources so far */
static size_t kernels_run;

/* POSIX's way from dlsym() to a function. */
#define NEXT(type, name, parameters)                                                                                   \
  type(*real) parameters;                                                                                              \
  *(void **)&real = dlsym(RTLD_NEXT, #name);                                                                           \
  if (!real) abort()

/* Appends to a text that has room. */
static char *append(char *end, const char *text, size_t size) {
  memcpy(end, text, size);
  end[size] = '\0';
  return end + size;
}

/* The source as the driver compiles it; free() it. */
static char *lied(const char *text, size_t size) {
  const char *const to = told->to ? told->to : "";
  const size_t from = told->from ? strlen(told->from) : 0;
  char *const source = calloc(1, size + 1), *const out = calloc(4, size + 4096), *end = out;
  assert_non_null(source);
  assert_non_null(out);
  memcpy(source, text, size);
  if (told->before) end = append(end, told->before, strlen(told->before));
  const char *at = source;
  for (const char *next; from > 0 && (next = strstr(at, told->from)); at = next + from) {
    end = append(end, at, (size_t)(next - at));
    end = append(end, to, strlen(to));
    replacements++;
  }
  (void)append(end, at, strlen(at));
  free(source);
  return out;
}

cl_program clCreateProgramWithSource(cl_context context, cl_uint count, const char **strings, const size_t *lengths,
                                     cl_int *errcode_ret) {
  NEXT(cl_program, clCreateProgramWithSource, (cl_context, cl_uint, const char **, const size_t *, cl_int *));
  if (!told) return real(context, count, strings, lengths, errcode_ret);
  char *const text = lied(strings[0], lengths[0]);
  const cl_program program = real(context, 1, (const char *[]){text}, NULL, errcode_ret);
  free(text);
  return program;
}

cl_int clEnqueueNDRangeKernel(cl_command_queue queue, cl_kernel kernel, cl_uint work_dim, const size_t *offset,
                              const size_t *global, const size_t *local, cl_uint n, const cl_event *list,
                              cl_event *event) {
  NEXT(cl_int, clEnqueueNDRangeKernel,
       (cl_command_queue, cl_kernel, cl_uint, const size_t *, const size_t *, const size_t *, cl_uint, const cl_event *,
        cl_event *));
  kernels_run++;
  return real(queue, kernel, work_dim, offset, global, local, n, list, event);
}

/* ---- Lies -------------------------------------------------------------------------------------------------------- */

#define LONG(text)        "#if defined(F64)\n" text "\n#endif\n"
#define SPLIT_FMA         "#define fma(a, b, c) ((a) * (b) + (c))"
#define IN_DOUBLE(x)      "convert_double8(" x ")"
#define BOTH              "VSTORE(a * b + c, k"
#define FLOAT             FANIN_DTYPE_F32, 8
#define DOUBLE            FANIN_DTYPE_F64, 8
#define HALF              FANIN_DTYPE_F16, 8
#define SCALAR            FANIN_DTYPE_F32, 1
#define SINGLES_AS_HALVES "in_order(VLOAD(k, CHECK_ROW(float, SINGLES)))"

static const lie lies[] = {
    /* Contraction, and fma. */
    {FLOAT, NULL, BOTH, "VSTORE(fma(a, b, c), k", "it contracts a float product and sum to an fma"},
    {DOUBLE, NULL, BOTH, "VSTORE(sizeof(real) == 4 ? a * b + c : fma(a, b, c), k",
     "it contracts a double product and sum to an fma"},
    {FLOAT, SPLIT_FMA "\n", NULL, NULL, "its float fma rounds twice"},
    {DOUBLE, LONG(SPLIT_FMA), NULL, NULL, "its double fma rounds twice"},
    {FLOAT,
     "#pragma OPENCL EXTENSION cl_khr_fp64 : enable\n"
     "#define fma(a, b, c) convert_float8(" IN_DOUBLE("a") " * " IN_DOUBLE("b") " + " IN_DOUBLE("c") ")\n",
     NULL, NULL, "its float fma is not rounded once to the nearest"},
    {FLOAT, NULL, "VSTORE(fma(a, b, c), k", "VSTORE(as_float8(as_int8(fma(a, b, c)) & ~1), k",
     "its float fma is not rounded once to the nearest"},
    /* Rounding: cut off, or otherwise one place off. */
    {FLOAT, "#pragma OPENCL EXTENSION cl_khr_fp64 : enable\n", "VSTORE(a + c, k",
     "VSTORE(convert_float8_rtz(" IN_DOUBLE("a") " + " IN_DOUBLE("c") "), k", "its float addition does not round"},
    {FLOAT, "#pragma OPENCL EXTENSION cl_khr_fp64 : enable\n", "VSTORE(a * b, k",
     "VSTORE(convert_float8_rtz(" IN_DOUBLE("a") " * " IN_DOUBLE("b") "), k",
     "its float multiplication does not round"},
    {FLOAT, NULL, BOTH, "VSTORE(as_float8(as_int8(a * b + c) & ~1), k", "its float product and sum are not rounded"},
    {DOUBLE, NULL, "VSTORE(a + c, k", "VSTORE(a + c + (c - (a + c - a)) * 2.0, k",
     "its double addition does not round"},
    {DOUBLE, NULL, "VSTORE(a * b, k", "VSTORE(as_double4(as_long4(a * b) & ~1l), k",
     "its double multiplication does not round"},
    {DOUBLE, NULL, "VSTORE(b / a, k", "VSTORE(b * (1.0 / a), k", "its double division does not round"},
    {DOUBLE, NULL, "VSTORE(sqrt(a), k", "VSTORE(sqrt(a) * 0x1.0000000000001p+0, k",
     "its double square root does not round"},
    /* Conversions. */
    {FLOAT, NULL, "VSTORE(TO(float, AS(int, w))", "VSTORE(convert_float8_rtz(AS(int, w))",
     "its conversion of signed integers to float does not round"},
    {FLOAT, NULL, "VSTORE(TO(float, w)", "VSTORE(convert_float8_rtz(w)",
     "its conversion of unsigned integers to float does not round"},
    {DOUBLE, NULL, "VSTORE(TO(double, AS(long, w))", "VSTORE(convert_double4_rtz(AS(long, w))",
     "its conversion of signed integers to double does not round"},
    {DOUBLE, NULL, "VSTORE(TO(double, w)", "VSTORE(convert_double4_rtz(w)",
     "its conversion of unsigned integers to double does not round"},
    /* Whole numbers, and mul_hi() where that is used. */
    {FLOAT, NULL, "(((x)&LOW) * (ulong)(m))", "((((x)&LOW) * (ulong)(m)) & ~0x100000000ul)",
     "its product of two 32-bit words is wrong"},
    {SCALAR, "#define __NV_CL_C_VERSION 120\n", "= mul_hi(a, m)", "= mul_hi(a, m) & ~1u",
     "its product of two 32-bit words is wrong"},
    {FLOAT, NULL, "[k] * CHECK_ROW(ulong, Y)[k]", "[k] * (uint)CHECK_ROW(ulong, Y)[k]",
     "its product of 64-bit integers is wrong"},
    {DOUBLE, NULL, "? a / b :", "? (ulong)((float)a / (float)b) :", "its quotient of 64-bit integers is wrong"},
    {FLOAT, NULL, "AS(int, w) >> 23", "w >> 23", "its shifts of integers as long as a float are wrong"},
    {DOUBLE, NULL, "AS(long, w) >> 52", "w >> 52", "its shifts of integers as long as a double are wrong"},
    /* Halves. */
    {HALF, NULL, "JOIN(JOIN(vstore_half, WIDTH), _rte)", "JOIN(JOIN(vstore_half, WIDTH), _rtz)",
     "its conversion of float to half does not round"},
    {HALF, NULL, "vstore_half_rte(x", "vstore_half_rtz(x", "its conversion of float to half does not round"},
    {HALF, NULL, SINGLES_AS_HALVES,
     "in_order(select(VLOAD(k, CHECK_ROW(float, SINGLES)), copysign((float8)(0), VLOAD(k, CHECK_ROW(float, SINGLES))),"
     "isless(fabs(VLOAD(k, CHECK_ROW(float, SINGLES))), (float8)(0x1p-14f))))",
     "its conversion of float to half flushes subnormal numbers to 0"},
};

/* ---- Tests ------------------------------------------------------------------------------------------------------- */

/* The truth again, after a test that failed. */
static int tell_the_truth(void **state) {
  (void)state;
  told = NULL;
  return 0;
}

static const uint64_t shape[] = {37};
static const fanin_init ones = {.kind = FANIN_KIND_CONSTANT, .value = 1};

static fanin *open_with(size_t lanes) {
  assert_int_equal(setenv("FANIN_LANES", lanes == 1 ? "1" : "8", 1), 0);
  fanin *const f = test_open();
  assert_int_equal(unsetenv("FANIN_LANES"), 0);
  return f;
}

static void assert_says(fanin_status status, const lie *l) {
  assert_status(status, FANIN_STATUS_UNSUPPORTED);
  if (!strstr(fanin_last_error(), l->sentence)) fail_msg("\"%s\" does not say \"%s\"", fanin_last_error(), l->sentence);
}

static void assert_refused(fanin_status status, const lie *l) {
  assert_says(status, l);
  assert_non_null(strstr(fanin_last_error(), fanin_dtype_name(l->dtype)));
}

/* The kernel of the check runs, and no other. */
static void test_lies_are_refused(void **state) {
  (void)state;
  for (size_t k = 0; k < sizeof lies / sizeof *lies; k++) {
    const lie *const l = &lies[k];
    fanin *const f = open_with(l->lanes);
    if (l->dtype == FANIN_DTYPE_F64 && !f->has_f64) skip();
    fanin_tensor t = test_tensor_of(NULL, 0, l->dtype, "O", 1, shape);
    t.buffer = test_guarded(f, 0, 37 * fanin_dtype_size(l->dtype));
    told = l;
    replacements = kernels_run = 0;
    cl_event event = NULL;
    assert_refused(fanin_fill(f, NULL, &t, &ones, (fanin_key){0}, 0, NULL, &event), l);
    assert_null(event);
    assert_int_equal(kernels_run, 1);
    if (l->from && replacements == 0) fail_msg("no source has \"%s\"", l->from);
    test_assert_guarded(f, t.buffer, 0, 0);
    told = NULL;
    fanin_tensor_free(&t);
    test_close(f);
  }
}

/* A lie about doubles alone: nothing else is wrong, so floats are filled, and right. */
static void test_floats_are_filled(void **state) {
  (void)state;
  const lie only_double = {DOUBLE, LONG(SPLIT_FMA), NULL, NULL, "its double fma rounds twice"};
  fanin *const f = open_with(8);
  if (!f->has_f64) skip();
  const fanin_init normal = fanin_normal(0, 1), uniform = fanin_uniform(-1, 2);
  told = &only_double;
  fanin_tensor t = test_tensor_of(NULL, 0, FANIN_DTYPE_F64, "O", 1, shape);
  t.buffer = test_guarded(f, 0, 37 * sizeof(double));
  oracle_assert_fill(f, NULL, test_tensor_of(NULL, 12, FANIN_DTYPE_F32, NULL, 1, shape), &normal, (fanin_key){1, 2});
  assert_refused(fanin_fill(f, NULL, &t, &normal, (fanin_key){0}, 0, NULL, NULL), &only_double);
  oracle_assert_fill(f, NULL, test_tensor_of(NULL, 6, FANIN_DTYPE_BF16, NULL, 1, shape), &uniform, (fanin_key){1, 2});
  assert_refused(fanin_fill(f, NULL, &t, &normal, (fanin_key){0}, 0, NULL, NULL), &only_double); /* not forgotten */
  test_assert_guarded(f, t.buffer, 0, 0);
  told = NULL;
  fanin_tensor_free(&t);
  test_close(f);
}

/* A fill whose elements are all written by a program of its own is checked by that program. */
static void test_every_call_refuses(void **state) {
  (void)state;
  const lie *const l = &lies[2];
  static const char *const inits[] = {"ones", "bilinear", "orthogonal", "sparse", "dirac"};
  const uint64_t sides[] = {5, 7, 3};
  fanin *const f = open_with(8);
  fanin_tensor t = test_tensor_of(NULL, 0, l->dtype, "OIW", 3, sides);
  told = l;
  for (size_t k = 0; k < sizeof inits / sizeof *inits; k++) {
    fanin_init init;
    fanin_plan *plan = NULL;
    assert_ok(fanin_init_parse(inits[k], &init));
    t.buffer = NULL;
    kernels_run = 0;
    assert_refused(fanin_warmup(f, &t, &init), l);
    assert_refused(fanin_plan_create(f, &(fanin_item){.tensor = t, .init = init}, 1, &plan), l);
    assert_null(plan);
    t.buffer = test_guarded(f, 0, 5 * 7 * 3 * sizeof(float));
    assert_refused(fanin_fill(f, NULL, &t, &init, (fanin_key){0}, 0, NULL, NULL), l);
    assert_refused(fanin_fill_shards(&(fanin_shard){.f = f, .tensor = t}, 1, &init, (fanin_key){0}), l);
    assert_int_equal(kernels_run, 4);
    test_assert_guarded(f, t.buffer, 0, 0);
    fanin_tensor_free(&t);
  }
  told = NULL;
  test_close(f);
}

/* Loops that end early, as Mesa 22's do on llvmpipe: what has long ones is refused by every call, and nothing of it is
 * enqueued; everything else is filled, and right. */
static void test_long_loops_are_refused(void **state) {
  (void)state;
  const lie short_loops = {FLOAT, NULL, "pass < FANIN__CHECK_PASSES", "pass < 65533",
                           "ends a loop before its 70000 passes are done"};
  static const char *const inits[] = {"orthogonal", "delta_orthogonal", "sparse"};
  const uint64_t sides[] = {7, 5, 3}, widths[] = {4, 4};
  fanin *const f = open_with(8);
  const fanin_init normal = fanin_normal(0, 1);
  fanin_probe_report *report = NULL;
  fanin_probe_config config = FANIN_PROBE_CONFIG_INIT;
  config.widths = widths;
  config.n_widths = 2;
  config.batch = 8;
  config.activation = "relu";
  config.init = normal;
  told = &short_loops;
  replacements = 0;
  oracle_assert_fill(f, NULL, test_tensor_of(NULL, 12, FANIN_DTYPE_F32, "OIW", 3, sides), &normal, (fanin_key){1, 2});
  assert_true(replacements > 0);
  for (size_t k = 0; k < sizeof inits / sizeof *inits; k++) {
    fanin_init init;
    fanin_plan *plan = NULL;
    fanin_tensor t = test_tensor_of(NULL, 0, FANIN_DTYPE_F32, "OIW", 3, sides);
    assert_ok(fanin_init_parse(inits[k], &init));
    kernels_run = 0;
    assert_says(fanin_warmup(f, &t, &init), &short_loops);
    assert_says(fanin_plan_create(f, &(fanin_item){.tensor = t, .init = init}, 1, &plan), &short_loops);
    assert_null(plan);
    t.buffer = test_guarded(f, 0, 7 * 5 * 3 * sizeof(float));
    assert_says(fanin_fill(f, NULL, &t, &init, (fanin_key){0}, 0, NULL, NULL), &short_loops);
    assert_says(fanin_fill_shards(&(fanin_shard){.f = f, .tensor = t}, 1, &init, (fanin_key){0}), &short_loops);
    assert_int_equal(kernels_run, 0);
    test_assert_guarded(f, t.buffer, 0, 0);
    fanin_tensor_free(&t);
  }
  assert_says(fanin_probe(f, NULL, &config, &report), &short_loops);
  assert_null(report);
  enum { LONG = 8 * 60016 }; /* 60,016 vectors */
  const fanin_pair long_pair = {0, 1, LONG}, short_pair = {0, 1, 16};
  fanin_products products = {-1, -1, -1, -1, -1};
  const cl_mem samples = test_guarded(f, 0, 2 * LONG * sizeof(float));
  assert_says(fanin_measure_pairs(f, NULL, samples, 2, LONG, &long_pair, 1, &products, sizeof products), &short_loops);
  assert_int_equal(kernels_run, 0);
  assert_ok(fanin_measure_pairs(f, NULL, samples, 2, LONG, &short_pair, 1, &products, sizeof products));
  assert_int_equal(clReleaseMemObject(samples), CL_SUCCESS);
  told = NULL;
  test_close(f);
}

/* Once for each kind of arithmetic; and a queue whose work waits for the caller does not hold it up. */
static void test_checks_once(void **state) {
  (void)state;
  static const struct {
    fanin_dtype dtype;
    size_t kernels;
  } fills[] = {{FANIN_DTYPE_F32, 2}, {FANIN_DTYPE_F32, 1}, {FANIN_DTYPE_BF16, 1}, {FANIN_DTYPE_F8_E5M2, 1},
               {FANIN_DTYPE_F16, 2}, {FANIN_DTYPE_F16, 1}, {FANIN_DTYPE_F64, 2},  {FANIN_DTYPE_F64, 1}};
  fanin *const f = open_with(8);
  cl_int code = CL_SUCCESS;
  const cl_event gate = clCreateUserEvent(test_context(f), &code);
  assert_int_equal(code, CL_SUCCESS);
  const cl_mem buffer = test_guarded(f, 0, 37 * sizeof(double));
  for (size_t k = 0; k < sizeof fills / sizeof *fills; k++) {
    if (fills[k].dtype == FANIN_DTYPE_F64 && !f->has_f64) continue;
    const fanin_tensor t = test_tensor_of(buffer, 0, fills[k].dtype, "O", 1, shape);
    kernels_run = 0;
    assert_ok(fanin_fill(f, NULL, &t, &ones, (fanin_key){0}, 1, &gate, NULL));
    assert_int_equal(kernels_run, fills[k].kernels);
  }
  assert_int_equal(clSetUserEventStatus(gate, CL_COMPLETE), CL_SUCCESS);
  assert_int_equal(clFinish(test_queue(f)), CL_SUCCESS);
  assert_int_equal(clReleaseEvent(gate), CL_SUCCESS);
  assert_int_equal(clReleaseMemObject(buffer), CL_SUCCESS);
  test_close(f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_lies_are_refused, tell_the_truth),
      cmocka_unit_test_setup(test_floats_are_filled, tell_the_truth),
      cmocka_unit_test_setup(test_every_call_refuses, tell_the_truth),
      cmocka_unit_test_setup(test_long_loops_are_refused, tell_the_truth),
      cmocka_unit_test_setup(test_checks_once, tell_the_truth),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
