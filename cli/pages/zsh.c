/* Completion for zsh, by _arguments. */
#include <string.h>

#include "pages.h"

/* Within single quotes and a spec of _arguments, whose own characters are escaped. */
static void put_spec_text(FILE *to, const char *text) {
  for (; *text; ++text) {
    if (*text == '\'')
      fputs("'\\''", to);
    else if (strchr("[]:\\", *text))
      fprintf(to, "\\%c", *text);
    else
      putc(*text, to);
  }
}

static void put_files(FILE *to, const char *extensions, const char *quote) {
  const bool one = !strchr(extensions, ' '); /* in parentheses it would be a glob qualifier */
  fputs("_files", to);
  if (!extensions[0]) return;
  fprintf(to, " -g %s*.%s", quote, one ? "" : "(");
  for (const char *c = extensions; *c; ++c)
    putc(*c == ' ' ? '|' : *c, to);
  fprintf(to, "%s%s", one ? "" : ")", quote);
}

/* ":INIT:action" */
static void put_argument(FILE *to, const char *name, const values *v) {
  putc(':', to);
  put_spec_text(to, name);
  putc(':', to);
  if (v->initializers) {
    fputs("_fanin_initializers", to);
  } else if (v->files && v->words[0]) {
    fprintf(to, "{_alternative \"words\\:word\\:(%s)\" \"files\\:file\\:", v->words);
    put_files(to, v->extensions, "\\\"");
    fputs("\"}", to);
  } else if (v->files) {
    put_files(to, v->extensions, "\"");
  } else if (v->words[0]) {
    fprintf(to, "(%s)", v->words);
  }
}

static void put_option(FILE *to, const args_option *o) {
  const bool repeats = strcmp(o->name, "init") == 0 || strcmp(o->name, "tensor") == 0 || strcmp(o->name, "set") == 0;
  fprintf(to, " \\\n        %s", repeats ? "\\*" : "");
  if (o->letter)
    fprintf(to, "'(-%c --%s)'{-%c%s,--%s%s}'[", o->letter, o->name, o->letter, o->arg ? "+" : "", o->name,
            o->arg ? "=" : "");
  else
    fprintf(to, "'--%s%s[", o->name, o->arg ? "=" : "");
  put_spec_text(to, o->doc);
  putc(']', to);
  if (o->arg) {
    const values v = values_of(o->arg, o->doc);
    put_argument(to, o->arg, &v);
  }
  putc('\'', to);
}

static void put_command(FILE *to, const syntax *c) {
  const values positional = values_of(c->arguments, c->doc);
  fprintf(to, "    %s)\n      _arguments '(- *)'{-h,--help}'[Show this help]'", c->command);
  for (const args_option *o = c->options; !args_is_last(o); ++o) {
    if (args_is_shown(o)) put_option(to, o);
  }
  if (positional.files) {
    fputs(" \\\n        '1", to);
    put_argument(to, "file", &positional);
    putc('\'', to);
  }
  fputs("\n      ;;\n", to);
}

void write_zsh(FILE *to) {
  char names[1024];
  initializer_names(names, sizeof names);
  fprintf(to,
          "#compdef fanin\n"
          "# zsh completion for fanin, written by fanin_pages from the tables that --help prints.\n\n"
          "_fanin_initializers() {\n  compadd -S '' -- %s\n}\n\n",
          names);
  fputs("_fanin() {\n"
        "  local context state state_descr line\n"
        "  typeset -A opt_args\n"
        "  _arguments -C '(- *)--help[Show this help]' '(- *)--version[Print the version]' \\\n"
        "    '1:command:->command' '*::argument:->argument'\n"
        "  case $state in\n"
        "  command)\n"
        "    local -a commands=(",
        to);
  for (const syntax *const *c = commands; *c; ++c) {
    fprintf(to, "\n      '%s:", (*c)->command);
    put_spec_text(to, (*c)->summary);
    putc('\'', to);
  }
  fputs(")\n    _describe command commands\n    ;;\n  argument)\n    case $words[1] in\n", to);
  for (const syntax *const *c = commands; *c; ++c)
    put_command(to, *c);
  fputs("    esac\n    ;;\n  esac\n}\n\n_fanin \"$@\"\n", to);
}
