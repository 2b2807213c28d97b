/* fanin list: initializers and schemes with formula, parameters and source; sets of rules. */
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/args.h"
#include "base/commands.h"
#include "base/json.h"
#include "base/terminal.h"
#include "base/text.h"
#include "fanin/scheme.h"
#include "init/rules.h"

enum { MOST_NAMES = 128, LONGEST_NAME = 64 };

typedef struct list_request {
  bool json;
  const char *wanted; /* a name; NULL: everything */
  size_t found;
  char names[MOST_NAMES][LONGEST_NAME]; /* of what is not wanted, for a sentence when nothing is */
  size_t count;
} list_request;

static const args_option options[] = {{"json", 'j', NULL, "Print JSON", args_switch, offsetof(list_request, json), 0},
                                      {0}};

const syntax list_syntax = {
    .command = "list",
    .summary = "list the initializers: formula, parameters, source",
    .run = cmd_list,
    .options = options,
    .argument = "a name",
    .argument_to = offsetof(list_request, wanted),
    .arguments = "[NAME]",
    .doc = "Lists the initializers, or with NAME only what has that name. Where an initializer is expected, write its "
           "name or an alias, then the parameters "
           "that differ from their defaults, as in he_normal:mode=fan_out,a=0.2 or xavier_uniform:gain=tanh. After "
           "them, what 'fanin init --like' needs: schemes, which are factors that rules put in front of an "
           "initializer, and sets of rules (docs/checkpoints.md).\v"
           "Examples:\n  fanin list\n  fanin list he_normal",
};

enum { LABEL = 12, WIDTH = 80 };

/* Prints a label and a text beside it. */
static void print_field(const char *label, const char *text) {
  printf("  %-*s", LABEL, label);
  terminal_break(stdout, text, LABEL + 2, LABEL + 2, WIDTH);
  putchar('\n');
}

/* "a,b" as ["a", "b"]; blanks around a piece are not part of it. */
static json_t *split(const char *text) {
  json_t *array = json_array();
  while (*text) {
    text += strspn(text, ", ");
    size_t length = strcspn(text, ",");
    const size_t whole = length;
    while (length > 0 && text[length - 1] == ' ')
      --length;
    if (length > 0) json_array_append_new(array, json_stringn(text, length));
    text += whole;
  }
  return array;
}

/* Whether an entry is to be listed: its name is wanted, or one of its aliases ("a, b") or presets ("a:x=1; b:y=2"). */
static bool is_wanted(list_request *r, const char *name, const char *others) {
  bool wanted = !r->wanted || strcasecmp(r->wanted, name) == 0;
  const size_t length = r->wanted ? strlen(r->wanted) : 0;
  for (const char *at = others; !wanted && *at;) {
    at += strspn(at, ",; ");
    wanted = length > 0 && strcspn(at, ":,; ") == length && strncasecmp(at, r->wanted, length) == 0;
    at += strcspn(at, ";, "); /* a preset's parameters have commas, and equal signs, which no name has */
  }
  r->found += wanted;
  if (!wanted && r->count < MOST_NAMES) snprintf(r->names[r->count++], LONGEST_NAME, "%s", name);
  return wanted;
}

/* What there is to say of an entry. A list of it ends with {0}. */
typedef struct field {
  const char *key, *label; /* in JSON, and in text; NULL: not there */
  const char *text;
  bool list; /* with commas */
} field;

/* Prints an entry, or adds it to `into`. */
static void put(json_t *into, const char *title, const field *fields, bool needs_fans) {
  json_t *o = into ? json_object() : NULL;
  if (!into) printf("%s\n", title);
  for (const field *f = fields; f->key; ++f) {
    if (into)
      json_object_set_new(o, f->key, f->list ? split(f->text) : json_string(f->text));
    else if (f->label && f->text[0])
      print_field(f->label, f->text);
  }
  if (into) {
    json_object_set_new(o, "needs_fans", json_boolean(needs_fans));
    json_array_append_new(into, o);
    return;
  }
  if (needs_fans) print_field("layout", "needs O and I");
  putchar('\n');
}

static int list_initializers(list_request *r, json_t *into, failure *why) {
  for (int kind = 0; kind < FANIN_KIND_COUNT; ++kind) {
    fanin_description d;
    char title[256];
    const int status = library_status(why, fanin_describe((fanin_kind)kind, &d, sizeof d), NULL);
    if (status != STATUS_OK) return status;
    snprintf(title, sizeof title, "%s; %s", d.aliases, d.presets);
    if (!is_wanted(r, d.name, title)) continue;
    const field fields[] = {{"name", NULL, d.name, false},
                            {"aliases", NULL, d.aliases, true},
                            {"formula", "values", d.formula, false},
                            {"parameters", "parameters", d.parameters, true},
                            {"presets", "presets", d.presets, false},
                            {"source", "source", d.source, false},
                            {0}};
    snprintf(title, sizeof title, "%s%s%s", d.name, d.aliases[0] ? ", also " : "", d.aliases);
    put(into, title, fields, d.needs_fans);
  }
  return STATUS_OK;
}

static int list_schemes(list_request *r, json_t *into, failure *why) {
  for (int k = 0; k < fanin_scheme_count(); ++k) {
    fanin_scheme_description d;
    char title[256];
    const int status = library_status(why, fanin_describe_scheme(k, &d, sizeof d), NULL);
    if (status != STATUS_OK) return status;
    if (!is_wanted(r, d.name, "")) continue;
    const field fields[] = {{"name", NULL, d.name, false},
                            {"formula", "factor", d.formula, false},
                            {"parameters", "parameters", d.parameters, true},
                            {"goes_with", "goes with", d.goes_with, false},
                            {"source", "source", d.source, false},
                            {0}};
    snprintf(title, sizeof title, "%s, a scheme", d.name);
    put(into, title, fields, d.needs_fans);
  }
  return STATUS_OK;
}

static int list_rule_sets(list_request *r, json_t *into, failure *why) {
  bool first = true;
  for (const rule_set *set = rule_sets; set->name; ++set) {
    json_t *root = NULL;
    if (!is_wanted(r, set->name, "")) continue;
    const int status = json_load_bytes(set->name, set->json, set->size, &root, why);
    if (status != STATUS_OK) return status;
    const char *name = json_string_value(json_object_get(root, "name"));
    const char *source = json_string_value(json_object_get(root, "source"));
    if (into) {
      json_array_append_new(into,
                            json_pack("{s:s, s:s?, s:s?}", "name", set->name, "initializes", name, "source", source));
    } else {
      printf("%s%s, a set of rules\n", first ? "" : "\n", set->name);
      first = false;
      if (name) print_field("initializes", name);
      if (source) print_field("source", source);
    }
    json_decref(root);
  }
  return STATUS_OK;
}

static int refuse_name(const list_request *r, failure *why) {
  char known[TEXT_KNOWN];
  const char *names[MOST_NAMES];
  for (size_t i = 0; i < r->count; ++i)
    names[i] = r->names[i];
  return args_fail(why, "nothing is called '%.64s'%s", r->wanted,
                   text_known(r->wanted, names, r->count, "there are", known));
}

int cmd_list(int argc, char **argv, failure *why) {
  static const struct {
    const char *key;
    int (*list)(list_request *r, json_t *into, failure *why);
  } lists[] = {{"initializers", list_initializers}, {"schemes", list_schemes}, {"rules", list_rule_sets}};
  list_request r = {0};
  int status = args_parse(&list_syntax, argc, argv, &r, why);
  if (status != STATUS_OK) return status;
  json_t *root = r.json ? json_object() : NULL;
  for (size_t i = 0; i < sizeof lists / sizeof *lists && status == STATUS_OK; ++i) {
    json_t *array = r.json ? json_array() : NULL;
    status = lists[i].list(&r, array, why);
    if (r.json) json_object_set_new(root, lists[i].key, array);
  }
  if (status == STATUS_OK && r.found == 0) status = refuse_name(&r, why);
  if (status == STATUS_OK && r.json) return json_print(root, why);
  json_decref(root);
  return status;
}
