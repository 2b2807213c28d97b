/* A request to fill and write the tensors of a model: the options, and the model that they describe. */
#ifndef CLI_INIT_REQUEST_H
#define CLI_INIT_REQUEST_H

#include "base/args.h"
#include "base/session.h"
#include "formats/model.h"
#include "init/keep.h"
#include "init/like.h"

typedef struct init_request {
  const char *model_path, *output, *device;
  uint64_t seed;
  bool has_dtype;
  fanin_dtype dtype;
  like like;
  kept_files keep;
  bool explain, json; /* only say what would be made */
  bool shards;        /* the output is an index, and the files that --like's index names are written beside it */
  model model;        /* the tensors to make: those of --tensor, or those that init_request_check() loaded */
  char *pending_name; /* a --tensor whose --init has not come yet */
  fanin_tensor pending;
} init_request;

/* The options, which go into an init_request, and what they are used for; the argument goes to model_path. */
extern const args_option init_request_options[];
#define INIT_REQUEST_FORMS                                                                                             \
  "MODEL.json -o OUT.safetensors\n--like CHECKPOINT.safetensors --rules RULES -o OUT.safetensors\n"                    \
  "--like BASE.safetensors --keep OLD.safetensors -o OUT.safetensors\n"                                                \
  "--tensor NAME:DTYPE:LAYOUT:SHAPE --init INIT -o OUT"

/* Checks the options together, and loads and checks the model. No device is needed. */
int init_request_check(init_request *r, failure *why);

/* Says on stderr what the request has that may be a mistake. `program` begins the lines. */
void init_request_warn(const init_request *r, const char *program);

/* Checks that the disk has room for the output. */
int init_request_space(const init_request *r, failure *why);

/* Makes the bytes of the output before the data. `part` has the tensors of the model or some of them. The caller frees
 * *bytes. */
int init_request_header(const init_request *r, const model *part, char **bytes, size_t *size, failure *why);

/* Prints what was written, in so many milliseconds on that device. */
void init_request_summary(const init_request *r, const char *device, uint64_t milliseconds);

/* Writes the tensors of `part`, which are all of r->model or some of them, to `path`. The file appears whole or not at
 * all. cmd_init.c has it. */
int init_file_write(const init_request *r, const session *s, const char *path, const model *part, failure *why);

void init_request_free(init_request *r);

#endif
