/* What the parts of a probe share: what was measured of each layer and what theory expects of it.
 *   probe.c          the two passes;  report.c  what they report;  config.c  what is asked for
 *   unit.c           what a layer's activation makes of q
 *   law.c            the law of the forward step;  gradient.c  that of the backward step
 *   theory.c         the recursion at infinite width, and the columns that have no law
 *   diagnose.c       verdicts and findings
 * docs/probe-law.md derives what theory expects. Comments name its equations, E1 to E79, and have its symbols. */
#ifndef HOST_PROBE_PROBE_H
#define HOST_PROBE_PROBE_H

#include <stdbool.h>

#include "probe/mlp.h"
#include "probe/residual.h"
#include "theory/meanfield.h"

/* Orthogonal weights: their squares add up along rows or columns, which takes away from what varies, down to nothing
 * but the rounding of arithmetic and of the dtype. */
typedef struct fanin__ties {
  double inverse;  /* 1 / M, M the larger of the two extents; 0: weights are independent */
  double rounding; /* r: mean square of the dtype's rounding errors, relative to the weights'; f32: 0, see floor */
  double floor;    /* f: variance of a relative sum of squares in f32 */
  double overlap;  /* what |Q^T Q - I| may be at most */
} fanin__ties;

/* Layer l of 1 .. L, 0 the input. All arrays have a number a sample. */
typedef struct fanin__trace {
  fanin_moments weights;     /* of the layer's distribution */
  double variance;           /* sigma^2 */
  double bias_variance;      /* sigma_b^2, or the mean square of the caller's biases */
  bool given_biases;         /* they are the caller's, so that what phi makes of them follows no law */
  double excess;             /* k4 - 3; 0 for orthogonal weights, whose law has no such term */
  bool lawful;               /* weights are random with mean 0, independent or orthogonal */
  bool centred_biases;       /* biases have mean 0, as far as so many can tell */
  bool drawn;                /* weights are random: not identity, dirac or hadamard */
  fanin__ties ties;          /* of orthogonal weights; all 0 for independent ones */
  fanin__row_sums sums;      /* of the features */
  double *expected;          /* K_aa: mean z^2 given the layer before */
  double *measured;          /* mean z^2 */
  double *meanfield;         /* the same by recursion from the input on */
  double *h_meanfield;       /* mean h^2 by the same */
  double m_meanfield;        /* mean h by the same */
  double centred_meanfield;  /* variance of a feature of h over large batches by the same */
  double *sum_meanfield;     /* at the end of a block: mean square of the sum that is divided, by the same, */
  double *carried_meanfield; /* and of what is carried on; */
  double m_carried;          /* the mean of that */
  double *g_meanfield;       /* mean delta^2 by recursion from the output on */
  double *dh_meanfield;      /* mean dh^2 by the same */
  double *dd, *dddd, *dz;    /* sums of gradients, kept for the step back */
  double correlation;        /* of two samples' h: mean cosine over pairs */
  double dead;               /* share of features */
  fanin__weight_facts facts;
  fanin__cumulants step;    /* of q_measured / q_predicted - 1 */
  double noise;             /* variance of what the step adds to ln q over seeds */
  double back;              /* variance of g_measured / g_predicted */
  double z_correlation;     /* of two samples' z, given the layer before */
  fanin__expansion phi;     /* of phi^2 at the mean of K_aa */
  double sensitivity;       /* d ln <h^2> / d ln q */
  double slope_sensitivity; /* d ln <phi'^2> / d ln q */
  double slope_ratio;       /* <phi'^4> / <phi'^2>^2 */
  double response;          /* t: d ln |delta|^2 / d ln q, through this layer and all after it */
  double passed;            /* at the end of a block: share of |delta|^2 from the gradient of the block behind */
} fanin__trace;

struct fanin_probe_report {
  fanin_probe_summary summary;
  fanin_probe_layer *layers; /* summary.n_layers */
  fanin_finding *findings;   /* summary.n_findings, in the order of the enumerators */
};

typedef struct fanin__probe {
  const fanin_probe_config *config;
  size_t layers;
  uint64_t batch;
  fanin__mlp mlp;
  fanin__trace *trace;            /* L + 1 */
  double *numbers;                /* what its arrays point into */
  fanin__gradient_sums gradients; /* of the layer at hand; its own arrays in `numbers` too */
  double *scratch;                /* a number a sample */
  double *travel;               /* a number a sample: |delta_l|^2 by what the slopes of layers l .. L - 1 make of it */
  double spread, rank;          /* predicted of those; the least width of layers l .. L */
  fanin__pairs pairs;           /* one piece of memory, from `root` on */
  double v;                     /* mean_a V(q_a) of the layer before; mean square of h where that has no law */
  fanin__cumulants activations; /* of (mean square of h) / v - 1 */
  double activation_noise;      /* their variance over seeds, also where v is measured */
  fanin_probe_report *report;
} fanin__probe;

double fanin__mean_of(const double *x, uint64_t n);

/* ---- report.c ---------------------------------------------------------------------------------------------------- */

/* All numbers NaN but the fans. fanin_probe_report_release() it. */
fanin_status fanin__report_create(const fanin_probe_config *config, fanin_probe_report **out);

/* ---- config.c ---------------------------------------------------------------------------------------------- */

fanin_status fanin__probe_check(const fanin *f, const fanin_probe_config *config);

/* The mean square of layer l's biases, drawn or the caller's. */
double fanin__bias_second(const fanin_probe_config *config, size_t l);

/* The distribution of layer l's weights, and the moments of its biases. */
fanin_status fanin__probe_expect(const fanin_probe_config *config, size_t l, fanin__trace *out);

/* ---- unit.c ------------------------------------------------------------------------------------------------ */

/* Layer l's V(q) for FANIN__PHI, U(q) for FANIN__SLOPE; its expansion; the mean of h, and that of two samples' product
 * at the correlation c of z. */
double fanin__unit_square(const fanin__probe *p, size_t l, fanin__function function, double q);
fanin__expansion fanin__unit_expand(const fanin__probe *p, size_t l, fanin__function function, double q);
double fanin__unit_mean(const fanin__probe *p, size_t l, double q);
double fanin__unit_product(const fanin__probe *p, size_t l, double q, double c);

/* V or U of layer l for many q, with the coefficients of E68 where `values` is FANIN__CURVE_VALUES, and not 1. */
typedef struct fanin__unit_curve {
  fanin__curve own, gate;
  bool both; /* U of a gated unit, which has two functions */
} fanin__unit_curve;

/* V, V a_1, ..., V a_15, V rest, and V b_0, ..., V b_15, V b_rest, which are 0 without a gate. */
typedef struct fanin__unit_values {
  double a[FANIN__CURVE_VALUES], b[FANIN__CURVE_VALUES];
} fanin__unit_values;

/* Through the q of the batch's samples, or at 1 behind a norm. */
fanin_status fanin__unit_curve_open(const fanin__probe *p, size_t l, fanin__function function, const double *q,
                                    int values, fanin__unit_curve *out);
void fanin__unit_curve_close(fanin__unit_curve *curve);
void fanin__unit_at(const fanin__probe *p, size_t l, const fanin__unit_curve *curve, double q, fanin__unit_values *out);

/* ---- law.c ------------------------------------------------------------------------------------------------- */

/* The cumulants of q_l / p0 - 1 given h_{l-1}, and those of (mean square of h_l) / (mean_a V(K_aa)) - 1. p0 > 0 is the
 * mean of K_aa. */
fanin_status fanin__forward_law(fanin__probe *p, size_t l, double p0, fanin__cumulants *weights,
                                fanin__cumulants *activations);

/* The cumulants of sum_a g_a (mean over features of function(y_l)^2) / sum_a g_a V(K_aa) - 1, given h_{l-1}; g NULL: 1.
 * Needs nothing but the trace of layers l - 1 and l. */
fanin_status fanin__activation_law(fanin__probe *p, size_t l, fanin__function function, const double *g,
                                   fanin__cumulants *out);

/* Whether the steps through the activation of layer l begin at what was measured there, and not at V or U: behind the
 * caller's biases, which have a distribution of their own, and behind few features. Of these the mean of phi^2 is not
 * normal: n ReLU features may all be 0 with the probability 2^-n. */
bool fanin__begins_measured(const fanin__probe *p, size_t l);

/* out[a] = E[function(y_l)^2] at q[a], or at 1 behind a norm; their mean */
fanin_status fanin__through(const fanin__probe *p, size_t l, fanin__function function, const double *q, double *out,
                            double *mean);

/* ---- gradient.c -------------------------------------------------------------------------------------------- */

/* Whether the law of the step through these weights needs the Gram matrix of squares. */
bool fanin__needs_squares(const fanin__trace *t);

/* What the step from delta_{l+1} to delta_l predicts: G_l and the cumulants of measured / predicted - 1; `noise` is the
 * variance that the step adds to ln g over seeds. Needs fanin__mlp_keep_deltas() of layer l + 1 and p->gradients of
 * layer l. */
fanin_status fanin__gradient_law(fanin__probe *p, size_t l, double *predicted, fanin__cumulants *law, double *noise);

/* ---- theory.c ---------------------------------------------------------------------------------------------- */

void fanin__theory_input(fanin__probe *p);
fanin_status fanin__theory_forward(fanin__probe *p, size_t l);
void fanin__theory_output(fanin__probe *p);
fanin_status fanin__theory_backward(fanin__probe *p, size_t l);

/* How far the singular values of the Jacobian from z_l to the output spread; after the gradient's law of layer l. */
void fanin__spread_output(fanin__probe *p);
void fanin__spread_backward(fanin__probe *p, size_t l);

/* The columns of layer l that have predictions but no law. */
fanin_status fanin__theory_columns(fanin__probe *p, size_t l);

/* ---- run_forward.c, run_backward.c --------------------------------------------------------------------------------
 */

/* The mean cosine between samples of h_l, to the trace: c of E52 and E58. */
fanin_status fanin__correlate(fanin__probe *p, size_t l);

/* Layer l, after layer l - 1: measured, predicted, reported. Values that overflow end it, which the summary notes. */
fanin_status fanin__run_forward(fanin__probe *p, size_t l);

/* The last layer's gradient, then layer l's, after layer l + 1's. */
fanin_status fanin__run_output(fanin__probe *p);
fanin_status fanin__run_backward(fanin__probe *p, size_t l);

/* ---- probe.c ----------------------------------------------------------------------------------------------------- */

/* Says that a pass has come to layer l, if the caller wants to know. */
void fanin__tell_layer(const fanin__probe *p, const char *pass, size_t l);

/* ---- diagnose.c -------------------------------------------------------------------------------------------------- */

/* Judges the layers, then writes verdicts and findings. */
fanin_status fanin__diagnose(fanin__probe *p);

#endif
