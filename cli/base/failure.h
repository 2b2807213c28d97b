/* How the command fails: exit statuses, and one sentence that travels up to main(), which alone prints it. */
#ifndef CLI_BASE_FAILURE_H
#define CLI_BASE_FAILURE_H

#include <stdarg.h>
#include <stddef.h>

#include "fanin.h"

enum {
  STATUS_HELPED = -1, /* --help was asked for and has been answered; nothing else is to be done */
  STATUS_OK = 0,
  STATUS_CHECK = 1, /* everything ran, and a check did not hold */
  STATUS_INPUT = 2, /* usage, or a file that cannot be read, written or accepted */
  STATUS_DEVICE = 3 /* no device, OpenCL, or no memory */
};

typedef struct failure {
  char text[1024]; /* "" while nothing failed */
  int usage;       /* 1: main() points to --help as well */
} failure;

/* Keeps the sentence and returns `status`. */
int fail(failure *why, int status, const char *format, ...) __attribute__((format(printf, 3, 4)));
int fail_with(failure *why, int status, const char *format, va_list arguments) __attribute__((format(printf, 3, 0)));

/* The library's sentence for the call that just failed, after "<context>: " unless context is NULL. Returns the exit
 * status that fits. */
int fail_library(failure *why, fanin_status status, const char *context);

/* The same for an OpenCL call. */
int fail_opencl(failure *why, cl_int code, const char *call);

/* Zeroed memory, or the end: a command that cannot get a few bytes says so and exits with STATUS_DEVICE. */
void *allocate(size_t count, size_t size);
/* *array with room for at least `needed` elements of `size` bytes, growing by doubling; *capacity follows. */
void *grow(void *array, size_t *capacity, size_t needed, size_t size);
/* A copy of the first `length` bytes, terminated. */
char *copy_text(const char *text, size_t length);

#endif
