/* A tensor on the command line: NAME:DTYPE:LAYOUT:SHAPE, as in "w:f32:OI:4096x1024". */
#ifndef CLI_FORMATS_TENSOR_TEXT_H
#define CLI_FORMATS_TENSOR_TEXT_H

#include "base/failure.h"

/* The name may hold colons: the last three divide. LAYOUT as in layout.h, or nothing. *name is the caller's to free. */
int tensor_text_parse(const char *text, char **name, fanin_tensor *tensor, failure *why);

#endif
