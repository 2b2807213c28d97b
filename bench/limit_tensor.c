/* The limit's laws, and what is the same for all elements of a tensor. */
#include <math.h>

#include "limit_kernels.h"

limit_law limit_uniform(double lo, double hi) {
  return (limit_law){.kind = LIMIT_UNIFORM, .lo = lo, .hi = hi};
}

limit_law limit_normal(double mean, double std) {
  return (limit_law){.kind = LIMIT_NORMAL, .mean = mean, .std = std};
}

limit_law limit_trunc_normal(double mean, double std, double from, double to, double lo, double hi) {
  return (limit_law){.kind = LIMIT_TRUNC_NORMAL, .lo = lo, .hi = hi, .mean = mean, .std = std, .from = from, .to = to};
}

/* ---- Bounds ------------------------------------------------------------------------------------------------------ */

/* The f32 number nearest to x that is not outside of it, seen from 0 (least and most of docs/stream.md). */
static float not_below(double x) {
  const float f = (float)x;
  return (double)f < x ? nextafterf(f, INFINITY) : f;
}

static float not_above(double x) {
  const float f = (float)x;
  return (double)f > x ? nextafterf(f, -INFINITY) : f;
}

/* A value before it is kept within bounds. x: fma(half, signed unit, middle). */
static float free_value(const limit_tensor *t, float x) {
  static const float core[] = LIMIT_CORE;
  if (t->kind == LIMIT_UNIFORM) return x;
  const float u = fmaf(x, x, -0.4375f);
  float p = core[0];
  for (size_t k = 1; k < sizeof core / sizeof *core; k++) {
    p = fmaf(p, u, core[k]);
  }
  return fmaf(t->std, p * x, t->mean);
}

/* Values grow with x, but for rounding, which is below 4e-7 of z and so less than ten neighbours of x: only values from
 * the neighbours of either end can reach past a bound. */
static limit_bounds bounds_of(const limit_tensor *t) {
  enum { NEIGHBOURS = 1024 };
  float first = fmaf(t->half, -1.0f, t->middle), last = fmaf(t->half, 1.0f, t->middle);
  bool is_inside = true;
  for (int k = 0; k < NEIGHBOURS && is_inside; k++) {
    is_inside = free_value(t, first) >= t->lower && free_value(t, last) <= t->upper;
    first = nextafterf(first, INFINITY);
    last = nextafterf(last, -INFINITY);
  }
  return is_inside ? LIMIT_INSIDE : t->lower == -t->upper ? LIMIT_SYMMETRIC : LIMIT_CLAMPED;
}

/* ---- Parameters of a law ----------------------------------------------------------------------------------------- */

static void set_interval(limit_tensor *t, const limit_law *law, double middle, double half) {
  t->middle = (float)middle;
  t->half = (float)half;
  t->lower = not_below(law->lo);
  t->upper = not_above(law->hi);
  t->bounds = bounds_of(t);
}

/* P(|Z| <= |z|) with the sign of z. */
static double central(double z) {
  return erf(z * 0x1.6a09e667f3bcdp-1);
}

static void set_law(limit_tensor *t, const limit_law *law) {
  t->kind = law->kind;
  t->mean = (float)law->mean;
  t->std = (float)law->std;
  if (law->kind == LIMIT_UNIFORM) {
    set_interval(t, law, law->lo * 0.5 + law->hi * 0.5, law->hi * 0.5 - law->lo * 0.5);
  } else if (law->kind == LIMIT_TRUNC_NORMAL) {
    const double a = central(law->from), b = central(law->to);
    set_interval(t, law, (a + b) * 0.5, (b - a) * 0.5);
  }
}

/* ---- The first rounds of Philox ---------------------------------------------------------------------------------- */

static void set_key(limit_tensor *t, uint64_t seed, uint64_t stream) {
  const uint32_t weyl0 = 0x9E3779B9u, weyl1 = 0xBB67AE85u;
  uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
  /* Round 1, of the counter (block, 0, stream). */
  const uint64_t round1 = (uint64_t)(uint32_t)stream * LIMIT_M1;
  const uint32_t c0 = (uint32_t)(round1 >> 32) ^ k0, c1 = (uint32_t)round1;
  t->c2_round1 = (uint32_t)(stream >> 32) ^ k1;
  /* Round 2. */
  k0 += weyl0, k1 += weyl1;
  const uint64_t round2 = (uint64_t)c0 * LIMIT_M0;
  t->c0_round2 = c1 ^ k0;
  t->c2_round2 = (uint32_t)(round2 >> 32) ^ k1;
  t->c3_round2 = (uint32_t)round2;
  for (int r = 0; r < LIMIT_ROUNDS; r++) {
    k0 += weyl0, k1 += weyl1;
    t->k0[r] = k0, t->k1[r] = k1;
  }
}

limit_tensor limit_tensor_of(uint64_t seed, uint64_t stream, const limit_law *law, bool streams) {
  limit_tensor t = {.streams = streams};
  set_key(&t, seed, stream);
  set_law(&t, law);
  return t;
}
