/* What every initializer wrote before the tree was rebuilt: digests of memory, for each dtype, each of some tensors and
 * four parts of it, at every vector width, by fanin_fill() and by a plan. tests/data/recorded.csv holds them. A
 * difference means that bits have moved.
 *
 * With FANIN_RECORD=1 in the environment this program writes the file anew before it checks it. A new initializer or
 * dtype fails until it is recorded so. */
#include "support/support.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/context.h" /* for f->lanes and f->has_f64 */

#define FILE_NAME "tests/data/recorded.csv"
#define ADVICE    "run 'FANIN_RECORD=1 ./run test recorded', read what 'git diff' says of the file, and commit it"

#define SEED UINT64_C(0x0123456789abcdef)

enum { MOST_SHOWN = 12, PARTS = 4, CELL = 24, MOST_ROWS = 1 << 14, TOGETHER = 48 };

/* What memory holds of a tensor, in the order of the file's columns. */
enum { WHOLE, RANGE, SLAB, STRIDED };
static const char *const part_names[PARTS] = {"whole", "range", "slab", "strided"};

/* One line of the file. A cell is 16 hexadecimal digits of a digest, the name of the status that refuses the fill, or
 * "-" for a tensor that is too large to be filled whole. */
typedef struct recorded {
  char init[96], dtype[8], tensor[48];
  char cells[PARTS][CELL];
} recorded;

typedef struct table {
  recorded *rows;
  size_t n;
} table;

/* ---- What there is to record ------------------------------------------------------------------------------------- */

/* LAYOUT[,groups=N][,splits=N]:SHAPE, as 'fanin init --tensor' takes them. The first FEW are for every text of an
 * initializer, all of them for its name alone. Sizes are odd and extents differ, so that no two axes can be swapped
 * unseen; the fourth and the last tensor have indices of more than 32 bits. */
enum { FEW = 4 };
static const char *const tensors[] = {
    "OI:37x29",
    "HWIO:3x5x7x11",
    "IOHW,groups=2:6x5x4x3",
    "BOI:70000000001x5x3",
    "IO:29x37",
    "IO,splits=3:13x33",
    "OI,splits=3:33x13",
    "OIHW:11x7x3x5",
    "OIHW,groups=3:9x5x3x3",
    "OIDHW:5x3x3x1x2",
    "BOI:3x11x7",
    "BIOW:3x4x9x3",
    "OI:130x127",
    "OI:1x1",
    "OI:0x7",
    "O:101",
    ":7x9",
    ":1001",
    ":",
    ":2305843009213693951",
};

/* Texts with parameters, in any order. */
static const char *const texts[] = {
    "constant:value=0.1",
    "uniform:lo=-0.3,hi=0.7",
    "normal:mean=5,std=0.01",
    "trunc_normal:mean=0.01,std=0.02,a=-0.05,b=0.03,bounds=absolute,corrected=false",
    "trunc_normal:mean=0.01,std=0.02,a=-0.05,b=0.03,bounds=absolute,corrected=true",
    "trunc_normal:a=-0.5,b=3",
    "trunc_normal:a=2.5,b=5,corrected=false",
    "trunc_normal:a=-inf,b=-1",
    "xavier_uniform:gain=tanh",
    "xavier_normal:gain=0.7,distribution=trunc_normal",
    "he_uniform:a=0.2,mode=fan_out",
    "pytorch_default",
    "he_normal:distribution=trunc_normal",
    "he_normal:a=0.2,mode=fan_out",
    "lecun_normal:distribution=trunc_normal",
    "variance_scaling:scale=2,mode=fan_geo,distribution=uniform",
    "variance_scaling:scale=0.5,mode=fan_avg,distribution=trunc_normal",
    "identity:gain=0.1",
    "dirac:gain=-0.3",
    "sparse:sparsity=0.7,std=0.1",
    "sparse:per=output,connections=2,std=1",
    "bilinear:gain=2",
    "hadamard:gain=0.3",
    "inv_freq:base=500000",
};

/* Copies a text that must fit. */
static void put(char *field, size_t size, const char *text) {
  const int length = snprintf(field, size, "%s", text);
  if (length < 0 || (size_t)length >= size) fail_msg("'%s' is longer than %zu bytes", text, size - 1);
}

static void add(table *t, const char *init, const char *dtype, const char *tensor) {
  assert_true(t->n < MOST_ROWS);
  recorded *const row = &t->rows[t->n++];
  put(row->init, sizeof row->init, init);
  put(row->dtype, sizeof row->dtype, dtype);
  put(row->tensor, sizeof row->tensor, tensor);
}

static void add_tensors(table *t, const char *init, size_t n) {
  for (int d = 0; d < FANIN_DTYPE_COUNT; d++) {
    for (size_t k = 0; k < n; k++) {
      add(t, init, fanin_dtype_name((fanin_dtype)d), tensors[k]);
    }
  }
}

/* Every row that should be there, with empty cells: each initializer of the public table, first by its name, then by
 * the texts that are of its kind. */
static table all_rows(void) {
  table t = {.rows = calloc(MOST_ROWS, sizeof *t.rows)};
  assert_non_null(t.rows);
  fanin_description about;
  for (int kind = 0; fanin_describe((fanin_kind)kind, &about, sizeof about) == FANIN_STATUS_OK; kind++) {
    add_tensors(&t, about.name, sizeof tensors / sizeof *tensors);
    for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) {
      fanin_init parsed;
      assert_ok(fanin_init_parse(texts[k], &parsed));
      if ((int)parsed.kind == kind) add_tensors(&t, texts[k], FEW);
    }
  }
  return t;
}

/* ---- The file ---------------------------------------------------------------------------------------------------- */

static FILE *open_file(const char *mode) {
  const char *const source = getenv("SRC");
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", source ? source : ".", FILE_NAME);
  FILE *const file = fopen(path, mode);
  if (!file) fail_msg("%s cannot be opened; set SRC to the project's directory", path);
  return file;
}

/* Copies the field that ends at the next semicolon or newline, and returns what is behind it; NULL if it is too long or
 * there is no such end. */
static const char *take(const char *line, char *field, size_t size) {
  const size_t length = strcspn(line, ";\n");
  if (line[length] == '\0' || length >= size) return NULL;
  memcpy(field, line, length);
  field[length] = '\0';
  return line + length + 1;
}

static bool parse_row(const char *line, recorded *row) {
  line = take(line, row->init, sizeof row->init);
  if (line) line = take(line, row->dtype, sizeof row->dtype);
  if (line) line = take(line, row->tensor, sizeof row->tensor);
  for (int p = 0; p < PARTS && line; p++) {
    line = take(line, row->cells[p], sizeof row->cells[p]);
  }
  return line && *line == '\0';
}

/* The file's rows, without comments and the line of titles. */
static table read_file(void) {
  table t = {.rows = calloc(MOST_ROWS, sizeof *t.rows)};
  assert_non_null(t.rows);
  FILE *const file = open_file("r");
  char line[512];
  while (fgets(line, sizeof line, file)) {
    if (line[0] == '#' || strncmp(line, "init;", 5) == 0) continue;
    assert_true(t.n < MOST_ROWS);
    if (!parse_row(line, &t.rows[t.n])) fail_msg("%s: this is not a row of 7 fields: %s", FILE_NAME, line);
    t.n++;
  }
  fclose(file);
  return t;
}

static void write_file(const table *t) {
  FILE *const file = open_file("w");
  fprintf(file,
          "# 64-bit FNV-1a digests of the memory that fanin fills, guard bytes included; tests/unit/test_recorded.c "
          "has the\n"
          "# details.\n"
          "# Written by the test itself: FANIN_RECORD=1 ./run test recorded\n"
          "init;dtype;tensor;whole;range;slab;strided\n");
  for (size_t k = 0; k < t->n; k++) {
    const recorded *const row = &t->rows[k];
    fprintf(file, "%s;%s;%s", row->init, row->dtype, row->tensor);
    for (int p = 0; p < PARTS; p++) {
      fprintf(file, ";%s", row->cells[p]);
    }
    fputc('\n', file);
  }
  assert_int_equal(fclose(file), 0);
}

/* ---- Tensors and their parts ------------------------------------------------------------------------------------- */

static uint32_t option_of(const char *text, const char *option) {
  const char *const at = strstr(text, option);
  return at ? (uint32_t)strtoul(at + strlen(option), NULL, 10) : 1;
}

static fanin_tensor tensor_of(const char *text, fanin_dtype dtype) {
  char layout[FANIN_MAX_RANK + 1] = "";
  uint64_t shape[FANIN_MAX_RANK] = {0};
  const size_t letters = strcspn(text, ",:");
  const char *at = text + strcspn(text, ":");
  int rank = 0;
  if (*at != ':' || letters > FANIN_MAX_RANK) fail_msg("'%s' is not LAYOUT:SHAPE", text);
  memcpy(layout, text, letters);
  for (at++; *at; rank++) {
    char *end = NULL;
    assert_true(rank < FANIN_MAX_RANK);
    shape[rank] = strtoull(at, &end, 10);
    if (end == at || (*end != 'x' && *end != '\0')) fail_msg("'%s' is not LAYOUT:SHAPE", text);
    at = *end == 'x' ? end + 1 : end;
  }
  fanin_tensor t = test_tensor_of(NULL, 0, dtype, layout, rank, shape);
  t.groups = option_of(text, ",groups=");
  t.splits = option_of(text, ",splits=");
  return t;
}

static uint64_t least(uint64_t a, uint64_t b) {
  return a < b ? a : b;
}

/* A box of at most 9 in each dimension that begins after a quarter of it. */
static fanin_tensor slab_of(fanin_tensor t) {
  uint64_t start[FANIN_MAX_RANK] = {0}, extent[FANIN_MAX_RANK] = {0};
  for (int d = 0; d < t.rank; d++) {
    start[d] = t.shape[d] / 4;
    extent[d] = least((t.shape[d] + 1) / 2, 9);
  }
  return test_tensor_slab(t, start, extent);
}

/* The same box with the first dimension innermost in memory, and with gaps along every dimension. */
static fanin_tensor strided_of(fanin_tensor t) {
  uint64_t strides[FANIN_MAX_RANK] = {0}, stride = 2;
  const fanin_tensor slab = slab_of(t);
  for (int d = 0; d < t.rank; d++) {
    strides[d] = stride;
    stride = stride * slab.extent[d] + 1;
  }
  return test_tensor_strided(slab, strides);
}

/* False for a part that would be too large. */
static bool part_of(fanin_tensor t, int part, fanin_tensor *out) {
  uint64_t elements = 1;
  for (int d = 0; d < t.rank; d++) {
    elements *= t.shape[d];
  }
  *out = t;
  switch (part) {
  case RANGE:
    *out = test_tensor_range(t, elements / 3, least(elements - elements / 3, 1009));
    return true;
  case SLAB:
    *out = slab_of(t);
    return true;
  case STRIDED:
    *out = strided_of(t);
    return true;
  default:
    return elements <= 1 << 20;
  }
}

/* ---- Digests ----------------------------------------------------------------------------------------------------- */

/* FNV-1a in its 64-bit form. */
static uint64_t digest(const void *bytes, size_t size) {
  uint64_t hash = 0xcbf29ce484222325;
  for (size_t k = 0; k < size; k++) {
    hash = (hash ^ ((const unsigned char *)bytes)[k]) * 0x100000001b3;
  }
  return hash;
}

/* The name without fanin's prefix, which is not what is recorded. */
static const char *short_name(fanin_status status) {
  const char *name = fanin_status_name(status);
  static const char *const prefixes[] = {"FANIN_STATUS_", "FANIN_"};
  for (size_t k = 0; k < sizeof prefixes / sizeof *prefixes; k++) {
    if (strncmp(name, prefixes[k], strlen(prefixes[k])) == 0) name += strlen(prefixes[k]);
  }
  return name;
}

/* A part of a row's tensor, and its place among others in one buffer: `before` guard bytes, `bytes` for the elements,
 * and guard bytes again. */
typedef struct region {
  fanin_item item;
  char *cell; /* of CELL bytes */
  size_t at, before, size;
  bool is_refused; /* fanin_fill() said no, and the cell says why */
} region;

typedef struct regions {
  region list[TOGETHER * PARTS];
  size_t n, bytes;
} regions;

enum { ALIGNMENT = 256 };

static void add_region(regions *all, fanin_tensor part, const fanin_init *init, recorded *row, int p) {
  region *const r = &all->list[all->n++];
  uint64_t elements = 0, bytes = 0;
  *r = (region){.cell = row->cells[p], .at = all->bytes, .before = 3 * fanin_dtype_size(part.dtype)};
  const fanin_status status = fanin_tensor_size(&part, &elements, &bytes);
  if (status != FANIN_STATUS_OK) bytes = 0; /* fanin_fill() will say so */
  r->size = r->before + (size_t)bytes + TEST_GUARD_BYTES;
  r->item.tensor = part;
  r->item.tensor.offset = r->at + r->before;
  r->item.init = *init;
  r->item.stream = digest(row->tensor, strlen(row->tensor));
  all->bytes += (r->size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* Regions for the n rows, and "-" in the cells that have none. */
static void lay_out(recorded *rows, size_t n, regions *all) {
  all->n = all->bytes = 0;
  for (size_t k = 0; k < n; k++) {
    fanin_dtype dtype;
    fanin_init init;
    assert_ok(fanin_dtype_parse(rows[k].dtype, &dtype));
    assert_ok(fanin_init_parse(rows[k].init, &init));
    for (int p = 0; p < PARTS; p++) {
      fanin_tensor part;
      put(rows[k].cells[p], CELL, "-");
      if (part_of(tensor_of(rows[k].tensor, dtype), p, &part)) add_region(all, part, &init, &rows[k], p);
    }
  }
}

/* A buffer for the regions, each filled with the guard bytes that a buffer of its own would have. */
static cl_mem make_buffer(fanin *f, regions *all) {
  unsigned char *const guard = malloc(all->bytes);
  assert_non_null(guard);
  for (size_t k = 0; k < all->n; k++) {
    const size_t end = k + 1 < all->n ? all->list[k + 1].at : all->bytes;
    for (size_t at = all->list[k].at; at < end; at++) {
      guard[at] = test_guard_byte(at - all->list[k].at);
    }
  }
  cl_int code = CL_SUCCESS;
  const cl_mem buffer =
      clCreateBuffer(test_context(f), CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR, all->bytes, guard, &code);
  assert_int_equal(code, CL_SUCCESS);
  free(guard);
  for (size_t k = 0; k < all->n; k++) {
    all->list[k].item.tensor.buffer = buffer;
  }
  return buffer;
}

/* Writes the digests of the regions that were filled into their cells, and releases the buffer. */
static void take_digests(fanin *f, regions *all, cl_mem buffer) {
  size_t size = 0;
  unsigned char *const content = test_content(f, buffer, &size);
  for (size_t k = 0; k < all->n; k++) {
    const region *const r = &all->list[k];
    if (!r->is_refused) snprintf(r->cell, CELL, "%016" PRIx64, digest(content + r->at, r->size));
  }
  free(content);
  assert_int_equal(clReleaseMemObject(buffer), CL_SUCCESS);
}

static void refuse(region *r, fanin_status status) {
  r->is_refused = true;
  put(r->cell, CELL, short_name(status));
}

static void by_fills(fanin *f, regions *all) {
  const cl_mem buffer = make_buffer(f, all);
  for (size_t k = 0; k < all->n; k++) {
    region *const r = &all->list[k];
    const fanin_key key = {.seed = SEED, .stream = r->item.stream};
    const fanin_status status = fanin_fill(f, NULL, &r->item.tensor, &r->item.init, key, 0, NULL, NULL);
    if (status != FANIN_STATUS_OK) refuse(r, status);
  }
  take_digests(f, all, buffer);
}

/* A plan of everything that fanin_fill() accepted, and one for each refusal. */
static void by_plan(fanin *f, regions *all) {
  fanin_plan *plan = NULL;
  size_t n = 0;
  const cl_mem buffer = make_buffer(f, all);
  fanin_item *const items = calloc(all->n + 1, sizeof *items);
  assert_non_null(items);
  for (size_t k = 0; k < all->n; k++) {
    region *const r = &all->list[k];
    if (!r->is_refused)
      items[n++] = r->item;
    else
      refuse(r, fanin_plan_create(f, &r->item, 1, &plan));
  }
  assert_ok(fanin_plan_create(f, items, n, &plan));
  assert_ok(fanin_plan_enqueue(plan, NULL, SEED, 0, NULL, NULL));
  assert_int_equal(clFinish(test_queue(f)), CL_SUCCESS);
  fanin_plan_release(plan);
  free(items);
  take_digests(f, all, buffer);
}

/* ---- Comparing --------------------------------------------------------------------------------------------------- */

/* Counts the cells of `now` that differ from the file's, and names the first few. */
static size_t count_moved(const recorded *then, const recorded *now, size_t n, const fanin *f, const char *how,
                          size_t moved) {
  for (size_t k = 0; k < n; k++) {
    for (int p = 0; p < PARTS; p++) {
      if (strcmp(then[k].cells[p], now[k].cells[p]) == 0) continue;
      if (moved++ < MOST_SHOWN) {
        print_error("%s %s %s, %s, by %s at %zu lanes: %s was recorded, now it is %s\n", then[k].init, then[k].dtype,
                    then[k].tensor, part_names[p], how, f->lanes, then[k].cells[p], now[k].cells[p]);
      }
    }
  }
  return moved;
}

/* The file's rows that f's device can fill. */
static void drop_f64(table *t) {
  size_t kept = 0;
  for (size_t k = 0; k < t->n; k++) {
    if (strcmp(t->rows[k].dtype, "f64") != 0) t->rows[kept++] = t->rows[k];
  }
  print_message("%zu rows of f64 are skipped: the device has no double precision\n", t->n - kept);
  t->n = kept;
}

static void check_at(fanin *f) {
  table t = read_file();
  if (!f->has_f64) drop_f64(&t);
  regions *const all = malloc(sizeof *all);
  recorded *const now = malloc(TOGETHER * sizeof *now);
  assert_true(all && now && t.n > 0);
  size_t moved = 0;
  for (size_t k = 0; k < t.n; k += TOGETHER) {
    const size_t n = least(TOGETHER, t.n - k);
    memcpy(now, t.rows + k, n * sizeof *now);
    lay_out(now, n, all);
    by_fills(f, all);
    moved = count_moved(t.rows + k, now, n, f, "fanin_fill()", moved);
    by_plan(f, all);
    moved = count_moved(t.rows + k, now, n, f, "a plan", moved);
  }
  free(now);
  free(all);
  free(t.rows);
  if (moved > 0) fail_msg("%zu digests or statuses are not those of " FILE_NAME ". If that is meant, " ADVICE, moved);
}

/* A fanin whose kernels have a vector width of `lanes`: "1", "4", "8" or "16". */
static fanin *open_at(const char *lanes) {
  const char *const before = getenv("FANIN_LANES");
  char *const kept = before ? strdup(before) : NULL;
  assert_int_equal(setenv("FANIN_LANES", lanes, 1), 0);
  fanin *const f = test_open();
  assert_int_equal(f->lanes, strtoul(lanes, NULL, 10));
  assert_int_equal(kept ? setenv("FANIN_LANES", kept, 1) : unsetenv("FANIN_LANES"), 0);
  free(kept);
  return f;
}

static void bits_are_those_recorded(void **state) {
  const char *const lanes = *state;
  if (TEST_DRAWS(false, true) && strcmp(lanes, "16") != 0) skip(); /* sanitizers see the host, which does the same */
  fanin *const f = open_at(lanes);
  check_at(f);
  test_close(f);
}

/* ---- Completeness ------------------------------------------------------------------------------------------------ */

static bool is_same_row(const recorded *a, const recorded *b) {
  return strcmp(a->init, b->init) == 0 && strcmp(a->dtype, b->dtype) == 0 && strcmp(a->tensor, b->tensor) == 0;
}

static const recorded *find(const table *t, const recorded *row) {
  for (size_t k = 0; k < t->n; k++) {
    if (is_same_row(&t->rows[k], row)) return &t->rows[k];
  }
  return NULL;
}

static void every_initializer_and_dtype_is_recorded(void **state) {
  (void)state;
  const table file = read_file(), all = all_rows();
  size_t missing = 0;
  for (size_t k = 0; k < all.n; k++) {
    const recorded *const row = &all.rows[k];
    if (find(&file, row) || missing++ >= MOST_SHOWN) continue;
    print_error("there is no row for %s %s %s\n", row->init, row->dtype, row->tensor);
  }
  free(file.rows);
  free(all.rows);
  if (missing > 0) fail_msg("%zu rows are missing in " FILE_NAME ": " ADVICE, missing);
}

static void every_row_can_be_made(void **state) {
  (void)state;
  const table file = read_file();
  for (size_t k = 0; k < file.n; k++) {
    const recorded *const row = &file.rows[k];
    fanin_init init;
    fanin_dtype dtype;
    if (fanin_init_parse(row->init, &init) != FANIN_STATUS_OK ||
        fanin_dtype_parse(row->dtype, &dtype) != FANIN_STATUS_OK) {
      fail_msg("row %zu of " FILE_NAME ", %s %s: %s", k + 1, row->init, row->dtype, fanin_last_error());
    }
    if (find(&file, row) != row) fail_msg("%s %s %s is in " FILE_NAME " twice", row->init, row->dtype, row->tensor);
  }
  free(file.rows);
}

static void record(void **state) {
  (void)state;
  fanin *const f = open_at("1");
  if (!f->has_f64) fail_msg("the device has no double precision; record on one that has");
  const table t = all_rows();
  regions *const all = malloc(sizeof *all);
  assert_non_null(all);
  for (size_t k = 0; k < t.n; k += TOGETHER) {
    lay_out(t.rows + k, least(TOGETHER, t.n - k), all);
    by_fills(f, all);
  }
  write_file(&t);
  free(all);
  free(t.rows);
  test_close(f);
}

int main(void) {
  static char widths[][3] = {"1", "4", "8", "16"};
  const struct CMUnitTest recording[] = {cmocka_unit_test(record)};
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_initializer_and_dtype_is_recorded),
      cmocka_unit_test(every_row_can_be_made),
      {"bits_are_those_recorded at 1 lane", bits_are_those_recorded, NULL, NULL, widths[0]},
      {"bits_are_those_recorded at 4 lanes", bits_are_those_recorded, NULL, NULL, widths[1]},
      {"bits_are_those_recorded at 8 lanes", bits_are_those_recorded, NULL, NULL, widths[2]},
      {"bits_are_those_recorded at 16 lanes", bits_are_those_recorded, NULL, NULL, widths[3]},
  };
  const char *const asked = getenv("FANIN_RECORD");
  if (asked && strcmp(asked, "1") == 0 && cmocka_run_group_tests(recording, NULL, NULL) != 0) return 1;
  return cmocka_run_group_tests(tests, NULL, NULL);
}
