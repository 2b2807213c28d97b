/* fanin init --keep and --resize: the tensors of files that the output gets as they are, or longer. */
#ifndef CLI_INIT_KEEP_H
#define CLI_INIT_KEEP_H

#include "base/args.h"
#include "formats/checkpoint.h"
#include "formats/model.h"

/* One --resize: tensors that match and have the extent `from` in a dimension get the extent `to`. */
typedef struct resize {
  const char *text; /* as it was given */
  char *law;    /* "around_mean:scale=1e-09", of new rows that are drawn from the kept ones; NULL: by initializers */
  double scale; /* of that law */
  json_t *pattern;
  int dimension;
  uint64_t from, to;
  size_t taken; /* tensors */
} resize;

typedef struct kept_files {
  args_list paths; /* of --keep */
  resize *resizes;
  size_t n_resizes, capacity;
  char **files; /* those of `paths`, and in the place of an index the files that it names */
  size_t n_files;
  checkpoint all; /* all of them together */
  bool *used;     /* of all.tensors: it goes to the output */
} kept_files;

/* The reader of --resize, "PATTERN:DIMENSION:FROM->TO" and perhaps ":around_mean" or ":around_mean:scale=S", into a
 * kept_files. */
args_reader keep_resize;

/* Checks the options together, and reads the headers of the files. No tensor may be in two of them. */
int keep_read(kept_files *k, failure *why);

/* Gives the tensors of a checkpoint, or of a model, the extents that --resize says. */
int keep_resize_checkpoint(kept_files *k, checkpoint *c, failure *why);

/* Looks for a tensor that the output has with that dtype, as safetensors files write it, and shape. `out` is zeroed
 * where no file has it. Fails where a file has one that neither is the same nor grows by a --resize. */
int keep_find(kept_files *k, const char *name, const char *type, int rank, const uint64_t *shape, kept_tensor *out,
              failure *why);

/* Does both for a model, whose tensors then are copied, grow or are drawn. */
int keep_model(kept_files *k, model *m, failure *why);

/* Checks, once all tensors were looked for, that something is kept, that each --resize took a tensor, and that of the
 * model's tensors those are kept whose new rows are to be drawn from the kept ones. */
int keep_check(const kept_files *k, const model *m, failure *why);

/* Whether writing `path` would overwrite one of the files, also through links. */
bool keep_has(const kept_files *k, const char *path);

/* Says on stderr how many tensors of the files the output does not have, and the names of the first. `program` and
 * `command` begin the line. */
void keep_note(const kept_files *k, const char *program, const char *command);

/* The names of these tensors. */
json_t *keep_unused_json(const kept_files *k);

void keep_free(kept_files *k);

#endif
