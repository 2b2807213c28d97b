/* A list of named tensors: what a model file or the command line describes, checked before any device is asked. */
#ifndef CLI_FORMATS_MODEL_H
#define CLI_FORMATS_MODEL_H

#include <stdbool.h>
#include <stddef.h>

#include "formats/tensor_file.h"
#include "formats/tensor_parts.h"

enum { MODEL_MAX_TENSORS = 1000000, MODEL_MAX_NAME = 512 };

/* Where bytes of a tensor are that is not drawn, or not all of it. */
typedef struct kept_tensor {
  tensor_file *file; /* NULL: the tensor is drawn */
  const stored_tensor *stored;
  bool grows;    /* it is longer than the stored one in `dimension`, and its end there is drawn; false: it is copied */
  int dimension; /* of a tensor that grows */
  const char *law; /* "around_mean:scale=1e-09", how its end is drawn from what is kept; NULL: by the initializer */
  double scale;    /* of that law */
} kept_tensor;

typedef struct model_tensor {
  char *name;
  fanin_tensor tensor; /* no buffer; not set where the tensor is copied, like the initializer */
  fanin_init init;     /* without a meaning where `kept` has a law */
  tensor_parts parts;  /* of other initializers; tensor_parts_next() goes through all slabs */
  double factor; /* by which the values of `init` were multiplied in calibration; 0: not calibrated; NaN: `init` is not
                    known to have made them */
  char *norm_name; /* of the tensor whose norms it has, instead of what `init` draws; NULL: none. Where bytes of
                      it are kept as they are, or its end follows from them, this has no meaning */
  const struct model_tensor *norm_of; /* that tensor, which model_check() finds */
  char *stream_name;                  /* of the tensor whose stream this one has; NULL: its own name */
  const char *stored_dtype; /* the file's name of a dtype that the library does not have: all zeros; NULL: `tensor`'s */
  uint64_t unit[FANIN_MAX_RANK]; /* as fanin_tensor_units() says; of parts, a box that holds whole units of each */
  double operations;             /* of the whole tensor */
  kept_tensor kept;
  bool together; /* a unit has more than one element: a piece of a tensor costs more than its elements */
} model_tensor;

typedef struct model {
  char *name;         /* NULL: none */
  const char *rules;  /* that gave the initializers; NULL: none did */
  const char *format; /* safetensors' metadata of that name; NULL: none */
  model_tensor *tensors;
  size_t count, capacity;
} model;

/* Checks a tensor by itself and adds it with a copy of the name. `where` begins the sentence of a failure. */
int model_add(model *m, const char *name, const fanin_tensor *tensor, const fanin_init *init, const char *where,
              failure *why);

/* Gives the last tensor that was added parts, which become the model's, and checks their initializers. */
int model_divide(model *m, const tensor_parts *parts, const char *where, failure *why);

/* Adds a tensor that is copied. It may have any dtype and shape. */
int model_add_copied(model *m, const char *name, const kept_tensor *kept, const char *where, failure *why);

/* Has the library check shape, layout and initializer of a tensor, which needs no device, and finds its units. */
int model_check_tensor(model_tensor *t, const char *where, failure *why);

/* Whether a tensor is copied, and nothing of it is drawn. */
bool kept_whole(const kept_tensor *k);

/* Whether no initializer has a say in a tensor: it is copied, or its end is drawn from what is kept. */
bool kept_without_init(const kept_tensor *k);

/* Whether an initializer draws a tensor, or a part of it. */
bool model_draws(const model_tensor *t);

/* "0:32000->32064", of a tensor that grows to that shape. */
enum { RESIZE_TEXT = 64 };
char *kept_resize(const kept_tensor *k, const uint64_t *shape, char out[RESIZE_TEXT]);

/* Gives the last tensor that was added the norms of the tensor of that name, instead of an initializer's values. */
void model_set_norm(model *m, const char *name);

/* Checks the tensors together: their names must differ, and their total size must fit into a file. Of a tensor that
 * grows, what is kept must stay in its place, and what is new must have one initializer. Finds the tensors whose norms
 * others have (model_norm.c): no tensor may be added after that. */
int model_check(model *m, const char *path, failure *why);

/* Sets norm_of of each tensor that has norms, and checks that the other one has them. */
int model_find_norms(model *m, const char *path, failure *why);

/* Gives every tensor that dtype, and checks again that it has the initializer's values. */
int model_set_dtype(model *m, fanin_dtype dtype, const char *path, failure *why);

/* The elements and bytes of a tensor, and of all tensors, once they have been checked. */
uint64_t model_elements(const model_tensor *t);
uint64_t model_bytes(const model_tensor *t);
void model_totals(const model *m, uint64_t *elements, uint64_t *bytes);

/* Reads and checks a model file (model_file.c; docs/model-files.md is the specification). `set` has numbers that
 * replace the file's values of these names, and may be NULL. On failure the model is empty, and the sentence names the
 * place in the file, as in "tensors[3].shape". */
int model_load(const char *path, const json_t *set, model *out, failure *why);

/* Releases what the model holds and leaves it empty. */
void model_free(model *m);

#endif
