/* Which law a tensor's values look like, where nothing says which they should follow. */
#ifndef CLI_INSPECT_FIT_H
#define CLI_INSPECT_FIT_H

#include <stdbool.h>
#include <stdint.h>

#include "fanin/inspect.h"
#include "formats/tensor_file.h"

typedef enum fit_family {
  FIT_FEW,      /* too few elements to tell */
  FIT_CONSTANT, /* one value */
  FIT_SPARSE,   /* mostly zeros */
  FIT_UNIFORM,
  FIT_NORMAL,
  FIT_TRUNC_NORMAL, /* cut at 2 sigma */
  FIT_OTHER         /* none of these */
} fit_family;

typedef struct fit {
  fit_family family;
  bool has_law;          /* uniform, normal, truncated normal: `law` and what follows */
  fanin_law law;         /* with estimated parameters */
  double chi_square, z;  /* of its classes, which chose it */
  double degrees;        /* corrected for the parameters */
  double distance, most; /* as classes_distance() */
} fit;

/* The number of elements that is needed to tell families apart. */
enum { FIT_LEAST = 1000 };

/* The largest z of a fit that is accepted: p = 3e-7, so that one fresh tensor in three million is called "other". */
#define FIT_BOUND 5.0

/* How far values of a truncated normal may lie outside the bounds of a fit to n of them: ten times what the standard
 * error of the std, about 0.7 / sqrt(n), moves the bounds. */
double fit_slack(const fanin_law *law, double n);

fit fit_values(const fanin_stats *stats, fanin_dtype dtype, const uint64_t *counts);

/* "uniform", "truncated normal", "other": static storage. */
const char *fit_name(fit_family family);

/* A text such as "he, fan_in 784" (the caller's to free), or NULL: rules whose std lies within 4 standard errors, up to
 * two of them. The shape is read as PyTorch's (out, in, taps); a matrix also as Keras's (in, out). */
char *resemblance_of(const tensor_file *f, const stored_tensor *t, double std, double standard_error);

#endif
