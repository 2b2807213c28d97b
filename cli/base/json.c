/* What jansson does not have: numbers that may be NaN or too large for it, printing, and readers of files that say
 * where in the file they are when they fail. */
#include "base/json.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/stand_in.h"
#include "base/text.h"

json_t *json_from_double(double value) {
  return isfinite(value) ? json_real(value) : json_null();
}

void json_set_numbers(json_t *object, const json_number *list) {
  for (; list->key; ++list)
    json_object_set_new(object, list->key, json_from_double(list->value));
}

json_t *json_from_text(const char *text) {
  return text ? json_string(text) : json_null();
}

json_t *json_from_u64(uint64_t value) {
  char text[32];
  snprintf(text, sizeof text, "%" PRIu64, value);
  return json_string(text);
}

json_t *json_from_shape(const uint64_t *shape, int rank) {
  json_t *array = json_array();
  for (int d = 0; d < rank; ++d)
    json_array_append_new(array, json_integer((json_int_t)shape[d]));
  return array;
}

int json_print(json_t *root, failure *why) {
  const int printed = json_dumpf(root, stdout, JSON_INDENT(2));
  json_decref(root);
  putchar('\n');
  return printed == 0 ? STATUS_OK : fail(why, STATUS_INPUT, "cannot write JSON to standard output");
}

/* ---- Files, with a place ----------------------------------------------------------------------------------------- */

/* What a file that is not JSON is instead; NULL: not known, also of a pipe, which cannot be read again. */
static const char *find_stand_in(FILE *file) {
  char begin[STAND_IN_BYTES];
  if (fseek(file, 0, SEEK_SET) != 0) return NULL;
  const size_t size = fread(begin, 1, sizeof begin, file);
  /* a header's length in 64 bits, little endian and below 2^32, and the header */
  if (size > 9 && memcmp(begin + 4, "\0\0\0\0{\"", 6) == 0)
    return "is a safetensors file, and JSON is wanted here; 'fanin init' takes a checkpoint by --like";
  return stand_in_of(begin, size);
}

int json_load_path(const char *path, json_t **root, failure *why) {
  json_error_t error;
  FILE *file = fopen(path, "rbe");
  if (!file) return fail(why, STATUS_INPUT, "%s: cannot open it: %s", path, strerror(errno));
  *root = json_loadf(file, JSON_REJECT_DUPLICATES, &error);
  const int unreadable = ferror(file) ? errno : 0; /* a directory, for one: jansson calls that the end of the file */
  const char *stand_in = *root || unreadable ? NULL : find_stand_in(file);
  fclose(file);
  if (unreadable) {
    json_decref(*root);
    *root = NULL;
    return fail(why, STATUS_INPUT, "%s: cannot read it: %s", path, strerror(unreadable));
  }
  if (*root) return STATUS_OK;
  if (stand_in) return fail(why, STATUS_INPUT, "%s: %s", path, stand_in);
  return fail(why, STATUS_INPUT, "%s: line %d, column %d: %s", path, error.line, error.column, error.text);
}

int json_load_bytes(const char *name, const char *bytes, size_t size, json_t **root, failure *why) {
  json_error_t error;
  *root = json_loadb(bytes, size, JSON_REJECT_DUPLICATES, &error);
  if (*root) return STATUS_OK;
  return fail(why, STATUS_INPUT, "%s: line %d, column %d: %s", name, error.line, error.column, error.text);
}

int json_complain(const json_check *in, const char *where, const char *format, ...) {
  char sentence[512];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(sentence, sizeof sentence, format, arguments);
  va_end(arguments);
  fail(in->why, STATUS_INPUT, "%s: %s: %s", in->path, where, sentence);
  return STATUS_INPUT;
}

int json_library_status(const json_check *in, const char *where, fanin_status status) {
  char context[JSON_WHERE + 256];
  snprintf(context, sizeof context, "%s: %s", in->path, where);
  return library_status(in->why, status, context);
}

char *json_place(char out[JSON_WHERE], const char *where, const char *format, ...) {
  va_list arguments;
  int used = 0;
  if (where[0]) used = snprintf(out, JSON_WHERE, "%.*s.", JSON_WHERE - 2, where);
  va_start(arguments, format);
  vsnprintf(out + used, (size_t)(JSON_WHERE - used), format, arguments);
  va_end(arguments);
  return out;
}

const char *json_type_text(const json_t *value) {
  static const char *const names[] = {[JSON_OBJECT] = "an object",
                                      [JSON_ARRAY] = "an array",
                                      [JSON_STRING] = "a text",
                                      [JSON_INTEGER] = "a whole number",
                                      [JSON_REAL] = "a number with a fraction",
                                      [JSON_TRUE] = "true",
                                      [JSON_FALSE] = "false",
                                      [JSON_NULL] = "null"};
  return names[json_typeof(value)];
}

int json_check_type(const json_check *in, const char *where, const json_t *value, json_type type) {
  static const char *const wanted[] = {[JSON_OBJECT] = "an object {...}",
                                       [JSON_ARRAY] = "an array [...]",
                                       [JSON_STRING] = "a text \"...\"",
                                       [JSON_INTEGER] = "a whole number"};
  if (json_typeof(value) == type) return STATUS_OK;
  return json_complain(in, where, "is %s, but must be %s", json_type_text(value), wanted[type]);
}

static int check_keys(const json_check *in, const char *where, json_t *object, const json_field *fields) {
  enum { MOST = 32 };
  const char *known[MOST], *key;
  size_t n = 0;
  json_t *value;
  for (; fields[n].key && n < MOST; ++n)
    known[n] = fields[n].key;
  json_object_foreach(object, key, value) {
    size_t k = 0;
    while (k < n && strcmp(known[k], key) != 0)
      ++k;
    if (k < n) continue;
    char list[TEXT_KNOWN];
    return json_complain(in, where, "unknown key '%.64s'%s", key, text_known(key, known, n, "the keys here are", list));
  }
  return STATUS_OK;
}

int json_read(const json_check *in, const char *where, json_t *object, const json_field *fields) {
  char inner[JSON_WHERE];
  const char *here = where[0] ? where : "the file";
  int status = json_check_type(in, here, object, JSON_OBJECT);
  if (status == STATUS_OK) status = check_keys(in, here, object, fields);
  for (const json_field *f = fields; f->key && status == STATUS_OK; ++f) {
    const json_t *value = json_object_get(object, f->key);
    if (value && f->read)
      status = f->read(in, json_place(inner, where, "%s", f->key), value, f->to);
    else if (!value && f->needs)
      status = json_complain(in, here, "needs %s", f->needs);
  }
  return status;
}

int json_read_text(const json_check *in, const char *where, const json_t *value, void *to) {
  const int status = json_check_type(in, where, value, JSON_STRING);
  if (status == STATUS_OK) *(const char **)to = json_string_value(value);
  return status;
}

int json_read_count(const json_check *in, const char *where, const json_t *value, void *to) {
  const int status = json_check_type(in, where, value, JSON_INTEGER);
  if (status != STATUS_OK) return status;
  const json_int_t number = json_integer_value(value);
  if (number < 1 || number > UINT32_MAX) {
    return json_complain(in, where, "is %" PRId64 ", but must be from 1 to %" PRIu32, (int64_t)number, UINT32_MAX);
  }
  *(uint32_t *)to = (uint32_t)number;
  return STATUS_OK;
}

int json_read_comment(const json_check *in, const char *where, const json_t *value, void *to) {
  (void)to;
  return json_check_type(in, where, value, JSON_STRING);
}
