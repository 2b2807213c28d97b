/* Layouts: which role each dimension of a tensor has. */
#ifndef HOST_TENSOR_LAYOUT_H
#define HOST_TENSOR_LAYOUT_H

#include <stdbool.h>

#include "fanin/tensor.h"

/* The roles of the dimensions. `stride`: row-major over the whole shape, in elements. */
typedef struct fanin__roles {
  int o, i;                        /* the first dimension lettered O, and I or G; -1 if there is none */
  int n_o, n_i, stacks;            /* how many dimensions are lettered O; I or G; B */
  int taps[3], n_taps;             /* dimensions lettered D, H, W */
  uint64_t spatial;                /* the product of their extents */
  uint64_t fan_in, fan_out;        /* 0 where o or i is -1 */
  uint64_t groups, splits;         /* at least 1 */
  bool full_is_i;                  /* dimension i counts all groups (transposed convolution, depthwise kernel) */
  uint64_t stride[FANIN_MAX_RANK]; /* of the whole tensor's row-major order */
} fanin__roles;

fanin_status fanin__roles_of(const fanin_tensor *t, fanin__roles *roles);

/* FANIN_STATUS_BAD_LAYOUT if several dimensions are lettered O, or I: `kind` makes matrices by indices. With `stack`,
 * also if several are lettered B. */
fanin_status fanin__need_once(const fanin__roles *roles, const char *kind, bool stack);

#endif
