/* What kernels/fill.cl is compiled with and called with for a distribution and dtype. */
#ifndef HOST_FILL_PARAMETERS_H
#define HOST_FILL_PARAMETERS_H

#include "init/distribution.h"

typedef struct fanin__parameters {
  char options[32]; /* "-D UNIFORM -D F32": the distribution and the dtype */
  double p[16];     /* in the order that the distribution of kernels/fill.cl states */
} fanin__parameters;

/* FANIN_STATUS_BAD_ARGUMENT where the dtype cannot hold the distribution's values. */
fanin_status fanin__parameters_of(const fanin__distribution *d, fanin_dtype dtype, fanin__parameters *out);

#endif
