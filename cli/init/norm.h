/* A tensor that has the norms of another one, whose values are made or read again for it. */
#ifndef CLI_INIT_NORM_H
#define CLI_INIT_NORM_H

#include "base/output.h"
#include "base/session.h"
#include "formats/model.h"

/* Appends the tensor t, whose norm_of is set, to a file. Where that one is copied, its file must be open. Fails where a
 * norm would be too large for the dtype of t, or a copied number is not finite. */
int norm_write(const session *s, uint64_t seed, const model_tensor *t, output *out, failure *why);

#endif
