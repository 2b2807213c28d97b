/* Whether a tensor's moments and bounds are as they should be. */
#ifndef CLI_INSPECT_CHECK_H
#define CLI_INSPECT_CHECK_H

#include "inspect/expectation.h"

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
