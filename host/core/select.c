/* Picks a device by fanin_open()'s selector. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/argument.h"
#include "core/device.h"
#include "core/driver.h"

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

/* ---- Which is better --------------------------------------------------------------------------------------------- */

static cl_ulong is_usable(const fanin_device_info *info) {
  return info->usable != 0;
}

static cl_ulong type_preference(const fanin_device_info *info) {
  if (info->type & CL_DEVICE_TYPE_GPU) return 2;
  return info->type & CL_DEVICE_TYPE_CPU ? 1 : 0;
}

static cl_ulong has_own_memory(const fanin_device_info *info) {
  return !info->shares_memory;
}

/* What a device fills at once. Units alone say little: llvmpipe claims 8 on every machine, with one lane each. */
static cl_ulong width(const fanin_device_info *info) {
  return (cl_ulong)fanin__device_lanes(info) * info->compute_units;
}

static cl_ulong has_f64(const fanin_device_info *info) {
  return info->has_f64 != 0;
}

static cl_ulong memory(const fanin_device_info *info) {
  return info->memory_bytes;
}

/* What counts, the first first: more is better. The words stand around the other device, which has less. */
static const struct criterion {
  cl_ulong (*value)(const fanin_device_info *info);
  const char *before, *after;
} criteria[] = {
    {is_usable, "", " cannot be used"},
    {type_preference, "GPUs come before CPUs, and CPUs before others, and ", " is of a later type"},
    {has_own_memory, "it has memory of its own, and ", " shares the host's"},
    {width, "", NULL}, /* compare() has the numbers */
    {has_f64, "it has f64, and ", " does not"},
    {memory, "it has more memory than ", ""},
};
enum { N_CRITERIA = sizeof criteria / sizeof *criteria };

/* The first criterion by which two devices differ, or N_CRITERIA. */
static size_t difference(const fanin_device_info *a, const fanin_device_info *b) {
  size_t k = 0;
  while (k < N_CRITERIA && criteria[k].value(a) == criteria[k].value(b))
    k++;
  return k;
}

static bool better(const fanin_device_info *a, const fanin_device_info *b) {
  const size_t k = difference(a, b);
  return k < N_CRITERIA && criteria[k].value(a) > criteria[k].value(b);
}

/* ---- Selectors --------------------------------------------------------------------------------------------------- */

/* Also names drivers that are installed and give no device: the one that was meant may be among them. */
static fanin_status fail_no_device(const device_list *list, const char *origin, const char *selector) {
  char names[400] = "", drivers[600];
  size_t used = 0;
  for (size_t k = 0; k < list->count && used < sizeof names; k++) {
    const fanin_device_info *const info = &list->devices[k];
    const int length = snprintf(names + used, sizeof names - used, "%s%zu is %s (%s)", k ? ", " : "by index, ", k,
                                info->name, info->platform_name);
    used += length > 0 ? (size_t)length : 0;
  }
  const size_t n_drivers = fanin__driver_failures(drivers, sizeof drivers);
  if (list->count > 0) {
    return fanin__fail(FANIN_STATUS_NO_DEVICE, "no device answers the %s \"%.60s\"; %s%s", origin, selector, names,
                       drivers);
  }
  return fanin__fail(FANIN_STATUS_NO_DEVICE, "there is no OpenCL device%s",
                     n_drivers > 0 ? drivers : " and no driver; Debian's package pocl-opencl-icd adds the CPU as one");
}

/* The usable devices that answer, the best first, equals in the list's order: indices into the list. Without a
 * selector, those that are of the best one's type. free() both whatever comes back. Behind the *count indices are those
 * of devices that answer too, but are of another type or cannot be used; *answering counts all. */
static fanin_status choose(const char *selector, device_list *list, size_t **chosen, size_t *count, size_t *answering) {
  const char *origin = "selector";
  if (!selector || *selector == '\0') {
    const char *const variable = getenv("FANIN_DEVICE");
    selector = variable ? variable : "";
    origin = "selector $FANIN_DEVICE";
  }
  FANIN__TRY(fanin__device_list(&list->devices, &list->count));
  *chosen = calloc(list->count + 1, sizeof **chosen);
  if (!*chosen) return fanin__fail(FANIN_STATUS_OUT_OF_MEMORY, "a list of %zu devices", list->count);

  size_t n = 0;
  for (size_t k = 0; k < list->count; k++) {
    if (!answers(&list->devices[k], k, selector)) continue;
    size_t at = n++;
    for (; at > 0 && better(&list->devices[k], &list->devices[(*chosen)[at - 1]]); at--) {
      (*chosen)[at] = (*chosen)[at - 1];
    }
    (*chosen)[at] = k;
  }
  *answering = n;
  if (n == 0) return fail_no_device(list, origin, selector);
  const fanin_device_info *const best = &list->devices[(*chosen)[0]];
  if (!best->usable) {
    return fanin__fail(FANIN_STATUS_UNSUPPORTED, "device \"%.100s\" (%.60s): %s", best->name, best->platform_name,
                       best->reason);
  }
  for (*count = 1; *count < n; ++*count) {
    const fanin_device_info *const next = &list->devices[(*chosen)[*count]];
    if (!next->usable || (*selector == '\0' && type_preference(next) != type_preference(best))) break;
  }
  return FANIN_STATUS_OK;
}

fanin_status fanin__select(const char *selector, fanin_device_info *out) {
  device_list list = {0};
  size_t *chosen = NULL, count = 0, answering = 0;
  const fanin_status status = choose(selector, &list, &chosen, &count, &answering);
  if (status == FANIN_STATUS_OK) *out = list.devices[chosen[0]];
  free(chosen);
  free(list.devices);
  return status;
}

fanin_status fanin_select(const char *selector, size_t *indices, size_t capacity, size_t *count) {
  device_list list = {0};
  size_t *chosen = NULL, answering = 0;
  FANIN__NEED_ARRAY(indices, capacity);
  FANIN__NEED(count);
  const fanin_status status = choose(selector, &list, &chosen, count, &answering);
  for (size_t k = 0; status == FANIN_STATUS_OK && k < *count && k < capacity; k++) {
    indices[k] = chosen[k];
  }
  free(chosen);
  free(list.devices);
  return status;
}

/* Why device `first` comes before device `second`. */
static void compare(const device_list *list, size_t first, size_t second, char *text, size_t size) {
  const fanin_device_info *const a = &list->devices[first], *const b = &list->devices[second];
  const size_t k = difference(a, b);
  if (k == N_CRITERIA) {
    snprintf(text, size, "it comes before device %zu, which is as good", second);
  } else if (criteria[k].after) {
    snprintf(text, size, "%sdevice %zu%s", criteria[k].before, second, criteria[k].after);
  } else {
    snprintf(text, size, "its %zu x %u lanes (vector times compute units) are more than the %zu x %u of device %zu",
             fanin__device_lanes(a), (unsigned)a->compute_units, fanin__device_lanes(b), (unsigned)b->compute_units,
             second);
  }
}

fanin_status fanin_select_reason(const char *selector, char *text, size_t capacity, size_t *length) {
  device_list list = {0};
  size_t *chosen = NULL, count = 0, answering = 0;
  char reason[200] = "";
  FANIN__NEED_ARRAY(text, capacity);
  fanin_status status = choose(selector, &list, &chosen, &count, &answering);
  if (status == FANIN_STATUS_OK && answering > 1) {
    compare(&list, chosen[0], chosen[1], reason, sizeof reason);
  } else if (status == FANIN_STATUS_OK) {
    snprintf(reason, sizeof reason,
             list.count > 1 ? "no other device answers the selector" : "there is no other device");
  }
  if (status == FANIN_STATUS_OK) status = fanin__give_text(reason, strlen(reason), text, capacity, length);
  free(chosen);
  free(list.devices);
  return status;
}
