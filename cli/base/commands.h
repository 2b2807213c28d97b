/* The subcommands. */
#ifndef CLI_BASE_COMMANDS_H
#define CLI_BASE_COMMANDS_H

#include "base/args.h"

/* In the order in which they are listed. The last one is NULL. */
extern const syntax *const commands[];

int cmd_devices(int argc, char **argv, failure *why);
int cmd_list(int argc, char **argv, failure *why);
int cmd_init(int argc, char **argv, failure *why);
int cmd_inspect(int argc, char **argv, failure *why);
int cmd_probe(int argc, char **argv, failure *why);
int cmd_bench(int argc, char **argv, failure *why);
int cmd_selftest(int argc, char **argv, failure *why);

extern const syntax devices_syntax, list_syntax, init_syntax, inspect_syntax, probe_syntax, bench_syntax,
    selftest_syntax;

#endif
