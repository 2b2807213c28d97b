/* The family false-alarm rate of 'fanin inspect', over many seeds of a small model: with the file's notes, and guessed.
 */
#include "formats/safetensors.h"
#include "init/output_files.h"
#include "inspect/inspection.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/support.h" /* last: cmocka has a macro fail() */

enum { SEEDS = 200 };

static const struct {
  const char *init, *layout;
  fanin_dtype dtype;
  int rank;
  uint64_t shape[4];
} parts[] = {{"he_normal", "OI", FANIN_DTYPE_F32, 2, {64, 128}},
             {"he_uniform", "OI", FANIN_DTYPE_F32, 2, {128, 40}},
             {"xavier_normal:distribution=trunc_normal", "OI", FANIN_DTYPE_F32, 2, {100, 70}},
             {"normal:std=0.02", "", FANIN_DTYPE_F32, 1, {300}},
             {"uniform:lo=-1,hi=2", "", FANIN_DTYPE_F32, 1, {40}},
             {"lecun_normal", "IO", FANIN_DTYPE_BF16, 2, {77, 65}},
             {"he_uniform", "OI", FANIN_DTYPE_BF16, 2, {96, 64}},
             {"xavier_normal:distribution=trunc_normal", "OI", FANIN_DTYPE_BF16, 2, {60, 80}},
             {"trunc_normal:std=0.1,a=-1,b=3", "OIHW", FANIN_DTYPE_F16, 4, {16, 8, 3, 3}},
             {"lecun_uniform", "OI", FANIN_DTYPE_F16, 2, {40, 50}},
             {"zeros", "", FANIN_DTYPE_F32, 1, {64}}};
enum { PARTS = sizeof parts / sizeof *parts };

static void expect_ok(int status, const failure *why) {
  if (status != STATUS_OK) fail_msg("%s", why->text);
}

static model make_model(void) {
  model m = {0};
  failure why = {0};
  for (int k = 0; k < PARTS; ++k) {
    char name[16];
    fanin_init init;
    snprintf(name, sizeof name, "t%d", k);
    assert_int_equal(fanin_init_parse(parts[k].init, &init), FANIN_STATUS_OK);
    const fanin_tensor t = test_tensor_of(NULL, 0, parts[k].dtype, parts[k].layout, parts[k].rank, parts[k].shape);
    expect_ok(model_add(&m, name, &t, &init, "test", &why), &why);
  }
  return m;
}

static void write_model(const session *s, const model *m, uint64_t seed, const char *path) {
  failure why = {0};
  const init_request r = {.output = path, .seed = seed};
  expect_ok(init_file_write(&r, s, path, m, &why), &why);
}

/* Sums of z^2 by test; the last one's are of pairs. */
typedef struct spread {
  double squares[TEST_COUNT + 1];
  size_t count[TEST_COUNT + 1];
} spread;

static void add_squares(spread *s, const inspection *i) {
  for (size_t k = 0; k < i->file->count; ++k) {
    for (int t = 0; t < TEST_COUNT; ++t) {
      const double z = i->tensors[k].tests[t].z;
      s->squares[t] += isnan(z) ? 0 : z * z;
      if (!isnan(z)) ++s->count[t];
    }
  }
  for (size_t k = 0; k < i->compared_pairs; ++k)
    s->squares[TEST_COUNT] += i->pairs[k].z * i->pairs[k].z;
  s->count[TEST_COUNT] += i->compared_pairs;
}

/* The variance of every continuous test is 1, within five standard errors, sqrt(2 / n) for normals. Counts have none;
 * extremes of 16-bit types often are the bound itself. */
static void check_squares(const spread *s) {
  static const test continuous[] = {TEST_STD,          TEST_MEAN,     TEST_SKEWNESS,    TEST_KURTOSIS,
                                    TEST_DISTRIBUTION, TEST_ROW_SUMS, TEST_COLUMN_SUMS, TEST_LAG_1,
                                    TEST_LAG_2,        TEST_LAG_4,    TEST_LAG_ROW,     TEST_COUNT};
  for (size_t k = 0; k < sizeof continuous / sizeof *continuous; ++k) {
    const test t = continuous[k];
    const double n = (double)s->count[t], variance = s->squares[t] / n;
    assert_true(n >= 600);
    if (fabs(variance - 1) < 5 * sqrt(2 / n)) continue;
    fail_msg("%s: the variance of %.0f z is %.3f", t < TEST_COUNT ? test_name(t) : "pairs", n, variance);
  }
}

/* The largest |z| of a file, and what it would be judged by at a rate of 0.1. */
static void inspect(const session *s, const char *path, bool notes, int *rejected, int *loosely, spread *all) {
  failure why = {0};
  tensor_file file;
  inspection i;
  expect_ok(tensor_file_open(path, &file, &why), &why);
  if (!notes) {
    json_decref(file.metadata);
    file.metadata = NULL;
  }
  expect_ok(inspect_file(s, &file, &i, &why), &why);
  double most = fabs(i.closest.z);
  for (size_t k = 0; k < file.count; ++k) {
    for (int t = 0; t < TEST_COUNT; ++t)
      most = fmax(most, fabs(i.tensors[k].tests[t].z)); /* leaves NaN out */
  }
  assert_true(i.tests > (notes ? 140 : 80));
  const double beyond = erfc(most / sqrt(2)); /* two-sided p */
  if (notes) add_squares(all, &i);
  *rejected += !inspection_holds(&i);
  *loosely += -expm1((double)i.tests * log1p(-beyond)) < 0.1;
  inspection_free(&i);
  tensor_file_close(&file);
}

/* Binomial bounds: of 200 files 0.2 are expected at 1e-3, and more than 4 with probability 2e-6. At 0.1, 20 are if all
 * tests were continuous; a third of them are counts that hardly ever have any deviate at all, so that 12 to 20 are:
 * above 40 with probability 1e-5, below 2 with probability 1e-4. */
static void false_alarms_are_as_rare_as_stated(void **state) {
  (void)state;
  char directory[256], path[512];
  const char *const temporary = getenv("TMPDIR");
  failure why = {0};
  session s;
  model m = make_model();
  snprintf(directory, sizeof directory, "%s/fanin-test-XXXXXX", temporary && *temporary ? temporary : "/tmp");
  assert_non_null(mkdtemp(directory));
  snprintf(path, sizeof path, "%s/m.safetensors", directory);
  expect_ok(session_open(NULL, &s, &why), &why);
  spread all = {{0}, {0}};
  int rejected[2] = {0}, loosely[2] = {0};
  for (uint64_t seed = 0; seed < SEEDS; ++seed) {
    write_model(&s, &m, seed, path);
    for (int notes = 0; notes < 2; ++notes)
      inspect(&s, path, notes, &rejected[notes], &loosely[notes], &all);
  }
  for (int notes = 0; notes < 2; ++notes) {
    print_message("%s: of %d files %d rejected at 1e-3, %d at 0.1\n", notes ? "with notes" : "guessed", SEEDS,
                  rejected[notes], loosely[notes]);
    assert_in_range(rejected[notes], 0, 4);
    assert_in_range(loosely[notes], 2, 40);
  }
  check_squares(&all);
  unlink(path);
  rmdir(directory);
  session_close(&s);
  model_free(&m);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(false_alarms_are_as_rare_as_stated)};
  return cmocka_run_group_tests_name("inspection", tests, NULL, NULL);
}
