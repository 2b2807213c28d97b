/* Enqueues a matrix product, cut into work-groups that suit the device. */
#include "probe/gemm.h"

#include <stdio.h>

#include "core/context.h"
#include "core/launch.h"
#include "lib/structs.h"
#include "math/integer.h"

/* Columns that a group multiplies at once. Its parts of A and B fit into 32 KiB of local memory, which every device
 * has. */
static size_t strip_of(const fanin *f) {
  return f->lanes == 1 ? 32 : 64;
}

/* Rows of a group: the more, the less often parts of B are packed; but every unit is to have work until the end, and
 * the group's rows of A and C should stay in a cache. */
static uint64_t rows_of(const fanin *f, const fanin__matmul *p, uint64_t strips) {
  enum { GROUPS = 8, MOST = 256 }; /* groups of a unit, at least; rows */
  const uint64_t parts = fanin__ceil_div(p->m, FANIN__SUMMED);
  const uint64_t wanted = fanin__ceil_div((uint64_t)GROUPS * f->compute_units, strips);
  const uint64_t rows = fanin__ceil_div(parts, wanted) * FANIN__SUMMED;
  return rows < MOST ? rows : MOST;
}

fanin_status fanin__gemm(fanin *f, cl_command_queue queue, const fanin__matmul *p) {
  char options[32];
  const size_t strip = strip_of(f), local = fanin__company(f);
  const uint64_t strips = fanin__ceil_div(p->n, strip), tall = rows_of(f, p, strips);
  const uint64_t a_row = p->a_transposed ? 1 : p->k, a_column = p->a_transposed ? p->m : 1;
  const uint64_t b_row = p->b_transposed ? 1 : p->n, b_column = p->b_transposed ? p->k : 1;
  const size_t pitch = FANIN__SUMMED + (f->lanes == 1); /* PITCH of kernels/gemm.cl */
  snprintf(options, sizeof options, "-D F32 -D STRIP=%zu", strip);
  const fanin__launch launch = FANIN__LAUNCH(
      gemm, options, multiply, fanin__groups(strips * fanin__ceil_div(p->m, tall), local), FANIN__VALUE(p->a),
      FANIN__VALUE(a_row), FANIN__VALUE(a_column), FANIN__VALUE(p->b), FANIN__VALUE(b_row), FANIN__VALUE(b_column),
      FANIN__VALUE(p->c), FANIN__VALUE(p->m), FANIN__VALUE(p->n), FANIN__VALUE(p->k), FANIN__VALUE(tall),
      FANIN__VALUE(p->alpha), FANIN__VALUE(p->beta), FANIN__LOCAL(FANIN__SUMMED * pitch * sizeof(cl_float)),
      FANIN__LOCAL(FANIN__SUMMED * strip * sizeof(cl_float)));
  return fanin__enqueue_in_order(f, queue, &launch);
}
