/* Whether a device gives the bits of the stream: fills of every kind, held to published digests. Experimental. */
#ifndef FANIN_SELFTEST_H
#define FANIN_SELFTEST_H

#include "base.h"
#include "device.h"
#include "tensor.h"

FANIN_C_BEGIN

/* One check of one dtype: what was filled, in one of the ways to fill. A later version may append fields. */
typedef struct fanin_selftest_result {
  const char *check; /* an initializer's name, or a way to fill: "plan", "pieces", "lanes 4, groups of 64" */
  fanin_dtype dtype;
  size_t fills, wrong;  /* how many were compared, and how many of them differ or failed */
  fanin_status status;  /* FANIN_STATUS_UNSUPPORTED: fanin refuses the device for these fills; where `fills` is not 0,
                           for some of them */
  const char *sentence; /* the first difference: the element, its bits, those that are right, and what the kernel was
                           built with; or why it was refused; else "". It lasts until the callback returns. */
  size_t done, total;   /* results so far, with this one, and in all */
} fanin_selftest_result;

/* Called with each result as soon as it is there, by the thread that called fanin_selftest(). */
typedef void fanin_selftest_report(const fanin_selftest_result *result, void *user);

/* How much to check, and who is told. Begin with FANIN_SELFTEST_CONFIG_INIT. */
typedef struct fanin_selftest_config {
  size_t size; /* FANIN_SELFTEST_CONFIG_INIT sets it */
  int full; /* 0: fills one by one, in plans, in pieces, with gaps and out of order, as f would do it; 1: also at every
               vector width and at several sizes of work-groups, which compiles every kernel for each of them */
  const char *only;              /* the name of the one initializer to check; NULL: all */
  fanin_selftest_report *report; /* NULL: nobody */
  void *user;                    /* what it is called with */
} fanin_selftest_config;
/* A fanin_selftest_config with its size, and 0 in every other field. */
#define FANIN_SELFTEST_CONFIG_INIT FANIN_SIZED(fanin_selftest_config)

/* What came of it. */
typedef struct fanin_selftest_summary {
  size_t fills, wrong;     /* of all checks */
  size_t refused;          /* dtypes that the device says it has, of which fanin refuses some fill or all */
  char first_wrong[768];   /* the first difference's sentence; "": none */
  char first_refused[768]; /* the first refusal's */
} fanin_selftest_summary;

/* Fills tensors of every initializer in every dtype that the device has, in awkward shapes and parts, and compares them
 * with digests of stream v1 (share/data/stream-v1.json, which docs/stream.md describes), and the memory around them
 * with what was there. Blocking. FANIN_STATUS_OK says that it ran, whatever it found: `out`, of `size` bytes, says
 * that. Errors: OpenCL's, FANIN_STATUS_OUT_OF_MEMORY. */
FANIN_API fanin_status fanin_selftest(fanin *f, const fanin_selftest_config *config, fanin_selftest_summary *out,
                                      size_t size);

FANIN_C_END

#endif
