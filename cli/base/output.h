/* A file that appears whole or not at all: written under a temporary name beside its place, then renamed. */
#ifndef CLI_BASE_OUTPUT_H
#define CLI_BASE_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/failure.h"

typedef struct output {
  int fd;          /* -1: not open */
  char *path;      /* its final place; links are followed */
  char *temporary; /* its place until then; NULL: it is written in place (a pipe, a device) */
} output;

/* Opens the one output that a process has at a time. The temporary file is "<path>.fanin-" and six characters. It is
 * also removed on SIGINT, SIGTERM, SIGHUP, SIGQUIT and exit(); only SIGKILL and a crash leave it. Set `o` to
 * OUTPUT_NONE where output_abandon() may run before this. */
#define OUTPUT_NONE ((output){.fd = -1})
int output_open(const char *path, output *o, failure *why);

/* Checks that output_open() would work now, before long work whose result is to go there. A pipe or a device is not
 * opened. */
int output_check(const char *path, failure *why);

/* Checks that the file system of that place has room for a file of so many bytes, or for several with so many together.
 * A pipe or a device has. */
int output_check_space(const char *path, uint64_t bytes, failure *why);

/* Whether writing `path` would overwrite the file `input`, also through links. */
bool output_is(const char *path, const char *input);

/* Appends bytes. */
int output_write(output *o, const void *bytes, size_t size, failure *why);

/* Writes the file to the disk and moves it to its place. */
int output_commit(output *o, failure *why);

/* Closes and removes what was not committed. Does nothing after output_commit() and on OUTPUT_NONE. */
void output_abandon(output *o);

/* Writes a file of these bytes, from output_open() to output_commit(). */
int output_whole(const char *path, const void *bytes, size_t size, failure *why);

#endif
