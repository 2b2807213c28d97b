/* What the terminal behind a stream is, if there is one. */
#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include <stddef.h>
#include <stdio.h>

/* Columns of the terminal; 0 where the stream is none (a file, a pipe). 80 where it does not say. */
size_t terminal_columns(FILE *stream);

#endif
