/* The files of a sharded checkpoint and their index, made anew. */
#include "init/shard_files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/output.h"
#include "init/file.h"

/* The tensors from `first` on that are of one file: a view of the model's. */
static model file_of(const init_request *r, size_t first) {
  size_t end = first + 1;
  while (end < r->model.count && r->like.shard_of[end] == r->like.shard_of[first])
    ++end;
  model part = r->model;
  part.tensors += first;
  part.count = end - first;
  return part;
}

static json_t *make_index(const init_request *r) {
  json_t *root = json_object(), *metadata = json_object(), *map = json_object();
  uint64_t elements, bytes;
  model_totals(&r->model, &elements, &bytes);
  json_object_set_new(metadata, "total_size", json_integer((json_int_t)bytes));
  for (size_t i = 0; i < r->model.count; ++i) {
    const char *file = r->like.checkpoint.names[r->like.shard_of[i]];
    json_object_set_new(map, r->model.tensors[i].name, json_string(file));
  }
  json_object_set_new(root, "metadata", metadata);
  json_object_set_new(root, "weight_map", map);
  return root;
}

static int write_index(const init_request *r, failure *why) {
  json_t *index = make_index(r);
  char *text = json_dumps(index, JSON_INDENT(2));
  json_decref(index);
  if (!text) return fail(why, STATUS_DEVICE, "out of memory for the index");
  const int status = output_whole(r->output, text, strlen(text), why);
  free(text);
  return status;
}

/* An index from before would soon be one of some old files and some new ones. */
static int remove_index(const init_request *r, failure *why) {
  const int status = output_check(r->output, why);
  if (status != STATUS_OK || unlink(r->output) == 0 || errno == ENOENT) return status;
  return fail(why, STATUS_INPUT, "%s: cannot remove it: %s", r->output, strerror(errno));
}

int shard_files_write(const init_request *r, const session *s, failure *why) {
  int status = remove_index(r, why);
  for (size_t first = 0; first < r->model.count && status == STATUS_OK;) {
    const model part = file_of(r, first);
    char *path = checkpoint_beside(r->output, r->like.checkpoint.names[r->like.shard_of[first]]);
    status = init_file_write(r, s, path, &part, why);
    free(path);
    first += part.count;
  }
  return status == STATUS_OK ? write_index(r, why) : status;
}
