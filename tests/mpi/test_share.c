/* Shares: every element of every tensor is one rank's, matrices are not cut, work is even; sizes past 2^32. */
#include "share.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/support.h" /* last: cmocka has a macro fail() */

static void add(model *m, const char *name, const char *layout, const char *init, fanin_dtype dtype, int rank,
                const uint64_t *shape, uint32_t groups, uint32_t splits) {
  failure why = {0};
  fanin_tensor t = test_tensor_of(NULL, 0, dtype, layout, rank, shape);
  fanin_init parsed;
  t.groups = groups;
  t.splits = splits;
  assert_int_equal(fanin_init_parse(init, &parsed), FANIN_STATUS_OK);
  if (model_add(m, name, &t, &parsed, "test", &why) != STATUS_OK) fail_msg("%s", why.text);
}
#define SHAPE(...)                                                                                                     \
  (int)(sizeof(uint64_t[]){__VA_ARGS__} / sizeof(uint64_t)), (const uint64_t[]) {                                      \
    __VA_ARGS__                                                                                                        \
  }

static model small_model(void) {
  model m = {0};
  add(&m, "scalar", "", "normal", FANIN_DTYPE_F32, 0, NULL, 1, 1);
  add(&m, "a", "OI", "he_normal", FANIN_DTYPE_F32, SHAPE(5, 7), 1, 1);
  add(&m, "b", "HWIO", "he_normal", FANIN_DTYPE_F16, SHAPE(3, 2, 4, 9), 1, 1);
  add(&m, "c", "", "zeros", FANIN_DTYPE_F64, SHAPE(13), 1, 1);
  add(&m, "q", "OI", "orthogonal", FANIN_DTYPE_F32, SHAPE(6, 4), 1, 1);
  add(&m, "stack", "OBI", "orthogonal", FANIN_DTYPE_BF16, SHAPE(4, 11, 3), 1, 1);
  add(&m, "split", "IO", "orthogonal", FANIN_DTYPE_F32, SHAPE(5, 12), 1, 3);
  add(&m, "group", "IOH", "orthogonal", FANIN_DTYPE_F32, SHAPE(8, 3, 3), 4, 1);
  add(&m, "both", "BOI", "orthogonal", FANIN_DTYPE_F32, SHAPE(3, 8, 2), 1, 4);
  add(&m, "delta", "OIW", "delta_orthogonal", FANIN_DTYPE_F32, SHAPE(6, 2, 3), 2, 1);
  return m;
}

/* Counts each element of a part in seen[], by its index in the whole's order. */
static void mark(const fanin_tensor *t, unsigned char *seen) {
  const uint64_t n = part_elements(t);
  for (uint64_t k = 0; k < n; ++k) {
    uint64_t index = t->part == FANIN_PART_RANGE ? t->first + k : k;
    if (t->part == FANIN_PART_SLAB) {
      uint64_t stride = 1, rest = k;
      index = 0;
      for (int d = t->rank - 1; d >= 0; --d) {
        index += (t->start[d] + rest % t->extent[d]) * stride;
        rest /= t->extent[d];
        stride *= t->shape[d];
      }
    }
    ++seen[index];
  }
}

/* Extents of one matrix: a part of an orthogonal tensor has whole ones. */
static void check_matrices(const model_part *part) {
  const fanin_tensor *t = &part->where;
  const uint64_t parts = (uint64_t)t->groups * t->splits;
  for (int d = 0; d < t->rank; ++d) {
    const bool cut = t->layout[d] == (t->groups > 1 && t->layout[0] == 'I' ? 'I' : 'O');
    const uint64_t least = t->layout[d] == 'B' ? 1 : cut ? t->shape[d] / parts : t->shape[d];
    assert_int_equal(t->start[d] % least, 0);
    assert_int_equal(t->extent[d] % least, 0);
    assert_true(t->extent[d] > 0);
  }
}

static void test_every_element_once(void **state) {
  (void)state;
  static const sharding ways[] = {{SHARE_MODEL, 'O'},     {SHARE_RANGE, 'O'},     {SHARE_DIMENSION, 'O'},
                                  {SHARE_DIMENSION, 'I'}, {SHARE_DIMENSION, 'W'}, {SHARE_DIMENSION, 'B'}};
  model m = small_model();
  for (size_t way = 0; way < sizeof ways / sizeof *ways; ++way) {
    for (uint64_t ranks = 1; ranks <= 40; ++ranks) {
      unsigned char seen[10][256] = {{0}};
      uint64_t bytes = 0, all_elements, all_bytes;
      for (uint64_t rank = 0; rank < ranks; ++rank) {
        model_part part;
        size_t before = 0;
        share *s = share_new(&m, ways[way], rank, ranks);
        while (share_next(s, &part)) {
          assert_true(part.tensor >= before);
          before = part.tensor;
          assert_int_equal(m.tensors[part.tensor].together, part.tensor >= 4);
          if (part.tensor >= 4) check_matrices(&part);
          mark(&part.where, seen[part.tensor]);
        }
        share_free(s);
        bytes += share_total(&m, ways[way], rank, ranks).bytes;
      }
      model_totals(&m, &all_elements, &all_bytes);
      assert_int_equal(bytes, all_bytes);
      for (size_t t = 0; t < m.count; ++t) {
        for (uint64_t k = 0; k < 256; ++k)
          assert_int_equal(seen[t][k], k < model_elements(&m.tensors[t]));
      }
    }
  }
  model_free(&m);
}

/* 126 layers of seven matrices whose work differs 16 times: no rank has more than one matrix above the mean. */
static void test_matrices_are_spread(void **state) {
  (void)state;
  enum { LAYERS = 126, RANKS = 7 };
  static const uint64_t sides[] = {128, 8, 8, 128, 416, 416, 416};
  model m = {0};
  char name[32];
  for (int layer = 0; layer < LAYERS; ++layer) {
    for (int k = 0; k < 7; ++k) {
      snprintf(name, sizeof name, "%d.%d", layer, k);
      add(&m, name, "OI", "orthogonal", FANIN_DTYPE_BF16, SHAPE(sides[k], 128), 1, 1);
    }
  }
  double sum = 0, most = 0;
  const double largest = 2 * 416.0 * 128 * 128 - 2 * 128.0 * 128 * 128 / 3;
  for (uint64_t rank = 0; rank < RANKS; ++rank) {
    const double own = share_total(&m, (sharding){SHARE_RANGE, 'O'}, rank, RANKS).operations;
    sum += own;
    most = own > most ? own : most;
  }
  assert_true(most <= sum / RANKS + largest);
  const double expected = LAYERS * (3 * largest + 2 * (2 * 128.0 * 128 * 128 - 2 * 128.0 * 128 * 128 / 3) +
                                    2 * (2 * 128.0 * 8 * 8 - 2 * 8.0 * 8 * 8 / 3));
  assert_true(sum > expected * 0.999999 && sum < expected * 1.000001);
  model_free(&m);
}

/* Tensors of 2^40 and 2^41 elements on 1,000 ranks: offsets and sizes that 32 bits do not hold. */
static void test_large(void **state) {
  (void)state;
  const uint64_t ranks = 1000;
  model m = {0};
  add(&m, "a", "OI", "he_normal", FANIN_DTYPE_F64, SHAPE(UINT64_C(1) << 33, 128), 1, 1);
  add(&m, "b", "OI", "he_normal", FANIN_DTYPE_F16, SHAPE(2, UINT64_C(1) << 40), 1, 1);
  uint64_t next = 0;
  for (uint64_t rank = 0; rank < ranks; ++rank) {
    model_part part;
    share *s = share_new(&m, (sharding){SHARE_MODEL, 'O'}, rank, ranks);
    while (share_next(s, &part)) {
      const uint64_t base = part.tensor == 0 ? 0 : UINT64_C(1) << 40;
      assert_int_equal(base + part.where.first, next);
      next += part.where.count;
    }
    share_free(s);
  }
  assert_int_equal(next, UINT64_C(3) << 40);
  /* By columns: rank 999 has the last of b's; the first 2^40 mod 1000 = 776 ranks have one more. */
  model_part part;
  share *s = share_new(&m, (sharding){SHARE_DIMENSION, 'I'}, 999, ranks);
  assert_false(share_next(s, &part) && part.tensor == 0); /* 128 columns are not enough for it */
  assert_int_equal(part.tensor, 1);
  assert_int_equal(part.where.extent[1], (UINT64_C(1) << 40) / 1000);
  assert_int_equal(part.where.start[1] + part.where.extent[1], UINT64_C(1) << 40);
  share_free(s);
  model_free(&m);
}

static void test_texts(void **state) {
  (void)state;
  failure why = {0};
  sharding how;
  assert_int_equal(sharding_take(&how, "--shard", "dimension:W", &why), STATUS_OK);
  assert_true(how.kind == SHARE_DIMENSION && how.letter == 'W');
  assert_int_equal(sharding_take(&how, "--shard", "dimension", &why), STATUS_OK);
  assert_true(how.kind == SHARE_DIMENSION && how.letter == 'O');
  static const char *const wrong[] = {"", "dimension:", "dimension:OI", "dimension:x", "Range", "model "};
  for (size_t k = 0; k < sizeof wrong / sizeof *wrong; ++k)
    assert_int_equal(sharding_take(&how, "--shard", wrong[k], &why), STATUS_INPUT);
  assert_int_equal(sharding_take(&how, "--shard", "dimention:I", &why), STATUS_INPUT);
  assert_non_null(strstr(why.text, "--shard 'dimention:I': did you mean dimension? Give model, range, dimension, or"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_element_once),
      cmocka_unit_test(test_matrices_are_spread),
      cmocka_unit_test(test_large),
      cmocka_unit_test(test_texts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
