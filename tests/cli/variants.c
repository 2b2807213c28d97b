/* Safetensors files by number: whole ones, and ones with one or two faults. */
#include "variants.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/support.h"

static uint64_t below(uint64_t *random, uint64_t n) {
  return test_random_below(random, n);
}

#define SET(field, ...)    snprintf(field, sizeof(field), __VA_ARGS__)
#define ADD(field, ...)    snprintf((field) + strlen(field), sizeof(field) - strlen(field), __VA_ARGS__)
#define ANY_OF(list)       (list)[below(random, sizeof(list) / sizeof *(list))]
#define ANY_ENTRY(variant) (&(variant)->entries[below(random, (variant)->n)])

/* ---- A good file ------------------------------------------------------------------------------------------------- */

static const struct {
  const char *name;
  unsigned bits;
} types[] = {{"F32", 32},    {"F16", 16},    {"BF16", 16},       {"F64", 64},       {"BOOL", 8}, {"I64", 64},
             {"U16", 16},    {"U8", 8},      {"I8", 8},          {"U32", 32},       {"C64", 64}, {"F4", 4},
             {"F8_E4M3", 8}, {"F6_E2M3", 6}, {"F6_E3M2", 6},     {"I16", 16},       {"I32", 32}, {"U64", 64},
             {"F8_E5M2", 8}, {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8}, {"F8_E5M2FNUZ", 8}};

static void make_entry(entry *e, size_t number, uint64_t *at, uint64_t *random) {
  const size_t type = below(random, sizeof types / sizeof *types);
  const int rank = (int)below(random, 5);
  uint64_t elements = 1;
  size_t used = 0;
  *e = (entry){.more = ""};
  for (int d = 0; d < rank; d++) {
    const uint64_t extent = below(random, 12) == 0 ? 0 : 1 + below(random, 4);
    elements *= extent;
    used += (size_t)snprintf(e->shape + used, sizeof e->shape - used, "%s%" PRIu64, d > 0 ? "," : "[", extent);
  }
  snprintf(e->shape + used, sizeof e->shape - used, rank > 0 ? "]" : "[]");
  const uint64_t bytes = elements * types[type].bits / 8; /* of some F4 and F6 not whole ones: no good file then */
  SET(e->name, "tensor.%zu", number);
  SET(e->dtype, "\"%s\"", types[type].name);
  SET(e->begin, "%" PRIu64, *at);
  SET(e->end, "%" PRIu64, *at + bytes);
  *at += bytes;
}

static void make_good(variant *v, uint64_t *random) {
  static const char *const metadata[] = {"", "", "\"__metadata__\":{},",
                                         "\"__metadata__\":{\"format\":\"pt\",\"a\":\"\"},"};
  *v = (variant){.n = 1 + below(random, MOST_TENSORS)};
  for (size_t k = 0; k < v->n; k++)
    make_entry(&v->entries[k], k, &v->data, random);
  for (size_t k = v->n; k > 1; k--) { /* written in any order */
    const size_t other = below(random, k);
    const entry last = v->entries[k - 1];
    v->entries[k - 1] = v->entries[other];
    v->entries[other] = last;
  }
  SET(v->metadata, "%s", ANY_OF(metadata));
  SET(v->after, "%.*s", (int)below(random, 8), "        ");
}

/* ---- What breaks it, or may -------------------------------------------------------------------------------------- */

static void cut(variant *v, uint64_t *random) {
  v->longer = -(int64_t)below(random, 400);
}
static void lengthen(variant *v, uint64_t *random) {
  v->longer = 1 + (int64_t)below(random, 9);
}
static void other_length(variant *v, uint64_t *random) {
  static const uint64_t by[] = {
      1, 8, UINT64_MAX, UINT64_MAX - 7, 100000000, UINT64_C(1) << 32, UINT64_C(1) << 63, 0xffffffffffffff00};
  v->length = ANY_OF(by);
}
static void move(variant *v, uint64_t *random) {
  entry *const e = ANY_ENTRY(v);
  const long long by = (long long)below(random, 9) - 4;
  SET(e->begin, "%lld", strtoll(e->begin, NULL, 10) + by);
  SET(e->end, "%lld", strtoll(e->end, NULL, 10) + by);
}
static void stretch(variant *v, uint64_t *random) {
  entry *const e = ANY_ENTRY(v);
  char *const which = below(random, 2) ? e->begin : e->end;
  snprintf(which, sizeof e->begin, "%lld", strtoll(which, NULL, 10) + (long long)below(random, 9) - 4);
}
static void swap_offsets(variant *v, uint64_t *random) {
  entry *const e = ANY_ENTRY(v), copy = *e;
  SET(e->begin, "%s", copy.end);
  SET(e->end, "%s", copy.begin);
}
static void odd_number(char *out, size_t size, uint64_t *random) {
  static const char *const odd[] = {"-1",
                                    "-0",
                                    "1.0",
                                    "1e0",
                                    "0.5",
                                    "01",
                                    "+1",
                                    "null",
                                    "true",
                                    "\"1\"",
                                    "[1]",
                                    "{}",
                                    "",
                                    "4294967296",
                                    "9223372036854775807",
                                    "9223372036854775808",
                                    "18446744073709551615",
                                    "18446744073709551616",
                                    "1e400",
                                    "NaN",
                                    "0x1"};
  snprintf(out, size, "%s", ANY_OF(odd));
}
static void odd_offset(variant *v, uint64_t *random) {
  entry *const e = ANY_ENTRY(v);
  odd_number(below(random, 2) ? e->begin : e->end, sizeof e->begin, random);
}
static void odd_extent(variant *v, uint64_t *random) {
  entry *const e = ANY_ENTRY(v);
  char number[32];
  odd_number(number, sizeof number, random);
  SET(e->shape, below(random, 2) ? "[%s]" : "[2,%s]", number);
}
static void huge_shape(variant *v, uint64_t *random) {
  static const char *const shapes[] = {"[4294967296,4294967296]",   "[4294967296,4294967296,0]",
                                       "[0,4294967296,4294967296]", "[0,9223372036854775807,9223372036854775807]",
                                       "[2305843009213693952]",     "[2305843009213693951]",
                                       "[65536,65536,65536,65536]", "[3,6148914691236517206]"};
  entry *const e = ANY_ENTRY(v);
  SET(e->shape, "%s", ANY_OF(shapes));
}
static void many_ones(variant *v, uint64_t *random) { /* the rank may be anything */
  entry *const e = ANY_ENTRY(v);
  const entry copy = *e;
  const size_t ones = 1 + below(random, 70);
  SET(e->shape, "[");
  for (size_t k = 0; k < ones; k++)
    ADD(e->shape, "%s", "1,");
  if (copy.shape[1] == ']') e->shape[strlen(e->shape) - 1] = '\0';
  ADD(e->shape, "%s", copy.shape + 1);
}
static void other_shape(variant *v, uint64_t *random) {
  static const char *const shapes[] = {"[]", "[0]", "[3,3]", "{}", "null", "7", "\"[3]\"", "[[3]]", "[3,]"};
  entry *const e = ANY_ENTRY(v);
  SET(e->shape, "%s", ANY_OF(shapes));
}
static void other_dtype(variant *v, uint64_t *random) {
  static const char *const dtypes[] = {"\"f32\"",       "\"F31\"",       "\"\"",           "32",         "null",
                                       "[\"F32\"]",     "\"F32 \"",      "\"F32\\u0000\"", "\"I4\"",     "\"C128\"",
                                       "\"F8_E4M3FN\"", "\"\\u004632\"", "\"F8_E8M0\"",    "\"F8_E5M2\""};
  entry *const e = ANY_ENTRY(v);
  SET(e->dtype, "%s", ANY_OF(dtypes));
}
static void fewer_fields(variant *v, uint64_t *random) {
  entry *const e = ANY_ENTRY(v);
  *(below(random, 2) ? &e->no_dtype : &e->no_shape) = true;
}
static void more_fields(variant *v, uint64_t *random) {
  static const char *const fields[] = {
      ",\"x\":1", ",\"dtype\":\"F32\"", ",\"shape\":[1]", ",\"data_offsets\":[0,4]", ",\"x\":{\"dtype\":1}",
      ",",        ",\"\":null"};
  entry *const e = ANY_ENTRY(v);
  SET(e->more, "%s", ANY_OF(fields));
}
static void same_name(variant *v, uint64_t *random) {
  if (v->n < 2) return;
  memcpy(v->entries[0].name, v->entries[1 + below(random, v->n - 1)].name, sizeof v->entries[0].name);
}
static void twice(variant *v, uint64_t *random) {
  v->entries[v->n] = *ANY_ENTRY(v);
  v->n++;
}
static void odd_name(variant *v, uint64_t *random) {
  static const char *const names[] = {"",
                                      "\xff",
                                      "\xc3\xa9",
                                      "\xc3",
                                      "\xed\xa0\x80",
                                      "\\ud800",
                                      "\\ud83d\\ude00",
                                      "a\\u0000b",
                                      "a\nb",
                                      "a\\nb",
                                      "a\tb",
                                      "\x7f",
                                      "\\x41",
                                      "a\"b",
                                      "__metadata__",
                                      "\\u005f_metadata__",
                                      "\xf4\x90\x80\x80",
                                      "\xc0\x80",
                                      "\xef\xbf\xbf"};
  entry *const e = ANY_ENTRY(v);
  SET(e->name, "%s", ANY_OF(names));
}
static void other_metadata(variant *v, uint64_t *random) {
  static const char *const metadata[] = {"\"__metadata__\":[],",
                                         "\"__metadata__\":null,",
                                         "\"__metadata__\":{\"a\":1},",
                                         "\"__metadata__\":{\"a\":null},",
                                         "\"__metadata__\":{\"a\":{}},",
                                         "\"__metadata__\":\"a\",",
                                         "\"__metadata__\":{\"a\":\"\\u0000\"},",
                                         "\"__metadata__\":{\"a\":\"b\",\"a\":\"b\"},",
                                         "\"__metadata__\":{\"a\":\"\xff\"},",
                                         "\"__metadata__\":{},\"__metadata__\":{},",
                                         "\"__metadata__\":{\"\":\"\"},"};
  SET(v->metadata, "%s", ANY_OF(metadata));
}
static void deep(variant *v, uint64_t *random) {
  const size_t levels = below(random, 2) ? 100 + below(random, 60) : 2000 + below(random, 100);
  SET(v->metadata, "\"deep\":");
  for (size_t k = 0; k < levels; k++)
    ADD(v->metadata, "%s", "[");
  for (size_t k = 0; k < levels; k++)
    ADD(v->metadata, "%s", "]");
  ADD(v->metadata, "%s", ",");
}
static void padding(variant *v, uint64_t *random) {
  static const char *const ends[] = {"\t\r\n ", "}", ",", "\v", "x", "{}", "//", " \xc2\xa0"};
  static const char *const begins[] = {" ", "\n", "\xef\xbb\xbf", "[", "/**/"};
  if (below(random, 3) == 0)
    SET(v->before, "%s", ANY_OF(begins));
  else
    SET(v->after, "%s", ANY_OF(ends));
}
/* NULL: none. */
static void (*const mutations[])(variant *, uint64_t *) = {
    cut,        lengthen,       other_length, move,        stretch,      swap_offsets, odd_offset, odd_extent,
    huge_shape, many_ones,      other_shape,  other_dtype, fewer_fields, more_fields,  same_name,  twice,
    odd_name,   other_metadata, deep,         padding,     NULL,         NULL};

/* Of the finished bytes, in header or length. */
static void mutate_byte(variant *v, uint64_t *random) {
  static const unsigned char liked[] = "\"{}[],:0123456789\\ \0\xff";
  const size_t header = v->size - v->data, at = below(random, header);
  const unsigned char byte = below(random, 2) ? liked[below(random, sizeof liked)] : (unsigned char)below(random, 256);
  switch (below(random, 3)) {
  case 0:
    v->bytes[at] = byte;
    return;
  case 1:
    memmove(v->bytes + at, v->bytes + at + 1, v->size - at - 1);
    v->size--;
    return;
  default:
    memmove(v->bytes + at + 1, v->bytes + at, v->size - at);
    v->bytes[at] = byte;
    v->size++;
  }
}

/* ---- The file ---------------------------------------------------------------------------------------------------- */

static void append(variant *v, const char *text) {
  const size_t n = strlen(text);
  assert_true(v->size + n < ROOM / 2);
  memcpy(v->bytes + v->size, text, n);
  v->size += n;
}

static void append_entry(variant *v, const entry *e, uint64_t *random) {
  char fields[3][640] = {"", "", ""};
  const size_t first = below(random, 3);
  if (!e->no_dtype) SET(fields[0], "\"dtype\":%s", e->dtype);
  if (!e->no_shape) SET(fields[1], "\"shape\":%s", e->shape);
  SET(fields[2], "\"data_offsets\":[%s,%s]", e->begin, e->end);
  append(v, "\"");
  append(v, e->name);
  append(v, "\":{");
  const char *separator = "";
  for (size_t k = 0; k < 3; k++) {
    const char *const field = fields[(first + k) % 3];
    if (!*field) continue;
    append(v, separator);
    append(v, field);
    separator = ",";
  }
  append(v, e->more);
  append(v, "}");
}

static void write_bytes(variant *v, uint64_t *random) {
  v->size = PREFIX;
  append(v, v->before);
  append(v, "{");
  append(v, v->metadata);
  for (size_t k = 0; k < v->n; k++) {
    if (k > 0) append(v, ",");
    append_entry(v, &v->entries[k], random);
  }
  append(v, "}");
  append(v, v->after);
  const uint64_t length = v->size - PREFIX + v->length;
  for (int k = 0; k < PREFIX; k++)
    v->bytes[k] = (unsigned char)(length >> (8 * k));
  assert_true(v->size + v->data < ROOM);
  for (uint64_t k = 0; k < v->data; k++)
    v->bytes[v->size++] = (unsigned char)k;
}

void make_variant(variant *v, size_t number) {
  uint64_t state = 0x5afe7e50000 + number, *const random = &state;
  make_good(v, random);
  const size_t faults = number % 8 == 0 ? 0 : 1 + below(random, 2);
  const bool of_bytes = number % 8 == 1;
  for (size_t k = 0; k < faults && !of_bytes; k++) {
    void (*const mutate)(variant *, uint64_t *) = ANY_OF(mutations);
    if (mutate) mutate(v, random);
  }
  write_bytes(v, random);
  for (size_t k = 0; k < faults && of_bytes; k++)
    mutate_byte(v, random);
  if (v->longer < 0) v->size -= (uint64_t)-v->longer < v->size ? (size_t)-v->longer : v->size;
  for (int64_t k = 0; k < v->longer; k++)
    v->bytes[v->size++] = 0;
}
