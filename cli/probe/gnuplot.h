/* gnuplot as a separate process. */
#ifndef CLI_PROBE_GNUPLOT_H
#define CLI_PROBE_GNUPLOT_H

#include "base/failure.h"

/* Whether `path` ends in .svg or .png and gnuplot can be started; `option` begins the sentence. */
int gnuplot_check(const char *option, const char *path, failure *why);

/* Runs a script of `size` bytes, which must plot to standard output and set neither terminal nor output, on a page of
 * width x height pixels. The picture appears at `path` whole or not at all. */
int gnuplot_draw(const char *path, int width, int height, const char *script, size_t size, failure *why);

#endif
