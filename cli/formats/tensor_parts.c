/* Parts of a tensor that have an initializer of their own. */
#include "formats/tensor_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/args.h"
#include "formats/tensor_text.h"

enum { TEXT = 512 };

tensor_parts tensor_parts_copy(const tensor_parts *p) {
  tensor_parts copy = *p;
  copy.list = p->count > 0 ? allocate(p->count, sizeof *copy.list) : NULL;
  if (p->count > 0) memcpy(copy.list, p->list, p->count * sizeof *copy.list);
  return copy;
}

void tensor_parts_free(tensor_parts *p) {
  free(p->list);
  *p = (tensor_parts){0};
}

/* ---- The form of the JSON ---------------------------------------------------------------------------------------- */

/* A range, which is a text, or a whole number for one coordinate. */
typedef struct range_entry {
  const char *text; /* the file's, or `number` */
  char number[32];
} range_entry;

/* One part, as it is written. */
typedef struct part_entry {
  range_entry range;
  const char *init;
  int dimension;
} part_entry;

static int read_range_entry(const json_check *in, const char *where, const json_t *value, void *to) {
  range_entry *out = to;
  if (json_is_integer(value)) {
    snprintf(out->number, sizeof out->number, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    out->text = out->number;
    return STATUS_OK;
  }
  if (json_is_string(value)) return json_read_text(in, where, value, &out->text);
  return json_complain(in, where, "is %s, but must be a text as \"1/4..2/4\", or a whole number",
                       json_type_text(value));
}

static int read_dimension(const json_check *in, const char *where, const json_t *value, void *to) {
  const int status = json_check_type(in, where, value, JSON_INTEGER);
  if (status != STATUS_OK) return status;
  const json_int_t dimension = json_integer_value(value);
  if (dimension < 0 || dimension >= FANIN_MAX_RANK) {
    return json_complain(in, where, "is %" PRId64 ", but must be from 0 to %d", (int64_t)dimension, FANIN_MAX_RANK - 1);
  }
  *(int *)to = (int)dimension;
  return STATUS_OK;
}

static int read_entry(const json_check *in, const char *where, json_t *object, part_entry *out) {
  const json_field fields[] = {{"range", read_range_entry, &out->range, "a 'range', as in \"1/4..2/4\""},
                               {"init", init_text_read, &out->init, "an 'init'"},
                               {"dimension", read_dimension, &out->dimension, NULL},
                               {"comment", json_read_comment, NULL, NULL},
                               {0}};
  *out = (part_entry){.dimension = 0};
  return json_read(in, where, object, fields);
}

int tensor_parts_read(const json_check *in, const char *where, const json_t *value, void *to) {
  char inner[JSON_WHERE];
  part_entry unused;
  int status = json_check_type(in, where, value, JSON_ARRAY);
  if (status == STATUS_OK && json_array_size(value) == 0) status = json_complain(in, where, "is empty");
  for (size_t i = 0; status == STATUS_OK && i < json_array_size(value); ++i) {
    snprintf(inner, sizeof inner, "%.400s[%zu]", where, i);
    status = read_entry(in, inner, json_array_get(value, i), &unused);
  }
  *(const json_t **)to = value;
  return status;
}

/* ---- Ranges ------------------------------------------------------------------------------------------------------ */

/* A range that is being read, for its sentences. */
typedef struct range_text {
  const char *where, *text; /* "m.json: tensors[1] ('w'): parts[0].range", "1/4..2/4" */
  int dimension;
  uint64_t extent;
  failure *why;
} range_text;

static int __attribute__((format(printf, 2, 3))) complain(const range_text *r, const char *format, ...) {
  char what[TEXT];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(what, sizeof what, format, arguments);
  va_end(arguments);
  return fail(r->why, STATUS_INPUT, "%.600s '%.64s': %s", r->where, r->text, what);
}

static int not_a_range(const range_text *r) {
  return complain(r, "write FIRST..END, the coordinates from FIRST on and before END, as in 0..4, -4.. or 1/4..2/4; or "
                     "one coordinate, as in 0 or -1");
}

/* Whether a text is a number with a fraction or an exponent, as the value of an expression may be. */
static bool is_not_whole(const char *text, size_t length) {
  char *end;
  const bool negative = length > 0 && text[0] == '-';
  const bool number = strspn(text + negative, "0123456789") > 0 && strspn(text, "0123456789.e+-") >= length;
  if (!number || strcspn(text, ".e") >= length) return false;
  (void)strtod(text, &end);
  return end == text + length;
}

/* A coordinate, -1 for the last, or a fraction of the extent. At most the extent. */
static int read_end(const range_text *r, const char *text, size_t length, uint64_t *out) {
  const bool negative = length > 0 && text[0] == '-';
  const char *number = text + negative, *slash = memchr(text, '/', length);
  const size_t digits = length - negative;
  uint64_t value, whole;
  if (is_not_whole(text, length)) return complain(r, "%.*s must be a whole number, in digits alone", (int)length, text);
  if (slash) {
    const size_t before = (size_t)(slash - text);
    if (!args_u64(text, before, &value) || !args_u64(slash + 1, length - before - 1, &whole) || whole == 0) {
      return not_a_range(r);
    }
    if (r->extent % whole != 0) {
      return complain(r, "dimension %d has the extent %" PRIu64 ", which cannot be divided by %" PRIu64, r->dimension,
                      r->extent, whole);
    }
    if (value > whole) return complain(r, "%.*s is more than 1", (int)length, text);
    *out = r->extent / whole * value;
    return STATUS_OK;
  }
  if (!args_u64(number, digits, &value)) return not_a_range(r);
  if (value > r->extent) {
    return complain(r, "%.*s is outside of dimension %d, whose extent is %" PRIu64, (int)length, text, r->dimension,
                    r->extent);
  }
  *out = negative ? r->extent - value : value;
  return STATUS_OK;
}

static int read_range(const range_text *r, tensor_part *out) {
  const char *dots = strstr(r->text, "..");
  out->first = 0;
  out->end = r->extent;
  if (!dots) {
    if (strchr(r->text, '/')) return not_a_range(r);
    const int status = read_end(r, r->text, strlen(r->text), &out->first);
    out->end = out->first + 1;
    if (status != STATUS_OK || out->first < r->extent) return status;
    return complain(r, "is outside of dimension %d, whose extent is %" PRIu64, r->dimension, r->extent);
  }
  const size_t before = (size_t)(dots - r->text), behind = strlen(dots + 2);
  int status = STATUS_OK;
  if (before > 0) status = read_end(r, r->text, before, &out->first);
  if (status == STATUS_OK && behind > 0) status = read_end(r, dots + 2, behind, &out->end);
  if (status != STATUS_OK || out->first < out->end) return status;
  return complain(r, "is empty: it goes from %" PRIu64 " to before %" PRIu64, out->first, out->end);
}

/* ---- Parts of a tensor ------------------------------------------------------------------------------------------- */

static int expand(const part_texts *texts, const char *text, bool whole, const char *where, char out[TEXT],
                  failure *why) {
  if (texts->expand) return texts->expand(texts->state, text, whole, where, out, TEXT, why);
  if (snprintf(out, TEXT, "%s", text) < TEXT) return STATUS_OK;
  return fail(why, STATUS_INPUT, "%s: '%.64s...' is too long", where, text);
}

static int make_part(const part_entry *e, const fanin_tensor *t, const part_texts *texts, const char *where,
                     tensor_part *out, failure *why) {
  char range[TEXT], init[TEXT], place[JSON_WHERE + TEXT];
  if (e->dimension >= t->rank) {
    return fail(why, STATUS_INPUT, "%s: lies along dimension %d, and the tensor has %d", where, e->dimension, t->rank);
  }
  snprintf(place, sizeof place, "%s.range", where);
  int status = expand(texts, e->range.text, true, place, range, why);
  if (status == STATUS_OK) {
    status = read_range(&(range_text){place, range, e->dimension, t->shape[e->dimension], why}, out);
  }
  snprintf(place, sizeof place, "%s.init", where);
  if (status == STATUS_OK) status = expand(texts, e->init, false, place, init, why);
  return status == STATUS_OK ? init_text_parse(init, texts->fans, &out->init, place, why) : status;
}

static int by_first(const void *left, const void *right) {
  const tensor_part *l = left, *r = right;
  return (l->first > r->first) - (l->first < r->first);
}

static int check_apart(const tensor_parts *p, const char *where, failure *why) {
  for (size_t i = 1; i < p->count; ++i) {
    const tensor_part *a = &p->list[i - 1], *b = &p->list[i];
    if (a->end <= b->first) continue;
    return fail(why, STATUS_INPUT,
                "%s: parts: %" PRIu64 "..%" PRIu64 " and %" PRIu64 "..%" PRIu64 " overlap; each element has one "
                "initializer",
                where, a->first, a->end, b->first, b->end);
  }
  return STATUS_OK;
}

int tensor_parts_make(const json_t *array, const fanin_tensor *t, const part_texts *texts, const char *where,
                      tensor_parts *out, failure *why) {
  const json_check in = {"", why}; /* has been checked */
  char place[JSON_WHERE + 64];
  const size_t count = json_array_size(array);
  int status = STATUS_OK;
  *out = (tensor_parts){.list = allocate(count, sizeof *out->list)};
  for (size_t i = 0; status == STATUS_OK && i < count; ++i) {
    part_entry e;
    snprintf(place, sizeof place, "%.500s: parts[%zu]", where, i);
    status = read_entry(&in, place, json_array_get(array, i), &e);
    if (status == STATUS_OK && i > 0 && e.dimension != out->dimension) {
      status = fail(why, STATUS_INPUT,
                    "%s: lies along dimension %d, and those before it along dimension %d, so that they overlap", place,
                    e.dimension, out->dimension);
    }
    if (status != STATUS_OK) break;
    out->dimension = e.dimension;
    status = make_part(&e, t, texts, place, &out->list[out->count++], why);
  }
  if (status != STATUS_OK) return status;
  qsort(out->list, count, sizeof *out->list, by_first);
  return check_apart(out, where, why);
}

bool tensor_parts_next(const tensor_parts *p, const fanin_tensor *t, const fanin_init *own, tensor_region *r) {
  uint64_t start[FANIN_MAX_RANK] = {0}, extent[FANIN_MAX_RANK] = {0};
  if (p->count == 0) {
    const bool first = r->init == NULL;
    *r = (tensor_region){.where = *t, .init = own, .end = t->rank > 0 ? t->shape[0] : 1};
    return first;
  }
  const uint64_t all = t->shape[p->dimension];
  const tensor_part *next = r->next < p->count ? &p->list[r->next] : NULL;
  const bool inside = next && next->first == r->end;
  if (r->end == all) return false;
  r->first = r->end;
  r->end = inside ? next->end : next ? next->first : all;
  r->init = inside ? &next->init : own;
  r->next += inside;
  memcpy(extent, t->shape, sizeof extent);
  start[p->dimension] = r->first;
  extent[p->dimension] = r->end - r->first;
  fanin_tensor_slab(t, start, extent, &r->where); /* a part of what was checked cannot fail */
  return true;
}

/* ---- As text ----------------------------------------------------------------------------------------------------- */

json_t *tensor_parts_json(const tensor_parts *p, const fanin_tensor *t, const fanin_init *own) {
  char text[TEXT];
  json_t *array = json_array();
  tensor_region r = {.init = NULL};
  while (tensor_parts_next(p, t, own, &r)) {
    json_t *o = json_object();
    snprintf(text, sizeof text, "%" PRIu64 "..%" PRIu64, r.first, r.end);
    json_object_set_new(o, "range", json_string(text));
    if (p->dimension > 0) json_object_set_new(o, "dimension", json_integer(p->dimension));
    fanin_init_format(r.init, text, sizeof text, NULL);
    json_object_set_new(o, "init", json_string(text));
    json_array_append_new(array, o);
  }
  return array;
}

char *tensor_parts_text(const tensor_parts *p, const fanin_init *own, char *out, size_t size) {
  static const char more[] = "; ...";
  char one[TEXT], init[TEXT], along[32] = "";
  size_t used = 0;
  out[0] = '\0';
  if (own) fanin_init_format(own, out, size, NULL);
  if (p->dimension > 0) snprintf(along, sizeof along, " of dimension %d", p->dimension);
  for (size_t i = 0; i < p->count; ++i) {
    const tensor_part *part = &p->list[i];
    used = strlen(out);
    fanin_init_format(&part->init, init, sizeof init, NULL);
    const size_t length = (size_t)snprintf(one, sizeof one, "%s%" PRIu64 "..%" PRIu64 "%s: %.400s", used ? "; " : "",
                                           part->first, part->end, along, init);
    const bool fits = used + length + sizeof more <= size;
    snprintf(out + used, size - used, "%s", fits ? one : more);
    if (!fits) break;
  }
  return out;
}
