/* Everything that the tests of a tensor need of its values, measured on a device piece by piece. */
#include "inspect/survey.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- Pieces of a file on a device -------------------------------------------------------------------------------- */

int measurer_make(const session *s, const tensor_file *f, measurer *out, failure *why) {
  const size_t most = session_piece_bytes(s);
  uint64_t largest = 64; /* a buffer is never empty */
  for (size_t i = 0; i < f->count; ++i) {
    if (f->tensors[i].type->measurable && f->tensors[i].bytes > largest) largest = f->tensors[i].bytes;
  }
  *out = (measurer){.session = s, .bytes = largest < most ? (size_t)largest : most};
  out->host = allocate(out->bytes, 1);
  out->loaded = allocate(2, sizeof *out->loaded);
  return session_buffer(s, out->bytes, &out->buffer, why);
}

void measurer_free(measurer *m) {
  if (m->buffer) clReleaseMemObject(m->buffer);
  free(m->host);
  free(m->loaded);
  *m = (measurer){0};
}

fanin_stats merge_stats(const fanin_stats *a, const fanin_stats *b) {
  const double na = (double)(a->count - a->nonfinite), nb = (double)(b->count - b->nonfinite), n = na + nb;
  fanin_stats sum = {.count = a->count + b->count, .nonfinite = a->nonfinite + b->nonfinite};
  if (na == 0 || nb == 0) { /* a side without numbers has 0 for extremes, and is left out */
    const fanin_stats *only = na == 0 ? b : a;
    const uint64_t count = sum.count, nonfinite = sum.nonfinite;
    sum = *only;
    sum.count = count;
    sum.nonfinite = nonfinite;
    return sum;
  }
  const double difference = b->mean - a->mean;
  const double squares = a->std * a->std * na + b->std * b->std * nb + difference * difference * (na * nb / n);
  sum.mean = a->mean + difference * (nb / n);
  sum.std = sqrt(squares / n);
  sum.second = a->second * (na / n) + b->second * (nb / n);
  sum.min = fmin(a->min, b->min);
  sum.max = fmax(a->max, b->max);
  return sum;
}

int measurer_load(const measurer *m, const tensor_file *f, uint64_t offset, size_t size, failure *why) {
  if (m->loaded[0] == offset && m->loaded[1] >= size) return STATUS_OK;
  m->loaded[1] = 0;
  const int status = tensor_file_read(f, offset, m->host, size, why);
  if (status != STATUS_OK) return status;
  const cl_int code = clEnqueueWriteBuffer(m->session->queue, m->buffer, CL_TRUE, 0, size, m->host, 0, NULL, NULL);
  if (code != CL_SUCCESS) return opencl_status(why, code, "clEnqueueWriteBuffer");
  m->loaded[0] = offset;
  m->loaded[1] = size;
  return STATUS_OK;
}

/* ---- Matrices ---------------------------------------------------------------------------------------------------- */

/* How many of the first dimensions make the rows of the matrix. */
static int split_of(const stored_tensor *t, const char *layout) {
  const size_t letters = layout ? strcspn(layout, ",") : 0;
  int split = 1;
  if (letters != (size_t)t->rank || t->rank < 3) return split;
  if (layout[t->rank - 1] == 'O') return t->rank - 1;
  while (split < t->rank - 1 && layout[split - 1] == 'B')
    ++split;
  return split;
}

enum { MOST_LINES = 1 << 22 };

/* The matrix that a tensor is in the file: its first dimension against the rest. With a layout of more than two
 * letters, B and what follows it against the rest ("BOI" is B O x I), and all against O where that is last ("HWIO").
 * False where there is none: one line, or more than MOST_LINES. */
static bool find_matrix(const tensor_file *f, const stored_tensor *t, const char *layout, uint64_t *rows,
                        uint64_t *columns) {
  const int split = split_of(t, layout);
  *rows = *columns = 1;
  for (int d = 0; d < t->rank; ++d)
    *(d < split ? rows : columns) *= t->shape[f->fortran_order ? t->rank - 1 - d : d];
  return *rows > 1 && *columns > 1 && *rows <= MOST_LINES && *columns <= MOST_LINES;
}

/* One piece of a tensor on the device. */
typedef struct piece {
  uint64_t first, count;
  fanin_tensor tensor;
} piece;

typedef struct pass {
  const measurer *m;
  const tensor_file *f;
  const stored_tensor *t;
  survey *survey;
  uint32_t bin; /* for see_bin() */
  uint64_t *counts;
} pass;

typedef fanin_status (*visitor)(const pass *p, const piece *at);

/* Visits the tensor in pieces of a multiple of `whole` elements. A tensor of one piece is uploaded once. */
static int visit(const pass *p, uint64_t whole, visitor see, failure *why) {
  const stored_tensor *t = p->t;
  const size_t size = fanin_dtype_size(t->type->dtype);
  const uint64_t most = p->m->bytes / size / whole * whole;
  for (uint64_t first = 0; first < t->elements;) {
    const uint64_t left = t->elements - first, count = left < most ? left : most;
    const int status = measurer_load(p->m, p->f, t->offset + first * size, (size_t)count * size, why);
    if (status != STATUS_OK) return status;
    piece at = {.first = first, .count = count};
    fanin_status seen = fanin_tensor_of(p->m->buffer, 0, t->type->dtype, NULL, 1, &count, &at.tensor);
    if (seen == FANIN_STATUS_OK) seen = see(p, &at);
    if (seen != FANIN_STATUS_OK) return library_status(why, seen, p->f->path);
    first += count;
  }
  return STATUS_OK;
}

/* ---- Passes ------------------------------------------------------------------------------------------------------ */

static fanin_status see_stats(const pass *p, const piece *at) {
  fanin_stats stats;
  const fanin_status status =
      fanin_measure(p->m->session->f, p->m->session->queue, &at->tensor, 0, NULL, &stats, sizeof stats);
  if (status != FANIN_STATUS_OK) return status;
  p->survey->stats = at->first == 0 ? stats : merge_stats(&p->survey->stats, &stats);
  return FANIN_STATUS_OK;
}

static fanin_status see_series(const pass *p, const piece *at) {
  survey *s = p->survey;
  fanin_series here;
  const fanin_status status = fanin_measure_series(p->m->session->f, p->m->session->queue, &at->tensor, s->by, s->lags,
                                                   0, NULL, &here, sizeof here);
  for (int k = 0; k < SURVEY_LAGS && status == FANIN_STATUS_OK; ++k) {
    s->series.powers[k] += here.powers[k];
    s->series.products[k] += here.products[k];
    s->products[k] += s->lags[k] > 0 && at->count > s->lags[k] ? at->count - s->lags[k] : 0;
  }
  return status;
}

static fanin_status see_lines(const pass *p, const piece *at) {
  survey *s = p->survey;
  const uint64_t row = at->first / s->columns;
  fanin_lines lines = s->lines;
  lines.row_sums += row;
  lines.row_prints += row;
  return fanin_measure_lines(p->m->session->f, p->m->session->queue, &at->tensor, at->count / s->columns, row, s->by, 0,
                             NULL, &lines);
}

static fanin_status see_everything(const pass *p, const piece *at) {
  fanin_status status = fanin_measure_bins(p->m->session->f, p->m->session->queue, &at->tensor, FANIN_ALL_BINS, 0, NULL,
                                           p->survey->counts);
  if (status == FANIN_STATUS_OK) status = see_series(p, at);
  if (status == FANIN_STATUS_OK && p->survey->rows > 0) status = see_lines(p, at);
  return status;
}

static fanin_status see_bin(const pass *p, const piece *at) {
  return fanin_measure_bins(p->m->session->f, p->m->session->queue, &at->tensor, p->bin, 0, NULL, p->counts);
}

/* ---- Whole tensors ----------------------------------------------------------------------------------------------- */

int survey_begin(const measurer *m, const tensor_file *f, const stored_tensor *t, survey *out, failure *why) {
  *out = (survey){.counts = NULL};
  const pass p = {.m = m, .f = f, .t = t, .survey = out};
  return visit(&p, 1, see_stats, why);
}

int survey_go_on(const measurer *m, const tensor_file *f, const stored_tensor *t, const char *layout, survey *out,
                 failure *why) {
  uint64_t rows, columns;
  const uint64_t most = m->bytes / fanin_dtype_size(t->type->dtype);
  out->by = (fanin_standard){out->stats.mean, 1 / out->stats.std};
  out->counts = allocate(FANIN_BINS, sizeof *out->counts);
  if (!find_matrix(f, t, layout, &rows, &columns) || columns > most) {
    rows = t->elements <= most;
    columns = t->elements;
  }
  if (rows > 0) {
    out->lines.row_sums = allocate((size_t)rows, sizeof(double));
    out->lines.row_prints = allocate((size_t)rows, sizeof(uint64_t));
  }
  if (rows > 1) {
    out->lines.column_sums = allocate((size_t)columns, sizeof(double));
    out->lines.column_prints = allocate((size_t)columns, sizeof(uint64_t));
  }
  out->rows = rows;
  out->columns = rows > 0 ? columns : 0;
  const uint64_t row = rows > 1 && columns > 4 ? columns : 0;
  memcpy(out->lags, (const uint64_t[SURVEY_LAGS]){1, 2, 4, row}, sizeof out->lags);
  const pass p = {.m = m, .f = f, .t = t, .survey = out};
  return visit(&p, rows > 0 ? columns : 1, see_everything, why);
}

int survey_within(const measurer *m, const tensor_file *f, const stored_tensor *t, uint32_t bin, uint64_t *counts,
                  failure *why) {
  memset(counts, 0, FANIN_BINS * sizeof *counts);
  const pass p = {.m = m, .f = f, .t = t, .bin = bin, .counts = counts};
  return visit(&p, 1, see_bin, why);
}

int survey_sample(const measurer *m, const tensor_file *f, const stored_tensor *t, const survey *s, cl_mem samples,
                  uint64_t at, failure *why) {
  const size_t size = fanin_dtype_size(t->type->dtype);
  const uint64_t count = t->elements < SURVEY_SAMPLE ? t->elements : SURVEY_SAMPLE;
  const int status = measurer_load(m, f, t->offset, (size_t)count * size, why);
  if (status != STATUS_OK) return status;
  fanin_tensor first;
  fanin_status sampled = fanin_tensor_of(m->buffer, 0, t->type->dtype, NULL, 1, &count, &first);
  if (sampled == FANIN_STATUS_OK) {
    sampled =
        fanin_measure_sample(m->session->f, m->session->queue, &first, s->by, samples, at * SURVEY_SAMPLE, 0, NULL);
  }
  return library_status(why, sampled, f->path);
}

void survey_free(survey *s) {
  free(s->counts);
  free(s->lines.row_sums);
  free(s->lines.row_prints);
  free(s->lines.column_sums);
  free(s->lines.column_prints);
  *s = (survey){.counts = NULL};
}
