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

void find_all(inspection *i) {
  size_t at = 0;
  const char *name;
  for (size_t k = 0; k < i->count; ++k)
    find_of_tensor(i, k);
  find_of_several(i, FINDING_NOTE, "not judged: ", offsetof(expectation, reason));
  find_of_several(i, FINDING_SUSPICION, "", offsetof(expectation, dispute));
  find_sharing(i);
  while ((name = wishes_missing(i->wishes, &at))) {
    ++i->missing;
    find(i, FINDING_FAILURE, NO_TENSOR, "%s is in %s and not here", name, i->wishes->model_path);
  }
}
