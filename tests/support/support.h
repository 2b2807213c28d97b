/* What the tests share: a device, buffers between guard words, random numbers that do not come from fanin. */
#ifndef FANIN_TESTS_SUPPORT_H
#define FANIN_TESTS_SUPPORT_H

#include <setjmp.h> /* cmocka.h wants these four before it */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fanin.h"
#include "fanin/foreign.h"
#include "fanin/inspect.h"
#include "fanin/probe.h"
#include "fanin/scheme.h"
#include "fanin/selftest.h"
#include "fanin/theory.h"

/* How many networks or files a statistical test draws: `full`, or `some` under sanitizers, since the first ones show
 * what those look for. */
#ifdef __SANITIZE_ADDRESS__
#define TEST_DRAWS(full, some) (some)
#else
#define TEST_DRAWS(full, some) (full)
#endif

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

/* What fanin_context(), fanin_device(), fanin_queue() and fanin_key_named() hand out. */
cl_context test_context(const fanin *f);
cl_device_id test_device(const fanin *f);
cl_command_queue test_queue(fanin *f);
fanin_key test_key(uint64_t seed, const char *name);

/* A tensor by fanin_tensor_of() and so on, or where that refuses it, the same set by hand: fanin_tensor_size() must
 * then refuse it alike. */
fanin_tensor test_tensor_of(cl_mem buffer, size_t offset, fanin_dtype dtype, const char *layout, int rank,
                            const uint64_t *shape);
fanin_tensor test_tensor_slab(fanin_tensor t, const uint64_t *start, const uint64_t *extent);
fanin_tensor test_tensor_range(fanin_tensor t, uint64_t first, uint64_t count);
fanin_tensor test_tensor_strided(fanin_tensor t, const uint64_t *strides);

/* fanin_init_format() of an initializer that it must take; returns the text's length. */
size_t test_init_format(const fanin_init *init, char *text, size_t capacity);

/* fanin_law_probability() of a law that has it. */
double test_law_probability(const fanin_law *law, double x, int upper);

/* fanin_plan_describe(). */
fanin_plan_facts test_plan_facts(const fanin_plan *plan);

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
