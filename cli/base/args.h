/* Command lines: glibc's argp for each subcommand with our own way of failing, and strict readers for values. */
#ifndef CLI_BASE_ARGS_H
#define CLI_BASE_ARGS_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/failure.h"

/* What a subcommand accepts. */
typedef struct syntax {
  const char *command;               /* "init" */
  const struct argp_option *options; /* without --help, which is added */
  const char *arguments;             /* argp's args_doc: "MODEL.json -o OUT", a line for each form */
  const char *doc;                   /* argp's doc: what it does, \v, examples */
  /* Takes one option by its key, or a positional argument with ARGP_KEY_ARG. Returns an exit status. */
  int (*take)(void *into, int key, const char *value, failure *why);
  const char *program; /* NULL: "fanin" */
  bool silent;         /* print neither help nor what getopt has to say: another process does */
} syntax;

/* Parses argv[1..] (argv[0] is the subcommand itself) into `into`. --help prints and is STATUS_HELPED. */
int args_parse(const syntax *s, int argc, char **argv, void *into, failure *why);

/* For a command that has --json alone: its options, and a syntax.take that sets a bool. */
extern const struct argp_option args_json_option[];
int args_take_json(void *into, int key, const char *value, failure *why);

/* fail() for a wrong command line, which also points to --help. */
int args_fail(failure *why, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Decimal, or hexadecimal after 0x; no sign, no space, nothing after it. False if it is anything else. */
bool args_u64(const char *text, size_t length, uint64_t *out);
/* args_u64() on all of the value of option `name`, with its sentence. */
int args_number(const char *name, const char *value, uint64_t *out, failure *why);
/* A finite decimal number. */
int args_real(const char *name, const char *value, double *out, failure *why);
int args_dtype(const char *name, const char *value, fanin_dtype *out, failure *why);
/* Numbers of at least 1 with `separator` between them. Returns how many through *count, at most `capacity`. */
int args_sizes(const char *name, const char *value, char separator, uint64_t *out, size_t capacity, size_t *count,
               failure *why);

#endif
