/* Devices: what each one is, whether fanin can use it, and the list of them all. */
#include "core/device.h"

#include <stdlib.h>
#include <string.h>

#include "core/argument.h"

/* What decides whether a device is usable, beside its public description. */
typedef struct needs {
  cl_bool available, compiler, little_endian;
  cl_device_fp_config single;
  bool int64, opencl_c_1_2;
} needs;

/* Copies a text, cut to what fits. */
static void copy_cut(char *out, size_t size, const char *text) {
  const size_t length = strnlen(text, size - 1);
  memcpy(out, text, length);
  out[length] = '\0';
}

/* The only way that strings come out of OpenCL whole: ask for the size first. free() the text. */
static fanin_status device_text(cl_device_id device, cl_device_info what, char **out) {
  size_t size = 0;
  FANIN__TRY(fanin__check_cl(clGetDeviceInfo(device, what, 0, NULL, &size), "clGetDeviceInfo"));
  char *const text = calloc(size + 1, 1);
  if (!text) return fanin__fail(FANIN_STATUS_OUT_OF_MEMORY, "%zu bytes for a device's text", size + 1);
  const fanin_status status = fanin__check_cl(clGetDeviceInfo(device, what, size, text, NULL), "clGetDeviceInfo");
  if (status == FANIN_STATUS_OK) {
    *out = text;
  } else {
    free(text);
  }
  return status;
}

static fanin_status copy_device_text(cl_device_id device, cl_device_info what, char *out, size_t size) {
  char *text = NULL;
  FANIN__TRY(device_text(device, what, &text));
  copy_cut(out, size, text);
  free(text);
  return FANIN_STATUS_OK;
}

static fanin_status copy_platform_name(cl_platform_id platform, char *out, size_t size) {
  char name[1024] = "";
  const cl_int code = clGetPlatformInfo(platform, CL_PLATFORM_NAME, sizeof name, name, NULL);
  if (code != CL_SUCCESS) return fanin__fail_cl(code, "clGetPlatformInfo(CL_PLATFORM_NAME)");
  copy_cut(out, size, name);
  return FANIN_STATUS_OK;
}

/* Whether a space-separated list has a word; "cl_khr_fp16" is not in "cl_khr_fp16_more". */
static bool has_word(const char *list, const char *word) {
  const size_t length = strlen(word);
  for (const char *at = strstr(list, word); at; at = strstr(at + length, word)) {
    const bool begins = at == list || at[-1] == ' ';
    const bool ends = at[length] == '\0' || at[length] == ' ';
    if (begins && ends) return true;
  }
  return false;
}

/* "OpenCL C 1.2 ...", as the specification prescribes it. */
static bool is_at_least_1_2(const char *language) {
  static const char prefix[] = "OpenCL C ";
  if (strncmp(language, prefix, sizeof prefix - 1) != 0) return false;
  char *dot = NULL;
  const long major = strtol(language + sizeof prefix - 1, &dot, 10);
  const long minor = *dot == '.' ? strtol(dot + 1, NULL, 10) : 0;
  return major > 1 || (major == 1 && minor >= 2);
}

static fanin_status query_texts(fanin_device_info *info, needs *need) {
  const cl_device_id device = info->device;
  FANIN__TRY(copy_platform_name(info->platform, info->platform_name, sizeof info->platform_name));
  FANIN__TRY(copy_device_text(device, CL_DEVICE_NAME, info->name, sizeof info->name));
  FANIN__TRY(copy_device_text(device, CL_DRIVER_VERSION, info->driver, sizeof info->driver));
  FANIN__TRY(copy_device_text(device, CL_DEVICE_VERSION, info->version, sizeof info->version));

  char language[64] = "", profile[64] = "";
  FANIN__TRY(copy_device_text(device, CL_DEVICE_OPENCL_C_VERSION, language, sizeof language));
  FANIN__TRY(copy_device_text(device, CL_DEVICE_PROFILE, profile, sizeof profile));
  need->opencl_c_1_2 = is_at_least_1_2(language);

  char *extensions = NULL;
  FANIN__TRY(device_text(device, CL_DEVICE_EXTENSIONS, &extensions));
  info->has_f16 = has_word(extensions, "cl_khr_fp16");
  /* OpenCL 1.2, section 10: the embedded profile may leave out 64-bit integers. */
  need->int64 = strcmp(profile, "EMBEDDED_PROFILE") != 0 || has_word(extensions, "cles_khr_int64");
  free(extensions);
  return FANIN_STATUS_OK;
}

/* A driver may no longer know what OpenCL 2.0 deprecates: then its memory counts as its own. */
static fanin_status query_sharing(fanin_device_info *info) {
  cl_bool unified = CL_FALSE;
  const cl_int code = clGetDeviceInfo(info->device, CL_DEVICE_HOST_UNIFIED_MEMORY, sizeof unified, &unified, NULL);
  if (code != CL_SUCCESS && code != CL_INVALID_VALUE)
    return fanin__fail_cl(code, "clGetDeviceInfo(CL_DEVICE_HOST_UNIFIED_MEMORY)");
  info->shares_memory = code == CL_SUCCESS && unified;
  return FANIN_STATUS_OK;
}

static fanin_status query_numbers(fanin_device_info *info, needs *need) {
  const struct {
    cl_device_info what;
    size_t size;
    void *out;
  } numbers[] = {
      {CL_DEVICE_TYPE, sizeof info->type, &info->type},
      {CL_DEVICE_MAX_COMPUTE_UNITS, sizeof info->compute_units, &info->compute_units},
      {CL_DEVICE_GLOBAL_MEM_SIZE, sizeof info->memory_bytes, &info->memory_bytes},
      {CL_DEVICE_MAX_MEM_ALLOC_SIZE, sizeof info->max_alloc_bytes, &info->max_alloc_bytes},
      {CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT, sizeof info->native_float_width, &info->native_float_width},
      {CL_DEVICE_AVAILABLE, sizeof need->available, &need->available},
      {CL_DEVICE_COMPILER_AVAILABLE, sizeof need->compiler, &need->compiler},
      {CL_DEVICE_ENDIAN_LITTLE, sizeof need->little_endian, &need->little_endian},
      {CL_DEVICE_SINGLE_FP_CONFIG, sizeof need->single, &need->single},
  };
  for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++) {
    const cl_int code = clGetDeviceInfo(info->device, numbers[k].what, numbers[k].size, numbers[k].out, NULL);
    if (code != CL_SUCCESS) return fanin__fail_cl(code, "clGetDeviceInfo");
  }

  /* A device without double may answer CL_INVALID_VALUE instead of 0 (the query came with cl_khr_fp64). */
  const cl_device_fp_config wanted = CL_FP_FMA | CL_FP_ROUND_TO_NEAREST;
  cl_device_fp_config f64 = 0;
  const cl_int code = clGetDeviceInfo(info->device, CL_DEVICE_DOUBLE_FP_CONFIG, sizeof f64, &f64, NULL);
  if (code != CL_SUCCESS && code != CL_INVALID_VALUE) return fanin__fail_cl(code, "clGetDeviceInfo");
  info->has_f64 = code == CL_SUCCESS && (f64 & wanted) == wanted;
  return query_sharing(info);
}

static void judge(fanin_device_info *info, const needs *need) {
  const struct {
    bool good;
    const char *reason;
  } rules[] = {
      {need->available, "the device is not available now"},
      {need->compiler, "its platform has no OpenCL C compiler"},
      {need->opencl_c_1_2, "it is older than OpenCL C 1.2"},
      {need->little_endian, "it is big-endian"},
      {need->int64, "it has no 64-bit integers (embedded profile without cles_khr_int64)"},
      {(need->single & CL_FP_ROUND_TO_NEAREST) != 0, "it does not round single precision to nearest"},
  };
  info->usable = 1;
  for (size_t k = 0; info->usable && k < sizeof rules / sizeof *rules; k++) {
    if (rules[k].good) continue;
    info->usable = 0;
    copy_cut(info->reason, sizeof info->reason, rules[k].reason);
  }
}

fanin_status fanin__device_describe(cl_device_id device, fanin_device_info *info) {
  *info = (fanin_device_info){.device = device};
  const cl_int code = clGetDeviceInfo(device, CL_DEVICE_PLATFORM, sizeof info->platform, &info->platform, NULL);
  if (code != CL_SUCCESS) return fanin__fail_cl(code, "clGetDeviceInfo(CL_DEVICE_PLATFORM)");
  needs need = {0};
  FANIN__TRY(query_texts(info, &need));
  FANIN__TRY(query_numbers(info, &need));
  judge(info, &need);
  return FANIN_STATUS_OK;
}

/* CPUs: the native vector, as far as the kernels are written for it, and SSE's width where the device does not say.
 * GPUs and accelerators run one scalar item a lane. */
size_t fanin__device_lanes(const fanin_device_info *info) {
  if (!(info->type & CL_DEVICE_TYPE_CPU) || info->native_float_width == 1) return 1;
  if (info->native_float_width >= 16) return 16;
  return info->native_float_width >= 8 ? 8 : 4;
}

/* Appends one platform's devices to ids, which grows; free() it whatever comes back. */
static fanin_status append_devices(cl_platform_id platform, cl_device_id **ids, size_t *count) {
  cl_uint n = 0;
  cl_int code = clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 0, NULL, &n);
  if (code == CL_DEVICE_NOT_FOUND || (code == CL_SUCCESS && n == 0)) return FANIN_STATUS_OK;
  if (code != CL_SUCCESS) return fanin__fail_cl(code, "clGetDeviceIDs");
  cl_device_id *const grown = realloc(*ids, (*count + n) * sizeof **ids);
  if (!grown)
    return fanin__fail(FANIN_STATUS_OUT_OF_MEMORY, "%zu bytes for the list of devices", (*count + n) * sizeof **ids);
  *ids = grown;
  code = clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, n, grown + *count, NULL);
  if (code != CL_SUCCESS) return fanin__fail_cl(code, "clGetDeviceIDs");
  *count += n;
  return FANIN_STATUS_OK;
}

/* Every device of every platform. One broken driver does not hide the others' devices: its failure counts only if
 * there is nothing else. free() the ids whatever comes back. */
static fanin_status all_devices(cl_device_id **ids, size_t *count) {
  cl_uint n = 0;
  cl_int code = clGetPlatformIDs(0, NULL, &n);
  if (code == CL_PLATFORM_NOT_FOUND_KHR || (code == CL_SUCCESS && n == 0)) return FANIN_STATUS_OK;
  if (code != CL_SUCCESS) return fanin__fail_cl(code, "clGetPlatformIDs");
  cl_platform_id *const platforms = calloc(n, sizeof *platforms);
  if (!platforms) return fanin__fail(FANIN_STATUS_OUT_OF_MEMORY, "%zu bytes for platforms", n * sizeof *platforms);

  fanin_status status = FANIN_STATUS_OK;
  code = clGetPlatformIDs(n, platforms, NULL);
  if (code != CL_SUCCESS) status = fanin__fail_cl(code, "clGetPlatformIDs");
  for (cl_uint k = 0; code == CL_SUCCESS && k < n; k++) {
    const fanin_status here = append_devices(platforms[k], ids, count);
    if (here != FANIN_STATUS_OK) status = here;
  }
  free(platforms);
  return *count > 0 ? FANIN_STATUS_OK : status;
}

fanin_status fanin__device_list(fanin_device_info **list, size_t *count) {
  cl_device_id *ids = NULL;
  *count = 0;
  fanin_status status = all_devices(&ids, count);
  *list = calloc(*count + 1, sizeof **list);
  if (status == FANIN_STATUS_OK && !*list)
    status = fanin__fail(FANIN_STATUS_OUT_OF_MEMORY, "%zu bytes for the list of devices", *count * sizeof **list);
  for (size_t k = 0; status == FANIN_STATUS_OK && k < *count; k++) {
    fanin_device_info *const info = &(*list)[k];
    if (fanin__device_describe(ids[k], info) == FANIN_STATUS_OK) continue;
    info->usable = 0; /* listed all the same, so that the indices hold and the user sees why */
    copy_cut(info->reason, sizeof info->reason, fanin_last_error());
  }
  free(ids);
  return status;
}

fanin_status fanin_devices(fanin_device_info *list, size_t capacity, size_t stride, size_t *count) {
  fanin_device_info *all = NULL;
  size_t n = 0;
  FANIN__NEED(count);
  FANIN__NEED_RESULTS(list, capacity, stride);
  const fanin_status status = fanin__device_list(&all, &n);
  for (size_t k = 0; status == FANIN_STATUS_OK && k < n && k < capacity; k++) {
    fanin__give_at(list, stride, k, &all[k], sizeof all[k]);
  }
  free(all);
  if (status == FANIN_STATUS_OK) *count = n;
  return status;
}
