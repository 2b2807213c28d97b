/* Completion for bash, on top of bash-completion's _init_completion and _filedir. */
#include <string.h>

#include "pages.h"

/* Candidates are whole arguments. Readline completes what follows the last of its breaks (':' and '=' among them), so
 * that what comes before is taken off them again. */
static const char helpers[] =
    "_fanin_words() {\n"
    "  local breaks='' before=''\n"
    "  COMPREPLY=($(compgen -W \"$1\" -- \"$cur\"))\n"
    "  [[ $COMP_WORDBREAKS == *:* ]] && breaks+=':'\n"
    "  [[ $COMP_WORDBREAKS == *=* ]] && breaks+='='\n"
    "  [[ $breaks ]] && before=${cur%\"${cur##*[\"$breaks\"]}\"}\n"
    "  COMPREPLY=(\"${COMPREPLY[@]#\"$before\"}\")\n"
    "}\n"
    "\n"
    "# name:parameter=value,...\n"
    "_fanin_initializer() {\n"
    "  local before=${cur%\"${cur##*[:,=]}\"} name=${cur%%:*} parameter\n"
    "  compopt -o nospace\n"
    "  case $before in\n"
    "    '') _fanin_words \"$_fanin_initializers\" ;;\n"
    "    *=)\n"
    "      parameter=${before%=} parameter=${parameter##*[:,]}\n"
    "      _fanin_words \"$(printf \"$before%s \" $(_fanin_parameter_values \"$name:$parameter\"))\"\n"
    "      ;;\n"
    "    *) _fanin_words \"$(printf \"$before%s= \" $(_fanin_parameters \"$name\"))\" ;;\n"
    "  esac\n"
    "}\n\n";

/* The next name of a description's parameters, "a=0, mode=fan_in"; *at goes on behind it. False at the end. */
static bool next_parameter(const char **at, char *name, size_t size) {
  if (!**at) return false;
  snprintf(name, size, "%.*s", (int)strcspn(*at, "=,"), *at);
  *at += strcspn(*at, ",");
  *at += strspn(*at, ", ");
  return true;
}

static void put_initializers(FILE *to) {
  char words[1024], parameter[64];
  initializer_names(words, sizeof words);
  fprintf(to, "_fanin_initializers='%s'\n\n_fanin_parameters() {\n  case $1 in\n", words);
  for (int kind = 0; kind < FANIN_KIND_COUNT; ++kind) {
    fanin_description d;
    if (fanin_describe((fanin_kind)kind, &d, sizeof d) != FANIN_STATUS_OK || !d.parameters[0]) continue;
    fprintf(to, "    %s) echo", d.name);
    for (const char *at = d.parameters; next_parameter(&at, parameter, sizeof parameter);)
      fprintf(to, " %s", parameter);
    fputs(" ;;\n", to);
  }
  fputs("  esac\n}\n\n_fanin_parameter_values() {\n  case $1 in\n", to);
  for (int kind = 0; kind < FANIN_KIND_COUNT; ++kind) {
    fanin_description d;
    if (fanin_describe((fanin_kind)kind, &d, sizeof d) != FANIN_STATUS_OK) continue;
    for (const char *at = d.parameters; next_parameter(&at, parameter, sizeof parameter);) {
      parameter_words(d.name, parameter, words, sizeof words);
      if (words[0]) fprintf(to, "    %s:%s) echo %s ;;\n", d.name, parameter, words);
    }
  }
  fputs("  esac\n}\n\n", to);
}

/* The shell's words that complete an argument. */
static void put_values(FILE *to, const values *v) {
  if (v->initializers) {
    fputs("_fanin_initializer", to);
  } else if (v->files) {
    fputs("_filedir", to);
    if (v->extensions[0]) {
      fputs(" '@(", to);
      for (const char *c = v->extensions; *c; ++c)
        putc(*c == ' ' ? '|' : *c, to);
      fputs(")'", to);
    }
    if (v->words[0]) fprintf(to, "; COMPREPLY+=($(compgen -W '%s' -- \"$cur\"))", v->words);
  } else if (v->words[0]) {
    fprintf(to, "_fanin_words '%s'", v->words);
  } else {
    putc(':', to);
  }
}

static void put_command(FILE *to, const syntax *c) {
  fprintf(to, "    %s)\n      options='", c->command);
  for (const args_option *o = c->options; !args_is_last(o); ++o) {
    if (args_is_shown(o)) fprintf(to, "--%s ", o->name);
  }
  fputs("--help'\n      case $prev in\n", to);
  for (const args_option *o = c->options; !args_is_last(o); ++o) {
    if (!args_is_shown(o) || !o->arg) continue;
    const values v = values_of(o->arg, o->doc);
    fputs("        ", to);
    if (o->letter) fprintf(to, "-%c | ", o->letter);
    fprintf(to, "--%s) ", o->name);
    put_values(to, &v);
    fputs("; return ;;\n", to);
  }
  const values v = values_of(c->arguments, c->doc);
  fputs("      esac\n      [[ $cur == -* ]] || { ", to);
  put_values(to, &v);
  fputs("; return; }\n      ;;\n", to);
}

static void put_commands(FILE *to) {
  for (const syntax *const *c = commands; *c; ++c)
    fprintf(to, "%s ", (*c)->command);
}

void write_bash(FILE *to) {
  fputs("# bash completion for fanin, written by fanin_pages from the tables that --help prints.\n"
        "# shellcheck shell=bash disable=SC2034,SC2046,SC2059,SC2154,SC2207\n\n",
        to);
  put_initializers(to);
  fputs(helpers, to);
  fputs("_fanin() {\n"
        "  local cur prev words cword split options\n"
        "  _init_completion -s -n : || return\n"
        "  if ((cword == 1)); then\n    _fanin_words '",
        to);
  put_commands(to);
  fputs("help --help --version'\n    return\n  fi\n  case ${words[1]} in\n", to);
  for (const syntax *const *c = commands; *c; ++c)
    put_command(to, *c);
  fputs("    help) _fanin_words '", to);
  put_commands(to);
  fputs("'; return ;;\n    *) return ;;\n  esac\n"
        "  $split || _fanin_words \"$options\"\n"
        "}\n\ncomplete -F _fanin fanin\n",
        to);
}
