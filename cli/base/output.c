/* A file that appears whole or not at all: written under a temporary name beside its place, then renamed. */
#include "base/output.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/text.h"

/* The file that a signal handler or exit() removes. A handler can reach nothing but global variables, so this is the
 * only state that the program keeps outside its functions. `armed` is set last and cleared first. */
static char doomed[PATH_MAX];
static volatile sig_atomic_t armed;

static void remove_doomed(void) {
  if (armed) unlink(doomed);
  armed = 0;
}

static void end_by_signal(int number) {
  remove_doomed();
  signal(number, SIG_DFL);
  raise(number);
}

/* Handlers are installed once in a process. A signal that the parent had ignored (nohup) stays ignored. */
static void arm(const char *path) {
  static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
  static bool registered;
  if (!registered) {
    atexit(remove_doomed);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; ++i) {
      if (signal(signals[i], end_by_signal) == SIG_IGN) signal(signals[i], SIG_IGN);
    }
    signal(SIGXFSZ, SIG_IGN); /* write() reports the file size limit instead */
    registered = true;
  }
  snprintf(doomed, sizeof doomed, "%s", path);
  armed = 1;
}

static int fail_errno(failure *why, const char *path, const char *what) {
  return fail(why, STATUS_INPUT, "%s: cannot %s: %s", path, what, strerror(errno));
}

/* Makes a new file beside o->path, with the mode of the file that is there, or the mode that a new file would get. */
static int open_temporary(output *o, mode_t mode, failure *why) {
  const size_t length = strlen(o->path) + sizeof ".fanin-XXXXXX";
  if (length > PATH_MAX) return fail(why, STATUS_INPUT, "%s: the path is too long", o->path);
  o->temporary = allocate(length, 1);
  snprintf(o->temporary, length, "%s.fanin-XXXXXX", o->path);

  sigset_t all, before; /* no signal between making the file and arming its removal */
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, &before);
  o->fd = mkstemp(o->temporary);
  const int error = errno;
  if (o->fd >= 0) arm(o->temporary);
  sigprocmask(SIG_SETMASK, &before, NULL);
  errno = error;
  if (o->fd < 0) return fail_errno(why, o->path, "create a file there");
  if (fchmod(o->fd, mode) != 0) return fail_errno(why, o->temporary, "set its mode");
  return STATUS_OK;
}

int output_open(const char *path, output *o, failure *why) {
  struct stat there;
  *o = OUTPUT_NONE;
  char *resolved = realpath(path, NULL); /* the file behind links; NULL where there is none yet */
  o->path = resolved ? resolved : copy_text(path, strlen(path));
  if (stat(o->path, &there) != 0) {
    if (errno != ENOENT) return fail_errno(why, path, "create a file there");
    if (lstat(o->path, &there) == 0) return fail(why, STATUS_INPUT, "%s: is a symbolic link that leads nowhere", path);
    const mode_t mask = umask(0);
    umask(mask);
    return open_temporary(o, 0666 & ~mask, why);
  }
  if (S_ISDIR(there.st_mode)) return fail(why, STATUS_INPUT, "%s: is a directory; give a file's name", path);
  if (S_ISREG(there.st_mode)) return open_temporary(o, there.st_mode & 07777, why);
  o->fd = open(o->path, O_WRONLY | O_CLOEXEC); /* /dev/null, a named pipe: nothing to rename */
  return o->fd < 0 ? fail_errno(why, path, "open it for writing") : STATUS_OK;
}

int output_check(const char *path, failure *why) {
  struct stat there;
  if (stat(path, &there) == 0 && !S_ISREG(there.st_mode) && !S_ISDIR(there.st_mode)) return STATUS_OK;
  output o = OUTPUT_NONE;
  const int status = output_open(path, &o, why);
  output_abandon(&o);
  return status;
}

int output_check_space(const char *path, uint64_t bytes, failure *why) {
  struct stat there;
  struct statvfs disk;
  char needed[TEXT_NUMBER], free_there[TEXT_NUMBER];
  if (stat(path, &there) == 0 && !S_ISREG(there.st_mode)) return STATUS_OK;
  const char *slash = strrchr(path, '/');
  char *directory = slash ? copy_text(path, (size_t)(slash - path) + 1) : copy_text(".", 1);
  const int unknown = statvfs(directory, &disk); /* no such directory, or a read-only one: output_open() says so */
  free(directory);
  if (unknown != 0 || (disk.f_flag & ST_RDONLY) || disk.f_frsize == 0) return STATUS_OK;
  if (bytes / disk.f_frsize < disk.f_bavail) return STATUS_OK;
  return fail(why, STATUS_INPUT,
              "%s: %s are to be written, and the disk has %s free (%" PRIu64 " and %" PRIu64 " bytes)", path,
              text_bytes(bytes, needed), text_bytes((uint64_t)disk.f_bavail * disk.f_frsize, free_there), bytes,
              (uint64_t)disk.f_bavail * disk.f_frsize);
}

bool output_is(const char *path, const char *input) {
  struct stat there, other;
  return stat(path, &there) == 0 && stat(input, &other) == 0 && there.st_dev == other.st_dev &&
         there.st_ino == other.st_ino;
}

int output_write(output *o, const void *bytes, size_t size, failure *why) {
  const char *at = bytes;
  while (size > 0) {
    const ssize_t written = write(o->fd, at, size);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail_errno(why, o->path, "write");
    at += written;
    size -= (size_t)written;
  }
  return STATUS_OK;
}

int output_commit(output *o, failure *why) {
  if (o->temporary && fsync(o->fd) != 0) return fail_errno(why, o->path, "write");
  const int closed = close(o->fd);
  o->fd = -1;
  if (closed != 0) return fail_errno(why, o->path, "write");
  if (o->temporary) {
    if (rename(o->temporary, o->path) != 0) return fail_errno(why, o->path, "rename the finished file");
    armed = 0;
  }
  return STATUS_OK;
}

void output_abandon(output *o) {
  if (o->fd >= 0) close(o->fd);
  remove_doomed();
  free(o->temporary);
  free(o->path);
  *o = OUTPUT_NONE;
}

int output_whole(const char *path, const void *bytes, size_t size, failure *why) {
  output out = OUTPUT_NONE;
  int status = output_open(path, &out, why);
  if (status == STATUS_OK) status = output_write(&out, bytes, size, why);
  if (status == STATUS_OK) status = output_commit(&out, why);
  output_abandon(&out);
  return status;
}
