/* fanin-mpi: fanin init on many ranks at once. Every rank makes its share of the tensors, all write one file. */
#include <math.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/table.h"
#include "base/terminal.h"
#include "base/text.h"
#include "formats/safetensors.h"
#include "init/explain.h"
#include "init/fill_parts.h"
#include "init/request.h"
#include "share.h"
#include "shared_file.h"
#include "world.h"

enum { MOST_RANKS = 1 << 20 };

typedef struct mpi_request {
  init_request init; /* first, because its options go there */
  sharding how;
  uint64_t plan; /* ranks; 0: do it */
} mpi_request;

static int take_ranks(void *to, const char *name, const char *value, failure *why) {
  const int status = args_number(to, name, value, why);
  const uint64_t ranks = *(const uint64_t *)to;
  if (status != STATUS_OK || (ranks >= 1 && ranks <= MOST_RANKS)) return status;
  return args_fail(why, "--plan '%s': give a number of ranks from 1 to %d", value, MOST_RANKS);
}

static const args_option own_options[] = {
    {"shard", 0, "HOW",
     "What a rank makes: a range of the 'model' (default), a 'range' of each tensor, or a slab of each tensor by "
     "'dimension', which is O, or dimension:LETTER of the layout, else the first dimension",
     sharding_take, offsetof(mpi_request, how), 0},
    {"plan", 0, "RANKS", "Only print what a run of so many ranks would do; needs no device", take_ranks,
     offsetof(mpi_request, plan), 0},
    {0}};

/* Every rank parses the command line, but only rank 0 prints what is wrong with it. */
static int parse(const world *w, int argc, char **argv, mpi_request *r, failure *why) {
  const syntax s = {
      .program = "fanin-mpi",
      .command = "init",
      .options = init_request_options,
      .others = own_options,
      .argument = "a model file",
      .argument_to = offsetof(mpi_request, init.model_path),
      .arguments = INIT_REQUEST_FORMS,
      .doc = "As 'fanin init', by all ranks of an MPI run together: each makes its share on a device of its node, the "
             "devices that answer SEL taken in turn, and all write one file, which appears whole or not at all. The "
             "file is that of 'fanin init', to the bit, whatever the ranks and shares (docs/scale.md).\v"
             "Examples:\n"
             "  mpirun -n 8 fanin-mpi init share/models/gpt2-124m.json -o gpt2.safetensors\n"
             "  mpirun -n 8 fanin-mpi init share/models/gpt2-124m.json -o gpt2.safetensors \\\n"
             "    --shard dimension\n"
             "  fanin-mpi init share/models/llama3-405b.json --plan 1024",
      .silent = w->rank != 0,
  };
  int status = args_parse(&s, argc, argv, r, why);
  if (status == STATUS_OK && r->plan > 0 && !r->init.output) r->init.output = "plan.safetensors"; /* is not written */
  if (status == STATUS_OK) status = init_request_check(&r->init, why);
  if (status == STATUS_OK && r->init.shards) {
    status = args_fail(why, "-o '%s': ranks write one file, whose name ends in .safetensors or .npy", r->init.output);
  }
  if (status == STATUS_OK && r->init.keep.paths.count > 0) {
    status = args_fail(why, "--keep '%s': ranks draw every tensor and copy none; use 'fanin init'",
                       r->init.keep.paths.texts[0]);
  }
  for (size_t i = 0; i < r->init.model.count && status == STATUS_OK; ++i) {
    const model_tensor *t = &r->init.model.tensors[i];
    if (t->norm_name)
      status = fail(why, STATUS_INPUT, "tensor '%.256s': norm_of '%.256s': ranks make no norms; use 'fanin init'",
                    t->name, t->norm_name);
  }
  return status;
}

/* ---- What a run of so many ranks would do, computed by the code that would do it
 * -------------------------------------- */

/* The least, the mean and the most of something, over the ranks. */
typedef struct over_ranks {
  double least, sum, most;
} over_ranks;

static void note(over_ranks *s, double value) {
  s->least = value < s->least ? value : s->least;
  s->most = value > s->most ? value : s->most;
  s->sum += value;
}

enum { BYTES, PARTS, PIECES, RUNS, RUN_BYTES, MEMORY, AT_ONCE_BYTES, LARGEST_AT_ONCE, OPERATIONS, N_ROWS };

static const struct {
  const char *title;
  char unit; /* c: a count, b: bytes, m: memory, o: operations */
} rows[N_ROWS] = {{"bytes to make", 'b'},
                  {"parts of tensors", 'c'},
                  {"pieces", 'c'},
                  {"stretches in the file", 'c'},
                  {"bytes of a stretch", 'b'},
                  {"memory, host and device each", 'm'},
                  {"of the bytes: made at once", 'b'},
                  {"largest of these, device", 'm'},
                  {"operations for matrices", 'o'}};

static void outline_rank(const init_request *r, sharding how, uint64_t rank, uint64_t ranks, over_ranks all[N_ROWS]) {
  const session any_device = {.max_alloc_bytes = UINT64_MAX};
  const share_sum sum = share_total(&r->model, how, rank, ranks);
  share *s = share_new(&r->model, how, rank, ranks);
  cutter c = {.model = &r->model,
              .source = {share_next, s},
              .most = fill_piece_bytes(&any_device, sum.bytes),
              .largest = any_device.max_alloc_bytes};
  piece p = {0};
  uint64_t pieces = 0, runs = 0;
  for (;; ++pieces) {
    cutter_next(&c, &p);
    if (p.bytes == 0) break;
    for (size_t i = 0; i < p.count; ++i)
      runs += part_elements(&p.parts[i].where) / part_run(&p.parts[i].where);
  }
  piece_free(&p);
  share_free(s);
  note(&all[BYTES], (double)sum.bytes);
  note(&all[PARTS], (double)sum.parts);
  note(&all[PIECES], (double)pieces);
  note(&all[RUNS], (double)runs);
  note(&all[RUN_BYTES], runs > 0 ? (double)sum.bytes / (double)runs : 0);
  note(&all[MEMORY], (double)(pieces < 2 ? pieces : 2) * (double)c.most);
  note(&all[AT_ONCE_BYTES], (double)sum.at_once_bytes);
  note(&all[LARGEST_AT_ONCE], (double)sum.largest_at_once);
  note(&all[OPERATIONS], sum.operations);
}

static void put(table *t, char unit, double value) {
  char text[TEXT_NUMBER];
  const uint64_t number = (uint64_t)(value + 0.5);
  if (unit == 'o') {
    table_cell(t, "%.3g", value);
  } else {
    table_cell(t, "%s",
               unit == 'b'   ? text_bytes(number, text)
               : unit == 'm' ? text_memory(number, text)
                             : text_count(number, text));
  }
}

static void print_table(const over_ranks all[N_ROWS], uint64_t ranks) {
  static const column columns[] = {{"a rank has", 1, 0}, {"least", 0, 0}, {"mean", 0, 0}, {"most", 0, 0}};
  const int n = all[OPERATIONS].most > 0 ? N_ROWS : all[AT_ONCE_BYTES].most > 0 ? OPERATIONS : AT_ONCE_BYTES;
  table t = table_of(columns, 4);
  for (int k = 0; k < n; ++k) {
    table_cell(&t, "%s", rows[k].title);
    put(&t, rows[k].unit, all[k].least);
    put(&t, rows[k].unit, all[k].sum / (double)ranks);
    put(&t, rows[k].unit, all[k].most);
  }
  table_print(&t);
}

static int print_plan(const init_request *r, sharding how, uint64_t ranks, failure *why) {
  char *header = NULL, parameters[TEXT_NUMBER], size[TEXT_NUMBER], head[TEXT_NUMBER], number[TEXT_NUMBER], by[64];
  size_t header_size = 0;
  uint64_t elements, bytes;
  over_ranks all[N_ROWS];
  const int status = safetensors_header(&r->model, r->seed, &header, &header_size, why);
  if (status != STATUS_OK) return status;
  free(header);
  for (int k = 0; k < N_ROWS; ++k)
    all[k] = (over_ranks){.least = INFINITY};
  for (uint64_t rank = 0; rank < ranks; ++rank)
    outline_rank(r, how, rank, ranks, all);
  model_totals(&r->model, &elements, &bytes);
  printf("%s: %zu tensor%s, %s parameter%s, %s behind a header of %s\n",
         r->model_path             ? r->model_path
         : r->like.checkpoint_path ? r->like.checkpoint_path
                                   : "--tensor",
         r->model.count, text_plural(r->model.count), text_count(elements, parameters), text_plural(elements),
         text_bytes(bytes, size), text_bytes(header_size, head));
  printf("%s rank%s, %s\n\n", text_count(ranks, number), text_plural(ranks), sharding_text(how, by));
  print_table(all, ranks);
  printf("\nMessages: rank 0's programs and two numbers to all; %s round%s of a write, with an agreement\n"
         "of 8 bytes before each; no byte of a tensor passes between ranks.\n",
         text_count((uint64_t)all[PIECES].most, number), text_plural((uint64_t)all[PIECES].most));
  return STATUS_OK;
}

/* ---- A run ------------------------------------------------------------------------------------------------------- */

/* What a run did, over all ranks. */
typedef struct account {
  uint64_t begin; /* clock */
  uint64_t share_bytes, device_bytes;
  uint64_t devices; /* devices that this rank chose from */
  bool taken;       /* this rank uses rank 0's programs */
} account;

static void print_account(const world *w, const mpi_request *r, const session *s, const account *a) {
  char share_text[TEXT_NUMBER], device[TEXT_NUMBER], resident[TEXT_NUMBER], by[64];
  const uint64_t milliseconds = progress_clock() - a->begin;
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  const uint64_t most_share = world_most(w, a->share_bytes), most_device = world_most(w, a->device_bytes);
  const uint64_t most_resident = world_most(w, (uint64_t)used.ru_maxrss * 1024), taken = world_sum(w, a->taken);
  const uint64_t devices = world_sum(w, (uint64_t)w->local_rank < a->devices);
  if (w->rank != 0) return;
  if (r->init.like.checkpoint_path) explain_rules(&r->init.like);
  init_request_summary(&r->init, s->device_name, milliseconds);
  printf("%d rank%s on %d node%s and %llu device%s, %s; of rank 0's programs %llu took a copy\n", w->size,
         text_plural((uint64_t)w->size), w->nodes, text_plural((uint64_t)w->nodes), (unsigned long long)devices,
         text_plural(devices), sharding_text(r->how, by), (unsigned long long)taken);
  printf("a rank at most: %s to make, %s of device memory, %s resident\n", text_bytes(most_share, share_text),
         text_memory(most_device, device), text_memory(most_resident, resident));
}

/* Fills this rank's share and writes it with the others. */
static int fill_shared(const world *w, const mpi_request *r, const session *s, const char *header, size_t header_size,
                       account *a, failure *why) {
  shared_file file = {0};
  const model *m = &r->init.model;
  a->share_bytes = share_total(m, r->how, (uint64_t)w->rank, (uint64_t)w->size).bytes;
  int status = shared_file_open(&file, w, m, r->init.output, header, header_size, why);
  if (status == STATUS_OK) {
    share *own = share_new(m, r->how, (uint64_t)w->rank, (uint64_t)w->size);
    status = fill_parts(s, m, r->init.seed, &(part_source){share_next, own}, a->share_bytes,
                        &(part_sink){shared_file_write, &file, .most = 0}, &a->device_bytes, why);
    share_free(own);
    status = shared_file_finish(&file, status, why);
  }
  shared_file_close(&file);
  return status;
}

static int run_init(const world *w, int argc, char **argv, failure *why) {
  mpi_request r = {.how = {SHARE_MODEL, 'O'}};
  session s = {0};
  account a = {.begin = progress_clock()};
  char *header = NULL;
  size_t header_size = 0;
  int status = world_agree(w, parse(w, argc, argv, &r, why), why);
  if (status == STATUS_OK && w->rank == 0) init_request_warn(&r.init, "fanin-mpi");
  if (status == STATUS_OK && (r.plan > 0 || r.init.explain)) {
    if (w->rank == 0) {
      status = r.plan > 0 ? print_plan(&r.init, r.how, r.plan, why) : explain_request(&r.init, why);
    }
    status = world_agree(w, status, why);
    init_request_free(&r.init);
    return status;
  }
  if (status == STATUS_OK) {
    if (w->rank == 0) status = init_request_space(&r.init, why);
    status = world_agree(w, status, why);
  }
  if (status == STATUS_OK) {
    if (w->rank == 0) status = init_request_header(&r.init, &r.init.model, &header, &header_size, why);
    status = world_agree(w, status, why);
  }
  if (status == STATUS_OK) status = world_agree(w, warm_open(w, r.init.device, &s, &a.devices, why), why);
  if (status == STATUS_OK) status = warm_kernels(w, &s, &r.init.model, a.devices, &a.taken, why);
  if (status == STATUS_OK) status = fill_shared(w, &r, &s, header, header_size, &a, why);
  if (status == STATUS_OK) print_account(w, &r, &s, &a);
  session_close(&s);
  free(header);
  init_request_free(&r.init);
  return status;
}

static void print_help(FILE *stream) {
  fputs("Usage: mpirun -n RANKS fanin-mpi init [OPTION...]\n"
        "Initializes neural-network weights on the OpenCL devices of many ranks and\n"
        "writes one file, the same that 'fanin init' writes.\n\n"
        "'fanin-mpi init --help' describes it. 'fanin-mpi --version' prints the version.\n"
        "Exit status of all ranks: 0 success, 2 usage or input, 3 device or OpenCL.\n",
        stream);
}

static int run(const world *w, int argc, char **argv) {
  const char *name = argc > 1 ? argv[1] : "";
  failure why = {0};
  if (strcmp(name, "init") == 0) {
    const int status = run_init(w, argc - 1, argv + 1, &why);
    if (w->rank == 0) return command_end("fanin-mpi", name, status, &why);
    return status == STATUS_HELPED ? STATUS_OK : status;
  }
  const bool help = strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0, version = strcmp(name, "--version") == 0;
  if (w->rank == 0 && version) printf("fanin-mpi %s (stream version %d)\n", fanin_version(), FANIN_STREAM_VERSION);
  if (w->rank == 0 && help) print_help(stdout);
  if (w->rank == 0 && !help && !version) {
    if (name[0]) fprintf(stderr, "fanin-mpi: '%s' is not a command; the only one is 'init'\n", name);
    print_help(stderr);
  }
  return help || version ? STATUS_OK : STATUS_INPUT;
}

/* A rank that calls exit() before the end, because there is no memory, would leave the others waiting. */
static bool ended;
static void abort_others(void) {
  if (!ended) MPI_Abort(MPI_COMM_WORLD, STATUS_DEVICE);
}

int main(int argc, char **argv) {
  int threads;
  world w;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &threads);
  atexit(abort_others);
  world_find(&w);
  const int status = run(&w, argc, argv);
  ended = true;
  MPI_Finalize();
  return status;
}
