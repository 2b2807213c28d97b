/* Devices, and a fanin: one (context, device) pair with its programs. Stable. */
#ifndef FANIN_DEVICE_H
#define FANIN_DEVICE_H

#include "base.h"

FANIN_C_BEGIN

/* ---- Devices ----------------------------------------------------------------------------------------------------- */

/* A device, as its driver describes it. */
typedef struct fanin_device_info {
  cl_platform_id platform;
  cl_device_id device;
  char platform_name[128];
  char name[256];
  char driver[128];           /* the driver's version */
  char version[128];          /* what CL_DEVICE_VERSION says */
  cl_device_type type;        /* CL_DEVICE_TYPE_GPU, ... */
  cl_uint compute_units;      /* parallel compute units */
  cl_ulong memory_bytes;      /* global memory */
  cl_ulong max_alloc_bytes;   /* largest single buffer */
  cl_uint native_float_width; /* 32-bit lanes of the native vector, 0 where the device does not say */
  int has_f64;                /* 1: f64 tensors can be filled */
  int has_f16;                /* 1: the device has half arithmetic (fanin does not need it for f16 tensors) */
  int usable;                 /* 0: fanin refuses this device, and `reason` says why */
  char reason[192];
  int shares_memory; /* 1: its memory is the host's, as CPUs' and integrated GPUs' is */
} fanin_device_info;

/* Lists every device of every platform, in the order of the selector's indices. Writes min(capacity, *count) elements
 * of `stride` bytes each (sizeof(fanin_device_info)); *count is the number of devices. `list` may be NULL when capacity
 * is 0. No device at all is success with a count of 0. Errors: OpenCL's. */
FANIN_API fanin_status fanin_devices(fanin_device_info *list, size_t capacity, size_t stride, size_t *count);

/* The usable devices that answer a selector (see fanin_open()), as indices into fanin_devices(): the one that
 * fanin_open() picks comes first, then the next best; equal ones keep their order. With selector NULL or "" and no
 * $FANIN_DEVICE these are all devices of the best one's type. An index, written as a number, is a selector too. Writes
 * min(capacity, *count) indices; *count is at least 1. `indices` may be NULL when capacity is 0.
 * The best is a GPU before a CPU before others; then one with memory of its own; then the one of most lanes times
 * compute units, where a lane is a 32-bit element of the vectors that fanin's kernels use there (one on GPUs); then one
 * with f64; then the one with most memory. Errors: FANIN_STATUS_NO_DEVICE, FANIN_STATUS_UNSUPPORTED, OpenCL's. */
FANIN_API fanin_status fanin_select(const char *selector, size_t *indices, size_t capacity, size_t *count);

/* Why the first of them comes first: "its 16 x 2 lanes (vector times compute units) are more than the 1 x 8 of device
 * 1". `length` may be NULL, or gets the text's length without the final 0. `text` may be NULL when capacity is 0, to
 * ask for the length. A text that does not fit is cut, and the status is FANIN_STATUS_BAD_SIZE. Errors:
 * fanin_select()'s. */
FANIN_API fanin_status fanin_select_reason(const char *selector, char *text, size_t capacity, size_t *length);

/* A driver that is registered with the system's OpenCL loader. */
typedef struct fanin_driver_info {
  char icd[256]; /* the file that registers it, "$OCL_ICD_FILENAMES", or "" for a library that $OCL_ICD_VENDORS is */
  char library[256]; /* the library that the file names */
  int usable;        /* 0: it gives no device, and `reason` says why: loaders leave such drivers out without a word */
  char reason[700];
} fanin_driver_info;

/* Lists the drivers that are registered in /etc/OpenCL/vendors, or in the place that $OCL_ICD_VENDORS or
 * $OPENCL_VENDOR_PATH names, and in $OCL_ICD_FILENAMES, and tries each. Writes min(capacity, *count) elements of
 * `stride` bytes each (sizeof(fanin_driver_info)); *count is the number of drivers. `list` may be NULL when capacity is
 * 0. On Windows none are listed. It loads the drivers, which takes as long as it does. Errors:
 * FANIN_STATUS_OUT_OF_MEMORY. */
FANIN_API fanin_status fanin_drivers(fanin_driver_info *list, size_t capacity, size_t stride, size_t *count);

/* ---- A fanin ----------------------------------------------------------------------------------------------------- */

/* One context and device, with the programs that were compiled for them. Several threads may use it at once.
 *
 * fork(): OpenCL drivers work with threads, which a forked child does not have. After a process has called
 * fanin_devices(), fanin_drivers(), fanin_select(), fanin_open() or fanin_create(), a child of its may do nothing with
 * OpenCL, not even release what it inherited: such calls may wait for ever. It may call what needs no device, and
 * exec(). Create child processes before the first of these calls, or start new programs (posix_spawn()). */
typedef struct fanin fanin;

/* Picks a device and makes a context for it. `selector` is "gpu" or "cpu" (the best such device), an index into
 * fanin_devices(), or a part of the platform's or device's name, in either case. NULL or "" means $FANIN_DEVICE if it
 * is set, else the best GPU, else the best CPU, else any usable device; fanin_select() says which is the best. Release
 * *out with fanin_release(). Errors: FANIN_STATUS_NO_DEVICE, whose sentence names drivers that are installed and do not
 * start, FANIN_STATUS_UNSUPPORTED, OpenCL's. */
FANIN_API fanin_status fanin_open(const char *selector, fanin **out);

/* Uses the caller's context and device, and retains both until fanin_release(). Compiles nothing yet. The environment
 * variables $FANIN_LANES and $FANIN_WORK_GROUP, which exist for tests, override the vector width and the work-group
 * size (docs/integration.md). They change no bits. Errors: FANIN_STATUS_BAD_ARGUMENT for a device that is not the
 * context's, FANIN_STATUS_UNSUPPORTED, OpenCL's. */
FANIN_API fanin_status fanin_create(cl_context context, cl_device_id device, fanin **out);

/* The same with the context and device of a queue, which is not retained: pass it to each enqueue. */
FANIN_API fanin_status fanin_create_for_queue(cl_command_queue queue, fanin **out);

/* Gives up the caller's reference. What f holds is released with the last reference: plans have one of their own. Work
 * that was enqueued finishes by itself. NULL is ignored. Not while another thread uses f. */
FANIN_API void fanin_release(fanin *f);

/* The context and the device that f works on. Neither is retained for the caller. */
FANIN_API fanin_status fanin_context(const fanin *f, cl_context *out);
FANIN_API fanin_status fanin_device(const fanin *f, cl_device_id *out);

/* f's own in-order queue, which `queue` NULL stands for everywhere. It is made on first use and not retained for the
 * caller. Errors: OpenCL's. */
FANIN_API fanin_status fanin_queue(fanin *f, cl_command_queue *out);

FANIN_C_END

#endif
