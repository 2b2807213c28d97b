/* Splits: cuts of every tensor into every number of shards cover it once, in order, as evenly as it goes. */
#include "support/support.h"
#include "tensor/view.h"

#include <string.h>

#define LEN(x) (sizeof(x) / sizeof *(x))
#define NUMBERS(...)                                                                                                   \
  (const uint64_t[]) {                                                                                                 \
    __VA_ARGS__                                                                                                        \
  }

/* ---- By hand ----------------------------------------------------------------------------------------------------- */

/* 10 in 4: 3 3 2 2. */
static void test_the_first_shards_have_one_more(void **state) {
  (void)state;
  static const uint64_t firsts[] = {0, 3, 6, 8}, sizes[] = {3, 3, 2, 2};
  const fanin_tensor t = test_tensor_of(NULL, 0, FANIN_DTYPE_F32, "OI", 2, NUMBERS(7, 10));
  const fanin_tensor line = test_tensor_of(NULL, 0, FANIN_DTYPE_F32, "OI", 2, NUMBERS(2, 5));
  for (uint64_t k = 0; k < 4; k++) {
    fanin_tensor slab, range;
    assert_ok(fanin_tensor_split(&t, 1, k, 4, &slab));
    assert_int_equal(slab.part, FANIN_PART_SLAB);
    assert_true(slab.start[0] == 0 && slab.extent[0] == 7);
    assert_true(slab.start[1] == firsts[k] && slab.extent[1] == sizes[k]);
    assert_true(slab.shape[0] == 7 && slab.shape[1] == 10); /* fans and indices stay the whole's */
    assert_ok(fanin_tensor_split_range(&line, k, 4, &range));
    assert_int_equal(range.part, FANIN_PART_RANGE);
    assert_true(range.first == firsts[k] && range.count == sizes[k]);
  }
}

static void test_more_shards_than_elements(void **state) {
  (void)state;
  const fanin_tensor t = test_tensor_of(NULL, 0, FANIN_DTYPE_F32, "O", 1, NUMBERS(3));
  for (uint64_t k = 0; k < 5; k++) {
    fanin_tensor slab, range;
    assert_ok(fanin_tensor_split(&t, 0, k, 5, &slab));
    assert_ok(fanin_tensor_split_range(&t, k, 5, &range));
    assert_true(slab.extent[0] == (k < 3) && range.count == (k < 3));
    assert_true(slab.start[0] == (k < 3 ? k : 3) && range.first == (k < 3 ? k : 3));
  }
}

/* A scalar is one element and has no dimension to cut. */
static void test_scalars(void **state) {
  (void)state;
  const fanin_tensor t = test_tensor_of(NULL, 0, FANIN_DTYPE_F32, NULL, 0, NULL);
  fanin_tensor out;
  assert_ok(fanin_tensor_split_range(&t, 0, 2, &out));
  assert_true(out.first == 0 && out.count == 1);
  assert_ok(fanin_tensor_split_range(&t, 1, 2, &out));
  assert_true(out.first == 1 && out.count == 0);
}

/* Past 2^32, where products of index and size no longer fit into 32 bits. */
static void test_huge(void **state) {
  (void)state;
  const uint64_t n = (UINT64_C(1) << 61) + 5;
  const fanin_tensor t = test_tensor_of(NULL, 0, FANIN_DTYPE_F64, "O", 1, &n);
  fanin_tensor out;
  assert_ok(fanin_tensor_split_range(&t, 1023, 1024, &out));
  assert_true(out.count == UINT64_C(1) << 51 && out.first == n - out.count);
  assert_ok(fanin_tensor_split(&t, 0, 4, 1024, &out));
  assert_true(out.extent[0] == (UINT64_C(1) << 51) + 1 && out.start[0] == 4 * out.extent[0]);
}

/* ---- Every cut --------------------------------------------------------------------------------------------------- */

/* Adds 1 at every index that the part holds. */
static void mark(const fanin_tensor *t, unsigned *held) {
  fanin__view v;
  assert_ok(fanin__view_of(t, &v));
  for (uint64_t row = 0; v.elements > 0 && row < v.rows; row++) {
    uint64_t index = v.first_index, rest = row;
    for (int d = 0; d < v.row_rank; d++) {
      index += rest % v.row_extent[d] * v.row_index_stride[d];
      rest /= v.row_extent[d];
    }
    for (uint64_t e = 0; e < v.row_length; e++) {
      held[index + e]++;
    }
  }
}

enum { MOST = 6 * 6 * 6 };

static void assert_marked_alike(const fanin_tensor *t, const unsigned *held) {
  unsigned expected[MOST] = {0};
  mark(t, expected);
  assert_memory_equal(held, expected, sizeof expected);
}

/* Of a whole, and of its slabs and ranges again. */
static void test_every_element_is_in_one_shard(void **state) {
  (void)state;
  uint64_t seed = 7;
  for (int k = 0; k < 2000; k++) {
    uint64_t shape[3], start[3], extent[3], whole = 1;
    for (int d = 0; d < 3; d++) {
      shape[d] = test_random_below(&seed, 7);
      start[d] = test_random_below(&seed, shape[d] + 1);
      extent[d] = test_random_below(&seed, shape[d] - start[d] + 1);
      whole *= shape[d];
    }
    const uint64_t first = test_random_below(&seed, whole + 1), size = test_random_below(&seed, whole - first + 1);
    const fanin_tensor t = test_tensor_of(NULL, 0, FANIN_DTYPE_F16, "OIW", 3, shape);
    const fanin_tensor slabs[] = {t, test_tensor_slab(t, start, extent)};
    const fanin_tensor ranges[] = {t, test_tensor_range(t, first, size)};
    const uint64_t count = 1 + test_random_below(&seed, 9);
    const int dimension = (int)test_random_below(&seed, 3);
    for (size_t which = 0; which < 2; which++) {
      unsigned by_slab[MOST] = {0}, by_range[MOST] = {0};
      for (uint64_t s = 0; s < count; s++) {
        fanin_tensor part;
        assert_ok(fanin_tensor_split(&slabs[which], dimension, s, count, &part));
        mark(&part, by_slab);
        assert_ok(fanin_tensor_split_range(&ranges[which], s, count, &part));
        mark(&part, by_range);
      }
      assert_marked_alike(&slabs[which], by_slab);
      assert_marked_alike(&ranges[which], by_range);
    }
  }
}

/* ---- Refusals ---------------------------------------------------------------------------------------------------- */

static void assert_refused(fanin_status status, fanin_status expected, const fanin_tensor *out, const char *sentence) {
  assert_status(status, expected);
  assert_int_equal(out->rank, 77); /* written on success only */
  if (!strstr(fanin_last_error(), sentence)) fail_msg("\"%s\" lacks \"%s\"", fanin_last_error(), sentence);
}

static void test_refusals(void **state) {
  (void)state;
  const fanin_tensor t = test_tensor_of(NULL, 0, FANIN_DTYPE_F32, "OI", 2, NUMBERS(5, 7));
  const fanin_tensor range = test_tensor_range(t, 3, 9), outside = test_tensor_range(t, 30, 9);
  const fanin_tensor slab = test_tensor_slab(t, NUMBERS(1, 1), NUMBERS(2, 2));
  const fanin_tensor beyond = test_tensor_slab(t, NUMBERS(UINT64_MAX, 0), NUMBERS(2, 7));
  const fanin_tensor bad_rank = test_tensor_of(NULL, 0, FANIN_DTYPE_F32, NULL, 9, NULL);
  fanin_tensor out = {.rank = 77}, odd = t;
  odd.part = (fanin_part)7;
  const struct {
    const fanin_tensor *t;
    int dimension;
    uint64_t index, count;
    fanin_status status;
    const char *sentence;
  } cases[] = {
      {&t, 2, 0, 1, FANIN_STATUS_BAD_ARGUMENT, "dimension = 2; the tensor has 2"},
      {&t, -1, 0, 1, FANIN_STATUS_BAD_ARGUMENT, "dimension = -1"},
      {&t, 0, 4, 4, FANIN_STATUS_BAD_ARGUMENT, "index = 4 of count = 4"},
      {&t, 0, 0, 0, FANIN_STATUS_BAD_ARGUMENT, "index = 0 of count = 0"},
      {&range, 0, 0, 1, FANIN_STATUS_BAD_ARGUMENT, "part is 2; accepted are 0 (whole) and 1 (slab)"},
      {&odd, 0, 0, 1, FANIN_STATUS_BAD_ARGUMENT, "part is 7"},
      {&beyond, 0, 0, 1, FANIN_STATUS_BAD_SHAPE, "start[0] = 18446744073709551615"},
      {&bad_rank, 0, 0, 1, FANIN_STATUS_BAD_SHAPE, "rank is 9"},
  };
  for (size_t k = 0; k < LEN(cases); k++) {
    assert_refused(fanin_tensor_split(cases[k].t, cases[k].dimension, cases[k].index, cases[k].count, &out),
                   cases[k].status, &out, cases[k].sentence);
  }
  assert_refused(fanin_tensor_split_range(&slab, 0, 1, &out), FANIN_STATUS_BAD_ARGUMENT, &out,
                 "part is 1; accepted are 0");
  assert_refused(fanin_tensor_split_range(&t, 1, 1, &out), FANIN_STATUS_BAD_ARGUMENT, &out, "index = 1 of count = 1");
  assert_refused(fanin_tensor_split_range(&outside, 0, 1, &out), FANIN_STATUS_BAD_SHAPE, &out, "first = 30");
  assert_refused(fanin_tensor_split_range(&bad_rank, 0, 1, &out), FANIN_STATUS_BAD_SHAPE, &out, "rank is 9");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_the_first_shards_have_one_more),
      cmocka_unit_test(test_more_shards_than_elements),
      cmocka_unit_test(test_scalars),
      cmocka_unit_test(test_huge),
      cmocka_unit_test(test_every_element_is_in_one_shard),
      cmocka_unit_test(test_refusals),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
