/* Files that stand where another file should be: what a failed download or checkout leaves. */
#ifndef CLI_BASE_STAND_IN_H
#define CLI_BASE_STAND_IN_H

#include <stddef.h>

/* The first bytes of a file that stand_in_of() looks at. */
enum { STAND_IN_BYTES = 512 };

/* What a file that is not what it should be, and begins with these bytes, is instead, and what to do, to stand behind
 * "PATH: ": a pointer of Git LFS, a page of HTML or XML, a zip archive. NULL: none of them. */
const char *stand_in_of(const char *bytes, size_t size);

#endif
