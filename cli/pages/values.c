/* What can stand for an argument, worked out from what the help calls it. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "init/rules.h"
#include "pages.h"

/* Adds a word of some length to a list with blanks in between. What does not fit is a mistake in this program. */
static void append(char *list, size_t size, const char *word, size_t length) {
  const size_t used = strlen(list);
  if (used + length + 2 > size) abort();
  snprintf(list + used, size - used, "%s%.*s", used > 0 ? " " : "", (int)length, word);
}

/* The library's error sentences end with what would have been accepted: "there are linear relu ..." or "accepted are
 * input, output". Nothing where that is no list. */
static void append_accepted(char *words, size_t size) {
  static const char *const before[] = {"there are ", "accepted are "};
  for (size_t i = 0; i < sizeof before / sizeof *before; ++i) {
    const char *at = strstr(fanin_last_error(), before[i]);
    for (at = at ? at + strlen(before[i]) : ""; *at; at += strspn(at, ", ")) {
      const size_t length = strcspn(at, ", ");
      append(words, size, at, length);
      at += length;
    }
  }
}

void parameter_words(const char *initializer, const char *parameter, char *out, size_t size) {
  char text[128];
  fanin_init init;
  snprintf(text, sizeof text, "%s:%s=?", initializer, parameter);
  if (fanin_init_parse(text, &init) == FANIN_STATUS_OK) abort();
  out[0] = '\0';
  append_accepted(out, size);
}

void initializer_names(char *out, size_t size) {
  out[0] = '\0';
  for (int kind = 0; kind < FANIN_KIND_COUNT; ++kind) {
    fanin_description d;
    if (fanin_describe((fanin_kind)kind, &d, sizeof d) != FANIN_STATUS_OK) abort();
    append(out, size, d.name, strlen(d.name));
  }
}

/* "safetensors" and "npy" of "Where to write: a .safetensors file, or .npy for one tensor"; "json" of ".index.json". */
static void append_extensions(char *list, size_t size, const char *doc) {
  static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
  for (const char *at = strstr(doc, " ."); at; at = strstr(at, " .")) {
    size_t length = strspn(at += 2, letters);
    while (length > 0 && at[length] == '.' && strspn(at + length + 1, letters) > 0) {
      at += length + 1;
      length = strspn(at, letters);
    }
    if (length > 0) append(list, size, at, length);
  }
}

/* FILE, MODEL.json, DTYPE, ... or a word that stands for itself; other capitals stand for what cannot be listed. */
static void add_one(values *v, const char *what, size_t length, const char *doc) {
  char name[64];
  const char *optional = what[0] == '[' ? memchr(what, ']', length) : NULL; /* as in [NAME=]INIT */
  if (optional) length -= (size_t)(optional + 1 - what), what = optional + 1;
  while (length > 0 && what[length - 1] == '.') /* FILE...: several */
    --length;
  if (length >= sizeof name) return;
  snprintf(name, sizeof name, "%.*s", (int)length, what);
  const char *dot = strrchr(name, '.');
  if (strcmp(name, "DTYPE") == 0) {
    for (int d = 0; d < FANIN_DTYPE_COUNT; ++d)
      append(v->words, sizeof v->words, fanin_dtype_name((fanin_dtype)d), strlen(fanin_dtype_name((fanin_dtype)d)));
  } else if (strcmp(name, "ACTIVATION") == 0) {
    double gain;
    if (fanin_gain("?", 0, FANIN_CRITERION_SECOND_MOMENT, &gain) == FANIN_STATUS_OK) abort();
    append_accepted(v->words, sizeof v->words);
    if (!strstr(v->words, "relu")) abort();
  } else if (strcmp(name, "SEL") == 0) {
    append(v->words, sizeof v->words, "gpu cpu", 7);
  } else if (strcmp(name, "INIT") == 0) {
    v->initializers = true;
  } else if (strcmp(name, "RULES") == 0 || strcmp(name, "FILE") == 0) {
    for (const rule_set *set = rule_sets; name[0] == 'R' && set->name; ++set)
      append(v->words, sizeof v->words, set->name, strlen(set->name));
    v->files = true;
    append_extensions(v->extensions, sizeof v->extensions, doc);
  } else if (dot && islower((unsigned char)dot[1])) {
    v->files = true;
    append(v->extensions, sizeof v->extensions, dot + 1, strlen(dot + 1));
  } else if (islower((unsigned char)name[0])) {
    append(v->words, sizeof v->words, name, length);
  }
}

values values_of(const char *argument, const char *doc) {
  values v = {.files = false};
  if (argument && argument[0] == '-') return v; /* a form of the command that begins with an option */
  while (argument && *argument && *argument != ' ' && *argument != '\n') {
    const size_t length = strcspn(argument, "| \n");
    add_one(&v, argument, length, doc);
    argument += length + (argument[length] == '|');
  }
  return v;
}
