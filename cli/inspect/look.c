/* What is measured and tested of one tensor, by what is expected of it and by what its values look like. */
#include "inspect/inspection.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/dtype.h"
#include "base/text.h"
#include "inspect/bins.h"
#include "inspect/chance.h"

/* How many numbers the values of a bin are at least: 256 in f32 and f64, which is what 24-bit uniforms have near a
 * bound. Those of an orthogonal matrix may all be one number: those of 1 x 1 are 1 and -1. */
static double numbers_in_bin(const inspected *t) {
  const bool one = dtype_is_narrow(t->tensor->type->dtype) || (t->expected.known && check_is_dependent(&t->expected));
  return one ? 1 : 256;
}

/* ln of an upper bound of the probability that two of the values are equal: the sum of p^2 over bins. */
static double log_repeat_of(const survey *s, const inspected *t) {
  const double n = (double)s->stats.count;
  double sum = 0;
  for (size_t k = 0; k < FANIN_BINS; ++k)
    sum += (double)s->counts[k] * (double)s->counts[k];
  return log(sum / n / n) - log(numbers_in_bin(t));
}

/* ln of an upper bound of the probability that `length` values and as many others are the same ones, each as often, in
 * whatever order. It is length! times the probability that they are so in one order; and it is at most that of the
 * likeliest counts of the bins: of a multinomial, which is Poisson counts given their sum (docs/inspect.md). */
static double log_shuffled_of(const survey *s, double log_repeat, double length) {
  const double n = (double)s->stats.count, in_one_order = lgamma(length + 1) + length * log_repeat;
  double of_counts = log(2 * 3.14159265358979323846 * length) / 2 + 1 / (12 * length);
  for (size_t k = 0; k < FANIN_BINS; ++k) {
    const double mean = length * (double)s->counts[k] / n;
    of_counts -= mean < 1 ? mean : log(2 * 2.71828182845904523536 * mean) / 2;
  }
  return fmin(fmin(in_one_order, of_counts), 0);
}

/* Digests of the values, for lines_compare_values(). */
static int take_values(survey *s, inspected *t, failure *why) {
  const int status = survey_values(s, why);
  if (status != STATUS_OK) return status;
  t->values = s->values;
  t->log_shuffled[0] = s->rows > 0 ? log_shuffled_of(s, t->log_repeat, (double)(s->columns - s->zero_columns)) : 0;
  t->log_shuffled[1] = s->rows > 1 ? log_shuffled_of(s, t->log_repeat, (double)(s->rows - s->zero_rows)) : 0;
  t->log_shuffled[2] = log_shuffled_of(s, t->log_repeat, (double)s->stats.count);
  return STATUS_OK;
}

/* Finds the law that the values should follow, from what is expected or from the values themselves. */
static void find_law(const survey *s, inspected *t) {
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
  t->like = resemblance_of(t->file, t->tensor, &t->fit, s->stats.std, error, &t->swapped);
}

static void test_moments(inspected *t, const fanin_stats *stats) {
  const z_scores z = z_scores_of(&t->expected, stats, t->tensor->type->dtype);
  t->tests[TEST_STD] = (test_result){stats->std, t->expected.known ? t->expected.moments.std : NAN, z.std};
  t->tests[TEST_MEAN] = (test_result){stats->mean, t->expected.known ? t->expected.moments.mean : NAN, z.mean};
}

/* Whether a tensor is a table of embeddings by its name or its shape: one of rank 2, which has so many rows that it is
 * no projection. */
static bool is_embedding(const stored_tensor *t) {
  enum { ROWS_FOR_EACH_COLUMN = 16 };
  if (t->rank != 2) return false;
  return strstr(t->name, "emb") || strstr(t->name, "Emb") || strstr(t->name, "wte") || strstr(t->name, "shared") ||
         t->shape[0] / ROWS_FOR_EACH_COLUMN >= t->shape[1];
}

/* How many rows of zeros are those of the end, which a vocabulary has that was padded to a multiple of 64 or 128. */
static uint64_t padded_end(const survey *s) {
  uint64_t rows = 0;
  while (rows < s->rows && s->zero_row[s->rows - 1 - rows])
    ++rows;
  return rows;
}

/* Whether the rows of zeros are what embeddings have for padding. With --allow padding, that is a row wherever it is
 * and up to 127 at the end, of an embedding. Without, and without an expectation, it is one row alone: the first,
 * second or last of any matrix, or any of an embedding. */
static bool is_padding(const survey *s, const inspected *t, bool accepted) {
  enum { MOST_AT_END = 127 };
  const bool embedding = is_embedding(t->tensor);
  if (s->zero_rows == 0 || s->zero_columns > 0) return false;
  if (!t->expected.known && s->zero_rows == 1) {
    const uint64_t row = s->first_zero[0];
    return embedding || row < 2 || row == s->rows - 1;
  }
  const uint64_t at_end = padded_end(s);
  return accepted && embedding && at_end <= MOST_AT_END && s->zero_rows <= at_end + 1;
}

static void note_padding(const survey *s, size_t i, inspection *out) {
  const uint64_t at_end = padded_end(s), first = s->first_zero[0];
  if (s->zero_rows == 1)
    find(out, FINDING_NOTE, i, "row %" PRIu64 " is all zeros, as a row for padding is", first);
  else if (at_end == s->zero_rows)
    find(out, FINDING_NOTE, i, "the last %" PRIu64 " rows are all zeros, as those of a padded vocabulary are", at_end);
  else
    find(out, FINDING_NOTE, i, "row %" PRIu64 " and the last %" PRIu64 " row%s are all zeros, as padding is", first,
         at_end, text_plural(at_end));
}

/* Lines of zeros are a finding of their own, and the other tests are of what is left. Where zeros are so frequent that
 * a line may have nothing else by chance, there is nothing to find. */
static void test_zero_lines(survey *s, size_t i, inspection *out) {
  inspected *t = &out->tensors[i];
  const double log_zero = log(((double)s->counts[0x8000] + 0.5) / (double)s->stats.count);
  const double length = (double)(s->zero_rows > 0 ? s->columns : s->rows), lines = (double)(s->rows + s->columns);
  const bool some = s->zero_rows + s->zero_columns > 0, random = !t->expected.known || t->expected.law.zeros == 0;
  if (s->rows < 2) return;
  if (some && (!random || length * log_zero + log(lines) > LOG_BY_CHANCE || s->zero_rows == s->rows)) {
    s->zero_rows = s->zero_columns = 0;
    free(s->zero_row);
    free(s->zero_column);
    s->zero_row = s->zero_column = NULL;
    return;
  }
  memcpy(t->first_zero, s->first_zero, sizeof t->first_zero);
  const double rows = (double)s->zero_rows, columns = (double)s->zero_columns;
  const bool padding = is_padding(s, t, out->allow.padding);
  t->tests[TEST_ZERO_ROWS] = (test_result){rows, 0, rows > 0 && !padding ? deviate_of_log_tail(LOG_BY_CHANCE) : 0};
  t->tests[TEST_ZERO_COLUMNS] = (test_result){columns, 0, columns > 0 ? deviate_of_log_tail(LOG_BY_CHANCE) : 0};
  if (padding) note_padding(s, i, out);
  if (!some) return;
  survey_leave_zeros(s);
  test_moments(t, &s->stats);
}

/* Whether the values are no draw of random numbers by their looks: they are few different ones, or change so little
 * from one to the next, or from row to row, as those of a table that a program computes. */
static bool looks_like_table(const survey *s, const inspected *t) {
  enum { FEW = 16 };
  int different = 0;
  if (t->fit.outcome == FIT_LAW) return false;
  for (size_t k = 0; k < FANIN_BINS && different <= FEW; ++k)
    different += s->counts[k] > 0;
  const double n = (double)s->stats.count, squares = s->series.powers[1];
  for (int k = 0; k < SURVEY_LAGS; ++k) {
    if (s->products[k] > 16 && s->series.products[k] / squares * (n / (double)s->products[k]) > 0.8) return true;
  }
  return different <= FEW && s->stats.count > UINT64_C(4) * FEW;
}

/* Measures and tests everything beyond first moments. */
static int look_closer(gathering *g, survey *s, size_t i, inspection *out, failure *why) {
  inspected *t = &out->tensors[i];
  const char *layout =
      t->expected.layout[0] ? t->expected.layout : tensor_file_note(t->file, "layout", t->tensor->name);
  int status = survey_go_on(s, layout, why);
  if (status != STATUS_OK) return status;
  t->closer = true;
  t->rows = s->rows;
  t->columns = s->columns;
  test_zero_lines(s, i, out);
  t->log_repeat = log_repeat_of(s, t);
  find_law(s, t);
  t->table = !t->expected.known && looks_like_table(s, t);
  const bool narrow = dtype_is_narrow(t->tensor->type->dtype), tied = t->expected.twin != NULL;
  if (!(t->expected.rescaled && narrow)) status = test_values(s, t, why); /* numbers that two roundings leave out */
  if (status != STATUS_OK) return status;
  if (!t->expected.known) status = find_oddities(s, i, out, why);
  if (status != STATUS_OK) return status;
  if (t->fit.outcome == FIT_SPARSE || t->zeros > 0) return status;
  if (!t->table) status = test_rank(s, t, why);
  /* A tensor that was made with another one's values is left out where tensors are compared. */
  if (status == STATUS_OK && !tied && !t->table && t->has_law) status = take_values(s, t, why);
  if (!tied) lines_collect(s, i, out, &g->lines);
  if (status == STATUS_OK && !tied && !t->table) status = runs_collect(s, i, numbers_in_bin(t), &g->anchors, why);
  if (status == STATUS_OK && !t->table) status = test_multiples(s, t, why);
  if (status == STATUS_OK && !t->table) status = test_transpose(s, t, why);
  if (status != STATUS_OK || t->fit.outcome == FIT_OTHER) return status; /* a law that is not known here */
  test_order(s, t);
  status = test_dependence(s, t, why);
  return status != STATUS_OK || tied ? status : related_take(s, i, &g->related, out, why);
}

/* Values that depend on one another have tests of their own, and are compared with those of other tensors. */
static int compare_only(gathering *g, survey *s, size_t i, inspection *out, failure *why) {
  inspected *t = &out->tensors[i];
  int status = survey_go_on(s, t->expected.layout, why);
  if (status != STATUS_OK) return status;
  t->rows = s->rows;
  t->columns = s->columns;
  t->log_repeat = log_repeat_of(s, t);
  status = take_values(s, t, why);
  if (status == STATUS_OK) lines_collect(s, i, out, &g->lines);
  return status == STATUS_OK ? runs_collect(s, i, numbers_in_bin(t), &g->anchors, why) : status;
}

/* Whether a closer look makes sense: values that may be random, all of them finite, and of a size that the device can
 * standardise in f32. */
static bool is_worth_it(const inspected *t) {
  const double std = t->stats.std;
  return t->stats.count > 1 && t->stats.nonfinite == 0 && std > 1e-30 && std < 1e30 &&
         !(t->expected.known && check_is_fixed(&t->expected));
}

static int look_at(gathering *g, survey *s, size_t i, bool is_known, inspection *out, failure *why) {
  inspected *t = &out->tensors[i];
  if (is_known && check_is_fixed(&t->expected)) return test_exact(s, t, why);
  if (is_known && check_is_dependent(&t->expected)) {
    const int status = test_orthogonal(s, t, why);
    return status == STATUS_OK && is_worth_it(t) && !t->expected.twin ? compare_only(g, s, i, out, why) : status;
  }
  const bool named = t->expected.text != NULL;
  if (t->part && named && !t->expected.known) return STATUS_OK; /* a part of a matrix does not look like a draw */
  if (is_worth_it(t)) return look_closer(g, s, i, out, why);
  return t->expected.known ? STATUS_OK : find_oddities(s, i, out, why);
}

/* Whether two tensors are whole, or the same part of tensors of one shape. */
static bool is_same_place(const inspected *a, const inspected *b) {
  if (!a->part || !b->part) return !a->part && !b->part;
  return memcmp(a->part->where.start, b->part->where.start, sizeof a->part->where.start) == 0 &&
         memcmp(a->part->where.extent, b->part->where.extent, sizeof a->part->where.extent) == 0;
}

/* What has the values that a tensor, or a part of one, should have. NULL: the files have no such tensor, or it is
 * divided in another way. */
static const inspected *find_twin(const inspection *out, const inspected *t) {
  const checkpoint_tensor *twin = checkpoint_find(out->files, t->expected.twin);
  if (!twin) return NULL;
  const size_t of = (size_t)(twin - out->files->tensors);
  size_t k = of; /* there are no fewer parts than tensors */
  while (k < out->count &&
         (out->tensors[k].of < of || (out->tensors[k].of == of && !is_same_place(&out->tensors[k], t))))
    ++k;
  return k < out->count && out->tensors[k].of == of ? &out->tensors[k] : NULL;
}

static int look_at_norm(inspection *out, inspected *t, failure *why) {
  const checkpoint_tensor *of = checkpoint_find(out->files, t->expected.norm_of); /* there is one: check_norm() */
  return test_norm(t, of->stored, &out->files->files[of->shard], why);
}

int look(gathering *g, survey *s, size_t i, inspection *out, failure *why) {
  inspected *t = &out->tensors[i];
  const bool is_finite = t->stats.count > 0 && t->stats.nonfinite == 0, is_known = t->expected.known && is_finite;
  const inspected *twin = is_finite && t->expected.twin ? find_twin(out, t) : NULL; /* whatever made its values */
  test_moments(t, &t->stats);
  if (t->expected.norm_of) return is_finite ? look_at_norm(out, t, why) : STATUS_OK;
  const int status = look_at(g, s, i, is_known, out, why);
  return status == STATUS_OK && twin ? test_twin(t, twin, why) : status;
}
