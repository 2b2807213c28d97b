/* Rows and columns of a file's tensors that are equal bit for bit, by their fingerprints. */
#include "inspect/inspection.h"

#include <math.h>
#include <stdlib.h>

#include "inspect/chance.h"

static const double log_by_chance = -20.7; /* 1e-9 */

/* Lines of zeros have a test of their own. */
static void add(line_list *list, const uint64_t *prints, const bool *is_zero, uint64_t count, line about) {
  list->lines = grow(list->lines, &list->capacity, list->count + (size_t)count, sizeof *list->lines);
  for (uint64_t k = 0; k < count; ++k) {
    if (is_zero && is_zero[k]) continue;
    about.print = prints[k];
    about.number = k;
    list->lines[list->count++] = about;
  }
}

void lines_collect(const survey *s, size_t tensor, line_list *list) {
  if (s->lines.row_prints) {
    add(list, s->lines.row_prints, s->zero_row, s->rows, (line){.length = s->columns, .tensor = tensor});
  }
  if (s->lines.column_prints) {
    add(list, s->lines.column_prints, s->zero_column, s->columns,
        (line){.length = s->rows, .tensor = tensor, .column = true});
  }
}

void lines_free(line_list *list) {
  free(list->lines);
  *list = (line_list){0};
}

static int by_print(const void *a, const void *b) {
  const line *x = a, *y = b;
  if (x->length != y->length) return x->length < y->length ? -1 : 1;
  if (x->print != y->print) return x->print < y->print ? -1 : 1;
  if (x->tensor != y->tensor) return x->tensor < y->tensor ? -1 : 1;
  if (x->column != y->column) return x->column ? 1 : -1;
  return x->number < y->number ? -1 : x->number > y->number;
}

/* Whether lines of that length are too long to be equal by chance in this tensor, given how many lines there are. */
static bool is_long(const inspected *t, double length, double lines) {
  return length * t->log_repeat + 2 * log(lines) < log_by_chance;
}

static int by_tensors(const void *left, const void *right) {
  const shared_lines *x = left, *y = right;
  if (x->a != y->a) return x->a < y->a ? -1 : 1;
  if (x->b != y->b) return x->b < y->b ? -1 : 1;
  if (x->a_column != y->a_column) return x->a_column ? 1 : -1;
  if (x->b_column != y->b_column) return x->b_column ? 1 : -1;
  if (x->b_first != y->b_first) return x->b_first < y->b_first ? -1 : 1;
  return x->a_first < y->a_first ? -1 : x->a_first > y->a_first;
}

/* Makes one entry of all lines that two tensors share in one way. It has the first of them. */
static void merge(inspection *out) {
  size_t kept = 0;
  if (out->n_shared > 1) qsort(out->shared, out->n_shared, sizeof *out->shared, by_tensors);
  for (size_t k = 0; k < out->n_shared; ++k) {
    const shared_lines *s = &out->shared[k];
    shared_lines *last = kept > 0 ? &out->shared[kept - 1] : NULL;
    if (last && last->a == s->a && last->b == s->b && last->a_column == s->a_column && last->b_column == s->b_column)
      ++last->count;
    else
      out->shared[kept++] = *s;
  }
  out->n_shared = kept;
}

/* Notes that a line is equal to the one before it. */
static void compare(inspection *out, const line *a, const line *b) {
  inspected *t = &out->tensors[b->tensor];
  if (a->tensor != b->tensor || a->column != b->column) {
    out->shared = grow(out->shared, &out->shared_capacity, out->n_shared + 1, sizeof *out->shared);
    out->shared[out->n_shared++] = (shared_lines){a->tensor, b->tensor, a->column, b->column, a->number, b->number, 1};
    return; /* merge() adds such lines up */
  }
  test_result *result = &t->tests[b->column ? TEST_EQUAL_COLUMNS : TEST_EQUAL_ROWS];
  double *first = b->column ? t->first_equal_column : t->first_equal_row;
  if (result->value == 0) {
    first[0] = (double)a->number;
    first[1] = (double)b->number;
  }
  ++result->value;
}

/* Sets z of a test, from the bound of the expected number of equal pairs, if it found something. Returns how many tests
 * that is: 0 or 1. */
static size_t finish(test_result *result) {
  if (isnan(result->z)) return 0;
  result->z = result->value > 0 ? deviate_of_log_tail(log_by_chance) : 0;
  return 1;
}

size_t lines_compare(line_list *list, inspection *out) {
  const double total = (double)list->count;
  size_t kept = 0, tests = 0;
  for (size_t k = 0; k < list->count; ++k) {
    const line *l = &list->lines[k];
    inspected *t = &out->tensors[l->tensor];
    if (!is_long(t, (double)l->length, total)) continue;
    if (l->column || t->rows > 1) t->tests[l->column ? TEST_EQUAL_COLUMNS : TEST_EQUAL_ROWS] = (test_result){0, 0, 0};
    list->lines[kept++] = *l;
  }
  if (kept > 1) qsort(list->lines, kept, sizeof *list->lines, by_print);
  for (size_t k = 1; k < kept; ++k) {
    const line *a = &list->lines[k - 1], *b = &list->lines[k];
    if (a->length == b->length && a->print == b->print) compare(out, a, b);
  }
  merge(out);
  for (size_t i = 0; i < out->count; ++i) {
    tests += finish(&out->tensors[i].tests[TEST_EQUAL_ROWS]);
    tests += finish(&out->tensors[i].tests[TEST_EQUAL_COLUMNS]);
  }
  return tests + (kept > 1);
}
