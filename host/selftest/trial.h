/* One fill, in one of the ways to fill, held to one digest. */
#ifndef HOST_SELFTEST_TRIAL_H
#define HOST_SELFTEST_TRIAL_H

#include <stdbool.h>

#include "fanin/fill.h"
#include "fanin/selftest.h"
#include "selftest/digests.h"

/* Bytes before and after a tensor's own that no fill may touch, and the most that one takes with gaps. */
enum {
  FANIN__GUARD = 64,
  FANIN__MOST_BYTES = 1 << 20,
  FANIN__SENTENCE = sizeof((fanin_selftest_summary){.fills = 0}).first_wrong
};

/* What is filled, and with what. */
typedef struct fanin__trial {
  fanin *f; /* the device at the geometry of the check */
  cl_command_queue queue;
  cl_mem buffer;         /* of FANIN__MOST_BYTES */
  unsigned char *memory; /* as many: what it is given before a fill, and then what it has after it */
  size_t used;           /* bytes that a fill is given, guards included */
  char difference[FANIN__SENTENCE], refusal[FANIN__SENTENCE]; /* the first of each; "": none */
} fanin__trial;

/* Enqueues the fill of `t` on the trial's queue. */
typedef fanin_status fanin__fill_way(const fanin__trial *trial, const fanin_tensor *t, const fanin_init *init,
                                     fanin_key key);
fanin__fill_way fanin__fill_at_once, fanin__fill_by_plan;
fanin__fill_way fanin__fill_in_pieces; /* not of slabs */

/* Fills the tensor of a digest, with gaps in memory or without them (a range has none), and compares all of the memory.
 * FANIN_STATUS_UNSUPPORTED: the fill is refused. FANIN_STATUS_OK: *is_right says whether every bit is. The trial keeps
 * the first difference and the first refusal. */
fanin_status fanin__try_digest(fanin__trial *s, fanin__fill_way *way, const fanin__digest *d, bool has_gaps,
                               bool *is_right);

#endif
