/* fanin init: fills a model's tensors on a device and writes them to a file. */
#include <stdio.h>

#include "base/commands.h"
#include "base/terminal.h"
#include "init/output_files.h"
#include "init/request.h"

const syntax init_syntax = {
    .command = "init",
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
           "  fanin init --tensor w:f32:OI:4096x1024 --init he_normal -o w.npy\n"
           "  fanin init --tensor c:bf16:OIHW,groups=32:256x8x3x3 --init \\\n"
           "    he_normal:mode=fan_out --tensor b:bf16::256 --init zeros -o c.safetensors",
};

static void print_summary(const init_request *r, const session *s, uint64_t milliseconds) {
  if (r->like.checkpoint_path) {
    printf("Rules %s on %s:\n", r->like.rules.name, r->like.checkpoint_path);
    like_print_rules(&r->like);
    putchar('\n');
  }
  init_request_summary(r, s->device_name, milliseconds);
}

static int write_output(const init_request *r, failure *why) {
  session s = {0};
  const uint64_t begin = progress_clock();
  int status = session_open(r->device, &s, why);
  if (status == STATUS_OK) {
    status = r->shards ? shard_files_write(r, &s, why) : init_file_write(r, &s, r->output, &r->model, why);
  }
  if (status == STATUS_OK) print_summary(r, &s, progress_clock() - begin);
  session_close(&s);
  return status;
}

int cmd_init(int argc, char **argv, failure *why) {
  init_request r = {0};
  int status = args_parse(&init_syntax, argc, argv, &r, why);
  if (status == STATUS_OK) status = init_request_check(&r, why);
  if (status == STATUS_OK) status = r.like.explain ? like_explain(&r.like, why) : write_output(&r, why);
  init_request_free(&r);
  return status;
}
