/* Bilinear and hadamard: every element against the definitions, for all layouts, parts, dtypes and widths; against
 * NumPy's numbers; and what is expected of them. */
#include "support/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/context.h"
#include "oracle/image.h"
#include "support/support_csv.h"

#define LEN(x) (sizeof(x) / sizeof *(x))

typedef struct pattern_case {
  const char *layout;
  int rank;
  uint64_t shape[5];
  uint32_t groups, splits;
} pattern_case;

static const pattern_case cases[] = {
    {"OI", 2, {70, 33}, 0, 0},        {"IO", 2, {33, 70}, 0, 0},        {"OI", 2, {1, 1}, 0, 0},
    {"OI", 2, {33, 70}, 0, 0},        {"OI", 2, {99, 13}, 0, 3},        {"BOI", 3, {4, 19, 11}, 0, 0},
    {"OIB", 3, {19, 3, 7}, 1, 1},     {"OI", 2, {24, 3}, 2, 3},         {"OIHW", 4, {12, 9, 3, 3}, 0, 0},
    {"OIHW", 4, {12, 4, 4, 5}, 3, 0}, {"OIHW", 4, {6, 1, 3, 3}, 6, 0},  {"HWIO", 4, {3, 5, 7, 11}, 0, 0},
    {"IOHW", 4, {12, 5, 3, 2}, 4, 0}, {"IOHW", 4, {12, 8, 3, 2}, 0, 2}, {"OIDHW", 5, {6, 4, 3, 2, 5}, 2, 0},
    {"BOIW", 4, {3, 6, 5, 4}, 0, 0},  {"OIW", 3, {10, 4, 7}, 0, 5},     {"OIHW", 4, {0, 4, 3, 3}, 0, 0},
    {"WOI", 3, {1, 9, 2}, 0, 0},      {"GO", 2, {9, 6}, 0, 0},          {"OGDHW", 5, {5, 3, 2, 3, 4}, 0, 0},
    {"HWGO", 4, {3, 5, 7, 4}, 0, 0},  {"BWGO", 4, {2, 3, 5, 3}, 0, 0},
};

static fanin_tensor tensor_of_case(const pattern_case *c, fanin_dtype dtype) {
  fanin_tensor t = test_tensor_of(NULL, 3 * fanin_dtype_size(dtype), dtype, c->layout, c->rank, c->shape);
  t.groups = c->groups;
  t.splits = c->splits;
  return t;
}

/* Number n of the initializers that a case takes; false: there is none. */
static bool init_of_case(const pattern_case *c, size_t n, double gain, fanin_init *out) {
  *out = n == 0 ? fanin_hadamard(gain) : fanin_bilinear(gain);
  return n == 0 || (n == 1 && strpbrk(c->layout, "DHW"));
}

/* ---- Against the oracle ------------------------------------------------------------------------------------------ */

static void test_whole(void **state) {
  fanin *const f = *state;
  for (size_t k = 0; k < LEN(cases); k++) {
    fanin_init init;
    for (size_t n = 0; init_of_case(&cases[k], n, -1.7, &init); n++) {
      for (int dtype = 0; dtype < FANIN_DTYPE_COUNT; dtype++) {
        if (dtype == FANIN_DTYPE_F64 && !f->has_f64) continue;
        oracle_assert_fill(f, NULL, tensor_of_case(&cases[k], (fanin_dtype)dtype), &init, (fanin_key){1, 2});
      }
    }
  }
}

static void test_parts(void **state) {
  fanin *const f = *state;
  uint64_t random = 2;
  for (size_t k = 0; k < LEN(cases); k++) {
    fanin_init init;
    for (size_t n = 0; init_of_case(&cases[k], n, 1, &init); n++) {
      const fanin_tensor whole = tensor_of_case(&cases[k], FANIN_DTYPE_F32);
      uint64_t all = 0, bytes = 0;
      oracle_assert_some_slab(f, whole, &init, (fanin_key){1, 2}, &random);
      assert_ok(fanin_tensor_size(&whole, &all, &bytes));
      const uint64_t first = test_random_below(&random, all + 1), count = test_random_below(&random, all - first + 1);
      oracle_assert_fill(f, NULL, test_tensor_range(whole, first, count), &init, (fanin_key){1, 2});
    }
  }
}

/* A corner of a matrix of 2^40 rows: bits above the 32nd count. */
static void test_corner_of_a_huge_matrix(void **state) {
  fanin *const f = *state;
  const uint64_t shape[] = {UINT64_C(1) << 40, 1 << 20}, extent[] = {21, 30};
  const uint64_t start[] = {(UINT64_C(1) << 40) - 21, (1 << 20) - 30};
  const fanin_init init = fanin_hadamard(1e6);
  const fanin_tensor whole = test_tensor_of(NULL, 8, FANIN_DTYPE_F32, "OI", 2, shape);
  oracle_assert_fill(f, NULL, test_tensor_slab(whole, start, extent), &init, (fanin_key){0, 0});
}

/* ---- Against NumPy ----------------------------------------------------------------------------------------------- */

static float *fill(fanin *f, const char *layout, int rank, const uint64_t *shape, const fanin_init *init) {
  fanin_tensor t;
  uint64_t elements = 0, bytes = 0;
  assert_ok(fanin_tensor_alloc(f, FANIN_DTYPE_F32, layout, rank, shape, &t));
  assert_ok(fanin_tensor_size(&t, &elements, &bytes));
  float *const out = malloc((size_t)bytes);
  assert_non_null(out);
  assert_ok(fanin_fill(f, NULL, &t, init, (fanin_key){0, 0}, 0, NULL, NULL));
  assert_ok(fanin_read(f, NULL, &t, out, (size_t)bytes, 1, 0, NULL, NULL));
  fanin_tensor_free(&t);
  return out;
}

/* "+-0" times c; in a convolution of 3 x 3 taps, at the centre of each. */
static void check_hadamard(fanin *f, const char **fields) {
  const uint64_t shape[] = {strtoull(fields[1], NULL, 10), strtoull(fields[2], NULL, 10), 3, 3};
  const double c = strtod(fields[3], NULL);
  const fanin_init init = fanin_hadamard(1);
  float *const matrix = fill(f, "OI", 2, shape, &init), *const filter = fill(f, "OIHW", 4, shape, &init);
  assert_int_equal(strlen(fields[4]), shape[0] * shape[1]);
  for (size_t k = 0; k < shape[0] * shape[1]; k++) {
    const float expected = fields[4][k] == '0' ? 0 : (float)(fields[4][k] == '-' ? -c : c);
    assert_true(matrix[k] == expected);
    for (size_t tap = 0; tap < 9; tap++) {
      assert_true(filter[9 * k + tap] == (tap == 4 ? expected : 0));
    }
  }
  free(matrix);
  free(filter);
}

static void check_bilinear(fanin *f, const char **fields) {
  uint64_t shape[5] = {2, 3};
  size_t taps = 1;
  for (int d = 0; d < 3; d++) {
    shape[2 + d] = strtoull(fields[1 + d], NULL, 10);
    taps *= shape[2 + d];
  }
  const fanin_init init = fanin_bilinear(1);
  float *const x = fill(f, "OIDHW", 5, shape, &init);
  char *at = (char *)fields[4];
  for (size_t k = 0; k < taps; k++) {
    const double expected = strtod(at, &at);
    for (size_t channel = 0; channel < 6; channel++) {
      const float value = x[channel * taps + k];
      const bool diagonal = channel == 0 || channel == 4;
      assert_true(diagonal ? fabs((double)value - expected) <= 0x1p-24 * expected : value == 0);
    }
  }
  free(x);
}

static void test_numpy(void **state) {
  fanin *const f = *state;
  test_csv csv = test_csv_open("patterns.csv");
  const char *fields[5];
  while (test_csv_row(&csv, fields, 5)) {
    (strcmp(fields[0], "hadamard") == 0 ? check_hadamard : check_bilinear)(f, fields);
  }
  assert_int_equal(csv.rows, 23);
}

/* ---- Expectations ------------------------------------------------------------------------------------------------ */

/* What is said of a tensor against the numbers in it. */
static void test_moments(void **state) {
  fanin *const f = *state;
  for (size_t k = 0; k < LEN(cases); k++) {
    fanin_init init;
    for (size_t n = 0; init_of_case(&cases[k], n, -3, &init); n++) {
      const fanin_tensor t = tensor_of_case(&cases[k], FANIN_DTYPE_F32);
      fanin_moments m;
      fanin_law law;
      fanin_law_description described;
      assert_ok(fanin_expect(&t, &init, &m, sizeof m));
      assert_ok(fanin_law_of(&t, &init, &law));
      assert_ok(fanin_describe_law(law.kind, &described, sizeof described));
      assert_int_equal(described.values, FANIN_VALUES_FIXED);
      assert_true(law.lo == m.lo && law.hi == m.hi);
      uint64_t count = 0, bytes = 0;
      assert_ok(fanin_tensor_size(&t, &count, &bytes));
      if (count == 0) continue;
      if (cases[k].groups > 1 || cases[k].splits > 1) continue; /* filled without them below */
      float *const x = fill(f, t.layout, t.rank, t.shape, &init);
      double sums[5] = {0}, lo = INFINITY, hi = -INFINITY;
      for (size_t e = 0; e < count; e++) {
        sums[1] += (double)x[e] / (double)count;
        lo = fmin(lo, (double)x[e]);
        hi = fmax(hi, (double)x[e]);
      }
      for (size_t e = 0; e < count; e++) {
        sums[2] += pow((double)x[e] - sums[1], 2) / (double)count;
        sums[4] += pow((double)x[e] - sums[1], 4) / (double)count;
      }
      assert_true(fabs(m.mean - sums[1]) < 1e-6 && fabs(m.std - sqrt(sums[2])) < 1e-6);
      if (m.std > 0) assert_true(fabs(m.kurtosis / (sums[4] / sums[2] / sums[2]) - 1) < 1e-5);
      assert_true(m.lo <= lo + 1e-6 && m.hi >= hi - 1e-6);
      free(x);
    }
  }
}

static void test_refusals(void **state) {
  fanin *const f = *state;
  const uint64_t shape[] = {4, 4};
  fanin_tensor t;
  fanin_init init = fanin_bilinear(1);
  assert_ok(fanin_tensor_alloc(f, FANIN_DTYPE_F16, "OI", 2, shape, &t));
  assert_status(fanin_fill(f, NULL, &t, &init, (fanin_key){0, 0}, 0, NULL, NULL), FANIN_STATUS_BAD_LAYOUT);
  assert_non_null(strstr(fanin_last_error(), "no taps"));
  init = fanin_hadamard(1e6);
  assert_status(fanin_fill(f, NULL, &t, &init, (fanin_key){0, 0}, 0, NULL, NULL), FANIN_STATUS_BAD_ARGUMENT);
  assert_non_null(strstr(fanin_last_error(), "65504"));
  fanin_tensor_free(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_whole), cmocka_unit_test(test_parts),   cmocka_unit_test(test_corner_of_a_huge_matrix),
      cmocka_unit_test(test_numpy), cmocka_unit_test(test_moments), cmocka_unit_test(test_refusals),
  };
  return cmocka_run_group_tests(tests, test_group_open, test_group_close);
}
