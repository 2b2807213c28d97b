/* Compiled programs as bytes, for fanin_import(). An input is what lies between a file's fingerprint and its hash,
 * which are made to fit; one that begins with "faninbin" is a whole file. No device takes part. */
#include <stdlib.h>
#include <string.h>

#include "core/device.h"
#include "core/program.h"
#include "fuzz.h"

/* binary.c again, for a device that is not there; the library's own is then not linked. */
static fanin_status describe_nothing(cl_device_id device, fanin_device_info *info) {
  (void)device;
  *info = (fanin_device_info){.name = "no device"};
  return FANIN_STATUS_OK;
}
#define fanin__device_describe describe_nothing
#include "core/binary.c" // NOLINT(bugprone-suspicious-include)
#undef fanin__device_describe

/* The bytes as a whole file. */
static unsigned char *wrap(const fanin *f, const uint8_t *data, size_t size, size_t *whole) {
  const bool bare = size < MAGIC_SIZE || memcmp(data, MAGIC, MAGIC_SIZE) != 0;
  writer w = {.data = allocate(size + 64, 1), .capacity = size + 64};
  uint64_t made_for = 0;
  FUZZ_REQUIRE(fingerprint(f, &made_for) == FANIN_STATUS_OK);
  if (bare) {
    put(&w, MAGIC, MAGIC_SIZE);
    put_number(&w, made_for);
  }
  put(&w, data, size);
  if (bare) put_number(&w, hash_bytes(HASH_START, w.data, w.size));
  *whole = w.size;
  return w.data;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fanin f = {.lanes = 4, .lock = PTHREAD_MUTEX_INITIALIZER};
  size_t whole = 0;
  unsigned char *bytes = wrap(&f, data, size, &whole);
  const fanin_status status = fanin_import(&f, bytes, whole);
  FUZZ_REQUIRE(status == FANIN_STATUS_OK || status == FANIN_STATUS_BAD_BINARY || status == FANIN_STATUS_OUT_OF_MEMORY);
  if (status == FANIN_STATUS_OK) {
    size_t total = 0;
    for (const fanin__program *node = f.programs; node; node = node->next)
      total += node->binary_size + strlen(node->options);
    FUZZ_REQUIRE(total <= whole);
  } else {
    FUZZ_REQUIRE(!f.programs && fanin_last_error()[0] != '\0');
  }
  fanin__programs_release(&f);
  free(bytes);
  return 0;
}
