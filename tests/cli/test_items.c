/* Tensors with parts that have initializers of their own: whatever part of them is filled has the bits that the whole
 * tensor would have there by that initializer; and what is no part is refused. */
#include "init/items.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/support.h" /* last: cmocka has a macro fail() */

enum { SEED = 7 };

static const char *const name = "lstm.bias_ih_l0";

/* One tensor with parts, from JSON: at most 8 slabs of some initializer. */
static model model_of(fanin_dtype dtype, const char *layout, int rank, const uint64_t *shape, const char *own,
                      const char *parts) {
  const fanin_tensor t = test_tensor_of(NULL, 0, dtype, layout, rank, shape);
  failure why = {.text = ""};
  json_t *array = json_loads(parts, 0, NULL);
  model m = {0};
  fanin_init init;
  tensor_parts made;
  assert_non_null(array);
  assert_ok(fanin_init_parse(own, &init));
  int status = model_add(&m, name, &t, &init, "test", &why);
  if (status == STATUS_OK) status = tensor_parts_make(array, &t, &(part_texts){.fans = &t}, "test", &made, &why);
  if (status == STATUS_OK) status = model_divide(&m, &made, "test", &why);
  if (status != STATUS_OK) fail_msg("%s", why.text);
  json_decref(array);
  return m;
}

/* The whole tensor by one initializer; the caller frees the bytes. */
static unsigned char *fill_whole(fanin *f, const fanin_tensor *t, const fanin_init *init, size_t bytes) {
  fanin_tensor whole = *t;
  size_t size;
  whole.buffer = test_guarded(f, 0, bytes);
  assert_ok(fanin_fill(f, NULL, &whole, init, test_key(SEED, name), 0, NULL, NULL));
  unsigned char *content = test_content(f, whole.buffer, &size);
  clReleaseMemObject(whole.buffer);
  return content;
}

/* What each element should be: taken from the whole tensor that the initializer of its slab makes. */
static unsigned char *expect(fanin *f, const model_tensor *t) {
  const size_t size = fanin_dtype_size(t->tensor.dtype), bytes = (size_t)model_bytes(t);
  const int d = t->parts.dimension;
  unsigned char *out = calloc(bytes, 1);
  tensor_region r = {.init = NULL};
  size_t inner = 1;
  for (int k = d + 1; k < t->tensor.rank; ++k)
    inner *= (size_t)t->tensor.shape[k];
  while (tensor_parts_next(&t->parts, &t->tensor, &t->init, &r)) {
    unsigned char *whole = fill_whole(f, &t->tensor, r.init, bytes);
    for (size_t k = 0; k < bytes / size; ++k) {
      const uint64_t at = k / inner % t->tensor.shape[d];
      if (at >= r.first && at < r.end) memcpy(out + k * size, whole + k * size, size);
    }
    free(whole);
  }
  return out;
}

/* The index in the whole's order of element `k` of a part's memory. */
static uint64_t index_of(const fanin_tensor *t, uint64_t k) {
  uint64_t index = 0, stride = 1;
  if (t->part != FANIN_PART_SLAB) return t->part == FANIN_PART_RANGE ? t->first + k : k;
  for (int d = t->rank - 1; d >= 0; --d) {
    index += (t->start[d] + k % t->extent[d]) * stride;
    k /= t->extent[d];
    stride *= t->shape[d];
  }
  return index;
}

/* Fills a part of the tensor by items, at an odd place of a buffer. */
static void check(fanin *f, const model_tensor *t, const fanin_tensor *where, const unsigned char *expected) {
  const size_t size = fanin_dtype_size(t->tensor.dtype), bytes = (size_t)part_bytes(where), offset = 5 * size;
  const cl_mem buffer = test_guarded(f, offset, bytes);
  item_list list = {.count = 0};
  fanin_plan *plan;
  size_t all;
  items_add(&list, t, where, buffer, offset);
  assert_ok(fanin_plan_create(f, list.items, list.count, &plan));
  assert_ok(fanin_plan_enqueue(plan, test_queue(f), SEED, 0, NULL, NULL));
  test_assert_guarded(f, buffer, offset, bytes);
  unsigned char *content = test_content(f, buffer, &all);
  for (size_t k = 0; k < bytes / size; ++k) {
    if (memcmp(content + offset + k * size, expected + index_of(where, k) * size, size) == 0) continue;
    fail_msg("element %zu of %zu, number %llu of the whole, is another one", k, bytes / size,
             (unsigned long long)index_of(where, k));
  }
  free(content);
  free(list.items);
  fanin_plan_release(plan);
  clReleaseMemObject(buffer);
}

/* The whole, ranges and slabs that begin and end anywhere, and the cuts of a piece. */
static void check_everywhere(fanin *f, const model *m) {
  const model_tensor *t = &m->tensors[0];
  const uint64_t n = model_elements(t);
  unsigned char *expected = expect(f, t);
  uint64_t random = 1;
  check(f, t, &t->tensor, expected);
  for (int k = 0; k < TEST_DRAWS(12, 4); ++k) {
    uint64_t start[FANIN_MAX_RANK] = {0}, extent[FANIN_MAX_RANK] = {0};
    const uint64_t first = test_random_below(&random, n), count = 1 + test_random_below(&random, n - first);
    const fanin_tensor range = test_tensor_range(t->tensor, first, count);
    check(f, t, &range, expected);
    for (int d = 0; d < t->tensor.rank; ++d) {
      start[d] = test_random_below(&random, t->tensor.shape[d]);
      extent[d] = 1 + test_random_below(&random, t->tensor.shape[d] - start[d]);
    }
    const fanin_tensor slab = test_tensor_slab(t->tensor, start, extent);
    check(f, t, &slab, expected);
    const uint64_t done = test_random_below(&random, part_elements(&slab));
    const fanin_tensor cut = part_cut(&slab, done, 1 + test_random_below(&random, n));
    check(f, t, &cut, expected);
  }
  free(expected);
}

static void every_part_has_the_wholes_bits(void **state) {
  static const struct {
    const char *layout;
    int rank;
    uint64_t shape[4];
    const char *own, *parts;
  } cases[] = {
      {"", 1, {148}, "uniform:lo=-1,hi=1", "[{\"range\": \"1/4..2/4\", \"init\": \"ones\"}]"},
      {"OI",
       2,
       {31, 17},
       "he_normal",
       "[{\"range\": \"-1\", \"init\": \"ones\"}, {\"range\": \"0\", \"init\": \"zeros\"}]"},
      {"IO",
       2,
       {13, 36},
       "xavier_normal",
       "[{\"range\": \"2/3..\", \"init\": \"zeros\", \"dimension\": 1}, "
       "{\"range\": \"3..5\", \"init\": \"times:factor=2 he_uniform\", \"dimension\": 1}]"},
      {"BHOI",
       4,
       {3, 4, 5, 6},
       "trunc_normal",
       "[{\"range\": \"-4..-1\", \"init\": \"xavier_uniform\", \"dimension\": 2}]"},
      {"HWIO",
       4,
       {3, 2, 4, 5},
       "log_uniform:lo=0.1,hi=1",
       "[{\"range\": \"1\", \"init\": \"lecun_normal\", \"dimension\": 0}]"},
      {"OI", 2, {12, 16}, "orthogonal", "[{\"range\": \"1/3..2/3\", \"init\": \"zeros\"}]"},
      {"BOI", 3, {3, 6, 8}, "normal", "[{\"range\": \"1..5\", \"init\": \"orthogonal\", \"dimension\": 1}]"},
      {"OI", 2, {12, 16}, "sparse:sparsity=0.5", "[{\"range\": \"5..7\", \"init\": \"identity\", \"dimension\": 1}]"}};
  for (size_t k = 0; k < sizeof cases / sizeof *cases; ++k) {
    for (fanin_dtype dtype = 0; dtype < FANIN_DTYPE_COUNT; ++dtype) {
      model m = model_of(dtype, cases[k].layout, cases[k].rank, cases[k].shape, cases[k].own, cases[k].parts);
      check_everywhere(*state, &m);
      model_free(&m);
    }
  }
}

/* Slabs go along the dimension, leave nothing out, and say who fills them. */
static void slabs_tile_the_tensor(void **state) {
  (void)state;
  static const struct {
    uint64_t first, end;
    fanin_kind kind;
  } slabs[] = {{0, 2, FANIN_KIND_ONES},
               {2, 4, FANIN_KIND_NORMAL},
               {4, 5, FANIN_KIND_ZEROS},
               {5, 8, FANIN_KIND_ONES},
               {8, 9, FANIN_KIND_NORMAL}};
  model m = model_of(FANIN_DTYPE_F32, "", 2, (const uint64_t[]){3, 9}, "normal",
                     "[{\"range\": \"5..8\", \"init\": \"ones\", \"dimension\": 1}, {\"range\": \"..2\", \"init\": "
                     "\"ones\", \"dimension\": 1}, {\"range\": \"4\", \"init\": \"zeros\", \"dimension\": 1}]");
  const model_tensor *t = &m.tensors[0];
  tensor_region r = {.init = NULL};
  for (size_t k = 0; k < sizeof slabs / sizeof *slabs; ++k) {
    assert_true(tensor_parts_next(&t->parts, &t->tensor, &t->init, &r));
    assert_int_equal(r.first, slabs[k].first);
    assert_int_equal(r.end, slabs[k].end);
    assert_int_equal(r.init->kind, slabs[k].kind);
    assert_int_equal(r.where.part, FANIN_PART_SLAB);
    assert_int_equal(r.where.start[1], slabs[k].first);
    assert_int_equal(r.where.extent[1], slabs[k].end - slabs[k].first);
    assert_int_equal(r.where.extent[0], 3);
  }
  assert_false(tensor_parts_next(&t->parts, &t->tensor, &t->init, &r));
  char text[64];
  assert_string_equal(tensor_parts_text(&t->parts, &t->init, text, sizeof text),
                      "normal; 0..2 of dimension 1: ones; ...");
  model_free(&m);
}

/* Without parts, a tensor is one slab, a scalar too. */
static void what_has_no_parts_is_whole(void **state) {
  (void)state;
  const tensor_parts none = {.count = 0};
  const fanin_init ones = {.kind = FANIN_KIND_ONES};
  const fanin_tensor scalar = test_tensor_of(NULL, 0, FANIN_DTYPE_F32, NULL, 0, NULL);
  tensor_region r = {.init = NULL};
  assert_true(tensor_parts_next(&none, &scalar, &ones, &r));
  assert_ptr_equal(r.init, &ones);
  assert_int_equal(r.where.part, FANIN_PART_WHOLE);
  assert_false(tensor_parts_next(&none, &scalar, &ones, &r));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_part_has_the_wholes_bits),
      cmocka_unit_test(slabs_tile_the_tensor),
      cmocka_unit_test(what_has_no_parts_is_whole),
  };
  return cmocka_run_group_tests(tests, test_group_open, test_group_close);
}
