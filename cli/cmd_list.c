/* fanin list: the initialisers with formula, parameters and source. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "args.h"
#include "commands.h"
#include "json.h"

const syntax list_syntax = {
    .command = "list",
    .options = args_json_option,
    .doc =
        "Lists the initialisers. Where one is asked for, write its name or an alias, then parameters that differ from "
        "their defaults, as in he_normal:mode=fan_out,a=0.2 or xavier_uniform:gain=tanh.\v"
        "Example:\n  fanin list",
    .take = args_take_json,
};

enum { LABEL = 12, WIDTH = 80 };

/* A label and a text beside it, broken at blanks. */
static void print_field(const char *label, const char *text) {
  size_t column = (size_t)printf("  %-*s", LABEL, label);
  for (bool first = true; *text; first = false) {
    const size_t length = strcspn(text, " ");
    if (!first && column + 1 + length > WIDTH) {
      column = (size_t)printf("\n  %*s", LABEL, "") - 1;
      first = true;
    }
    column += (size_t)printf("%s%.*s", first ? "" : " ", (int)length, text);
    text += length + (text[length] == ' ');
  }
  putchar('\n');
}

static void print_text(const fanin_description *d) {
  printf("%s%s%s\n", d->name, d->aliases[0] ? ", also " : "", d->aliases);
  print_field("values", d->formula);
  if (d->parameters[0]) print_field("parameters", d->parameters);
  print_field("source", d->source);
  if (d->needs_fans) print_field("layout", "needs O and I");
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

static json_t *to_json(const fanin_description *d) {
  json_t *o = json_object();
  json_object_set_new(o, "name", json_string(d->name));
  json_object_set_new(o, "aliases", split(d->aliases));
  json_object_set_new(o, "formula", json_string(d->formula));
  json_object_set_new(o, "parameters", split(d->parameters));
  json_object_set_new(o, "source", json_string(d->source));
  json_object_set_new(o, "needs_fans", json_boolean(d->needs_fans));
  return o;
}

int cmd_list(int argc, char **argv, failure *why) {
  bool json = false;
  const int status = args_parse(&list_syntax, argc, argv, &json, why);
  if (status != STATUS_OK) return status;
  json_t *array = json_array();
  for (int kind = 0; kind < FANIN_KIND_COUNT; ++kind) {
    fanin_description d;
    const fanin_status described = fanin_describe((fanin_kind)kind, &d);
    if (described != FANIN_OK) {
      json_decref(array);
      return fail_library(why, described, NULL);
    }
    if (json) {
      json_array_append_new(array, to_json(&d));
    } else {
      printf("%s", kind > 0 ? "\n" : "");
      print_text(&d);
    }
  }
  if (!json) {
    json_decref(array);
    return STATUS_OK;
  }
  json_t *root = json_object();
  json_object_set_new(root, "initialisers", array);
  return json_print(root, why);
}
