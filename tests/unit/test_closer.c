/* bins.c, series.c, lines.c and samples.c against plain loops in double, for every dtype, vector width and
 * geometry. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "oracle/oracle.h"
#include "support/support.h"
#include "support/support_answers.h"

/* ---- Samples: random numbers of a dtype, some of them special ---------------------------------------------------- */

typedef struct sample {
  fanin_tensor tensor;
  double *x;
  size_t n;
} sample;

static double uniform(uint64_t *state) {
  return (double)(test_random(state) >> 11) * 0x1p-53;
}

/* Narrow dtypes: the bits of 1, of what follows the largest number, and of NaN; infinity, if there is one, is `past`.
 */
typedef struct narrow {
  uint32_t sign, one, spread, past, nan;
} narrow;

static narrow narrow_of(fanin_dtype dtype) {
  switch (dtype) {
  case FANIN_DTYPE_F16:
    return (narrow){0x8000, 0x3c00, 0x7ff, 0x7c00, 0x7e00};
  case FANIN_DTYPE_F8_E4M3:
    return (narrow){0x80, 0x38, 0xf, 0x7f, 0x7f};
  case FANIN_DTYPE_F8_E5M2:
    return (narrow){0x80, 0x3c, 0x7, 0x7c, 0x7e};
  default: /* bf16, and the upper half of f32 */
    return (narrow){0x8000, 0x3f80, 0xff, 0x7f80, 0x7fc0};
  }
}

static void put_narrow(fanin_dtype dtype, void *memory, size_t k, uint32_t bits) {
  if (fanin_dtype_size(dtype) == 1)
    ((uint8_t *)memory)[k] = (uint8_t)bits;
  else
    ((uint16_t *)memory)[k] = (uint16_t)bits;
}

/* Narrow dtypes: bits whose exponent is near 1's, so that sums are of one size. */
static double put(fanin_dtype dtype, void *memory, size_t k, uint64_t *state) {
  const double x = 4 * uniform(state) - 1;
  if (dtype == FANIN_DTYPE_F64) return ((double *)memory)[k] = x;
  if (dtype == FANIN_DTYPE_F32) return (double)(((float *)memory)[k] = (float)x);
  const narrow n = narrow_of(dtype);
  const uint32_t bits = (n.one - n.spread / 2 + (uint32_t)test_random_below(state, n.spread)) | (x < 0 ? n.sign : 0);
  put_narrow(dtype, memory, k, bits);
  return oracle_number(dtype, bits);
}

/* Two elements before the n that count. With `odd`, element 3 is NaN, 5 infinite (or NaN), 7 zero and 8 minus zero. */
static sample make(fanin *f, fanin_dtype dtype, size_t n, uint64_t seed, bool odd) {
  static const double specials[] = {NAN, INFINITY, 0.0, -0.0};
  static const size_t places[] = {3, 5, 7, 8};
  const narrow special = narrow_of(dtype);
  const uint32_t bits[] = {special.nan, special.past, 0, special.sign};
  const size_t size = fanin_dtype_size(dtype);
  sample s = {.x = malloc((n + 1) * sizeof(double)), .n = n};
  unsigned char *const memory = malloc((n + 3) * size);
  assert_non_null(s.x);
  assert_non_null(memory);
  for (size_t k = 0; k < n + 3; k++) {
    const double x = put(dtype, memory, k, &seed);
    if (k >= 2 && k < n + 2) s.x[k - 2] = x;
  }
  for (size_t k = 0; k < 4 && odd && n > 8; k++) {
    const size_t at = places[k];
    s.x[at] = size <= 2 ? oracle_number(dtype, bits[k]) : specials[k];
    if (dtype == FANIN_DTYPE_F64) ((double *)(void *)memory)[at + 2] = specials[k];
    if (dtype == FANIN_DTYPE_F32) ((float *)(void *)memory)[at + 2] = (float)specials[k];
    if (size <= 2) put_narrow(dtype, memory, at + 2, bits[k]);
  }
  cl_int code = CL_SUCCESS;
  const cl_mem buffer =
      clCreateBuffer(test_context(f), CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR, (n + 3) * size, memory, &code);
  assert_int_equal(code, CL_SUCCESS);
  s.tensor = test_tensor_of(buffer, 2 * size, dtype, NULL, 1, (const uint64_t[]){n});
  free(memory);
  return s;
}

static void release(sample *s) {
  fanin_tensor_free(&s->tensor);
  free(s->x);
}

/* Runs a check on f for every dtype, and as on a GPU, at every vector width. */
static void everywhere(void (*check)(fanin *f, fanin_dtype dtype)) {
  static const char *const widths[] = {"1", "4", "8", "16"};
  for (size_t k = 0; k < 4; k++) {
    for (int gpu = 0; gpu < 2; gpu++) {
      assert_int_equal(setenv("FANIN_LANES", widths[k], 1), 0);
      fanin *const f = test_open_as(gpu);
      for (int dtype = 0; dtype < FANIN_DTYPE_COUNT; dtype++)
        check(f, (fanin_dtype)dtype);
      test_close(f);
      test_forget_answers();
    }
  }
}

static void near(double value, double expected, double tolerance, const char *what) {
  if (!(fabs(value - expected) <= tolerance)) fail_msg("%s: %.17g is not %.17g", what, value, expected);
}

/* ---- Keys -------------------------------------------------------------------------------------------------------- */

/* The key of a number, by bisection among the keys' own numbers. */
static uint32_t key_of(fanin_dtype dtype, double x) {
  double least, most;
  if (x == 0) return signbit(x) ? 0x7fff : 0x8000;
  const narrow n = narrow_of(dtype);
  uint32_t low = 0x7fff - n.past, high = 0x8000 + n.past;
  while (low < high) {
    const uint32_t middle = (low + high + 1) / 2;
    assert_ok(fanin_bin_numbers(dtype, middle, &least, &most));
    if (least <= (dtype == FANIN_DTYPE_F64 ? (double)(float)x : x))
      low = middle;
    else
      high = middle - 1;
  }
  return low;
}

static void check_keys(fanin *f, fanin_dtype dtype) {
  sample s = make(f, dtype, 20011, 5, true);
  uint64_t *const counts = calloc(3 * (size_t)FANIN_BINS, sizeof *counts), *const expected = counts + FANIN_BINS;
  uint64_t *const lower = expected + FANIN_BINS, nan = 0;
  assert_non_null(counts);
  const narrow n = narrow_of(dtype);
  uint64_t expected_nan = 0;
  for (size_t k = 0; k < s.n; k++) {
    if (isnan(s.x[k]))
      expected_nan += 2;
    else
      expected[key_of(dtype, s.x[k])] += 2;
  }
  assert_ok(fanin_measure_bins(f, NULL, &s.tensor, FANIN_ALL_BINS, 0, NULL, counts));
  assert_ok(fanin_measure_bins(f, NULL, &s.tensor, FANIN_ALL_BINS, 0, NULL, counts)); /* adds */
  for (uint32_t key = 0; key < FANIN_BINS; key++) {
    const uint32_t magnitude = key < 0x8000 ? 0x7fff - key : key - 0x8000;
    const bool beyond = magnitude > n.past || magnitude == n.nan; /* NaN */
    if (beyond) nan += counts[key];
    if (!beyond && counts[key] != expected[key]) fail_msg("key %04x: %d", key, (int)counts[key]);
  }
  assert_int_equal(nan, expected_nan);
  const uint32_t key = key_of(dtype, s.x[100]);
  assert_ok(fanin_measure_bins(f, NULL, &s.tensor, key, 0, NULL, lower));
  uint64_t sum = 0, own = 0;
  for (uint32_t k = 0; k < FANIN_BINS; k++) {
    const double x = dtype == FANIN_DTYPE_F64 ? (double)(float)s.x[100] : s.x[100];
    double number = NAN;
    assert_ok(fanin_bin_number(dtype, key, k, &number));
    if (number == x && lower[k] > 0) own = lower[k];
    sum += lower[k];
  }
  assert_int_equal(2 * sum, expected[key]);
  assert_true(own > 0);
  free(counts);
  release(&s);
}

static void keys_count_every_number_once(void **state) {
  (void)state;
  everywhere(check_keys);
}

static void keys_ascend_without_gaps(void **state) {
  (void)state;
  for (int d = 0; d < FANIN_DTYPE_COUNT; d++) {
    const fanin_dtype dtype = (fanin_dtype)d;
    const narrow n = narrow_of(dtype);
    double least, most, before = -INFINITY;
    for (uint32_t key = 0x8000 - n.past; key < 0x8000 + n.past; key++) {
      assert_ok(fanin_bin_numbers(dtype, key, &least, &most));
      assert_true(isfinite(least) && isfinite(most) && least <= most && before <= least);
      if (dtype == FANIN_DTYPE_F32 && isfinite(before))
        assert_true(least == (double)nextafterf((float)before, INFINITY) || least == 0);
      before = most;
    }
    near(before, oracle_most(dtype == FANIN_DTYPE_F64 ? FANIN_DTYPE_F32 : dtype, INFINITY), 0, "the largest number");
  }
}

/* ---- Series ------------------------------------------------------------------------------------------------------ */

static double deviation(const sample *s, size_t k, fanin_standard by) {
  return k < s->n && isfinite(s->x[k]) ? (s->x[k] - by.shift) * by.scale : 0;
}

static void check_series(fanin *f, fanin_dtype dtype) {
  static const size_t sizes[] = {1, 5, 9, 131, 70001};
  static const uint64_t lags[4] = {1, 2, 17, 300};
  const fanin_standard by = {0.75, 1.5};
  for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
    sample s = make(f, dtype, sizes[k], 11 + k, true);
    fanin_series series;
    long double powers[4] = {0}, products[4] = {0};
    for (size_t e = 0; e < s.n; e++) {
      const double d = deviation(&s, e, by);
      for (int p = 0; p < 4; p++) {
        powers[p] += pow(d, p + 1);
        products[p] += d * deviation(&s, e + (size_t)lags[p], by);
      }
    }
    assert_ok(fanin_measure_series(f, NULL, &s.tensor, by, lags, 0, NULL, &series, sizeof series));
    for (int p = 0; p < 4; p++) { /* 1e-4 standard errors of such a sum */
      near(series.powers[p], (double)powers[p], 1e-4 * pow(3, p) * sqrt((double)s.n), "a sum of powers");
      near(series.products[p], (double)products[p], 1e-4 * sqrt((double)s.n), "a sum of products");
    }
    release(&s);
  }
}

static void series_are_sums(void **state) {
  (void)state;
  everywhere(check_series);
}

/* ---- Lines ------------------------------------------------------------------------------------------------------- */

static fanin_lines new_lines(size_t rows, size_t columns) {
  return (fanin_lines){calloc(rows, sizeof(double)), calloc(rows, sizeof(uint64_t)), calloc(columns, sizeof(double)),
                       calloc(columns, sizeof(uint64_t))};
}

static void free_lines(fanin_lines *l) {
  free(l->row_sums);
  free(l->row_prints);
  free(l->column_sums);
  free(l->column_prints);
}

static void check_sums(const sample *s, const fanin_lines *l, size_t rows, size_t columns, fanin_standard by) {
  for (size_t r = 0; r < rows; r++) {
    double sum = 0;
    for (size_t c = 0; c < columns; c++)
      sum += deviation(s, r * columns + c, by);
    near(l->row_sums[r], sum, 1e-5 * sqrt((double)columns), "a row's sum");
  }
  for (size_t c = 0; c < columns; c++) {
    double sum = 0;
    for (size_t r = 0; r < rows; r++)
      sum += deviation(s, r * columns + c, by);
    near(l->column_sums[c], sum, 1e-5 * sqrt((double)rows), "a column's sum");
  }
}

static void check_lines(fanin *f, fanin_dtype dtype) {
  static const size_t shapes[][2] = {{1, 1}, {1, 5003}, {5003, 1}, {37, 301}, {301, 37}, {3, 20000}, {2000, 16}};
  const fanin_standard by = {0.75, 1.5};
  for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++) {
    const size_t rows = shapes[k][0], columns = shapes[k][1], half = rows / 2;
    sample s = make(f, dtype, rows * columns, 23 + k, rows * columns > 8);
    fanin_lines whole = new_lines(rows, columns), pieces = new_lines(rows, columns), rest = pieces;
    assert_ok(fanin_measure_lines(f, NULL, &s.tensor, rows, 0, by, 0, NULL, &whole));
    check_sums(&s, &whole, rows, columns, by);

    fanin_tensor part = s.tensor;
    part.shape[0] = half * columns;
    assert_ok(fanin_measure_lines(f, NULL, &part, half, 0, by, 0, NULL, &pieces));
    part.offset += half * columns * fanin_dtype_size(dtype);
    part.shape[0] = (rows - half) * columns;
    rest.row_sums += half;
    rest.row_prints += half;
    assert_ok(fanin_measure_lines(f, NULL, &part, rows - half, half, by, 0, NULL, &rest));
    assert_memory_equal(whole.row_prints, pieces.row_prints, rows * sizeof(uint64_t));
    assert_memory_equal(whole.column_prints, pieces.column_prints, columns * sizeof(uint64_t));
    free_lines(&pieces);
    free_lines(&whole);
    release(&s);
  }
}

static void lines_are_sums_in_pieces_too(void **state) {
  (void)state;
  everywhere(check_lines);
}

/* A matrix with a row that comes three times, and its transpose. */
static void fingerprints_tell_lines_apart(void **state) {
  fanin *const f = *state;
  enum { ROWS = 61, COLUMNS = 83 };
  static float x[ROWS * COLUMNS], transposed[ROWS * COLUMNS];
  uint64_t seed = 99;
  for (int k = 0; k < ROWS * COLUMNS; k++)
    x[k] = (float)uniform(&seed);
  memcpy(x + 40 * COLUMNS, x + 7 * COLUMNS, COLUMNS * sizeof *x);
  memcpy(x + 50 * COLUMNS, x + 7 * COLUMNS, COLUMNS * sizeof *x);
  for (int c = 0; c < COLUMNS; c++) { /* the same numbers in another order, and one bit flipped: not equal */
    x[20 * COLUMNS + c] = x[7 * COLUMNS + (c + 1) % COLUMNS];
    x[30 * COLUMNS + c] = c == 82 ? nextafterf(x[7 * COLUMNS + c], 2) : x[7 * COLUMNS + c];
  }
  for (int r = 0; r < ROWS; r++) {
    for (int c = 0; c < COLUMNS; c++)
      transposed[c * ROWS + r] = x[r * COLUMNS + c];
  }
  fanin_lines lines[2];
  const uint64_t n = ROWS * COLUMNS;
  for (int k = 0; k < 2; k++) {
    cl_int code = CL_SUCCESS;
    const size_t rows = k == 0 ? ROWS : COLUMNS;
    cl_mem buffer = clCreateBuffer(test_context(f), CL_MEM_READ_ONLY | CL_MEM_COPY_HOST_PTR, sizeof x,
                                   k == 0 ? x : transposed, &code);
    assert_int_equal(code, CL_SUCCESS);
    const fanin_tensor t = test_tensor_of(buffer, 0, FANIN_DTYPE_F32, NULL, 1, &n);
    lines[k] = new_lines(rows, (size_t)n / rows);
    assert_ok(fanin_measure_lines(f, NULL, &t, rows, 0, (fanin_standard){0, 1}, 0, NULL, &lines[k]));
    clReleaseMemObject(buffer);
  }
  assert_memory_equal(lines[0].row_prints, lines[1].column_prints, ROWS * sizeof(uint64_t));
  assert_memory_equal(lines[0].column_prints, lines[1].row_prints, COLUMNS * sizeof(uint64_t));
  for (int a = 0; a < COLUMNS; a++) {
    for (int b = 0; b < a; b++)
      assert_true(lines[0].column_prints[a] != lines[0].column_prints[b]);
  }
  for (int a = 0; a < ROWS; a++) {
    for (int b = 0; b < a; b++) {
      const bool copy = (a == 40 && b == 7) || (a == 50 && (b == 7 || b == 40));
      assert_int_equal(lines[0].row_prints[a] == lines[0].row_prints[b], copy);
    }
  }
  free_lines(&lines[0]);
  free_lines(&lines[1]);
}

/* ---- Pairs ------------------------------------------------------------------------------------------------------- */

static void check_pairs(fanin *f, fanin_dtype dtype) {
  enum { LENGTH = 480 };
  const fanin_standard by = {0.75, 1.5};
  sample s[3] = {make(f, dtype, 480, 1, true), make(f, dtype, 301, 2, false), make(f, FANIN_DTYPE_F32, 480, 3, false)};
  cl_int code = CL_SUCCESS;
  cl_mem samples = clCreateBuffer(test_context(f), CL_MEM_READ_WRITE, sizeof(float[3][LENGTH]), NULL, &code);
  assert_int_equal(code, CL_SUCCESS);
  for (size_t k = 0; k < 3; k++)
    assert_ok(fanin_measure_sample(f, NULL, &s[k].tensor, by, samples, k * LENGTH, 0, NULL));
  const fanin_pair pairs[] = {{0, 2, 480}, {1, 0, 288}, {2, 1, 16}, {2, 2, 480}, {0, 1, 0}};
  enum { PAIRS = sizeof pairs / sizeof *pairs };
  fanin_products out[PAIRS];
  assert_ok(fanin_measure_pairs(f, NULL, samples, 3, LENGTH, pairs, PAIRS, out, sizeof *out));
  for (size_t p = 0; p < PAIRS; p++) {
    fanin_products sum = {0};
    for (size_t k = 0; k < pairs[p].count; k++) {
      const double a = deviation(&s[pairs[p].a], k, by), b = deviation(&s[pairs[p].b], k, by);
      sum.ab += a * b;
      sum.aa += a * a;
      sum.bb += b * b;
      sum.a += a;
      sum.b += b;
    }
    near(out[p].ab, sum.ab, 1e-3, "ab");
    near(out[p].aa, sum.aa, 3e-3, "aa");
    near(out[p].bb, sum.bb, 3e-3, "bb");
    near(out[p].a, sum.a, 1e-3, "a");
    near(out[p].b, sum.b, 1e-3, "b");
  }
  const fanin_pair bad[] = {{0, 1, 16}, {0, 3, 16}}, long_one = {0, 1, 496}, uneven = {0, 1, 15};
  fanin_products nothing = {1, 1, 1, 1, 1};
  const fanin_pair empty = {0, 1, 0};
  assert_ok(
      fanin_measure_pairs(f, NULL, samples, 3, 0, &empty, 1, &nothing, sizeof nothing)); /* samples of no numbers */
  assert_true(nothing.ab == 0 && nothing.aa == 0 && nothing.bb == 0 && nothing.a == 0 && nothing.b == 0);
  assert_status(fanin_measure_pairs(f, NULL, samples, 3, LENGTH, bad, 2, out, sizeof *out), FANIN_STATUS_BAD_ARGUMENT);
  assert_non_null(strstr(fanin_last_error(), "pairs[1] = {0, 3, 16}"));
  assert_status(fanin_measure_pairs(f, NULL, samples, 3, LENGTH, &long_one, 1, out, sizeof *out),
                FANIN_STATUS_BAD_ARGUMENT);
  assert_status(fanin_measure_pairs(f, NULL, samples, 3, LENGTH, &uneven, 1, out, sizeof *out),
                FANIN_STATUS_BAD_ARGUMENT);
  assert_status(fanin_measure_pairs(f, NULL, samples, 4, LENGTH, pairs, 1, out, sizeof *out), FANIN_STATUS_BAD_SIZE);
  assert_status(fanin_measure_sample(f, NULL, &s[0].tensor, by, samples, 3 * LENGTH - 479, 0, NULL),
                FANIN_STATUS_BAD_SIZE);
  clReleaseMemObject(samples);
  for (size_t k = 0; k < 3; k++)
    release(&s[k]);
}

static void pairs_are_sums_of_products(void **state) {
  (void)state;
  everywhere(check_pairs);
}

/* ---- Refusals ---------------------------------------------------------------------------------------------------- */

static void refuses_what_does_not_fit(void **state) {
  fanin *const f = *state;
  sample s = make(f, FANIN_DTYPE_F32, 60, 1, false);
  fanin_lines lines = new_lines(60, 60);
  fanin_series series = {.powers = {7}};
  static uint64_t counts[FANIN_BINS];
  const uint64_t lags[4] = {1, 2, 4, 8};
  const fanin_standard by = {0, 1};
  assert_status(fanin_measure_lines(f, NULL, &s.tensor, 7, 0, by, 0, NULL, &lines), FANIN_STATUS_BAD_SHAPE);
  assert_non_null(strstr(fanin_last_error(), "rows = 7 does not divide the part's 60 elements"));
  assert_status(fanin_measure_lines(f, NULL, &s.tensor, 0, 0, by, 0, NULL, &lines), FANIN_STATUS_BAD_SHAPE);
  const fanin_tensor gaps = test_tensor_strided(
      test_tensor_of(s.tensor.buffer, 0, FANIN_DTYPE_F32, NULL, 2, (const uint64_t[]){5, 6}), (const uint64_t[]){7, 1});
  assert_status(fanin_measure_bins(f, NULL, &gaps, FANIN_ALL_BINS, 0, NULL, counts), FANIN_STATUS_UNSUPPORTED);
  assert_status(fanin_measure_series(f, NULL, &gaps, by, lags, 0, NULL, &series, sizeof series),
                FANIN_STATUS_UNSUPPORTED);
  fanin_tensor large = s.tensor;
  large.shape[0] = 62;
  assert_status(fanin_measure_series(f, NULL, &large, by, lags, 0, NULL, &series, sizeof series),
                FANIN_STATUS_BAD_SIZE);
  assert_true(series.powers[0] == 7); /* untouched */

  fanin_tensor empty = s.tensor;
  empty.shape[0] = 0;
  assert_ok(fanin_measure_series(f, NULL, &empty, by, lags, 0, NULL, &series, sizeof series));
  assert_true(series.powers[0] == 0);
  assert_ok(fanin_measure_bins(f, NULL, &empty, FANIN_ALL_BINS, 0, NULL, counts));
  assert_ok(fanin_measure_lines(f, NULL, &empty, 0, 0, by, 0, NULL, &lines));
  free_lines(&lines);
  release(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test_teardown(keys_count_every_number_once, test_restore_answers),
                                     cmocka_unit_test(keys_ascend_without_gaps),
                                     cmocka_unit_test_teardown(series_are_sums, test_restore_answers),
                                     cmocka_unit_test_teardown(lines_are_sums_in_pieces_too, test_restore_answers),
                                     cmocka_unit_test(fingerprints_tell_lines_apart),
                                     cmocka_unit_test_teardown(pairs_are_sums_of_products, test_restore_answers),
                                     cmocka_unit_test(refuses_what_does_not_fit)};
  return cmocka_run_group_tests_name("closer", tests, test_group_open, test_group_close);
}
