/* The life of a fanin: one (context, device) pair, opened by selector or made from the caller's own. */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

static fanin_status check_member(cl_context context, cl_device_id device) {
  size_t size = 0;
  cl_int code = clGetContextInfo(context, CL_CONTEXT_DEVICES, 0, NULL, &size);
  if (code != CL_SUCCESS) return fanin__fail_cl(code, "clGetContextInfo(CL_CONTEXT_DEVICES) of context");
  cl_device_id *const devices = malloc(size + 1);
  if (!devices) return fanin__fail(FANIN_OUT_OF_MEMORY, "%zu bytes for the context's devices", size);
  code = clGetContextInfo(context, CL_CONTEXT_DEVICES, size, devices, NULL);
  bool member = false;
  for (size_t k = 0; code == CL_SUCCESS && k < size / sizeof *devices; k++) {
    member = member || devices[k] == device;
  }
  free(devices);
  if (code != CL_SUCCESS) return fanin__fail_cl(code, "clGetContextInfo(CL_CONTEXT_DEVICES) of context");
  if (!member) return fanin__fail(FANIN_BAD_ARGUMENT, "device is not one of context's devices");
  return FANIN_OK;
}

/* CPUs: the native vector, as far as the kernels are written for it, and SSE's width where the device does not say.
 * GPUs and accelerators run one scalar item a lane. */
static unsigned native_lanes(const fanin_device_info *info) {
  if (!(info->type & CL_DEVICE_TYPE_CPU) || info->native_float_width == 1) return 1;
  if (info->native_float_width >= 16) return 16;
  return info->native_float_width >= 8 ? 8 : 4;
}

/* $FANIN_LANES = 1, 4, 8 or 16 overrides the device's width, so that tests can show that bits do not depend on it. */
static fanin_status choose_lanes(const fanin_device_info *info, unsigned *lanes) {
  static const struct {
    const char *text;
    unsigned lanes;
  } widths[] = {{"1", 1}, {"4", 4}, {"8", 8}, {"16", 16}};
  const char *const text = getenv("FANIN_LANES");
  if (!text || *text == '\0') {
    *lanes = native_lanes(info);
    return FANIN_OK;
  }
  for (size_t k = 0; k < sizeof widths / sizeof *widths; k++) {
    if (strcmp(text, widths[k].text) != 0) continue;
    *lanes = widths[k].lanes;
    return FANIN_OK;
  }
  return fanin__fail(FANIN_BAD_ARGUMENT, "$FANIN_LANES is \"%.40s\"; accepted are 1, 4, 8 and 16", text);
}

/* Everything of f that does not have to be released. */
static fanin_status describe(fanin *f, cl_context context, cl_device_id device) {
  fanin_device_info info;
  FANIN__TRY(fanin__device_describe(device, &info));
  if (!info.usable) return fanin__fail(FANIN_UNSUPPORTED, "device \"%.100s\": %s", info.name, info.reason);
  *f = (fanin){.context = context,
               .device = device,
               .type = info.type,
               .has_f64 = info.has_f64 != 0,
               .compute_units = info.compute_units};
  FANIN__TRY(choose_lanes(&info, &f->lanes));
  const cl_int code =
      clGetDeviceInfo(device, CL_DEVICE_MAX_WORK_GROUP_SIZE, sizeof f->max_work_group, &f->max_work_group, NULL);
  return code == CL_SUCCESS ? FANIN_OK : fanin__fail_cl(code, "clGetDeviceInfo(CL_DEVICE_MAX_WORK_GROUP_SIZE)");
}

fanin_status fanin_create(cl_context context, cl_device_id device, fanin **out) {
  if (!context) return fanin__fail(FANIN_BAD_ARGUMENT, "context is NULL");
  if (!device) return fanin__fail(FANIN_BAD_ARGUMENT, "device is NULL");
  FANIN__TRY(check_member(context, device));

  fanin_status status = FANIN_OK;
  cl_int code = CL_SUCCESS;
  fanin *const f = malloc(sizeof *f);
  if (!f) return fanin__fail(FANIN_OUT_OF_MEMORY, "%zu bytes for a fanin", sizeof *f);
  status = describe(f, context, device);
  if (status != FANIN_OK) goto fail_describe;
  if (pthread_mutex_init(&f->lock, NULL) != 0) {
    status = fanin__fail(FANIN_OUT_OF_MEMORY, "pthread_mutex_init failed");
    goto fail_describe;
  }
  code = clRetainContext(context);
  if (code != CL_SUCCESS) {
    status = fanin__fail_cl(code, "clRetainContext");
    goto fail_context;
  }
  code = clRetainDevice(device); /* counts for sub-devices, does nothing for others */
  if (code != CL_SUCCESS) {
    status = fanin__fail_cl(code, "clRetainDevice");
    goto fail_device;
  }
  *out = f;
  return FANIN_OK;

fail_device:
  (void)clReleaseContext(context);
fail_context:
  (void)pthread_mutex_destroy(&f->lock);
fail_describe:
  free(f);
  return status;
}

fanin_status fanin_open(const char *selector, fanin **out) {
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
  if (!f) return;
  fanin__programs_release(f);
  if (f->queue) (void)clReleaseCommandQueue(f->queue); /* flushes what was enqueued */
  (void)clReleaseDevice(f->device);
  (void)clReleaseContext(f->context);
  (void)pthread_mutex_destroy(&f->lock);
  free(f);
}

cl_context fanin_context(const fanin *f) {
  return f->context;
}

cl_device_id fanin_device(const fanin *f) {
  return f->device;
}
