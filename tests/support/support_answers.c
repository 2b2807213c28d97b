/* Replaced answers; see support_answers.h. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* RTLD_NEXT */ // NOLINT(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)
#endif
#include "support/support_answers.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct answer {
  cl_device_id device; /* NULL: any */
  cl_device_info what;
  size_t size;
  union {
    cl_ulong number; /* little-endian: its first bytes are the smaller types' */
    const char *text;
  } value;
  bool is_text;
  cl_int code; /* CL_SUCCESS: the value; else this failure */
} answer;

static answer answers[16];
static size_t n_answers;
static answer names[2];              /* of two devices; they stay, behind the answers */
static cl_int platforms_code;        /* what clGetPlatformIDs() fails with, if anything */
static bool only_pocl;               /* other platforms are hidden */
static size_t most_bytes = SIZE_MAX; /* of a buffer */

static void replace(answer a) {
  assert_true(n_answers < sizeof answers / sizeof *answers);
  answers[n_answers++] = a;
}

void test_replace_number(cl_device_id device, cl_device_info what, size_t size, cl_ulong number) {
  replace((answer){.device = device, .what = what, .size = size, .value.number = number});
}

void test_replace_text(cl_device_info what, const char *text) {
  replace((answer){.what = what, .size = strlen(text) + 1, .value.text = text, .is_text = true});
}

void test_replace_code(cl_device_info what, cl_int code) {
  replace((answer){.what = what, .code = code});
}

void test_fail_platforms(cl_int code) {
  platforms_code = code;
}

void test_limit_buffers(size_t bytes) {
  most_bytes = bytes;
}

fanin *test_open_as(int gpu) {
  if (gpu) test_replace_number(NULL, CL_DEVICE_TYPE, sizeof(cl_device_type), CL_DEVICE_TYPE_GPU);
  return test_open();
}

void test_forget_answers(void) {
  n_answers = 0;
  platforms_code = CL_SUCCESS;
  most_bytes = SIZE_MAX;
}

int test_restore_answers(void **state) {
  (void)state;
  test_forget_answers();
  return unsetenv("FANIN_DEVICE") || unsetenv("FANIN_LANES");
}

static bool fits(const answer *a, cl_device_id device, cl_device_info what) {
  return a->what == what && (!a->device || a->device == device);
}

/* The answer that replaces the device's own, or NULL. */
static const answer *find(cl_device_id device, cl_device_info what) {
  for (size_t k = 0; k < n_answers; k++) {
    if (fits(&answers[k], device, what)) return &answers[k];
  }
  for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
    if (names[k].device && fits(&names[k], device, what)) return &names[k];
  }
  return NULL;
}

/* These stand before the loader's, which they find behind them. */
cl_int CL_API_CALL clGetDeviceInfo(cl_device_id device, cl_device_info param_name, size_t param_value_size,
                                   void *param_value, size_t *param_value_size_ret) {
  const answer *const a = find(device, param_name);
  if (a) {
    if (a->code != CL_SUCCESS) return a->code;
    if (param_value && param_value_size < a->size) return CL_INVALID_VALUE;
    if (param_value) memcpy(param_value, a->is_text ? (const void *)a->value.text : &a->value.number, a->size);
    if (param_value_size_ret) *param_value_size_ret = a->size;
    return CL_SUCCESS;
  }
  cl_int(CL_API_CALL * real)(cl_device_id, cl_device_info, size_t, void *, size_t *) = NULL;
  *(void **)&real = dlsym(RTLD_NEXT, "clGetDeviceInfo");
  return real(device, param_name, param_value_size, param_value, param_value_size_ret);
}

cl_mem CL_API_CALL clCreateBuffer(cl_context context, cl_mem_flags flags, size_t size, void *host_ptr,
                                  cl_int *errcode_ret) {
  cl_mem(CL_API_CALL * real)(cl_context, cl_mem_flags, size_t, void *, cl_int *) = NULL;
  *(void **)&real = dlsym(RTLD_NEXT, "clCreateBuffer");
  if (size <= most_bytes) return real(context, flags, size, host_ptr, errcode_ret);
  if (errcode_ret) *errcode_ret = CL_MEM_OBJECT_ALLOCATION_FAILURE;
  return NULL;
}

static bool is_pocl(cl_platform_id platform) {
  char name[64] = "";
  const cl_int code = clGetPlatformInfo(platform, CL_PLATFORM_NAME, sizeof name, name, NULL);
  return code == CL_SUCCESS && strcmp(name, "Portable Computing Language") == 0;
}

cl_int CL_API_CALL clGetPlatformIDs(cl_uint num_entries, cl_platform_id *platforms, cl_uint *num_platforms) {
  cl_int(CL_API_CALL * real)(cl_uint, cl_platform_id *, cl_uint *) = NULL;
  *(void **)&real = dlsym(RTLD_NEXT, "clGetPlatformIDs");
  if (platforms_code != CL_SUCCESS) return platforms_code;
  if (!only_pocl) return real(num_entries, platforms, num_platforms);
  cl_platform_id all[32];
  cl_uint n = 0, kept = 0;
  const cl_int code = real(32, all, &n);
  for (cl_uint k = 0; code == CL_SUCCESS && k < n && k < 32; k++) {
    if (!is_pocl(all[k])) continue;
    if (kept < num_entries) platforms[kept] = all[k];
    kept++;
  }
  if (num_platforms) *num_platforms = kept;
  return code;
}

static bool have_pocl(void) {
  cl_uint n = 0;
  only_pocl = true;
  return clGetPlatformIDs(0, NULL, &n) == CL_SUCCESS && n > 0;
}

int test_two_devices(fanin_device_info devices[2]) {
  size_t count = 0;
  if (setenv("POCL_DEVICES", "basic pthread", 1) != 0 || test_restore_answers(NULL) != 0) return -1;
  if (!have_pocl()) {
    (void)printf("skipped: needs two devices, which PoCL makes of one processor; there is no PoCL\n");
    exit(77);
  }
  if (fanin_devices(devices, 2, sizeof *devices, &count) != FANIN_STATUS_OK || count != 2) return -1;
  for (size_t k = 0; k < 2; k++) {
    const char *const name = k == 0 ? "basic" : "pthread";
    names[k] = (answer){.device = devices[k].device,
                        .what = CL_DEVICE_NAME,
                        .size = strlen(name) + 1,
                        .value.text = name,
                        .is_text = true};
  }
  return fanin_devices(devices, 2, sizeof *devices, &count) == FANIN_STATUS_OK ? 0 : -1;
}
