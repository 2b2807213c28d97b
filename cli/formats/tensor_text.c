/* Tensors and their layouts as text. */
#include "formats/tensor_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/args.h"
#include "fanin/scheme.h"
#include "formats/expression.h"

char *layout_format(const fanin_tensor *t, char out[LAYOUT_TEXT]) {
  int used = snprintf(out, LAYOUT_TEXT, "%s", t->layout);
  if (t->groups > 1) used += snprintf(out + used, LAYOUT_TEXT - (size_t)used, ",groups=%u", (unsigned)t->groups);
  if (t->splits > 1) snprintf(out + used, LAYOUT_TEXT - (size_t)used, ",splits=%u", (unsigned)t->splits);
  return out;
}

fanin_tensor layout_none(fanin_dtype dtype, int rank, const uint64_t *shape) {
  fanin_tensor t = {.dtype = dtype, .rank = rank};
  memcpy(t.shape, shape, (size_t)rank * sizeof *shape);
  return t;
}

/* "groups=32" */
static bool parse_count(const char *text, size_t length, const char *name, uint32_t *out) {
  const size_t n = strlen(name);
  uint64_t value;
  if (length <= n || strncmp(text, name, n) != 0 || !args_u64(text + n, length - n, &value)) return false;
  if (value < 1 || value > UINT32_MAX) return false;
  *out = (uint32_t)value;
  return true;
}

bool layout_parse(const char *text, size_t length, fanin_tensor *t) {
  const char *end = text + length, *comma = memchr(text, ',', length);
  const size_t letters = (size_t)((comma ? comma : end) - text);
  if (letters > FANIN_MAX_RANK) return false;
  memcpy(t->layout, text, letters);
  t->layout[letters] = '\0';
  t->groups = t->splits = 1;
  while (comma) {
    const char *item = comma + 1;
    comma = memchr(item, ',', (size_t)(end - item));
    const size_t n = (size_t)((comma ? comma : end) - item);
    if (!parse_count(item, n, "groups=", &t->groups) && !parse_count(item, n, "splits=", &t->splits)) return false;
  }
  return true;
}

/* ---- Initializers with schemes ----------------------------------------------------------------------------------- */

static const char blanks[] = " \t\n";

/* The last word, which is the initializer. Blanks at the end are the library's to refuse. */
static const char *last_word(const char *text) {
  const char *last = text;
  for (const char *at = text; *at; ++at) {
    if (strchr(blanks, at[0]) && at[1] && !strchr(blanks, at[1])) last = at + 1;
  }
  return last;
}

int init_text_check(const char *text, const char *context, failure *why) {
  fanin_init unused;
  if (strpbrk(text, "{}")) return STATUS_OK;
  return library_status(why, fanin_init_parse(last_word(text), &unused), context);
}

int init_text_read(const json_check *in, const char *where, const json_t *value, void *to) {
  char context[2 * JSON_WHERE];
  const int status = json_read_text(in, where, value, to);
  snprintf(context, sizeof context, "%.500s: %.500s", in->path, where);
  return status == STATUS_OK ? init_text_check(json_string_value(value), context, in->why) : status;
}

int init_text_parse(const char *text, const fanin_tensor *t, fanin_init *out, const char *context, failure *why) {
  return library_status(why, fanin_init_parse_for(text, t, out), context);
}

/* ---- What expressions say of a tensor ---------------------------------------------------------------------------- */

const char *const tensor_names[TENSOR_NAMES] = {"layer", "shape", "fan_in", "fan_out"};

bool tensor_has_number(const char *name) {
  for (int i = 0; i < TENSOR_NAMES; ++i) {
    if (strcmp(name, tensor_names[i]) == 0) return true;
  }
  return false;
}

int value_name_check(const json_check *in, const char *where, const char *name) {
  if (tensor_has_number(name))
    return json_complain(in, where, "expressions have this name for a number of each tensor");
  if (expression_is_name(name)) return STATUS_OK;
  return json_complain(in, where, "a value's name has letters, digits and _, no digit first, and at most 63 of them");
}

int tensor_no_index(const char *name, const int64_t *index, const char *where, failure *why) {
  if (!index) return STATUS_OK;
  return fail(why, STATUS_INPUT, "%s: '%s[%lld]': only shape has numbers in brackets", where, name, (long long)*index);
}

/* 3 of "model.layers.3.mlp.experts.5.weight" */
static int layer_number(const char *name, const char *where, double *out, failure *why) {
  static const char ends[] = "./";
  for (const char *at = name; *at; at += strspn(at, ends)) {
    const size_t length = strcspn(at, ends), digits = strspn(at, "0123456789");
    uint64_t number;
    if (length > 0 && length == digits && length <= 9 && args_u64(at, length, &number)) {
      *out = (double)number;
      return STATUS_OK;
    }
    at += length;
  }
  return fail(why, STATUS_INPUT,
              "%s: 'layer' is the first whole number between the dots of a tensor's name, and '%.256s' has none", where,
              name);
}

static int shape_number(const fanin_tensor *t, const int64_t *index, const char *where, double *out, failure *why) {
  if (!index) return fail(why, STATUS_INPUT, "%s: 'shape' needs a dimension, as in shape[0]", where);
  const int64_t d = *index < 0 ? *index + t->rank : *index;
  if (d < 0 || d >= t->rank) {
    return fail(why, STATUS_INPUT, "%s: 'shape[%lld]': the tensor has %d dimension%s", where, (long long)*index,
                t->rank, t->rank == 1 ? "" : "s");
  }
  *out = (double)t->shape[d];
  return STATUS_OK;
}

int tensor_number(const tensor_facts *t, const char *name, const int64_t *index, const char *where, double *out,
                  failure *why) {
  uint64_t fan_in = 0, fan_out = 0;
  if (strcmp(name, "shape") == 0) return shape_number(t->tensor, index, where, out, why);
  int status = tensor_no_index(name, index, where, why);
  if (status == STATUS_OK && strcmp(name, "layer") == 0) return layer_number(t->name, where, out, why);
  if (status == STATUS_OK) status = library_status(why, fanin_fans(t->fans, &fan_in, &fan_out), where);
  *out = (double)(strcmp(name, "fan_in") == 0 ? fan_in : fan_out);
  return status;
}

/* ---- A tensor on the command line -------------------------------------------------------------------------------- */

int tensor_text_parse(const char *text, char **name, fanin_tensor *tensor, failure *why) {
  const char *begin[4] = {text}, *end = text + strlen(text);
  size_t length[4] = {0}, rank = 0;
  uint64_t shape[FANIN_MAX_RANK];
  fanin_dtype dtype = FANIN_DTYPE_F32;
  for (int i = 3; i > 0; --i) { /* the last three colons separate the fields */
    const char *colon = memrchr(text, ':', (size_t)(end - text));
    if (!colon) {
      return args_fail(why, "--tensor '%s': write NAME:DTYPE:LAYOUT:SHAPE, as in w:f32:OI:4096x1024", text);
    }
    begin[i] = colon + 1;
    length[i] = (size_t)(end - colon - 1);
    end = colon;
  }
  length[0] = (size_t)(end - text);
  char *dtype_text = copy_text(begin[1], length[1]);
  int status = args_dtype(&dtype, "--tensor", dtype_text, why);
  free(dtype_text);
  if (status == STATUS_OK) status = args_sizes("--tensor: shape", begin[3], 'x', shape, FANIN_MAX_RANK, &rank, why);
  if (status != STATUS_OK) return status;

  *tensor = layout_none(dtype, (int)rank, shape);
  if (!layout_parse(begin[2], length[2], tensor)) {
    return args_fail(why, "--tensor: layout '%.*s': write " LAYOUT_SYNTAX "; or nothing", (int)length[2], begin[2]);
  }
  *name = copy_text(begin[0], length[0]);
  return STATUS_OK;
}
