/* Status codes: their names and texts, and the sentence for the calling thread's last failure. */
#include "core/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define STRINGIFY_(x) #x
#define STRINGIFY(x)  STRINGIFY_(x)

typedef struct code_row {
  int code;
  const char *name, *text;
} code_row;

/* Every error of OpenCL 1.2 (specification, appendix A and the errors of each call). */
#define CL_ROW(name, text)                                                                                             \
  { name, #name, text }
#define FANIN_ROW(name, code, text) {code, "FANIN_STATUS_" #name, text},

static const code_row codes[] = {
    CL_ROW(CL_DEVICE_NOT_FOUND, "OpenCL: no device of that type"),
    CL_ROW(CL_DEVICE_NOT_AVAILABLE, "OpenCL: the device is not available now"),
    CL_ROW(CL_COMPILER_NOT_AVAILABLE, "OpenCL: the platform has no compiler"),
    CL_ROW(CL_MEM_OBJECT_ALLOCATION_FAILURE, "OpenCL: device memory could not be allocated"),
    CL_ROW(CL_OUT_OF_RESOURCES, "OpenCL: the device is out of resources"),
    CL_ROW(CL_OUT_OF_HOST_MEMORY, "OpenCL: the host is out of memory"),
    CL_ROW(CL_PROFILING_INFO_NOT_AVAILABLE, "OpenCL: the queue or event has no profile"),
    CL_ROW(CL_MEM_COPY_OVERLAP, "OpenCL: source and destination overlap"),
    CL_ROW(CL_IMAGE_FORMAT_MISMATCH, "OpenCL: the images differ in format"),
    CL_ROW(CL_IMAGE_FORMAT_NOT_SUPPORTED, "OpenCL: the image format is not supported"),
    CL_ROW(CL_BUILD_PROGRAM_FAILURE, "OpenCL: the program does not compile"),
    CL_ROW(CL_MAP_FAILURE, "OpenCL: the memory could not be mapped"),
    CL_ROW(CL_MISALIGNED_SUB_BUFFER_OFFSET, "OpenCL: the sub-buffer is not aligned for the device"),
    CL_ROW(CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST, "OpenCL: a command that was waited for failed"),
    CL_ROW(CL_COMPILE_PROGRAM_FAILURE, "OpenCL: the program does not compile"),
    CL_ROW(CL_LINKER_NOT_AVAILABLE, "OpenCL: the platform has no linker"),
    CL_ROW(CL_LINK_PROGRAM_FAILURE, "OpenCL: the program does not link"),
    CL_ROW(CL_DEVICE_PARTITION_FAILED, "OpenCL: the device could not be partitioned further"),
    CL_ROW(CL_KERNEL_ARG_INFO_NOT_AVAILABLE, "OpenCL: the kernel was built without argument information"),
    CL_ROW(CL_INVALID_VALUE, "OpenCL: an argument has an invalid value"),
    CL_ROW(CL_INVALID_DEVICE_TYPE, "OpenCL: invalid device type"),
    CL_ROW(CL_INVALID_PLATFORM, "OpenCL: invalid platform"),
    CL_ROW(CL_INVALID_DEVICE, "OpenCL: invalid device, or not one of the context"),
    CL_ROW(CL_INVALID_CONTEXT, "OpenCL: invalid context, or objects of different contexts"),
    CL_ROW(CL_INVALID_QUEUE_PROPERTIES, "OpenCL: the device does not support the queue's properties"),
    CL_ROW(CL_INVALID_COMMAND_QUEUE, "OpenCL: invalid command queue"),
    CL_ROW(CL_INVALID_HOST_PTR, "OpenCL: the host pointer and the flags contradict"),
    CL_ROW(CL_INVALID_MEM_OBJECT, "OpenCL: invalid memory object"),
    CL_ROW(CL_INVALID_IMAGE_FORMAT_DESCRIPTOR, "OpenCL: invalid image format descriptor"),
    CL_ROW(CL_INVALID_IMAGE_SIZE, "OpenCL: the device does not support the image's size"),
    CL_ROW(CL_INVALID_SAMPLER, "OpenCL: invalid sampler"),
    CL_ROW(CL_INVALID_BINARY, "OpenCL: the program's binary is not for the device"),
    CL_ROW(CL_INVALID_BUILD_OPTIONS, "OpenCL: invalid build options"),
    CL_ROW(CL_INVALID_PROGRAM, "OpenCL: invalid program"),
    CL_ROW(CL_INVALID_PROGRAM_EXECUTABLE, "OpenCL: the program is not built for the device"),
    CL_ROW(CL_INVALID_KERNEL_NAME, "OpenCL: the program has no kernel of that name"),
    CL_ROW(CL_INVALID_KERNEL_DEFINITION, "OpenCL: the kernel's definition differs between devices"),
    CL_ROW(CL_INVALID_KERNEL, "OpenCL: invalid kernel"),
    CL_ROW(CL_INVALID_ARG_INDEX, "OpenCL: the kernel has no argument of that index"),
    CL_ROW(CL_INVALID_ARG_VALUE, "OpenCL: invalid value for a kernel's argument"),
    CL_ROW(CL_INVALID_ARG_SIZE, "OpenCL: invalid size for a kernel's argument"),
    CL_ROW(CL_INVALID_KERNEL_ARGS, "OpenCL: not all of the kernel's arguments are set"),
    CL_ROW(CL_INVALID_WORK_DIMENSION, "OpenCL: invalid number of work dimensions"),
    CL_ROW(CL_INVALID_WORK_GROUP_SIZE, "OpenCL: the work-group size does not fit the kernel or the device"),
    CL_ROW(CL_INVALID_WORK_ITEM_SIZE, "OpenCL: a work-group dimension is larger than the device's"),
    CL_ROW(CL_INVALID_GLOBAL_OFFSET, "OpenCL: invalid global offset"),
    CL_ROW(CL_INVALID_EVENT_WAIT_LIST, "OpenCL: the wait list and its length contradict, or it has an invalid event"),
    CL_ROW(CL_INVALID_EVENT, "OpenCL: invalid event"),
    CL_ROW(CL_INVALID_OPERATION, "OpenCL: the object does not allow the operation"),
    CL_ROW(CL_INVALID_GL_OBJECT, "OpenCL: invalid OpenGL object"),
    CL_ROW(CL_INVALID_BUFFER_SIZE, "OpenCL: the buffer is empty or larger than the device allows"),
    CL_ROW(CL_INVALID_MIP_LEVEL, "OpenCL: invalid mip level"),
    CL_ROW(CL_INVALID_GLOBAL_WORK_SIZE, "OpenCL: invalid global work size"),
    CL_ROW(CL_INVALID_PROPERTY, "OpenCL: invalid property"),
    CL_ROW(CL_INVALID_IMAGE_DESCRIPTOR, "OpenCL: invalid image descriptor"),
    CL_ROW(CL_INVALID_COMPILER_OPTIONS, "OpenCL: invalid compiler options"),
    CL_ROW(CL_INVALID_LINKER_OPTIONS, "OpenCL: invalid linker options"),
    CL_ROW(CL_INVALID_DEVICE_PARTITION_COUNT, "OpenCL: invalid number of sub-devices"),
    CL_ROW(CL_PLATFORM_NOT_FOUND_KHR, "OpenCL: no platform is installed"),
    FANIN_STATUS_MAP(FANIN_ROW)};

static const code_row unknown = {0, "unknown status", "a status that neither fanin nor OpenCL 1.2 names"};

static _Thread_local char last_error[768];

static const code_row *find(int code) {
  for (size_t k = 0; k < sizeof codes / sizeof *codes; k++) {
    if (codes[k].code == code) return &codes[k];
  }
  return &unknown;
}

const char *fanin_status_name(fanin_status status) {
  return find((int)status)->name;
}

const char *fanin_status_text(fanin_status status) {
  return find((int)status)->text;
}

const char *fanin_last_error(void) {
  return last_error;
}

const char *fanin_version(void) {
  return STRINGIFY(FANIN_VERSION_MAJOR) "." STRINGIFY(FANIN_VERSION_MINOR) "." STRINGIFY(FANIN_VERSION_PATCH);
}

int fanin_version_number(void) {
  return FANIN_VERSION_NUMBER;
}

int fanin_stream_version(void) {
  return FANIN_STREAM_VERSION;
}

#undef fanin__fail /* what the analyser is told of them elsewhere it sees here */
#undef fanin__fail_cl

fanin_status fanin__fail(fanin_status status, const char *format, ...) {
  /* Formatted aside: an argument may be the last sentence itself, to be wrapped in a longer one. */
  char sentence[sizeof last_error];
  va_list arguments;
  va_start(arguments, format);
  const int length = vsnprintf(sentence, sizeof sentence, format, arguments);
  va_end(arguments);
  if (length < 0) sentence[0] = '\0';
  memcpy(last_error, sentence, strlen(sentence) + 1);
  return status;
}

fanin_status fanin__check_cl(cl_int code, const char *call) {
  return code == CL_SUCCESS ? FANIN_STATUS_OK : fanin__fail_cl(code, call);
}

fanin_status fanin__fail_cl(cl_int code, const char *call) {
  return fanin__fail((fanin_status)code, "%s: %s (%d)", call, find(code)->name, (int)code);
}
