/* s4d_real, sinusoidal, inv_freq, alibi and ramp: every element against the oracle, for all parts and dtypes; the
 * oracle against the accuracy that docs/stream.md states, and against the code that introduced these tables; what is
 * expected of them; and what is refused. */
#include "support/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/context.h"
#include "oracle/image.h"
#include "oracle/table.h"
#include "support/support_csv.h"

#define LEN(x) (sizeof(x) / sizeof *(x))

static const fanin_key no_key = {0, 0};

static fanin_init parsed(const char *text) {
  fanin_init init;
  if (fanin_init_parse(text, &init) != FANIN_STATUS_OK) fail_msg("%s: %s", text, fanin_last_error());
  return init;
}

static const struct {
  const char *init, *layout;
  int rank;
  uint64_t shape[4];
} cases[] = {
    {"s4d_real", "", 2, {7, 16}},
    {"s4d_real:gain=-0.3", "", 1, {1301}},
    {"s4d_real", "IO", 2, {1, 1}},
    {"sinusoidal", "", 2, {61, 26}},
    {"sinusoidal:gain=0.7", "OI", 2, {5, 2}},
    {"sinusoidal:form=halves", "", 3, {3, 11, 34}},
    {"sinusoidal:form=tensor2tensor", "OIHW", 4, {2, 3, 19, 10}},
    {"sinusoidal:form=tensor2tensor", "", 2, {9, 2}},
    {"sinusoidal:base=1", "", 2, {40, 6}},
    {"sinusoidal:base=1.8e19", "", 2, {50, 2000}},
    {"inv_freq", "", 1, {64}},
    {"inv_freq:base=500000,gain=3", "", 2, {3, 65}},
    {"inv_freq:base=1e19", "", 1, {1}},
    {"alibi", "", 1, {16}},
    {"alibi:gain=-2", "", 2, {3, 25}},
    {"alibi", "", 3, {1, 1, 12}},
    {"ramp", "", 1, {1301}},
    {"ramp:lo=-5,hi=3,exponent=1.3,gain=0.7", "", 2, {7, 64}},
    {"ramp:lo=1,hi=0,exponent=0.05,half_open=true", "", 3, {1, 1, 67}},
    {"ramp:lo=-5.5,hi=0.5,exponent=2,zigzag=2.5,period=13,zigzag_exponent=2", "OI", 2, {9, 26}},
    {"ramp:lo=0,hi=0,zigzag=-0.1,shift=1", "", 2, {5, 7}},
    {"ramp:lo=2,hi=2,zigzag=1,period=2147483648,shift=2147483600", "", 1, {99}},
    {"ramp:exponent=15,half_open=true", "OIHW", 4, {2, 3, 3, 5}},
    {"ramp:exponent=1e-300", "IO", 2, {1, 1}},
    {"ramp:lo=3,hi=9,half_open=true", "", 1, {1}},
};

static fanin_tensor tensor_of_case(size_t k, fanin_dtype dtype) {
  return test_tensor_of(NULL, 3 * fanin_dtype_size(dtype), dtype, cases[k].layout, cases[k].rank, cases[k].shape);
}

static bool has(const fanin *f, int dtype) {
  return dtype != FANIN_DTYPE_F64 || f->has_f64;
}

/* ---- Fills ------------------------------------------------------------------------------------------------------- */

static void wholes_and_parts(void **state) {
  fanin *const f = *state;
  uint64_t random = 12345;
  for (size_t k = 0; k < LEN(cases); k++) {
    const fanin_init init = parsed(cases[k].init);
    for (int dtype = 0; dtype < FANIN_DTYPE_COUNT; dtype++) {
      if (!has(f, dtype)) continue;
      const fanin_tensor whole = tensor_of_case(k, (fanin_dtype)dtype);
      uint64_t elements = 0, bytes = 0;
      assert_ok(fanin_tensor_size(&whole, &elements, &bytes));
      oracle_assert_fill(f, NULL, whole, &init, no_key);
      const uint64_t first = test_random_below(&random, elements);
      const uint64_t count = test_random_below(&random, elements - first + 1);
      oracle_assert_fill(f, NULL, test_tensor_range(whole, first, count), &init, no_key);
      oracle_assert_some_slab(f, whole, &init, no_key, &random);
    }
  }
}

/* A last dimension of one coordinate is refused beside longer ones, but not where there is nothing to be wrong. */
static void one_column_of_no_elements(void **state) {
  (void)state;
  static const char *const inits[] = {"s4d_real", "inv_freq", "alibi"};
  for (size_t k = 0; k < LEN(inits); k++) {
    const fanin_init init = parsed(inits[k]);
    const fanin_tensor t = test_tensor_of(NULL, 0, FANIN_DTYPE_F32, NULL, 3, (const uint64_t[]){7, 0, 1});
    fanin_moments m;
    assert_ok(fanin_expect(&t, &init, &m, sizeof m));
  }
}

/* Positions and columns near 2^32, in tensors that no memory holds. */
static void corners_of_huge_tables(void **state) {
  fanin *const f = *state;
  const uint64_t most = UINT32_MAX;
  const struct {
    const char *init;
    uint64_t shape[2];
  } huge[] = {{"sinusoidal", {most, 6}},
              {"sinusoidal:form=tensor2tensor", {1000, most - 1}},
              {"sinusoidal:form=halves", {most, 1u << 20}},
              {"s4d_real", {3, most}},
              {"inv_freq", {3, most}},
              {"alibi", {3, most}},
              {"ramp:exponent=15,half_open=true", {65535, 65536}},
              {"ramp:lo=1,hi=0,exponent=0.3,zigzag=0.5,period=1000", {1, (1u << 24) - 1}}};
  for (size_t k = 0; k < LEN(huge); k++) {
    const fanin_init init = parsed(huge[k].init);
    for (int dtype = 0; dtype < FANIN_DTYPE_COUNT; dtype++) {
      if (!has(f, dtype)) continue;
      const fanin_tensor whole = test_tensor_of(NULL, 0, (fanin_dtype)dtype, NULL, 2, huge[k].shape);
      const uint64_t end = huge[k].shape[0] * huge[k].shape[1];
      oracle_assert_fill(f, NULL, test_tensor_range(whole, end - 77, 77), &init, no_key);
      oracle_assert_fill(f, NULL, test_tensor_range(whole, end / 2 - 13, 101), &init, no_key);
    }
  }
}

/* A plan has them beside others, and warming up makes them ready. */
static void plans(void **state) {
  fanin *const f = *state;
  enum { ITEMS = 3 };
  fanin_item items[ITEMS];
  memset(items, 0, sizeof items);
  static const char *const inits[ITEMS] = {"sinusoidal:form=halves", "normal", "s4d_real"};
  for (size_t k = 0; k < ITEMS; k++) {
    items[k].init = parsed(inits[k]);
    items[k].stream = k;
    items[k].tensor = test_tensor_of(NULL, 8, FANIN_DTYPE_F32, NULL, 2, (const uint64_t[]){30, 14});
    items[k].tensor.buffer = test_guarded(f, 8, (size_t)30 * 14 * sizeof(float));
    assert_ok(fanin_warmup(f, &items[k].tensor, &items[k].init));
  }
  fanin_plan *plan = NULL;
  assert_ok(fanin_plan_create(f, items, ITEMS, &plan));
  assert_ok(fanin_plan_enqueue(plan, NULL, 5, 0, NULL, NULL));
  for (size_t k = 0; k < ITEMS; k++) {
    oracle_assert_content(f, items[k].tensor.buffer, &items[k].tensor, &items[k].init, (fanin_key){5, k});
    fanin_tensor_free(&items[k].tensor);
  }
  fanin_plan_release(plan);
}

/* ---- Accuracy ---------------------------------------------------------------------------------------------------- */

static const long double pi = 3.14159265358979323846264338327950288L;

/* What stream.md says that the error is at most: of the element at position p of a column with the frequency w. */
static long double allowed(const fanin_init *init, long double should, long double p, long double w, bool wide) {
  if (init->kind == FANIN_KIND_S4D_REAL) return fabsl(should) * (wide ? 3.0e-16L : 1.2e-7L);
  if (init->kind != FANIN_KIND_SINUSOIDAL) return fabsl(should) * (wide ? 1.2e-16L : 6.0e-8L);
  const long double relative = wide ? 3.4e-16L : 1.8e-7L, absolute = wide ? 2.3e-16L : 1.2e-7L;
  if (p * w < 0.1L && fabsl(should) < 0.1L) return fabsl(should) * (relative + 3e-18L / w);
  return absolute + 3e-18L * p;
}

/* Of a ramp, whose numbers may nearly cancel: absolute. */
static long double allowed_of_ramp(const fanin_init *init, bool wide) {
  const long double size =
      fabsl((long double)init->lo) + fabsl((long double)init->hi) + fabsl((long double)init->zigzag);
  return size * (wide ? 1.7e-16L : 9.0e-8L);
}

static long double ramp_of(const fanin_init *init, uint64_t n, uint64_t count) {
  const long double steps = (long double)(count - !init->half_open), most = (long double)init->period - 1;
  const uint64_t r = (n + (uint64_t)init->shift) % (uint64_t)init->period;
  const long double s = 2 * (long double)r / most - 1, exponent = (long double)init->zigzag_exponent;
  const long double wave = copysignl(powl(fabsl(s), exponent), s), t = (long double)n / steps;
  return (long double)init->lo +
         ((long double)init->hi - (long double)init->lo) * powl(t, (long double)init->exponent) +
         (long double)init->zigzag * wave;
}

static void ramps_are_accurate(void **state) {
  (void)state;
  static const char *const inits[] = {"ramp",
                                      "ramp:exponent=0.0001,half_open=true",
                                      "ramp:lo=-5,hi=3,exponent=1.3",
                                      "ramp:lo=1,hi=0,exponent=15",
                                      "ramp:lo=0.3,hi=1.3,exponent=0.7,half_open=true",
                                      "ramp:lo=-5.5,hi=0.5,exponent=2,zigzag=2.5,period=64,zigzag_exponent=2",
                                      "ramp:lo=0,hi=0,zigzag=0.1,shift=1",
                                      "ramp:zigzag=1,period=1000003,zigzag_exponent=0.3,shift=7"};
  static const uint64_t counts[] = {2, 64, 1280, 100000, 4294967295};
  for (size_t k = 0; k < LEN(inits); k++) {
    const fanin_init init = parsed(inits[k]);
    for (int wide = 0; wide < 2; wide++) {
      long double worst = 0;
      for (size_t c = 0; c < LEN(counts); c++) {
        const fanin_tensor t = test_tensor_of(NULL, 0, wide ? FANIN_DTYPE_F64 : FANIN_DTYPE_F32, NULL, 1, &counts[c]);
        for (uint64_t n = 0; n < counts[c]; n += 1 + counts[c] / 3000) {
          const long double is = (long double)oracle_table_value(&t, &init, &n);
          worst = fmaxl(worst, fabsl(is - ramp_of(&init, n, counts[c])) / allowed_of_ramp(&init, wide));
        }
      }
      if (!(worst <= 1)) fail_msg("%s, f%d: %Lg of what is allowed", inits[k], wide ? 64 : 32, worst);
      if (!(worst > 0.1L || init.lo == init.hi))
        fail_msg("%s, f%d: allowed is far too much: %Lg", inits[k], wide ? 64 : 32, worst);
    }
  }
}

static long double frequency(const fanin_init *init, uint64_t n, uint64_t columns, bool *is_cosine) {
  const uint64_t half = columns / 2;
  const bool interleaved = init->form == FANIN_FORM_INTERLEAVED;
  const long double i = (long double)(interleaved ? n / 2 : n % half);
  *is_cosine = interleaved ? n % 2 == 1 : n >= half;
  return expl(-i / (long double)(init->form == FANIN_FORM_TENSOR2TENSOR ? half - 1 : half) *
              logl((long double)init->base));
}

/* The largest error over what is allowed, of columns spread over a table at a position. */
static long double worst_of(const fanin_init *init, uint64_t position, uint64_t columns, bool wide) {
  const fanin_tensor t = test_tensor_of(NULL, 0, wide ? FANIN_DTYPE_F64 : FANIN_DTYPE_F32, NULL, 2,
                                        (const uint64_t[]){position + 1, columns});
  long double worst = 0;
  for (uint64_t n = 0; n < columns; n += 1 + columns / 3000) {
    const uint64_t at[] = {position, n};
    bool is_cosine = false;
    long double should, w = 0;
    if (init->kind == FANIN_KIND_S4D_REAL) {
      should = log1pl((long double)n);
    } else if (init->kind == FANIN_KIND_INV_FREQ) {
      should = expl(-(long double)n / (long double)columns * logl((long double)init->base));
    } else {
      w = frequency(init, n, columns, &is_cosine);
      const long double angle = fmodl((long double)position * w, 2 * pi);
      should = is_cosine ? cosl(angle) : sinl(angle);
    }
    const long double is = (long double)oracle_table_value(&t, init, at), error = fabsl(is - should);
    if (error > 0) worst = fmaxl(worst, error / allowed(init, should, (long double)position, w, wide));
  }
  return worst;
}

/* long double has 64 digits on x86, of which an angle of 2^20 leaves 44 behind the point. */
static void values_are_accurate(void **state) {
  (void)state;
  static const char *const inits[] = {"s4d_real",
                                      "inv_freq",
                                      "inv_freq:base=1e18",
                                      "sinusoidal",
                                      "sinusoidal:base=100",
                                      "sinusoidal:form=tensor2tensor"};
  static const uint64_t positions[] = {0, 1, 2, 3, 7, 100, 1499, 4095};
  static const uint64_t columns[] = {2, 16, 384, 1280, 100000};
  for (size_t k = 0; k < LEN(inits); k++) {
    const fanin_init init = parsed(inits[k]);
    const size_t n_positions = init.kind == FANIN_KIND_SINUSOIDAL ? LEN(positions) : 1;
    for (int wide = 0; wide < 2; wide++) {
      long double worst = 0;
      for (size_t p = 0; p < n_positions; p++) {
        for (size_t c = init.form == FANIN_FORM_TENSOR2TENSOR; c < LEN(columns); c++) {
          worst = fmaxl(worst, worst_of(&init, positions[p], columns[c], wide));
        }
      }
      if (!(worst <= 1)) fail_msg("%s, f%d: %Lg of what is allowed", inits[k], wide ? 64 : 32, worst);
      if (!(worst > 0.3L)) fail_msg("%s, f%d: allowed is far too much: %Lg", inits[k], wide ? 64 : 32, worst);
    }
  }
}

/* f32 at positions up to 2^32, where f32 angles would have no digits left behind the point. */
static void far_positions_are_accurate(void **state) {
  (void)state;
  const fanin_init init = parsed("sinusoidal");
  static const uint64_t positions[] = {1u << 20, 123456789, 4000000006};
  for (size_t p = 0; p < LEN(positions); p++)
    assert_true(worst_of(&init, positions[p], 64, false) <= 1);
}

/* Position 0 and the slopes of ALiBi are exact. */
static void exact_values(void **state) {
  (void)state;
  static const struct {
    const char *init;
    uint64_t columns, n;
    double value;
  } rows[] = {{"sinusoidal", 8, 4, 0},
              {"sinusoidal", 8, 5, 1},
              {"sinusoidal:form=halves", 8, 3, 0},
              {"sinusoidal:form=halves", 8, 4, 1},
              {"s4d_real", 5, 0, 0},
              {"inv_freq", 9, 0, 1},
              {"alibi", 8, 0, 0.5},
              {"alibi", 8, 7, 1.0 / 256},
              {"alibi", 12, 7, 1.0 / 256},
              {"ramp:lo=-5,hi=3,exponent=1.3", 64, 0, -5},
              {"ramp:lo=-5,hi=3,exponent=1.3", 64, 63, 3},
              {"ramp:exponent=2", 9, 4, 0.25},
              {"ramp:half_open=true", 8, 6, 0.75},
              {"ramp:lo=3,hi=5", 1, 0, 3},
              {"ramp:zigzag=1,lo=4,hi=4,shift=1", 4, 0, 4},
              {"ramp:zigzag=1,lo=4,hi=4,shift=1", 4, 1, 5},
              {"ramp:zigzag=1,lo=4,hi=4,shift=1", 4, 2, 3},
              {"ramp:zigzag=2,lo=0,hi=0,period=5,zigzag_exponent=2", 9, 6, -0.5}};
  for (size_t k = 0; k < LEN(rows); k++) {
    for (int wide = 0; wide < 2; wide++) {
      const fanin_init init = parsed(rows[k].init);
      const fanin_tensor t = test_tensor_of(NULL, 0, wide ? FANIN_DTYPE_F64 : FANIN_DTYPE_F32, NULL, 2,
                                            (const uint64_t[]){1, rows[k].columns});
      const double value = oracle_table_value(&t, &init, (const uint64_t[]){0, rows[k].n});
      if (value != rows[k].value || signbit(value) != signbit(rows[k].value)) fail_msg("row %zu: %.17g", k, value);
    }
  }
}

/* tables.csv: doubles that the published code makes, with its own roundings. */
static void published_code_makes_the_same(void **state) {
  (void)state;
  test_csv csv = test_csv_open("tables.csv");
  const char *fields[5];
  while (test_csv_row(&csv, fields, 5)) {
    char text[256];
    snprintf(text, sizeof text, "%s", fields[0]);
    for (char *c = text; *c; c++)
      *c = *c == ';' ? ',' : *c;
    const fanin_init init = parsed(text);
    const uint64_t shape[] = {strtoull(fields[1], NULL, 10), strtoull(fields[2], NULL, 10)};
    const uint64_t position = strtoull(fields[3], NULL, 10);
    for (int wide = 0; wide < 2; wide++) {
      const fanin_tensor t = test_tensor_of(NULL, 0, wide ? FANIN_DTYPE_F64 : FANIN_DTYPE_F32, NULL, 2, shape);
      const char *at = fields[4];
      for (uint64_t n = 0; n < shape[1]; n++) {
        char *end = NULL;
        const double should = strtod(at, &end);
        assert_true(end > at);
        at = end;
        const double is = oracle_table_value(&t, &init, (const uint64_t[]){position, n});
        if (!(fabs(is - should) <= (wide ? 1e-14 : 2.4e-7) * fmax(1, fabs(should))))
          fail_msg("%s, position %s, column %d: %.17g is not %.17g", fields[0], fields[3], (int)n, is, should);
        if (init.kind != FANIN_KIND_SINUSOIDAL && init.kind != FANIN_KIND_RAMP)
          assert_true(fabs(is - should) <= (wide ? 4e-15 : 2.4e-7) * should);
      }
    }
  }
  assert_int_equal(csv.rows, 150);
}

/* ---- Expectations ------------------------------------------------------------------------------------------------ */

static void moments_are_those_of_the_values(void **state) {
  (void)state;
  for (size_t k = 0; k < LEN(cases); k++) {
    const fanin_init init = parsed(cases[k].init);
    const fanin_tensor t = tensor_of_case(k, FANIN_DTYPE_F64);
    uint64_t columns = t.shape[t.rank - 1], positions = t.rank > 1 ? t.shape[t.rank - 2] : 1, bytes = 0;
    if (init.kind == FANIN_KIND_RAMP) {
      assert_ok(fanin_tensor_size(&t, &columns, &bytes));
      positions = 1;
    }
    const double count = (double)(columns * positions);
    double mean = 0, squares = 0, fourths = 0, lo = INFINITY, hi = -INFINITY;
    for (int pass = 0; pass < 2; pass++) {
      for (uint64_t e = 0; e < columns * positions; e++) {
        uint64_t at[4] = {0};
        for (uint64_t d = (uint64_t)t.rank, rest = e; d-- > 0; rest /= t.shape[d])
          at[d] = rest % t.shape[d];
        const double x = oracle_table_value(&t, &init, at), off = x - mean;
        if (pass == 0) {
          squares += x; /* the sum, at first */
          lo = fmin(lo, x);
          hi = fmax(hi, x);
        } else {
          squares += off * off / count;
          fourths += off * off * off * off / count;
        }
      }
      if (pass == 0) mean = squares / count;
      if (pass == 0) squares = 0;
    }
    fanin_moments m;
    fanin_law law;
    assert_ok(fanin_expect(&t, &init, &m, sizeof m));
    assert_ok(fanin_law_of(&t, &init, &law));
    const double size = fmax(fabs(m.lo), fabs(m.hi)), close = 1e-11 * fmax(size, 1e-300);
    if (!(fabs(m.mean - mean) <= close)) fail_msg("%s: mean %.17g, not %.17g", cases[k].init, m.mean, mean);
    if (!(fabs(m.std - sqrt(squares)) <= 1e-6 * size))
      fail_msg("%s: std %g, not %g", cases[k].init, m.std, sqrt(squares));
    if (squares > 1e-9 * size * size)
      assert_true(fabs(m.kurtosis / (fourths / squares / squares) - 1) < 1e-7 &&
                  fabs(m.std / sqrt(squares) - 1) < 1e-9);
    assert_true(m.lo <= lo + 1e-15 * size && m.hi >= hi - 1e-15 * size && law.lo == m.lo && law.hi == m.hi);
    if (init.kind != FANIN_KIND_SINUSOIDAL && init.zigzag == 0)
      assert_true(m.lo >= lo - 1e-14 * size && m.hi <= hi + 1e-14 * size);
  }
}

/* Means and standard deviations of all columns, about as many as are added up and of more. inspect allows 2e-6. */
static void moments_of_some_columns(void **state) {
  (void)state;
  static const struct {
    const char *init;
    uint64_t columns;
  } sums[] = {{"s4d_real", 65537},
              {"s4d_real", 131073},
              {"s4d_real", 300000},
              {"alibi", 65537},
              {"alibi", 131071},
              {"inv_freq", 131074},
              {"inv_freq", 300001},
              {"ramp", 131073},
              {"ramp:lo=1,hi=0,exponent=0.3,half_open=true", 300001},
              {"ramp:zigzag=0.5,shift=1", 300001},
              {"ramp:zigzag=2.5,period=64,zigzag_exponent=2,exponent=1.7", 600000}};
  for (size_t k = 0; k < LEN(sums); k++) {
    const uint64_t columns = sums[k].columns;
    const fanin_tensor t = test_tensor_of(NULL, 0, FANIN_DTYPE_F32, NULL, 1, &columns);
    const fanin_init init = parsed(sums[k].init);
    double mean = 0, second = 0;
    for (uint64_t n = 0; n < columns; n++) {
      const double x = oracle_table_value(&t, &init, &n);
      mean += x / (double)columns;
      second += x * x / (double)columns;
    }
    fanin_moments m;
    assert_ok(fanin_expect(&t, &init, &m, sizeof m));
    const double std = sqrt(second - mean * mean);
    if (!(fabs(m.mean / mean - 1) < 2e-7 && fabs(m.std / std - 1) < 2e-7))
      fail_msg("%s of %llu: mean %.9g, not %.9g; std %.9g, not %.9g", sums[k].init, (unsigned long long)columns, m.mean,
               mean, m.std, std);
  }
}

/* Of more columns than are added up, to 1e-4. */
static void moments_of_many_columns(void **state) {
  (void)state;
  const uint64_t many = 3000001;
  const fanin_tensor t = test_tensor_of(NULL, 0, FANIN_DTYPE_F32, NULL, 1, &many);
  static const char *const inits[] = {"s4d_real", "inv_freq", "alibi"};
  for (size_t k = 0; k < LEN(inits); k++) {
    const fanin_init init = parsed(inits[k]);
    double mean = 0;
    for (uint64_t n = 49; n < many; n += 100)
      mean += oracle_table_value(&t, &init, &n) / ((double)many / 100);
    fanin_moments m;
    assert_ok(fanin_expect(&t, &init, &m, sizeof m));
    if (!(fabs(m.mean / mean - 1) < 1e-4)) fail_msg("%s: mean %g, not %g", inits[k], m.mean, mean);
  }
}

/* ---- Refusals ---------------------------------------------------------------------------------------------------- */

static void refusals(void **state) {
  (void)state;
  static const struct {
    const char *init;
    fanin_dtype dtype;
    int rank;
    uint64_t shape[3];
    fanin_status status;
    const char *says;
  } rows[] = {{"sinusoidal", FANIN_DTYPE_F32, 1, {8}, FANIN_STATUS_BAD_SHAPE, "this tensor has 1"},
              {"sinusoidal", FANIN_DTYPE_F32, 2, {8, 7}, FANIN_STATUS_BAD_SHAPE, "shape[1] = 7; an even number"},
              {"inv_freq", FANIN_DTYPE_F32, 1, {UINT64_C(1) << 32}, FANIN_STATUS_BAD_SHAPE, "below 2^32"},
              {"sinusoidal", FANIN_DTYPE_F32, 2, {UINT64_C(1) << 32, 2}, FANIN_STATUS_BAD_SHAPE, "shape[0]"},
              {"alibi", FANIN_DTYPE_F32, 3, {12, 1, 1}, FANIN_STATUS_BAD_SHAPE, "ends with shape[0] = 12, which has"},
              {"s4d_real", FANIN_DTYPE_F32, 2, {16, 1}, FANIN_STATUS_BAD_SHAPE, "s4d_real: shape[1] = 1, and"},
              {"inv_freq", FANIN_DTYPE_F64, 3, {1, 32, 1}, FANIN_STATUS_BAD_SHAPE, "shape[1] = 32"},
              {"ramp", FANIN_DTYPE_F32, 2, {65536, 65536}, FANIN_STATUS_BAD_SHAPE, "has 4294967296 elements"},
              {"ramp:zigzag=1",
               FANIN_DTYPE_F32,
               2,
               {4096, 4096},
               FANIN_STATUS_BAD_SHAPE,
               "has 16777216 elements; fewer than 2^24"},
              {"ramp:lo=70000,hi=1", FANIN_DTYPE_F16, 1, {16}, FANIN_STATUS_BAD_ARGUMENT, "65504"},
              {"s4d_real:gain=30000", FANIN_DTYPE_F16, 1, {16}, FANIN_STATUS_BAD_ARGUMENT, "65504"},
              {"sinusoidal:gain=-500", FANIN_DTYPE_F8_E4M3, 2, {3, 4}, FANIN_STATUS_BAD_ARGUMENT, "448"}};
  for (size_t k = 0; k < LEN(rows); k++) {
    const fanin_init init = parsed(rows[k].init);
    const fanin_tensor t = test_tensor_of(NULL, 0, rows[k].dtype, NULL, rows[k].rank, rows[k].shape);
    uint64_t unit[3], elements;
    double operations;
    assert_status(fanin_tensor_units(&t, &init, unit, &elements, &operations), rows[k].status);
    if (!strstr(fanin_last_error(), rows[k].says)) fail_msg("row %zu: %s", k, fanin_last_error());
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(wholes_and_parts),
      cmocka_unit_test(one_column_of_no_elements),
      cmocka_unit_test(corners_of_huge_tables),
      cmocka_unit_test(plans),
      cmocka_unit_test(values_are_accurate),
      cmocka_unit_test(ramps_are_accurate),
      cmocka_unit_test(far_positions_are_accurate),
      cmocka_unit_test(exact_values),
      cmocka_unit_test(published_code_makes_the_same),
      cmocka_unit_test(moments_are_those_of_the_values),
      cmocka_unit_test(moments_of_some_columns),
      cmocka_unit_test(moments_of_many_columns),
      cmocka_unit_test(refusals),
  };
  return cmocka_run_group_tests(tests, test_group_open, test_group_close);
}
