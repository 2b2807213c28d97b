/* Doubles as text, with a point whatever the locale says. */
#ifndef HOST_MATH_NUMBER_H
#define HOST_MATH_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

#define FANIN__NUMBER_SIZE 32

/* Decimal or hexadecimal, "inf" and "-inf" too; all of text[0 .. length) or nothing. No NaN, no overflow. */
bool fanin__number_parse(const char *text, size_t length, double *out);

/* The fewest of 15 to 17 digits that parse back to the same bits. */
void fanin__number_format(double value, char text[FANIN__NUMBER_SIZE]);

#endif
