/* The table of families. */
#include "init/family.h"

const fanin__family_facts *fanin__family_of(const fanin__distribution *d) {
  static const fanin__family_facts table[FANIN__FAMILY_COUNT] = {
      [FANIN__CONSTANT] = {FANIN_LAW_KIND_CONSTANT, fanin__expect_constant},
      [FANIN__UNIFORM] = {FANIN_LAW_KIND_UNIFORM, fanin__expect_uniform},
      [FANIN__NORMAL] = {FANIN_LAW_KIND_NORMAL, fanin__expect_normal},
      [FANIN__TRUNC_NORMAL] = {FANIN_LAW_KIND_TRUNC_NORMAL, fanin__expect_trunc_normal},
      [FANIN__DELTA] = {FANIN_LAW_KIND_ONES, fanin__expect_delta},
      [FANIN__ORTHOGONAL] = {FANIN_LAW_KIND_ORTHOGONAL, fanin__expect_orthogonal},
      [FANIN__SPARSE] = {FANIN_LAW_KIND_SPARSE, fanin__expect_sparse},
      [FANIN__BILINEAR] = {FANIN_LAW_KIND_FIXED, fanin__expect_bilinear},
      [FANIN__HADAMARD] = {FANIN_LAW_KIND_FIXED, fanin__expect_hadamard},
  };
  return &table[d->family];
}
