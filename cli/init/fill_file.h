/* Fills a model's tensors on a device and appends them to a file, piece by piece. */
#ifndef CLI_INIT_FILL_FILE_H
#define CLI_INIT_FILL_FILE_H

#include "base/output.h"
#include "base/session.h"
#include "formats/model.h"

/* Appends every tensor's bytes in the model's order. Two pieces of memory take turns: while one is written to the file,
 * the device fills the other. Tensor `name` has the key fanin_key_named(seed, name). */
int fill_file(const session *s, const model *m, uint64_t seed, output *out, failure *why);

#endif
