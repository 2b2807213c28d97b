/* docs/stream.md's sparse in plain C: which weights are zeros, by sorting each line's keys. */
#ifndef FANIN_TESTS_SPARSE_H
#define FANIN_TESTS_SPARSE_H

#include <stdbool.h>

#include "oracle/oracle.h"

/* The line that each element of a whole tensor is in: numbers below the number of elements, equal within a line. free()
 * them. */
uint64_t *oracle_lines(const fanin_tensor *t, fanin_per per);

/* Whether each element of a whole tensor is 0, row-major, for an `init` of the kind sparse; free() it. */
bool *oracle_zeros(const fanin_tensor *t, const fanin_init *init, fanin_key key);

#endif
