/* A probe's weights in their dtype: as f32, which its products are in, and times a factor. Each has the extent first,
 * as the kernels of mlp.cl have. */
#include "lib/dtype.clh"

kernel void widen_weights(const ulong elements, global const element *from, global float *to) {
  const ulong i = get_global_id(0);
  if (i < elements) to[i] = LOAD_ONE(i, from);
}

/* to[first_to + i] = from[first_from + i] factor, rounded once; infinities and NaN do not come here. */
kernel void scale_weights(const ulong elements, global const element *from, const ulong first_from, const float factor,
                          global element *to, const ulong first_to) {
  const ulong i = get_global_id(0);
  if (i < elements) PUT(LOAD_ONE(first_from + i, from) * factor, first_to + i, to);
}
