/* A thousand safetensors files, most of them broken in one or two ways, through the reader: it takes and refuses what
 * the format's reference implementation does. Its verdicts are in tests/data/safetensors_verdicts.txt, from
 * tests/data/make_safetensors_verdicts.py, which has this program write the files ($FANIN_VARIANTS: a directory for
 * them). */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "formats/tensor_file.h"
#include "variants.h"

#include "support/support.h" /* last: cmocka has a macro fail() */

enum { VARIANTS = 1000 };

static void write_file(const variant *v, const char *path) {
  unlink(path); /* a new file: some file systems write a truncated one to the disk at once */
  const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  assert_true(fd >= 0);
  assert_int_equal(write(fd, v->bytes, v->size), v->size);
  close(fd);
}

/* ---- Tests ------------------------------------------------------------------------------------------------------- */

static char place[64]; /* of the file */

static bool is_accepted(const char *path, size_t number) {
  tensor_file f;
  failure why = {.text = ""};
  const int status = tensor_file_open(path, &f, &why);
  if (status == STATUS_OK) {
    tensor_file_close(&f);
    return true;
  }
  assert_int_equal(status, STATUS_INPUT);
  if (strncmp(why.text, path, strlen(path)) != 0) fail_msg("variant %zu: %s", number, why.text);
  return false;
}

/* But for those that the file marks with '!': there fanin is stricter on purpose (docs/decisions/command.md). */
static void verdicts_are_the_references(void **state) {
  (void)state;
  char line[VARIANTS + 64], path[512];
  snprintf(path, sizeof path, "%s/tests/data/safetensors_verdicts.txt", getenv("SRC"));
  FILE *const file = fopen(path, "re");
  assert_non_null(file);
  assert_non_null(fgets(line, sizeof line, file)); /* what the file is */
  assert_non_null(fgets(line, sizeof line, file));
  fclose(file);
  assert_int_equal(strspn(line, "+-!"), VARIANTS);
  size_t accepted = 0, wrong = 0;
  variant *const v = malloc(sizeof *v);
  assert_non_null(v);
  for (size_t k = 0; k < VARIANTS; k++) {
    make_variant(v, k);
    write_file(v, place);
    const bool good = is_accepted(place, k);
    accepted += good;
    if (good == (line[k] == '+')) continue;
    print_error("variant %zu is %s: %.*s\n", k, good ? "accepted" : "refused",
                (int)(v->size > 400 ? 400 : v->size) - PREFIX, (const char *)v->bytes + PREFIX);
    wrong++;
  }
  free(v);
  assert_int_equal(wrong, 0);
  assert_true(accepted > VARIANTS / 8 && accepted < VARIANTS / 2);
}

/* Every beginning of a good file is refused, and so is the file with a byte more. */
static void no_part_is_accepted(void **state) {
  (void)state;
  variant *const v = malloc(sizeof *v);
  assert_non_null(v);
  make_variant(v, 0);
  const size_t whole = v->size;
  for (v->size = 0; v->size <= whole + 1; v->size++) {
    write_file(v, place);
    if (is_accepted(place, v->size) != (v->size == whole)) fail_msg("%zu of %zu bytes", v->size, whole);
  }
  free(v);
}

/* For the reference: the files, of which each verdict is one. */
static void write_variants(void **state) {
  (void)state;
  variant *const v = malloc(sizeof *v);
  assert_non_null(v);
  for (size_t k = 0; k < VARIANTS; k++) {
    char path[512];
    make_variant(v, k);
    snprintf(path, sizeof path, "%s/%04zu.safetensors", getenv("FANIN_VARIANTS"), k);
    write_file(v, path);
  }
  free(v);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(verdicts_are_the_references),
                                     cmocka_unit_test(no_part_is_accepted)};
  const struct CMUnitTest writing[] = {cmocka_unit_test(write_variants)};
  if (getenv("FANIN_VARIANTS")) return cmocka_run_group_tests(writing, NULL, NULL);
  snprintf(place, sizeof place, "/tmp/fanin-test-%ld.safetensors", (long)getpid());
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  unlink(place);
  return failed;
}
