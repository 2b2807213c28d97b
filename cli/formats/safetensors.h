/* The safetensors format: 8 bytes of header length, a JSON header, the tensors' bytes. Headers only: data is streamed
 * by whoever has it. */
#ifndef CLI_FORMATS_SAFETENSORS_H
#define CLI_FORMATS_SAFETENSORS_H

#include <stddef.h>

#include "formats/model.h"
#include "formats/tensor_file.h"

/* The bytes before the data: tensors in the model's order, one behind the other, data at a multiple of 8. The metadata
 * says what wrote it: fanin.version, fanin.stream_version, fanin.seed, fanin.model, and a tensor's fanin.init.<name>
 * and fanin.layout.<name>; of calibrated ones fanin.calibrated.<name> instead of init, and fanin.factor.<name>. Same
 * model and seed, same bytes. *bytes is the caller's to free. */
int safetensors_header(const model *m, uint64_t seed, char **bytes, size_t *size, failure *why);

/* Reads and validates the header of an open file: what any writer may write and nothing else. */
int safetensors_read(tensor_file *f, failure *why);

#endif
