/* fanin, the device's fill and the limit as a contestant of bench/rotate.py: answers each line "CASE DTYPE ELEMENTS
 * INIT" on its input with a line of JSON, the seconds that the case takes. Begins with a line that says what runs here,
 * after the limit's bits were compared with fanin's: contestants who do not do the same are not compared. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "contest.h"

static double now(void) {
  struct timespec t;
  (void)clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* JSON strings here hold names and sentences: no control characters, and quotes become apostrophes. */
static void put_text(const char *name, const char *text) {
  printf("\"%s\": \"", name);
  for (; *text; text++) {
    (void)putchar(*text == '"' || *text == '\\' ? '\'' : *text);
  }
  (void)putchar('"');
}

static void put_error(fanin_status status) {
  printf("{");
  put_text("error", *fanin_last_error() ? fanin_last_error() : fanin_status_text(status));
  printf("}\n");
}

/* ---- The same bits? ---------------------------------------------------------------------------------------------- */

enum { COMPARED = (1 << 20) + 123 };

/* Elements that differ, for one variant of the limit on one interval. */
static fanin_status differences(const arena *a, const char *variant, double lo, double hi, size_t *count) {
  static float expected[COMPARED], got[COMPARED];
  const fanin_tensor t = {.buffer = a->buffer, .dtype = FANIN_DTYPE_F32, .rank = 1, .shape = {COMPARED}};
  const fanin_init init = fanin_uniform(lo, hi);
  const fanin_key key = {0x0123456789abcdef, 0xfedcba9876543210};
  fanin_status status = fanin_fill(a->f, a->queue, &t, &init, key, 0, NULL, NULL);
  if (status == FANIN_STATUS_OK) status = fanin_read(a->f, a->queue, &t, expected, sizeof expected, 1, 0, NULL, NULL);
  if (status != FANIN_STATUS_OK) return status;
  limit *const l = limit_open(variant);
  if (!l) return FANIN_STATUS_OUT_OF_MEMORY;
  limit_uniform(l, got, COMPARED, key.seed, key.stream, lo, hi);
  limit_close(l);
  for (size_t k = 0; k < COMPARED; k++) {
    *count += memcmp(&expected[k], &got[k], sizeof *got) != 0;
  }
  return FANIN_STATUS_OK;
}

/* On an interval whose bounds need the clamp, one that does not, and one that is off centre. */
static fanin_status compare(const arena *a, size_t *count) {
  static const double intervals[][2] = {{-0.05, 0.05}, {-1.0, 1.0}, {-0.1, 0.37}};
  *count = 0;
  for (size_t v = 0; limit_variant(v); v++) {
    for (size_t k = 0; k < sizeof intervals / sizeof *intervals; k++) {
      const fanin_status status = differences(a, limit_variant(v), intervals[k][0], intervals[k][1], count);
      if (status != FANIN_STATUS_OK) return status;
    }
  }
  return FANIN_STATUS_OK;
}

/* ---- Timing ------------------------------------------------------------------------------------------------------ */

static int by_value(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

/* The median of as many runs as fit into 50 ms, at least one, after one that is not counted. */
static fanin_status measure(const arena *a, const work *w, double *seconds) {
  enum { MOST = 4000 };
  const double enough = 0.05;
  double runs[MOST], past = 0.0;
  size_t n = 0;
  fanin_status status = w->run(a, w);
  while (status == FANIN_STATUS_OK && past < enough && n < MOST) {
    const double begin = now();
    status = w->run(a, w);
    runs[n] = now() - begin;
    past += runs[n++];
  }
  if (status != FANIN_STATUS_OK) return status;
  qsort(runs, n, sizeof *runs, by_value);
  *seconds = runs[n / 2];
  return FANIN_STATUS_OK;
}

static void answer(const arena *a, const char *line) {
  request r = {.elements = 0};
  char dtype[8];
  unsigned long long elements = 0;
  double seconds = 0.0;
  work w;
  if (sscanf(line, "%15s %7s %llu %63s", r.what, dtype, &elements, r.init) != 4) {
    printf("{\"error\": \"a line is CASE DTYPE ELEMENTS INIT\"}\n");
    return;
  }
  if (!work_known(r.what)) {
    printf("{\"error\": \"there is no such case\"}\n");
    return;
  }
  r.elements = elements;
  fanin_status status = fanin_dtype_parse(dtype, &r.dtype);
  if (status == FANIN_STATUS_OK) status = work_of(a, &r, &w);
  if (status == FANIN_STATUS_OK) {
    status = measure(a, &w, &seconds);
    w.end(a, &w);
  }
  if (status != FANIN_STATUS_OK) {
    put_error(status);
    return;
  }
  printf("{\"seconds\": %.9g, \"elements\": %llu}\n", seconds, (unsigned long long)w.elements);
}

/* ---- Beginning --------------------------------------------------------------------------------------------------- */

static fanin_status open_arena(arena *a) {
  cl_int code = CL_SUCCESS;
  cl_context context = NULL;
  fanin_status status = fanin_open(NULL, &a->f);
  if (status == FANIN_STATUS_OK) status = fanin_queue(a->f, &a->queue);
  if (status == FANIN_STATUS_OK) status = fanin_context(a->f, &context);
  if (status != FANIN_STATUS_OK) return status;
  a->buffer = clCreateBuffer(context, CL_MEM_READ_WRITE, a->bytes, NULL, &code);
  if (code != CL_SUCCESS) return (fanin_status)code;
  a->l = limit_open(NULL);
  return a->l ? FANIN_STATUS_OK : FANIN_STATUS_OUT_OF_MEMORY;
}

static void close_arena(arena *a) {
  limit_close(a->l);
  if (a->buffer) (void)clReleaseMemObject(a->buffer);
  fanin_release(a->f);
}

static void put_hello(const arena *a, size_t different) {
  char name[256] = "", driver[128] = "";
  cl_uint units = 0;
  cl_device_id device = NULL;
  (void)fanin_device(a->f, &device);
  (void)clGetDeviceInfo(device, CL_DEVICE_NAME, sizeof name, name, NULL);
  (void)clGetDeviceInfo(device, CL_DRIVER_VERSION, sizeof driver, driver, NULL);
  (void)clGetDeviceInfo(device, CL_DEVICE_MAX_COMPUTE_UNITS, sizeof units, &units, NULL);
  printf("{");
  put_text("fanin", fanin_version());
  printf(", ");
  put_text("device", name);
  printf(", ");
  put_text("driver", driver);
  printf(", ");
  put_text("limit", limit_variant(0));
  printf(", \"compute_units\": %u, \"limit_threads\": %zu, \"different_bits\": %zu}\n", (unsigned)units,
         limit_threads(a->l), different);
}

int main(int argc, char **argv) {
  char line[160];
  size_t different = 0;
  arena a = {.bytes = argc == 2 ? (size_t)strtoull(argv[1], NULL, 10) : 0};
  if (a.bytes < COMPARED * sizeof(float)) {
    fprintf(stderr, "usage: contest BYTES, at least %zu\n", COMPARED * sizeof(float));
    return 2;
  }
  (void)setvbuf(stdout, NULL, _IOLBF, 0);
  fanin_status status = open_arena(&a);
  if (status == FANIN_STATUS_OK) status = compare(&a, &different);
  if (status == FANIN_STATUS_OK) {
    put_hello(&a, different);
    while (fgets(line, sizeof line, stdin)) {
      answer(&a, line);
    }
  } else {
    put_error(status);
  }
  close_arena(&a);
  return status == FANIN_STATUS_OK ? 0 : 1;
}
