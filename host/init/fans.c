/* xavier_*, he_*, lecun_* and variance_scaling: std = gain * sqrt(scale / ((1 + a^2) n)), n by mode. They differ in the
 * fields that their rows fix. */
#include "core/status.h"
#include "init/initializer.h"

_Static_assert(sizeof(fanin_mode) == sizeof(int), "enums have int's size");
_Static_assert(sizeof(fanin_distribution) == sizeof(int), "enums have int's size");

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

#define SLOPE(field) FANIN__NUMBER_IN(field, -1e100, 1e100) /* its square is finite */
#define MODE         FANIN__CHOICE_OF(mode, modes)
#define NORMALS      FANIN__CHOICE_OF(distribution, distributions + 1) /* all but the first */

static const fanin__parameter of_xavier_uniform[] = {FANIN__GAIN_FROM(0), FANIN__END};
static const fanin__parameter of_xavier_normal[] = {FANIN__GAIN_FROM(0), NORMALS, FANIN__END};
static const fanin__parameter of_he_uniform[] = {SLOPE(a), MODE, FANIN__END};
static const fanin__parameter of_he_normal[] = {SLOPE(a), MODE, NORMALS, FANIN__END};
static const fanin__parameter of_lecun_normal[] = {NORMALS, FANIN__END};
static const fanin__parameter of_variance_scaling[] = {FANIN__NOT_NEGATIVE(scale), MODE,
                                                       FANIN__CHOICE_OF(distribution, distributions), FANIN__END};

/* ---- Resolving --------------------------------------------------------------------------------------------------- */

static double fan_of(fanin_mode mode, const fanin__roles *roles) {
  const double in = (double)roles->fan_in, out = (double)roles->fan_out;
  const double by_mode[] = {[FANIN_MODE_FAN_IN] = in,
                            [FANIN_MODE_FAN_OUT] = out,
                            [FANIN_MODE_FAN_AVG] = 0.5 * (in + out),
                            [FANIN_MODE_FAN_GEO] = sqrt(in * out)};
  return by_mode[mode];
}

/* A fan of 0 is that of an empty tensor. */
static fanin_status resolve(const fanin_init *init, const fanin__roles *roles, fanin__distribution *out) {
  const double n = fan_of(init->mode, roles);
  const double std = n > 0 ? init->gain * sqrt(init->scale / (1 + init->a * init->a) / n) : 0;
  const double bound = sqrt(3) * std;
  if (!(bound < INFINITY)) {
    return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "gain = %g and scale = %g give an std that overflows", init->gain,
                       init->scale);
  }
  if (std == 0) return fanin__resolve_to(0, out);
  if (init->distribution == FANIN_DISTRIBUTION_UNIFORM) return fanin__resolve_uniform(-bound, bound, out);
  if (init->distribution == FANIN_DISTRIBUTION_NORMAL) return fanin__resolve_normal(0, std, out);
  return fanin__resolve_truncated(0, std, -2, 2, out);
}

static fanin_init explicit(const fanin_init *init) {
  return init->scale == 0 ? fanin__everywhere(0) : fanin__used_fields(&fanin__kind_variance_scaling, init);
}

/* he_* and lecun_* have no parameter for a factor, and become variance_scaling. */
static fanin_status scale(fanin_init *init, double factor) {
  if (init->kind != FANIN_KIND_VARIANCE_SCALING)
    *init = fanin_variance_scaling(init->scale / (1 + init->a * init->a), init->mode, init->distribution);
  init->scale *= factor * factor;
  return FANIN_STATUS_OK;
}

/* ---- Kinds ------------------------------------------------------------------------------------------------------- */

/* What a kind has besides its description. */
#define FANS(id, of_mode, of_scale, spread, own_parameters)                                                            \
  .defaults = {.kind = FANIN_KIND_##id,                                                                                \
               .gain = 1,                                                                                              \
               .scale = (of_scale),                                                                                    \
               .mode = FANIN_MODE_##of_mode,                                                                           \
               .distribution = FANIN_DISTRIBUTION_##spread},                                                           \
  .parameters = (own_parameters), .resolve = resolve
#define UNIFORM_OF "uniform on [-sqrt(3) std, sqrt(3) std], "
#define NORMAL_OF  "normal, mean 0, "
#define XAVIER_STD "std = gain * sqrt(2 / (fan_in + fan_out))"
#define HE_STD     "std = sqrt(2 / ((1 + a^2) * fan)), fan by mode"
#define LECUN_STD  "std = sqrt(1 / fan_in)"

const fanin__initializer fanin__kind_xavier_uniform = {
    .description = {"xavier_uniform", "glorot_uniform", UNIFORM_OF XAVIER_STD, "gain=1", "Glorot & Bengio 2010, eq. 16",
                    1, 1, ""},
    FANS(XAVIER_UNIFORM, FAN_AVG, 1, UNIFORM, of_xavier_uniform),
};
const fanin__initializer fanin__kind_xavier_normal = {
    .description = {"xavier_normal", "glorot_normal", NORMAL_OF XAVIER_STD, "gain=1,distribution=normal",
                    "Glorot & Bengio 2010, eq. 12", 1, 1, ""},
    FANS(XAVIER_NORMAL, FAN_AVG, 1, NORMAL, of_xavier_normal),
};
const fanin__initializer fanin__kind_he_uniform = {
    .description = {"he_uniform", "kaiming_uniform", UNIFORM_OF HE_STD, "a=0,mode=fan_in",
                    "He et al. 2015, eq. 10, 14 and 15", 1, 1,
                    "pytorch_default:a=2.23606797749979"} /* torch.nn.Linear and Conv: a = sqrt(5), std = sqrt(1/3n) */,
    FANS(HE_UNIFORM, FAN_IN, 2, UNIFORM, of_he_uniform),
    .scale = scale,
};
const fanin__initializer fanin__kind_he_normal = {
    .description = {"he_normal", "kaiming_normal", NORMAL_OF HE_STD, "a=0,mode=fan_in,distribution=normal",
                    "He et al. 2015, eq. 10, 14 and 15", 1, 1, ""},
    FANS(HE_NORMAL, FAN_IN, 2, NORMAL, of_he_normal),
    .scale = scale,
};
const fanin__initializer fanin__kind_lecun_uniform = {
    .description = {"lecun_uniform", "", UNIFORM_OF LECUN_STD, "", "LeCun et al. 1998, eq. 16", 1, 1, ""},
    FANS(LECUN_UNIFORM, FAN_IN, 1, UNIFORM, fanin__no_parameters),
    .scale = scale,
};
const fanin__initializer fanin__kind_lecun_normal = {
    .description = {"lecun_normal", "", NORMAL_OF LECUN_STD, "distribution=normal", "LeCun et al. 1998, eq. 16", 1, 1,
                    ""},
    FANS(LECUN_NORMAL, FAN_IN, 1, NORMAL, of_lecun_normal),
    .scale = scale,
};
const fanin__initializer fanin__kind_variance_scaling = {
    .description = {"variance_scaling", "", "of the distribution, mean 0, std = sqrt(scale / n), n by mode",
                    "scale=1,mode=fan_in,distribution=normal", "tf.keras.initializers and jax.nn.initializers", 1, 1,
                    ""},
    FANS(VARIANCE_SCALING, FAN_IN, 1, NORMAL, of_variance_scaling),
    .explicit = explicit,
    .scale = scale,
};

/* ---- Constructors ------------------------------------------------------------------------------------------------ */

fanin_init fanin_xavier_uniform(double gain) {
  return fanin__explicit(&(fanin_init){.kind = FANIN_KIND_XAVIER_UNIFORM, .gain = gain});
}

fanin_init fanin_xavier_normal(double gain) {
  return fanin__explicit(&(fanin_init){.kind = FANIN_KIND_XAVIER_NORMAL, .gain = gain});
}

fanin_init fanin_he_uniform(double a, fanin_mode mode) {
  return fanin__used_fields(&fanin__kind_he_uniform, &(fanin_init){.a = a, .mode = mode});
}

fanin_init fanin_he_normal(double a, fanin_mode mode) {
  return fanin__used_fields(&fanin__kind_he_normal, &(fanin_init){.a = a, .mode = mode});
}

fanin_init fanin_lecun_uniform(void) {
  return fanin__kind_lecun_uniform.defaults;
}

fanin_init fanin_lecun_normal(void) {
  return fanin__kind_lecun_normal.defaults;
}

fanin_init fanin_variance_scaling(double scale, fanin_mode mode, fanin_distribution distribution) {
  return fanin__explicit(
      &(fanin_init){.kind = FANIN_KIND_VARIANCE_SCALING, .scale = scale, .mode = mode, .distribution = distribution});
}
