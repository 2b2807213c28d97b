/* The limit's kernel, once for all instruction sets: Philox, the laws, and the loop over a tensor. A variant's source
 * file defines its vectors and then includes this file, which ends with the kernel. It defines
 *
 *   words, reals      vectors of integers and of f32 numbers, of one size. A 64-bit lane of words is a block; to each
 *                     half of it belongs one number
 *   BLOCKS            the number of 64-bit lanes
 *   INTERLEAVE        vectors of blocks that go through each step together
 *   TARGET, INLINE    what functions begin with: those that have an address, and those that are inlined into them
 *   KERNEL            the kernel's name
 *   all, real         one word or number to all halves
 *   block_numbers     of the first vector: from a number on, in the order that store_blocks() expects
 *   add_lanes         64-bit lanes plus a number
 *   times             products of the lower halves of 64-bit lanes and one word
 *   down              the upper halves, to the lower ones
 *   xor2, xor3        exclusive or
 *   last_words        the last round: words 0 and 2 of all blocks, and words 1 and 3 in the same order
 *   add_words, times4 32-bit words plus a number, and times 4
 *   signed_real       words, signed, as numbers
 *   product           a b
 *   fused             a b + c, rounded once
 *   negative_fused    c - a b, rounded once
 *   unit_split        of u = (w + 1/2) 2^-32 an exponent e and s: u = 2^e (1 + s), sqrt(1/2) <= 1 + s < sqrt(2)
 *   OCTAVE            -2 ln 2, or 2 ln 2 if unit_split() gives -e
 *   root_estimate     of 1 / sqrt(x), with the sign of q
 *   rotate            (c, s) to (-s, c) where bit 30 of q is set
 *   clamp             values within bounds
 *   store_blocks      even and odd elements to memory
 *   end_streams       what non-temporal stores end with
 *
 * Everything is docs/stream.md to the bit. Where a step here is not the page's own, the result is the same number:
 *
 * - A block's words 0 and 2 (even elements) go to one vector, words 1 and 3 to another. That is what pairs of normals
 *   take, and the other laws lose nothing by it.
 * - The angle: f32(i32(w << 2) >> 2) 2^-29 is f32(i32(w << 2)) 2^-31, because scaling by 4 commutes with rounding.
 * - The sign of the quadrant's bit 31 is both the cosine's and the sine's, so that the radius takes it. It has the sign
 *   from the estimate of its root on: all later steps are odd in it. */
#ifndef FANIN_BENCH_LIMIT_LAWS_H
#define FANIN_BENCH_LIMIT_LAWS_H

#include "limit_kernels.h"

#define EACH(u, n) _Pragma("GCC unroll 16") for (int u = 0; u < (n); u++)
#define TERMS(c)   ((int)(sizeof(c) / sizeof *(c)))

enum { ODD = INTERLEAVE, ALL = 2 * INTERLEAVE }; /* arrays have even elements' vectors first, then odd ones' */

/* ---- Philox ------------------------------------------------------------------------------------------------------ */

typedef struct state {
  words c0, c1, c2, c3; /* in the lower halves; the upper ones hold whatever was left there */
} state;

/* The state after two rounds; product is block * M0. */
INLINE state start(words product, const limit_tensor *t) {
  const words p1 = times(xor2(down(product), all(t->c2_round1)), LIMIT_M1);
  return (state){.c0 = xor2(down(p1), all(t->c0_round2)),
                 .c1 = p1,
                 .c2 = xor2(product, all(t->c2_round2)),
                 .c3 = all(t->c3_round2)};
}

INLINE state round_of(state s, uint32_t k0, uint32_t k1) {
  const words p0 = times(s.c0, LIMIT_M0), p1 = times(s.c2, LIMIT_M1);
  return (state){.c0 = xor3(down(p1), s.c1, all(k0)), .c1 = p1, .c2 = xor3(down(p0), s.c3, all(k1)), .c3 = p0};
}

/* The words of the blocks of INTERLEAVE vectors. first: block * M0 of the first of them, which moves on. */
INLINE void draw(words *first, const limit_tensor *t, words w[ALL]) {
  state s[INTERLEAVE];
  EACH(u, INTERLEAVE) {
    s[u] = start(*first, t);
    *first = add_lanes(*first, (uint64_t)LIMIT_M0 * BLOCKS);
  }
  _Pragma("GCC unroll 8") for (int r = 0; r < LIMIT_ROUNDS - 1; r++) {
    EACH(u, INTERLEAVE) s[u] = round_of(s[u], t->k0[r], t->k1[r]);
  }
  const uint32_t k0 = t->k0[LIMIT_ROUNDS - 1], k1 = t->k1[LIMIT_ROUNDS - 1];
  EACH(u, INTERLEAVE) {
    last_words(times(s[u].c0, LIMIT_M0), times(s[u].c2, LIMIT_M1), s[u].c1, s[u].c3, k0, k1, &w[u], &w[ODD + u]);
  }
}

/* ---- Laws -------------------------------------------------------------------------------------------------------- */

/* p = the polynomial of x with the coefficients c, that of the highest power first; n vectors of each. */
#define HORNER(p, x, c, n)                                                                                             \
  do {                                                                                                                 \
    EACH(u, n)(p)[u] = real((c)[0]);                                                                                   \
    _Pragma("GCC unroll 32") for (int k = 1; k < TERMS(c); k++) {                                                      \
      EACH(u, n)(p)[u] = fused((p)[u], (x)[u], real((c)[k]));                                                          \
    }                                                                                                                  \
  } while (0)

static const float CORE[] = LIMIT_CORE;
static const float LOG1P[] = {-0x1.6541d0p-3f, 0x1.263b16p-2f,  -0x1.323938p-2f, 0x1.5332bep-2f, -0x1.98b744p-2f,
                              0x1.000570p-1f,  -0x1.555792p-1f, 0x1.fffff8p-1f,  -0x1.000000p+1f};
static const float ROOT[] = {0x1.19c818p-2f, 0x1.41760ep-2f, 0x1.7fff2ap-2f, 0x1.ffff92p-2f};
static const float COSINE[] = {-0x1.4e5ed6p-12f, 0x1.03af5cp-6f, -0x1.3bd392p-2f, 1.0f};
static const float SINE[] = {-0x1.2d9302p-15f, 0x1.465e92p-9f, -0x1.4abbbap-4f, 0x1.921fb6p-1f};

INLINE void uniform_values(const words w[ALL], const limit_tensor *t, reals v[ALL]) {
  EACH(u, ALL) {
    const reals unit = fused(signed_real(w[u]), real(0x1p-31f), real(0x1p-32f));
    v[u] = fused(real(t->half), unit, real(t->middle));
  }
}

INLINE void trunc_values(const words w[ALL], const limit_tensor *t, reals v[ALL]) {
  reals x[ALL], square[ALL];
  uniform_values(w, t, x);
  EACH(u, ALL) square[u] = fused(x[u], x[u], real(-0.4375f));
  HORNER(v, square, CORE, ALL);
  EACH(u, ALL) v[u] = fused(real(t->std), product(v[u], x[u]), real(t->mean));
}

/* The square root of -2 ln u with the sign of q. */
INLINE void radii(const words w[INTERLEAVE], const words q[INTERLEAVE], reals r[INTERLEAVE]) {
  reals exponent[INTERLEAVE], s[INTERLEAVE], d[INTERLEAVE], p[INTERLEAVE];
  EACH(u, INTERLEAVE) exponent[u] = unit_split(w[u], &s[u]);
  HORNER(p, s, LOG1P, INTERLEAVE);
  EACH(u, INTERLEAVE) {
    const reals x = fused(exponent[u], real(OCTAVE), product(p[u], s[u])), y = root_estimate(x, q[u]);
    r[u] = product(x, y);
    d[u] = negative_fused(r[u], y, real(1.0f));
  }
  HORNER(p, d, ROOT, INTERLEAVE);
  EACH(u, INTERLEAVE) r[u] = fused(p[u], product(r[u], d[u]), r[u]);
}

/* Even words are radii, odd ones angles. */
INLINE void normal_values(const words w[ALL], const limit_tensor *t, reals v[ALL]) {
  const words *const angle = w + ODD;
  words q[INTERLEAVE];
  reals r[INTERLEAVE], x[INTERLEAVE], square[INTERLEAVE], c[INTERLEAVE], s[INTERLEAVE];
  EACH(u, INTERLEAVE) q[u] = add_words(angle[u], 0x20000000u);
  EACH(u, INTERLEAVE) {
    x[u] = fused(signed_real(times4(angle[u])), real(0x1p-31f), real(0x1p-30f));
    square[u] = product(x[u], x[u]);
  }
  HORNER(c, square, COSINE, INTERLEAVE);
  HORNER(s, square, SINE, INTERLEAVE);
  radii(w, q, r);
  EACH(u, INTERLEAVE) {
    s[u] = product(s[u], x[u]);
    rotate(q[u], &c[u], &s[u]);
    v[u] = fused(real(t->std), product(r[u], c[u]), real(t->mean));
    v[ODD + u] = fused(real(t->std), product(r[u], s[u]), real(t->mean));
  }
}

/* ---- A tensor ---------------------------------------------------------------------------------------------------- */

/* A copy of the tensor is what the loop reads, because no store can change that. */
INLINE void fill(float *out, uint32_t first, size_t count, const limit_tensor *tensor, limit_kind kind,
                 limit_bounds bounds, bool streams) {
  const limit_tensor copy = *tensor, *const t = &copy;
  words product = times(block_numbers(first), LIMIT_M0);
  for (size_t k = 0; k < count; k += INTERLEAVE * BLOCKS) {
    words w[ALL];
    reals v[ALL];
    draw(&product, t, w);
    if (kind == LIMIT_UNIFORM) uniform_values(w, t, v);
    if (kind == LIMIT_NORMAL) normal_values(w, t, v);
    if (kind == LIMIT_TRUNC_NORMAL) trunc_values(w, t, v);
    EACH(u, INTERLEAVE) {
      float *const to = out + 4 * (k + (size_t)u * BLOCKS);
      store_blocks(to, clamp(v[u], t, bounds), clamp(v[ODD + u], t, bounds), streams);
    }
  }
  if (streams) end_streams();
}

/* A function for each of these, plain and with non-temporal stores, so that neither is asked for in the loop. */
#define FILLS(XX)                                                                                                      \
  XX(LIMIT_UNIFORM, LIMIT_INSIDE)                                                                                      \
  XX(LIMIT_UNIFORM, LIMIT_SYMMETRIC)                                                                                   \
  XX(LIMIT_UNIFORM, LIMIT_CLAMPED)                                                                                     \
  XX(LIMIT_NORMAL, LIMIT_INSIDE)                                                                                       \
  XX(LIMIT_TRUNC_NORMAL, LIMIT_INSIDE)                                                                                 \
  XX(LIMIT_TRUNC_NORMAL, LIMIT_SYMMETRIC)                                                                              \
  XX(LIMIT_TRUNC_NORMAL, LIMIT_CLAMPED)

#define FILL(kind, bounds, name, streams)                                                                              \
  TARGET static void kind##_##bounds##_##name(float *out, uint32_t first, size_t count, const limit_tensor *t) {       \
    fill(out, first, count, t, kind, bounds, streams);                                                                 \
  }
#define FILL_BOTH(kind, bounds)                                                                                        \
  FILL(kind, bounds, plain, false)                                                                                     \
  FILL(kind, bounds, streamed, true)
FILLS(FILL_BOTH)

#define FILL_ENTRY(kind, bounds) [kind][bounds] = {kind##_##bounds##_plain, kind##_##bounds##_streamed},
void KERNEL(float *out, uint32_t first, size_t count, const limit_tensor *t) {
  static limit_kernel *const fills[][3][2] = {FILLS(FILL_ENTRY)};
  fills[t->kind][t->bounds][t->streams](out, first, count, t);
}

#endif
