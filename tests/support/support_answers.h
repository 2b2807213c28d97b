/* Replaces answers of clGetDeviceInfo(), clGetPlatformIDs() and clCreateBuffer(), so that tests see devices that nobody
 * has here: those that fanin refuses, GPUs, several of them, and those that have little memory. */
#ifndef FANIN_TESTS_SUPPORT_ANSWERS_H
#define FANIN_TESTS_SUPPORT_ANSWERS_H

#include "support/support.h"

/* From now on, `what` has this value on `device`, NULL: on every device. The first replacement that fits counts; there
 * is room for 16. */
void test_replace_number(cl_device_id device, cl_device_info what, size_t size, cl_ulong number);
void test_replace_text(cl_device_info what, const char *text); /* kept by reference */

/* From now on, the query or clGetPlatformIDs() fails with `code`. */
void test_replace_code(cl_device_info what, cl_int code);
void test_fail_platforms(cl_int code);

/* From now on, clCreateBuffer() of more bytes fails with CL_MEM_OBJECT_ALLOCATION_FAILURE. */
void test_limit_buffers(size_t bytes);

/* test_open(), where `gpu` 1 of a device that says it is a GPU: with the geometry that fanin has for those. Then
 * test_close() and test_forget_answers(). */
fanin *test_open_as(int gpu);

/* The devices answer for themselves again. */
void test_forget_answers(void);

/* A test's teardown: the same, and FANIN_DEVICE and FANIN_LANES are unset. */
int test_restore_answers(void **state);

/* Hides all platforms but PoCL, asks that for two devices and describes them. They are called "basic" and "pthread", as
 * PoCL's drivers were first called: what PoCL calls them depends on its release and on the processor. Before the
 * process's first OpenCL call. 0 on success, as a group's setup wants it. Where PoCL is not installed, the test is
 * skipped: the process ends with status 77. */
int test_two_devices(fanin_device_info devices[2]);

#endif
