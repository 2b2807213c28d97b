/* The table of subcommands. */
#include "base/commands.h"

const syntax *const commands[] = {&devices_syntax, &list_syntax,  &init_syntax,     &inspect_syntax,
                                  &probe_syntax,   &bench_syntax, &selftest_syntax, NULL};
