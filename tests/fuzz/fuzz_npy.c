/* Headers of npy files, and small arrays of samples. An input that begins with '{' is a header alone ("{...}\n96", see
 * fuzz.h), which gets the magic of version 1; any other is a whole file. */
#include <stdlib.h>
#include <string.h>

#include "formats/matrix.h"
#include "formats/tensor_file.h"
#include "fuzz.h"

enum { BEFORE = 10, SMALL = 1 << 20 };

static const char *make_file(const uint8_t *data, size_t size) {
  if (size == 0 || data[0] != '{') return fuzz_file(".npy", data, size, 0);
  const fuzz_header h = fuzz_split(data, size);
  char *bytes = allocate(BEFORE + h.length, 1);
  memcpy(bytes, "\x93NUMPY\1", BEFORE - 2);
  bytes[BEFORE - 2] = (char)(h.length & 0xff);
  bytes[BEFORE - 1] = (char)(h.length >> 8 & 0xff);
  memcpy(bytes + BEFORE, data, h.length);
  const char *path = fuzz_file(".npy", bytes, BEFORE + h.length, h.zeros);
  free(bytes);
  return path;
}

static void read_samples(const char *path) {
  matrix m;
  failure why = {0};
  if (!fuzz_verdict(matrix_read(path, &m, &why), &why)) return;
  FUZZ_REQUIRE(m.rows > 0 && m.columns > 0);
  free(m.values);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  tensor_file f;
  failure why = {0};
  const char *path = make_file(data, size);
  if (!path || !fuzz_verdict(tensor_file_open(path, &f, &why), &why)) return 0;
  const stored_tensor *t = &f.tensors[0];
  uint64_t elements = 1;
  for (int d = 0; d < t->rank; ++d)
    elements *= t->shape[d];
  FUZZ_REQUIRE(f.count == 1 && t->rank >= 0 && t->rank <= STORED_MAX_RANK);
  FUZZ_REQUIRE(elements == t->elements && t->bytes == elements * (t->type->bits / 8));
  FUZZ_REQUIRE(t->offset >= BEFORE && t->offset <= f.size && t->bytes == f.size - t->offset);
  const bool small = t->bytes <= SMALL;
  tensor_file_close(&f);
  if (small) read_samples(path);
  return 0;
}
