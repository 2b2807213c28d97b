/* Dtypes against one another: f16 and bf16 are f32 rounded once (test_f8.c: of those of 8 bits), and f64 agrees with
 * f32 as far as a word tells. */
#include "support/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/context.h"
#include "oracle/cases.h"

#define TWO_PI 6.283185307179586476925286766559
#define LEN(x) (sizeof(x) / sizeof *(x))

/* The nearest finite 16-bit number by bisection of those that are not negative, ties to the even one. */
static uint16_t nearest(float (*value)(uint16_t), uint16_t infinity, double x) {
  uint16_t below = 0, above = infinity;
  while (above - below > 1) {
    const uint16_t middle = (uint16_t)((below + above) / 2);
    if ((double)value(middle) <= fabs(x)) {
      below = middle;
    } else {
      above = middle;
    }
  }
  /* Infinity stands for the number after the largest. */
  const double step = (double)value(below) - (double)value((uint16_t)(below > 0 ? below - 1 : 0));
  const double over = above == infinity ? (double)value(below) + step : (double)value(above);
  const double half = ((double)value(below) + over) / 2;
  const bool up = fabs(x) > half || (fabs(x) == half && (above & 1) == 0);
  return (uint16_t)((up ? above : below) | (signbit(x) ? 0x8000 : 0));
}

static void test_rounding(void **state) {
  (void)state;
  uint64_t random = 1;
  const size_t count = oracle_amount(1000000, 5000);
  for (size_t k = 0; k < count; k++) {
    /* All magnitudes; half of them with the low bits near a tie. */
    uint32_t bits = (uint32_t)test_random(&random);
    if (k & 1) bits = (bits & ~UINT32_C(0x1fff)) | (UINT32_C(0x1000) + (bits & 2) - 1 + (bits & 1));
    if (k & 2) bits = (bits & ~UINT32_C(0xffff)) | (UINT32_C(0x8000) + (bits & 2) - 1 + (bits & 1));
    if ((bits & 0x7f800000) == 0x7f800000) continue;
    if (k & 4) bits = (bits & 0x80ffffff) | (0x33 + (bits >> 24) % 21) << 24; /* f16's range and a little more */
    float x;
    memcpy(&x, &bits, sizeof x);
    assert_int_equal(oracle_f16_of(x), nearest(oracle_f16_value, 0x7c00, (double)x));
    assert_int_equal(oracle_bf16_of(x), nearest(oracle_bf16_value, 0x7f80, (double)x));
    /* nearest() puts the sign into bit 15. */
    const uint16_t sign = signbit(x) ? 0x80 : 0;
    assert_int_equal(oracle_e4m3_of(x), (nearest(oracle_e4m3_value, 0x7f, (double)x) & 0x7fff) | sign);
    assert_int_equal(oracle_e5m2_of(x), (nearest(oracle_e5m2_value, 0x7c, (double)x) & 0x7fff) | sign);
  }
}

/* Every number is its own rounding. */
static void test_rounding_of_numbers(void **state) {
  (void)state;
  for (uint32_t bits = 0; bits < 0x10000; bits++) {
    const float half = oracle_f16_value((uint16_t)bits), brain = oracle_bf16_value((uint16_t)bits);
    if (half == half) assert_int_equal(oracle_f16_of(half), bits);
    if (brain == brain) assert_int_equal(oracle_bf16_of(brain), bits);
    if (bits > 0xff) continue;
    const float e4m3 = oracle_e4m3_value((uint16_t)bits), e5m2 = oracle_e5m2_value((uint16_t)bits);
    if (e4m3 == e4m3) assert_int_equal(oracle_e4m3_of(e4m3), bits);
    if (e5m2 == e5m2) assert_int_equal(oracle_e5m2_of(e5m2), bits);
  }
}

/* On the device: f16 and bf16 are f32 rounded once. */
static void test_narrow_dtypes(void **state) {
  static const fanin_init inits[] = {{.kind = FANIN_KIND_NORMAL, .std = 1},
                                     {.kind = FANIN_KIND_NORMAL, .mean = 1e-6, .std = 1e-5},
                                     {.kind = FANIN_KIND_UNIFORM, .lo = -1, .hi = 1},
                                     {.kind = FANIN_KIND_TRUNC_NORMAL, .uncorrected = 1, .std = 0.5, .a = -2, .b = 2},
                                     {.kind = FANIN_KIND_LOG_UNIFORM, .lo = 1, .hi = 128}};
  const size_t count = oracle_amount(1 << 18, 1000);
  const fanin_key key = {1, 2};
  for (size_t k = 0; k < LEN(inits); k++) {
    float *const wide = oracle_read_range(*state, FANIN_DTYPE_F32, 7, count, &inits[k], key);
    uint16_t *const half = oracle_read_range(*state, FANIN_DTYPE_F16, 7, count, &inits[k], key);
    uint16_t *const brain = oracle_read_range(*state, FANIN_DTYPE_BF16, 7, count, &inits[k], key);
    for (size_t e = 0; e < count; e++) {
      assert_int_equal(half[e], nearest(oracle_f16_value, 0x7c00, (double)wide[e]));
      assert_int_equal(brain[e], nearest(oracle_bf16_value, 0x7f80, (double)wide[e]));
    }
    free(wide);
    free(half);
    free(brain);
  }
}

/* The f64 value lies in the word's cell, the f32 value is its middle: they differ by what the exact function does over
 * half a cell on each side, and by f32's error. Normals: of radius and angle, whose cells are the words'. */
static void test_f64_agrees_with_f32(void **state) {
  fanin *const f = *state;
  if (!f->has_f64) skip();
  const fanin_init normal = fanin_normal(0, 1), uniform = fanin_uniform(-1, 1);
  const size_t count = oracle_amount(1 << 18, 1000);
  const fanin_key key = {5, 6};
  float *const narrow = oracle_read_range(f, FANIN_DTYPE_F32, 0, count, &normal, key);
  double *const wide = oracle_read_range(f, FANIN_DTYPE_F64, 0, count, &normal, key);
  for (size_t e = 0; e < count; e++) {
    const double u = ((double)oracle_word(key, e & ~(size_t)1) + 0.5) * 0x1p-32, r = sqrt(-2 * log(u));
    const double least = sqrt(-2 * log(u + 0x1p-33)), most = sqrt(-2 * log(u - 0x1p-33));
    const double cell = fmax(r - least, most - r) + most * TWO_PI * 0x1p-33;
    assert_true(fabs(wide[e] - (double)narrow[e]) <= cell + 2e-6);
  }
  free(narrow);
  free(wide);
  float *const f32 = oracle_read_range(f, FANIN_DTYPE_F32, 0, count, &uniform, key);
  double *const f64 = oracle_read_range(f, FANIN_DTYPE_F64, 0, count, &uniform, key);
  for (size_t e = 0; e < count; e++) {
    assert_true(fabs(f64[e] - (double)f32[e]) <= 0x1p-32 + 0x1p-24);
  }
  free(f32);
  free(f64);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_rounding),
      cmocka_unit_test(test_rounding_of_numbers),
      cmocka_unit_test(test_narrow_dtypes),
      cmocka_unit_test(test_f64_agrees_with_f32),
  };
  return cmocka_run_group_tests(tests, test_group_open, test_group_close);
}
