/* fanin: initializes neural-network weights on OpenCL devices. This file picks the subcommand and prints what failed.
 */
#include <stdio.h>
#include <string.h>

#include "base/commands.h"
#include "base/text.h"

enum { MOST_COMMANDS = 32 };

static void print_help(FILE *stream) {
  fputs("Usage: fanin COMMAND [OPTION...]\n"
        "Initializes neural-network weights on OpenCL devices: the same\n"
        "seed gives the same bits on every device.\n\n",
        stream);
  for (const syntax *const *c = commands; *c; ++c)
    fprintf(stream, "  %-9s %s\n", (*c)->command, (*c)->summary);
  fputs("\n"
        "Examples:\n"
        "  fanin init share/models/lenet-300-100.json -o lenet.safetensors --seed 42\n"
        "  fanin init --tensor w:f32:OI:4096x1024 --init he_normal -o w.npy\n"
        "  fanin inspect lenet.safetensors\n"
        "  fanin probe --mlp 64,300,100,10 --activation relu --init he_normal\n\n"
        "'fanin COMMAND --help' describes a command.\n'fanin --version' prints the version.\n"
        "Exit status: 0 success, 1 a check failed, 2 usage or input, 3 device or OpenCL.\n",
        stream);
}

static const syntax *find_command(const char *name) {
  const syntax *const *c = commands;
  while (*c && strcmp((*c)->command, name) != 0)
    ++c;
  return *c;
}

static int run(const syntax *c, int argc, char **argv) {
  failure why = {0};
  const int status = c->run(argc, argv, &why);
  return command_end("fanin", c->command, status, &why);
}

int main(int argc, char **argv) {
  const char *name = argc > 1 ? argv[1] : "";
  const syntax *c = find_command(name);
  failure why = {0};
  if (c) return run(c, argc - 1, argv + 1);
  if (strcmp(name, "help") == 0 && argc == 3 && (c = find_command(argv[2]))) { /* fanin help init: fanin init --help */
    return run(c, 2, (char *[]){argv[2], "--help", NULL});
  }
  if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
    print_help(stdout);
    return command_end("fanin", NULL, STATUS_OK, &why);
  }
  if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) {
    printf("fanin %s (stream version %d)\n", fanin_version(), FANIN_STREAM_VERSION);
    return command_end("fanin", NULL, STATUS_OK, &why);
  }
  if (name[0] == '\0') {
    print_help(stderr);
    return STATUS_INPUT;
  }
  char known[TEXT_KNOWN];
  const char *names[MOST_COMMANDS];
  size_t n = 0;
  for (; commands[n] && n < MOST_COMMANDS; ++n)
    names[n] = commands[n]->command;
  fprintf(stderr, "fanin: '%s' is not a command%s\nTry 'fanin --help'.\n", name,
          text_known(name, names, n, "the commands are", known));
  return STATUS_INPUT;
}
