/* What a model needs of the device before its first tensor is filled: compiled kernels. */
#ifndef CLI_INIT_WARM_H
#define CLI_INIT_WARM_H

#include "base/session.h"
#include "formats/model.h"

/* Compiles what the pieces of a model need, and enqueues a run of it, which drivers wait for before they compile the
 * last step. A piece may have normals only and the next one uniform weights too: asked for all at once, one kernel
 * serves both. `matrices`: also what tensors that are made of matrices need, once for each dtype; waits for those. */
fanin_status warm_model(const session *s, const model *m, bool matrices);

#endif
