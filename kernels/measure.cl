/* Moments and extremes of a dense array in one pass.
 *
 * Each lane of each work-item sums the deviations from its own first value and their squares, both as unevaluated pairs
 * high + low, so that neither the length nor a large mean costs accuracy: with the shift, an error is amplified by at
 * most the lane's count, and a pair holds some 2^-44. No barrier and no local memory: the host combines one partial
 * result a lane. */
#include "lib/elements.clh"

/* Vectors summed before a lane's pairs are folded into outer pairs: keeps the low parts' own rounding small. */
#define BLOCK 512

/* Sums of a lane: pairs high + low. */
typedef struct sums {
  reals d, d_low;   /* of deviations */
  reals dd, dd_low; /* of their squares */
  integers finite;  /* how many */
} sums;

/* What is not finite counts as no deviation. */
static inline void add(sums *a, reals *least, reals *most, const reals x, const real scale, const reals shift) {
  const integers finite = isfinite(x);
  const reals d = select((reals)0, fma(x, (reals)scale, -shift), finite);
  const reals square = d * d;
  a->dd_low += fma(d, d, -square);
  a->d = two_sum(a->d, d, &a->d_low);
  a->dd = two_sum(a->dd, square, &a->dd_low);
  /* no NaN gets here: min and max, unlike fmin and fmax, are one instruction */
  *least = min(*least, select((reals)INFINITY, x, finite));
  *most = max(*most, select((reals)-INFINITY, x, finite));
  a->finite += ONE_WHERE(finite);
}

static inline void fold(sums *outer, counts *finite, const sums *inner) {
  outer->d = two_sum(outer->d, inner->d, &outer->d_low);
  outer->dd = two_sum(outer->dd, inner->dd, &outer->dd_low);
  outer->d_low += inner->d_low;
  outer->dd_low += inner->dd_low;
  *finite += TO(ulong, inner->finite);
}

/* Of the vectors of LANES elements that make up `count`, item i takes i * pitch, i * pitch + step, ... below
 * i * pitch + span, and the last item the incomplete one. Values are multiplied by `scale`, a power of two, in the
 * shift and the sums, but not in the extremes. `reals_out`: 7 planes of items * LANES; `finite_out`: one, how many
 * values were finite. */
kernel void measure(global const element *buffer, const ulong offset, const ulong count, const ulong pitch,
                    const ulong step, const ulong span, const real scale, global real *reals_out,
                    global ulong *finite_out) {
  global const element *data = buffer + offset;
  const ulong complete = count / LANES;
  const ulong item = get_global_id(0);
  const ulong items = get_global_size(0);
  const ulong begin = item * pitch;
  const ulong end = min(begin + span, complete);
  const bool has_tail = complete * LANES < count && item == items - 1;

  reals shift = 0;
  if (begin < end) {
    shift = LOAD(begin, data) * scale;
  } else if (has_tail) {
    shift = load_tail(data, complete * LANES, count) * scale;
  }
  shift = select((reals)0, shift, (integers)isfinite(shift));

  sums outer = {(reals)0, (reals)0, (reals)0, (reals)0, (integers)0};
  reals least = INFINITY, most = -INFINITY;
  counts finite = 0;
  for (ulong v = begin; v < end;) {
    sums inner = {(reals)0, (reals)0, (reals)0, (reals)0, (integers)0};
    for (uint k = 0; k < BLOCK && v < end; k++, v += step) {
      add(&inner, &least, &most, LOAD(v, data), scale, shift);
    }
    fold(&outer, &finite, &inner);
  }
  if (has_tail) {
    sums last = {(reals)0, (reals)0, (reals)0, (reals)0, (integers)0};
    add(&last, &least, &most, load_tail(data, complete * LANES, count), scale, shift);
    fold(&outer, &finite, &last);
  }

  VSTORE(shift, item, reals_out);
  VSTORE(outer.d, items + item, reals_out);
  VSTORE(outer.d_low, 2 * items + item, reals_out);
  VSTORE(outer.dd, 3 * items + item, reals_out);
  VSTORE(outer.dd_low, 4 * items + item, reals_out);
  VSTORE(least, 5 * items + item, reals_out);
  VSTORE(most, 6 * items + item, reals_out);
  VSTORE(finite, item, finite_out);
}
