/* What the terminal behind a stream is, if there is one; text that fits it, and a line that says what goes on. */
#ifndef CLI_BASE_TERMINAL_H
#define CLI_BASE_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* How wide text may be: the columns of the terminal. Where there is no terminal, $COLUMNS if that is a number, else 0,
 * which sets no limit. */
size_t terminal_width(FILE *stream);

/* Prints text that begins at `column`, and breaks it at blanks where it would be wider than `width`. Lines after the
 * first begin with `indent` blanks. */
void terminal_break(FILE *stream, const char *text, size_t column, size_t indent, size_t width);

/* Prints a line and breaks it at blanks where it is wider than terminal_width(). Lines after the first begin with
 * `indent` blanks more than the text itself. */
void terminal_line(FILE *stream, size_t indent, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* ---- Progress: one line on stderr, and nothing where stderr is no terminal --------------------------------------- */

/* Replaces the line, which is cut to the width of the terminal. */
void progress_show(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Whether it is time for another line, a tenth of a second after *last, which becomes now. *last begins as 0. */
bool progress_is_due(uint64_t *last);

/* Removes the line. Call it before anything else is printed. */
void progress_clear(void);

/* Milliseconds of a clock that only runs forward. */
uint64_t progress_clock(void);

#endif
