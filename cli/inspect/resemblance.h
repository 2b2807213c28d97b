/* Which well-known rule a tensor's std resembles, from its name and shape alone. */
#ifndef CLI_INSPECT_RESEMBLANCE_H
#define CLI_INSPECT_RESEMBLANCE_H

#include "formats/tensor_file.h"

/* A text such as "he, fan_in 784" (the caller's to free), or NULL: rules whose std lies within 4 standard errors, up to
 * two of them. The shape is read as PyTorch's (out, in, taps); a matrix also as Keras's (in, out). */
char *resemblance_of(const tensor_file *f, const stored_tensor *t, double std, double standard_error);

#endif
