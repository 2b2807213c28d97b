/* Command lines: glibc's argp for each subcommand, with fanin's own way to report errors, and strict readers of values.
 */
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
  const char *arguments;             /* argp's args_doc: "MODEL.json -o OUT", one line for each form */
  const char *doc;                   /* argp's doc: what it does, \v, examples */
  /* Takes one option by its key, or a positional argument with ARGP_KEY_ARG. Returns an exit status. */
  int (*take)(void *into, int key, const char *value, failure *why);
  const char *program; /* NULL: "fanin" */
  bool silent;         /* print neither help nor getopt's messages, because another process prints them */
} syntax;

/* Parses argv[1..] into `into`; argv[0] is the subcommand itself. After --help has been printed, the status is
 * STATUS_HELPED. */
int args_parse(const syntax *s, int argc, char **argv, void *into, failure *why);

/* The options of a command that has only --json, and its syntax.take, which sets a bool. */
extern const struct argp_option args_json_option[];
int args_take_json(void *into, int key, const char *value, failure *why);

/* Like fail(), for a wrong command line: main() also points to --help. */
int args_fail(failure *why, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Reads a decimal number, or a hexadecimal one after 0x. Returns false for anything else: a sign, a space, more text.
 */
bool args_u64(const char *text, size_t length, uint64_t *out);
/* Reads the whole value of option `name` by args_u64(); the sentence of a failure names the option. */
int args_number(const char *name, const char *value, uint64_t *out, failure *why);
/* A finite decimal number. */
int args_real(const char *name, const char *value, double *out, failure *why);
int args_dtype(const char *name, const char *value, fanin_dtype *out, failure *why);
/* Reads numbers of at least 1 with `separator` between them, at most `capacity`. *count becomes how many there are. */
int args_sizes(const char *name, const char *value, char separator, uint64_t *out, size_t capacity, size_t *count,
               failure *why);

#endif
