/* Command lines: glibc's argp for each subcommand with our own way of failing, and strict readers for values. */
#include "base/args.h"

#include <argp.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_HELP = 'h', FIRST_KEY = 0x100 };

/* The state of one parse, which argp hands to take_key(). */
typedef struct parse {
  const syntax *syntax;
  const args_option **options; /* those of the syntax */
  bool *seen;                  /* which of them */
  char shown_name[64];         /* "fanin init", in the usage line */
  char *into;
  failure *why;
  int status;
} parse;

/* argp's key of the i-th option. */
static int key_of(const parse *p, size_t i) {
  return p->options[i]->letter ? p->options[i]->letter : FIRST_KEY + (int)i;
}

static int take_option(const parse *p, int key, const char *value) {
  char name[64];
  size_t i = 0;
  while (key_of(p, i) != key)
    ++i;
  const args_option *o = p->options[i];
  snprintf(name, sizeof name, "--%s", o->name);
  if (p->seen[i] && o->arg && o->given != ARGS_SEVERAL) {
    return args_fail(p->why, "%s '%s': the option is given already; give it once", name, value);
  }
  p->seen[i] = true;
  if (o->given && o->given != ARGS_SEVERAL) *(bool *)(p->into + o->given) = true;
  return o->read(p->into + o->to, name, value, p->why);
}

static int take_argument(const parse *p, const char *value) {
  const char *what = p->syntax->argument;
  if (!what) return args_fail(p->why, "'%s' is not expected here", value);
  if (p->syntax->several) return args_texts(p->into + p->syntax->argument_to, what, value, p->why);
  const char **to = (const char **)(p->into + p->syntax->argument_to);
  if (*to) return args_fail(p->why, "'%s': %s is given already; give one at a time", value, what);
  *to = value;
  return STATUS_OK;
}

static error_t take_key(int key, char *value, struct argp_state *state) {
  parse *p = state->input;
  if (key == ARGP_KEY_INIT) {
    state->err_stream = NULL; /* argp's own "Try ..." line would use the name that errors begin with, "fanin: init" */
    return 0;
  }
  if (key == KEY_HELP) {
    state->name = p->shown_name;
    if (!p->syntax->silent) {
      argp_state_help(state, state->out_stream, ARGP_HELP_STD_HELP & ~(unsigned)ARGP_HELP_EXIT_OK);
    }
    p->status = STATUS_HELPED;
    return EINVAL;
  }
  if (key >= ARGP_KEY_END) return ARGP_ERR_UNKNOWN;
  p->status = key == ARGP_KEY_ARG ? take_argument(p, value) : take_option(p, key, value);
  return p->status == STATUS_OK ? 0 : EINVAL;
}

/* Leaves out argp's note on the arguments of short options, because the list shows them. */
static char *filter_help(int key, const char *text, void *input) {
  (void)input;
  return key == ARGP_KEY_HELP_DUP_ARGS_NOTE ? NULL : (char *)text;
}

bool args_is_last(const args_option *o) {
  return !o->name && !o->doc;
}

bool args_is_shown(const args_option *o) {
  return o->name && o->doc;
}

/* Lists the options of a syntax in `p`, and returns argp's table of them, with --help at the end. */
static struct argp_option *list_options(parse *p) {
  const args_option *const lists[] = {p->syntax->options, p->syntax->others};
  size_t n = 0, capacity = 0;
  for (int k = 0; k < 2; ++k) {
    for (const args_option *o = lists[k]; o && !args_is_last(o); ++o) {
      p->options = grow(p->options, &capacity, n + 1, sizeof *p->options);
      p->options[n++] = o;
    }
  }
  p->seen = allocate(n, sizeof *p->seen);
  struct argp_option *all = allocate(n + 2, sizeof *all); /* argp ends at a zeroed one */
  for (size_t i = 0; i < n; ++i) {
    const args_option *o = p->options[i];
    const int key = o->name ? key_of(p, i) : 0, flags = o->doc ? 0 : OPTION_HIDDEN;
    all[i] = (struct argp_option){.name = o->name, .key = key, .arg = o->arg, .flags = flags, .doc = o->doc};
  }
  all[n] = (struct argp_option){.name = "help", .key = KEY_HELP, .doc = "Show this help", .group = -1};
  return all;
}

int args_parse(const syntax *s, int argc, char **argv, void *into, failure *why) {
  parse p = {.syntax = s, .into = into, .why = why, .status = STATUS_OK};
  struct argp_option *options = list_options(&p);
  const struct argp parser = {
      .options = options, .parser = take_key, .args_doc = s->arguments, .doc = s->doc, .help_filter = filter_help};
  char error_name[64];
  const char *const program = s->program ? s->program : "fanin";
  snprintf(p.shown_name, sizeof p.shown_name, "%s %s", program, s->command);
  snprintf(error_name, sizeof error_name, "%s: %s", program, s->command);
  argv[0] = error_name; /* getopt's messages begin with it */
  const error_t error = argp_parse(&parser, argc, argv, ARGP_NO_HELP | (s->silent ? ARGP_NO_ERRS : 0u), NULL, &p);
  argv[0] = NULL;
  free(options);
  free(p.options);
  free(p.seen);
  if (error == 0) return STATUS_OK;
  if (p.status == STATUS_HELPED) return STATUS_HELPED;
  why->usage = 1;
  return p.status != STATUS_OK ? p.status : STATUS_INPUT; /* otherwise getopt has already printed what is wrong */
}

const args_option args_json_option[] = {{"json", 'j', NULL, "Print JSON", args_switch, 0, 0}, {0}};

int args_text(void *to, const char *name, const char *value, failure *why) {
  (void)name;
  (void)why;
  *(const char **)to = value;
  return STATUS_OK;
}

int args_texts(void *to, const char *name, const char *value, failure *why) {
  args_list *list = to;
  (void)name;
  (void)why;
  list->texts = grow(list->texts, &list->capacity, list->count + 1, sizeof *list->texts);
  list->texts[list->count++] = value;
  return STATUS_OK;
}

int args_switch(void *to, const char *name, const char *value, failure *why) {
  (void)name;
  (void)value;
  (void)why;
  *(bool *)to = true;
  return STATUS_OK;
}

int args_fail(failure *why, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fail_with(why, STATUS_INPUT, format, arguments);
  va_end(arguments);
  why->usage = 1;
  return STATUS_INPUT;
}

static int digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return 99;
}

bool args_u64(const char *text, size_t length, uint64_t *out) {
  const bool hexadecimal = length > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
  const uint64_t base = hexadecimal ? 16 : 10;
  uint64_t value = 0;
  if (length == 0) return false;
  for (size_t i = hexadecimal ? 2 : 0; i < length; ++i) {
    const uint64_t digit = (uint64_t)digit_value(text[i]);
    if (digit >= base || value > (UINT64_MAX - digit) / base) return false;
    value = value * base + digit;
  }
  *out = value;
  return true;
}

int args_number(void *to, const char *name, const char *value, failure *why) {
  if (args_u64(value, strlen(value), to)) return STATUS_OK;
  return args_fail(why, "%s '%s': give a whole number from 0 to 18446744073709551615 (or 0x and hexadecimal digits)",
                   name, value);
}

int args_real(void *to, const char *name, const char *value, failure *why) {
  char *end = NULL;
  const double number = strtod(value, &end);
  if (end == value || *end != '\0' || !isfinite(number)) {
    return args_fail(why, "%s '%s': give a finite number such as 0.05", name, value);
  }
  *(double *)to = number;
  return STATUS_OK;
}

int args_dtype(void *to, const char *name, const char *value, failure *why) {
  const fanin_status status = fanin_dtype_parse(value, to);
  if (status == FANIN_STATUS_OK) return STATUS_OK;
  why->usage = 1;
  return library_status(why, status, name);
}

int args_sizes(const char *name, const char *value, char separator, uint64_t *out, size_t capacity, size_t *count,
               failure *why) {
  size_t n = 0;
  for (const char *at = value;; ++n) {
    const char *end = strchr(at, separator);
    const size_t length = end ? (size_t)(end - at) : strlen(at);
    if (n == capacity) return args_fail(why, "%s '%s': at most %zu numbers are accepted", name, value, capacity);
    if (!args_u64(at, length, &out[n]) || out[n] == 0) {
      return args_fail(why,
                       "%s '%s': '%.*s' is not a whole number of at least 1; write such numbers with '%c' between them",
                       name, value, (int)length, at, separator);
    }
    if (!end) break;
    at = end + 1;
  }
  *count = n + 1;
  return STATUS_OK;
}
