/* Tensors that share values: copies, lines, runs, correlations, and values in another order. What is said of two
 * tensors once is not said again in weaker words. */
#include "inspect/inspection.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"

static const char *name_of(const inspection *i, size_t tensor) {
  return i->tensors[tensor].tensor->name[0] ? i->tensors[tensor].tensor->name : "(array)";
}

double lines_of(const inspected *t, bool column) {
  const double zeros = t->tests[column ? TEST_ZERO_COLUMNS : TEST_ZERO_ROWS].value;
  const double all = (double)(column ? t->columns : t->rows);
  return isnan(zeros) ? all : all - zeros;
}

/* Lines that differ from one another. */
static double distinct_lines(const inspected *t, bool column) {
  const double repeated = t->tests[column ? TEST_EQUAL_COLUMNS : TEST_EQUAL_ROWS].value;
  return isnan(repeated) ? lines_of(t, column) : lines_of(t, column) - repeated;
}

bool is_table(const inspected *t) {
  return t->table || (t->rows > 1 && (distinct_lines(t, false) == 1 || distinct_lines(t, true) == 1));
}

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

/* What a finding of a tensor is: a failure, which makes the tensor fail by `what`, or something else. */
static finding_kind kind_of(inspection *i, size_t tensor, bool fails, const char *what, finding_kind otherwise) {
  inspected *t = &i->tensors[tensor];
  if (!fails) return otherwise;
  t->answer = ANSWER_FAILS;
  if (!t->failed) t->failed = what;
  return FINDING_FAILURE;
}

/* What is no failure: tables may have the same lines. */
static finding_kind of_tables(const inspection *i, size_t a, size_t b) {
  return is_table(&i->tensors[a]) && is_table(&i->tensors[b]) ? FINDING_NOTE : FINDING_SUSPICION;
}

static void find_partly_shared(inspection *i, const shared_lines *s) {
  const char *a_line = s->a_column ? "column" : "row", *b_line = s->b_column ? "column" : "row";
  const finding_kind kind = kind_of(i, s->b, is_promised(i, s->a, s->b), "shared lines", of_tables(i, s->a, s->b));
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
  const finding_kind kind = kind_of(i, copy, is_promised(i, of, copy), "shuffled", of_tables(i, of, copy));
  find(i, kind, copy, "has the lines of %s, bit for bit, in another order%s", name_of(i, of),
       transposed ? ", transposed" : "");
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
      find(i, kind_of(i, k, true, "copy", FINDING_NOTE), k, "is a %scopy of %s, bit for bit",
           transposed[k] ? "transposed " : "", name_of(i, of));
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
    const finding_kind kind = kind_of(i, p->b, fails, "related", p->same ? FINDING_NOTE : FINDING_SUSPICION);
    p->said = !fails;
    if (p->same) {
      find(i, kind, p->b, "has the values of %s, in another dtype", name_of(i, p->a));
      continue;
    }
    find(i, kind, p->b, "correlation %+.4f with %s, of their first %" PRIu64 " elements, z = %s", p->r,
         name_of(i, p->a), p->count, text_z(p->z, z));
  }
}

/* Whether it has been said already that tensors share values, or lines of one. */
static bool is_known(const inspection *i, size_t a, size_t b, const size_t *first) {
  const test_result *tests = i->tensors[a].tests;
  if (a == b)
    return tests[TEST_EQUAL_ROWS].value > 0 || tests[TEST_SCALED_ROWS].value > 0 || tests[TEST_SHUFFLED_ROWS].value > 0;
  if (first[a] == first[b]) return true;
  for (size_t k = 0; k < i->n_shared; ++k) {
    if (i->shared[k].a == a && i->shared[k].b == b) return true;
  }
  for (size_t k = 0; k < i->compared_pairs; ++k) {
    const related_pair *p = &i->pairs[k];
    if (p->a == a && p->b == b && fabs(p->z) > i->z_bound) return true;
  }
  return false;
}

static void find_runs(inspection *i, const size_t *first) {
  char value[TEXT_NUMBER], times[TEXT_NUMBER + 16];
  for (size_t k = 0; k < i->n_runs; ++k) {
    const repeated_run *r = &i->runs[k];
    if (is_known(i, r->a, r->b, first)) continue;
    const bool part = r->a != r->b && i->allow.tied, promised = is_promised(i, r->a, r->b), fails = promised && !part;
    const finding_kind kind = kind_of(i, r->b, fails, "repeated run", promised ? FINDING_NOTE : FINDING_SUSPICION);
    if (isnan(r->factor))
      snprintf(times, sizeof times, ", but for signs");
    else
      snprintf(times, sizeof times, ", times %s", text_real(r->factor, value));
    find(i, kind, r->b,
         "some %" PRIu64 " elements from number %" PRIu64 " %s are those of %s from number %" PRIu64 " on%s", r->count,
         r->b_first, r->reversed ? "down" : "on", r->a == r->b ? "the same tensor" : name_of(i, r->a), r->a_first,
         r->factor == 1 ? "" : times);
  }
}

/* Whether something was said of two tensors already, but for their values in another order. */
static bool is_said(const inspection *i, size_t a, size_t b, const size_t *first) {
  bool said = a != b && is_known(i, a, b, first);
  for (size_t k = 0; k < i->n_runs; ++k)
    said = said || (i->runs[k].a == a && i->runs[k].b == b);
  return said;
}

/* Of values in another order. */
static finding_kind of_shuffled(inspection *i, size_t a, size_t b) {
  return kind_of(i, b, is_promised(i, a, b), "shuffled", FINDING_SUSPICION);
}

static void find_shuffled(inspection *i, const size_t *first) {
  for (size_t k = 0; k < i->n_shuffled_pairs; ++k) {
    const shuffled_pair *p = &i->shuffled_pairs[k];
    if (is_said(i, p->a, p->b, first)) continue;
    find(i, of_shuffled(i, p->a, p->b), p->b, "has the values of %s, each as often, in another order",
         name_of(i, p->a));
  }
  for (size_t k = 0; k < i->n_shuffled; ++k) {
    const shared_lines *s = &i->shuffled[k];
    bool said = is_said(i, s->a, s->b, first) || (k > 0 && s[-1].a == s->a && s[-1].b == s->b);
    for (size_t n = 0; n < i->n_shuffled_pairs; ++n)
      said = said || (i->shuffled_pairs[n].a == s->a && i->shuffled_pairs[n].b == s->b);
    if (said) continue;
    find(i, of_shuffled(i, s->a, s->b), s->b,
         "%" PRIu64 " %s%s of it %s the values of %s%s%s of %s in another order, %s %" PRIu64 " those of %s %" PRIu64,
         s->count, s->b_column ? "column" : "row", text_plural(s->count), s->count == 1 ? "has" : "have",
         s->count == 1 ? "a " : "", s->a_column ? "column" : "row", text_plural(s->count),
         s->a == s->b ? "its own" : name_of(i, s->a), s->b_column ? "column" : "row", s->b_first,
         s->a_column ? "column" : "row", s->a_first);
  }
}

void find_sharing(inspection *i) {
  size_t *first = allocate(i->count, sizeof *first);
  for (size_t k = 0; k < i->count; ++k)
    first[k] = k;
  find_shared(i, first);
  find_related(i, first);
  find_runs(i, first);
  find_shuffled(i, first);
  free(first);
}
