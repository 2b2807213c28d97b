/* share/data/stream-v1.json: digests of stream v1, made by the plain-C oracle alone; no device has a part in it. The
 * test makes the file again and compares. With FANIN_RECORD=1 in the environment it writes the file first, which is
 * only right where something was added: what is there is frozen. docs/stream.md, section 7, describes the file. */
#include "support/support.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fill/fill.h"
#include "oracle/image.h"

#define SEED UINT64_C(0x0123456789abcdef)

enum { MOST_TEXT = 1 << 20, FIRST_VALUES = 8, MOST_LAWS = 256 };

/* ---- What there is a digest of ----------------------------------------------------------------------------------- */

/* A tensor, and what is filled of it. Sizes are odd and extents differ. */
typedef struct place {
  const char *layout;
  uint32_t groups, splits;
  int rank;
  uint64_t shape[FANIN_MAX_RANK];
  fanin_part part;
  uint64_t first, count, start[FANIN_MAX_RANK], extent[FANIN_MAX_RANK];
} place;

/* Which kinds a place is for. */
enum { VECTOR = 3, LARGE_VECTOR, STACK = 10, TALL, WIDE, EVEN, EVEN_SLAB, EVEN_STACK, FAR };
static const place places[] = {
    {"OI", 1, 1, 2, {37, 29}, FANIN_PART_WHOLE, 0, 0, {0}, {0}},
    {"OI", 1, 1, 2, {37, 29}, FANIN_PART_RANGE, 357, 599, {0}, {0}},
    {"OI", 1, 1, 2, {37, 29}, FANIN_PART_SLAB, 0, 0, {9, 7}, {23, 17}},
    {"", 1, 1, 1, {1009}, FANIN_PART_WHOLE, 0, 0, {0}, {0}},
    {"", 1, 1, 1, {UINT64_C(2305843009213693951)}, FANIN_PART_RANGE, UINT64_C(1152921504606846979), 677, {0}, {0}},
    {"HWIO", 1, 1, 4, {3, 5, 7, 11}, FANIN_PART_WHOLE, 0, 0, {0}, {0}},
    {"HWIO", 1, 1, 4, {3, 5, 7, 11}, FANIN_PART_SLAB, 0, 0, {0, 1, 2, 3}, {3, 3, 5, 7}},
    {"OIHW", 3, 1, 4, {9, 5, 3, 3}, FANIN_PART_WHOLE, 0, 0, {0}, {0}},
    {"IOHW", 2, 1, 4, {6, 5, 4, 3}, FANIN_PART_RANGE, 101, 203, {0}, {0}},
    {"OI", 1, 3, 2, {33, 13}, FANIN_PART_WHOLE, 0, 0, {0}, {0}},
    {"BOI", 1, 1, 3, {UINT64_C(70000000001), 5, 3}, FANIN_PART_RANGE, UINT64_C(350000000012), 509, {0}, {0}},
    {"OI", 1, 1, 2, {150, 131}, FANIN_PART_WHOLE, 0, 0, {0}, {0}},
    {"IO", 1, 1, 2, {270, 133}, FANIN_PART_WHOLE, 0, 0, {0}, {0}},
    {"", 1, 1, 2, {61, 26}, FANIN_PART_WHOLE, 0, 0, {0}, {0}},
    {"OI", 1, 1, 2, {61, 26}, FANIN_PART_SLAB, 0, 0, {7, 3}, {31, 20}},
    {"", 1, 1, 3, {5, 61, 26}, FANIN_PART_RANGE, 1400, 999, {0}, {0}},
    {"", 1, 1, 2, {UINT64_C(4000000007), 34}, FANIN_PART_RANGE, UINT64_C(120000000123), 509, {0}, {0}},
};
enum { PLACES = sizeof places / sizeof *places };

/* Texts, and for which places; -1 ends the list. Gains are numbers, so that nobody needs quadratures for them. */
typedef struct subject {
  const char *init;
  int places[PLACES + 1];
} subject;

#define VALUES                                                                                                         \
  { 1, 2, VECTOR, LARGE_VECTOR, -1 }
#define SOME                                                                                                           \
  { 2, LARGE_VECTOR, -1 }
#define FANS                                                                                                           \
  { 0, 8, STACK, -1 }
#define MATRICES                                                                                                       \
  { 0, 1, 2, 9, STACK, -1 }
#define TAPS                                                                                                           \
  { 5, 6, 7, 8, -1 }
#define LINES                                                                                                          \
  { 0, 1, 2, 6, 7, 8, 9, -1 }
#define COLUMNS                                                                                                        \
  { 0, 2, VECTOR, STACK, EVEN_STACK, -1 }
#define POSITIONS                                                                                                      \
  { EVEN, EVEN_SLAB, EVEN_STACK, FAR, -1 }
#define SOME_RAMPS                                                                                                     \
  { 0, VECTOR, -1 }
static const subject subjects[] = {
    {"zeros", {1, -1}},
    {"ones", {2, -1}},
    {"constant:value=0.1", VALUES},
    {"constant:value=-0.1252447813749313", {2, -1}},
    {"uniform", VALUES},
    {"uniform:lo=-0.3,hi=0.7", VALUES},
    {"uniform:lo=-3e-7,hi=1e-6", SOME},
    {"uniform:lo=100.1,hi=100.9", SOME},
    {"uniform:lo=-400,hi=448", SOME},
    {"normal", VALUES},
    {"normal:mean=0.5,std=0.02", VALUES},
    {"normal:std=2e-6", SOME},
    {"normal:mean=-40,std=60", SOME},
    {"trunc_normal", VALUES},
    {"trunc_normal:std=0.02,corrected=false", SOME},
    {"trunc_normal:a=-0.5,b=3", SOME},
    {"trunc_normal:a=2.5,b=5,corrected=false", SOME},
    {"trunc_normal:a=-5,b=-3,corrected=false", SOME},
    {"trunc_normal:a=-inf,b=-1", SOME},
    {"trunc_normal:a=40,b=41,corrected=false", SOME},
    {"trunc_normal:a=-8,b=8,corrected=false", SOME},
    {"trunc_normal:mean=0.01,std=0.02,a=-0.05,b=0.03,bounds=absolute,corrected=false", SOME},
    {"log_uniform", VALUES},
    {"log_uniform:lo=1e-3,hi=0.1,floor=1e-4,inverse_softplus=true", VALUES},
    {"log_uniform:lo=0.5,hi=5,inverse_softplus=true", SOME},
    {"log_uniform:lo=1e-30,hi=1e30", SOME},
    {"xavier_uniform", FANS},
    {"xavier_normal:gain=0.7", FANS},
    {"he_uniform:a=0.2,mode=fan_out", FANS},
    {"he_normal", FANS},
    {"lecun_uniform", FANS},
    {"lecun_normal:distribution=trunc_normal", FANS},
    {"variance_scaling:scale=0.5,mode=fan_avg", FANS},
    {"identity", MATRICES},
    {"identity:gain=0.1", {0, -1}},
    {"dirac", TAPS},
    {"dirac:gain=-0.3", {5, -1}},
    {"sparse", LINES},
    {"sparse:per=output,connections=2,std=1", LINES},
    {"bilinear", TAPS},
    {"bilinear:gain=2", {5, -1}},
    {"hadamard", MATRICES},
    {"hadamard:gain=0.3", {5, 7, 9, -1}},
    {"orthogonal", {0, 1, 2, 5, 7, 9, TALL, WIDE, -1}},
    {"orthogonal:gain=0.3", {8, -1}},
    {"delta_orthogonal", {5, 6, -1}},
    {"s4d_real", COLUMNS},
    {"s4d_real:gain=-0.3", {0, -1}},
    {"sinusoidal", POSITIONS},
    {"sinusoidal:form=halves", POSITIONS},
    {"sinusoidal:form=tensor2tensor", POSITIONS},
    {"sinusoidal:base=1e18,gain=0.7", {EVEN, -1}},
    {"inv_freq", COLUMNS},
    {"inv_freq:base=500000", COLUMNS},
    {"inv_freq:base=3.7,gain=0.3", {0, -1}},
    {"alibi", COLUMNS},
    {"ramp", {1, 2, VECTOR, EVEN_STACK, -1}},
    {"ramp:lo=-5,hi=3,exponent=1.3", SOME_RAMPS},
    {"ramp:lo=1,hi=0,exponent=0.05,half_open=true", SOME_RAMPS},
    {"ramp:lo=-5.5,hi=0.5,exponent=2,zigzag=2.5,period=13,zigzag_exponent=2", SOME_RAMPS},
    {"ramp:lo=0,hi=0,zigzag=0.1,shift=1,gain=-0.3", SOME_RAMPS},
};

/* ---- The text of the file ---------------------------------------------------------------------------------------- */

typedef struct text {
  char *at;
  size_t used;
} text;

static void say(text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(text *t, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int length = vsnprintf(t->at + t->used, MOST_TEXT - t->used, format, arguments);
  va_end(arguments);
  assert_true(length >= 0 && t->used + (size_t)length < MOST_TEXT);
  t->used += (size_t)length;
}

static void say_numbers(text *t, const char *name, const uint64_t *numbers, int n) {
  say(t, ", \"%s\": [", name);
  for (int d = 0; d < n; d++) {
    say(t, "%s%" PRIu64, d > 0 ? ", " : "", numbers[d]);
  }
  say(t, "]");
}

/* Every tensor has random numbers of its own. */
static fanin_key key_of(size_t p) {
  return (fanin_key){SEED, UINT64_C(0x9e3779b97f4a7c15) * (p + 1)};
}

static void say_places(text *t) {
  static const char *const parts[] = {"whole", "slab", "range"};
  say(t, "\"tensors\": [\n");
  for (size_t p = 0; p < PLACES; p++) {
    const place *const at = &places[p];
    const int n = at->part == FANIN_PART_SLAB ? at->rank : 0;
    say(t, "{\"layout\": \"%s\", \"groups\": %u, \"splits\": %u", at->layout, at->groups, at->splits);
    say_numbers(t, "shape", at->shape, at->rank);
    say(t, ", \"part\": \"%s\", \"first\": %" PRIu64 ", \"count\": %" PRIu64, parts[at->part], at->first, at->count);
    say_numbers(t, "start", at->start, n);
    say_numbers(t, "extent", at->extent, n);
    say(t, ", \"stream\": \"%016" PRIx64 "\"}%s\n", key_of(p).stream, p + 1 < PLACES ? "," : "");
  }
  say(t, "],\n");
}

static void say_table(text *t, const fanin__tabulated *table) {
  static const char *const forms[] = {"interleaved", "halves", "tensor2tensor"};
  fanin_description about;
  assert_ok(fanin_describe(table->kind, &about, sizeof about));
  say(t, ", \"kind\": \"%s\", \"base\": \"%a\", \"form\": \"%s\"", about.name, table->base, forms[table->form]);
  const fanin__ramp *const r = &table->ramp;
  if (table->kind != FANIN_KIND_RAMP) return;
  say(t, ", \"lo\": \"%a\", \"hi\": \"%a\", \"exponent\": \"%a\"", r->lo, r->hi, r->exponent);
  say(t, ", \"zigzag\": \"%a\", \"zigzag_exponent\": \"%a\"", r->zigzag, r->zigzag_exponent);
  say(t, ", \"period\": %" PRIu64 ", \"shift\": %" PRIu64, r->period, r->shift);
  say(t, ", \"half_open\": %s", r->half_open ? "true" : "false");
}

/* The numbers of a law, in f64, of which section 4 of docs/stream.md makes values. Some follow from others by functions
 * that round in ways of their own: they are stated, not left to be worked out. */
static void say_law(text *t, const fanin__distribution *d) {
  const oracle_plan p = oracle_plan_of(d, FANIN_DTYPE_F64, &oracle_host_tails);
  fanin_law_description about;
  assert_ok(fanin_describe_law(d->law.kind, &about, sizeof about));
  say(t, "{\"law\": \"%s\"", about.name);
  const struct {
    const char *name;
    double value;
  } numbers[] = {
      {"value", d->law.value}, {"lo", d->law.lo},        {"hi", d->law.hi},      {"mean", d->law.mean},
      {"std", d->law.std},     {"x_middle", p.x_middle}, {"x_half", p.x_half},   {"s_reference", p.s_reference},
      {"low", p.low},          {"high", p.high},         {"width", p.width},     {"middle", p.middle},
      {"half", p.half},        {"rest", p.rest},         {"octaves", p.octaves}, {"whole", p.whole}};
  static const char *const wanted[FANIN_LAW_KIND_COUNT] = {
      [FANIN_LAW_KIND_CONSTANT] = " value ",
      [FANIN_LAW_KIND_UNIFORM] = " lo hi middle half ",
      [FANIN_LAW_KIND_NORMAL] = " mean std ",
      [FANIN_LAW_KIND_TRUNC_NORMAL] = " lo hi mean std x_middle x_half s_reference low high width ",
      [FANIN_LAW_KIND_ONES] = " value ",
      [FANIN_LAW_KIND_SPARSE] = " mean std ",
      [FANIN_LAW_KIND_BILINEAR] = " value ",
      [FANIN_LAW_KIND_HADAMARD] = " value ",
      [FANIN_LAW_KIND_ORTHOGONAL] = " value ",
      [FANIN_LAW_KIND_LOG_UNIFORM] = " lo hi middle half rest octaves whole ",
      [FANIN_LAW_KIND_SOFTPLUS_LOG_UNIFORM] = " lo hi middle half rest octaves whole ",
      [FANIN_LAW_KIND_TABLE] = " value ",
  };
  for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++) {
    char name[32];
    snprintf(name, sizeof name, " %s ", numbers[k].name);
    if (strstr(wanted[d->law.kind], name)) say(t, ", \"%s\": \"%a\"", numbers[k].name, numbers[k].value);
  }
  if (d->law.kind == FANIN_LAW_KIND_SPARSE)
    say(t, ", \"zeros\": %" PRIu64 ", \"per\": \"%s\"", d->zeros, d->per == FANIN_PER_INPUT ? "input" : "output");
  if (d->law.kind == FANIN_LAW_KIND_TABLE) say_table(t, &d->table);
  if (d->law.kind == FANIN_LAW_KIND_ORTHOGONAL) say(t, ", \"taps\": \"%s\"", d->centre ? "centre" : "all");
  say(t, "}");
}

/* The laws that there are, in order, each once. */
typedef struct laws {
  char *texts[MOST_LAWS];
  size_t n;
} laws;

static size_t law_number(laws *all, const fanin__distribution *d) {
  text one = {.at = calloc(1, MOST_TEXT)};
  assert_non_null(one.at);
  say_law(&one, d);
  size_t k = 0;
  while (k < all->n && strcmp(all->texts[k], one.at) != 0)
    k++;
  if (k == all->n) {
    assert_true(all->n < MOST_LAWS);
    all->texts[all->n++] = strdup(one.at);
  }
  free(one.at);
  return k;
}

/* FNV-1a in its 64-bit form. */
static uint64_t digest(const unsigned char *bytes, size_t size) {
  uint64_t hash = 0xcbf29ce484222325;
  for (size_t k = 0; k < size; k++) {
    hash = (hash ^ bytes[k]) * 0x100000001b3;
  }
  return hash;
}

static fanin_tensor tensor_of(const place *at, fanin_dtype dtype) {
  fanin_tensor t = test_tensor_of(NULL, 0, dtype, at->layout, at->rank, at->shape);
  t.groups = at->groups;
  t.splits = at->splits;
  if (at->part == FANIN_PART_RANGE) return test_tensor_range(t, at->first, at->count);
  return at->part == FANIN_PART_SLAB ? test_tensor_slab(t, at->start, at->extent) : t;
}

static void say_check(text *t, const char *init_text, size_t p, fanin_dtype dtype, laws *all) {
  const fanin_tensor tensor = tensor_of(&places[p], dtype);
  const size_t size = fanin_dtype_size(dtype);
  fanin_init init;
  fanin__parameters parameters = {{0}, FANIN__FAMILY_CONSTANT, {0}};
  uint64_t elements = 0, bytes = 0;
  assert_ok(fanin_init_parse(init_text, &init));
  assert_ok(fanin_tensor_size(&tensor, &elements, &bytes));
  const fanin__distribution d = oracle_distribution_of(&tensor, &init);
  if (fanin__filling_of(&d)->parameters(&d, dtype, &parameters) != FANIN_STATUS_OK) return; /* it has no such numbers */
  unsigned char *const memory = calloc(1, (size_t)bytes);
  assert_non_null(memory);
  oracle_image(&tensor, &init, key_of(p), memory);
  say(t, ",\n{\"init\": \"%s\", \"tensor\": %zu, \"law\": %zu, \"dtype\": \"%s\", \"count\": %" PRIu64, init_text, p,
      law_number(all, &d), fanin_dtype_name(dtype), elements);
  say(t, ", \"digest\": \"%016" PRIx64 "\", \"values\": \"", digest(memory, (size_t)bytes));
  for (size_t e = 0; e < FIRST_VALUES && e < elements; e++) {
    uint64_t bits = 0;
    for (size_t k = size; k-- > 0;) {
      bits = bits << 8 | memory[e * size + k];
    }
    say(t, "%s%0*" PRIx64, e > 0 ? " " : "", (int)(2 * size), bits);
  }
  say(t, "\"}");
  free(memory);
}

static text whole_file(void) {
  text t = {.at = calloc(1, MOST_TEXT)}, checks = {.at = calloc(1, MOST_TEXT)};
  laws all = {.n = 0};
  assert_non_null(t.at);
  assert_non_null(checks.at);
  for (size_t s = 0; s < sizeof subjects / sizeof *subjects; s++) {
    for (int dtype = 0; dtype < FANIN_DTYPE_COUNT; dtype++) {
      for (const int *p = subjects[s].places; *p >= 0; p++) {
        say_check(&checks, subjects[s].init, (size_t)*p, (fanin_dtype)dtype, &all);
      }
    }
  }
  say(&t, "{\n\"about\": \"Digests of fanin's stream v1. docs/stream.md, section 7, says what they are of.\",\n");
  say(&t, "\"stream_version\": 1,\n\"seed\": \"%016" PRIx64 "\",\n", SEED);
  say_places(&t);
  say(&t, "\"laws\": [\n");
  for (size_t k = 0; k < all.n; k++) {
    say(&t, "%s%s\n", all.texts[k], k + 1 < all.n ? "," : "");
    free(all.texts[k]);
  }
  say(&t, "],\n\"checks\": [\n%s\n]\n}\n", checks.at + strlen(",\n"));
  free(checks.at);
  return t;
}

/* ---- The test ---------------------------------------------------------------------------------------------------- */

static void path_of(char out[4096]) {
  const char *const source = getenv("SRC");
  snprintf(out, 4096, "%s/share/data/stream-v1.json", source ? source : ".");
}

static void write_file(const text *t) {
  char path[4096];
  path_of(path);
  FILE *const file = fopen(path, "w");
  if (!file) fail_msg("%s cannot be opened", path);
  assert_int_equal(fwrite(t->at, 1, t->used, file), t->used);
  assert_int_equal(fclose(file), 0);
}

static void test_the_file_is_the_oracles(void **state) {
  (void)state;
  text t = whole_file();
  if (getenv("FANIN_RECORD")) write_file(&t);
  char path[4096];
  path_of(path);
  FILE *const file = fopen(path, "r");
  if (!file) fail_msg("%s cannot be opened; set SRC to the project's directory", path);
  char *const content = calloc(1, MOST_TEXT);
  assert_non_null(content);
  const size_t size = fread(content, 1, MOST_TEXT - 1, file);
  fclose(file);
  size_t same = 0, line = 1;
  for (; same < size && same < t.used && content[same] == t.at[same]; same++) {
    line += content[same] == '\n';
  }
  if (size != t.used || same != size) fail_msg("%s: line %zu is not what the oracle makes", path, line);
  free(content);
  free(t.at);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_the_file_is_the_oracles)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
