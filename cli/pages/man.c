/* fanin(1) in mdoc(7). */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pages.h"

/* ---- Text -------------------------------------------------------------------------------------------------------- */

/* A word with what roff takes for its own made literal. Hyphens of options are to be copied, others are not. */
static void put_word(FILE *to, const char *word, size_t length, bool begins_line) {
  static const char *const literal[] = {
      ['\\'] = "\\e", ['\''] = "\\(aq", ['^'] = "\\(ha", ['~'] = "\\(ti", ['`'] = "\\(ga"};
  const bool option = word[0] == '-';
  if (begins_line && (word[0] == '.' || word[0] == '\'')) fputs("\\&", to);
  for (size_t i = 0; i < length; ++i) {
    const size_t c = (unsigned char)word[i];
    if (option && c == '-')
      fputs("\\-", to);
    else if (c < sizeof literal / sizeof *literal && literal[c])
      fputs(literal[c], to);
    else
      putc(word[i], to);
  }
}

static bool ends_sentence(const char *word, size_t length) {
  return length > 1 && word[length - 1] == '.' && !(length > 3 && strncmp(word + length - 3, "...", 3) == 0);
}

/* Filled text, a sentence a line at least. */
static void put_text(FILE *to, const char *text, size_t length) {
  const char *end = text + length;
  size_t column = 0;
  while (text < end) {
    text += strspn(text, " \n");
    size_t word = strcspn(text, " \n\v");
    if (text + word > end) word = (size_t)(end - text);
    if (word == 0) break;
    if (column > 0 && column + word > 70) {
      putc('\n', to);
      column = 0;
    }
    if (column > 0) putc(' ', to);
    put_word(to, text, word, column == 0);
    column += word + 1;
    if (ends_sentence(text, word)) {
      putc('\n', to);
      column = 0;
    }
    text += word;
  }
  if (column > 0) putc('\n', to);
}

/* Lines as they are, without the two blanks that --help indents them by. */
static void put_literal(FILE *to, const char *text, size_t length) {
  const char *end = text + length;
  fputs(".Bd -literal -offset indent\n", to);
  while (text < end) {
    const size_t line = strcspn(text, "\n");
    const size_t blanks = strspn(text, " ");
    for (size_t i = 2; i < blanks; ++i)
      putc(' ', to);
    const char *at = text + blanks;
    while (at < text + line) { /* word by word, for the hyphens of options */
      const size_t gap = strspn(at, " "), word = strcspn(at + gap, " \n");
      fprintf(to, "%*s", (int)gap, "");
      put_word(to, at + gap, word, blanks == 2 && at == text + blanks);
      at += gap + word;
    }
    putc('\n', to);
    text += line + 1;
  }
  fputs(".Ed\n", to);
}

/* What argp shows after the options: paragraphs, and "Examples:" with indented lines. */
static void put_after(FILE *to, const char *text) {
  while (*text) {
    const char *gap = strstr(text, "\n\n");
    const size_t length = gap ? (size_t)(gap - text) : strlen(text);
    const size_t title = strcspn(text, "\n");
    fputs(".Pp\n", to);
    if (title < length && text[title + 1] == ' ') {
      put_text(to, text, title);
      put_literal(to, text + title + 1, length - title - 1);
    } else {
      put_text(to, text, length);
    }
    text += length + strspn(text + length, "\n");
  }
}

/* ---- Commands ---------------------------------------------------------------------------------------------------- */

/* A command's name, and "MODEL.json -o OUT" with options marked as such. */
static void put_synopsis(FILE *to, const syntax *c) {
  const char *form = c->arguments ? c->arguments : "";
  do {
    const char *end = form + strcspn(form, "\n"), *before = ".";
    fprintf(to, ".Nm\n.Cm %s\n.Op Ar option ...\n", c->command);
    for (; form < end; form += form < end && *form == ' ') {
      const int option = form[0] == '-', word = (int)strcspn(form, " \n");
      fprintf(to, "%s%s %.*s", before, option ? "Fl" : "Ar", word - option, form + option);
      before = " ";
      form += word;
    }
    if (before[0] == ' ') putc('\n', to);
    form += *form == '\n';
  } while (*form);
}

static void put_option(FILE *to, const args_option *o) {
  fputs(".It", to);
  if (o->letter) {
    fprintf(to, " Fl %c", o->letter);
    if (o->arg) fprintf(to, " Ar %s", o->arg);
    fputs(" ,", to);
  }
  fprintf(to, " Fl -%s", o->name);
  if (o->arg) fprintf(to, " Ns = Ns Ar %s", o->arg);
  putc('\n', to);
  put_text(to, o->doc, strlen(o->doc));
}

static void put_options(FILE *to, const args_option *options) {
  bool in_list = false;
  for (const args_option *o = options; !args_is_last(o); ++o) {
    if (!o->name) { /* a title */
      if (in_list) fputs(".El\n", to);
      fputs(".Pp\n", to);
      put_text(to, o->doc, strlen(o->doc));
      in_list = false;
    }
    if (!args_is_shown(o)) continue;
    if (!in_list) fputs(".Bl -tag -width indent\n", to);
    in_list = true;
    put_option(to, o);
  }
  if (in_list) fputs(".El\n", to);
}

static void put_command(FILE *to, const syntax *c) {
  const char *doc = c->doc, *after = strchr(doc, '\v');
  fprintf(to, ".Ss fanin %s\n", c->command);
  put_text(to, doc, after ? (size_t)(after - doc) : strlen(doc));
  put_options(to, c->options);
  if (after) put_after(to, after + 1);
}

/* ---- The page ---------------------------------------------------------------------------------------------------- */

/* "November 5, 2026": of $SOURCE_DATE_EPOCH, so that a build can be repeated, else today. */
static void put_date(FILE *to) {
  const char *epoch = getenv("SOURCE_DATE_EPOCH");
  const time_t now = epoch ? (time_t)strtoll(epoch, NULL, 10) : time(NULL);
  char month[32];
  struct tm day;
  if (!gmtime_r(&now, &day)) abort();
  strftime(month, sizeof month, "%B", &day);
  fprintf(to, ".Dd %s %d, %d\n", month, day.tm_mday, day.tm_year + 1900);
}

void write_man(FILE *to) {
  fputs(".\\\" Written by fanin_pages from the tables that --help prints.\n", to);
  put_date(to);
  fputs(".Dt FANIN 1\n.Os\n.Sh NAME\n.Nm fanin\n", to);
  fputs(".Nd initialize neural-network weights on OpenCL devices\n.Sh SYNOPSIS\n", to);
  for (const syntax *const *c = commands; *c; ++c)
    put_synopsis(to, *c);
  fputs(".Nm\n.Cm help\n.Op Ar command\n.Nm\n.Fl -version\n", to);
  fputs(".Sh DESCRIPTION\n"
        "OpenCL kernels write random weights straight into a device's memory.\n"
        "The same seed gives the same bits on every device, whatever the driver and the\n"
        "order of the tensors; a tensor's values follow from the seed and from its name.\n"
        ".Pp\n"
        "Every command takes\n.Fl h\nand\n.Fl -help .\n"
        "An initializer,\n.Ar INIT ,\n"
        "is a name and the parameters that differ from their defaults, as in\n"
        ".Ql he_normal:mode=fan_out,a=0.2 ;\n.Nm\n.Cm list\nhas all of them.\n"
        ".Sh COMMANDS\n",
        to);
  for (const syntax *const *c = commands; *c; ++c)
    put_command(to, *c);
  fputs(".Sh ENVIRONMENT\n.Bl -tag -width FANIN_DEVICE\n.It Ev FANIN_DEVICE\n"
        "Which device to use where\n.Fl -device\ndoes not say it.\n"
        ".It Ev FANIN_CACHE\nA directory for compiled kernels, or\n.Ql off .\nWithout it they are kept in\n"
        ".Pa $XDG_CACHE_HOME/fanin\nor\n.Pa ~/.cache/fanin ,\nat most 64 MiB, unless the driver is PoCL, which keeps "
        "them itself.\n"
        ".It Ev COLUMNS\nHow wide tables are to be where the output is no terminal.\n.El\n"
        ".Sh FILES\nA file that is written appears whole or not at all.\nA process that is killed by SIGKILL leaves\n"
        ".Pa FILE.fanin-XXXXXX\nbeside it, with six characters for the Xs, which can be deleted.\n.Pp\n"
        "Below the prefix of the installation, such as\n.Pa /usr :\n.Bl -tag -width indent\n.It "
        "Pa " FANIN_DATADIR "/models\n"
        "Model files for\n.Nm\n.Cm init .\n.It Pa " FANIN_DATADIR "/rules\n"
        "The sets of rules that\n.Fl -rules\nknows by name, to start one's own from.\n.It Pa " FANIN_DOCDIR "\n"
        "What the help calls docs: model files, checkpoints, the tests of\n.Cm inspect ,\n"
        "the columns and diagnoses of\n.Cm probe ,\nthe random stream.\n.El\n"
        ".Sh EXIT STATUS\n.Bl -tag -width Ds\n.It 0\nAll is well.\n.It 1\nA check did not hold.\n"
        ".It 2\nThe command line, a file or a system call was wrong.\n"
        ".It 3\nThere is no such device, or OpenCL failed.\n.El\n",
        to);
}
