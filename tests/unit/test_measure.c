/* measure.c and kernels/measure/moments.clh against sums in long double, for every dtype, vector width and geometry.
 * test_measure_large.c has more elements. */
#include <float.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/context.h"
#include "oracle/oracle.h"
#include "support/support.h"
#include "support/support_answers.h"

/* ---- Reference --------------------------------------------------------------------------------------------------- */

static fanin_stats reference(const double *x, size_t n) {
  fanin_stats s = {.count = n, .min = INFINITY, .max = -INFINITY};
  long double sum = 0, squares = 0, deviations = 0;
  for (size_t k = 0; k < n; k++) {
    if (!isfinite(x[k])) {
      s.nonfinite++;
      continue;
    }
    sum += x[k];
    squares += (long double)x[k] * x[k];
    s.min = fmin(s.min, x[k]);
    s.max = fmax(s.max, x[k]);
  }
  const size_t finite = n - s.nonfinite;
  if (finite == 0) return (fanin_stats){.count = n, .nonfinite = n};
  const long double mean = sum / finite;
  for (size_t k = 0; k < n; k++) {
    if (isfinite(x[k])) deviations += (x[k] - mean) * (x[k] - mean);
  }
  s.mean = (double)mean;
  s.std = (double)sqrtl(deviations / finite);
  s.second = (double)(squares / finite);
  return s;
}

static void assert_stats(const fanin_stats *s, const fanin_stats *exact, const char *what) {
  /* promised: 1e-6 of std and second moment; the mean then is within 1e-6 of the root mean square */
  const bool good = s->count == exact->count && s->nonfinite == exact->nonfinite && s->min == exact->min &&
                    s->max == exact->max && fabs(s->std - exact->std) <= 1e-6 * exact->std &&
                    fabs(s->second - exact->second) <= 1e-6 * exact->second &&
                    fabs(s->mean - exact->mean) <= 1e-6 * sqrt(exact->second);
  if (good) return;
  fail_msg("%s: count %llu (%llu), nonfinite %llu (%llu), mean %.10g (%.10g), std %.10g (%.10g), second %.10g (%.10g), "
           "min %.10g (%.10g), max %.10g (%.10g)",
           what, (unsigned long long)s->count, (unsigned long long)exact->count, (unsigned long long)s->nonfinite,
           (unsigned long long)exact->nonfinite, s->mean, exact->mean, s->std, exact->std, s->second, exact->second,
           s->min, exact->min, s->max, exact->max);
}

/* ---- Elements ---------------------------------------------------------------------------------------------------- */

/* Writes x to element k as `dtype` and returns what that reads as. f16 and bf16 are made from bits: x picks them. */
static double put(void *memory, fanin_dtype dtype, size_t k, double x) {
  const float f = (float)x;
  if (dtype == FANIN_DTYPE_F64) return ((double *)memory)[k] = x;
  if (dtype == FANIN_DTYPE_F32) return ((float *)memory)[k] = f;
  if (fanin_dtype_size(dtype) == 1) {
    ((uint8_t *)memory)[k] = (uint8_t)oracle_bits_of(dtype, f);
    return oracle_number(dtype, ((uint8_t *)memory)[k]);
  }
  uint32_t bits;
  memcpy(&bits, &f, sizeof bits);
  if (dtype == FANIN_DTYPE_BF16) {
    ((uint16_t *)memory)[k] = (uint16_t)(bits >> 16); /* towards 0 */
    bits &= 0xffff0000U;
    float back;
    memcpy(&back, &bits, sizeof back);
    return isnan(f) ? NAN : (double)back;
  }
  uint16_t *const half = (uint16_t *)memory + k; /* towards 0, subnormal halves too */
  const uint16_t sign = signbit(f) ? 0x8000 : 0;
  if (!isfinite(f) || fabs(x) >= 65536) {
    *half = (uint16_t)(sign | (isnan(f) ? 0x7e00 : 0x7c00));
    return isnan(f) ? NAN : copysign(INFINITY, x);
  }
  *half = sign;
  if (x == 0) return x;
  int exponent = 0;
  (void)frexp(x, &exponent);
  const double unit = ldexp(1, exponent < -13 ? -24 : exponent - 11);
  const double whole = floor(fabs(x) / unit);
  const unsigned mantissa = (unsigned)whole;
  *half = (uint16_t)(sign | (exponent < -13 ? mantissa : (mantissa & 0x3ff) | (unsigned)(exponent + 14) << 10));
  return copysign(whole * unit, x);
}

static double uniform(uint64_t *state) {
  return (double)(test_random(state) >> 11) * 0x1p-53;
}

/* A rough normal, the k-th: the sum of 12 uniforms. */
static double normal(size_t k) {
  uint64_t state = 0x9e3779b97f4a7c15U * (k + 1); /* splitmix64's states, far apart */
  state ^= state >> 29;
  double sum = -6;
  for (int j = 0; j < 12; j++) {
    sum += uniform(&state);
  }
  return sum;
}

/* A buffer with `lead` elements before the n that count. */
typedef struct sample {
  fanin_tensor tensor;
  fanin_stats exact;
} sample;

typedef double (*generator)(size_t k);

static sample make(fanin *f, fanin_dtype dtype, size_t lead, size_t n, generator generate) {
  const size_t element = fanin_dtype_size(dtype);
  unsigned char *const memory = malloc((lead + n + 3) * element);
  double *const values = malloc((n + 1) * sizeof *values);
  assert_non_null(memory);
  assert_non_null(values);
  for (size_t k = 0; k < lead + n + 3; k++) {
    (void)put(memory, dtype, k, 12345); /* must not count */
  }
  for (size_t k = 0; k < n; k++) {
    values[k] = put(memory + lead * element, dtype, k, generate(k));
  }
  cl_int code = CL_SUCCESS;
  const cl_mem buffer = clCreateBuffer(test_context(f), CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR,
                                       (lead + n + 3) * element, memory, &code);
  assert_int_equal(code, CL_SUCCESS);
  const sample s = {test_tensor_of(buffer, lead * element, dtype, NULL, 1, (const uint64_t[]){n}),
                    reference(values, n)};
  free(values);
  free(memory);
  return s;
}

static void check(fanin *f, fanin_dtype dtype, size_t lead, size_t n, generator generate, const char *what) {
  if (dtype == FANIN_DTYPE_F64 && !f->has_f64) return;
  sample s = make(f, dtype, lead, n, generate);
  fanin_stats stats = {.count = 77};
  assert_ok(fanin_measure(f, NULL, &s.tensor, 0, NULL, &stats, sizeof stats));
  assert_stats(&stats, &s.exact, what);
  fanin_tensor_free(&s.tensor);
}

/* ---- What is measured -------------------------------------------------------------------------------------------- */

static double around_three(size_t k) {
  return 3 + normal(k);
}

static void every_dtype_size_and_offset(void **state) {
  static const size_t sizes[] = {1, 2, 3, 5, 15, 16, 17, 63, 64, 65, 1023, 4097, 100003};
  for (int dtype = 0; dtype < FANIN_DTYPE_COUNT; dtype++) {
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
      check(*state, (fanin_dtype)dtype, k % 4, sizes[k], around_three, fanin_dtype_name((fanin_dtype)dtype));
    }
  }
}

static double thousand(size_t k) {
  return 1000 + normal(k);
}

static double ramp(size_t k) {
  return (double)k * 1e-3 + normal(k);
}

static double outlier_first(size_t k) {
  return k == 0 ? 3e4 : normal(k);
}

static double constant(size_t k) {
  (void)k;
  return 0.7;
}

static double zero(size_t k) {
  (void)k;
  return 0;
}

/* Sums in plain f32 are off by 1e-4 and more here. */
static void means_far_from_zero(void **state) {
  check(*state, FANIN_DTYPE_F32, 1, 3000017, thousand, "mean 1000, std 1");
  check(*state, FANIN_DTYPE_F64, 1, 300017, thousand, "mean 1000, std 1 in f64");
  check(*state, FANIN_DTYPE_F32, 1, 3000017, ramp, "a ramp");
  check(*state, FANIN_DTYPE_F32, 0, 3000017, outlier_first, "an outlier as the first element");
  check(*state, FANIN_DTYPE_F32, 0, 3000017, constant, "a constant"); /* std exactly 0 */
  check(*state, FANIN_DTYPE_F16, 0, 1001, zero, "zeros");
}

static double huge(size_t k) {
  return normal(k) * (k % 3 ? 3e37 : 1e-3);
}

static double tiny(size_t k) {
  return 1e-33 * normal(k);
}

static double huge_f64(size_t k) {
  return 1e300 * normal(k) / 6;
}

static double tiny_f64(size_t k) {
  return 1e-290 * normal(k);
}

/* Squares leave the range. */
static void squares_beyond_the_range(void **state) {
  check(*state, FANIN_DTYPE_F32, 0, 10007, huge, "1e37 in f32");
  check(*state, FANIN_DTYPE_F32, 0, 10007, tiny, "1e-33 in f32");
  check(*state, FANIN_DTYPE_BF16, 0, 10007, huge, "1e37 in bf16");
}

/* The second moment still does where double has no such number, so not 1e300 itself. */
static void squares_beyond_the_range_of_f64(void **state) {
  fanin *const f = *state;
  if (!f->has_f64) skip();
  sample s = make(*state, FANIN_DTYPE_F64, 0, 10007, huge_f64);
  fanin_stats stats;
  assert_ok(fanin_measure(*state, NULL, &s.tensor, 0, NULL, &stats, sizeof stats));
  assert_true(fabs(stats.std / 1e300 - (double)(1 / 6.0L)) < 0.005); /* 4 standard errors of 10,007 values, 2.8 % */
  fanin_tensor_free(&s.tensor);
  s = make(*state, FANIN_DTYPE_F64, 0, 10007, tiny_f64);
  assert_ok(fanin_measure(*state, NULL, &s.tensor, 0, NULL, &stats, sizeof stats));
  assert_true(fabs(stats.std / 1e-290 - 1) < 0.03);
  fanin_tensor_free(&s.tensor);
}

static double broken(size_t k) {
  static const double bad[] = {NAN, INFINITY, -INFINITY};
  return k % 7 == 0 ? bad[k / 7 % 3] : normal(k);
}

static double all_nan(size_t k) {
  (void)k;
  return NAN;
}

static void nonfinite_values_are_counted_and_left_out(void **state) {
  for (int dtype = 0; dtype < FANIN_DTYPE_COUNT; dtype++) {
    check(*state, (fanin_dtype)dtype, 0, 5003, broken, "NaN and infinities");
    check(*state, (fanin_dtype)dtype, 0, 35, all_nan, "nothing but NaN");
  }
}

/* ---- Vector widths and geometries -------------------------------------------------------------------------------- */

static void every_width_and_geometry(void **state) {
  (void)state;
  static const char *const widths[] = {"1", "4", "8", "16"};
  for (size_t k = 0; k < 4; k++) {
    for (int gpu = 0; gpu < 2; gpu++) {
      assert_int_equal(setenv("FANIN_LANES", widths[k], 1), 0);
      fanin *const f = test_open_as(gpu);
      assert_int_equal(f->lanes, strtoul(widths[k], NULL, 10));
      for (int dtype = 0; dtype < FANIN_DTYPE_COUNT; dtype++) {
        check(f, (fanin_dtype)dtype, 1, 70001, around_three, gpu ? "as on a GPU" : widths[k]);
        check(f, (fanin_dtype)dtype, 1, 13, broken, gpu ? "as on a GPU" : widths[k]);
      }
      test_close(f);
      test_forget_answers();
    }
  }
}

/* ---- Parts and refusals ------------------------------------------------------------------------------------------ */

static void dense_parts_only(void **state) {
  fanin *const f = *state;
  sample s = make(f, FANIN_DTYPE_F32, 0, 60, around_three);
  fanin_stats stats = {.count = 1};
  const uint64_t shape[2] = {100, 100}, start[2] = {90, 94}, extent[2] = {10, 6}, strides[2] = {7, 1};
  const fanin_tensor whole = test_tensor_of(s.tensor.buffer, 0, FANIN_DTYPE_F32, NULL, 2, shape);
  const fanin_tensor slab = test_tensor_slab(whole, start, extent);
  assert_ok(fanin_measure(f, NULL, &slab, 0, NULL, &stats, sizeof stats)); /* ten rows of the whole, dense in memory */
  assert_stats(&stats, &s.exact, "a slab");
  const fanin_tensor range = test_tensor_range(whole, 9000, 60);
  assert_ok(fanin_measure(f, NULL, &range, 0, NULL, &stats, sizeof stats));
  assert_stats(&stats, &s.exact, "a range");

  const fanin_tensor empty = test_tensor_range(whole, 5, 0);
  assert_ok(fanin_measure(f, NULL, &empty, 0, NULL, &stats, sizeof stats));
  assert_memory_equal(&stats, &(fanin_stats){0}, sizeof stats);

  const uint64_t few[2] = {8, 6};
  const fanin_tensor gaps =
      test_tensor_strided(test_tensor_of(s.tensor.buffer, 0, FANIN_DTYPE_F32, NULL, 2, few), strides);
  assert_status(fanin_measure(f, NULL, &gaps, 0, NULL, &stats, sizeof stats), FANIN_STATUS_UNSUPPORTED);
  assert_non_null(strstr(fanin_last_error(), "48 elements are spread over 220 bytes"));
  assert_status(fanin_measure(f, NULL, &whole, 0, NULL, &stats, sizeof stats), FANIN_STATUS_BAD_SIZE);
  fanin_tensor_free(&s.tensor);
}

static void f64_needs_the_device(void **state) {
  (void)state;
  test_replace_number(NULL, CL_DEVICE_DOUBLE_FP_CONFIG, sizeof(cl_device_fp_config), 0);
  fanin *const f = test_open();
  sample s = make(f, FANIN_DTYPE_F64, 0, 10, around_three);
  fanin_stats stats;
  assert_status(fanin_measure(f, NULL, &s.tensor, 0, NULL, &stats, sizeof stats), FANIN_STATUS_UNSUPPORTED);
  assert_non_null(strstr(fanin_last_error(), "double precision"));
  fanin_tensor_free(&s.tensor);
  test_close(f);
  test_forget_answers();
}

/* ---- Events ------------------------------------------------------------------------------------------------------ */

static void *complete_later(void *event) {
  (void)nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
  (void)clSetUserEventStatus(event, CL_COMPLETE);
  return NULL;
}

/* The values are written after a user event that another thread sets while fanin_measure() waits. */
static void waits_for_its_wait_list(void **state) {
  fanin *const f = *state;
  sample s = make(f, FANIN_DTYPE_F32, 0, 1000, zero);
  float ones[1000];
  for (size_t k = 0; k < 1000; k++) {
    ones[k] = 1;
  }
  cl_int code = CL_SUCCESS;
  const cl_command_queue writer = clCreateCommandQueue(test_context(f), test_device(f), 0, &code);
  assert_int_equal(code, CL_SUCCESS);
  const cl_event gate = clCreateUserEvent(test_context(f), &code);
  assert_int_equal(code, CL_SUCCESS);
  cl_event written = NULL;
  assert_int_equal(clEnqueueWriteBuffer(writer, s.tensor.buffer, CL_FALSE, 0, sizeof ones, ones, 1, &gate, &written),
                   CL_SUCCESS);
  assert_int_equal(clFlush(writer), CL_SUCCESS);
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, complete_later, gate), 0);
  fanin_stats stats;
  assert_ok(fanin_measure(f, NULL, &s.tensor, 1, &written, &stats, sizeof stats));
  assert_true(stats.mean == 1 && stats.std == 0);
  assert_int_equal(pthread_join(thread, NULL), 0);
  clReleaseEvent(written);
  clReleaseEvent(gate);
  clReleaseCommandQueue(writer);
  fanin_tensor_free(&s.tensor);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_dtype_size_and_offset),
                                     cmocka_unit_test(means_far_from_zero),
                                     cmocka_unit_test(squares_beyond_the_range),
                                     cmocka_unit_test(squares_beyond_the_range_of_f64),
                                     cmocka_unit_test(nonfinite_values_are_counted_and_left_out),
                                     cmocka_unit_test_teardown(every_width_and_geometry, test_restore_answers),
                                     cmocka_unit_test(dense_parts_only),
                                     cmocka_unit_test_teardown(f64_needs_the_device, test_restore_answers),
                                     cmocka_unit_test(waits_for_its_wait_list)};
  return cmocka_run_group_tests_name("measure", tests, test_group_open, test_group_close);
}
