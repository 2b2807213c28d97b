/* Headers of safetensors files. An input that begins with '{' is a header alone ("{...}\n96", see fuzz.h); any other is
 * a whole file. */
#include <stdlib.h>
#include <string.h>

#include "formats/tensor_file.h"
#include "fuzz.h"

enum { PREFIX = 8 };

static const char *make_file(const uint8_t *data, size_t size) {
  if (size == 0 || data[0] != '{') return fuzz_file(".safetensors", data, size, 0);
  const fuzz_header h = fuzz_split(data, size);
  char *bytes = allocate(PREFIX + h.length, 1);
  for (int i = 0; i < PREFIX; ++i)
    bytes[i] = (char)((uint64_t)h.length >> (8 * i) & 0xff);
  memcpy(bytes + PREFIX, data, h.length);
  const char *path = fuzz_file(".safetensors", bytes, PREFIX + h.length, h.zeros);
  free(bytes);
  return path;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  tensor_file f;
  failure why = {0};
  const char *path = make_file(data, size);
  if (!path || !fuzz_verdict(tensor_file_open(path, &f, &why), &why)) return 0;
  uint64_t bytes = 0, least = f.size;
  for (size_t i = 0; i < f.count; ++i) {
    const stored_tensor *t = &f.tensors[i];
    uint64_t elements = 1;
    for (int d = 0; d < t->rank; ++d)
      elements *= t->shape[d];
    FUZZ_REQUIRE(t->rank >= 0 && t->rank <= STORED_MAX_RANK && strcmp(t->name, "__metadata__") != 0);
    FUZZ_REQUIRE(elements == t->elements &&
                 t->bytes == elements / 8 * t->type->bits + elements % 8 * t->type->bits / 8);
    FUZZ_REQUIRE(t->offset <= f.size && t->bytes <= f.size - t->offset);
    least = t->offset < least ? t->offset : least;
    bytes += t->bytes;
    (void)tensor_file_note(&f, "init", t->name);
  }
  FUZZ_REQUIRE(least >= PREFIX && bytes == f.size - least); /* no byte in two tensors, none in no tensor */
  (void)tensor_file_note(&f, "seed", NULL);
  tensor_file_close(&f);
  return 0;
}
