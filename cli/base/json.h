/* What jansson does not have: numbers that may be NaN or too large for it, printing, and readers of files that say
 * where in the file they are when they fail. */
#ifndef CLI_BASE_JSON_H
#define CLI_BASE_JSON_H

#include <jansson.h>
#include <stdint.h>

#include "base/failure.h"

/* null where the value is NaN or infinite, because JSON has no such numbers. */
json_t *json_from_double(double value);

/* Sets members of an object to such numbers: JSON_SET_NUMBERS(o, {"mean", 0.5}, {"std", 1}); */
#define JSON_SET_NUMBERS(object, ...) json_set_numbers((object), (const json_number[]){__VA_ARGS__, {NULL, 0}})
typedef struct json_number {
  const char *key;
  double value;
} json_number;
void json_set_numbers(json_t *object, const json_number *list);

/* A seed or a stream as text: readers of JSON round numbers above 2^53, and these need all 64 bits. */
json_t *json_from_u64(uint64_t value);

/* null where there is no text: `text` is NULL. */
json_t *json_from_text(const char *text);

/* [64,3,7,7] */
json_t *json_from_shape(const uint64_t *shape, int rank);

/* Prints `root` to stdout and releases it. */
int json_print(json_t *root, failure *why);

/* ---- Files, with a place ----------------------------------------------------------------------------------------- */

enum { JSON_WHERE = 512 };

/* The file that is read, and where failures are kept. */
typedef struct json_check {
  const char *path;
  failure *why;
} json_check;

/* Reads a whole file. Keys that occur twice in an object are refused. The caller releases *root. */
int json_load_path(const char *path, json_t **root, failure *why);

/* Reads JSON in memory, which sentences call `name`. */
int json_load_bytes(const char *name, const char *bytes, size_t size, json_t **root, failure *why);

/* Fails with a sentence that begins with the file and the place, as in "share/models/x.json: tensors[3].shape: ". */
int json_complain(const json_check *in, const char *where, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* library_status() with a sentence that begins in the same way. */
int json_library_status(const json_check *in, const char *where, fanin_status status);

/* Joins two places: "tensors[3]" and "shape[0]" make "tensors[3].shape[0]". Too long a place is cut. */
char *json_place(char out[JSON_WHERE], const char *where, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* "an array" */
const char *json_type_text(const json_t *value);

/* Checks that a value has that type: an object, an array, a text or a whole number. */
int json_check_type(const json_check *in, const char *where, const json_t *value, json_type type);

/* Reads a value, which is at `where` in the file into what `to` points to. */
typedef int json_reader(const json_check *in, const char *where, const json_t *value, void *to);

/* A member of an object that is read. A list of them ends with {0}. */
typedef struct json_field {
  const char *key;
  json_reader *read; /* NULL: somebody else reads it */
  void *to;
  const char *needs; /* what the object needs without it, "a 'name'"; NULL: it may be missing, and *to stays as it is */
} json_field;

/* Checks that a value is an object that has members of these keys only, and reads them in the order of the list. */
int json_read(const json_check *in, const char *where, json_t *object, const json_field *fields);

/* A json_reader of text, into a const char *; of a number from 1 to UINT32_MAX, into a uint32_t; and of a text
 * that nobody needs, such as a comment. */
json_reader json_read_text, json_read_count, json_read_comment;

#endif
