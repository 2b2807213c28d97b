/* The safetensors format: 8 bytes of header length, a JSON header, the tensors' bytes. This
 * module handles headers only; whoever has the data streams it. */
#ifndef CLI_FORMATS_SAFETENSORS_H
#define CLI_FORMATS_SAFETENSORS_H

#include "formats/model.h"

/* Makes the bytes before the data. Tensors follow one another in the model's order, and the data begins at a multiple
 * of
 * 8. The metadata says what wrote the file: fanin.version, fanin.stream_version, fanin.seed, fanin.model, and
 * fanin.init.<name> and fanin.layout.<name> for each tensor. A calibrated tensor has fanin.calibrated.<name> instead of
 * init, and fanin.factor.<name>; one with parts has fanin.parts.<name>. A copied one has fanin.kept.<name>, and one
 * that grows fanin.resized.<name> too. The same model and seed give the same bytes. The caller frees *bytes. */
int safetensors_header(const model *m, uint64_t seed, char **bytes, size_t *size, failure *why);

#endif
