/* Whether an initializer's parameters are those that its kind accepts, and the sentence if not. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/argument.h"
#include "init/initializer.h"
#include "math/number.h"

void fanin__append(char *list, size_t size, const char *item) {
  const size_t used = strlen(list);
  snprintf(list + used, size - used, "%s%s", used > 0 ? ", " : "", item);
}

void fanin__accepted(const fanin__parameter *parameter, char *text, size_t size) {
  if (parameter->type == FANIN__CHOICE) {
    char names[128] = "";
    for (const fanin__choice *choice = parameter->choices; choice->name; choice++)
      fanin__append(names, sizeof names, choice->name);
    snprintf(text, size, "accepted are %s", names);
    return;
  }
  if (parameter->most == INFINITY) {
    snprintf(text, size, "a number, inf or -inf is accepted");
  } else if (parameter->least == 0 && parameter->most == DBL_MAX) {
    snprintf(text, size, "a finite number of 0 or more is accepted");
  } else if (parameter->most == DBL_MAX) {
    snprintf(text, size, "a finite number is accepted");
  } else {
    snprintf(text, size, "a number from %g to %g is accepted", parameter->least, parameter->most);
  }
}

static fanin_status check_parameter(const char *kind, const fanin_init *init, const fanin__parameter *parameter,
                                    fanin_status status) {
  char value[FANIN__NUMBER_SIZE], accepted[192];
  if (parameter->type == FANIN__CHOICE) {
    const int chosen = fanin__get_choice(init, parameter);
    for (const fanin__choice *choice = parameter->choices; choice->name; choice++) {
      if (choice->value == chosen) return FANIN_STATUS_OK;
    }
    snprintf(value, sizeof value, "%d", chosen);
  } else {
    const double number = fanin__get_number(init, parameter);
    if (number >= parameter->least && number <= parameter->most) return FANIN_STATUS_OK;
    fanin__number_format(number, value);
  }
  fanin__accepted(parameter, accepted, sizeof accepted);
  return fanin__fail(status, "%s: %s is %s; %s", kind, parameter->name, value, accepted);
}

fanin_status fanin__check_values(const fanin_init *init, fanin_status status) {
  const fanin__initializer *const initializer = fanin__initializer_of(init->kind);
  for (const fanin__parameter *p = initializer->parameters; p->name; p++)
    FANIN__TRY(check_parameter(initializer->description.name, init, p, status));
  if (init->kind == FANIN_KIND_UNIFORM && init->lo > init->hi) {
    return fanin__fail(status, "uniform: lo is %g and hi is %g; lo of hi or less is accepted", init->lo, init->hi);
  }
  if (init->kind == FANIN_KIND_TRUNC_NORMAL && init->a >= init->b) {
    return fanin__fail(status, "trunc_normal: a is %g and b is %g; a of less than b is accepted", init->a, init->b);
  }
  if (init->kind == FANIN_KIND_SPARSE && init->connections != floor(init->connections)) {
    return fanin__fail(status, "sparse: connections is %g; a whole number, or 0 for none, is accepted",
                       init->connections);
  }
  return FANIN_STATUS_OK;
}

fanin_status fanin__check_init(const fanin_init *init, fanin_status status) {
  FANIN__NEED(init);
  FANIN__NEED_RESERVED("init", init->reserved);
  const fanin__initializer *const initializer = fanin__initializer_of(init->kind);
  if (!initializer) return FANIN_STATUS_BAD_ARGUMENT;
  const fanin_init used = fanin__used_fields(initializer, init);
  return fanin__check_values(&used, status);
}
