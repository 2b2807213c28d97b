/* What every other header of fanin needs: OpenCL's types, versions, status codes, and how structs grow. Stable. */
#ifndef FANIN_BASE_H
#define FANIN_BASE_H

#include <stddef.h>
#include <stdint.h>

/* fanin calls nothing newer than OpenCL 1.2 and defines none of OpenCL's macros: CL_TARGET_OPENCL_VERSION is yours. */
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

/* These two stand around declarations that C++ is to see as C's. */
/* clang-format off */
#ifdef __cplusplus
#define FANIN_C_BEGIN extern "C" {
#define FANIN_C_END }
#else
#define FANIN_C_BEGIN
#define FANIN_C_END
#endif
/* clang-format on */

/* ---- Structs that grow ------------------------------------------------------------------------------------------- */

/* A program that was compiled with an older header must work with a newer library. Structs cross the API in three ways:
 *   - Values, such as fanin_tensor and fanin_init, keep their size for ever. Their last words are reserved and must be
 *     0, which is what a struct initializer makes of fields that it does not name.
 *   - Configurations, such as fanin_probe_config, begin with their size. Each has a macro that sets the size and zeroes
 *     the rest: fanin_probe_config config = FANIN_PROBE_CONFIG_INIT. The library takes fields that the caller's struct
 *     does not have as 0, and refuses a larger struct whose extra fields are not 0.
 *   - Results are written to the caller's struct, whose size is an argument (`size`, or `stride` for arrays: pass
 *     sizeof of one element). The library writes at most that many bytes, and leaves the rest of a larger struct alone.
 */

/* What the macros that make configurations expand to. */
/* clang-format off */
#ifndef __cplusplus
#define FANIN_SIZED(type) {.size = sizeof(type)}
#else
template <typename T> inline T fanin_sized() { T value = T(); value.size = sizeof value; return value; }
#define FANIN_SIZED(type) fanin_sized<type>()
#endif
/* clang-format on */

FANIN_C_BEGIN

/* ---- Versions ---------------------------------------------------------------------------------------------------- */

/* The version of this header. */
#define FANIN_VERSION_MAJOR 0
#define FANIN_VERSION_MINOR 2
#define FANIN_VERSION_PATCH 0

/* The same as one number, 10000 major + 100 minor + patch. */
#define FANIN_VERSION_NUMBER (10000 * FANIN_VERSION_MAJOR + 100 * FANIN_VERSION_MINOR + FANIN_VERSION_PATCH)

/* The version of the random stream (docs/stream.md). The same version gives the same bits. */
#define FANIN_STREAM_VERSION 1

/* The most dimensions that a tensor may have. */
#define FANIN_MAX_RANK 8

/* The version of the library that runs: "0.2.0" (static storage), and FANIN_VERSION_NUMBER as it was built with. */
FANIN_API const char *fanin_version(void);
FANIN_API int fanin_version_number(void);

/* FANIN_STREAM_VERSION of the library that runs. */
FANIN_API int fanin_stream_version(void);

/* ---- Status ------------------------------------------------------------------------------------------------------ */

/* fanin's own codes are positive. Negative values are OpenCL's, unchanged. 0 is success. */
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

/* The sentence for the calling thread's last failure: the argument, its value and what is accepted. It is "" if nothing
 * has failed yet. Never NULL, thread-local, valid until the thread's next failing call. */
FANIN_API const char *fanin_last_error(void);

FANIN_C_END

#endif
