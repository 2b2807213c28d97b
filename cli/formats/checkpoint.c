/* A checkpoint whose tensors are to be made anew: names, shapes and dtypes from the headers of its files. */
#include "formats/checkpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/output.h"
#include "base/text.h"

char *checkpoint_beside(const char *index, const char *name) {
  const char *slash = strrchr(index, '/');
  const int directory = slash ? (int)(slash - index) + 1 : 0;
  const size_t size = (size_t)directory + strlen(name) + 1;
  char *path = allocate(size, 1);
  snprintf(path, size, "%.*s%s", directory, index, name);
  return path;
}

/* ---- Which files ------------------------------------------------------------------------------------------------- */

/* A shard must have a plain name, which means a file beside the index: no other place is read or written. */
static int check_shard_name(const json_check *in, const char *tensor, const json_t *value) {
  const char *name = json_string_value(value);
  char where[JSON_WHERE];
  json_place(where, "weight_map", "%.200s", tensor);
  if (!name) return json_complain(in, where, "is %s, but must be a file's name", json_type_text(value));
  if (strchr(name, '/') || name[0] == '.' || !has_ending(name, ".safetensors")) {
    return json_complain(in, where, "'%.200s' is not the name of a .safetensors file beside the index", name);
  }
  return STATUS_OK;
}

/* Lists the different files of the map, sorted. */
static int list_files(checkpoint *c, const json_check *in, json_t *map) {
  const char *tensor;
  json_t *value;
  size_t n = 0;
  int status = json_check_type(in, "weight_map", map, JSON_OBJECT);
  if (status == STATUS_OK && json_object_size(map) == 0) status = json_complain(in, "weight_map", "is empty");
  if (status != STATUS_OK) return status;
  const char **all = allocate(json_object_size(map), sizeof *all);
  json_object_foreach(map, tensor, value) {
    if (status == STATUS_OK) status = check_shard_name(in, tensor, value);
    all[n++] = json_string_value(value);
  }
  if (status == STATUS_OK) {
    qsort(all, n, sizeof *all, text_compare);
    c->names = allocate(n, sizeof *c->names);
    c->paths = allocate(n, sizeof *c->paths);
    for (size_t i = 0; i < n; ++i) {
      if (i > 0 && strcmp(all[i], all[i - 1]) == 0) continue;
      c->names[c->n_files] = copy_text(all[i], strlen(all[i]));
      c->paths[c->n_files++] = checkpoint_beside(c->path, all[i]);
    }
  }
  free(all);
  return status;
}

/* ---- Their headers ----------------------------------------------------------------------------------------------- */

static int by_place(const void *left, const void *right) {
  const checkpoint_tensor *l = left, *r = right;
  if (l->shard != r->shard) return l->shard < r->shard ? -1 : 1;
  if (l->stored->offset != r->stored->offset) return l->stored->offset < r->stored->offset ? -1 : 1;
  return (l->stored > r->stored) - (l->stored < r->stored);
}

static int by_name(const void *left, const void *right) {
  const checkpoint_tensor *const *l = left, *const *r = right;
  return strcmp((*l)->stored->name, (*r)->stored->name);
}

/* Reads the header of each file. Descriptors are closed at once, because there may be more files than a process may
 * have open. */
static int read_headers(checkpoint *c, failure *why) {
  c->files = allocate(c->n_files, sizeof *c->files);
  for (size_t i = 0; i < c->n_files; ++i)
    c->files[i].fd = -1;
  for (size_t i = 0; i < c->n_files; ++i) {
    const int status = tensor_file_open(c->paths[i], &c->files[i], why);
    if (status != STATUS_OK) return status;
    tensor_file_rest(&c->files[i]);
    c->count += c->files[i].count;
  }
  c->tensors = allocate(c->count, sizeof *c->tensors);
  size_t n = 0;
  for (size_t i = 0; i < c->n_files; ++i) {
    for (size_t k = 0; k < c->files[i].count; ++k)
      c->tensors[n++] = (checkpoint_tensor){&c->files[i].tensors[k], i};
  }
  if (n == 0) return fail(why, STATUS_INPUT, "%s: there is no tensor", c->path);
  qsort(c->tensors, n, sizeof *c->tensors, by_place);
  c->by_name = allocate(n, sizeof *c->by_name);
  for (size_t i = 0; i < n; ++i)
    c->by_name[i] = &c->tensors[i];
  qsort(c->by_name, n, sizeof *c->by_name, by_name);
  c->format = json_string_value(json_object_get(c->files[0].metadata, "format"));
  return STATUS_OK;
}

/* Checks that every tensor of the map is in its file, and that every tensor of a file is in the map once. */
static int check_map(const checkpoint *c, const json_check *in, json_t *map) {
  for (size_t i = 0; i < c->count; ++i) {
    const checkpoint_tensor *t = &c->tensors[i];
    const char *file = json_string_value(json_object_get(map, t->stored->name));
    if (file && strcmp(file, c->names[t->shard]) == 0) continue;
    return json_complain(in, "weight_map", "tensor '%.200s' is in %.100s, but here %s%.100s", t->stored->name,
                         c->names[t->shard], file ? "in " : "missing", file ? file : "");
  }
  if (c->count == json_object_size(map)) return STATUS_OK;
  const char *tensor;
  json_t *value;
  json_object_foreach(map, tensor, value) {
    if (checkpoint_find(c, tensor)) continue;
    return json_complain(in, "weight_map", "tensor '%.200s' is not in %.200s", tensor, json_string_value(value));
  }
  return STATUS_OK;
}

static int read_sharded(checkpoint *c, failure *why) {
  const json_check in = {c->path, why};
  json_t *root = NULL;
  int status = json_load_path(c->path, &root, why);
  if (status == STATUS_OK) status = json_check_type(&in, "the file", root, JSON_OBJECT);
  json_t *map = json_object_get(root, "weight_map");
  if (status == STATUS_OK && !map) status = json_complain(&in, "the file", "needs a 'weight_map'");
  if (status == STATUS_OK) status = list_files(c, &in, map);
  if (status == STATUS_OK) status = read_headers(c, why);
  if (status == STATUS_OK) status = check_map(c, &in, map);
  json_decref(root);
  return status;
}

int checkpoint_read(const char *path, checkpoint *out, failure *why) {
  int status;
  *out = (checkpoint){.path = path, .sharded = has_ending(path, CHECKPOINT_INDEX)};
  if (out->sharded) {
    status = read_sharded(out, why);
  } else if (has_ending(path, ".safetensors")) {
    out->paths = allocate(1, sizeof *out->paths);
    out->paths[out->n_files++] = copy_text(path, strlen(path));
    status = read_headers(out, why);
  } else {
    status =
        fail(why, STATUS_INPUT, "%s: the name of a checkpoint must end in .safetensors or " CHECKPOINT_INDEX, path);
  }
  if (status != STATUS_OK) checkpoint_free(out);
  return status;
}

stored_tensor *checkpoint_stored(checkpoint *c, size_t i) {
  tensor_file *f = &c->files[c->tensors[i].shard];
  return &f->tensors[c->tensors[i].stored - f->tensors];
}

/* Names the tensor of an npy file, which has no name of its own, after the file. */
static void name_arrays(checkpoint *c) {
  for (size_t i = 0; i < c->count; ++i) {
    stored_tensor *t = checkpoint_stored(c, i);
    if (t->name[0]) continue;
    free(t->name);
    t->name = copy_text(c->paths[c->tensors[i].shard], strlen(c->paths[c->tensors[i].shard]));
  }
  qsort(c->by_name, c->count, sizeof *c->by_name, by_name);
}

static int check_names(const checkpoint *c, failure *why) {
  for (size_t i = 1; i < c->count; ++i) {
    const checkpoint_tensor *a = c->by_name[i - 1], *b = c->by_name[i];
    if (strcmp(a->stored->name, b->stored->name) != 0) continue;
    return fail(why, STATUS_INPUT,
                "%s and %s both have a tensor '%.256s'; give together only files that make up one model",
                c->paths[a->shard], c->paths[b->shard], a->stored->name);
  }
  return STATUS_OK;
}

int checkpoint_gather(const char *const *paths, size_t n, checkpoint *out, failure *why) {
  if (n == 1 && has_ending(paths[0], CHECKPOINT_INDEX)) return checkpoint_read(paths[0], out, why);
  *out = (checkpoint){.path = paths[0], .paths = allocate(n, sizeof *out->paths)};
  int status = STATUS_OK;
  for (size_t i = 0; i < n; ++i) {
    if (status == STATUS_OK && has_ending(paths[i], CHECKPOINT_INDEX)) {
      status = fail(why, STATUS_INPUT, "%s: is the index of several files; give it alone", paths[i]);
    }
    out->paths[out->n_files++] = copy_text(paths[i], strlen(paths[i]));
  }
  if (status == STATUS_OK) status = read_headers(out, why);
  if (status == STATUS_OK && n > 1) {
    name_arrays(out);
    status = check_names(out, why);
  }
  if (status != STATUS_OK) checkpoint_free(out);
  return status;
}

const checkpoint_tensor *checkpoint_find(const checkpoint *c, const char *name) {
  const stored_tensor named = {.name = (char *)name};
  const checkpoint_tensor wanted = {.stored = &named}, *key = &wanted;
  const checkpoint_tensor *const *found = bsearch(&key, c->by_name, c->count, sizeof *c->by_name, by_name);
  return found ? *found : NULL;
}

bool checkpoint_has(const checkpoint *c, const char *path) {
  if (!c->path || access(path, F_OK) != 0) return false; /* there may be very many files */
  bool found = output_is(path, c->path);
  for (size_t i = 0; i < c->n_files && !found; ++i)
    found = output_is(path, c->paths[i]);
  return found;
}

void checkpoint_free(checkpoint *c) {
  for (size_t i = 0; i < c->n_files; ++i) {
    if (c->files) tensor_file_close(&c->files[i]);
    if (c->names) free(c->names[i]);
    free(c->paths[i]);
  }
  free(c->names);
  free(c->paths);
  free(c->files);
  free(c->by_name);
  free(c->tensors);
  *c = (checkpoint){0};
}
