/* Sparse: every element against the oracle, for all layouts, parts, dtypes and widths; exact counts; where zeros are.
 */
#include "support/support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/context.h"
#include "oracle/image.h"
#include "oracle/sparse.h"

#define LEN(x) (sizeof(x) / sizeof *(x))

typedef struct sparse_case {
  const char *layout;
  int rank;
  uint64_t shape[5];
  uint32_t groups, splits;
} sparse_case;

static const sparse_case cases[] = {
    {"OI", 2, {70, 33}, 0, 0},        {"IO", 2, {33, 70}, 0, 0},           {"OI", 2, {1, 5}, 0, 0},
    {"OI", 2, {5, 1}, 0, 0},          {"OI", 2, {600, 3}, 0, 0},           {"OI", 2, {99, 13}, 0, 3},
    {"BOI", 3, {4, 19, 23}, 0, 0},    {"OIB", 3, {19, 23, 3}, 0, 0},       {"OI", 2, {24, 5}, 2, 3},
    {"OIHW", 4, {12, 4, 4, 5}, 3, 0}, {"HWIO", 4, {3, 5, 7, 11}, 0, 0},    {"IOHW", 4, {12, 5, 3, 2}, 4, 0},
    {"IOHW", 4, {12, 8, 3, 2}, 0, 2}, {"OIDHW", 5, {6, 4, 3, 2, 5}, 2, 0}, {"OIHW", 4, {0, 4, 3, 3}, 0, 0},
    {"OIW", 3, {2, 1, 300}, 0, 0},    {"HWGO", 4, {3, 5, 7, 4}, 0, 0},     {"BWGO", 4, {2, 30, 5, 3}, 0, 0},
    {"GOW", 3, {9, 40, 3}, 0, 0},
};

static fanin_tensor tensor_of_case(const sparse_case *c, fanin_dtype dtype) {
  fanin_tensor t = test_tensor_of(NULL, 3 * fanin_dtype_size(dtype), dtype, c->layout, c->rank, c->shape);
  t.groups = c->groups;
  t.splits = c->splits;
  return t;
}

/* Both owners, shares from none to all, and so many connections. */
static fanin_init init_number(size_t k) {
  static const double sparsity[] = {0.3, 0, 0.9, 1, 0.5};
  fanin_init init = fanin_sparse(sparsity[k / 2 % LEN(sparsity)], 1.5);
  init.per = k % 2 == 0 ? FANIN_PER_INPUT : FANIN_PER_OUTPUT;
  if (k % 7 == 6) init.connections = 4;
  return init;
}

/* ---- Against the oracle ------------------------------------------------------------------------------------------ */

static void test_whole(void **state) {
  fanin *const f = *state;
  for (size_t k = 0; k < LEN(cases); k++) {
    for (size_t n = 0; n < oracle_amount(10, 2); n++) {
      const fanin_init init = init_number(n);
      oracle_assert_fill(f, NULL, tensor_of_case(&cases[k], FANIN_DTYPE_F32), &init, (fanin_key){k, n});
    }
  }
}

static void test_dtypes(void **state) {
  fanin *const f = *state;
  const fanin_init init = fanin_sparse(0.35, 0.02);
  for (size_t k = 0; k < LEN(cases); k += 3) {
    for (int dtype = 0; dtype < FANIN_DTYPE_COUNT; dtype++) {
      if (dtype == FANIN_DTYPE_F64 && !f->has_f64) continue;
      oracle_assert_fill(f, NULL, tensor_of_case(&cases[k], (fanin_dtype)dtype), &init, (fanin_key){1, UINT64_MAX - k});
    }
  }
}

static void test_ranges(void **state) {
  fanin *const f = *state;
  uint64_t random = 1;
  for (size_t k = 0; k < LEN(cases); k++) {
    const fanin_tensor whole = tensor_of_case(&cases[k], FANIN_DTYPE_BF16);
    uint64_t elements = 0, bytes = 0;
    assert_ok(fanin_tensor_size(&whole, &elements, &bytes));
    for (size_t n = oracle_amount(6, 1); n-- > 0;) {
      const fanin_init init = init_number(n);
      const uint64_t first = test_random_below(&random, elements + 1);
      const uint64_t count = test_random_below(&random, elements - first + 1);
      oracle_assert_fill(f, NULL, test_tensor_range(whole, first, count), &init, (fanin_key){1, 2});
    }
  }
}

static void test_slabs(void **state) {
  fanin *const f = *state;
  uint64_t random = 2;
  for (size_t k = 0; k < LEN(cases); k++) {
    for (size_t n = oracle_amount(6, 1); n-- > 0;) {
      const fanin_init init = init_number(n);
      const fanin_tensor whole = tensor_of_case(&cases[k], FANIN_DTYPE_F32);
      oracle_assert_some_slab(f, whole, &init, (fanin_key){1, 2}, &random);
    }
  }
}

static void test_every_width(void **state) {
  (void)state;
  if (oracle_amount(2, 1) == 1) skip(); /* under a tool */
  const char *const was = getenv("FANIN_LANES");
  char kept[8] = "", text[8];
  if (was) snprintf(kept, sizeof kept, "%s", was);
  for (unsigned lanes = 1; lanes <= 16; lanes = lanes == 1 ? 4 : 2 * lanes) {
    snprintf(text, sizeof text, "%u", lanes);
    assert_int_equal(setenv("FANIN_LANES", text, 1), 0);
    fanin *const f = test_open();
    for (size_t k = 0; k < LEN(cases); k += 4) {
      const fanin_init init = init_number(k);
      oracle_assert_fill(f, NULL, tensor_of_case(&cases[k], FANIN_DTYPE_F32), &init, (fanin_key){1, 2});
    }
    test_close(f);
  }
  assert_int_equal(was ? setenv("FANIN_LANES", kept, 1) : unsetenv("FANIN_LANES"), 0);
}

/* Among others, twice with different seeds; the parts of a plan share a buffer. */
static void test_plan(void **state) {
  fanin *const f = *state;
  const fanin_init inits[] = {fanin_sparse(0.4, 1), fanin_normal(0, 1), fanin_sparse(0.8, 2)};
  fanin_item items[3];
  fanin_plan *plan = NULL;
  for (size_t k = 0; k < LEN(items); k++) {
    items[k] = (fanin_item){.tensor = tensor_of_case(&cases[k], FANIN_DTYPE_F32), .init = inits[k], .stream = k};
    items[k].tensor.offset = 0;
  }
  assert_ok(fanin_plan_create(f, items, LEN(items), &plan));
  for (uint64_t seed = 0; seed < 2; seed++) {
    assert_ok(fanin_plan_enqueue(plan, NULL, seed, 0, NULL, NULL));
    for (size_t k = 0; k < LEN(items); k++) {
      fanin_tensor t;
      uint64_t elements = 0, bytes = 0;
      assert_ok(fanin_plan_tensor(plan, k, &t));
      assert_ok(fanin_tensor_size(&t, &elements, &bytes));
      unsigned char *const got = malloc((size_t)bytes), *const expected = malloc((size_t)bytes);
      assert_non_null(got);
      assert_non_null(expected);
      assert_ok(fanin_read(f, NULL, &t, got, (size_t)bytes, 1, 0, NULL, NULL));
      oracle_image(&items[k].tensor, &inits[k], (fanin_key){seed, k}, expected);
      assert_memory_equal(got, expected, (size_t)bytes);
      free(got);
      free(expected);
    }
  }
  fanin_plan_release(plan);
}

/* ---- Counts and places ------------------------------------------------------------------------------------------- */

enum { MOST = 1 << 18 };

/* The values of a matrix (rows, columns) in f32. */
static void fill_matrix(fanin *f, uint64_t rows, uint64_t columns, const fanin_init *init, fanin_key key, float *out) {
  const uint64_t shape[] = {rows, columns};
  fanin_tensor t;
  assert_ok(fanin_tensor_alloc(f, FANIN_DTYPE_F32, "OI", 2, shape, &t));
  assert_ok(fanin_fill(f, NULL, &t, init, key, 0, NULL, NULL));
  assert_ok(fanin_read(f, NULL, &t, out, rows * columns * sizeof *out, 1, 0, NULL, NULL));
  fanin_tensor_free(&t);
}

/* ceil(sparsity n) in every column, whatever n; with per=output in every row; and 15 connections. */
static void test_counts(void **state) {
  fanin *const f = *state;
  if (oracle_amount(2, 1) == 1) skip(); /* under a tool */
  static const uint64_t rows[] = {1, 2, 3, 7, 10, 255, 256, 257, 5000};
  static const double sparsities[] = {0, 0.1, 1.0 / 3, 0.7, 0.999, 1};
  float *const x = malloc(MOST * sizeof *x);
  assert_non_null(x);
  for (size_t r = 0; r < LEN(rows); r++) {
    for (size_t s = 0; s < LEN(sparsities) + 1; s++) {
      for (int per = 0; per < 2; per++) {
        const uint64_t n = rows[r], lines = 9;
        fanin_init init = fanin_sparse(s < LEN(sparsities) ? sparsities[s] : 0.5, 1);
        if (s == LEN(sparsities)) init.connections = 15;
        init.per = (fanin_per)per;
        fill_matrix(f, per ? lines : n, per ? n : lines, &init, (fanin_key){r, s}, x);
        const uint64_t expected = s < LEN(sparsities) ? (uint64_t)ceil(sparsities[s] * (double)n) : n > 15 ? n - 15 : 0;
        for (uint64_t line = 0; line < lines; line++) {
          uint64_t zeros = 0;
          for (uint64_t k = 0; k < n; k++) {
            zeros += x[per ? line * n + k : k * lines + line] == 0;
          }
          assert_int_equal(zeros, expected);
        }
      }
    }
  }
  free(x);
}

/* Pearson's chi-square with so many degrees of freedom lies within z standard deviations, by Wilson and Hilferty. */
static void assert_chi_square(double x, double degrees, double z) {
  const double spread = 2 / (9 * degrees), deviate = (cbrt(x / degrees) - (1 - spread)) / sqrt(spread);
  if (!(fabs(deviate) <= z)) fail_msg("chi-square %g with %g degrees of freedom: z = %g", x, degrees, deviate);
}

/* Subsets of 3 out of 7, all 35 of them, equally often among 40,000 lines (expected 1143 each); the places of a line
 * and of the next, 49 pairs of first places, independent. |z| <= 5: false alarms once in a million. */
static void test_subsets_are_uniform(void **state) {
  fanin *const f = *state;
  if (oracle_amount(2, 1) == 1) skip(); /* under a tool */
  enum { ROWS = 7, COLUMNS = 20000, FILLS = 2 };
  float *const x = malloc(ROWS * COLUMNS * sizeof *x);
  double subsets[1 << ROWS] = {0}, pairs[1 << 6][1 << 6] = {{0}}, chi = 0;
  assert_non_null(x);
  for (uint64_t seed = 0; seed < FILLS; seed++) {
    const fanin_init init = fanin_sparse(3.0 / 7, 1);
    unsigned last = 0;
    fill_matrix(f, ROWS, COLUMNS, &init, (fanin_key){seed, 77}, x);
    for (size_t c = 0; c < COLUMNS; c++) {
      unsigned subset = 0;
      for (size_t r = 0; r < ROWS; r++) {
        subset |= (unsigned)(x[r * COLUMNS + c] == 0) << r;
      }
      subsets[subset]++;
      if (c % 2 == 1) pairs[last % 8][subset % 8]++; /* of the first three rows */
      last = subset;
    }
  }
  for (unsigned s = 0; s < 1 << ROWS; s++) {
    const double expected = FILLS * COLUMNS / 35.0;
    if (__builtin_popcount(s) == 3) chi += (subsets[s] - expected) * (subsets[s] - expected) / expected;
    if (__builtin_popcount(s) != 3) assert_true(subsets[s] == 0);
  }
  assert_chi_square(chi, 34, 5);
  /* Of the first three rows, j given ones are zeros with probability C(4, 3 - j) / 35. */
  static const double share[] = {4 / 35.0, 6 / 35.0, 4 / 35.0, 1 / 35.0};
  chi = 0;
  for (unsigned a = 0; a < 8; a++) {
    for (unsigned b = 0; b < 8; b++) {
      const double p = share[__builtin_popcount(a)] * share[__builtin_popcount(b)];
      const double expected = FILLS * COLUMNS / 2.0 * p;
      chi += (pairs[a][b] - expected) * (pairs[a][b] - expected) / expected;
    }
  }
  assert_chi_square(chi, 63, 5);
  free(x);
}

/* In long lines: how often each of 64 rows' stretches has zeros, and pairs of neighbours; hypergeometric. |z| <= 5. */
static void test_long_lines_are_uniform(void **state) {
  fanin *const f = *state;
  if (oracle_amount(2, 1) == 1) skip(); /* under a tool */
  enum { ROWS = 640, COLUMNS = 400, ZEROS = 64 };
  float *const x = malloc(ROWS * COLUMNS * sizeof *x);
  double counts[ROWS] = {0}, neighbours = 0, chi = 0;
  const fanin_init init = fanin_sparse(0.1, 1);
  assert_non_null(x);
  fill_matrix(f, ROWS, COLUMNS, &init, (fanin_key){4, 5}, x);
  for (size_t c = 0; c < COLUMNS; c++) {
    for (size_t r = 0; r < ROWS; r++) {
      const bool zero = x[r * COLUMNS + c] == 0;
      counts[r] += zero;
      if (r > 0) neighbours += zero && x[(r - 1) * COLUMNS + c] == 0;
    }
  }
  /* A count over independent lines: mean COLUMNS p, variance COLUMNS p (1 - p), correlated -1 / (ROWS - 1) with others.
   */
  const double p = (double)ZEROS / ROWS, expected = COLUMNS * p;
  for (size_t r = 0; r < ROWS; r++) {
    chi += (counts[r] - expected) * (counts[r] - expected) / (expected * (1 - p)) * (ROWS - 1) / ROWS;
  }
  assert_chi_square(chi, ROWS - 1, 5);
  /* Runs in a random order of k zeros and n - k others: (k - joins) runs of zeros; joins has mean k (k - 1) / n and
   * variance k (k - 1) (n - k) (n - k + 1) / (n^2 (n - 1)). */
  const double k = ZEROS, n = ROWS, mean = k * (k - 1) / n,
               variance = k * (k - 1) * (n - k) * (n - k + 1) / (n * n * (n - 1));
  assert_true(fabs(neighbours - COLUMNS * mean) <= 5 * sqrt(COLUMNS * variance));
  free(x);
}

/* ---- What is said of it ------------------------------------------------------------------------------------------ */

static void test_expectation_and_law(void **state) {
  (void)state;
  const uint64_t shape[] = {10, 7};
  const fanin_tensor t = test_tensor_of(NULL, 0, FANIN_DTYPE_F32, "OI", 2, shape);
  fanin_init init = fanin_sparse(0.25, 2); /* 3 of 10 */
  fanin_moments m;
  fanin_law law;
  double moments[13];
  assert_ok(fanin_expect(&t, &init, &m, sizeof m));
  assert_true(m.mean == 0 && fabs(m.std - 2 * sqrt(0.7)) < 1e-12 && fabs(m.kurtosis - 3 / 0.7) < 1e-12);
  assert_true(isinf(m.lo) && isinf(m.hi));
  assert_ok(fanin_law_of(&t, &init, &law));
  assert_true(law.kind == FANIN_LAW_KIND_SPARSE && fabs(law.zeros - 0.3) < 1e-15 && law.std == 2);
  assert_true(fabs(test_law_probability(&law, -1e-9, 0) - 0.35) < 1e-6);
  assert_true(fabs(test_law_probability(&law, 0, 0) - 0.65) < 1e-6);
  assert_true(fabs(test_law_probability(&law, 2, 1) - 0.7 * 0.158655253931457) < 1e-9);
  assert_ok(fanin_law_moments(&law, 1, 2, moments, 13)); /* E ((x - 1) / 2)^2 = (2.8 + 1) / 4 */
  assert_true(fabs(moments[0] - 1) < 1e-9 && fabs(moments[1] + 0.5) < 1e-9 && fabs(moments[2] - 0.95) < 1e-9);
  init.per = FANIN_PER_OUTPUT; /* ceil(7 / 4) = 2 of 7 */
  assert_ok(fanin_expect(&t, &init, &m, sizeof m));
  assert_true(fabs(m.std - 2 * sqrt(5 / 7.0)) < 1e-12);
  init.connections = 1;
  assert_ok(fanin_expect(&t, &init, &m, sizeof m));
  assert_true(fabs(m.std - 2 * sqrt(1 / 7.0)) < 1e-12);
  init.connections = 100;
  assert_ok(fanin_expect(&t, &init, &m, sizeof m));
  assert_true(m.std == 2 && m.kurtosis == 3);
}

static void test_refusals(void **state) {
  fanin *const f = *state;
  const uint64_t shape[] = {UINT64_C(1) << 32, 1}, narrow[] = {4, 1};
  const fanin_tensor huge = test_tensor_range(test_tensor_of(NULL, 0, FANIN_DTYPE_F32, "OI", 2, shape), 0, 4);
  fanin_tensor t;
  fanin_init init = fanin_sparse(0.5, 1);
  assert_ok(fanin_tensor_alloc(f, FANIN_DTYPE_F32, "OI", 2, narrow, &t));
  fanin_tensor part = huge;
  part.buffer = t.buffer;
  assert_status(fanin_fill(f, NULL, &part, &init, (fanin_key){0, 0}, 0, NULL, NULL), FANIN_STATUS_UNSUPPORTED);
  assert_non_null(strstr(fanin_last_error(), "4294967296"));
  init.sparsity = 1.01;
  assert_status(fanin_fill(f, NULL, &t, &init, (fanin_key){0, 0}, 0, NULL, NULL), FANIN_STATUS_BAD_ARGUMENT);
  assert_non_null(strstr(fanin_last_error(), "from 0 to 1"));
  init = fanin_sparse(0.5, 1);
  init.connections = 1.5;
  assert_status(fanin_fill(f, NULL, &t, &init, (fanin_key){0, 0}, 0, NULL, NULL), FANIN_STATUS_BAD_ARGUMENT);
  assert_non_null(strstr(fanin_last_error(), "whole number"));
  fanin_tensor_free(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_whole),
      cmocka_unit_test(test_dtypes),
      cmocka_unit_test(test_ranges),
      cmocka_unit_test(test_slabs),
      cmocka_unit_test(test_every_width),
      cmocka_unit_test(test_plan),
      cmocka_unit_test(test_counts),
      cmocka_unit_test(test_subsets_are_uniform),
      cmocka_unit_test(test_long_lines_are_uniform),
      cmocka_unit_test(test_expectation_and_law),
      cmocka_unit_test(test_refusals),
  };
  return cmocka_run_group_tests(tests, test_group_open, test_group_close);
}
