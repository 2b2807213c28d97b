/* Completion for fish. */
#include <string.h>

#include "pages.h"

/* In single quotes, within which fish knows \' and \\. */
static void put_quoted(FILE *to, const char *text, size_t length) {
  putc('\'', to);
  for (size_t i = 0; i < length; ++i) {
    if (text[i] == '\'' || text[i] == '\\') putc('\\', to);
    putc(text[i], to);
  }
  putc('\'', to);
}

/* -r: an argument follows; -f: no files; -a: these words. */
static void put_values(FILE *to, const values *v) {
  char names[1024] = "";
  if (v->initializers) initializer_names(names, sizeof names);
  if (v->files) {
    fputs(" -rka \"(", to);
    for (const char *at = v->extensions; *at; at += strspn(at, " ")) {
      const size_t length = strcspn(at, " ");
      fprintf(to, "%s__fish_complete_suffix .%.*s", at == v->extensions ? "" : "; ", (int)length, at);
      at += length;
    }
    if (!v->extensions[0]) fputs("__fish_complete_path", to);
    if (v->words[0]) fprintf(to, "; string split ' ' '%s'", v->words);
    fputs(")\"", to);
  } else {
    fprintf(to, " -xa '%s%s'", v->words, names);
  }
}

static void put_command(FILE *to, const syntax *c) {
  const values positional = values_of(c->arguments, c->doc);
  fprintf(to, "\ncomplete -c fanin -n __fish_use_subcommand -a %s -d ", c->command);
  put_quoted(to, c->summary, strlen(c->summary));
  putc('\n', to);
  for (const args_option *o = c->options; !args_is_last(o); ++o) {
    if (!args_is_shown(o)) continue;
    fprintf(to, "complete -c fanin -n '__fish_seen_subcommand_from %s' -l %s", c->command, o->name);
    if (o->letter) fprintf(to, " -s %c", o->letter);
    if (o->arg) {
      const values v = values_of(o->arg, o->doc);
      put_values(to, &v);
    }
    fputs(" -d ", to);
    put_quoted(to, o->doc, strlen(o->doc));
    putc('\n', to);
  }
  fprintf(to, "complete -c fanin -n '__fish_seen_subcommand_from %s' -s h -l help -d 'Show this help'\n", c->command);
  if (positional.files) {
    fprintf(to, "complete -c fanin -n '__fish_seen_subcommand_from %s'", c->command);
    put_values(to, &positional);
    putc('\n', to);
  }
}

void write_fish(FILE *to) {
  fputs("# fish completion for fanin, written by fanin_pages from the tables that --help prints.\n"
        "complete -c fanin -f\n"
        "complete -c fanin -n __fish_use_subcommand -l version -d 'Print the version'\n",
        to);
  for (const syntax *const *c = commands; *c; ++c)
    put_command(to, *c);
}
