/* Identity and dirac: every element against the definition, for all layouts, groups, splits, parts and strides. */
#include "support/support.h"

#include <string.h>

#include "core/context.h"
#include "oracle/image.h"

#define LEN(x) (sizeof(x) / sizeof *(x))

typedef struct delta_case {
  const char *layout;
  int rank;
  uint64_t shape[5];
  uint32_t groups, splits;
} delta_case;

static const delta_case cases[] = {
    {"OI", 2, {5, 5}, 0, 0},          {"OI", 2, {70, 33}, 0, 0},
    {"IO", 2, {33, 70}, 0, 0},        {"OI", 2, {1, 1}, 0, 0},
    {"OI", 2, {99, 33}, 0, 3},        {"IO", 2, {32, 96}, 0, 3},
    {"BOI", 3, {7, 19, 23}, 0, 0},    {"OBI", 3, {19, 7, 23}, 0, 0},
    {"OIB", 3, {19, 23, 7}, 1, 1},    {"OI", 2, {24, 5}, 4, 0},
    {"OI", 2, {24, 5}, 2, 3},         {"IO", 2, {24, 5}, 4, 0},
    {"OIHW", 4, {12, 9, 3, 3}, 0, 0}, {"OIHW", 4, {12, 4, 4, 5}, 3, 0},
    {"OIHW", 4, {8, 16, 1, 1}, 2, 0}, {"OIHW", 4, {6, 1, 3, 3}, 6, 0},
    {"HWIO", 4, {3, 5, 7, 11}, 0, 0}, {"IOHW", 4, {12, 5, 3, 2}, 4, 0},
    {"IOHW", 4, {12, 8, 3, 2}, 0, 2}, {"OIDHW", 5, {6, 4, 3, 2, 5}, 2, 0},
    {"BOIW", 4, {3, 6, 5, 4}, 0, 0},  {"OIW", 3, {10, 20, 7}, 0, 5},
    {"OIHW", 4, {0, 4, 3, 3}, 0, 0},  {"OI", 2, {4, 0}, 0, 0},
    {"HWGO", 4, {3, 5, 7, 4}, 0, 0},  {"BGO", 3, {3, 9, 2}, 0, 0},
    {"OGW", 3, {4, 5, 3}, 0, 0},      {"HWGO", 4, {3, 3, 0, 2}, 0, 0},
};

static fanin_tensor tensor_of_case(const delta_case *c, fanin_dtype dtype) {
  fanin_tensor t = test_tensor_of(NULL, 3 * fanin_dtype_size(dtype), dtype, c->layout, c->rank, c->shape);
  t.groups = c->groups;
  t.splits = c->splits;
  return t;
}

static fanin_init init_of_case(const delta_case *c, double gain) {
  return strpbrk(c->layout, "DHW") ? fanin_dirac(gain) : fanin_identity(gain);
}

static void test_whole(void **state) {
  fanin *const f = *state;
  for (size_t k = 0; k < LEN(cases); k++) {
    for (int dtype = 0; dtype < FANIN_DTYPE_COUNT; dtype++) {
      if (dtype == FANIN_DTYPE_F64 && !f->has_f64) continue;
      const fanin_init init = init_of_case(&cases[k], -1.7);
      oracle_assert_fill(f, NULL, tensor_of_case(&cases[k], (fanin_dtype)dtype), &init, (fanin_key){1, 2});
    }
  }
}

static void test_ranges(void **state) {
  fanin *const f = *state;
  uint64_t random = 1;
  for (size_t k = 0; k < LEN(cases); k++) {
    const fanin_tensor whole = tensor_of_case(&cases[k], FANIN_DTYPE_BF16);
    const fanin_init init = init_of_case(&cases[k], 1);
    uint64_t elements = 0, bytes = 0;
    assert_ok(fanin_tensor_size(&whole, &elements, &bytes));
    for (size_t n = oracle_amount(6, 1); n-- > 0;) {
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
    const fanin_init init = init_of_case(&cases[k], 0.5);
    for (size_t n = oracle_amount(6, 1); n-- > 0;) {
      const fanin_tensor whole = tensor_of_case(&cases[k], FANIN_DTYPE_F32);
      oracle_assert_some_slab(f, whole, &init, (fanin_key){1, 2}, &random);
    }
  }
}

/* Ones past index 2^34 of a whole of 2^40, and parts that have none. */
static void test_parts_of_huge_wholes(void **state) {
  fanin *const f = *state;
  const uint64_t shape[] = {1 << 20, 1 << 20}, start[] = {1000000, 999990}, extent[] = {30, 77};
  const uint64_t aside[] = {5, 900000};
  const fanin_init init = fanin_identity(2);
  const fanin_tensor whole = test_tensor_of(NULL, 8, FANIN_DTYPE_F32, "OI", 2, shape);
  oracle_assert_fill(f, NULL, test_tensor_slab(whole, start, extent), &init, (fanin_key){0, 0});
  oracle_assert_fill(f, NULL, test_tensor_slab(whole, aside, extent), &init, (fanin_key){0, 0});
  const uint64_t one = UINT64_C(777777) * ((1 << 20) + 1);
  oracle_assert_fill(f, NULL, test_tensor_range(whole, one - 1, 3), &init, (fanin_key){0, 0});
  oracle_assert_fill(f, NULL, test_tensor_range(whole, one, (1 << 20) + 1), &init, (fanin_key){0, 0});
  oracle_assert_fill(f, NULL, test_tensor_range(whole, one + 1, 5), &init, (fanin_key){0, 0});
}

/* The first matrices of a stack of two million, each with a diagonal of a million: work must follow the part. */
static void test_part_of_a_huge_diagonal(void **state) {
  fanin *const f = *state;
  const uint64_t shape[] = {1 << 21, 1 << 20, 1 << 20}, start[] = {1234567, 1000000, 999990}, extent[] = {3, 30, 77};
  const fanin_init init = fanin_identity(2);
  const fanin_tensor whole = test_tensor_of(NULL, 8, FANIN_DTYPE_F16, "BOI", 3, shape);
  oracle_assert_fill(f, NULL, test_tensor_slab(whole, start, extent), &init, (fanin_key){0, 0});
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_whole),
      cmocka_unit_test(test_ranges),
      cmocka_unit_test(test_slabs),
      cmocka_unit_test(test_parts_of_huge_wholes),
      cmocka_unit_test(test_part_of_a_huge_diagonal),
  };
  return cmocka_run_group_tests(tests, test_group_open, test_group_close);
}
