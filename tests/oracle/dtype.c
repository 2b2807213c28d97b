/* Section 5 of docs/stream.md: rounding to the dtypes of 16 and 8 bits in integers, and the numbers that a dtype has.
 */
#include "oracle.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* n / 2^shift to the nearest, ties to even; shift is 1 .. 63. */
static uint64_t round_shift(uint64_t n, unsigned shift) {
  const uint64_t quotient = n >> shift, rest = n & ((UINT64_C(1) << shift) - 1), half = UINT64_C(1) << (shift - 1);
  return quotient + (rest > half || (rest == half && (quotient & 1)));
}

/* |x| is mantissa * 2^(exponent - 149) with 24 bits of mantissa; f16 counts in 2^-24 below 2^-14, then in steps that
 * double with each of its exponents. A carry out of the mantissa is the next exponent, and past the last one infinity.
 */
uint16_t oracle_f16_of(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  const uint32_t sign = bits >> 16 & 0x8000U, magnitude = bits & 0x7fffffffU;
  if (magnitude > 0x7f800000U) return (uint16_t)(sign | 0x7e00U);
  if (magnitude >= 0x47800000U) return (uint16_t)(sign | 0x7c00U); /* 2^16 and more */
  const uint32_t exponent = magnitude >> 23;
  const uint32_t mantissa = exponent > 0 ? (magnitude & 0x7fffffU) | 0x800000U : magnitude;
  if (exponent < 102) return (uint16_t)sign; /* below 2^-25: less than half of the smallest number */
  if (exponent < 113) return (uint16_t)(sign | round_shift(mantissa, 126 - exponent));
  return (uint16_t)(sign | (((exponent - 113) << 10) + round_shift(mantissa, 13)));
}

uint16_t oracle_bf16_of(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  if ((bits & 0x7fffffffU) > 0x7f800000U) return (uint16_t)(bits >> 16 | 0x40U);
  return (uint16_t)round_shift(bits, 16);
}

/* OCP 8-bit Floating Point Specification, section 5: exponent e and fraction m of `fraction` bits are 2^(e - bias) (1 +
 * m 2^-fraction), or 2^(1 - bias) m 2^-fraction where e is 0. `past`: the bits that follow the largest number's. */
static uint16_t f8_of(float x, int fraction, int bias, uint32_t past, uint32_t nan) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  const uint32_t sign = bits >> 24 & 0x80U, magnitude = bits & 0x7fffffffU;
  if (magnitude > 0x7f800000U) return (uint16_t)(sign | nan);
  const int e = (int)(magnitude >> 23) - 127 + bias;
  if (e < -fraction) return (uint16_t)sign; /* below half of the smallest number */
  const uint64_t mantissa = (magnitude & 0x7fffffU) | 0x800000U, steps = e > 0 ? (uint64_t)(e - 1) << fraction : 0;
  const uint64_t rounded = steps + round_shift(mantissa, (unsigned)(23 - fraction + (e > 0 ? 0 : 1 - e)));
  return (uint16_t)(sign | (rounded < past ? (uint32_t)rounded : past));
}

uint16_t oracle_e4m3_of(float x) {
  return f8_of(x, 3, 7, 0x7f, 0x7f);
}

uint16_t oracle_e5m2_of(float x) {
  return f8_of(x, 2, 15, 0x7c, 0x7e);
}

uint32_t oracle_bits_of(fanin_dtype dtype, float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return dtype == FANIN_DTYPE_F16       ? oracle_f16_of(x)
         : dtype == FANIN_DTYPE_BF16    ? oracle_bf16_of(x)
         : dtype == FANIN_DTYPE_F8_E4M3 ? oracle_e4m3_of(x)
         : dtype == FANIN_DTYPE_F8_E5M2 ? oracle_e5m2_of(x)
                                        : bits;
}

float oracle_f16_value(uint16_t bits) {
  const int exponent = bits >> 10 & 31, mantissa = bits & 1023;
  const float magnitude = exponent == 31  ? (mantissa ? NAN : INFINITY)
                          : exponent == 0 ? ldexpf((float)mantissa, -24)
                                          : ldexpf((float)(mantissa + 1024), exponent - 25);
  return bits & 0x8000 ? -magnitude : magnitude;
}

float oracle_bf16_value(uint16_t bits) {
  const uint32_t wide = (uint32_t)bits << 16;
  float x;
  memcpy(&x, &wide, sizeof x);
  return x;
}

static float f8_value(uint16_t bits, int fraction, int bias) {
  const int e = (bits & 0x7f) >> fraction, m = bits & ((1 << fraction) - 1), one = 1 << fraction;
  const float magnitude = e > 0 ? ldexpf((float)(one + m), e - bias - fraction) : ldexpf((float)m, 1 - bias - fraction);
  return bits & 0x80 ? -magnitude : magnitude;
}

float oracle_e4m3_value(uint16_t bits) {
  return (bits & 0x7f) == 0x7f ? NAN : f8_value(bits, 3, 7);
}

float oracle_e5m2_value(uint16_t bits) {
  if ((bits & 0x7f) > 0x7c) return NAN;
  if ((bits & 0x7f) == 0x7c) return bits & 0x80 ? -INFINITY : INFINITY;
  return f8_value(bits, 2, 15);
}

double oracle_number(fanin_dtype dtype, uint64_t bits) {
  const uint32_t low = (uint32_t)bits;
  float single;
  double number;
  memcpy(&single, &low, sizeof single);
  memcpy(&number, &bits, sizeof number);
  return dtype == FANIN_DTYPE_F16       ? (double)oracle_f16_value((uint16_t)bits)
         : dtype == FANIN_DTYPE_BF16    ? (double)oracle_bf16_value((uint16_t)bits)
         : dtype == FANIN_DTYPE_F8_E4M3 ? (double)oracle_e4m3_value((uint8_t)bits)
         : dtype == FANIN_DTYPE_F8_E5M2 ? (double)oracle_e5m2_value((uint8_t)bits)
         : dtype == FANIN_DTYPE_F32     ? (double)single
                                        : number;
}

/* Of at most two bytes: by looking at all of them. */
static double least_of_all(fanin_dtype dtype, double x) {
  double least = INFINITY, largest = 0;
  for (uint32_t bits = 0; bits < 0x10000; bits++) {
    const double number = oracle_number(dtype, bits);
    if (!isfinite(number)) continue;
    if (number >= x && number < least) least = number;
    if (number > largest) largest = number;
  }
  return least < INFINITY ? least : largest;
}

double oracle_least(fanin_dtype dtype, double x) {
  double least;
  if (dtype == FANIN_DTYPE_F64) {
    least = fmin(fmax(x, -DBL_MAX), DBL_MAX);
  } else if (dtype == FANIN_DTYPE_F32) {
    const float nearest = (float)fmin(fmax(x, -(double)FLT_MAX), (double)FLT_MAX);
    least = (double)((double)nearest < x && nearest < FLT_MAX ? nextafterf(nearest, INFINITY) : nearest);
  } else {
    least = least_of_all(dtype, x);
  }
  return least == 0 ? 0 : least;
}

double oracle_most(fanin_dtype dtype, double x) {
  const double most = -oracle_least(dtype, -x);
  return most == 0 ? 0 : most;
}
