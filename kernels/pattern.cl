/* Numbers that follow from coordinates: identity and dirac, bilinear upsampling, Hadamard matrices. Built with -D
 * DELTA, -D BILINEAR or -D HADAMARD, and the dtype's define (lib/dtype.clh).
 *
 * Of identity and dirac (DELTA) the kernel writes the ones only: memory already holds zeros when it runs. */
#include "lib/check.clh"
#include "lib/dtype.clh"
#include "lib/integer.clh"
#include "lib/structs.h"

#if !defined(DELTA) && !defined(BILINEAR) && !defined(HADAMARD)
#define DELTA
#endif

static ulong sum_of(const ulong8 v) {
  return v.s0 + v.s1 + v.s2 + v.s3 + v.s4 + v.s5;
}

static ulong remainder_of(const ulong a, const ulong b) {
  return a < b ? a : a - quotient(a, b) * b;
}

#define UNFOLD(s)                                                                                                      \
  do {                                                                                                                 \
    const ulong above = quotient(row, extent.s);                                                                       \
    inside.s = row - above * extent.s;                                                                                 \
    row = above;                                                                                                       \
  } while (0)

/* Coordinates in the box of a row's first element. */
static ulong8 row_start(ulong row, const ulong8 extent) {
  ulong8 inside = (ulong8)(0);
  UNFOLD(s5);
  UNFOLD(s4);
  UNFOLD(s3);
  UNFOLD(s2);
  UNFOLD(s1);
  UNFOLD(s0);
  return inside;
}

#if defined(DELTA)
/* numbers: the value of the ones. The host has cut the box to the taps' centre. */
static real number_at(const ulong8 at, const ulong8 matrix, const real *numbers) {
  (void)at;
  (void)matrix;
  return numbers[0];
}

#elif defined(BILINEAR)
/* 2 f w(t) = 2 f - |2 t - (k - 1)|, k the extent, f = ceil(k / 2). */
static real tap(const ulong t, const ulong k) {
  const ulong twice = 2 * t, end = k - 1;
  return (real)(2 * ((k + 1) / 2) - (twice > end ? twice - end : end - twice));
}

/* numbers: gain, the product of 2 f over the taps, and 1 over that. The quotient is corrected once, after which it is
 * the rounded one (Markstein 1990) while the products are whole numbers that `real` holds. */
static real number_at(const ulong8 at, const ulong8 matrix, const real *numbers) {
  const ulong o = remainder_of(at.s1, matrix.s1), i = remainder_of(at.s2, matrix.s2);
  if (o != i) return 0;
  const real weight = tap(at.s3, matrix.s3) * tap(at.s4, matrix.s4) * tap(at.s5, matrix.s5);
  const real quotient = weight * numbers[2];
  return numbers[0] * fma(fma(-quotient, numbers[1], weight), numbers[2], quotient);
}

#else
/* numbers: the magnitude. Sylvester's matrix at (o, i) is -1 where o & i has an odd number of ones. */
static real number_at(const ulong8 at, const ulong8 matrix, const real *numbers) {
  if (at.s3 != matrix.s3 / 2 || at.s4 != matrix.s4 / 2 || at.s5 != matrix.s5 / 2) return 0;
  const ulong o = remainder_of(at.s1, matrix.s1), i = remainder_of(at.s2, matrix.s2);
  return popcount(o & i) & 1 ? -numbers[0] : numbers[0];
}
#endif

/* Which elements of a piece of a row are written: number `first`, and every step-th after it. */
typedef struct stretch {
  ulong first, step;
} stretch;

#if defined(DELTA)
/* Rows run along I; the ones are where O and I have the same place in their matrices. */
static stretch stretch_of(const ulong8 at, const ulong8 matrix) {
  const ulong o = remainder_of(at.s1, matrix.s1), i = remainder_of(at.s2, matrix.s2);
  if (o >= matrix.s2) return (stretch){0xfffffffffffffffful, 1};
  return (stretch){o >= i ? o - i : o + matrix.s2 - i, matrix.s2};
}
#else
/* All of them. */
static stretch stretch_of(const ulong8 at, const ulong8 matrix) {
  (void)at;
  (void)matrix;
  return (stretch){0, 1};
}
#endif

/* Item i does tasks i * pitch, i * pitch + step and so on below i * pitch + span. */
kernel void pattern(global element *restrict buffer, const fanin__places p, const real first, const real second,
                    const real third, const ulong pitch, const ulong step, const ulong span) {
  const real numbers[3] = {first, second, third};
  const ulong begin = get_global_id(0) * pitch, end = min(begin + span, p.tasks);
  const ulong stride = sum_of(p.along * p.memory_stride);
  for (ulong task = begin; task < end; task += step) {
    const ulong row = task / p.pieces, from = (task - row * p.pieces) * p.piece;
    const ulong8 inside = row_start(row, p.extent), start = p.start + inside + p.along * from;
    const ulong to = p.origin + sum_of(inside * p.memory_stride) + from * stride;
    const ulong count = min(p.piece, p.length - from);
    const stretch s = stretch_of(start, p.matrix);
    ulong8 at = start + p.along * s.first;
    for (ulong k = s.first; k < count; k += s.step) {
      PUT(number_at(at, p.matrix, numbers), to + k * stride, buffer);
      at += p.along * s.step;
    }
  }
}
