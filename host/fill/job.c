/* From a tensor and an initializer to a prepared fill. */
#include <string.h>

#include "core/status.h"
#include "fill/fill.h"
#include "math/integer.h"
#include "tensor/dtype.h"
#include "tensor/view.h"

size_t fanin__pack_parameters(fanin_dtype dtype, const fanin__parameters *parameters, void *out) {
  if (fanin__is_double(dtype)) {
    memcpy(out, parameters->p, sizeof parameters->p);
    return sizeof parameters->p;
  }
  float single[16];
  for (int k = 0; k < 16; k++) {
    single[k] = (float)parameters->p[k];
  }
  memcpy(out, single, sizeof single);
  return sizeof single;
}

uint64_t fanin__chunk(const fanin *f, fanin_dtype dtype) {
  enum { BLOCK = 4, STORED = 16 };
  if (f->lanes > 1) return BLOCK * (f->lanes / 2); /* one block for each 64-bit lane */
  const uint64_t elements = STORED / fanin_dtype_size(dtype);
  return elements > BLOCK ? elements : BLOCK;
}

/* Few groups, each of enough chunks to hide its launch, but several for every compute unit that has enough to do. Wide
 * items take many chunks, a multiple of those that go abreast (FANIN_ABREAST: kernels/lib/lanes.clh's, by CMake), so
 * that their steps are full; scalar ones a few, so that a GPU's units have groups to choose from. */
void fanin__set_repeat(const fanin *f, uint64_t chunks, fanin__rows *rows) {
  enum { GROUPS_A_UNIT = 8, MOST = 4, MOST_WIDE = 85, LEAST_ELEMENTS = 1024 };
  const uint64_t share = chunks / ((uint64_t)f->compute_units * GROUPS_A_UNIT * f->fill_group);
  if (f->lanes > 1) {
    const uint64_t steps = share / FANIN_ABREAST + 1;
    const uint64_t least = fanin__ceil_div(LEAST_ELEMENTS, FANIN_ABREAST * fanin__chunk(f, FANIN_DTYPE_F32));
    rows->repeat = (cl_uint)(FANIN_ABREAST * (steps < least ? least : steps < MOST_WIDE ? steps : MOST_WIDE));
  } else {
    rows->repeat = rows->rank > 0 || share <= 1 ? 1 : (cl_uint)(share < MOST ? share : MOST);
  }
}

/* How far into its first chunk a row begins at most. Rows begin multiples of their strides apart from the first. */
static uint64_t most_lead(const fanin__view *view, uint64_t chunk) {
  uint64_t apart = chunk; /* a power of two; and the largest that divides all strides too */
  for (int d = 0; d < view->row_rank; d++) {
    while (view->row_index_stride[d] % apart != 0)
      apart /= 2;
  }
  return chunk - apart + view->first_index % apart;
}

static fanin__rows rows_of(const fanin *f, const fanin_tensor *t, const fanin__view *view, uint64_t stream) {
  const uint64_t chunk = fanin__chunk(f, t->dtype);
  fanin__rows rows;
  memset(&rows, 0, sizeof rows);
  rows.rank = (cl_uint)view->row_rank;
  rows.count = view->rows;
  rows.origin = t->offset / fanin_dtype_size(t->dtype);
  rows.first_index = view->first_index;
  rows.length = view->row_length;
  rows.stride = view->memory_stride;
  rows.stream = stream;
  rows.chunks = fanin__ceil_div(view->row_length + most_lead(view, chunk), chunk);
  for (int d = 0; d < view->row_rank; d++) {
    rows.extent.s[d] = view->row_extent[d];
    rows.index_stride.s[d] = view->row_index_stride[d];
    rows.memory_stride.s[d] = view->row_stride[d];
  }
  fanin__set_repeat(f, rows.chunks * rows.count, &rows);
  return rows;
}

fanin_status fanin__job_of(const fanin *f, const fanin_tensor *t, const fanin_init *init, uint64_t stream,
                           bool needs_buffer, fanin__job *out) {
  fanin__view view;
  fanin__distribution distribution;
  FANIN__TRY(fanin__view_of(t, &view));
  FANIN__TRY(fanin__resolve(t, init, &distribution));
  FANIN__TRY(fanin__check_dtype(f, t->dtype));
  fanin__job job;
  memset(&job, 0, sizeof job); /* with its padding, which goes to the device */
  job.buffer = t->buffer;
  job.dtype = t->dtype;
  job.elements = view.elements;
  const fanin__filling *const filling = fanin__filling_of(&distribution);
  FANIN__TRY(filling->parameters(&distribution, t->dtype, &job.parameters));
  if (needs_buffer || t->buffer) FANIN__TRY(fanin__check_buffer(f, t, &view));
  job.rows = rows_of(f, t, &view, stream);
  job.filler = filling->filler;
  if (job.filler) {
    job.tensor = *t;
    job.distribution = distribution;
    if (!job.filler->of_rows) FANIN__TRY(fanin__matrices_of(t, &job.matrices));
    if (job.filler->check) FANIN__TRY(job.filler->check(&job));
    if (!filling->over_rows && !distribution.centre) job.rows.chunks = 0; /* all taps but the centre are zeros */
  }
  *out = job;
  return FANIN_STATUS_OK;
}
