/* Model files: JSON that describes a network's tensors, with repetition. docs/model-files.md is the specification. */
#ifndef CLI_FORMATS_MODEL_FILE_H
#define CLI_FORMATS_MODEL_FILE_H

#include "formats/model.h"

/* Reads and checks a file. On failure the model is empty, and the sentence names the place in the file, as in
 * "tensors[3].shape". */
int model_load(const char *path, model *out, failure *why);

#endif
