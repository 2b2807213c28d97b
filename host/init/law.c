/* The law of an initializer's values: what to expect of a tensor, the distribution function and its moments. */
#include "init/initializer.h"

#include <math.h>

#include "core/argument.h"
#include "tensor/dtype.h"
#include "tensor/view.h"

/* What the public header says of each. */
static const struct {
  const char *name, *text;
  const fanin__law *law;
} table[FANIN_LAW_KIND_COUNT] = {
#define ROW(id, name, text) {#name, text, &fanin__law_##name},
    FANIN_LAW_KIND_MAP(ROW)
#undef ROW
};

/* NULL with a sentence set if `kind` is none. */
static const fanin__law *law_of(fanin_law_kind kind) {
  if ((unsigned)kind < FANIN_LAW_KIND_COUNT) return table[kind].law;
  fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "law->kind is %d; pass the law that fanin_law_of() wrote", (int)kind);
  return NULL;
}

fanin_status fanin_describe_law(fanin_law_kind kind, fanin_law_description *out, size_t size) {
  if ((unsigned)kind >= FANIN_LAW_KIND_COUNT) {
    return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "kind is %d; 0 to %d are accepted", (int)kind,
                       FANIN_LAW_KIND_COUNT - 1);
  }
  const fanin_law_description described = {table[kind].name, table[kind].text, table[kind].law->values};
  return fanin__give(out, size, &described, sizeof described);
}

/* The distribution of what `init` makes of `t`, and its moments. */
static fanin_status expect(const fanin_tensor *t, const fanin_init *init, fanin__distribution *d, fanin_moments *out) {
  fanin__view view;
  FANIN__TRY(fanin__view_of(t, &view));
  FANIN__TRY(fanin__resolve(t, init, d));
  const fanin__law *const law = law_of(d->law.kind);
  if (!law->expected) return law->expect(t, d, out);
  *out = law->expected(&d->law);
  return FANIN_STATUS_OK;
}

fanin_status fanin_expect(const fanin_tensor *t, const fanin_init *init, fanin_moments *out, size_t size) {
  fanin__distribution d;
  fanin_moments moments;
  FANIN__TRY(expect(t, init, &d, &moments));
  return fanin__give(out, size, &moments, sizeof moments);
}

fanin_status fanin_law_of(const fanin_tensor *t, const fanin_init *init, fanin_law *out) {
  fanin__distribution d;
  fanin_moments moments;
  FANIN__NEED(out);
  FANIN__TRY(expect(t, init, &d, &moments));
  *out = d.law;
  out->lo = moments.lo;
  out->hi = moments.hi;
  return FANIN_STATUS_OK;
}

/* A caller's law, of which n moments are wanted. */
static fanin_status take(const fanin_law *law, size_t n, const fanin__law **known) {
  FANIN__NEED(law);
  if (n > FANIN__MOMENTS) {
    return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "n is %zu; 0 to %d are accepted", n, FANIN__MOMENTS);
  }
  *known = law_of(law->kind);
  if (!*known) return FANIN_STATUS_BAD_ARGUMENT;
  FANIN__NEED_RESERVED("law", law->reserved);
  return FANIN_STATUS_OK;
}

static fanin_status has_none(const fanin_law *law, const char *what) {
  return fanin__fail(FANIN_STATUS_UNSUPPORTED, "a law of kind \"%s\" has no %s in closed form", table[law->kind].name,
                     what);
}

/* Of a law that was checked and has a distribution function. */
static double probability(const fanin_law *law, double x, bool upper) {
  if (x < law->lo) return upper ? 1 : 0;
  if (x >= law->hi) return upper ? 0 : 1;
  return law_of(law->kind)->probability(law, x, upper);
}

fanin_status fanin_law_probability(const fanin_law *law, double x, int upper, double *out) {
  const fanin__law *known = NULL;
  FANIN__NEED(out);
  FANIN__TRY(take(law, 0, &known));
  if (!known->probability) return has_none(law, "distribution function");
  *out = probability(law, x, upper != 0);
  return FANIN_STATUS_OK;
}

fanin_status fanin_law_moments(const fanin_law *law, double centre, double unit, double *moments, size_t n) {
  const fanin__law *known = NULL;
  FANIN__NEED_ARRAY(moments, n);
  FANIN__TRY(take(law, n, &known));
  if (!known->moments) return has_none(law, "moments");
  known->moments(law, centre, unit, moments, (int)n);
  return FANIN_STATUS_OK;
}

/* ---- Rounded to a dtype ------------------------------------------------------------------------------------------ */

/* Number k of a narrow dtype, in ascending order; infinity or NaN before the first and from the last one on. */
static double number_at(fanin_dtype dtype, uint32_t k) {
  const uint32_t sign = UINT32_C(1) << (8 * fanin_dtype_size(dtype) - 1);
  if (k >= 2 * sign) return NAN;
  return fanin__narrow_number(dtype, k < sign ? sign | (sign - 1 - k) : k - sign);
}

/* P(X <= x) and P(X > x); x may be infinite. */
typedef struct tails {
  double below, above;
} tails;

static tails tails_at(const fanin_law *law, double x) {
  if (isinf(x)) return x > 0 ? (tails){1, 0} : (tails){0, 1};
  return (tails){probability(law, x, false), probability(law, x, true)};
}

/* P(from < X <= to) without cancellation in the upper tail. */
static double mass(tails from, tails to) {
  return from.below < 0.5 ? to.below - from.below : from.above - to.above;
}

/* The number of a dtype that x is rounded to; of two that are equally near, the one with an even significand. */
static double nearest(fanin_dtype dtype, double x) {
  const double below = fanin__most(dtype, x), above = fanin__least(dtype, x), middle = below + (above - below) / 2;
  if (below == above || x < middle) return below;
  return x > middle || fmod(below / (above - below), 2) != 0 ? above : below;
}

/* A number has the values between the midpoints to its neighbours, and the outermost one has all beyond. */
fanin_status fanin__law_moments_rescaled(const fanin_law *law, fanin_dtype dtype, bool bounded, double factor,
                                         double centre, double unit, double *moments, size_t n) {
  const fanin__law *known = NULL;
  FANIN__NEED_ARRAY(moments, n);
  FANIN__TRY(take(law, n, &known));
  if (!known->probability) return has_none(law, "distribution function");
  const size_t bytes = fanin_dtype_size(dtype);
  if (bytes == 0 || bytes > 2) {
    return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "dtype is %s; a dtype of at most 16 bits is accepted",
                       fanin_dtype_name(dtype));
  }
  const uint32_t numbers = UINT32_C(1) << 8 * bytes;
  /* Bounds are numbers of f32. */
  const double lo = bounded ? law->lo - 0x1p-23 * fabs(law->lo) : -INFINITY;
  const double hi = bounded ? law->hi + 0x1p-23 * fabs(law->hi) : INFINITY;
  tails from = tails_at(law, -INFINITY);
  for (size_t power = 0; power < n; power++) {
    moments[power] = 0;
  }
  for (uint32_t k = 0; k < numbers; k++) {
    const double x = number_at(dtype, k), next = number_at(dtype, k + 1);
    if (!isfinite(x) || x < lo || x > hi) continue;
    const double to = isfinite(next) && next <= hi ? x + (next - x) / 2 : INFINITY;
    const tails up_to = tails_at(law, to);
    double term = mass(from, up_to);
    from = up_to;
    if (!(term > 0)) continue;
    const double value = factor == 1 ? x : nearest(dtype, factor * x);
    for (size_t power = 0; power < n; power++, term *= (value - centre) / unit) {
      moments[power] += term;
    }
  }
  return FANIN_STATUS_OK;
}

fanin_status fanin_law_moments_rounded(const fanin_law *law, fanin_dtype dtype, int bounded, double centre, double unit,
                                       double *moments, size_t n) {
  return fanin__law_moments_rescaled(law, dtype, bounded != 0, 1, centre, unit, moments, n);
}
