/* Initializers as text, "he_normal:mode=fan_out,a=0.2", driven by the table. */
#include <stdio.h>
#include <string.h>

#include "core/argument.h"
#include "init/initializer.h"
#include "math/number.h"

/* A part of the text that is parsed. */
typedef struct span {
  const char *at;
  size_t length;
} span;

/* For "%.*s" in sentences, which have no room for more. */
#define SHOWN(s) (int)((s).length < 64 ? (s).length : 64), (s).at

static bool equals(span s, const char *name) {
  return strlen(name) == s.length && memcmp(s.at, name, s.length) == 0;
}

/* ---- Names of initializers --------------------------------------------------------------------------------------- */

/* A name that stands for a kind with some of its parameters set. */
static const struct {
  const char *name, *parameters;
} presets[] = {{"pytorch_default", "a=2.23606797749979"}}; /* torch.nn.Linear and Conv: a = sqrt(5), std = sqrt(1/3n) */

/* The next of the names in a list "first, second"; false at its end. */
static bool next_name(const char **list, span *name) {
  *list += strspn(*list, ", ");
  *name = (span){*list, strcspn(*list, ",")};
  *list += name->length;
  return name->length > 0;
}

/* Calls `visit` with every name of every kind, until it returns true; returns whether it did. */
static bool any_name(bool (*visit)(span name, fanin_kind kind, void *context), void *context) {
  for (int kind = 0; kind < FANIN_KIND_COUNT; kind++) {
    const fanin_description *const d = &fanin__initializer_of((fanin_kind)kind)->description;
    const char *const lists[] = {d->name, d->aliases};
    for (size_t k = 0; k < sizeof lists / sizeof *lists; k++) {
      span name;
      for (const char *list = lists[k]; next_name(&list, &name);) {
        if (visit(name, (fanin_kind)kind, context)) return true;
      }
    }
  }
  return false;
}

typedef struct lookup {
  span wanted;
  const fanin__initializer *found;
} lookup;

static bool visit_match(span name, fanin_kind kind, void *context) {
  lookup *const l = context;
  if (name.length != l->wanted.length || memcmp(name.at, l->wanted.at, name.length) != 0) return false;
  l->found = fanin__initializer_of(kind);
  return true;
}

/* Insertions, deletions and replacements between two names (Levenshtein), of up to 31 characters each. */
static size_t distance(span a, span b) {
  size_t row[32];
  if (a.length >= 32 || b.length >= 32) return 32;
  for (size_t k = 0; k <= b.length; k++)
    row[k] = k;
  for (size_t n = 1; n <= a.length; n++) {
    size_t diagonal = row[0];
    row[0] = n;
    for (size_t k = 1; k <= b.length; k++) {
      const size_t replaced = diagonal + (a.at[n - 1] != b.at[k - 1]);
      const size_t added = 1 + (row[k] < row[k - 1] ? row[k] : row[k - 1]);
      diagonal = row[k];
      row[k] = replaced < added ? replaced : added;
    }
  }
  return row[b.length];
}

typedef struct nearest {
  span wanted, best;
  size_t distance;
  char all[512];
} nearest;

static bool visit_near(span name, fanin_kind kind, void *context) {
  (void)kind;
  nearest *const n = context;
  const size_t d = distance(n->wanted, name);
  if (d < n->distance) {
    n->distance = d;
    n->best = name;
  }
  char copy[32];
  snprintf(copy, sizeof copy, "%.*s", SHOWN(name));
  fanin__append(n->all, sizeof n->all, copy);
  return false;
}

static fanin_status unknown_name(span name) {
  nearest n = {.wanted = name, .distance = 3}; /* two slips still are the same word */
  any_name(visit_near, &n);
  if (n.best.length > 0) {
    return fanin__fail(FANIN_STATUS_BAD_TEXT, "no initializer is called '%.*s', did you mean %.*s? There are %s",
                       SHOWN(name), SHOWN(n.best), n.all);
  }
  return fanin__fail(FANIN_STATUS_BAD_TEXT, "no initializer is called '%.*s'; there are %s", SHOWN(name), n.all);
}

/* ---- Parameters -------------------------------------------------------------------------------------------------- */

/* What text can say: the initializer, and what applies where a gain is an activation's name. */
typedef struct parsed {
  fanin_init init; /* first, so that offsets hold for both */
  double slope;
  int criterion;
  span activation; /* empty: the gain is a number */
  const fanin__initializer *initializer;
  const fanin__parameter *seen[16];
  size_t n_seen;
} parsed;

static const fanin__choice criteria[] = {{"second_moment", FANIN_CRITERION_SECOND_MOMENT},
                                         {"variance", FANIN_CRITERION_VARIANCE},
                                         {"pytorch", FANIN_CRITERION_PYTORCH},
                                         {NULL, 0}};

enum { CRITERION, SLOPE };
static const fanin__parameter of_activations[] = {
    [CRITERION] = {"criterion", offsetof(parsed, criterion), FANIN__CHOICE, 0, 0, criteria, 0},
    [SLOPE] = {"slope", offsetof(parsed, slope), FANIN__NUMBER, -1e100, 1e100, NULL, 0},
    {NULL, 0, FANIN__NUMBER, 0, 0, NULL, 0}};

static bool takes_gain(const fanin__initializer *initializer) {
  for (const fanin__parameter *p = initializer->parameters; p->name; p++) {
    if (p->type == FANIN__GAIN) return true;
  }
  return false;
}

static const fanin__parameter *find_in(const fanin__parameter *list, span name) {
  for (const fanin__parameter *p = list; p->name; p++) {
    if (equals(name, p->name)) return p;
  }
  return NULL;
}

static fanin_status find_parameter(const fanin__initializer *initializer, span name, const fanin__parameter **out) {
  const bool gain = takes_gain(initializer);
  *out = find_in(initializer->parameters, name);
  if (!*out && gain) *out = find_in(of_activations, name);
  if (*out) return FANIN_STATUS_OK;
  char names[160] = "";
  for (const fanin__parameter *p = initializer->parameters; p->name; p++)
    fanin__append(names, sizeof names, p->name);
  for (const fanin__parameter *p = of_activations; gain && p->name; p++)
    fanin__append(names, sizeof names, p->name);
  return fanin__fail(FANIN_STATUS_BAD_TEXT, "%s has no parameter '%.*s'; %s%s", initializer->description.name,
                     SHOWN(name), names[0] ? "accepted are " : "it takes none", names);
}

static fanin_status bad_value(const parsed *p, const fanin__parameter *parameter, span value) {
  char accepted[192];
  fanin__accepted(parameter, accepted, sizeof accepted);
  return fanin__fail(FANIN_STATUS_BAD_TEXT, "%s: %s is '%.*s'; %s%s", p->initializer->description.name, parameter->name,
                     SHOWN(value), accepted, parameter->type == FANIN__GAIN ? ", and so is an activation's name" : "");
}

static fanin_status set_value(parsed *p, const fanin__parameter *parameter, span value) {
  if (parameter->type == FANIN__CHOICE) {
    for (const fanin__choice *choice = parameter->choices; choice->name; choice++) {
      if (!equals(value, choice->name)) continue;
      fanin__set_choice(p, parameter, choice->value);
      return FANIN_STATUS_OK;
    }
    return bad_value(p, parameter, value);
  }
  double number;
  if (fanin__number_parse(value.at, value.length, &number)) {
    if (!(number >= parameter->least && number <= parameter->most)) return bad_value(p, parameter, value);
    fanin__set_number(p, parameter, number);
    return FANIN_STATUS_OK;
  }
  if (parameter->type != FANIN__GAIN || value.length == 0) return bad_value(p, parameter, value);
  p->activation = value;
  return FANIN_STATUS_OK;
}

static bool was_seen(const parsed *p, const fanin__parameter *parameter) {
  for (size_t k = 0; k < p->n_seen; k++) {
    if (p->seen[k] == parameter) return true;
  }
  return false;
}

/* One "name=value". */
static fanin_status parse_pair(parsed *p, span pair) {
  const char *const kind = p->initializer->description.name;
  const char *const equal = memchr(pair.at, '=', pair.length);
  const span name = {pair.at, equal ? (size_t)(equal - pair.at) : pair.length};
  if (!equal || name.length == 0) {
    return fanin__fail(FANIN_STATUS_BAD_TEXT, "%s: '%.*s' is no name=value, which is accepted between ':' and ','",
                       kind, SHOWN(pair));
  }
  const fanin__parameter *parameter;
  FANIN__TRY(find_parameter(p->initializer, name, &parameter));
  if (was_seen(p, parameter)) {
    return fanin__fail(FANIN_STATUS_BAD_TEXT, "%s: %s is given twice; once is accepted", kind, parameter->name);
  }
  p->seen[p->n_seen++] = parameter; /* no parameter twice: never more than a kind has */
  return set_value(p, parameter, (span){equal + 1, pair.length - name.length - 1});
}

/* The gain of a named activation; without a name, there is nothing for criterion and slope to say. */
static fanin_status apply_activation(parsed *p) {
  const char *const kind = p->initializer->description.name;
  const bool slope = was_seen(p, &of_activations[SLOPE]), criterion = was_seen(p, &of_activations[CRITERION]);
  if (p->activation.length == 0) {
    if (!slope && !criterion) return FANIN_STATUS_OK;
    return fanin__fail(FANIN_STATUS_BAD_TEXT, "%s: %s is accepted only where gain is an activation's name", kind,
                       criterion ? "criterion" : "slope");
  }
  if (slope && !equals(p->activation, "leaky_relu")) {
    return fanin__fail(FANIN_STATUS_BAD_TEXT, "%s: slope is accepted only with gain=leaky_relu; gain is '%.*s'", kind,
                       SHOWN(p->activation));
  }
  char name[80];
  snprintf(name, sizeof name, "%.*s", SHOWN(p->activation));
  const fanin_status status = fanin_gain(name, p->slope, (fanin_criterion)p->criterion, &p->init.gain);
  if (status == FANIN_STATUS_OK) return FANIN_STATUS_OK;
  return fanin__fail(FANIN_STATUS_BAD_TEXT, "%s: gain is '%s', no number; %s", kind, name, fanin_last_error());
}

static fanin_status parse_pairs(parsed *p, const char *at) {
  for (;; at++) {
    const span pair = {at, strcspn(at, ",")};
    FANIN__TRY(parse_pair(p, pair));
    at += pair.length;
    if (*at == '\0') return FANIN_STATUS_OK;
  }
}

fanin_status fanin_init_parse(const char *text, fanin_init *out) {
  FANIN__NEED(text);
  FANIN__NEED(out);

  const span name = {text, strcspn(text, ":")};
  lookup l = {.wanted = name};
  if (!any_name(visit_match, &l)) return unknown_name(name);
  /* PyTorch's default slope of leaky_relu. */
  parsed p = {
      .init = l.found->defaults, .slope = 0.01, .criterion = FANIN_CRITERION_SECOND_MOMENT, .initializer = l.found};
  for (size_t k = 0; k < sizeof presets / sizeof *presets; k++) {
    if (equals(name, presets[k].name)) FANIN__TRY(parse_pairs(&p, presets[k].parameters));
  }
  p.n_seen = 0; /* a preset may be overridden */
  if (text[name.length] == ':') FANIN__TRY(parse_pairs(&p, text + name.length + 1));
  FANIN__TRY(apply_activation(&p));
  FANIN__TRY(fanin__check_values(&p.init, FANIN_STATUS_BAD_TEXT));
  *out = fanin__explicit(&p.init);
  return FANIN_STATUS_OK;
}

/* ---- Formatting -------------------------------------------------------------------------------------------------- */

/* Of an initializer that was checked. */
static void format_value(const fanin_init *init, const fanin__parameter *parameter, char value[FANIN__NUMBER_SIZE]) {
  if (parameter->type != FANIN__CHOICE) {
    fanin__number_format(fanin__get_number(init, parameter), value);
    return;
  }
  const int chosen = fanin__get_choice(init, parameter);
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
