/* What is asked for when a model's tensors are to be filled and written: options, and the model that they mean. */
#ifndef CLI_INIT_REQUEST_H
#define CLI_INIT_REQUEST_H

#include "base/args.h"
#include "formats/model.h"
#include "init/like.h"

typedef struct init_request {
  const char *model_path, *output, *device;
  uint64_t seed;
  bool has_dtype;
  fanin_dtype dtype;
  like like;
  bool shards;        /* the output is an index, with the files that --like's index names beside it */
  model model;        /* what is to be made: of --tensor, or what init_request_check() loaded */
  char *pending_name; /* a --tensor whose --init has not come yet */
  fanin_tensor pending;
} init_request;

/* The options, and what takes them: the last member of a syntax. `into` is an init_request. */
extern const struct argp_option init_request_options[];
int init_request_take(void *into, int key, const char *value, failure *why);

/* What the options mean together, before any device is asked: loads and checks the model. */
int init_request_check(init_request *r, failure *why);

/* The bytes of the output before the data, which are the model's tensors or those of a part of it. *bytes is the
 * caller's to free. */
int init_request_header(const init_request *r, const model *part, char **bytes, size_t *size, failure *why);

void init_request_free(init_request *r);

#endif
