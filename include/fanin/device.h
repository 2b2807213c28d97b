/* Devices, and a fanin: one (context, device) pair with its programs. */
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
  int has_f16;                /* 1: half arithmetic (fanin does not need it: f16 tensors work either way) */
  int usable;                 /* 0: fanin refuses this device, `reason` says why */
  char reason[192];
} fanin_device_info;

/* Lists every device of every platform, in the order of the selector's indices. Writes min(capacity, *count) entries;
 * *count is the number that exists. `list` may be NULL when capacity is 0. No device at all is success with 0. */
FANIN_API fanin_status fanin_devices(fanin_device_info *list, size_t capacity, size_t *count);

/* The usable devices that answer a selector (see fanin_open()), as indices into fanin_devices(): what fanin_open()
 * picks first, then the next best; equal ones in their order. With selector NULL or "" and no $FANIN_DEVICE, all that
 * are of the best one's type. An index, written as a number, is a selector too. Writes min(capacity, *count) entries,
 * *count is at least 1. `indices` may be NULL when capacity is 0. Errors: FANIN_STATUS_NO_DEVICE,
 * FANIN_STATUS_UNSUPPORTED, OpenCL's.
 */
FANIN_API fanin_status fanin_select(const char *selector, size_t *indices, size_t capacity, size_t *count);

/* ---- A fanin ----------------------------------------------------------------------------------------------------- */

/* One context and device, with the programs that were compiled for them. */
typedef struct fanin fanin;

/* Picks a device and makes a context for it. `selector`: "gpu" or "cpu" (the best such device), an index into
 * fanin_devices(), or a part of the platform's or device's name, case ignored. NULL or "": $FANIN_DEVICE if set, else
 * the best GPU, else the best CPU, else any usable device. Errors: FANIN_STATUS_NO_DEVICE, FANIN_STATUS_UNSUPPORTED,
 * OpenCL's. */
FANIN_API fanin_status fanin_open(const char *selector, fanin **out);

/* Uses the caller's context and device; retains both until fanin_release(). Compiles nothing yet. $FANIN_LANES and
 * $FANIN_WORK_GROUP, which exist for tests, override the vector width and the work-group size: docs/integration.md.
 * They change no bits. */
FANIN_API fanin_status fanin_create(cl_context context, cl_device_id device, fanin **out);

/* Releases what `f` holds; work already enqueued finishes by itself. NULL is ignored. Not while another thread uses
 * f. */
FANIN_API void fanin_release(fanin *f);

/* What f works on. Not retained for the caller. */
FANIN_API cl_context fanin_context(const fanin *f);
FANIN_API cl_device_id fanin_device(const fanin *f);

/* f's own in-order queue, which `queue` NULL stands for. Made on first use; NULL if that failed (see
 * fanin_last_error). Not retained for the caller. */
FANIN_API cl_command_queue fanin_queue(fanin *f);

FANIN_C_END

#endif
