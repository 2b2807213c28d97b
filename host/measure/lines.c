/* fanin_measure_lines: sums and fingerprints of a matrix's rows and columns. */
#include <inttypes.h>
#include <stdlib.h>

#include "core/argument.h"
#include "core/context.h"
#include "core/memory.h"
#include "fanin/inspect.h"
#include "measure/dense.h"

/* Results of one launch: bounds what is allocated, whatever the matrix. AROUND: passes of a task beside those over its
 * vectors, of which it has LONGEST at most. */
enum { MOST_RESULTS = 1 << 20, LEAST_HEIGHT = 64, AROUND = 64, LONGEST = FANIN__MOST_PASSES / 2 };

/* One measurement: what all launches share. */
typedef struct pass {
  fanin__dense d;
  fanin__real shift, scale;
  cl_mem sums, prints;
  void *host_sums; /* two planes, high and low */
  cl_ulong *host_prints;
} pass;

static void release(pass *p) {
  free(p->host_prints);
  free(p->host_sums);
  fanin__free_buffer(p->prints);
  fanin__free_buffer(p->sums);
}

static fanin_status prepare(pass *p, size_t results) {
  p->host_sums = malloc(2 * results * fanin__real_size(&p->d));
  p->host_prints = malloc(results * sizeof *p->host_prints);
  if (!p->host_sums || !p->host_prints) return fanin__fail(FANIN_STATUS_OUT_OF_MEMORY, "%zu sums of lines", results);
  FANIN__TRY(fanin__new_buffer(p->d.f, 2 * results, fanin__real_size(&p->d), "sums of lines", &p->sums));
  return fanin__new_buffer(p->d.f, results, sizeof(cl_ulong), "fingerprints of lines", &p->prints);
}

static fanin_status run(const pass *p, const fanin__launch *launch, size_t results) {
  const fanin__result read[] = {{p->sums, 2 * results * fanin__real_size(&p->d), p->host_sums},
                                {p->prints, results * sizeof(cl_ulong), p->host_prints}};
  return fanin__enqueue_and_read(p->d.f, p->d.queue, launch, read, 2);
}

static double sum_at(const pass *p, size_t results, size_t k) {
  return fanin__real_at(&p->d, p->host_sums, k) + fanin__real_at(&p->d, p->host_sums, results + k);
}

/* Pieces of a row: one, unless there are too few rows to keep the device busy, or rows are very long. */
static uint64_t parts_of(const fanin *f, uint64_t rows, uint64_t columns) {
  const uint64_t vectors = columns / f->lanes + 1, wanted = f->type & CL_DEVICE_TYPE_CPU ? 4 : 32;
  const uint64_t busy = wanted * f->compute_units;
  const uint64_t parts = f->type & CL_DEVICE_TYPE_CPU ? (rows < busy ? busy / rows : 1) : wanted;
  const uint64_t least = vectors / LONGEST + 1, most = vectors / 8 + 1;
  return parts < least ? least : parts < most ? parts : most;
}

static fanin_status measure_rows(pass *p, cl_ulong rows, cl_ulong columns, fanin_lines *out) {
  const cl_ulong parts = parts_of(p->d.f, rows, columns), most = MOST_RESULTS / parts;
  FANIN__TRY(prepare(p, (size_t)((rows < most ? rows : most) * parts)));
  for (cl_ulong first = 0; first < rows; first += most) {
    const cl_ulong block = rows - first < most ? rows - first : most, tasks = block * parts;
    const cl_ulong offset = p->d.offset + first * columns;
    const fanin__spread spread =
        fanin__spread_of(p->d.f, tasks, 256 * p->d.f->lanes / columns + 1, columns / (parts * p->d.f->lanes) + AROUND);
    const fanin__launch launch =
        FANIN__LAUNCH(measure, p->d.options, rows, spread.grid, FANIN__VALUE(p->d.buffer), FANIN__VALUE(offset),
                      FANIN__VALUE(columns), FANIN__VALUE(parts), FANIN__VALUE(tasks), FANIN__SPREAD(spread),
                      FANIN__REAL(p->d.f64, p->shift), FANIN__REAL(p->d.f64, p->scale), FANIN__VALUE(p->sums),
                      FANIN__VALUE(p->prints));
    FANIN__TRY(run(p, &launch, (size_t)tasks));
    for (size_t t = 0; t < tasks; t++) {
      const size_t row = (size_t)(first + t / parts);
      if (t % parts == 0) out->row_sums[row] = 0, out->row_prints[row] = 0;
      out->row_sums[row] += sum_at(p, (size_t)tasks, t);
      out->row_prints[row] += p->host_prints[t];
    }
  }
  return FANIN_STATUS_OK;
}

/* Rows of a band: enough bands to keep the device busy, none too low to be worth it, and results within bounds. */
static uint64_t height_of(const fanin *f, uint64_t rows, uint64_t columns) {
  const uint64_t vectors = columns / f->lanes + 1;
  const uint64_t busy = (f->type & CL_DEVICE_TYPE_CPU ? 16 : 1024) * (uint64_t)f->compute_units;
  uint64_t bands = busy / vectors + 1;
  const uint64_t most = columns < MOST_RESULTS ? MOST_RESULTS / columns : 1;
  if (bands > most) bands = most;
  const uint64_t height = rows / bands + 1;
  return height < LEAST_HEIGHT ? LEAST_HEIGHT : height < LONGEST ? height : LONGEST;
}

static fanin_status measure_columns(pass *p, cl_ulong rows, cl_ulong columns, cl_ulong first_row, fanin_lines *out) {
  const cl_ulong height = height_of(p->d.f, rows, columns), bands = (rows + height - 1) / height;
  const cl_ulong tasks = bands * ((columns + p->d.f->lanes - 1) / p->d.f->lanes);
  const size_t results = (size_t)(bands * columns);
  FANIN__TRY(prepare(p, results));
  const fanin__spread spread = fanin__spread_of(p->d.f, tasks, 1, height + AROUND);
  const fanin__launch launch =
      FANIN__LAUNCH(measure, p->d.options, columns, spread.grid, FANIN__VALUE(p->d.buffer), FANIN__VALUE(p->d.offset),
                    FANIN__VALUE(rows), FANIN__VALUE(columns), FANIN__VALUE(first_row), FANIN__VALUE(height),
                    FANIN__VALUE(tasks), FANIN__SPREAD(spread), FANIN__REAL(p->d.f64, p->shift),
                    FANIN__REAL(p->d.f64, p->scale), FANIN__VALUE(p->sums), FANIN__VALUE(p->prints));
  FANIN__TRY(run(p, &launch, results));
  for (size_t k = 0; k < results; k++) {
    out->column_sums[k % columns] += sum_at(p, results, k);
    out->column_prints[k % columns] += p->host_prints[k];
  }
  return FANIN_STATUS_OK;
}

fanin_status fanin_measure_lines(fanin *f, cl_command_queue queue, const fanin_tensor *t, uint64_t rows,
                                 uint64_t first_row, fanin_standard by, cl_uint n_wait, const cl_event *wait_list,
                                 fanin_lines *out) {
  pass shared = {.shift = fanin__real_of(by.shift), .scale = fanin__real_of(by.scale)};
  const fanin__dense *const d = &shared.d;
  FANIN__NEED(f, t, out);
  FANIN__TRY(fanin__dense_of(f, queue, t, n_wait, wait_list, &shared.d));
  if (rows == 0 ? d->elements != 0 : d->elements % rows != 0) {
    return fanin__fail(FANIN_STATUS_BAD_SHAPE, "rows = %" PRIu64 " does not divide the part's %" PRIu64 " elements",
                       rows, d->elements);
  }
  const uint64_t columns = rows > 0 ? d->elements / rows : 0;
  if (columns > UINT32_MAX || rows > UINT32_MAX) {
    return fanin__fail(FANIN_STATUS_BAD_SHAPE, "rows = %" PRIu64 " of %" PRIu64 " columns; less than 2^32 are accepted",
                       rows, columns);
  }
  FANIN__TRY(fanin__wait(n_wait, wait_list));
  if (d->elements == 0) return FANIN_STATUS_OK;
  fanin_status status = FANIN_STATUS_OK;
  if (out->row_sums && out->row_prints) {
    pass p = shared;
    status = measure_rows(&p, rows, columns, out);
    release(&p);
  }
  if (status == FANIN_STATUS_OK && out->column_sums && out->column_prints) {
    pass p = shared;
    status = measure_columns(&p, rows, columns, first_row, out);
    release(&p);
  }
  return status;
}
