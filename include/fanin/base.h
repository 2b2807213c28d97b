/* What every other header of fanin needs: OpenCL's types, the version, and status codes. */
#ifndef FANIN_BASE_H
#define FANIN_BASE_H

#include <stddef.h>
#include <stdint.h>

#ifndef CL_TARGET_OPENCL_VERSION
#define CL_TARGET_OPENCL_VERSION 120
#endif
#ifdef __APPLE__
#include <OpenCL/cl.h>
#else
#include <CL/cl.h>
#endif

#if defined(FANIN_STATIC)
#define FANIN_API
#elif defined(_WIN32) && defined(FANIN_BUILDING)
#define FANIN_API __declspec(dllexport)
#elif defined(_WIN32)
#define FANIN_API __declspec(dllimport)
#elif defined(__GNUC__)
#define FANIN_API __attribute__((visibility("default")))
#else
#define FANIN_API
#endif

/* Around declarations that C++ is to see as C's. */
/* clang-format off */
#ifdef __cplusplus
#define FANIN_C_BEGIN extern "C" {
#define FANIN_C_END }
#else
#define FANIN_C_BEGIN
#define FANIN_C_END
#endif
/* clang-format on */

FANIN_C_BEGIN

/* Of this header. */
#define FANIN_VERSION_MAJOR 0
#define FANIN_VERSION_MINOR 1
#define FANIN_VERSION_PATCH 0

/* The version of the random stream (docs/stream.md). Same version, same bits. */
#define FANIN_STREAM_VERSION 1

/* The most dimensions that a tensor may have. */
#define FANIN_MAX_RANK 8

/* "0.1.0", of the library that runs. */
FANIN_API const char *fanin_version(void);

/* ---- Status ------------------------------------------------------------------------------------------------------ */

/* fanin's own codes are positive; negative values are OpenCL's, unchanged; 0 is success. */
#define FANIN_STATUS_MAP(XX)                                                                                           \
  XX(OK, 0, "success")                                                                                                 \
  XX(BAD_ARGUMENT, 1, "an argument has a value that is not accepted")                                                  \
  XX(BAD_SHAPE, 2, "shape, part, strides, groups or splits do not fit together")                                       \
  XX(BAD_LAYOUT, 3, "the layout does not fit the tensor or the initializer")                                           \
  XX(BAD_SIZE, 4, "the tensor does not fit into its buffer, or its size overflows")                                    \
  XX(BAD_TEXT, 5, "a text could not be parsed")                                                                        \
  XX(NO_DEVICE, 6, "no device answers the selector")                                                                   \
  XX(UNSUPPORTED, 7, "the device or this build cannot do that")                                                        \
  XX(OUT_OF_MEMORY, 8, "the host is out of memory")                                                                    \
  XX(NOT_FINITE, 9, "a measured value is not finite")                                                                  \
  XX(BAD_BINARY, 10, "program binaries are damaged, or of another device, driver or version")

/* clang-format off */
typedef enum fanin_status {
#define FANIN_STATUS_ENUM(name, code, text) FANIN_STATUS_##name = code,
  FANIN_STATUS_MAP(FANIN_STATUS_ENUM)
#undef FANIN_STATUS_ENUM
  FANIN_STATUS_FORCE_INT = -0x7fffffff - 1
} fanin_status;
/* clang-format on */

/* "FANIN_STATUS_BAD_SHAPE" or "CL_INVALID_CONTEXT"; "unknown status" for any other number. Static storage. */
FANIN_API const char *fanin_status_name(fanin_status status);

/* One general sentence for the code. Static storage. */
FANIN_API const char *fanin_status_text(fanin_status status);

/* The sentence for the last failure on the calling thread, with the argument, its value and what would be accepted;
 * "" if nothing failed yet. Thread-local: valid until the thread's next failing call. */
FANIN_API const char *fanin_last_error(void);

FANIN_C_END

#endif
