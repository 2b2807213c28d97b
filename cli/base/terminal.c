/* What the terminal behind a stream is, if there is one; text that fits it, and a line that says what goes on. */
#include "base/terminal.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"

/* 0 where the stream is not a terminal (a file, a pipe), and 80 where the terminal does not say. */
static size_t terminal_columns(FILE *stream) {
  struct winsize size;
  const int fd = fileno(stream);
  if (fd < 0 || !isatty(fd)) return 0;
  if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

size_t terminal_width(FILE *stream) {
  const size_t columns = terminal_columns(stream);
  const char *wanted = getenv("COLUMNS");
  if (columns > 0 || !wanted) return columns;
  char *end = NULL;
  const unsigned long number = strtoul(wanted, &end, 10);
  return end != wanted && *end == '\0' && number < 100000 ? number : 0;
}

void terminal_break(FILE *stream, const char *text, size_t column, size_t indent, size_t width) {
  while (*text) {
    const size_t blanks = strspn(text, " "), word = strcspn(text + blanks, " ");
    const size_t wide = text_columns(text + blanks, word);
    if (column > indent && column + blanks + wide > width) {
      fprintf(stream, "\n%*s", (int)indent, "");
      column = indent;
    } else {
      fprintf(stream, "%*s", (int)blanks, "");
      column += blanks;
    }
    fprintf(stream, "%.*s", (int)word, text + blanks);
    column += wide;
    text += blanks + word;
  }
}

void terminal_line(FILE *stream, size_t indent, const char *format, ...) {
  char *text = NULL;
  va_list arguments;
  va_start(arguments, format);
  const int length = vasprintf(&text, format, arguments);
  va_end(arguments);
  if (length < 0) return;
  const size_t width = terminal_width(stream);
  if (width > 0) {
    terminal_break(stream, text, 0, indent + strspn(text, " "), width);
  } else {
    fputs(text, stream);
  }
  putc('\n', stream);
  free(text);
}

/* ---- Progress ---------------------------------------------------------------------------------------------------- */

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

bool progress_is_due(uint64_t *last) {
  enum { PROGRESS_MS = 100 };
  const uint64_t now = progress_clock();
  if (*last != 0 && now - *last < PROGRESS_MS) return false;
  *last = now;
  return true;
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
