/* What the fuzz targets share; see fuzz.h. */
#include "fuzz.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/args.h"

void fuzz_require(bool condition, const char *text, const char *file, int line) {
  if (condition) return;
  fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, text);
  abort();
}

bool fuzz_verdict(int status, const failure *why) {
  const size_t length = strnlen(why->text, sizeof why->text);
  FUZZ_REQUIRE(length < sizeof why->text);
  FUZZ_REQUIRE(status == STATUS_OK || (status == STATUS_INPUT && length > 0));
  return status == STATUS_OK;
}

char *fuzz_text(const uint8_t *data, size_t size) {
  return copy_text((const char *)data, size);
}

/* ---- Files ------------------------------------------------------------------------------------------------------- */

static char path[64];

static void remove_file(void) {
  unlink(path);
}

static void write_all(int fd, const void *data, size_t size) {
  const char *at = data;
  while (size > 0) {
    const ssize_t n = write(fd, at, size);
    FUZZ_REQUIRE(n > 0);
    at += n;
    size -= (size_t)n;
  }
}

const char *fuzz_file(const char *ending, const void *data, size_t size, uint64_t zeros) {
  if (path[0] == '\0') {
    const char *place = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"; /* a target runs 10^6 times */
    snprintf(path, sizeof path, "%s/fanin-fuzz-%ld%s", place, (long)getpid(), ending);
    atexit(remove_file);
  }
  FUZZ_REQUIRE(strcmp(path + strlen(path) - strlen(ending), ending) == 0); /* a target has one */
  const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  FUZZ_REQUIRE(fd >= 0);
  write_all(fd, data, size);
  const bool there = zeros <= (uint64_t)INT64_MAX - size && ftruncate(fd, (off_t)(size + zeros)) == 0;
  close(fd);
  return there ? path : NULL;
}

fuzz_header fuzz_split(const uint8_t *data, size_t size) {
  fuzz_header h = {.length = size};
  const uint8_t *newline = memrchr(data, '\n', size);
  if (newline && args_u64((const char *)newline + 1, (size_t)(data + size - newline - 1), &h.zeros)) {
    h.length = (size_t)(newline - data);
  }
  return h;
}
