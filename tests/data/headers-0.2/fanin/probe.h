/* Experimental: may change in a minor version. Probing: does a network keep its variance? And calibrating: making it
 * so. */
#ifndef FANIN_PROBE_H
#define FANIN_PROBE_H

#include "base.h"
#include "device.h"
#include "init.h"
#include "tensor.h"

FANIN_C_BEGIN

/* ---- Probing ----------------------------------------------------------------------------------------------------- */

/* A probe runs a multilayer perceptron forward and backward on the device and compares each layer with theory. The
 * layers are l = 1 .. L, and h_0 is the input:
 *   z_l = W_l h_{l-1} + b_l,   y_l = norm(z_l),   h_l = phi(y_l)   [+ h_{l-1}]   for l < L,   and h_L = z_L.
 * A gated unit in the place of phi makes n features from 2n preactivations: h_j = phi(z_j) z_{n+j} (Shazeer 2020).
 * In blocks of two layers each, as transformers' feed-forward parts are, l = 2, 4, ..., L - 1 end a block:
 *   s_l = z_l + c_{l-2},   h_l = s_l / rms(s_l),
 * with c_l = s_l for pre-norm and c_l = h_l for post-norm; the input is s_0, and the other layers are as above. rms is
 * the root mean square over a sample's features (Zhang & Sennrich 2019, without gain and epsilon).
 * In the backward pass, delta_l is the gradient of z_l. delta_L is drawn from N(0,1), stream "gradient", independently
 * for each sample. There are two separate verdicts. A network CONFORMS if the device does what theory says of its
 * initializer, within bounds that follow from widths and batch. A network is HEALTHY if theory predicts it and finds
 * none of the faults that are known to keep networks from training. */

/* What comes between preactivation and activation. */
typedef enum fanin_norm {
  FANIN_NORM_NONE,
  FANIN_NORM_LAYER, /* each sample's z_l over its features: mean 0, variance 1 (Ba et al. 2016), no gain and bias */
  FANIN_NORM_BATCH  /* each feature of z_l over the batch (Ioffe & Szegedy 2015); needs a batch of at least 2 */
} fanin_norm;

/* How layers are joined to residual blocks (Xiong et al. 2020, figure 1, with RMS norm). */
typedef enum fanin_block {
  FANIN_BLOCK_NONE,
  FANIN_BLOCK_PRE_NORM, /* the norm is at the entrance of each block, and of the last layer; the stream has none */
  FANIN_BLOCK_POST_NORM /* the norm is behind the addition, in the stream */
} fanin_block;

/* The network to probe, and its input. Begin with FANIN_PROBE_CONFIG_INIT. */
typedef struct fanin_probe_config {
  size_t size;            /* sizeof(fanin_probe_config) */
  const uint64_t *widths; /* input features, then the features of each layer */
  size_t n_widths;        /* at least 2: L + 1 */
  const char *activation; /* a name that fanin_gain() knows, or a gated unit's: glu, bilinear, reglu, geglu, geglu_tanh,
                             swiglu; applied after every layer but the last, and in blocks after the first of two. A
                             gated layer l has 2 widths[l] rows of weights, the ones under phi first */
  double slope;           /* leaky_relu's */
  fanin_init init;        /* of every weight; layout "OI" */
  fanin_dtype dtype;      /* F32, F16 or BF16: weights are rounded to it, arithmetic is f32 */
  double bias_std;        /* biases are N(0, bias_std^2); 0: none */
  fanin_norm norm;        /* before the activation of every layer but the last */
  int residual;           /* 1: h_l = h_{l-1} + phi(y_l) where widths agree, l < L (Yang & Schoenholz 2017, section 3.1,
                             "reduced") */
  uint64_t batch;         /* samples, at least 1 */
  const float *input;     /* host, batch x widths[0], row-major; NULL: N(0,1) from stream "input" */
  uint64_t seed;          /* layer l's weight is tensor "layer<l>.weight", its bias "layer<l>.bias", from l = 1 */
  const fanin_tensor *weights;  /* NULL: all weights are filled from `init`. Otherwise L tensors of the caller's, layer
                                   l's at  l - 1: dense, whole, rank 2, shape fan_out x fan_in, of `dtype`. They are
                                   read,  and judged  by what `init` would make. A tensor whose buffer is NULL is filled
                                   from  `init`. Infinities and  NaN are FANIN_STATUS_NOT_FINITE */
  const double *weight_factors; /* NULL, or L numbers above 0, such as fanin_calibrate() reports: layer l's tensor of
                                   `weights` is expected to be what `init` makes times number l - 1 */
  void (*progress)(void *user, const char *what); /* NULL, or told what step begins, on the calling thread */
  void *user;                                     /* what progress() is given */
  const fanin_init *inits; /* NULL: `init` is every layer's. Otherwise L initializers, layer l's at l - 1, and `init` is
                              not looked at */
  const float *const *biases; /* NULL: N(0, bias_std^2). Otherwise L pointers to host memory: layer l's biases, as many
                                 as it has features; NULL at l - 1: layer l's are drawn */
  fanin_block block; /* layers in pairs: n_widths is even, widths[0], [2], [4], ... but for the last are equal and at
                        least 2, and `norm` and `residual` are 0 */
} fanin_probe_config;
/* A fanin_probe_config with its size, and 0 in every other field. */
#define FANIN_PROBE_CONFIG_INIT FANIN_SIZED(fanin_probe_config)

/* One layer. Means are over features and samples. A number that does not exist is NaN: for example a prediction where
 * theory has none (weights that are not random with mean 0), or anything after a layer whose values overflow f32.
 *   - "measured" is what the device computed.
 *   - "predicted" is one step of theory from what was measured at the neighbour: at the layer before for q, at the
 * layer after for g. Behind batch norm or a residual connection, the step begins at the measured h (for q), and at the
 *     measured phi' and norm (for g).
 *   - "meanfield" is the recursion through the whole network at infinite width, from the input for q, and from the
 *     output's gradient for g.
 *   - A z is the difference of measured and predicted as a normal deviate, whose law follows from widths, batch and
 *     input. It is NaN where no law is known.
 * h is h_l; in the last layer h is z. At the end of a block, h is what was divided, and f16 is asked of the sum. */
typedef struct fanin_probe_layer {
  uint64_t fan_in, fan_out;
  double weight_mean, weight_mean_expected, weight_mean_z;
  double weight_std, weight_std_expected, weight_z;   /* z: in standard errors of a sample std; of orthogonal weights'
                                                         root mean square, which is exact, in what rounding makes */
  double overlap;                                     /* of orthogonal weights: max |Q^T Q - I|, Q the rows or columns,
                                                         whichever are fewer, divided by their rms length */
  double q_measured, q_predicted, q_meanfield, q_z;   /* mean of z^2 */
  double g_measured, g_predicted, g_meanfield, g_z;   /* mean of delta^2 */
  double q_sd, g_sd;                                  /* standard deviations of ln q and ln g over seeds: of q given
                                                         the input, all steps from it on; of g given the forward
                                                         pass, all steps from the output back */
  double spread_measured, spread_predicted;           /* of the squared singular values of the Jacobian from z_l to
                                                         z_L, as many as the least width in between: variance by mean
                                                         squared. 0: dynamical isometry (Saxe et al. 2013). Without
                                                         norm and residual connection, from 2 samples on; the
                                                         prediction is at infinite width (Pennington et al. 2017) */
  double weight_gradient_measured;                    /* mean square of the entries of the loss's gradient of W,
                                                         delta^T h summed over the batch, divided by the batch */
  double weight_gradient_predicted;                   /* mean of delta^2 times mean of h^2, sample by sample */
  double mean_measured, mean_predicted;               /* mean of h */
  double correlation_measured, correlation_predicted; /* of two samples' h, cosine about 0, mean over pairs */
  double saturated_measured, saturated_predicted;     /* share of y where |phi'| is under 6 % of its maximum, for
                                                         activations that saturate (as tanh, relu6), else 0 */
  double dead_measured;                               /* share of features whose phi' is 0 for the whole batch, */
  double dead_predicted;                              /* for activations with a flat part (as relu, relu6) */
  double f16_overflow, f16_underflow;                 /* share of h that f16 would make infinite; of h, not 0, that
                                                         f16 would make subnormal or 0 */
  double f16_gradient_overflow, f16_gradient_underflow; /* the same of delta */
  uint64_t tied_rows, tied_columns;                     /* of W that equal one before them */
  int conforms; /* every z of this layer that is a number is within the family bound, and no lines of drawn weights are
                   tied */
  double stream_measured, stream_meanfield; /* at the end of a block: mean square of s_l, else NaN */
} fanin_probe_layer;

/* Enumerator; what it means: the network is unhealthy (HEALTH), it does not conform (CONFORMITY), this explains one of
 * the two (CAUSE), or it is worth knowing and no verdict (WARNING); what to do about it. FANIN_DIAGNOSIS_COUNT is the
 * number of this header's diagnoses; a newer library may know more. */
#define FANIN_DIAGNOSIS_MAP(XX)                                                                                        \
  XX(FORWARD_VANISH, HEALTH, "raise the gain to the activation's, or normalise before the activation")                 \
  XX(FORWARD_EXPLODE, HEALTH,                                                                                          \
     "lower the gain to the activation's, or normalise before the activation; of a stream, draw the layers that end "  \
     "blocks smaller")                                                                                                 \
  XX(BACKWARD_VANISH, HEALTH, "choose gain or activation so that sigma_w^2 E[phi'^2] is 1")                            \
  XX(BACKWARD_EXPLODE, HEALTH,                                                                                         \
     "choose gain or activation so that sigma_w^2 E[phi'^2] is 1, without batch norm if it is on; of a stream, draw "  \
     "the layers that end blocks smaller")                                                                             \
  XX(SYMMETRY, HEALTH, "draw weights at random: features that begin equal stay equal")                                 \
  XX(SATURATED, HEALTH, "lower the gain, or normalise before the activation")                                          \
  XX(DEAD_RELU, HEALTH, "lower the biases' variance, or use leaky_relu, gelu or silu")                                 \
  XX(RANK_COLLAPSE, HEALTH, "use an activation of mean 0, smaller biases, residual connections or batch norm")         \
  XX(MEAN_DRIFT, HEALTH, "use an activation of mean 0, such as tanh or selu")                                          \
  XX(FP16_RANGE, HEALTH, "train in bf16 or f32, or scale the loss")                                                    \
  XX(WIDTH_NOISE, WARNING, "widen the layers or take fewer: a single draw is far from the mean at this width")         \
  XX(WRONG_FAN, CAUSE, "check which dimension is fan_in: the weight's layout, or the initializer's mode")              \
  XX(GAIN_MISMATCH, CAUSE, "check the gain, and whether a std was passed where a variance was wanted")                 \
  XX(NOT_ORTHOGONAL, CONFORMITY, "check what made the weights, in which precision, and what was added to them since")  \
  XX(WRONG_STREAM, CONFORMITY, "check the device's compiler: these are not the random numbers of stream v1")           \
  XX(UNEXPLAINED, CONFORMITY, "run again with another seed; if it stays, the device or the network differs from theory")

/* clang-format off */
typedef enum fanin_diagnosis {
#define FANIN_DIAGNOSIS_ENUM(name, verdict, remedy) FANIN_DIAGNOSIS_##name,
  FANIN_DIAGNOSIS_MAP(FANIN_DIAGNOSIS_ENUM)
#undef FANIN_DIAGNOSIS_ENUM
  FANIN_DIAGNOSIS_COUNT
} fanin_diagnosis;
/* clang-format on */

/* What a diagnosis is about. */
typedef enum fanin_verdict {
  FANIN_VERDICT_HEALTH,
  FANIN_VERDICT_CONFORMITY,
  FANIN_VERDICT_CAUSE,
  FANIN_VERDICT_WARNING
} fanin_verdict;

/* "FORWARD_VANISH", and what to do about it; "unknown diagnosis" for any other value. Static storage. */
FANIN_API const char *fanin_diagnosis_name(fanin_diagnosis diagnosis);
FANIN_API const char *fanin_diagnosis_remedy(fanin_diagnosis diagnosis);
/* What the diagnosis is about. FANIN_STATUS_BAD_ARGUMENT for any other value. */
FANIN_API fanin_status fanin_diagnosis_verdict(fanin_diagnosis diagnosis, fanin_verdict *out);

/* One diagnosis of a network, for the layers first .. last, from 1. */
typedef struct fanin_finding {
  fanin_diagnosis diagnosis;
  size_t first, last;
  char what[256];     /* a sentence with the numbers in it */
  const char *remedy; /* fanin_diagnosis_remedy() */
} fanin_finding;

/* *rows is the number of layer l's preactivations z, l from 1: the rows of its weights and the length of its biases.
 * widths[l], or twice that before a gated unit. Enqueues nothing, and reads nothing but what describes the network.
 * FANIN_STATUS_BAD_ARGUMENT for a network that fanin_probe() refuses, with its sentence, and for a layer that there is
 * not. */
FANIN_API fanin_status fanin_probe_rows(const fanin_probe_config *config, size_t l, uint64_t *rows);

/* What a probe found: a summary, layers and findings, which are read by index. Reading changes nothing, so several
 * threads may read at once. */
typedef struct fanin_probe_report fanin_probe_report;

/* The verdicts, counts and costs of a probe. */
typedef struct fanin_probe_summary {
  size_t n_layers; /* L */
  size_t n_findings;
  int conforms;           /* `judged` is 1, every layer conforms, and nothing of CONFORMITY was found */
  int healthy;            /* `predicted` is 1, and nothing of HEALTH was found */
  size_t n_tests;         /* numbers z that were judged */
  double z_bound;         /* fanin_z_bound(n_tests) */
  size_t overflow_layer;  /* the first whose values overflow f32; 0: none. Later layers have fans only, and the backward
                             pass was left out */
  double sd_ln_q;         /* standard deviation over seeds of ln q of the last layer, by theory, for this input */
  double gemm_seconds;    /* wall time in matrix products, waited for one by one, but the first */
  double other_seconds;   /* everything else, other kernels' compilation too */
  double startup_seconds; /* the first product, whose kernel is compiled before it */
  uint64_t device_bytes;  /* of the buffers that the probe made: activations of all layers, and one layer's weights */
  int judged;             /* 1: conformity was judged. 0: the weights of a layer are a fixed pattern (hadamard,
                             identity), of which theory expects nothing; `conforms` is 0 then */
  int predicted;          /* 1: theory predicts every layer. 0: weights or given biases of one are not random with mean
                             0, so that theory has no word on health; `healthy` is 0 then, and findings are what was
                             measured */
  const char *conforms_condition; /* the condition that `conforms` = 1 has of weights that are the caller's: "in mean,
                                     std, q and G", sums over whole layers, which leave much of the weights open. NULL:
                                     none, because all weights were drawn here or `conforms` is 0. Static storage */
  const char *healthy_condition;  /* the same of `healthy` = 1 with weights or biases of the caller's: "if the weights
                                     are the random numbers that they are judged as" */
} fanin_probe_summary;

/* The summary; layer i (0 .. n_layers - 1, the first is the one after the input); finding i (0 .. n_findings - 1, in
 * the order of the enumerators). `size` is sizeof *out. FANIN_STATUS_BAD_ARGUMENT for an index that the report does not
 * have. */
FANIN_API fanin_status fanin_probe_report_summary(const fanin_probe_report *report, fanin_probe_summary *out,
                                                  size_t size);
FANIN_API fanin_status fanin_probe_report_layer(const fanin_probe_report *report, size_t i, fanin_probe_layer *out,
                                                size_t size);
FANIN_API fanin_status fanin_probe_report_finding(const fanin_probe_report *report, size_t i, fanin_finding *out,
                                                  size_t size);

/* The bound on |z| for `tests` two-sided normal tests with a family false-alarm rate of 1e-3 (Sidak). */
FANIN_API double fanin_z_bound(size_t tests);

/* Runs the network forward and backward on the device and judges it. Blocking. *out is a new report:
 * fanin_probe_report_release(). Device memory: twice batch x (sum of all widths) floats, since the backward pass needs
 * y and h of each layer (three times in gated layers, and in pre-norm blocks where these end), and a few buffers of the
 * largest layer's size. Weights from `init` are made again for the
 * backward pass. Activations that overflow are not an error but a finding (FORWARD_EXPLODE, overflow_layer). Errors:
 * FANIN_STATUS_BAD_ARGUMENT and FANIN_STATUS_BAD_SHAPE, which name what is wrong; FANIN_STATUS_NOT_FINITE if input,
 * given weights or biases have infinities or NaN; those of fanin_fill(); OpenCL's, with the buffer's name, if memory
 * runs out. */
FANIN_API fanin_status fanin_probe(fanin *f, cl_command_queue queue, const fanin_probe_config *config,
                                   fanin_probe_report **out);

/* NULL is ignored. */
FANIN_API void fanin_probe_report_release(fanin_probe_report *report);

/* ---- Calibrating ------------------------------------------------------------------------------------------------- */

/* What fanin_calibrate() is to reach. Begin with FANIN_CALIBRATE_OPTIONS_INIT. */
typedef struct fanin_calibrate_options {
  size_t size;               /* sizeof(fanin_calibrate_options) */
  fanin_criterion criterion; /* FANIN_CRITERION_SECOND_MOMENT: mean of z^2; FANIN_CRITERION_VARIANCE: variance of z
                                over batch and features, as the paper has it */
  double target;             /* what it is to be, 1e-30 to 1e30; 0: 1 */
  double tolerance;          /* relative, below 1; 0: 0.01 */
  int max_iterations;        /* of a layer, at least 1; 0: 10 */
} fanin_calibrate_options;
/* A fanin_calibrate_options with its size, and 0 in every other field. */
#define FANIN_CALIBRATE_OPTIONS_INIT FANIN_SIZED(fanin_calibrate_options)

/* What fanin_calibrate() did to a layer. */
typedef struct fanin_calibrated_layer {
  double before, after; /* the layer's variance or second moment */
  double factor;        /* by which its weights were multiplied in all */
  int iterations;       /* 0: it was within the tolerance */
} fanin_calibrated_layer;

/* Layer-sequential unit variance (Mishkin & Matas 2016, algorithm 1) on the device. Layer by layer, on config->input
 * (or N(0,1)), it multiplies the weights by sqrt(target / measured) until the preactivations are within the tolerance.
 * config->weights must have a buffer for every layer. They hold the initial weights (orthonormal ones in the paper) and
 * are rescaled in place, rounded to their dtype. Biases, norm, residual and block are those of fanin_probe(). Writes L
 * elements of `stride` bytes each (sizeof(fanin_calibrated_layer)). Blocking. Errors: FANIN_STATUS_NOT_FINITE if input,
 * weights or preactivations have infinities or NaN; FANIN_STATUS_BAD_ARGUMENT for a layer whose variance is 0 or comes
 * from its biases alone, or that is not within the tolerance after max_iterations. The sentence names layer and
 * numbers, and every tensor is then as it was. */
FANIN_API fanin_status fanin_calibrate(fanin *f, cl_command_queue queue, const fanin_probe_config *config,
                                       const fanin_calibrate_options *options, fanin_calibrated_layer *layers,
                                       size_t stride);

FANIN_C_END

#endif
