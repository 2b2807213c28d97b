/* Views: a tensor's part as rows of consecutive indices, against the plain definition of which element lies where. */
#include "support/support.h"
#include "tensor/view.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* An element's index in the whole tensor, and where it lies in memory, in elements after the part's first. */
typedef struct place {
  uint64_t index, memory;
} place;

static int by_index(const void *a, const void *b) {
  const uint64_t x = ((const place *)a)->index, y = ((const place *)b)->index;
  return (x > y) - (x < y);
}

/* The definition: every multi-index of the part, in row-major order. */
static size_t places_by_definition(const fanin_tensor *t, place *places) {
  if (t->part == FANIN_PART_RANGE) {
    for (uint64_t k = 0; k < t->count; k++) {
      places[k] = (place){t->first + k, k};
    }
    return t->count;
  }
  uint64_t extent[FANIN_MAX_RANK], start[FANIN_MAX_RANK], stride[FANIN_MAX_RANK];
  uint64_t n = 1;
  bool dense = true;
  for (int d = t->rank - 1; d >= 0; d--) {
    extent[d] = t->part == FANIN_PART_SLAB ? t->extent[d] : t->shape[d];
    start[d] = t->part == FANIN_PART_SLAB ? t->start[d] : 0;
    stride[d] = n;
    n *= extent[d];
    dense = dense && t->strides[d] == 0;
  }
  for (uint64_t k = 0; k < n; k++) {
    uint64_t index = 0, memory = 0;
    for (int d = 0; d < t->rank; d++) {
      const uint64_t at = k / stride[d] % extent[d];
      index = index * t->shape[d] + start[d] + at;
      memory += at * (dense ? stride[d] : t->strides[d]);
    }
    places[k] = (place){index, memory};
  }
  return n;
}

/* view.h's definition of a view. */
static size_t places_by_view(const fanin__view *v, place *places) {
  size_t n = 0;
  for (uint64_t row = 0; v->elements > 0 && row < v->rows; row++) {
    uint64_t index = v->first_index, memory = 0, rest = row;
    for (int d = 0; d < v->row_rank; d++) {
      index += rest % v->row_extent[d] * v->row_index_stride[d];
      memory += rest % v->row_extent[d] * v->row_stride[d];
      rest /= v->row_extent[d];
    }
    for (uint64_t e = 0; e < v->row_length; e++) {
      places[n++] = (place){index + e, memory + e * v->memory_stride};
    }
  }
  return n;
}

enum { MAX_PLACES = 7 * 7 * 7 * 7 * 7 };

static void assert_view_is_the_definition(const fanin_tensor *t) {
  static place expected[MAX_PLACES], got[MAX_PLACES];
  fanin__view v;
  assert_ok(fanin__view_of(t, &v));
  const size_t n = places_by_definition(t, expected);
  assert_int_equal(v.elements, n);
  assert_int_equal(v.elements, v.rows * v.row_length);
  assert_int_equal(places_by_view(&v, got), n);
  /* fanin_read() leans on the order: rows in turn are the row-major order. */
  for (size_t k = 1; k < n; k++) {
    assert_true(got[k - 1].index < got[k].index);
  }
  qsort(expected, n, sizeof *expected, by_index);
  uint64_t reach = 0;
  for (size_t k = 0; k < n; k++) {
    assert_int_equal(got[k].index, expected[k].index);
    assert_int_equal(got[k].memory, expected[k].memory);
    if (expected[k].memory >= reach) reach = expected[k].memory + 1;
  }
  assert_int_equal(v.bytes, reach * fanin_dtype_size(t->dtype));
}

/* Strides of any order of dimensions, each past what the smaller ones reach, with random gaps. */
static void random_strides(uint64_t *seed, int rank, const uint64_t *extent, uint64_t *strides) {
  int order[FANIN_MAX_RANK] = {0};
  const bool shuffled = test_random_below(seed, 2);
  for (int d = 0; d < rank; d++) { /* innermost first, or any order */
    const int at = shuffled ? (int)test_random_below(seed, (uint64_t)d + 1) : d;
    order[d] = order[at];
    order[at] = rank - 1 - d;
  }
  const bool gaps = test_random_below(seed, 2);
  uint64_t past = 1;
  for (int k = 0; k < rank; k++) {
    const int d = order[k];
    strides[d] = past + (gaps ? test_random_below(seed, 4) : 0);
    if (extent[d] > 0) past = (extent[d] - 1) * strides[d] + past;
  }
}

static fanin_tensor random_tensor(uint64_t *seed) {
  uint64_t shape[5], start[5], extent[5], strides[5], whole = 1;
  const int rank = (int)test_random_below(seed, 6);
  for (int d = 0; d < rank; d++) {
    shape[d] = test_random_below(seed, 20) == 0 ? 0 : 1 + test_random_below(seed, 7);
    start[d] = test_random_below(seed, 2) ? 0 : test_random_below(seed, shape[d] + 1);
    const uint64_t room = shape[d] - start[d];
    extent[d] = test_random_below(seed, 3) ? room : test_random_below(seed, room + 1);
    whole *= shape[d];
  }
  const fanin_dtype dtype = (fanin_dtype)test_random_below(seed, FANIN_DTYPE_COUNT);
  fanin_tensor t = test_tensor_of(NULL, 0, dtype, NULL, rank, shape);
  switch (test_random_below(seed, 5)) {
  case 0:
    return t;
  case 1: {
    const uint64_t first = test_random_below(seed, whole + 1);
    return test_tensor_range(t, first, test_random_below(seed, whole - first + 1));
  }
  case 2:
    random_strides(seed, rank, shape, strides);
    return test_tensor_strided(t, strides);
  case 3:
    return test_tensor_slab(t, start, extent);
  default:
    random_strides(seed, rank, extent, strides);
    return test_tensor_slab(test_tensor_strided(t, strides), start, extent);
  }
}

static void test_random_parts(void **state) {
  (void)state;
  uint64_t seed = 20240607;
  for (int k = 0; k < 20000; k++) {
    const fanin_tensor t = random_tensor(&seed);
    assert_view_is_the_definition(&t);
  }
}

typedef struct view_case {
  const char *what;
  fanin_tensor t;
  uint64_t first_index, row_length, memory_stride;
  int row_rank;
} view_case;

#define NUMBERS(...)                                                                                                   \
  (const uint64_t[]) {                                                                                                 \
    __VA_ARGS__                                                                                                        \
  }

/* Merging, by hand: the random test cannot tell whether rows are as long as they could be. */
static void test_rows_are_merged(void **state) {
  (void)state;
  const fanin_tensor scalar = test_tensor_of(NULL, 0, FANIN_DTYPE_F32, NULL, 0, NULL);
  const fanin_tensor whole = test_tensor_of(NULL, 0, FANIN_DTYPE_F32, "OIHW", 4, NUMBERS(5, 4, 3, 7));
  const fanin_tensor matrix = test_tensor_of(NULL, 0, FANIN_DTYPE_F32, "OI", 2, NUMBERS(5, 7));
  const view_case cases[] = {
      {"scalar", scalar, 0, 1, 1, 0},
      {"whole", whole, 0, 420, 1, 0},
      {"range", test_tensor_range(whole, 33, 77), 33, 77, 1, 0},
      {"some of O", test_tensor_slab(whole, NUMBERS(1, 0, 0, 0), NUMBERS(2, 4, 3, 7)), 84, 168, 1, 0},
      {"some of I", test_tensor_slab(whole, NUMBERS(1, 1, 0, 0), NUMBERS(2, 2, 3, 7)), 105, 42, 1, 1},
      {"some of I, one O", test_tensor_slab(whole, NUMBERS(4, 1, 0, 0), NUMBERS(1, 2, 3, 7)), 357, 42, 1, 0},
      {"some of H", test_tensor_slab(whole, NUMBERS(0, 0, 1, 0), NUMBERS(5, 4, 2, 7)), 7, 14, 1, 1},
      {"some of W", test_tensor_slab(whole, NUMBERS(0, 0, 0, 2), NUMBERS(5, 4, 3, 3)), 2, 3, 1, 1},
      {"some of all", test_tensor_slab(whole, NUMBERS(0, 1, 1, 2), NUMBERS(3, 2, 2, 3)), 30, 3, 1, 3},
      {"one column", test_tensor_slab(matrix, NUMBERS(0, 3), NUMBERS(5, 1)), 3, 1, 1, 1},
      {"one element", test_tensor_slab(matrix, NUMBERS(2, 3), NUMBERS(1, 1)), 17, 1, 1, 0},
      {"row pitch", test_tensor_strided(matrix, NUMBERS(9, 1)), 0, 7, 1, 1},
      {"dense strides", test_tensor_strided(matrix, NUMBERS(7, 1)), 0, 35, 1, 0},
      {"every second", test_tensor_strided(matrix, NUMBERS(14, 2)), 0, 35, 2, 0},
      {"transposed", test_tensor_strided(matrix, NUMBERS(1, 5)), 0, 7, 5, 1},
      {"extent 1 has any stride",
       test_tensor_slab(test_tensor_strided(matrix, NUMBERS(1, 1)), NUMBERS(2, 0), NUMBERS(1, 7)), 14, 7, 1, 0},
  };
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    const view_case *const c = &cases[k];
    fanin__view v;
    assert_ok(fanin__view_of(&c->t, &v));
    if (v.first_index != c->first_index || v.row_length != c->row_length || v.memory_stride != c->memory_stride ||
        v.row_rank != c->row_rank) {
      fail_msg("%s: first %llu, row of %llu in steps of %llu, %d dimensions over rows", c->what,
               (unsigned long long)v.first_index, (unsigned long long)v.row_length, (unsigned long long)v.memory_stride,
               v.row_rank);
    }
    assert_view_is_the_definition(&c->t);
  }
}

/* Indices past 2^32, byte counts past 2^34: the whole need not fit into anything. */
static void test_slab_of_a_huge_whole(void **state) {
  (void)state;
  const uint64_t n = UINT64_C(1) << 20;
  const fanin_tensor whole = test_tensor_of(NULL, 0, FANIN_DTYPE_F64, "BOI", 3, NUMBERS(n, n, n));
  const fanin_tensor slab = test_tensor_slab(whole, NUMBERS(n - 2, 3, n - 5), NUMBERS(2, 2, 5));
  fanin__view v;
  assert_ok(fanin__view_of(&slab, &v));
  assert_true(v.first_index == (n - 2) * n * n + 3 * n + n - 5);
  assert_int_equal(v.elements, 20);
  assert_int_equal(v.bytes, 160);
  assert_int_equal(v.row_length, 5);
  assert_int_equal(v.row_rank, 2);
  assert_true(v.row_index_stride[0] == n && v.row_index_stride[1] == n * n);

  const fanin_tensor range = test_tensor_range(whole, n * n * n - 3, 3);
  assert_ok(fanin__view_of(&range, &v));
  assert_true(v.first_index == n * n * n - 3);
  assert_int_equal(v.bytes, 24);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_random_parts),
      cmocka_unit_test(test_rows_are_merged),
      cmocka_unit_test(test_slab_of_a_huge_whole),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
