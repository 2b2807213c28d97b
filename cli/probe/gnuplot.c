/* gnuplot as a separate process. It reads a script from a temporary file and writes its picture into another one: with
 * pipes, the two processes could wait for each other. */
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h> /* with environ, by _GNU_SOURCE */

#include "base/output.h"
#include "formats/tensor_file.h"
#include "probe/report.h"

/* Standard input, output and error of the process. */
typedef struct streams {
  FILE *script, *picture, *complaints;
} streams;

static void close_streams(streams *s) {
  FILE *const files[] = {s->script, s->picture, s->complaints};
  for (size_t i = 0; i < sizeof files / sizeof *files; ++i) {
    if (files[i]) fclose(files[i]);
  }
}

static int open_streams(streams *s, failure *why) {
  *s = (streams){tmpfile(), tmpfile(), tmpfile()};
  if (s->script && s->picture && s->complaints) return STATUS_OK;
  return fail(why, STATUS_INPUT, "cannot make a temporary file for gnuplot: %s", strerror(errno));
}

/* Starts gnuplot and waits for its end. *error is an errno if that failed; *status is that of waitpid(). */
static void spawn(const streams *s, int *error, int *status) {
  char *const arguments[] = {"gnuplot", "-d", NULL}; /* -d: without the user's own start-up file */
  const int fds[] = {fileno(s->script), fileno(s->picture), fileno(s->complaints)};
  posix_spawn_file_actions_t actions;
  pid_t pid;
  *error = posix_spawn_file_actions_init(&actions);
  if (*error != 0) return;
  for (int i = 0; i < 3 && *error == 0; ++i)
    *error = posix_spawn_file_actions_adddup2(&actions, fds[i], i);
  if (*error == 0) *error = posix_spawnp(&pid, "gnuplot", &actions, NULL, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  if (*error != 0) return;
  while (waitpid(pid, status, 0) < 0) {
    if (errno != EINTR) {
      *error = errno;
      return;
    }
  }
}

/* The last line that gnuplot printed and that has text. */
static void last_line(FILE *from, char *out, size_t size) {
  char line[512];
  out[0] = '\0';
  rewind(from);
  while (fgets(line, sizeof line, from)) {
    line[strcspn(line, "\r\n")] = '\0';
    const char *text = line + strspn(line, " \t^");
    if (text[0]) snprintf(out, size, "%s", text);
  }
}

static int run(const streams *s, const char *before, const char *script, size_t size, failure *why) {
  char said[256];
  int error = 0, status = 0;
  fputs(before, s->script);
  fwrite(script, 1, size, s->script);
  if (fflush(s->script) != 0 || ferror(s->script)) {
    return fail(why, STATUS_INPUT, "cannot write gnuplot's script to a temporary file: %s", strerror(errno));
  }
  rewind(s->script);
  spawn(s, &error, &status);
  if (error == ENOENT || (error == 0 && WIFEXITED(status) && WEXITSTATUS(status) == 127)) {
    return fail(why, STATUS_INPUT, "gnuplot is not installed; plots need it: apt-get install gnuplot-nox");
  }
  if (error != 0) return fail(why, STATUS_INPUT, "gnuplot cannot be started: %s", strerror(error));
  last_line(s->complaints, said, sizeof said);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return STATUS_OK;
  return fail(why, STATUS_INPUT, "gnuplot failed: %s", said[0] ? said : "it did not say why");
}

int gnuplot_check(const char *option, const char *path, failure *why) {
  if (!has_ending(path, ".svg") && !has_ending(path, ".png")) {
    return fail(why, STATUS_INPUT, "%s '%s': the name must end in .svg or .png", option, path);
  }
  streams s;
  int status = open_streams(&s, why);
  if (status == STATUS_OK) status = run(&s, "", "", 0, why);
  close_streams(&s);
  return status;
}

/* Saves the picture, which must not be empty. */
static int save(FILE *picture, const char *path, failure *why) {
  long size = -1;
  if (fseek(picture, 0, SEEK_END) == 0) size = ftell(picture);
  if (size <= 0) return fail(why, STATUS_INPUT, "gnuplot drew nothing for %s", path);
  char *bytes = allocate((size_t)size, 1);
  rewind(picture);
  int status = STATUS_OK;
  if (fread(bytes, 1, (size_t)size, picture) != (size_t)size) {
    status = fail(why, STATUS_INPUT, "cannot read gnuplot's picture: %s", strerror(errno));
  }
  if (status == STATUS_OK) status = output_whole(path, bytes, (size_t)size, why);
  free(bytes);
  return status;
}

int gnuplot_draw(const char *path, int width, int height, const char *script, size_t size, failure *why) {
  char terminal[160];
  streams s;
  if (has_ending(path, ".svg"))
    snprintf(terminal, sizeof terminal, "set terminal svg size %d,%d font 'sans-serif,13' background rgb 'white'\n",
             width, height);
  else
    snprintf(terminal, sizeof terminal,
             "set terminal pngcairo size %d,%d font 'sans,10' pointscale 1.4 background rgb 'white'\n", width, height);
  int status = open_streams(&s, why);
  if (status == STATUS_OK) status = run(&s, terminal, script, size, why);
  if (status == STATUS_OK) status = save(s.picture, path, why);
  close_streams(&s);
  return status;
}
