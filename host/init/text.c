/* Initializers as text, "he_normal:mode=fan_out,a=0.2", driven by the table. */
#include <stdio.h>
#include <string.h>

#include "core/argument.h"
#include "init/initializer.h"
#include "math/number.h"

/* ---- Names ------------------------------------------------------------------------------------------------------- */

enum { PRESET = 128 }; /* characters of a preset's parameters */

/* Adds the presets' names to `known`. True for the one that is wanted, whose parameters it copies: ":a=2". */
static bool find_preset(const char *presets, fanin__known *known, char parameters[PRESET]) {
  for (const char *at = presets; *at; at += strspn(at, "; ")) {
    const fanin__span name = {at, strcspn(at, ":")};
    at += name.length;
    const int length = (int)strcspn(at, ";");
    if (fanin__same_name(known->wanted, name)) return snprintf(parameters, PRESET, "%.*s", length, at) < PRESET;
    fanin__known_add(known, name);
    at += length;
  }
  return false;
}

/* Adds every name of every kind to `known`, and stops at the one that is wanted, whose kind it returns; else NULL.
 * Where it is a preset's, `parameters` gets what the preset stands for. */
static const fanin__initializer *find_name(fanin__known *known, char parameters[PRESET]) {
  for (int kind = 0; kind < FANIN_KIND_COUNT; kind++) {
    const fanin__initializer *const initializer = fanin__initializer_of((fanin_kind)kind);
    const char *const lists[] = {initializer->description.name, initializer->description.aliases};
    for (size_t k = 0; k < sizeof lists / sizeof *lists; k++) {
      fanin__span name;
      for (const char *list = lists[k]; fanin__next_name(&list, &name);) {
        if (fanin__same_name(known->wanted, name)) return initializer;
        fanin__known_add(known, name);
      }
    }
    if (find_preset(initializer->description.presets, known, parameters)) return initializer;
  }
  return NULL;
}

/* ---- Parsing ----------------------------------------------------------------------------------------------------- */

/* What text can say: the initializer, and what applies where a gain is an activation's name. */
typedef struct parsed {
  fanin_init init; /* first, so that offsets hold for both */
  double slope;    /* NaN: not given */
  int criterion;   /* -1: not given */
} parsed;

static const fanin__choice criteria[] = {{"second_moment", FANIN_CRITERION_SECOND_MOMENT},
                                         {"variance", FANIN_CRITERION_VARIANCE},
                                         {"pytorch", FANIN_CRITERION_PYTORCH},
                                         {NULL, 0}};
static const fanin__parameter of_activations[] = {
    {"criterion", offsetof(parsed, criterion), FANIN__CHOICE, 0, 0, criteria, {0}},
    {"slope", offsetof(parsed, slope), FANIN__NUMBER, -1e100, 1e100, NULL, {0}},
    FANIN__END};

/* The gain of a named activation; without a name, there is nothing for criterion and slope to say. */
static fanin_status apply_activation(parsed *p, const char *kind, fanin__span activation) {
  if (activation.length == 0) {
    if (isnan(p->slope) && p->criterion < 0) return FANIN_STATUS_OK;
    return fanin__fail(FANIN_STATUS_BAD_TEXT, "%s: %s is accepted only where gain is an activation's name", kind,
                       p->criterion >= 0 ? "criterion" : "slope");
  }
  if (!isnan(p->slope) && !fanin__same_name(activation, fanin__span_of("leaky_relu"))) {
    return fanin__fail(FANIN_STATUS_BAD_TEXT, "%s: slope is accepted only with gain=leaky_relu; gain is '%.*s'", kind,
                       FANIN__SHOWN(activation));
  }
  char name[80];
  snprintf(name, sizeof name, "%.*s", FANIN__SHOWN(activation));
  const double slope = isnan(p->slope) ? 0.01 : p->slope; /* PyTorch's default of leaky_relu */
  const fanin_criterion criterion = p->criterion < 0 ? FANIN_CRITERION_SECOND_MOMENT : (fanin_criterion)p->criterion;
  if (fanin_gain(name, slope, criterion, &p->init.gain) == FANIN_STATUS_OK) return FANIN_STATUS_OK;
  return fanin__fail(FANIN_STATUS_BAD_TEXT, "%s: gain is '%s', no number; %s", kind, name, fanin_last_error());
}

fanin_status fanin_init_parse(const char *text, fanin_init *out) {
  FANIN__NEED(text, out);
  const fanin__span name = {text, strcspn(text, ":")};
  fanin__known known = fanin__known_for(name);
  char preset[PRESET] = "";
  const fanin__initializer *const found = find_name(&known, preset);
  if (!found) {
    return fanin__fail(FANIN_STATUS_BAD_TEXT, "no initializer is called '%.*s'%s", FANIN__SHOWN(name),
                       fanin__known_text(&known, "there are"));
  }
  const fanin__form form = {found->description.name, found->parameters, fanin__has_gain(found) ? of_activations : NULL};
  parsed p = {.init = found->defaults, .slope = NAN, .criterion = -1};
  fanin__span activation = {"", 0};
  FANIN__TRY(fanin__read_pairs(&form, preset, &p, &activation));
  FANIN__TRY(fanin__read_pairs(&form, text + name.length, &p, &activation)); /* which may override a preset */
  FANIN__TRY(apply_activation(&p, form.owner, activation));
  FANIN__TRY(fanin__check_values(&p.init, FANIN_STATUS_BAD_TEXT));
  *out = fanin__explicit(&p.init);
  return FANIN_STATUS_OK;
}

/* ---- Formatting -------------------------------------------------------------------------------------------------- */

/* Of an initializer that was checked. */
static void format_value(const fanin_init *init, const fanin__parameter *parameter, char value[FANIN__NUMBER_SIZE]) {
  if (parameter->type != FANIN__CHOICE) {
    fanin__number_format(fanin__number_at(init, parameter->offset), value);
    return;
  }
  const int chosen = fanin__choice_at(init, parameter->offset);
  const fanin__choice *choice = parameter->choices;
  while (choice->value != chosen)
    choice++;
  snprintf(value, FANIN__NUMBER_SIZE, "%s", choice->name);
}

fanin_status fanin_init_format(const fanin_init *init, char *text, size_t capacity, size_t *out_length) {
  char whole[512] = ""; /* a name and at most six of parameter=value */
  FANIN__NEED_ARRAY(text, capacity);
  FANIN__TRY(fanin__check_init(init, FANIN_STATUS_BAD_ARGUMENT));
  const fanin__initializer *const initializer = fanin__initializer_of(init->kind);
  const fanin_init used = fanin__used_fields(initializer, init);
  const char *separator = ":";
  size_t length = (size_t)snprintf(whole, sizeof whole, "%s", initializer->description.name);
  for (const fanin__parameter *p = initializer->parameters; p->name; p++) {
    char value[FANIN__NUMBER_SIZE], usual[FANIN__NUMBER_SIZE];
    format_value(&used, p, value);
    format_value(&initializer->defaults, p, usual);
    if (strcmp(value, usual) == 0) continue;
    length += (size_t)snprintf(whole + length, sizeof whole - length, "%s%s=%s", separator, p->name, value);
    separator = ",";
  }
  return fanin__give_text(whole, length, text, capacity, out_length);
}
