/* Tests of a tensor's values, whatever their order: moments, distribution, extremes, values that are too frequent. */
#ifndef CLI_INSPECT_VALUE_TESTS_H
#define CLI_INSPECT_VALUE_TESTS_H

#include "inspect/inspection.h"

/* Against t->law, except for std and mean. The most frequent value takes another pass over the file's elements. */
int test_values(const measurer *m, const tensor_file *f, survey *s, inspected *t, failure *why);

#endif
