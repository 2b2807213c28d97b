/* Picks a device by fanin_open()'s selector. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/argument.h"
#include "core/device.h"

typedef struct device_list {
  fanin_device_info *devices; /* free() */
  size_t count;
} device_list;

static bool contains_ignoring_case(const char *text, const char *part) {
  const size_t length = strlen(part);
  for (; *text; text++) {
    if (strncasecmp(text, part, length) == 0) return true;
  }
  return false;
}

static bool all_digits(const char *text) {
  return text[strspn(text, "0123456789")] == '\0';
}

/* "" is answered by every device. */
static bool answers(const fanin_device_info *info, size_t index, const char *selector) {
  if (*selector == '\0') return true;
  if (strcasecmp(selector, "gpu") == 0) return (info->type & CL_DEVICE_TYPE_GPU) != 0;
  if (strcasecmp(selector, "cpu") == 0) return (info->type & CL_DEVICE_TYPE_CPU) != 0;
  /* A number too large for strtoull becomes its maximum, which is nobody's index. */
  if (all_digits(selector)) return strtoull(selector, NULL, 10) == index;
  return contains_ignoring_case(info->platform_name, selector) || contains_ignoring_case(info->name, selector);
}

static int type_preference(const fanin_device_info *info) {
  if (info->type & CL_DEVICE_TYPE_GPU) return 2;
  return info->type & CL_DEVICE_TYPE_CPU ? 1 : 0;
}

/* Usable before not; with no selector GPU before CPU before others; then compute units, then memory. */
static bool better(const fanin_device_info *a, const fanin_device_info *b, bool by_type) {
  if (a->usable != b->usable) return a->usable > b->usable;
  if (by_type && type_preference(a) != type_preference(b)) return type_preference(a) > type_preference(b);
  if (a->compute_units != b->compute_units) return a->compute_units > b->compute_units;
  return a->memory_bytes > b->memory_bytes;
}

static fanin_status fail_no_device(const device_list *list, const char *origin, const char *selector) {
  char names[400] = "there is none";
  size_t used = 0;
  for (size_t k = 0; k < list->count && used < sizeof names; k++) {
    const fanin_device_info *const info = &list->devices[k];
    const int length = snprintf(names + used, sizeof names - used, "%s%zu is %s (%s)", k ? ", " : "by index, ", k,
                                info->name, info->platform_name);
    used += length > 0 ? (size_t)length : 0;
  }
  return fanin__fail(FANIN_STATUS_NO_DEVICE, "no device answers the %s \"%.60s\"; %s", origin, selector, names);
}

/* The usable devices that answer, the best first, equals in the list's order: indices into the list. Without a
 * selector, those that are of the best one's type. free() both whatever comes back. */
static fanin_status choose(const char *selector, device_list *list, size_t **chosen, size_t *count) {
  const char *origin = "selector";
  if (!selector || *selector == '\0') {
    const char *const variable = getenv("FANIN_DEVICE");
    selector = variable ? variable : "";
    origin = "selector $FANIN_DEVICE";
  }
  FANIN__TRY(fanin__device_list(&list->devices, &list->count));
  *chosen = calloc(list->count + 1, sizeof **chosen);
  if (!*chosen) return fanin__fail(FANIN_STATUS_OUT_OF_MEMORY, "a list of %zu devices", list->count);

  const bool by_type = *selector == '\0';
  size_t n = 0;
  for (size_t k = 0; k < list->count; k++) {
    if (!answers(&list->devices[k], k, selector)) continue;
    size_t at = n++;
    for (; at > 0 && better(&list->devices[k], &list->devices[(*chosen)[at - 1]], by_type); at--) {
      (*chosen)[at] = (*chosen)[at - 1];
    }
    (*chosen)[at] = k;
  }
  if (n == 0) return fail_no_device(list, origin, selector);
  const fanin_device_info *const best = &list->devices[(*chosen)[0]];
  if (!best->usable) {
    return fanin__fail(FANIN_STATUS_UNSUPPORTED, "device \"%.100s\" (%.60s): %s", best->name, best->platform_name,
                       best->reason);
  }
  for (*count = 1; *count < n; ++*count) {
    const fanin_device_info *const next = &list->devices[(*chosen)[*count]];
    if (!next->usable || (by_type && type_preference(next) != type_preference(best))) break;
  }
  return FANIN_STATUS_OK;
}

fanin_status fanin__select(const char *selector, fanin_device_info *out) {
  device_list list = {0};
  size_t *chosen = NULL, count = 0;
  const fanin_status status = choose(selector, &list, &chosen, &count);
  if (status == FANIN_STATUS_OK) *out = list.devices[chosen[0]];
  free(chosen);
  free(list.devices);
  return status;
}

fanin_status fanin_select(const char *selector, size_t *indices, size_t capacity, size_t *count) {
  device_list list = {0};
  size_t *chosen = NULL;
  FANIN__NEED_ARRAY(indices, capacity);
  FANIN__NEED(count);
  const fanin_status status = choose(selector, &list, &chosen, count);
  for (size_t k = 0; status == FANIN_STATUS_OK && k < *count && k < capacity; k++) {
    indices[k] = chosen[k];
  }
  free(chosen);
  free(list.devices);
  return status;
}
