/* Elements as numbers, and numbers as elements: rounded once, to the nearest, ties to even. */
#include "formats/tensor_file.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "oracle/oracle.h"
#include "support/support.h" /* last: cmocka has a macro fail() */

/* The bits of an element; fails where the number is refused. */
static uint64_t bits_of(fanin_dtype dtype, double value) {
  uint64_t bits = 0;
  if (!stored_round(dtype, value, (char *)&bits)) fail_msg("%s refuses %a", fanin_dtype_name(dtype), value);
  return bits;
}

static bool is_refused(fanin_dtype dtype, double value) {
  uint64_t bits = 0x5555;
  return !stored_round(dtype, value, (char *)&bits) && bits == 0x5555;
}

/* Two neighbours, what lies in the middle, and the doubles beside it, which a rounding to float would move there. */
static void check_between(fanin_dtype dtype, uint64_t low) {
  const double a = oracle_number(dtype, low), b = oracle_number(dtype, low + 1), middle = a + (b - a) / 2;
  const uint64_t sign = UINT64_C(1) << (8 * fanin_dtype_size(dtype) - 1);
  assert_int_equal(bits_of(dtype, middle), low + (low & 1));
  assert_int_equal(bits_of(dtype, nextafter(middle, 0)), low);
  assert_int_equal(bits_of(dtype, nextafter(middle, INFINITY)), low + 1);
  assert_int_equal(bits_of(dtype, -middle), sign | (low + (low & 1)));
  assert_int_equal(bits_of(dtype, a), low);
  assert_int_equal(bits_of(dtype, -a), sign | low);
}

static void test_narrow(void **state) {
  (void)state;
  const fanin_dtype dtypes[] = {FANIN_DTYPE_F16, FANIN_DTYPE_BF16, FANIN_DTYPE_F8_E4M3, FANIN_DTYPE_F8_E5M2};
  /* The least number that is refused is in the middle to what would be next, or behind it where the middle is even. */
  const double largest[] = {65504, 0x1.fep+127, 448, 57344},
               refused[] = {65520, 0x1.ffp+127, 0x1.d000000000001p+8, 61440};
  for (size_t d = 0; d < sizeof dtypes / sizeof *dtypes; ++d) {
    uint64_t bits = 0;
    for (; isfinite(oracle_number(dtypes[d], bits + 1)); ++bits)
      check_between(dtypes[d], bits);
    assert_true(oracle_number(dtypes[d], bits) == largest[d]);
    assert_int_equal(bits_of(dtypes[d], largest[d]), bits);
    assert_int_equal(bits_of(dtypes[d], nextafter(refused[d], 0)), bits);
    assert_true(is_refused(dtypes[d], refused[d]) && is_refused(dtypes[d], -refused[d]));
    assert_true(is_refused(dtypes[d], INFINITY) && is_refused(dtypes[d], NAN) && is_refused(dtypes[d], DBL_MAX));
  }
}

static void test_wide(void **state) {
  (void)state;
  for (uint64_t k = 0; k < 200000; ++k) {
    const uint64_t bits = k * UINT64_C(0x9e3779b97f4a7c15) ^ k >> 3;
    double value;
    memcpy(&value, &bits, sizeof value);
    if (!isfinite(value)) continue;
    assert_int_equal(bits_of(FANIN_DTYPE_F64, value), bits);
    const double in_range = ldexp(frexp(value, &(int){0}), (int)(k % 298) - 170);
    const float single = (float)in_range;
    uint32_t wanted;
    memcpy(&wanted, &single, sizeof wanted);
    assert_int_equal(bits_of(FANIN_DTYPE_F32, in_range), wanted);
  }
  assert_int_equal(bits_of(FANIN_DTYPE_F64, 0x1p-1074), 1);
  assert_int_equal(bits_of(FANIN_DTYPE_F64, -0.0), UINT64_C(1) << 63);
  assert_int_equal(bits_of(FANIN_DTYPE_F64, DBL_MAX), 0x7fefffffffffffff);
  assert_int_equal(bits_of(FANIN_DTYPE_F32, 0x1.fffffefffffffp+127), 0x7f7fffff);
  assert_true(is_refused(FANIN_DTYPE_F32, 0x1.ffffffp+127) && is_refused(FANIN_DTYPE_F64, -INFINITY));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_narrow), cmocka_unit_test(test_wide)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
