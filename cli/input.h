/* The samples that a probe runs on, from a file. */
#ifndef CLI_INPUT_H
#define CLI_INPUT_H

#include <stdint.h>

#include "failure.h"

/* The first `columns` columns of a .csv or .npy file with a sample a row, less their mean and divided by their std,
 * taken over all of them together: the mean square is 1. *batch is the most rows wanted, and then how many there are.
 * *out has batch x columns numbers and is the caller's to free. */
int input_load(const char *path, uint64_t columns, uint64_t *batch, float **out, failure *why);

#endif
