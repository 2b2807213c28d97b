/* Stream v1 on the default device, bit for bit equal to the oracle: every distribution and dtype, indices up to 2^61,
 * the words at which naive code breaks, every shape of launch. test_stream_devices.c goes on to other devices. */
#include "support/support.h"

#include <math.h>
#include <stdlib.h>

#include "core/context.h"
#include "oracle/cases.h"

/* 2^18 elements each in four stretches, one across the block at which the counter's low word wraps. */
static void test_every_distribution(void **state) {
  const uint64_t count = oracle_amount((1 << 16) + 1, 37);
  const uint64_t firsts[] = {0, 12347, (UINT64_C(1) << 34) - 1001, ORACLE_WHOLE - count};
  oracle_assert_cases(*state, firsts, 4, count);
}

/* Launches differ by the group's size and by how much an item repeats, which follow from these two. */
static void test_every_work_group(void **state) {
  (void)state;
  static const size_t groups[] = {1, 2, 16, 64, 256};
  static const cl_uint units[] = {1, 7, 1000};
  for (size_t g = 0; g < sizeof groups / sizeof *groups; g++) {
    for (size_t u = 0; u < sizeof units / sizeof *units; u++) {
      fanin *const f = test_open();
      size_t most = 0;
      assert_int_equal(clGetDeviceInfo(f->device, CL_DEVICE_MAX_WORK_GROUP_SIZE, sizeof most, &most, NULL), CL_SUCCESS);
      f->work_group = groups[g] < most ? groups[g] : most;
      f->compute_units = units[u];
      const fanin_init normal = fanin_normal(0, 1);
      oracle_assert_fill(f, NULL, oracle_range_of(FANIN_DTYPE_F32, 5, oracle_amount(100003, 501)), &normal,
                         (fanin_key){g, u});
      test_close(f);
    }
  }
}

/* ---- The words at which naive code breaks ------------------------------------------------------------------------ */

typedef struct edge {
  uint64_t block;
  unsigned word;
  uint32_t value;
} edge;

/* Key and stream 0: words that give log(0), and words whose unit rounds to 1. */
static const edge edges[] = {
    {0xc0913456, 2, 0}, {0x594b1b24, 3, 0}, {0x5bb0a453, 1, UINT32_MAX}, {0x78ac0cb1, 2, UINT32_MAX}};

/* The word lies within a chunk that is made as a whole, or in the small stretch. */
static void test_edge_words(void **state) {
  fanin *const f = *state;
  const uint64_t count = oracle_amount(4609, 1009);
  for (size_t k = 0; k < sizeof edges / sizeof *edges; k++) {
    const fanin_key key = {0, 0};
    assert_int_equal(oracle_word(key, edges[k].block * 4 + edges[k].word), edges[k].value);
    for (size_t d = 0; d < ORACLE_CASES; d++) {
      for (int dtype = 0; dtype < FANIN_DTYPE_COUNT; dtype++) {
        if (!oracle_is_accepted(f, (fanin_dtype)dtype, &oracle_cases[d])) continue;
        const uint64_t first = edges[k].block * 4 - 1001;
        oracle_assert_fill(f, NULL, oracle_range_of((fanin_dtype)dtype, first, count), &oracle_cases[d], key);
      }
    }
  }
}

/* The radius sqrt(-2 ln u) is at its ends where the radius word is: u = 2^-33, and u = 1 - 2^-33, where it is 2^-16. */
static void test_edge_radii(void **state) {
  static const struct {
    uint64_t block;
    double radius, tolerance;
  } ends[] = {{0xc0913456, 6.76370564, 2e-6}, {0x78ac0cb1, 0x1p-16, 1e-6 * 0x1p-16}};
  const fanin_init normal = fanin_normal(0, 1);
  for (size_t k = 0; k < sizeof ends / sizeof *ends; k++) {
    float *const z = oracle_read_range(*state, FANIN_DTYPE_F32, ends[k].block * 4 + 2, 2, &normal, (fanin_key){0, 0});
    assert_true(fabs(hypot((double)z[0], (double)z[1]) - ends[k].radius) < ends[k].tolerance);
    free(z);
  }
}

/* ---- Keys -------------------------------------------------------------------------------------------------------- */

/* FNV-1a-64's own test vectors, as its authors publish them. */
static void test_named_keys(void **state) {
  (void)state;
  static const struct {
    const char *name;
    uint64_t hash;
  } vectors[] = {{"", 0xcbf29ce484222325}, {"a", 0xaf63dc4c8601ec8c}, {"foobar", 0x85944171f73967e8}};
  for (size_t k = 0; k < sizeof vectors / sizeof *vectors; k++) {
    const fanin_key key = test_key(99, vectors[k].name);
    assert_true(key.seed == 99 && key.stream == vectors[k].hash);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_distribution), cmocka_unit_test(test_every_work_group),
      cmocka_unit_test(test_edge_words),         cmocka_unit_test(test_edge_radii),
      cmocka_unit_test(test_named_keys),
  };
  return cmocka_run_group_tests(tests, test_group_open, test_group_close);
}
