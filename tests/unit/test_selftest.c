/* fanin_selftest(): its results, its summary, and what it refuses. Devices that lie are tests/cli/selftest.sh's. */
#include "support/support.h"

#include <string.h>

#include "core/context.h"

/* What was reported. */
typedef struct reports {
  size_t count, fills, done, total, of_other_widths;
} reports;

static void take(const fanin_selftest_result *result, void *user) {
  reports *const r = user;
  r->count++;
  r->fills += result->fills;
  assert_int_equal(result->done, r->count);
  if (r->total > 0) assert_int_equal(result->total, r->total);
  r->total = result->total;
  r->of_other_widths += strstr(result->check, "lane") != NULL;
  assert_int_equal(result->status, FANIN_STATUS_OK);
  assert_int_equal(result->wrong, 0);
  assert_string_equal(result->sentence, "");
  assert_true(result->fills > 0);
}

static size_t dtypes_of(const fanin *f) {
  return FANIN_DTYPE_COUNT - (f->has_f64 ? 0 : 1);
}

/* One initializer, quick: itself and four ways to fill it; and what the fanin is afterwards. */
static void test_quick(void **state) {
  fanin *const f = *state;
  reports r = {0};
  fanin_selftest_summary summary;
  fanin_selftest_config config = FANIN_SELFTEST_CONFIG_INIT;
  const size_t lanes = f->lanes;
  config.only = "constant";
  config.report = take;
  config.user = &r;
  memset(&summary, 0x5a, sizeof summary);
  assert_ok(fanin_selftest(f, &config, &summary, sizeof summary));
  assert_true(r.count == 5 * dtypes_of(f) || r.count == 4 * dtypes_of(f)); /* with a queue out of order, or without */
  assert_int_equal(r.count, r.total);
  assert_int_equal(summary.fills, r.fills);
  assert_int_equal(summary.wrong, 0);
  assert_int_equal(summary.refused, 0);
  assert_string_equal(summary.first_wrong, "");
  assert_string_equal(summary.first_refused, "");
  assert_int_equal(r.of_other_widths, 0);
  assert_int_equal(f->lanes, lanes);
}

/* In full: every vector width too. A caller's older, smaller summary gets what fits. */
static void test_full(void **state) {
  fanin *const f = *state;
  reports r = {0};
  struct {
    size_t fills, wrong, behind;
  } small = {0, 1, 77};
  fanin_selftest_config config = FANIN_SELFTEST_CONFIG_INIT;
  config.only = "constant";
  config.full = 1;
  config.report = take;
  config.user = &r;
  assert_ok(fanin_selftest(f, &config, (fanin_selftest_summary *)&small, offsetof(fanin_selftest_summary, refused)));
  assert_int_equal(small.fills, r.fills);
  assert_int_equal(small.wrong, 0);
  assert_int_equal(small.behind, 77);
  assert_int_equal(r.of_other_widths, 6 * dtypes_of(f));
}

static void test_refused(void **state) {
  fanin *const f = *state;
  fanin_selftest_summary summary;
  fanin_selftest_config config = FANIN_SELFTEST_CONFIG_INIT;
  config.only = "fixup";
  assert_status(fanin_selftest(f, &config, &summary, sizeof summary), FANIN_STATUS_BAD_ARGUMENT);
  assert_non_null(strstr(fanin_last_error(), "\"fixup\""));
  config.only = NULL;
  config.size = 0;
  assert_status(fanin_selftest(f, &config, &summary, sizeof summary), FANIN_STATUS_BAD_ARGUMENT);
  assert_non_null(strstr(fanin_last_error(), "FANIN_SELFTEST_CONFIG_INIT"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_quick),
      cmocka_unit_test(test_full),
      cmocka_unit_test(test_refused),
  };
  return cmocka_run_group_tests(tests, test_group_open, test_group_close);
}
