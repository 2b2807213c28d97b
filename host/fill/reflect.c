/* Enqueues the products of reflectors: a launch that makes reflectors of normals, one for their inner products, and one
 * that applies them, each for a whole stack of matrices. */
#include "fill/reflect.h"

#include <stdio.h>

#include "core/context.h"
#include "core/launch.h"
#include "core/memory.h"
#include "core/status.h"
#include "lib/structs.h"
#include "math/integer.h"
#include "tensor/dtype.h"

enum { BLOCK = FANIN__BLOCK };

static size_t size_of(bool f64) {
  return f64 ? sizeof(cl_double) : sizeof(cl_float);
}

/* Columns that a group multiplies at once. The more they are, the less often the vectors are read; a chunk and a block
 * of them have to fit into local memory, of which every device has 32 KiB. */
static size_t strip_of(const fanin *f, bool f64) {
  enum { SCALAR_STRIP = 16 };
  const size_t column = (BLOCK + FANIN__SUMMED) * size_of(f64), wide = f->lanes == 16 && !f64 ? 4 : 2;
  if (f->lanes == 1) return SCALAR_STRIP;
  return wide * f->lanes * column <= f->local_bytes ? wide * f->lanes : wide / 2 * f->lanes;
}

enum { OPTIONS = 64 };

static const char *options_of(const fanin *f, bool f64, char out[OPTIONS]) {
  const char *const dtype = fanin__dtype_of(f64 ? FANIN_DTYPE_F64 : FANIN_DTYPE_F32)->option;
  snprintf(out, OPTIONS, "%s -D STRIP=%zu", dtype, strip_of(f, f64));
  return out;
}

fanin_status fanin__stack_check(uint64_t height, uint64_t width) {
  enum { MOST_WIDTH = 1 << 30 };
  if (width <= MOST_WIDTH && height <= UINT64_MAX / 8 / width) return FANIN_STATUS_OK;
  return fanin__fail(FANIN_STATUS_UNSUPPORTED,
                     "an orthogonal matrix of %llu by %llu; its shorter side is to be at most %d",
                     (unsigned long long)height, (unsigned long long)width, MOST_WIDTH);
}

fanin_status fanin__reflect_compile(fanin *f, bool f64) {
  static const char *const names[] = {"reflectors", "gram", "apply"};
  char options[OPTIONS];
  (void)options_of(f, f64, options);
  for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
    FANIN__TRY(fanin__compile(f, &fanin__source_reflect, options, names[k]));
  }
  return FANIN_STATUS_OK;
}

/* ---- Memory ------------------------------------------------------------------------------------------------------ */

/* Numbers of the panels of a matrix: each begins at the row of its first column. */
static uint64_t panel_size(const fanin__stack *s) {
  const uint64_t last = (s->width - 1) / BLOCK * BLOCK;
  return last * s->height - (last > 0 ? last * (last - BLOCK) / 2 : 0) + (s->width - last) * (s->height - last);
}

static fanin_status make(fanin *f, fanin__stack *s, uint64_t count, cl_mem *out) {
  const size_t size = size_of(s->f64);
  FANIN__TRY(fanin__new_buffer(f, count, size, "an orthogonal matrix", out));
  s->bytes += (size_t)count * size;
  return FANIN_STATUS_OK;
}

static fanin_status make_all(fanin *f, fanin__stack *s) {
  const uint64_t columns = s->count * s->width;
  const uint64_t later = s->width > BLOCK ? (s->width - BLOCK) * (s->height - BLOCK) : 1;
  FANIN__TRY(make(f, s, columns * s->height, &s->matrices));
  FANIN__TRY(make(f, s, s->count * panel_size(s), &s->panels));
  FANIN__TRY(make(f, s, columns * (s->width < BLOCK ? s->width : BLOCK), &s->products));
  FANIN__TRY(make(f, s, s->count * later, &s->between));
  FANIN__TRY(make(f, s, columns, &s->tau));
  return make(f, s, columns, &s->sign);
}

fanin_status fanin__stack_make(fanin *f, fanin__stack *s) {
  const fanin_status status = make_all(f, s);
  if (status != FANIN_STATUS_OK) fanin__stack_release(s);
  return status;
}

void fanin__stack_release(fanin__stack *s) {
  cl_mem *const all[] = {&s->matrices, &s->panels, &s->products, &s->between, &s->tau, &s->sign};
  for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
    fanin__free_buffer(*all[k]);
    *all[k] = NULL;
  }
}

/* ---- Launches ---------------------------------------------------------------------------------------------------- */

fanin_status fanin__reflect(fanin *f, cl_command_queue queue, const fanin__stack *s, uint64_t count) {
  char options[OPTIONS];
  const cl_uint width = (cl_uint)s->width;
  const cl_ulong panel = panel_size(s);
  const size_t local = fanin__company(f), strip = strip_of(f, s->f64), size = size_of(s->f64);
  const uint64_t strips = fanin__ceil_div(s->width, strip);
  (void)options_of(f, s->f64, options);
  const fanin__argument chunk = FANIN__LOCAL(FANIN__SUMMED * strip * size), sums = FANIN__LOCAL(BLOCK * strip * size);
  const fanin__launch reflectors = FANIN__LAUNCH(
      reflect, options, reflectors, fanin__groups(count * fanin__ceil_div(s->width, FANIN__REFLECTED), local),
      FANIN__VALUE(s->matrices), FANIN__VALUE(s->row_step), FANIN__VALUE(s->column_step), FANIN__VALUE(s->height),
      FANIN__VALUE(width), FANIN__VALUE(panel), FANIN__VALUE(s->panels), FANIN__VALUE(s->tau), FANIN__VALUE(s->sign));
  const fanin__launch gram = FANIN__LAUNCH(reflect, options, gram, fanin__groups(count * strips, local),
                                           FANIN__VALUE(s->panels), FANIN__VALUE(s->height), FANIN__VALUE(width),
                                           FANIN__VALUE(panel), FANIN__VALUE(s->products), chunk, sums);
  const fanin__launch apply =
      FANIN__LAUNCH(reflect, options, apply, fanin__groups(count * strips, local), FANIN__VALUE(s->panels),
                    FANIN__VALUE(s->products), FANIN__VALUE(s->tau), FANIN__VALUE(s->sign), FANIN__VALUE(s->height),
                    FANIN__VALUE(width), FANIN__VALUE(panel), FANIN__VALUE(s->between), FANIN__VALUE(s->matrices),
                    FANIN__VALUE(s->row_step), FANIN__VALUE(s->column_step), FANIN__VALUE(count), chunk, sums);
  FANIN__TRY(fanin__enqueue_in_order(f, queue, &reflectors));
  FANIN__TRY(fanin__enqueue_in_order(f, queue, &gram));
  return fanin__enqueue_in_order(f, queue, &apply);
}
