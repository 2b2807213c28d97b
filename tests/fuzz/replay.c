/* Runs a fuzz target on files, without libFuzzer: the arguments are files and directories of files. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz.h"

static size_t replayed;

static void run_file(const char *path) {
  FILE *file = fopen(path, "rbe");
  char *data = NULL;
  size_t size = 0, capacity = 0, n;
  fuzz_require(file != NULL, "a file that can be opened", path, 0);
  do {
    data = grow(data, &capacity, size + 4096, 1);
    n = fread(data + size, 1, capacity - size, file);
    size += n;
  } while (n > 0);
  fuzz_require(!ferror(file), "a file that can be read", path, 0);
  fclose(file);
  uint8_t *exact = allocate(size, 1); /* one byte too far shows under AddressSanitizer */
  memcpy(exact, data, size);
  free(data);
  fprintf(stderr, "%s\n", path); /* the last one, if it does not return */
  LLVMFuzzerTestOneInput(exact, size);
  free(exact);
  ++replayed;
}

static void run_directory(const char *path) {
  struct dirent **entries = NULL;
  char full[4096];
  const int n = scandir(path, &entries, NULL, alphasort);
  fuzz_require(n >= 0, "a directory that can be read", path, 0);
  for (int i = 0; i < n; ++i) {
    if (entries[i]->d_name[0] != '.') {
      snprintf(full, sizeof full, "%s/%s", path, entries[i]->d_name);
      run_file(full);
    }
    free(entries[i]);
  }
  free(entries);
}

int main(int argc, char **argv) {
  struct stat there;
  for (int i = 1; i < argc; ++i) {
    fuzz_require(stat(argv[i], &there) == 0, "a file or directory", argv[i], 0);
    if (S_ISDIR(there.st_mode))
      run_directory(argv[i]);
    else
      run_file(argv[i]);
  }
  fuzz_require(replayed > 0, "at least one file", "arguments", 0);
  return EXIT_SUCCESS;
}
