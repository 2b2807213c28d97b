/* The table of how families are filled. */
#include "fill/filler.h"

const fanin__filling *fanin__filling_of(const fanin__distribution *d) {
  static const fanin__filling table[FANIN__FAMILY_COUNT] = {
      [FANIN__CONSTANT] = {fanin__parameters_constant, NULL},
      [FANIN__UNIFORM] = {fanin__parameters_uniform, NULL},
      [FANIN__NORMAL] = {fanin__parameters_normal, NULL},
      [FANIN__TRUNC_NORMAL] = {fanin__parameters_trunc_normal, NULL},
      [FANIN__DELTA] = {fanin__parameters_zeros, &fanin__pattern_filler},
      [FANIN__ORTHOGONAL] = {fanin__parameters_zeros, &fanin__orthogonal_filler},
      [FANIN__SPARSE] = {fanin__parameters_normal, &fanin__sparse_filler},
      [FANIN__BILINEAR] = {fanin__parameters_zeros, &fanin__pattern_filler},
      [FANIN__HADAMARD] = {fanin__parameters_zeros, &fanin__pattern_filler},
  };
  return &table[d->family];
}
