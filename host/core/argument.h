/* What all public functions check of their arguments: that pointers are not NULL, and that structs which grow are of a
 * size that this library knows. include/fanin/base.h describes the latter. */
#ifndef HOST_CORE_ARGUMENT_H
#define HOST_CORE_ARGUMENT_H

#include "core/status.h"

/* Refuses NULLs, each in a sentence that names the argument: FANIN__NEED(f, t, out). */
#define FANIN__NEED(...)                                                                                               \
  FANIN__TRY(fanin__need(#__VA_ARGS__, sizeof((const void *const[]){__VA_ARGS__}) / sizeof(void *),                    \
                         (const void *const[]){__VA_ARGS__}))

/* The same for an array of n elements, which may be NULL when n is 0. */
#define FANIN__NEED_ARRAY(argument, n)                                                                                 \
  FANIN__TRY((n) > 0 ? fanin__need(#argument, 1, (const void *const[]){argument}) : FANIN_STATUS_OK)

/* Refuses NULL, and a size or stride of 0, for n structs that results go to; both may be 0 when n is 0. */
#define FANIN__NEED_RESULTS(argument, n, size)                                                                         \
  do {                                                                                                                 \
    FANIN__NEED_ARRAY(argument, n);                                                                                    \
    if ((n) > 0 && (size) == 0) return fanin__fail_size(#size);                                                        \
  } while (0)

/* Refuses a size or stride of 0. */
#define FANIN__NEED_SIZE(size) FANIN__TRY((size) > 0 ? FANIN_STATUS_OK : fanin__fail_size(#size))

/* Refuses reserved words that are not 0. */
#define FANIN__NEED_RESERVED(owner, words)                                                                             \
  FANIN__TRY(fanin__check_reserved((owner), (words), sizeof(words) / sizeof *(words)))

/* Refuses the first NULL of n `arguments`, whose names are a list "f, t, out". */
fanin_status fanin__need(const char *names, size_t n, const void *const *arguments);

/* "f is NULL; pass the handle that fanin_open() or fanin_create() returned": what to pass follows from the name. Names
 * of fields, such as config->widths, are taken too. */
fanin_status fanin__fail_null(const char *argument);
fanin_status fanin__fail_size(const char *argument);
fanin_status fanin__check_reserved(const char *owner, const uint64_t *words, size_t n);

/* Copies a caller's struct of `size` bytes into this library's of `known` bytes: fields that the caller's does not have
 * are 0, and fields that this library does not know must be 0. */
fanin_status fanin__take(const char *argument, const void *theirs, size_t size, void *ours, size_t known);

/* The same of a configuration, which begins with its size. `macro` makes one. */
fanin_status fanin__take_config(const char *argument, const char *macro, const void *theirs, void *ours, size_t known);

/* Writes a result of `known` bytes to a caller's struct of `size` bytes: as much as both have. Refuses NULL and a size
 * of 0. */
fanin_status fanin__give(void *out, size_t size, const void *result, size_t known);

/* Element k of an array of the caller's, whose elements are `stride` bytes apart. */
void fanin__give_at(void *list, size_t stride, size_t k, const void *result, size_t known);

/* Writes a text of `length` characters to a caller's, cut to what fits. `text` may be NULL where capacity is 0,
 * `out_length` always. */
fanin_status fanin__give_text(const char *result, size_t length, char *text, size_t capacity, size_t *out_length);

#endif
