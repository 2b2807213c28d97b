/* A checkpoint whose tensors are to be made anew: names, shapes and dtypes from the headers of its files. */
#ifndef CLI_FORMATS_CHECKPOINT_H
#define CLI_FORMATS_CHECKPOINT_H

#include "formats/tensor_file.h"

typedef struct checkpoint_tensor {
  const stored_tensor *stored; /* a tensor_file's */
  size_t shard;                /* index of its file */
} checkpoint_tensor;

typedef struct checkpoint {
  const char *path; /* the caller's text */
  bool sharded;     /* `path` is an index */
  char **names;     /* of the files, for sharded ones as in the index; else NULL */
  char **paths;
  tensor_file *files; /* their headers; closed */
  size_t n_files;
  checkpoint_tensor *tensors; /* file by file, each in the order of its data */
  size_t count;
  const checkpoint_tensor **by_name; /* sorted */
  const char *format;                /* "format" of the first file's metadata, "pt" of most; NULL: none */
} checkpoint;

/* How an index's name ends: Hugging Face's "model.safetensors.index.json". */
#define CHECKPOINT_INDEX ".safetensors.index.json"

/* Reads X.safetensors, or X.safetensors.index.json with the files that it names, which lie beside it: the headers only.
 * Index and files must agree on which tensor is where. `path` must outlive it. */
int checkpoint_read(const char *path, checkpoint *out, failure *why);

/* The tensor of a name; NULL: there is none. */
const checkpoint_tensor *checkpoint_find(const checkpoint *c, const char *name);

/* Whether writing `path` would overwrite one of the checkpoint's files, links and all. */
bool checkpoint_has(const checkpoint *c, const char *path);

void checkpoint_free(checkpoint *c);

/* "DIR/model.safetensors.index.json" and "x.safetensors": "DIR/x.safetensors". The caller's to free. */
char *checkpoint_beside(const char *index, const char *name);

#endif
