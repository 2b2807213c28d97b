/* Command lines: glibc's argp for each subcommand, with fanin's own way to report errors, and strict readers of values.
 */
#ifndef CLI_BASE_ARGS_H
#define CLI_BASE_ARGS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/failure.h"

/* Reads the value of an option into what `to` points to. `name` is that of the option, as sentences quote it: "--seed".
 */
typedef int args_reader(void *to, const char *name, const char *value, failure *why);

/* Values of an argument that may stand there more than once. The caller frees `texts`. */
typedef struct args_list {
  const char **texts;
  size_t count, capacity;
} args_list;

/* An option of a subcommand, or a title of the options behind it, which has only a doc. A list of them ends with {0}.
 */
typedef struct args_option {
  const char *name; /* "seed" */
  char letter;      /* of the short form; 0: none */
  const char *arg;  /* what the help calls the value; NULL: it takes none */
  const char *doc;  /* NULL: hidden from the help */
  args_reader *read;
  size_t to;    /* offset, in what args_parse() fills, of what `read` gets */
  size_t given; /* offset of a bool that says that the option is given; 0: none; ARGS_SEVERAL: none either, and the
                   option may be given more than once, which else is an error where it has a value */
} args_option;
#define ARGS_SEVERAL SIZE_MAX

/* A subcommand: how it is run, and what it accepts, of which --help, the manual page and completion are made. `run`
 * gets the subcommand's name as argv[0] and returns an exit status. It does not print `why`: main() does. */
typedef struct syntax {
  const char *command; /* "init" */
  const char *summary; /* what it does, in the list of commands */
  int (*run)(int argc, char **argv, failure *why);
  const args_option *options; /* without --help, which is added */
  const args_option *others;  /* more options; NULL: none */
  const char *argument;       /* the positional argument: "a file"; NULL: none */
  size_t argument_to;         /* offset of a const char * for it, or of an args_list */
  bool several;               /* the argument may stand there more than once: argument_to is of an args_list */
  const char *arguments;      /* argp's args_doc: "MODEL.json -o OUT", one line for each form */
  const char *doc;            /* argp's doc: what it does, \v, examples */
  const char *program;        /* NULL: "fanin" */
  bool silent;                /* print neither help nor getopt's messages, because another process prints them */
} syntax;

/* Whether the list ends with this one, and whether this one is an option that the help shows. */
bool args_is_last(const args_option *o);
bool args_is_shown(const args_option *o);

/* Parses argv[1..] into `into`; argv[0] is the subcommand itself. After --help has been printed, the status is
 * STATUS_HELPED. */
int args_parse(const syntax *s, int argc, char **argv, void *into, failure *why);

/* The options of a command that has only --json, which sets a bool. */
extern const args_option args_json_option[];

/* Readers of options: into a const char *, an args_list of all values, a bool, a uint64_t, a double (a finite decimal
 * number), a fanin_dtype. */
args_reader args_text, args_texts, args_switch, args_number, args_real, args_dtype;

/* Like fail(), for a wrong command line: main() also points to --help. */
int args_fail(failure *why, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Reads a decimal number, or a hexadecimal one after 0x. Returns false for anything else: a sign, a space, more text.
 */
bool args_u64(const char *text, size_t length, uint64_t *out);
/* Reads numbers of at least 1 with `separator` between them, at most `capacity`. *count becomes how many there are. */
int args_sizes(const char *name, const char *value, char separator, uint64_t *out, size_t capacity, size_t *count,
               failure *why);

#endif
