/* What the terminal behind a stream is, if there is one. */
#include "terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

size_t terminal_columns(FILE *stream) {
  struct winsize size;
  const int fd = fileno(stream);
  if (fd < 0 || !isatty(fd)) return 0;
  if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}
