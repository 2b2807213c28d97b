/* fanin selftest: whether a device gives the bits that stream v1 specifies. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/args.h"
#include "base/commands.h"
#include "base/terminal.h"
#include "selftest/selftest.h"

typedef struct request {
  const char *device, *only;
  bool quick, full, json;
} request;

static const args_option options[] = {
    {"device", 0, "SEL", SESSION_DEVICE_HELP, args_text, offsetof(request, device), 0},
    {"quick", 0, NULL, "Fill as the device is filled by default: seconds, once kernels are compiled (the default)",
     args_switch, offsetof(request, quick), 0},
    {"full", 0, NULL, "Also fill at every vector width and with several work-group sizes, which compiles for minutes",
     args_switch, offsetof(request, full), 0},
    {"only", 0, "NAME", "Check this initializer alone", args_text, offsetof(request, only), 0},
    {"json", 'j', NULL, "Print JSON", args_switch, offsetof(request, json), 0},
    {0}};

const syntax selftest_syntax = {
    .command = "selftest",
    .summary = "check that a device gives the bits that are specified",
    .run = cmd_selftest,
    .options = options,
    .doc =
        "Fills tensors of every initializer and dtype, in awkward shapes and parts, one by one, by plans, in pieces, "
        "with gaps in memory and out of order, and compares them with the published digests of stream v1 "
        "(share/data/stream-v1.json). Then it measures rates beside the device's own fill and copy. The exit status is "
        "0 if every bit is right, 1 "
        "if not, and 3 if the device's arithmetic is so wrong that fanin refuses to fill some dtype on it.\v"
        "Examples:\n"
        "  fanin selftest\n"
        "  fanin selftest --device gpu --full\n"
        "  fanin selftest --json > report.json",
};

static void keep_result(const fanin_selftest_result *result, void *user) {
  selftest_results *r = user;
  r->list = grow(r->list, &r->capacity, r->count + 1, sizeof *r->list);
  selftest_result *kept = &r->list[r->count++];
  *kept = (selftest_result){.dtype = result->dtype,
                            .fills = result->fills,
                            .wrong = result->wrong,
                            .status = result->status,
                            .sentence = copy_text(result->sentence, strlen(result->sentence))};
  snprintf(kept->check, sizeof kept->check, "%s", result->check);
  progress_show("self-test: %zu of %zu, %s %s", result->done, result->total, result->check,
                fanin_dtype_name(result->dtype));
}

static int run(const request *r, session *s, selftest_results *results, failure *why) {
  fanin_selftest_config config = FANIN_SELFTEST_CONFIG_INIT;
  fanin_device_info device = {0};
  selftest_rates rates = {.count = 0};
  size_t index;
  int status = session_open(r->device, s, why);
  if (status == STATUS_OK) status = session_describe(s, &device, &index, why);
  if (status != STATUS_OK) return status;
  config.full = r->full;
  config.only = r->only;
  config.report = keep_result;
  config.user = results;
  fanin_selftest_summary *summary = &results->summary;
  progress_show("self-test: compiling kernels, once a device");
  status = library_status(why, fanin_selftest(s->f, &config, summary, sizeof *summary), r->only ? "--only" : NULL);
  if (status == STATUS_OK && summary->refused + summary->wrong == 0)
    status = selftest_measure(s, r->full, &rates, why); /* wrong numbers have no rate */
  progress_clear();
  if (status != STATUS_OK) return status;
  if (r->json) {
    status = selftest_print_json(&device, results, &rates, r->full, why);
  } else {
    selftest_print(&device, results, &rates);
  }
  if (status != STATUS_OK) return status;
  if (summary->wrong > 0) return STATUS_CHECK;
  return summary->refused > 0 ? fail(why, STATUS_DEVICE, "%s", summary->first_refused) : STATUS_OK;
}

int cmd_selftest(int argc, char **argv, failure *why) {
  request r = {0};
  session s = {0};
  selftest_results results = {0};
  int status = args_parse(&selftest_syntax, argc, argv, &r, why);
  if (status == STATUS_OK && r.quick && r.full) status = args_fail(why, "give --quick or --full, not both");
  if (status == STATUS_OK) status = run(&r, &s, &results, why);
  for (size_t i = 0; i < results.count; ++i)
    free(results.list[i].sentence);
  free(results.list);
  session_close(&s);
  return status;
}
