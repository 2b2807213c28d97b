/* A file that appears whole or not at all: written under a temporary name beside its place, then renamed. */
#ifndef CLI_BASE_OUTPUT_H
#define CLI_BASE_OUTPUT_H

#include "base/failure.h"

typedef struct output {
  int fd;          /* -1: not open */
  char *path;      /* where it is to be; links are followed */
  char *temporary; /* where it is now; NULL: it is written in place (a pipe, a device) */
} output;

/* Opens one output; a process has one at a time. The temporary file, "<path>.fanin-" and six characters, also goes away
 * on SIGINT, SIGTERM, SIGHUP, SIGQUIT and exit(); only SIGKILL and a crash leave it. Zero `o` with OUTPUT_NONE where
 * output_abandon() may run before this. */
#define OUTPUT_NONE ((output){.fd = -1})
int output_open(const char *path, output *o, failure *why);

/* Whether output_open() would work now, before long work whose result is to go there. A pipe or device is not tried. */
int output_check(const char *path, failure *why);

/* Appends. */
int output_write(output *o, const void *bytes, size_t size, failure *why);

/* Puts the file on the disk and into its place. */
int output_commit(output *o, failure *why);

/* Closes and removes what was not committed. Harmless after output_commit() and on OUTPUT_NONE. */
void output_abandon(output *o);

/* All of it: a file of these bytes. */
int output_whole(const char *path, const void *bytes, size_t size, failure *why);

#endif
