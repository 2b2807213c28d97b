/* fanin selftest: what came of it, in the form that is printed. */
#ifndef CLI_SELFTEST_SELFTEST_H
#define CLI_SELFTEST_SELFTEST_H

#include <stdbool.h>

#include "base/session.h"
#include "fanin/selftest.h"

/* A result, kept. */
typedef struct selftest_result {
  char check[48];
  fanin_dtype dtype;
  size_t fills, wrong;
  fanin_status status;
  char *sentence;
} selftest_result;

typedef struct selftest_results {
  selftest_result *list;
  size_t count, capacity;
  fanin_selftest_summary summary;
} selftest_results;

/* How fast one way to write memory is: bytes written in a second, and that beside the device's own fill and copy. */
typedef struct selftest_rate {
  const char *name;
  double gb_per_s, of_fill, of_copy;
} selftest_rate;

enum { SELFTEST_RATES = 5 };
typedef struct selftest_rates {
  selftest_rate list[SELFTEST_RATES];
  size_t count;
  uint64_t bytes; /* of each run */
} selftest_rates;

/* Measures fanin's fills in float, the device's own fill and its copy (rates.c). */
int selftest_measure(const session *s, bool full, selftest_rates *out, failure *why);

/* report.c */
void selftest_print(const fanin_device_info *device, const selftest_results *r, const selftest_rates *rates);
int selftest_print_json(const fanin_device_info *device, const selftest_results *r, const selftest_rates *rates,
                        bool full, failure *why);

#endif
