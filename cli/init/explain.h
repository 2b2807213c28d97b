/* fanin init --explain: what becomes of each tensor, and which rule said it. */
#ifndef CLI_INIT_EXPLAIN_H
#define CLI_INIT_EXPLAIN_H

#include "init/request.h"

/* Prints a row for each tensor and each rule that takes some, or JSON. */
int explain_request(const init_request *r, failure *why);

/* Prints a row for each rule that takes tensors. */
void explain_rules(const like *l);

/* Says on stderr which rules of a user's file take no tensor: what is mistyped takes none. `program` begins the line.
 */
void explain_unused(const like *l, const char *program);

#endif
