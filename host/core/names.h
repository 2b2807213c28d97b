/* Names that users type: found without regard to case, and answered with "did you mean" where they are not known. */
#ifndef HOST_CORE_NAMES_H
#define HOST_CORE_NAMES_H

#include <stdbool.h>
#include <stddef.h>

/* A piece of a text. */
typedef struct fanin__span {
  const char *at;
  size_t length;
} fanin__span;

/* For "%.*s" in sentences, which have no room for more. */
#define FANIN__SHOWN(s) (int)((s).length < 64 ? (s).length : 64), (s).at

fanin__span fanin__span_of(const char *text);

/* Whether both are the same name: letters of ASCII in either case. */
bool fanin__same_name(fanin__span a, fanin__span b);

/* The next name of a list "first, second" or "first second", which *list then begins behind; false at its end. */
bool fanin__next_name(const char **list, fanin__span *name);

/* The names that there are, for a sentence about one that is not among them. */
typedef struct fanin__known {
  fanin__span wanted, nearest; /* nearest: empty if none is near */
  size_t distance;
  char list[512], text[640];
} fanin__known;

fanin__known fanin__known_for(fanin__span wanted);
void fanin__known_add(fanin__known *known, fanin__span name);
/* A name that is suggested, but not listed: another one of the same thing. */
void fanin__known_hint(fanin__known *known, fanin__span name);

/* "; there are a, b", or ", did you mean a? There are a, b", where `are` is "there are". It is kept in `known`. */
const char *fanin__known_text(fanin__known *known, const char *are);

#endif
