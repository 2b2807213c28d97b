/* What jansson does not have: numbers that may be NaN or too large for it, printing, and readers of files that say
 * where in the file they are when they fail. */
#ifndef CLI_BASE_JSON_H
#define CLI_BASE_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/failure.h"

/* null where the value is NaN or infinite, which JSON has not. */
json_t *json_from_double(double value);

/* A seed or a stream: any 64 bits, as text, because readers of JSON cut numbers past 2^53. */
json_t *json_from_u64(uint64_t value);

/* [64,3,7,7] */
json_t *json_from_shape(const uint64_t *shape, int rank);

/* Prints `root` to stdout and releases it. */
int json_print(json_t *root, failure *why);

/* ---- Files, with a place ----------------------------------------------------------------------------------------- */

enum { JSON_WHERE = 512 };

/* The file that is read, and who is told. */
typedef struct json_check {
  const char *path;
  failure *why;
} json_check;

/* All of a file; keys that are there twice are refused. The caller releases *root. */
int json_load_path(const char *path, json_t **root, failure *why);

/* The same of bytes in memory, which sentences call `name`. */
int json_load_bytes(const char *name, const char *bytes, size_t size, json_t **root, failure *why);

/* Fails with "share/models/x.json: tensors[3].shape: " and the sentence. */
int json_complain(const json_check *in, const char *where, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same with the library's sentence. */
int json_complain_library(const json_check *in, const char *where, fanin_status status);

/* "tensors[3]" and "shape[0]" make "tensors[3].shape[0]"; cut where it is too long. */
char *json_place(char out[JSON_WHERE], const char *where, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* "an array" */
const char *json_type_text(const json_t *value);

/* Objects, arrays, texts and whole numbers. */
int json_check_type(const json_check *in, const char *where, const json_t *value, json_type type);

/* Every key of `object` is one of `known` (ends with NULL). */
int json_check_keys(const json_check *in, const char *where, json_t *object, const char *const *known);

/* A number of at least 1 and at most `most` under an optional key; *out stays as it is without the key. */
int json_get_count(const json_check *in, const char *where, const json_t *object, const char *key, uint64_t most,
                   uint64_t *out);

/* A text under a key; *out stays as it is without the key, which is a failure if it is required. */
int json_get_text(const json_check *in, const char *where, const json_t *object, const char *key, bool required,
                  const char **out);

#endif
