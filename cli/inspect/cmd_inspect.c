/* fanin inspect: the tensors of a file, measured on a device and tested against what their initializers promise. */
#include <stdbool.h>

#include "base/args.h"
#include "base/commands.h"
#include "inspect/inspection.h"

typedef struct request {
  const char *path, *device;
  bool json;
} request;

static const args_option options[] = {
    {"device", 0, "SEL", SESSION_DEVICE_HELP, args_text, offsetof(request, device), 0},
    {"json", 'j', NULL, "Print JSON, with every number (docs/inspect.md lists the keys)", args_switch,
     offsetof(request, json), 0},
    {0}};

const syntax inspect_syntax = {
    .command = "inspect",
    .summary = "measure the tensors of a file on a device, beside what is expected",
    .run = cmd_inspect,
    .options = options,
    .argument = "a file",
    .argument_to = offsetof(request, path),
    .arguments = "FILE",
    .doc =
        "Measures every tensor of a .safetensors or .npy file on an OpenCL device and tests it: moments, distribution, "
        "extremes, values that are too frequent, sums of rows and columns, lines that repeat, correlation within and "
        "between tensors. Where the file says which initializer wrote a tensor ('fanin init' keeps that in the "
        "metadata), that is what is expected; else the law is guessed from the values, marked by '~', and its "
        "parameters are not tested. All tests of a file together raise a false alarm once in a thousand files. Exit "
        "status 1 if a test fails or a value is not finite.\v"
        "Example:\n"
        "  fanin inspect lenet.safetensors",
};

int cmd_inspect(int argc, char **argv, failure *why) {
  request r = {0};
  session s = {0};
  tensor_file file = {.fd = -1};
  inspection out = {.file = &file};
  int status = args_parse(&inspect_syntax, argc, argv, &r, why);
  if (status == STATUS_OK && !r.path) status = args_fail(why, "no file is given; give a .safetensors or .npy file");
  if (status == STATUS_OK) status = tensor_file_open(r.path, &file, why);
  if (status == STATUS_OK) status = session_open(r.device, &s, why);
  if (status == STATUS_OK) status = inspect_file(&s, &file, &out, why);
  if (status == STATUS_OK && r.json)
    status = inspect_print_json(&out, why);
  else if (status == STATUS_OK)
    inspect_print_text(&out);
  if (status == STATUS_OK && !inspection_holds(&out)) status = STATUS_CHECK;
  inspection_free(&out);
  session_close(&s);
  tensor_file_close(&file);
  return status;
}
