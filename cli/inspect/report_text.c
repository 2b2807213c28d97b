/* What 'fanin inspect' prints: a table, one line a finding, a verdict. */
#include "inspect/inspection.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/table.h"
#include "base/text.h"

enum { MOST_FINDINGS = 40, MOST_NAMES = 6, LINE = 1024 };

/* Prints text that contains names from a file: control characters become '?'. */
static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *format, ...) {
  char text[LINE];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  fputs(text_plain(text, '\0'), stdout);
}

static const char *name_of(const inspected *t) {
  return t->tensor->name[0] ? t->tensor->name : "(array)";
}

/* ---- Table ------------------------------------------------------------------------------------------------------- */

static void real_cell(table *t, bool there, double value) {
  char text[TEXT_NUMBER];
  table_cell(t, "%s", text_real(there ? value : NAN, text));
}

static double worst_of(const inspected *t) {
  double worst = NAN;
  for (int k = 0; k < TEST_COUNT; ++k) {
    if (!isnan(t->tests[k].z) && !(fabs(t->tests[k].z) <= fabs(worst))) worst = t->tests[k].z;
  }
  return worst;
}

/* The initializer that wrote the tensor, or, after a '~', what the tensor looks like. */
static void origin_cell(table *t, const inspected *row) {
  if (row->expected.text)
    table_cell(t, "%s", row->expected.text);
  else if (!row->closer)
    table_cell(t, "%s", row->measured && row->stats.count > 0 && row->stats.min == row->stats.max ? "~constant" : "-");
  else
    table_cell(t, "~%s%s%s", row->fit.name, row->like ? ", as " : "", row->like ? row->like : "");
}

static void add_row(table *t, const inspected *row) {
  char text[TEXT_SHAPE], number[TEXT_NUMBER];
  const bool values = row->measured && row->stats.count > row->stats.nonfinite;
  table_cell(t, "%s", name_of(row));
  table_cell(t, "%s", row->tensor->type->name);
  table_cell(t, "%s", text_shape(row->tensor->shape, row->tensor->rank, text));
  table_cell(t, "%s", text_count(row->tensor->elements, number));
  real_cell(t, values, row->stats.mean);
  real_cell(t, values, row->stats.std);
  real_cell(t, row->expected.known, row->expected.moments.std);
  table_cell(t, "%s", text_z(row->tests[TEST_STD].z, number));
  table_cell(t, "%s", text_z(row->tests[TEST_MEAN].z, number));
  table_cell(t, "%s", text_z(worst_of(row), number));
  real_cell(t, values, row->stats.min);
  real_cell(t, values, row->stats.max);
  table_cell(t, "%s", row->verdict);
  origin_cell(t, row);
}

static void print_notes(const tensor_file *f, const char *device) {
  static const struct {
    const char *key, *before;
  } notes[] = {{"model", "model "}, {"seed", "seed "}, {"stream_version", "stream version "}, {"version", "by fanin "}};
  printf("%s: %s, %zu tensor%s", f->path, f->format, f->count, text_plural(f->count));
  for (size_t i = 0; i < sizeof notes / sizeof *notes; ++i) {
    const char *text = tensor_file_note(f, notes[i].key, NULL);
    if (text) say(", %s%s", notes[i].before, text);
  }
  printf("\nMeasured on %s\n\n", device);
}

static void print_table(const inspection *i) {
  static const column columns[] = {{"name", 1, 0},   {"dtype", 1, 5},      {"shape", 1, 4},    {"count", 0, 8},
                                   {"mean", 0, 6},   {"std", 0, 0},        {"expected", 0, 0}, {"z std", 0, 0},
                                   {"z mean", 0, 3}, {"max |z|", 0, 1},    {"min", 0, 7},      {"max", 0, 7},
                                   {"check", 1, 0},  {"initializer", 1, 9}};
  table t = table_of(columns, sizeof columns / sizeof *columns);
  for (size_t k = 0; k < i->file->count; ++k)
    add_row(&t, &i->tensors[k]);
  table_print(&t);
}

/* ---- Findings ---------------------------------------------------------------------------------------------------- */

static void say_test(const inspected *t, test which) {
  const test_result *r = &t->tests[which];
  char value[TEXT_NUMBER], expected[TEXT_NUMBER], z[TEXT_NUMBER];
  say("%s: %s: %s", name_of(t), test_texts[which].words, text_real(r->value, value));
  if (!isnan(r->expected)) say(", expected %s", text_real(r->expected, expected));
  if (which == TEST_MODE) say(" (it is %s)", text_real(t->mode, expected));
  if (which == TEST_EQUAL_ROWS) say(" (row %.0f is row %.0f)", t->first_equal_row[1], t->first_equal_row[0]);
  if (which == TEST_EQUAL_COLUMNS) {
    say(" (column %.0f is column %.0f)", t->first_equal_column[1], t->first_equal_column[0]);
  }
  if (which == TEST_MINIMUM || which == TEST_MAXIMUM) say(r->z > 0 ? ", too far out" : ", the tail stops too early");
  say(", z = %s", text_z(r->z, z));
  putchar('\n');
}

static void say_tensor(const inspected *t, double bound, size_t *said) {
  char lo[TEXT_NUMBER], hi[TEXT_NUMBER];
  bool any = false;
  for (int k = 0; k < TEST_COUNT; ++k) {
    if (!(fabs(t->tests[k].z) > bound)) continue;
    any = true;
    if (++*said <= MOST_FINDINGS) say_test(t, (test)k);
  }
  if (check_holds(t->verdict)) return;
  if (t->stats.nonfinite > 0 && ++*said <= MOST_FINDINGS) {
    say("%s: %" PRIu64 " value%s not finite", name_of(t), t->stats.nonfinite,
        t->stats.nonfinite == 1 ? " is" : "s are");
    putchar('\n');
  } else if (!any && ++*said <= MOST_FINDINGS) {
    say("%s: its %s: not what %s makes, which is within [%s, %s]", name_of(t), t->verdict, t->expected.text,
        text_real(t->expected.moments.lo, lo), text_real(t->expected.moments.hi, hi));
    putchar('\n');
  }
}

static void say_shared(const inspection *i, const shared_lines *s) {
  const inspected *a = &i->tensors[s->a], *b = &i->tensors[s->b];
  const uint64_t all = s->b_column ? b->columns : b->rows;
  const char *a_line = s->a_column ? "column" : "row", *b_line = s->b_column ? "column" : "row";
  if (s->a == s->b) {
    say("%s: %" PRIu64 " of its rows are its columns, the first row %" PRIu64 " and column %" PRIu64, name_of(a),
        s->count, s->a_first, s->b_first);
  } else if (s->count == all && s->a_column == s->b_column) {
    say("%s: is a copy of %s, bit for bit", name_of(b), name_of(a));
  } else if (s->count == all) {
    say("%s: is a transposed copy of %s, bit for bit", name_of(b), name_of(a));
  } else {
    say("%s: %" PRIu64 " %ss are %ss of %s, the first %s %" PRIu64 " and %s %" PRIu64, name_of(b), s->count, b_line,
        a_line, name_of(a), b_line, s->b_first, a_line, s->a_first);
  }
  putchar('\n');
}

/* Whether the finding before is about the same tensors: the columns of a copy are equal as well as its rows. */
static bool is_said(const inspection *i, size_t k) {
  return k > 0 && i->shared[k - 1].a == i->shared[k].a && i->shared[k - 1].b == i->shared[k].b;
}

static void say_findings(const inspection *i, size_t *said) {
  char z[TEXT_NUMBER];
  for (size_t k = 0; k < i->file->count; ++k)
    say_tensor(&i->tensors[k], i->z_bound, said);
  for (size_t k = 0; k < i->n_shared; ++k) {
    if (!is_said(i, k) && ++*said <= MOST_FINDINGS) say_shared(i, &i->shared[k]);
  }
  for (size_t k = 0; k < i->compared_pairs; ++k) {
    const related_pair *p = &i->pairs[k];
    if (!(fabs(p->z) > i->z_bound) || ++*said > MOST_FINDINGS) continue;
    say("%s and %s: correlation %+.4f of their first %" PRIu64 " elements, z = %s", name_of(&i->tensors[p->a]),
        name_of(&i->tensors[p->b]), p->r, p->count, text_z(p->z, z));
    putchar('\n');
  }
  if (*said > MOST_FINDINGS) printf("... and %zu more: --json has all\n", *said - MOST_FINDINGS);
}

/* Names the tensors that follow no known law. That is not a failure, because nothing says that they should. */
static void say_others(const inspection *i) {
  size_t others = 0;
  for (size_t k = 0; k < i->file->count; ++k) {
    const inspected *t = &i->tensors[k];
    if (!t->closer || t->expected.known || t->fit.outcome != FIT_OTHER || ++others > MOST_NAMES) continue;
    say(others == 1 ? "Neither uniform nor log-uniform nor normal nor normal cut at 2 sigma: %s" : ", %s", name_of(t));
  }
  if (others > MOST_NAMES) printf(" and %zu more", others - MOST_NAMES);
  if (others > 0) putchar('\n');
}

static bool any_guess(const inspection *i) {
  for (size_t k = 0; k < i->file->count; ++k) {
    if (i->tensors[k].estimated) return true;
  }
  return false;
}

void inspect_print_text(const inspection *i) {
  size_t said = 0;
  print_notes(i->file, i->device);
  print_table(i);
  putchar('\n');
  say_findings(i, &said);
  say_others(i);
  if (any_guess(i)) puts("~: a guess from values, names and shapes; its std and mean are estimated, not tested");
  if (i->left_out > 0)
    printf("Not compared with the others: the last %zu tensor%s\n", i->left_out, text_plural(i->left_out));
  if (!inspection_holds(i)) {
    printf("DOES NOT HOLD: %zu of %zu tensor%s", i->failed, i->file->count, text_plural(i->file->count));
    if (i->n_shared > 0 || fabs(i->closest.z) > i->z_bound) printf(", and tensors are related");
  } else if (i->tests > 0) {
    printf(any_guess(i) ? "HOLDS: every tensor is as random as it looks"
                        : "HOLDS: every tensor is what its initializer makes");
  } else {
    printf("Every value is finite; the file does not say what to expect");
  }
  if (i->tests > 0) printf(" (%zu test%s, |z| up to %.2f)", i->tests, text_plural(i->tests), i->z_bound);
  putchar('\n');
}
