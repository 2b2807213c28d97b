/* Names that users type: found without regard to case, and answered with "did you mean" where they are not known. */
#include "core/names.h"

#include <stdio.h>
#include <string.h>

#include "core/argument.h"
#include "fanin/scheme.h"

fanin__span fanin__span_of(const char *text) {
  return (fanin__span){text, strlen(text)};
}

static char lower(char c) {
  return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool fanin__same_name(fanin__span a, fanin__span b) {
  if (a.length != b.length) return false;
  for (size_t k = 0; k < a.length; k++) {
    if (lower(a.at[k]) != lower(b.at[k])) return false;
  }
  return true;
}

bool fanin__next_name(const char **list, fanin__span *name) {
  *list += strspn(*list, ", ");
  *name = (fanin__span){*list, strcspn(*list, ", ")};
  *list += name->length;
  return name->length > 0;
}

/* ---- Near names -------------------------------------------------------------------------------------------------- */

/* Insertions, deletions and replacements between two names (Levenshtein 1966), of up to 31 characters each. */
static size_t distance(fanin__span a, fanin__span b) {
  size_t row[32];
  if (a.length >= 32 || b.length >= 32) return 32;
  for (size_t k = 0; k <= b.length; k++)
    row[k] = k;
  for (size_t n = 1; n <= a.length; n++) {
    size_t diagonal = row[0];
    row[0] = n;
    for (size_t k = 1; k <= b.length; k++) {
      const size_t replaced = diagonal + (lower(a.at[n - 1]) != lower(b.at[k - 1]));
      const size_t added = 1 + (row[k] < row[k - 1] ? row[k] : row[k - 1]);
      diagonal = row[k];
      row[k] = replaced < added ? replaced : added;
    }
  }
  return row[b.length];
}

fanin__known fanin__known_for(fanin__span wanted) {
  /* Two slips still are the same word, if it is not a short one. */
  return (fanin__known){.wanted = wanted, .distance = wanted.length < 4 ? 2 : 3};
}

void fanin__known_hint(fanin__known *known, fanin__span name) {
  const size_t d = distance(known->wanted, name);
  if (d >= known->distance || d >= name.length) return;
  known->distance = d;
  known->nearest = name;
}

void fanin__known_add(fanin__known *known, fanin__span name) {
  const size_t used = strlen(known->list);
  fanin__known_hint(known, name);
  snprintf(known->list + used, sizeof known->list - used, "%s%.*s", used > 0 ? ", " : "", FANIN__SHOWN(name));
}

const char *fanin__known_text(fanin__known *known, const char *are) {
  if (known->nearest.length > 0) {
    snprintf(known->text, sizeof known->text, ", did you mean %.*s? %c%s %s", FANIN__SHOWN(known->nearest),
             are[0] - 'a' + 'A', are + 1, known->list);
  } else {
    snprintf(known->text, sizeof known->text, "; %s %s", are, known->list);
  }
  return known->text;
}

fanin_status fanin_nearest_name(const char *name, const char *const *names, size_t n, size_t *nearest) {
  FANIN__NEED(name, nearest);
  FANIN__NEED_ARRAY(names, n);
  fanin__known known = fanin__known_for(fanin__span_of(name));
  size_t found = n;
  for (size_t k = 0; k < n; k++) {
    FANIN__NEED(names[k]);
    fanin__known_hint(&known, fanin__span_of(names[k]));
    if (known.nearest.length > 0 && known.nearest.at == names[k]) found = k;
  }
  *nearest = found;
  return FANIN_STATUS_OK;
}
