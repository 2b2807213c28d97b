/* Writes down what a program asks of OpenCL, so that tools/gpu/replay.py can ask CUDA for the same: a library to
 * preload.
 *
 * $FANIN_RECORD_DIR gets launches.jsonl, a line for each step in its order, and the files that it names:
 *   {"do": "program", "id", "source": FILE, "options"}
 *   {"do": "buffer", "id", "bytes", "data": FILE or null}
 *   {"do": "write", "buffer", "offset", "data": FILE}
 *   {"do": "fill", "buffer", "offset", "bytes", "pattern": HEX}
 *   {"do": "launch", "program", "kernel", "groups": [...], "local": [...], "arguments": [{"buffer"} or {"value": HEX}]}
 *   {"do": "read", "buffer", "offset", "bytes", "crc32"}: what the device answered
 * One thread, whose queue runs in order; what was not asked for in these ways ends the program with a sentence. */
#include <dlfcn.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <CL/cl.h>
#include <zlib.h>

enum { MOST_HANDLES = 65536, MOST_ARGUMENTS = 16 };

static _Noreturn void give_up(const char *what) {
  fprintf(stderr, "record: %s\n", what);
  exit(70);
}

/* The function that this library stands before. */
#define NEXT(type, name) ((type)(uintptr_t)next_of(name))
static void *next_of(const char *name) {
  void *const found = dlsym(RTLD_NEXT, name);
  if (!found) give_up(dlerror());
  return found;
}

static FILE *open_in(const char *name, const char *mode) {
  static char path[4096];
  const char *const directory = getenv("FANIN_RECORD_DIR");
  if (!directory) give_up("$FANIN_RECORD_DIR is not set");
  snprintf(path, sizeof path, "%s/%s", directory, name);
  FILE *const file = fopen(path, mode);
  if (!file) give_up(path);
  return file;
}

static FILE *steps(void) {
  static FILE *file;
  if (!file) file = open_in("launches.jsonl", "w");
  return file;
}

static void write_data(const char *name, const void *data, size_t size) {
  FILE *const file = open_in(name, "wb");
  if (fwrite(data, 1, size, file) != size || fclose(file) != 0) give_up(name);
}

static void write_hex(const void *data, size_t size) {
  fputc('"', steps());
  for (size_t k = 0; k < size; k++) {
    fprintf(steps(), "%02x", ((const unsigned char *)data)[k]);
  }
  fputc('"', steps());
}

/* ---- Handles ----------------------------------------------------------------------------------------------------- */

typedef struct argument {
  int buffer; /* its id; -1: a value */
  size_t size;
  unsigned char value[1024];
} argument;

typedef struct handle {
  const void *pointer; /* newest first: a released one's address may be given out again */
  char *source;        /* of a program */
  int program;         /* of a kernel */
  char name[64];
  argument arguments[MOST_ARGUMENTS];
  cl_uint count;
} handle;

static handle *handles[MOST_HANDLES];
static int n_handles;

static int add(const void *pointer) {
  if (n_handles == MOST_HANDLES) give_up("too many handles");
  handle *const h = calloc(1, sizeof *h);
  if (!h) give_up("no memory");
  h->pointer = pointer;
  handles[n_handles] = h;
  return n_handles++;
}

static int find(const void *pointer) {
  for (int id = n_handles; id-- > 0;) {
    if (handles[id]->pointer == pointer) return id;
  }
  return -1;
}

/* ---- OpenCL ------------------------------------------------------------------------------------------------------ */

cl_mem clCreateBuffer(cl_context context, cl_mem_flags flags, size_t size, void *host, cl_int *code) {
  const cl_mem made = NEXT(cl_mem(*)(cl_context, cl_mem_flags, size_t, void *, cl_int *),
                           "clCreateBuffer")(context, flags, size, host, code);
  if (!made) return made;
  const int id = add(made);
  char name[64];
  snprintf(name, sizeof name, "buffer-%d.bin", id);
  if (host) write_data(name, host, size);
  fprintf(steps(), "{\"do\": \"buffer\", \"id\": %d, \"bytes\": %zu, \"data\": ", id, size);
  fprintf(steps(), host ? "\"%s\"}\n" : "null}\n", name);
  return made;
}

cl_program clCreateProgramWithSource(cl_context context, cl_uint count, const char **strings, const size_t *lengths,
                                     cl_int *code) {
  const cl_program made = NEXT(cl_program(*)(cl_context, cl_uint, const char **, const size_t *, cl_int *),
                               "clCreateProgramWithSource")(context, count, strings, lengths, code);
  if (!made) return made;
  const int id = add(made);
  char name[64];
  snprintf(name, sizeof name, "program-%d.cl", id);
  if (count != 1) give_up("a program of more than one string");
  write_data(name, strings[0], lengths ? lengths[0] : strlen(strings[0]));
  handles[id]->source = strdup(name);
  return made;
}

cl_int clBuildProgram(cl_program program, cl_uint count, const cl_device_id *devices, const char *options,
                      void(CL_CALLBACK *notify)(cl_program, void *), void *data) {
  const int id = find(program);
  if (id < 0) give_up("a program that was not made from source");
  fprintf(steps(), "{\"do\": \"program\", \"id\": %d, \"source\": \"%s\", \"options\": \"%s\"}\n", id,
          handles[id]->source, options);
  return NEXT(cl_int(*)(cl_program, cl_uint, const cl_device_id *, const char *,
                        void(CL_CALLBACK *)(cl_program, void *), void *),
              "clBuildProgram")(program, count, devices, options, notify, data);
}

cl_kernel clCreateKernel(cl_program program, const char *name, cl_int *code) {
  const cl_kernel made = NEXT(cl_kernel(*)(cl_program, const char *, cl_int *), "clCreateKernel")(program, name, code);
  if (!made) return made;
  handle *const h = handles[add(made)];
  h->program = find(program);
  snprintf(h->name, sizeof h->name, "%s", name);
  return made;
}

cl_int clSetKernelArg(cl_kernel kernel, cl_uint k, size_t size, const void *value) {
  const int id = find(kernel);
  if (id < 0 || k >= MOST_ARGUMENTS || !value || size > sizeof handles[id]->arguments[k].value)
    give_up("an argument that cannot be written down");
  argument *const a = &handles[id]->arguments[k];
  const void *pointer = NULL;
  if (size == sizeof pointer) memcpy(&pointer, value, sizeof pointer);
  *a = (argument){.buffer = pointer ? find(pointer) : -1, .size = size};
  memcpy(a->value, value, size);
  if (k >= handles[id]->count) handles[id]->count = k + 1;
  return NEXT(cl_int(*)(cl_kernel, cl_uint, size_t, const void *), "clSetKernelArg")(kernel, k, size, value);
}

static void write_sizes(const char *name, cl_uint dimensions, const size_t *sizes, const size_t *divided) {
  fprintf(steps(), ", \"%s\": [", name);
  for (cl_uint d = 0; d < dimensions; d++) {
    fprintf(steps(), "%s%zu", d ? ", " : "", divided ? sizes[d] / divided[d] : sizes[d]);
  }
  fputc(']', steps());
}

cl_int clEnqueueNDRangeKernel(cl_command_queue queue, cl_kernel kernel, cl_uint dimensions, const size_t *offset,
                              const size_t *global, const size_t *local, cl_uint n, const cl_event *wait,
                              cl_event *event) {
  const int id = find(kernel);
  if (id < 0 || offset || !local) give_up("a launch that cannot be written down");
  const handle *const h = handles[id];
  fprintf(steps(), "{\"do\": \"launch\", \"program\": %d, \"kernel\": \"%s\"", h->program, h->name);
  write_sizes("groups", dimensions, global, local);
  write_sizes("local", dimensions, local, NULL);
  fputs(", \"arguments\": [", steps());
  for (cl_uint k = 0; k < h->count; k++) {
    if (k) fputs(", ", steps());
    if (h->arguments[k].buffer >= 0) {
      fprintf(steps(), "{\"buffer\": %d}", h->arguments[k].buffer);
    } else {
      fputs("{\"value\": ", steps());
      write_hex(h->arguments[k].value, h->arguments[k].size);
      fputc('}', steps());
    }
  }
  fputs("]}\n", steps());
  return NEXT(cl_int(*)(cl_command_queue, cl_kernel, cl_uint, const size_t *, const size_t *, const size_t *, cl_uint,
                        const cl_event *, cl_event *),
              "clEnqueueNDRangeKernel")(queue, kernel, dimensions, offset, global, local, n, wait, event);
}

cl_int clEnqueueFillBuffer(cl_command_queue queue, cl_mem buffer, const void *pattern, size_t pattern_size,
                           size_t offset, size_t size, cl_uint n, const cl_event *wait, cl_event *event) {
  fprintf(steps(), "{\"do\": \"fill\", \"buffer\": %d, \"offset\": %zu, \"bytes\": %zu, \"pattern\": ", find(buffer),
          offset, size);
  write_hex(pattern, pattern_size);
  fputs("}\n", steps());
  return NEXT(
      cl_int(*)(cl_command_queue, cl_mem, const void *, size_t, size_t, size_t, cl_uint, const cl_event *, cl_event *),
      "clEnqueueFillBuffer")(queue, buffer, pattern, pattern_size, offset, size, n, wait, event);
}

cl_int clEnqueueWriteBuffer(cl_command_queue queue, cl_mem buffer, cl_bool blocking, size_t offset, size_t size,
                            const void *host, cl_uint n, const cl_event *wait, cl_event *event) {
  static int files;
  char name[64];
  snprintf(name, sizeof name, "write-%d.bin", files++);
  write_data(name, host, size);
  fprintf(steps(), "{\"do\": \"write\", \"buffer\": %d, \"offset\": %zu, \"data\": \"%s\"}\n", find(buffer), offset,
          name);
  return NEXT(
      cl_int(*)(cl_command_queue, cl_mem, cl_bool, size_t, size_t, const void *, cl_uint, const cl_event *, cl_event *),
      "clEnqueueWriteBuffer")(queue, buffer, blocking, offset, size, host, n, wait, event);
}

/* Waits for it, whatever the caller wants, and so has the answer. */
cl_int clEnqueueReadBuffer(cl_command_queue queue, cl_mem buffer, cl_bool blocking, size_t offset, size_t size,
                           void *host, cl_uint n, const cl_event *wait, cl_event *event) {
  (void)blocking;
  const cl_int code =
      NEXT(cl_int(*)(cl_command_queue, cl_mem, cl_bool, size_t, size_t, void *, cl_uint, const cl_event *, cl_event *),
           "clEnqueueReadBuffer")(queue, buffer, CL_TRUE, offset, size, host, n, wait, event);
  fprintf(steps(), "{\"do\": \"read\", \"buffer\": %d, \"offset\": %zu, \"bytes\": %zu, \"crc32\": %" PRIu32 "}\n",
          find(buffer), offset, size, (uint32_t)crc32_z(0, host, size));
  fflush(steps());
  return code;
}
