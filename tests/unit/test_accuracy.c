/* Section 6 of docs/stream.md, measured: how far stream v1 is from exact arithmetic on the same words. The oracle's
 * functions stand for the kernels where words are chosen; test_stream.c shows them to be the same. */
#include "support/support.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "core/context.h"
#include "init/distribution.h"
#include "oracle/cases.h"
#include "oracle/reference.h"

#define TWO_PI 6.283185307179586476925286766559
#define LEN(x) (sizeof(x) / sizeof *(x))

/* The larger of `worst` and |error|; NaN wins. */
static double worse(double worst, double error) {
  return fabs(error) <= worst ? worst : fabs(error);
}

/* ---- Normals ----------------------------------------------------------------------------------------------------- */

/* Box and Muller in double: the words' middles are exact there. */
static void box_muller(uint32_t radius, uint32_t angle, double *c, double *s) {
  const double u = ((double)radius + 0.5) * 0x1p-32, a = TWO_PI * (((double)angle + 0.5) * 0x1p-32);
  const double r = sqrt(-2 * log(u));
  *c = r * cos(a);
  *s = r * sin(a);
}

static void test_normal_f32_on_device(void **state) {
  const fanin_init init = fanin_normal(0, 1);
  const fanin_key key = {0x123456789abcdef, 42};
  const size_t count = oracle_amount(10000000, 1000);
  float *const z = oracle_read_range(*state, FANIN_DTYPE_F32, 0, count, &init, key);
  double worst = 0;
  size_t zeros = 0;
  for (uint64_t k = 0; k < count / 4; k++) {
    uint32_t words[4];
    oracle_block(key, k, words);
    for (uint64_t pair = 0; pair < 4; pair += 2) {
      double c, s;
      box_muller(words[pair], words[pair + 1], &c, &s);
      const float *const at = z + 4 * k + pair;
      worst = worse(worse(worst, (double)at[0] - c), (double)at[1] - s);
      zeros += (size_t)(at[0] == 0) + (size_t)(at[1] == 0);
    }
  }
  free(z);
  print_message("f32 normals: %zu words, worst error %.3g\n", count, worst);
  assert_true(worst < 2e-6);
  assert_int_equal(zeros, 0);
}

/* The ends, the powers of two, the quadrants' borders, each with its neighbours. */
static size_t chosen_words(uint32_t *words) {
  size_t n = 0;
  for (int shift = 0; shift < 32; shift++) {
    for (uint32_t k = 0; k < 5; k++) {
      words[n++] = (UINT32_C(1) << shift) + k - 2;
      words[n++] = (UINT32_C(7) << shift) + k - 2;
      words[n++] = -(UINT32_C(1) << shift) + k - 2;
    }
  }
  words[n++] = (uint32_t)ldexp(sqrt(0.5), 32); /* where split() changes the exponent */
  words[n++] = (uint32_t)ldexp(sqrt(0.5), 32) - 1;
  return n;
}

enum { MOST_CHOSEN = 32 * 5 * 3 + 2 };

static void test_normal_f32_of_chosen_words(void **state) {
  (void)state;
  uint32_t words[MOST_CHOSEN];
  const size_t n = chosen_words(words);
  double worst = 0, largest = 0, smallest = 1, least_radius = 1, most_radius = 0;
  for (size_t k = 0; k < n; k++) {
    const float r = oracle_square_root32(oracle_neg2_log_unit32(words[k]));
    least_radius = fmin(least_radius, (double)r);
    most_radius = fmax(most_radius, (double)r);
    for (size_t j = 0; j < n; j++) {
      float c, s;
      double exact_c, exact_s;
      oracle_cos_sin32(words[j], &c, &s);
      box_muller(words[k], words[j], &exact_c, &exact_s);
      worst = worse(worse(worst, (double)(r * c) - exact_c), (double)(r * s) - exact_s);
      largest = fmax(largest, fmax(fabs((double)(r * c)), fabs((double)(r * s))));
      smallest = fmin(smallest, fmin(fabs((double)c), fabs((double)s)));
    }
  }
  print_message("f32 normals of chosen words: worst error %.3g, |z| up to %.4f, radius %.3g .. %.4f, |cos| from %.3g\n",
                worst, largest, least_radius, most_radius, smallest);
  assert_true(worst < 2e-6);
  assert_true(largest > 6.7 && most_radius < 6.77 && least_radius > 1.5e-5 && smallest > 1e-10);
}

/* Found by walking through the blocks of seed 0 and stream 0; one normal in 5e8 is beyond 6. */
static void test_far_normals_on_device(void **state) {
  static const struct {
    uint64_t index;
    double z;
  } far[] = {
      {UINT64_C(0x61e27dd) * 4, -6.0236}, {UINT64_C(0x152c6775) * 4, 6.1128}, {UINT64_C(0x1717ac93) * 4 + 1, 6.1390}};
  const fanin_init init = fanin_normal(0, 1);
  for (size_t k = 0; k < LEN(far); k++) {
    float *const z = oracle_read_range(*state, FANIN_DTYPE_F32, far[k].index, 1, &init, (fanin_key){0, 0});
    assert_true(fabs((double)*z - far[k].z) < 1e-4);
    free(z);
  }
}

static double f64_error(uint64_t radius, uint64_t angle, double c, double s) {
  long double exact_c, exact_s;
  reference_box_muller(radius, angle, &exact_c, &exact_s);
  return worse(fabs((double)(exact_c - (long double)c)), (double)(exact_s - (long double)s));
}

/* valgrind computes long double in double: what it loses is added where amounts are small. */
static double slack(double bound) {
  return bound * (double)oracle_amount(1, 4);
}

static void test_normal_f64(void **state) {
  fanin *const f = *state;
  if (!f->has_f64) skip();
  const fanin_init init = fanin_normal(0, 1);
  const fanin_key key = {3, 5};
  const size_t count = oracle_amount(1 << 20, 1000);
  double *const z = oracle_read_range(f, FANIN_DTYPE_F64, 0, count, &init, key), worst = 0;
  for (uint64_t k = 0; k < count; k += 2) {
    worst = worse(worst, f64_error(oracle_draw(key, k), oracle_draw(key, k + 1), z[k], z[k + 1]));
    assert_true(z[k] != 0 && z[k + 1] != 0);
  }
  free(z);
  uint32_t words[MOST_CHOSEN];
  const size_t n = chosen_words(words);
  double chosen = 0, least_radius = 1, most_radius = 0;
  for (size_t k = 0; k < n; k++) {
    for (size_t j = 0; j < n; j++) {
      /* High words with low words at the ends: the same borders, in 64 bits. */
      const uint64_t radius = (uint64_t)words[k] << 32 | words[j], angle = (uint64_t)words[j] << 32 | words[k];
      const double r = sqrt(oracle_neg2_log_unit64(radius));
      double c, s;
      oracle_cos_sin64(angle, &c, &s);
      chosen = worse(chosen, f64_error(radius, angle, r * c, r * s));
      least_radius = fmin(least_radius, r);
      most_radius = fmax(most_radius, r);
    }
  }
  print_message("f64 normals: worst error %.3g, %.3g of chosen draws, radius %.3g .. %.4f\n", worst, chosen,
                least_radius, most_radius);
  assert_true(worst < slack(4e-15) && chosen < slack(4e-15));
  assert_true(least_radius > 2.3e-10 && most_radius < 9.5);
}

/* ---- Truncated normals ------------------------------------------------------------------------------------------- */

typedef struct error {
  double absolute, relative; /* |z| < 8, and beyond */
} error;

static void add_error(error *e, double z, long double exact) {
  const long double difference = fabsl((long double)z - exact);
  if (fabsl(exact) < 8) e->absolute = worse(e->absolute, (double)difference);
  if (fabsl(exact) >= 8) e->relative = worse(e->relative, (double)(difference / fabsl(exact)));
}

/* In sigma, as resolved: mean 0 and std 1. */
static const double intervals[][2] = {
    {-2, 2},          {-3, 3},          {-1, 2.5},       {-4, 0.25},         {3, 5},
    {-5, -3},         {0, INFINITY},    {10, INFINITY},  {-INFINITY, -10},   {40, 41},
    {-41, -40},       {1000, INFINITY}, {1e6, INFINITY}, {-INFINITY, -1e15}, {-INFINITY, INFINITY},
    {-INFINITY, 0.5}, {1.9, 2.1},       {-8, 8},         {0.3, 0.31},        {7.9, 8.1},
    {-0.001, 0.002},  {1.99, INFINITY}, {6, 6.5}};

static oracle_plan plan_of_interval(const double interval[2], fanin_dtype dtype, const oracle_tails *tails) {
  const fanin__distribution d = {.law = {.kind = FANIN_LAW_KIND_TRUNC_NORMAL,
                                         .std = 1,
                                         .lo = interval[0],
                                         .hi = interval[1],
                                         .from = interval[0],
                                         .to = interval[1]}};
  return oracle_plan_of(&d, dtype, tails);
}

/* The draw that stream v1 ranks `rank`, from below. */
static uint64_t random_rank(fanin_key key, uint64_t index, fanin_dtype dtype) {
  return dtype == FANIN_DTYPE_F64
             ? oracle_draw(key, index) ^ UINT64_C(1) << 63
             : (uint64_t)(oracle_word(key, index) ^ UINT32_C(1) << 31) << 32 | UINT32_C(0x7fffffff);
}

static error interval_error(const double interval[2], fanin_dtype dtype) {
  error e = {0, 0};
  const oracle_plan plan = plan_of_interval(interval, dtype, &oracle_host_tails);
  const fanin_key key = {17, (uint64_t)dtype};
  const uint64_t count = oracle_amount(20000, 100);
  for (uint64_t k = 0; k < count; k++) {
    /* (w + 1/2) 2^-32 is (rank + 1) 2^-64 where the rank ends in 7fffffff, but for the 1/2 that follows. */
    const uint64_t rank = random_rank(key, k, dtype);
    const long double half = dtype == FANIN_DTYPE_F64 ? 0.5L : 1;
    const long double u = ldexpl((long double)rank + half, -64), rest = ldexpl((long double)~rank + 1 - half, -64);
    const double z = dtype == FANIN_DTYPE_F64 ? oracle_value64(&plan, key, k) : (double)oracle_value32(&plan, key, k);
    add_error(&e, z, reference_truncated(interval[0], interval[1], u, rest));
  }
  return e;
}

static void test_truncated(void **state) {
  (void)state;
  error f32 = {0, 0}, f64 = {0, 0};
  for (size_t k = 0; k < LEN(intervals); k++) {
    const error a = interval_error(intervals[k], FANIN_DTYPE_F32), b = interval_error(intervals[k], FANIN_DTYPE_F64);
    print_message("[%g, %g]: f32 %.3g, relative %.3g; f64 %.3g, relative %.3g\n", intervals[k][0], intervals[k][1],
                  a.absolute, a.relative, b.absolute, b.relative);
    f32 = (error){worse(f32.absolute, a.absolute), worse(f32.relative, a.relative)};
    f64 = (error){worse(f64.absolute, b.absolute), worse(f64.relative, b.relative)};
  }
  assert_true(f32.absolute < 2e-6 && f32.relative < 4e-7);
  assert_true(f64.absolute < slack(1e-14) && f64.relative < slack(1e-14));
}

/* The library's parameters against those of long double. The tails' logarithms are rounded before their difference is
 * taken, which s_reference says the size of. */
static void test_parameters(void **state) {
  (void)state;
  double worst = 0;
  int single = 0, all = 0;
  for (size_t k = 0; k < LEN(intervals); k++) {
    const oracle_plan host = plan_of_interval(intervals[k], FANIN_DTYPE_F64, &oracle_host_tails);
    const oracle_plan exact = plan_of_interval(intervals[k], FANIN_DTYPE_F64, &reference_tails);
    const double pairs[][2] = {{host.x_middle, exact.x_middle},
                               {host.x_half, exact.x_half},
                               {host.low, exact.low},
                               {host.high, exact.high},
                               {host.width, exact.width}};
    for (size_t p = 0; p < LEN(pairs); p++) {
      worst = worse(worst, (pairs[p][0] - pairs[p][1]) / ((4 + exact.s_reference) * DBL_EPSILON));
      single += (float)pairs[p][0] != (float)pairs[p][1];
      all++;
    }
    assert_true(fabs(host.s_reference - exact.s_reference) <= 4 * DBL_EPSILON * exact.s_reference);
  }
  print_message("parameters: worst error %.3g of what is allowed; %d of %d differ in f32\n", worst, single, all);
  assert_true(worst < 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_normal_f32_on_device),
      cmocka_unit_test(test_normal_f32_of_chosen_words),
      cmocka_unit_test(test_far_normals_on_device),
      cmocka_unit_test(test_normal_f64),
      cmocka_unit_test(test_truncated),
      cmocka_unit_test(test_parameters),
  };
  return cmocka_run_group_tests(tests, test_group_open, test_group_close);
}
