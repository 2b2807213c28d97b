/* What jansson does not have: numbers that may be NaN or too large for it, and printing. */
#ifndef CLI_BASE_JSON_H
#define CLI_BASE_JSON_H

#include <jansson.h>
#include <stdint.h>

#include "base/failure.h"

/* null where the value is NaN or infinite, which JSON has not. */
json_t *json_from_double(double value);

/* A seed or a stream: any 64 bits, as text, because readers of JSON cut numbers past 2^53. */
json_t *json_from_u64(uint64_t value);

/* [64,3,7,7] */
json_t *json_from_shape(const uint64_t *shape, int rank);

/* Prints `root` to stdout and releases it. */
int json_print(json_t *root, failure *why);

#endif
