/* Rows and columns of a file's tensors that are equal bit for bit, by their fingerprints. */
#include "inspect/inspection.h"

#include <math.h>
#include <stdlib.h>

#include "inspect/chance.h"

/* Lines of zeros have a test of their own. */
static void add(line_list *list, const uint64_t *prints, const uint64_t *values, const bool *is_zero, uint64_t count,
                line about) {
  list->lines = grow(list->lines, &list->capacity, list->count + (size_t)count, sizeof *list->lines);
  for (uint64_t k = 0; k < count; ++k) {
    if (is_zero && is_zero[k]) continue;
    about.print = prints[k];
    about.values = values ? values[k] : 0;
    about.number = (uint32_t)k;
    list->lines[list->count++] = about;
  }
}

/* A polynomial whose coefficients are the lines' fingerprints. */
static uint64_t in_order(const uint64_t *prints, uint64_t count) {
  uint64_t digest = 0;
  for (uint64_t k = 0; k < count; ++k)
    digest = digest * UINT64_C(0x9e3779b97f4a7c15) + prints[k];
  return digest;
}

void lines_collect(const survey *s, size_t tensor, inspection *out, line_list *list) {
  uint64_t *digests = out->tensors[tensor].in_order;
  if (s->lines.row_prints) {
    digests[0] = in_order(s->lines.row_prints, s->rows);
    add(list, s->lines.row_prints, s->row_values, s->zero_row, s->rows,
        (line){.length = (uint32_t)s->columns, .tensor = (uint32_t)tensor});
  }
  if (s->lines.column_prints) {
    digests[1] = in_order(s->lines.column_prints, s->columns);
    add(list, s->lines.column_prints, s->column_values, s->zero_column, s->columns,
        (line){.length = (uint32_t)s->rows, .tensor = (uint32_t)tensor, .column = true});
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
  return length * t->log_repeat + 2 * log(lines) < LOG_BY_CHANCE;
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

/* Makes one entry of all lines that two tensors share in one way. It has the first of them. Returns how many there are.
 */
static size_t merge(shared_lines *list, size_t n) {
  size_t kept = 0;
  if (n > 1) qsort(list, n, sizeof *list, by_tensors);
  for (size_t k = 0; k < n; ++k) {
    const shared_lines *s = &list[k];
    shared_lines *last = kept > 0 ? &list[kept - 1] : NULL;
    if (last && last->a == s->a && last->b == s->b && last->a_column == s->a_column && last->b_column == s->b_column)
      ++last->count;
    else
      list[kept++] = *s;
  }
  return kept;
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

/* Sets z of a test that was made, from the bound of the expected number of equal pairs, if it found something. */
static void finish(test_result *result) {
  if (result->value > 0) result->z = deviate_of_log_tail(LOG_BY_CHANCE);
}

void lines_compare(line_list *list, inspection *out) {
  const double total = (double)list->count;
  size_t kept = 0;
  for (size_t k = 0; k < list->count; ++k) {
    const line *l = &list->lines[k];
    inspected *t = &out->tensors[l->tensor];
    if (!is_long(t, lines_of(t, !l->column), total)) continue;
    if (l->column || t->rows > 1) t->tests[l->column ? TEST_EQUAL_COLUMNS : TEST_EQUAL_ROWS] = (test_result){0, 0, 0};
    list->lines[kept++] = *l;
  }
  list->count = kept;
  if (kept > 1) qsort(list->lines, kept, sizeof *list->lines, by_print);
  for (size_t k = 1; k < kept; ++k) {
    const line *a = &list->lines[k - 1], *b = &list->lines[k];
    if (a->length == b->length && a->print == b->print) compare(out, a, b);
  }
  out->n_shared = merge(out->shared, out->n_shared);
  for (size_t i = 0; i < out->count; ++i) {
    finish(&out->tensors[i].tests[TEST_EQUAL_ROWS]);
    finish(&out->tensors[i].tests[TEST_EQUAL_COLUMNS]);
  }
  out->tests += kept > 1;
}

/* ---- The same values in another order ---------------------------------------------------------------------------- */

static int by_values(const void *a, const void *b) {
  const line *x = a, *y = b;
  if (x->length != y->length) return x->length < y->length ? -1 : 1;
  if (x->values != y->values) return x->values < y->values ? -1 : 1;
  return by_print(a, b);
}

/* Notes that a line has the values of the one before it. */
static void note_shuffled(inspection *out, const line *a, const line *b) {
  inspected *t = &out->tensors[b->tensor];
  if (a->tensor != b->tensor || a->column != b->column) {
    const bool swapped = a->tensor > b->tensor;
    const line *x = swapped ? b : a, *y = swapped ? a : b;
    out->shuffled = grow(out->shuffled, &out->shuffled_capacity, out->n_shuffled + 1, sizeof *out->shuffled);
    out->shuffled[out->n_shuffled++] =
        (shared_lines){x->tensor, y->tensor, x->column, y->column, x->number, y->number, 1};
    return;
  }
  test_result *result = &t->tests[b->column ? TEST_SHUFFLED_COLUMNS : TEST_SHUFFLED_ROWS];
  double *first = t->first_shuffled[b->column];
  if (result->value == 0) {
    first[0] = (double)b->number;
    first[1] = (double)a->number;
  }
  ++result->value;
}

/* Lines whose digests are known, and which are too long to have the same values by chance. */
static size_t keep_shuffleable(line_list *list, inspection *out) {
  const double among = 2 * log((double)list->count + 1);
  size_t kept = 0;
  for (size_t k = 0; k < list->count; ++k) {
    const line *l = &list->lines[k];
    inspected *t = &out->tensors[l->tensor];
    if (!(t->log_shuffled[l->column] + among < LOG_BY_CHANCE)) continue;
    if (t->rows > 1) t->tests[l->column ? TEST_SHUFFLED_COLUMNS : TEST_SHUFFLED_ROWS] = (test_result){0, 0, 0};
    list->lines[kept++] = *l;
  }
  return kept;
}

typedef struct whole {
  uint64_t values, count;
  fanin_dtype dtype;
  size_t tensor;
} whole;

static int by_whole(const void *a, const void *b) {
  const whole *x = a, *y = b;
  if (x->dtype != y->dtype) return x->dtype < y->dtype ? -1 : 1;
  if (x->count != y->count) return x->count < y->count ? -1 : 1;
  if (x->values != y->values) return x->values < y->values ? -1 : 1;
  return x->tensor < y->tensor ? -1 : x->tensor > y->tensor;
}

/* Whether two tensors of one size are known to have their values in the same order: then one is a plain copy. */
static bool is_same_order(const inspected *a, const inspected *b) {
  return a->rows > 0 && a->rows == b->rows && a->in_order[0] == b->in_order[0];
}

static void compare_whole(inspection *out) {
  const double among = 2 * log((double)out->count + 1);
  whole *list = allocate(out->count, sizeof *list);
  size_t n = 0;
  for (size_t i = 0; i < out->count; ++i) {
    const inspected *t = &out->tensors[i];
    if (!(t->log_shuffled[2] + among < LOG_BY_CHANCE)) continue;
    list[n++] = (whole){t->values, t->tensor->elements, t->tensor->type->dtype, i};
  }
  if (n > 1) qsort(list, n, sizeof *list, by_whole);
  for (size_t k = 1; k < n; ++k) {
    const whole *a = &list[k - 1], *b = &list[k];
    if (a->dtype != b->dtype || a->count != b->count || a->values != b->values) continue;
    if (is_same_order(&out->tensors[a->tensor], &out->tensors[b->tensor])) continue;
    out->shuffled_pairs = grow(out->shuffled_pairs, &out->shuffled_pairs_capacity, out->n_shuffled_pairs + 1,
                               sizeof *out->shuffled_pairs);
    out->shuffled_pairs[out->n_shuffled_pairs++] = (shuffled_pair){a->tensor, b->tensor};
  }
  out->tests += n > 1;
  free(list);
}

void lines_compare_values(line_list *list, inspection *out) {
  const size_t kept = keep_shuffleable(list, out);
  if (kept > 1) qsort(list->lines, kept, sizeof *list->lines, by_values);
  for (size_t k = 1; k < kept; ++k) {
    const line *a = &list->lines[k - 1], *b = &list->lines[k];
    if (a->length == b->length && a->values == b->values && a->print != b->print) note_shuffled(out, a, b);
  }
  out->n_shuffled = merge(out->shuffled, out->n_shuffled);
  for (size_t i = 0; i < out->count; ++i) {
    finish(&out->tensors[i].tests[TEST_SHUFFLED_ROWS]);
    finish(&out->tensors[i].tests[TEST_SHUFFLED_COLUMNS]);
  }
  out->tests += kept > 1;
  compare_whole(out);
}
