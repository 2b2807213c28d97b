/* Tables in plain C: section 4 of docs/stream.md. */
#include "oracle/table.h"

#include <math.h>
#include <string.h>

#include "math/power.h"

__extension__ typedef unsigned __int128 uint128;

/* m 2^(-63 - e) */
typedef struct power {
  uint64_t m;
  int e;
} power;

static power times(power a, power b) {
  const uint128 product = (uint128)a.m * b.m;
  if (product >> 127) return (power){(uint64_t)(product >> 64), a.e + b.e - 1};
  return (power){(uint64_t)(product >> 63), a.e + b.e};
}

/* base^(-k / steps); the ratios are the host's, which test_power.c holds to numbers of many digits. */
static power power_of(double base, uint64_t k, uint64_t steps) {
  power p = {UINT64_C(1) << 63, 0}, ratio;
  for (int j = 0; j < 64; j++) {
    if ((k >> j) % 2 == 0) continue;
    ratio.e = fanin__wide_power(base, UINT64_C(1) << j, steps, &ratio.m);
    p = times(p, ratio);
  }
  return p;
}

/* m 2^(-63 - e), rounded once to nearest even: to 24 digits, or to 53. */
static double number(power p, bool f64) {
  const int cut = f64 ? 11 : 40;
  const uint64_t whole = p.m >> cut, rest = p.m - (whole << cut), half = UINT64_C(1) << (cut - 1);
  double x = (double)(whole + (rest > half || (rest == half && whole % 2 == 1)));
  for (int k = 0; k < 63 + p.e - cut; k++)
    x /= 2;
  return x;
}

/* log2(x) 2^59: the logarithm of p^2 is twice that of p, and its whole part is a digit. */
static uint64_t log2_of(uint64_t x) {
  uint64_t digits = 0;
  power p = {x, 0};
  for (; p.m >> 63 == 0; p.m *= 2)
    p.e++;
  digits = (uint64_t)(63 - p.e);
  for (int k = 0; k < 59; k++) {
    p.e = 0;
    p = times(p, p);
    digits = 2 * digits + (p.e < 0);
  }
  return digits;
}

/* 2^(-y 2^-55) */
static power exp2_of(uint64_t y) {
  static const uint64_t c[] = {
      UINT64_C(0xb17217f7d1cf79ac), UINT64_C(0x3d7f7bff058b1d51), UINT64_C(0x0e35846b82505fc6),
      UINT64_C(0x0276556df749cee5), UINT64_C(0x005761ff9e299cc4), UINT64_C(0x000a184897c363c4),
      UINT64_C(0x0000ffe5fe2c4586), UINT64_C(0x0000162c0223a5c8), UINT64_C(0x000001b5253d395e),
      UINT64_C(0x0000001e4cf5158c), UINT64_C(0x00000001e8cac735), UINT64_C(0x000000001c3bd651),
      UINT64_C(0x0000000001816193), UINT64_C(0x0000000000131496), UINT64_C(0x000000000000e1b7),
      UINT64_C(0x00000000000009c7), UINT64_C(0x0000000000000066), UINT64_C(0x0000000000000004)};
  const uint64_t whole = y >> 55, f = (y - (whole << 55)) << 9;
  uint64_t h = 0;
  if (f == 0) return (power){UINT64_C(1) << 63, (int)whole};
  for (int k = (int)(sizeof c / sizeof *c) - 1; k >= 0; k--)
    h = c[k] - (uint64_t)((uint128)f * h >> 64);
  return (power){-(uint64_t)((uint128)f * h >> 64), (int)whole + 1};
}

/* (a / b)^exponent */
static double bent(uint64_t a, uint64_t b, double exponent, bool f64) {
  if (a == 0) return 0;
  const uint64_t bend = (uint64_t)ldexp(exponent, 60);
  const power p = exp2_of((uint64_t)((uint128)(log2_of(b) - log2_of(a)) * bend >> 64));
  return p.e > 100 ? 0 : number(p, f64);
}

static double ramp(uint64_t n, uint64_t count, const fanin_init *init, bool f64) {
  const uint64_t period = (uint64_t)init->period, r = (n + (uint64_t)init->shift) % period, most = period - 1;
  const uint64_t steps = init->half_open || count == 1 ? count : count - 1;
  const double t = bent(n, steps, init->exponent, f64), span = init->hi - init->lo;
  const bool below = 2 * r < most;
  const double size = bent(below ? most - 2 * r : 2 * r - most, most, init->zigzag_exponent, f64);
  const double s = below ? -size : size;
  const double x = f64 ? fma(span, t, init->lo) : (double)fmaf((float)span, (float)t, (float)init->lo);
  if (init->zigzag == 0) return x;
  return f64 ? fma(init->zigzag, s, x) : (double)fmaf((float)init->zigzag, (float)s, (float)x);
}

/* The element's index, and how many there are. */
static uint64_t index_in(const fanin_tensor *t, const uint64_t *at, uint64_t *count) {
  uint64_t index = 0;
  *count = 1;
  for (int d = 0; d < t->rank; d++) {
    index = index * t->shape[d] + at[d];
    *count *= t->shape[d];
  }
  return index;
}

static double sinusoid(uint64_t position, uint64_t n, uint64_t channels, const fanin_init *init, bool f64) {
  const uint64_t half = channels / 2;
  const bool interleaved = init->form == FANIN_FORM_INTERLEAVED, cosine = interleaved ? n % 2 == 1 : n >= half;
  const uint64_t i = interleaved ? n / 2 : n % half;
  uint64_t steps = half;
  if (init->form == FANIN_FORM_TENSOR2TENSOR) steps = half == 1 ? 1 : half - 1;
  const power turns = times(power_of(init->base, i, steps), (power){UINT64_C(0xa2f9836e4e44152a), 3});
  const uint64_t angle = turns.e - 1 > 63 ? 0 : position * (turns.m >> (turns.e - 1));
  float c, s;
  double wide_c, wide_s;
  oracle_cos_sin_at32(angle, &c, &s);
  oracle_cos_sin_at64(angle, &wide_c, &wide_s);
  if (f64) return cosine ? wide_c : wide_s;
  return (double)(cosine ? c : s);
}

bool oracle_is_table(fanin_kind kind) {
  return kind == FANIN_KIND_S4D_REAL || kind == FANIN_KIND_SINUSOIDAL || kind == FANIN_KIND_INV_FREQ ||
         kind == FANIN_KIND_ALIBI || kind == FANIN_KIND_RAMP;
}

/* Without the gain. */
static double plain_value(const fanin_tensor *t, const fanin_init *init, const uint64_t *at, bool f64) {
  if (init->kind == FANIN_KIND_RAMP) {
    uint64_t count;
    const uint64_t index = index_in(t, at, &count);
    return ramp(index, count, init, f64);
  }
  const uint64_t n = at[t->rank - 1], columns = t->shape[t->rank - 1];
  if (init->kind == FANIN_KIND_INV_FREQ) return number(power_of(init->base, n, columns), f64);
  if (init->kind == FANIN_KIND_SINUSOIDAL) return sinusoid(at[t->rank - 2], n, columns, init, f64);
  if (init->kind == FANIN_KIND_ALIBI) {
    uint64_t steps = 1;
    while (2 * steps <= columns)
      steps *= 2;
    return number(power_of(16, n < steps ? 2 * n + 2 : 2 * (n - steps) + 1, steps), f64);
  }
  return f64 ? oracle_neg2_log64((double)(n + 1)) * -0.5 : (double)(oracle_neg2_log32((float)(n + 1)) * -0.5F);
}

double oracle_table_value(const fanin_tensor *t, const fanin_init *init, const uint64_t *at) {
  const bool f64 = t->dtype == FANIN_DTYPE_F64;
  const double x = plain_value(t, init, at, f64);
  return f64 ? init->gain * x : (double)((float)init->gain * (float)x);
}

uint64_t oracle_table(const fanin_tensor *t, const fanin_init *init, const uint64_t *at) {
  const double value = oracle_table_value(t, init, at);
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  return t->dtype == FANIN_DTYPE_F64 ? bits : oracle_bits_of(t->dtype, (float)value);
}
