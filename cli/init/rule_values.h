/* Numbers with names in the texts of rules, "{layers}": given, written down, or read off the checkpoint. */
#ifndef CLI_INIT_RULE_VALUES_H
#define CLI_INIT_RULE_VALUES_H

#include "init/assign.h"

/* `text` with every {name} replaced by its number, in out. `where` begins the sentence of a failure. */
int rule_text(const assignments *a, const char *text, const char *where, char *out, size_t size, failure *why);

/* Whether every name of --set is one of the rules' values. */
int rule_values_check(const assignments *a, failure *why);

#endif
