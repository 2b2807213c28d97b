/* Loops: none of an item of a CPU is longer than the drivers that end long ones allow (Mesa 22's llvmpipe), whatever is
 * measured or filled. On one compute unit, where items are few, so that loops would be long in small tensors; drivers
 * of that kind run this too. */
#include "support/support.h"

#include <stdlib.h>

#include "core/context.h"
#include "core/launch.h"
#include "oracle/image.h"

enum { ELEMENTS = 5000000, ITEMS = 64 };

static int open_one_unit(void **state) {
  fanin *const f = test_open();
  f->compute_units = 1;
  *state = f;
  return 0;
}

/* Whatever the tasks: each has an item, and an item has too many passes only if one task has. */
static void test_spread(void **state) {
  fanin *const f = *state;
  if (!(f->type & CL_DEVICE_TYPE_CPU)) skip();
  static const uint64_t numbers[] = {1, 2, 63, 64, 65, 1000, 59999, 60000, 60001, 3840001, UINT64_C(1) << 33};
  enum { N = sizeof numbers / sizeof *numbers };
  for (size_t k = 0; k < N * N * N; k++) {
    const uint64_t tasks = numbers[k % N], grain = numbers[k / N % N], passes = numbers[k / N / N];
    const fanin__spread s = fanin__spread_of(f, tasks, grain, passes);
    assert_true(s.span == 1 || s.span * passes <= FANIN__MOST_PASSES);
    assert_true(s.step == 1 && s.pitch == s.span && s.grid.global[0] == s.items);
    assert_true(s.items * s.pitch >= tasks && (s.items - 1) * s.pitch < tasks);
    if (passes == 1 && tasks <= ITEMS * UINT64_C(60000)) assert_true(s.items <= ITEMS);
  }
}

/* A tensor of so many f32 numbers of the host's, which go round through -2 .. 2. */
static fanin_tensor counting(fanin *f) {
  float *const numbers = malloc(ELEMENTS * sizeof *numbers);
  assert_non_null(numbers);
  for (size_t e = 0; e < ELEMENTS; e++) {
    numbers[e] = (float)(e % 5) - 2;
  }
  cl_int code = CL_SUCCESS;
  const cl_mem buffer = clCreateBuffer(test_context(f), CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR,
                                       ELEMENTS * sizeof *numbers, numbers, &code);
  assert_int_equal(code, CL_SUCCESS);
  free(numbers);
  return test_tensor_of(buffer, 0, FANIN_DTYPE_F32, NULL, 1, (const uint64_t[]){ELEMENTS});
}

/* Every number is 0 in the mean, and 2 in the mean square. */
static void test_moments(void **state) {
  fanin *const f = *state;
  fanin_tensor t = counting(f);
  fanin_stats stats = {0};
  fanin_series series = {{0}, {0}};
  static uint64_t bins[FANIN_BINS];
  uint64_t counted = 0;
  assert_ok(fanin_measure(f, NULL, &t, 0, NULL, &stats, sizeof stats));
  assert_int_equal(stats.count, ELEMENTS);
  assert_int_equal(stats.nonfinite, 0);
  test_assert_close_of(stats.mean, 0, 1e-9, "mean", "the numbers");
  test_assert_relative_of(stats.second, 2, 1e-6, "mean square", "the numbers");
  assert_ok(fanin_measure_bins(f, NULL, &t, FANIN_ALL_BINS, 0, NULL, bins));
  for (size_t k = 0; k < FANIN_BINS; k++) {
    assert_true(bins[k] == 0 || bins[k] == ELEMENTS / 5);
    counted += bins[k];
  }
  assert_int_equal(counted, ELEMENTS);
  const uint64_t lags[4] = {5, 10, 15, 20};
  assert_ok(fanin_measure_series(f, NULL, &t, (fanin_standard){0, 1}, lags, 0, NULL, &series, sizeof series));
  test_assert_relative_of(series.powers[1], 2.0 * ELEMENTS, 1e-6, "the sum of squares", "the numbers");
  for (size_t k = 0; k < 4; k++) {
    test_assert_relative_of(series.products[k], 2.0 * (double)(ELEMENTS - lags[k]), 1e-6, "a product", "the numbers");
  }
  fanin_tensor_free(&t);
}

/* Squares, as one row and as one column. Pieces have the fingerprints of the whole. */
static void test_lines(void **state) {
  fanin *const f = *state;
  fanin_tensor t = counting(f);
  const fanin_standard by = {-2, 1}; /* 0 .. 4 */
  double row = 0, column = 0;
  uint64_t row_print = 0, column_print = 0;
  fanin_lines one_row = {.row_sums = &row, .row_prints = &row_print};
  fanin_lines one_column = {.column_sums = &column, .column_prints = &column_print};
  assert_ok(fanin_measure_lines(f, NULL, &t, 1, 0, by, 0, NULL, &one_row));
  assert_ok(fanin_measure_lines(f, NULL, &t, ELEMENTS, 0, by, 0, NULL, &one_column));
  test_assert_relative_of(row, 2.0 * ELEMENTS, 1e-6, "the sum", "the row");
  test_assert_relative_of(column, 2.0 * ELEMENTS, 1e-6, "the sum", "the column");
  assert_true(row_print == column_print);
  uint64_t print = 0;
  double sum = 0;
  enum { PIECE = 50000 };
  for (uint64_t first = 0; first < ELEMENTS; first += PIECE) {
    fanin_tensor piece = test_tensor_range(t, first, PIECE);
    piece.offset += (size_t)first * sizeof(float);
    fanin_lines lines = {.column_sums = &sum, .column_prints = &print};
    assert_ok(fanin_measure_lines(f, NULL, &piece, PIECE, first, by, 0, NULL, &lines));
  }
  assert_true(print == column_print);
  fanin_tensor_free(&t);
}

/* A table, whose elements have the most passes, in long rows and in short ones. */
static void test_fills(void **state) {
  fanin *const f = *state;
  static const uint64_t shapes[][2] = {{3, 60000}, {60000, 3}};
  fanin_init ramp;
  assert_ok(fanin_init_parse("ramp:lo=1,hi=2,exponent=0.5", &ramp));
  for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++) {
    const fanin_tensor t = test_tensor_of(NULL, 0, FANIN_DTYPE_F32, NULL, 2, shapes[k]);
    oracle_assert_fill(f, NULL, t, &ramp, (fanin_key){0});
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_spread),
      cmocka_unit_test(test_moments),
      cmocka_unit_test(test_lines),
      cmocka_unit_test(test_fills),
  };
  return cmocka_run_group_tests(tests, open_one_unit, test_group_close);
}
