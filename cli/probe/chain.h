/* Which tensors of a file are the layers of a network. */
#ifndef CLI_PROBE_CHAIN_H
#define CLI_PROBE_CHAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "init/like.h"

/* A matrix of a file as a layer. */
typedef struct matrix_of {
  const stored_tensor *tensor;
  bool transposed; /* stored fan_in x fan_out */
  uint64_t in, out;
} matrix_of;

/* Takes a tensor of rank 2 as the file's layout of it says, or the rules' where the file has none; without either, as
 * fan_out x fan_in, or with `flip` as fan_in x fan_out. Fails for other layouts. */
int chain_orient(const tensor_file *f, const like *rules, const stored_tensor *t, bool flip, matrix_of *out,
                 failure *why);

/* Puts all matrices of the file in the order of a network. Fails where none takes all of them, or where several do and
 * the names are no numbered list either. The caller frees *out also after a failure; *count is 0 where the file has no
 * matrix. */
int chain_find(const tensor_file *f, const like *rules, matrix_of **out, size_t *count, failure *why);

#endif
