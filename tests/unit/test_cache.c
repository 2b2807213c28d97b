/* fanin_cache(): programs come back from a directory, and whatever is wrong with it costs nothing but a compilation. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* RTLD_NEXT */ // NOLINT(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)
#endif
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/support.h"

static const uint64_t SHAPE[] = {33, 9};
enum { BYTES = 33 * 9 * 4 };

/* ---- Calls that are counted -------------------------------------------------------------------------------------- */

static int sources;

cl_program CL_API_CALL clCreateProgramWithSource(cl_context context, cl_uint count, const char **strings,
                                                 const size_t *lengths, cl_int *errcode_ret) {
  cl_program(CL_API_CALL * real)(cl_context, cl_uint, const char **, const size_t *, cl_int *) = NULL;
  sources++;
  *(void **)&real = dlsym(RTLD_NEXT, "clCreateProgramWithSource");
  return real(context, count, strings, lengths, errcode_ret);
}

/* ---- A directory ------------------------------------------------------------------------------------------------- */

static char place[] = "/tmp/fanin-cache-XXXXXX";
static char path[512]; /* of the last file that find() saw */

/* How many files the directory has. */
static int find(const char *directory) {
  int n = 0;
  DIR *const list = opendir(directory);
  for (const struct dirent *entry; list && (entry = readdir(list));) {
    if (entry->d_name[0] == '.') continue;
    snprintf(path, sizeof path, "%.255s/%.200s", directory, entry->d_name);
    n++;
  }
  if (list) closedir(list);
  return n;
}

static void clear(const char *directory) {
  while (find(directory) > 0)
    assert_int_equal(unlink(path), 0);
}

static size_t read_file(unsigned char *data, size_t capacity) {
  FILE *const file = fopen(path, "rb");
  assert_non_null(file);
  const size_t size = fread(data, 1, capacity, file);
  assert_int_equal(fclose(file), 0);
  return size;
}

static void write_file(const unsigned char *data, size_t size) {
  FILE *const file = fopen(path, "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(data, 1, size, file), size);
  assert_int_equal(fclose(file), 0);
}

/* Fills in a new fanin that uses the directory; how many programs it compiled. */
static int fill(const char *directory, const char *text, unsigned char out[BYTES]) {
  fanin *const f = test_open();
  fanin_tensor t;
  fanin_init init;
  assert_ok(fanin_cache(f, directory));
  assert_ok(fanin_init_parse(text, &init));
  assert_ok(fanin_tensor_alloc(f, FANIN_DTYPE_F32, "OI", 2, SHAPE, &t));
  const int before = sources;
  assert_ok(fanin_fill(f, NULL, &t, &init, (fanin_key){5, 6}, 0, NULL, NULL));
  assert_ok(fanin_read(f, NULL, &t, out, BYTES, 1, 0, NULL, NULL));
  fanin_tensor_free(&t);
  test_close(f);
  return sources - before;
}

static unsigned char wanted[BYTES];

static void assert_fills(const char *directory, int compiled) {
  unsigned char got[BYTES];
  assert_int_equal(fill(directory, "uniform", got), compiled);
  assert_memory_equal(got, wanted, BYTES);
}

static int set_up(void **state) {
  (void)state;
  assert_non_null(mkdtemp(place));
  assert_int_equal(unsetenv("FANIN_CACHE"), 0);
  return fill("", "uniform", wanted) == 1 ? 0 : -1; /* "" is no directory */
}

static int tear_down(void **state) {
  (void)state;
  clear(place);
  return rmdir(place);
}

/* ---- Tests ------------------------------------------------------------------------------------------------------- */

static void programs_come_back(void **state) {
  (void)state;
  unsigned char other[BYTES];
  assert_fills(place, 1);
  assert_int_equal(find(place), 1);
  const struct timespec then[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
  struct stat there;
  assert_int_equal(utimensat(AT_FDCWD, path, then, 0), 0);
  assert_fills(place, 0);
  assert_int_equal(stat(path, &there), 0);
  assert_true(there.st_mtime > 1);                             /* when it was used last decides what is removed */
  assert_int_equal(fill(place, "constant:value=2", other), 1); /* another program */
  assert_int_equal(find(place), 2);
  assert_int_equal(setenv("FANIN_CACHE", "off", 1), 0);
  assert_fills(place, 1);
  assert_int_equal(setenv("FANIN_CACHE", place, 1), 0);
  assert_fills(NULL, 0);
  assert_int_equal(unsetenv("FANIN_CACHE"), 0);
  clear(place);
}

/* Damaged, cut and empty files, and one of another program under this one's name: compiled again, and replaced. */
static void damage_is_repaired(void **state) {
  (void)state;
  enum { MOST = 4 << 20 };
  unsigned char other[BYTES], *const data = malloc(2 * MOST), *const foreign = data + MOST;
  assert_non_null(data);
  assert_int_equal(fill(place, "constant:value=2", other), 1);
  assert_int_equal(find(place), 1);
  const size_t foreign_size = read_file(foreign, MOST);
  clear(place);
  assert_fills(place, 1);
  assert_int_equal(find(place), 1);
  const size_t size = read_file(data, MOST);
  const size_t sizes[] = {size, size / 2, 0};
  for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
    data[sizes[k] / 2] ^= 1;
    write_file(data, sizes[k]);
    data[sizes[k] / 2] ^= 1;
    assert_fills(place, 1);
    assert_fills(place, 0);
  }
  write_file(foreign, foreign_size);
  assert_fills(place, 1);
  assert_fills(place, 0);
  assert_int_equal(find(place), 1); /* and nothing else is left there */
  clear(place);
  free(data);
}

/* 75 MiB of programs that were not used since 1970, in a sparse file each: they go, and what is new stays, and so does
 * a file that is not fanin's. */
static void old_files_make_room(void **state) {
  (void)state;
  char old[600];
  for (int k = -1; k < 5; k++) {
    if (k < 0) snprintf(old, sizeof old, "%s/model.fanin", place);
    if (k >= 0) snprintf(old, sizeof old, "%s/%016x.fanin", place, k);
    const int fd = open(old, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, 15 << 20), 0);
    const time_t seconds = k < 0 ? 1 : 10 - k;
    const struct timespec then[2] = {{.tv_sec = seconds}, {.tv_sec = seconds}};
    assert_int_equal(futimens(fd, then), 0);
    assert_int_equal(close(fd), 0);
  }
  assert_fills(place, 1);
  assert_int_equal(find(place), 6);           /* four of 15 MiB fit, beside the program and the other file */
  assert_int_not_equal(access(old, F_OK), 0); /* the oldest is the last one */
  snprintf(old, sizeof old, "%s/model.fanin", place);
  assert_int_equal(access(old, F_OK), 0);
  assert_fills(place, 0);
  clear(place);
}

/* A directory that is not there and cannot be made; one that others may write to, which is not trusted. */
static void unusable_places_cost_time_alone(void **state) {
  (void)state;
  char below[600];
  snprintf(below, sizeof below, "%s/a/b", place);
  assert_fills("/dev/null/cache", 1);
  assert_fills(below, 1); /* is made */
  assert_fills(below, 0);
  assert_int_equal(chmod(below, 0777), 0);
  assert_fills(below, 1);
  assert_int_equal(chmod(below, 0700), 0);
  assert_fills(below, 0);
  clear(below);
  assert_int_equal(rmdir(below), 0);
  *strrchr(below, '/') = '\0';
  assert_int_equal(rmdir(below), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(programs_come_back),
      cmocka_unit_test(damage_is_repaired),
      cmocka_unit_test(old_files_make_room),
      cmocka_unit_test(unusable_places_cost_time_alone),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
