/* A safetensors file written again with other weights of some layers: everything else in it is copied, in its place. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/output.h"
#include "formats/tensor_file.h"
#include "probe/report.h"

/* ---- The header -------------------------------------------------------------------------------------------------- */

static void set_note(json_t *metadata, const char *key, const char *name, const char *value) {
  char *full = note_key(key, name);
  if (value)
    json_object_set_new(metadata, full, json_string(value));
  else
    json_object_del(metadata, full);
  free(full);
}

/* Takes notes away which say that other tensors have the norms of one whose values change. */
static void forget_norms(json_t *metadata, const tensor_file *f, const char *name) {
  for (size_t i = 0; i < f->count; ++i) {
    const char *norm_of = tensor_file_note(f, "norm_of", f->tensors[i].name);
    if (norm_of && strcmp(norm_of, name) == 0) set_note(metadata, "norm_of", f->tensors[i].name, NULL);
  }
}

/* The file's metadata with what made the layers: an initializer that is known, and the factor by then. */
static json_t *make_metadata(const tensor_file *f, const probe_weights *w, const fanin_calibrated_layer *layers) {
  json_t *metadata = f->metadata ? json_deep_copy(f->metadata) : json_object();
  for (size_t l = 0; l < w->count; ++l) {
    const probe_layer_weights *y = &w->layers[l];
    char factor[32];
    set_note(metadata, "kept", y->name, NULL); /* its values are no more those of another file */
    set_note(metadata, "resized", y->name, NULL);
    set_note(metadata, "norm_of", y->name, NULL);
    forget_norms(metadata, f, y->name);
    set_note(metadata, "parts", y->name, NULL);                     /* whose initializers have not made these values */
    if (y->maker == MAKER_GUESS || y->maker == MAKER_OWN) continue; /* no more than a guess */
    snprintf(factor, sizeof factor, "%.17g", w->factors[l] * layers[l].factor);
    set_note(metadata, "init", y->name, NULL);
    set_note(metadata, "calibrated", y->name, y->init_text);
    set_note(metadata, "factor", y->name, factor);
  }
  return metadata;
}

/* Tensors in the order of the file's header, at the offsets that they have. */
static json_t *make_header(const tensor_file *f, uint64_t data, json_t *metadata) {
  json_t *header = json_object();
  if (json_object_size(metadata) > 0) json_object_set(header, "__metadata__", metadata);
  for (size_t i = 0; i < f->count; ++i) {
    const stored_tensor *t = &f->tensors[i];
    json_t *entry = json_object(), *offsets = json_array();
    const uint64_t begin = t->offset - data, end = begin + t->bytes;
    json_array_append_new(offsets, json_integer((json_int_t)begin));
    json_array_append_new(offsets, json_integer((json_int_t)end));
    json_object_set_new(entry, "dtype", json_string(t->type->name));
    json_object_set_new(entry, "shape", json_from_shape(t->shape, t->rank));
    json_object_set_new(entry, "data_offsets", offsets);
    json_object_set_new(header, t->name, entry);
  }
  return header;
}

/* The header with its length before it, filled up to a multiple of 8 bytes. */
static int write_header(output *out, const json_t *header, failure *why) {
  char *text = json_dumps(header, JSON_COMPACT);
  if (!text) return fail(why, STATUS_DEVICE, "out of memory for the header");
  const size_t length = strlen(text), padded = (length + 7) / 8 * 8;
  int status = output_write(out, &(uint64_t){padded}, sizeof(uint64_t), why);
  if (status == STATUS_OK) status = output_write(out, text, length, why);
  if (status == STATUS_OK) status = output_write(out, "        ", padded - length, why);
  free(text);
  return status;
}

/* ---- The data ---------------------------------------------------------------------------------------------------- */

/* The layer that tensor t is, or w->count. */
static size_t layer_of(const probe_weights *w, const stored_tensor *t) {
  size_t l = 0;
  while (l < w->count && strcmp(w->layers[l].name, t->name) != 0)
    ++l;
  return l;
}

static int copy_data(const tensor_file *f, const stored_tensor *t, output *out, failure *why) {
  enum { PIECE = 1 << 24 };
  char *bytes = allocate(t->bytes < PIECE ? (size_t)t->bytes : PIECE, 1);
  int status = STATUS_OK;
  for (uint64_t at = 0; at < t->bytes && status == STATUS_OK;) {
    const size_t size = t->bytes - at < PIECE ? (size_t)(t->bytes - at) : PIECE;
    status = tensor_file_read(f, t->offset + at, bytes, size, why);
    if (status == STATUS_OK) status = output_write(out, bytes, size, why);
    at += size;
  }
  free(bytes);
  return status;
}

static int write_data(const session *s, const tensor_file *f, const probe_weights *w, const stored_tensor *t,
                      output *out, failure *why) {
  const size_t l = layer_of(w, t);
  char *bytes;
  size_t size;
  if (l == w->count) return copy_data(f, t, out, why);
  int status = probe_weights_bytes(s, w, l, &bytes, &size, why);
  if (status == STATUS_OK) status = output_write(out, bytes, size, why);
  free(bytes);
  return status;
}

static int by_offset(const void *left, const void *right) {
  const stored_tensor *const *a = left, *const *b = right;
  if ((*a)->offset != (*b)->offset) return (*a)->offset < (*b)->offset ? -1 : 1;
  return ((*a)->bytes > (*b)->bytes) - ((*a)->bytes < (*b)->bytes);
}

int probe_rewrite(const probe_request *r, const session *s, const probe_weights *w,
                  const fanin_calibrated_layer *layers, failure *why) {
  tensor_file f;
  output out = OUTPUT_NONE;
  int status = tensor_file_open(r->weights, &f, why);
  if (status != STATUS_OK) return status;
  const stored_tensor **order = allocate(f.count, sizeof *order);
  for (size_t i = 0; i < f.count; ++i)
    order[i] = &f.tensors[i];
  qsort(order, f.count, sizeof *order, by_offset);
  json_t *metadata = make_metadata(&f, w, layers), *header = make_header(&f, order[0]->offset, metadata);
  status = output_open(r->output, &out, why);
  if (status == STATUS_OK) status = write_header(&out, header, why);
  for (size_t i = 0; i < f.count && status == STATUS_OK; ++i)
    status = write_data(s, &f, w, order[i], &out, why);
  if (status == STATUS_OK) status = output_commit(&out, why);
  output_abandon(&out);
  json_decref(header);
  json_decref(metadata);
  free(order);
  tensor_file_close(&f);
  return status;
}
