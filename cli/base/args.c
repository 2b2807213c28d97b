/* Command lines: glibc's argp for each subcommand with our own way of failing, and strict readers for values. */
#include "base/args.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_HELP = 'h' };

/* The state of one parse, which argp hands to take_key(). */
typedef struct parse {
  const syntax *syntax;
  char shown_name[64]; /* "fanin init", in the usage line */
  void *into;
  failure *why;
  int status;
} parse;

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
  p->status = p->syntax->take(p->into, key, value, p->why);
  return p->status == STATUS_OK ? 0 : EINVAL;
}

/* Leaves out argp's note on the arguments of short options, because the list shows them. */
static char *filter_help(int key, const char *text, void *input) {
  (void)input;
  return key == ARGP_KEY_HELP_DUP_ARGS_NOTE ? NULL : (char *)text;
}

/* A copy of the options with --help added at the end. */
static struct argp_option *with_help(const struct argp_option *options) {
  size_t n = 0;
  while (options[n].name || options[n].doc) /* titles have no name */
    ++n;
  struct argp_option *all = allocate(n + 2, sizeof *all); /* argp ends at a zeroed one */
  memcpy(all, options, n * sizeof *all);
  all[n] = (struct argp_option){.name = "help", .key = KEY_HELP, .doc = "Show this help", .group = -1};
  return all;
}

int args_parse(const syntax *s, int argc, char **argv, void *into, failure *why) {
  struct argp_option *options = with_help(s->options);
  const struct argp parser = {
      .options = options, .parser = take_key, .args_doc = s->arguments, .doc = s->doc, .help_filter = filter_help};
  parse p = {.syntax = s, .into = into, .why = why, .status = STATUS_OK};
  char error_name[64];
  const char *const program = s->program ? s->program : "fanin";
  snprintf(p.shown_name, sizeof p.shown_name, "%s %s", program, s->command);
  snprintf(error_name, sizeof error_name, "%s: %s", program, s->command);
  argv[0] = error_name; /* getopt's messages begin with it */
  const error_t error = argp_parse(&parser, argc, argv, ARGP_NO_HELP | (s->silent ? ARGP_NO_ERRS : 0u), NULL, &p);
  argv[0] = NULL;
  free(options);
  if (error == 0) return STATUS_OK;
  if (p.status == STATUS_HELPED) return STATUS_HELPED;
  why->usage = 1;
  return p.status != STATUS_OK ? p.status : STATUS_INPUT; /* otherwise getopt has already printed what is wrong */
}

const struct argp_option args_json_option[] = {{.name = "json", .key = 'j', .doc = "Print JSON"}, {0}};

int args_take_json(void *into, int key, const char *value, failure *why) {
  if (key != 'j') return args_fail(why, "'%s' is not expected here", value);
  *(bool *)into = true;
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

int args_number(const char *name, const char *value, uint64_t *out, failure *why) {
  if (args_u64(value, strlen(value), out)) return STATUS_OK;
  return args_fail(why, "%s '%s': give a whole number from 0 to 18446744073709551615 (or 0x and hexadecimal digits)",
                   name, value);
}

int args_real(const char *name, const char *value, double *out, failure *why) {
  char *end = NULL;
  const double number = strtod(value, &end);
  if (end == value || *end != '\0' || !isfinite(number)) {
    return args_fail(why, "%s '%s': give a finite number such as 0.05", name, value);
  }
  *out = number;
  return STATUS_OK;
}

int args_dtype(const char *name, const char *value, fanin_dtype *out, failure *why) {
  const fanin_status status = fanin_dtype_parse(value, out);
  if (status == FANIN_STATUS_OK) return STATUS_OK;
  why->usage = 1;
  return fail_library(why, status, name);
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
