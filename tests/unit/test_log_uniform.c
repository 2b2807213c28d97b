/* log_uniform: its values against exp and log in long double, its bounds in every dtype, its law and its moments. That
 * devices have the oracle's bits is the affair of test_stream.c and test_geometry.c, which have it among their cases.
 */
#include "support/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/context.h"
#include "oracle/cases.h"

#define LEN(x) (sizeof(x) / sizeof *(x))

static fanin_init init_of(double lo, double hi, double least, int inverse) {
  fanin_init init = fanin_log_uniform(lo, hi);
  init.floor = least;
  init.inverse_softplus = inverse;
  return init;
}

/* ln(e^y - 1), and its inverse. */
static long double inverse_softplus(long double y) {
  return y > 1 ? y + log1pl(-expl(-y)) : logl(expm1l(y));
}

static long double softplus(long double x) {
  return x > 0 ? x + log1pl(expl(-x)) : log1pl(expl(x));
}

static long double source(const fanin_init *init, long double x) {
  return init->inverse_softplus ? softplus(x) : x;
}

static long double image(const fanin_init *init, long double y) {
  return init->inverse_softplus ? inverse_softplus(y) : y;
}

static const struct {
  double lo, hi, least;
  int inverse;
} cases[] = {{0.001, 0.1, 0, 0},  {0.001, 0.1, 1e-4, 1}, {0.001, 0.1, 0.01, 0}, {0.001, 0.1, 0.01, 1},
             {1e-30, 1e30, 0, 0}, {0.5, 5, 0, 1},        {1e-8, 600, 0, 1},     {0.99, 1.01, 0, 0},
             {3, 60, 7, 1},       {1e-20, 1e-3, 0, 1},   {0.999999, 1, 0, 0}};

/* ---- Values ------------------------------------------------------------------------------------------------------ */

/* Of the draw d, before the bounds of the dtype. */
static long double exact(const fanin_init *init, uint64_t d, bool wide) {
  const long double whole =
      wide ? ldexpl((long double)(int64_t)d + 0.5L, -63) : ldexpl((long double)(int32_t)(uint32_t)d + 0.5L, -31);
  const long double a = logl((long double)init->lo), b = logl((long double)init->hi);
  const long double y = expl((a + b) / 2 + (b - a) / 2 * whole);
  return image(init, fmaxl(y, (long double)init->floor));
}

/* The bounds that docs/stream.md promises: relative to y for y itself, absolute for its inverse softplus. */
static long double allowed(const fanin_init *init, long double x, bool wide) {
  const long double octaves = log2l((long double)init->hi / (long double)init->lo) / 2;
  const long double far = fmaxl(fabsl(log2l((long double)init->lo)), fabsl(log2l((long double)init->hi)));
  const long double y = source(init, x), unit = wide ? 0x1p-53L : 0x1p-24L;
  const long double of_y = (3 + 2 * octaves + (wide ? 2 * far : 0)) * unit;
  return init->inverse_softplus ? of_y * y + (3 + 3 * far) * unit : of_y * y;
}

static void values_are_accurate(void **state) {
  (void)state;
  const size_t count = oracle_amount(200000, 2000);
  for (size_t k = 0; k < LEN(cases); k++) {
    const fanin_init init = init_of(cases[k].lo, cases[k].hi, cases[k].least, cases[k].inverse);
    const fanin_key key = {k, 77};
    for (int w = 0; w < 2; w++) {
      const fanin_dtype dtype = w ? FANIN_DTYPE_F64 : FANIN_DTYPE_F32;
      const fanin_tensor t = oracle_range_of(dtype, 0, 1);
      const fanin__distribution d = oracle_distribution_of(&t, &init);
      const oracle_plan plan = oracle_plan_of(&d, dtype, &oracle_host_tails);
      long double worst = 0;
      for (size_t i = 0; i < count; i++) {
        const long double is =
            w ? (long double)oracle_value64(&plan, key, i) : (long double)oracle_value32(&plan, key, i);
        const long double should = exact(&init, w ? oracle_draw(key, i) : oracle_word(key, i), w);
        worst = fmaxl(worst, fabsl(is - should) / allowed(&init, should, w));
      }
      if (!(worst <= 1)) fail_msg("case %zu, %s: %Lg of what is allowed", k, fanin_dtype_name(dtype), worst);
      if (!(worst > 0.02L)) fail_msg("case %zu, %s: allowed is far too much: %Lg", k, fanin_dtype_name(dtype), worst);
    }
  }
}

/* After rounding to the dtype too, at the very ends of narrow intervals as elsewhere. */
static void bounds_are_never_crossed(void **state) {
  fanin *const f = *state;
  static const double intervals[][2] = {{0.001, 0.1}, {0.0999, 0.1011}, {1, 1.0157},
                                        {7.9, 8.1},   {1e-7, 1e-6},     {20, 21}};
  const size_t count = oracle_amount(1 << 16, 500);
  for (size_t k = 0; k < LEN(intervals) * 2; k++) {
    const fanin_init init = init_of(intervals[k / 2][0], intervals[k / 2][1], 0, (int)(k % 2));
    const long double lo = image(&init, (long double)init.lo), hi = image(&init, (long double)init.hi);
    for (int dtype = 0; dtype < FANIN_DTYPE_COUNT; dtype++) {
      if (dtype == FANIN_DTYPE_F64 && !f->has_f64) continue;
      const size_t size = fanin_dtype_size((fanin_dtype)dtype);
      if (oracle_least((fanin_dtype)dtype, (double)lo) > oracle_most((fanin_dtype)dtype, (double)hi)) {
        const fanin_tensor t = test_tensor_of(NULL, 0, (fanin_dtype)dtype, NULL, 1, (const uint64_t[]){count});
        assert_status(fanin_warmup(f, &t, &init), FANIN_STATUS_BAD_ARGUMENT); /* no number lies in between */
        continue;
      }
      const long double slack =
          dtype == FANIN_DTYPE_F64 ? 4e-16L * fmaxl(fabsl(lo), fabsl(hi)) : 0; /* of the host's g */
      unsigned char *const values = oracle_read_range(f, (fanin_dtype)dtype, 0, count, &init, (fanin_key){k, 5});
      for (size_t i = 0; i < count; i++) {
        uint64_t bits = 0;
        memcpy(&bits, values + i * size, size);
        const double x = oracle_number((fanin_dtype)dtype, bits);
        if (!((long double)x >= lo - slack && (long double)x <= hi + slack)) {
          fail_msg("%s: %.17g is not within [%.17Lg, %.17Lg]", fanin_dtype_name((fanin_dtype)dtype), x, lo, hi);
        }
      }
      free(values);
    }
  }
}

/* ---- The law ----------------------------------------------------------------------------------------------------- */

static void near(double value, long double expected, double tolerance, size_t k, const char *what) {
  if (!(fabsl((long double)value - expected) <= (long double)tolerance)) {
    fail_msg("case %zu, %s: %.17g is not %.17Lg", k, what, value, expected);
  }
}

static void distribution_is_the_law_s(void **state) {
  (void)state;
  for (size_t k = 0; k < LEN(cases); k++) {
    const fanin_init init = init_of(cases[k].lo, cases[k].hi, cases[k].least, cases[k].inverse);
    const fanin_tensor t = oracle_range_of(FANIN_DTYPE_F64, 0, 1);
    const long double a = logl((long double)init.lo), b = logl((long double)init.hi);
    fanin_law law;
    assert_ok(fanin_law_of(&t, &init, &law));
    assert_int_equal(law.kind,
                     init.inverse_softplus ? FANIN_LAW_KIND_SOFTPLUS_LOG_UNIFORM : FANIN_LAW_KIND_LOG_UNIFORM);
    for (int n = 1; n < 40; n++) {
      const long double u = (long double)n / 40;
      const double x = (double)image(&init, expl(a + (b - a) * u));
      const bool below = expl(a + (b - a) * u) < (long double)init.floor;
      const double off = 3e-16 + 1e-14 * (1 + fabs(x)) / (double)(b - a); /* what the rounding of x does */
      near(test_law_probability(&law, x, 0), below ? 0 : u, off, k, "P(X <= x)");
      near(test_law_probability(&law, x, 1), below ? 1 : 1 - u, off, k, "P(X > x)");
    }
    assert_true(test_law_probability(&law, nextafter(law.lo, -INFINITY), 0) == 0);
    assert_true(test_law_probability(&law, law.hi, 0) == 1 && test_law_probability(&law, law.hi, 1) == 0);
  }
}

/* By midpoints of 200000 equal pieces of ln y, the ones at the floor included. */
static void moments_by_midpoints(const fanin_init *init, long double out[5]) {
  enum { PIECES = 200000 };
  const long double a = logl((long double)init->lo), b = logl((long double)init->hi);
  long double mean = 0;
  for (int pass = 0; pass < 2; pass++) {
    for (int k = 0; k < 5; k++)
      out[k] = 0;
    for (int n = 0; n < PIECES; n++) {
      const long double y = expl(a + (b - a) * ((long double)n + 0.5L) / PIECES);
      const long double x = image(init, fmaxl(y, (long double)init->floor)) - mean;
      for (int k = 1; k < 5; k++)
        out[k] += powl(x, k) / PIECES;
    }
    if (pass == 0) mean = out[1];
  }
  out[1] = mean;
}

static void moments_are_the_law_s(void **state) {
  (void)state;
  for (size_t k = 0; k < LEN(cases); k++) {
    const fanin_init init = init_of(cases[k].lo, cases[k].hi, cases[k].least, cases[k].inverse);
    const fanin_tensor t = oracle_range_of(FANIN_DTYPE_F64, 0, 1);
    long double should[5];
    fanin_moments m;
    fanin_law law;
    double moments[13];
    assert_ok(fanin_expect(&t, &init, &m, sizeof m));
    assert_ok(fanin_law_of(&t, &init, &law));
    moments_by_midpoints(&init, should);
    const double size = fabs(m.mean) + m.std, close = 2e-5; /* the step at a floor is between two midpoints */
    near(m.mean, should[1], close * size, k, "mean");
    near(m.std / (double)sqrtl(should[2]), 1, close, k, "std");
    near(m.kurtosis / (double)(should[4] / (should[2] * should[2])), 1, 3 * close, k, "kurtosis");
    assert_ok(fanin_law_moments(&law, m.mean, m.std, moments, 13));
    near(moments[0], 1, 1e-12, k, "E 1");
    near(moments[1], 0, 1e-9, k, "E z");
    near(moments[2], 1, 1e-9, k, "E z^2");
    near(moments[4] / m.kurtosis, 1, 1e-9, k, "E z^4");
    if (init.inverse_softplus || init.floor > init.lo) continue;
    /* (hi - lo) / ln(hi / lo) and (hi^2 - lo^2) / (2 ln(hi / lo)), which cancel in a narrow interval. */
    const long double lo = (long double)init.lo, hi = (long double)init.hi, span = log1pl((hi - lo) / lo);
    const long double mean = (hi - lo) / span, square = (hi - lo) * (hi + lo) / (2 * span);
    near((double)((long double)m.mean / mean), 1, 1e-14, k, "mean in closed form");
    if (hi > 2 * lo)
      near((double)((long double)m.std / sqrtl(square - mean * mean)), 1, 1e-14, k, "std in closed form");
  }
}

/* What a device makes has these moments, within 5 standard errors. */
static void fills_have_these_moments(void **state) {
  const size_t count = oracle_amount(1 << 18, 4000);
  for (size_t k = 0; k < LEN(cases); k++) {
    if (cases[k].hi > 1e20) continue; /* its fourth moment is that of a few values */
    const fanin_init init = init_of(cases[k].lo, cases[k].hi, cases[k].least, cases[k].inverse);
    const fanin_tensor t = oracle_range_of(FANIN_DTYPE_F32, 0, count);
    fanin_moments m;
    assert_ok(fanin_expect(&t, &init, &m, sizeof m));
    float *const values = oracle_read_range(*state, FANIN_DTYPE_F32, 0, count, &init, (fanin_key){9, k});
    double first = 0, second = 0;
    for (size_t i = 0; i < count; i++) {
      const double z = ((double)values[i] - m.mean) / m.std;
      first += z / (double)count;
      second += z * z / (double)count;
    }
    free(values);
    near(first, 0, 5 / sqrt((double)count), k, "mean");
    near(second, 1, 5 * sqrt((m.kurtosis - 1) / (double)count), k, "variance");
  }
}

/* ---- What is refused --------------------------------------------------------------------------------------------- */

static void exponents_have_to_fit(void **state) {
  fanin *const f = *state;
  static const struct {
    double lo, hi;
    fanin_dtype dtype;
    bool fits;
    const char *says;
  } rows[] = {{1e-31, 1, FANIN_DTYPE_F32, false, "2^-100 to 2^100"},
              {1, 1e31, FANIN_DTYPE_BF16, false, "2^-100 to 2^100"},
              {1e-31, 1e31, FANIN_DTYPE_F64, true, ""},
              {1e-305, 1, FANIN_DTYPE_F64, false, "2^-1000"},
              {1, 70000, FANIN_DTYPE_F16, false, "hi = 70000"},
              {1.0001, 1.0002, FANIN_DTYPE_BF16, false, "lies between"},
              {1, 60000, FANIN_DTYPE_F16, true, ""}};
  for (size_t k = 0; k < LEN(rows); k++) {
    if (rows[k].dtype == FANIN_DTYPE_F64 && !f->has_f64) continue;
    const uint64_t shape[] = {5};
    const fanin_init init = fanin_log_uniform(rows[k].lo, rows[k].hi);
    fanin_tensor t;
    assert_ok(fanin_tensor_alloc(f, rows[k].dtype, NULL, 1, shape, &t));
    assert_status(fanin_fill(f, NULL, &t, &init, (fanin_key){0, 0}, 0, NULL, NULL),
                  rows[k].fits ? FANIN_STATUS_OK : FANIN_STATUS_BAD_ARGUMENT);
    if (!rows[k].fits && !strstr(fanin_last_error(), rows[k].says)) fail_msg("row %zu: %s", k, fanin_last_error());
    fanin_tensor_free(&t);
  }
}

/* lo = hi, or a floor at hi, leaves one value. */
static void one_value_is_a_constant(void **state) {
  (void)state;
  const fanin_tensor t = oracle_range_of(FANIN_DTYPE_F64, 0, 1);
  const fanin_init inits[] = {init_of(0.5, 0.5, 0, 0), init_of(0.1, 0.5, 0.5, 0), init_of(0.5, 0.5, 0.2, 1)};
  for (size_t k = 0; k < LEN(inits); k++) {
    fanin_law law;
    assert_ok(fanin_law_of(&t, &inits[k], &law));
    assert_int_equal(law.kind, FANIN_LAW_KIND_CONSTANT);
    near(law.value, image(&inits[k], 0.5L), 1e-16, k, "value");
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(values_are_accurate),       cmocka_unit_test(bounds_are_never_crossed),
      cmocka_unit_test(distribution_is_the_law_s), cmocka_unit_test(moments_are_the_law_s),
      cmocka_unit_test(fills_have_these_moments),  cmocka_unit_test(exponents_have_to_fit),
      cmocka_unit_test(one_value_is_a_constant),
  };
  return cmocka_run_group_tests(tests, test_group_open, test_group_close);
}
