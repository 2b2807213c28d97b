/* What is to be said of tensors: failures, suspicions and notes. */
#include "inspect/inspection.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/dtype.h"
#include "base/text.h"

enum { LINE = 1024 };

const char *const answer_texts[ANSWER_COUNT] = {"holds", "fails", "not judged"};
const char *const finding_texts[FINDING_KINDS] = {"failure", "suspicion", "note"};

void find(inspection *i, finding_kind kind, size_t tensor, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  char *text = text_format(format, arguments);
  va_end(arguments);
  i->findings = grow(i->findings, &i->findings_capacity, i->n_findings + 1, sizeof *i->findings);
  i->findings[i->n_findings++] = (finding){kind, tensor, text};
}

static const char *name_of(const inspection *i, size_t tensor) {
  return i->tensors[tensor].tensor->name[0] ? i->tensors[tensor].tensor->name : "(array)";
}

/* ---- Tests of one tensor ----------------------------------------------------------------------------------------- */

static bool is_beyond(const inspection *i, const inspected *t, int which) {
  return fabs(t->tests[which].z) > i->z_bound; /* false for NaN */
}

/* What one test has found: "std: 0.102, expected 0.1, z = +7.01". */
static void describe_test(const inspected *t, test which, char *out, size_t size) {
  const test_result *r = &t->tests[which];
  char value[TEXT_NUMBER], expected[TEXT_NUMBER], z[TEXT_NUMBER];
  size_t used = (size_t)snprintf(out, size, "%s: %s", test_texts[which].words, text_real(r->value, value));
  if (!isnan(r->expected))
    used += (size_t)snprintf(out + used, size - used, ", expected %s", text_real(r->expected, expected));
  if (which == TEST_MODE) used += (size_t)snprintf(out + used, size - used, " (it is %s)", text_real(t->mode, value));
  const double *equal = which == TEST_EQUAL_ROWS ? t->first_equal_row : t->first_equal_column;
  const char *kind = which == TEST_EQUAL_ROWS || which == TEST_ZERO_ROWS ? "row" : "column";
  if (which == TEST_EQUAL_ROWS || which == TEST_EQUAL_COLUMNS) {
    used += (size_t)snprintf(out + used, size - used, " (%s %.0f is %s %.0f)", kind, equal[1], kind, equal[0]);
  }
  if (which == TEST_SCALED_ROWS || which == TEST_SCALED_COLUMNS) {
    const double *first = t->first_scaled[which == TEST_SCALED_COLUMNS];
    const char *what = which == TEST_SCALED_ROWS ? "row" : "column";
    used += (size_t)snprintf(out + used, size - used, " (%s %.0f is %s times %s %.0f)", what, first[0],
                             text_real(first[2], value), what, first[1]);
  }
  if (which == TEST_SHUFFLED_ROWS || which == TEST_SHUFFLED_COLUMNS) {
    const double *first = t->first_shuffled[which == TEST_SHUFFLED_COLUMNS];
    const char *what = which == TEST_SHUFFLED_ROWS ? "row" : "column";
    used +=
        (size_t)snprintf(out + used, size - used, " (%s %.0f has those of %s %.0f)", what, first[0], what, first[1]);
  }
  if (which == TEST_ZERO_ROWS || which == TEST_ZERO_COLUMNS) {
    const uint64_t first = t->first_zero[which == TEST_ZERO_COLUMNS];
    used += (size_t)snprintf(out + used, size - used, " (%s%s %" PRIu64 ")", r->value > 1 ? "the first is " : "", kind,
                             first);
  }
  if (which == TEST_MINIMUM || which == TEST_MAXIMUM) {
    used += (size_t)snprintf(out + used, size - used, r->z > 0 ? ", too far out" : ", the tail stops too early");
  }
  snprintf(out + used, size - used, ", z = %s", text_z(r->z, z));
}

/* One line for all tests of a tensor that are beyond the bound: what the first has found, and which others there are.
 */
static bool find_tests(inspection *i, finding_kind kind, size_t tensor) {
  const inspected *t = &i->tensors[tensor];
  char text[LINE] = "";
  size_t used = 0;
  int others = 0;
  for (int k = 0; k < TEST_COUNT && used < sizeof text; ++k) {
    const bool known = kind == FINDING_NOTE; /* of a table, which is made of lines that repeat */
    if (!is_beyond(i, t, k) || (known && k != TEST_EQUAL_ROWS && k != TEST_EQUAL_COLUMNS)) continue;
    if (used == 0) {
      describe_test(t, (test)k, text, sizeof text);
      used = strlen(text);
      continue;
    }
    used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", others++ ? ", " : "; also ", test_texts[k].name);
  }
  if (used > 0) find(i, kind, tensor, "%s", text);
  return used > 0;
}

static double lines_of(const inspected *t, bool column) {
  const double zeros = t->tests[column ? TEST_ZERO_COLUMNS : TEST_ZERO_ROWS].value;
  const double all = (double)(column ? t->columns : t->rows);
  return isnan(zeros) ? all : all - zeros;
}

/* Lines that differ from one another. */
static double distinct_lines(const inspected *t, bool column) {
  const double repeated = t->tests[column ? TEST_EQUAL_COLUMNS : TEST_EQUAL_ROWS].value;
  return isnan(repeated) ? lines_of(t, column) : lines_of(t, column) - repeated;
}

static bool is_table(const inspected *t) {
  return t->table || (t->rows > 1 && (distinct_lines(t, false) == 1 || distinct_lines(t, true) == 1));
}

static void find_of_tensor(inspection *i, size_t tensor) {
  const inspected *t = &i->tensors[tensor];
  char lo[TEXT_NUMBER], hi[TEXT_NUMBER], value[TEXT_NUMBER];
  if (t->measured && t->stats.nonfinite > 0) {
    find(i, FINDING_FAILURE, tensor, "%" PRIu64 " of its %" PRIu64 " values %s not finite", t->stats.nonfinite,
         t->stats.count, t->stats.nonfinite == 1 ? "is" : "are");
  } else if (t->answer == ANSWER_FAILS && !find_tests(i, FINDING_FAILURE, tensor)) {
    find(i, FINDING_FAILURE, tensor, "%s: %s, not what %s makes, which is within [%s, %s]", t->failed,
         strcmp(t->failed, "mean") == 0 ? text_real(t->stats.mean, value) : text_real(t->stats.std, value),
         t->expected.text, text_real(t->expected.moments.lo, lo), text_real(t->expected.moments.hi, hi));
  } else if (t->answer == ANSWER_NOT_JUDGED && t->closer) {
    find_tests(i, is_table(t) ? FINDING_NOTE : FINDING_SUSPICION, tensor);
  }
}

/* One line for all tensors of which the same is to be said: of the first, with the number of the others. */
static void find_of_several(inspection *i, finding_kind kind, const char *what, size_t texts_at) {
  for (size_t k = 0; k < i->count; ++k) {
    const char *text = *(char *const *)((const char *)&i->tensors[k].expected + texts_at);
    size_t others = 0;
    bool said = false;
    for (size_t n = 0; text && n < i->count && !said; ++n) {
      const char *other = *(char *const *)((const char *)&i->tensors[n].expected + texts_at);
      if (n == k || !other || strcmp(text, other) != 0) continue;
      said = n < k;
      ++others;
    }
    if (!text || said) continue;
    if (others == 0)
      find(i, kind, k, "%s%s", what, text);
    else
      find(i, kind, k, "%s%s (so of %zu other%s)", what, text, others, text_plural(others));
  }
}

/* ---- Tensors that share values ----------------------------------------------------------------------------------- */

/* Whether the shared lines are all that both tensors have: one is a copy of the other. */
static bool is_whole(const inspection *i, const shared_lines *s) {
  const inspected *a = &i->tensors[s->a], *b = &i->tensors[s->b];
  const double shared = (double)s->count;
  return s->a != s->b && lines_of(a, s->a_column) == lines_of(b, s->b_column) &&
         shared == distinct_lines(a, s->a_column) && shared == distinct_lines(b, s->b_column);
}

/* Whether both tensors were promised to be random numbers of their own. */
static bool is_promised(const inspection *i, size_t a, size_t b) {
  return check_is_random(&i->tensors[a].expected) && check_is_random(&i->tensors[b].expected);
}

static void let_fail(inspection *i, size_t tensor, const char *what) {
  inspected *t = &i->tensors[tensor];
  t->answer = ANSWER_FAILS;
  if (!t->failed) t->failed = what;
}

static void find_partly_shared(inspection *i, const shared_lines *s) {
  const inspected *a = &i->tensors[s->a], *b = &i->tensors[s->b];
  const char *a_line = s->a_column ? "column" : "row", *b_line = s->b_column ? "column" : "row";
  const bool fails = is_promised(i, s->a, s->b), table = is_table(a) && is_table(b);
  const finding_kind kind = fails ? FINDING_FAILURE : table ? FINDING_NOTE : FINDING_SUSPICION;
  if (fails) let_fail(i, s->b, "shared lines");
  if (s->a == s->b) {
    find(i, kind, s->b, "%" PRIu64 " of its rows are its columns, the first row %" PRIu64 " and column %" PRIu64,
         s->count, s->a_first, s->b_first);
  } else {
    find(i, kind, s->b, "%" PRIu64 " %s%s of it %s %s%s of %s, the first %s %" PRIu64 " and %s %" PRIu64, s->count,
         b_line, text_plural(s->count), s->count == 1 ? "is a" : "are", a_line, text_plural(s->count), name_of(i, s->a),
         b_line, s->b_first, a_line, s->a_first);
  }
}

/* Whether a copy has its lines in another order: then it is none that could be tied. */
static bool is_permuted(const inspection *i, size_t of, size_t copy, bool transposed) {
  return i->tensors[copy].in_order[transposed] != i->tensors[of].in_order[0];
}

static void find_permuted(inspection *i, size_t of, size_t copy, bool transposed) {
  const bool fails = is_promised(i, of, copy), table = is_table(&i->tensors[of]) && is_table(&i->tensors[copy]);
  if (fails) let_fail(i, copy, "shuffled");
  find(i,
       fails   ? FINDING_FAILURE
       : table ? FINDING_NOTE
               : FINDING_SUSPICION,
       copy, "has the lines of %s, bit for bit, in another order%s", name_of(i, of), transposed ? ", transposed" : "");
}

/* Says what is a copy of a tensor: one line for all copies that are no failures, and one for each that is. next[of] is
 * the first copy, and next[k] the one after copy k; 0: there is no more. */
static void find_copies(inspection *i, const size_t *next, const char *transposed, size_t of) {
  char names[256] = "";
  size_t used = 0, copies = 0, some = 0;
  for (size_t k = next[of]; k > 0; k = next[k]) {
    if (is_permuted(i, of, k, transposed[k])) {
      find_permuted(i, of, k, transposed[k]);
      continue;
    }
    if (is_promised(i, of, k) && !i->allow.tied) {
      let_fail(i, k, "copy");
      find(i, FINDING_FAILURE, k, "is a %scopy of %s, bit for bit", transposed[k] ? "transposed " : "", name_of(i, of));
      continue;
    }
    if (copies++ == 0)
      some = k;
    else if (copies <= 3)
      used += (size_t)snprintf(names + used, sizeof names - used, ", %.60s", name_of(i, k));
  }
  if (copies == 0) return;
  char more[64] = "";
  if (copies > 3) snprintf(more, sizeof more, " and %zu more", copies - 3);
  find(i, FINDING_NOTE, some, "is a %scopy of %s, bit for bit%s%s%s", transposed[some] ? "transposed " : "",
       name_of(i, of), copies > 1 ? "; so are" : "", copies > 1 ? names + 1 : "", more);
}

/* first[k] becomes the first tensor that has the values of tensor k. */
static void find_shared(inspection *i, size_t *first) {
  char *transposed = allocate(i->count, 1);
  size_t *next = allocate(i->count, sizeof *next), *head = allocate(i->count, sizeof *head);
  for (size_t k = 0; k < i->n_shared; ++k) {
    const shared_lines *s = &i->shared[k];
    if (!is_whole(i, s)) continue;
    transposed[s->b] = first[s->b] == s->b ? (s->a_column != s->b_column) != (transposed[s->a] != 0) : transposed[s->b];
    first[s->b] = first[s->a];
  }
  for (size_t k = 0; k < i->n_shared; ++k) {
    const shared_lines *s = &i->shared[k];
    const bool said = k > 0 && s[-1].a == s->a && s[-1].b == s->b; /* its columns are equal as well as its rows */
    if (first[s->a] != first[s->b] || s->a == s->b) {
      if (!said) find_partly_shared(i, s);
    }
  }
  for (size_t k = i->count; k-- > 1;) { /* a copy comes after the tensor that it is a copy of */
    if (first[k] == k) continue;
    next[k] = head[first[k]];
    head[first[k]] = k;
  }
  for (size_t k = 0; k < i->count; ++k) {
    if (first[k] != k || head[k] == 0) continue;
    next[k] = head[k];
    find_copies(i, next, transposed, k);
  }
  free(head);
  free(next);
  free(transposed);
}

static void find_related(inspection *i, const size_t *first) {
  char z[TEXT_NUMBER];
  for (size_t k = 0; k < i->compared_pairs; ++k) {
    related_pair *p = &i->pairs[k];
    if (!(fabs(p->z) > i->z_bound)) continue;
    p->said = first[p->a] == first[p->b];
    if (p->said) continue;
    const bool fails = is_promised(i, p->a, p->b) && !(p->same && i->allow.tied);
    if (fails) let_fail(i, p->b, "related");
    p->said = !fails;
    if (p->same) {
      find(i, fails ? FINDING_FAILURE : FINDING_NOTE, p->b, "has the values of %s, in another dtype", name_of(i, p->a));
      continue;
    }
    find(i, fails ? FINDING_FAILURE : FINDING_SUSPICION, p->b,
         "correlation %+.4f with %s, of their first %" PRIu64 " elements, z = %s", p->r, name_of(i, p->a), p->count,
         text_z(p->z, z));
  }
}

/* Whether it has been said already that tensors share values, or lines of one. */
static bool is_known(const inspection *i, const repeated_run *r, const size_t *first) {
  const test_result *tests = i->tensors[r->a].tests;
  if (r->a == r->b)
    return tests[TEST_EQUAL_ROWS].value > 0 || tests[TEST_SCALED_ROWS].value > 0 || tests[TEST_SHUFFLED_ROWS].value > 0;
  if (first[r->a] == first[r->b]) return true;
  for (size_t k = 0; k < i->n_shared; ++k) {
    if (i->shared[k].a == r->a && i->shared[k].b == r->b) return true;
  }
  for (size_t k = 0; k < i->compared_pairs; ++k) {
    const related_pair *p = &i->pairs[k];
    if (p->a == r->a && p->b == r->b && fabs(p->z) > i->z_bound) return true;
  }
  return false;
}

static void find_runs(inspection *i, const size_t *first) {
  char value[TEXT_NUMBER], times[TEXT_NUMBER + 16];
  for (size_t k = 0; k < i->n_runs; ++k) {
    const repeated_run *r = &i->runs[k];
    if (is_known(i, r, first)) continue;
    const bool part = r->a != r->b && i->allow.tied, promised = is_promised(i, r->a, r->b), fails = promised && !part;
    if (fails) let_fail(i, r->b, "repeated run");
    if (isnan(r->factor))
      snprintf(times, sizeof times, ", but for signs");
    else
      snprintf(times, sizeof times, ", times %s", text_real(r->factor, value));
    find(i,
         fails      ? FINDING_FAILURE
         : promised ? FINDING_NOTE
                    : FINDING_SUSPICION,
         r->b, "some %" PRIu64 " elements from number %" PRIu64 " %s are those of %s from number %" PRIu64 " on%s",
         r->count, r->b_first, r->reversed ? "down" : "on", r->a == r->b ? "the same tensor" : name_of(i, r->a),
         r->a_first, r->factor == 1 ? "" : times);
  }
}

/* Whether something was said of two tensors already, but for their values in another order. */
static bool is_said(const inspection *i, size_t a, size_t b, const size_t *first) {
  const repeated_run pair = {.a = a, .b = b};
  bool said = a != b && is_known(i, &pair, first);
  for (size_t k = 0; k < i->n_runs; ++k)
    said = said || (i->runs[k].a == a && i->runs[k].b == b);
  return said;
}

/* A failure where both tensors were promised to be random, else a suspicion. */
static void find_shuffled_one(inspection *i, size_t a, size_t b, const char *what) {
  const bool fails = is_promised(i, a, b);
  if (fails) let_fail(i, b, "shuffled");
  find(i, fails ? FINDING_FAILURE : FINDING_SUSPICION, b, "%s", what);
}

static void find_shuffled(inspection *i, const size_t *first) {
  char what[LINE];
  for (size_t k = 0; k < i->n_shuffled_pairs; ++k) {
    const shuffled_pair *p = &i->shuffled_pairs[k];
    if (is_said(i, p->a, p->b, first)) continue;
    snprintf(what, sizeof what, "has the values of %.400s, each as often, in another order", name_of(i, p->a));
    find_shuffled_one(i, p->a, p->b, what);
  }
  for (size_t k = 0; k < i->n_shuffled; ++k) {
    const shared_lines *s = &i->shuffled[k];
    bool said = is_said(i, s->a, s->b, first) || (k > 0 && s[-1].a == s->a && s[-1].b == s->b);
    for (size_t n = 0; n < i->n_shuffled_pairs; ++n)
      said = said || (i->shuffled_pairs[n].a == s->a && i->shuffled_pairs[n].b == s->b);
    if (said) continue;
    snprintf(what, sizeof what,
             "%" PRIu64 " %s%s of it %s the values of %s%s%s of %.400s in another order, %s %" PRIu64
             " those of %s %" PRIu64,
             s->count, s->b_column ? "column" : "row", text_plural(s->count), s->count == 1 ? "has" : "have",
             s->count == 1 ? "a " : "", s->a_column ? "column" : "row", text_plural(s->count),
             s->a == s->b ? "its own" : name_of(i, s->a), s->b_column ? "column" : "row", s->b_first,
             s->a_column ? "column" : "row", s->a_first);
    find_shuffled_one(i, s->a, s->b, what);
  }
}

void find_all(inspection *i) {
  size_t *first = allocate(i->count, sizeof *first), at = 0;
  const char *name;
  for (size_t k = 0; k < i->count; ++k) {
    first[k] = k;
    find_of_tensor(i, k);
  }
  find_of_several(i, FINDING_NOTE, "not judged: ", offsetof(expectation, reason));
  find_of_several(i, FINDING_SUSPICION, "", offsetof(expectation, dispute));
  find_shared(i, first);
  find_related(i, first);
  find_runs(i, first);
  find_shuffled(i, first);
  while ((name = wishes_missing(i->wishes, &at))) {
    ++i->missing;
    find(i, FINDING_FAILURE, NO_TENSOR, "%s is in %s and not here", name, i->wishes->model_path);
  }
  free(first);
}

/* ---- Values of a tensor that nobody says anything of ------------------------------------------------------------- */

/* The number that has that share of the values below it, up to the width of a bin. */
static double quantile(const survey *s, double share) {
  const double wanted = share * (double)s->stats.count;
  double below = 0, least = 0, most = 0;
  for (uint32_t bin = 0; bin < FANIN_BINS; ++bin) {
    below += (double)s->counts[bin];
    if (s->counts[bin] == 0 || below < wanted) continue;
    fanin_bin_numbers(s->t->type->dtype, bin, &least, &most);
    break;
  }
  return least;
}

/* Values that are further from the middle than ten times the distance between the quartiles: 13 sigma of a normal. */
static void find_outliers(const survey *s, size_t tensor, inspection *i) {
  char lo[TEXT_NUMBER], hi[TEXT_NUMBER], far[TEXT_NUMBER];
  const double low = quantile(s, 0.25), middle = quantile(s, 0.5), high = quantile(s, 0.75), reach = 10 * (high - low);
  double count = 0, least, most;
  for (uint32_t bin = 0; bin < FANIN_BINS; ++bin) {
    if (s->counts[bin] == 0) continue;
    fanin_bin_numbers(s->t->type->dtype, bin, &least, &most);
    if (least > middle + reach || most < middle - reach) count += (double)s->counts[bin];
  }
  if (!(reach > 0) || count == 0 || count > 0.01 * (double)s->stats.count) return;
  const double furthest = s->stats.max - middle > middle - s->stats.min ? s->stats.max : s->stats.min;
  find(i, FINDING_SUSPICION, tensor, "%.0f value%s far out, up to %s, while half of all lie within [%s, %s]", count,
       count == 1 ? " is" : "s are", text_real(furthest, far), text_real(low, lo), text_real(high, hi));
}

/* A number that is much more frequent than those around it: a bin with more elements than the four nearest bins make
 * likely, most of which are one number. Lines of zeros have been taken out before. */
static int find_atom(survey *s, size_t tensor, inspection *i, failure *why) {
  const fanin_dtype dtype = s->t->type->dtype;
  double worst = 10, surplus = 0, most = 0, number = 0;
  uint32_t suspect = 0, lower = 0;
  char value[TEXT_NUMBER];
  for (uint32_t bin = 2; bin < FANIN_BINS - 2; ++bin) {
    const double count = (double)s->counts[bin];
    const double four = (double)(s->counts[bin - 2] + s->counts[bin - 1] + s->counts[bin + 1] + s->counts[bin + 2]);
    const double excess = (count - four / 4) / sqrt(four / 4 + 1);
    if (count < 16 || excess <= worst) continue;
    worst = excess;
    surplus = count - four / 4;
    suspect = bin;
  }
  if (suspect == 0) return STATUS_OK;
  if (dtype_is_narrow(dtype)) {
    most = surplus;
  } else {
    uint64_t *counts = allocate(FANIN_BINS, sizeof *counts);
    const int status = survey_within(s, suspect, counts, why);
    for (uint32_t k = 0; k < FANIN_BINS; ++k) {
      if (counts[k] > counts[lower]) lower = k;
    }
    most = (double)counts[lower];
    free(counts);
    if (status != STATUS_OK) return status;
  }
  fanin_bin_number(dtype, suspect, lower, &number);
  if (most < surplus / 2) return STATUS_OK;
  find(i, FINDING_SUSPICION, tensor, "%.0f of its elements are %s", most, text_real(number, value));
  return STATUS_OK;
}

int find_oddities(survey *s, size_t tensor, inspection *i, failure *why) {
  const inspected *t = &i->tensors[tensor];
  int wide = 0;
  char value[TEXT_NUMBER];
  for (int d = 0; d < t->tensor->rank; ++d)
    wide += t->tensor->shape[d] > 1;
  if (t->stats.count > 0 && t->stats.nonfinite == 0 && t->stats.min == t->stats.max && wide > 1) {
    find(i, FINDING_SUSPICION, tensor, "every element is %s", text_real(t->stats.min, value));
  }
  if (t->closer && t->fit.outcome == FIT_OTHER && !t->table) find_outliers(s, tensor, i);
  if (t->closer && t->fit.outcome == FIT_LAW && t->swapped) {
    find(i, FINDING_SUSPICION, tensor,
         "its std fits %s: the fan of the other dimension, unless it is stored as (in, out)", t->like);
  }
  return t->closer && t->fit.outcome == FIT_OTHER && !t->table ? find_atom(s, tensor, i, why) : STATUS_OK;
}
