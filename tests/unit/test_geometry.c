/* Any part of a tensor into any memory: every element is that of its index in the whole, and no other byte changes. */
#include "support/support.h"

#include <string.h>

#include "core/context.h"
#include "oracle/image.h"

#define LEN(x) (sizeof(x) / sizeof *(x))

/* One for each kernel: constants, uniform, normal, truncated normal without and with tails, log-uniform without and
 * with the inverse softplus. */
static const fanin_init inits[] = {{.kind = FANIN_KIND_CONSTANT, .value = 1.5},
                                   {.kind = FANIN_KIND_UNIFORM, .lo = -1, .hi = 2},
                                   {.kind = FANIN_KIND_NORMAL, .std = 1},
                                   {.kind = FANIN_KIND_TRUNC_NORMAL, .uncorrected = 1, .std = 1, .a = -1, .b = 1.5},
                                   {.kind = FANIN_KIND_TRUNC_NORMAL, .uncorrected = 1, .std = 1, .a = 1, .b = 4},
                                   {.kind = FANIN_KIND_LOG_UNIFORM, .lo = 0.1, .hi = 5},
                                   {.kind = FANIN_KIND_LOG_UNIFORM, .lo = 0.1, .hi = 5, .inverse_softplus = 1}};

static const fanin_init *pick_init(uint64_t *random) {
  return &inits[test_random_below(random, LEN(inits))];
}

static fanin_dtype pick_dtype(const fanin *f, uint64_t *random) {
  return (fanin_dtype)test_random_below(random, f->has_f64 ? FANIN_DTYPE_COUNT : FANIN_DTYPE_F64);
}

static fanin_key pick_key(uint64_t *random) {
  return (fanin_key){test_random(random), test_random(random)};
}

/* PoCL compiles a kernel again for every shape of group, of which small parts have many: groups of one item have one.
 */
static fanin *open_with_small_groups(void) {
  fanin *const f = test_open();
  f->work_group = 1;
  return f;
}

/* ---- Sizes and offsets ------------------------------------------------------------------------------------------- */

static void test_sizes_and_offsets(void **state) {
  fanin *const f = *state;
  static const uint64_t sizes[] = {0, 1, 2, 3, 5, 63, 64, 65, 4097};
  uint64_t random = 1;
  for (size_t k = 0; k < LEN(inits); k++) {
    for (int dtype = 0; dtype < FANIN_DTYPE_COUNT; dtype++) {
      if (dtype == FANIN_DTYPE_F64 && !f->has_f64) continue;
      for (size_t s = 0; s < LEN(sizes); s++) {
        const size_t offset = (size_t)test_random_below(&random, 50) * fanin_dtype_size((fanin_dtype)dtype);
        const fanin_tensor t = test_tensor_of(NULL, offset, (fanin_dtype)dtype, NULL, 1, &sizes[s]);
        oracle_assert_fill(f, NULL, t, &inits[k], pick_key(&random));
      }
    }
  }
}

/* A range may begin at any word of a block, at any phase of memory. */
static void test_phases(void **state) {
  fanin *const f = *state;
  uint64_t random = 2;
  const uint64_t whole = 1000;
  for (uint64_t first = 0; first < 9; first++) {
    for (uint64_t phase = 0; phase < 9; phase++) {
      const fanin_dtype dtype = pick_dtype(f, &random);
      fanin_tensor t = test_tensor_of(NULL, phase * fanin_dtype_size(dtype), dtype, NULL, 1, &whole);
      t = test_tensor_range(t, first, test_random_below(&random, oracle_amount(700, 100)));
      oracle_assert_fill(f, NULL, t, pick_init(&random), pick_key(&random));
    }
  }
}

/* Parts above 4 MiB whose vectors go past the caches: constants, in memory that is aligned for it and in memory that is
 * not, and random rows with gaps between them, which end within a chunk. */
static void test_streamed(void **state) {
  fanin *const f = *state;
  uint64_t random = 3;
  for (int dtype = 0; dtype < FANIN_DTYPE_COUNT; dtype++) {
    if (dtype == FANIN_DTYPE_F64 && !f->has_f64) continue;
    const size_t size = fanin_dtype_size((fanin_dtype)dtype);
    const uint64_t count = (4u << 20) / size, shape[] = {count / 300 + 4, 300}, strides[] = {320, 1};
    const fanin_tensor t =
        test_tensor_of(NULL, dtype == FANIN_DTYPE_F16 ? size : 0, (fanin_dtype)dtype, NULL, 2, shape);
    oracle_assert_fill(f, NULL, t, &inits[0], pick_key(&random));
    oracle_assert_fill(f, NULL, test_tensor_strided(t, strides), &inits[1], pick_key(&random));
  }
}

static void test_scalar(void **state) {
  fanin *const f = *state;
  const fanin_tensor t = test_tensor_of(NULL, 4, FANIN_DTYPE_F32, NULL, 0, NULL);
  oracle_assert_fill(f, NULL, t, &inits[2], (fanin_key){1, 2});
}

/* ---- Strides ----------------------------------------------------------------------------------------------------- */

typedef struct strided_case {
  int rank;
  uint64_t shape[FANIN_MAX_RANK], strides[FANIN_MAX_RANK];
} strided_case;

static const strided_case strided[] = {
    {2, {37, 53}, {53, 1}},                /* dense, said */
    {2, {37, 53}, {61, 1}},                /* row pitch */
    {2, {37, 53}, {1, 37}},                /* transposed */
    {2, {37, 53}, {1, 41}},                /* transposed with a pitch */
    {2, {37, 53}, {106, 2}},               /* every second element */
    {3, {7, 11, 13}, {143, 1, 11}},        /* inner two transposed */
    {3, {7, 11, 13}, {1, 7, 77}},          /* all reversed */
    {4, {3, 5, 4, 6}, {1, 3 * 24, 18, 3}}, /* OHWI memory of an OIHW tensor, roughly */
    {1, {101}, {3}},                       /* a column */
    {2, {1, 300}, {5, 1}},                 /* one row */
    {2, {300, 1}, {7, 1}},                 /* one column of a matrix */
    {2, {5, 1000}, {1003, 1}},             /* long rows, odd pitch */
    {8, {2, 3, 2, 3, 2, 3, 2, 3}, {3000, 900, 400, 120, 50, 12, 5, 1}}};

static void test_strided(void **state) {
  fanin *const f = *state;
  uint64_t random = 3;
  for (size_t k = 0; k < LEN(strided); k++) {
    for (int dtype = 0; dtype < FANIN_DTYPE_COUNT; dtype++) {
      if (dtype == FANIN_DTYPE_F64 && !f->has_f64) continue;
      fanin_tensor t = test_tensor_of(NULL, 5 * fanin_dtype_size((fanin_dtype)dtype), (fanin_dtype)dtype, NULL,
                                      strided[k].rank, strided[k].shape);
      t = test_tensor_strided(t, strided[k].strides);
      oracle_assert_fill(f, NULL, t, pick_init(&random), pick_key(&random));
    }
  }
}

/* ---- Slabs ------------------------------------------------------------------------------------------------------- */

/* Memory for `extent` with its dimensions in random order and random gaps. */
static void random_strides(int rank, const uint64_t *extent, uint64_t *strides, uint64_t *random) {
  int order[FANIN_MAX_RANK];
  for (int d = 0; d < rank; d++) {
    const int at = (int)test_random_below(random, (uint64_t)d + 1);
    order[d] = order[at];
    order[at] = d;
  }
  uint64_t step = 1 + test_random_below(random, 2);
  for (int d = 0; d < rank; d++) {
    strides[order[d]] = step;
    step = step * extent[order[d]] + test_random_below(random, 4);
  }
}

static fanin_tensor random_slab(fanin_dtype dtype, uint64_t *random) {
  const int rank = 1 + (int)test_random_below(random, 5);
  uint64_t shape[FANIN_MAX_RANK], start[FANIN_MAX_RANK], extent[FANIN_MAX_RANK], strides[FANIN_MAX_RANK];
  for (int d = 0; d < rank; d++) {
    shape[d] = 1 + test_random_below(random, rank < 3 ? 90 : 11);
    start[d] = test_random_below(random, shape[d]);
    extent[d] = 1 + test_random_below(random, shape[d] - start[d]);
  }
  random_strides(rank, extent, strides, random);
  const size_t offset = (size_t)test_random_below(random, 9) * fanin_dtype_size(dtype);
  const fanin_tensor t = test_tensor_slab(test_tensor_of(NULL, offset, dtype, NULL, rank, shape), start, extent);
  return test_random_below(random, 3) == 0 ? t : test_tensor_strided(t, strides);
}

static void test_random_slabs(void **state) {
  fanin *const f = *state;
  uint64_t random = 4;
  for (size_t k = oracle_amount(400, 20); k-- > 0;) {
    const fanin_tensor t = random_slab(pick_dtype(f, &random), &random);
    oracle_assert_fill(f, NULL, t, pick_init(&random), pick_key(&random));
  }
}

/* Groups of 8 items: several rows high, or several chunks wide. */
static void test_random_slabs_by_groups(void **state) {
  (void)state;
  fanin *const f = test_open();
  f->work_group = 8;
  uint64_t random = 44;
  for (size_t k = oracle_amount(200, 10); k-- > 0;) {
    const fanin_tensor t = random_slab(FANIN_DTYPE_F32, &random);
    oracle_assert_fill(f, NULL, t, &inits[1], pick_key(&random));
  }
  test_close(f);
}

/* Indices past 2^32, bytes past 2^34, products past 2^60; memory is small. */
static void test_slabs_of_huge_wholes(void **state) {
  fanin *const f = *state;
  static const struct {
    int rank;
    uint64_t shape[4], start[4], extent[4];
  } slabs[] = {
      {2, {100003, 100003}, {99990, 99000}, {13, 1003}},
      {2, {UINT64_C(1) << 40, 1 << 20}, {(UINT64_C(1) << 40) - 3, (1 << 20) - 65}, {3, 65}},
      {3, {70001, 257, 70001}, {70000, 100, 3}, {1, 157, 33}},
      {4, {1 << 15, 1 << 15, 1 << 15, 1 << 16}, {32767, 32766, 5, 65530}, {1, 2, 7, 6}},
      {1, {UINT64_C(1) << 61}, {(UINT64_C(1) << 61) - 4097}, {4097}},
      {2, {3, UINT64_C(1) << 33}, {1, (UINT64_C(1) << 32) - 50}, {2, 101}},
      /* blocks whose upper words differ: in rows of a few elements, and within a row */
      {2, {9, (UINT64_C(1) << 34) + 5}, {1, (UINT64_C(1) << 33) - 8}, {7, 3}},
      {2, {5, UINT64_C(1) << 36}, {1, (UINT64_C(1) << 35) - 1777}, {2, 3001}},
  };
  uint64_t random = 5;
  for (size_t k = 0; k < LEN(slabs); k++) {
    for (size_t n = 0; n < LEN(inits); n++) {
      const fanin_dtype dtype = pick_dtype(f, &random);
      const fanin_tensor whole =
          test_tensor_of(NULL, 7 * fanin_dtype_size(dtype), dtype, NULL, slabs[k].rank, slabs[k].shape);
      fanin_tensor t = test_tensor_slab(whole, slabs[k].start, slabs[k].extent);
      oracle_assert_fill(f, NULL, t, &inits[n], pick_key(&random));
      uint64_t strides[4];
      random_strides(slabs[k].rank, slabs[k].extent, strides, &random);
      oracle_assert_fill(f, NULL, test_tensor_strided(t, strides), &inits[n], pick_key(&random));
    }
  }
}

/* Fans are the whole tensor's, whatever memory holds. */
static void test_fans_of_the_whole(void **state) {
  fanin *const f = *state;
  const uint64_t shape[] = {640, 480, 3, 3}, start[] = {17, 400, 1, 0}, extent[] = {9, 80, 2, 3};
  const fanin_init init = fanin_he_normal(0, FANIN_MODE_FAN_OUT);
  fanin_tensor t = test_tensor_of(NULL, 4, FANIN_DTYPE_F32, "OIHW", 4, shape);
  t = test_tensor_slab(t, start, extent);
  uint64_t elements = 0, bytes = 0;
  assert_ok(fanin_tensor_size(&t, &elements, &bytes));
  t.buffer = test_guarded(f, t.offset, (size_t)bytes);
  assert_ok(fanin_fill(f, NULL, &t, &init, (fanin_key){8, 9}, 0, NULL, NULL));
  /* sqrt(2 / (640 * 9)), as a plain normal. */
  const fanin_init same = fanin_normal(0, 0.018633899812498246);
  oracle_assert_content(f, t.buffer, &t, &same, (fanin_key){8, 9});
  fanin_tensor_free(&t);
}

static int open_small_groups(void **state) {
  *state = open_with_small_groups();
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_sizes_and_offsets),
      cmocka_unit_test(test_phases),
      cmocka_unit_test(test_streamed),
      cmocka_unit_test(test_scalar),
      cmocka_unit_test(test_strided),
      cmocka_unit_test(test_random_slabs),
      cmocka_unit_test(test_random_slabs_by_groups),
      cmocka_unit_test(test_slabs_of_huge_wholes),
      cmocka_unit_test(test_fans_of_the_whole),
  };
  return cmocka_run_group_tests(tests, open_small_groups, test_group_close);
}
