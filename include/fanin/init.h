/* Initializers: values that say which numbers a tensor is to have, their gains and their moments. Stable. */
#ifndef FANIN_INIT_H
#define FANIN_INIT_H

#include "base.h"
#include "tensor.h"

FANIN_C_BEGIN

/* ---- Gains ------------------------------------------------------------------------------------------------------- */

/* How a gain follows from an activation phi, for z ~ N(0,1). */
typedef enum fanin_criterion {
  FANIN_CRITERION_SECOND_MOMENT, /* 1 / sqrt(E[phi(z)^2]): He et al. 2015, eq. 7 to 10, for any phi */
  FANIN_CRITERION_VARIANCE,      /* 1 / sqrt(Var[phi(z)]): Brock et al. 2021 (NFNets), eq. 1 */
  FANIN_CRITERION_PYTORCH        /* torch.nn.init.calculate_gain's table; only the names that it has */
} fanin_criterion;

/* The gain that keeps preactivations at variance 1 through an activation, by quadrature in double, relative error
 * under 1e-9. docs/features.md lists the activations. `slope` is leaky_relu's negative slope and nobody else's.
 * FANIN_STATUS_BAD_ARGUMENT for an unknown name, which the error sentence answers with the known ones. */
FANIN_API fanin_status fanin_gain(const char *activation, double slope, fanin_criterion criterion, double *gain);

/* ---- Initializers ------------------------------------------------------------------------------------------------ */

/* The kinds: enumerator, and name in texts. fanin_describe() and `fanin list` say what each one does. FANIN_KIND_COUNT
 * is the number of this header's kinds; a newer library may know more. */
#define FANIN_KIND_MAP(XX)                                                                                             \
  XX(ZEROS, zeros)                                                                                                     \
  XX(ONES, ones)                                                                                                       \
  XX(CONSTANT, constant)                                                                                               \
  XX(UNIFORM, uniform)                                                                                                 \
  XX(NORMAL, normal)                                                                                                   \
  XX(TRUNC_NORMAL, trunc_normal)                                                                                       \
  XX(XAVIER_UNIFORM, xavier_uniform)                                                                                   \
  XX(XAVIER_NORMAL, xavier_normal)                                                                                     \
  XX(HE_UNIFORM, he_uniform)                                                                                           \
  XX(HE_NORMAL, he_normal)                                                                                             \
  XX(LECUN_UNIFORM, lecun_uniform)                                                                                     \
  XX(LECUN_NORMAL, lecun_normal)                                                                                       \
  XX(VARIANCE_SCALING, variance_scaling)                                                                               \
  XX(IDENTITY, identity)                                                                                               \
  XX(DIRAC, dirac)                                                                                                     \
  XX(ORTHOGONAL, orthogonal)                                                                                           \
  XX(DELTA_ORTHOGONAL, delta_orthogonal)                                                                               \
  XX(SPARSE, sparse)                                                                                                   \
  XX(BILINEAR, bilinear)                                                                                               \
  XX(HADAMARD, hadamard)                                                                                               \
  XX(LOG_UNIFORM, log_uniform)                                                                                         \
  XX(S4D_REAL, s4d_real)                                                                                               \
  XX(SINUSOIDAL, sinusoidal)                                                                                           \
  XX(INV_FREQ, inv_freq)                                                                                               \
  XX(ALIBI, alibi)                                                                                                     \
  XX(RAMP, ramp)

/* clang-format off */
typedef enum fanin_kind {
#define FANIN_KIND_ENUM(id, name) FANIN_KIND_##id,
  FANIN_KIND_MAP(FANIN_KIND_ENUM)
#undef FANIN_KIND_ENUM
  FANIN_KIND_COUNT
} fanin_kind;
/* clang-format on */

/* The laws that values of these kinds follow: enumerator, name, and what it is. fanin/inspect.h has their numbers. */
#define FANIN_LAW_KIND_MAP(XX)                                                                                         \
  XX(CONSTANT, constant, "one value")                                                                                  \
  XX(UNIFORM, uniform, "uniform on [lo, hi]")                                                                          \
  XX(NORMAL, normal, "normal")                                                                                         \
  XX(TRUNC_NORMAL, trunc_normal, "normal, cut to [lo, hi]")                                                            \
  XX(ONES, ones, "identity, dirac: `value` at some places that indices decide, 0 elsewhere")                           \
  XX(ORTHOGONAL, orthogonal, "rows or columns have the length `value`; delta_orthogonal: 0 but for the centre taps")   \
  XX(SPARSE, sparse, "a share `zeros` of exact zeros, the rest normal")                                                \
  XX(BILINEAR, bilinear, "numbers that indices decide")                                                                \
  XX(HADAMARD, hadamard, "numbers that indices decide")                                                                \
  XX(LOG_UNIFORM, log_uniform, "ln x uniform on [ln from, ln to], x at least lo")                                      \
  XX(SOFTPLUS_LOG_UNIFORM, softplus_log_uniform, "softplus(x) log-uniform on [from, to], x at least lo")               \
  XX(TABLE, table, "s4d_real, sinusoidal, inv_freq, alibi, ramp: numbers that indices decide")

/* clang-format off */
typedef enum fanin_law_kind {
#define FANIN_LAW_ENUM(id, name, text) FANIN_LAW_KIND_##id,
  FANIN_LAW_KIND_MAP(FANIN_LAW_ENUM)
#undef FANIN_LAW_ENUM
  FANIN_LAW_KIND_COUNT
} fanin_law_kind;
/* clang-format on */

/* The n of std = sqrt(scale / n): fan_in, fan_out, their mean, or their geometric mean. */
typedef enum fanin_mode { FANIN_MODE_FAN_IN, FANIN_MODE_FAN_OUT, FANIN_MODE_FAN_AVG, FANIN_MODE_FAN_GEO } fanin_mode;

/* How values spread around their mean. For the kinds that end in _normal, FANIN_DISTRIBUTION_TRUNC_NORMAL is the form
 * that Keras and JAX have: cut at 2 sigma, with the std kept. */
typedef enum fanin_distribution {
  FANIN_DISTRIBUTION_NORMAL,
  FANIN_DISTRIBUTION_UNIFORM,
  FANIN_DISTRIBUTION_TRUNC_NORMAL
} fanin_distribution;

/* What the bounds of a truncated normal are measured in. */
typedef enum fanin_bounds {
  FANIN_BOUNDS_SIGMA,   /* a and b in standard deviations of the normal that is cut */
  FANIN_BOUNDS_ABSOLUTE /* a and b are values, as in torch.nn.init.trunc_normal_ */
} fanin_bounds;

/* Which weights sparse counts its zeros among. */
typedef enum fanin_per {
  FANIN_PER_INPUT, /* the fan_out weights that leave an input: a column of "OI", as torch.nn.init.sparse_ has it */
  FANIN_PER_OUTPUT /* the fan_in weights that enter an output: Martens 2010 */
} fanin_per;

/* The channels of sinusoidal, of which there are d: sines and cosines of the angle pos * w(i), i = 0 .. d/2 - 1. */
typedef enum fanin_form {
  FANIN_FORM_INTERLEAVED,  /* channels 2i and 2i + 1 are sine and cosine, w(i) = base^(-2i/d): Vaswani et al. 2017 */
  FANIN_FORM_HALVES,       /* the sines, then the cosines, of the same angles: Marian, Pegasus */
  FANIN_FORM_TENSOR2TENSOR /* halves with w(i) = base^(-i / (d/2 - 1)), from 1 to 1/base: tensor2tensor, fairseq,
                              Whisper */
} fanin_form;

/* An initializer is a value. A field that the kind does not use is ignored (fanin_describe() tells which it uses). A
 * field that is 0 has its default, so that {.kind = FANIN_KIND_XAVIER_UNIFORM} has a gain of 1:
 *   gain 1; scale 1; std 1 (sparse: 0.01); lo = hi = 0: [0, 1] (log_uniform: [0.001, 0.1]; ramp: where zigzag is 0
 * too); a = b = 0 in trunc_normal: [-2, 2]; sparsity 0.1; base 10000; exponent 1; zigzag_exponent 1; period 3. In all
 * other fields 0 is the number 0. The constructors below and the text form take every 0 as the number 0: a gain, scale
 * or std of 0 and lo = hi make a constant (fanin_zeros(), or fanin_constant() of the mean), and a sparsity of 0 makes a
 * normal. */
typedef struct fanin_init {
  fanin_kind kind;
  fanin_mode mode;                 /* he_*, variance_scaling */
  fanin_distribution distribution; /* variance_scaling; xavier_, he_, lecun_normal: normal or trunc_normal */
  fanin_bounds bounds;             /* trunc_normal */
  fanin_per per;                   /* sparse: which weights share a count of zeros */
  int uncorrected;                 /* trunc_normal: 0: std is that of the truncated values (the normal that is cut is
                                      wider); 1: std is that of the normal that is cut */
  double value;                    /* constant */
  double lo, hi;                   /* uniform: both ends included; log_uniform: above 0; ramp: where it begins and where
                                      it ends, in any order */
  double mean, std;                /* normal, trunc_normal; trunc_normal's mean is that of the normal that is cut;
                                      sparse: std of the values that are not zeros */
  double a, b;                     /* trunc_normal: the bounds; may be infinite. he_*: a is the negative slope */
  double gain;                     /* xavier_*, identity, dirac, *orthogonal, bilinear, hadamard, tables */
  double scale;                    /* variance_scaling */
  double sparsity;                 /* sparse: share of zeros in a line of weights, 0 to 1 */
  double connections;              /* sparse: how many weights of a line are not zeros, a whole number; 0: sparsity
                                      says that */
  double floor;                    /* log_uniform: lesser values become it, before inverse_softplus */
  int inverse_softplus;            /* log_uniform: 1: ln(exp(y) - 1) of the values y */
  fanin_form form;                 /* sinusoidal: which channels are sines, and their frequencies */
  double base;                     /* sinusoidal, inv_freq: the powers of it are the frequencies; 1 to 2^64 */
  double exponent;                 /* ramp: how it is bent; above 0, at most 15 */
  double zigzag;                   /* ramp: the zigzag goes from -zigzag to zigzag */
  double period;                   /* ramp: elements of a zigzag's period, a whole number from 2 to 2^31 */
  double shift;                    /* ramp: where in its period a zigzag begins, a whole number below period */
  double zigzag_exponent;          /* ramp: how a zigzag is bent; above 0, at most 15 */
  int half_open;                   /* ramp: 1: hi belongs to the index that would follow the last one */
  uint64_t reserved[1];            /* must be 0 */
} fanin_init;

/* 0, 1, or `value` everywhere. */
FANIN_API fanin_init fanin_zeros(void);
FANIN_API fanin_init fanin_ones(void);
FANIN_API fanin_init fanin_constant(double value);
/* Uniform on [lo, hi], both ends included in every dtype. */
FANIN_API fanin_init fanin_uniform(double lo, double hi);
/* N(mean, std^2). */
FANIN_API fanin_init fanin_normal(double mean, double std);
/* Bounds in sigma, std that of the result: set .bounds and .uncorrected for the other forms. a = b = 0 is [-2, 2]. */
FANIN_API fanin_init fanin_trunc_normal(double mean, double std, double a, double b);
/* std = gain * sqrt(2 / (fan_in + fan_out)), uniform on +-sqrt(3) std. Glorot & Bengio 2010, eq. 16. */
FANIN_API fanin_init fanin_xavier_uniform(double gain);
FANIN_API fanin_init fanin_xavier_normal(double gain);
/* std = sqrt(2 / ((1 + a^2) fan)). He et al. 2015, eq. 10, 14 and 15. */
FANIN_API fanin_init fanin_he_uniform(double a, fanin_mode mode);
FANIN_API fanin_init fanin_he_normal(double a, fanin_mode mode);
/* std = sqrt(1 / fan_in). LeCun et al. 1998, eq. 16. */
FANIN_API fanin_init fanin_lecun_uniform(void);
FANIN_API fanin_init fanin_lecun_normal(void);
/* std = sqrt(scale / n), n by mode: fan_in, fan_out, their mean, or their geometric mean. */
FANIN_API fanin_init fanin_variance_scaling(double scale, fanin_mode mode, fanin_distribution distribution);
/* gain where the O and the I index agree, else 0; a matrix, or a stack B of them. */
FANIN_API fanin_init fanin_identity(double gain);
/* gain at the centre tap (extent / 2) where the O index within its group equals the I index, else 0: a convolution
 * that passes its channels through. */
FANIN_API fanin_init fanin_dirac(double gain);
/* gain times a random matrix with orthonormal rows or columns, whichever are fewer, uniformly distributed (Haar). The
 * matrix has O rows and I * taps columns (in the order I, D, H, W); each member of a stack, each group and each split
 * has a matrix of its own. Saxe et al. 2013. It is made from the stream's normals (Stewart 1980), and has the same bits
 * everywhere (docs/orthogonal.md). A part has the whole's bits; filling it costs as much as filling all matrices that
 * it meets. */
FANIN_API fanin_init fanin_orthogonal(double gain);
/* A convolution that multiplies lengths by gain: an orthogonal matrix of O rows and I columns, I <= O, at the centre
 * tap (extent / 2) of each group and split, and 0 at the other taps. Xiao et al. 2018, algorithm 1. */
FANIN_API fanin_init fanin_delta_orthogonal(double gain);
/* N(0, std^2) with zeros. Exactly ceil(sparsity n) of the n = fan_out weights that leave each input are 0 (.per and
 * .connections select the other forms; begin with a sparsity above 0 for these). Their places are uniformly distributed
 * among all subsets, independent from line to line, and the same everywhere and in every dtype. The other values are
 * those of fanin_normal(0, std). torch.nn.init.sparse_; Martens 2010. Filling a part costs as much as filling all lines
 * that it meets. Lines of 2^32 weights and more are FANIN_STATUS_UNSUPPORTED. */
FANIN_API fanin_init fanin_sparse(double sparsity, double std);
/* gain times the weights of bilinear upsampling (linear or trilinear with one or three dimensions of taps) where the O
 * index in its group equals the I index, else 0. Along an extent k, with f = ceil(k / 2), the weight of tap t is
 * 1 - |t - (k - 1) / 2| / f. It is meant for a transposed convolution of stride f. Long, Shelhamer & Darrell 2015. */
FANIN_API fanin_init fanin_bilinear(double gain);
/* ZerO (Zhao, Schaefer & Anandkumar 2022, algorithms 1 and 2) of O rows and I columns, at the centre tap where there
 * are taps. If O <= I it is the partial identity times gain, otherwise gain 2^(-(m-1)/2) H with m = ceil(log2 O), where
 * H(o, i) is -1 if o & i has an odd number of ones, else 1. The authors' program has 2^(-m/2): gain = sqrt(1/2). */
FANIN_API fanin_init fanin_hadamard(double gain);
/* exp(U(ln lo, ln hi)), 0 < lo <= hi: the reciprocal distribution. With .inverse_softplus (and .floor, 1e-4 in Mamba's
 * code) the bias of Mamba's time steps: softplus of it is log-uniform. Gu & Dao 2023, section 3.6. */
FANIN_API fanin_init fanin_log_uniform(double lo, double hi);
/* The next four are tables: numbers that follow from an element's coordinates along the last dimensions, whatever the
 * layout, times .gain, which they begin with as 1. No extent of these dimensions may be 2^32 or more. A last dimension
 * of extent 1 is refused beside longer ones: a tensor of heads x 1 x 1 has the bytes of the shape heads.
 * ln(n + 1) at coordinate n of the last dimension: S4D-Real, the A_log of Mamba. Gu, Goel, Gupta & Re 2022; Gu &
 * Dao 2023. */
FANIN_API fanin_init fanin_s4d_real(void);
/* Sines and cosines of positions (the last dimension but one) at the frequencies of channels (the last one, of even
 * extent). Vaswani et al. 2017, section 3.5, where base is 10000. */
FANIN_API fanin_init fanin_sinusoidal(double base, fanin_form form);
/* base^(-n/N) at coordinate n of the last dimension, of extent N: the frequencies of rotary positions, for heads of 2N
 * features. Su et al. 2021. */
FANIN_API fanin_init fanin_inv_freq(double base);
/* The slopes of ALiBi's heads, which the last dimension counts: 2^(-8 (h + 1) / n) where their number n is a power of
 * two; else those of the largest power of two below, and then every second one of twice that number. Press, Smith &
 * Lewis 2022. */
FANIN_API fanin_init fanin_alibi(void);
/* The last table goes by the element's index n among all N elements, in the order of the shape: fewer than 2^32, with
 * a zigzag fewer than 2^24.
 * lo + (hi - lo) t^exponent, t = n / (N - 1), or n / N with .half_open (torch.linspace; numpy.linspace with
 * endpoint=False). With .zigzag a sawtooth is added: zigzag s |s|^(zigzag_exponent - 1), where s goes from -1 to 1 in
 * each period: s = 2 r / (period - 1) - 1, r = (n + shift) mod period. RWKV's decays, bonuses and shares of the token
 * before are ramps: Peng et al. 2023, 2024 and 2025, and their code. */
FANIN_API fanin_init fanin_ramp(double lo, double hi, double exponent);

/* Parses "he_normal", "he_normal:mode=fan_out,a=0.2", "trunc_normal:std=0.02,a=-3,b=3", "xavier_uniform:gain=tanh".
 * Other names of the same (glorot_*, kaiming_*) parse too, and so do presets, as "pytorch_default".
 * `gain` takes a number or an activation's name; with a name, criterion=second_moment|variance|pytorch and slope=
 * apply. FANIN_STATUS_BAD_TEXT names the parameter, its value and what would be accepted. */
FANIN_API fanin_status fanin_init_parse(const char *text, fanin_init *out);

/* Writes the canonical text, which parses back to the same distribution. `length` may be NULL, or gets the text's
 * length without the final 0. `text` may be NULL when capacity is 0, to ask for the length. A text that does not fit is
 * cut, and the status is FANIN_STATUS_BAD_SIZE. */
FANIN_API fanin_status fanin_init_format(const fanin_init *init, char *text, size_t capacity, size_t *length);

/* What there is to say about an initializer; all strings static. */
typedef struct fanin_description {
  const char *name;
  const char *aliases;    /* "glorot_uniform", or "" */
  const char *formula;    /* in plain text */
  const char *parameters; /* "gain=1" : names with defaults, comma-separated, or "" */
  const char *source;     /* paper and equation, or what defines it */
  int needs_fans;         /* 1: the tensor needs a layout with O and I */
  int draws;              /* 1: values depend on the key */
  const char *presets;    /* "pytorch_default:a=2.23606797749979": names, each with the parameters that it stands for,
                             separated by "; ", or "" */
} fanin_description;

/* `size` is sizeof *out. FANIN_STATUS_BAD_ARGUMENT if `kind` is none. */
FANIN_API fanin_status fanin_describe(fanin_kind kind, fanin_description *out, size_t size);

/* The moments and bounds that an initializer's values have on a tensor, without a device. */
typedef struct fanin_moments {
  double mean, std; /* of the distribution; for identity, dirac, bilinear, hadamard and tables, of the whole tensor's
                       entries; for orthogonal, std is exactly that of the whole tensor's entries about 0 */
  double kurtosis;  /* fourth central moment / variance^2; 0 where std is 0 */
  double lo, hi;    /* no value is outside; infinite for a plain normal. In real arithmetic, before the dtype rounds */
} fanin_moments;

/* What to expect of `t` filled by `init`. `t` needs no buffer; `size` is sizeof *out. Errors: those of fanin_fill()
 * that need no device. */
FANIN_API fanin_status fanin_expect(const fanin_tensor *t, const fanin_init *init, fanin_moments *out, size_t size);

FANIN_C_END

#endif
