/* fanin bench: how long a process takes from its start to its first finished tensor, compared with an OpenCL program
 * that does almost nothing. A cold process has an empty kernel cache; a warm one has the cache of the cold one. Each
 * such process is this program again, with the hidden option --start-process (start_process.c). */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/terminal.h"
#include "bench/bench.h"

/* A process to start. */
typedef struct program {
  const char *what;        /* for --start-process */
  const char *device;      /* NULL: the default */
  uint64_t size;           /* a size for which the device must have room */
  const char *cache;       /* directory */
  const sigset_t *signals; /* the signals that are blocked in it */
} program;

/* ---- A process --------------------------------------------------------------------------------------------------- */

/* Uses posix_spawn() instead of fork(), so that nothing of this process is copied. Returns an errno. */
static int spawn(const program *p, int out, pid_t *pid) {
  char size[32];
  const char *const arguments[] = {"fanin",   "bench",   "--start-process",
                                   p->what,   "--cache", p->cache,
                                   "--size",  size,      p->device ? "--device" : NULL,
                                   p->device, NULL};
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  snprintf(size, sizeof size, "%" PRIu64, p->size);
  int error = posix_spawn_file_actions_init(&actions);
  if (error != 0) return error;
  error = posix_spawnattr_init(&attributes);
  if (error != 0) goto destroy_actions;
  error = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  if (error == 0) error = posix_spawnattr_setsigmask(&attributes, p->signals);
  if (error == 0) error = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  if (error == 0) error = posix_spawn(pid, "/proc/self/exe", &actions, &attributes, (char *const *)arguments, environ);
  posix_spawnattr_destroy(&attributes);
destroy_actions:
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

/* Reads until `size` bytes or the end; returns how many. */
static size_t read_all(int fd, char *to, size_t size) {
  size_t done = 0;
  while (done < size) {
    const ssize_t n = read(fd, to + done, size - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    done += (size_t)n;
  }
  return done;
}

/* Waits for the process. If it failed, it has said why on stderr, and nothing is added. */
static int wait_for(pid_t pid, const char *what, failure *why) {
  int state = 0;
  while (waitpid(pid, &state, 0) < 0) {
    if (errno != EINTR) return fail(why, STATUS_DEVICE, "waitpid: %s", strerror(errno));
  }
  if (WIFEXITED(state)) return WEXITSTATUS(state);
  return fail(why, STATUS_DEVICE, "the process that starts '%s' ended by signal %d", what, WTERMSIG(state));
}

/* Measures the seconds from before the process exists to its dot. What it prints after the dot goes to `rest`. */
static int time_process(const program *p, double *seconds, char *rest, size_t rest_size, failure *why) {
  int ends[2];
  pid_t pid = 0;
  char dot = 0;
  if (pipe2(ends, O_CLOEXEC) != 0) return fail(why, STATUS_DEVICE, "pipe: %s", strerror(errno));
  const double begin = bench_clock();
  const int error = spawn(p, ends[1], &pid);
  close(ends[1]);
  const bool finished = error == 0 && read_all(ends[0], &dot, 1) == 1;
  *seconds = bench_clock() - begin;
  if (finished) rest[read_all(ends[0], rest, rest_size - 1)] = '\0';
  close(ends[0]);
  if (error != 0) return fail(why, STATUS_DEVICE, "cannot start a process of this program: %s", strerror(error));
  const int status = wait_for(pid, p->what, why);
  if (status != STATUS_OK || finished) return status;
  return fail(why, STATUS_DEVICE, "the process that starts '%s' did not say that it had finished", p->what);
}

/* ---- A round ----------------------------------------------------------------------------------------------------- */

static int remove_entry(const char *path, const struct stat *unused_stat, int unused_type, struct FTW *unused_place) {
  (void)unused_stat;
  (void)unused_type;
  (void)unused_place;
  return remove(path);
}

/* A new directory; its name is to be freed. NULL if that failed. */
static char *make_cache(failure *why) {
  char *path = NULL;
  const char *place = getenv("TMPDIR");
  if (asprintf(&path, "%s/fanin-bench-XXXXXX", place && place[0] ? place : "/tmp") < 0) return NULL;
  if (mkdtemp(path)) return path;
  (void)fail(why, STATUS_INPUT, "cannot create a directory %s: %s", path, strerror(errno));
  free(path);
  return NULL;
}

static void remove_cache(char *path) {
  enum { OPEN_FILES = 16 };
  if (path) nftw(path, remove_entry, OPEN_FILES, FTW_DEPTH | FTW_PHYS); /* what cannot be removed stays */
  free(path);
}

/* Whether a blocked signal waits; it ends this process as soon as the caches are removed. */
static bool is_interrupted(void) {
  sigset_t waiting;
  sigemptyset(&waiting);
  sigpending(&waiting);
  return sigismember(&waiting, SIGINT) || sigismember(&waiting, SIGTERM) || sigismember(&waiting, SIGHUP);
}

/* seconds: the cold fanin, the cold empty one, the warm fanin, the warm empty one. */
static int run_round(const char *device, uint64_t size, const sigset_t *signals, double seconds[4], failure *why) {
  char index[32] = "", ignored[2];
  char *caches[2] = {make_cache(why), make_cache(why)};
  int status = caches[0] && caches[1] ? STATUS_OK : STATUS_INPUT;
  for (int i = 0; i < 4 && status == STATUS_OK; ++i) {
    const bool empty = i % 2 == 1;
    const program p = {.what = empty ? "empty" : "fanin",
                       .device = empty ? index : device,
                       .size = size,
                       .cache = caches[i % 2],
                       .signals = signals};
    status = time_process(&p, &seconds[i], empty ? ignored : index, empty ? sizeof ignored : sizeof index, why);
    if (status == STATUS_OK && is_interrupted()) status = fail(why, STATUS_DEVICE, "interrupted");
  }
  remove_cache(caches[0]);
  remove_cache(caches[1]);
  return status;
}

int bench_measure_starts(bench_set *set, const char *device, uint64_t size, failure *why) {
  enum { N_STARTS = 4 }; /* the first cases, but the empty one of each pair before the other */
  sigset_t ends, before;
  int status = STATUS_OK;
  sigemptyset(&ends);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGHUP);
  sigprocmask(SIG_BLOCK, &ends, &before);
  for (size_t i = 0; i < N_STARTS; ++i)
    set->cases[i].seconds = allocate(set->rounds, sizeof(double));
  for (size_t round = 0; round < set->rounds && status == STATUS_OK; ++round) {
    double seconds[N_STARTS] = {0};
    progress_show("round %zu of %zu: starting processes, without and with a kernel cache", round + 1, set->rounds);
    status = run_round(device, size, &before, seconds, why);
    for (size_t i = 0; i < N_STARTS; ++i)
      set->cases[i ^ 1].seconds[round] = seconds[i];
  }
  progress_clear();
  sigprocmask(SIG_SETMASK, &before, NULL);
  return status;
}
