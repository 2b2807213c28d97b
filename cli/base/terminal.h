/* What the terminal behind a stream is, if there is one; text that fits it, and a line that says what goes on. */
#ifndef CLI_BASE_TERMINAL_H
#define CLI_BASE_TERMINAL_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Columns of the terminal; 0 where the stream is none (a file, a pipe). 80 where it does not say. */
size_t terminal_columns(FILE *stream);

/* How wide text is to be: the terminal's columns, elsewhere $COLUMNS if that is a number; 0: as wide as it likes. */
size_t terminal_width(FILE *stream);

/* Prints a line, broken at blanks where it is wider than that. Lines after the first begin with `indent` blanks more
 * than the text itself does. */
void terminal_line(FILE *stream, size_t indent, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* ---- Progress: one line on stderr, and nothing where stderr is no terminal --------------------------------------- */

/* Replaces the line; cut to the terminal's width. */
void progress_show(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Removes the line. To be called before anything else is printed. */
void progress_clear(void);

/* Milliseconds of a clock that only runs forward. */
uint64_t progress_clock(void);

#endif
