/* The networks of the sweep over activation, norm, residual connection, bias and initializer, and what was measured of
 * 200 of each. */
#ifndef FANIN_TESTS_SUPPORT_SWEEP_H
#define FANIN_TESTS_SUPPORT_SWEEP_H

#include "fanin/probe.h"
#include "support/support_network.h"

enum { SWEEP_WIDTH = 64, SWEEP_LAYERS = 3, SWEEP_VARIANTS = 24, SWEEP_NUMBERS = 2 * SWEEP_LAYERS };
#define SWEEP_SLOPE 0.1
#define SWEEP_FILE  "networks.csv"

typedef struct sweep_case {
  const char *activation, *init;
  double sigma_w2, bias_std;
  fanin_norm norm;
  bool residual, orthogonal;
} sweep_case;

/* Variant 0 .. 23 of the activation at that place of the table. */
sweep_case sweep_case_of(size_t activation, unsigned variant);
/* "relu, batch norm, residual, bias std 0.3, orthogonal"; static storage. */
const char *sweep_name(const sweep_case *c);

/* What was measured of a case at a width: mean and standard error of q_1, g_1, q_2, g_2, ... */
typedef struct sweep_record {
  double mean[SWEEP_NUMBERS], error[SWEEP_NUMBERS];
} sweep_record;

/* Reads the record of all cases, each at half the width and at the width: case k's at 2 k and 2 k + 1, k being
 * activation * SWEEP_VARIANTS + variant. Fails the calling test where the file has other cases. free() it. */
sweep_record *sweep_read(size_t *cases);

#endif
