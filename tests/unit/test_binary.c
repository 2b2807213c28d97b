/* Warming up, and compiled programs as bytes: they come back, and nothing damaged or foreign is taken. */
#include <stdlib.h>
#include <string.h>

#include "support/support.h"

static const uint64_t SHAPE[] = {33, 9};
enum { BYTES = 33 * 9 * 4 };

static fanin_tensor tensor(cl_mem buffer) {
  return test_tensor_of(buffer, 0, FANIN_DTYPE_F32, "OI", 2, SHAPE);
}

/* What `f` exports, in memory that free() releases. */
static unsigned char *export_all(fanin *f, size_t *size) {
  assert_ok(fanin_export(f, NULL, 0, size));
  unsigned char *const data = malloc(*size + 1);
  assert_non_null(data);
  assert_status(fanin_export(f, data, *size - 1, size), FANIN_STATUS_BAD_SIZE);
  assert_ok(fanin_export(f, data, *size, size));
  return data;
}

static void assert_fills_like(fanin *f, fanin *reference, const fanin_init *init) {
  unsigned char got[BYTES], wanted[BYTES];
  fanin *const both[] = {f, reference};
  unsigned char *const out[] = {got, wanted};
  for (int k = 0; k < 2; k++) {
    fanin_tensor t;
    assert_ok(fanin_tensor_alloc(both[k], FANIN_DTYPE_F32, "OI", 2, SHAPE, &t));
    assert_ok(fanin_fill(both[k], NULL, &t, init, (fanin_key){5, 6}, 0, NULL, NULL));
    assert_ok(fanin_read(both[k], NULL, &t, out[k], BYTES, 1, 0, NULL, NULL));
    fanin_tensor_free(&t);
  }
  assert_memory_equal(got, wanted, BYTES);
}

static void warmup_touches_nothing(void **state) {
  fanin *const f = *state;
  const fanin_init normal = fanin_normal(0, 1), identity = fanin_identity(1);
  const fanin_tensor t = tensor(NULL);
  assert_ok(fanin_warmup(f, &t, &normal));
  assert_ok(fanin_warmup(f, &t, &identity));
  const fanin_init bad = fanin_normal(0, -1);
  assert_status(fanin_warmup(f, &t, &bad), FANIN_STATUS_BAD_ARGUMENT);
  assert_status(fanin_warmup(NULL, &t, &normal), FANIN_STATUS_BAD_ARGUMENT);
}

static void exported_programs_come_back(void **state) {
  fanin *const f = *state;
  const fanin_init normal = fanin_normal(0, 1), uniform = fanin_uniform(0, 1);
  const fanin_init others[] = {fanin_identity(1), fanin_orthogonal(1), fanin_sparse(0.5, 1)}; /* kernels of their own */
  const fanin_tensor t = tensor(NULL);
  assert_ok(fanin_warmup(f, &t, &normal));
  for (size_t k = 0; k < sizeof others / sizeof *others; k++) {
    assert_ok(fanin_warmup(f, &t, &others[k]));
  }
  size_t size = 0, again = 0;
  unsigned char *const data = export_all(f, &size);
  fanin *const other = test_open();
  assert_ok(fanin_import(other, data, size));
  assert_ok(fanin_import(other, data, size)); /* what is known already is left alone */
  assert_fills_like(other, f, &normal);
  for (size_t k = 0; k < sizeof others / sizeof *others; k++) {
    assert_fills_like(other, f, &others[k]);
  }
  assert_fills_like(other, f, &uniform); /* was not among them: from source */
  unsigned char *const twice = export_all(other, &again);
  assert_true(again > 0);
  free(twice);
  test_close(other);
  free(data);
}

/* Every byte that is changed and every length that is cut is seen, and the fanin works on. */
static void damage_is_refused(void **state) {
  fanin *const f = *state;
  const fanin_init normal = fanin_normal(0, 1);
  const fanin_tensor t = tensor(NULL);
  assert_ok(fanin_warmup(f, &t, &normal));
  size_t size = 0;
  unsigned char *const data = export_all(f, &size);
  fanin *const other = test_open();
  uint64_t random = 7;
  for (int k = 0; k < 200; k++) {
    const size_t at = k < 40 ? (size_t)k : (size_t)test_random_below(&random, size);
    data[at] ^= 0x40;
    assert_status(fanin_import(other, data, size), FANIN_STATUS_BAD_BINARY);
    data[at] ^= 0x40;
    assert_status(fanin_import(other, data, (size_t)test_random_below(&random, size)), FANIN_STATUS_BAD_BINARY);
  }
  assert_status(fanin_import(other, data, 0), FANIN_STATUS_BAD_BINARY);
  assert_status(fanin_import(other, NULL, 5), FANIN_STATUS_BAD_ARGUMENT);
  assert_fills_like(other, f, &normal);
  test_close(other);
  free(data);
}

static uint64_t hash(const unsigned char *data, size_t size) {
  uint64_t value = 0xcbf29ce484222325;
  for (size_t k = 0; k < size; k++) {
    value = (value ^ data[k]) * 0x100000001b3;
  }
  return value;
}

/* A file whose hash fits but which is of another device, or whose lengths lie. */
static void foreign_programs_are_refused(void **state) {
  fanin *const f = *state;
  const fanin_init normal = fanin_normal(0, 1);
  const fanin_tensor t = tensor(NULL);
  assert_ok(fanin_warmup(f, &t, &normal));
  size_t size = 0;
  unsigned char *const data = export_all(f, &size);
  static const struct {
    size_t at;
    const char *word;
  } changes[] = {{8, "another device"}, {16, "ends early"}, {24, "ends early"}, {30, "ends early"}};
  for (size_t k = 0; k < sizeof changes / sizeof *changes; k++) {
    data[changes[k].at] ^= 0x11;
    const uint64_t right = hash(data, size - 8);
    for (int b = 0; b < 8; b++) {
      data[size - 8 + (size_t)b] = (unsigned char)(right >> (8 * b));
    }
    assert_status(fanin_import(f, data, size), FANIN_STATUS_BAD_BINARY);
    assert_non_null(strstr(fanin_last_error(), changes[k].word));
    data[changes[k].at] ^= 0x11;
  }
  free(data);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(warmup_touches_nothing),
      cmocka_unit_test(exported_programs_come_back),
      cmocka_unit_test(damage_is_refused),
      cmocka_unit_test(foreign_programs_are_refused),
  };
  return cmocka_run_group_tests(tests, test_group_open, test_group_close);
}
