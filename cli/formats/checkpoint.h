/* A checkpoint whose tensors are to be made anew: names, shapes and dtypes from the headers of its files. */
#ifndef CLI_FORMATS_CHECKPOINT_H
#define CLI_FORMATS_CHECKPOINT_H

#include "formats/tensor_file.h"

typedef struct checkpoint_tensor {
  const stored_tensor *stored; /* a tensor_file's */
  size_t shard;                /* index of its file */
} checkpoint_tensor;

typedef struct checkpoint {
  const char *path; /* the caller's text: of several, the first */
  bool sharded;     /* `path` is an index */
  char **names;     /* names of the files as in the index; NULL where there is no index */
  char **paths;
  tensor_file *files; /* the headers of the files, which are closed */
  size_t n_files;
  checkpoint_tensor *tensors; /* file by file, and in each file in the order of the data */
  size_t count;
  const checkpoint_tensor **by_name; /* sorted */
  const char *format;                /* "format" of the first file's metadata, "pt" of most; NULL: none */
} checkpoint;

/* The ending of an index's name, as in Hugging Face's "model.safetensors.index.json". */
#define CHECKPOINT_INDEX ".safetensors.index.json"

/* Reads the header of X.safetensors, or X.safetensors.index.json and the headers of the files that it names, which lie
 * beside it. Index and files must agree on which tensor is where. `path` must outlive the result. */
int checkpoint_read(const char *path, checkpoint *out, failure *why);

/* Reads the headers of several files as those of one checkpoint: one path of any kind that is a file of tensors or an
 * index, or the paths of at least two .safetensors or .npy files, no two of which have a tensor of the same name. An
 * npy file among several has its path for the name of its tensor. `paths` must outlive the result. */
int checkpoint_gather(const char *const *paths, size_t n, checkpoint *out, failure *why);

/* Finds a tensor by its name; NULL: there is none. */
const checkpoint_tensor *checkpoint_find(const checkpoint *c, const char *name);

/* The i-th tensor, to be changed. */
stored_tensor *checkpoint_stored(checkpoint *c, size_t i);

/* Whether writing `path` would overwrite one of the checkpoint's files, also through links. */
bool checkpoint_has(const checkpoint *c, const char *path);

void checkpoint_free(checkpoint *c);

/* Makes "DIR/x.safetensors" of "DIR/model.safetensors.index.json" and "x.safetensors". The caller frees it. */
char *checkpoint_beside(const char *index, const char *name);

#endif
