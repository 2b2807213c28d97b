/* The tests of one tensor. */
#ifndef CLI_INSPECT_TENSOR_TESTS_H
#define CLI_INSPECT_TENSOR_TESTS_H

#include "inspect/inspection.h"

/* Against t->law, except for std and mean. The most frequent value takes another pass over the file's elements. */
int test_values(const measurer *m, const tensor_file *f, survey *s, inspected *t, failure *why);

/* Whatever the law: the values' own mean and variance are the measure. */
void test_order(const survey *s, inspected *t);

#endif
