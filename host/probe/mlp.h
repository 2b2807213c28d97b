/* The device side of a probe: a multilayer perceptron's passes, and the sums over them that come back. Every step is
 * ordered after the one before it, on any kind of queue. */
#ifndef HOST_PROBE_MLP_H
#define HOST_PROBE_MLP_H

#include <stdbool.h>

#include "core/launch.h"
#include "fanin/inspect.h"
#include "fanin/probe.h"
#include "math/activation.h"
#include "probe/gemm.h"

/* Layer l of 1 .. L; 0 is the input. h = phi(norm(z)) [+ what stage `from` carries], and at the end of a block that sum
 * divided by the root of its mean square over the features. */
typedef struct fanin__stage {
  uint64_t width, rows;                /* features of h, and of z: twice as many before a gated unit */
  const fanin__activation *activation; /* phi; the identity of the input, of the last layer and at the end of a block */
  uint64_t gate;                       /* h_j = phi(z_j) z_{gate + j}; 0: no gate */
  fanin_norm norm;
  bool divided;    /* the end of a block, or the input of one */
  bool skip;       /* something is added, */
  size_t from, to; /* what that stage carries; the stage that adds what this one carries, 0: none */
  cl_mem y, h;     /* batch x rows, batch x width; y NULL for the input, h the same buffer as y for the last layer */
  cl_mem carried;  /* h, or with pre-norm the sum before it is divided */
  cl_mem shift;    /* of the norm: y = (z - shift) scale, a number a line; NULL without one */
  cl_mem scale;    /* that of the norm, or 1 / root mean square of each sample's sum; NULL without either */
} fanin__stage;

typedef struct fanin__mlp {
  fanin *f;
  cl_command_queue queue;
  const fanin_probe_config *config;
  size_t layers; /* L */
  uint64_t batch;
  uint64_t subset, step;                       /* pairs are taken from `subset` samples, every step-th */
  size_t segments;                             /* work-items a row */
  fanin__stage *stages;                        /* L + 1 */
  cl_mem overlap;                              /* between an orthogonal matrix's vectors; NULL for other weights */
  cl_mem weight, weight_f32, bias;             /* of one layer; the first two are one buffer if the dtype is f32 */
  cl_mem dh, dh_after, delta;                  /* gradients: of h_l, of h_{l+1}, of z; batch x the most features */
  cl_mem passed, along;                        /* blocks: the gradient of a later sum, two products a sample */
  double unit;                                 /* what is in dh and delta is the gradient times this, */
  double skip_unit, kept_unit, kept_skip_unit; /* and what is in dh_after or passed, and in the Gram matrices */
  cl_mem rows;                                 /* subset x the largest width */
  cl_mem gram, deltas, squares, slopes, skips; /* subset x subset */
  cl_mem root, coefficients;
  cl_mem sums, lines; /* what is read back: of samples, of features */
  float *host;        /* as many numbers as the largest of what is read back or sent */
  bool warm;          /* the first product has run */
  double gemm_seconds, startup_seconds;
  uint64_t bytes; /* of all buffers */
} fanin__mlp;

/* Allocates everything for `config`, which lives as long; fanin__mlp_close() also after a failure. `backward` 0: no
 * buffers for the backward pass and for pairs. */
fanin_status fanin__mlp_open(fanin__mlp *w, fanin *f, cl_command_queue queue, const fanin_probe_config *config,
                             bool backward);
void fanin__mlp_close(fanin__mlp *w);

/* ---- network.c --------------------------------------------------------------------------------------------------- */

/* Refuses layers that do not fit each other, and activations that there are not. */
fanin_status fanin__network_check(const fanin_probe_config *config);

/* What a configuration that was checked says of its n_widths stages; their buffers are NULL. */
void fanin__network_of(const fanin_probe_config *config, fanin__stage *stages);

/* The rows of layer l's weights, which are the features of z. */
uint64_t fanin__rows_of(const fanin_probe_config *config, size_t l);

/* Whether stage l is what a block begins or ends with. */
bool fanin__is_block_end(const fanin_probe_config *config, size_t l);

/* ---- mlp.c: what the passes share -------------------------------------------------------------------------------- */

/* Enqueues a kernel of kernels/mlp.cl in order, built for an activation (NULL: linear). launch->grid.global says over
 * how many items and rows; the kernel's first argument is the number of items. */
fanin_status fanin__mlp_run(const fanin__mlp *w, const fanin__activation *activation, const fanin__launch *launch);
#define FANIN__MLP_RUN(w, activation, kernel, items, rows, ...)                                                        \
  fanin__mlp_run(w, activation,                                                                                        \
                 &(fanin__launch){.name = (kernel),                                                                    \
                                  .grid = {.global = {(items), (size_t)(rows)}},                                       \
                                  FANIN__ARGUMENTS(FANIN__VALUE((cl_ulong){items}), __VA_ARGS__)})

/* The same of kernels/weights.cl, built for the weights' dtype. */
fanin_status fanin__mlp_run_weights(const fanin__mlp *w, const fanin__launch *launch);
#define FANIN__MLP_WEIGHTS(w, kernel, items, ...)                                                                      \
  fanin__mlp_run_weights(w, &(fanin__launch){.name = (kernel),                                                         \
                                             .grid = {.global = {(items), 1}},                                         \
                                             FANIN__ARGUMENTS(FANIN__VALUE((cl_ulong){items}), __VA_ARGS__)})

fanin_status fanin__mlp_send(const fanin__mlp *w, cl_mem buffer, const float *from, size_t n);
fanin_status fanin__mlp_fetch(const fanin__mlp *w, cl_mem buffer, float *to, size_t n);
fanin_status fanin__mlp_multiply(fanin__mlp *w, const fanin__matmul *product);

/* Fetches the planes of the last kernel over rows; then out[a] = the sum of `plane` in row a / unit. */
fanin_status fanin__mlp_fetch_planes(const fanin__mlp *w, size_t planes);
void fanin__mlp_plane(const fanin__mlp *w, size_t plane, double unit, double *out);
double fanin__mlp_plane_sum(const fanin__mlp *w, size_t plane);

/* A power of two near 1 / rms, within f32's normal numbers. */
float fanin__scale_for(double rms);

/* ---- weights.c --------------------------------------------------------------------------------------------------- */

/* Layer l's initializer, l from 1, and the caller's biases for it; NULL: they are drawn. */
const fanin_init *fanin__init_of(const fanin_probe_config *config, size_t l);
const float *fanin__biases_of(const fanin_probe_config *config, size_t l);

/* Loads layer l's weights and biases, or biases alone, l from 1. */
fanin_status fanin__mlp_load(fanin__mlp *w, size_t l);
fanin_status fanin__mlp_load_bias(fanin__mlp *w, size_t l);

/* The first `elements` of w->weight in f32, which the products are in; the same buffer if the dtype is f32. */
fanin_status fanin__mlp_widen(const fanin__mlp *w, uint64_t elements);

/* What the loaded weights of layer l look like. */
typedef struct fanin__weight_facts {
  fanin_stats stats;
  uint64_t tied_rows, tied_columns; /* equal to another one before */
  double overlap;                   /* max |Q^T Q - I| of orthogonal ones, else NaN: E23 */
  bool wrong_stream;                /* filled from `init`, but not with the numbers that the seed makes */
} fanin__weight_facts;

fanin_status fanin__mlp_weigh(fanin__mlp *w, size_t l, fanin__weight_facts *facts);

/* ---- forward.c --------------------------------------------------------------------------------------------------- */

/* Sums over the features of each sample, and counts over all. */
typedef struct fanin__row_sums {
  double *zz;                         /* z^2 */
  double *z, *h;                      /* z, h */
  double *hh;                         /* h^2 */
  double *hhhh;                       /* h^4 */
  double *sum;                        /* (what is divided at the end of a block)^2; h^2 elsewhere */
  double saturated;                   /* y beyond the activation's bounds */
  double f16_overflow, f16_underflow; /* h */
} fanin__row_sums;

/* h_0 = the input, and its row sums. FANIN_STATUS_NOT_FINITE if it has infinities or NaN. */
fanin_status fanin__mlp_input(fanin__mlp *w, fanin__row_sums *sums);

/* Fills a dense tensor of the network by its name. */
fanin_status fanin__mlp_fill(const fanin__mlp *w, cl_mem buffer, fanin_dtype dtype, const char *layout, int rank,
                             const uint64_t *shape, const fanin_init *init, const char *name);

/* Measures a dense f32 matrix. */
fanin_status fanin__mlp_measure(const fanin__mlp *w, cl_mem matrix, const uint64_t shape[2], fanin_stats *out);

/* From the loaded weights and stage l - 1: stage l with its row sums; z_rms and h_rms are what is expected of the
 * entries (h_rms at the end of a block: of the sum), to within a factor of 2^30, so that squares neither overflow nor
 * vanish in f32. */
fanin_status fanin__mlp_forward(fanin__mlp *w, size_t l, double z_rms, double h_rms, fanin__row_sums *sums);

/* The share of stage l's features that are at or below `limit` in every sample. */
fanin_status fanin__mlp_dead(fanin__mlp *w, size_t l, double limit, double *share);

/* The sum over the features of (mean over the samples of h_l^2)^2, in units of h_rms^4. */
fanin_status fanin__mlp_columns(fanin__mlp *w, size_t l, double h_rms, double *sum);

/* ---- backward.c -------------------------------------------------------------------------------------------------- */

/* Sums over the features of each sample, of the true gradients. In a gated unit, phi'^2 is the sum of the squares of
 * its two derivatives; at the end of a block, phi' is 1 / root mean square. */
typedef struct fanin__gradient_sums {
  double *slope2, *slope4;            /* phi'^2, ^4 of y_l */
  double *h_slope;                    /* (h_l phi')^2 */
  double *skip_slope;                 /* (what delta_l has from a later gradient by a residual connection)^2 */
  double *dy;                         /* (dh_l phi')^2 */
  double *dd, *dddd;                  /* delta_l^2, ^4 */
  double *dz;                         /* delta_l (z_l - b_l) */
  double f16_overflow, f16_underflow; /* delta_l */
} fanin__gradient_sums;

/* delta_L from its stream; layer L's bias must be loaded. */
fanin_status fanin__mlp_output_gradient(fanin__mlp *w, double z_rms, fanin__gradient_sums *sums);

/* From delta_{l+1} and the loaded weights of layer l + 1: delta_l. rms: what is expected of delta_l. Loads the biases
 * of layer l. */
fanin_status fanin__mlp_backward(fanin__mlp *w, size_t l, double rms, double h_rms, double z_rms,
                                 fanin__gradient_sums *sums);

/* The mean square of the entries of delta_l^T h_{l-1} / batch; the loaded weights are lost. */
fanin_status fanin__mlp_weight_gradient(fanin__mlp *w, size_t l, double rms, double h_rms, double *mean_square);

/* ---- pairs.c ----------------------------------------------------------------------------------------------------- */

/* What pairs of the subset's samples say; see kernels/lib/pairs.clh. */
enum { FANIN__PAIR_POWERS = 16, FANIN__SUBSET_MAX = 256 };

typedef struct fanin__pairs {
  float *root, *coefficients;             /* in: coefficients (FANIN__PAIR_POWERS, subset), room for two sets */
  float *squares, *series, *sums, *cubes; /* out: a number a sample each; one behind another in memory */
} fanin__pairs;

/* Covariances K = gain (h_a . h_b) / h_rms^2 + shift of the samples in the subset, h = h_l; sums of them. `cubes`
 * false: those are left alone. */
fanin_status fanin__mlp_pairs(fanin__mlp *w, size_t l, double h_rms, double gain, double shift, bool cubes,
                              const fanin__pairs *pairs);

/* Keeps delta_l's Gram matrix, and that of its squares where they are wanted, for the step to layer l - 1; and that of
 * what a residual connection passes on, for the step to the layer that it comes from. */
fanin_status fanin__mlp_keep_deltas(fanin__mlp *w, size_t l, bool squares);

/* See gradient_pairs in kernels/lib/pairs.clh: d is delta_unit (Gram of delta_{l+1}), delta_unit that of the true
 * gradients, r is slope_unit (Gram of phi'^2 of y_l). */
typedef struct fanin__gradient_pairs {
  double delta_unit, slope_unit, inverse, share;
  const float *means, *norms; /* a number a sample of the subset each */
  bool squares, skips;
} fanin__gradient_pairs;

/* sums: the kernel's four planes, 4 x subset. */
fanin_status fanin__mlp_gradient_pairs(fanin__mlp *w, size_t l, const fanin__gradient_pairs *pairs, float *sums);

#endif
