/* What stands between the command and the C library, and OpenCL, where a test wants them to behave as no machine can be
 * relied on to: linked into a copy of the command. Environment variables say what happens; without them, nothing does.
 *
 *   SHIM_BUFFER=BYTES  clCreateBuffer() of more fails with CL_MEM_OBJECT_ALLOCATION_FAILURE
 *   SHIM_FROM=TEXT     with SHIM_TO: in every kernel's source that is compiled, each such text becomes that one
 *   SHIM_DISK=BYTES    the command's own write() and fallocate() beyond so many bytes fail with ENOSPC
 *   SHIM_FREE=BYTES    statvfs() says that so much is free, in blocks of 1
 *   SHIM_CREATE=ERRNO  the command's own mkstemp() fails with that number
 *   SHIM_PAUSE=FILE    the first write of 1 MiB or more, of all processes that share the variable, writes half of its
 *                      bytes; then the process's number appears in FILE, and it waits for a signal
 *   SHIM_CLOCK=N       the monotonic clock advances when the command itself reads it, and only then: by N microseconds
 *                      more each time
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <CL/cl.h>

enum { LARGE_WRITE = 1 << 20 };

/* Where the program's own code begins and ends: the linker's names. */
extern const char __executable_start, etext; // NOLINT(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)

/* A macro, so that the caller is that of the function which it is in. */
#define IS_OWN_CALL is_own((uintptr_t)__builtin_return_address(0))
static bool is_own(uintptr_t caller) {
  return caller >= (uintptr_t)&__executable_start && caller < (uintptr_t)&etext;
}

/* The function of that name in the libraries behind the program. */
static void *next(const char *name) {
  void *const found = dlsym(RTLD_NEXT, name);
  if (!found) abort();
  return found;
}

/* POSIX's way from dlsym() to a function. */
#define NEXT(type, name, ...)                                                                                          \
  type (*real)(__VA_ARGS__) = NULL;                                                                                    \
  *(void **)&real = next(#name)

/* The number that the variable has, or `otherwise`. */
static uint64_t number(const char *variable, uint64_t otherwise) {
  const char *const text = getenv(variable);
  return text && *text ? strtoull(text, NULL, 10) : otherwise;
}

/* ---- OpenCL ------------------------------------------------------------------------------------------------------ */

cl_mem clCreateBuffer(cl_context context, cl_mem_flags flags, size_t size, void *host, cl_int *code) {
  NEXT(cl_mem, clCreateBuffer, cl_context, cl_mem_flags, size_t, void *, cl_int *);
  if (size <= number("SHIM_BUFFER", UINT64_MAX)) return real(context, flags, size, host, code);
  if (code) *code = CL_MEM_OBJECT_ALLOCATION_FAILURE;
  return NULL;
}

/* The source with SHIM_TO for each SHIM_FROM; free() it. */
static char *changed(const char *text, size_t size, const char *from, const char *to) {
  char *out = NULL;
  size_t length = 0;
  FILE *const file = open_memstream(&out, &length);
  char *const source = strndup(text, size);
  if (!file || !source) abort();
  const char *at = source;
  for (const char *next; (next = strstr(at, from)); at = next + strlen(from))
    (void)fprintf(file, "%.*s%s", (int)(next - at), at, to);
  (void)fputs(at, file);
  (void)fclose(file);
  free(source);
  return out;
}

cl_program clCreateProgramWithSource(cl_context context, cl_uint n, const char **texts, const size_t *sizes,
                                     cl_int *code) {
  NEXT(cl_program, clCreateProgramWithSource, cl_context, cl_uint, const char **, const size_t *, cl_int *);
  const char *const from = getenv("SHIM_FROM"), *const to = getenv("SHIM_TO");
  if (!from || !*from || !to || n != 1 || !sizes) return real(context, n, texts, sizes, code);
  char *const text = changed(texts[0], sizes[0], from, to);
  const cl_program program = real(context, 1, (const char *[]){text}, NULL, code);
  free(text);
  return program;
}

/* ---- Files ------------------------------------------------------------------------------------------------------- */

/* Whether this write is the one to stop in: nobody else has made the file. */
static bool is_to_pause(size_t size, int *announcement) {
  const char *const path = getenv("SHIM_PAUSE");
  if (!path || !*path || size < LARGE_WRITE) return false;
  *announcement = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  return *announcement >= 0;
}

/* Until a signal ends the process. */
static void announce_and_wait(int announcement) {
  (void)dprintf(announcement, "%ld", (long)getpid());
  (void)close(announcement);
  for (;;) {
    (void)pause();
  }
}

/* How many of `size` bytes there still is room for. */
static size_t room(size_t size) {
  static uint64_t written;
  const uint64_t disk = number("SHIM_DISK", UINT64_MAX), left = disk > written ? disk - written : 0;
  const size_t fits = size < left ? size : (size_t)left;
  written += fits;
  return fits;
}

ssize_t write(int fd, const void *bytes, size_t size) {
  NEXT(ssize_t, write, int, const void *, size_t);
  int announcement;
  if (is_to_pause(size, &announcement)) {
    (void)real(fd, bytes, size / 2);
    announce_and_wait(announcement);
  }
  const size_t fits = IS_OWN_CALL ? room(size) : size;
  if (fits > 0 || size == 0) return real(fd, bytes, fits);
  errno = ENOSPC;
  return -1;
}

/* MPI-IO's. The name that a program calls depends on how it was compiled. */
#define PWRITE(name)                                                                                                   \
  ssize_t name(int fd, const void *bytes, size_t size, off_t offset) {                                                 \
    NEXT(ssize_t, name, int, const void *, size_t, off_t);                                                             \
    int announcement;                                                                                                  \
    if (!is_to_pause(size, &announcement)) return real(fd, bytes, size, offset);                                       \
    (void)real(fd, bytes, size / 2, offset);                                                                           \
    announce_and_wait(announcement);                                                                                   \
    return -1;                                                                                                         \
  }
PWRITE(pwrite)
PWRITE(pwrite64)
#define PWRITEV(name)                                                                                                  \
  ssize_t name(int fd, const struct iovec *parts, int n, off_t offset) {                                               \
    NEXT(ssize_t, name, int, const struct iovec *, int, off_t);                                                        \
    int announcement;                                                                                                  \
    if (n < 1 || !is_to_pause(parts[0].iov_len, &announcement)) return real(fd, parts, n, offset);                     \
    (void)real(fd, &(struct iovec){parts[0].iov_base, parts[0].iov_len / 2}, 1, offset);                               \
    announce_and_wait(announcement);                                                                                   \
    return -1;                                                                                                         \
  }
PWRITEV(pwritev)
PWRITEV(pwritev64)

int fallocate(int fd, int mode, off_t offset, off_t size) {
  NEXT(int, fallocate, int, int, off_t, off_t);
  if (!IS_OWN_CALL || (uint64_t)(offset + size) <= number("SHIM_DISK", UINT64_MAX)) return real(fd, mode, offset, size);
  errno = ENOSPC;
  return -1;
}

int statvfs(const char *path, struct statvfs *out) {
  NEXT(int, statvfs, const char *, struct statvfs *);
  const int status = real(path, out);
  if (status != 0 || !getenv("SHIM_FREE")) return status;
  out->f_frsize = 1;
  out->f_bavail = number("SHIM_FREE", 0);
  return 0;
}

int mkstemp(char *path) {
  NEXT(int, mkstemp, char *);
  const int error = IS_OWN_CALL ? (int)number("SHIM_CREATE", 0) : 0;
  if (error == 0) return real(path);
  errno = error;
  return -1;
}

/* ---- Time -------------------------------------------------------------------------------------------------------- */

int clock_gettime(clockid_t clock, struct timespec *time) {
  static uint64_t microseconds = 1000000, step;
  NEXT(int, clock_gettime, clockid_t, struct timespec *);
  if (clock != CLOCK_MONOTONIC || number("SHIM_CLOCK", 0) == 0 || !IS_OWN_CALL) return real(clock, time);
  microseconds += number("SHIM_CLOCK", 0) * ++step;
  *time =
      (struct timespec){.tv_sec = (time_t)(microseconds / 1000000), .tv_nsec = (long)(microseconds % 1000000) * 1000};
  return 0;
}
