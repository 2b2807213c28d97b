/* Safetensors files by number: whole ones, and ones with one or two faults. */
#ifndef TESTS_CLI_VARIANTS_H
#define TESTS_CLI_VARIANTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MOST_TENSORS = 5, ROOM = 16384, PREFIX = 8 };

/* A file in parts, each as it will stand there. */
typedef struct entry {
  char name[64], dtype[32], shape[512], begin[32], end[32], more[64];
  bool no_dtype, no_shape;
} entry;

typedef struct variant {
  entry entries[MOST_TENSORS + 1];
  size_t n;
  char metadata[8192]; /* with the comma after it */
  char before[16], after[32];
  uint64_t data, length; /* bytes of data; what is added to the header's length, modulo 2^64 */
  int64_t longer;        /* bytes that are added to the file, or taken away */
  unsigned char bytes[ROOM];
  size_t size;
} variant;

/* One in eight is whole; the others have one or two faults by the parts, or of bytes. The same everywhere. */
void make_variant(variant *v, size_t number);

#endif
