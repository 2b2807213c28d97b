/* Tests of values that are not independent random numbers: those that follow from their place in the tensor or from
 * another tensor, and those of orthogonal matrices. */
#include "inspect/inspection.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/dtype.h"
#include "formats/norms.h"
#include "init/pieces.h"
#include "inspect/chance.h"

/* The expected tensor, with its layout. */
static fanin_tensor tensor_of(const inspected *t) {
  fanin_tensor out = layout_none(t->tensor->type->dtype, t->tensor->rank, t->tensor->shape);
  if (t->expected.layout[0]) layout_parse(t->expected.layout, strlen(t->expected.layout), &out);
  return out;
}

static double rounding_of(fanin_dtype dtype) {
  const int digits = dtype_info(dtype).digits;
  return ldexp(1, -(digits < 24 ? digits : 24));
}

/* ---- Values that follow from their place ------------------------------------------------------------------------ */

/* How far from its value an element may be: absolute, and relative to the value. */
typedef struct allowance {
  double absolute, relative;
  bool next; /* or it is the dtype's next number: of one byte, where a step is more than all that */
} allowance;

/* Half a step of the dtype; numbers of one byte must be equal. Other programs make tables in f32, with roundings of
 * their own: one of an exponent up to 16 changes a power by 2^-20 of it, and one of a frequency changes the angle at a
 * position p by p 2^-22. Of a ramp, whose terms may nearly cancel, that is of the largest number. */
static allowance allowance_of(const inspected *t) {
  const fanin_dtype dtype = t->tensor->type->dtype;
  const bool bytes = fanin_dtype_size(dtype) == 1;
  const double rounding = bytes ? 0 : (t->expected.rescaled ? 4 : 1) * rounding_of(dtype);
  const double largest = fmax(fabs(t->expected.moments.lo), fabs(t->expected.moments.hi));
  const bool has_positions = t->expected.init.kind == FANIN_KIND_SINUSOIDAL && t->tensor->rank > 1;
  if (t->expected.law.kind != FANIN_LAW_KIND_TABLE) return (allowance){rounding * largest, 0, false};
  if (t->expected.init.kind == FANIN_KIND_RAMP) return (allowance){(2 * rounding + 0x1p-20) * largest, 0, bytes};
  if (!has_positions) return (allowance){bytes ? 0 : ldexp(1, dtype_info(dtype).least), 2 * rounding + 0x1p-20, bytes};
  return (allowance){(2 * rounding + (double)t->tensor->shape[t->tensor->rank - 2] * 0x1p-22) * largest, 0, bytes};
}

/* Whether numbers of one byte are neighbours. Those of one sign are in the order of their bytes. */
static bool is_next(const char *a, const char *b) {
  const int x = (unsigned char)*a, y = (unsigned char)*b;
  return (x ^ y) < 0x80 && abs(x - y) <= 1;
}

/* Counts elements that differ by more. `b` has the values. */
static double count_differing(fanin_dtype dtype, const char *a, const char *b, size_t n, allowance within) {
  const size_t size = fanin_dtype_size(dtype);
  double count = 0;
  for (size_t k = 0; k < n; ++k, a += size, b += size) {
    if (memcmp(a, b, size) == 0 || (within.next && is_next(a, b))) continue;
    const double value = stored_value(dtype, b), off = fabs(stored_value(dtype, a) - value);
    count += !(off <= within.absolute + within.relative * fabs(value));
  }
  return count;
}

/* Fills some of the expected tensor and reads it back. */
static int make_some(const survey *s, const inspected *t, fanin_tensor some, char *bytes, size_t size, failure *why) {
  const session *d = s->m->session;
  const fanin_key key = {0};
  some.buffer = s->m->buffer;
  s->m->loaded[1] = 0;
  const fanin_status status = fanin_fill(d->f, d->queue, &some, &t->expected.init, key, 0, NULL, NULL);
  if (status != FANIN_STATUS_OK) return library_status(why, status, t->tensor->name);
  const cl_int code = clEnqueueReadBuffer(d->queue, s->m->buffer, CL_TRUE, 0, size, bytes, 0, NULL, NULL);
  return code == CL_SUCCESS ? STATUS_OK : opencl_status(why, code, "clEnqueueReadBuffer");
}

int test_exact(const survey *s, inspected *t, failure *why) {
  const fanin_dtype dtype = t->tensor->type->dtype;
  const size_t element = fanin_dtype_size(dtype), most = s->m->bytes / element;
  const allowance within = allowance_of(t);
  const fanin_tensor all = t->part ? t->part->where : tensor_of(t);
  double differing = 0;
  int status = STATUS_OK;
  if (s->f->fortran_order && t->tensor->rank > 1) return STATUS_OK; /* the file's order is not that of a fill */
  char *made = allocate(most, element);
  for (uint64_t first = 0; first < t->tensor->elements && status == STATUS_OK;) {
    const fanin_tensor some = part_cut(&all, first, most);
    const uint64_t count = part_elements(&some);
    const size_t size = (size_t)count * element;
    status = tensor_file_read_of(s->f, t->tensor, first * element, s->m->host, size, why);
    if (status == STATUS_OK) status = make_some(s, t, some, made, size, why);
    if (status == STATUS_OK) differing += count_differing(dtype, s->m->host, made, (size_t)count, within);
    first += count;
  }
  free(made);
  t->tests[TEST_EXACT] = (test_result){differing, 0, differing > 0 ? DEVIATE_MOST : 0};
  return status;
}

/* Both tensors' values are one number rounded to either dtype, so that they differ by the coarser rounding at most. One
 * of 8 bits cannot be compared with another dtype. */
static double count_unequal(fanin_dtype a, const char *x, fanin_dtype b, const char *y, size_t n) {
  const double relative = fmax(rounding_of(a), rounding_of(b));
  const double absolute =
      ldexp(1, dtype_info(a).least > dtype_info(b).least ? dtype_info(a).least : dtype_info(b).least);
  double count = 0;
  for (size_t k = 0; k < n; ++k) {
    const double v = stored_value(a, x + k * fanin_dtype_size(a)), w = stored_value(b, y + k * fanin_dtype_size(b));
    count += !(fabs(v - w) <= 2 * relative * fmax(fabs(v), fabs(w)) + absolute);
  }
  return count;
}

static double count_unequal_bits(const char *x, const char *y, size_t n, size_t size) {
  double count = 0;
  for (size_t k = 0; k < n; ++k)
    count += memcmp(x + k * size, y + k * size, size) != 0;
  return count;
}

/* Counts the elements that are not the same in two tensors of one size, each from a file that is opened for it. */
int count_differences(const inspected *a, const inspected *b, double *count, failure *why) {
  enum { PIECE = 1 << 16 };
  const inspected *const both[2] = {a, b};
  const bool same = a->tensor->type == b->tensor->type ||
                    strcmp(a->tensor->type->name, b->tensor->type->name) == 0; /* each file has types of its own */
  tensor_file files[2] = {*a->file, *b->file};
  char *bytes[2] = {NULL, NULL};
  int status = STATUS_OK;
  *count = 0;
  for (int k = 0; k < 2; ++k) {
    files[k].fd = -1;
    bytes[k] = allocate(PIECE, fanin_dtype_size(both[k]->tensor->type->dtype));
    if (status == STATUS_OK) status = tensor_file_reopen(&files[k], why);
  }
  for (uint64_t first = 0; first < a->tensor->elements && status == STATUS_OK; first += PIECE) {
    const uint64_t left = a->tensor->elements - first;
    const size_t n = left < PIECE ? (size_t)left : PIECE;
    for (int k = 0; k < 2 && status == STATUS_OK; ++k) {
      const size_t size = fanin_dtype_size(both[k]->tensor->type->dtype);
      status = tensor_file_read_of(&files[k], both[k]->tensor, first * size, bytes[k], n * size, why);
    }
    const fanin_dtype dtypes[2] = {a->tensor->type->dtype, b->tensor->type->dtype};
    if (status != STATUS_OK) break;
    *count += same ? count_unequal_bits(bytes[0], bytes[1], n, fanin_dtype_size(dtypes[0]))
                   : count_unequal(dtypes[0], bytes[0], dtypes[1], bytes[1], n);
  }
  for (int k = 0; k < 2; ++k) {
    tensor_file_rest(&files[k]);
    free(bytes[k]);
  }
  return status;
}

int test_twin(inspected *t, const inspected *twin, failure *why) {
  const stored_type *its = twin->tensor->type, *own = t->tensor->type;
  const bool same = strcmp(its->name, own->name) == 0;
  if (!same && (!its->measurable || fanin_dtype_size(its->dtype) < 2 || fanin_dtype_size(own->dtype) < 2))
    return STATUS_OK;
  if (twin->tensor->elements != t->tensor->elements) return STATUS_OK;
  double differing = 0;
  const int status = count_differences(t, twin, &differing, why);
  t->tests[TEST_EXACT] = (test_result){differing, 0, differing > 0 ? DEVIATE_MOST : 0};
  return status;
}

/* ---- Norms of another tensor ------------------------------------------------------------------------------------- */

/* Adds the squares of a tensor's elements, from a file that is opened for it. */
static int add_elements(norms *n, const stored_tensor *of, const tensor_file *f, failure *why) {
  tensor_file file = *f;
  file.fd = -1;
  int status = tensor_file_reopen(&file, why);
  if (status == STATUS_OK) status = norms_add_stored(n, &file, of, why);
  tensor_file_rest(&file);
  return status;
}

/* Whether an element is the norm. What fanin wrote is so to the bit; other programs sum squares up in f32, in orders of
 * their own. */
static bool is_norm(const inspected *t, const char *bytes, double norm) {
  const fanin_dtype dtype = t->tensor->type->dtype;
  char rounded[sizeof(double)];
  if (!stored_round(dtype, norm, rounded)) return false;
  if (memcmp(bytes, rounded, fanin_dtype_size(dtype)) == 0) return true;
  const double off = fabs(stored_value(dtype, bytes) - norm);
  return t->expected.by != BY_FILE && off <= (2 * rounding_of(dtype) + 0x1p-14) * norm;
}

int test_norm(inspected *t, const stored_tensor *of, const tensor_file *f, failure *why) {
  const size_t size = fanin_dtype_size(t->tensor->type->dtype);
  char *bytes = allocate((size_t)t->tensor->bytes, 1);
  double differing = 0;
  norms n;
  norms_begin(&n, t->tensor->rank, t->tensor->shape, of->type->dtype, of->rank, of->shape);
  int status = add_elements(&n, of, f, why);
  if (status == STATUS_OK) status = tensor_file_read_of(t->file, t->tensor, 0, bytes, (size_t)t->tensor->bytes, why);
  for (size_t k = 0; k < n.count && status == STATUS_OK; ++k)
    differing += !is_norm(t, bytes + k * size, norms_number(&n, k));
  norms_free(&n);
  free(bytes);
  t->tests[TEST_EXACT] = (test_result){differing, 0, differing > 0 ? DEVIATE_MOST : 0};
  return status;
}

/* ---- Orthogonal matrices ----------------------------------------------------------------------------------------- */

enum { LINES = 32 };

/* Whether a layout's letters, but for B in front, are O and then others, or others and then O: then matrices lie one
 * after another in the file, each in rows or columns that are its lines. */
static bool lies_in_lines(const char *layout) {
  const char *matrix = layout + strspn(layout, "B");
  const size_t first = strspn(matrix, "O"), other = strspn(matrix + first, "IDHW");
  const char *last = matrix + first + other;
  return first > 0 ? !*last : last[strspn(last, "O")] == '\0';
}

/* The matrices in the file: O x the rest, or the rest x O where O is the last letter; and how many there are, one after
 * another. Groups and splits divide O into matrices of their own. False where these are no rows of the file, with G,
 * and for deltas of which only the tap in the middle is orthogonal, by its columns. */
static bool find_stack(const inspected *t, uint64_t *stack, uint64_t *rows, uint64_t *columns) {
  const fanin_tensor tensor = tensor_of(t);
  const int rank = t->tensor->rank, last_is_out = rank > 0 && tensor.layout[rank - 1] == 'O';
  *stack = *rows = *columns = 1;
  for (int d = 0; d < rank; ++d) {
    const char letter = tensor.layout[0] ? tensor.layout[d] : d == 0 ? 'O' : 'I';
    uint64_t *to = letter == 'B' ? stack : (letter == 'O') != last_is_out ? rows : columns;
    *to *= t->tensor->shape[d];
  }
  const uint64_t blocks = (uint64_t)(tensor.groups ? tensor.groups : 1) * (tensor.splits ? tensor.splits : 1);
  uint64_t inputs = 1;
  for (int d = 0; d < rank; ++d)
    inputs *= tensor.layout[d] == 'I' ? t->tensor->shape[d] : 1;
  if (!lies_in_lines(tensor.layout) || (last_is_out && blocks > 1)) return false;
  *stack *= blocks;
  *rows /= blocks;
  return t->expected.init.kind != FANIN_KIND_DELTA_ORTHOGONAL || (!last_is_out && *rows <= inputs);
}

/* Adds the products of the chosen elements of `n` rows; the chosen are those of some columns. */
static void add_products(double gram[LINES][LINES], const double *chosen, int lines) {
  for (int a = 0; a < lines; ++a) {
    for (int b = 0; b <= a; ++b)
      gram[a][b] += chosen[a] * chosen[b];
  }
}

/* Sums the products of `lines` rows or columns, spread over the matrix that begins at byte `from`. */
static int multiply(const survey *s, uint64_t from, uint64_t rows, uint64_t columns, bool of_rows, int lines,
                    double gram[LINES][LINES], failure *why) {
  const fanin_dtype dtype = s->t->type->dtype;
  const size_t size = fanin_dtype_size(dtype);
  const uint64_t many = of_rows ? rows : columns, length = of_rows ? columns : rows;
  double *all = allocate((size_t)length * (size_t)lines, sizeof *all);
  char *bytes = allocate((size_t)columns, size);
  int status = STATUS_OK;
  for (uint64_t r = 0; r < (of_rows ? (uint64_t)lines : rows) && status == STATUS_OK; ++r) {
    const uint64_t row = of_rows ? r * many / (uint64_t)lines : r;
    status = tensor_file_read_of(s->f, s->t, from + row * columns * size, bytes, (size_t)columns * size, why);
    for (uint64_t k = 0; k < (of_rows ? columns : (uint64_t)lines); ++k) {
      const uint64_t at = of_rows ? k : k * many / (uint64_t)lines;
      all[of_rows ? k * (uint64_t)lines + r : r * (uint64_t)lines + k] = stored_value(dtype, bytes + at * size);
    }
  }
  for (uint64_t k = 0; k < length && status == STATUS_OK; ++k)
    add_products(gram, all + k * (uint64_t)lines, lines);
  free(bytes);
  free(all);
  return status;
}

/* The largest product of two different lines, and how far the square of a length is from that of the gain, both over
 * the square of the gain. Lines of zeros are those of the taps around a delta. */
static double worst_of(double gram[LINES][LINES], int lines, double gain) {
  double worst = 0;
  for (int a = 0; a < lines; ++a) {
    for (int b = 0; b < a; ++b)
      worst = fmax(worst, fabs(gram[a][b]));
    if (gram[a][a] != 0) worst = fmax(worst, fabs(gram[a][a] - gain * gain));
  }
  return worst / (gain * gain);
}

/* Roundings of numbers are independent of one another, and add up like random numbers. */
int test_orthogonal(const survey *s, inspected *t, failure *why) {
  uint64_t stack, rows, columns;
  const fanin_dtype dtype = t->tensor->type->dtype;
  const double gain = t->expected.law.value;
  const bool there = find_stack(t, &stack, &rows, &columns);
  const bool of_rows = rows <= columns;
  const uint64_t shorter = of_rows ? rows : columns, length = of_rows ? columns : rows;
  const int lines = shorter < LINES ? (int)shorter : LINES;
  double worst = 0;
  int status = STATUS_OK;
  if (!there || fanin_dtype_size(dtype) < 2 || s->f->fortran_order || !(gain > 0)) return STATUS_OK;
  for (uint64_t k = 0; k < stack && status == STATUS_OK; k += stack > 8 ? stack / 8 : 1) {
    double gram[LINES][LINES] = {{0}};
    const uint64_t from = k * rows * columns * fanin_dtype_size(dtype);
    status = multiply(s, from, rows, columns, of_rows, lines, gram, why);
    worst = fmax(worst, worst_of(gram, lines, gain));
  }
  const double tolerance = 16 * rounding_of(dtype) / sqrt((double)length) + 1e-5;
  t->tests[TEST_ORTHOGONAL] = (test_result){worst, 0, worst > tolerance ? DEVIATE_MOST : 0};
  return status;
}
