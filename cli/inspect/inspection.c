/* A file under inspection: measures its tensors, tests them, compares them with one another, and judges. */
#include "inspect/inspection.h"

#include <math.h>
#include <stdlib.h>

#include "base/dtype.h"
#include "base/terminal.h"
#include "fanin/probe.h"
#include "inspect/bins.h"
#include "inspect/chance.h"

const struct test_texts test_texts[TEST_COUNT] = {
#define TEST_ROW(id, name, words) {name, words},
    TEST_MAP(TEST_ROW)
#undef TEST_ROW
};

/* What is gathered over the whole file while its tensors are measured. */
typedef struct gathering {
  measurer measurer;
  line_list lines;
  related related;
} gathering;

/* ln of an upper bound of the probability that two of the values are equal: the sum of p^2 over bins. A bin of f32 or
 * f64 has at least 256 numbers, which is what 24-bit uniforms have near a bound. */
static double log_repeat_of(const survey *s, fanin_dtype dtype) {
  const double n = (double)s->stats.count;
  double sum = 0;
  for (size_t k = 0; k < FANIN_BINS; ++k)
    sum += (double)s->counts[k] * (double)s->counts[k];
  return log(sum / n / n) - (dtype_is_narrow(dtype) ? 0 : log(256));
}

/* Finds the law that the values should follow, from the file's notes or from the values themselves. */
static void find_law(const tensor_file *f, const survey *s, inspected *t) {
  if (t->expected.known) {
    t->law = t->expected.law;
    t->has_law = true;
    t->zeros = t->law.zeros;
    t->law.zeros = 0; /* the law of the values that test_values() leaves */
    return;
  }
  t->fit = fit_values(&s->stats, t->tensor->type->dtype, s->counts);
  t->has_law = t->estimated = t->fit.outcome == FIT_LAW;
  t->law = t->fit.law;
  if (!t->has_law) return;
  double moments[13];
  law_moments(&(binned_law){.law = &t->law}, false, s->stats.mean, s->stats.std, moments);
  const double error = sqrt(fmax(moments[4] - 1, 0) / (4 * (double)s->stats.count));
  t->like = resemblance_of(f, t->tensor, s->stats.std, error);
}

/* Measures and tests everything beyond first moments. */
static int look_closer(gathering *g, survey *s, size_t i, inspection *out, failure *why) {
  inspected *t = &out->tensors[i];
  const char *layout = tensor_file_note(out->file, "layout", t->tensor->name);
  int status = survey_go_on(s, layout, why);
  if (status != STATUS_OK) return status;
  t->closer = true;
  t->rows = s->rows;
  t->columns = s->columns;
  t->log_repeat = log_repeat_of(s, t->tensor->type->dtype);
  find_law(out->file, s, t);
  status = test_values(s, t, why);
  if (status != STATUS_OK || t->fit.outcome == FIT_SPARSE || t->zeros > 0) return status;
  /* A tensor that was made with another one's values is left out where tensors are compared. */
  const bool tied = tensor_file_note(out->file, "key", t->tensor->name) != NULL;
  if (!tied) lines_collect(s, i, &g->lines);
  if (t->fit.outcome == FIT_OTHER) return status; /* the values follow no law that is known here */
  test_order(s, t);
  return tied ? STATUS_OK : related_take(s, i, &g->related, out, why);
}

/* Whether a closer look makes sense: values that may be random, all of them finite, and of a size that the device can
 * standardise in f32. */
static bool is_worth_it(const inspected *t) {
  const double std = t->stats.std;
  return t->stats.count > 1 && t->stats.nonfinite == 0 && std > 1e-30 && std < 1e30 &&
         !(t->expected.known && (check_is_fixed(&t->expected) || check_is_dependent(&t->expected)));
}

static int inspect_tensor(gathering *g, size_t i, inspection *out, failure *why) {
  inspected *t = &out->tensors[i];
  survey s;
  int status = survey_begin(&g->measurer, out->file, t->tensor, &s, why);
  t->stats = s.stats;
  t->measured = status == STATUS_OK;
  if (t->measured) {
    const z_scores z = z_scores_of(&t->expected, &t->stats, t->tensor->type->dtype);
    t->tests[TEST_STD] = (test_result){t->stats.std, t->expected.known ? t->expected.moments.std : NAN, z.std};
    t->tests[TEST_MEAN] = (test_result){t->stats.mean, t->expected.known ? t->expected.moments.mean : NAN, z.mean};
    if (is_worth_it(t)) status = look_closer(g, &s, i, out, why);
  }
  survey_free(&s);
  return status;
}

static void begin_tensor(const tensor_file *f, const stored_tensor *stored, inspected *t) {
  *t = (inspected){.tensor = stored,
                   .expected = expectation_of(f, stored),
                   .skewness = NAN,
                   .kurtosis = NAN,
                   .mode = NAN,
                   .degrees = NAN,
                   .distance = NAN,
                   .most_distance = NAN};
  for (int k = 0; k < TEST_COUNT; ++k)
    t->tests[k] = (test_result){NAN, NAN, NAN};
}

static int inspect_tensors(gathering *g, inspection *out, failure *why) {
  uint64_t shown = 0;
  int status = STATUS_OK;
  for (size_t i = 0; i < out->file->count; ++i)
    begin_tensor(out->file, &out->file->tensors[i], &out->tensors[i]);
  for (size_t i = 0; i < out->file->count && status == STATUS_OK; ++i) {
    const stored_tensor *t = &out->file->tensors[i];
    if (!t->type->measurable) continue;
    if (progress_is_due(&shown)) {
      progress_show("measuring tensor %zu of %zu: %s", i + 1, out->file->count, t->name);
    }
    status = inspect_tensor(g, i, out, why);
  }
  progress_clear();
  return status;
}

/* ---- Judging ----------------------------------------------------------------------------------------------------- */

static void judge(inspection *out) {
  out->z_bound = out->tests > 0 ? fanin_z_bound(out->tests) : NAN;
  for (size_t i = 0; i < out->file->count; ++i) {
    inspected *t = &out->tensors[i];
    const z_scores z = {t->tests[TEST_STD].z, t->tests[TEST_MEAN].z};
    t->verdict = t->measured ? check_tensor(&t->expected, &t->stats, t->tensor->type->dtype, &z, out->z_bound) : "-";
    for (int k = 0; k < TEST_COUNT && check_holds(t->verdict); ++k) {
      if (fabs(t->tests[k].z) > out->z_bound) t->verdict = test_texts[k].name;
    }
    if (t->estimated && check_holds(t->verdict)) t->verdict = "ok";
    if (!check_holds(t->verdict)) ++out->failed;
  }
}

static void count_tests(inspection *out) {
  for (size_t i = 0; i < out->file->count; ++i) {
    for (int k = 0; k < TEST_COUNT; ++k) {
      if (k == TEST_EQUAL_ROWS || k == TEST_EQUAL_COLUMNS) continue; /* lines_compare() counts those */
      if (!isnan(out->tensors[i].tests[k].z)) ++out->tests;
    }
  }
  out->tests += out->compared_pairs;
}

bool inspection_holds(const inspection *i) {
  return i->failed == 0 && i->n_shared == 0 && !(fabs(i->closest.z) > i->z_bound);
}

int inspect_file(const session *s, const tensor_file *f, inspection *out, failure *why) {
  gathering g = {.lines = {0}};
  *out = (inspection){.file = f, .device = s->device_name, .closest = {.r = NAN, .z = NAN}};
  out->tensors = allocate(f->count, sizeof *out->tensors);
  int status = measurer_make(s, f, &g.measurer, why);
  if (status == STATUS_OK) status = related_make(s, f, &g.related, why);
  if (status == STATUS_OK) status = inspect_tensors(&g, out, why);
  if (status == STATUS_OK) status = related_compare(s, &g.related, out, why);
  if (status == STATUS_OK) {
    out->tests = lines_compare(&g.lines, out);
    count_tests(out);
    judge(out);
  }
  related_free(&g.related);
  lines_free(&g.lines);
  measurer_free(&g.measurer);
  return status;
}

void inspection_free(inspection *i) {
  for (size_t k = 0; i->tensors && k < i->file->count; ++k)
    free(i->tensors[k].like);
  free(i->tensors);
  free(i->shared);
  free(i->pairs);
  *i = (inspection){0};
}
