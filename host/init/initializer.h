/* Initializers and laws from the inside: what is known of each kind, one row for each. Text, checks, resolution and
 * description are driven by these rows. Kinds that share a law share a file: uniform.c, normal.c, fans.c, ... */
#ifndef HOST_INIT_INITIALIZER_H
#define HOST_INIT_INITIALIZER_H

#include "init/distribution.h"
#include "init/parameters.h"
#include "tensor/layout.h"

/* ---- Kinds ------------------------------------------------------------------------------------------------------- */

/* Entries of lists of parameters of fanin_init. Of a pair, 0 means the default where the other field is 0 too; of three
 * fields, where both others are. */
#define FANIN__THREE(field, other, third, least, most)                                                                 \
  {                                                                                                                    \
#field, offsetof(fanin_init, field), FANIN__NUMBER, least, most, NULL, {                                           \
      offsetof(fanin_init, other), offsetof(fanin_init, third)                                                         \
    }                                                                                                                  \
  }
#define FANIN__PAIRED(field, other, least, most) FANIN__THREE(field, other, other, least, most)
#define FANIN__NUMBER_IN(field, least, most)     FANIN__PAIRED(field, field, least, most)
#define FANIN__FINITE(field)                     FANIN__NUMBER_IN(field, -DBL_MAX, DBL_MAX)
#define FANIN__NOT_NEGATIVE(field)               FANIN__NUMBER_IN(field, 0, DBL_MAX)
#define FANIN__GAIN_FROM(least)                                                                                        \
  {                                                                                                                    \
    "gain", offsetof(fanin_init, gain), FANIN__GAIN, least, DBL_MAX, NULL, {                                           \
      offsetof(fanin_init, gain), offsetof(fanin_init, gain)                                                           \
    }                                                                                                                  \
  }
#define FANIN__CHOICE_OF(field, choices)                                                                               \
  {                                                                                                                    \
#field, offsetof(fanin_init, field), FANIN__CHOICE, 0, 0, choices, {                                               \
      0                                                                                                                \
    }                                                                                                                  \
  }

typedef struct fanin__initializer {
  fanin_description description;
  fanin_init defaults; /* of the parameters; other fields have what `resolve` is to see */
  const fanin__parameter *parameters;
  /* `init` was checked, its fields that are no parameters are the defaults; `roles` have O and I if needs_fans. */
  fanin_status (*resolve)(const fanin_init *init, const fanin__roles *roles, fanin__distribution *out);
  /* Adds what follows from the shape, which was checked. NULL: nothing does. */
  fanin_status (*fit)(const fanin_tensor *t, fanin__distribution *out);
  /* Whether parameters fit together, each being in its range; a failure has `status`. NULL: they do. */
  fanin_status (*check)(const fanin_init *init, fanin_status status);
  /* What says in fields what `init` says with zeros that mean 0. NULL: zeros for a gain that is a parameter and 0, else
   * fanin__used_fields(). */
  fanin_init (*explicit)(const fanin_init *init);
  /* Makes it the initializer whose values have the law of these values times `factor`. NULL: multiplies
   * what values are proportional to. */
  fanin_status (*scale)(fanin_init *init, double factor);
} fanin__initializer;

/* All but the description of a kind whose parameter is a gain, which its file lists as `parameters`. */
#define FANIN__OF_GAIN(id, own_resolve)                                                                                \
  .defaults = {.kind = FANIN_KIND_##id, .gain = 1}, .parameters = parameters, .resolve = (own_resolve)

#define FANIN__KIND(id, name) extern const fanin__initializer fanin__kind_##name;
FANIN_KIND_MAP(FANIN__KIND)
#undef FANIN__KIND

/* NULL with a sentence set if `kind` is none. */
const fanin__initializer *fanin__initializer_of(fanin_kind kind);

/* Checks every parameter of an initializer whose zeros mean defaults; what is wrong fails with `status`. */
fanin_status fanin__check_init(const fanin_init *init, fanin_status status);

/* The same of one whose zeros mean 0: what a text says, before fanin__explicit(). */
fanin_status fanin__check_values(const fanin_init *init, fanin_status status);

/* The parameters' fields of `init`, with the defaults of those that are 0; everything else from the defaults. */
fanin_init fanin__used_fields(const fanin__initializer *initializer, const fanin_init *init);

/* The initializer that says in fields what `init` says with zeros that mean 0: a constant for a gain, scale or std of 0
 * and for lo = hi, a normal for a sparsity of 0. */
fanin_init fanin__explicit(const fanin_init *init);

/* ---- Laws -------------------------------------------------------------------------------------------------------- */

/* What is known of each kind of laws, one row for each, in the file of its initializers. How it is made on a device is
 * known to fill/parameters.c. */

/* The most moments that are asked for. */
enum { FANIN__MOMENTS = 13 };

typedef struct fanin__law {
  fanin_values values;
  /* The moments and bounds of the values: those of the law, or NULL, and then those on a tensor. */
  fanin_moments (*expected)(const fanin_law *law);
  fanin_status (*expect)(const fanin_tensor *t, const fanin__distribution *d, fanin_moments *out);
  /* P(X <= x), or P(X > x), for law->lo <= x < law->hi. NULL: there is none in closed form. */
  double (*probability)(const fanin_law *law, double x, bool upper);
  /* E[((X - centre) / unit)^k], k = 0 .. n - 1. NULL: there are none in closed form. */
  void (*moments)(const fanin_law *law, double centre, double unit, double *moments, int n);
} fanin__law;

/* What integrands of moments() get: they are of ((x - centre) / unit)^power. */
typedef struct fanin__moment {
  const fanin_law *law;
  double centre, unit;
  int power;
  double mode; /* where the density is greatest */
} fanin__moment;

#define FANIN__LAW(id, name, text) extern const fanin__law fanin__law_##name;
FANIN_LAW_KIND_MAP(FANIN__LAW)
#undef FANIN__LAW

/* normal.c: the normal with law->mean and law->std, which laws that are made of one share. */
double fanin__normal_probability(const fanin_law *law, double x, bool upper);
void fanin__normal_moments(const fanin_law *law, double centre, double unit, double *moments, int n);

/* fanin_law_moments_rounded() of values that were multiplied by `factor` once they were rounded, and were rounded
 * again. */
fanin_status fanin__law_moments_rescaled(const fanin_law *law, fanin_dtype dtype, bool bounded, double factor,
                                         double centre, double unit, double *moments, size_t n);

/* ---- What kinds share -------------------------------------------------------------------------------------------- */

/* constant.c: one value, as an initializer and as a law. */
fanin_init fanin__everywhere(double value);
fanin_status fanin__resolve_to(double value, fanin__distribution *out);
double fanin__step(const fanin_law *law, double x, bool upper);

/* uniform.c, normal.c */
fanin_status fanin__resolve_uniform(double lo, double hi, fanin__distribution *out);
fanin_status fanin__resolve_normal(double mean, double std, fanin__distribution *out);

/* pattern.c: refuses a layout without taps. The sentence names the initializer and ends with `note`. */
fanin_status fanin__need_taps(const fanin__roles *roles, const char *name, const char *note);

/* pattern.c: moments of numbers between lo and hi, from the means of their powers 1 to 4. */
fanin_moments fanin__moments_of_powers(const double power[5], double lo, double hi);

/* trunc_normal.c: N(mean, sigma^2) cut to [a, b] in units of sigma, where sigma is such that std is what is left. */
fanin_status fanin__resolve_truncated(double mean, double std, double a, double b, fanin__distribution *out);

/* initializer.c: whether a gain is among the parameters. */
bool fanin__has_gain(const fanin__initializer *initializer);

#endif
