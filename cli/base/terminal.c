/* What the terminal behind a stream is, if there is one, and text that fits it. */
#include "base/terminal.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

size_t terminal_columns(FILE *stream) {
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

/* Bytes of UTF-8 that begin a character. */
static size_t characters(const char *text, size_t length) {
  size_t n = 0;
  for (size_t i = 0; i < length; ++i)
    n += ((unsigned char)text[i] & 0xc0) != 0x80;
  return n;
}

static void print_broken(FILE *stream, const char *text, size_t indent, size_t width) {
  size_t column = 0;
  indent += strspn(text, " ");
  while (*text) {
    const size_t blanks = strspn(text, " "), word = strcspn(text + blanks, " ");
    const size_t wide = characters(text + blanks, word);
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
    print_broken(stream, text, indent, width);
  } else {
    fputs(text, stream);
  }
  putc('\n', stream);
  free(text);
}
