/* fanin inspect: the tensors of files, measured on a device and tested against what they should be. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/args.h"
#include "base/commands.h"
#include "base/text.h"
#include "inspect/inspection.h"

/* What it takes, beyond that nothing fails, to end with status 0. */
typedef struct required {
  bool judged, unsuspicious;
} required;

typedef struct request {
  args_list paths;
  const char *device;
  wishes wishes;
  allowed allow;
  required require;
  bool failures, json;
} request;

/* A word of a list, and the offset of the bool that it sets. */
typedef struct word {
  const char *text;
  size_t to;
} word;

/* Reads words with commas between them. */
static int read_words(const word *words, size_t n, void *to, const char *name, const char *value, failure *why) {
  const char *texts[4];
  char known[TEXT_KNOWN];
  for (size_t k = 0; k < n; ++k)
    texts[k] = words[k].text;
  for (const char *at = value;; ++at) {
    const size_t length = strcspn(at, ",");
    size_t k = 0;
    while (k < n && (strlen(texts[k]) != length || strncmp(texts[k], at, length) != 0))
      ++k;
    if (k == n) {
      char *unknown = copy_text(at, length);
      const int status = args_fail(why, "%s '%s': '%s' is not accepted%s", name, value, unknown,
                                   text_known(unknown, texts, n, "accepted are", known));
      free(unknown);
      return status;
    }
    *(bool *)((char *)to + words[k].to) = true;
    at += length;
    if (*at == '\0') return STATUS_OK;
  }
}

static int read_allow(void *to, const char *name, const char *value, failure *why) {
  static const word words[] = {{"tied", offsetof(allowed, tied)}, {"padding", offsetof(allowed, padding)}};
  return read_words(words, sizeof words / sizeof *words, to, name, value, why);
}

static int read_require(void *to, const char *name, const char *value, failure *why) {
  static const word words[] = {{"judged", offsetof(required, judged)},
                               {"unsuspicious", offsetof(required, unsuspicious)}};
  return read_words(words, sizeof words / sizeof *words, to, name, value, why);
}

#define TO(member) offsetof(request, member)

static const args_option options[] = {
    {"rules", 0, "RULES",
     "What tensors should be where the metadata do not say it: a set of 'fanin list', or a .json file "
     "(docs/checkpoints.md)",
     args_text, TO(wishes.like.rules_name), 0},
    {"set", 0, "NAME=NUMBER", "Set a value of the rules or of the model file, as in layers=12", like_set,
     TO(wishes.like), ARGS_SEVERAL},
    {"like", 0, "MODEL.json", "What tensors should be: those of the same name in a model file", args_text,
     TO(wishes.model_path), 0},
    {"init", 0, "[NAME=]INIT",
     "What a tensor should be, or without a name each tensor of which nothing else says it; see 'fanin list'. Schemes "
     "may stand before INIT, with blanks between them. A matrix or kernel without a layout in the metadata is taken as "
     "PyTorch's: outputs, inputs, taps",
     args_texts, TO(wishes.texts), ARGS_SEVERAL},
    {"allow", 0, "WHAT",
     "Accept of tensors that should be random: tied (copies of others), padding (of embeddings, a row of zeros and up "
     "to 127 at the end); "
     "several with commas between them",
     read_allow, TO(allow), ARGS_SEVERAL},
    {"require", 0, "WHAT",
     "Exit status 1 also unless every tensor is: judged, unsuspicious; several with commas "
     "between them",
     read_require, TO(require), ARGS_SEVERAL},
    {"failures", 0, NULL, "Show only the tensors that fail", args_switch, TO(failures), 0},
    {"device", 0, "SEL", SESSION_DEVICE_HELP, args_text, TO(device), 0},
    {"json", 'j', NULL, "Print JSON, with every number (docs/inspect.md lists the keys)", args_switch, TO(json), 0},
    {0}};

const syntax inspect_syntax = {
    .command = "inspect",
    .summary = "measure the tensors of a file on a device, beside what is expected",
    .run = cmd_inspect,
    .options = options,
    .argument = "a file",
    .argument_to = offsetof(request, paths),
    .several = true,
    .arguments = "FILE...",
    .doc =
        "Measures every tensor of .safetensors or .npy files, or of the files of a .safetensors.index.json, on an "
        "OpenCL "
        "device and tests it: moments, distribution, extremes, values that are too frequent, sums of rows and columns, "
        "lines that repeat, rank, correlation within and between tensors.\n"
        "A tensor holds if it passes the tests of what it should be, and fails if it does not, or if a value is not "
        "finite. What it should be is said by --init NAME=INIT, --like, --rules, the file's metadata ('fanin init' "
        "writes them) or --init INIT: the first of these that says something of it decides. A tensor of which nothing "
        "says it, or of a dtype that is not measured, is not judged; what it looks like is shown after '~', and "
        "findings that no fresh draw of random numbers gives are called suspicious. All tests together raise a false "
        "alarm once in a thousand runs. Exit status 1 if a tensor fails.\v"
        "Columns:\n"
        "  count        elements\n"
        "  mean, std    measured, as min and max are\n"
        "  expected     the std that the initializer should give\n"
        "  z std,       how far std and mean are from what is expected, in\n"
        "  z mean       standard errors\n"
        "  max |z|      of all tests of the tensor, that which is furthest out\n"
        "  answer       holds, fails with what failed first, or not judged\n"
        "  initializer  what should have made the values, with who says so if it\n"
        "               is not the file; or, after '~', what they look like\n"
        "  -            not known, or not tested\n"
        "On a terminal that is too narrow, columns are left out, and named.\n\n"
        "Examples:\n"
        "  fanin inspect lenet.safetensors\n"
        "  fanin inspect --rules pytorch --require judged fresh.safetensors\n"
        "  fanin inspect --init he_normal --init fc.bias=zeros w.safetensors",
};

static int inspect(request *r, const session *s, failure *why) {
  inspection out = {.count = 0};
  int status = inspect_files(s, &r->wishes, r->allow, &out, why);
  if (status == STATUS_OK && r->json)
    status = inspect_print_json(&out, r->failures, why);
  else if (status == STATUS_OK)
    inspect_print_text(&out, r->failures);
  const bool enough = inspection_answer(&out) != ANSWER_FAILS &&
                      !(r->require.judged && out.answers[ANSWER_NOT_JUDGED] > 0) &&
                      !(r->require.unsuspicious && out.suspicious > 0);
  if (status == STATUS_OK && !enough) status = STATUS_CHECK;
  inspection_free(&out);
  return status;
}

int cmd_inspect(int argc, char **argv, failure *why) {
  request r = {.device = NULL};
  session s = {0};
  int status = args_parse(&inspect_syntax, argc, argv, &r, why);
  if (status == STATUS_OK && r.paths.count == 0) {
    status = args_fail(why, "no file is given; give .safetensors or .npy files, or a .safetensors.index.json");
  }
  if (status == STATUS_OK) {
    status = checkpoint_gather(r.paths.texts, r.paths.count, &r.wishes.like.checkpoint, why);
  }
  if (status == STATUS_OK) status = wishes_load(&r.wishes, why);
  if (status == STATUS_OK) status = session_open(r.device, &s, why);
  if (status == STATUS_OK) status = inspect(&r, &s, why);
  session_close(&s);
  wishes_free(&r.wishes);
  free(r.paths.texts);
  return status;
}
