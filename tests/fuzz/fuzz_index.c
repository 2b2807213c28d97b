/* Indices of checkpoints in several files, "model.safetensors.index.json". The files that one names are not there. */
#include "formats/checkpoint.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  checkpoint c = {0};
  failure why = {0};
  const char *path = fuzz_file(CHECKPOINT_INDEX, data, size, 0);
  if (path) FUZZ_REQUIRE(!fuzz_verdict(checkpoint_read(path, &c, &why), &why));
  checkpoint_free(&c);
  return 0;
}
