/* What 'fanin inspect --json' prints; docs/inspect.md lists the keys. */
#ifndef CLI_INSPECT_REPORT_JSON_H
#define CLI_INSPECT_REPORT_JSON_H

#include "inspect/inspection.h"

int inspect_print_json(const inspection *i, failure *why);

#endif
