/* One file of freshly made tensors. */
#include "init/file.h"

#include <stdlib.h>

#include "init/fill_file.h"

int init_file_write(const init_request *r, const session *s, const char *path, const model *part, failure *why) {
  char *header = NULL;
  size_t size = 0;
  output out = OUTPUT_NONE;
  int status = init_request_header(r, part, &header, &size, why);
  if (status == STATUS_OK) status = output_open(path, &out, why);
  if (status == STATUS_OK) status = output_write(&out, header, size, why);
  if (status == STATUS_OK) status = fill_file(s, part, r->seed, &out, why);
  if (status == STATUS_OK) status = output_commit(&out, why);
  output_abandon(&out);
  free(header);
  return status;
}
