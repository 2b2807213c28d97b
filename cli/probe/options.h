/* The keys of the options of 'fanin probe', which its help and their reader share. */
#ifndef CLI_PROBE_OPTIONS_H
#define CLI_PROBE_OPTIONS_H

#include "base/args.h"

enum {
  KEY_MLP = 0x100,
  KEY_ACTIVATION,
  KEY_SLOPE,
  KEY_INIT,
  KEY_NORM,
  KEY_RESIDUAL,
  KEY_BIAS_STD,
  KEY_DTYPE,
  KEY_INPUT,
  KEY_KEEP_LABEL,
  KEY_BATCH,
  KEY_SEED,
  KEY_WEIGHTS,
  KEY_LAYER_NAMES,
  KEY_DEVICE,
  KEY_ALL,
  KEY_CSV,
  KEY_PLOT,
  KEY_REQUIRE,
  KEY_SUGGEST,
  KEY_DEPTH,
  KEY_CALIBRATE,
  KEY_CRITERION,
  KEY_TARGET,
  KEY_TOLERANCE,
  KEY_ITERATIONS
};

/* What help.c says of them. */
extern const struct argp_option probe_option_list[];
extern const char probe_usage[];
extern const char probe_doc[];

#endif
