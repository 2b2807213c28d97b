/* New rows of a tensor that grows, drawn around the mean and the covariance of the rows that are kept. The covariance
 * is not made: sums of the rows' deviations from the mean, each times a normal, have it. */
#include "init/around_mean.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/dtype.h"
#include "base/terminal.h"

/* What memory has at once, but for at least one row: elements of kept rows, sums of new rows, normals. */
enum { MOST_KEPT = 1 << 20, MOST_SUMS = 1 << 22, MOST_NORMALS = 1 << 22 };

/* Columns that are worked on together. Each has its own sums, in the order of the rows, so that compilers may use
 * vectors. Strips lie in memory one after another; the last one may be filled up with columns that nobody reads. */
enum { STRIP = 16 };

static size_t least(uint64_t a, uint64_t b) {
  return (size_t)(a < b ? a : b);
}

static size_t at_least_one(size_t n) {
  return n > 0 ? n : 1;
}

/* ---- Begin and end ----------------------------------------------------------------------------------------------- */

/* The normals' stream is that of a name which no tensor can have: a byte ff is never UTF-8. */
static void find_normals(around_mean *a, uint64_t seed) {
  char name[MODEL_MAX_NAME + 32];
  const model_tensor *t = a->tensor;
  snprintf(name, sizeof name, "%.*s\xff%s", MODEL_MAX_NAME, t->stream_name ? t->stream_name : t->name, "around_mean");
  fanin_key_named(seed, name, &a->key); /* fails for no text */
}

int around_mean_open(const session *s, uint64_t seed, const model_tensor *t, around_mean *out, failure *why) {
  const kept_tensor *k = &t->kept;
  const size_t normals = least(MOST_NORMALS, session_piece_bytes(s) / sizeof(float));
  around_mean a = {.s = s, .tensor = t, .kept = k->stored->shape[k->dimension], .width = 1};
  a.added = t->tensor.shape[k->dimension] - a.kept;
  for (int d = k->dimension + 1; d < t->tensor.rank; ++d)
    a.width *= (size_t)t->tensor.shape[d];
  a.strips = (a.width + STRIP - 1) / STRIP;
  const size_t columns = a.strips * STRIP;
  a.some = at_least_one(least(a.added, least(MOST_SUMS / columns, normals)));
  a.run = at_least_one(least(a.kept, normals / a.some));
  a.part = at_least_one(least(a.run, MOST_KEPT / columns));
  a.factor = sqrt(k->scale / (double)a.kept);
  find_normals(&a, seed);
  a.z = allocate(a.some * a.run, sizeof *a.z);
  a.numbers = stored_numbers(t->tensor.dtype);
  a.bytes = allocate((a.some > a.part ? a.some : a.part) * a.width, fanin_dtype_size(t->tensor.dtype));
  a.x = allocate(a.part * columns, sizeof *a.x);
  a.mean = allocate(columns, sizeof *a.mean);
  a.sums = allocate(a.some * columns, sizeof *a.sums);
  *out = a;
  const uint64_t shape[2] = {a.added, a.kept};
  const fanin_status status = fanin_tensor_of(NULL, 0, FANIN_DTYPE_F32, "", 2, shape, &out->normals);
  return library_status(why, status, t->name);
}

void around_mean_close(around_mean *a) {
  free(a->z);
  free(a->numbers);
  free(a->bytes);
  free(a->x);
  free(a->mean);
  free(a->sums);
  *a = (around_mean){.s = NULL};
}

/* ---- What is there ----------------------------------------------------------------------------------------------- */

static int refuse_kept(const around_mean *a, uint64_t row, failure *why) {
  const kept_tensor *k = &a->tensor->kept;
  return fail(why, STATUS_INPUT,
              "tensor '%.256s' of %.200s: row %" PRIu64 " of dimension %d has a number that is not finite, so that the "
              "rows have no mean",
              k->stored->name, k->file->path, row, k->dimension);
}

/* Reads rows of a block into a->x. */
static int read_rows(around_mean *a, uint64_t block, uint64_t first, size_t count, failure *why) {
  const kept_tensor *k = &a->tensor->kept;
  const fanin_dtype dtype = a->tensor->tensor.dtype;
  const size_t size = fanin_dtype_size(dtype), row_bytes = a->width * size;
  const int status = tensor_file_read(k->file, k->stored->offset + (block * a->kept + first) * row_bytes, a->bytes,
                                      count * row_bytes, why);
  for (size_t i = 0; i < count && status == STATUS_OK; ++i) {
    const char *bytes = a->bytes + i * row_bytes;
    for (size_t c = 0; c < a->width; ++c) {
      const double x = stored_number(a->numbers, dtype, bytes + c * size);
      if (!isfinite(x)) return refuse_kept(a, first + i, why);
      a->x[(c / STRIP * count + i) * STRIP + c % STRIP] = x;
    }
  }
  return status;
}

/* mean(c) = the sum over i of x(i, c), ascending, / kept */
static int take_means(around_mean *a, uint64_t block, failure *why) {
  int status = STATUS_OK;
  memset(a->mean, 0, a->strips * STRIP * sizeof *a->mean);
  for (uint64_t first = 0; first < a->kept && status == STATUS_OK; first += a->part) {
    const size_t count = least(a->part, a->kept - first);
    status = read_rows(a, block, first, count, why);
    for (size_t strip = 0; strip < a->strips && status == STATUS_OK; ++strip) {
      const double *x = a->x + strip * count * STRIP;
      double *sum = a->mean + strip * STRIP;
      for (size_t i = 0; i < count; ++i) {
        for (size_t c = 0; c < STRIP; ++c)
          sum[c] += x[i * STRIP + c];
      }
    }
  }
  for (size_t c = 0; c < a->strips * STRIP; ++c)
    a->mean[c] /= (double)a->kept;
  return status;
}

/* ---- What is new ------------------------------------------------------------------------------------------------- */

/* Brings the normals of new rows and kept rows to a->z, if they are not there from the block before. */
static int draw_normals(around_mean *a, uint64_t row, size_t rows, uint64_t first, size_t count, failure *why) {
  static const fanin_init init = {.kind = FANIN_KIND_NORMAL}; /* mean 0, std 1 */
  const uint64_t start[2] = {row, first}, extent[2] = {rows, count};
  const size_t bytes = rows * count * sizeof *a->z;
  fanin_tensor slab;
  cl_mem buffer = NULL;
  if (memcmp(start, a->start, sizeof start) == 0 && memcmp(extent, a->extent, sizeof extent) == 0) return STATUS_OK;
  int status = session_buffer(a->s, bytes, &buffer, why);
  if (status != STATUS_OK) return status;
  fanin_status drawn = fanin_tensor_slab(&a->normals, start, extent, &slab);
  slab.buffer = buffer;
  if (drawn == FANIN_STATUS_OK) drawn = fanin_fill(a->s->f, a->s->queue, &slab, &init, a->key, 0, NULL, NULL);
  if (drawn == FANIN_STATUS_OK) drawn = fanin_read(a->s->f, a->s->queue, &slab, a->z, bytes, 1, 0, NULL, NULL);
  status = library_status(why, drawn, a->tensor->name);
  clReleaseMemObject(buffer);
  memcpy(a->start, start, sizeof start);
  memcpy(a->extent, extent, sizeof extent);
  return status;
}

/* sum(c) = sum(c) + z(i) (x(i, c) - mean(c)), i ascending, of one strip. x has the differences. */
static void add_products(double *sum, const float *z, const double *x, size_t count) {
  double s[STRIP];
  memcpy(s, sum, sizeof s);
  for (size_t i = 0; i < count; ++i) {
    const double by = (double)z[i];
    for (size_t c = 0; c < STRIP; ++c)
      s[c] += by * x[i * STRIP + c];
  }
  memcpy(sum, s, sizeof s);
}

/* Adds what `count` kept rows, which a->x has, are to `rows` sums. Their normals begin with number `at` of a run. */
static void add_rows(around_mean *a, size_t rows, size_t at, size_t count) {
  for (size_t strip = 0; strip < a->strips; ++strip) {
    double *x = a->x + strip * count * STRIP;
    const double *mean = a->mean + strip * STRIP;
    for (size_t i = 0; i < count; ++i) {
      for (size_t c = 0; c < STRIP; ++c)
        x[i * STRIP + c] -= mean[c];
    }
    for (size_t r = 0; r < rows; ++r)
      add_products(a->sums + (r * a->strips + strip) * STRIP, a->z + r * a->extent[1] + at, x, count);
  }
}

static void show_progress(around_mean *a, uint64_t row) {
  if (!progress_is_due(&a->shown)) return;
  progress_show("%s: %" PRIu64 " of %" PRIu64 " new rows drawn around the mean", a->tensor->name, row, a->added);
}

/* Sums up the new rows row .. row + rows. Of a scale of 0 they are not needed. */
static int sum_rows(around_mean *a, uint64_t block, uint64_t row, size_t rows, failure *why) {
  int status = STATUS_OK;
  memset(a->sums, 0, rows * a->strips * STRIP * sizeof *a->sums);
  if (a->factor == 0) return STATUS_OK;
  for (uint64_t first = 0; first < a->kept && status == STATUS_OK; first += a->run) {
    const size_t run = least(a->run, a->kept - first);
    status = draw_normals(a, row, rows, first, run, why);
    for (size_t at = 0; at < run && status == STATUS_OK; at += a->part) {
      const size_t count = least(a->part, run - at);
      show_progress(a, row);
      status = read_rows(a, block, first + at, count, why);
      if (status == STATUS_OK) add_rows(a, rows, at, count);
    }
  }
  return status;
}

/* Rounds mean + factor sum of the new rows row .. row + rows, and writes them. */
static int write_rows(around_mean *a, uint64_t row, size_t rows, output *out, failure *why) {
  const fanin_dtype dtype = a->tensor->tensor.dtype;
  const size_t size = fanin_dtype_size(dtype);
  for (size_t r = 0; r < rows; ++r) {
    const double *sum = a->sums + r * a->strips * STRIP;
    for (size_t c = 0; c < a->width; ++c) {
      const double x = a->mean[c] + a->factor * sum[c];
      if (stored_round(dtype, x, a->bytes + (r * a->width + c) * size)) continue;
      return fail(why, STATUS_INPUT,
                  "tensor '%.256s': new row %" PRIu64 " would have the number %g, which is too large for %s; give "
                  ":around_mean a smaller scale",
                  a->tensor->name, a->kept + row + r, x, fanin_dtype_name(dtype));
    }
  }
  return output_write(out, a->bytes, rows * a->width * size, why);
}

int around_mean_write(around_mean *a, uint64_t block, output *out, failure *why) {
  int status = take_means(a, block, why);
  for (uint64_t row = 0; row < a->added && status == STATUS_OK; row += a->some) {
    const size_t rows = least(a->some, a->added - row);
    status = sum_rows(a, block, row, rows, why);
    if (status == STATUS_OK) status = write_rows(a, row, rows, out, why);
  }
  return status;
}
