/* Stream v1 on devices, bit for bit equal to the oracle: every distribution and dtype, indices up to 2^61, the words at
 * which naive code breaks, every vector width, work-group shape and device, and any cut into shards. */
#include "support.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oracle/image.h"

#define TRUNCATED(mean_, std_, a_, b_, corrected_)                                                                     \
  { .kind = FANIN_TRUNC_NORMAL, .mean = (mean_), .std = (std_), .a = (a_), .b = (b_), .corrected = (corrected_) }
#define ABSOLUTE(mean_, std_, a_, b_)                                                                                  \
  { .kind = FANIN_TRUNC_NORMAL, .mean = (mean_), .std = (std_), .a = (a_), .b = (b_), .bounds = FANIN_BOUNDS_ABSOLUTE }

static const fanin_init distributions[] = {
    {.kind = FANIN_CONSTANT, .value = 0.1},
    {.kind = FANIN_CONSTANT, .value = -0x1.002004p-3}, /* bf16 and f16 differ if rounded from f64 at once */
    {.kind = FANIN_UNIFORM, .lo = 0, .hi = 1},
    {.kind = FANIN_UNIFORM, .lo = -0.3, .hi = 0.7},
    {.kind = FANIN_UNIFORM, .lo = -3e-7, .hi = 1e-6},  /* f16: a dozen subnormal numbers */
    {.kind = FANIN_UNIFORM, .lo = 100.1, .hi = 100.9}, /* bf16: one number lies inside */
    {.kind = FANIN_UNIFORM, .lo = -65504, .hi = 65504},
    {.kind = FANIN_NORMAL, .mean = 0, .std = 1},
    {.kind = FANIN_NORMAL, .mean = 0.5, .std = 0.02},
    {.kind = FANIN_NORMAL, .mean = 0, .std = 2e-6},
    {.kind = FANIN_NORMAL, .mean = -40, .std = 9000},
    TRUNCATED(0, 1, -2, 2, 1),
    TRUNCATED(0, 0.02, -2, 2, 0),
    TRUNCATED(0, 0.02, -3, 3, 1),
    TRUNCATED(0.1, 0.5, -1, 2.5, 1),
    TRUNCATED(-1, 2, -4, 0.25, 1),
    TRUNCATED(0, 1, 3, 5, 0),
    TRUNCATED(0, 1, -5, -3, 0),
    TRUNCATED(2, 0.1, 3, 5, 1),
    TRUNCATED(0, 1, 10, INFINITY, 0),
    TRUNCATED(0, 1, -INFINITY, -10, 0),
    TRUNCATED(0, 1, 40, 41, 0),
    TRUNCATED(0, 1, -41, -40, 0),
    TRUNCATED(0, 1, 1000, INFINITY, 0),
    TRUNCATED(0, 1, -INFINITY, INFINITY, 0),
    TRUNCATED(0, 1, -INFINITY, 0.5, 0),
    TRUNCATED(0, 1, 0, INFINITY, 1),
    TRUNCATED(0, 1, 1.9, 2.1, 0),
    TRUNCATED(0, 1, -8, 8, 0),
    TRUNCATED(0, 1, 0.3, 0.31, 0),
    TRUNCATED(0, 1e-3, -0.001, 0.002, 0),
    ABSOLUTE(0.01, 0.02, -0.04, 0.04),
    ABSOLUTE(0, 1, -2, 2),
    ABSOLUTE(5, 1, 1, 2),
};
enum { N_DISTRIBUTIONS = sizeof distributions / sizeof *distributions };

#define WHOLE (UINT64_C(1) << 61)

/* Elements first .. first + count of a vector of 2^61, in memory from an odd element on. */
static fanin_tensor range_of(fanin_dtype dtype, uint64_t first, uint64_t count) {
  const uint64_t shape[] = {WHOLE};
  const fanin_tensor whole = fanin_tensor_of(NULL, 3 * fanin_dtype_size(dtype), dtype, NULL, 1, shape);
  return fanin_tensor_range(whole, first, count);
}

/* Whether `dtype` can be and holds what `init` draws: f16 ends at 65504, and bf16 has wide gaps. */
static bool is_accepted(const fanin *f, fanin_dtype dtype, const fanin_init *init) {
  if (dtype == FANIN_F64 && !f->has_f64) return false;
  if (dtype == FANIN_F16 && init->kind == FANIN_NORMAL && init->std > 9600) return false;
  if (dtype == FANIN_BF16 && init->kind == FANIN_TRUNC_NORMAL && init->a == 0.3) return false;
  return true;
}

/* ---- Every distribution, everywhere -------------------------------------------------------------------------------
 */

static void fill_everything(fanin *f, const uint64_t *firsts, size_t n, uint64_t count) {
  uint64_t random = count;
  for (size_t d = 0; d < N_DISTRIBUTIONS; d++) {
    for (int dtype = 0; dtype < FANIN_DTYPE_COUNT; dtype++) {
      if (!is_accepted(f, (fanin_dtype)dtype, &distributions[d])) continue;
      for (size_t k = 0; k < n; k++) {
        const fanin_key key = {test_random(&random), test_random(&random)};
        oracle_assert_fill(f, NULL, range_of((fanin_dtype)dtype, firsts[k], count), &distributions[d], key);
      }
    }
  }
}

/* 2^18 elements each in four stretches. */
static void test_every_distribution(void **state) {
  const uint64_t count = oracle_amount((1 << 16) + 1, 37);
  const uint64_t firsts[] = {0, 12347, (UINT64_C(3) << 32) - 1001, WHOLE - count};
  fill_everything(*state, firsts, 4, count);
}

static void test_every_width(void **state) {
  (void)state;
  static const char *const widths[] = {"1", "4", "8", "16"};
  const uint64_t firsts[] = {2, (UINT64_C(1) << 34) - 3};
  for (size_t k = 0; k < sizeof widths / sizeof *widths; k++) {
    assert_int_equal(setenv("FANIN_LANES", widths[k], 1), 0);
    fanin *const f = test_open();
    assert_int_equal(f->lanes, atoi(widths[k]));
    fill_everything(f, firsts, 2, oracle_amount(1025, 19));
    test_close(f);
  }
  assert_int_equal(unsetenv("FANIN_LANES"), 0);
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
      oracle_assert_fill(f, NULL, range_of(FANIN_F32, 5, oracle_amount(100003, 501)), &normal, (fanin_key){g, u});
      test_close(f);
    }
  }
}

/* ---- The words at which naive code breaks -------------------------------------------------------------------------
 */

typedef struct edge {
  uint64_t block;
  unsigned word;
  uint32_t value;
} edge;

/* Key and stream 0: words that give log(0), and words whose unit rounds to 1. */
static const edge edges[] = {
    {0xc0913456, 2, 0}, {0x594b1b24, 3, 0}, {0x5bb0a453, 1, UINT32_MAX}, {0x78ac0cb1, 2, UINT32_MAX}};

static void test_edge_words(void **state) {
  fanin *const f = *state;
  for (size_t k = 0; k < sizeof edges / sizeof *edges; k++) {
    const fanin_key key = {0, 0};
    assert_int_equal(oracle_word(key, edges[k].block * 4 + edges[k].word), edges[k].value);
    for (size_t d = 0; d < N_DISTRIBUTIONS; d++) {
      for (int dtype = 0; dtype < FANIN_DTYPE_COUNT; dtype++) {
        if (!is_accepted(f, (fanin_dtype)dtype, &distributions[d])) continue;
        oracle_assert_fill(f, NULL, range_of((fanin_dtype)dtype, edges[k].block * 4, 4), &distributions[d], key);
      }
    }
  }
}

/* Copies a dense f32 range to the host. */
static void read_f32(fanin *f, uint64_t first, size_t count, const fanin_init *init, fanin_key key, float *values) {
  fanin_tensor t = range_of(FANIN_F32, first, count);
  t.buffer = test_guarded(f, t.offset, count * sizeof *values);
  assert_ok(fanin_fill(f, NULL, &t, init, key, 0, NULL, NULL));
  assert_ok(fanin_read(f, NULL, &t, values, count * sizeof *values, 1, 0, NULL, NULL));
  fanin_tensor_free(&t);
}

/* The radius sqrt(-2 ln u) is at its ends where the radius word is: u = 2^-33, and u = 1 - 2^-33, where it is 2^-16. */
static void test_edge_radii(void **state) {
  const fanin_init normal = fanin_normal(0, 1);
  float z[2];
  read_f32(*state, UINT64_C(0xc0913456) * 4 + 2, 2, &normal, (fanin_key){0, 0}, z);
  assert_true(fabs(hypot((double)z[0], (double)z[1]) - sqrt(2 * 33 * log(2))) < 2e-6);
  read_f32(*state, UINT64_C(0x78ac0cb1) * 4 + 2, 2, &normal, (fanin_key){0, 0}, z);
  assert_true(fabs(hypot((double)z[0], (double)z[1]) - 0x1p-16) < 1e-6 * 0x1p-16);
}

/* ---- Shards, devices ----------------------------------------------------------------------------------------------
 */

enum { MOST_DEVICES = 8 };

/* A fanin for each usable device, at most MOST_DEVICES. */
static size_t open_devices(fanin **opened) {
  fanin_device_info list[MOST_DEVICES];
  size_t count = 0, n = 0;
  assert_ok(fanin_devices(list, MOST_DEVICES, &count));
  for (size_t k = 0; k < count && k < MOST_DEVICES; k++) {
    char selector[16];
    snprintf(selector, sizeof selector, "%zu", k);
    if (list[k].usable) assert_ok(fanin_open(selector, &opened[n++]));
  }
  return n;
}

static void test_every_device(void **state) {
  (void)state;
  fanin *opened[MOST_DEVICES];
  const size_t n = open_devices(opened);
  const uint64_t firsts[] = {3};
  for (size_t k = 0; k < n; k++) {
    fill_everything(opened[k], firsts, 1, oracle_amount(2049, 19));
    test_close(opened[k]);
  }
}

/* Cuts a range into random shards, which random devices fill in random order into one host array, and compares it with
 * a fill of the whole range at once. */
static void fill_by_shards(fanin **devices, size_t n, const fanin_init *init, fanin_dtype dtype, uint64_t *random) {
  enum { SHARDS = 13 };
  const uint64_t first = test_random_below(random, UINT64_C(1) << 40);
  const size_t count = oracle_amount(30011, 203), size = fanin_dtype_size(dtype);
  size_t cuts[SHARDS + 1] = {0};
  for (int k = 1; k < SHARDS; k++) {
    cuts[k] = (size_t)test_random_below(random, count + 1);
    for (int at = k; at > 0 && cuts[at] < cuts[at - 1]; at--) {
      const size_t swap = cuts[at];
      cuts[at] = cuts[at - 1];
      cuts[at - 1] = swap;
    }
  }
  cuts[SHARDS] = count;
  unsigned char *const whole = malloc(count * size), *const parts = malloc(count * size);
  assert_true(whole && parts);
  const fanin_key key = {test_random(random), test_random(random)};
  const uint64_t turn = test_random_below(random, SHARDS);
  for (uint64_t k = 0; k <= SHARDS; k++) {
    /* Shards in the order turn, turn + 5, turn + 10, ... modulo 13; at last the whole. */
    const uint64_t s = (turn + 5 * k) % SHARDS;
    const size_t from = k < SHARDS ? cuts[s] : 0, to = k < SHARDS ? cuts[s + 1] : count;
    fanin *const f = devices[test_random_below(random, n)];
    fanin_tensor t = range_of(dtype, first + from, to - from);
    t.buffer = test_guarded(f, t.offset, (to - from) * size);
    assert_ok(fanin_fill(f, NULL, &t, init, key, 0, NULL, NULL));
    assert_ok(
        fanin_read(f, NULL, &t, (k < SHARDS ? parts : whole) + from * size, (to - from) * size, 1, 0, NULL, NULL));
    fanin_tensor_free(&t);
  }
  assert_memory_equal(whole, parts, count * size);
  free(whole);
  free(parts);
}

static void test_shards_on_devices(void **state) {
  (void)state;
  fanin *opened[MOST_DEVICES];
  const size_t n = open_devices(opened);
  print_message("%zu device(s)\n", n);
  uint64_t random = 11;
  for (size_t d = 0; d < N_DISTRIBUTIONS; d++) {
    for (int dtype = 0; dtype < FANIN_DTYPE_COUNT; dtype++) {
      bool accepted = true;
      for (size_t k = 0; k < n; k++) {
        accepted = accepted && is_accepted(opened[k], (fanin_dtype)dtype, &distributions[d]);
      }
      if (accepted) fill_by_shards(opened, n, &distributions[d], (fanin_dtype)dtype, &random);
    }
  }
  for (size_t k = 0; k < n; k++) {
    test_close(opened[k]);
  }
}

/* ---- Keys ---------------------------------------------------------------------------------------------------------
 */

/* FNV-1a-64's own test vectors, as its authors publish them. */
static void test_named_keys(void **state) {
  (void)state;
  static const struct {
    const char *name;
    uint64_t hash;
  } vectors[] = {{"", 0xcbf29ce484222325}, {"a", 0xaf63dc4c8601ec8c}, {"foobar", 0x85944171f73967e8}};
  for (size_t k = 0; k < sizeof vectors / sizeof *vectors; k++) {
    const fanin_key key = fanin_key_named(99, vectors[k].name);
    assert_true(key.seed == 99 && key.stream == vectors[k].hash);
  }
}

static int open_fanin(void **state) {
  *state = test_open();
  return 0;
}

static int close_fanin(void **state) {
  test_close(*state);
  return 0;
}

int main(void) {
  /* PoCL makes two devices of one machine's processor; nobody else minds. Before OpenCL is first asked. */
  if (setenv("POCL_DEVICES", "basic pthread", 0) != 0) return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_distribution), cmocka_unit_test(test_every_width),
      cmocka_unit_test(test_every_work_group),   cmocka_unit_test(test_edge_words),
      cmocka_unit_test(test_edge_radii),         cmocka_unit_test(test_every_device),
      cmocka_unit_test(test_shards_on_devices),  cmocka_unit_test(test_named_keys),
  };
  return cmocka_run_group_tests(tests, open_fanin, close_fanin);
}
