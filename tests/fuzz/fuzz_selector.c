/* Selectors of devices, from the command line or $FANIN_DEVICE, among devices that are not there. */
#include <stdlib.h>
#include <string.h>

#include "core/device.h"
#include "fuzz.h"

static fanin_status three_devices(fanin_device_info **list, size_t *count) {
  static const fanin_device_info all[] = {
      {.name = "pthread-Xeon", .platform_name = "Portable Computing Language", .type = CL_DEVICE_TYPE_CPU, .usable = 1},
      {.name = "gfx1100", .platform_name = "AMD", .type = CL_DEVICE_TYPE_GPU, .usable = 1},
      {.name = "old", .platform_name = "", .type = CL_DEVICE_TYPE_ACCELERATOR, .reason = "rounds toward zero"}};
  *count = sizeof all / sizeof *all;
  *list = malloc(sizeof all);
  FUZZ_REQUIRE(*list);
  memcpy(*list, all, sizeof all);
  return FANIN_STATUS_OK;
}
#define fanin__device_list three_devices
#include "core/select.c" // NOLINT(bugprone-suspicious-include)
#undef fanin__device_list

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char *text = fuzz_text(data, size);
  fanin_device_info info = {.name = ""};
  const fanin_status status = fanin__select(text, &info);
  if (status == FANIN_STATUS_OK) {
    FUZZ_REQUIRE(info.usable && info.name[0] != '\0');
  } else {
    FUZZ_REQUIRE((status == FANIN_STATUS_NO_DEVICE || status == FANIN_STATUS_UNSUPPORTED) &&
                 fanin_last_error()[0] != '\0');
  }
  free(text);
  return 0;
}
