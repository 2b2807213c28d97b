/* What the fuzz targets share. Each fuzz_*.c feeds arbitrary bytes to one reader of a user's bytes, and aborts where
 * the reader takes what it should not, refuses without a sentence, or does not read back what was written. */
#ifndef FANIN_FUZZ_H
#define FANIN_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/failure.h"

/* libFuzzer's entry, or replay.c's. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the process where `condition` does not hold: a finding. */
#define FUZZ_REQUIRE(condition) fuzz_require((condition), #condition, __FILE__, __LINE__)
void fuzz_require(bool condition, const char *text, const char *file, int line);

/* That a reader's status and sentence fit each other: none, or status 2 and a sentence. Returns whether it succeeded.
 */
bool fuzz_verdict(int status, const failure *why);

/* The bytes as a text, which ends at the first 0 among them; free() it. */
char *fuzz_text(const uint8_t *data, size_t size);

/* The path of a file of these bytes and then `zeros` more (a hole, no memory), whose name ends so. The same file every
 * time, removed at exit. NULL: the system has no such file. */
const char *fuzz_file(const char *ending, const void *data, size_t size, uint64_t zeros);

/* A corpus of headers can be read: "{...}\n96" is the header and the size of the data behind it. */
typedef struct fuzz_header {
  size_t length;
  uint64_t zeros;
} fuzz_header;
fuzz_header fuzz_split(const uint8_t *data, size_t size);

#endif
