/* The table of families. */
#include "family.h"

const fanin__family_facts *fanin__family_of(const fanin__distribution *d) {
  static const fanin__family_facts table[FANIN__FAMILY_COUNT] = {
      [FANIN__CONSTANT] = {FANIN_LAW_CONSTANT, fanin__expect_constant, fanin__parameters_constant, NULL},
      [FANIN__UNIFORM] = {FANIN_LAW_UNIFORM, fanin__expect_uniform, fanin__parameters_uniform, NULL},
      [FANIN__NORMAL] = {FANIN_LAW_NORMAL, fanin__expect_normal, fanin__parameters_normal, NULL},
      [FANIN__TRUNC_NORMAL] = {FANIN_LAW_TRUNC_NORMAL, fanin__expect_trunc_normal, fanin__parameters_trunc_normal,
                               NULL},
      [FANIN__DELTA] = {FANIN_LAW_ONES, fanin__expect_delta, fanin__parameters_constant, NULL},
      [FANIN__ORTHOGONAL] = {FANIN_LAW_ORTHOGONAL, fanin__expect_orthogonal, fanin__parameters_zeros,
                             &fanin__orthogonal_maker},
      [FANIN__SPARSE] = {FANIN_LAW_SPARSE, fanin__expect_sparse, fanin__parameters_normal, &fanin__sparse_maker},
      [FANIN__BILINEAR] = {FANIN_LAW_FIXED, fanin__expect_bilinear, fanin__parameters_zeros, &fanin__pattern_maker},
      [FANIN__HADAMARD] = {FANIN_LAW_FIXED, fanin__expect_hadamard, fanin__parameters_zeros, &fanin__pattern_maker},
  };
  return &table[d->family];
}
