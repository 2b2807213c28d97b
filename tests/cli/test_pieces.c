/* Parts cut into pieces: every element once, in memory's order, within the bounds; also where nothing has 32 bits. */
#include "init/pieces.h"

#include <stdlib.h>
#include <string.h>

#include "support/support.h" /* last: cmocka has a macro fail() */

/* The index in the whole's order of element `k` of a part's memory. */
static uint64_t index_of(const fanin_tensor *t, uint64_t k) {
  uint64_t index = 0, stride = 1;
  if (t->part == FANIN_PART_RANGE) return t->first + k;
  if (t->part == FANIN_PART_WHOLE) return k;
  for (int d = t->rank - 1; d >= 0; --d) {
    index += (t->start[d] + k % t->extent[d]) * stride;
    k /= t->extent[d];
    stride *= t->shape[d];
  }
  return index;
}

static void test_cuts(void **state) {
  (void)state;
  const uint64_t shape[] = {3, 5, 2, 7}, start[] = {1, 1, 0, 2}, extent[] = {2, 3, 2, 4};
  const fanin_tensor whole = test_tensor_of(NULL, 0, FANIN_DTYPE_F32, NULL, 4, shape);
  const fanin_tensor parts[] = {whole, test_tensor_range(whole, 17, 101), test_tensor_slab(whole, start, extent)};
  for (size_t p = 0; p < 3; ++p) {
    const uint64_t n = part_elements(&parts[p]);
    for (uint64_t most = 1; most <= n + 1; ++most) {
      uint64_t done = 0;
      while (done < n) {
        const fanin_tensor cut = part_cut(&parts[p], done, most);
        const uint64_t size = part_elements(&cut);
        assert_true(size >= 1 && size <= most);
        for (uint64_t k = 0; k < size; ++k)
          assert_int_equal(index_of(&cut, k), index_of(&parts[p], done + k));
        done += size;
      }
      assert_int_equal(done, n);
    }
  }
}

static void test_runs(void **state) {
  (void)state;
  const uint64_t shape[] = {4, 6, 5}, zero[] = {0, 0, 0};
  const fanin_tensor t = test_tensor_of(NULL, 0, FANIN_DTYPE_F32, NULL, 3, shape);
  const fanin_tensor scalar = test_tensor_of(NULL, 0, FANIN_DTYPE_F32, NULL, 0, NULL);
  static const struct {
    uint64_t extent[3], run;
  } cases[] = {{{4, 6, 5}, 120}, {{2, 6, 5}, 60}, {{2, 3, 5}, 15}, {{1, 6, 2}, 2}, {{4, 1, 5}, 5}, {{4, 6, 1}, 1}};
  for (size_t k = 0; k < sizeof cases / sizeof *cases; ++k) {
    const fanin_tensor slab = test_tensor_slab(t, zero, cases[k].extent);
    assert_int_equal(part_run(&slab), cases[k].run);
  }
  assert_int_equal(part_run(&t), 120);
  assert_int_equal(part_run(&scalar), 1);
}

/* 2^35 x 2^20 elements, of which columns 2^19 + 1 .. 2^20 - 1 are ours, from row 2^34 on. */
static void test_large(void **state) {
  (void)state;
  const uint64_t shape[] = {UINT64_C(1) << 35, 1 << 20}, start[] = {UINT64_C(1) << 34, (1 << 19) + 1},
                 extent[] = {UINT64_C(1) << 34, (1 << 19) - 2};
  const fanin_tensor whole = test_tensor_of(NULL, 0, FANIN_DTYPE_BF16, NULL, 2, shape);
  const fanin_tensor slab = test_tensor_slab(whole, start, extent);
  const uint64_t done = extent[1] * ((UINT64_C(1) << 33) + 7) + 11;
  assert_int_equal(part_elements(&slab), extent[0] * extent[1]);
  assert_int_equal(part_bytes(&slab), 2 * extent[0] * extent[1]);
  fanin_tensor cut = part_cut(&slab, done, 1 << 25); /* the rest of a row */
  assert_int_equal(part_elements(&cut), extent[1] - 11);
  assert_int_equal(index_of(&cut, 0), index_of(&slab, done));
  assert_int_equal(index_of(&cut, 0), (start[0] + (UINT64_C(1) << 33) + 7) * shape[1] + start[1] + 11);
  cut = part_cut(&slab, done - 11, 1 << 25); /* whole rows */
  assert_int_equal(part_elements(&cut), (1 << 25) / extent[1] * extent[1]);
  cut = part_cut(&whole, UINT64_C(1) << 54, UINT64_C(1) << 40);
  assert_int_equal(cut.first, UINT64_C(1) << 54);
  assert_int_equal(cut.count, UINT64_C(1) << 40);
}

/* ---- Pieces ------------------------------------------------------------------------------------------------------ */

typedef struct list {
  const model_part *parts;
  size_t count, next;
} list;

static bool next_of_list(void *state, model_part *out) {
  list *l = state;
  if (l->next == l->count) return false;
  *out = l->parts[l->next++];
  return true;
}

/* A part of tensor number `together` of the model below: elements of the second are made together. */
static model_part part_of(fanin_dtype dtype, uint64_t rows, uint64_t columns, bool together) {
  const uint64_t shape[] = {rows, columns};
  return (model_part){together, test_tensor_of(NULL, 0, dtype, "OI", 2, shape)};
}

/* Takes all pieces, checks what holds of each, and adds up what they hold. Returns how many. `together`: the
 * initializer of tensor 1, where tensor 0 has independent normals. */
static size_t take_pieces(const char *together, const model_part *parts, size_t count, size_t most, uint64_t largest,
                          uint64_t *bytes) {
  const uint64_t shape[] = {8, 8};
  const fanin_tensor t = test_tensor_of(NULL, 0, FANIN_DTYPE_F32, "OI", 2, shape);
  const fanin_init normal = fanin_normal(0, 1);
  failure why = {0};
  model m = {0};
  fanin_init init;
  assert_int_equal(fanin_init_parse(together, &init), FANIN_STATUS_OK);
  assert_int_equal(model_add(&m, "independent", &t, &normal, "test", &why), STATUS_OK);
  assert_int_equal(model_add(&m, "together", &t, &init, "test", &why), STATUS_OK);
  list l = {parts, count, 0};
  cutter c = {.model = &m, .source = {next_of_list, &l}, .most = most, .largest = largest};
  piece p = {0};
  size_t pieces = 0;
  *bytes = 0;
  for (;; ++pieces) {
    cutter_next(&c, &p);
    if (p.bytes == 0) break;
    uint64_t sum = 0;
    for (size_t i = 0; i < p.count; ++i) {
      assert_int_equal(sum % fanin_dtype_size(p.parts[i].where.dtype), 0);
      sum += part_bytes(&p.parts[i].where);
    }
    assert_int_equal(sum, p.bytes);
    assert_true(p.bytes <= most);
    if (p.lent) {
      assert_int_equal(p.count, 1);
      assert_true(p.offset + p.bytes <= part_bytes(&p.whole.where));
      assert_int_equal(p.parts[0].tensor, 1);
      assert_true(part_bytes(&p.whole.where) <= largest);
    }
    *bytes += p.bytes;
  }
  assert_true(cutter_at_end(&c));
  piece_free(&p);
  model_free(&m);
  return pieces;
}

static void test_pieces(void **state) {
  (void)state;
  uint64_t bytes;
  const model_part plain[] = {part_of(FANIN_DTYPE_F16, 1, 3, false), part_of(FANIN_DTYPE_F64, 5, 7, false),
                              part_of(FANIN_DTYPE_F32, 0, 9, false), part_of(FANIN_DTYPE_BF16, 11, 1, false)};
  for (size_t most = 8; most < 400; ++most) {
    (void)take_pieces("orthogonal", plain, 4, most, UINT64_MAX, &bytes);
    assert_int_equal(bytes, 6 + 280 + 22);
  }
  assert_int_equal(take_pieces("orthogonal", plain, 4, 400, UINT64_MAX, &bytes),
                   2); /* f64 is not aligned behind three f16 */
  /* What is made at once: alone where it is larger than a piece, and not cut where it would fit into one. */
  static const char *const together[] = {"orthogonal", "sparse:sparsity=0.5"};
  const model_part parts[] = {part_of(FANIN_DTYPE_F32, 2, 2, false), part_of(FANIN_DTYPE_F32, 3, 3, true),
                              part_of(FANIN_DTYPE_F32, 8, 8, true), part_of(FANIN_DTYPE_F32, 1, 1, false)};
  for (size_t k = 0; k < sizeof together / sizeof *together; ++k) {
    assert_int_equal(take_pieces(together[k], parts, 4, 64, UINT64_MAX, &bytes), 1 + 4 + 1);
    assert_int_equal(take_pieces(together[k], parts, 4, 40, UINT64_MAX, &bytes), 2 + 7 + 1);
    assert_int_equal(bytes, 16 + 36 + 256 + 4);
    /* What the device cannot hold is cut like any other part: 10 + 10 + 10 + ... elements. */
    assert_int_equal(take_pieces(together[k], parts, 4, 40, 255, &bytes), 2 + 7);
    assert_int_equal(bytes, 16 + 36 + 256 + 4);
  }
  assert_int_equal(take_pieces("uniform", parts, 4, 40, UINT64_MAX, &bytes), 8); /* nothing is made at once */
}

/* A column of many rows has a run a row: pieces end before they have room for all. */
static void test_many_runs(void **state) {
  (void)state;
  uint64_t bytes;
  const uint64_t start[] = {0, 5}, extent[] = {100000, 3};
  for (int together = 0; together < 2; ++together) {
    model_part column = part_of(FANIN_DTYPE_F32, 100000, 9, together);
    column.where = test_tensor_slab(column.where, start, extent);
    assert_int_equal(take_pieces("orthogonal", &column, 1, 1 << 26, UINT64_MAX, &bytes), 7);
    assert_int_equal(bytes, 4 * 300000);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_cuts),   cmocka_unit_test(test_runs),      cmocka_unit_test(test_large),
      cmocka_unit_test(test_pieces), cmocka_unit_test(test_many_runs),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
