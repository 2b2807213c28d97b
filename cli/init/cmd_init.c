/* fanin init: fills a model's tensors on a device and writes them to a file. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/commands.h"
#include "base/output.h"
#include "base/session.h"
#include "base/terminal.h"
#include "init/explain.h"
#include "init/fill_parts.h"
#include "init/request.h"
#include "init/weave.h"

const syntax init_syntax = {
    .command = "init",
    .summary = "fill a model's tensors on a device and write them to a file",
    .run = cmd_init,
    .options = init_request_options,
    .argument = "a model file",
    .argument_to = offsetof(init_request, model_path),
    .arguments = INIT_REQUEST_FORMS,
    .doc = "Fills the tensors that a model file names (docs/model-files.md), or those of a checkpoint by rules "
           "(docs/checkpoints.md), on an OpenCL device and writes them to a file, which appears whole or not at all. A "
           "tensor's values depend on the seed and on its name, and on no other tensor.\v"
           "Examples:\n"
           "  fanin init share/models/gpt2-124m.json -o gpt2.safetensors --seed 42\n"
           "  fanin init --like t5-small/model.safetensors --rules t5 -o fresh.safetensors\n"
           "  fanin init --like base.safetensors --keep old.safetensors -o new.safetensors\n"
           "  fanin init --tensor w:f32:OI:4096x1024 --init he_normal -o w.npy\n"
           "  fanin init --tensor c:bf16:OIHW,groups=32:256x8x3x3 --init \\\n"
           "    he_normal:mode=fan_out --tensor b:bf16::256 --init zeros -o c.safetensors",
};

enum { CACHED_PIECE = 8 << 20 };

/* ---- One file ---------------------------------------------------------------------------------------------------- */

int init_file_write(const init_request *r, const session *s, const char *path, const model *part, failure *why) {
  char *header = NULL;
  size_t size = 0;
  output out = OUTPUT_NONE;
  drawn_parts drawn = {.model = part};
  weaver w = {.s = s, .seed = r->seed, .model = part, .out = &out};
  int status = init_request_header(r, part, &header, &size, why);
  if (status == STATUS_OK) status = output_open(path, &out, why);
  if (status == STATUS_OK) status = output_write(&out, header, size, why);
  if (status == STATUS_OK) {
    /* what the host writes from the device's memory should still be in the cache that it was filled in */
    const part_sink sink = {weave_write, &w, .most = s->shares_memory ? CACHED_PIECE : 0};
    status = fill_parts(s, part, r->seed, &(part_source){drawn_next, &drawn}, drawn_bytes(part), &sink, NULL, why);
  }
  if (status == STATUS_OK) status = weave_finish(&w, why);
  if (status == STATUS_OK) status = output_commit(&out, why);
  output_abandon(&out);
  weave_free(&w);
  free(header);
  return status;
}

/* ---- The files of a sharded checkpoint --------------------------------------------------------------------------- */

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

/* Writes the files that --like's index names beside r->output, and then the index itself as r->output. An old index is
 * removed first, so that where there is an index, all its files are complete. A file whose tensors are all skipped is
 * not written. */
static int write_shards(const init_request *r, const session *s, failure *why) {
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

/* ---- The command ------------------------------------------------------------------------------------------------- */

static int write_output(const init_request *r, failure *why) {
  session s = {0};
  const uint64_t begin = progress_clock();
  int status = init_request_space(r, why);
  if (status == STATUS_OK) status = session_open(r->device, &s, why);
  if (status == STATUS_OK) {
    status = r->shards ? write_shards(r, &s, why) : init_file_write(r, &s, r->output, &r->model, why);
  }
  if (status == STATUS_OK && r->like.checkpoint_path && drawn_bytes(&r->model) > 0) {
    printf("Rules %s on %s:\n", r->like.rules.name, r->like.checkpoint_path);
    explain_rules(&r->like);
    putchar('\n');
  }
  if (status == STATUS_OK) init_request_summary(r, s.device_name, progress_clock() - begin);
  session_close(&s);
  return status;
}

int cmd_init(int argc, char **argv, failure *why) {
  init_request r = {0};
  int status = args_parse(&init_syntax, argc, argv, &r, why);
  if (status == STATUS_OK) status = init_request_check(&r, why);
  if (status == STATUS_OK) init_request_warn(&r, "fanin");
  if (status == STATUS_OK) status = r.explain ? explain_request(&r, why) : write_output(&r, why);
  init_request_free(&r);
  return status;
}
