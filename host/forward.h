/* The device side of a probe: a multilayer perceptron's forward pass, and the sums over it that come back. */
#ifndef FANIN_FORWARD_H
#define FANIN_FORWARD_H

#include "internal.h"

/* h is (batch, width): what enters the next layer. All arrays of doubles have one number a sample. */
typedef struct fanin__forward {
  fanin *f;
  cl_command_queue queue;
  const fanin_probe_config *config;
  uint64_t batch;
  uint64_t subset, step;           /* pairs are taken from `subset` samples, every step-th */
  size_t segments;                 /* work-items a row */
  cl_mem h, z;                     /* batch x the largest width */
  cl_mem weight, weight_f32, bias; /* of one layer; the first two are one buffer if the dtype is f32 */
  cl_mem rows;                     /* subset x the largest input width */
  cl_mem gram;                     /* subset x subset */
  cl_mem root, coefficients;
  cl_mem sums, means; /* what is read back */
  float *host;        /* as many numbers as the largest of what is read back or sent */
} fanin__forward;

/* Sums over the features of each sample. */
typedef struct fanin__row_sums {
  double *zz;   /* z^2 before the activation */
  double *hh;   /* h^2 after it */
  double *hhhh; /* h^4 */
} fanin__row_sums;

/* Allocates everything for `config`, which lives as long; fanin__forward_close() also after a failure. */
fanin_status fanin__forward_open(fanin__forward *w, fanin *f, cl_command_queue queue, const fanin_probe_config *config);
void fanin__forward_close(fanin__forward *w);

/* h = the input, and its row sums. FANIN_NOT_FINITE if it has infinities or NaN. */
fanin_status fanin__forward_input(fanin__forward *w, const fanin__row_sums *sums);

/* Fills layer l's weights and biases, l from 1, and measures the weights. */
fanin_status fanin__forward_weights(fanin__forward *w, size_t l, fanin_stats *stats);

/* h = phi(h W^T + b) with its row sums; z_rms and h_rms are what is expected of the entries, to within a factor of
 * 2^30, so that squares neither overflow nor vanish in f32. */
fanin_status fanin__forward_layer(fanin__forward *w, size_t l, const fanin__activation *activation, double z_rms,
                                  double h_rms, const fanin__row_sums *sums);

/* The sum over the features of (mean over the samples of h^2)^2, h (batch, width), in units of h_rms^4. */
fanin_status fanin__forward_columns(fanin__forward *w, uint64_t width, double h_rms, double *sum);

/* What pairs of the subset's samples say; see kernels/mlp.cl for root and coefficients (FANIN__PAIR_POWERS, subset). */
enum { FANIN__PAIR_POWERS = 16, FANIN__SUBSET_MAX = 256 };

typedef struct fanin__pairs {
  const float *root, *coefficients; /* in */
  float *squares, *series, *cubes;  /* out: a number a sample each */
} fanin__pairs;

/* Covariances K = gain (h_a . h_b) / h_rms^2 + shift of the samples in the subset, h (batch, width); sums of them. */
fanin_status fanin__forward_pairs(fanin__forward *w, uint64_t width, double h_rms, double gain, double shift,
                                  const fanin__pairs *pairs);

#endif
