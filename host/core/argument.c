/* What all public functions check of their arguments, and how they write results into structs that grow. */
#include "core/argument.h"

#include <stdio.h>
#include <string.h>

#include "core/names.h"

/* What to pass, by the argument's name or by a list of them. */
static const struct {
  const char *arguments, *pass;
} expected[] = {
    {"f", "the handle that fanin_open() or fanin_create() returned"},
    {"plan", "the handle that fanin_plan_create() returned"},
    {"report", "the handle that fanin_probe() returned"},
    {"t", "a tensor, such as fanin_tensor_of() makes"},
    {"init", "an initializer, such as fanin_he_normal() or fanin_init_parse() makes"},
    {"config", "a configuration that begins with its FANIN_..._INIT macro"},
    {"options", "options that begin with FANIN_CALIBRATE_OPTIONS_INIT"},
    {"context", "an OpenCL context"},
    {"device", "an OpenCL device of the context"},
    {"queue", "an OpenCL command queue"},
    {"name", "the tensor's name"},
    {"text", "a text"},
    {"activation, config->activation", "an activation's name, such as \"relu\""},
    {"config->widths", "the widths of the layers"},
    {"shape, start, extent, strides", "rank numbers"},
    {"items", "an array of n items"},
    {"shards", "an array of n shards"},
    {"wait_list", "n_wait events"},
    {"host", "memory for `bytes` bytes"},
    {"data", "the bytes that fanin_export() wrote"},
    {"law", "the law that fanin_law_of() wrote"},
    {"lags", "four numbers"},
    {"pairs", "an array of n pairs"},
    {"samples", "a buffer of samples"},
    {"svm", "memory that clSVMAlloc() returned"},
    {"fields", "the fields of a DLTensor"},
    {"suggestion", "a suggestion that fanin_suggest() wrote"},
    {"list", "an array of `capacity` elements, or a capacity of 0"},
    {"indices", "an array of `capacity` numbers, or a capacity of 0"},
};

fanin_status fanin__need(const char *names, size_t n, const void *const *arguments) {
  size_t missing = 0;
  while (missing < n && arguments[missing])
    missing++;
  if (missing == n) return FANIN_STATUS_OK;
  char argument[32];
  fanin__span name = {"", 0};
  for (size_t k = 0; k <= missing; k++) {
    (void)fanin__next_name(&names, &name);
  }
  snprintf(argument, sizeof argument, "%.*s", FANIN__SHOWN(name));
  return fanin__fail_null(argument);
}

fanin_status fanin__fail_null(const char *argument) {
  const char *pass = "a pointer to where the result goes";
  for (size_t k = 0; k < sizeof expected / sizeof *expected; k++) {
    fanin__span name;
    for (const char *list = expected[k].arguments; fanin__next_name(&list, &name);) {
      if (fanin__same_name(fanin__span_of(argument), name)) pass = expected[k].pass;
    }
  }
  return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "%s is NULL; pass %s", argument, pass);
}

fanin_status fanin__fail_size(const char *argument) {
  return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "%s is 0; pass the sizeof of the struct that the result goes to",
                     argument);
}

/* That the first is 0, and each of the others what is before it. */
static bool all_zero(const void *bytes, size_t size) {
  const unsigned char *const at = bytes;
  return size == 0 || (at[0] == 0 && memcmp(at, at + 1, size - 1) == 0);
}

fanin_status fanin__check_reserved(const char *owner, const uint64_t *words, size_t n) {
  if (all_zero(words, n * sizeof *words)) return FANIN_STATUS_OK;
  return fanin__fail(FANIN_STATUS_BAD_ARGUMENT,
                     "%s: reserved words are not 0; they were set by a newer header than that of fanin %s, or never "
                     "initialized",
                     owner, fanin_version());
}

fanin_status fanin__take(const char *argument, const void *theirs, size_t size, void *ours, size_t known) {
  memset(ours, 0, known);
  memcpy(ours, theirs, size < known ? size : known);
  if (size <= known || all_zero((const unsigned char *)theirs + known, size - known)) return FANIN_STATUS_OK;
  return fanin__fail(FANIN_STATUS_BAD_ARGUMENT,
                     "%s has %zu bytes, of which fanin %s knows %zu, and others are not 0: they were set by a newer "
                     "header",
                     argument, size, fanin_version(), known);
}

fanin_status fanin__take_config(const char *argument, const char *macro, const void *theirs, void *ours, size_t known) {
  if (!theirs) return fanin__fail_null(argument);
  size_t size = 0;
  memcpy(&size, theirs, sizeof size);
  if (size < sizeof size) {
    return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "%s->size is %zu; begin with %s, which sets it", argument, size,
                       macro);
  }
  return fanin__take(argument, theirs, size, ours, known);
}

fanin_status fanin__give(void *out, size_t size, const void *result, size_t known) {
  FANIN__NEED_RESULTS(out, 1, size);
  memcpy(out, result, size < known ? size : known);
  return FANIN_STATUS_OK;
}

void fanin__give_at(void *list, size_t stride, size_t k, const void *result, size_t known) {
  (void)fanin__give((unsigned char *)list + k * stride, stride, result, known);
}

fanin_status fanin__give_text(const char *result, size_t length, char *text, size_t capacity, size_t *out_length) {
  if (out_length) *out_length = length;
  if (capacity == 0) return FANIN_STATUS_OK;
  const size_t kept = length < capacity ? length : capacity - 1;
  memcpy(text, result, kept);
  text[kept] = '\0';
  if (kept == length) return FANIN_STATUS_OK;
  return fanin__fail(FANIN_STATUS_BAD_SIZE, "capacity = %zu; the text takes %zu bytes", capacity, length + 1);
}
