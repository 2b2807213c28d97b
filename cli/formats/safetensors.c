/* The safetensors format: 8 bytes of header length, a JSON header, the tensors' bytes. */
#include "formats/safetensors.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/dtype.h"
#include "base/json.h"
#include "formats/tensor_file.h"
#include "formats/tensor_text.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "safetensors data is little-endian, and so must be the host that copies device memory into it"
#endif

/* The longest header that the format's own reader accepts; a header with 10^6 tensors fits. */
enum { MAX_HEADER = 100000000, PREFIX = 8 };

/* Every type of the format, of which the library has some. */
static const stored_type types[] = {
    {.name = "F64", .bits = 64},        {.name = "F32", .bits = 32},    {.name = "F16", .bits = 16},
    {.name = "BF16", .bits = 16},       {.name = "BOOL", .bits = 8},    {.name = "U8", .bits = 8},
    {.name = "I8", .bits = 8},          {.name = "U16", .bits = 16},    {.name = "I16", .bits = 16},
    {.name = "U32", .bits = 32},        {.name = "I32", .bits = 32},    {.name = "U64", .bits = 64},
    {.name = "I64", .bits = 64},        {.name = "C64", .bits = 64},    {.name = "F8_E4M3", .bits = 8},
    {.name = "F8_E5M2", .bits = 8},     {.name = "F8_E8M0", .bits = 8}, {.name = "F6_E2M3", .bits = 6},
    {.name = "F6_E3M2", .bits = 6},     {.name = "F4", .bits = 4},      {.name = "F8_E4M3FNUZ", .bits = 8},
    {.name = "F8_E5M2FNUZ", .bits = 8},
};
enum { N_TYPES = sizeof types / sizeof *types };

static const char *name_of(const fanin_dtype_info *info) {
  return info->safetensors;
}

/* ---- Writing ----------------------------------------------------------------------------------------------------- */

static void set_note(json_t *metadata, const char *key, const char *tensor_name, json_t *value) {
  char *full = note_key(key, tensor_name);
  json_object_set_new(metadata, full, value);
  free(full);
}

/* Notes what made the tensor's values. */
static void set_maker(json_t *metadata, const model_tensor *t) {
  char init[512], factor[32];
  if (t->norm_name) set_note(metadata, "norm_of", t->name, json_string(t->norm_name));
  if (t->norm_name || isnan(t->factor)) return;
  if (t->parts.count > 0) {
    json_t *parts = tensor_parts_json(&t->parts, &t->tensor, &t->init);
    char *text = json_dumps(parts, JSON_COMPACT);
    set_note(metadata, "parts", t->name, json_string(text));
    free(text);
    json_decref(parts);
    return;
  }
  fanin_init_format(&t->init, init, sizeof init, NULL);
  set_note(metadata, t->factor == 0 ? "init" : "calibrated", t->name, json_string(init));
  if (t->factor == 0) return;
  snprintf(factor, sizeof factor, "%.17g", t->factor);
  set_note(metadata, "factor", t->name, json_string(factor));
}

/* Notes where the values are from that were copied. What the file said of them by its own notes is true no more beside
 * another seed; only the layout is. */
static void set_kept(json_t *metadata, const model_tensor *t) {
  char init[512], grown[640], extents[RESIZE_TEXT];
  const kept_tensor *k = &t->kept;
  const char *slash = strrchr(k->file->path, '/'), *layout = tensor_file_note(k->file, "layout", k->stored->name);
  if (k->stored->elements == 0 && !k->grows) return;
  set_note(metadata, "kept", t->name, json_string(slash ? slash + 1 : k->file->path));
  if (kept_without_init(k) && layout) set_note(metadata, "layout", t->name, json_string(layout));
  if (!k->grows) return;
  fanin_init_format(&t->init, init, sizeof init, NULL);
  snprintf(grown, sizeof grown, "%s %s", kept_resize(k, t->tensor.shape, extents), k->law ? k->law : init);
  set_note(metadata, "resized", t->name, json_string(grown));
}

static json_t *make_metadata(const model *m, uint64_t seed) {
  json_t *metadata = json_object();
  set_note(metadata, "version", NULL, json_string(fanin_version()));
  set_note(metadata, "stream_version", NULL, json_from_u64(FANIN_STREAM_VERSION));
  set_note(metadata, "seed", NULL, json_from_u64(seed));
  if (m->name) set_note(metadata, "model", NULL, json_string(m->name));
  if (m->rules) set_note(metadata, "rules", NULL, json_string(m->rules));
  if (m->format) json_object_set_new(metadata, "format", json_string(m->format));
  for (size_t i = 0; i < m->count; ++i) {
    const model_tensor *t = &m->tensors[i];
    char layout[LAYOUT_TEXT];
    if (t->kept.file)
      set_kept(metadata, t);
    else
      set_maker(metadata, t);
    if (t->stream_name) set_note(metadata, "key", t->name, json_string(t->stream_name));
    if (t->tensor.layout[0]) set_note(metadata, "layout", t->name, json_string(layout_format(&t->tensor, layout)));
  }
  return metadata;
}

static const char *type_of(const model_tensor *t) {
  if (kept_whole(&t->kept)) return t->kept.stored->type->name;
  return t->stored_dtype ? t->stored_dtype : dtype_info(t->tensor.dtype).safetensors;
}

static json_t *shape_of(const model_tensor *t) {
  const stored_tensor *copied = t->kept.stored;
  return kept_whole(&t->kept) ? json_from_shape(copied->shape, copied->rank)
                              : json_from_shape(t->tensor.shape, t->tensor.rank);
}

static json_t *make_header(const model *m, uint64_t seed) {
  json_t *header = json_object();
  uint64_t offset = 0;
  json_object_set_new(header, "__metadata__", make_metadata(m, seed));
  for (size_t i = 0; i < m->count; ++i) {
    const model_tensor *t = &m->tensors[i];
    const uint64_t end = offset + model_bytes(t);
    json_t *entry = json_object(), *offsets = json_array();
    json_array_append_new(offsets, json_integer((json_int_t)offset));
    json_array_append_new(offsets, json_integer((json_int_t)end));
    json_object_set_new(entry, "dtype", json_string(type_of(t)));
    json_object_set_new(entry, "shape", shape_of(t));
    json_object_set_new(entry, "data_offsets", offsets);
    if (json_object_set_new(header, t->name, entry) != 0) { /* the name is the only text that the user chooses freely */
      json_decref(header);
      return NULL;
    }
    offset = end;
  }
  return header;
}

int safetensors_header(const model *m, uint64_t seed, char **bytes, size_t *size, failure *why) {
  json_t *header = make_header(m, seed);
  if (!header) return fail(why, STATUS_INPUT, "a tensor's name is not valid UTF-8, which safetensors files need");
  char *text = json_dumps(header, JSON_COMPACT);
  json_decref(header);
  if (!text) return fail(why, STATUS_DEVICE, "out of memory for the header");
  const size_t length = strlen(text), padded = (length + 7) / 8 * 8;
  if (padded > MAX_HEADER) {
    free(text);
    return fail(why, STATUS_INPUT, "the header would have %zu bytes; safetensors readers accept at most %d", padded,
                MAX_HEADER);
  }
  *size = PREFIX + padded;
  *bytes = allocate(*size, 1);
  memcpy(*bytes, &(uint64_t){padded}, PREFIX);
  memset(*bytes + PREFIX, ' ', padded);
  memcpy(*bytes + PREFIX, text, length);
  free(text);
  return STATUS_OK;
}

/* ---- Reading ----------------------------------------------------------------------------------------------------- */

static int bad(const tensor_file *f, const char *tensor, failure *why, const char *what) {
  return fail(why, STATUS_INPUT, "%s: tensor '%.256s': %s", f->path, tensor, what);
}

/* An array of at most `capacity` numbers. */
static bool read_numbers(const json_t *array, uint64_t *out, size_t capacity) {
  if (!json_is_array(array) || json_array_size(array) > capacity) return false;
  for (size_t i = 0; i < json_array_size(array); ++i) {
    const json_t *value = json_array_get(array, i);
    if (!json_is_integer(value) || json_integer_value(value) < 0) return false;
    out[i] = (uint64_t)json_integer_value(value);
  }
  return true;
}

static const stored_type *find_type(const tensor_file *f, const char *name) {
  for (size_t i = 0; i < N_TYPES; ++i) {
    if (strcmp(f->types[i].name, name) == 0) return &f->types[i];
  }
  return NULL;
}

/* {"dtype": "F32", "shape": [...], "data_offsets": [begin, end]}; other keys are ignored, as other readers do. */
static int read_entry(tensor_file *f, const char *name, const json_t *entry, uint64_t data, failure *why) {
  uint64_t shape[STORED_MAX_RANK], offsets[2] = {0};
  json_t *dims, *range;
  const char *type_text;
  if (json_unpack((json_t *)entry, "{s:s, s:o, s:o}", "dtype", &type_text, "shape", &dims, "data_offsets", &range))
    return bad(f, name, why, "needs dtype, shape and data_offsets");
  const stored_type *type = find_type(f, type_text);
  if (!type) return fail(why, STATUS_INPUT, "%s: tensor '%.256s': unknown dtype '%.64s'", f->path, name, type_text);
  if (json_array_size(dims) > STORED_MAX_RANK) return bad(f, name, why, "has more than 64 dimensions");
  if (!read_numbers(dims, shape, STORED_MAX_RANK)) return bad(f, name, why, "its shape is not a list of sizes");
  if (json_array_size(range) != 2 || !read_numbers(range, offsets, 2) || offsets[0] > offsets[1]) {
    return bad(f, name, why, "its data_offsets are not [begin, end]");
  }
  if (offsets[1] > f->size - data) {
    return fail(why, STATUS_INPUT,
                "%s: tensor '%.256s' ends at byte %" PRIu64 " of the data, but there are only %" PRIu64
                " (is the file cut?)",
                f->path, name, offsets[1], f->size - data);
  }
  if (!tensor_file_add(f, name, type, (int)json_array_size(dims), shape, data + offsets[0])) {
    return bad(f, name, why, "its shape is too large, or not a whole number of bytes");
  }
  const stored_tensor *t = &f->tensors[f->count - 1];
  if (t->bytes != offsets[1] - offsets[0]) {
    return fail(why, STATUS_INPUT, "%s: tensor '%.256s': shape and dtype make %" PRIu64 " bytes, data_offsets %" PRIu64,
                f->path, name, t->bytes, offsets[1] - offsets[0]);
  }
  return STATUS_OK;
}

static int by_offset(const void *left, const void *right) {
  const stored_tensor *const *l = left, *const *r = right;
  if ((*l)->offset != (*r)->offset) return (*l)->offset < (*r)->offset ? -1 : 1;
  return ((*l)->bytes > (*r)->bytes) - ((*l)->bytes < (*r)->bytes); /* empty ones before what begins there */
}

/* Checks that each tensor begins where the one before ends, and that the last one ends with the file. */
static int check_coverage(const tensor_file *f, uint64_t data, failure *why) {
  uint64_t at = data;
  int status = STATUS_OK;
  const stored_tensor **order = allocate(f->count, sizeof *order);
  for (size_t i = 0; i < f->count; ++i)
    order[i] = &f->tensors[i];
  qsort(order, f->count, sizeof *order, by_offset);
  for (size_t i = 0; i < f->count && status == STATUS_OK; ++i) {
    if (order[i]->offset != at) {
      status = bad(f, order[i]->name, why,
                   order[i]->offset < at ? "its data overlaps another tensor's" : "there is a hole before its data");
    }
    at += order[i]->bytes;
  }
  free(order);
  if (status == STATUS_OK && at != f->size) {
    status = fail(why, STATUS_INPUT, "%s: %" PRIu64 " bytes after the last tensor's data", f->path, f->size - at);
  }
  return status;
}

static int read_metadata(tensor_file *f, json_t *metadata, failure *why) {
  const char *key;
  json_t *value;
  if (json_is_null(metadata)) return STATUS_OK; /* other readers also take null for no metadata */
  if (!json_is_object(metadata)) return fail(why, STATUS_INPUT, "%s: __metadata__ is not an object", f->path);
  json_object_foreach(metadata, key, value) {
    if (!json_is_string(value)) {
      return fail(why, STATUS_INPUT, "%s: __metadata__: '%.64s' is not a text", f->path, key);
    }
  }
  f->metadata = json_incref(metadata);
  return STATUS_OK;
}

static int read_header(tensor_file *f, json_t *header, uint64_t data, failure *why) {
  const char *key;
  json_t *value;
  int status = STATUS_OK;
  tensor_file_types(f, types, N_TYPES, name_of);
  json_object_foreach(header, key, value) {
    status = strcmp(key, "__metadata__") == 0 ? read_metadata(f, value, why) : read_entry(f, key, value, data, why);
    if (status != STATUS_OK) return status;
  }
  return check_coverage(f, data, why);
}

int safetensors_read(tensor_file *f, failure *why) {
  uint64_t length = 0;
  if (f->size < PREFIX) {
    return fail(why, STATUS_INPUT, "%s: %" PRIu64 " bytes are too few for a safetensors file", f->path, f->size);
  }
  int status = tensor_file_read(f, 0, &length, PREFIX, why);
  if (status != STATUS_OK) return status;
  if (length > MAX_HEADER) {
    return fail(why, STATUS_INPUT, "%s: a header of %" PRIu64 " bytes; at most %d are accepted", f->path, length,
                MAX_HEADER);
  }
  if (length > f->size - PREFIX) {
    return fail(why, STATUS_INPUT,
                "%s: the header should have %" PRIu64 " bytes, but only %" PRIu64 " follow (is the file cut?)", f->path,
                length, f->size - PREFIX);
  }
  json_error_t error;
  char *text = allocate((size_t)length, 1);
  json_t *header = NULL;
  status = tensor_file_read(f, PREFIX, text, (size_t)length, why);
  if (status == STATUS_OK) {
    header = json_loadb(text, (size_t)length, JSON_REJECT_DUPLICATES, &error);
    status = json_is_object(header) && text[0] == '{'
                 ? read_header(f, header, PREFIX + length, why)
                 : fail(why, STATUS_INPUT, "%s: the header is not a JSON object%s%s", f->path, header ? "" : ": ",
                        header ? "" : error.text);
  }
  json_decref(header);
  free(text);
  return status;
}
