/* The subcommands. Each gets its own name as argv[0] and returns an exit status. It does not print `why`: main() does.
 */
#ifndef CLI_BASE_COMMANDS_H
#define CLI_BASE_COMMANDS_H

#include "base/args.h"

typedef struct command {
  const char *name;
  const char *summary;
  int (*run)(int argc, char **argv, failure *why);
  const syntax *syntax; /* its command line: what --help, the manual page and completion are made of */
} command;

/* In the order in which they are listed. The last entry has no name. */
extern const command commands[];

int cmd_devices(int argc, char **argv, failure *why);
int cmd_list(int argc, char **argv, failure *why);
int cmd_init(int argc, char **argv, failure *why);
int cmd_inspect(int argc, char **argv, failure *why);
int cmd_probe(int argc, char **argv, failure *why);
int cmd_bench(int argc, char **argv, failure *why);

extern const syntax devices_syntax, list_syntax, init_syntax, inspect_syntax, probe_syntax, bench_syntax;

#endif
