/* The initializers: the table of all kinds with their parameters, and constructors. */
#include "init/initializer.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "core/argument.h"

/* Choices are read and written as int, whatever enum the field has. */
_Static_assert(sizeof(fanin_mode) == sizeof(int), "enums have int's size");
_Static_assert(sizeof(fanin_distribution) == sizeof(int), "enums have int's size");
_Static_assert(sizeof(fanin_bounds) == sizeof(int), "enums have int's size");
_Static_assert(sizeof(fanin_per) == sizeof(int), "enums have int's size");

/* ---- Parameters -------------------------------------------------------------------------------------------------- */

static const fanin__choice modes[] = {{"fan_in", FANIN_MODE_FAN_IN},
                                      {"fan_out", FANIN_MODE_FAN_OUT},
                                      {"fan_avg", FANIN_MODE_FAN_AVG},
                                      {"fan_geo", FANIN_MODE_FAN_GEO},
                                      {NULL, 0}};
static const fanin__choice distributions[] = {{"uniform", FANIN_DISTRIBUTION_UNIFORM},
                                              {"normal", FANIN_DISTRIBUTION_NORMAL},
                                              {"trunc_normal", FANIN_DISTRIBUTION_TRUNC_NORMAL},
                                              {NULL, 0}};
static const fanin__choice normals[] = {
    {"normal", FANIN_DISTRIBUTION_NORMAL}, {"trunc_normal", FANIN_DISTRIBUTION_TRUNC_NORMAL}, {NULL, 0}};
static const fanin__choice units[] = {{"sigma", FANIN_BOUNDS_SIGMA}, {"absolute", FANIN_BOUNDS_ABSOLUTE}, {NULL, 0}};
static const fanin__choice corrections[] = {{"false", 1}, {"true", 0}, {NULL, 0}}; /* of `uncorrected` */

static const fanin__choice owners[] = {{"input", FANIN_PER_INPUT}, {"output", FANIN_PER_OUTPUT}, {NULL, 0}};

#define PAIRED(field, other, least, most)                                                                              \
  { #field, offsetof(fanin_init, field), FANIN__NUMBER, least, most, NULL, offsetof(fanin_init, other) }
#define NUMBER(field, least, most) PAIRED(field, field, least, most)
#define FINITE(field)              NUMBER(field, -DBL_MAX, DBL_MAX)
#define NOT_NEGATIVE(field)        NUMBER(field, 0, DBL_MAX)

#define SHARE(field) NUMBER(field, 0, 1)
#define COUNT(field) NUMBER(field, 0, 0x1p53)
#define SLOPE(field) NUMBER(field, -1e100, 1e100) /* its square is finite */
#define GAIN(least)                                                                                                    \
  { "gain", offsetof(fanin_init, gain), FANIN__GAIN, least, DBL_MAX, NULL, offsetof(fanin_init, gain) }
#define CHOICE(field, choices)                                                                                         \
  { #field, offsetof(fanin_init, field), FANIN__CHOICE, 0, 0, choices, 0 }
#define END                                                                                                            \
  { NULL, 0, FANIN__NUMBER, 0, 0, NULL, 0 }

static const fanin__parameter no_parameters[] = {END};
static const fanin__parameter constant_parameters[] = {FINITE(value), END};
static const fanin__parameter uniform_parameters[] = {PAIRED(lo, hi, -DBL_MAX, DBL_MAX),
                                                      PAIRED(hi, lo, -DBL_MAX, DBL_MAX), END};
static const fanin__parameter normal_parameters[] = {FINITE(mean), NOT_NEGATIVE(std), END};
static const fanin__parameter trunc_normal_parameters[] = {
    FINITE(mean),
    NOT_NEGATIVE(std),
    PAIRED(a, b, -INFINITY, INFINITY),
    PAIRED(b, a, -INFINITY, INFINITY),
    CHOICE(bounds, units),
    {"corrected", offsetof(fanin_init, uncorrected), FANIN__CHOICE, 0, 0, corrections, 0},
    END};
static const fanin__parameter xavier_uniform_parameters[] = {GAIN(0), END};
static const fanin__parameter xavier_normal_parameters[] = {GAIN(0), CHOICE(distribution, normals), END};
static const fanin__parameter he_uniform_parameters[] = {SLOPE(a), CHOICE(mode, modes), END};
static const fanin__parameter he_normal_parameters[] = {SLOPE(a), CHOICE(mode, modes), CHOICE(distribution, normals),
                                                        END};
static const fanin__parameter lecun_normal_parameters[] = {CHOICE(distribution, normals), END};
static const fanin__parameter variance_scaling_parameters[] = {NOT_NEGATIVE(scale), CHOICE(mode, modes),
                                                               CHOICE(distribution, distributions), END};
static const fanin__parameter delta_parameters[] = {GAIN(-DBL_MAX), END};
static const fanin__parameter orthogonal_parameters[] = {GAIN(0), END};
static const fanin__parameter sparse_parameters[] = {SHARE(sparsity), NOT_NEGATIVE(std), CHOICE(per, owners),
                                                     COUNT(connections), END};

/* ---- The table --------------------------------------------------------------------------------------------------- */

#define UNIFORM_OF "uniform on [-sqrt(3) std, sqrt(3) std], "
#define NORMAL_OF  "normal, mean 0, "
#define XAVIER_STD "std = gain * sqrt(2 / (fan_in + fan_out))"
#define HE_STD     "std = sqrt(2 / ((1 + a^2) * fan)), fan by mode"
#define LECUN_STD  "std = sqrt(1 / fan_in)"

/* Rows: {name, aliases, formula, parameters, source, needs_fans}, defaults, list of parameters, what resolves it. Of
 * the kinds that scale a variance, std = gain * sqrt(scale / ((1 + a^2) n)), n by mode. */
static const fanin__initializer table[FANIN_KIND_COUNT] = {
    [FANIN_KIND_ZEROS] = {{"zeros", "", "0", "", "definition", 0},
                          {.kind = FANIN_KIND_ZEROS, .value = 0},
                          no_parameters,
                          fanin__resolve_constant},
    [FANIN_KIND_ONES] = {{"ones", "", "1", "", "definition", 0},
                         {.kind = FANIN_KIND_ONES, .value = 1},
                         no_parameters,
                         fanin__resolve_constant},
    [FANIN_KIND_CONSTANT] = {{"constant", "", "value", "value=0", "definition", 0},
                             {.kind = FANIN_KIND_CONSTANT, .value = 0},
                             constant_parameters,
                             fanin__resolve_constant},
    [FANIN_KIND_UNIFORM] = {{"uniform", "", "uniform on [lo, hi]", "lo=0,hi=1", "definition; defaults of torch.nn.init",
                             0},
                            {.kind = FANIN_KIND_UNIFORM, .lo = 0, .hi = 1},
                            uniform_parameters,
                            fanin__resolve_uniform},
    [FANIN_KIND_NORMAL] = {{"normal", "", "normal with mean and std", "mean=0,std=1",
                            "definition; defaults of torch.nn.init", 0},
                           {.kind = FANIN_KIND_NORMAL, .std = 1},
                           normal_parameters,
                           fanin__resolve_normal},
    [FANIN_KIND_TRUNC_NORMAL] = {{"trunc_normal", "",
                                  "normal of mean and s, cut to [a, b], in units of s (bounds=sigma) or values (bounds="
                                  "absolute); s = std, or such that the result has std (corrected=true)",
                                  "mean=0,std=1,a=-2,b=2,bounds=sigma,corrected=true",
                                  "Johnson, Kotz & Balakrishnan 1994, chapter 13, section 10.1", 0},
                                 {.kind = FANIN_KIND_TRUNC_NORMAL, .std = 1, .a = -2, .b = 2},
                                 trunc_normal_parameters,
                                 fanin__resolve_trunc_normal},
    [FANIN_KIND_XAVIER_UNIFORM] = {{"xavier_uniform", "glorot_uniform", UNIFORM_OF XAVIER_STD, "gain=1",
                                    "Glorot & Bengio 2010, eq. 16", 1},
                                   {.kind = FANIN_KIND_XAVIER_UNIFORM,
                                    .gain = 1,
                                    .scale = 1,
                                    .mode = FANIN_MODE_FAN_AVG,
                                    .distribution = FANIN_DISTRIBUTION_UNIFORM},
                                   xavier_uniform_parameters,
                                   fanin__resolve_fans},
    [FANIN_KIND_XAVIER_NORMAL] = {{"xavier_normal", "glorot_normal", NORMAL_OF XAVIER_STD, "gain=1,distribution=normal",
                                   "Glorot & Bengio 2010, eq. 12", 1},
                                  {.kind = FANIN_KIND_XAVIER_NORMAL,
                                   .gain = 1,
                                   .scale = 1,
                                   .mode = FANIN_MODE_FAN_AVG,
                                   .distribution = FANIN_DISTRIBUTION_NORMAL},
                                  xavier_normal_parameters,
                                  fanin__resolve_fans},
    [FANIN_KIND_HE_UNIFORM] =
        {{"he_uniform", "kaiming_uniform, pytorch_default", UNIFORM_OF HE_STD, "a=0,mode=fan_in",
          "He et al. 2015, eq. 10, 14 and 15", 1},
         {.kind = FANIN_KIND_HE_UNIFORM, .gain = 1, .scale = 2, .distribution = FANIN_DISTRIBUTION_UNIFORM},
         he_uniform_parameters,
         fanin__resolve_fans},
    [FANIN_KIND_HE_NORMAL] =
        {{"he_normal", "kaiming_normal", NORMAL_OF HE_STD, "a=0,mode=fan_in,distribution=normal",
          "He et al. 2015, eq. 10, 14 and 15", 1},
         {.kind = FANIN_KIND_HE_NORMAL, .gain = 1, .scale = 2, .distribution = FANIN_DISTRIBUTION_NORMAL},
         he_normal_parameters,
         fanin__resolve_fans},
    [FANIN_KIND_LECUN_UNIFORM] =
        {{"lecun_uniform", "", UNIFORM_OF LECUN_STD, "", "LeCun et al. 1998, eq. 16", 1},
         {.kind = FANIN_KIND_LECUN_UNIFORM, .gain = 1, .scale = 1, .distribution = FANIN_DISTRIBUTION_UNIFORM},
         no_parameters,
         fanin__resolve_fans},
    [FANIN_KIND_LECUN_NORMAL] =
        {{"lecun_normal", "", NORMAL_OF LECUN_STD, "distribution=normal", "LeCun et al. 1998, eq. 16", 1},
         {.kind = FANIN_KIND_LECUN_NORMAL, .gain = 1, .scale = 1, .distribution = FANIN_DISTRIBUTION_NORMAL},
         lecun_normal_parameters,
         fanin__resolve_fans},
    [FANIN_KIND_VARIANCE_SCALING] =
        {{"variance_scaling", "", "of the distribution, mean 0, std = sqrt(scale / n), n by mode",
          "scale=1,mode=fan_in,distribution=normal", "tf.keras.initializers and jax.nn.initializers", 1},
         {.kind = FANIN_KIND_VARIANCE_SCALING, .gain = 1, .scale = 1, .distribution = FANIN_DISTRIBUTION_NORMAL},
         variance_scaling_parameters,
         fanin__resolve_fans},
    [FANIN_KIND_IDENTITY] = {{"identity", "eye", "gain where the O and the I index agree, else 0; O and I may differ",
                              "gain=1", "Le, Jaitly & Hinton 2015; torch.nn.init.eye_; Zhao et al. 2022, definition 1",
                              1},
                             {.kind = FANIN_KIND_IDENTITY, .gain = 1},
                             delta_parameters,
                             fanin__resolve_identity},
    [FANIN_KIND_DIRAC] = {{"dirac", "",
                           "gain at the centre tap where the O index in its group equals the I index, else 0", "gain=1",
                           "Zagoruyko & Komodakis 2017", 1},
                          {.kind = FANIN_KIND_DIRAC, .gain = 1},
                          delta_parameters,
                          fanin__resolve_dirac},
    [FANIN_KIND_ORTHOGONAL] =
        {{"orthogonal", "semi_orthogonal",
          "gain times a uniformly random (Haar) matrix of O rows and I * taps columns, of which the fewer "
          "are orthonormal; std = gain / sqrt(the more)",
          "gain=1", "Saxe, McClelland & Ganguli 2013; Stewart 1980 (product of reflectors); Mezzadri 2007 (Haar)", 1},
         {.kind = FANIN_KIND_ORTHOGONAL, .gain = 1},
         orthogonal_parameters,
         fanin__resolve_orthogonal},
    [FANIN_KIND_DELTA_ORTHOGONAL] =
        {{"delta_orthogonal", "",
          "at the centre tap gain times a uniformly random (Haar) matrix of O rows and I <= O "
          "orthonormal columns, else 0",
          "gain=1", "Xiao et al. 2018, algorithm 1", 1},
         {.kind = FANIN_KIND_DELTA_ORTHOGONAL, .gain = 1},
         orthogonal_parameters,
         fanin__resolve_delta_orthogonal},
    [FANIN_KIND_SPARSE] =
        {{"sparse", "",
          "normal, mean 0, with std, but ceil(sparsity * n) zeros at random among the n = fan_out weights "
          "of each input (per=output: the fan_in weights of each output); connections=k: all but k of them",
          "sparsity=0.1,std=0.01,per=input,connections=0", "torch.nn.init.sparse_; Martens 2010", 1},
         {.kind = FANIN_KIND_SPARSE, .sparsity = 0.1, .std = 0.01},
         sparse_parameters,
         fanin__resolve_sparse},
    [FANIN_KIND_BILINEAR] =
        {{"bilinear", "",
          "gain times the product over taps of 1 - |t - (k - 1) / 2| / f, k = extent, f = ceil(k / 2), "
          "where the O index "
          "in its group equals the I index, else 0",
          "gain=1", "Long, Shelhamer & Darrell 2015", 1},
         {.kind = FANIN_KIND_BILINEAR, .gain = 1},
         delta_parameters,
         fanin__resolve_bilinear},
    [FANIN_KIND_HADAMARD] = {{"hadamard", "zero_init",
                              "O <= I: the partial identity times gain; else gain * 2^(-(m-1)/2) (-1)^ones(o & i), m = "
                              "ceil(log2 O); with taps, at the centre, else 0",
                              "gain=1", "Zhao, Schaefer & Anandkumar 2022 (ZerO), algorithms 1 and 2", 1},
                             {.kind = FANIN_KIND_HADAMARD, .gain = 1},
                             delta_parameters,
                             fanin__resolve_hadamard},
};

const fanin__initializer *fanin__initializer_of(fanin_kind kind) {
  if ((unsigned)kind < FANIN_KIND_COUNT) return &table[kind];
  fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "kind is %d; 0 to %d are accepted", (int)kind, FANIN_KIND_COUNT - 1);
  return NULL;
}

fanin_status fanin_describe(fanin_kind kind, fanin_description *out, size_t size) {
  FANIN__NEED(out);
  FANIN__NEED_SIZE(size);

  const fanin__initializer *const initializer = fanin__initializer_of(kind);
  if (!initializer) return FANIN_STATUS_BAD_ARGUMENT;
  fanin__give(out, size, &initializer->description, sizeof initializer->description);
  return FANIN_STATUS_OK;
}

/* ---- Fields by their description --------------------------------------------------------------------------------- */

double fanin__get_number(const void *record, const fanin__parameter *parameter) {
  double value;
  memcpy(&value, (const char *)record + parameter->offset, sizeof value);
  return value;
}

int fanin__get_choice(const void *record, const fanin__parameter *parameter) {
  int value;
  memcpy(&value, (const char *)record + parameter->offset, sizeof value);
  return value;
}

void fanin__set_number(void *record, const fanin__parameter *parameter, double value) {
  memcpy((char *)record + parameter->offset, &value, sizeof value);
}

void fanin__set_choice(void *record, const fanin__parameter *parameter, int value) {
  memcpy((char *)record + parameter->offset, &value, sizeof value);
}

static double number_at(const fanin_init *init, size_t offset) {
  double value;
  memcpy(&value, (const char *)init + offset, sizeof value);
  return value;
}

/* Whether 0 in a parameter's field means another number, its default. */
static bool zero_means_default(const fanin__initializer *initializer, const fanin__parameter *p) {
  return p->type != FANIN__CHOICE && number_at(&initializer->defaults, p->offset) != 0;
}

fanin_init fanin__used_fields(const fanin__initializer *initializer, const fanin_init *init) {
  fanin_init used = initializer->defaults;
  for (const fanin__parameter *p = initializer->parameters; p->name; p++) {
    const size_t size = p->type == FANIN__CHOICE ? sizeof(int) : sizeof(double);
    const bool zero = p->type != FANIN__CHOICE && number_at(init, p->offset) == 0 && number_at(init, p->with) == 0;
    if (zero && zero_means_default(initializer, p)) continue;
    memcpy((char *)&used + p->offset, (const char *)init + p->offset, size);
  }
  return used;
}

/* ---- Zeros that mean 0 ------------------------------------------------------------------------------------------- */

static fanin_init everywhere(double value) {
  return value == 0 && !signbit(value) ? fanin_zeros() : fanin_constant(value);
}

fanin_init fanin__explicit(const fanin_init *init) {
  const fanin__initializer *const initializer = &table[init->kind];
  if (init->kind == FANIN_KIND_UNIFORM) return init->lo == init->hi ? everywhere(init->lo) : *init;
  if (init->kind == FANIN_KIND_SPARSE && init->sparsity == 0 && init->connections == 0)
    return fanin_normal(0, init->std);
  for (const fanin__parameter *p = initializer->parameters; p->name; p++) {
    const bool scales = p->with == p->offset && p->offset != offsetof(fanin_init, sparsity);
    if (!scales || !zero_means_default(initializer, p) || number_at(init, p->offset) != 0) continue;
    const bool cut = init->kind == FANIN_KIND_TRUNC_NORMAL && init->bounds == FANIN_BOUNDS_ABSOLUTE;
    return everywhere(cut ? fmin(fmax(init->mean, init->a), init->b) : init->mean);
  }
  return fanin__used_fields(initializer, init);
}

/* ---- Constructors ------------------------------------------------------------------------------------------------ */

fanin_init fanin_zeros(void) {
  return table[FANIN_KIND_ZEROS].defaults;
}

fanin_init fanin_ones(void) {
  return table[FANIN_KIND_ONES].defaults;
}

fanin_init fanin_constant(double value) {
  fanin_init init = table[FANIN_KIND_CONSTANT].defaults;
  init.value = value;
  return init;
}

fanin_init fanin_uniform(double lo, double hi) {
  fanin_init init = table[FANIN_KIND_UNIFORM].defaults;
  init.lo = lo;
  init.hi = hi;
  return fanin__explicit(&init);
}

fanin_init fanin_normal(double mean, double std) {
  fanin_init init = table[FANIN_KIND_NORMAL].defaults;
  init.mean = mean;
  init.std = std;
  return fanin__explicit(&init);
}

fanin_init fanin_trunc_normal(double mean, double std, double a, double b) {
  fanin_init init = table[FANIN_KIND_TRUNC_NORMAL].defaults;
  init.mean = mean;
  init.std = std;
  init.a = a;
  init.b = b;
  return fanin__explicit(&init);
}

static fanin_init with_gain(fanin_kind kind, double gain) {
  fanin_init init = table[kind].defaults;
  init.gain = gain;
  return fanin__explicit(&init);
}

fanin_init fanin_xavier_uniform(double gain) {
  return with_gain(FANIN_KIND_XAVIER_UNIFORM, gain);
}

fanin_init fanin_xavier_normal(double gain) {
  return with_gain(FANIN_KIND_XAVIER_NORMAL, gain);
}

static fanin_init he(fanin_kind kind, double a, fanin_mode mode) {
  fanin_init init = table[kind].defaults;
  init.a = a;
  init.mode = mode;
  return init;
}

fanin_init fanin_he_uniform(double a, fanin_mode mode) {
  return he(FANIN_KIND_HE_UNIFORM, a, mode);
}

fanin_init fanin_he_normal(double a, fanin_mode mode) {
  return he(FANIN_KIND_HE_NORMAL, a, mode);
}

fanin_init fanin_lecun_uniform(void) {
  return table[FANIN_KIND_LECUN_UNIFORM].defaults;
}

fanin_init fanin_lecun_normal(void) {
  return table[FANIN_KIND_LECUN_NORMAL].defaults;
}

fanin_init fanin_variance_scaling(double scale, fanin_mode mode, fanin_distribution distribution) {
  fanin_init init = table[FANIN_KIND_VARIANCE_SCALING].defaults;
  init.scale = scale;
  init.mode = mode;
  init.distribution = distribution;
  return fanin__explicit(&init);
}

fanin_init fanin_identity(double gain) {
  return with_gain(FANIN_KIND_IDENTITY, gain);
}

fanin_init fanin_dirac(double gain) {
  return with_gain(FANIN_KIND_DIRAC, gain);
}

fanin_init fanin_orthogonal(double gain) {
  return with_gain(FANIN_KIND_ORTHOGONAL, gain);
}

fanin_init fanin_delta_orthogonal(double gain) {
  return with_gain(FANIN_KIND_DELTA_ORTHOGONAL, gain);
}

fanin_init fanin_sparse(double sparsity, double std) {
  fanin_init init = table[FANIN_KIND_SPARSE].defaults;
  init.sparsity = sparsity;
  init.std = std;
  return fanin__explicit(&init);
}

fanin_init fanin_bilinear(double gain) {
  return with_gain(FANIN_KIND_BILINEAR, gain);
}

fanin_init fanin_hadamard(double gain) {
  return with_gain(FANIN_KIND_HADAMARD, gain);
}
