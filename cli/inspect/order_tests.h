/* Tests of a tensor's values in their order: sums of rows and columns, correlation of elements some way apart. */
#ifndef CLI_INSPECT_ORDER_TESTS_H
#define CLI_INSPECT_ORDER_TESTS_H

#include "inspect/inspection.h"

/* Whatever the law: the values' own mean and variance are the measure. */
void test_order(const survey *s, inspected *t);

#endif
