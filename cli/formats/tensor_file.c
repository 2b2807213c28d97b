/* A file of tensors, open for reading: what its formats have in common. */
#include "formats/tensor_file.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/dtype.h"
#include "base/stand_in.h"
#include "fanin/inspect.h"

bool has_ending(const char *text, const char *ending) {
  const size_t n = strlen(text), m = strlen(ending);
  return n >= m && strcmp(text + n - m, ending) == 0;
}

/* O_NONBLOCK: a pipe without a writer is refused instead of waited for. */
static int open_regular(tensor_file *f, uint64_t *size, failure *why) {
  struct stat there;
  f->fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (f->fd < 0 || fstat(f->fd, &there) != 0) {
    return fail(why, STATUS_INPUT, "%s: cannot open it: %s", f->path, strerror(errno));
  }
  if (!S_ISREG(there.st_mode)) return fail(why, STATUS_INPUT, "%s: is not a regular file", f->path);
  *size = (uint64_t)there.st_size;
  return STATUS_OK;
}

/* Says of a file whose header is none what it is instead, where that is known. */
static void say_stand_in(const tensor_file *f, failure *why) {
  failure unused = {.text = ""};
  char begin[STAND_IN_BYTES];
  const size_t size = f->size < sizeof begin ? (size_t)f->size : sizeof begin;
  const bool read = tensor_file_read(f, 0, begin, size, &unused) == STATUS_OK;
  const char *stand_in = read ? stand_in_of(begin, size) : NULL;
  if (stand_in) fail(why, STATUS_INPUT, "%s: %s", f->path, stand_in);
}

int tensor_file_open(const char *path, tensor_file *out, failure *why) {
  static const struct {
    const char *ending, *format;
    int (*read_header)(tensor_file *, failure *);
  } formats[] = {{".safetensors", "safetensors", safetensors_read}, {".npy", "npy", npy_read}};
  *out = (tensor_file){.path = path, .fd = -1};
  for (size_t i = 0; i < sizeof formats / sizeof *formats; ++i) {
    if (!has_ending(path, formats[i].ending)) continue;
    out->format = formats[i].format;
    int status = open_regular(out, &out->size, why);
    if (status == STATUS_OK) {
      status = formats[i].read_header(out, why);
      if (status != STATUS_OK) say_stand_in(out, why);
    }
    if (status != STATUS_OK) tensor_file_close(out);
    return status;
  }
  return fail(why, STATUS_INPUT, "%s: the name must end in .safetensors or .npy", path);
}

void tensor_file_rest(tensor_file *f) {
  if (f->fd >= 0) close(f->fd);
  f->fd = -1;
}

int tensor_file_reopen(tensor_file *f, failure *why) {
  uint64_t size = 0;
  if (f->fd >= 0) return STATUS_OK;
  const int status = open_regular(f, &size, why);
  if (status == STATUS_OK && size == f->size) return STATUS_OK;
  tensor_file_rest(f);
  return status != STATUS_OK ? status : fail(why, STATUS_INPUT, "%s: was changed while it was read", f->path);
}

void tensor_file_close(tensor_file *f) {
  tensor_file_rest(f);
  for (size_t i = 0; i < f->count; ++i) {
    free(f->tensors[i].name);
    free(f->tensors[i].shape);
  }
  free(f->tensors);
  free(f->types);
  json_decref(f->metadata);
  *f = (tensor_file){.fd = -1};
}

int tensor_file_read(const tensor_file *f, uint64_t offset, void *bytes, size_t size, failure *why) {
  char *at = bytes;
  while (size > 0) {
    const ssize_t n = pread(f->fd, at, size, (off_t)offset);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail(why, STATUS_INPUT, "%s: cannot read: %s", f->path, strerror(errno));
    if (n == 0) return fail(why, STATUS_INPUT, "%s: became shorter while it was read", f->path);
    at += n;
    offset += (uint64_t)n;
    size -= (size_t)n;
  }
  return STATUS_OK;
}

int tensor_file_read_of(const tensor_file *f, const stored_tensor *t, uint64_t from, void *bytes, size_t size,
                        failure *why) {
  char *to = bytes;
  int status = STATUS_OK;
  if (t->run == 0) return tensor_file_read(f, t->offset + from, bytes, size, why);
  while (size > 0 && status == STATUS_OK) {
    const uint64_t inside = from % t->run, left = t->run - inside;
    const size_t n = left < size ? (size_t)left : size;
    status = tensor_file_read(f, t->offset + from / t->run * t->step + inside, to, n, why);
    from += n;
    to += n;
    size -= n;
  }
  return status;
}

void tensor_file_types(tensor_file *f, const stored_type *types, size_t n,
                       const char *(*name_of)(const fanin_dtype_info *)) {
  f->types = allocate(n, sizeof *types);
  memcpy(f->types, types, n * sizeof *types);
  for (int d = 0; d < FANIN_DTYPE_COUNT; ++d) {
    const fanin_dtype_info info = dtype_info((fanin_dtype)d);
    const char *name = name_of(&info);
    for (size_t i = 0; name && i < n; ++i) {
      if (strcmp(f->types[i].name, name) != 0) continue;
      f->types[i].measurable = 1;
      f->types[i].dtype = (fanin_dtype)d;
    }
  }
}

/* Computes elements and bytes. Returns false if these overflow or end within a byte. */
static bool measure(const stored_type *type, int rank, const uint64_t *shape, uint64_t *elements, uint64_t *bytes) {
  uint64_t bits = 0;
  bool overflow = false;
  *elements = 1;
  for (int d = 0; d < rank; ++d)
    overflow = overflow || __builtin_mul_overflow(*elements, shape[d], elements);
  overflow = overflow || __builtin_mul_overflow(*elements, (uint64_t)type->bits, &bits);
  *bytes = bits / 8;
  return !overflow && bits % 8 == 0;
}

bool tensor_file_add(tensor_file *f, const char *name, const stored_type *type, int rank, const uint64_t *shape,
                     uint64_t offset) {
  uint64_t elements, bytes;
  if (!measure(type, rank, shape, &elements, &bytes)) return false;
  uint64_t *copy = allocate((size_t)rank, sizeof *copy);
  for (int d = 0; d < rank; ++d)
    copy[d] = shape[d];
  f->tensors = grow(f->tensors, &f->capacity, f->count + 1, sizeof *f->tensors);
  f->tensors[f->count++] = (stored_tensor){.name = copy_text(name, strlen(name)),
                                           .type = type,
                                           .rank = rank,
                                           .shape = copy,
                                           .elements = elements,
                                           .offset = offset,
                                           .bytes = bytes};
  return true;
}

bool stored_grow(stored_tensor *t, int dimension, uint64_t extent) {
  t->shape[dimension] = extent;
  return measure(t->type, t->rank, t->shape, &t->elements, &t->bytes);
}

bool stored_same_shape(int rank, const uint64_t *shape, const stored_tensor *t) {
  return rank == t->rank && (rank == 0 || memcmp(shape, t->shape, (size_t)rank * sizeof *shape) == 0);
}

char *note_key(const char *key, const char *tensor_name) {
  const size_t size = sizeof "fanin.." + strlen(key) + (tensor_name ? strlen(tensor_name) : 0);
  char *full = allocate(size, 1);
  snprintf(full, size, tensor_name ? "fanin.%s.%s" : "fanin.%s", key, tensor_name);
  return full;
}

const char *tensor_file_note(const tensor_file *f, const char *key, const char *tensor_name) {
  char *full = note_key(key, tensor_name);
  const char *text = json_string_value(json_object_get(f->metadata, full));
  free(full);
  return text;
}

const stored_tensor *tensor_file_find(const tensor_file *f, const char *name) {
  for (size_t i = 0; i < f->count; ++i) {
    if (strcmp(f->tensors[i].name, name) == 0) return &f->tensors[i];
  }
  return NULL;
}

const char *tensor_file_maker(const tensor_file *f, const char *tensor_name, double *factor) {
  const char *init = tensor_file_note(f, "init", tensor_name);
  const char *calibrated = init ? NULL : tensor_file_note(f, "calibrated", tensor_name);
  const char *text = calibrated ? tensor_file_note(f, "factor", tensor_name) : NULL;
  char *end = NULL;
  *factor = 1;
  if (!calibrated) return init;
  const double value = text ? strtod(text, &end) : NAN;
  *factor = text && *text != '\0' && *end == '\0' && value > 0 && value <= 1e15 ? value : NAN;
  return calibrated;
}

double stored_value(fanin_dtype dtype, const char *bytes) {
  double value = 0;
  if (fanin_dtype_size(dtype) == 8) {
    memcpy(&value, bytes, 8);
  } else if (fanin_dtype_size(dtype) == 4) {
    float single;
    memcpy(&single, bytes, 4);
    value = (double)single;
  } else { /* bins of types of 8 and 16 bits are their bits, in ascending order */
    const size_t size = fanin_dtype_size(dtype);
    const uint32_t sign = UINT32_C(1) << (8 * size - 1);
    uint32_t bits = 0;
    memcpy(&bits, bytes, size);
    fanin_bin_number(dtype, bits & sign ? 0x7fff - (bits & ~sign) : 0x8000 + bits, 0, &value);
  }
  return value;
}

double *stored_numbers(fanin_dtype dtype) {
  const size_t size = fanin_dtype_size(dtype);
  if (!dtype_is_narrow(dtype)) return NULL;
  double *numbers = allocate((size_t)1 << 8 * size, sizeof *numbers);
  for (uint64_t bits = 0; bits < UINT64_C(1) << 8 * size; ++bits)
    numbers[bits] = stored_value(dtype, (const char *)&bits); /* hosts are little-endian */
  return numbers;
}

double stored_number(const double *numbers, fanin_dtype dtype, const char *bytes) {
  uint16_t bits = 0;
  if (!numbers) return stored_value(dtype, bytes);
  memcpy(&bits, bytes, fanin_dtype_size(dtype));
  return numbers[bits];
}

/* Of a dtype with p digits whose smallest number is 2^least, numbers are whole multiples of 2^least below 2^(least +
 * p), and then of steps that double with the exponent: k of them, which are 2^(p - 1) to 2^p, have the bits k + 2^(p -
 * 1) (doublings). */
bool stored_round(fanin_dtype dtype, double value, char *bytes) {
  const fanin_dtype_info info = dtype_info(dtype);
  int exponent = 0;
  if (!isfinite(value)) return false;
  (void)frexp(value, &exponent); /* |value| < 2^exponent */
  const int step = value != 0 && exponent - info.digits > info.least ? exponent - info.digits : info.least;
  const double steps = rint(ldexp(fabs(value), -step));
  if (ldexp(steps, step) > info.largest) return false;
  const uint64_t sign = signbit(value) ? UINT64_C(1) << (8 * info.bytes - 1) : 0;
  const uint64_t bits = sign | (((uint64_t)(step - info.least) << (info.digits - 1)) + (uint64_t)steps);
  memcpy(bytes, &bits, info.bytes); /* hosts are little-endian */
  return true;
}
