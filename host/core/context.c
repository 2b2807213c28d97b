/* The life of a fanin: one (context, device) pair, opened by selector or made from the caller's own. */
#include "core/context.h"

#include <stdlib.h>
#include <string.h>

#include "core/argument.h"
#include "core/device.h"
#include "core/queue.h"

/* A sub-device counts as a member where its parent is one: PoCL 3.1 lists the parents of the sub-devices that a context
 * was made of. Where that is too kind, the queue or the build says so. */
static fanin_status is_member(const cl_device_id *devices, size_t count, cl_device_id device, bool *member) {
  *member = false;
  while (device && !*member) {
    for (size_t k = 0; k < count; k++) {
      *member = *member || devices[k] == device;
    }
    cl_device_id parent = NULL;
    const cl_int code = clGetDeviceInfo(device, CL_DEVICE_PARENT_DEVICE, sizeof parent, &parent, NULL);
    if (code != CL_SUCCESS) return fanin__fail_cl(code, "clGetDeviceInfo(CL_DEVICE_PARENT_DEVICE) of device");
    device = parent;
  }
  return FANIN_STATUS_OK;
}

static fanin_status check_member(cl_context context, cl_device_id device) {
  static const char call[] = "clGetContextInfo(CL_CONTEXT_DEVICES) of context";
  size_t size = 0;
  bool member = false;
  FANIN__TRY(fanin__check_cl(clGetContextInfo(context, CL_CONTEXT_DEVICES, 0, NULL, &size), call));
  cl_device_id *const devices = malloc(size + 1);
  if (!devices) return fanin__fail(FANIN_STATUS_OUT_OF_MEMORY, "%zu bytes for the context's devices", size);
  fanin_status status = fanin__check_cl(clGetContextInfo(context, CL_CONTEXT_DEVICES, size, devices, NULL), call);
  if (status == FANIN_STATUS_OK) status = is_member(devices, size / sizeof *devices, device, &member);
  free(devices);
  if (status != FANIN_STATUS_OK || member) return status;
  return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "device is not one of context's devices");
}

/* A whole number from the environment, with which tests show that bits do not depend on it (docs/integration.md).
 * `value` stays as it is where the variable is not set. */
static fanin_status override(const char *name, const char *accepted, size_t *value) {
  const char *const text = getenv(name);
  if (!text || *text == '\0') return FANIN_STATUS_OK;
  for (const char *word = accepted; *word; word += strcspn(word, " "), word += strspn(word, " ")) {
    if (strlen(text) != strcspn(word, " ") || strncmp(text, word, strlen(text)) != 0) continue;
    *value = strtoul(text, NULL, 10);
    return FANIN_STATUS_OK;
  }
  return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "$%s is \"%.40s\"; accepted are %s", name, text, accepted);
}

/* Everything of f that does not have to be released. */
static fanin_status describe(fanin *f, cl_context context, cl_device_id device) {
  fanin_device_info info;
  FANIN__TRY(fanin__device_describe(device, &info));
  if (!info.usable) return fanin__fail(FANIN_STATUS_UNSUPPORTED, "device \"%.100s\": %s", info.name, info.reason);
  size_t most = 0;
  cl_ulong local = 0;
  cl_int code = clGetDeviceInfo(device, CL_DEVICE_MAX_WORK_GROUP_SIZE, sizeof most, &most, NULL);
  if (code != CL_SUCCESS) return fanin__fail_cl(code, "clGetDeviceInfo(CL_DEVICE_MAX_WORK_GROUP_SIZE)");
  code = clGetDeviceInfo(device, CL_DEVICE_LOCAL_MEM_SIZE, sizeof local, &local, NULL);
  if (code != CL_SUCCESS) return fanin__fail_cl(code, "clGetDeviceInfo(CL_DEVICE_LOCAL_MEM_SIZE)");
  *f = (fanin){.references = 1,
               .context = context,
               .device = device,
               .type = info.type,
               .has_f64 = info.has_f64 != 0,
               .lanes = fanin__device_lanes(&info),
               .compute_units = info.compute_units,
               .local_bytes = local,
               .work_group = info.type & CL_DEVICE_TYPE_CPU ? 64 : 256};
  FANIN__TRY(override("FANIN_LANES", "1 4 8 16", &f->lanes));
  size_t group = 0;
  FANIN__TRY(override("FANIN_WORK_GROUP", "1 2 4 8 16 32 64 128 256", &group));
  if (group > 0) f->work_group = group;
  if (f->work_group > most) f->work_group = most;
  f->fill_group = f->lanes > 1 && group == 0 ? 1 : f->work_group; /* a wide item has no use for company */
  return FANIN_STATUS_OK;
}

fanin_status fanin_create(cl_context context, cl_device_id device, fanin **out) {
  FANIN__NEED(context, device, out);
  FANIN__TRY(check_member(context, device));
  fanin *const f = malloc(sizeof *f);
  if (!f) return fanin__fail(FANIN_STATUS_OUT_OF_MEMORY, "%zu bytes for a fanin", sizeof *f);
  fanin_status status = describe(f, context, device);
  if (status == FANIN_STATUS_OK && !fanin__mutex_init(&f->lock)) {
    status = fanin__fail(FANIN_STATUS_OUT_OF_MEMORY, "the system is out of locks");
  }
  if (status != FANIN_STATUS_OK) goto fail_lock;
  status = fanin__check_cl(clRetainContext(context), "clRetainContext");
  if (status != FANIN_STATUS_OK) goto fail_context;
  status = fanin__check_cl(clRetainDevice(device), "clRetainDevice"); /* counts for sub-devices, nothing for others */
  if (status != FANIN_STATUS_OK) goto fail_device;
  *out = f;
  return FANIN_STATUS_OK;

fail_device:
  (void)clReleaseContext(context);
fail_context:
  fanin__mutex_destroy(&f->lock);
fail_lock:
  free(f);
  return status;
}

fanin_status fanin_create_for_queue(cl_command_queue queue, fanin **out) {
  cl_context context = NULL;
  cl_device_id device = NULL;
  FANIN__NEED(queue, out);
  FANIN__TRY(fanin__queue_facts(queue, &context, &device));
  return fanin_create(context, device, out);
}

fanin_status fanin_open(const char *selector, fanin **out) {
  FANIN__NEED(out);

  fanin_device_info info;
  FANIN__TRY(fanin__select(selector, &info));
  const cl_context_properties properties[] = {CL_CONTEXT_PLATFORM, (cl_context_properties)info.platform, 0};
  cl_int code = CL_SUCCESS;
  const cl_context context = clCreateContext(properties, 1, &info.device, NULL, NULL, &code);
  if (code != CL_SUCCESS) return fanin__fail_cl(code, "clCreateContext");
  const fanin_status status = fanin_create(context, info.device, out);
  (void)clReleaseContext(context); /* fanin_create() retained its own */
  return status;
}

/* Releases cannot fail here but by a caller's error, which nobody could be told of. */
void fanin_release(fanin *f) {
  if (!f || atomic_fetch_sub(&f->references, 1) > 1) return;

  fanin__programs_release(f);
  free(f->cache);
  if (f->queue) (void)clReleaseCommandQueue(f->queue); /* flushes what was enqueued */
  (void)clReleaseDevice(f->device);
  (void)clReleaseContext(f->context);
  fanin__mutex_destroy(&f->lock);
  free(f);
}

fanin_status fanin_context(const fanin *f, cl_context *out) {
  FANIN__NEED(f, out);
  *out = f->context;
  return FANIN_STATUS_OK;
}

fanin_status fanin_device(const fanin *f, cl_device_id *out) {
  FANIN__NEED(f, out);
  *out = f->device;
  return FANIN_STATUS_OK;
}
