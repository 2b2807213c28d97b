/* Files under inspection: measures their tensors, tests them, compares them with one another, and judges. */
#include "inspect/inspection.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/dtype.h"
#include "base/terminal.h"
#include "base/text.h"
#include "fanin/probe.h"
#include "inspect/bins.h"
#include "inspect/chance.h"

const struct test_texts test_texts[TEST_COUNT] = {
#define TEST_ROW(id, name, words) {name, words},
    TEST_MAP(TEST_ROW)
#undef TEST_ROW
};

/* ---- Tensors ----------------------------------------------------------------------------------------------------- */

static int inspect_tensor(gathering *g, size_t i, inspection *out, failure *why) {
  inspected *t = &out->tensors[i];
  survey s;
  int status = survey_begin(&g->measurer, t->file, t->tensor, &s, why);
  t->stats = s.stats;
  t->measured = status == STATUS_OK;
  if (t->measured) status = look(g, &s, i, out, why);
  survey_free(&s);
  return status;
}

static int begin_tensor(const wishes *w, size_t i, inspected *t, failure *why) {
  const checkpoint_tensor *c = &w->like.checkpoint.tensors[i];
  *t = (inspected){.tensor = c->stored,
                   .file = &w->like.checkpoint.files[c->shard],
                   .skewness = NAN,
                   .kurtosis = NAN,
                   .mode = NAN,
                   .degrees = NAN,
                   .distance = NAN,
                   .most_distance = NAN};
  for (int k = 0; k < TEST_COUNT; ++k)
    t->tests[k] = (test_result){NAN, NAN, NAN};
  return expectation_of(w, i, &t->expected, why);
}

/* One file is open at a time, because there may be more of them than a process may have open. */
static int inspect_tensors(gathering *g, wishes *w, inspection *out, failure *why) {
  uint64_t shown = 0;
  int status = STATUS_OK;
  tensor_file *open = NULL;
  for (size_t i = 0; i < out->count && status == STATUS_OK; ++i)
    status = begin_tensor(w, i, &out->tensors[i], why);
  for (size_t i = 0; i < out->count && status == STATUS_OK; ++i) {
    const checkpoint_tensor *t = &out->files->tensors[i];
    tensor_file *f = &w->like.checkpoint.files[t->shard];
    if (!t->stored->type->measurable) continue;
    if (progress_is_due(&shown)) {
      progress_show("measuring tensor %zu of %zu: %s", i + 1, out->count, t->stored->name);
    }
    if (open && open != f) {
      tensor_file_rest(open);
      g->measurer.loaded[1] = 0;
    }
    open = f;
    status = tensor_file_reopen(f, why);
    if (status == STATUS_OK) status = inspect_tensor(g, i, out, why);
  }
  if (open) tensor_file_rest(open);
  progress_clear();
  return status;
}

/* ---- Judging ----------------------------------------------------------------------------------------------------- */

static void judge_tensor(inspected *t, double z_bound) {
  const z_scores z = {t->tests[TEST_STD].z, t->tests[TEST_MEAN].z};
  t->failed = t->measured ? check_tensor(&t->expected, &t->stats, t->tensor->type->dtype, &z, z_bound) : NULL;
  for (int k = 0; k < TEST_COUNT && !t->failed && t->expected.known; ++k) {
    if (fabs(t->tests[k].z) > z_bound) t->failed = test_texts[k].name;
  }
  bool tested = check_is_fixed(&t->expected);
  for (int k = 0; k < TEST_COUNT; ++k)
    tested = tested || !isnan(t->tests[k].z);
  const bool judged = t->expected.known && t->measured && t->stats.count > 0 && tested;
  t->answer = t->failed ? ANSWER_FAILS : judged ? ANSWER_HOLDS : ANSWER_NOT_JUDGED;
}

static bool is_judged(const inspection *i, size_t tensor) {
  return i->tensors[tensor].answer != ANSWER_NOT_JUDGED;
}

static void note_z(inspection *out, double z) {
  if (!isnan(z) && !(fabs(z) <= fabs(out->most_z))) out->most_z = z;
}

/* Of tests that nobody's answer comes from, the bound says nothing: they count where there are no others. */
static void find_most(inspection *out) {
  const bool all = out->answers[ANSWER_NOT_JUDGED] == out->count;
  out->most_z = NAN;
  for (size_t k = 0; k < out->compared_pairs; ++k) {
    const related_pair *p = &out->pairs[k];
    if (all || (is_judged(out, p->a) && is_judged(out, p->b) && !p->said)) note_z(out, p->z);
  }
  for (size_t i = 0; i < out->count; ++i) {
    for (int k = 0; k < TEST_COUNT && (all || is_judged(out, i)); ++k)
      note_z(out, out->tensors[i].tests[k].z);
  }
}

static void judge(inspection *out) {
  out->z_bound = out->tests > 0 ? fanin_z_bound(out->tests) : NAN;
  for (size_t i = 0; i < out->count; ++i)
    judge_tensor(&out->tensors[i], out->z_bound);
  find_all(out);
  bool *suspicious = allocate(out->count, sizeof *suspicious);
  for (size_t k = 0; k < out->n_findings; ++k) {
    if (out->findings[k].kind == FINDING_SUSPICION) suspicious[out->findings[k].tensor] = true;
  }
  for (size_t i = 0; i < out->count; ++i) {
    ++out->answers[out->tensors[i].answer];
    out->suspicious += suspicious[i];
  }
  free(suspicious);
  find_most(out);
}

static void count_tests(inspection *out) {
  for (size_t i = 0; i < out->count; ++i) {
    for (int k = 0; k < TEST_COUNT; ++k) {
      if (!isnan(out->tensors[i].tests[k].z)) ++out->tests;
    }
  }
  out->tests += out->compared_pairs;
}

answer inspection_answer(const inspection *i) {
  if (i->answers[ANSWER_FAILS] + i->missing > 0) return ANSWER_FAILS;
  return i->answers[ANSWER_HOLDS] > 0 ? ANSWER_HOLDS : ANSWER_NOT_JUDGED;
}

const char *inspection_condition(const inspection *i) {
  const bool partly = inspection_answer(i) == ANSWER_HOLDS && i->answers[ANSWER_NOT_JUDGED] > 0;
  return partly ? "as far as judged" : NULL;
}

int inspect_files(const session *s, wishes *w, allowed allow, inspection *out, failure *why) {
  gathering g = {.anchors = runs_begin(&w->like.checkpoint)};
  size_t run_tests = 0;
  *out = (inspection){.wishes = w,
                      .files = &w->like.checkpoint,
                      .allow = allow,
                      .device = s->device_name,
                      .count = w->like.checkpoint.count,
                      .closest = {.r = NAN, .z = NAN}};
  out->tensors = allocate(out->count, sizeof *out->tensors);
  int status = measurer_make(s, out->files, &g.measurer, why);
  if (status == STATUS_OK) status = related_make(s, out->count, &g.related, why);
  if (status == STATUS_OK) status = inspect_tensors(&g, w, out, why);
  if (status == STATUS_OK) status = related_compare(s, &g.related, out, why);
  if (status == STATUS_OK) status = runs_compare(&g.anchors, out, &run_tests, why);
  if (status == STATUS_OK) {
    out->tests = run_tests;
    lines_compare(&g.lines, out);
    lines_compare_values(&g.lines, out);
    count_tests(out);
    judge(out);
  }
  related_free(&g.related);
  runs_free(&g.anchors);
  lines_free(&g.lines);
  measurer_free(&g.measurer);
  return status;
}

void inspection_free(inspection *i) {
  for (size_t k = 0; i->tensors && k < i->count; ++k) {
    free(i->tensors[k].like);
    expectation_free(&i->tensors[k].expected);
  }
  for (size_t k = 0; k < i->n_findings; ++k)
    free(i->findings[k].text);
  free(i->findings);
  free(i->tensors);
  free(i->shared);
  free(i->shuffled);
  free(i->shuffled_pairs);
  free(i->runs);
  free(i->pairs);
  *i = (inspection){0};
}
