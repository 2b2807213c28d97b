/* Reading the reference numbers of tests/data. */
#include "support/support_csv.h"

#include <stdlib.h>
#include <string.h>

#include "support/support.h"

const char *test_data_path(const char *name) {
  static char path[4096];
  const char *source = getenv("SRC");
  snprintf(path, sizeof path, "%s/tests/data/%s", source ? source : ".", name);
  return path;
}

test_csv test_csv_open(const char *name) {
  const char *path = test_data_path(name);
  test_csv csv = {.file = fopen(path, "r")};
  if (!csv.file) fail_msg("%s cannot be read; set SRC to the project's directory", path);
  /* Comments, then one line of titles. */
  while (fgets(csv.line, sizeof csv.line, csv.file) && csv.line[0] == '#') {}
  return csv;
}

bool test_csv_row(test_csv *csv, const char **fields, size_t n) {
  if (!fgets(csv->line, sizeof csv->line, csv->file)) {
    fclose(csv->file);
    return false;
  }
  csv->rows++;
  csv->line[strcspn(csv->line, "\n")] = '\0';
  char *at = csv->line;
  for (size_t k = 0; k < n; k++) {
    fields[k] = at;
    char *comma = strchr(at, ',');
    if ((comma == NULL) != (k + 1 == n)) fail_msg("row %zu does not have %zu fields", csv->rows, n);
    if (!comma) break;
    *comma = '\0';
    at = comma + 1;
  }
  return true;
}
