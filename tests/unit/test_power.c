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

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(powers_are_rounded_once),
      cmocka_unit_test(exact_powers_are_exact),
      cmocka_unit_test(powers_out_of_range_are_0_or_infinite),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
