/* Whether a measured tensor is what its initializer makes: tests of std and mean in standard errors, and bounds. */
#ifndef CLI_INSPECT_CHECK_H
#define CLI_INSPECT_CHECK_H

#include <stdbool.h>

#include "fanin/inspect.h"
#include "formats/tensor_file.h"

/* What a tensor should be, according to the notes that 'fanin init' leaves in a file. */
typedef struct expectation {
  bool known;
  const char *text; /* the initializer that the file names; NULL: it names none */
  fanin_init init;
  fanin_moments moments;
  fanin_law law;
} expectation;

/* `known` is false where the file has no notes on the tensor, or notes that the library does not understand. */
expectation expectation_of(const tensor_file *f, const stored_tensor *t);

/* Whether the expected values are not random: then a tensor has them, up to the dtype's rounding, or is wrong. */
bool check_is_fixed(const expectation *e);

/* Whether the values are random, but depend on one another, so that only their mean is as that of independent ones:
 * orthogonal matrices, whose std is exact. */
bool check_is_dependent(const expectation *e);

/* z of std and mean, in standard errors; the std's corrected for the skewness of a sample variance, so that it is a
 * normal deviate with few elements too; NaN where there is nothing to test: no expectation, a constant, one element.
 */
typedef struct z_scores {
  double std, mean;
} z_scores;

z_scores z_scores_of(const expectation *e, const fanin_stats *measured, fanin_dtype dtype);

/* "ok", "-" where nothing is known, or what does not hold: "non-finite", "std", "mean", "bounds". Static storage. */
const char *check_tensor(const expectation *e, const fanin_stats *measured, fanin_dtype dtype, const z_scores *z,
                         double z_bound);
/* Whether the answer of check_tensor() means that the tensor holds. */
bool check_holds(const char *verdict);

#endif
