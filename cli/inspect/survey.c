/* Everything that the tests of a tensor need of its values, measured on a device piece by piece. */
#include "inspect/survey.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- Pieces of a file on a device -------------------------------------------------------------------------------- */

int measurer_make(const session *s, const checkpoint *c, measurer *out, failure *why) {
  const size_t most = session_piece_bytes(s);
  uint64_t largest = 64; /* a buffer is never empty */
  for (size_t i = 0; i < c->count; ++i) {
    const stored_tensor *t = c->tensors[i].stored;
    if (t->type->measurable && t->bytes > largest) largest = t->bytes;
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
  fanin_stats sum = na == 0 ? *b : *a;
  sum.count = a->count + b->count;
  sum.nonfinite = a->nonfinite + b->nonfinite;
  if (na == 0 || nb == 0) return sum; /* a side without numbers has 0 for extremes, and is left out */
  const double difference = b->mean - a->mean;
  const double squares = a->std * a->std * na + b->std * b->std * nb + difference * difference * (na * nb / n);
  sum.mean = a->mean + difference * (nb / n);
  sum.std = sqrt(squares / n);
  sum.second = a->second * (na / n) + b->second * (nb / n);
  sum.min = fmin(a->min, b->min);
  sum.max = fmax(a->max, b->max);
  return sum;
}

/* Loads some of the tensor's elements, at most m->bytes, as a tensor of their own, unless they are there already. */
static int load(const survey *s, uint64_t first, uint64_t count, fanin_tensor *out, failure *why) {
  const measurer *m = s->m;
  const size_t element = fanin_dtype_size(s->t->type->dtype), size = (size_t)count * element;
  const uint64_t offset = s->t->offset + first * element;
  if (m->loaded[0] != offset || m->loaded[1] < size) {
    m->loaded[1] = 0;
    const int status = tensor_file_read_of(s->f, s->t, first * element, m->host, size, why);
    if (status != STATUS_OK) return status;
    const cl_int code = clEnqueueWriteBuffer(m->session->queue, m->buffer, CL_TRUE, 0, size, m->host, 0, NULL, NULL);
    if (code != CL_SUCCESS) return opencl_status(why, code, "clEnqueueWriteBuffer");
    m->loaded[0] = offset;
    m->loaded[1] = size;
  }
  return library_status(why, fanin_tensor_of(m->buffer, 0, s->t->type->dtype, NULL, 1, &count, out), s->f->path);
}

/* ---- Matrices ---------------------------------------------------------------------------------------------------- */

/* How many of the first dimensions make the rows of the matrix. */
static int split_of(const stored_tensor *t, const char *layout) {
  const size_t letters = layout ? strcspn(layout, ",") : 0;
  int split = 1;
  if (letters != (size_t)t->rank || t->rank < 3) return split;
  if (layout[t->rank - 1] == 'O') {
    split = t->rank - 1;
    while (split > 1 && layout[split - 1] == 'O')
      --split;
    return split;
  }
  while (split < t->rank - 1 && (layout[split - 1] == 'B' || (layout[split - 1] == 'O' && layout[split] == 'O')))
    ++split;
  return split;
}

enum { MOST_LINES = 1 << 22 };

/* The matrix that a tensor is in the file: its first dimension against the rest. With a layout of more than two
 * letters, B and what follows it against the rest ("BOI" is B O x I), and all against O where that is last ("HWIO");
 * several O side by side are one.
 * False where there is none: one line, or more than MOST_LINES. */
static bool find_matrix(const tensor_file *f, const stored_tensor *t, const char *layout, uint64_t *rows,
                        uint64_t *columns) {
  const int split = split_of(t, layout);
  *rows = *columns = 1;
  for (int d = 0; d < t->rank; ++d)
    *(d < split ? rows : columns) *= t->shape[f->fortran_order ? t->rank - 1 - d : d];
  return *rows > 1 && *columns > 1 && *rows <= MOST_LINES && *columns <= MOST_LINES;
}

/* Sees elements of the tensor from number `first` on. */
typedef fanin_status visitor(survey *s, const fanin_tensor *some, uint64_t first);

/* Visits the tensor in pieces of a multiple of `whole` elements. A tensor of one piece is uploaded once. */
static int visit(survey *s, uint64_t whole, visitor *see, failure *why) {
  const uint64_t most = s->m->bytes / fanin_dtype_size(s->t->type->dtype) / whole * whole;
  int status = STATUS_OK;
  for (uint64_t first = 0; first < s->t->elements && status == STATUS_OK;) {
    const uint64_t left = s->t->elements - first, count = left < most ? left : most;
    fanin_tensor some = {.rank = 0};
    status = load(s, first, count, &some, why);
    if (status == STATUS_OK) status = library_status(why, see(s, &some, first), s->f->path);
    first += count;
  }
  return status;
}

/* ---- Passes ------------------------------------------------------------------------------------------------------ */

static fanin_status see_stats(survey *s, const fanin_tensor *some, uint64_t first) {
  const session *d = s->m->session;
  fanin_stats stats;
  const fanin_status status = fanin_measure(d->f, d->queue, some, 0, NULL, &stats, sizeof stats);
  if (status == FANIN_STATUS_OK) s->stats = first == 0 ? stats : merge_stats(&s->stats, &stats);
  return status;
}

static fanin_status see_series(survey *s, const fanin_tensor *some) {
  const session *d = s->m->session;
  fanin_series here;
  const fanin_status status = fanin_measure_series(d->f, d->queue, some, s->by, s->lags, 0, NULL, &here, sizeof here);
  for (int k = 0; k < SURVEY_LAGS && status == FANIN_STATUS_OK; ++k) {
    s->series.powers[k] += here.powers[k];
    s->series.products[k] += here.products[k];
    s->products[k] += s->lags[k] > 0 && some->shape[0] > s->lags[k] ? some->shape[0] - s->lags[k] : 0;
  }
  return status;
}

static fanin_status see_everything(survey *s, const fanin_tensor *some, uint64_t first) {
  const session *d = s->m->session;
  fanin_status status = fanin_measure_bins(d->f, d->queue, some, FANIN_ALL_BINS, 0, NULL, s->counts);
  if (status == FANIN_STATUS_OK) status = see_series(s, some);
  if (status != FANIN_STATUS_OK || s->rows == 0) return status;
  const uint64_t row = first / s->columns, rows = some->shape[0] / s->columns;
  fanin_lines lines = s->lines;
  lines.row_sums += row;
  lines.row_prints += row;
  return fanin_measure_lines(d->f, d->queue, some, rows, row, s->by, 0, NULL, &lines);
}

static fanin_status see_bin(survey *s, const fanin_tensor *some, uint64_t first) {
  (void)first;
  return fanin_measure_bins(s->m->session->f, s->m->session->queue, some, s->bin, 0, NULL, s->within);
}

/* ---- Whole tensors ----------------------------------------------------------------------------------------------- */

int survey_begin(const measurer *m, const tensor_file *f, const stored_tensor *t, survey *out, failure *why) {
  *out = (survey){.m = m, .f = f, .t = t};
  m->loaded[1] = 0; /* parts of a tensor may lie among one another */
  return visit(out, 1, see_stats, why);
}

/* ---- Lines of zeros ---------------------------------------------------------------------------------------------- */

/* The fingerprint of a row of so many zeros. */
static int print_of_zeros(const survey *s, uint64_t length, uint64_t *print, failure *why) {
  const session *d = s->m->session;
  const fanin_dtype dtype = s->t->type->dtype;
  const size_t size = (size_t)length * fanin_dtype_size(dtype);
  double sum;
  uint64_t found = 0;
  fanin_tensor zeros;
  fanin_lines line = {.row_sums = &sum, .row_prints = &found};
  s->m->loaded[1] = 0;
  void *const nothing = allocate(size, 1);
  const cl_int code = clEnqueueWriteBuffer(d->queue, s->m->buffer, CL_TRUE, 0, size, nothing, 0, NULL, NULL);
  free(nothing);
  if (code != CL_SUCCESS) return opencl_status(why, code, "clEnqueueWriteBuffer");
  fanin_status status = fanin_tensor_of(s->m->buffer, 0, dtype, NULL, 1, &length, &zeros);
  if (status == FANIN_STATUS_OK) status = fanin_measure_lines(d->f, d->queue, &zeros, 1, 0, s->by, 0, NULL, &line);
  *print = found;
  return library_status(why, status, s->f->path);
}

static int find_zeros(const survey *s, const uint64_t *prints, uint64_t lines, uint64_t length, bool **is_zero,
                      uint64_t *count, uint64_t *first, failure *why) {
  uint64_t print = 0;
  const int status = print_of_zeros(s, length, &print, why);
  *is_zero = allocate((size_t)lines, sizeof **is_zero);
  for (uint64_t k = lines; status == STATUS_OK && k-- > 0;) {
    if (prints[k] != print) continue;
    (*is_zero)[k] = true;
    *first = k;
    ++*count;
  }
  return status;
}

/* Lines are looked at only where the tensor has as many zeros as one of them. */
static int find_zero_lines(survey *s, failure *why) {
  const uint64_t shorter = s->rows < s->columns ? s->rows : s->columns,
                 most = s->m->bytes / fanin_dtype_size(s->t->type->dtype);
  if (s->counts[0x8000] < shorter || s->rows > most) return STATUS_OK;
  const int status =
      find_zeros(s, s->lines.row_prints, s->rows, s->columns, &s->zero_row, &s->zero_rows, &s->first_zero[0], why);
  if (status != STATUS_OK) return status;
  return find_zeros(s, s->lines.column_prints, s->columns, s->rows, &s->zero_column, &s->zero_columns,
                    &s->first_zero[1], why);
}

void survey_leave_zeros(survey *s) {
  const double n = (double)s->stats.count, from = -s->by.shift * s->by.scale;
  if (s->zero_rows + s->zero_columns == 0) return;
  const uint64_t taken =
      s->zero_rows * s->columns + s->zero_columns * s->rows - s->zero_rows * s->zero_columns; /* exact zeros */
  const double left = n - (double)taken;
  s->counts[0x8000] -= taken;
  for (int k = 0; k < 4; ++k)
    s->series.powers[k] -= (double)taken * pow(from, k + 1);
  s->stats.count -= taken;
  s->stats.mean *= n / left;
  s->stats.second *= n / left;
  s->stats.std = sqrt(
      fmax(s->stats.std * s->stats.std * n - s->stats.mean * s->stats.mean * left * ((double)taken / n), 0) / left);
}

int survey_go_on(survey *s, const char *layout, failure *why) {
  uint64_t rows, columns;
  const stored_tensor *t = s->t;
  const uint64_t most = s->m->bytes / fanin_dtype_size(t->type->dtype);
  s->by = (fanin_standard){s->stats.mean, 1 / s->stats.std};
  s->counts = allocate(FANIN_BINS, sizeof *s->counts);
  if (!find_matrix(s->f, t, layout, &rows, &columns) || columns > most) {
    rows = t->elements <= most;
    columns = t->elements;
  }
  if (rows > 0) {
    s->lines.row_sums = allocate((size_t)rows, sizeof(double));
    s->lines.row_prints = allocate((size_t)rows, sizeof(uint64_t));
  }
  if (rows > 1) {
    s->lines.column_sums = allocate((size_t)columns, sizeof(double));
    s->lines.column_prints = allocate((size_t)columns, sizeof(uint64_t));
  }
  s->rows = rows;
  s->columns = rows > 0 ? columns : 0;
  const uint64_t row = rows > 1 && columns > 4 ? columns : 0;
  memcpy(s->lags, (const uint64_t[SURVEY_LAGS]){1, 2, 4, row}, sizeof s->lags);
  const int status = visit(s, rows > 0 ? columns : 1, see_everything, why);
  return status == STATUS_OK && rows > 1 ? find_zero_lines(s, why) : status;
}

int survey_within(survey *s, uint32_t bin, uint64_t *counts, failure *why) {
  memset(counts, 0, FANIN_BINS * sizeof *counts);
  s->bin = bin;
  s->within = counts;
  return visit(s, 1, see_bin, why);
}

/* The device does not need these bytes, so that pieces which load() has not left in host memory are only read. */
int survey_read(const survey *s, survey_reader *read, void *to, failure *why) {
  const measurer *m = s->m;
  const size_t element = fanin_dtype_size(s->t->type->dtype);
  const uint64_t most = m->bytes / element;
  for (uint64_t first = 0; first < s->t->elements; first += most) {
    const uint64_t left = s->t->elements - first, count = left < most ? left : most;
    const uint64_t offset = s->t->offset + first * element;
    if (m->loaded[0] != offset || m->loaded[1] < count * element) {
      m->loaded[1] = 0;
      const int status = tensor_file_read_of(s->f, s->t, first * element, m->host, (size_t)count * element, why);
      if (status != STATUS_OK) return status;
    }
    read(to, m->host, count);
  }
  return STATUS_OK;
}

/* ---- Digests that know no order ---------------------------------------------------------------------------------- */

/* A hash of an element's bits: Moremur, a bijection whose bits depend on all bits of x. */
static inline uint64_t hash_of(uint64_t x) {
  x = (x + 1) * UINT64_C(0x9e3779b97f4a7c15);
  x = (x ^ x >> 27) * UINT64_C(0x3c79ac492ba7b653);
  x = (x ^ x >> 33) * UINT64_C(0x1c69b3f74ac4ae35);
  return x ^ x >> 27;
}

/* `size` is a constant wherever this is called, so that an element is loaded by one instruction. */
static inline void add_values(survey *s, const char *bytes, uint64_t elements, size_t size) {
  for (uint64_t k = 0; k < elements; ++k, bytes += size) {
    uint64_t bits = 0;
    memcpy(&bits, bytes, size); /* the machine is little-endian, as the files are */
    const uint64_t hash = hash_of(bits);
    s->values += hash;
    if (!s->column_values) continue;
    s->row_values[s->row] += hash;
    s->column_values[s->column] += hash;
    if (++s->column < s->columns) continue;
    s->column = 0;
    ++s->row;
  }
}

static void read_values(void *to, const char *bytes, uint64_t elements) {
  survey *s = to;
  const size_t size = fanin_dtype_size(s->t->type->dtype);
  if (size == 1)
    add_values(s, bytes, elements, 1);
  else if (size == 2)
    add_values(s, bytes, elements, 2);
  else if (size == 4)
    add_values(s, bytes, elements, 4);
  else
    add_values(s, bytes, elements, 8);
}

int survey_values(survey *s, failure *why) {
  if (s->rows > 0) s->row_values = allocate((size_t)s->rows, sizeof *s->row_values);
  if (s->rows > 1) s->column_values = allocate((size_t)s->columns, sizeof *s->column_values);
  const int status = survey_read(s, read_values, s, why);
  if (s->rows == 1) s->row_values[0] = s->values;
  return status;
}

int survey_sample(const survey *s, cl_mem samples, uint64_t at, failure *why) {
  const session *d = s->m->session;
  const uint64_t count = s->t->elements < SURVEY_SAMPLE ? s->t->elements : SURVEY_SAMPLE;
  fanin_tensor first;
  const int status = load(s, 0, count, &first, why);
  if (status != STATUS_OK) return status;
  const uint64_t to = at * SURVEY_SAMPLE;
  return library_status(why, fanin_measure_sample(d->f, d->queue, &first, s->by, samples, to, 0, NULL), s->f->path);
}

void survey_free(survey *s) {
  free(s->counts);
  free(s->lines.row_sums);
  free(s->lines.row_prints);
  free(s->lines.column_sums);
  free(s->lines.column_prints);
  free(s->zero_row);
  free(s->zero_column);
  free(s->row_values);
  free(s->column_values);
  *s = (survey){.counts = NULL};
}
