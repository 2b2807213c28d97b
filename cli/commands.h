/* The subcommands. Each takes its own name as argv[0], returns an exit status, and leaves printing `why` to main(). */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "failure.h"

int cmd_devices(int argc, char **argv, failure *why);
int cmd_list(int argc, char **argv, failure *why);
int cmd_init(int argc, char **argv, failure *why);
int cmd_inspect(int argc, char **argv, failure *why);
int cmd_probe(int argc, char **argv, failure *why);
int cmd_bench(int argc, char **argv, failure *why);

#endif
