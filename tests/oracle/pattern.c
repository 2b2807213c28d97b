/* Bilinear and hadamard in plain C. */
#include "oracle/pattern.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

/* Coordinates in a group's and a split's matrix, and its extents. */
typedef struct spot {
  uint64_t o, i, outputs, inputs;
  bool centre;                   /* at the centre of all taps */
  uint64_t weight, whole_weight; /* of the taps: products of 2 f - |2 t - k + 1|, and of 2 f */
} spot;

static spot spot_of(const fanin_tensor *t, const uint64_t *at) {
  const uint64_t splits = t->splits > 1 ? t->splits : 1;
  const oracle_groups groups = oracle_groups_of(t);
  spot s = {.centre = true, .weight = 1, .whole_weight = 1};
  for (int d = 0; d < t->rank; d++) {
    const uint64_t k = t->shape[d];
    if (t->layout[d] == 'O') {
      s.outputs = k / splits / (groups.of_inputs ? 1 : groups.count);
      s.o = at[d] % s.outputs;
    } else if (oracle_is_input(t->layout[d])) {
      s.inputs = k / (groups.of_inputs ? groups.count : 1);
      s.i = at[d] % s.inputs;
    } else if (t->layout[d] != 'B') {
      const uint64_t f = k % 2 == 0 ? k / 2 : k / 2 + 1, near = at[d] < k - 1 - at[d] ? at[d] : k - 1 - at[d];
      s.centre = s.centre && at[d] == k / 2;
      s.weight *= 2 * near + 1 + (k % 2); /* that many halves from beyond the nearer end */
      s.whole_weight *= 2 * f;
    }
  }
  return s;
}

/* Recursion instead of counting bits. */
static int sign(uint64_t o, uint64_t i) {
  if (o == 0 || i == 0) return 1;
  return sign(o / 2, i / 2) * (o % 2 == 1 && i % 2 == 1 ? -1 : 1);
}

static double magnitude(uint64_t outputs) {
  const double m = ceil(log2((double)outputs));
  return pow(2, -(m - 1) / 2);
}

uint64_t oracle_pattern(const fanin_tensor *t, const fanin_init *init, const uint64_t *at) {
  const spot s = spot_of(t, at);
  double times = init->gain, over = 1, share = 0;
  if (init->kind == FANIN_KIND_BILINEAR) {
    share = s.o == s.i ? (double)s.weight : 0;
    over = (double)s.whole_weight;
  } else if (s.outputs <= s.inputs) {
    share = s.centre && s.o == s.i;
  } else {
    times *= magnitude(s.outputs);
    share = s.centre ? sign(s.o, s.i) : 0;
  }
  if (t->dtype == FANIN_DTYPE_F64) {
    const double value = share == 0 ? 0 : times * (share / over);
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
  }
  const float value = share == 0 ? 0 : (float)times * (float)(share / over);
  return oracle_bits_of(t->dtype, value);
}
