/* How the command fails: exit statuses, and one sentence that is handed up to main(). Only main() prints it. */
#ifndef CLI_BASE_FAILURE_H
#define CLI_BASE_FAILURE_H

#include <stdarg.h>
#include <stddef.h>

#include "fanin.h"

enum {
  STATUS_HELPED = -1, /* the help has been printed, and nothing else is to be done */
  STATUS_OK = 0,
  STATUS_CHECK = 1, /* everything ran, but a check did not hold */
  STATUS_INPUT = 2, /* usage, or a file that cannot be read, written or accepted */
  STATUS_DEVICE = 3 /* no device, OpenCL, or no memory */
};

typedef struct failure {
  char text[1024]; /* "" while nothing failed */
  int usage;       /* 1: main() points to --help as well */
  int declined; /* 1: rules are well formed, and do not say what a tensor should be: they refuse it, or need a value */
} failure;

/* Keeps the sentence and returns `status`. */
int fail(failure *why, int status, const char *format, ...) __attribute__((format(printf, 3, 4)));
int fail_with(failure *why, int status, const char *format, va_list arguments) __attribute__((format(printf, 3, 0)));

/* The exit status that fits a status of the library, which is STATUS_OK for FANIN_STATUS_OK. For others, keeps the
 * library's sentence about the call that just failed, after "<context>: " unless context is NULL. */
int library_status(failure *why, fanin_status status, const char *context);

/* The same for an OpenCL call. */
int opencl_status(failure *why, cl_int code, const char *call);

/* Ends a command: checks that everything printed was also written, and prints what failed, after "PROGRAM: COMMAND: "
 * ("PROGRAM: " if `command` is NULL). Returns the exit status. */
int command_end(const char *program, const char *command, int status, failure *why);

/* Returns zeroed memory. If there is none, the command says so and exits with STATUS_DEVICE. */
void *allocate(size_t count, size_t size);
/* Returns the array with room for at least `needed` elements of `size` bytes. It grows by doubling, and *capacity is
 * updated. */
void *grow(void *array, size_t *capacity, size_t needed, size_t size);
/* Returns a copy of the first `length` bytes, with a 0 behind them. */
char *copy_text(const char *text, size_t length);

#endif
