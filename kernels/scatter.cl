/* From matrices to the places of a tensor's part: times a factor, rounded once to the dtype (lib/dtype.clh). */
#include "lib/check.clh"
#include "lib/dtype.clh"
#include "lib/structs.h"

/* Item i does tasks i * pitch, i * pitch + step and so on below i * pitch + span. */
kernel void scatter(global const real *restrict matrices, global element *restrict buffer, const fanin__routes r,
                    const real factor, const ulong pitch, const ulong step, const ulong span) {
  const ulong begin = get_global_id(0) * pitch, end = min(begin + span, r.tasks);
  for (ulong task = begin; task < end; task += step) {
    ulong row = task / r.pieces, from = r.from, to = r.to;
    const ulong first = (task - row * r.pieces) * r.piece;
    const ulong count = min(r.piece, r.length - first);
    for (uint d = 0; d < r.rank; d++) {
      const ulong extent = ((const ulong *)&r.extent)[d], above = row / extent;
      from += (row - above * extent) * ((const ulong *)&r.matrix_stride)[d];
      to += (row - above * extent) * ((const ulong *)&r.memory_stride)[d];
      row = above;
    }
    from += first * r.matrix_step;
    to += first * r.memory_step;
    if (r.matrix_step == 1 && r.memory_step == 1) {
      for (ulong k = 0; k < count; k++) {
        PUT(factor * matrices[from + k], to + k, buffer);
      }
    } else {
      for (ulong k = 0; k < count; k++) {
        PUT(factor * matrices[from + k * r.matrix_step], to + k * r.memory_step, buffer);
      }
    }
  }
}
