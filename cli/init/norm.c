/* A tensor that has the norms of another one. The other one is made a second time, piece by piece, because making it is
 * cheap and gives the same bits; nothing of it is kept in memory. */
#include "init/norm.h"

#include <math.h>
#include <stdlib.h>

#include "formats/norms.h"
#include "init/fill_parts.h"
#include "init/weave.h"

enum { AT_ONCE = 1 << 20 }; /* elements that are written */

static int add_piece(void *state, const piece *p, const char *bytes, failure *why) {
  norms *n = state;
  (void)why;
  norms_add(n, bytes, p->bytes / fanin_dtype_size(n->dtype));
  return STATUS_OK;
}

static int add_drawn(const session *s, uint64_t seed, const model_tensor *of, norms *n, failure *why) {
  model_tensor alone = *of;
  const model one = {.tensors = &alone, .count = 1};
  drawn_parts all = {.model = &one};
  return fill_parts(s, &one, seed, &(part_source){drawn_next, &all}, model_bytes(of), &(part_sink){add_piece, n, 0},
                    NULL, why);
}

static int write_numbers(const model_tensor *t, const norms *n, output *out, failure *why) {
  const fanin_dtype dtype = t->tensor.dtype;
  const size_t size = fanin_dtype_size(dtype), most = n->count < AT_ONCE ? n->count : AT_ONCE;
  char *bytes = allocate(most, size);
  int status = STATUS_OK;
  for (size_t first = 0; first < n->count && status == STATUS_OK; first += most) {
    const size_t some = n->count - first < most ? n->count - first : most;
    for (size_t k = 0; k < some && status == STATUS_OK; ++k) {
      const double x = norms_number(n, first + k);
      if (stored_round(dtype, x, bytes + k * size)) continue;
      status = fail(why, STATUS_INPUT, "tensor '%.256s': the norm number %zu of '%.256s' is %g, which %s cannot hold",
                    t->name, first + k, t->norm_name, x, fanin_dtype_name(dtype));
    }
    if (status == STATUS_OK) status = output_write(out, bytes, some * size, why);
  }
  free(bytes);
  return status;
}

int norm_write(const session *s, uint64_t seed, const model_tensor *t, output *out, failure *why) {
  const model_tensor *of = t->norm_of;
  const stored_tensor *stored = kept_whole(&of->kept) ? of->kept.stored : NULL;
  norms n;
  norms_begin(&n, t->tensor.rank, t->tensor.shape, stored ? stored->type->dtype : of->tensor.dtype,
              stored ? stored->rank : of->tensor.rank, stored ? stored->shape : of->tensor.shape);
  int status = stored ? norms_add_stored(&n, of->kept.file, stored, why) : add_drawn(s, seed, of, &n, why);
  if (status == STATUS_OK) status = write_numbers(t, &n, out, why);
  norms_free(&n);
  return status;
}
