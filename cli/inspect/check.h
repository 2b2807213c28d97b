/* What a tensor should be, and whether its moments and bounds are so. */
#ifndef CLI_INSPECT_CHECK_H
#define CLI_INSPECT_CHECK_H

#include <stdbool.h>

#include "fanin/inspect.h"
#include "formats/tensor_parts.h"
#include "formats/tensor_text.h"

/* Who says what a tensor should be. */
typedef enum expected_by { BY_NOBODY, BY_FILE, BY_RULES, BY_MODEL, BY_OPTION } expected_by;

/* What a tensor should be, in the words of somebody who can promise it. The looks of its values promise nothing. */
typedef struct expectation {
  bool known; /* the members from init on are set, and the tensor can be tested against them */
  expected_by by;
  char *text;               /* the initializer, as it was named; NULL: none was. The owner of the struct frees it, */
  char *reason;             /* and this: why the tensor cannot be judged although somebody said something; NULL */
  char *dispute;            /* what others say, where it is something else; NULL: nothing. The owner frees it too */
  const char *twin;         /* the name of the tensor whose values it should have; NULL: its own */
  bool rescaled;            /* its values were rounded, multiplied by a factor, and rounded again */
  char layout[LAYOUT_TEXT]; /* "" where there is none */
  fanin_init init;
  tensor_parts parts; /* that have other initializers: `moments` and `law` are not set, and each slab has an expectation
                         of its own, which expectation_of_region() makes. The owner frees them */
  char *rest;         /* why what lies between the parts is not judged; NULL: `init` is its initializer. Freed too */
  fanin_moments moments;
  fanin_law law;
} expectation;

/* Sets what follows from an initializer and the tensor that it fills: known, layout, init, moments and law; or the
 * reason why the initializer does not fit the tensor. */
void expectation_set(expectation *e, const fanin_tensor *t, const fanin_init *init);

/* Releases what the expectation owns. */
void expectation_free(expectation *e);

/* Whether different tensors of that kind are promised to be independent of one another. */
bool check_is_random(const expectation *e);

/* Whether the expected values are not random: then a tensor has them, up to the dtype's rounding, or is wrong. */
bool check_is_fixed(const expectation *e);

/* Whether the values are random, but depend on one another, so that only their mean is as that of independent ones:
 * orthogonal matrices, whose std is exact. */
bool check_is_dependent(const expectation *e);

/* z of std and mean, in standard errors; the std's corrected for the skewness of a sample variance, so that it is a
 * normal deviate with few elements too; NaN where there is nothing to test: no expectation, a constant, the std of one
 * element.
 */
typedef struct z_scores {
  double std, mean;
} z_scores;

z_scores z_scores_of(const expectation *e, const fanin_stats *measured, fanin_dtype dtype);

/* How far outside of the law's bounds values may be by rounding, beyond that of f32. */
double check_slack(const expectation *e, fanin_dtype dtype);

/* NULL where everything holds, or what does not: "non-finite", "std", "mean", "bounds". Static storage. Where nothing
 * is expected, only what is not finite is found. */
const char *check_tensor(const expectation *e, const fanin_stats *measured, fanin_dtype dtype, const z_scores *z,
                         double z_bound);
#endif
