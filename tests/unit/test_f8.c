/* The dtypes of 8 bits: kernels/lib/dtype.clh and the oracle against what ml_dtypes rounds to (tests/data/f8.csv),
 * fills against f32's, their bounds and moments, and what is refused. */
#include "fanin/inspect.h"
#include "support/support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/context.h"
#include "core/program.h"
#include "oracle/cases.h"
#include "support/support_csv.h"
#include "tensor/dtype.h"

#define LEN(x) (sizeof(x) / sizeof *(x))

static const fanin_dtype dtypes[] = {FANIN_DTYPE_F8_E4M3, FANIN_DTYPE_F8_E5M2};

static float float_of(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

/* ---- Rounding ---------------------------------------------------------------------------------------------------- */

enum { ROWS = 2430 };

typedef struct recorded {
  float x[2 * ROWS];
  uint8_t rounded[LEN(dtypes)][2 * ROWS];
} recorded;

/* Each row, and its negative. */
static void read_recorded(recorded *out) {
  const char *fields[3];
  test_csv csv = test_csv_open("f8.csv");
  size_t n = 0;
  while (test_csv_row(&csv, fields, 3)) {
    assert_true(n < ROWS);
    out->x[2 * n] = float_of((uint32_t)strtoul(fields[0], NULL, 16));
    out->x[2 * n + 1] = -out->x[2 * n];
    for (size_t d = 0; d < LEN(dtypes); d++) {
      out->rounded[d][2 * n] = (uint8_t)strtoul(fields[1 + d], NULL, 16);
      out->rounded[d][2 * n + 1] = out->rounded[d][2 * n] | 0x80;
    }
    n++;
  }
  assert_int_equal(n, ROWS);
}

static recorded known;

static void test_oracle_rounds_as_ml_dtypes(void **state) {
  (void)state;
  read_recorded(&known);
  for (size_t d = 0; d < LEN(dtypes); d++) {
    for (size_t k = 0; k < 2 * ROWS; k++) {
      assert_int_equal(oracle_bits_of(dtypes[d], known.x[k]), known.rounded[d][k]);
    }
  }
}

/* Behind the embedded source of the fills, whose vectors round too: single numbers, vectors of WIDTH, and all numbers
 * as floats. */
static const char kernel_text[] =
    "\n"
    "kernel void round_each(global const float *in, global element *one, global uint *many, global float *numbers) {\n"
    "  const size_t i = get_global_id(0);\n"
    "  for (int k = 0; k < WIDTH; ++k)\n"
    "    PUT(in[i * WIDTH + k], i * WIDTH + k, one);\n"
    "  VSTORE(narrow(VLOAD(i, in)), i, many);\n"
    "  for (int k = 0; k < 256; ++k)\n"
    "    one[get_global_size(0) * WIDTH + k] = (element)k;\n"
    "  for (int k = 0; k < 256; ++k)\n"
    "    numbers[k] = LOAD_ONE(get_global_size(0) * WIDTH + k, one);\n"
    "  for (int k = 0; k < 256 / WIDTH; ++k)\n"
    "    VSTORE(LOAD(k, one + get_global_size(0) * WIDTH), k, numbers + 256);\n"
    "}\n";

static cl_kernel build(fanin *f, fanin_dtype dtype, unsigned lanes) {
  const char *const texts[] = {fanin__source_fill.text, kernel_text};
  const size_t sizes[] = {fanin__source_fill.size, sizeof kernel_text - 1};
  char options[96];
  snprintf(options, sizeof options, "-cl-std=CL1.2 -D LANES=%u %s", lanes, fanin__dtype_of(dtype)->option);
  cl_int code = CL_SUCCESS;
  const cl_device_id device = test_device(f);
  const cl_program program = clCreateProgramWithSource(test_context(f), 2, (const char **)texts, sizes, &code);
  assert_int_equal(code, CL_SUCCESS);
  assert_int_equal(clBuildProgram(program, 1, &device, options, NULL, NULL), CL_SUCCESS);
  const cl_kernel kernel = clCreateKernel(program, "round_each", &code);
  assert_int_equal(code, CL_SUCCESS);
  clReleaseProgram(program);
  return kernel;
}

static cl_mem buffer_of(fanin *f, size_t bytes, const void *content) {
  cl_int code = CL_SUCCESS;
  const cl_mem_flags flags = CL_MEM_READ_WRITE | (content ? CL_MEM_COPY_HOST_PTR : 0);
  const cl_mem buffer = clCreateBuffer(test_context(f), flags, bytes, (void *)content, &code);
  assert_int_equal(code, CL_SUCCESS);
  return buffer;
}

static void check_device(fanin *f, size_t d, unsigned lanes) {
  enum { N = 2 * ROWS / 16 * 16 + 16 }; /* a multiple of every width */
  static float in[N], numbers[512];
  static uint8_t one[N];
  static uint32_t many[N];
  memcpy(in, known.x, sizeof known.x);
  const cl_kernel kernel = build(f, dtypes[d], lanes);
  const size_t width = lanes == 1 ? 4 : lanes, items = N / width;
  const cl_mem buffers[] = {buffer_of(f, sizeof in, in), buffer_of(f, N + 256, NULL), buffer_of(f, sizeof many, NULL),
                            buffer_of(f, sizeof numbers, NULL)};
  void *const results[] = {NULL, one, many, numbers};
  const size_t sizes[] = {0, sizeof one, sizeof many, sizeof numbers};
  const cl_command_queue queue = test_queue(f);
  for (cl_uint k = 0; k < 4; k++) {
    assert_int_equal(clSetKernelArg(kernel, k, sizeof(cl_mem), &buffers[k]), CL_SUCCESS);
  }
  assert_int_equal(clEnqueueNDRangeKernel(queue, kernel, 1, NULL, &items, NULL, 0, NULL, NULL), CL_SUCCESS);
  for (cl_uint k = 1; k < 4; k++) {
    assert_int_equal(clEnqueueReadBuffer(queue, buffers[k], CL_TRUE, 0, sizes[k], results[k], 0, NULL, NULL), 0);
  }
  for (size_t k = 0; k < 2 * ROWS; k++) {
    const uint8_t expected = known.rounded[d][k];
    if (one[k] == expected && many[k] == expected) continue;
    fail_msg("%s, %u lanes: %a is %02x alone, %02x in a vector, not %02x", fanin_dtype_name(dtypes[d]), lanes,
             (double)known.x[k], one[k], many[k], expected);
  }
  for (uint32_t bits = 0; bits < 512; bits++) {
    const double expected = oracle_number(dtypes[d], bits & 0xff), number = (double)numbers[bits];
    if (isnan(expected) && isnan(number)) continue;
    assert_true(number == expected && !signbit(number) == !signbit(expected));
  }
  for (cl_uint k = 0; k < 4; k++) {
    clReleaseMemObject(buffers[k]);
  }
  clReleaseKernel(kernel);
}

static void test_device_rounds_as_ml_dtypes(void **state) {
  static const unsigned widths[] = {1, 4, 8, 16};
  for (size_t d = 0; d < LEN(dtypes); d++) {
    for (size_t k = 0; k < oracle_amount(LEN(widths), 2); k++) {
      check_device(*state, d, widths[k]);
    }
  }
}

/* ---- Fills ------------------------------------------------------------------------------------------------------- */

static const fanin_init inits[] = {{.kind = FANIN_KIND_NORMAL, .std = 1},
                                   {.kind = FANIN_KIND_NORMAL, .std = 0.02},
                                   {.kind = FANIN_KIND_NORMAL, .mean = 1e-3, .std = 1e-3}, /* subnormal numbers */
                                   {.kind = FANIN_KIND_UNIFORM, .lo = -1, .hi = 1},
                                   {.kind = FANIN_KIND_TRUNC_NORMAL, .std = 0.5, .a = -2, .b = 2}};

static void test_fills_are_f32_rounded_once(void **state) {
  const size_t count = oracle_amount(1 << 18, 1000);
  const fanin_key key = {1, 2};
  for (size_t i = 0; i < LEN(inits); i++) {
    float *const wide = oracle_read_range(*state, FANIN_DTYPE_F32, 7, count, &inits[i], key);
    for (size_t d = 0; d < LEN(dtypes); d++) {
      const fanin__distribution distribution =
          oracle_distribution_of(&(fanin_tensor){.dtype = dtypes[d], .rank = 1, .shape = {count}}, &inits[i]);
      const bool bounded = inits[i].kind != FANIN_KIND_NORMAL;
      const double lower = bounded ? oracle_least(dtypes[d], distribution.law.lo) : -INFINITY;
      const double upper = bounded ? oracle_most(dtypes[d], distribution.law.hi) : INFINITY;
      uint8_t *const made = oracle_read_range(*state, dtypes[d], 7, count, &inits[i], key);
      for (size_t e = 0; e < count; e++) {
        const float within = (float)fmin(fmax((double)wide[e], lower), upper);
        assert_int_equal(made[e], oracle_bits_of(dtypes[d], within));
      }
      free(made);
    }
    free(wide);
  }
}

/* Bounds that are no numbers of either dtype: values stop at the outermost numbers inside, and reach them. */
static void test_bounds_are_never_crossed(void **state) {
  static const double bounds[][2] = {{-1, 1}, {-0.1, 0.1}, {0.30000001, 0.7}, {-1.0 / 3, 2. / 3}, {-100.3, 399}};
  const size_t count = oracle_amount(1 << 18, 4000);
  for (size_t b = 0; b < LEN(bounds); b++) {
    const double lo = bounds[b][0], hi = bounds[b][1];
    fanin_init cut = fanin_trunc_normal(lo + 0.4 * (hi - lo), 0.7 * (hi - lo), lo, hi);
    cut.bounds = FANIN_BOUNDS_ABSOLUTE;
    cut.uncorrected = 1;
    const fanin_init both[] = {fanin_uniform(lo, hi), cut};
    for (size_t d = 0; d < LEN(dtypes); d++) {
      for (size_t i = 0; i < LEN(both); i++) {
        uint8_t *const made = oracle_read_range(*state, dtypes[d], 3, count, &both[i], (fanin_key){b, i});
        double least = INFINITY, most = -INFINITY;
        for (size_t e = 0; e < count; e++) {
          least = fmin(least, oracle_number(dtypes[d], made[e]));
          most = fmax(most, oracle_number(dtypes[d], made[e]));
        }
        assert_true(least == oracle_least(dtypes[d], lo) && most == oracle_most(dtypes[d], hi));
        free(made);
      }
    }
  }
}

/* Mean and mean square of a million values, in standard errors of what the law has once it is rounded. */
static void test_moments(void **state) {
  const size_t count = oracle_amount(1 << 20, 4000);
  const uint64_t shape[] = {count};
  for (size_t i = 0; i < LEN(inits); i++) {
    for (size_t d = 0; d < LEN(dtypes); d++) {
      const fanin_tensor t = test_tensor_of(NULL, 0, dtypes[d], NULL, 1, shape);
      fanin_law law;
      double m[13], first = 0, second = 0;
      const double unit = inits[i].kind == FANIN_KIND_UNIFORM ? 1 : inits[i].std;
      assert_ok(fanin_law_of(&t, &inits[i], &law));
      assert_ok(fanin_law_moments_rounded(&law, dtypes[d], 1, 0, unit, m, 13));
      uint8_t *const made = oracle_read_range(*state, dtypes[d], 0, count, &inits[i], (fanin_key){i, 12});
      for (size_t e = 0; e < count; e++) {
        const double x = oracle_number(dtypes[d], made[e]) / unit;
        first += x / (double)count;
        second += x * x / (double)count;
      }
      free(made);
      assert_true(fabs(first - m[1]) < 5 * sqrt((m[2] - m[1] * m[1]) / (double)count));
      assert_true(fabs(second - m[2]) < 5 * sqrt((m[4] - m[2] * m[2]) / (double)count));
    }
  }
}

/* What does not fit, as for f16. */
static void test_refusals(void **state) {
  static const struct {
    fanin_dtype dtype;
    const char *init, *sentence;
  } cases[] = {
      {FANIN_DTYPE_F8_E4M3, "constant:value=449", "does not fit dtype f8_e4m3, whose largest number is 448"},
      {FANIN_DTYPE_F8_E4M3, "normal:std=70", "does not fit dtype f8_e4m3, whose largest number is 448"},
      {FANIN_DTYPE_F8_E4M3, "uniform:lo=-449,hi=0", "does not fit dtype f8_e4m3, whose largest number is 448"},
      {FANIN_DTYPE_F8_E4M3, "uniform:lo=0.3,hi=0.31", "no f8_e4m3 number lies between"},
      {FANIN_DTYPE_F8_E5M2, "normal:std=8500", "does not fit dtype f8_e5m2, whose largest number is 57344"},
      {FANIN_DTYPE_F8_E5M2, "uniform:lo=1.1,hi=1.2", "no f8_e5m2 number lies between"},
  };
  static const struct {
    fanin_dtype dtype;
    const char *init;
  } accepted[] = {{FANIN_DTYPE_F8_E4M3, "constant:value=448"},
                  {FANIN_DTYPE_F8_E4M3, "normal:std=66"},
                  {FANIN_DTYPE_F8_E5M2, "normal:std=8400"},
                  {FANIN_DTYPE_F8_E5M2, "uniform:lo=-57344,hi=57344"}};
  fanin_init init;
  for (size_t k = 0; k < LEN(cases); k++) {
    fanin_tensor t;
    assert_ok(fanin_tensor_alloc(*state, cases[k].dtype, NULL, 1, (const uint64_t[]){9}, &t));
    assert_ok(fanin_init_parse(cases[k].init, &init));
    assert_status(fanin_fill(*state, NULL, &t, &init, (fanin_key){1, 2}, 0, NULL, NULL), FANIN_STATUS_BAD_ARGUMENT);
    if (!strstr(fanin_last_error(), cases[k].sentence)) fail_msg("%s: %s", cases[k].init, fanin_last_error());
    fanin_tensor_free(&t);
  }
  for (size_t k = 0; k < LEN(accepted); k++) {
    assert_ok(fanin_init_parse(accepted[k].init, &init));
    uint8_t *const made = oracle_read_range(*state, accepted[k].dtype, 0, 1000, &init, (fanin_key){1, 2});
    for (size_t e = 0; e < 1000; e++) {
      assert_true(isfinite(oracle_number(accepted[k].dtype, made[e])));
    }
    free(made);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_oracle_rounds_as_ml_dtypes),
      cmocka_unit_test(test_device_rounds_as_ml_dtypes),
      cmocka_unit_test(test_fills_are_f32_rounded_once),
      cmocka_unit_test(test_bounds_are_never_crossed),
      cmocka_unit_test(test_moments),
      cmocka_unit_test(test_refusals),
  };
  return cmocka_run_group_tests(tests, test_group_open, test_group_close);
}
