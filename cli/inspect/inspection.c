/* Files under inspection: measures their tensors, tests them, compares them with one another, and judges. */
#include "inspect/inspection.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
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

/* Adds the file's tensor number i, which takes the expectation over. */
static inspected *add_tensor(const wishes *w, size_t i, expectation expected, inspection *out) {
  const checkpoint_tensor *c = &w->like.checkpoint.tensors[i];
  out->tensors = grow(out->tensors, &out->capacity, out->count + 1, sizeof *out->tensors);
  inspected *t = &out->tensors[out->count++];
  *t = (inspected){.tensor = c->stored,
                   .of = i,
                   .file = &w->like.checkpoint.files[c->shard],
                   .expected = expected,
                   .skewness = NAN,
                   .kurtosis = NAN,
                   .mode = NAN,
                   .degrees = NAN,
                   .distance = NAN,
                   .most_distance = NAN};
  for (int k = 0; k < TEST_COUNT; ++k)
    t->tests[k] = (test_result){NAN, NAN, NAN};
  return t;
}

/* Coordinates first .. end of a dimension as a tensor: "w[256..512]", "w[:,3..5]" along dimension 1. */
static inspected_part *part_of(const stored_tensor *whole, int dimension, const tensor_region *r) {
  const size_t room = strlen(whole->name) + 64 + 2 * (size_t)dimension;
  inspected_part *part = allocate(1, sizeof *part);
  stored_tensor *t = &part->stored;
  uint64_t inner = whole->type->bits / 8;
  size_t used = strlen(whole->name) + 1;
  for (int d = dimension + 1; d < whole->rank; ++d)
    inner *= whole->shape[d];
  *t = *whole;
  part->where = r->where;
  t->name = allocate(room, 1);
  snprintf(t->name, room, "%s[", whole->name);
  for (int d = 0; d < dimension; ++d)
    used += (size_t)snprintf(t->name + used, room - used, ":,");
  snprintf(t->name + used, room - used, "%" PRIu64 "..%" PRIu64 "]", r->first, r->end);
  t->shape = allocate((size_t)whole->rank, sizeof *t->shape);
  memcpy(t->shape, whole->shape, (size_t)whole->rank * sizeof *t->shape);
  t->shape[dimension] = r->end - r->first;
  t->elements = whole->elements / whole->shape[dimension] * t->shape[dimension];
  t->bytes = t->elements * (whole->type->bits / 8);
  t->offset += r->first * inner;
  t->run = inner * t->shape[dimension];
  t->step = inner * whole->shape[dimension];
  return part;
}

static void add_parts(const wishes *w, size_t i, const expectation *e, inspection *out) {
  const stored_tensor *whole = w->like.checkpoint.tensors[i].stored;
  tensor_region r = {.init = NULL};
  while (expectation_next(e, whole, &r)) {
    expectation expected;
    expectation_of_region(e, whole, &r, &expected);
    inspected *t = add_tensor(w, i, expected, out);
    t->part = part_of(whole, e->parts.dimension, &r);
    t->tensor = &t->part->stored;
  }
}

/* Lists what is to be inspected, with what is expected of it. A tensor with parts is one for each of them. */
static int begin_tensors(const wishes *w, inspection *out, failure *why) {
  int status = STATUS_OK;
  for (size_t i = 0; i < w->like.checkpoint.count && status == STATUS_OK; ++i) {
    expectation expected;
    status = expectation_of(w, i, &expected, why);
    if (status != STATUS_OK || expected.parts.count > 0) {
      if (status == STATUS_OK) add_parts(w, i, &expected, out);
      expectation_free(&expected);
    } else {
      add_tensor(w, i, expected, out);
    }
  }
  return status;
}

/* One file is open at a time, because there may be more of them than a process may have open. */
static int inspect_tensors(gathering *g, wishes *w, inspection *out, failure *why) {
  uint64_t shown = 0;
  int status = STATUS_OK;
  tensor_file *open = NULL;
  for (size_t i = 0; i < out->count && status == STATUS_OK; ++i) {
    const stored_tensor *t = out->tensors[i].tensor;
    tensor_file *f = &w->like.checkpoint.files[out->files->tensors[out->tensors[i].of].shard];
    if (!t->type->measurable) continue;
    if (progress_is_due(&shown)) {
      progress_show("measuring tensor %zu of %zu: %s", i + 1, out->count, t->name);
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
  for (int k = 0; k < TEST_COUNT && !t->failed; ++k) {
    const bool counts =
        t->expected.known || (k == TEST_EXACT && (t->expected.twin || t->expected.norm_of)); /* without a law */
    if (counts && fabs(t->tests[k].z) > z_bound) t->failed = test_texts[k].name;
  }
  bool tested = check_is_fixed(&t->expected);
  for (int k = 0; k < TEST_COUNT; ++k)
    tested = tested || !isnan(t->tests[k].z);
  const bool judged = (t->expected.known || t->expected.norm_of) && t->measured && t->stats.count > 0 && tested;
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
                      .closest = {.r = NAN, .z = NAN}};
  int status = begin_tensors(w, out, why);
  if (status == STATUS_OK) status = measurer_make(s, out->files, &g.measurer, why);
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
    inspected *t = &i->tensors[k];
    if (t->part) {
      free(t->part->stored.name);
      free(t->part->stored.shape);
    }
    free(t->part);
    free(t->like);
    expectation_free(&t->expected);
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
