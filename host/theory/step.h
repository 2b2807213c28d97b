/* One layer of mean-field theory, forward and backward: what fanin_theory(), fanin_suggest() and a probe's recursion
 * share, so that they give the same numbers. Schoenholz et al. 2017; Yang & Schoenholz 2017; Yang et al. 2019. */
#ifndef HOST_THEORY_STEP_H
#define HOST_THEORY_STEP_H

#include <stdbool.h>

#include "fanin/theory.h"
#include "theory/meanfield.h"

/* Of h: mean over features, mean square, mean product of two samples. */
typedef struct fanin__state {
  double mean, square, product;
} fanin__state;

/* A layer: z = W h + b, y = norm(z), h' = phi(y) [+ h]. Not activated: h' = z. */
typedef struct fanin__step {
  const fanin__activation *activation;
  double slope;
  fanin_norm norm;
  bool activated, residual;
  bool pairs; /* also of two samples: correlation, chi_c and h_correlation, which take a hundred times as long */
} fanin__step;

/* What the norm makes of z's: y = z / scale has second moment q and correlation c. Layer norm divides by the standard
 * deviation over features, sqrt(q) as z has mean 0 over the draws of W; batch norm takes away what the samples share
 * and divides by the standard deviation over them, the root of q (1 - c). */
typedef struct fanin__normalised {
  double q, c, scale2;
} fanin__normalised;

/* `apart` is q (1 - c), what two samples do not share of z's second moment. */
fanin__normalised fanin__normalise(fanin_norm norm, double q, double c, double apart);

/* h' from phi's mean, mean square v and mean product. With the residual connection, z is independent of h's feature
 * that phi(z) is added to: only means correlate. */
fanin__state fanin__next_state(const fanin__state *h, bool residual, double mean, double v, double product);

/* Mean square of the gradient of h from that of z of the layer behind it, `g`, whose weights have the variance
 * sigma_w2 / fan_in; `gradient` is that of the layer's own h, which a residual connection passes on (He et al. 2015,
 * section 2.2). That takes the weights of the way back as independent of those of the way forth. */
double fanin__gradient_before(bool residual, double gradient, double g, double sigma_w2, double fan_out, double fan_in);

/* From h to h': everything of *out but g, fans and sigma_w2, which is read. chi and chi_c come without the factor
 * sigma_w^2 of the next layer. Once q leaves the range of double, numbers are NaN. */
fanin__state fanin__step_forward(const fanin__step *step, const fanin__state *h, double sigma_b2,
                                 fanin_theory_layer *out);

/* ---- When a drift is ill health ---------------------------------------------------------------------------------- */

/* Of q or of the gradient's squared norm over a network; the share of the activations' mean square that is their
 * mean's; the share that is saturated; the cosine of two samples. A probe's diagnoses and a suggestion's are these. */
#define FANIN__DRIFT          100.0
#define FANIN__MEAN_SHARE     0.5
#define FANIN__MOST_SATURATED 0.5
#define FANIN__MOST_ALIKE     0.999

#endif
