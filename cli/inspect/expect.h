/* What the tensors of a checkpoint should be: by the metadata of their files, and by what the user names. */
#ifndef CLI_INSPECT_EXPECT_H
#define CLI_INSPECT_EXPECT_H

#include "inspect/expectation.h"
#include "inspect/wishes.h"

/* What the checkpoint's tensor number i should be. The first of these that says something decides: --init NAME=INIT,
 * --like, the file's metadata, --rules, --init INIT. Ends with expectation_free(), also after a failure. */
int expectation_of(const wishes *w, size_t i, expectation *out, failure *why);

#endif
