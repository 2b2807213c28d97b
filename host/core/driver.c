/* Installed drivers, read from the loader's registry: the loader leaves out what fails to start, and does not say why.
 */
#include "core/driver.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/argument.h"
#include "fanin/device.h"

#ifndef _WIN32
#include <dirent.h>
#include <dlfcn.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

/* Drivers, and the platforms that the loader lists. */
typedef struct registry {
  fanin_driver_info *drivers; /* free() */
  size_t count;
  cl_platform_id platforms[64];
  cl_uint n_platforms;
} registry;

#ifdef _WIN32

/* The registry of Windows has the drivers' names, and its loader is not known to hide what fails. */
static fanin_status read_registry(registry *r) {
  (void)r;
  return FANIN_STATUS_OK;
}

void fanin__pocl_cache_failure(char *text, size_t size) {
  if (size > 0) text[0] = '\0';
}

#else

static const char vendors[] = "/etc/OpenCL/vendors";

static const char *variable(const char *name) {
  const char *const text = getenv(name);
  return text && *text ? text : NULL;
}

static bool ends_in(const char *text, const char *end) {
  const size_t length = strlen(text), n = strlen(end);
  return length >= n && strcmp(text + length - n, end) == 0;
}

/* ---- PoCL's kernel cache ----------------------------------------------------------------------------------------- */

/* Where PoCL keeps its kernels, by the variables that it reads. False: the path is too long, or nothing says it. */
static bool pocl_cache(char *path, size_t size) {
  const struct {
    const char *directory, *below;
  } places[] = {{variable("POCL_CACHE_DIR"), ""},
                {variable("XDG_CACHE_HOME"), "/pocl/kcache"},
                {variable("HOME"), "/.cache/pocl/kcache"}};
  for (size_t k = 0; k < sizeof places / sizeof *places; k++) {
    if (!places[k].directory) continue;
    const int length = snprintf(path, size, "%s%s", places[k].directory, places[k].below);
    return length > 0 && (size_t)length < size;
  }
  return false;
}

/* Makes a directory and those above it, as PoCL does. False with errno where it is not there afterwards. */
static bool make_directories(char *path) {
  for (char *at = strchr(path + 1, '/'); at; at = strchr(at + 1, '/')) {
    *at = '\0';
    (void)mkdir(path, 0755); /* one that fails makes the last one fail */
    *at = '/';
  }
  struct stat found;
  if (mkdir(path, 0755) == 0) return true;
  const int error = errno;
  if (stat(path, &found) == 0 && S_ISDIR(found.st_mode)) return true;
  errno = error;
  return false;
}

void fanin__pocl_cache_failure(char *text, size_t size) {
  char path[1024], reason[128] = "unknown error";
  if (size > 0) text[0] = '\0';
  if (!pocl_cache(path, sizeof path) || (make_directories(path) && access(path, W_OK | X_OK) == 0)) return;
  (void)strerror_r(errno, reason, sizeof reason);
  snprintf(text, size, "; PoCL's kernel cache %.300s cannot be written: %s; $POCL_CACHE_DIR names another place", path,
           reason);
}

/* ---- One driver -------------------------------------------------------------------------------------------------- */

typedef void *(CL_API_CALL *find_function)(const char *name);
typedef cl_int(CL_API_CALL *list_platforms)(cl_uint capacity, cl_platform_id *platforms, cl_uint *count);

/* The function of the OpenCL extension cl_khr_icd by which a loader asks a driver for its platforms. */
static list_platforms platforms_of(void *library) {
  static const char name[] = "clIcdGetPlatformIDsKHR";
  find_function find = NULL;
  list_platforms list = NULL;
  *(void **)&find = dlsym(library, "clGetExtensionFunctionAddress"); /* POSIX's way from dlsym() to a function */
  if (find) *(void **)&list = find(name);
  if (!list) *(void **)&list = dlsym(library, name);
  return list;
}

/* How many devices the driver's platforms have. Platforms that the loader has left out are not asked: those have none,
 * and a newer loader has not prepared them for calls. */
static cl_uint devices_of(const registry *r, const cl_platform_id *platforms, cl_uint count) {
  cl_uint devices = 0;
  for (cl_uint k = 0; k < count; k++) {
    for (cl_uint p = 0; p < r->n_platforms; p++) {
      cl_uint n = 0;
      if (platforms[k] != r->platforms[p]) continue;
      if (clGetDeviceIDs(platforms[k], CL_DEVICE_TYPE_ALL, 0, NULL, &n) == CL_SUCCESS) devices += n;
    }
  }
  return devices;
}

/* What is known to keep a driver that starts from having devices, by a part of its library's name. */
static void explain_no_device(fanin_driver_info *d) {
  char cache[512] = "";
  if (strstr(d->library, "pocl")) fanin__pocl_cache_failure(cache, sizeof cache);
  const bool rusticl = strstr(d->library, "Rusticl") && !variable("RUSTICL_ENABLE");
  snprintf(d->reason, sizeof d->reason, "it starts, but finds no device%s%s", cache,
           rusticl ? "; $RUSTICL_ENABLE names the drivers of Mesa that it may use, such as llvmpipe" : "");
}

/* Loads the driver once more, which the loader has done before. It stays loaded: drivers do not expect to be unloaded
 * while their threads run. */
static void try_driver(const registry *r, fanin_driver_info *d) {
  cl_platform_id platforms[16];
  cl_uint count = 0;
  (void)dlerror();
  void *const library = dlopen(d->library, RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    const char *const error = dlerror();
    snprintf(d->reason, sizeof d->reason, "%s", error ? error : "it cannot be loaded");
    return;
  }
  const list_platforms list = platforms_of(library);
  if (!list) {
    snprintf(d->reason, sizeof d->reason, "it is no OpenCL driver: it has no clIcdGetPlatformIDsKHR()");
    return;
  }
  const cl_int code = list(sizeof platforms / sizeof *platforms, platforms, &count);
  if (code != CL_SUCCESS || count == 0) {
    snprintf(d->reason, sizeof d->reason, "it has no platform");
    if (code != CL_SUCCESS) {
      snprintf(d->reason, sizeof d->reason, "it has no platform: clIcdGetPlatformIDsKHR() answers %s (%d)",
               fanin_status_name((fanin_status)code), (int)code);
    }
    return;
  }
  if (count > sizeof platforms / sizeof *platforms) count = sizeof platforms / sizeof *platforms;
  d->usable = devices_of(r, platforms, count) > 0;
  if (!d->usable) explain_no_device(d);
}

/* ---- The registry ------------------------------------------------------------------------------------------------ */

static fanin_status add_driver(registry *r, const char *icd, const char *library, size_t length) {
  fanin_driver_info *const grown = realloc(r->drivers, (r->count + 1) * sizeof *grown);
  if (!grown) return fanin__fail(FANIN_STATUS_OUT_OF_MEMORY, "a list of %zu drivers", r->count + 1);
  r->drivers = grown;
  fanin_driver_info *const d = &grown[r->count++];
  *d = (fanin_driver_info){0};
  snprintf(d->icd, sizeof d->icd, "%s", icd);
  snprintf(d->library, sizeof d->library, "%.*s", (int)length, library);
  try_driver(r, d);
  return FANIN_STATUS_OK;
}

/* An .icd file: its first line is the library's name. */
static fanin_status add_icd(registry *r, const char *path) {
  char line[1024] = "";
  FILE *const file = fopen(path, "r");
  if (!file) return FANIN_STATUS_OK; /* the loader passes over it too */
  const bool read = fgets(line, sizeof line, file) != NULL;
  (void)fclose(file);
  const size_t length = strcspn(line, " \t\r\n");
  return read && length > 0 ? add_driver(r, path, line, length) : FANIN_STATUS_OK;
}

static int is_icd(const struct dirent *entry) {
  return ends_in(entry->d_name, ".icd");
}

/* A directory's .icd files by name, one .icd file, or a library. */
static fanin_status add_place(registry *r, const char *place) {
  struct dirent **entries = NULL;
  struct stat found;
  fanin_status status = FANIN_STATUS_OK;
  if (ends_in(place, ".icd")) return add_icd(r, place);
  if (stat(place, &found) != 0 || !S_ISDIR(found.st_mode)) return add_driver(r, "", place, strlen(place));
  const int n = scandir(place, &entries, is_icd, alphasort);
  for (int k = 0; k < n; k++) {
    char path[1024];
    const int length = snprintf(path, sizeof path, "%s/%s", place, entries[k]->d_name);
    if (status == FANIN_STATUS_OK && length > 0 && (size_t)length < sizeof path) status = add_icd(r, path);
    free(entries[k]);
  }
  free(entries);
  return status;
}

/* As ocl-icd and the loader of Khronos do: one place for .icd files, and libraries beside it. free() the drivers
 * whatever comes back. */
static fanin_status read_registry(registry *r) {
  static const char *const places[] = {"OCL_ICD_VENDORS", "OPENCL_VENDOR_PATH"};
  const char *place = NULL;
  struct stat found;
  for (size_t k = 0; !place && k < sizeof places / sizeof *places; k++) {
    place = variable(places[k]);
  }
  if (place || stat(vendors, &found) == 0) FANIN__TRY(add_place(r, place ? place : vendors));
  const char *at = variable("OCL_ICD_FILENAMES");
  while (at && *at) {
    const size_t length = strcspn(at, ":");
    if (length > 0) FANIN__TRY(add_driver(r, "$OCL_ICD_FILENAMES", at, length));
    at += length + (at[length] == ':');
  }
  return FANIN_STATUS_OK;
}

#endif

static fanin_status list_drivers(registry *r) {
  *r = (registry){0};
  const cl_uint most = sizeof r->platforms / sizeof *r->platforms;
  if (clGetPlatformIDs(most, r->platforms, &r->n_platforms) != CL_SUCCESS) r->n_platforms = 0;
  if (r->n_platforms > most) r->n_platforms = most;
  return read_registry(r);
}

size_t fanin__driver_failures(char *text, size_t size) {
  registry r;
  size_t used = 0;
  if (size > 0) text[0] = '\0';
  (void)list_drivers(&r); /* for another error's sentence: what it has found will do */
  for (size_t k = 0; k < r.count && used < size; k++) {
    const fanin_driver_info *const d = &r.drivers[k];
    if (d->usable) continue;
    const int length = snprintf(text + used, size - used, "; driver %s%s%s%s gives no device: %s", d->icd,
                                *d->icd ? " (" : "", d->library, *d->icd ? ")" : "", d->reason);
    used += length > 0 ? (size_t)length : 0;
  }
  const size_t count = r.count;
  free(r.drivers);
  return count;
}

fanin_status fanin_drivers(fanin_driver_info *list, size_t capacity, size_t stride, size_t *count) {
  registry r;
  FANIN__NEED(count);
  FANIN__NEED_RESULTS(list, capacity, stride);
  const fanin_status status = list_drivers(&r);
  for (size_t k = 0; status == FANIN_STATUS_OK && k < r.count && k < capacity; k++) {
    fanin__give_at(list, stride, k, &r.drivers[k], sizeof r.drivers[k]);
  }
  if (status == FANIN_STATUS_OK) *count = r.count;
  free(r.drivers);
  return status;
}
