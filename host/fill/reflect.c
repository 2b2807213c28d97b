/* Enqueues the products of reflectors: a pass that makes reflectors of normals, then a launch for small matrices, or
 * blocks of reflectors from the last to the first, LAPACK's dorgqr in place, as products of matrices. */
#include "fill/reflect.h"

#include "core/context.h"
#include "core/gemm.h"
#include "core/launch.h"
#include "core/memory.h"
#include "core/status.h"
#include "math/integer.h"
#include "tensor/dtype.h"

enum { BLOCK = 128, NARROW_BLOCK = 64, NARROW = 1024, MOST_LANES = 16 };

/* CLBlast copies what does not fit its tiles, which are TILE columns wide. Of few and long columns that would be more
 * than the matrix: where there are fewer than THIN, products go by so many rows. */
enum { THIN = 256, TILE = 64, LEAST_ROWS = 256, MOST_ROWS = 4096 };

static const char *options_of(bool f64) {
  return fanin__dtype_of(f64 ? FANIN_DTYPE_F64 : FANIN_DTYPE_F32)->option;
}

static size_t size_of(bool f64) {
  return f64 ? sizeof(cl_double) : sizeof(cl_float);
}

fanin_status fanin__stack_check(uint64_t height, uint64_t width) {
  if (height <= FANIN__SMALL) return FANIN_STATUS_OK;
  return fanin__gemm_check(width, height, BLOCK);
}

fanin_status fanin__reflect_compile(fanin *f, bool f64) {
  static const char *const names[] = {"reflectors", "take_panel", "substitute", "multiply"};
  for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
    FANIN__TRY(fanin__compile(f, &fanin__source_reflect, options_of(f64), names[k]));
  }
  return FANIN_STATUS_OK;
}

/* ---- Memory ------------------------------------------------------------------------------------------------------ */

/* Numbers of a row of a block's products: vectors reach past the last column, and rows of a power of two would share
 * sets of a cache. */
static uint64_t pitch_of(const fanin__stack *s) {
  return (s->width + MOST_LANES - 1) / MOST_LANES * MOST_LANES + MOST_LANES;
}

/* Rows at once, of `rows`: with the matrix and a block of it, the copies of both are to be three matrices. */
static uint64_t rows_of(const fanin__stack *s, uint64_t rows) {
  if (s->width >= THIN) return rows;
  const uint64_t copied = ((s->block + TILE - 1) / TILE + (s->width + TILE - 1) / TILE) * TILE;
  const uint64_t fit = (2 * s->width - s->block) * s->height / copied / 8 * 7;
  const uint64_t most = fit < MOST_ROWS ? fit : MOST_ROWS, wanted = most > LEAST_ROWS ? most : LEAST_ROWS;
  return rows < wanted ? rows : wanted;
}

/* The two products of the block from column `first` on, over rows row .. row + rows: what V^T makes of the columns from
 * there on, summed up, and their update. */
static fanin__matmul inner_product(const fanin__stack *s, uint64_t first, uint64_t block, uint64_t row, uint64_t rows) {
  return (fanin__matmul){.m = block,
                         .n = s->width - first,
                         .k = rows,
                         .b_transposed = true,
                         .alpha = 1,
                         .beta = row > first ? 1 : 0,
                         .a = s->normals,
                         .b = s->normals,
                         .c = s->products,
                         .a_offset = first * s->height + row,
                         .b_offset = first * s->height + row,
                         .a_pitch = s->height,
                         .b_pitch = s->height,
                         .c_pitch = pitch_of(s)};
}

static fanin__matmul outer_product(const fanin__stack *s, uint64_t first, uint64_t block, uint64_t row, uint64_t rows) {
  return (fanin__matmul){.m = s->width - first,
                         .n = rows,
                         .k = block,
                         .a_transposed = true,
                         .alpha = -1,
                         .beta = 1,
                         .a = s->solved,
                         .b = s->panel,
                         .c = s->normals,
                         .b_offset = row - first,
                         .c_offset = first * s->height + row,
                         .a_pitch = pitch_of(s),
                         .b_pitch = s->height - first,
                         .c_pitch = s->height};
}

static uint64_t block_at(const fanin__stack *s, uint64_t first) {
  return s->width - first < s->block ? s->width - first : s->block;
}

/* Enqueues every product of a kind of the block. With `scratch`, it only raises that to what CLBlast wants for them. */
static fanin_status each_product(fanin *f, cl_command_queue queue, const fanin__stack *s, uint64_t first,
                                 fanin__matmul (*product)(const fanin__stack *, uint64_t, uint64_t, uint64_t, uint64_t),
                                 size_t *scratch) {
  for (uint64_t row = first, rows; row < s->height; row += rows) {
    size_t bytes = 0;
    rows = rows_of(s, s->height - row);
    fanin__matmul p = product(s, first, block_at(s, first), row, rows);
    p.f64 = s->f64;
    p.scratch = s->scratch;
    FANIN__TRY(scratch ? fanin__gemm_scratch(f, queue, &p, &bytes) : fanin__gemm(f, queue, &p));
    if (scratch && bytes > *scratch) *scratch = bytes;
  }
  return FANIN_STATUS_OK;
}

static fanin_status make(fanin *f, fanin__stack *s, uint64_t count, size_t size, cl_mem *out) {
  FANIN__TRY(fanin__new_buffer(f, count, size, "an orthogonal matrix", out));
  s->bytes += (size_t)count * size;
  return FANIN_STATUS_OK;
}

static fanin_status make_all(fanin *f, cl_command_queue queue, fanin__stack *s) {
  const uint64_t columns = s->count * s->width;
  const size_t size = size_of(s->f64);
  const bool large = s->height > FANIN__SMALL;
  FANIN__TRY(make(f, s, columns * s->height, size, &s->normals));
  FANIN__TRY(make(f, s, columns, size, &s->tau));
  FANIN__TRY(make(f, s, columns, size, &s->sign));
  if (!large) return make(f, s, columns * s->height, size, &s->product);
  s->block = s->width < NARROW ? NARROW_BLOCK : BLOCK;
  if (s->block > s->width) s->block = s->width;
  size_t scratch = 0;
  FANIN__TRY(make(f, s, s->block * s->height, size, &s->panel));
  FANIN__TRY(make(f, s, s->block * pitch_of(s), size, &s->products));
  FANIN__TRY(make(f, s, s->block * pitch_of(s), size, &s->solved));
  for (uint64_t first = 0; first < s->width; first += s->block) {
    FANIN__TRY(each_product(f, queue, s, first, inner_product, &scratch));
    FANIN__TRY(each_product(f, queue, s, first, outer_product, &scratch));
  }
  if (scratch > 0) FANIN__TRY(make(f, s, scratch, 1, &s->scratch));
  FANIN__TRY(fanin__check_cl(clRetainMemObject(s->normals), "clRetainMemObject"));
  s->product = s->normals;
  return FANIN_STATUS_OK;
}

fanin_status fanin__stack_make(fanin *f, cl_command_queue queue, fanin__stack *s) {
  const fanin_status status = make_all(f, queue, s);
  if (status != FANIN_STATUS_OK) fanin__stack_release(s);
  return status;
}

void fanin__stack_release(fanin__stack *s) {
  cl_mem *const all[] = {&s->normals, &s->product, &s->tau, &s->sign, &s->panel, &s->products, &s->solved, &s->scratch};
  for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
    fanin__free_buffer(*all[k]);
    *all[k] = NULL;
  }
}

/* ---- Launches ---------------------------------------------------------------------------------------------------- */

/* Items that share a column or a panel's row: those of a GPU read it side by side. */
static size_t company(const fanin *f) {
  if (f->type & CL_DEVICE_TYPE_CPU) return 1;
  return f->work_group < 64 ? f->work_group : 64;
}

static fanin_status make_reflectors(fanin *f, cl_command_queue queue, const fanin__stack *s, uint64_t count) {
  const cl_uint width = (cl_uint)s->width;
  const size_t local = company(f);
  const fanin__launch launch =
      FANIN__LAUNCH(reflect, options_of(s->f64), reflectors, fanin__groups(count * s->width, local),
                    FANIN__VALUE(s->normals), FANIN__VALUE(s->height), FANIN__VALUE(width), FANIN__VALUE(s->tau),
                    FANIN__VALUE(s->sign), FANIN__LOCAL(local * size_of(s->f64)));
  return fanin__enqueue_in_order(f, queue, &launch);
}

static fanin_status multiply_small(fanin *f, cl_command_queue queue, const fanin__stack *s, uint64_t count) {
  const cl_uint height = (cl_uint)s->height, width = (cl_uint)s->width;
  const size_t local = FANIN__SMALL / f->lanes; /* the same for all widths: drivers compile a kernel again for each */
  const fanin__launch launch =
      FANIN__LAUNCH(reflect, options_of(s->f64), multiply, fanin__groups(count, local), FANIN__VALUE(s->normals),
                    FANIN__VALUE(s->tau), FANIN__VALUE(s->sign), FANIN__VALUE(s->product), FANIN__VALUE(height),
                    FANIN__VALUE(width), FANIN__LOCAL(s->height * FANIN__SMALL * size_of(s->f64)));
  return fanin__enqueue_in_order(f, queue, &launch);
}

static fanin_status apply_block(fanin *f, cl_command_queue queue, const fanin__stack *s, uint64_t from) {
  const uint64_t size = block_at(s, from);
  const cl_ulong height = s->height, rows = s->height - from, pitch = pitch_of(s);
  const cl_uint first = (cl_uint)from, block = (cl_uint)size, columns = (cl_uint)(s->width - from);
  const uint64_t vectors = (columns + f->lanes - 1) / f->lanes;
  const size_t local = company(f);
  const fanin__launch panel =
      FANIN__LAUNCH(reflect, options_of(s->f64), take_panel, fanin__groups(size, local), FANIN__VALUE(s->normals),
                    FANIN__VALUE(height), FANIN__VALUE(first), FANIN__VALUE(s->panel), FANIN__VALUE(s->sign));
  const fanin__launch solve =
      FANIN__LAUNCH(reflect, options_of(s->f64), substitute, fanin__groups((vectors + local - 1) / local, local),
                    FANIN__VALUE(s->products), FANIN__VALUE(s->solved), FANIN__VALUE(pitch), FANIN__VALUE(columns),
                    FANIN__VALUE(block), FANIN__VALUE(s->panel), FANIN__VALUE(rows), FANIN__VALUE(s->tau),
                    FANIN__VALUE(s->sign), FANIN__VALUE(first));
  FANIN__TRY(each_product(f, queue, s, from, inner_product, NULL));
  FANIN__TRY(fanin__enqueue_in_order(f, queue, &panel));
  FANIN__TRY(fanin__enqueue_in_order(f, queue, &solve));
  return each_product(f, queue, s, from, outer_product, NULL);
}

fanin_status fanin__reflect(fanin *f, cl_command_queue queue, const fanin__stack *s, uint64_t count) {
  FANIN__TRY(make_reflectors(f, queue, s, count));
  if (s->height <= FANIN__SMALL) return multiply_small(f, queue, s, count);
  for (uint64_t blocks = fanin__ceil_div(s->width, s->block); blocks > 0; blocks--) {
    FANIN__TRY(apply_block(f, queue, s, (blocks - 1) * s->block));
  }
  return FANIN_STATUS_OK;
}
