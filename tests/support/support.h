/* What the tests share: a device, buffers between guard words, random numbers that do not come from fanin. */
#ifndef FANIN_TESTS_SUPPORT_H
#define FANIN_TESTS_SUPPORT_H

#include <setjmp.h> /* cmocka.h wants these four before it */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fanin.h"

/* Fails the calling test with the status's name and the last error's sentence. */
#define assert_ok(status)               test_assert_status((status), FANIN_STATUS_OK, #status, __FILE__, __LINE__)
#define assert_status(status, expected) test_assert_status((status), (expected), #status, __FILE__, __LINE__)
void test_assert_status(fanin_status status, fanin_status expected, const char *what, const char *file, int line);

/* Fails the calling test with "<what> of <of> is <value>, not <exact>". */
void test_assert_close_of(double value, double exact, double tolerance, const char *what, const char *of);
void test_assert_relative_of(double value, double exact, double tolerance, const char *what, const char *of);

/* fanin_open(NULL), which must succeed; fanin_release(). */
fanin *test_open(void);
void test_close(fanin *f);

/* A new queue that may run what it is given in any order; clReleaseCommandQueue(). */
cl_command_queue test_out_of_order(fanin *f);

/* test_open() and test_close() as a group's setup and teardown: *state is the fanin. */
int test_group_open(void **state);
int test_group_close(void **state);

/* A buffer of offset + bytes + TEST_GUARD_BYTES bytes, all of them guard bytes, whose payload begins at `offset`. */
#define TEST_GUARD_BYTES 256
cl_mem test_guarded(fanin *f, size_t offset, size_t bytes);

/* The whole content of a buffer, which free() releases. */
unsigned char *test_content(fanin *f, cl_mem buffer, size_t *size);

/* Asserts that nothing but offset .. offset + bytes of a guarded buffer was written. */
void test_assert_guarded(fanin *f, cl_mem buffer, size_t offset, size_t bytes);

/* The guard pattern at byte `at`: no period of an element's size, so that a shifted write shows too. */
unsigned char test_guard_byte(size_t at);

/* splitmix64: `state` may start at any value. */
uint64_t test_random(uint64_t *state);

/* Uniform on 0 .. n - 1, n > 0. */
uint64_t test_random_below(uint64_t *state, uint64_t n);

#endif
