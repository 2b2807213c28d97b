/* The family false-alarm rate of 'fanin inspect', over many seeds of a small model: with the file's notes, and guessed.
 */
#include "formats/safetensors.h"
#include "init/request.h"
#include "inspect/inspection.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/support.h" /* last: cmocka has a macro fail() */

enum { SEEDS = TEST_DRAWS(200, 10) };

typedef struct part {
  const char *init, *layout;
  fanin_dtype dtype;
  int rank;
  uint64_t shape[4];
} part;

static const part parts[] = {{"he_normal", "OI", FANIN_DTYPE_F32, 2, {64, 128}},
                             {"he_uniform", "OI", FANIN_DTYPE_F32, 2, {128, 40}},
                             {"xavier_normal:distribution=trunc_normal", "OI", FANIN_DTYPE_F32, 2, {100, 70}},
                             {"normal:std=0.02", "", FANIN_DTYPE_F32, 1, {300}},
                             {"uniform:lo=-1,hi=2", "", FANIN_DTYPE_F32, 1, {40}},
                             {"lecun_normal", "IO", FANIN_DTYPE_BF16, 2, {77, 65}},
                             {"he_uniform", "OI", FANIN_DTYPE_BF16, 2, {96, 64}},
                             {"xavier_normal:distribution=trunc_normal", "OI", FANIN_DTYPE_BF16, 2, {70, 70}},
                             {"trunc_normal:std=0.1,a=-1,b=3", "OIHW", FANIN_DTYPE_F16, 4, {16, 8, 3, 3}},
                             {"lecun_uniform", "OI", FANIN_DTYPE_F16, 2, {40, 50}},
                             {"zeros", "", FANIN_DTYPE_F32, 1, {64}},
                             {"lecun_uniform", "OI", FANIN_DTYPE_F32, 2, {50, 50}}};
enum { PARTS = sizeof parts / sizeof *parts, STORED_IO = 5 };

/* Families that are alike: positive numbers, wide and short ranges, coarse dtypes. */
static const part guessed[] = {
    {"log_uniform", "", FANIN_DTYPE_F32, 2, {90, 100}},
    {"log_uniform:lo=1e-6,hi=1e3", "", FANIN_DTYPE_F32, 2, {90, 100}},
    {"log_uniform:lo=1,hi=3", "", FANIN_DTYPE_F32, 2, {90, 100}},
    {"log_uniform", "", FANIN_DTYPE_BF16, 2, {90, 100}},
    {"log_uniform:lo=0.01,hi=10", "", FANIN_DTYPE_F16, 1, {9000}},
    {"uniform:lo=1,hi=1.2", "", FANIN_DTYPE_F32, 2, {90, 100}},
    {"uniform:lo=0,hi=1", "", FANIN_DTYPE_BF16, 2, {90, 100}},
    {"normal:mean=9,std=1", "", FANIN_DTYPE_F32, 2, {90, 100}},
    {"normal:mean=9,std=1", "", FANIN_DTYPE_F16, 2, {90, 100}},
    {"trunc_normal:mean=9,std=1", "", FANIN_DTYPE_F32, 2, {90, 100}},
    {"constant:value=3", "", FANIN_DTYPE_F32, 2, {90, 100}},
};
static const char *const guesses[] = {"log-uniform", "log-uniform",      "log-uniform", "log-uniform",
                                      "log-uniform", "uniform",          "uniform",     "normal",
                                      "normal",      "truncated normal", "constant"};
enum { GUESSED = sizeof guessed / sizeof *guessed };

static void expect_ok(int status, const failure *why) {
  if (status != STATUS_OK) fail_msg("%s", why->text);
}

static model make_model(const part *all, int n) {
  model m = {0};
  failure why = {0};
  for (int k = 0; k < n; ++k) {
    char name[16];
    fanin_init init;
    snprintf(name, sizeof name, "t%d", k);
    assert_int_equal(fanin_init_parse(all[k].init, &init), FANIN_STATUS_OK);
    const fanin_tensor t = test_tensor_of(NULL, 0, all[k].dtype, all[k].layout, all[k].rank, all[k].shape);
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
  for (size_t k = 0; k < i->count; ++k) {
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
  static const test continuous[] = {TEST_STD,      TEST_MEAN,        TEST_SKEWNESS,  TEST_KURTOSIS, TEST_DISTRIBUTION,
                                    TEST_ROW_SUMS, TEST_COLUMN_SUMS, TEST_LAG_1,     TEST_LAG_2,    TEST_LAG_4,
                                    TEST_LAG_ROW,  TEST_DEPENDENCE,  TEST_TRANSPOSE, TEST_COUNT};
  for (size_t k = 0; k < sizeof continuous / sizeof *continuous; ++k) {
    const test t = continuous[k];
    const double n = (double)s->count[t], variance = s->squares[t] / n;
    assert_true(n >= 3 * SEEDS);
    if (fabs(variance - 1) < 5 * sqrt(2 / n)) continue;
    fail_msg("%s: the variance of %.0f z is %.3f", t < TEST_COUNT ? test_texts[t].name : "pairs", n, variance);
  }
}

/* Reads a file and inspects it, with its notes or as one that has none. */
static void read_and_inspect(const session *s, const char *path, bool notes, wishes *w, inspection *out) {
  failure why = {0};
  *w = (wishes){.n_inits = 0};
  expect_ok(checkpoint_gather(&path, 1, &w->like.checkpoint, &why), &why);
  if (!notes) {
    json_decref(w->like.checkpoint.files[0].metadata);
    w->like.checkpoint.files[0].metadata = NULL;
  }
  expect_ok(wishes_load(w, &why), &why);
  expect_ok(inspect_files(s, w, (allowed){false, false}, out, &why), &why);
}

/* The largest |z| of a file, and what it would be judged by at a rate of 0.1. */
static void inspect(const session *s, const char *path, bool notes, int *rejected, int *loosely, spread *all) {
  wishes w;
  inspection i;
  read_and_inspect(s, path, notes, &w, &i);
  const double most = fabs(i.most_z);
  assert_true(i.tests > (notes ? 140 : 80));
  const double beyond = erfc(most / sqrt(2)); /* two-sided p */
  if (notes) add_squares(all, &i);
  const bool swapped =
      i.tensors[STORED_IO].swapped; /* lecun_normal of the other dimension, as it would be in PyTorch */
  *rejected += inspection_answer(&i) == ANSWER_FAILS || i.suspicious > swapped;
  assert_int_equal(i.answers[ANSWER_NOT_JUDGED], notes ? 0 : PARTS);
  *loosely += -expm1((double)i.tests * log1p(-beyond)) < 0.1;
  inspection_free(&i);
  wishes_free(&w);
}

/* A session, and a directory with room for a file. */
typedef struct place {
  session session;
  char directory[256], path[512];
} place;

static place make_place(void) {
  place p;
  failure why = {0};
  const char *const temporary = getenv("TMPDIR");
  snprintf(p.directory, sizeof p.directory, "%s/fanin-test-XXXXXX", temporary && *temporary ? temporary : "/tmp");
  assert_non_null(mkdtemp(p.directory));
  snprintf(p.path, sizeof p.path, "%s/m.safetensors", p.directory);
  expect_ok(session_open(NULL, &p.session, &why), &why);
  return p;
}

static void remove_place(place *p) {
  unlink(p->path);
  rmdir(p->directory);
  session_close(&p->session);
}

/* Binomial bounds: of 200 files 0.2 are expected at 1e-3, and more than 4 with probability 2e-6. At 0.1, 20 are if all
 * tests were continuous; a third of them are counts that hardly ever have any deviate at all, so that 12 to 20 are:
 * above 40 with probability 1e-5, below 2 with probability 1e-4. Of 10 files more than 6 are with probability 1e-5. */
static void false_alarms_are_as_rare_as_stated(void **state) {
  (void)state;
  place p = make_place();
  model m = make_model(parts, PARTS);
  spread all = {{0}, {0}};
  int rejected[2] = {0}, loosely[2] = {0};
  for (uint64_t seed = 0; seed < SEEDS; ++seed) {
    write_model(&p.session, &m, seed, p.path);
    for (int notes = 0; notes < 2; ++notes)
      inspect(&p.session, p.path, notes, &rejected[notes], &loosely[notes], &all);
  }
  for (int notes = 0; notes < 2; ++notes) {
    print_message("%s: of %d files %d rejected at 1e-3, %d at 0.1\n", notes ? "with notes" : "guessed", SEEDS,
                  rejected[notes], loosely[notes]);
    assert_in_range(rejected[notes], 0, 4);
    assert_in_range(loosely[notes], TEST_DRAWS(2, 0), TEST_DRAWS(40, 6));
  }
  check_squares(&all);
  remove_place(&p);
  model_free(&m);
}

/* The truncated normal's cut shows in these 9,000 elements, and a uniform on [1, 1.2] is no log-uniform, which it would
 * also fit. A guess is no expectation: no tensor is judged. The one that a guess makes suspicious is the constant. */
static void families_are_told_apart(void **state) {
  (void)state;
  place p = make_place();
  model m = make_model(guessed, GUESSED);
  for (uint64_t seed = 0; seed < 5; ++seed) {
    wishes w;
    inspection i;
    write_model(&p.session, &m, seed, p.path);
    read_and_inspect(&p.session, p.path, false, &w, &i);
    for (int k = 0; k < GUESSED; ++k) {
      const inspected *t = &i.tensors[k];
      const char *name = t->closer ? t->fit.name : "constant";
      if (strcmp(name, guesses[k]) != 0) fail_msg("seed %d: %s is %s", (int)seed, guessed[k].init, name);
    }
    assert_int_equal(inspection_answer(&i), ANSWER_NOT_JUDGED);
    assert_int_equal(i.answers[ANSWER_NOT_JUDGED], GUESSED);
    assert_int_equal(i.suspicious, 1);
    const fanin_law *law = &i.tensors[0].law; /* of the default: from 0.001 to 0.1 */
    assert_true(i.tensors[0].estimated && law->kind == FANIN_LAW_KIND_LOG_UNIFORM);
    assert_true(fabs(log(law->from / 0.001)) < 0.01 && fabs(log(law->to / 0.1)) < 0.01);
    inspection_free(&i);
    wishes_free(&w);
  }
  remove_place(&p);
  model_free(&m);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(families_are_told_apart),
                                     cmocka_unit_test(false_alarms_are_as_rare_as_stated)};
  return cmocka_run_group_tests_name("inspection", tests, NULL, NULL);
}
