/* What 'fanin inspect' prints: a table, a line for each finding, and the answer. */
#include "inspect/inspection.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/table.h"
#include "base/terminal.h"
#include "base/text.h"

enum { MOST_FINDINGS = 40, MOST_NAMES = 6, LINE = 1024, TEXT = 512 };

static const char *name_of(const inspected *t) {
  return t->tensor->name[0] ? t->tensor->name : "(array)";
}

/* Prints a line that contains names from a file: control characters become '?'. */
static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *format, ...) {
  char text[2 * LINE];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  terminal_line(stdout, 2, "%s", text_plain(text, '\0'));
}

/* How many tensors are tested in parts, each of which counts by itself. */
static size_t divided(const inspection *i) {
  size_t n = 0;
  for (size_t k = 0; k < i->count; ++k)
    n += i->tensors[k].part && (k == 0 || i->tensors[k - 1].of != i->tensors[k].of);
  return n;
}

/* ---- Head -------------------------------------------------------------------------------------------------------- */

/* Who says of how many tensors what they should be. */
static void say_expectations(const inspection *i) {
  static const char *const by[] = {"", "the metadata", "--rules", "--like", "--init"};
  size_t counts[sizeof by / sizeof *by] = {0}, used = 0;
  char text[TEXT] = "";
  for (size_t k = 0; k < i->count; ++k)
    ++counts[i->tensors[k].expected.known || i->tensors[k].expected.norm_of ? i->tensors[k].expected.by : BY_NOBODY];
  for (int k = BY_FILE; k <= BY_OPTION; ++k) {
    const char *rules = k == BY_RULES && i->wishes->like.rules.name ? i->wishes->like.rules.name : "";
    if (counts[k] == 0) continue;
    used += (size_t)snprintf(text + used, sizeof text - used, "%s%zu by %s%s%.80s", used > 0 ? ", " : "", counts[k],
                             by[k], rules[0] ? " " : "", rules);
  }
  if (counts[BY_NOBODY] > 0) {
    snprintf(text + used, sizeof text - used, "%s%zu by nothing", used > 0 ? ", " : "", counts[BY_NOBODY]);
  }
  const size_t n = divided(i);
  if (n == 0)
    say("Tensors whose initializer is named: %s", text);
  else
    say("Tensors and parts whose initializer is named: %s (%zu tensor%s, of which %zu in parts)", text, i->files->count,
        text_plural(i->files->count), n);
}

static void print_head(const inspection *i) {
  static const struct {
    const char *key, *before;
  } notes[] = {{"version", "by fanin "}, {"model", "model "}, {"seed", "seed "}, {"stream_version", "stream version "}};
  const checkpoint *c = i->files;
  const tensor_file *f = &c->files[0];
  char text[LINE], number[TEXT_NUMBER], size[TEXT_NUMBER];
  uint64_t elements = 0, bytes = 0;
  for (size_t k = 0; k < i->count; ++k) {
    elements += i->tensors[k].tensor->elements;
    bytes += i->tensors[k].tensor->bytes;
  }
  size_t used = c->n_files > 1
                    ? (size_t)snprintf(text, sizeof text, "%.500s: %zu files", c->sharded ? c->path : "all", c->n_files)
                    : (size_t)snprintf(text, sizeof text, "%.500s: %s", c->path, f->format);
  snprintf(text + used, sizeof text - used, ", %zu tensor%s, %s element%s, %s", c->count, text_plural(c->count),
           text_count(elements, number), text_plural(elements), text_bytes(bytes, size));
  say("%s", text);
  used = 0;
  for (size_t k = 0; k < sizeof notes / sizeof *notes && c->n_files == 1; ++k) {
    const char *note = tensor_file_note(f, notes[k].key, NULL);
    if (!note) continue;
    used += (size_t)snprintf(text + used, sizeof text - used, "%s%s%.64s", used > 0 ? ", " : "", notes[k].before, note);
  }
  if (used > 0) say("Made %s", text);
  printf("Measured on %s\n", i->device);
  say_expectations(i);
  putchar('\n');
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

/* The initializer that is expected, and who says so, or, after a '~', what the tensor looks like. */
static void origin_cell(table *t, const inspected *row) {
  static const char *const by[] = {"", "", " (rules)", " (like)", " (init)"};
  char text[TEXT];
  if (row->expected.text) {
    snprintf(text, sizeof text, "%s", row->expected.text);
    table_cell(t, "%s%s", text_short(text), by[row->expected.by]);
  } else if (!row->closer) {
    table_cell(t, "%s", row->measured && row->stats.count > 0 && row->stats.min == row->stats.max ? "~constant" : "-");
  } else {
    table_cell(t, "~%s%s%s", row->table ? "a table" : row->fit.name, row->like ? ", perhaps " : "",
               row->like ? row->like : "");
  }
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
  table_cell(t, "%s%s%s", answer_texts[row->answer], row->failed ? ": " : "", row->failed ? row->failed : "");
  origin_cell(t, row);
}

static void print_table(const inspection *i, bool failures) {
  static const column columns[] = {{"name", 1, 0},   {"dtype", 1, 7},      {"shape", 1, 6},    {"count", 0, 10},
                                   {"mean", 0, 8},   {"std", 0, 3},        {"expected", 0, 4}, {"z std", 0, 5},
                                   {"z mean", 0, 5}, {"max |z|", 0, 2},    {"min", 0, 9},      {"max", 0, 9},
                                   {"answer", 1, 0}, {"initializer", 1, 1}};
  table t = table_of(columns, sizeof columns / sizeof *columns);
  for (size_t k = 0; k < i->count; ++k) {
    if (!failures || i->tensors[k].answer == ANSWER_FAILS) add_row(&t, &i->tensors[k]);
  }
  table_print(&t);
}

/* ---- Findings ---------------------------------------------------------------------------------------------------- */

static void say_findings(const inspection *i, bool failures) {
  static const char *const before[FINDING_KINDS] = {"", "suspicious: ", "note: "};
  size_t said = 0;
  for (int kind = 0; kind < (failures ? 1 : FINDING_KINDS); ++kind) {
    for (size_t k = 0; k < i->n_findings; ++k) {
      const finding *f = &i->findings[k];
      if ((int)f->kind != kind || ++said > MOST_FINDINGS) continue;
      if (f->tensor == NO_TENSOR)
        say("%s%s", before[kind], f->text);
      else
        say("%s%s: %s", before[kind], name_of(&i->tensors[f->tensor]), f->text);
    }
  }
  if (said > MOST_FINDINGS) say("... and %zu more: --json has all", said - MOST_FINDINGS);
}

/* Names the tensors that follow no known law. That is not a failure, because nothing says that they should. */
static void say_others(const inspection *i) {
  char names[LINE] = "";
  size_t others = 0, used = 0;
  for (size_t k = 0; k < i->count; ++k) {
    const inspected *t = &i->tensors[k];
    if (!t->closer || t->expected.known || t->table || t->fit.outcome != FIT_OTHER || ++others > MOST_NAMES) continue;
    used += (size_t)snprintf(names + used, sizeof names - used, "%s%.120s", others == 1 ? "" : ", ", name_of(t));
  }
  if (others == 0) return;
  if (others > MOST_NAMES) snprintf(names + used, sizeof names - used, " and %zu more", others - MOST_NAMES);
  say("Neither uniform nor log-uniform nor normal nor normal cut at 2 sigma: %s", names);
}

static bool any_guess(const inspection *i) {
  for (size_t k = 0; k < i->count; ++k) {
    if (i->tensors[k].closer && !i->tensors[k].expected.text) return true;
  }
  return false;
}

static size_t unmeasured(const inspection *i) {
  size_t n = 0;
  for (size_t k = 0; k < i->count; ++k)
    n += !i->tensors[k].measured;
  return n;
}

/* "3 of 6 tensors hold, 1 fails, 2 are not judged" */
static void say_answer(const inspection *i) {
  static const char *const words[] = {"HOLDS", "FAILS", "NOT JUDGED"};
  const size_t *n = i->answers, none = unmeasured(i);
  const answer all = inspection_answer(i);
  const char *parts = divided(i) == 0 ? "" : i->count == 1 ? " or part" : " and parts";
  char text[TEXT], z[TEXT_NUMBER];
  size_t used =
      (size_t)snprintf(text, sizeof text, "%s%s: %zu of %zu tensor%s%s hold%s, %zu fail%s, %zu %s not judged",
                       words[all], inspection_condition(i) ? " AS FAR AS JUDGED" : "", n[ANSWER_HOLDS], i->count,
                       text_plural(i->count), parts, n[ANSWER_HOLDS] == 1 ? "s" : "", n[ANSWER_FAILS],
                       n[ANSWER_FAILS] == 1 ? "s" : "", n[ANSWER_NOT_JUDGED], n[ANSWER_NOT_JUDGED] == 1 ? "is" : "are");
  if (none > 0) used += (size_t)snprintf(text + used, sizeof text - used, " (%zu of them not measured)", none);
  if (i->suspicious > 0)
    used += (size_t)snprintf(text + used, sizeof text - used, ", %zu %s suspicious", i->suspicious,
                             i->suspicious == 1 ? "is" : "are");
  if (i->missing > 0)
    used += (size_t)snprintf(text + used, sizeof text - used, ", %zu %s missing", i->missing,
                             i->missing == 1 ? "is" : "are");
  if (!isnan(i->most_z)) {
    snprintf(text + used, sizeof text - used, " (%zu test%s, largest |z| %s, bound %.2f)", i->tests,
             text_plural(i->tests), text_z(fabs(i->most_z), z) + 1, i->z_bound);
  }
  say("%s", text);
}

void inspect_print_text(const inspection *i, bool failures) {
  print_head(i);
  print_table(i, failures);
  putchar('\n');
  say_findings(i, failures);
  if (!failures) say_others(i);
  if (!failures && any_guess(i)) {
    say("~: what the values look like, which is a guess: nobody says what they should be, so that they are not judged");
  }
  if (i->left_out > 0)
    say("Not compared with the others: the last %zu tensor%s", i->left_out, text_plural(i->left_out));
  say_answer(i);
}
