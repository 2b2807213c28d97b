/* The command's own parts that its output cannot show exactly: standard errors, merged statistics, readers of values.
 */
#include "base/args.h"
#include "base/text.h"
#include "formats/tensor_text.h"
#include "inspect/check.h"
#include "inspect/survey.h"
#include "probe/report.h"

#include <math.h>

#include <stdlib.h>
#include <string.h>

#include "support/support.h" /* last: cmocka has a macro fail() */

static void near(double value, double expected, double tolerance) {
  if (!(fabs(value - expected) <= tolerance)) fail_msg("%.17g is not %.17g +- %g", value, expected, tolerance);
}

/* ---- Statistics -------------------------------------------------------------------------------------------------- */

static fanin_stats stats_of(const double *x, size_t n) {
  fanin_stats s = {.count = n, .min = x[0], .max = x[0]};
  for (size_t i = 0; i < n; ++i) {
    s.mean += x[i] / (double)n;
    s.second += x[i] * x[i] / (double)n;
    s.min = fmin(s.min, x[i]);
    s.max = fmax(s.max, x[i]);
  }
  for (size_t i = 0; i < n; ++i)
    s.std += (x[i] - s.mean) * (x[i] - s.mean) / (double)n;
  s.std = sqrt(s.std);
  return s;
}

static void merging_equals_measuring_together(void **state) {
  (void)state;
  const double x[] = {3, -1, 4, 1, -5, 9, 2, 6, 5, 3.5, 8};
  const size_t n = sizeof x / sizeof *x;
  const fanin_stats whole = stats_of(x, n);
  for (size_t cut = 1; cut < n; ++cut) {
    const fanin_stats a = stats_of(x, cut), b = stats_of(x + cut, n - cut), both = merge_stats(&a, &b);
    assert_int_equal(both.count, n);
    near(both.mean, whole.mean, 1e-14);
    near(both.std, whole.std, 1e-14);
    near(both.second, whole.second, 1e-13);
    near(both.min, -5, 0);
    near(both.max, 9, 0);
  }
}

static void merging_leaves_out_what_is_not_finite(void **state) {
  (void)state;
  const double x[] = {3, 4, 5};
  fanin_stats a = stats_of(x, 3);
  const fanin_stats none = {.count = 7, .nonfinite = 7}; /* its 0 is no extreme */
  a.count = 4;
  a.nonfinite = 1;
  const fanin_stats orders[] = {merge_stats(&a, &none), merge_stats(&none, &a)};
  for (int i = 0; i < 2; ++i) {
    assert_int_equal(orders[i].count, 11);
    assert_int_equal(orders[i].nonfinite, 8);
    near(orders[i].min, 3, 0);
    near(orders[i].std, a.std, 0);
  }
  const fanin_stats weighted = merge_stats(&a, &a); /* 3 finite ones each, not 4 */
  near(weighted.mean, 4, 1e-15);
  near(weighted.std, a.std, 1e-15);
}

static expectation expect(const char *text, uint64_t n) {
  expectation e = {.known = true};
  const fanin_tensor t = test_tensor_of(NULL, 0, FANIN_DTYPE_F32, NULL, 1, &n);
  assert_int_equal(fanin_init_parse(text, &e.init), FANIN_STATUS_OK);
  assert_int_equal(fanin_expect(&t, &e.init, &e.moments, sizeof e.moments), FANIN_STATUS_OK);
  assert_int_equal(fanin_law_of(&t, &e.init, &e.law), FANIN_STATUS_OK);
  return e;
}

/* In place of (std / expected - 1) / sqrt((kappa - 1) / (4 N)), kappa 3 for a normal and 9/5 for a uniform, which is
 * 2.8284 and -2.2361 here: SciPy's norm.isf(chi2.sf(n r^2, n - 1)), and the same of pearson3 with the skewness of a
 * uniform's squares, 27/7 - 3 * 9/5 + 2 over (4/5)^1.5 sqrt(n - 1). */
static void z_counts_standard_errors(void **state) {
  (void)state;
  const expectation normal = expect("normal:mean=2,std=0.5", 10000);
  fanin_stats s = {.count = 10000, .mean = 2 - 0.015, .std = 0.5 * 1.02};
  z_scores z = z_scores_of(&normal, &s, FANIN_DTYPE_F32);
  near(z.std, 2.8308460250648304, 1e-6);
  near(z.mean, -0.03 * 100, 1e-6);
  assert_true(!isnan(z.std) && !isnan(z.mean));

  const expectation uniform = expect("uniform:lo=-1,hi=1", 10000);
  s = (fanin_stats){.count = 10005, .nonfinite = 5, .std = 0.99 / sqrt(3)};
  z = z_scores_of(&uniform, &s, FANIN_DTYPE_F32);
  near(z.std, -2.2178261527688807, 1e-6);
  near(z.mean, 0, 0);
}

static void z_allows_for_rounding(void **state) {
  (void)state;
  /* 10^12 elements of bf16: rounding adds 2.5e-6 to the std, which is 3.5 standard errors and no fault. */
  const expectation wide = expect("normal:std=1", 1000000000000u);
  const fanin_stats rounded = {.count = 1000000000000u, .std = 1 + 2.5e-6};
  assert_true(fabs(z_scores_of(&wide, &rounded, FANIN_DTYPE_BF16).std) < 1);
  assert_true(fabs(z_scores_of(&wide, &rounded, FANIN_DTYPE_F32).std) > 2);
  /* bf16 next to 5 has steps of 1/32, three times this std. */
  const expectation narrow = expect("normal:mean=5,std=0.01", 40001);
  const fanin_stats coarse = {.count = 40001, .mean = 5.0002, .std = 0.0107};
  assert_true(fabs(z_scores_of(&narrow, &coarse, FANIN_DTYPE_BF16).std) < 1);
  assert_true(fabs(z_scores_of(&narrow, &coarse, FANIN_DTYPE_F32).std) > 15);
}

static void nothing_to_test_is_nan(void **state) {
  (void)state;
  const fanin_stats one = {.count = 1, .mean = 0.3}, some = {.count = 9, .mean = 1};
  const expectation unknown = {.known = false}, constant = expect("constant:value=1", 9), normal = expect("normal", 1);
  const z_scores z[] = {z_scores_of(&unknown, &some, FANIN_DTYPE_F32), z_scores_of(&constant, &some, FANIN_DTYPE_F32),
                        z_scores_of(&normal, &one, FANIN_DTYPE_F32)};
  for (size_t i = 0; i < 3; ++i)
    assert_true(isnan(z[i].std) && (i == 2 || isnan(z[i].mean)));
  near(z[2].mean, 0.3, 1e-9); /* one value of a normal is its own deviate */
}

static void verdicts(void **state) {
  (void)state;
  const double sigma = 1 / sqrt(3), lo = -1, hi = 1;
  const struct {
    const char *init;
    fanin_dtype dtype;
    fanin_stats stats;
    const char *verdict;
  } cases[] = {
      {"uniform:lo=-1,hi=1", FANIN_DTYPE_F32, {1000, 0, 0, sigma, 0, lo, hi}, NULL},
      {"uniform:lo=-1,hi=1", FANIN_DTYPE_F32, {1000, 1, 0, sigma, 0, lo, hi}, "non-finite"},
      {"uniform:lo=-1,hi=1", FANIN_DTYPE_F32, {1000, 0, 0, sigma * 1.1, 0, lo, hi}, "std"},
      {"uniform:lo=-1,hi=1", FANIN_DTYPE_F32, {1000, 0, 0.1, sigma, 0, lo, hi}, "mean"},
      {"uniform:lo=-1,hi=1",
       FANIN_DTYPE_BF16,
       {1000, 0, 0, sigma, 0, lo, 1.0078125},
       "bounds"}, /* bf16's next above 1 */
      {"uniform:lo=-1,hi=1", FANIN_DTYPE_F16, {1000, 0, 0, sigma, 0, -1.0009765625, hi}, "bounds"},
      {"trunc_normal:std=1,a=-2,b=2,corrected=false", FANIN_DTYPE_F32, {1000, 0, 0, 0.8796, 0, -2, 2.001}, "bounds"},
      {"normal", FANIN_DTYPE_F32, {1000, 0, 0, 1, 0, -6, 6}, NULL},
      {"constant:value=0.1", FANIN_DTYPE_F16, {9, 0, 0.0999755859375, 0, 0, 0.0999755859375, 0.0999755859375}, NULL},
      {"constant:value=0.1", FANIN_DTYPE_F32, {9, 0, 0.0999755859375, 0, 0, 0.0999755859375, 0.0999755859375}, "mean"},
      {"zeros", FANIN_DTYPE_F32, {1000, 0, 0, 0, 0, 0, 1e-30}, "bounds"},
      {"ones", FANIN_DTYPE_F32, {1000000, 0, 1, 0, 0, 1, 1.5}, "bounds"},
      {"ones", FANIN_DTYPE_F32, {1000000, 0, 1, 1e-3, 0, 1, 1}, "std"},
      {"zeros", FANIN_DTYPE_F32, {0, 0, 0, 0, 0, 0, 0}, NULL},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    const expectation e = expect(cases[i].init, 1000);
    const z_scores z = z_scores_of(&e, &cases[i].stats, cases[i].dtype);
    const char *verdict = check_tensor(&e, &cases[i].stats, cases[i].dtype, &z, 4);
    const char *wanted = cases[i].verdict;
    if (!verdict || !wanted ? verdict != wanted : strcmp(verdict, wanted) != 0) {
      fail_msg("case %zu: %s, not %s", i, verdict ? verdict : "nothing", wanted ? wanted : "nothing");
    }
  }
}

/* ---- Readers and writers of small things ------------------------------------------------------------------------- */

static void numbers(void **state) {
  (void)state;
  static const struct {
    const char *text;
    bool valid;
    uint64_t value;
  } cases[] = {{"0", true, 0},
               {"007", true, 7},
               {"18446744073709551615", true, UINT64_MAX},
               {"18446744073709551616", false, 0},
               {"99999999999999999999", false, 0},
               {"0xffffffffffffffff", true, UINT64_MAX},
               {"0XaB", true, 0xab},
               {"0x10000000000000000", false, 0},
               {"0x", false, 0},
               {"x1", false, 0},
               {"", false, 0},
               {" 1", false, 0},
               {"1 ", false, 0},
               {"+1", false, 0},
               {"-1", false, 0},
               {"1a", false, 0}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
    uint64_t value = 0;
    if (args_u64(cases[i].text, strlen(cases[i].text), &value) != cases[i].valid) fail_msg("'%s'", cases[i].text);
    assert_true(value == cases[i].value);
  }
}

static void layouts_survive_their_text(void **state) {
  (void)state;
  static const char *const valid[] = {"", "OI", "OIHW,groups=32", "BIO,splits=3", "IODHW,groups=2,splits=4294967295"};
  static const char *const invalid[] = {
      "OIHWDBXYZ",  "OI,",         "OI,groups", "OI,groups=", "OI,groups=0", "OI,splits=-1", "OI,groups=4294967296",
      "OI,group=2", "OI,groups=2x"};
  fanin_tensor t = test_tensor_of(NULL, 0, FANIN_DTYPE_F32, NULL, 0, NULL);
  char text[LAYOUT_TEXT];
  for (size_t i = 0; i < sizeof valid / sizeof *valid; ++i) {
    assert_true(layout_parse(valid[i], strlen(valid[i]), &t));
    assert_string_equal(layout_format(&t, text), valid[i]);
  }
  for (size_t i = 0; i < sizeof invalid / sizeof *invalid; ++i) {
    if (layout_parse(invalid[i], strlen(invalid[i]), &t)) fail_msg("'%s' is taken for a layout", invalid[i]);
  }
}

static void texts(void **state) {
  (void)state;
  char out[TEXT_NUMBER], shape[TEXT_SHAPE];
  const uint64_t extents[3] = {64, 1, 7};
  assert_string_equal(text_count(0, out), "0");
  assert_string_equal(text_count(999, out), "999");
  assert_string_equal(text_count(1000, out), "1,000");
  assert_string_equal(text_count(UINT64_MAX, out), "18,446,744,073,709,551,615");
  assert_string_equal(text_bytes(999, out), "999 bytes");
  assert_string_equal(text_bytes(497759232, out), "497.8 MB");
  assert_string_equal(text_memory(1536, out), "1.5 KiB");
  assert_string_equal(text_shape(extents, 0, shape), "scalar");
  assert_string_equal(text_shape(extents, 3, shape), "64x1x7");
  assert_string_equal(text_z(-1.234, out), "-1.23");
  assert_string_equal(text_z(NAN, out), "-");
  assert_string_equal(text_z(123456, out), "+1.2e+05");

  char hostile[] = "a\033[2J\tb\n\x7f\xc3\xa9\xc2\x9b\xc2\xa0";
  assert_string_equal(text_plain(hostile, '\n'), "a?[2J?b\n?\xc3\xa9??\xc2\xa0");
  assert_string_equal(text_plain(hostile, '\0'), "a?[2J?b??\xc3\xa9??\xc2\xa0");

  uint64_t many[64];
  for (int i = 0; i < 64; ++i)
    many[i] = UINT64_MAX;
  text_shape(many, 64, shape);
  assert_string_equal(shape + TEXT_SHAPE - 4, "...");
}

/* ---- Probes ------------------------------------------------------------------------------------------------------ */

/* 60 rows of three features, of which the first has whole numbers too, and in `column` what `label` gives. */
static int refused_label(size_t column, double (*label)(size_t row)) {
  enum { ROWS = 60, COLUMNS = 4 };
  double values[ROWS * COLUMNS];
  for (size_t r = 0; r < ROWS; ++r) {
    for (size_t c = 0; c < COLUMNS; ++c)
      values[r * COLUMNS + c] = c == 1 ? (double)(r % 7 == 0) : 0.5 * (double)r;
    values[r * COLUMNS + column] = label(r);
  }
  failure why = {0};
  const matrix m = {values, ROWS, COLUMNS};
  return input_refuse_label("x.csv", &m, COLUMNS, &why);
}

static double ten_classes(size_t row) {
  return (double)(row % 10);
}
static double classes_from_one(size_t row) {
  return (double)(row % 3 + 1);
}
static double uneven(size_t row) {
  return row % 10 == 0 ? 1 : 0;
}
static double with_gaps(size_t row) {
  return (double)(row % 3 * 2);
}
static double halves(size_t row) {
  return (double)(row % 3) / 2;
}
static double from_five(size_t row) {
  return (double)(row % 3 + 5);
}

static void labels_are_told_from_features(void **state) {
  (void)state;
  assert_int_equal(refused_label(3, ten_classes), STATUS_INPUT);
  assert_int_equal(refused_label(0, ten_classes), STATUS_INPUT);
  assert_int_equal(refused_label(3, classes_from_one), STATUS_INPUT);
  assert_int_equal(refused_label(2, ten_classes), STATUS_OK); /* not at an end */
  assert_int_equal(refused_label(3, uneven), STATUS_OK);
  assert_int_equal(refused_label(3, with_gaps), STATUS_OK);
  assert_int_equal(refused_label(3, halves), STATUS_OK);
  assert_int_equal(refused_label(3, from_five), STATUS_OK);
}

static void networks_in_words(void **state) {
  (void)state;
  char text[PROBE_TEXT];
  probe_request r = {.widths = {784, 48, 48, 48, 10}, .config = {.n_widths = 5}};
  assert_string_equal(probe_network_text(&r, text), "784-48-48-48-10");
  r.widths[4] = 48;
  assert_string_equal(probe_network_text(&r, text), "784-4x48");
  for (size_t i = 0; i < PROBE_MAX_WIDTHS; ++i)
    r.widths[i] = UINT64_MAX - i % 2;
  r.config.n_widths = PROBE_MAX_WIDTHS;
  assert_string_equal(probe_network_text(&r, text),
                      "18446744073709551615-500x(18446744073709551614-18446744073709551615)");
  r.config.n_widths = 6;
  r.widths[5] = r.widths[4] = 7;
  assert_string_equal(probe_network_text(&r, text), "18446744073709551615-18446744073709551614-18446744073709551615-"
                                                    "18446744073709551614-7-7");
  for (size_t i = 0; i < PROBE_MAX_WIDTHS; ++i)
    r.widths[i] = UINT64_MAX - i;
  r.config.n_widths = PROBE_MAX_WIDTHS;
  probe_network_text(&r, text);
  assert_int_equal(strlen(text), PROBE_TEXT - 1);
  assert_string_equal(text + PROBE_TEXT - 4, "...");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(merging_equals_measuring_together),
      cmocka_unit_test(merging_leaves_out_what_is_not_finite),
      cmocka_unit_test(z_counts_standard_errors),
      cmocka_unit_test(z_allows_for_rounding),
      cmocka_unit_test(nothing_to_test_is_nan),
      cmocka_unit_test(verdicts),
      cmocka_unit_test(numbers),
      cmocka_unit_test(layouts_survive_their_text),
      cmocka_unit_test(texts),
      cmocka_unit_test(labels_are_told_from_features),
      cmocka_unit_test(networks_in_words),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
