/* One line on stderr that says what goes on; nothing at all where stderr is no terminal. */
#include "base/progress.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "base/terminal.h"
#include "base/text.h"

void progress_show(const char *format, ...) {
  char text[256];
  size_t columns = terminal_columns(stderr);
  if (columns == 0) return;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  if (columns > sizeof text) columns = sizeof text;
  fprintf(stderr, "\r\033[K%.*s", (int)columns - 1,
          text_plain(text, '\0')); /* the last column stays free: some terminals wrap there */
  fflush(stderr);
}

void progress_clear(void) {
  if (terminal_columns(stderr) == 0) return;
  fputs("\r\033[K", stderr);
  fflush(stderr);
}

uint64_t progress_clock(void) {
  struct timespec now = {0};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}
