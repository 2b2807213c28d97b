/* Numbers as people read them. Each function writes into the caller's buffer and returns it. */
#ifndef CLI_BASE_TEXT_H
#define CLI_BASE_TEXT_H

#include <stdarg.h>
#include <stdint.h>

#include "fanin.h"

enum { TEXT_NUMBER = 32, TEXT_SHAPE = 192 };

/* "25,557,032" */
char *text_count(uint64_t count, char out[TEXT_NUMBER]);
/* For qsort() of texts. */
int text_compare(const void *left, const void *right);
/* "s" behind the name of what is counted, but for 1: "%zu tensor%s" */
const char *text_plural(uint64_t count);
/* "497.8 MB": decimal units, as files are measured in */
char *text_bytes(uint64_t bytes, char out[TEXT_NUMBER]);
/* "7.6 GiB": binary units, as memory is measured in */
char *text_memory(uint64_t bytes, char out[TEXT_NUMBER]);
/* "5 s", "2 min 5 s", "3 h 20 min" */
char *text_duration(uint64_t seconds, char out[TEXT_NUMBER]);
/* "64x3x7x7", "scalar"; cut with "..." where it is too long */
char *text_shape(const uint64_t *shape, int rank, char out[TEXT_SHAPE]);
/* 5 significant digits, "-" where the number is NaN */
char *text_real(double value, char out[TEXT_NUMBER]);
/* "+1.23", a number of standard errors; "-" where it is NaN */
char *text_z(double z, char out[TEXT_NUMBER]);
/* Writes numbers of more than seven characters with five significant digits, in place: "normal:std=0.0040825" of
 * "normal:std=0.0040824829046386298". */
char *text_short(char *text);
/* Replaces control characters by '?', in place, except for `kept`. Names come from files and must not steer the
 * terminal. */
char *text_plain(char *text, char kept);

/* At most 1023 bytes of what printf() makes, without control characters; the caller frees it. */
char *text_format(const char *format, va_list arguments) __attribute__((format(printf, 1, 0)));

/* For a sentence about a name that is not among those of a list: "; known are list, init", or ", did you mean init?
 * Known are list, init" where one is near, of whichever text `are` is. */
enum { TEXT_KNOWN = 384 };
char *text_known(const char *name, const char *const *names, size_t n, const char *are, char out[TEXT_KNOWN]);

/* Columns that UTF-8 text takes on a terminal, one for each code point: of all of it, or of its first bytes. */
size_t text_width(const char *text);
size_t text_columns(const char *text, size_t length);

#endif
