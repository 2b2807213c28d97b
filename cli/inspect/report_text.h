/* What 'fanin inspect' prints: a table, one line a finding, a verdict. */
#ifndef CLI_INSPECT_REPORT_TEXT_H
#define CLI_INSPECT_REPORT_TEXT_H

#include "inspect/inspection.h"

void inspect_print_text(const inspection *i);

#endif
