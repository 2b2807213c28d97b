/* Files that stand where another file should be: what a failed download or checkout leaves. */
#include "base/stand_in.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static const struct {
  const char *begin; /* in any case, behind white space */
  const char *what;
} known[] = {
    {"version https://git-lfs.github.com/spec/", "is a Git LFS pointer, not the file itself: run git lfs pull"},
    {"PK\3\4",
     "is a zip archive, as torch.save() and numpy.savez() write: save its tensors with safetensors.torch.save_file()"},
    {"<", "is an HTML or XML page, probably a login or error page that was downloaded in place of the file"},
};

const char *stand_in_of(const char *bytes, size_t size) {
  if (size >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0) { /* a byte order mark */
    bytes += 3;
    size -= 3;
  }
  for (; size > 0 && isspace((unsigned char)*bytes); --size)
    ++bytes;
  for (size_t i = 0; i < sizeof known / sizeof *known; ++i) {
    const size_t length = strlen(known[i].begin);
    if (size >= length && strncasecmp(bytes, known[i].begin, length) == 0) return known[i].what;
  }
  return NULL;
}
