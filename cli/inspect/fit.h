/* Which law a tensor's values look like, where nothing says which they should follow. */
#ifndef CLI_INSPECT_FIT_H
#define CLI_INSPECT_FIT_H

#include <stdbool.h>
#include <stdint.h>

#include "fanin/inspect.h"
#include "formats/tensor_file.h"

/* What came of the search. */
typedef enum fit_outcome {
  FIT_FEW,      /* too few elements to tell */
  FIT_CONSTANT, /* one value */
  FIT_SPARSE,   /* mostly zeros */
  FIT_LAW,      /* a law of one of the families that fit.c lists */
  FIT_OTHER     /* none of these */
} fit_outcome;

typedef struct fit {
  fit_outcome outcome;
  const char *name;      /* "uniform", "truncated normal", "other" */
  fanin_law law;         /* FIT_LAW, as what follows: with estimated parameters */
  double chi_square, z;  /* of its classes, */
  double score;          /* and what chose it, the least */
  double degrees;        /* corrected for the parameters */
  double distance, most; /* as classes_distance() */
  bool ends;             /* the law's are those of the values */
  double slack; /* how far outside of the law's ends values may lie, because its std errs; 0: they do not err */
} fit;

/* The number of elements that is needed to tell families apart. */
enum { FIT_LEAST = 1000 };

/* The largest z of a fit that is accepted: p = 3e-7, so that one fresh tensor in three million is called "other". */
#define FIT_BOUND 5.0

fit fit_values(const fanin_stats *stats, fanin_dtype dtype, const uint64_t *counts);

/* A text such as "he (fan_in 784) or std 0.05" (the caller's to free), or NULL: rules that make values of that family
 * with an std within 4 standard errors, up to two of them. The shape is read as PyTorch's (out, in, taps). If no rule
 * fits, a matrix is also read as (in, out); *swapped says that this was needed. */
char *resemblance_of(const tensor_file *f, const stored_tensor *t, const fit *looks, double std, double standard_error,
                     bool *swapped);

#endif
