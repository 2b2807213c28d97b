/* The device that a command works on. */
#include "base/session.h"

#include <stdlib.h>

enum { PIECE = 64 << 20 };

int session_open(const char *selector, session *s, failure *why) {
  *s = (session){0};
  fanin_status status = fanin_open(selector, &s->f);
  if (status == FANIN_STATUS_OK) status = fanin_cache(s->f, NULL);
  if (status == FANIN_STATUS_OK) status = fanin_context(s->f, &s->context);
  if (status == FANIN_STATUS_OK) status = fanin_device(s->f, &s->device);
  if (status == FANIN_STATUS_OK) status = fanin_queue(s->f, &s->queue);
  if (status != FANIN_STATUS_OK) return library_status(why, status, NULL);

  cl_ulong most = 0;
  cl_bool unified = CL_FALSE;
  cl_int code = clGetDeviceInfo(s->device, CL_DEVICE_NAME, sizeof s->device_name, s->device_name, NULL);
  if (code == CL_SUCCESS) code = clGetDeviceInfo(s->device, CL_DEVICE_MAX_MEM_ALLOC_SIZE, sizeof most, &most, NULL);
  if (code == CL_SUCCESS)
    code = clGetDeviceInfo(s->device, CL_DEVICE_HOST_UNIFIED_MEMORY, sizeof unified, &unified, NULL);
  s->max_alloc_bytes = most;
  s->shares_memory = unified != CL_FALSE;
  return opencl_status(why, code, "clGetDeviceInfo");
}

void session_close(session *s) {
  if (s->queue) clFinish(s->queue); /* after a failure there is no way to report another one */
  fanin_release(s->f);
  *s = (session){0};
}

size_t session_piece_bytes(const session *s) {
  const uint64_t most = s->max_alloc_bytes < PIECE ? s->max_alloc_bytes : PIECE;
  return (size_t)(most / 64 * 64);
}

int session_buffer(const session *s, size_t bytes, cl_mem *out, failure *why) {
  cl_int code;
  *out = clCreateBuffer(s->context, CL_MEM_READ_WRITE, bytes, NULL, &code);
  return opencl_status(why, code, "clCreateBuffer");
}

int session_describe(const session *s, fanin_device_info *out, size_t *index, failure *why) {
  size_t count = 0;
  fanin_status status = fanin_devices(NULL, 0, 0, &count);
  if (status != FANIN_STATUS_OK) return library_status(why, status, NULL);
  fanin_device_info *list = allocate(count, sizeof *list);
  status = fanin_devices(list, count, sizeof *list, &count);
  *index = 0;
  while (*index < count && list[*index].device != s->device)
    ++*index;
  if (*index < count) *out = list[*index];
  free(list);
  return library_status(why, status, NULL);
}
