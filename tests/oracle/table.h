/* Tables in plain C, an element at a time, as docs/stream.md has them. */
#ifndef FANIN_TESTS_TABLE_H
#define FANIN_TESTS_TABLE_H

#include <stdbool.h>

#include "oracle/oracle.h"

/* Whether a kind is one of the tables. */
bool oracle_is_table(fanin_kind kind);

/* The element at these coordinates of the whole tensor, before section 5 rounds it: in f32 for all dtypes but f64. */
double oracle_table_value(const fanin_tensor *t, const fanin_init *init, const uint64_t *at);

/* Its bits, in the low bytes. */
uint64_t oracle_table(const fanin_tensor *t, const fanin_init *init, const uint64_t *at);

#endif
