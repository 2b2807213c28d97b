/* 'fanin probe --widths': one network at several widths. */
#ifndef CLI_PROBE_WIDTHS_H
#define CLI_PROBE_WIDTHS_H

#include "probe/report.h"
#include "probe/slope.h"

/* How one of the two moments scales. */
typedef struct moment_scaling {
  slope fit;
  scaling is;
} moment_scaling;

/* What came of all widths. */
typedef struct probe_scaling {
  size_t layers;                          /* of the network */
  probe_result *results[PROBE_MAX_SIZES]; /* of each width */
  moment_scaling *q, *g;                  /* of each layer */
  size_t n_tests;                         /* exponents' z that are numbers */
  double bound;                           /* of |z|, fanin_z_bound() */
  size_t n_wrong;                         /* of them beyond it */
  size_t n_networks_wrong, n_networks_unjudged;
  bool judged;   /* no network has weights of which theory expects nothing */
  bool conforms; /* `judged`, every network conforms, and no exponent is beyond the bound */
  bool stable;   /* hidden layers keep q, and the output does not grow */
  bool unstable; /* a layer does otherwise. Neither: of a layer it cannot be told */
  bool mup;      /* hidden layers keep q, and the output's exponent is -1, and not 0 */
} probe_scaling;

/* Whether the fitted exponent of the output is this one within its margin, which is below 1/2, so that it is no other
 * whole number. */
bool widths_output_is(const probe_scaling *c, double exponent);

/* ---- widths_text.c and widths_json.c ----------------------------------------------------------------------------- */

void widths_print(const probe_request *r, const session *s, const probe_scaling *c);
int widths_print_json(const probe_request *r, const session *s, const probe_scaling *c, failure *why);

#endif
