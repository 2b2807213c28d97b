/* What there is to know of each family of distributions: its law and its moments. How it is
 * made on a device is known to fill/filler.h. */
#ifndef HOST_INIT_FAMILY_H
#define HOST_INIT_FAMILY_H

#include "fanin/inspect.h"
#include "init/distribution.h"

typedef struct fanin__family_facts {
  fanin_law_kind law;
  fanin_status (*expect)(const fanin_tensor *t, const fanin__distribution *d, fanin_moments *out);
} fanin__family_facts;

const fanin__family_facts *fanin__family_of(const fanin__distribution *d);

/* expect.c; of bilinear and hadamard pattern_moments.c */
fanin_status fanin__expect_constant(const fanin_tensor *t, const fanin__distribution *d, fanin_moments *out);
fanin_status fanin__expect_uniform(const fanin_tensor *t, const fanin__distribution *d, fanin_moments *out);
fanin_status fanin__expect_normal(const fanin_tensor *t, const fanin__distribution *d, fanin_moments *out);
fanin_status fanin__expect_trunc_normal(const fanin_tensor *t, const fanin__distribution *d, fanin_moments *out);
fanin_status fanin__expect_delta(const fanin_tensor *t, const fanin__distribution *d, fanin_moments *out);
fanin_status fanin__expect_orthogonal(const fanin_tensor *t, const fanin__distribution *d, fanin_moments *out);
fanin_status fanin__expect_sparse(const fanin_tensor *t, const fanin__distribution *d, fanin_moments *out);
fanin_status fanin__expect_bilinear(const fanin_tensor *t, const fanin__distribution *d, fanin_moments *out);
fanin_status fanin__expect_hadamard(const fanin_tensor *t, const fanin__distribution *d, fanin_moments *out);

/* expect.c: how many ones the diagonals of a tensor's matrices have. */
fanin_status fanin__count_ones(const fanin_tensor *t, double *count);

#endif
