/* Stream v1 is the same everywhere: at every vector width, on every device, and cut into shards that devices share. */
#include "support/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/context.h"
#include "oracle/cases.h"

static void test_every_width(void **state) {
  (void)state;
  static const char *const widths[] = {"1", "4", "8", "16"};
  const uint64_t firsts[] = {2, (UINT64_C(1) << 34) - 3};
  for (size_t k = 0; k < sizeof widths / sizeof *widths; k++) {
    assert_int_equal(setenv("FANIN_LANES", widths[k], 1), 0);
    fanin *const f = test_open();
    assert_int_equal(f->lanes, strtoul(widths[k], NULL, 10));
    oracle_assert_cases(f, firsts, 2, oracle_amount(4609, 19));
    test_close(f);
  }
  assert_int_equal(unsetenv("FANIN_LANES"), 0);
}

enum { MOST_DEVICES = 8 };

/* A fanin for each usable device, at most MOST_DEVICES. */
static size_t open_devices(fanin **opened) {
  fanin_device_info list[MOST_DEVICES];
  size_t count = 0, n = 0;
  assert_ok(fanin_devices(list, MOST_DEVICES, sizeof *list, &count));
  for (size_t k = 0; k < count && k < MOST_DEVICES; k++) {
    char selector[24];
    snprintf(selector, sizeof selector, "%zu", k);
    if (list[k].usable) assert_ok(fanin_open(selector, &opened[n++]));
  }
  return n;
}

static void test_every_device(void **state) {
  (void)state;
  fanin *opened[MOST_DEVICES] = {NULL};
  const size_t n = open_devices(opened);
  const uint64_t firsts[] = {3};
  for (size_t k = 0; k < n; k++) {
    oracle_assert_cases(opened[k], firsts, 1, oracle_amount(4609, 19));
    test_close(opened[k]);
  }
}

enum { SHARDS = 13 };

/* SHARDS + 1 ascending cuts from 0 to count. */
static void cut(size_t *cuts, size_t count, uint64_t *random) {
  cuts[0] = 0;
  for (int k = 1; k < SHARDS; k++) {
    size_t at = (size_t)k, here = (size_t)test_random_below(random, count + 1);
    for (; at > 1 && cuts[at - 1] > here; at--) {
      cuts[at] = cuts[at - 1];
    }
    cuts[at] = here;
  }
  cuts[SHARDS] = count;
}

/* Shards in the order turn, turn + 5, turn + 10, ... modulo 13, each by a device that chance picks, against the whole
 * range at once. */
static void fill_by_shards(fanin **devices, size_t n, const fanin_init *init, fanin_dtype dtype, uint64_t *random) {
  const uint64_t first = test_random_below(random, UINT64_C(1) << 40);
  const size_t count = oracle_amount(30011, 203), size = fanin_dtype_size(dtype);
  size_t cuts[SHARDS + 1];
  cut(cuts, count, random);
  unsigned char *const parts = malloc(count * size);
  assert_non_null(parts);
  const fanin_key key = {test_random(random), test_random(random)};
  void *const whole = oracle_read_range(devices[0], dtype, first, count, init, key);
  const uint64_t turn = test_random_below(random, SHARDS);
  for (uint64_t k = 0; k < SHARDS; k++) {
    const uint64_t s = (turn + 5 * k) % SHARDS;
    const size_t shard = cuts[s + 1] - cuts[s];
    fanin *const f = devices[test_random_below(random, n)];
    void *const values = oracle_read_range(f, dtype, first + cuts[s], shard, init, key);
    if (shard > 0) memcpy(parts + cuts[s] * size, values, shard * size);
    free(values);
  }
  assert_memory_equal(whole, parts, count * size);
  free(whole);
  free(parts);
}

/* Groups of one item: PoCL compiles a kernel for every size of group, and shards come in all. */
static void test_shards_on_devices(void **state) {
  (void)state;
  static const fanin_init inits[] = {{.kind = FANIN_KIND_UNIFORM, .lo = -0.5, .hi = 2},
                                     {.kind = FANIN_KIND_NORMAL, .std = 1},
                                     {.kind = FANIN_KIND_TRUNC_NORMAL, .uncorrected = 1, .std = 1, .a = -2, .b = 2},
                                     {.kind = FANIN_KIND_TRUNC_NORMAL, .uncorrected = 1, .std = 1, .a = 2.5, .b = 5}};
  fanin *opened[MOST_DEVICES] = {NULL};
  const size_t n = open_devices(opened);
  print_message("%zu device(s)\n", n);
  bool has_f64 = true;
  for (size_t k = 0; k < n; k++) {
    opened[k]->work_group = 1;
    has_f64 = has_f64 && opened[k]->has_f64;
  }
  uint64_t random = 11;
  for (size_t k = 0; k < sizeof inits / sizeof *inits; k++) {
    for (int dtype = 0; dtype < FANIN_DTYPE_COUNT; dtype++) {
      if (dtype != FANIN_DTYPE_F64 || has_f64) fill_by_shards(opened, n, &inits[k], (fanin_dtype)dtype, &random);
    }
  }
  for (size_t k = 0; k < n; k++) {
    test_close(opened[k]);
  }
}

int main(void) {
  /* PoCL makes two devices of one machine's processor; nobody else minds. Before OpenCL is first asked. */
  if (setenv("POCL_DEVICES", "basic pthread", 0) != 0) return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_width),
      cmocka_unit_test(test_every_device),
      cmocka_unit_test(test_shards_on_devices),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
