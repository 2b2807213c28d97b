/* Bilinear and hadamard in plain C, a coordinate at a time, as docs/stream.md has them. */
#ifndef FANIN_TESTS_PATTERN_H
#define FANIN_TESTS_PATTERN_H

#include "oracle/oracle.h"

/* The bits of the element at these coordinates of the whole tensor, in the low bytes. */
uint64_t oracle_pattern(const fanin_tensor *t, const fanin_init *init, const uint64_t *at);

#endif
