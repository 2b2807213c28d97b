/* Tables of numbers: comma-separated text, or a two-dimensional npy file. */
#include "formats/matrix.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/tensor_file.h"

/* ---- CSV: numbers with commas between them, no titles, no quotes ------------------------------------------------- */

/* Appends the numbers of one line. */
static int read_line(const char *path, size_t line, const char *text, matrix *m, size_t *count, size_t *capacity,
                     failure *why) {
  size_t field = 0;
  for (const char *at = text;; ++at) {
    char *end = NULL;
    const double number = strtod(at, &end);
    const size_t length = strcspn(at, ",\r\n");
    ++field;
    if (end == at || end > at + length || end[strspn(end, " \t")] != at[length] || !isfinite(number)) {
      return fail(why, STATUS_INPUT, "%s: line %zu, field %zu: '%.*s' is not a finite number%s", path, line, field,
                  length > 32 ? 32 : (int)length, at,
                  m->rows == 0 ? " (if it is a line of titles, leave it out, as with tail -n +2)" : "");
    }
    m->values = grow(m->values, capacity, *count + 1, sizeof *m->values);
    m->values[(*count)++] = number;
    at += length;
    if (*at != ',') break;
  }
  if (m->rows == 0) m->columns = field;
  if (field != m->columns) {
    return fail(why, STATUS_INPUT, "%s: line %zu has %zu fields, the first has %zu", path, line, field, m->columns);
  }
  ++m->rows;
  return STATUS_OK;
}

static int read_csv(const char *path, matrix *out, failure *why) {
  FILE *file = fopen(path, "re");
  if (!file) return fail(why, STATUS_INPUT, "%s: cannot open it: %s", path, strerror(errno));
  char *text = NULL;
  size_t text_size = 0, count = 0, capacity = 0;
  int status = STATUS_OK;
  ssize_t length;
  for (size_t line = 1; status == STATUS_OK && (length = getline(&text, &text_size, file)) >= 0; ++line) {
    if (strlen(text) != (size_t)length) {
      status = fail(why, STATUS_INPUT, "%s: line %zu has a byte 0: is it a text file?", path, line);
    } else if (text[strspn(text, " \t\r\n")] != '\0') {
      status = read_line(path, line, text, out, &count, &capacity, why);
    }
  }
  if (status == STATUS_OK && !feof(file))
    status = fail(why, STATUS_INPUT, "%s: cannot read it: %s", path, strerror(errno));
  free(text);
  fclose(file);
  return status;
}

/* ---- npy --------------------------------------------------------------------------------------------------------- */

/* Converts singles, if there are any, to m->values, and checks that every number is finite. */
static int convert(const char *path, const float *singles, matrix *m, failure *why) {
  const size_t n = m->rows * m->columns;
  for (size_t i = 0; i < n; ++i) {
    if (singles) m->values[i] = (double)singles[i];
    if (!isfinite(m->values[i])) {
      return fail(why, STATUS_INPUT, "%s: row %zu, column %zu is not finite", path, i / m->columns, i % m->columns);
    }
  }
  return STATUS_OK;
}

static int read_npy(const char *path, matrix *out, failure *why) {
  tensor_file f;
  int status = tensor_file_open(path, &f, why);
  if (status != STATUS_OK) return status;
  const stored_tensor *t = &f.tensors[0];
  const int is_single = t->type->measurable && t->type->bits == 8 * sizeof(float);
  const int is_double = t->type->measurable && t->type->bits == 8 * sizeof(double);
  if (t->rank != 2 || f.fortran_order || (!is_single && !is_double)) {
    status = fail(why, STATUS_INPUT,
                  "%s: a C-ordered array of two dimensions of f4 or f8 is needed: "
                  "numpy.ascontiguousarray(x, 'float32')",
                  path);
  } else {
    const size_t n = (size_t)t->elements;
    *out = (matrix){.rows = (size_t)t->shape[0], .columns = (size_t)t->shape[1]};
    out->values = allocate(n, sizeof *out->values);
    float *singles = is_single ? allocate(n, sizeof *singles) : NULL;
    status = tensor_file_read(&f, t->offset, singles ? (void *)singles : out->values, (size_t)t->bytes, why);
    if (status == STATUS_OK) status = convert(path, singles, out, why);
    free(singles);
  }
  tensor_file_close(&f);
  return status;
}

int matrix_read(const char *path, matrix *out, failure *why) {
  int status = STATUS_INPUT;
  *out = (matrix){0};
  if (has_ending(path, ".csv"))
    status = read_csv(path, out, why);
  else if (has_ending(path, ".npy"))
    status = read_npy(path, out, why);
  else
    fail(why, STATUS_INPUT, "%s: the name must end in .csv or .npy", path);
  if (status == STATUS_OK && (out->rows == 0 || out->columns == 0)) {
    status = fail(why, STATUS_INPUT, "%s: there are no numbers in it", path);
  }
  if (status != STATUS_OK) {
    free(out->values);
    *out = (matrix){0};
  }
  return status;
}
