/* Tables: numbers that follow from a position p and a column n, the coordinates along a tensor's last two dimensions.
 * Built with -D S4D_REAL, SINUSOIDAL, INV_FREQ, ALIBI or RAMP, and the dtype's define (lib/dtype.clh). Powers are
 * integers of 64 bits with an exponent, so that they have the accuracy of double on devices without it. */
#define WIDTH 1
#include "lib/dtype.clh"
#include "lib/integer.clh"
#include "lib/rows.clh"
#include "lib/structs.h"
#include "lib/values.clh"
#if defined(DOUBLE)
#include "lib/math64.clh"
#else
#include "lib/math.clh"
#endif

#if !defined(S4D_REAL) && !defined(SINUSOIDAL) && !defined(INV_FREQ) && !defined(ALIBI) && !defined(RAMP)
#define S4D_REAL
#endif

#if !defined(S4D_REAL)
/* ---- Powers ------------------------------------------------------------------------------------------------------ */

/* significand 2^(-63 - exponent), 2^63 <= significand < 2^64; numbers up to 1. */
typedef struct power {
  ulong significand;
  uint exponent;
} power;

/* The upper half of a product of 128 bits. */
static ulong upper_product(const ulong a, const ulong b) {
  const ulong a0 = a & LOW, a1 = a >> 32, b0 = b & LOW, b1 = b >> 32;
  const ulong first = a1 * b0 + (a0 * b0 >> 32), second = a0 * b1 + (first & LOW);
  return a1 * b1 + (first >> 32) + (second >> 32);
}

/* Cut off to 64 bits. */
static power times(const power a, const power b) {
  const ulong upper = upper_product(a.significand, b.significand), lower = a.significand * b.significand;
  const uint exponent = a.exponent + b.exponent;
  if (upper >> 63) return (power){upper, exponent - 1};
  return (power){upper << 1 | lower >> 63, exponent};
}

#endif

#if !defined(RAMP)
/* The table's numbers in an item's own memory: which power an item needs is its own, and Mesa 22 reads a kernel's
 * argument at the index of the first item for all of them. */
typedef struct numbers {
  ulong second;
#if !defined(S4D_REAL)
  power powers[FANIN__TABLE_BITS];
#endif
} numbers;

static numbers numbers_of(const fanin__table_numbers *t) {
  numbers own;
  own.second = t->second;
#if !defined(S4D_REAL)
#if FANIN__TABLE_BITS != 34
#error "these are 34 powers"
#endif
#define COPY(j) own.powers[j] = (power){t->significand[j], t->exponent[j]}
#define COPY8(j)                                                                                                       \
  COPY(j);                                                                                                             \
  COPY(j + 1);                                                                                                         \
  COPY(j + 2);                                                                                                         \
  COPY(j + 3);                                                                                                         \
  COPY(j + 4);                                                                                                         \
  COPY(j + 5);                                                                                                         \
  COPY(j + 6);                                                                                                         \
  COPY(j + 7)
  COPY8(0);
  COPY8(8);
  COPY8(16);
  COPY8(24);
  COPY(32);
  COPY(33);
#endif
  return own;
}

#endif

#if !defined(S4D_REAL) && !defined(RAMP)
/* base^(-k / D) */
static power power_at(const numbers *t, ulong k) {
  power p = {1ul << 63, 0};
  for (uint j = 0; k != 0; ++j, k >>= 1) {
    if (k & 1) p = times(p, t->powers[j]);
  }
  return p;
}
#endif

#if defined(INV_FREQ) || defined(ALIBI) || defined(RAMP)
#if defined(DOUBLE)
#define DIGITS        53
#define POWER_OF_2(e) as_double((ulong)(1023 - (e)) << 52)
#else
#define DIGITS        24
#define POWER_OF_2(e) as_float((127u - (e)) << 23)
#endif

/* Rounded to the nearest, ties to even. */
static real real_of(const power p) {
  const ulong unit = 1ul << (64 - DIGITS), rest = p.significand & (unit - 1), cut = p.significand >> (64 - DIGITS);
  const ulong rounded = cut + (rest > unit / 2 || (rest == unit / 2 && (cut & 1)) ? 1 : 0);
#if defined(DOUBLE)
  return (real)rounded * POWER_OF_2(p.exponent + DIGITS - 1);
#else
  return (real)(uint)rounded * POWER_OF_2(p.exponent + DIGITS - 1);
#endif
}
#endif

#if defined(RAMP)
/* ---- Powers of fractions ----------------------------------------------------------------------------------------- */

/* log2(x) 2^59, 0 < x < 2^32: each square tells a digit. */
static ulong log2_of(const ulong x) {
  const uint whole = 63 - (uint)clz(x);
  power p = {x << (63 - whole), 0};
  ulong y = whole;
  for (uint digit = 0; digit < 59; ++digit) {
    p = times(p, p);
    y = y << 1 | (p.exponent & 1);
    p.exponent = 0;
  }
  return y;
}

/* ln(2)^k / k!, 2^64 as 1, from k = 18 down to 1 */
constant ulong EXP2[] = {0x4ul,
                         0x66ul,
                         0x9c7ul,
                         0xe1b7ul,
                         0x131496ul,
                         0x1816193ul,
                         0x1c3bd651ul,
                         0x1e8cac735ul,
                         0x1e4cf5158cul,
                         0x1b5253d395eul,
                         0x162c0223a5c8ul,
                         0xffe5fe2c4586ul,
                         0xa184897c363c4ul,
                         0x5761ff9e299cc4ul,
                         0x276556df749cee5ul,
                         0xe35846b82505fc6ul,
                         0x3d7f7bff058b1d51ul,
                         0xb17217f7d1cf79acul};

/* 2^(-y 2^-55), y < 2^64 */
static power exp2_of(const ulong y) {
  const ulong part = y << 9;
  const uint whole = (uint)(y >> 55);
  if (part == 0) return (power){1ul << 63, whole};
  ulong h = EXP2[0];
  for (uint k = 1; k < sizeof EXP2 / sizeof *EXP2; ++k)
    h = EXP2[k] - upper_product(part, h);
  return (power){0 - upper_product(part, h), whole + 1};
}

/* (a / b)^bend, a <= b, where log_b is that of b. What is below 2^-100 is 0. */
static real bent(const ulong a, const ulong log_b, const ulong bend) {
  if (a == 0) return 0;
  const power p = exp2_of(upper_product(log_b - log2_of(a), bend));
  return p.exponent > 100 ? 0 : real_of(p);
}

/* A ramp's numbers, with logarithms of what is divided by. */
typedef struct numbers {
  ulong log_steps, log_most, bend, period, shift, zigzag_bend;
  real lo, span, zigzag;
} numbers;

#if defined(DOUBLE)
#define REAL_OF(bits) as_double(bits)
#else
#define REAL_OF(bits) as_float((uint)(bits))
#endif

static numbers numbers_of(const fanin__table_numbers *t) {
  numbers own;
  own.log_steps = log2_of(t->steps);
  own.log_most = log2_of(t->period - 1);
  own.bend = t->bend;
  own.period = t->period;
  own.shift = t->shift;
  own.zigzag_bend = t->zigzag_bend;
  own.lo = REAL_OF(t->lo);
  own.span = REAL_OF(t->span);
  own.zigzag = REAL_OF(t->zigzag);
  return own;
}
#endif

/* ---- The tables -------------------------------------------------------------------------------------------------- */

#if defined(S4D_REAL)
/* ln(n + 1) */
static real value_at(const numbers *t, const ulong p, const ulong n) {
  (void)t;
  (void)p;
#if defined(DOUBLE)
  return neg2_log((real)(n + 1)) * -0.5;
#else
  real x[1] = {(real)(uint)(n + 1)};
  neg2_log(x);
  return x[0] * -0.5f;
#endif
}

#elif defined(SINUSOIDAL)
/* The angle p w(i) in 2^-64 turns, modulo a turn: a product of integers, with nothing to be rounded. */
static real value_at(const numbers *t, const ulong p, const ulong n) {
  const bool is_cosine = t->second > 0 ? n >= t->second : n & 1;
  const ulong i = t->second == 0 ? n >> 1 : is_cosine ? n - t->second : n;
  const power turns = times(power_at(t, i), (power){0xa2f9836e4e44152aul, 3}); /* w / (2 pi) */
  const uint shift = turns.exponent - 1;
  const ulong angle = p * (shift < 64 ? turns.significand >> shift : 0), quadrant = angle + 0x2000000000000000ul;
  const long rest = as_long(angle << 2) >> 2;
  real c[1], s[1];
#if defined(DOUBLE)
  cos_sin_of((real)rest * 0x1p-61, quadrant, c, s);
#else
  const real eighths[1] = {fma((real)(int)(rest >> 32), 0x1p-29f, (real)(uint)rest * 0x1p-61f)};
  const uint upper[1] = {(uint)(quadrant >> 32)};
  cos_sin_of(eighths, upper, c, s);
#endif
  return is_cosine ? c[0] : s[0];
}

#elif defined(INV_FREQ)
/* base^(-n / N) */
static real value_at(const numbers *t, const ulong p, const ulong n) {
  (void)p;
  return real_of(power_at(t, n));
}

#elif defined(RAMP)
/* lo + span t^exponent, and zigzag s |s|^(zigzag_exponent - 1), which is not added where it is 0: a 0 with a sign would
 * be what drivers do not agree on. */
static real value_at(const numbers *t, const ulong p, const ulong n) {
  (void)p;
  const real x = fma(t->span, bent(n, t->log_steps, t->bend), t->lo);
  if (t->zigzag == 0) return x;
  const ulong twice = (n + t->shift) % t->period * 2, most = t->period - 1;
  const real s = bent(twice < most ? most - twice : twice - most, t->log_most, t->zigzag_bend);
  return fma(t->zigzag, twice < most ? -s : s, x);
}

#else
/* 16^(-k / second) */
static real value_at(const numbers *t, const ulong p, const ulong n) {
  (void)p;
  return real_of(power_at(t, n < t->second ? 2 * n + 2 : 2 * (n - t->second) + 1));
}
#endif

/* A task is `piece` elements of a row. Item i does tasks i * pitch, i * pitch + step and so on below i * pitch + span.
 */
kernel void table(global element *restrict buffer, const fanin__rows rows, const fanin__table_numbers t,
                  const real gain, const ulong piece, const ulong pitch, const ulong step, const ulong span) {
  const numbers own = numbers_of(&t);
  const ulong pieces = (rows.length + piece - 1) / piece;
  const ulong begin = get_global_id(0) * pitch, end = min(begin + span, rows.count * pieces);
  for (ulong task = begin; task < end; task += step) {
    const ulong row = task / pieces, from = (task - row * pieces) * piece, count = min(piece, rows.length - from);
    ulong index, memory;
    row_begin(&rows, row, &index, &memory);
    const ulong line = (index + from) / t.columns;
    ulong n = index + from - line * t.columns, p = line % t.positions;
    for (ulong k = from; k < from + count; ++k) {
      PUT(gain * value_at(&own, p, n), memory + k * rows.stride, buffer);
      if (++n < t.columns) continue;
      n = 0;
      if (++p == t.positions) p = 0;
    }
  }
}
