/* The npy format of NumPy: a short header, one array. */
#ifndef CLI_FORMATS_NPY_H
#define CLI_FORMATS_NPY_H

#include <stddef.h>

#include "formats/tensor_file.h"

/* Makes the bytes before the data, in format version 1.0. The caller frees *bytes. Dtypes that npy files lack, such as
 * bf16, are refused. */
int npy_header(const fanin_tensor *t, char **bytes, size_t *size, failure *why);

/* Reads and validates the header of an open file: versions 1 to 3, one tensor without a name. */
int npy_read(tensor_file *f, failure *why);

#endif
