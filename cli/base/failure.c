/* How the command fails: exit statuses, sentences, and the end of memory. */
#include "base/failure.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/terminal.h"
#include "base/text.h"

/* Where a sentence is too long, for example with a path of a thousand characters, its middle is left out, because the
 * reason comes last. */
int fail_with(failure *why, int status, const char *format, va_list arguments) {
  enum { ROOM = sizeof why->text, HEAD = ROOM / 2 };
  static const char gap[] = "[...]";
  va_list again;
  va_copy(again, arguments);
  const int length = vsnprintf(why->text, ROOM, format, arguments);
  if (length >= ROOM) {
    char *whole = allocate((size_t)length + 1, 1);
    const size_t tail = ROOM - HEAD - (sizeof gap - 1) - 1;
    vsnprintf(whole, (size_t)length + 1, format, again);
    snprintf(why->text + HEAD, ROOM - HEAD, "%s%s", gap, whole + (size_t)length - tail);
    free(whole);
  }
  va_end(again);
  return status;
}

int fail(failure *why, int status, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fail_with(why, status, format, arguments);
  va_end(arguments);
  return status;
}

/* OpenCL's codes are negative. The library's own codes say whether the input was wrong or the device cannot do it. */
static int exit_status(fanin_status status) {
  if (status < 0) return STATUS_DEVICE;
  switch (status) {
  case FANIN_STATUS_NO_DEVICE:
  case FANIN_STATUS_UNSUPPORTED:
  case FANIN_STATUS_OUT_OF_MEMORY:
    return STATUS_DEVICE;
  case FANIN_STATUS_NOT_FINITE:
    return STATUS_CHECK;
  default:
    return STATUS_INPUT;
  }
}

int library_status(failure *why, fanin_status status, const char *context) {
  if (status == FANIN_STATUS_OK) return STATUS_OK;
  const char *sentence = fanin_last_error();
  if (sentence[0] == '\0') sentence = fanin_status_text(status);
  return fail(why, exit_status(status), "%s%s%s", context ? context : "", context ? ": " : "", sentence);
}

int opencl_status(failure *why, cl_int code, const char *call) {
  if (code == CL_SUCCESS) return STATUS_OK;
  return fail(why, STATUS_DEVICE, "%s: %s (%d)", call, fanin_status_name((fanin_status)code), (int)code);
}

int command_end(const char *program, const char *command, int status, failure *why) {
  if (status == STATUS_HELPED) status = STATUS_OK;
  if ((status == STATUS_OK || status == STATUS_CHECK) && (fflush(stdout) != 0 || ferror(stdout))) {
    status = fail(why, STATUS_INPUT, "cannot write to standard output: %s", strerror(errno));
  }
  progress_clear();
  const char *name = command ? command : "", *colon = command ? ": " : "";
  if (why->text[0]) fprintf(stderr, "%s: %s%s%s\n", program, name, colon, text_plain(why->text, '\n'));
  if (why->usage) fprintf(stderr, "Try '%s %s --help'.\n", program, name);
  return status;
}

static void out_of_memory(size_t count, size_t size) {
  fprintf(stderr, "fanin: out of memory for %zu x %zu bytes\n", count, size);
  exit(STATUS_DEVICE);
}

void *allocate(size_t count, size_t size) {
  void *memory = calloc(count > 0 ? count : 1, size);
  if (!memory) out_of_memory(count, size);
  return memory;
}

void *grow(void *array, size_t *capacity, size_t needed, size_t size) {
  if (needed <= *capacity) return array;
  size_t wanted = *capacity > 0 ? *capacity : 16;
  while (wanted < needed)
    wanted = wanted > SIZE_MAX / 2 ? needed : wanted * 2;
  void *larger = wanted > SIZE_MAX / size ? NULL : realloc(array, wanted * size);
  if (!larger) out_of_memory(wanted, size);
  *capacity = wanted;
  return larger;
}

char *copy_text(const char *text, size_t length) {
  char *copy = allocate(length + 1, 1);
  memcpy(copy, text, length);
  return copy;
}
