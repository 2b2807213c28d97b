/* What the diagnoses of a probe share. */
#ifndef HOST_PROBE_DIAGNOSE_H
#define HOST_PROBE_DIAGNOSE_H

#include <stdbool.h>

#include "core/status.h"
#include "probe/probe.h"

typedef struct fanin__judge {
  fanin__probe *p;
  fanin_finding *list; /* grows */
  size_t n;
  fanin_status status; /* of growing it */
} fanin__judge;

void fanin__find(fanin__judge *j, fanin_diagnosis diagnosis, size_t first, size_t last, const char *format, ...)
    FANIN__PRINTF(5, 6);

/* Layer l of the report, from 1 on. */
static inline fanin_probe_layer *fanin__layer(const fanin__judge *j, size_t l) {
  return &j->p->report->layers[l - 1];
}

/* Whether lines of layer l's drawn weights are equal. */
bool fanin__is_tied(const fanin__judge *j, size_t l);

/* Whether layer l's weights have another mean or std than expected. */
bool fanin__weights_deviate(const fanin__judge *j, size_t l);

/* Whether layer l's weights are as orthogonal as they should be; true of weights that need not be. */
bool fanin__is_orthogonal(const fanin__judge *j, size_t l);

/* ---- health.c ---------------------------------------------------------------------------------------------------- */

/* All findings of ill health, in the order of the enumerators. */
void fanin__find_health(fanin__judge *j);

/* ---- cause.c ----------------------------------------------------------------------------------------------------- */

void fanin__find_wrong_fan(fanin__judge *j);
void fanin__find_gain(fanin__judge *j);

#endif
