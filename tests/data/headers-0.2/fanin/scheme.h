/* Experimental: may change in a minor version. Schemes: factors that papers put in front of an initializer, by depth,
 * width or role, and initializers times a factor.
 *
 *   fanin_scheme_factor("residual:layers=12", &t, &factor);  -> 1 / sqrt(2 * 12)
 *   fanin_init_scaled(&init, factor, &scaled);               -> normal:std=0.02 becomes normal:std=0.00408...
 *
 * A scheme that is an std by itself (small_init, wang, t5_q, fan_in, spectral) goes with normal:std=1, one that is a
 * bound (siren_*) with uniform:lo=-1,hi=1. Factors multiply, so schemes compose in any order. */
#ifndef FANIN_SCHEME_H
#define FANIN_SCHEME_H

#include "base.h"
#include "init.h"
#include "tensor.h"

FANIN_C_BEGIN

/* What there is to say about a scheme; all strings static. */
typedef struct fanin_scheme_description {
  const char *name;
  const char *formula;    /* of the factor, in plain text */
  const char *parameters; /* "layers,branches=2": names, with defaults where they have one; or "" */
  const char *goes_with;  /* the initializers that the source multiplies, in words */
  const char *source;     /* paper and equation, or what defines it */
  int needs_fans;         /* 1: the tensor needs a layout with O and I */
} fanin_scheme_description;

/* How many schemes the library has; they are numbered from 0. */
FANIN_API int fanin_scheme_count(void);

/* `size` is sizeof *out. FANIN_STATUS_BAD_ARGUMENT if `scheme` is none. */
FANIN_API fanin_status fanin_describe_scheme(int scheme, fanin_scheme_description *out, size_t size);

/* The factor that a text such as "residual:layers=12" means for a tensor, positive and finite. Only `t`'s shape and
 * layout are looked at; NULL is accepted where the scheme needs no fans. FANIN_STATUS_BAD_TEXT names the parameter, its
 * value and what would be accepted; FANIN_STATUS_BAD_LAYOUT where fans are needed and there are none. */
FANIN_API fanin_status fanin_scheme_factor(const char *text, const fanin_tensor *t, double *factor);

/* The initializer whose values have the law of `init`'s values times `factor`, which is positive and finite: another
 * parameter of the same kind, or where the kind has none for it (ones, he_*, lecun_*), a kind that has (constant,
 * variance_scaling). Its text form says all of it. A factor of 1 gives `init` itself. FANIN_STATUS_BAD_ARGUMENT where a
 * parameter overflows. */
FANIN_API fanin_status fanin_init_scaled(const fanin_init *init, double factor, fanin_init *out);

/* Parses an initializer's text with schemes before it, or none, which blanks separate: "residual:layers=4
 * normal:std=0.02". *out is the initializer whose values are multiplied by the factors that the schemes have for `t`,
 * of which only shape and layout are looked at; NULL is accepted where no scheme needs fans. Errors: those of
 * fanin_init_parse(), fanin_scheme_factor() and fanin_init_scaled(). */
FANIN_API fanin_status fanin_init_parse_for(const char *text, const fanin_tensor *t, fanin_init *out);

/* ---- Names ------------------------------------------------------------------------------------------------------- */

/* For "did you mean": which of `n` names a mistyped one stands for. It is the place of the nearest, which two letters
 * more, less or replaced turn into it (one if it has three letters or fewer), in either case; `n` if none is so near.
 * The library's own sentences say it already. */
FANIN_API fanin_status fanin_nearest_name(const char *name, const char *const *names, size_t n, size_t *nearest);

FANIN_C_END

#endif
