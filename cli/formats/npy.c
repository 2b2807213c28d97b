/* The npy format of NumPy: a short header, one array. */
#include "formats/tensor_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/args.h"
#include "base/dtype.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "npy data is written little-endian, and so must be the host that copies device memory into it"
#endif

enum { MAGIC = 6, ALIGNMENT = 64, MAX_HEADER = 65535 };
static const char magic[MAGIC] = {'\x93', 'N', 'U', 'M', 'P', 'Y'};

static const stored_type types[] = {
    {.name = "<f4", .bits = 32}, {.name = "<f2", .bits = 16}, {.name = "<f8", .bits = 64}, {.name = "|b1", .bits = 8},
    {.name = "|u1", .bits = 8},  {.name = "|i1", .bits = 8},  {.name = "<u2", .bits = 16}, {.name = "<i2", .bits = 16},
    {.name = "<u4", .bits = 32}, {.name = "<i4", .bits = 32}, {.name = "<u8", .bits = 64}, {.name = "<i8", .bits = 64},
};
enum { N_TYPES = sizeof types / sizeof *types };

static const char *name_of(const fanin_dtype_info *info) {
  return info->npy;
}

/* ---- Writing ----------------------------------------------------------------------------------------------------- */

int npy_header(const fanin_tensor *t, char **bytes, size_t *size, failure *why) {
  const char *descr = dtype_info(t->dtype).npy;
  if (!descr) {
    return fail(why, STATUS_INPUT, "npy files have no %s; write a .safetensors file or choose --dtype f32",
                fanin_dtype_name(t->dtype));
  }
  char text[512];
  int n = snprintf(text, sizeof text, "{'descr': '%s', 'fortran_order': False, 'shape': (", descr);
  for (int d = 0; d < t->rank; ++d) {
    n += snprintf(text + n, sizeof text - (size_t)n, "%s%" PRIu64, d > 0 ? ", " : "", t->shape[d]);
  }
  n += snprintf(text + n, sizeof text - (size_t)n, "%s), }", t->rank == 1 ? "," : "");

  const size_t before = MAGIC + 2 + 2; /* magic, version, length */
  *size = (before + (size_t)n + 1 + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  *bytes = allocate(*size, 1);
  memset(*bytes, ' ', *size);
  memcpy(*bytes, magic, MAGIC);
  (*bytes)[MAGIC] = 1;
  (*bytes)[MAGIC + 1] = 0;
  (*bytes)[MAGIC + 2] = (char)((*size - before) & 0xff);
  (*bytes)[MAGIC + 3] = (char)((*size - before) >> 8);
  memcpy(*bytes + before, text, (size_t)n);
  (*bytes)[*size - 1] = '\n';
  return STATUS_OK;
}

/* ---- Reading: the header is a Python dictionary, of which NumPy writes only this form ---------------------------- */

typedef struct header {
  const char *descr; /* in the text, not terminated */
  size_t descr_length;
  bool fortran_order;
  uint64_t shape[STORED_MAX_RANK];
  int rank;
} header;

static const char *skip(const char *at) {
  return at + strspn(at, " \t\n");
}

/* Returns the place behind the text `token` and the blanks around it; NULL if the token is not there. */
static const char *expect(const char *at, const char *token) {
  if (!at) return NULL;
  at = skip(at);
  return strncmp(at, token, strlen(token)) == 0 ? skip(at + strlen(token)) : NULL;
}

static const char *parse_shape(const char *at, header *h) {
  at = expect(at, "(");
  for (h->rank = 0; at && *at != ')';) {
    const size_t digits = strspn(at, "0123456789");
    if (h->rank == STORED_MAX_RANK || !args_u64(at, digits, &h->shape[h->rank])) return NULL;
    ++h->rank;
    at = skip(at + digits);
    if (*at == ',')
      at = skip(at + 1);
    else if (*at != ')' || h->rank == 1)
      return NULL; /* (5) is a number, (5,) a tuple */
  }
  return expect(at, ")");
}

static const char *parse_text(const char *at, header *h) {
  at = expect(at, "'");
  const char *end = at ? strchr(at, '\'') : NULL;
  if (!end) return NULL;
  h->descr = at;
  h->descr_length = (size_t)(end - at);
  return skip(end + 1);
}

static const char *parse_order(const char *at, header *h) {
  const char *yes = expect(at, "True");
  h->fortran_order = yes != NULL;
  return yes ? yes : expect(at, "False");
}

/* Reads the keys, which may come in any order, each once. */
static bool parse_header(const char *text, header *h) {
  static const struct {
    const char *key;
    const char *(*parse)(const char *, header *);
  } fields[] = {{"'descr'", parse_text}, {"'fortran_order'", parse_order}, {"'shape'", parse_shape}};
  enum { N_FIELDS = sizeof fields / sizeof *fields };
  bool seen[N_FIELDS] = {false};
  const char *at = expect(text, "{");
  for (size_t n = 0; n < N_FIELDS && at; ++n) {
    size_t i = 0;
    while (i < N_FIELDS && (seen[i] || !expect(at, fields[i].key)))
      ++i;
    if (i == N_FIELDS) return false;
    seen[i] = true;
    at = fields[i].parse(expect(expect(at, fields[i].key), ":"), h);
    if (at && *at == ',')
      at = skip(at + 1);
    else if (n + 1 < N_FIELDS)
      return false;
  }
  at = expect(at, "}");
  return at && *at == '\0';
}

static int read_array(tensor_file *f, const header *h, uint64_t data, failure *why) {
  tensor_file_types(f, types, N_TYPES, name_of);
  for (size_t i = 0; i < N_TYPES; ++i) {
    const char *name = types[i].name;
    if (strlen(name) != h->descr_length || strncmp(name, h->descr, h->descr_length) != 0) continue;
    f->fortran_order = h->fortran_order;
    if (!tensor_file_add(f, "", &f->types[i], h->rank, h->shape, data)) {
      return fail(why, STATUS_INPUT, "%s: its shape is too large", f->path);
    }
    if (f->tensors[0].bytes != f->size - data) {
      return fail(why, STATUS_INPUT,
                  "%s: shape and dtype make %" PRIu64 " bytes, but %" PRIu64 " follow the header "
                  "(is the file cut?)",
                  f->path, f->tensors[0].bytes, f->size - data);
    }
    return STATUS_OK;
  }
  return fail(why, STATUS_INPUT, "%s: elements of type '%.*s' are not supported; little-endian floats and integers are",
              f->path, h->descr_length > 64 ? 64 : (int)h->descr_length, h->descr);
}

int npy_read(tensor_file *f, failure *why) {
  unsigned char start[MAGIC + 2 + 4] = {0};
  const size_t available = f->size < sizeof start ? (size_t)f->size : sizeof start;
  int status = tensor_file_read(f, 0, start, available, why);
  if (status != STATUS_OK) return status;
  if (memcmp(start, magic, MAGIC) != 0 || start[MAGIC] < 1 || start[MAGIC] > 3) {
    return fail(why, STATUS_INPUT, "%s: is not an npy file of version 1, 2 or 3", f->path);
  }
  const unsigned char *n = start + MAGIC + 2;
  const size_t before = start[MAGIC] == 1 ? MAGIC + 2 + 2 : MAGIC + 2 + 4;
  size_t length = (size_t)n[0] | (size_t)n[1] << 8;
  if (start[MAGIC] > 1) length |= (size_t)n[2] << 16 | (size_t)n[3] << 24;
  if (length > MAX_HEADER || f->size < before || length > f->size - before) {
    return fail(why, STATUS_INPUT, "%s: a header of %zu bytes does not fit (is the file cut?)", f->path, length);
  }
  header h = {0};
  char *text = allocate(length + 1, 1);
  status = tensor_file_read(f, before, text, length, why);
  if (status == STATUS_OK) {
    status = strlen(text) == length && parse_header(text, &h)
                 ? read_array(f, &h, before + length, why)
                 : fail(why, STATUS_INPUT, "%s: its header is not what NumPy writes for one array", f->path);
  }
  free(text);
  return status;
}
