/* Command lines of 'fanin init' and 'fanin probe', up to where they would open a device: an argument a line. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "probe/report.h"

/* cmd_init.c again, without a device; the session that its files know is declared already. */
static int no_session_open(const char *selector, session *s, failure *why) {
  (void)selector;
  (void)s;
  return fail(why, STATUS_INPUT, "no device");
}
#define session_open no_session_open
#include "init/cmd_init.c" // NOLINT(bugprone-suspicious-include)
#undef session_open

enum { MOST = 64 };

/* Arguments that would end the process (help), or read what other people have. */
static bool is_left_out(const char *argument) {
  if (strchr(argument, '/')) return true;
  if (argument[0] != '-') return false;
  return argument[1] == '-' ? strncmp(argument, "--h", 3) == 0 : strchr(argument, 'h') != NULL;
}

static int split(char *text, char **argv) {
  int n = 1;
  for (char *at = strtok(text, "\n"); at && n < MOST; at = strtok(NULL, "\n")) {
    if (is_left_out(at)) return 0;
    argv[n++] = at;
  }
  return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static char names[2][8] = {"init", "probe"};
  char *argv[MOST + 1] = {NULL}, *text = fuzz_text(data, size);
  failure why = {0};
  if (size == 0) goto done;
  argv[0] = names[text[0] == 'p'];
  const int argc = split(text + (*text != '\0'), argv);
  if (argc == 0) goto done;
  int status;
  if (argv[0] == names[1]) {
    probe_request r;
    status = probe_options(argc, argv, &r, &why);
  } else {
    status = cmd_init(argc, argv, &why);
    FUZZ_REQUIRE(status != STATUS_OK);
  }
  FUZZ_REQUIRE(status == STATUS_OK || status == STATUS_INPUT);
  FUZZ_REQUIRE(status == STATUS_OK || why.usage || why.text[0] != '\0');

done:
  free(text);
  return 0;
}
