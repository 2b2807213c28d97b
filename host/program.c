/* Programs: each (source, options) pair is built once a fanin and kept. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

struct fanin__program {
  const fanin__source *source;
  cl_program program;
  fanin__program *next;
  char options[]; /* without those that are always added */
};

/* The log's last characters say the most: compilers end with the errors. The sentence has room for so many. */
enum { LOG_TAIL = 300 };

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
  const size_t length = strlen(text);
  const fanin_status status = fanin__fail(
      (fanin_status)code, "clBuildProgram of kernels/%.20s.cl with \"%.80s\": %s (%d): %s", name, options,
      fanin_status_name((fanin_status)code), (int)code, length > LOG_TAIL ? text + length - LOG_TAIL : text);
  free(log);
  return status;
}

/* A built program in a new node that is not linked into a list yet; NULL on failure. */
static fanin__program *build(const fanin *f, const fanin__source *source, const char *options, fanin_status *status) {
  fanin__program *node = NULL;
  cl_int code = CL_SUCCESS;
  const size_t length = strlen(options), room = length + 64; /* for those that are always added */
  char *const all_options = malloc(room);
  fanin__program *const unbuilt = malloc(sizeof *unbuilt + length + 1);
  if (!all_options || !unbuilt) {
    *status = fanin__fail(FANIN_OUT_OF_MEMORY, "%zu bytes for a program", sizeof *unbuilt + length + room);
    goto done;
  }
  snprintf(all_options, room, "-cl-std=CL1.2 -D LANES=%zu %s", f->lanes, options);
  *unbuilt = (fanin__program){.source = source};
  memcpy(unbuilt->options, options, length + 1);
  unbuilt->program = clCreateProgramWithSource(f->context, 1, (const char *[]){source->text}, &source->size, &code);
  if (code != CL_SUCCESS) {
    *status = fanin__fail_cl(code, "clCreateProgramWithSource");
    goto done;
  }
  code = clBuildProgram(unbuilt->program, 1, &f->device, all_options, NULL, NULL);
  if (code != CL_SUCCESS) {
    *status = fail_build(code, unbuilt->program, f->device, source->name, all_options);
    (void)clReleaseProgram(unbuilt->program);
    goto done;
  }
  node = unbuilt;

done:
  if (!node) free(unbuilt);
  free(all_options);
  return node;
}

/* Builds under the lock: a second thread that wants the same program waits for it instead of building it again. The
 * program lives as long as f; NULL on failure. */
static cl_program find_or_build(fanin *f, const fanin__source *source, const char *options, fanin_status *status) {
  (void)pthread_mutex_lock(&f->lock);
  fanin__program *node = f->programs;
  while (node && (node->source != source || strcmp(node->options, options) != 0)) {
    node = node->next;
  }
  if (!node) {
    node = build(f, source, options, status);
    if (node) {
      node->next = f->programs;
      f->programs = node;
    }
  }
  (void)pthread_mutex_unlock(&f->lock);
  return node ? node->program : NULL;
}

fanin_status fanin__kernel(fanin *f, const fanin__source *source, const char *options, const char *name,
                           cl_kernel *out) {
  fanin_status status = FANIN_OK;
  const cl_program program = find_or_build(f, source, options, &status);
  if (!program) return status;
  cl_int code = CL_SUCCESS;
  const cl_kernel kernel = clCreateKernel(program, name, &code);
  if (code != CL_SUCCESS) {
    return fanin__fail((fanin_status)code, "clCreateKernel(\"%.60s\") from kernels/%.20s.cl: %s (%d)", name,
                       source->name, fanin_status_name((fanin_status)code), (int)code);
  }
  *out = kernel;
  return FANIN_OK;
}

void fanin__programs_release(fanin *f) {
  while (f->programs) {
    fanin__program *const node = f->programs;
    f->programs = node->next;
    (void)clReleaseProgram(node->program);
    free(node);
  }
}
