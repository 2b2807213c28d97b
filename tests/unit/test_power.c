/* power.c: powers beside those of 250 bits (Python's mpmath), rounded once. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "math/power.h"
#include "support/support.h"

static uint64_t next(uint64_t *state) {
  *state = *state * 6364136223846793005 + 1442695040888963407;
  return *state;
}

/* FNV-1a-64 of 4096 powers of 2^-61 to 2^23, to exponents from -4 to 4. pow() of the GNU C library has some wrong in
 * the last bit. */
static void powers_are_rounded_once(void **state) {
  (void)state;
  uint64_t numbers = 1, hash = 0xcbf29ce484222325;
  for (int k = 0; k < 4096; k++) {
    const uint64_t a = next(&numbers);
    const double x = ldexp((double)(a >> 11 | 1), (int)(a >> 40 & 31) - 61);
    const double y = ((double)(next(&numbers) >> 11) * 0x1p-53 - 0.5) * 8;
    const double power = fanin__power(x, y);
    uint64_t bits;
    memcpy(&bits, &power, sizeof bits);
    for (int byte = 0; byte < 8; byte++)
      hash = (hash ^ (bits >> 8 * byte & 0xff)) * 0x100000001b3;
  }
  if (hash != UINT64_C(0x3c69475b9c7904b3)) fail_msg("the digest of the powers is %016" PRIx64, hash);
}

static void exact_powers_are_exact(void **state) {
  (void)state;
  assert_true(fanin__power(16, -0.25) == 0.5 && fanin__power(100, 4) == 1e8 && fanin__power(0.25, -1.5) == 8);
  assert_true(fanin__power(1, 1e300) == 1 && fanin__power(7, 0) == 1 && fanin__power(10, -3) == 1e-3);
  assert_true(fanin__power(0x1p-1074, 0.5) == 0x1p-537 && fanin__power(0x1p-1074, -0.5) == 0x1p+537);
}

static void powers_out_of_range_are_0_or_infinite(void **state) {
  (void)state;
  assert_true(fanin__power(0, 2) == 0 && fanin__power(0, -2) == INFINITY && fanin__power(1, -INFINITY) == 1);
  assert_true(fanin__power(INFINITY, 2) == INFINITY && fanin__power(INFINITY, -2) == 0 &&
              fanin__power(7, -INFINITY) == 0);
  assert_true(fanin__power(10, -400) == 0 && fanin__power(10, 400) == INFINITY);
  assert_true(fanin__power(0.5, 1e300) == 0 && fanin__power(0.5, -1e300) == INFINITY);
}

/* FNV-1a-64 of 408 significands and exponents, which Python's decimal module made with 80 digits. */
static void significands_are_rounded_once(void **state) {
  (void)state;
  static const double bases[] = {10000, 500000, 16, 1 + 0x1p-52, 3.7, 0x1p64, 2, 1000003};
  static const uint64_t steps[] = {1, 3, 7, 64, 191, 4096, 123457};
  uint64_t hash = 0xcbf29ce484222325;
  for (size_t b = 0; b < sizeof bases / sizeof *bases; b++) {
    for (size_t s = 0; s < sizeof steps / sizeof *steps; s++) {
      for (int j = 0; steps[s] >> j > 0; j++) {
        uint64_t numbers[2];
        numbers[1] = (uint64_t)fanin__wide_power(bases[b], UINT64_C(1) << j, steps[s], &numbers[0]);
        for (int byte = 0; byte < 16; byte++)
          hash = (hash ^ (numbers[byte / 8] >> byte % 8 * 8 & 0xff)) * 0x100000001b3;
      }
    }
  }
  if (hash != UINT64_C(0x9bd9c1b4988f5627)) fail_msg("the digest of the significands is %016" PRIx64, hash);
}

/* 1, powers of two, and a power that is rounded up to 1. */
static void significands_of_powers_of_two(void **state) {
  (void)state;
  uint64_t m = 0;
  assert_int_equal(fanin__wide_power(1, 5, 7, &m), 0);
  assert_true(m == UINT64_C(1) << 63);
  assert_int_equal(fanin__wide_power(16, 3, 2, &m), 6);
  assert_true(m == UINT64_C(1) << 63);
  assert_int_equal(fanin__wide_power(1 + 0x1p-52, 1, UINT64_C(1) << 32, &m), 0);
  assert_true(m == UINT64_C(1) << 63);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(powers_are_rounded_once),
      cmocka_unit_test(exact_powers_are_exact),
      cmocka_unit_test(powers_out_of_range_are_0_or_infinite),
      cmocka_unit_test(significands_are_rounded_once),
      cmocka_unit_test(significands_of_powers_of_two),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
