/* Parameters of initializers and schemes: fields of a record with a name and a range, and the text "a=1,b=2" that sets
 * them. */
#include "init/parameters.h"

#include <stdio.h>
#include <string.h>

#include "core/status.h"
#include "math/number.h"

const fanin__parameter fanin__no_parameters[] = {FANIN__END};

/* ---- Fields ------------------------------------------------------------------------------------------------------ */

double fanin__number_at(const void *record, size_t offset) {
  double value;
  memcpy(&value, (const char *)record + offset, sizeof value);
  return value;
}

int fanin__choice_at(const void *record, size_t offset) {
  int value;
  memcpy(&value, (const char *)record + offset, sizeof value);
  return value;
}

/* ---- Values ------------------------------------------------------------------------------------------------------ */

/* What a parameter accepts, "a finite number is accepted". */
static const char *range_of(const fanin__parameter *parameter, char *text, size_t size) {
  if (parameter->most == INFINITY) return "a number, inf or -inf is accepted";
  if (parameter->most == DBL_MAX) {
    if (parameter->least == 0) return "a finite number of 0 or more is accepted";
    return parameter->least > 0 ? "a finite number above 0 is accepted" : "a finite number is accepted";
  }
  if (parameter->least == FANIN__ABOVE_0)
    snprintf(text, size, "a number above 0 and up to %g is accepted", parameter->most);
  else
    snprintf(text, size, "a number from %g to %g is accepted", parameter->least, parameter->most);
  return text;
}

/* The sentence for a value that is not accepted. */
static fanin_status refuse(const char *owner, const fanin__parameter *parameter, fanin__span value, const char *quote,
                           fanin_status status) {
  char range[64];
  if (parameter->type != FANIN__CHOICE) {
    return fanin__fail(status, "%s: %s is %s%.*s%s; %s%s", owner, parameter->name, quote, FANIN__SHOWN(value), quote,
                       range_of(parameter, range, sizeof range),
                       parameter->type == FANIN__GAIN && quote[0] ? ", and so is an activation's name" : "");
  }
  fanin__known known = fanin__known_for(value);
  for (const fanin__choice *choice = parameter->choices; choice->name; choice++)
    fanin__known_add(&known, fanin__span_of(choice->name));
  return fanin__fail(status, "%s: %s is %s%.*s%s%s", owner, parameter->name, quote, FANIN__SHOWN(value), quote,
                     fanin__known_text(&known, "accepted are"));
}

fanin_status fanin__check_parameter(const char *owner, const void *record, const fanin__parameter *parameter,
                                    fanin_status status) {
  char value[FANIN__NUMBER_SIZE];
  if (parameter->type == FANIN__CHOICE) {
    const int chosen = fanin__choice_at(record, parameter->offset);
    for (const fanin__choice *choice = parameter->choices; choice->name; choice++) {
      if (choice->value == chosen) return FANIN_STATUS_OK;
    }
    snprintf(value, sizeof value, "%d", chosen);
  } else {
    const double number = fanin__number_at(record, parameter->offset);
    if (number >= parameter->least && number <= parameter->most) return FANIN_STATUS_OK;
    fanin__number_format(number, value);
  }
  return refuse(owner, parameter, fanin__span_of(value), "", status);
}

static fanin_status set_value(const char *owner, const fanin__parameter *parameter, fanin__span value, void *record,
                              fanin__span *word) {
  char *const field = (char *)record + parameter->offset;
  double number;
  if (parameter->type == FANIN__CHOICE) {
    for (const fanin__choice *choice = parameter->choices; choice->name; choice++) {
      if (!fanin__same_name(value, fanin__span_of(choice->name))) continue;
      memcpy(field, &choice->value, sizeof choice->value);
      return FANIN_STATUS_OK;
    }
  } else if (fanin__number_parse(value.at, value.length, &number)) {
    if (number >= parameter->least && number <= parameter->most) {
      memcpy(field, &number, sizeof number);
      return FANIN_STATUS_OK;
    }
  } else if (parameter->type == FANIN__GAIN && value.length > 0) {
    *word = value;
    return FANIN_STATUS_OK;
  }
  return refuse(owner, parameter, value, "'", FANIN_STATUS_BAD_TEXT);
}

/* ---- Pairs ------------------------------------------------------------------------------------------------------- */

/* The next "name=value" behind the separator at *at; false at the text's end. */
static bool next_pair(const char **at, fanin__span *pair) {
  if (**at == '\0') return false;
  *pair = (fanin__span){*at + 1, strcspn(*at + 1, ",")};
  *at = pair->at + pair->length;
  return true;
}

/* What a pair has before its '='; all of it if there is none. */
static fanin__span name_of(fanin__span pair) {
  const char *const equal = memchr(pair.at, '=', pair.length);
  return (fanin__span){pair.at, equal ? (size_t)(equal - pair.at) : pair.length};
}

static const fanin__parameter *find_in(const fanin__parameter *list, fanin__span name) {
  for (const fanin__parameter *p = list; p && p->name; p++) {
    if (fanin__same_name(name, fanin__span_of(p->name))) return p;
  }
  return NULL;
}

static fanin_status find(const fanin__form *form, fanin__span name, const fanin__parameter **out) {
  const fanin__parameter *const lists[] = {form->own, form->more};
  *out = find_in(form->own, name);
  if (!*out) *out = find_in(form->more, name);
  if (*out) return FANIN_STATUS_OK;
  fanin__known known = fanin__known_for(name);
  for (size_t k = 0; k < sizeof lists / sizeof *lists; k++) {
    for (const fanin__parameter *p = lists[k]; p && p->name; p++)
      fanin__known_add(&known, fanin__span_of(p->name));
  }
  return fanin__fail(FANIN_STATUS_BAD_TEXT, "%s has no parameter '%.*s'%s", form->owner, FANIN__SHOWN(name),
                     known.list[0] ? fanin__known_text(&known, "accepted are") : "; it takes none");
}

/* Whether a pair of the text before `end` has that name. */
static bool was_given(const char *text, const char *end, fanin__span name) {
  fanin__span pair;
  while (text < end && next_pair(&text, &pair)) {
    if (fanin__same_name(name_of(pair), name)) return true;
  }
  return false;
}

fanin_status fanin__read_pairs(const fanin__form *form, const char *text, void *record, fanin__span *word) {
  fanin__span pair;
  const char *separator = text;
  for (const char *at = text; next_pair(&at, &pair); separator = at) {
    const fanin__span name = name_of(pair);
    const fanin__parameter *parameter;
    if (name.length == 0 || name.length == pair.length) {
      return fanin__fail(FANIN_STATUS_BAD_TEXT, "%s: expected name=value after '%c', got '%.*s'", form->owner,
                         *separator, FANIN__SHOWN(pair));
    }
    FANIN__TRY(find(form, name, &parameter));
    if (was_given(text, separator, name)) {
      return fanin__fail(FANIN_STATUS_BAD_TEXT, "%s: %s is given twice; once is accepted", form->owner,
                         parameter->name);
    }
    const fanin__span value = {name.at + name.length + 1, pair.length - name.length - 1};
    FANIN__TRY(set_value(form->owner, parameter, value, record, word));
  }
  return FANIN_STATUS_OK;
}
