/* Texts with arithmetic in braces. A parser by recursive descent, one function for each line of the grammar:
 *   sum     = product {("+" | "-") product}
 *   product = sign {("*" | "/") sign}
 *   sign    = "-" sign | power
 *   power   = atom ["^" sign]
 *   atom    = number | name | name "[" whole "]" | function "(" sum {"," sum} ")" | "(" sum ")" */
#include "formats/expression.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "fanin/scheme.h"

enum { NAME = 64, MOST_NESTED = 64, SHOWN = 64 };

static const char digits[] = "0123456789", blanks[] = " \t\n",
                  name_first[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_",
                  name_rest[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";

typedef struct parser {
  const char *begin, *at, *end; /* of the expression, without its braces */
  const expression_names *names;
  const char *where;
  int nested, status;
  failure *why;
} parser;

/* Keeps the first thing that is wrong, and ends the text there. */
static double wrong(parser *p, const char *what) {
  if (p->status == STATUS_OK) {
    p->status = fail(p->why, STATUS_INPUT, "%s: '{%.*s}': %s", p->where, (int)(p->end - p->begin), p->begin, what);
  }
  p->at = p->end;
  return 0;
}

/* The next character that is not a blank; 0 at the end. */
static char peek(parser *p) {
  while (p->at < p->end && strchr(blanks, *p->at))
    ++p->at;
  return p->at < p->end ? *p->at : '\0';
}

static bool take(parser *p, char wanted) {
  if (peek(p) != wanted) return false;
  ++p->at;
  return true;
}

static double wrong_here(parser *p, const char *expected) {
  char what[2 * SHOWN];
  const size_t left = (size_t)(p->end - p->at);
  if (left > 0) {
    snprintf(what, sizeof what, "expected %s at '%.*s'", expected, (int)(left < SHOWN / 2 ? left : SHOWN / 2), p->at);
  } else {
    snprintf(what, sizeof what, "expected %s at the end", expected);
  }
  return wrong(p, what);
}

/* A result that is no finite number is wrong wherever it is: 1/(1/0) is not 0. */
static double checked(parser *p, double value) {
  return isfinite(value) ? value : wrong(p, "is not a finite number");
}

static double sum(parser *p);

/* ---- Functions --------------------------------------------------------------------------------------------------- */

static double root(const double *x) {
  return sqrt(x[0]); /* correctly rounded, as the four operations are */
}
static double down(const double *x) {
  return floor(x[0]);
}
static double up(const double *x) {
  return ceil(x[0]);
}
static double least(const double *x) {
  return fmin(x[0], x[1]);
}
static double most(const double *x) {
  return fmax(x[0], x[1]);
}

enum { MOST_ARGUMENTS = 2 };

static const struct function {
  const char *name;
  int arguments;
  double (*value)(const double *x);
} functions[] = {{"sqrt", 1, root}, {"floor", 1, down}, {"ceil", 1, up}, {"min", 2, least}, {"max", 2, most}};

/* "sqrt(2)", from behind the name on. */
static double call(parser *p, const char *name) {
  enum { COUNT = sizeof functions / sizeof *functions };
  const char *known[COUNT];
  char sentence[TEXT_KNOWN], what[TEXT_KNOWN + 2 * NAME];
  double x[MOST_ARGUMENTS] = {0};
  const struct function *f = functions;
  while (f < functions + COUNT && strcmp(f->name, name) != 0)
    ++f;
  if (f == functions + COUNT) {
    for (size_t i = 0; i < COUNT; ++i)
      known[i] = functions[i].name;
    snprintf(what, sizeof what, "no function is called '%s'%s", name,
             text_known(name, known, COUNT, "there are", sentence));
    return wrong(p, what);
  }
  ++p->at; /* the parenthesis */
  for (int i = 0; i < f->arguments; ++i) {
    if (i > 0 && !take(p, ',')) return wrong_here(p, "','");
    x[i] = sum(p);
  }
  return take(p, ')') ? checked(p, f->value(x)) : wrong_here(p, "')'");
}

/* x^y. Whole numbers y of up to 64 are products; others take the library's own power, because those of C libraries
 * differ in the last bit. */
static double power_of(parser *p, double x, double y) {
  enum { MOST_FACTORS = 64 };
  char text[2 * TEXT_NUMBER + 32];
  double factor = 1;
  if (fabs(y) <= MOST_FACTORS && y == floor(y)) {
    for (int i = 0; i < (int)fabs(y); ++i)
      factor *= x;
    return checked(p, y < 0 ? 1 / factor : factor);
  }
  if (!(x > 0)) return wrong(p, "the number before '^' must be above 0");
  snprintf(text, sizeof text, "power:of=%.17g,exponent=%.17g", x, fabs(y));
  const fanin_tensor none = {0};
  const int status = library_status(p->why, fanin_scheme_factor(text, &none, &factor), p->where);
  if (status != STATUS_OK) return wrong(p, "the power is out of range");
  return checked(p, y < 0 ? factor : 1 / factor);
}

/* ---- The grammar ------------------------------------------------------------------------------------------------- */

static double number(parser *p) {
  char text[SHOWN], *end = NULL;
  const size_t left = (size_t)(p->end - p->at);
  snprintf(text, sizeof text, "%.*s", (int)(left < sizeof text ? left : sizeof text - 1), p->at);
  if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) return wrong_here(p, "a decimal number");
  const double value = strtod(text, &end);
  if (end == text || end == text + sizeof text - 1) return wrong_here(p, "a number");
  p->at += end - text;
  return checked(p, value);
}

/* The name at the parser's place, which is one. */
static bool read_name(parser *p, char out[NAME]) {
  size_t length = 0;
  while (p->at + length < p->end && strchr(name_rest, p->at[length]))
    ++length;
  if (length >= NAME) return false;
  memcpy(out, p->at, length);
  out[length] = '\0';
  p->at += length;
  return true;
}

/* "[0]" behind a name. */
static double indexed(parser *p, const char *name) {
  int64_t index = 0;
  double value = 0;
  ++p->at;
  const bool negative = take(p, '-');
  if (!peek(p) || !strchr(digits, peek(p))) return wrong_here(p, "a whole number");
  for (int i = 0; p->at < p->end && strchr(digits, *p->at); ++p->at, ++i) {
    if (i == 9) return wrong(p, "the number between '[' and ']' is too long");
    index = 10 * index + (*p->at - '0');
  }
  if (!take(p, ']')) return wrong_here(p, "']'");
  if (negative) index = -index;
  p->status = p->names->find(p->names->state, name, &index, &value, p->why);
  if (p->status != STATUS_OK) p->at = p->end;
  return value;
}

static double named(parser *p) {
  char name[NAME];
  double value = 0;
  if (!read_name(p, name)) return wrong(p, "a name has more than 63 letters");
  const char next = peek(p);
  if (next == '(') return call(p, name);
  if (next == '[') return indexed(p, name);
  p->status = p->names->find(p->names->state, name, NULL, &value, p->why);
  if (p->status != STATUS_OK) p->at = p->end;
  return value;
}

static double atom(parser *p) {
  const char next = peek(p);
  if (take(p, '(')) {
    const double inner = sum(p);
    return take(p, ')') ? inner : wrong_here(p, "')'");
  }
  if (next && (strchr(digits, next) || next == '.')) return number(p);
  if (next && strchr(name_first, next)) return named(p);
  if (next == '{') return wrong(p, "braces do not nest: names inside need none, as in {1/sqrt(2*(layer+1))}");
  return wrong_here(p, "a number, a name or '('");
}

/* Whatever nests goes through here. */
static double sign(parser *p) {
  double value;
  if (++p->nested > MOST_NESTED) return wrong(p, "is nested too deeply");
  if (take(p, '-')) {
    value = -sign(p);
  } else {
    value = atom(p);
    if (take(p, '^')) value = power_of(p, value, sign(p));
  }
  --p->nested;
  return value;
}

static double product(parser *p) {
  double value = sign(p);
  for (;;) {
    if (take(p, '*'))
      value = checked(p, value * sign(p));
    else if (take(p, '/'))
      value = checked(p, value / sign(p));
    else
      return value;
  }
}

static double sum(parser *p) {
  double value = product(p);
  for (;;) {
    if (take(p, '+'))
      value = checked(p, value + product(p));
    else if (take(p, '-'))
      value = checked(p, value - product(p));
    else
      return value;
  }
}

/* ---- Texts ------------------------------------------------------------------------------------------------------- */

bool expression_is_name(const char *text) {
  return text[0] && strchr(name_first, text[0]) && text[strspn(text, name_rest)] == '\0' && strlen(text) < NAME;
}

/* The value of what is between braces. */
static int evaluate(parser *p, double *out) {
  static const double most_whole = 9007199254740992; /* larger ones may have been rounded */
  char what[2 * SHOWN];
  *out = sum(p);
  if (p->status == STATUS_OK && peek(p)) wrong_here(p, "an operator");
  if (p->status == STATUS_OK && p->names->whole && !(*out >= 0 && *out < most_whole && *out == floor(*out))) {
    snprintf(what, sizeof what, "is %.17g, but must be a whole number below 2^53", *out);
    wrong(p, what);
  }
  if (p->names->whole) *out += 0.0; /* no -0 */
  return p->status;
}

int expression_expand(const char *text, const expression_names *names, const char *where, char *out, size_t size,
                      failure *why) {
  size_t used = 0;
  for (const char *at = text; *at;) {
    double value = 0;
    const char *close = *at == '{' ? strchr(at, '}') : NULL;
    if (*at == '}' || (*at == '{' && !close)) {
      return fail(why, STATUS_INPUT, "%s: '%.64s' has a brace that does not belong to an {expression}", where, at);
    }
    if (close) {
      parser p = {at + 1, at + 1, close, names, where, 0, STATUS_OK, why};
      const int status = evaluate(&p, &value);
      if (status != STATUS_OK) return status;
      used += (size_t)snprintf(out + used, size - used, "%.17g", value);
      at = close + 1;
    } else {
      out[used++] = *at++;
    }
    if (used >= size) return fail(why, STATUS_INPUT, "%s: '%.64s...' is longer than %zu bytes", where, text, size - 1);
  }
  out[used] = '\0';
  return STATUS_OK;
}
