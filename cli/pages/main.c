/* fanin_pages KIND: prints the manual page or a shell's completion of fanin, at build time. */
#include <string.h>

#include "pages.h"

int main(int argc, char **argv) {
  static const struct {
    const char *name;
    void (*write)(FILE *);
  } kinds[] = {{"man", write_man}, {"bash", write_bash}, {"fish", write_fish}, {"zsh", write_zsh}};
  for (size_t i = 0; argc == 2 && i < sizeof kinds / sizeof *kinds; ++i) {
    if (strcmp(argv[1], kinds[i].name) != 0) continue;
    kinds[i].write(stdout);
    return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
  }
  fputs("usage: fanin_pages man|bash|fish|zsh\n", stderr);
  return 2;
}
