/* Names, verdicts and remedies of the probe's diagnoses. */
#include "core/argument.h"
#include "fanin/probe.h"

#define HEALTH                     FANIN_VERDICT_HEALTH
#define CONFORMITY                 FANIN_VERDICT_CONFORMITY
#define CAUSE                      FANIN_VERDICT_CAUSE
#define ROW(name, verdict, remedy) {#name, verdict, remedy},

static const struct {
  const char *name;
  fanin_verdict verdict;
  const char *remedy;
} rows[FANIN_DIAGNOSIS_COUNT] = {FANIN_DIAGNOSIS_MAP(ROW)};

static bool known(fanin_diagnosis diagnosis) {
  return (unsigned)diagnosis < FANIN_DIAGNOSIS_COUNT;
}

const char *fanin_diagnosis_name(fanin_diagnosis diagnosis) {
  return known(diagnosis) ? rows[diagnosis].name : "unknown diagnosis";
}

const char *fanin_diagnosis_remedy(fanin_diagnosis diagnosis) {
  return known(diagnosis) ? rows[diagnosis].remedy : "unknown diagnosis";
}

fanin_status fanin_diagnosis_verdict(fanin_diagnosis diagnosis, fanin_verdict *out) {
  FANIN__NEED(out);

  if (!known(diagnosis)) {
    return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "diagnosis is %d; there are 0 to %d", (int)diagnosis,
                       (int)FANIN_DIAGNOSIS_COUNT - 1);
  }
  *out = rows[diagnosis].verdict;
  return FANIN_STATUS_OK;
}
