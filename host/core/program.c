/* Programs: each (source, options) pair is built once a fanin and kept. */
#include "core/program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cache.h"
#include "core/context.h"
#include "core/driver.h"
#include "core/status.h"

/* The log's last characters say the most: compilers end with the errors. The sentence has room for so many. */
enum { LOG_TAIL = 300 };

/* Whether PoCL runs the device, which builds nothing where its cache cannot be written, and gives no reason. */
bool fanin__is_pocl(cl_device_id device) {
  char version[128] = "";
  const cl_int code = clGetDeviceInfo(device, CL_DEVICE_VERSION, sizeof version, version, NULL);
  return code == CL_SUCCESS && (strstr(version, "PoCL") || strstr(version, "pocl"));
}

static fanin_status fail_build(cl_int code, cl_program program, cl_device_id device, const char *name,
                               const char *options) {
  size_t size = 0;
  char *log = NULL;
  if (clGetProgramBuildInfo(program, device, CL_PROGRAM_BUILD_LOG, 0, NULL, &size) == CL_SUCCESS) {
    log = calloc(size + 1, 1);
  }
  const bool have_log =
      log && clGetProgramBuildInfo(program, device, CL_PROGRAM_BUILD_LOG, size, log, NULL) == CL_SUCCESS;
  const char *const text = have_log ? log : "(there is no build log)";
  size_t length = strlen(text);
  while (length > 0 && text[length - 1] == '\n')
    length--;
  const size_t shown = length < LOG_TAIL ? length : LOG_TAIL;
  char cache[512] = "";
  if (fanin__is_pocl(device)) fanin__pocl_cache_failure(cache, sizeof cache);
  const fanin_status status =
      fanin__fail((fanin_status)code, "clBuildProgram of kernels/%.20s.cl with \"%.80s\": %s (%d): %.*s%s", name,
                  options, fanin_status_name((fanin_status)code), (int)code, (int)shown, text + length - shown, cache);
  free(log);
  return status;
}

fanin__program *fanin__program_new(const fanin__source *source, const char *options) {
  const size_t length = strlen(options);
  fanin__program *const node = malloc(sizeof *node + length + 1);
  if (!node) {
    (void)fanin__fail(FANIN_STATUS_OUT_OF_MEMORY, "%zu bytes for a program", sizeof *node + length + 1);
    return NULL;
  }
  *node = (fanin__program){.source = source};
  memcpy(node->options, options, length + 1);
  return node;
}

static void free_kernel(fanin__kernel *kernel) {
  (void)clReleaseKernel(kernel->object);
  free(kernel);
}

void fanin__program_free(fanin__program *node) {
  if (!node) return;
  while (node->idle) {
    fanin__kernel *const kernel = node->idle;
    node->idle = kernel->next;
    free_kernel(kernel);
  }
  if (node->program) (void)clReleaseProgram(node->program);
  free(node->binary);
  free(node);
}

fanin__program *fanin__program_find(const fanin *f, const fanin__source *source, const char *options) {
  fanin__program *node = f->programs;
  while (node && (node->source != source || strcmp(node->options, options) != 0)) {
    node = node->next;
  }
  return node;
}

/* From the binary that was imported, if the driver takes it. */
static cl_program from_binary(const fanin *f, const fanin__program *node) {
  const unsigned char *const binary = node->binary;
  cl_int status = CL_SUCCESS, code = CL_SUCCESS;
  if (!binary) return NULL;
  const cl_program program = clCreateProgramWithBinary(f->context, 1, &f->device, &node->binary_size,
                                                       (const unsigned char **)&binary, &status, &code);
  if (code != CL_SUCCESS) return NULL;
  if (status == CL_SUCCESS && clBuildProgram(program, 1, &f->device, "", NULL, NULL) == CL_SUCCESS) return program;
  (void)clReleaseProgram(program);
  return NULL;
}

static fanin_status from_source(const fanin *f, const fanin__program *node, cl_program *out) {
  cl_int code = CL_SUCCESS;
  const size_t room = strlen(node->options) + 64; /* for those that are always added */
  char *const options = malloc(room);
  if (!options) return fanin__fail(FANIN_STATUS_OUT_OF_MEMORY, "%zu bytes for build options", room);
  snprintf(options, room, "-cl-std=CL1.2 -D LANES=%zu %s", f->lanes, node->options);
  fanin_status status = FANIN_STATUS_OK;
  const cl_program program =
      clCreateProgramWithSource(f->context, 1, (const char *[]){node->source->text}, &node->source->size, &code);
  if (code != CL_SUCCESS) {
    status = fanin__fail_cl(code, "clCreateProgramWithSource");
    goto done;
  }
  code = clBuildProgram(program, 1, &f->device, options, NULL, NULL);
  if (code != CL_SUCCESS) {
    status = fail_build(code, program, f->device, node->source->name, options);
    (void)clReleaseProgram(program);
    goto done;
  }
  *out = program;

done:
  free(options);
  return status;
}

static fanin_status build_and_keep(const fanin *f, fanin__program *node) {
  FANIN__TRY(from_source(f, node, &node->program));
  fanin__cache_store(f, node);
  return FANIN_STATUS_OK;
}

/* f's program, built if need be. */
static fanin_status find_or_build(fanin *f, const fanin__source *source, const char *options, fanin__program **out) {
  fanin__program *const known = fanin__program_find(f, source, options);
  fanin__program *const node = known ? known : fanin__program_new(source, options);
  if (!node) return FANIN_STATUS_OUT_OF_MEMORY;
  if (!node->program && !node->binary) fanin__cache_load(f, node);
  if (!node->program) node->program = from_binary(f, node);
  const fanin_status status = node->program ? FANIN_STATUS_OK : build_and_keep(f, node);
  *out = node;
  if (!known && node->program) {
    node->next = f->programs;
    f->programs = node;
  } else if (!known) {
    fanin__program_free(node);
  }
  return status;
}

static fanin_status new_kernel(fanin__program *program, const char *name, fanin__kernel **out) {
  cl_int code = CL_SUCCESS;
  fanin__kernel *const kernel = calloc(1, sizeof *kernel);
  if (!kernel) return fanin__fail(FANIN_STATUS_OUT_OF_MEMORY, "%zu bytes for a kernel", sizeof *kernel);
  *kernel = (fanin__kernel){.object = clCreateKernel(program->program, name, &code), .name = name, .program = program};
  if (code != CL_SUCCESS) {
    free(kernel);
    return fanin__fail((fanin_status)code, "clCreateKernel(\"%.60s\") from kernels/%.20s.cl: %s (%d)", name,
                       program->source->name, fanin_status_name((fanin_status)code), (int)code);
  }
  *out = kernel;
  return FANIN_STATUS_OK;
}

bool fanin__has_program(fanin *f, const fanin__source *source, const char *options) {
  fanin__mutex_lock(&f->lock);
  const bool is_there = fanin__program_find(f, source, options) != NULL;
  fanin__mutex_unlock(&f->lock);
  return is_there;
}

/* An idle kernel of that name, which is idle no more, or NULL. */
static fanin__kernel *take_idle(fanin__program *program, const char *name) {
  fanin__kernel **place = &program->idle;
  while (*place && strcmp((*place)->name, name) != 0) {
    place = &(*place)->next;
  }
  fanin__kernel *const kernel = *place;
  if (kernel) *place = kernel->next;
  return kernel;
}

/* Builds under the lock: a second thread that wants the same program waits for it instead of building it again. The
 * program lives as long as f. */
fanin_status fanin__borrow(fanin *f, const fanin__source *source, const char *options, const char *name,
                           fanin__kernel **out) {
  fanin__program *program = NULL;
  fanin__mutex_lock(&f->lock);
  fanin_status status = find_or_build(f, source, options, &program);
  fanin__kernel *kernel = status == FANIN_STATUS_OK ? take_idle(program, name) : NULL;
  fanin__mutex_unlock(&f->lock);
  if (status == FANIN_STATUS_OK && !kernel) status = new_kernel(program, name, &kernel);
  *out = kernel;
  return status;
}

void fanin__give_back(fanin *f, fanin__kernel *kernel) {
  if (!kernel) return;
  fanin__mutex_lock(&f->lock);
  kernel->next = kernel->program->idle;
  kernel->program->idle = kernel;
  fanin__mutex_unlock(&f->lock);
}

fanin_status fanin__compile(fanin *f, const fanin__source *source, const char *options, const char *name) {
  fanin__kernel *kernel = NULL;
  const fanin_status status = fanin__borrow(f, source, options, name, &kernel);
  fanin__give_back(f, kernel);
  return status;
}

void fanin__programs_release(fanin *f) {
  while (f->programs) {
    fanin__program *const node = f->programs;
    f->programs = node->next;
    fanin__program_free(node);
  }
}
