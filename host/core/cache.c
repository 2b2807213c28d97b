/* Compiled programs on disk: fanin_cache().
 *
 * A directory has a file for each program, which is what fanin_export() would write of it alone. Its name is the hash
 * of what the file has to fit: fingerprint, source and build options. A file gets its name when it is complete, so that
 * processes do not disturb one another, and one that is damaged is compiled again and replaced. Nothing here fails: a
 * cache that cannot be used costs nothing but time. */
#include "core/cache.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/argument.h"
#include "core/binary.h"
#include "core/status.h"
#include "fanin/fill.h"

#ifdef _WIN32

static char *own_directory(const char *directory) {
  (void)directory;
  return NULL;
}

void fanin__cache_load(const fanin *f, fanin__program *node) {
  (void)f;
  (void)node;
}

void fanin__cache_store(const fanin *f, const fanin__program *node) {
  (void)f;
  (void)node;
}

#else

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Files larger than MOST_FILE are no program of fanin's. Where a directory's files have more than MOST_BYTES together,
 * those that were used longest ago are removed. A program takes about 100 kB. */
enum { MOST_FILE = 16 << 20, MOST_BYTES = 64 << 20 };
static const char ending[] = ".fanin", unfinished[] = "new.fanin-XXXXXX";

/* ---- Places ------------------------------------------------------------------------------------------------------ */

/* a/b, or NULL where memory is short. free() it. */
static char *join(const char *a, const char *b) {
  const size_t size = strlen(a) + strlen(b) + 2;
  char *const path = malloc(size);
  if (path) snprintf(path, size, "%s/%s", a, b);
  return path;
}

static bool make_directories(char *path) {
  for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
    *slash = '\0';
    (void)mkdir(path, 0700);
    *slash = '/';
  }
  return mkdir(path, 0700) == 0 || errno == EEXIST;
}

/* A copy of the path of a directory that is there then, and that nobody else may write to: what is in it will run. */
static char *own_directory(const char *directory) {
  char *const path = strdup(directory);
  struct stat there;
  if (path && *path && make_directories(path) && stat(path, &there) == 0 && S_ISDIR(there.st_mode) &&
      there.st_uid == geteuid() && (there.st_mode & (S_IWGRP | S_IWOTH)) == 0)
    return path;
  free(path);
  return NULL;
}

static char *path_of(const fanin *f, const fanin__program *node) {
  uint64_t hash = 0;
  char name[32];
  if (fanin__program_hash(f, node, &hash) != FANIN_STATUS_OK) return NULL;
  snprintf(name, sizeof name, "%016" PRIx64 "%s", hash, ending);
  return join(f->cache, name);
}

/* ---- Reading ----------------------------------------------------------------------------------------------------- */

static bool read_all(int fd, unsigned char *to, size_t size) {
  while (size > 0) {
    const ssize_t n = read(fd, to, size);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    to += n;
    size -= (size_t)n;
  }
  return true;
}

/* The file's bytes, to be freed; NULL where it is not there, or not as large as a program may be. */
static unsigned char *read_file(const char *path, size_t *size) {
  struct stat there;
  unsigned char *data = NULL;
  const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return NULL;
  if (fstat(fd, &there) == 0 && S_ISREG(there.st_mode) && there.st_size > 0 && there.st_size <= MOST_FILE) {
    *size = (size_t)there.st_size;
    data = malloc(*size);
    if (data && !read_all(fd, data, *size)) {
      free(data);
      data = NULL;
    }
  }
  close(fd);
  return data;
}

void fanin__cache_load(const fanin *f, fanin__program *node) {
  size_t size = 0;
  char *const path = f->cache ? path_of(f, node) : NULL;
  unsigned char *const data = path ? read_file(path, &size) : NULL;
  if (data && fanin__program_unpack(f, node, data, size)) (void)utimensat(AT_FDCWD, path, NULL, 0); /* it was used */
  free(data);
  free(path);
}

/* ---- Writing ----------------------------------------------------------------------------------------------------- */

static bool write_all(int fd, const unsigned char *from, size_t size) {
  while (size > 0) {
    const ssize_t n = write(fd, from, size);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    from += n;
    size -= (size_t)n;
  }
  return true;
}

/* Whether fanin gives files such a name: a directory that the user names may have other files too. */
static bool is_own(const char *name) {
  const size_t digits = strspn(name, "0123456789abcdef");
  if (digits == 16 && strcmp(name + digits, ending) == 0) return true;
  return strncmp(name, unfinished, sizeof unfinished - sizeof "XXXXXX") == 0; /* a killed process has left it */
}

/* Bytes of all files of fanin's, and the one that was used longest ago, to be freed. */
static uint64_t survey(const char *directory, char **oldest) {
  uint64_t bytes = 0;
  struct stat there, of_oldest = {0};
  *oldest = NULL;
  DIR *const list = opendir(directory);
  for (const struct dirent *entry; list && (entry = readdir(list));) {
    if (!is_own(entry->d_name)) continue;
    char *const path = join(directory, entry->d_name);
    if (path && lstat(path, &there) == 0 && S_ISREG(there.st_mode)) {
      bytes += (uint64_t)there.st_size;
      if (!*oldest || there.st_mtime < of_oldest.st_mtime) {
        free(*oldest);
        *oldest = path;
        of_oldest = there;
        continue;
      }
    }
    free(path);
  }
  if (list) closedir(list);
  return bytes;
}

/* Makes room for `size` bytes more. */
static void make_room(const char *directory, size_t size) {
  bool removed = true;
  while (removed) {
    char *oldest = NULL;
    const bool fits = survey(directory, &oldest) + size <= MOST_BYTES;
    removed = !fits && oldest && unlink(oldest) == 0;
    free(oldest);
  }
}

void fanin__cache_store(const fanin *f, const fanin__program *node) {
  unsigned char *data = NULL;
  size_t size = 0;
  if (!f->cache) return;
  char *const path = path_of(f, node), *const temporary = join(f->cache, unfinished);
  if (!path || !temporary || fanin__program_pack(f, node, &data, &size) != FANIN_STATUS_OK || size > MOST_FILE)
    goto done;
  make_room(f->cache, size);
  const int fd = mkstemp(temporary);
  if (fd < 0) goto done;
  const bool is_written = write_all(fd, data, size);
  if (close(fd) != 0 || !is_written || rename(temporary, path) != 0) (void)unlink(temporary);

done:
  free(data);
  free(temporary);
  free(path);
}

#endif

/* ---- Whether ----------------------------------------------------------------------------------------------------- */

/* The directory that nobody named: of fanin's among the user's caches. NULL: nothing says where that is. */
static char *usual_place(void) {
  const char *const base = getenv("XDG_CACHE_HOME"), *const home = getenv("HOME");
  char place[1024];
  int length = 0;
  if (base && base[0] == '/')
    length = snprintf(place, sizeof place, "%s/fanin", base);
  else if (home && home[0] == '/')
    length = snprintf(place, sizeof place, "%s/.cache/fanin", home);
  return length > 0 && length < (int)sizeof place ? own_directory(place) : NULL;
}

fanin_status fanin_cache(fanin *f, const char *directory) {
  FANIN__NEED(f);
  const char *const wish = getenv("FANIN_CACHE");
  const bool is_off = wish && strcmp(wish, "off") == 0;
  if (!directory && wish && *wish) directory = wish;
  char *place = NULL;
  if (!is_off && directory)
    place = own_directory(directory);
  else if (!is_off && !fanin__is_pocl(f->device))
    place = usual_place();
  fanin__mutex_lock(&f->lock);
  free(f->cache);
  f->cache = place;
  fanin__mutex_unlock(&f->lock);
  return FANIN_STATUS_OK;
}
