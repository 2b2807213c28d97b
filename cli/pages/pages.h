/* The manual page and the shells' completions, each written to a stream from the table of commands. */
#ifndef CLI_PAGES_PAGES_H
#define CLI_PAGES_PAGES_H

#include <stdbool.h>
#include <stdio.h>

#include "base/commands.h"

void write_man(FILE *to);
void write_bash(FILE *to);
void write_fish(FILE *to);
void write_zsh(FILE *to);

/* The values that an argument may have. */
typedef struct values {
  char words[1024];     /* with blanks between them, "" for none */
  bool initializers;    /* an initializer, with parameters */
  bool files;           /* names of files, ... */
  char extensions[128]; /* ... which end in one of these, with blanks between them; "" for any */
} values;

/* The values of an option's argument, or of a command's arguments (args_doc), from the name that the help gives to it.
 * `doc` is the help's text, which names extensions as words that begin with a dot. */
values values_of(const char *argument, const char *doc);

/* The names of the initializers, with blanks between them. */
void initializer_names(char *out, size_t size);

/* The words that an initializer's parameter accepts; "" if it is a number. */
void parameter_words(const char *initializer, const char *parameter, char *out, size_t size);

#endif
