/* Status codes and their sentences: every failure in the library goes through one of these functions, so that every
 * failure has a sentence. Nothing in host/ is exported but the functions of include/fanin; internal names begin with
 * fanin__. */
#ifndef HOST_CORE_STATUS_H
#define HOST_CORE_STATUS_H

#include <stdbool.h>
#include <stdio.h> /* __MINGW_PRINTF_FORMAT */

#include "fanin/base.h"

#if defined(__MINGW_PRINTF_FORMAT) /* Windows has a printf of its own and one of C99, which this is */
#define FANIN__PRINTF(text, first) __attribute__((format(__MINGW_PRINTF_FORMAT, text, first)))
#elif defined(__GNUC__)
#define FANIN__PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define FANIN__PRINTF(text, first)
#endif

/* The loader's answer where no platform is installed. It is defined in cl_ext.h, which is not included. */
#ifndef CL_PLATFORM_NOT_FOUND_KHR
#define CL_PLATFORM_NOT_FOUND_KHR -1001
#endif

/* Keeps the sentence for fanin_last_error() and returns `status`. */
fanin_status fanin__fail(fanin_status status, const char *format, ...) FANIN__PRINTF(2, 3);

/* The same for an OpenCL call: "clCreateBuffer: CL_OUT_OF_RESOURCES (-5)". Returns `code` as a status. */
fanin_status fanin__fail_cl(cl_int code, const char *call);

/* The same where the call may have succeeded: then it returns FANIN_STATUS_OK. */
fanin_status fanin__check_cl(cl_int code, const char *call);

/* What the analyser cannot see from another file: both functions return the failure that they are given. */
#ifdef __clang_analyzer__
#define fanin__fail(status, ...)   ((void)(fanin__fail)((status), __VA_ARGS__), (status))
#define fanin__fail_cl(code, call) ((void)(fanin__fail_cl)((code), (call)), (fanin_status)(code))
#endif

#define FANIN__TRY(expression)                                                                                         \
  do {                                                                                                                 \
    const fanin_status fanin__try_status = (expression);                                                               \
    if (fanin__try_status != FANIN_STATUS_OK) return fanin__try_status;                                                \
  } while (0)

#endif
