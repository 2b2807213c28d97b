/* A file of tensors, open for reading: what a safetensors or npy file says about its contents. */
#ifndef CLI_FORMATS_TENSOR_FILE_H
#define CLI_FORMATS_TENSOR_FILE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/failure.h"

enum { STORED_MAX_RANK = 64 };

/* An element type that files have. */
typedef struct stored_type {
  const char *name;
  unsigned bits;  /* an element */
  int measurable; /* 1: `dtype` is the library's dtype; 0: the library has none, so that tensors are only listed */
  fanin_dtype dtype;
} stored_type;

typedef struct stored_tensor {
  char *name;
  const stored_type *type;
  int rank;
  uint64_t *shape;
  uint64_t elements;
  uint64_t offset, bytes; /* of its data in the file */
  uint64_t run, step; /* of a part of a tensor whose bytes lie in runs: those of a run, and from one run to the next;
                         run 0: they lie side by side */
} stored_tensor;

typedef struct tensor_file {
  const char *format; /* "safetensors", "npy" */
  const char *path;   /* the caller's text */
  int fd;
  uint64_t size;
  stored_type *types; /* of the format, which the tensors point to */
  stored_tensor *tensors;
  size_t count, capacity;
  json_t *metadata;   /* safetensors: the texts of __metadata__; NULL: none */
  bool fortran_order; /* npy */
} tensor_file;

/* Opens a file whose name ends in .safetensors or .npy, and validates everything but the data. `path` must outlive
 * `out`.
 */
int tensor_file_open(const char *path, tensor_file *out, failure *why);
void tensor_file_close(tensor_file *f);

/* Lets the descriptor go, and opens the file again, which must have the size that it had. */
void tensor_file_rest(tensor_file *f);
int tensor_file_reopen(tensor_file *f, failure *why);

/* Reads exactly `size` bytes of the file from `offset`. */
int tensor_file_read(const tensor_file *f, uint64_t offset, void *bytes, size_t size, failure *why);

/* Reads exactly `size` of the tensor's bytes, from its byte number `from` on. */
int tensor_file_read_of(const tensor_file *f, const stored_tensor *t, uint64_t from, void *bytes, size_t size,
                        failure *why);

/* The formats' readers of the header of an open file, which validate it. A safetensors file may have everything that
 * the format allows and nothing else; an npy file of version 1 to 3 is one tensor without a name. */
int safetensors_read(tensor_file *f, failure *why);
int npy_read(tensor_file *f, failure *why);

/* Makes the bytes before the data of an npy file, in format version 1.0. The caller frees *bytes. Dtypes that npy files
 * lack, such as bf16, are refused. */
int npy_header(const fanin_tensor *t, char **bytes, size_t *size, failure *why);

/* Sets f->types; the readers of the formats call it. `types` has `n` types with names and bits. `name_of` returns what
 * the format calls a dtype of the library's, or NULL if the format has no such type. */
void tensor_file_types(tensor_file *f, const stored_type *types, size_t n,
                       const char *(*name_of)(const fanin_dtype_info *));

/* Adds a tensor to the list; the readers of the formats call it. Copies name and shape, and computes elements and bytes
 * from rank, shape and type. Returns false if these overflow or end within a byte. */
bool tensor_file_add(tensor_file *f, const char *name, const stored_type *type, int rank, const uint64_t *shape,
                     uint64_t offset);

/* Changes a tensor's extent in a dimension, and its elements and bytes. Returns false as tensor_file_add() does. */
bool stored_grow(stored_tensor *t, int dimension, uint64_t extent);

/* Whether a tensor has that shape. */
bool stored_same_shape(int rank, const uint64_t *shape, const stored_tensor *t);

/* "fanin.<key>", or for one tensor "fanin.<key>.<name>", which the caller frees. `tensor_name` may be NULL. */
char *note_key(const char *key, const char *tensor_name);
/* The text under that key in the metadata; NULL if there is none. */
const char *tensor_file_note(const tensor_file *f, const char *key, const char *tensor_name);

/* The initializer that the notes name for a tensor: "init", or "calibrated", whose values were multiplied by *factor,
 * else
 * 1. *factor is NaN where the note of it is missing or no number above 0 and up to 1e15. NULL: there is no such note.
 */
const char *tensor_file_maker(const tensor_file *f, const char *tensor_name, double *factor);

/* The tensor of that name; NULL if there is none. */
const stored_tensor *tensor_file_find(const tensor_file *f, const char *name);

/* The number that an element is, of a dtype that is measured. */
double stored_value(fanin_dtype dtype, const char *bytes);

/* The number that each pattern of bits is, of a dtype of at most 16, which the caller frees. NULL: it has more. */
double *stored_numbers(fanin_dtype dtype);

/* The number that an element is, looked up where stored_numbers() of the dtype are there. */
double stored_number(const double *numbers, fanin_dtype dtype, const char *bytes);

/* Makes the element that a number is, rounded once to nearest even. Returns false where it is not finite, or too large
 * for the dtype. */
bool stored_round(fanin_dtype dtype, double value, char *bytes);

/* Whether `text` ends in `ending`. */
bool has_ending(const char *text, const char *ending);

#endif
