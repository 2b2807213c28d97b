/* Texts with arithmetic in braces: "normal:std={0.02/sqrt(2*layers)}". docs/model-files.md is the specification. */
#ifndef CLI_FORMATS_EXPRESSION_H
#define CLI_FORMATS_EXPRESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/failure.h"

enum { EXPRESSION_TEXT = 512 }; /* room for an initializer's text */

/* Finds the number that a name stands for; `index` is that of "shape[0]", and NULL where the text has none. Returns
 * STATUS_OK, or fails with a whole sentence. */
typedef int expression_finder(const void *state, const char *name, const int64_t *index, double *out, failure *why);

typedef struct expression_names {
  expression_finder *find;
  const void *state; /* what `find` gets */
  bool whole;        /* values of expressions must be whole numbers of at least 0, and print as such */
} expression_names;

/* Copies the text with each {expression} replaced by its value, in as many digits as a double has. Expressions are made
 * of numbers, names, + - * / ^, parentheses, and sqrt, floor, ceil, min and max. They are evaluated in double, with the
 * same bits on every host. `where` begins the sentence of a failure; an expression without a finite value is one, and
 * so is a text of `size` bytes and more. */
int expression_expand(const char *text, const expression_names *names, const char *where, char *out, size_t size,
                      failure *why);

/* Whether expressions can name it: small and capital letters, digits and _, and no digit first. */
bool expression_is_name(const char *text);

#endif
