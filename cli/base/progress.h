/* One line on stderr that says what goes on; nothing at all where stderr is no terminal. */
#ifndef CLI_BASE_PROGRESS_H
#define CLI_BASE_PROGRESS_H

#include <stdint.h>

/* Replaces the line; cut to the terminal's width. */
void progress_show(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Removes the line. To be called before anything else is printed. */
void progress_clear(void);

/* Milliseconds of a clock that only runs forward. */
uint64_t progress_clock(void);

#endif
