/* Class labels among the features: the mistake that a table of data invites. */
#ifndef CLI_PROBE_LABEL_H
#define CLI_PROBE_LABEL_H

#include "formats/matrix.h"

/* Fails if the first or the last of the first `columns` columns looks like a class label: the only column of the file
 * with whole numbers 0 .. K-1 or 1 .. K that are about equally frequent. The sentence says what to do. */
int label_refuse(const char *path, const matrix *m, size_t columns, failure *why);

#endif
